//! What a run did, for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;

use super::table::{BAD, CAUTION, FAINT, GOOD, HEADING, Widths, by_place, styled};
use super::words::{line, printable};
use crate::apply::{OutcomeCounts, Outcomes, Stopped};
use crate::event::Outcome;
use crate::guard::ApprovedPlan;
use crate::model::Place;
use crate::plan::Change;

/// Several changes skipped or held for the same reason are one line from this number on.
const MANY: usize = 4;

/// Writes what became of every change, per account, and how the run ended.
pub fn outcomes(
    out: &mut dyn Write,
    approved: &ApprovedPlan,
    outcomes: &Outcomes,
) -> io::Result<()> {
    for (place, changes) in by_place(approved) {
        account(out, place, &changes, outcomes)?;
    }
    let (style, text) = closing(outcomes);
    styled(out, style, &text)
}

fn account(
    out: &mut dyn Write,
    place: &Place,
    changes: &[&Change],
    outcomes: &Outcomes,
) -> io::Result<()> {
    let mut counts = OutcomeCounts::default();
    // What did not happen for the same reason, often because of one failure before it.
    let mut alike: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for change in changes {
        let outcome = &outcomes[change.id];
        counts.add(outcome);
        if let Some(reason) = shared_reason(outcome) {
            *alike.entry(reason).or_default() += 1;
        }
    }
    let name = place.to_string();
    let counted = in_words(&counts);
    writeln!(out, "{HEADING}{}{HEADING:#}  {FAINT}{counted}{FAINT:#}", printable(&name))?;
    let widths = Widths::of(changes);
    for change in changes {
        let outcome = &outcomes[change.id];
        let many = shared_reason(outcome).is_some_and(|reason| alike[&reason] >= MANY);
        if !many {
            one(out, change, outcome, widths)?;
        }
    }
    for ((word, why), count) in alike.iter().filter(|(_, count)| **count >= MANY) {
        writeln!(out, "  {CAUTION}{word:12}{CAUTION:#}  {count} changes: {}", printable(why))?;
    }
    writeln!(out)
}

fn shared_reason(outcome: &Outcome) -> Option<(&str, &str)> {
    match outcome {
        Outcome::Held { why } => Some(("held", why)),
        Outcome::Skipped { why } => Some(("skipped", why)),
        Outcome::Applied | Outcome::AlreadyTrue | Outcome::Failed { .. } => None,
    }
}

fn one(out: &mut dyn Write, change: &Change, outcome: &Outcome, widths: Widths) -> io::Result<()> {
    let (word, style, why, hint) = match outcome {
        Outcome::Applied => ("applied", GOOD, "", None),
        Outcome::AlreadyTrue => ("already true", GOOD, "", None),
        Outcome::Held { why } => ("held", CAUTION, why.as_str(), None),
        Outcome::Skipped { why } => ("skipped", CAUTION, why.as_str(), None),
        Outcome::Failed { why, hint } => ("failed", BAD, why.as_str(), hint.as_deref()),
    };
    let text = widths.lay_out(&line(change, None), &printable(why));
    writeln!(out, "  {style}{word:12}{style:#}  {text}")?;
    if let Some(hint) = hint {
        writeln!(out, "  {:12}    {FAINT}hint: {}{FAINT:#}", "", printable(hint))?;
    }
    Ok(())
}

/// How the run ended, honestly and in one line.
fn closing(outcomes: &Outcomes) -> (Style, String) {
    let counts = outcomes.counts();
    let all = in_words(&counts);
    let undone = counts.held + counts.skipped + counts.failed;
    match &outcomes.stopped {
        Some(Stopped::Unrecorded { why }) => {
            let why = printable(why);
            (BAD, format!("Stopped, because what happens could not be recorded ({why}): {all}"))
        }
        Some(Stopped::Interrupted) if undone > 0 => (CAUTION, format!("Interrupted: {all}")),
        _ if counts.failed + counts.skipped > 0 => (BAD, format!("Not everything was done: {all}")),
        _ if counts.held > 0 => (CAUTION, format!("Done, except for what is held: {all}")),
        _ => (GOOD, format!("Done: {all}")),
    }
}

fn in_words(counts: &OutcomeCounts) -> String {
    let OutcomeCounts { applied, already_true, held, skipped, failed } = *counts;
    let words = [
        (applied, "applied"),
        (already_true, "already true"),
        (held, "held"),
        (skipped, "skipped"),
        (failed, "failed"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
}
