//! Limits: what is not written is as in the default.

use reconcile::model::Kind;
use reconcile::policies::{Limit, Limits};

use super::loaded;

#[test]
fn an_organisation_changes_only_what_it_writes() {
    let loaded = loaded(&[(
        "policies/x.yaml",
        "\
limits:
  default:
    users: {count: 7}
    directory: {percent: 3}
  per_organisation:
    spi: {users: {percent: 50}, groups: {floor: 0}}
",
    )]);
    assert_eq!(loaded.findings, []);
    let spi = loaded.policies.limits_of(&"spi".into());
    assert_eq!(spi.kinds[&Kind::User], Limit { count: 7, percent: 50, floor: 2 });
    assert_eq!(spi.kinds[&Kind::Group], Limit { floor: 0, ..Limit::default() });
    assert_eq!(spi.directory, Limit { percent: 3, ..Limit::default() });
    let other = loaded.policies.limits_of(&"other".into());
    assert_eq!(other.kinds[&Kind::User], Limit { count: 7, ..Limit::default() });
    assert_eq!(other.kinds[&Kind::Group], Limits::default().kinds[&Kind::Group]);
}
