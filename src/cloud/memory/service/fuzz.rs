//! Target: the file behind an embedded cloud.

use super::journal::{Journal, JournalError};
use super::state::State;
use super::store::Store;
use crate::fuzzing::Target;

const WORDS: &[&str] = &[
    "{\"format\":\"reconcile embedded cloud\",\"version\":1}\n",
    "{\"format\":\"reconcile embedded cloud\",\"version\":2}\n",
    "\"resources\":[",
    "\"life\":{",
    "{\"mutation\":{\"number\":1,\"mutation\":",
    "{\"snapshot\":",
    "\n",
    "null",
    "\"accounts\":{",
    "\"number\":",
    "[]",
    "{}",
    "18446744073709551615",
];

#[test]
fn memory_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cloud.jsonl");
    Target::new("memory_journal").words(WORDS).longest(32 << 10).memory(256 << 10, 256).run(
        |input| {
            std::fs::write(&path, input).expect("it can be written");
            let state = match Store::open(&path) {
                Ok(mut store) => store.read().expect("nothing changed").clone(),
                Err(JournalError::Damaged { line, problem, .. }) => {
                    let lines = input.split(|byte| *byte == b'\n').count() as u64;
                    assert!((1..=lines).contains(&line), "line {line} of {lines}");
                    return problem
                        .chars()
                        .filter(|letter| !letter.is_numeric())
                        .take(24)
                        .collect();
                }
                Err(other) => return format!("{other:?}").chars().take(8).collect(),
            };
            // A torn last line is not there; the rest gives the same state.
            let whole = input.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            std::fs::write(&path, &input[..whole]).expect("it can be written");
            let mut again = State::default();
            Journal::new(&path).catch_up(&mut again).expect("what was read is read again");
            assert_eq!(again, state);
            let text = serde_json::to_string(&state).expect("a state can be written");
            assert_eq!(serde_json::from_str::<State>(&text).expect("and read"), state);
            format!("{} {}", state.number.min(4), state.accounts.len().min(3))
        },
    );
}
