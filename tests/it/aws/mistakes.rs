//! What careless people, and damage, do to an organisation: nobody is lost, and it is told.

use super::site::{AwsSite, BUILDS, HUB, MIRRORS, changes, has};
use crate::peers::moto::allow;

/// The ways of all accounts at once.
fn switch(site: &AwsSite, access: &str) {
    for id in [HUB, MIRRORS, BUILDS] {
        let way = format!("{{vendor: aws, access: {access}, id: \"{id}\"");
        site.edit(&format!("{{vendor: aws, id: \"{id}\""), &way);
    }
}

#[test]
fn users_of_a_way_of_access_that_was_given_up_are_not_forgotten() {
    let site = AwsSite::applied();
    switch(&site, "saml");
    let unknown = site.run(&["check"]).ends_with(2);
    assert!(unknown.text().contains("does not know the log-in service"), "{}", unknown.text());
    let metadata = super::log_in::metadata(&[2035]);
    site.write("inventory/idp.xml", &metadata);
    site.edit("hub: true", "hub: true, settings: {saml_metadata: inventory/idp.xml}");
    let dry = site.run(&["--dry-run"]);
    for user in ["amara", "boris", "chiyo", "diego", "emeka"] {
        let line = format!("suspend user {user}");
        assert!(changes(&dry).iter().any(|change| change.contains(&line)), "{user}: {}", dry.out);
    }
    assert!(!dry.text().contains("not ours"), "{}", dry.text());
    // More than one run may take away: held, and said.
    let run = site.run(&[]).ends_with(3);
    assert!(run.text().contains("5 of 5 users"), "{}", run.text());
    let groups = site.account(HUB).iam("ListGroupsForUser", &[("UserName", "amara")]);
    assert_eq!(groups.all("GroupName"), ["admin"], "nobody lost anything");
    // With their limits raised they go.
    let policies = site.read("policies/all.yaml");
    site.write("policies/all.yaml", &policies.replace("floor: 3}", "floor: 9}"));
    site.converge();
    let dump = site.account(HUB).dump();
    for user in ["amara", "boris", "chiyo", "diego", "emeka"] {
        let text = dump.of(&format!("user /reconcile/spi/{user}"));
        assert!(text.contains("reconcile:suspended") && !text.contains("GroupName"), "{text}");
    }
    assert!(!dump.names().iter().any(|name| name.starts_with("group")), "{:?}", dump.names());
}

#[test]
fn a_hub_that_moves_by_mistake_locks_nobody_out() {
    let site = AwsSite::applied();
    let trust = |id: &str| {
        let role = [("RoleName", "administrator")];
        site.account(id).iam("GetRole", &role).text("AssumeRolePolicyDocument")
    };
    let before = [HUB, MIRRORS, BUILDS].map(trust);
    site.edit("id: \"111111111111\", hub: true", "id: \"111111111111\"");
    site.edit("id: \"333333333333\"", "id: \"333333333333\", hub: true");
    let run = site.run(&[]).ends_with(0);
    assert!(run.text().contains("5 users and 2 groups of ours are left here"), "{}", run.text());
    assert_eq!([HUB, MIRRORS, BUILDS].map(trust), before, "whom the roles trust");
    // Put right, everything is as it was; and what was made at the wrong place is told about, and
    // ends, within the limits.
    site.edit("id: \"333333333333\", hub: true", "id: \"333333333333\"");
    site.edit("id: \"111111111111\"", "id: \"111111111111\", hub: true");
    let run = site.run(&[]).ends_with(3);
    assert!(run.text().contains("spi/debian-builds: 5 users and 2 groups"), "{}", run.text());
    assert!(run.text().contains("16 removals (16 held)"), "{}", run.text());
    let run = site.run(&["--approve", &run.digest()]).ends_with(0);
    assert!(run.text().contains("16 applied"), "{}", run.text());
    assert_eq!([HUB, MIRRORS, BUILDS].map(trust), before, "whom the roles trust");
    let users = site.account(HUB).iam("ListGroupsForUser", &[("UserName", "boris")]);
    assert_eq!(users.all("GroupName"), ["admin"], "in the hub nobody loses anything");
}

