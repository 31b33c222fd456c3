//! What `reconcile status` answers.

use std::io::{self, Write};

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::table::{BAD, CAUTION, GOOD, HEADING, styled, wrapped};
use super::text::second;
use super::words::printable;
use crate::plan::Incomplete;
use crate::status::{Item, Next, Standing, Status, Urgency};

/// The version of the JSON form. A change that could break a reader changes the number.
pub const STATUS_FORMAT: &str = "reconcile-status/1";

/// The answer as a document.
#[derive(Serialize, JsonSchema)]
pub struct StatusReport<'a> {
    /// Always `reconcile-status/1`.
    pub format: &'static str,
    /// The answer.
    #[serde(flatten)]
    pub status: &'a Status,
}

/// Writes the answer for scripts.
pub fn status_json(out: &mut dyn Write, report: &StatusReport<'_>) -> io::Result<()> {
    crate::visible::write_json(out, report)
}

/// The JSON Schema of what [`status_json`] writes.
pub fn status_schema() -> Schema {
    schema_for!(StatusReport<'_>)
}

/// Writes the answer for people: what could not be read, then the most urgent first.
pub fn status_text(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    unread(out, &status.incomplete)?;
    for alike in status.items.chunk_by(|one, other| one.urgency == other.urgency) {
        section(out, alike, status.today)?;
    }
    closing(out, status)
}

fn unread(out: &mut dyn Write, incomplete: &[Incomplete]) -> io::Result<()> {
    if incomplete.is_empty() {
        return Ok(());
    }
    styled(out, CAUTION, "Not read completely: what is not listed may be there all the same")?;
    for read in incomplete {
        let missing: Vec<String> = read.missing.iter().map(ToString::to_string).collect();
        let text = format!("{}: {}", read.read, missing.join("; "));
        for line in wrapped("  ? ", "      ", &printable(&text)) {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)
}

fn section(out: &mut dyn Write, items: &[Item], today: Date) -> io::Result<()> {
    let (style, title) = match items[0].urgency {
        Urgency::Ends => (BAD, "Ended, or ends soon"),
        Urgency::Failed => (BAD, "Failed"),
        Urgency::Damaged => (BAD, "Whose it is cannot be told (`reconcile adopt` mends that)"),
        Urgency::Waits => (CAUTION, "Waits for a vendor (the next run goes on from there)"),
        Urgency::Leaves => (CAUTION, "On the way out"),
        Urgency::EndsLater => (HEADING, "Ends later"),
    };
    styled(out, style, title)?;
    for of_place in items.chunk_by(|one, other| one.place == other.place) {
        writeln!(out, "  {}", printable(&of_place[0].place.to_string()))?;
        for item in of_place {
            let kind = item.kind.map(|kind| format!("{} ", kind.singular())).unwrap_or_default();
            let next = item.next.map(|next| format!("; {}", in_next_run(next)));
            let standing = in_words(&item.standing, today);
            let text = format!("{kind}{}: {standing}{}", item.object, next.unwrap_or_default());
            for line in wrapped("    ", "      ", &printable(&text)) {
                writeln!(out, "{line}")?;
            }
        }
    }
    writeln!(out)
}

fn in_next_run(next: Next) -> &'static str {
    match next {
        Next::Restored => "the next run brings it back",
        Next::Deleted => "the next run deletes it",
        Next::Held => "a rule holds what would become of it",
    }
}

fn in_words(standing: &Standing, today: Date) -> String {
    match standing {
        Standing::Ends { on, over: true, .. } => format!("ended on {on}"),
        Standing::Ends { on, renews, over: false } => {
            let renewed = if *renews { "; the vendor renews it" } else { "" };
            format!("ends on {on}, {}{renewed}", in_days(today, *on))
        }
        Standing::Failed { why } | Standing::Damaged { why } => why.clone(),
        Standing::Waits { what, since: Some(since) } => {
            format!("{what} since {}", second(*since))
        }
        Standing::Waits { what, since: None } | Standing::Drains { what: Some(what), .. } => {
            what.clone()
        }
        Standing::Drains { since, what: None } => format!("drains since {since}"),
        Standing::Suspended { since, deleted } => {
            let deleted = deleted.map(|day| format!(", to be deleted from {day} on"));
            format!("suspended since {since}{}", deleted.unwrap_or_default())
        }
    }
}

fn in_days(today: Date, day: Date) -> String {
    match today.until(day).map_or(i32::MAX, |span| span.get_days()) {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        days => format!("in {days} days"),
    }
}

/// Whether all is well, and what else a run would tell.
fn closing(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    if status.is_well() {
        styled(out, GOOD, "All is well.")?;
    }
    let texts: Vec<String> = [
        counted(status.changes, "change to be made", "changes to be made"),
        counted(status.errors, "error", "errors"),
        counted(status.warnings, "warning", "warnings"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if texts.is_empty() {
        return Ok(());
    }
    let text = format!("`reconcile --dry-run` shows {}.", texts.join(", "));
    for line in wrapped("", "", &text) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
