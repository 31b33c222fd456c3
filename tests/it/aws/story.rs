//! From nothing to nothing to do, and everything that happens to an organisation afterwards, with
//! a real directory server and a real (if simulated) AWS.

use super::site::{AwsSite, BUILDS, HUB, LATER, MIRRORS, changes, has};
use crate::peers::microburst::Microburst;
use crate::peers::moto::{allow, trust};

#[test]
fn from_nothing_to_nothing_to_do() {
    let site = AwsSite::new();
    let foreign = [HUB, MIRRORS, BUILDS].map(|id| site.account(id).dump());
    let dry = site.run(&["--dry-run"]).ends_with(0);
    assert!(site.wire.writes().is_empty(), "a dry run writes nothing");
    let run = site.converge();
    assert_eq!(dry.changes(), run.changes(), "a dry run is exactly what happens");

    let hub = site.account(HUB).dump();
    for user in ["amara", "boris", "chiyo", "diego", "emeka"] {
        let text = hub.of(&format!("user /reconcile/spi/{user}"));
        assert!(text.contains("/reconcile/spi/"), "{text}");
        assert!(!text.contains("access key") && !text.contains("password"), "{text}");
    }
    for (id, before) in [HUB, MIRRORS, BUILDS].iter().zip(&foreign) {
        let after = site.account(id).dump();
        let known: Vec<String> = before.names().iter().map(|name| (*name).to_owned()).collect();
        before.assert_same(&after.only(|name| known.iter().any(|one| one == name)));
    }
    let mirrors = site.account(MIRRORS).dump();
    let role = mirrors.of("role /reconcile/spi/administrator");
    assert!(role.contains("AdministratorAccess"), "{role}");
    assert!(role.contains(&format!("arn:aws:iam::{HUB}:root")), "only the hub: {role}");
}

#[test]
fn people_come_and_move_and_are_renamed() {
    let site = AwsSite::applied();
    site.joins("farid", 1006, &["build"]);
    let run = site.converge();
    assert_eq!(changes(&run).len(), 2, "{}", run.out);
    assert!(has(&run, "+ create user farid") && has(&run, "+ add member farid"), "{}", run.out);

    site.moves("farid", &["admin"]);
    let run = site.converge();
    assert!(has(&run, "- remove member farid") && has(&run, "+ add member farid"), "{}", run.out);

    let id = |name: &str| {
        let reply = site.account(HUB).iam("GetUser", &[("UserName", name)]);
        reply.text("UserId")
    };
    let before = id("farid");
    site.renames("farid", "farid-new");
    let run = site.converge();
    assert_eq!(changes(&run).len(), 1, "{}", run.out);
    assert!(has(&run, "~ update user farid"), "{}", run.out);
    assert_eq!(id("farid-new"), before, "renamed, not deleted and created");
}

#[test]
fn who_leaves_loses_everything_at_once_and_the_user_after_the_grace() {
    let site = AwsSite::applied();
    let hub = site.account(HUB);
    hub.everything("diego");
    hub.everything("emeka");
    let emeka = hub.dump().of("user /reconcile/spi/emeka").to_owned();
    hub.group("by-hand", "/");
    hub.member("diego", "by-hand");
    site.is_active("diego", false);
    let run = site.run(&[]);
    let run = run.ends_with(0);
    let suspended = hub.dump();
    let text = suspended.of("user /reconcile/spi/diego");
    for gone in [
        "AccessKeyId",
        "LoginProfile",
        "SerialNumber",
        "SSHPublicKeyId",
        "CertificateId",
        "ServiceSpecificCredentialId",
        "PolicyName",
    ] {
        assert!(emeka.contains(gone) || gone == "LoginProfile", "{gone} was never there: {emeka}");
        assert!(!text.contains(gone), "{gone} is still there: {text}\n{}", run.out);
    }
    assert!(!text.contains("build") && !text.contains("by-hand"), "in no group: {text}");
    assert!(text.contains("reconcile:suspended"), "{text}");
    assert!(suspended.of("user /reconcile/spi/emeka").contains("AccessKeyId"), "hers stay");

    // Back within the grace: restored, without anything they had collected.
    site.is_active("diego", true);
    let run = site.run(&[]).ends_with(0);
    assert!(has(&run, "~ restore user diego") || has(&run, "+ restore user diego"), "{}", run.out);
    assert!(has(&run, "+ add member diego"), "{}", run.out);
    assert!(!hub.dump().of("user /reconcile/spi/diego").contains("reconcile:suspended"));

    // Gone for good.
    site.is_active("diego", false);
    site.run(&[]).ends_with(0);
    let later = "2099-01-01";
    let dry = site.run(&["--dry-run", "--today", later]).ends_with(0);
    assert!(has(&dry, "- delete user diego"), "{}", dry.out);
    // The grace is written on the user: what was written long ago is over now.
    let tags = [
        ("UserName", "diego"),
        ("Tags.member.1.Key", "reconcile:suspended"),
        ("Tags.member.1.Value", "2020-01-01"),
    ];
    hub.iam("TagUser", &tags);
    let run = site.converge();
    assert!(has(&run, "- delete user diego"), "{}", run.out);
    assert!(!hub.dump().names().contains(&"user /reconcile/spi/diego"));
    assert!(hub.dump().names().contains(&"group /by-hand"), "the foreign group stays");
}

