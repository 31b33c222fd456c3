//! A run that dies is no damage, wherever it dies.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use reconcile::record::State;

use super::children::{process, until};
use super::runs::{assert_sound, events, records, start, whole_run};

/// The only file with that extension.
fn file(state: &Path, extension: &str) -> std::path::PathBuf {
    fs::read_dir(state.join("records"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension().is_some_and(|found| found == extension)
                && path.file_name().is_some_and(|name| name != "index.jsonl")
        })
        .expect("there is one")
}

#[test]
fn kill_dash_nine_at_any_moment_is_no_damage() {
    let state = tempfile::tempdir().unwrap();
    let index = state.path().join("records/index.jsonl");
    for round in 0..12_u64 {
        let lines = || fs::read_to_string(&index).map_or(0, |text| text.lines().count() as u64);
        let before = lines();
        let mut child = process("runs without end", state.path(), "");
        until("the child has made some runs", || lines() > before + 2 + round % 3);
        std::thread::sleep(std::time::Duration::from_micros(173 * round));
        child.kill();
        let states = assert_sound(state.path());
        assert!(!states.contains(&State::Running), "the dead are not taken for alive");
    }
    whole_run(state.path());
    let states = assert_sound(state.path());
    let died = states.iter().filter(|state| **state == State::Died).count();
    assert!(died <= 12 && states.len() > 12, "{died} of {}", states.len());
}

#[test]
fn a_run_that_died_is_sealed_by_the_next_and_then_fixed() {
    let state = tempfile::tempdir().unwrap();
    let mut run = start(state.path());
    for event in &events(0)[..2] {
        run.event(event).unwrap();
    }
    drop(run);
    assert_eq!(assert_sound(state.path()), [State::Died]);
    let died = file(state.path(), "jsonl");
    whole_run(state.path());
    assert_eq!(assert_sound(state.path()), [State::Died, State::Ended]);
    assert!(!died.with_extension("progress").exists());

    let text = fs::read_to_string(&died).unwrap();
    fs::write(&died, text.lines().next().unwrap().to_owned() + "\n").unwrap();
    let damage = records(state.path()).verify(None).unwrap().damage;
    assert!(damage[0].what.contains("has 1 lines, but had 3"), "{}", damage[0]);
}

#[test]
fn half_a_line_at_the_end_of_a_dead_run_is_no_damage() {
    let state = tempfile::tempdir().unwrap();
    let mut run = start(state.path());
    run.event(&events(0)[0]).unwrap();
    let before = fs::read(file(state.path(), "jsonl")).unwrap();
    run.event(&events(0)[1]).unwrap();
    let after = fs::read(file(state.path(), "jsonl")).unwrap();
    drop(run);
    let (path, progress) = (file(state.path(), "jsonl"), file(state.path(), "progress"));
    // The progress of a run that dies while it writes is that of the line before.
    let hash = String::from_utf8_lossy(&before[before.len() - 67..before.len() - 3]).into_owned();
    fs::write(progress, format!("2:{hash}\n")).unwrap();
    for end in [before.len(), before.len() + 1, before.len() + 100, after.len() - 1, after.len()] {
        fs::write(&path, &after[..end]).unwrap();
        assert_eq!(assert_sound(state.path()), [State::Died], "cut at {end}");
    }
    fs::write(&path, &after[..before.len() + 100]).unwrap();
    whole_run(state.path());
    assert_eq!(assert_sound(state.path()), [State::Died, State::Ended]);
    // Sealed, not even the half line may change.
    fs::write(&path, &after[..before.len() + 99]).unwrap();
    assert_eq!(records(state.path()).verify(None).unwrap().damage.len(), 1);
}

#[test]
fn half_a_line_at_the_end_of_the_index_is_taken_back() {
    let state = tempfile::tempdir().unwrap();
    let head = whole_run(state.path());
    let index = state.path().join("records/index.jsonl");
    let torn = format!("{{\"sequence\":3,\"previous\":\"{}\",\"time\":\"2026", head.last);
    fs::OpenOptions::new().append(true).open(&index).unwrap().write_all(torn.as_bytes()).unwrap();
    assert_eq!(assert_sound(state.path()), [State::Ended]);
    whole_run(state.path());
    assert_eq!(assert_sound(state.path()), [State::Ended, State::Ended]);
}

#[test]
fn a_run_that_died_while_it_started_is_no_damage() {
    let state = tempfile::tempdir().unwrap();
    drop(start(state.path()));
    // Dead between its line in the index and the renaming of its file.
    let path = file(state.path(), "jsonl");
    fs::rename(&path, path.with_extension("starting")).unwrap();
    assert_eq!(assert_sound(state.path()), [State::Died]);
    whole_run(state.path());
    assert_eq!(assert_sound(state.path()), [State::Died, State::Ended]);

    // Dead before its line in the index.
    let leftover = state.path().join("records/000003-0123456789abcdef.starting");
    fs::write(&leftover, "{").unwrap();
    assert_sound(state.path());
    whole_run(state.path());
    assert!(!leftover.exists());
}

#[test]
fn a_run_that_died_between_the_index_and_its_head_is_no_damage() {
    let state = tempfile::tempdir().unwrap();
    whole_run(state.path());
    let head = state.path().join("records/head");
    let before = fs::read(&head).unwrap();
    let run = start(state.path());
    fs::write(&head, before).unwrap();
    assert_eq!(assert_sound(state.path()), [State::Ended, State::Running]);
    drop(run);
    whole_run(state.path());
    assert_eq!(assert_sound(state.path()), [State::Ended, State::Died, State::Ended]);
}

#[test]
fn a_full_disk_ends_the_run_and_leaves_a_whole_record() {
    for blocks in [4, 8, 9, 13] {
        let state = tempfile::tempdir().unwrap();
        // Beyond the limit a write is an error, as on a full disk.
        let limit = format!("trap '' XFSZ; ulimit -f {blocks};");
        assert!(process("fills the disk", state.path(), &limit).wait(), "{blocks} blocks");
        assert_eq!(assert_sound(state.path()).len(), 1);
        whole_run(state.path());
        assert_sound(state.path());
    }
}