#[test]
fn a_policy_that_is_misspelt_takes_the_right_one_off_nowhere() {
    let site = AwsSite::applied();
    let policies = site.read("policies/all.yaml");
    let misspelt = policies.replace("AdministratorAccess", "AdministratorAcess");
    assert_ne!(misspelt, policies);
    site.write("policies/all.yaml", &misspelt);
    let run = site.run(&[]).ends_with(11);
    assert_eq!(run.changes(), [""; 0]);
    assert!(run.text().contains("AdministratorAcess, which there is not"), "{}", run.text());
}

#[test]
fn the_role_to_act_as_is_one_of_the_account_itself() {
    let site = AwsSite::new();
    let elsewhere = "settings: {assume_role: \"arn:aws:iam::999999999999:role/x\", external_id";
    site.edit("settings: {external_id", elsewhere);
    let run = site.run(&[]).ends_with(2);
    assert!(run.text().contains("and no ARN"), "{}", run.text());
    assert!(site.wire.calls().is_empty());
}

#[test]
fn a_role_deleted_by_hand_is_made_again_and_holds_nothing_up() {
    let site = AwsSite::new();
    site.edit("    accounts:\n", "    administrators: {group: admin, minimum: 2}\n    accounts:\n");
    site.run(&[]).ends_with(0);
    let mirrors = site.account(MIRRORS);
    let role = ("RoleName", "administrator");
    let policy = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    mirrors.iam("DetachRolePolicy", &[role, policy]);
    mirrors.iam("DeleteRole", &[role]);
    let run = site.converge();
    assert!(has(&run, "+ create role administrator"), "{}", run.out);
    assert!(!run.text().contains("HELD"), "{}", run.text());
    assert!(!run.text().contains("by hand"), "{}", run.text());
    let document = site
        .account(HUB)
        .iam("GetGroupPolicy", &[("GroupName", "admin"), ("PolicyName", "reconcile-assume-1")])
        .text("PolicyDocument");
    assert!(document.contains("222222222222"), "{document}");
}

#[test]
fn a_damaged_mark_is_told_about_and_can_be_completed() {
    let site = AwsSite::applied();
    let hub = site.account(HUB);
    hub.iam("UntagUser", &[("UserName", "boris"), ("TagKeys.member.1", "reconcile:subject")]);
    hub.iam("UpdateUser", &[("UserName", "chiyo"), ("NewPath", "/other/")]);
    let run = site.run(&["--dry-run"]).ends_with(11);
    assert!(!run.out.contains("remove member"), "a lost tag takes nobody's rights: {}", run.out);
    for user in ["boris", "chiyo"] {
        let told = format!("user `{user}` carries only a part of our mark");
        assert!(run.text().contains(&told), "{}", run.text());
        let other = ["adopt", "spi-hub", "user", user, "--as", "person:debian:1001"];
        site.run(&other).ends_with(2);
        site.run(&["adopt", "spi-hub", "user", user, "--yes"]).ends_with(0);
    }
    let run = site.converge();
    assert!(run.changes().iter().all(|line| !line.contains("remove")), "{}", run.out);
    for user in ["boris", "chiyo"] {
        let groups = hub.iam("ListGroupsForUser", &[("UserName", user)]);
        assert_eq!(groups.all("GroupName"), ["admin"]);
    }
}

#[test]
fn whoever_is_renamed_while_their_mark_is_damaged_gets_no_second_user() {
    let site = AwsSite::applied();
    let hub = site.account(HUB);
    hub.iam("UntagUser", &[("UserName", "boris"), ("TagKeys.member.1", "reconcile:subject")]);
    site.renames("boris", "bruno");
    // Also when the new name is what was remembered last.
    for _run in 0..3 {
        let run = site.run(&[]).ends_with(11);
        assert_eq!(run.changes(), [""; 0], "{}", run.out);
        let told =
            "person:debian:1002 (`bruno`) gets no user: there is `boris`, which carries only";
        assert!(run.text().contains(told), "{}", run.text());
    }
    let groups = hub.iam("ListGroupsForUser", &[("UserName", "boris")]);
    assert_eq!(groups.all("GroupName"), ["admin"]);
    let mend = ["adopt", "spi-hub", "user", "boris", "--as", "person:debian:1002", "--yes"];
    site.run(&mend).ends_with(0);
    let run = site.converge();
    assert_eq!(run.changes().len(), 1, "{}", run.out);
    assert!(has(&run, "~ update user boris"), "{}", run.out);
}

