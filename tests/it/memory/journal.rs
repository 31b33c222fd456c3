//! The state file: what survives what.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;
use reconcile::cloud::memory::service::life::{Life, NewLife};
use reconcile::cloud::memory::service::resource::Resource;
use reconcile::cloud::memory::service::state::{Group, Mutation, State, Tags, User};
use reconcile::cloud::memory::{JournalError, MemoryVendor, MemoryWorld};
use reconcile::model::ResourceKind;

use super::fixture::HUB;

fn world(path: &Path) -> MemoryWorld {
    MemoryVendor::open(path).unwrap().world()
}

/// What a mutation is made of; small numbers, so that mutations meet.
type Dice = (u8, u8, u8);

fn mutation((kind, one, other): Dice) -> Mutation {
    let account = format!("{:012}", other % 2);
    let user = format!("u-{one}");
    let group = format!("g-{other}");
    let tags = Tags::from([("note\n\"".to_owned(), "ä\\\u{0}".to_owned())]);
    match kind % 10 {
        0 | 1 => Mutation::PutUser {
            account,
            user: User {
                id: user,
                name: format!("name{other}"),
                display_name: Some("Łucja \n".to_owned()),
                email: None,
                enabled: other % 2 == 0,
                tags,
                revision: u64::from(other),
            },
        },
        2 => Mutation::PutGroup {
            account,
            group: Group { id: group, name: format!("name{one}"), tags, revision: 1 },
        },
        3 => Mutation::RemoveUser { account, id: user },
        4 => Mutation::AddMember { account, user, group },
        5 => Mutation::RemoveMember { account, user, group },
        6 => Mutation::PutResource {
            account,
            resource: Box::new(Resource {
                id: user,
                kind: ResourceKind::Certificate,
                name: format!("name{other}"),
                settings: [("domains".to_owned(), ["a.example", "ä\n"].into())].into(),
                tags,
                revision: u64::from(other),
                made: Timestamp::UNIX_EPOCH,
                changed: Timestamp::UNIX_EPOCH,
                life: (other % 2 == 0).then(|| Life::begin(Timestamp::UNIX_EPOCH)),
            }),
            lives: vec![NewLife {
                account: format!("{:012}", 1),
                id: group,
                life: Life::begin(Timestamp::UNIX_EPOCH),
            }],
        },
        7 => Mutation::RemoveResource { account, id: user, lives: Vec::new() },
        8 => Mutation::PutCredential { account, user, id: group, kind: "access-key".to_owned() },
        _ => Mutation::SetOwnPrincipal { account, id: Some(user) },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// A process killed at any byte leaves a prefix of its writes, and the next one goes on.
    #[test]
    fn a_file_cut_anywhere_is_a_prefix(
        dice in prop::collection::vec((0..10_u8, 0..4_u8, 0..4_u8), 1..5),
        last in (0..10_u8, 0..4_u8, 0..4_u8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("whole");
        let writer = world(&path);
        let mut prefixes = vec![State::default()];
        let mut ends = vec![0];
        for dice in dice {
            writer.mutate(|_| mutation(dice)).unwrap();
            prefixes.push(writer.dump().unwrap());
            ends.push(fs::metadata(&path).unwrap().len());
        }
        let whole = fs::read(&path).unwrap();
        let torn = folder.path().join("torn");
        for length in 0..=whole.len() {
            fs::write(&torn, &whole[..length]).unwrap();
            let kept = ends.iter().rposition(|end| *end <= length as u64).unwrap();
            let again = world(&torn);
            prop_assert_eq!(&again.dump().unwrap(), &prefixes[kept]);
            if length % 7 == 0 || length == whole.len() {
                again.mutate(|_| mutation(last)).unwrap();
                let mut expected = prefixes[kept].clone();
                expected.apply(&mutation(last));
                prop_assert_eq!(&again.dump().unwrap(), &expected);
                prop_assert_eq!(&world(&torn).dump().unwrap(), &expected);
            }
        }
    }
}

fn ten_users(path: &Path) -> MemoryWorld {
    let world = world(path);
    for number in 0..10 {
        world.add_user(HUB, &format!("user{number}"), None).unwrap();
    }
    world
}

fn refused(path: &Path) -> JournalError {
    match MemoryVendor::open(path) {
        Ok(_) => panic!("a damaged file was opened"),
        Err(error) => error,
    }
}

#[test]
fn a_damaged_line_is_an_error_naming_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    ten_users(&path);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 11);
    let half = &lines[4][..lines[4].len() / 2];
    let nul = "\0".repeat(lines[4].len());
    for (what, fifth) in
        [("cut", half), ("gone", ""), ("zeroed", &nul), ("repeated", lines[3]), ("moved", lines[5])]
    {
        let mut lines = lines.clone();
        lines[4] = fifth;
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let error = refused(&path);
        let text = error.to_string();
        assert!(matches!(error, JournalError::Damaged { line: 5, .. }), "{what}: {text}");
        assert!(text.contains("memory.jsonl:5"), "{what}: {text}");
    }
    let mut missing = lines.clone();
    missing.remove(4);
    fs::write(&path, missing.join("\n") + "\n").unwrap();
    assert!(matches!(refused(&path), JournalError::Damaged { line: 5, .. }));
}

