//! Targets: command lines, one word a line; and everything people write, as a whole.

use clap::Parser as _;
use jiff::civil::date;

use super::Cli;
use crate::fuzzing::{Target, text};
use crate::inventory::{SourceTree, load};
use crate::model::VendorFacts;

#[test]
fn command_line() {
    let words = &[
        "--dry-run\n",
        "--approve\n",
        "--today\n",
        "--org\n",
        "--account\n",
        "--root\n",
        "diff\n",
        "--base\n",
        "record\n",
        "verify\n",
        "--expect\n",
        "apply\n",
        "plan\n",
        "--out\n",
        "explain\n",
        "check\n",
        "--format\n",
        "2026-02-30",
        "0000",
        "--help\n",
        "--only\n",
        "adopt\n",
        "=",
        "--\n",
    ];
    Target::new("command_line").words(words).longest(512).memory(4 << 20, 1 << 10).run(|input| {
        let text = text(input);
        let words = std::iter::once("reconcile").chain(text.lines());
        match Cli::try_parse_from(words) {
            Ok(_) => "good".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        }
    });
}

const WORDS: &[&str] = &[
    "organisations:\n",
    "accounts:\n",
    "projects:\n",
    "grants:\n",
    "directories:\n",
    "roles:\n",
    "service_accounts:\n",
    "limits:\n",
    "protected:\n",
    "rights:\n",
    "sinks:\n",
    "grace_days: ",
    "vendor: memory",
    "hub: true",
    "  - ",
    ": ",
    "\n",
    "[",
    "]",
    "{",
    "}",
    "*",
    "debian:admin",
    "person:debian:2005",
    "until: 2026-12-31",
    "reason: ",
    "means:\n",
    "percent: ",
    "count: ",
    "floor: ",
    "name_prefix: ",
    "schema: userdir",
    "ldif: ",
    "ldap:\n",
    "url: ldaps://h",
    "required:\n",
    "== policies/p.yaml\n",
    "== inventory/i.yaml\n",
    "== inventory/debian/g.yaml\n",
];

/// The vendor of the seeds; others are unknown.
fn vendors() -> Vec<VendorFacts> {
    vec![crate::cloud::registry::facts().into_iter().next().expect("there is always one")]
}

/// `== PATH` begins a file.
fn tree(input: &[u8]) -> SourceTree {
    let input = text(input);
    let parts = input.split("== ").filter_map(|part| part.split_once('\n'));
    SourceTree::from_files(parts.map(|(path, content)| (path.to_owned(), content.as_bytes())))
}

/// Words of files below `mirrors/`.
const MIRRORS: &[&str] = &[
    "mirrors:\n",
    "account: main",
    "form: cdn",
    "form: regional",
    "archive:\n",
    "upstream: {host: rsync.example.org, module: debian}",
    "suites: [",
    "keyring: mirrors/k.asc",
    "fresh_hours: 12",
    "regions:\n",
    "servers: 2",
    "size: small",
    "name: d.${vendor}.mirror.example.org",
    "parent_zone: {name: mirror.example.org, by: delegation}",
    "by: hand-off",
    "certificate: {by: acme}",
    "image: debian-13",
    "disk_gb: 200",
    "operators: admins",
    "ceiling: {amount: 300, currency: EUR}",
    "${",
    ": ",
    "\n",
    "{",
    "}",
];

/// An organisation in which mirrors can be.
const AROUND: [(&str, &str); 3] = [
    ("inventory/i.yaml", include_str!("init/organisation.yaml")),
    ("policies/p.yaml", include_str!("init/policies.yaml")),
    ("mirrors/k.asc", "not looked into"),
];

#[test]
fn mirrors() {
    let (vendors, today) = (vendors(), date(2026, 11, 28));
    Target::new("mirrors").words(MIRRORS).longest(16 << 10).memory(4 << 20, 4 << 10).run(|input| {
        let around = AROUND.iter().map(|(path, text)| (*path, text.as_bytes()));
        let tree = SourceTree::from_files(around.chain([("mirrors/m.yaml", input)]));
        let loaded = load(&tree, &vendors, today);
        assert!(loaded.findings.is_sorted(), "findings come in order");
        let mut names = std::collections::BTreeSet::new();
        for (name, mirror) in &loaded.topology.mirrors {
            assert_eq!(*name, mirror.name);
            assert!(loaded.inventory.accounts.contains_key(&mirror.account));
            assert!(mirror.public_name.is_below(&mirror.parent_zone.name));
            assert!(!mirror.regions.is_empty() && !mirror.archive.suites.is_empty());
            assert!(tree.files.contains_key(&mirror.archive.keyring));
            assert!(names.insert(&mirror.public_name) || loaded.has_errors());
        }
        let again = load(&tree, &vendors, today);
        assert_eq!(again.findings, loaded.findings, "the same twice");
        assert_eq!(again.topology, loaded.topology);
        let codes: std::collections::BTreeSet<_> =
            loaded.findings.iter().map(|finding| finding.code.clone()).collect();
        (codes, loaded.topology.mirrors.len().min(3))
    });
}

#[test]
fn inventory() {
    let (vendors, today) = (vendors(), date(2026, 11, 28));
    Target::new("inventory").words(WORDS).longest(16 << 10).memory(4 << 20, 4 << 10).run(|input| {
        let tree = tree(input);
        let loaded = load(&tree, &vendors, today);
        assert!(loaded.findings.is_sorted(), "findings come in order");
        assert!(
            loaded.findings.len() <= 40 + input.len(),
            "{} findings for {} bytes",
            loaded.findings.len(),
            input.len()
        );
        for finding in &loaded.findings {
            let Some(source) = &finding.source else { continue };
            let Some(file) = tree.files.get(&*source.file) else { continue };
            let lines = file.split(|byte| *byte == b'\n').count();
            assert!(source.line as usize <= lines + 1, "{finding:?}");
        }
        assert_eq!(loaded.digests.len(), tree.files.len());
        let again = load(&tree, &vendors, today);
        assert_eq!(again.findings, loaded.findings, "the same twice");
        assert_eq!(format!("{:?}", again.inventory), format!("{:?}", loaded.inventory));
        let codes: std::collections::BTreeSet<_> =
            loaded.findings.iter().map(|finding| finding.code.clone()).collect();
        codes
    });
}