#[test]
fn accounts_and_grants_come_and_go() {
    let site = AwsSite::applied();
    site.edit(
        "directories:",
        &format!("      later: {{vendor: aws, id: \"{LATER}\"}}\ndirectories:"),
    );
    let run = site.converge();
    assert!(has(&run, "+ create role administrator"), "{}", run.out);
    assert!(site.account(LATER).dump().names().contains(&"role /reconcile/spi/administrator"));

    site.edit(
        "accounts: [debian-builds], reason: They build",
        "accounts: [debian-builds], reason: They build, until: 2026-01-01",
    );
    let run = site.run(&[]);
    assert!(run.out.contains("2026-01-01"), "{}", run.out);
    assert!(
        !site.account(BUILDS).dump().names().contains(&"role /reconcile/spi/operator"),
        "{}",
        run.out
    );
    site.converge();
}

#[test]
fn what_somebody_changed_by_hand_is_put_right() {
    let site = AwsSite::applied();
    let before = [HUB, MIRRORS, BUILDS].map(|id| site.account(id).dump());
    let hub = site.account(HUB);
    hub.inline("User", "amara", "extra", &allow("s3:*"));
    hub.inline("Group", "build", "extra", &allow("s3:*"));
    hub.user("stranger", "/", &[]);
    hub.member("stranger", "build");
    let builds = site.account(BUILDS);
    builds.inline("Role", "operator", "extra", &allow("s3:*"));
    let policy = builds.policy("mine", "/", &allow("s3:*"));
    builds.attach("Role", "operator", &policy);
    let trust = serde_json::to_string(&trust("arn:aws:iam::999999999999:root")).expect("JSON");
    builds.iam("UpdateAssumeRolePolicy", &[("RoleName", "operator"), ("PolicyDocument", &trust)]);
    builds.iam("UpdateRole", &[("RoleName", "operator"), ("MaxSessionDuration", "43200")]);
    let run = site.converge();
    for what in [
        "- detach from amara",
        "- detach from build",
        "- remove member stranger",
        "- detach from operator",
        "- update role operator",
    ] {
        assert!(has(&run, what), "{what} is not in\n{}", run.out);
    }
    hub.iam("DeleteUser", &[("UserName", "stranger")]);
    builds.iam("DeletePolicy", &[("PolicyArn", &policy)]);
    for (id, before) in [HUB, MIRRORS, BUILDS].iter().zip(&before) {
        before.assert_same(&site.account(id).dump());
    }
}

#[test]
fn foreign_look_alikes_survive() {
    let site = AwsSite::new();
    let hub = site.account(HUB);
    // Our path without a tag, our tags without the path, our names, another organisation's mark.
    hub.user("path-only", "/reconcile/spi/", &[]);
    let tags = [("reconcile:organisation", "spi"), ("reconcile:subject", "person:debian:9999")];
    hub.user("tags-only", "/", &tags);
    hub.user("theirs", "/reconcile/other/", &[("reconcile:organisation", "other"), tags[1]]);
    hub.group("looks-like-it", "/reconcile/");
    hub.group("theirs", "/reconcile/other/group:debian:admin/");
    let builds = site.account(BUILDS);
    builds.role("path-only", "/reconcile/spi/", &trust("arn:aws:iam::111111111111:root"), &[]);
    let other = [("reconcile:organisation", "other"), ("reconcile:subject", "role:x")];
    builds.role("theirs", "/reconcile/other/", &trust("arn:aws:iam::111111111111:root"), &other);
    let names = |id: &str| -> Vec<String> {
        site.account(id).dump().names().iter().map(|name| (*name).to_owned()).collect()
    };
    let before: Vec<_> = [HUB, BUILDS].map(|id| (id, names(id), site.account(id).dump())).into();
    site.converge();
    site.edit(
        "role: operator, accounts: [debian-builds]",
        "role: administrator, accounts: [debian-builds]",
    );
    site.run(&[]);
    for (id, names, dump) in before {
        let now = site.account(id).dump().only(|name| names.iter().any(|one| one == name));
        dump.assert_same(&now);
    }
}

