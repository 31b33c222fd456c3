//! The example organisation of this repository.

use std::path::Path;

use jiff::civil::date;
use reconcile::inventory::{load, read_folder};

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
    assert_eq!(loaded.digests.len(), tree.files.len());
}
