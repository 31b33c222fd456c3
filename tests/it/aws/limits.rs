//! What bounds a role, and what an account allows: told with numbers before anything is refused.

use std::fmt::Write as _;

use super::site::{AwsSite, BUILDS, HUB, has};
use crate::peers::moto::allow;

#[test]
fn a_role_gets_its_boundary_keeps_it_and_loses_it() {
    let site = AwsSite::new();
    let builds = site.account(BUILDS);
    for name in ["narrow", "wide"] {
        builds.policy(name, "/", &allow("ec2:*"));
    }
    let policies = site.read("policies/all.yaml");
    let bounded = |by: &str| {
        let boundary =
            format!("session_hours: 8\n        boundary: 'arn:aws:iam::{{account}}:policy/{by}'");
        site.write("policies/all.yaml", &policies.replace("session_hours: 8", &boundary));
    };
    let boundary = || {
        let role = builds.iam("GetRole", &[("RoleName", "operator")]);
        role.all("PermissionsBoundaryArn")
    };
    let of = |name: &str| vec![format!("arn:aws:iam::{BUILDS}:policy/{name}")];
    bounded("narrow");
    site.converge();
    assert_eq!(boundary(), of("narrow"));
    bounded("wide");
    let run = site.converge();
    assert!(has(&run, "- update role operator"), "{}", run.out);
    assert_eq!(boundary(), of("wide"));
    // Taken off by hand, it comes back; taken out of the policies, it goes.
    builds.iam("DeleteRolePermissionsBoundary", &[("RoleName", "operator")]);
    site.converge();
    assert_eq!(boundary(), of("wide"));
    site.write("policies/all.yaml", &policies);
    site.converge();
    assert_eq!(boundary(), [""; 0]);
}

#[test]
fn an_eleventh_group_is_held_with_its_number_and_the_ten_are_given() {
    let site = AwsSite::applied();
    let mut inventory = site.read("inventory/all.yaml");
    let names: Vec<String> = (0..11).map(|number| format!("team{number}")).collect();
    for name in &names {
        site.ldap(&format!(
            "dn: gid={name},ou=users,dc=example,dc=org\nchangetype: add\nobjectClass: debianGroup\n\
             gid: {name}\n"
        ));
        let _ = writeln!(
            inventory,
            "  - {{group: {name}, role: operator, accounts: [debian-builds], reason: They build}}"
        );
    }
    site.write("inventory/all.yaml", &inventory);
    site.joins("farid", 1006, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let run = site.run(&[]).ends_with(3);
    let text = run.text();
    assert!(text.contains("groups per user of `farid`: at most 10 are allowed"), "{text}");
    let groups = site.account(HUB).iam("ListGroupsForUser", &[("UserName", "farid")]);
    assert_eq!(groups.all("GroupName").len(), 10);
    site.wire.clear();
    site.run(&[]).ends_with(3);
    assert_eq!(site.wire.writes(), [], "and it is not tried again and again");
}

#[test]
fn policies_a_role_has_no_room_for_are_held_with_their_number() {
    let site = AwsSite::new();
    let builds = site.account(BUILDS);
    let names: Vec<String> = (0..11)
        .map(|number| {
            builds.policy(&format!("p{number}"), "/", &allow("ec2:*"));
            format!("'arn:aws:iam::{{account}}:policy/p{number}'")
        })
        .collect();
    let policies = site.read("policies/all.yaml");
    site.write(
        "policies/all.yaml",
        &policies.replace("[AmazonEC2FullAccess]", &format!("[{}]", names.join(", "))),
    );
    let run = site.run(&[]).ends_with(3);
    let told = "policies attached to a role of `operator`: at most 10 are allowed";
    assert!(run.text().contains(told), "{}", run.text());
    let attached = builds.iam("ListAttachedRolePolicies", &[("RoleName", "operator")]);
    assert_eq!(attached.all("PolicyArn").len(), 10);
}

#[test]
fn a_misspelt_policy_is_found_before_anything_is_taken_off() {
    let site = AwsSite::applied();
    let policies = site.read("policies/all.yaml");
    site.write(
        "policies/all.yaml",
        &policies.replace("[AdministratorAccess]", "[AdministratorAcess]"),
    );
    let attached = |id: &str| {
        let role = [("RoleName", "administrator")];
        site.account(id).iam("ListAttachedRolePolicies", &role).all("PolicyArn")
    };
    let before = [HUB, BUILDS].map(attached);
    for arguments in [&["--dry-run"][..], &[]] {
        site.wire.clear();
        let run = site.run(arguments).ends_with(11);
        let text = run.text();
        assert!(text.contains("error[unknown-policy]"), "{text}");
        assert!(text.contains("AdministratorAcess, which there is not"), "{text}");
        assert_eq!(run.changes(), [""; 0], "{text}");
        assert_eq!(site.wire.writes(), []);
    }
    assert_eq!([HUB, BUILDS].map(attached), before);
    site.write("policies/all.yaml", &policies);
    assert_eq!(site.run(&[]).ends_with(0).changes(), [""; 0]);
}

#[test]
fn what_has_no_room_beside_what_it_replaces_comes_second_and_is_told() {
    let site = AwsSite::new();
    let builds = site.account(BUILDS);
    let names = |prefix: &str| -> String {
        let names = (0..10).map(|number| {
            builds.policy(&format!("{prefix}{number}"), "/", &allow("ec2:*"));
            format!("'arn:aws:iam::{{account}}:policy/{prefix}{number}'")
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let policies = site.read("policies/all.yaml");
    let with = |names: &str| {
        let text = policies.replace("[AmazonEC2FullAccess]", &format!("[{names}]"));
        site.write("policies/all.yaml", &text);
    };
    with(&names("old"));
    site.run(&[]).ends_with(0);
    let new = names("new");
    with(&new);
    let dry = site.run(&["--dry-run"]).ends_with(0);
    assert!(dry.text().contains("warning[replaced-without-overlap]"), "{}", dry.text());
    assert!(dry.text().contains("no room on role `operator` for 10 more"), "{}", dry.text());
    site.run(&[]).ends_with(0);
    let attached = builds.iam("ListAttachedRolePolicies", &[("RoleName", "operator")]);
    let attached = attached.all("PolicyArn");
    assert_eq!(attached.len(), 10);
    assert!(attached.iter().all(|arn| arn.contains("policy/new")), "{attached:?}");
}