#[test]
fn a_mark_that_was_lost_takes_nobodys_rights() {
    let site = AwsSite::applied();
    let (hub, mirrors) = (site.account(HUB), site.account(MIRRORS));
    let tags =
        [("TagKeys.member.1", "reconcile:subject"), ("TagKeys.member.2", "reconcile:organisation")];
    hub.iam("UntagUser", &[&[("UserName", "boris")], &tags[..]].concat());
    hub.iam("UpdateUser", &[("UserName", "boris"), ("NewPath", "/")]);
    mirrors.iam("UntagRole", &[&[("RoleName", "administrator")], &tags[..]].concat());
    let run = site.run(&[]).ends_with(11);
    assert_eq!(run.changes(), [""; 0], "{}", run.out);
    for told in ["error[foreign-user]", "error[foreign-role]"] {
        assert!(run.text().contains(told), "{}", run.text());
    }
    let document = hub
        .iam("GetGroupPolicy", &[("GroupName", "admin"), ("PolicyName", "reconcile-assume-1")])
        .text("PolicyDocument");
    assert!(document.contains(MIRRORS), "the administrators may still assume it: {document}");
    site.run(&["adopt", "spi-hub", "user", "boris", "--yes"]).ends_with(0);
    site.run(&["adopt", "debian-mirrors", "role", "administrator", "--yes"]).ends_with(0);
    assert_eq!(site.run(&[]).ends_with(0).changes(), [""; 0]);
}

#[test]
fn adoption_shows_what_would_be_taken_off() {
    let site = AwsSite::new();
    let hub = site.account(HUB);
    hub.user("amara", "/", &[]);
    let policy = [("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")];
    hub.iam("AttachUserPolicy", &[("UserName", "amara"), policy[0]]);
    hub.group("admin", "/");
    hub.inline("Group", "admin", "theirs", &allow("s3:*"));
    let shown = site.run(&["adopt", "spi-hub", "user", "amara"]);
    assert!(shown.out.contains("AdministratorAccess"), "{}", shown.out);
    let shown = site.run(&["adopt", "spi-hub", "group", "admin"]);
    assert!(shown.out.contains("theirs"), "{}", shown.out);
}

#[test]
fn what_only_forbids_is_left_where_somebody_put_it_until_the_user_is_deleted() {
    let site = AwsSite::applied();
    let hub = site.account(HUB);
    let quarantine = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2";
    hub.iam("AttachUserPolicy", &[("UserName", "diego"), ("PolicyArn", quarantine)]);
    let revoked = serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "*", "Resource": "*",
         "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-11-01T00:00:00Z"}}}]});
    let builds = site.account(BUILDS);
    builds.inline("Role", "operator", "AWSRevokeOlderSessions", &revoked);
    let run = site.run(&[]).ends_with(0);
    assert_eq!(run.changes(), [""; 0]);
    for what in ["AWSCompromisedKeyQuarantineV2", "AWSRevokeOlderSessions"] {
        assert!(run.text().contains(what), "{}", run.text());
    }
    site.is_active("diego", false);
    let run = site.run(&[]).ends_with(0);
    assert!(run.text().contains("AWSCompromisedKeyQuarantineV2"), "{}", run.text());
    let left = || hub.iam("ListAttachedUserPolicies", &[("UserName", "diego")]).all("PolicyArn");
    assert_eq!(left(), [quarantine]);
    // Whoever comes back is not free of it.
    site.is_active("diego", true);
    let run = site.run(&[]).ends_with(0);
    assert!(has(&run, "+ restore user diego"), "{}", run.out);
    assert!(run.text().contains("only-forbids"), "{}", run.text());
    assert_eq!(left(), [quarantine], "nobody but who put it there takes it off");
    // It goes with the user.
    site.is_active("diego", false);
    site.run(&[]).ends_with(0);
    let day = "2020-01-01";
    let tag = [("Tags.member.1.Key", "reconcile:suspended"), ("Tags.member.1.Value", day)];
    hub.iam("TagUser", &[&[("UserName", "diego")][..], &tag].concat());
    let run = site.converge();
    assert!(has(&run, "- delete user diego"), "{}", run.out);
    assert!(!hub.dump().names().contains(&"user /reconcile/spi/diego"));
}

