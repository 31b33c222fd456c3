//! Every name that is defined anywhere, even where its definition has mistakes in it: a mistake in
//! an account must not make every grant on it wrong too.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::as_written::InventoryFile;
use crate::diagnostic::{Finding, Findings};
use crate::mirrors::as_written::MirrorsFile;
use crate::model::{Source, is_name};
use crate::policies::as_written::PoliciesFile;
use crate::yaml::{Field, InFile, Named, Written};

/// One file with its path.
pub(crate) struct ReadFile<T> {
    pub(crate) path: Arc<str>,
    pub(crate) content: T,
}

/// Where each name is defined first.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) organisations: Names,
    pub(crate) projects: Names,
    pub(crate) directories: Names,
    pub(crate) accounts: Names,
    pub(crate) service_accounts: Names,
    pub(crate) roles: Names,
    pub(crate) sinks: Names,
    pub(crate) mirrors: Names,
}

/// Names of one kind.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, Source>);

impl Names {
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the place that counts, or a second one that was reported.
    pub(crate) fn is_definition(&self, name: &str, source: &Source) -> bool {
        self.0.get(name) == Some(source)
    }

    /// The name, if it is defined; a finding if not.
    pub(crate) fn look_up(
        &self,
        what: &str,
        written: &Written<String>,
        file: InFile<'_>,
        findings: &mut Findings,
    ) -> Option<()> {
        if self.contains(&written.value) {
            return Some(());
        }
        findings.unknown(what, &written.value, self.iter(), &file.source(written.at));
        None
    }

    fn define<T>(
        &mut self,
        what: &str,
        file: InFile<'_>,
        section: &Field<Named<T>>,
        findings: &mut Findings,
    ) {
        for (name, _) in section.given().iter().flat_map(|section| &section.value.0) {
            let source = file.source(name.at);
            if !is_name(&name.value) {
                findings.push(
                    Finding::error(
                        "bad-name",
                        format!("`{}` cannot be the name of {what}", name.value),
                    )
                    .at(&source)
                    .hint(NAME_SHAPE),
                );
            }
            match self.0.get(&name.value) {
                None => {
                    self.0.insert(name.value.clone(), source);
                }
                Some(first) => findings.push(
                    Finding::error(
                        "duplicate-name",
                        format!("{what} `{}` is defined twice", name.value),
                    )
                    .at(&source)
                    .hint(format!("the first definition is in {first}")),
                ),
            }
        }
    }
}

const NAME_SHAPE: &str = "a name has 1 to 64 lower-case letters, digits, `-`, `_` and `.`, and begins with a letter or digit";

impl Known {
    /// Collects the names of all files; a finding for each that is defined twice or has a wrong
    /// shape.
    pub(crate) fn collect(
        inventory: &[ReadFile<InventoryFile>],
        policies: &[ReadFile<PoliciesFile>],
        mirrors: &[ReadFile<MirrorsFile>],
        findings: &mut Findings,
    ) -> Self {
        let mut known = Self::default();
        for file in inventory {
            let (at, content) = (InFile(&file.path), &file.content);
            known.organisations.define("an organisation", at, &content.organisations, findings);
            known.projects.define("a project", at, &content.projects, findings);
            known.directories.define("a directory", at, &content.directories, findings);
            known.service_accounts.define(
                "a service account",
                at,
                &content.service_accounts,
                findings,
            );
            for (_, organisation) in content.organisations.given().iter().flat_map(|s| &s.value.0) {
                if let Some(organisation) = organisation.given() {
                    known.accounts.define("an account", at, &organisation.value.accounts, findings);
                }
            }
        }
        for file in policies {
            let at = InFile(&file.path);
            known.roles.define("a role", at, &file.content.roles, findings);
            known.sinks.define("a sink", at, &file.content.sinks, findings);
        }
        for file in mirrors {
            let at = InFile(&file.path);
            known.mirrors.define("a mirror", at, &file.content.mirrors, findings);
        }
        known
    }
}
