//! One run per organisation, with real processes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use reconcile::lock::{LockError, Locks};
use reconcile::model::OrganisationName;

use super::children::{holder, process, until};

fn take(state: &Path, organisations: &[&str]) -> Result<Locks, LockError> {
    let organisations: Vec<OrganisationName> =
        organisations.iter().map(|name| (*name).into()).collect();
    Locks::take(state, &organisations, &holder())
}

/// Whether the flock command gets the lock, as any other program would see it.
fn is_free(state: &Path, organisation: &str) -> bool {
    let path = state.join("locks").join(format!("{organisation}.lock"));
    let status = Command::new("flock").arg("--nonblock").arg(path).arg("true").status();
    status.expect("flock is there").success()
}

#[test]
fn the_second_is_told_who_is_first() {
    let state = tempfile::tempdir().unwrap();
    let child = process("holds the lock", state.path(), "");
    until("the child holds the lock", || state.path().join("holding").exists());
    let error = take(state.path(), &["spi"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "another run works on spi: anna@tower, process {}, since 1970-01-01 00:00:00 UTC: \
             reconcile",
            child.id()
        )
    );
    assert!(take(state.path(), &["debian"]).is_ok(), "others are not in the way");
}

#[test]
fn the_lock_of_a_killed_run_is_taken_over() {
    let state = tempfile::tempdir().unwrap();
    let mut child = process("holds the lock", state.path(), "");
    until("the child holds the lock", || state.path().join("holding").exists());
    let dead = child.id();
    child.kill();
    let locks = take(state.path(), &["spi"]).unwrap();
    let previous: Vec<u32> = locks.taken_over().map(|(_, holder)| holder.process).collect();
    assert_eq!(previous, [dead]);
    drop(locks);
    let locks = take(state.path(), &["spi"]).unwrap();
    assert_eq!(locks.taken_over().count(), 0, "a run that ended well did not die");
}

#[test]
fn processes_take_turns() {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join("count"), "0").unwrap();
    let mut children: Vec<_> =
        (0..4).map(|_| process("counts under the lock", state.path(), "")).collect();
    for child in &mut children {
        assert!(child.wait());
    }
    assert_eq!(fs::read_to_string(state.path().join("count")).unwrap(), "100");
}

#[test]
fn several_are_taken_all_or_none() {
    let state = tempfile::tempdir().unwrap();
    let held = take(state.path(), &["c"]).unwrap();
    let error = take(state.path(), &["d", "c", "b", "c"]).unwrap_err();
    assert!(
        matches!(error, LockError::Held { ref organisation, .. } if organisation.as_str() == "c")
    );
    assert!(is_free(state.path(), "b"));
    assert!(!is_free(state.path(), "c"));
    assert!(!state.path().join("locks/d.lock").exists(), "taken in sorted order");
    drop(held);
    let locks = take(state.path(), &["d", "c", "b", "c"]).unwrap();
    assert!(["b", "c", "d"].iter().all(|name| !is_free(state.path(), name)));
    drop(locks);
    assert!(["b", "c", "d"].iter().all(|name| is_free(state.path(), name)));
}

#[test]
fn files_and_folder_are_the_owners_alone() {
    let state = tempfile::tempdir().unwrap();
    let _locks = take(state.path(), &["spi"]).unwrap();
    let mode =
        |path: &str| fs::metadata(state.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("locks"), 0o700);
    assert_eq!(mode("locks/spi.lock"), 0o600);
}

#[test]
fn only_a_regular_file_is_a_lock_file() {
    let state = tempfile::tempdir().unwrap();
    let locks = state.path().join("locks");
    fs::create_dir(&locks).unwrap();
    let precious = state.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    symlink(&precious, locks.join("link.lock")).unwrap();
    symlink("nowhere", locks.join("dangling.lock")).unwrap();
    fs::create_dir(locks.join("folder.lock")).unwrap();
    assert!(Command::new("mkfifo").arg(locks.join("pipe.lock")).status().unwrap().success());
    for name in ["link", "dangling", "folder", "pipe"] {
        let error = take(state.path(), &[name]).unwrap_err();
        assert!(matches!(error, LockError::NotAFile { .. }), "{name}: {error}");
    }
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    assert!(!locks.join("nowhere").exists());
}

#[test]
fn a_lock_file_deleted_by_hand_keeps_nobody_out_and_lets_nobody_share() {
    let state = tempfile::tempdir().unwrap();
    let first = take(state.path(), &["spi"]).unwrap();
    fs::remove_file(state.path().join("locks/spi.lock")).unwrap();
    let second = take(state.path(), &["spi"]).unwrap();
    drop(first);
    assert!(take(state.path(), &["spi"]).is_err(), "the first's end is not the second's");
    drop(second);
}

#[test]
fn what_others_wrote_into_a_lock_file_is_not_believed() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join("locks/spi.lock");
    drop(take(state.path(), &["spi"]).unwrap());
    fs::write(&path, "\u{1b}[2J not json").unwrap();
    let locks = take(state.path(), &["spi"]).unwrap();
    assert_eq!(locks.taken_over().count(), 0);
    fs::write(&path, "garbage").unwrap();
    let error = take(state.path(), &["spi"]).unwrap_err();
    assert_eq!(error.to_string(), "another run works on spi: it has not said who it is");
}