#[test]
fn two_organisations_share_accounts_and_do_not_see_each_other() {
    let site = AwsSite::applied();
    let spi = site.read("inventory/all.yaml");
    let before = [HUB, BUILDS].map(|id| site.account(id).dump());
    let unchanged = || {
        for (id, before) in [HUB, BUILDS].iter().zip(&before) {
            let names: Vec<String> = before.names().iter().map(|name| (*name).to_owned()).collect();
            let now = site.account(id).dump().only(|name| names.iter().any(|one| one == name));
            before.assert_same(&now);
        }
    };
    // The same directory, the same accounts, another organisation with an inventory of its own.
    let harbour = spi
        .replace("  spi:", "  harbour:")
        .replace("schema: userdir", "schema: userdir\n    name_prefix: h-")
        .replace(
            "role: administrator, accounts: [\"*\"]",
            "role: viewer, accounts: [debian-builds]",
        )
        .replace("role: operator", "role: viewer");
    site.write("inventory/all.yaml", &harbour);
    // It is another inventory, not this one without its accounts: it knows of none.
    std::fs::remove_file(site.path("state/known.json")).expect("what was known");
    site.write(
        "policies/all.yaml",
        "roles:\n  viewer: {description: Looks, means: {aws: {managed_policies: [ReadOnlyAccess]}}}\nlimits: {default: {access: {floor: 99}, users: {floor: 9}, memberships: {floor: 9}, groups: {floor: 9}, roles: {floor: 9}, bindings: {floor: 9}}}\n",
    );
    site.converge();
    let hub = site.account(HUB).dump();
    assert!(hub.names().contains(&"user /reconcile/harbour/h-diego"), "{:?}", hub.names());
    unchanged();
    // The second goes, the first stays.
    let grants = harbour.find("grants:").expect("grants");
    site.write("inventory/all.yaml", &harbour[..grants]);
    let run = site.run(&[]).ends_with(0);
    assert!(has(&run, "- suspend user h-diego"), "{}", run.out);
    unchanged();
}

#[test]
fn two_organisations_of_one_inventory_share_accounts() {
    let site = AwsSite::new();
    let inventory = site
        .read("inventory/all.yaml")
        .replace(
            "directories:\n",
            "  harbour:\n    accounts:\n      harbour-hub: {vendor: aws, id: \"111111111111\", hub: true}\n      \
             harbour-builds: {vendor: aws, id: \"333333333333\"}\ndirectories:\n",
        )
        .replace("accounts: [\"*\"]", "accounts: [spi-hub, debian-mirrors, debian-builds]");
    let ldap = inventory.split("  debian:\n").nth(1).expect("a directory");
    let (ldap, _) = ldap.split_once("grants:").expect("grants");
    let second = format!("  port:\n{ldap}    name_prefix: h-\ngrants:\n");
    let inventory = inventory.replace("grants:\n", &second).replace("group: ", "group: debian:");
    let grant =
        "  - {group: port:build, role: viewer, accounts: [harbour-builds], reason: They look}\n";
    site.write("inventory/all.yaml", &format!("{inventory}{grant}"));
    let viewer = "\n  viewer: {description: Looks, means: {aws: {managed_policies: [ReadOnlyAccess]}}}\nprivileged_needs_key";
    let policies = site.read("policies/all.yaml").replace("\nprivileged_needs_key", viewer);
    site.write("policies/all.yaml", &policies);
    site.converge();
    let hub = site.account(HUB).dump();
    for user in ["user /reconcile/harbour/h-diego", "user /reconcile/spi/diego"] {
        assert!(hub.names().contains(&user), "{:?}", hub.names());
    }
    // One goes, the other does not notice.
    let spi = |name: &str| !name.contains("harbour");
    let before = [HUB, BUILDS].map(|id| site.account(id).dump().only(spi));
    site.edit(grant, "");
    let run = site.run(&[]).ends_with(0);
    assert!(has(&run, "- suspend user h-diego"), "{}", run.out);
    for (id, before) in [HUB, BUILDS].iter().zip(&before) {
        before.assert_same(&site.account(id).dump().only(spi));
    }
}

#[test]
fn a_service_that_throttles_fails_and_loses_replies_is_lived_with() {
    let mut site = AwsSite::new();
    let burst = Microburst::start(site.wire.address());
    site.endpoint = burst.url();
    let rule = |operation: &str, what: serde_json::Value| {
        let mut rule = serde_json::json!({"service": "iam", "operation": operation, "times": 2});
        rule.as_object_mut().expect("one").extend(what.as_object().expect("one").clone());
        rule
    };
    burst.set_rules(&[
        rule("CreateUser", serde_json::json!({"error": {"code": "Throttling", "status": 400}})),
        rule(
            "CreateGroup",
            serde_json::json!({"error": {"code": "ServiceUnavailable", "status": 503}}),
        ),
        rule("AddUserToGroup", serde_json::json!({"response": {"abort_frac": 0.5}})),
        rule("CreateRole", serde_json::json!({"response": {"abort_frac": 0.5}})),
        rule("PutGroupPolicy", serde_json::json!({"reset": true})),
    ]);
    site.run(&[]).ends_with(0);
    assert!(burst.fired().len() >= 8, "{:?}", burst.fired());
    burst.clear_rules();
    site.wire.clear();
    let second = site.run(&[]).ends_with(0);
    assert_eq!(second.changes(), [""; 0]);
    assert!(site.wire.writes().is_empty());
}
