//! From files to the inventory, and everything that can be wrong with them.

mod cli;
mod directory;
mod example;
pub mod files;
mod grammar;
mod limits;
mod mirrors;
mod names;
mod revision;
mod rights;
mod rules;
mod services;
pub mod vendor;

use jiff::civil::{Date, date};
use reconcile::diagnostic::{Finding, text};
use reconcile::inventory::{Loaded, SourceTree, load};

pub const TODAY: Date = date(2026, 11, 22);

pub const ORGANISATION: &str = "\
directories:
  people: {ldif: people.ldif, schema: userdir, base: dc=example}
projects:
  debian: {directory: people}
organisations:
  spi:
    administrators: {group: admins, minimum: 2}
    accounts:
      hub: {vendor: memory, id: 000000000001, hub: true}
      mirror: {vendor: memory, id: 000000000002, project: debian}
grants:
  - {group: admins, role: admin, accounts: [hub, mirror], reason: They run it}
";

pub const POLICIES: &str = "\
roles:
  admin: {description: Everything, privileged: true, means: {memory: {permissions: [all]}}}
  reader: {description: Reads, means: {memory: {permissions: [read]}}}
";

/// An organisation without findings, with more files or other content.
fn tree(changes: &[(&str, &str)]) -> SourceTree {
    let base = [("inventory/base.yaml", ORGANISATION), ("policies/base.yaml", POLICIES)];
    SourceTree::from_files(base.iter().chain(changes).map(|(path, text)| (*path, *text)))
}

fn loaded(changes: &[(&str, &str)]) -> Loaded {
    load(&tree(changes), &vendor::vendors(), TODAY)
}

/// What `check` would show.
fn shown(changes: &[(&str, &str)]) -> String {
    let tree = tree(changes);
    let loaded = load(&tree, &vendor::vendors(), TODAY);
    as_shown(&loaded.findings, &tree)
}

fn as_shown(findings: &[Finding], tree: &SourceTree) -> String {
    let mut out = Vec::new();
    text::write(findings, tree, &mut anstream::StripStream::new(&mut out)).unwrap();
    String::from_utf8(out).unwrap()
}

/// The codes of all findings.
fn codes(changes: &[(&str, &str)]) -> Vec<String> {
    loaded(changes).findings.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn the_organisation_of_these_tests_has_no_findings() {
    assert_eq!(shown(&[]), "");
}
