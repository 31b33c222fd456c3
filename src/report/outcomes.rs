//! What a run did, for people.
//!
//! The plan has been shown before, line by line, with what is held. So only what did not go as
//! planned is worth a line of its own; mail from cron stays short.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;

use super::table::{BAD, CAUTION, FAINT, GOOD, HEADING, Widths, by_place, styled};
use super::text::run_again;
use super::words::{line, printable};
use crate::apply::{OutcomeCounts, Outcomes, Stopped};
use crate::event::Outcome;
use crate::guard::ApprovedPlan;
use crate::model::Place;
use crate::plan::Change;

/// Several changes skipped or held for the same reason are one line from this number on.
const MANY: usize = 4;

/// Writes what failed or was skipped, per account, and how the run ended, with the numbers of all
/// outcomes.
pub fn outcomes(
    out: &mut dyn Write,
    approved: &ApprovedPlan,
    outcomes: &Outcomes,
) -> io::Result<()> {
    for (place, changes) in by_place(approved) {
        account(out, place, &changes, outcomes)?;
    }
    let (style, text) = closing(outcomes);
    styled(out, style, &text)?;
    match run_again(outcomes.counts().begun + approved.plan().waiting.len()) {
        Some(text) => writeln!(out, "{text}"),
        None => Ok(()),
    }
}

fn account(
    out: &mut dyn Write,
    place: &Place,
    changes: &[&Change],
    outcomes: &Outcomes,
) -> io::Result<()> {
    let mut counts = OutcomeCounts::default();
    let mut unplanned = Vec::new();
    // What did not happen for the same reason, often because of one failure before it.
    let mut alike: BTreeMap<&str, usize> = BTreeMap::new();
    for &change in changes {
        let outcome = &outcomes[change.id];
        counts.add(outcome);
        match outcome {
            Outcome::Applied
            | Outcome::AlreadyTrue
            | Outcome::Begun { .. }
            | Outcome::Held { .. } => {}
            Outcome::Failed { why, hint } => {
                unplanned.push((change, "failed", BAD, why, hint.as_deref()));
            }
            Outcome::Skipped { why } => {
                *alike.entry(why).or_default() += 1;
                unplanned.push((change, "skipped", CAUTION, why, None));
            }
        }
    }
    if unplanned.is_empty() {
        return Ok(());
    }
    let name = place.to_string();
    let counted = in_words(&counts);
    writeln!(out, "{HEADING}{}{HEADING:#}  {FAINT}{counted}{FAINT:#}", printable(&name))?;
    // What the record could not take is told here, change by change: it is told nowhere else.
    let recorded = !matches!(outcomes.stopped, Some(Stopped::Unrecorded { .. }));
    let is_many = |why: &str| recorded && alike.get(why).is_some_and(|count| *count >= MANY);
    unplanned.retain(|(_, word, _, why, _)| *word == "failed" || !is_many(why));
    let widths = Widths::of(&unplanned.iter().map(|(change, ..)| *change).collect::<Vec<_>>());
    for (change, word, style, why, hint) in unplanned {
        let text = widths.lay_out(&line(change, None), &printable(why));
        writeln!(out, "  {style}{word:7}{style:#}  {text}")?;
        if let Some(hint) = hint {
            writeln!(out, "  {:7}    {FAINT}hint: {}{FAINT:#}", "", printable(hint))?;
        }
    }
    for (why, count) in alike.iter().filter(|(why, _)| is_many(why)) {
        writeln!(out, "  {CAUTION}skipped{CAUTION:#}  {count} changes: {}", printable(why))?;
    }
    writeln!(out)
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
    let OutcomeCounts { applied, already_true, begun, held, skipped, failed } = *counts;
    let words = [
        (applied, "applied"),
        (already_true, "already true"),
        (begun, "begun"),
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
