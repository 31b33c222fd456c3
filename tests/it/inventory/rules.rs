//! Rules that span items.

use insta::assert_snapshot;

use super::{codes, loaded, shown};

#[test]
fn duplicate_grants_name_the_other_line() {
    assert_snapshot!(shown(&[(
        "inventory/x.yaml",
        "\
grants:
  - {group: admins, role: admin, accounts: ['*'], reason: again}
  - {group: people:readers, role: reader, accounts: [hub, mirror], reason: r}
  - {group: readers, role: reader, accounts: [{project: debian}], reason: r}
"
    )]));
}

#[test]
fn the_same_group_may_have_other_roles_and_accounts() {
    let more = "grants:\n  - {group: admins, role: reader, accounts: [hub], reason: r}\n  - {group: admins, role: reader, accounts: [mirror], reason: r}\n";
    assert_eq!(codes(&[("inventory/x.yaml", more)]), [""; 0]);
}

#[test]
fn days_on_which_grants_end() {
    let until = |day: &str| {
        let grant = format!(
            "grants:\n  - {{group: x, role: reader, accounts: [hub], reason: r, until: {day}}}\n"
        );
        codes(&[("inventory/x.yaml", &grant)])
    };
    assert_eq!(until("2026-11-21"), ["dead-until"]);
    assert_eq!(until("2026-11-22"), ["dead-until"], "the first day without it");
    assert_eq!(until("2026-11-23"), [""; 0]);
    for wrong in [
        "2026-02-30",
        "2026-13-01",
        "22.11.2026",
        "2026-11-22T00:00:00",
        "20261122",
        "never",
        "'2026-1-1'",
    ] {
        assert_eq!(until(wrong), ["not-a-day"], "{wrong}");
    }
}

#[test]
fn administrators_hubs_and_ids() {
    assert_snapshot!(shown(&[(
        "inventory/x.yaml",
        "\
organisations:
  a:
    administrators: {group: admins, minimum: 0, required: [x, 'y z', x]}
    accounts:
      a1: {vendor: memory, id: 000000000011}
      a2: {vendor: memory, id: 000000000012}
  b:
    administrators: {group: admins, minimum: 1}
    accounts:
      b1: {vendor: memory, id: 000000000021, hub: true}
      b2: {vendor: memory, id: 000000000022, hub: true}
      b3: {vendor: memory, id: 000000000001}
      b4: {vendor: other, id: 000000000001}
      b5: {vendor: other, id: 000000000001, partition: island}
"
    )]));
}

#[test]
fn each_partition_of_a_vendor_has_its_own_hub() {
    let loaded = loaded(&[(
        "inventory/x.yaml",
        "\
organisations:
  b:
    administrators: {group: admins}
    accounts:
      b1: {vendor: other, id: 000000000021, hub: true}
      b2: {vendor: other, id: 000000000022}
      b3: {vendor: other, id: 000000000023, partition: island}
",
    )]);
    let hub = |account: &str| loaded.inventory.accounts[account].account.hub.to_string();
    assert_eq!([hub("b1"), hub("b2"), hub("b3")], ["b1", "b1", "b3"]);
}

#[test]
fn roles_and_names_at_vendors() {
    assert_snapshot!(shown(&[
        (
            "inventory/x.yaml",
            &format!(
                "\
organisations:
  o:
    administrators: {{group: admins}}
    accounts:
      elsewhere: {{vendor: other, id: 000000000031}}
grants:
  - {{group: admins, role: reader, accounts: [hub, elsewhere], reason: r}}
service_accounts:
  {}: {{owners: admins, role: reader, accounts: [hub], reason: r}}
",
                "b".repeat(60)
            )
        ),
        (
            "policies/x.yaml",
            "\
roles:
  incomplete: {description: d, means: {memory: {session_hours: 8}}}
  wrong: {description: d, means: {memory: {permissions: all, session_hours: [8]}}}
  twice: {description: d, means: {memory: {permissions: [a, a]}}}
limits:
  default: {users: {percent: 101}, people: {count: 1}}
protected:
  - {user: rescue, reason: r}
  - {user: rescue, reason: again}
grace_days: -1
plan_valid_hours: 0
"
        ),
        ("policies/y.yaml", "plan_valid_hours: 5\nlimits: {}\n"),
    ]));
}
