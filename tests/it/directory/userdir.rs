//! Every trap of the userdir schema, from a real server and from a file.

use jiff::civil::date;
use reconcile::directory::SchemaKind;
use reconcile::model::{
    AccountStatus, DirectoryWarning, GroupName, Login, PersonKind, StableId, Standing, Via,
};

use super::{
    assert_complete, assert_partial, groups, person, read_ldif, read_userdir, without_own_ids,
};
use crate::peers::slapd::{Setup, Slapd, USERDIR};

#[tokio::test]
async fn every_trap_end_to_end() {
    let slapd = Slapd::start(&Setup { ldif: USERDIR, ..Setup::default() });
    let reading = read_userdir(&slapd).await;
    assert_complete(&reading);
    let directory = reading.got();
    let names: Vec<&str> = directory.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["Debian", "Web", "adm", "guest", "ring-a", "ring-b", "ring-c", "web"]);

    assert_eq!(groups(directory, "ada"), ["Debian", "adm", "ring-a", "ring-b", "ring-c"]);
    let ada = person(directory, "ada");
    let index = |name: &str| directory.group(&GroupName::new(name)).expect(name);
    let ways: Vec<Via> = ada.groups.iter().map(|joined| joined.via).collect();
    assert_eq!(
        ways,
        [
            Via::Primary,
            Via::Direct,
            Via::Through(index("adm")),
            Via::Through(index("ring-a")),
            Via::Through(index("ring-b")),
        ]
    );
    assert_eq!(ada.has_key, Some(true));
    assert_eq!(
        ada.display_name.as_ref().map(|name| name.reveal().as_str()),
        Some("Ada King Lovelace")
    );
    assert_eq!(ada.email.as_ref().map(|mail| mail.reveal().as_str()), Some("ada@example.org"));

    assert_eq!(groups(directory, "bert"), ["Debian", "adm", "ring-a", "ring-b", "ring-c"]);
    assert_eq!(person(directory, "bert").has_key, Some(false));
    assert_eq!(groups(directory, "carl"), ["Debian", "web"], "the exact spelling wins");

    let status = |login| person(directory, login).status.clone();
    assert_eq!(status("carl"), AccountStatus::Gone("inactive".into()));
    assert_eq!(status("dora"), AccountStatus::Retiring(date(2026, 2, 28)));
    assert_eq!(status("emma"), AccountStatus::Gone("memorial".into()));
    assert_eq!(status("fritz"), AccountStatus::Unknown("napping".into()));
    let dora = person(directory, "dora");
    assert_eq!(dora.standing(date(2026, 9, 1)), Standing::Present);
    assert!(matches!(dora.standing(date(2026, 9, 2)), Standing::Departed(_)));

    let kind = |login| person(directory, login).kind;
    assert_eq!(kind("ada"), PersonKind::Person);
    assert_eq!(kind("gina"), PersonKind::Guest);
    assert_eq!(kind("hugo"), PersonKind::Guest);
    assert_eq!(kind("mirror"), PersonKind::RoleAccount);
    assert_eq!(person(directory, "gina").expires, Some(date(2024, 10, 4)));
    assert!(person(directory, "ida").locked.is_some());
    assert!(person(directory, "jan").locked.is_none());
}

#[tokio::test]
async fn oddities_are_told() {
    let reading = read_ldif(USERDIR, SchemaKind::Userdir).await;
    assert_complete(&reading);
    let told: Vec<String> = reading
        .got()
        .warnings
        .iter()
        .map(|DirectoryWarning { entry, message }| format!("{entry}: {message}"))
        .collect();
    for expected in [
        "bert: it names group `WEB`, which several groups differ from in case only; does not count",
        "bert: it names group `nobody-knows`, which does not exist",
        "ring-c: it names group `nowhere`, which does not exist",
        "fritz: the `accountStatus` `napping` is not known: nothing new, and nothing privileged",
        "hugo: a guest without `shadowExpire`: nothing ends the visit",
        "ida: its `shadowExpire` cannot be understood: nothing new, and nothing privileged",
    ] {
        assert!(told.iter().any(|one| one == expected), "{expected} is not in {told:#?}");
    }
    assert_eq!(told.len(), 6, "{told:#?}");
}

#[tokio::test]
async fn a_server_and_its_export_give_the_same_directory() {
    let slapd = Slapd::start(&Setup { ldif: USERDIR, ..Setup::default() });
    let (server, file) =
        (read_userdir(&slapd).await, read_ldif(USERDIR, SchemaKind::Userdir).await);
    assert_complete(&server);
    assert_eq!(without_own_ids(server), without_own_ids(file));
}

/// A person entry of the fixture, changed.
fn with(from: &str, to: &str) -> String {
    assert!(USERDIR.contains(from), "{from}");
    USERDIR.replacen(from, to, 1)
}

