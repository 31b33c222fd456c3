//! Findings that take a directory.

use std::collections::BTreeMap;

use reconcile::inventory::against_directory::findings;
use reconcile::model::{
    AccountStatus, Directory, DirectoryGroup, DirectoryName, GroupIndex, Joined, Missing, Person,
    PersonKind, Reading, Via,
};

use super::{TODAY, loaded, vendor::vendors};

fn person(id: &str, login: &str, groups: &[u32]) -> Person {
    Person {
        stable_id: id.into(),
        login: login.into(),
        kind: PersonKind::Person,
        status: AccountStatus::Active,
        expires: None,
        password_locked: false,
        has_key: None,
        other_ids: Box::default(),
        display_name: None,
        email: None,
        groups: groups
            .iter()
            .map(|group| Joined { group: GroupIndex(*group), via: Via::Direct })
            .collect(),
    }
}

/// Group 0 is `admins`, 1 `empty`, 2 `readers`.
fn directory(people: Vec<Person>) -> Directory {
    let groups = ["admins", "empty", "readers"];
    Directory {
        name: "people".into(),
        people,
        groups: groups.map(|name| DirectoryGroup { name: name.into() }).into(),
        warnings: Vec::new(),
        hidden: Vec::new(),
        time: None,
    }
}

fn found(more: &str, reading: Reading<Directory>) -> Vec<String> {
    let loaded = loaded(&[("inventory/x.yaml", more)]);
    assert!(!loaded.has_errors(), "{:?}", loaded.findings);
    let directories = BTreeMap::from([(DirectoryName::from("people"), reading)]);
    findings(&loaded.inventory, &directories, &vendors(), TODAY)
        .into_iter()
        .map(|finding| {
            let place = finding.source.map(|source| source.to_string()).unwrap_or_default();
            format!(
                "{place} {} {}; {}",
                finding.code,
                finding.message,
                finding.hint.unwrap_or_default()
            )
        })
        .collect()
}

fn grant(group: &str) -> String {
    format!("grants:\n  - {{group: {group}, role: reader, accounts: [hub], reason: r}}\n")
}

fn two() -> Vec<Person> {
    vec![person("1", "ada", &[0]), person("2", "bela", &[0])]
}

#[test]
fn groups_that_are_gone_or_empty() {
    let complete = || Reading::Complete(directory(two()));
    assert_eq!(found("", complete()), [""; 0]);
    assert_eq!(
        found(&grant("raeders"), complete()),
        [
            "inventory/x.yaml:2 unknown-group directory `people` has no group `raeders`; did you mean `people:readers`?"
        ]
    );
    assert_eq!(
        found(&grant("empty"), complete()),
        [
            "inventory/x.yaml:2 empty-group nobody in `people:empty` has access today; this has no effect until somebody joins"
        ]
    );
}

#[test]
fn a_group_of_people_who_left_is_empty() {
    let mut gone = person("3", "carl", &[2]);
    gone.status = AccountStatus::Inactive;
    let mut role = person("4", "daemon", &[2]);
    role.kind = PersonKind::RoleAccount;
    let people = [two(), vec![gone, role]].concat();
    let found = found(&grant("readers"), Reading::Complete(directory(people)));
    assert!(found.len() == 1 && found[0].contains("empty-group"), "{found:?}");
}

#[test]
fn a_directory_that_was_not_read_completely_proves_nothing() {
    let partial =
        Reading::partial(Directory::empty("people".into()), Missing::new("people", "size limit"));
    assert_eq!(found(&grant("raeders"), partial), [""; 0]);
}

#[test]
fn names_that_collide_or_that_a_vendor_forbids() {
    let people = [
        two(),
        vec![
            person("3", "ADA", &[0]),
            person("4", "zoë", &[0]),
            person("5", "Bela", &[2]),
            person("6", "bot", &[0]),
        ],
    ]
    .concat();
    let service =
        "service_accounts:\n  bot: {owners: admins, role: reader, accounts: [mirror], reason: r}\n";
    let found = found(service, Reading::Complete(directory(people)));
    assert_eq!(
        found,
        [
            "inventory/base.yaml:2 forbidden-name memory does not accept the user name `zoë` of zoë of directory people: it has 'ë', allowed are letters, digits and +=,.@_-; they get nothing there until the name is changed in the directory",
            "inventory/base.yaml:2 name-collision ADA of directory people would have the same user name at memory as ada of directory people; give a directory a `name_prefix`, or change one of the names",
            "inventory/base.yaml:2 name-collision bot of directory people would have the same user name at memory as service account bot; give a directory a `name_prefix`, or change one of the names",
        ],
        "Bela is in no granted group and gets no user"
    );
}

#[test]
fn required_administrators_nobody_knows() {
    let more = "\
organisations:
  o:
    administrators: {group: admins, required: [ada, bella, carl]}
    accounts:
      main: {vendor: memory, id: 000000000055}
grants:
  - {group: admins, role: admin, accounts: [main], reason: r}
";
    let mut carl = person("3", "carl", &[0]);
    carl.password_locked = true;
    let people = [two(), vec![carl]].concat();
    assert_eq!(
        found(more, Reading::Complete(directory(people))),
        [
            "inventory/x.yaml:3 required-administrator required administrator `bella` is not in the directory; did you mean `bela`?",
            "inventory/x.yaml:3 required-administrator required administrator `carl` is locked (password is locked); name somebody else, or correct the directory",
        ]
    );
}
