//! Which folder may define what.

use insta::assert_snapshot;

use super::{codes, shown};

const RIGHTS: &str = "\
rights:
  - path: inventory/base.yaml
    define: [organisations, projects, directories, grants]
    roles: ['*']
    accounts: ['*']
  - path: inventory/debian
    define: [grants]
    roles: [reader]
    projects: [debian]
";

fn codes_of_grant(path: &str, grant: &str) -> Vec<String> {
    codes(&[
        ("policies/rights.yaml", RIGHTS),
        (path, &format!("grants:\n  - {{{grant}, reason: r}}\n")),
    ])
}

#[test]
fn a_folder_gives_what_it_may_and_nothing_else() {
    let none: [&str; 0] = [];
    let path = "inventory/debian/grants.yaml";
    assert_eq!(codes_of_grant(path, "group: x, role: reader, accounts: [mirror]"), none);
    assert_eq!(codes_of_grant(path, "group: x, role: reader, accounts: [{project: debian}]"), none);
    assert_eq!(
        codes_of_grant("inventory/debian/a/b/c.yml", "group: x, role: reader, accounts: [mirror]"),
        none
    );
    for (path, grant) in [
        (path, "group: x, role: admin, accounts: [mirror]"),
        (path, "group: x, role: reader, accounts: [hub]"),
        (path, "group: x, role: reader, accounts: [mirror, hub]"),
        (path, "group: x, role: reader, accounts: ['*']"),
        ("inventory/debian-ports/grants.yaml", "group: x, role: reader, accounts: [mirror]"),
        ("inventory/debian.yaml", "group: x, role: reader, accounts: [mirror]"),
        ("inventory/Debian/x.yaml", "group: x, role: reader, accounts: [mirror]"),
        ("inventory/x/inventory/debian/x.yaml", "group: x, role: reader, accounts: [mirror]"),
        ("inventory/base.yaml.yaml", "group: x, role: reader, accounts: [mirror]"),
    ] {
        assert_eq!(codes_of_grant(path, grant), ["no-right"], "{path} {grant}");
    }
}

#[test]
fn two_rights_do_not_add_up_to_one() {
    let rights = format!(
        "{RIGHTS}  - path: inventory/debian\n    define: [grants]\n    roles: [admin]\n    accounts: [hub]\n"
    );
    let grant = "grants:\n  - {group: x, role: reader, accounts: [mirror, hub], reason: r}\n";
    assert_eq!(
        codes(&[("policies/rights.yaml", &rights), ("inventory/debian/x.yaml", grant)]),
        ["no-right"]
    );
}

#[test]
fn an_account_cannot_be_pulled_into_a_project_by_its_team() {
    let more = "organisations:\n  evil:\n    administrators: {group: admins}\n    accounts:\n      mine: {vendor: memory, id: 000000000009, project: debian}\n";
    let codes = codes(&[("policies/rights.yaml", RIGHTS), ("inventory/debian/x.yaml", more)]);
    assert!(codes.contains(&"no-right".to_owned()), "{codes:?}");
}

#[test]
fn rights_with_mistakes_do_not_open_the_door() {
    for rights in [
        "rights:\n  - {path: inventory/deban, define: [grants], roles: ['*'], accounts: ['*']}\n",
        "rights:\n  - {path: '', define: [grants], roles: ['*'], accounts: ['*']}\n",
        "rights:\n  - {path: inventory/debian/.., define: [grants], roles: ['*'], accounts: ['*']}\n",
        "rights:\n  - {path: inventory/debian/x.yaml, define: [], roles: ['*'], accounts: ['*']}\n",
        "rights:\n  - {path: inventory, define: [grants]}\n",
    ] {
        let grant = "grants:\n  - {group: x, role: reader, accounts: [mirror], reason: r}\n";
        let codes = codes(&[("policies/rights.yaml", rights), ("inventory/debian/x.yaml", grant)]);
        assert!(codes.contains(&"no-right".to_owned()), "{rights} {codes:?}");
    }
}

#[test]
fn findings_say_which_right_it_would_need() {
    assert_snapshot!(shown(&[
        ("policies/rights.yaml", RIGHTS),
        (
            "inventory/debian/x.yaml",
            "\
grants:
  - {group: x, role: reader, accounts: [mirror, hub], reason: r}
  - {group: x, role: admin, accounts: [mirror], reason: r}
service_accounts:
  bot: {owners: x, role: reader, accounts: [mirror], reason: r}
"
        ),
        ("inventory/other/x.yaml", "projects:\n  new: {}\n"),
    ]));
}
