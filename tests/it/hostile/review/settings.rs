//! A branch that weakens what protects, without giving anything to anybody today.

use std::fs;
use std::path::Path;

use reconcile::inventory::ServiceIdentity;
use reconcile::model::{AttributeValue, KeyRotation};
use reconcile::rights::{Difference, Setting, Weight, compare};

use super::Said;
use crate::engine::world::{Given, Model, ServiceModel};
use crate::rights::commands::{example, ran, replace};
use crate::rights::values::with_view;

/// The change is in the first line, has a line of its own with its place, and a code of its own.
fn dangerous(first: &str, line: &str, place: &str, change: impl FnOnce(&Path)) {
    let said = Said::of(change);
    assert_eq!(said.code, 10, "{}", said.text);
    assert!(said.first_line().contains(first), "{first}:\n{}", said.text);
    assert!(said.heading().contains(first), "{first}:\n{}", said.comment);
    for shown in [&said.text, &said.comment] {
        let found = shown.lines().find(|one| one.contains(line));
        let found = found.unwrap_or_else(|| panic!("no line has {line}:\n{shown}"));
        assert!(found.contains(place) && found.trim_start().starts_with('!'), "{found}");
        assert!(!shown.contains("nobody gets or loses"), "{shown}");
    }
}

#[test]
fn limits_opened_are_shown() {
    dangerous(
        "1 limit opened",
        "limits: up to 500 instead of 10 users of spi, every organisation without limits of its \
         own may be removed in one run",
        "policies/limits.yaml:8",
        |root| replace(root, "policies/limits.yaml", "count: 10,", "count: 500,"),
    );
}

#[test]
fn a_limit_of_a_directory_opened_is_shown() {
    dangerous(
        "1 limit opened",
        "up to 100 % instead of 5 % people of a directory may be missing",
        "policies/limits.yaml:10",
        |root| replace(root, "policies/limits.yaml", "percent: 5}", "percent: 100}"),
    );
}

#[test]
fn no_grace_days_are_shown() {
    dangerous(
        "shorter time until users are deleted",
        "suspended users are deleted at once instead of after 30 days",
        "policies/grace.yaml:3",
        |root| replace(root, "policies/grace.yaml", "grace_days: 30", "grace_days: 0"),
    );
}

#[test]
fn the_way_in_without_protection_is_shown() {
    dangerous(
        "2 protections removed",
        "the way in when everything fails (rescue in spi-hub) is no longer protected",
        "was policies/protected.yaml:6",
        |root| fs::write(root.join("policies/protected.yaml"), "protected: []\n").unwrap(),
    );
}

#[test]
fn a_way_in_that_no_longer_is_one_is_shown() {
    dangerous(
        "2 protections removed",
        "user rescue in spi-hub no longer counts as the way in when everything fails",
        "policies/protected.yaml:6",
        |root| replace(root, "policies/protected.yaml", "break_glass: true", "break_glass: false"),
    );
}

#[test]
fn wider_rights_of_a_folder_are_shown() {
    dangerous(
        "1 folder may grant more",
        "folder inventory/debian may now grant every role on every account  ",
        "policies/rights.yaml:19",
        |root| {
            let from = "roles: [operator, publisher, auditor]\n    projects: [debian]";
            let to = "roles: [\"*\"]\n    accounts: [\"*\"]";
            replace(root, "policies/rights.yaml", from, to);
        },
    );
}

#[test]
fn one_more_role_for_a_folder_is_shown() {
    dangerous(
        "1 folder may grant more",
        "folder inventory/freedesktop may now grant administrator on freedesktop-ci",
        "policies/rights.yaml:27",
        |root| {
            let from = "auditor]\n    accounts: [freedesktop-ci]";
            let to = "auditor, administrator]\n    accounts: [freedesktop-ci]";
            replace(root, "policies/rights.yaml", from, to);
        },
    );
}

#[test]
fn rights_given_up_altogether_are_shown() {
    dangerous(
        "rule gone: every folder may define everything",
        "no folder is restricted any more",
        "policies/rights.yaml:7",
        |root| fs::write(root.join("policies/rights.yaml"), "rights: []\n").unwrap(),
    );
}

