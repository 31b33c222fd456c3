//! The example organisation of this repository.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use reconcile::directory::{Access, read};
use reconcile::inventory::{against_directory, load, read_folder};
use reconcile::model::Standing;
use reconcile::operator::Operator;

use super::vendor::vendors;

#[test]
fn the_example_has_no_findings_without_a_directory() {
    let tree = read_folder(Path::new(env!("CARGO_MANIFEST_DIR")));
    let loaded = load(&tree, &vendors(), date(2026, 11, 22));
    assert_eq!(loaded.findings, []);
    let inventory = &loaded.inventory;
    assert_eq!(inventory.organisations.len(), 2);
    assert_eq!(inventory.projects.len(), 3);
    assert_eq!(inventory.accounts.len(), 8);
    assert_eq!(inventory.grants.len(), 12);
    assert_eq!(inventory.accounts["debian-builds"].account.hub.as_str(), "spi-hub");
    assert_eq!(loaded.policies.roles.len(), 4);
    assert_eq!(loaded.topology.mirrors.len(), 1);
    assert_eq!(loaded.digests.len(), tree.files.len());
}

/// The warnings are part of the example: each shows a state that somebody should look at.
#[test]
fn the_directories_of_the_example_cause_the_warnings_they_are_meant_to() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let today = date(2026, 11, 22);
    let loaded = load(&read_folder(root), &vendors(), today);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let operator = Operator::default();
    let access = Access { root, operator: &operator, environment: &|_| None };
    let directories: BTreeMap<_, _> = loaded
        .inventory
        .directories
        .iter()
        .map(|(name, config)| (name.clone(), runtime.block_on(read(config, access))))
        .collect();
    let missing: Vec<_> =
        directories.values().flat_map(reconcile::model::Reading::missing).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let odd: Vec<String> = directories
        .values()
        .flat_map(|reading| &reading.got().warnings)
        .map(|warning| format!("{}: {}", warning.entry, warning.message))
        .collect();
    insta::assert_snapshot!("example_directories", odd.join("\n"));
    let findings: Vec<String> =
        against_directory::findings(&loaded.inventory, &directories, &vendors(), &[], today)
            .into_iter()
            .map(|finding| format!("{} {}", finding.code, finding.message))
            .collect();
    assert_eq!(findings, ["empty-group nobody in `debian:interns` has access today"]);

    let people = &directories["debian"].got().people;
    let present = people.iter().filter(|person| person.standing(today) == Standing::Present);
    assert_eq!((people.len(), present.count()), (40, 32));
}
