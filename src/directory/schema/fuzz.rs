//! Target: entries of every schema, put together to a directory. The first letter of an input
//! chooses the schema, the rest is LDIF.

use std::collections::{BTreeMap, BTreeSet};

use super::Assembly;
use crate::directory::budget::Budget;
use crate::directory::config::{Bounds, DirectoryConfig, Origin, SchemaConfig, SchemaKind};
use crate::directory::entry::Entry;
use crate::directory::ldif::entries_of;
use crate::fuzzing::Target;
use crate::model::{Directory, Reading, Source};

const WORDS: &[&str] = &[
    "\n\ndn: uid=x,ou=users,dc=d\nobjectClass: debianDeveloper\n",
    "supplementaryGid: ",
    "gid: ",
    "subGroup: ",
    "gidNumber: ",
    "uidNumber: ",
    "memberUid: ",
    "member: ",
    "uniqueMember: ",
    "memberOf: ",
    "objectGUID:: ",
    "accountStatus: retiring 2026-01-01\n",
    "accountStatus: inactive\n",
    "accountStatus: memorial\n",
    "shadowExpire: ",
    "keyFingerPrint: ",
    "userPassword: {crypt}*LK*\n",
    "userAccountControl: 514\n",
    "accountExpires: ",
    "objectClass: debianGroup\n",
    "objectClass: posixGroup\n",
    "objectClass: group\n",
    "objectClass: groupOfNames\n",
    "member;range=0-1: ",
    "nsAccountLock: true\n",
    "pwdAccountLockedTime: ",
    "krbPrincipalExpiration: 20260101000000Z\n",
    "\n\n",
    "uid: ",
    "mail: ",
    "cn: ",
];

fn config(letter: u8) -> DirectoryConfig {
    let kind = match letter % 4 {
        0 => SchemaKind::Userdir,
        1 => SchemaKind::Rfc2307,
        2 => SchemaKind::Rfc2307bis,
        _ => SchemaKind::ActiveDirectory,
    };
    DirectoryConfig {
        name: "d".into(),
        origin: Origin::Retired,
        schema: SchemaConfig::new(kind, "dc=d"),
        name_prefix: String::new(),
        reissued: BTreeMap::new(),
        login_map: BTreeMap::new(),
        group_map: BTreeMap::new(),
        bounds: Bounds::default(),
        source: Source::new("inventory/d.yaml", 1, 1),
    }
}

fn assembled(letter: u8, entries: &[Entry]) -> Reading<Directory> {
    let mut assembly = Assembly::new(&config(letter), Budget::new(Bounds::default()));
    let (groups, people) =
        (assembly.schema().groups.filter.clone(), assembly.schema().people.filter.clone());
    for entry in entries.iter().filter(|entry| groups.matches(entry)) {
        assembly.group(entry.clone()).expect("few");
    }
    assembly.groups_done();
    for entry in entries.iter().filter(|entry| people.matches(entry)) {
        assembly.person(entry.clone()).expect("few");
    }
    assembly.finish()
}

#[test]
fn schema() {
    Target::new("schema").words(WORDS).longest(8 << 10).memory(256 << 10, 1 << 10).run(|input| {
        let (letter, ldif) = input.split_first().unwrap_or((&0, &[]));
        let entries = entries_of(ldif);
        let reading = assembled(*letter, &entries);
        let directory = reading.got();
        let groups: BTreeSet<_> = directory.groups.iter().map(|group| &group.name).collect();
        assert_eq!(groups.len(), directory.groups.len(), "each group once");
        for pair in directory.people.windows(2) {
            assert!(pair[0].stable_id < pair[1].stable_id, "each person once, in order");
        }
        let count = u32::try_from(directory.groups.len()).expect("few");
        for person in &directory.people {
            assert!(!person.login.as_str().is_empty() && !person.stable_id.as_str().is_empty());
            for held in &person.groups {
                assert!(held.group.0 < count, "a group there is");
            }
        }
        assert!(!(directory.people.is_empty() && reading.is_complete()), "nobody proves nothing");
        assert!(!(directory.groups.is_empty() && reading.is_complete()), "no groups prove nothing");
        assert_eq!(assembled(*letter, &entries), reading, "the same twice");
        let backwards: Vec<Entry> = entries.iter().rev().cloned().collect();
        let other = assembled(*letter, &backwards);
        assert_eq!(other.is_complete(), reading.is_complete(), "in whatever order they come");
        assert_eq!(other.got().people, directory.people, "in whatever order they come");
        let missing: BTreeSet<_> = reading.missing().iter().map(|one| one.why.clone()).collect();
        (
            directory.people.len().min(4),
            directory.groups.len().min(4),
            missing,
            directory.warnings.len().min(4),
        )
    });
}