#[test]
fn a_new_sink_is_shown() {
    dangerous(
        "1 new place for keys",
        "sink drop is new (Nobody looks)",
        "policies/sinks.yaml:2",
        |root| {
            let text = "sinks:\n  drop: {description: Nobody looks}\n";
            fs::write(root.join("policies/sinks.yaml"), text).unwrap();
        },
    );
}

#[test]
fn privileged_roles_without_keys_are_shown() {
    dangerous(
        "privileged roles need no key",
        "privileged roles no longer need a registered key",
        "policies/grace.yaml:4",
        |root| replace(root, "policies/grace.yaml", "needs_key: true", "needs_key: false"),
    );
}

#[test]
fn saved_plans_that_never_age_are_shown() {
    dangerous(
        "longer time for saved plans",
        "a saved plan may be applied for 9000 instead of 24 hours",
        "policies/grace.yaml:5",
        |root| {
            replace(root, "policies/grace.yaml", "plan_valid_hours: 24", "plan_valid_hours: 9000");
        },
    );
}

#[test]
fn a_role_nobody_holds_yet_is_shown() {
    dangerous(
        "1 role means more",
        "role helper at memory  new: permissions nothing → [*]",
        "policies/roles.yaml",
        |root| {
            let path = root.join("policies/roles.yaml");
            let text = fs::read_to_string(&path).unwrap();
            let role = "  helper:\n    description: Helps\n    means:\n      memory:\n        \
                        permissions: [\"*\"]\n";
            fs::write(path, format!("{text}{role}")).unwrap();
        },
    );
}

#[test]
fn a_role_that_no_longer_counts_as_privileged_is_shown_and_so_is_who_gets_it() {
    let said = Said::of(|root| {
        replace(root, "policies/roles.yaml", "    privileged: true ", "    privileged: false");
        let grants = "inventory/spi/grants.yaml";
        replace(root, grants, "role: auditor", "role: administrator");
    });
    assert!(said.first_line().contains("1 role means more"), "{}", said.text);
    assert!(said.first_line().contains("privileged right"), "{}", said.text);
    let section = said.text.split("\nPrivileged rights given\n").nth(1).unwrap();
    assert!(section.contains("+ spi/spi-hub             debian:rosalind "), "{}", said.text);
}

#[test]
fn other_names_for_everybody_are_shown() {
    dangerous(
        "everybody of a directory gets another name",
        "everybody in directory debian gets another name: prefix '' → 'x-'",
        "inventory/directories.yaml:12",
        |root| {
            let to = "base: dc=example,dc=org\n    name_prefix: x-";
            replace(root, "inventory/directories.yaml", "base: dc=example,dc=org", to);
        },
    );
}

#[test]
fn another_schema_base_and_stable_id_are_shown() {
    let file = "inventory/directories.yaml";
    for (first, line, from, to) in [
        (
            "people come from another place",
            "people of directory freedesktop are understood in another way",
            "schema: rfc2307",
            "schema: rfc2307bis",
        ),
        (
            "people come from another place",
            "people of directory debian come from another part of it",
            "base: dc=example,dc=org",
            "base: ou=mine,dc=example,dc=org",
        ),
        (
            "everybody of a directory counts as somebody new",
            "people of directory debian are told apart by another attribute",
            "base: dc=example,dc=org",
            "base: dc=example,dc=org\n    stable_id: mail",
        ),
    ] {
        dangerous(first, line, file, |root| replace(root, file, from, to));
    }
}

#[test]
fn fewer_and_other_administrators_are_shown() {
    let file = "inventory/organisations.yaml";
    for (line, from, to) in [
        (
            "(at least 3, among them amara) → administrators debian:sysadmin (at least 1, ",
            "minimum: 3  ",
            "minimum: 1  ",
        ),
        (
            "(at least 3, among them amara) → administrators debian:sysadmin (at least 3)",
            "required: [amara]",
            "required: []",
        ),
        ("→ administrators debian:guest", "group: debian:sysadmin", "group: debian:guest"),
    ] {
        dangerous("accounts are others or keep fewer administrators", line, file, |root| {
            replace(root, file, from, to);
        });
    }
}

