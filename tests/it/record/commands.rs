//! `reconcile record`, as people see it.

use std::fs;
use std::path::Path;

use clap::Parser;
use reconcile::cli::{ExitCode, record};
use reconcile::record::{EndFacts, Error};

use super::runs::{events, start, whole_run, write_plan};

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    args: record::Args,
}

fn run(state: &Path, line: &str) -> (ExitCode, String) {
    let words = ["record"].into_iter().chain(line.split(' '));
    let program = Program::try_parse_from(words).expect("a valid command line");
    let mut out = Vec::new();
    let code = record::run(&program.args, state, reconcile::record::Trust::default(), &mut out)
        .expect("the command runs");
    (code, String::from_utf8(out).expect("text"))
}

/// A run that did one of two changes, then one that died.
fn example() -> tempfile::TempDir {
    let state = tempfile::tempdir().unwrap();
    let mut one = start(state.path());
    write_plan(&mut one);
    for event in events(1) {
        one.event(&event).unwrap();
    }
    one.end(EndFacts { exit_code: 5 }).unwrap();
    let mut two = start(state.path());
    two.event(&events(0)[0]).unwrap();
    state
}

#[test]
fn list_shows_every_run() {
    let state = tempfile::tempdir().unwrap();
    assert_eq!(run(state.path(), "list"), (ExitCode::Success, "no runs yet\n".into()));
    let state = example();
    let (code, text) = run(state.path(), "list");
    assert_eq!(code, ExitCode::Success);
    assert_eq!(
        text,
        "\
RUN  BEGAN                 TOOK  BY          EXIT  RECORD     RESULT            WHAT
1    2026-11-22 00:00:00Z  6 s   anna@tower  5     untouched  1 applied         spi
2    2026-11-22 00:00:00Z  2 s   anna@tower  -     untouched  DIED: no changes  spi
"
    );
}

#[test]
fn show_tells_what_a_run_did() {
    let state = example();
    let (code, text) = run(state.path(), "show 1");
    assert_eq!(code, ExitCode::Success);
    let expected = [
        "  by        anna@tower, process 4711\n",
        "  command   reconcile --org spi\n",
        "  inventory commit c0ffee\n",
        "planned  #2 spi/hub: create group admin: nothing in the inventory asks for service:ci here\n",
        "begins   #2 spi/hub: create group admin\n",
        "call     #2 apply, attempt 1, 12 ms, request r-1: ok\n",
        "applied  #2 spi/hub: create group admin\n",
        "ended: 1 applied; exit code 5\n",
    ];
    for line in expected {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    let (_, text) = run(state.path(), "show last");
    assert!(
        text.ends_with(
            "begins   #1\nthe run died here; what it had begun may or may not have taken effect\n"
        ),
        "{text}"
    );
}

#[test]
fn a_run_is_found_by_its_number_or_the_beginning_of_its_id() {
    let state = example();
    let records = super::runs::records(state.path());
    let one = records.find("1").unwrap();
    let id = one.start.as_ref().unwrap().run.as_str();
    assert_eq!(records.find(id).unwrap(), one);
    assert_eq!(records.find(&id[..12]).unwrap(), one);
    assert_eq!(records.find("last").unwrap().number, 2);
    for wrong in ["", "0", "3", "first", "../index"] {
        assert!(matches!(records.find(wrong), Err(Error::NoSuchRun { .. })), "{wrong}");
    }
}

#[test]
fn show_is_also_json() {
    let state = example();
    let (_, text) = run(state.path(), "show 1 --format json");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["run"]["exit_code"], 5);
    assert_eq!(value["entries"][2]["what"]["change"]["place"]["account"], "hub");
}

#[test]
fn verify_says_what_is_damaged_and_its_exit_code_does() {
    let state = example();
    let (code, text) = run(state.path(), "verify");
    assert_eq!(code, ExitCode::Success);
    assert!(text.contains("2 runs: untouched\nhead 3:"), "{text}");
    let head = whole_run(state.path());
    assert_eq!(run(state.path(), &format!("verify --expect {head}")).0, ExitCode::Success);

    let records = state.path().join("records");
    let file = fs::read_dir(&records)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("000001-"))
        .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"applied\"", "\"skipped\"", 1)).unwrap();
    let (code, text) = run(state.path(), "verify");
    assert_eq!(code, ExitCode::RecordDamaged);
    assert!(text.contains(", line 7: was edited: its content does not match its hash\n"), "{text}");
    assert_eq!(run(state.path(), "list").0, ExitCode::RecordDamaged);
    let (code, text) = run(state.path(), "show 1");
    assert_eq!(code, ExitCode::RecordDamaged);
    assert!(text.contains("DAMAGED"), "{text}");
}