#[test]
fn what_somebody_switched_off_does_not_come_back_with_the_person() {
    let site = AwsSite::applied();
    let hub = site.account(HUB);
    // IAM has no disabled users: their keys are made inactive and their password is taken.
    let (key, _) = hub.access_key("diego");
    let off = [("UserName", "diego"), ("AccessKeyId", key.as_str()), ("Status", "Inactive")];
    hub.iam("UpdateAccessKey", &off);
    site.is_active("diego", false);
    site.run(&[]).ends_with(0);
    site.is_active("diego", true);
    let run = site.run(&[]).ends_with(0);
    assert!(has(&run, "+ restore user diego"), "{}", run.out);
    let keys = hub.iam("ListAccessKeys", &[("UserName", "diego")]);
    assert_eq!(keys.all("AccessKeyId"), [""; 0]);
    assert!(!hub.dump().of("user /reconcile/spi/diego").contains("LoginProfile"));
}

#[test]
fn a_role_in_an_instance_profile_is_kept_and_told_about() {
    let site = AwsSite::applied();
    let builds = site.account(BUILDS);
    builds.iam("CreateInstanceProfile", &[("InstanceProfileName", "runner")]);
    let both = [("InstanceProfileName", "runner"), ("RoleName", "operator")];
    builds.iam("AddRoleToInstanceProfile", &both);
    site.edit(
        "  - {group: build, role: operator, accounts: [debian-builds], reason: They build}\n",
        "",
    );
    for arguments in [&["--dry-run"][..], &[]] {
        let run = site.run(arguments).ends_with(11);
        assert!(run.text().contains("leaned-on"), "{}", run.text());
        assert!(run.text().contains("instance profile `runner` has it"), "{}", run.text());
        assert!(!has(&run, "- delete role operator"), "it is not even planned: {}", run.out);
    }
    assert!(builds.dump().names().contains(&"role /reconcile/spi/operator"));
    builds.iam("RemoveRoleFromInstanceProfile", &both);
    let run = site.converge();
    assert!(has(&run, "- delete role operator"), "{}", run.out);
}

#[test]
fn adopting_a_service_account_shows_which_keys_would_go() {
    let site = AwsSite::applied();
    let sink = site.path("ci.key").display().to_string();
    site.write("policies/sinks.yaml", "sinks:\n  file: {description: The operator reads it}\n");
    site.operator(&[], &format!("sinks:\n  file: {{file: '{sink}', services: [ci]}}\n"));
    let service = "service_accounts:\n  ci: {owners: admin, role: operator, accounts: [debian-builds], reason: r, key: {sink: file}}\n";
    site.write("inventory/services.yaml", service);
    let hub = site.account(HUB);
    hub.user("ci", "/", &[]);
    let (key, _) = hub.access_key("ci");
    let shown = site.run(&["adopt", "spi-hub", "user", "ci"]);
    assert!(shown.out.contains(&key), "{}", shown.text());
}

#[test]
fn without_credentials_one_line_says_so_and_nothing_is_taken_away() {
    let site = AwsSite::applied();
    let mut command = site.command(&[]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let run = crate::cli::site::ran(&mut command).ends_with(4);
    assert_eq!(run.changes(), [""; 0]);
    assert!(run.text().contains("no credentials: none in the environment"), "{}", run.text());
    assert!(run.text().lines().all(|line| line.len() < 400), "{}", run.text());
}
