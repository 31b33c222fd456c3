//! Every edit, deletion, reordering and truncation is found.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use reconcile::record::{EndFacts, Head, State};
use tempfile::TempDir;

use super::runs::{assert_sound, events, records, start, whole_run, write_plan};

/// Two whole runs, one that died and was sealed with half a line, one that died and was not.
fn untouched() -> TempDir {
    let state = tempfile::tempdir().unwrap();
    let mut run = start(state.path());
    write_plan(&mut run);
    run.end(EndFacts { exit_code: 0 }).unwrap();
    let mut run = start(state.path());
    run.event(&events(0)[0]).unwrap();
    let file = files(state.path()).into_iter().find(|name| name.starts_with("000002-")).unwrap();
    let text = format!("{{\"sequence\":3,\"previous\":\"{}\",\"ti", run.head().last);
    drop(run);
    let path = state.path().join("records").join(file);
    fs::write(&path, [fs::read(&path).unwrap(), text.into_bytes()].concat()).unwrap();
    whole_run(state.path());
    let mut run = start(state.path());
    run.event(&events(0)[0]).unwrap();
    drop(run);
    let states = [State::Ended, State::Died, State::Ended, State::Died];
    assert_eq!(assert_sound(state.path()), states);
    state
}

/// Names of all files, sorted.
fn files(state: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(state.join("records"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn copy(original: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("records")).unwrap();
    for name in files(original) {
        let name = PathBuf::from("records").join(name);
        fs::copy(original.join(&name), copy.path().join(&name)).unwrap();
    }
    copy
}

#[derive(Clone, Copy, Debug)]
enum Mutation {
    FlipBit,
    DropLine,
    DoubleLine,
    SwapLines,
    Truncate,
    InsertByte,
    DeleteFile,
    AddFile,
    SwapFiles,
}

/// Changes one thing; `None` where there is nothing to change.
fn mutate(
    state: &Path,
    mutation: Mutation,
    file: usize,
    one: usize,
    other: usize,
) -> Option<String> {
    let names = files(state);
    let name = &names[file % names.len()];
    let path = state.join("records").join(name);
    let mut bytes = fs::read(&path).unwrap();
    let mut lines: Vec<Vec<u8>> =
        bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (first, second) = (one % lines.len(), other % lines.len());
    match mutation {
        Mutation::FlipBit => {
            let at = one % bytes.len();
            bytes[at] ^= 1 << (other % 8);
            lines = vec![bytes];
        }
        Mutation::DropLine => drop(lines.remove(first)),
        Mutation::DoubleLine => lines.insert(first, lines[first].clone()),
        Mutation::SwapLines if first == second => return None,
        Mutation::SwapLines => lines.swap(first, second),
        Mutation::Truncate => {
            bytes.truncate(one % bytes.len());
            lines = vec![bytes];
        }
        Mutation::InsertByte => {
            bytes.insert(one % bytes.len(), b"{\n0 "[other % 4]);
            lines = vec![bytes];
        }
        Mutation::DeleteFile => {
            fs::remove_file(&path).unwrap();
            return Some(name.clone());
        }
        Mutation::AddFile => {
            fs::write(state.join("records/000009-0123456789abcdef.jsonl"), bytes).unwrap();
            return Some(name.clone());
        }
        Mutation::SwapFiles => {
            let with = state.join("records").join(&names[other % names.len()]);
            if with == path {
                return None;
            }
            fs::write(&path, fs::read(&with).unwrap()).unwrap();
            fs::write(&with, bytes).unwrap();
            return Some(name.clone());
        }
    }
    fs::write(&path, lines.concat()).unwrap();
    Some(name.clone())
}

fn mutations() -> impl Strategy<Value = Mutation> {
    prop::sample::select(vec![
        Mutation::FlipBit,
        Mutation::DropLine,
        Mutation::DoubleLine,
        Mutation::SwapLines,
        Mutation::Truncate,
        Mutation::InsertByte,
        Mutation::DeleteFile,
        Mutation::AddFile,
        Mutation::SwapFiles,
    ])
}

#[test]
fn any_change_is_found() {
    let original = untouched();
    let config =
        ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(mutation in mutations(), file: usize, one: usize, other: usize)| {
        let state = copy(original.path());
        if let Some(name) = mutate(state.path(), mutation, file, one, other) {
            let found = records(state.path()).verify(None).unwrap();
            prop_assert!(!found.is_sound(), "{mutation:?} of {name} was not found");
        }
    });
}

#[test]
fn damage_is_told_by_file_and_line() {
    let state = untouched();
    let name = files(state.path()).into_iter().find(|name| name.starts_with("000001-")).unwrap();
    let path = state.path().join("records").join(&name);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("admin", "audit", 1)).unwrap();
    let damage = records(state.path()).verify(None).unwrap().damage;
    let told: Vec<String> = damage.iter().map(ToString::to_string).collect();
    assert_eq!(told, [format!("{name}, line 4: was edited: its content does not match its hash")]);
}

#[test]
fn an_index_cut_together_with_its_head_does_not_match_a_head_seen_earlier() {
    let state = tempfile::tempdir().unwrap();
    let first = whole_run(state.path());
    let second = whole_run(state.path());
    assert!(records(state.path()).verify(Some(&first)).unwrap().is_sound());
    assert!(records(state.path()).verify(Some(&second)).unwrap().is_sound());

    // What somebody who knows the format would do to make the second run unseen.
    let folder = state.path().join("records");
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let kept: String = index.split_inclusive('\n').take(2).collect();
    fs::write(folder.join("index.jsonl"), kept).unwrap();
    fs::write(folder.join("head"), format!("{first}\n")).unwrap();
    let run = files(state.path()).into_iter().find(|name| name.starts_with("000002-")).unwrap();
    fs::remove_file(folder.join(run)).unwrap();
    assert!(records(state.path()).verify(None).unwrap().is_sound());
    assert!(records(state.path()).verify(Some(&first)).unwrap().is_sound());
    let found = records(state.path()).verify(Some(&second)).unwrap();
    assert!(found.damage[0].what.contains("has 2 lines, but had 4"), "{}", found.damage[0]);
}

#[test]
fn no_records_at_all_match_no_head() {
    let state = tempfile::tempdir().unwrap();
    assert!(records(state.path()).verify(None).unwrap().is_sound());
    let head: Head = format!("3:{}", "ab".repeat(32)).parse().unwrap();
    assert!(!records(state.path()).verify(Some(&head)).unwrap().is_sound());
}

#[test]
fn what_was_damaged_before_it_was_sealed_stays_reported() {
    let state = untouched();
    let name = files(state.path()).into_iter().find(|name| name.starts_with("000004-")).unwrap();
    let path = state.path().join("records").join(name).with_extension("jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("anna", "otto", 1)).unwrap();
    whole_run(state.path());
    assert!(!records(state.path()).verify(None).unwrap().is_sound());
}