#[test]
fn an_account_that_becomes_another_one_is_shown() {
    let file = "inventory/organisations.yaml";
    for (line, from, to) in [
        ("memory 100000000006 → memory 900000000006", "\"100000000006\"", "\"900000000006\""),
        (
            "belongs to project freedesktop → debian, whose folders may grant on it",
            "id: \"100000000006\"\n        project: freedesktop",
            "id: \"100000000006\"\n        project: debian",
        ),
    ] {
        dangerous("1 account is another one", line, file, |root| replace(root, file, from, to));
    }
}

fn compared(before: &Given, after: &Given) -> Difference {
    with_view(before, |before| with_view(after, |after| compare(before, after)))
}

#[test]
fn how_an_account_is_reached_is_shown() {
    let before = Model::simple().given();
    for (name, value) in [("external_id", "mine"), ("assume_role", "other"), ("saml_metadata", "x")]
    {
        let mut after = before.clone();
        for entry in after.inventory.accounts.values_mut() {
            let value = AttributeValue::Text(value.repeat(500));
            entry.account.settings.insert(name.into(), value);
        }
        let difference = compared(&before, &after);
        let change = &difference.accounts[0];
        assert_eq!(change.weight, Weight::Dangerous);
        let shown = &change.after.as_ref().unwrap().settings[name];
        assert!(shown.contains("SHA-256") && shown.len() < 100, "{shown}");
        // Another content of the same length is another content.
        let mut other = after.clone();
        for entry in other.inventory.accounts.values_mut() {
            let value = AttributeValue::Text("y".repeat(value.len() * 500));
            entry.account.settings.insert(name.into(), value);
        }
        assert_eq!(compared(&after, &other).accounts[0].weight, Weight::Dangerous);
    }
}

#[test]
fn a_key_that_goes_elsewhere_is_shown() {
    let key = |sink: &str| {
        let mut model = Model::simple();
        let sink = sink.into();
        let rotation = KeyRotation { after_days: 90, overlap_days: 7, sink };
        let service = ServiceModel {
            role: "operator".to_owned(),
            accounts: ["hub".to_owned()].into(),
            until: None,
            identity: ServiceIdentity::Key(rotation),
        };
        model.services.insert("deploy".to_owned(), service);
        model.given()
    };
    let difference = compared(&key("vault"), &key("drop"));
    let change = &difference.settings[0];
    assert_eq!(change.weight, Weight::Dangerous);
    assert!(matches!(change.what, Setting::ServiceAccount { .. }), "{change:?}");
}

#[test]
fn what_protects_more_is_told_without_alarm() {
    let said = Said::of(|root| {
        replace(root, "policies/limits.yaml", "count: 10,", "count: 5,");
        let projects = "roles: [operator, publisher, auditor]\n    projects: [debian]";
        replace(
            root,
            "policies/rights.yaml",
            projects,
            "roles: [auditor, operator, publisher]\n    projects: [debian]",
        );
    });
    assert_eq!(said.code, 10);
    assert!(said.text.starts_with("HEAD → "), "{}", said.text);
    assert!(said.text.contains("~ limits: up to 5 instead of 10 users of spi"), "{}", said.text);
    assert!(!said.text.contains("folder inventory/debian"), "{}", said.text);
}

#[test]
fn the_json_form_says_how_much_each_setting_matters() {
    let folder = example();
    let root = folder.path();
    replace(root, "policies/grace.yaml", "grace_days: 30", "grace_days: 0");
    let (_, out, _) = ran(root, &["diff", "--base", "HEAD", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let change = &json["difference"]["settings"][0];
    assert_eq!(change["weight"], "dangerous");
    assert_eq!(change["what"]["grace_days"]["after"], 0);
    assert_eq!(change["now"]["file"], "policies/grace.yaml");
}