#[tokio::test]
async fn a_person_who_cannot_be_told_apart_is_unclear_and_the_others_count() {
    for (from, to, (id, login), why) in [
        ("uidNumber: 1003\n", "", (None, Some("carl")), "no readable `uidNumber`"),
        (
            "uidNumber: 1003\n",
            "uidNumber: 1003\nuidNumber: 7\n",
            (None, Some("carl")),
            "several `uidNumber`",
        ),
        ("uid: carl\n", "", (Some("1003"), None), "no readable `uid`"),
        ("uid: carl\n", "uid:: /w==\n", (Some("1003"), None), "`uid` is not text"),
    ] {
        let reading = read_ldif(&with(from, to), SchemaKind::Userdir).await;
        assert_complete(&reading);
        let [one] = &reading.got().unclear[..] else { panic!("{:?}", reading.got().unclear) };
        let known = (one.stable_id.as_ref(), one.login.as_ref());
        assert_eq!(known, (id.map(StableId::new).as_ref(), login.map(Login::new).as_ref()));
        let is_called = one.entry == "carl" || one.entry.ends_with("(its DN: -vv)");
        assert!(is_called && one.why.contains(why), "{one:?}");
        assert!(reading.got().warnings.iter().any(|told| told.message.contains(why)));
        person(reading.got(), "ada");
    }
}

#[tokio::test]
async fn an_entry_without_id_and_name_or_a_group_without_a_name_is_missing() {
    let nobody = with("uidNumber: 1003\n", "").replacen("uid: carl\n", "", 1);
    for (text, words) in [
        (nobody, ["the person ", "(its DN: -vv)", "`uidNumber`"]),
        (with("gid: ring-b\n", ""), ["the group ", "(its DN: -vv)", "`gid`"]),
    ] {
        let reading = read_ldif(&text, SchemaKind::Userdir).await;
        assert_partial(&reading, &words);
        assert!(!reading.got().warnings.is_empty());
        person(reading.got(), "ada");
    }
}

#[tokio::test]
async fn bytes_where_groups_should_be_named_freeze_one_person() {
    let text = with("supplementaryGid: web@host1", "supplementaryGid:: /w==");
    let reading = read_ldif(&text, SchemaKind::Userdir).await;
    assert_complete(&reading);
    let unclear = |login| person(reading.got(), login).unclear.as_deref();
    assert_eq!(unclear("ada"), Some("its `supplementaryGid` is not text"));
    assert_eq!(unclear("bert"), None);
}

#[tokio::test]
async fn of_two_people_with_one_stable_id_neither_is_believed() {
    let reading =
        read_ldif(&with("uidNumber: 1002\n", "uidNumber: 01001\n"), SchemaKind::Userdir).await;
    assert_complete(&reading);
    let unclear: Vec<&str> =
        reading.got().unclear.iter().filter_map(|one| Some(one.login.as_ref()?.as_str())).collect();
    assert_eq!(unclear, ["ada", "bert"]);
    assert!(reading.got().unclear.iter().all(|one| one.why.contains("shared (ada and bert)")));
    let logins: Vec<&str> = reading.got().people.iter().map(|one| one.login.as_str()).collect();
    assert!(!logins.contains(&"ada") && !logins.contains(&"bert") && logins.contains(&"carl"));
}

#[tokio::test]
async fn a_log_in_name_used_twice_is_a_warning() {
    let reading = read_ldif(&with("\nuid: bert\n", "\nuid: ada\n"), SchemaKind::Userdir).await;
    assert_complete(&reading);
    assert!(reading.got().warnings.iter().any(|one| one.entry == "ada"));
}

#[tokio::test]
async fn people_are_sorted_by_stable_id_and_groups_by_name() {
    let reading = read_ldif(USERDIR, SchemaKind::Userdir).await;
    let directory = reading.got();
    assert!(directory.people.is_sorted_by_key(|one| one.stable_id.clone()));
    assert!(directory.groups.is_sorted_by_key(|one| one.name.clone()));
}

#[tokio::test]
async fn groups_of_one_name_or_number_are_told_and_count() {
    let more = "\ndn: gid=adm,ou=second,ou=users,dc=example,dc=org\nobjectClass: debianGroup\n\
                gid: adm\nsubGroup: web\n\ndn: gid=copy,ou=users,dc=example,dc=org\n\
                objectClass: debianGroup\ngid: copy\ngidNumber: 0800\n\n";
    let reading = read_ldif(&format!("{USERDIR}{more}"), SchemaKind::Userdir).await;
    assert_complete(&reading);
    let directory = reading.got();
    let of_ada = groups(directory, "ada");
    assert_eq!(of_ada, ["Debian", "adm", "copy", "ring-a", "ring-b", "ring-c", "web"]);
    let told = |one: &DirectoryWarning| {
        one.entry == "copy" && one.message.contains("number 800 of group Debian")
    };
    assert!(directory.warnings.iter().any(told));
    let adm = directory.group_at(directory.group(&GroupName::new("adm")).expect("adm"));
    let twins = adm.twins.as_ref().expect("two groups are called adm");
    let users = "ou=users,dc=example,dc=org";
    assert_eq!(twins.entries, [format!("gid=adm,ou=second,{users}"), format!("gid=adm,{users}")]);
    let ada = &person(directory, "ada").stable_id;
    assert!(!twins.partly.contains(ada), "whoever names the group is in all of that name");
}

#[tokio::test]
async fn a_broken_export_does_not_fill_the_screen() {
    let nameless = "dn: ou=x\n\n".replace("dn:", "nothing:").repeat(5000);
    let reading = read_ldif(&format!("{USERDIR}\n{nameless}"), SchemaKind::Userdir).await;
    assert_partial(&reading, &["4980 more gaps"]);
    assert_eq!(reading.missing().len(), 21);
}
