//! `reconcile check`: everything that is wrong with the inventory and the policies, offline.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use jiff::civil::Date;

use super::{ExitCode, Failure, Globals};
use crate::cloud::registry;
use crate::diagnostic::{self, Finding, Findings, count};
use crate::directory::{self, Access, Origin};
use crate::inventory::{Loaded, against_directory, against_operator, load, read_folder};
use crate::mirrors;
use crate::model::{Directory, DirectoryName, Reading, VendorFacts};
use crate::operator::Operator;

/// Look for mistakes in the inventory and the policies.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// How to show what was found
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// How to show findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// A code quality report, which GitLab shows in a merge request
    Gitlab,
    /// Workflow commands, which GitHub shows as annotations
    Github,
}

/// What a check looks at besides the files.
pub struct Inputs<'a> {
    /// Folder that holds `inventory/` and `policies/`.
    pub root: &'a Path,
    /// What the operator allows.
    pub operator: &'a Operator,
    /// The vendors this program knows.
    pub vendors: &'a [VendorFacts],
    /// Today.
    pub today: Date,
    /// Reads the directories that can be read without a network, or those that were asked for.
    pub directories: &'a dyn Fn(&Loaded) -> BTreeMap<DirectoryName, Reading<Directory>>,
}

/// Checks the files of the root, also against the directories that are files.
pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let operator = globals.operator()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let access = globals.access(&operator);
    let inputs = Inputs {
        root: &globals.root,
        operator: &operator,
        vendors: &registry::facts(),
        today: globals.today(),
        directories: &|loaded| runtime.block_on(offline_directories(loaded, access)),
    };
    Ok(check(args.format, &inputs, out)?)
}

/// Reads the directories that need no network.
async fn offline_directories(
    loaded: &Loaded,
    access: Access<'_>,
) -> BTreeMap<DirectoryName, Reading<Directory>> {
    let mut directories = BTreeMap::new();
    for (name, config) in &loaded.inventory.directories {
        match config.origin {
            Origin::Ldif(_) | Origin::Retired => {
                directories.insert(name.clone(), directory::read(config, access).await);
            }
            Origin::Ldap(_) => {}
        }
    }
    directories
}

/// Checks and writes what was found.
///
/// # Errors
/// When the result cannot be written.
pub fn check(format: Format, inputs: &Inputs<'_>, out: &mut dyn Write) -> io::Result<ExitCode> {
    let tree = read_folder(inputs.root);
    let loaded = load(&tree, inputs.vendors, inputs.today);
    let directories = (inputs.directories)(&loaded);
    let mut findings = loaded.findings.clone();
    findings.extend(against_operator::offline_findings(&loaded.inventory, inputs.operator));
    findings.extend(unread(&loaded, &directories));
    findings.extend(against_directory::findings(
        &loaded.inventory,
        &directories,
        inputs.vendors,
        &loaded.policies.privileged_roles(),
        inputs.today,
    ));
    findings.extend(mirrors::against_directory(&loaded.topology, &loaded.inventory, &directories));
    let findings = findings.into_iter().collect::<Findings>().into_sorted();
    match format {
        Format::Text => {
            diagnostic::text::write(&findings, &tree, out)?;
            if count(&findings).0 == 0 {
                in_order(&loaded, out)?;
            }
        }
        Format::Json => diagnostic::write_json(&findings, out)?,
        Format::Gitlab => diagnostic::write_gitlab(&findings, out)?,
        Format::Github => diagnostic::write_github(&findings, out)?,
    }
    Ok(match count(&findings).0 {
        0 => ExitCode::Success,
        _ => ExitCode::BadInput,
    })
}

fn in_order(loaded: &Loaded, out: &mut dyn Write) -> io::Result<()> {
    let inventory = &loaded.inventory;
    let number = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    let mirrors = match loaded.topology.mirrors.len() {
        0 => String::new(),
        mirrors => format!(", {}", number(mirrors, "mirror")),
    };
    writeln!(
        out,
        "In order: {}, {}, {}, {}{mirrors}.",
        number(inventory.organisations.len(), "organisation"),
        number(inventory.accounts.len(), "account"),
        number(inventory.grants.len(), "grant"),
        number(loaded.policies.roles.len(), "role"),
    )
}

/// What could not be read of the directories, and what is odd in them.
fn unread(
    loaded: &Loaded,
    directories: &BTreeMap<DirectoryName, Reading<Directory>>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, reading) in directories {
        let config = loaded.inventory.directories.get(name);
        let mut warn = |code: &str, message: String| {
            let finding = Finding::warning(code, message);
            findings.push(match config {
                Some(config) => finding.at(&config.source),
                None => finding,
            });
        };
        for missing in reading.missing() {
            warn("directory-incomplete", format!("directory `{name}`: {missing}"));
        }
        for odd in &reading.got().warnings {
            warn("directory-entry", format!("{}: {}", odd.entry, odd.message));
        }
    }
    findings
}
