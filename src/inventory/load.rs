//! From files to the inventory, the policies and the mirrors.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::de::DeserializeOwned;

use super::known::{Known, ReadFile};
use super::resolve::World;
use super::source_tree::must_be_there;
use super::{Inventory, SourceTree, resolve, rules};
use crate::diagnostic::{Finding, Findings, Severity};
use crate::mirrors::{self, Topology};
use crate::model::{Source, VendorFacts};
use crate::policies::{self, Policies};
use crate::yaml;

/// What the files of an organisation say.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What people wrote about organisations, accounts and grants.
    pub inventory: Inventory,
    /// What roles mean and what a run may do.
    pub policies: Policies,
    /// Which mirrors there are to be.
    pub topology: Topology,
    /// What is wrong or odd, sorted by place. With an error among them the values above lack
    /// something, and nothing may be changed on their account.
    pub findings: Vec<Finding>,
    /// SHA-256 of every file by its path.
    pub digests: BTreeMap<String, String>,
}

impl Loaded {
    /// Whether there is a finding that must be put right.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Reads, resolves and checks everything. Pure, and never fails: what is wrong is a finding.
pub fn load(tree: &SourceTree, vendors: &[VendorFacts], today: Date) -> Loaded {
    let mut list = tree.findings.clone();
    let mut partly_read = list.iter().any(|finding| finding.severity == Severity::Error);
    let inventory_files = read_files(tree, "inventory", &mut list, &mut partly_read);
    let policies_files = read_files(tree, "policies", &mut list, &mut partly_read);
    let mirrors_files = read_files(tree, "mirrors", &mut list, &mut partly_read);
    let mut findings = Findings::new(list, partly_read);
    let known = Known::collect(&inventory_files, &policies_files, &mirrors_files, &mut findings);
    let world = World { known: &known, vendors, files: &tree.files };
    let policies = policies::resolve::policies(&policies_files, world, &mut findings);
    let inventory = resolve::inventory(&inventory_files, world, &mut findings);
    let topology = mirrors::resolve::topology(&mirrors_files, world, &inventory, &mut findings);
    rules::apply(
        &rules::Checked { inventory: &inventory, policies: &policies, vendors, today },
        &mut findings,
    );
    let findings = findings.into_sorted();
    Loaded { inventory, policies, topology, findings, digests: tree.digests() }
}

/// Every file of a folder as one type.
fn read_files<T: DeserializeOwned>(
    tree: &SourceTree,
    folder: &str,
    findings: &mut Vec<Finding>,
    partly_read: &mut bool,
) -> Vec<ReadFile<T>> {
    let mut files = Vec::new();
    let mut found = false;
    let below = format!("{folder}/");
    let ending = |path: &str| path.rsplit_once('.').map(|(_, ending)| ending.to_owned());
    let is_yaml = |path: &str| matches!(ending(path).as_deref(), Some("yaml" | "yml"));
    let ours = |path: &str| path.starts_with(&below) && is_yaml(path);
    for (path, bytes) in tree.files.iter().filter(|(path, _)| ours(path)) {
        found = true;
        let path: Arc<str> = path.as_str().into();
        let (node, problems) = yaml::parse(&path, bytes);
        let is_clean = problems.is_empty();
        *partly_read |= !is_clean;
        findings.extend(problems);
        match node.filter(|node| node.value != yaml::Value::Nothing) {
            Some(node) => {
                let content = yaml::read(&path, &node, findings);
                files.extend(content.map(|content| ReadFile { path, content }));
            }
            None if is_clean => findings.push(
                Finding::warning("empty-file", "there is nothing in this file")
                    .at(&Source::new(path, 0, 0)),
            ),
            None => {}
        }
    }
    let is_there = !tree
        .findings
        .iter()
        .any(|finding| finding.source.as_ref().is_some_and(|source| &*source.file == folder));
    if !found && is_there && must_be_there(folder) {
        findings.push(
            Finding::error("no-files", format!("there is no file to read below {folder}/"))
                .at(&Source::new(folder, 0, 0))
                .hint("files end in .yaml; `reconcile init` writes a first one"),
        );
    }
    files
}