#[test]
fn a_file_that_is_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    for text in ["hello", "hello\n", "{}\n", "\n", "{\"format\":\"other\",\"version\":1}\n"] {
        fs::write(&path, text).unwrap();
        assert!(matches!(refused(&path), JournalError::Damaged { line: 1, .. }), "{text:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(refused(&path), JournalError::Read { .. }));
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    ten_users(&path);
    let text = fs::read_to_string(&path).unwrap().replacen("\"version\":2", "\"version\":3", 1);
    fs::write(&path, text).unwrap();
    assert!(matches!(refused(&path), JournalError::Version { found: 3, .. }));
}

#[test]
fn a_file_of_the_first_version_is_read_and_becomes_a_new_one_with_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    ten_users(&path);
    let old = fs::read_to_string(&path).unwrap().replacen("\"version\":2", "\"version\":1", 1);
    fs::write(&path, &old).unwrap();
    let (writer, reader) = (world(&path), world(&path));
    let before = writer.dump().unwrap();
    assert_eq!(before.account(HUB).users.len(), 10);
    assert_eq!(fs::read_to_string(&path).unwrap(), old, "reading changes nothing");
    let settings = [("domain".to_owned(), "example.org".into())].into();
    writer.add_resource(HUB, ResourceKind::Zone, "zone", settings, None).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"format\":\"reconcile embedded cloud\",\"version\":2}\n"));
    assert_eq!(text.lines().count(), 3, "a snapshot, and what was written");
    let after = world(&path).dump().unwrap();
    assert_eq!(after.account(HUB).users, before.account(HUB).users);
    assert_eq!(after.account(HUB).resources.len(), 1);
    assert_eq!(reader.dump().unwrap(), after);
    // One that was torn before its first line was whole is as good as none.
    fs::write(&path, &old[..30]).unwrap();
    assert_eq!(world(&path).dump().unwrap(), State::default());
}

#[test]
fn nobody_else_may_read_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    ten_users(&path);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn reading_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/memory.jsonl");
    assert_eq!(world(&path).dump().unwrap(), State::default());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn several_writers_see_each_other_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let path = path.clone();
            std::thread::spawn(move || {
                let own = world(&path);
                for number in 0..100 {
                    own.add_user(HUB, &format!("user{thread}-{number}"), None).unwrap();
                    if number % 10 == 0 {
                        own.dump().unwrap();
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let state = world(&path).dump().unwrap();
    assert_eq!(state.account(HUB).users.len(), 400, "ids and names are all different");
    assert_eq!(state.number, 400);
}

#[test]
fn compaction_shrinks_the_file_and_other_handles_follow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    // What a process that was killed while compacting leaves.
    fs::write(folder.path().join("memory.jsonl.new"), "half a snap").unwrap();
    let (writer, reader) = (ten_users(&path), world(&path));
    let id = writer.add_user(HUB, "busy", None).unwrap();
    let mut largest = 0;
    let mut shrank = 0;
    for round in 0..4000_u32 {
        writer.edit_user(HUB, &id, |user| user.email = Some(format!("{round}@x"))).unwrap();
        let length = fs::metadata(&path).unwrap().len();
        shrank += u32::from(length < largest);
        largest = if length < largest { length } else { largest.max(length) };
        if round % 500 == 0 {
            assert_eq!(reader.dump().unwrap(), writer.dump().unwrap());
        }
    }
    assert!(shrank >= 2, "compacted {shrank} times");
    assert!(fs::metadata(&path).unwrap().len() < 300 * 1024);
    let state = writer.dump().unwrap();
    assert_eq!(state.number, 4011);
    assert_eq!(reader.dump().unwrap(), state);
    assert_eq!(world(&path).dump().unwrap(), state);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "not even after compaction");
    // The reader becomes a writer, on the newest state.
    reader.add_user(HUB, "late", None).unwrap();
    assert_eq!(writer.dump().unwrap().number, 4012);
}

#[test]
fn a_write_that_the_disk_refuses_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.jsonl");
    let world = ten_users(&path);
    let before = world.dump().unwrap();
    let bytes = fs::read(&path).unwrap();
    // A folder in the place of the file: opening it for writing fails for every user.
    let aside = folder.path().join("aside");
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    world.add_user(HUB, "eleventh", None).unwrap_err();
    fs::remove_dir(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(world.dump().unwrap(), before);
}
