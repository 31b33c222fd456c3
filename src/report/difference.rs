//! What `reconcile diff` answers.

use std::io::{self, Write};

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::comment::{Comment, Pressing, entities};
use super::sections::{Section, sections};
use super::summary::{first_of_all, in_all};
use super::table::{BAD, CAUTION, HEADING, style_of, styled};
use super::words::printable;
use crate::rights::{Difference, NotComplete};

/// The version of the JSON form. A change that could break a reader changes the number.
pub const DIFFERENCE_FORMAT: &str = "reconcile-diff/2";

/// The first line of the comment, by which a script finds the one to replace.
pub const DIFFERENCE_MARKER: &str = "<!-- reconcile diff -->";

/// The answer as a document.
#[derive(Serialize, JsonSchema)]
pub struct DifferenceReport<'a> {
    /// Always `reconcile-diff/2`.
    pub format: &'static str,
    /// What it was before.
    pub base: String,
    /// What it is after.
    pub head: String,
    /// The day both are seen on.
    pub today: String,
    /// What could not be read; while there is some, the answer lacks something.
    pub not_complete: &'a [NotComplete],
    /// What else there is to know about the answer.
    pub notes: &'a [String],
    /// The answer.
    pub difference: &'a Difference,
}

/// Writes the answer for scripts.
pub fn difference_json(out: &mut dyn Write, report: &DifferenceReport<'_>) -> io::Result<()> {
    crate::visible::write_json(out, report)
}

/// The JSON Schema of what [`difference_json`] writes.
pub fn difference_schema() -> Schema {
    schema_for!(DifferenceReport<'_>)
}

/// Writes the answer for people: what to look at first, what it comes to, then all lines.
pub fn difference_text(out: &mut dyn Write, report: &DifferenceReport<'_>) -> io::Result<()> {
    let first = first_of_all(report.difference, report.not_complete);
    if !first.is_empty() {
        styled(out, BAD, &format!("Look first: {}", first.join("; ")))?;
    }
    let sides = format!("{} → {}", report.base, report.head);
    writeln!(out, "{HEADING}{}{HEADING:#}", printable(&sides))?;
    writeln!(out, "{}", in_all(report.difference, report.not_complete))?;
    for Section { title, rows, .. } in sections(report.difference) {
        writeln!(out, "\n{HEADING}{}{HEADING:#}", printable(&title))?;
        for (sign, line) in rows.lines() {
            let style = style_of(sign);
            writeln!(out, "  {style}{sign} {line}{style:#}")?;
        }
    }
    if !report.notes.is_empty() {
        writeln!(out)?;
        styled(out, CAUTION, "To know")?;
        for note in report.notes {
            writeln!(out, "  {}", printable(note))?;
        }
    }
    if !report.not_complete.is_empty() {
        writeln!(out)?;
        styled(out, CAUTION, UNKNOWN)?;
        for one in report.not_complete {
            writeln!(out, "  ? {}", printable(&unknown(one)))?;
        }
    }
    Ok(())
}

const UNKNOWN: &str = "Not known here: what is not shown may be there all the same";

/// What is not known of a directory, and why.
fn unknown(one: &NotComplete) -> String {
    let NotComplete { directory, missing, people } = one;
    match people {
        0 => format!("people of directory {directory} are not known here ({missing})"),
        people => {
            format!("only {people} people of directory {directory} are known here ({missing})")
        }
    }
}

/// Writes the answer as a comment on a merge request, with [`DIFFERENCE_MARKER`] as its first
/// line, the sum next, then what must be seen, then the rest, folded and cut at
/// [`LONGEST_COMMENT`](super::LONGEST_COMMENT) from its end.
pub fn difference_markdown(out: &mut dyn Write, report: &DifferenceReport<'_>) -> io::Result<()> {
    let (first, rest): (Vec<Section>, Vec<Section>) =
        sections(report.difference).into_iter().partition(|one| one.must_be_seen.is_some());
    let pressing = first.into_iter().filter_map(|Section { title, rows, must_be_seen }| {
        let signed = |lines: Vec<(char, String)>| {
            lines.into_iter().map(|(sign, line)| format!("{sign} {line}")).collect()
        };
        let shorter = must_be_seen?;
        Some(Pressing {
            title: entities(&printable(&title)),
            forms: [
                signed(rows.lines()),
                signed(shorter.counts.lines()),
                signed(shorter.sum.lines()),
            ],
        })
    });
    let mut summary = first_of_all(report.difference, report.not_complete);
    summary.push(in_all(report.difference, report.not_complete));
    let heading = |too_large: bool| {
        let loud = if too_large { TOO_LARGE } else { "" };
        format!("{DIFFERENCE_MARKER}\n### reconcile: {loud}{}\n\n", summary.join("; "))
    };
    let mut comment = Comment::with(heading, pressing.collect());
    let sides = format!("{} → {}, on {}", report.base, report.head, report.today);
    comment.block("text", None, &mut std::iter::once(format!("= {}", printable(&sides))));
    let mut missing =
        report.not_complete.iter().map(|one| format!("? {}", printable(&unknown(one))));
    comment.block("text", Some(UNKNOWN), &mut missing);
    let mut notes = report.notes.iter().map(|note| format!("* {}", printable(note)));
    comment.block("text", Some("To know"), &mut notes);
    for Section { title, rows, .. } in rest {
        let mut lines = rows.lines().into_iter().map(|(sign, line)| format!("{sign} {line}"));
        comment.block("diff", Some(&entities(&printable(&title))), &mut lines);
    }
    comment.finish(out)
}

/// Begins the heading of a comment that cannot show each dangerous line.
const TOO_LARGE: &str = "THIS CHANGE IS TOO LARGE TO BE REVIEWED HERE: of what must be seen there \
                         are only counts; run `reconcile diff` for all of it; ";
