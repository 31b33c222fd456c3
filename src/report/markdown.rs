//! A reviewed plan as a comment on a merge request.
//!
//! Everything from outside stands in fenced blocks, in which nothing is markup, one item per line,
//! and no line begins with anything from outside. The exception is an account's name in a summary,
//! whose punctuation is written as entities.

use std::io::{self, Write};

use super::counts::Counts;
use super::table::{Widths, by_place};
use super::text::{closing_line, finding_in_words};
use super::words::{line, printable};
use crate::guard::Review;

/// Forges refuse longer comments (GitHub at 65,536 characters).
pub const LONGEST_COMMENT: usize = 60_000;

/// Kept free for the line that says how much was left out.
const RESERVE: usize = 300;

/// Writes a reviewed plan: what it comes to first, the details folded, cut at
/// [`LONGEST_COMMENT`] bytes with a word on how much is missing.
pub fn markdown(out: &mut dyn Write, review: &Review) -> io::Result<()> {
    let approved = &review.approved;
    let plan = approved.plan();
    let heading = format!("### reconcile: {}\n\n", Counts::of(approved));
    let mut comment = Comment { text: heading, left_out: 0 };
    comment.block("text", None, &mut std::iter::once(closing_line(approved)));

    let mut violations = review.violations.iter().map(|violation| {
        let what = if violation.overridden { "let go" } else { "held" };
        let text = format!(
            "! {}: {} ({} {what})",
            violation.organisation,
            violation.message,
            violation.holds.len()
        );
        printable(&text).into_owned()
    });
    comment.block("diff", Some("Guard"), &mut violations);

    let mut unread = plan.incomplete.iter().flat_map(|incomplete| {
        incomplete
            .missing
            .iter()
            .map(|missing| printable(&format!("? {}: {missing}", incomplete.read)).into_owned())
    });
    comment.block("text", Some("Not read completely"), &mut unread);

    for (place, changes) in by_place(approved) {
        let mut counts = Counts::default();
        for change in &changes {
            counts.add(change, approved.held().contains_key(&change.id));
        }
        let widths = Widths::of(&changes);
        let mut lines = changes.iter().map(|change| {
            let line = line(change, approved.held().get(&change.id).map(|why| &**why));
            widths.lay_out(&line, &line.why)
        });
        let title = format!("{}: {counts}", entities(&printable(&place.to_string())));
        comment.block("diff", Some(&title), &mut lines);
    }

    let mut findings = plan.findings.iter().map(|finding| {
        let (head, rest) = finding_in_words(finding);
        format!("* {head} {rest}")
    });
    comment.block("text", Some("Findings"), &mut findings);
    comment.finish(out)
}

struct Comment {
    text: String,
    left_out: usize,
}

impl Comment {
    /// A fenced block, folded under a title if there is one, with as many lines as fit.
    fn block(
        &mut self,
        language: &str,
        title: Option<&str>,
        lines: &mut dyn Iterator<Item = String>,
    ) {
        let mut lines = lines.peekable();
        if lines.peek().is_none() {
            return;
        }
        let (before, after) = match title {
            Some(title) => (format!("<details><summary>{title}</summary>\n\n"), "\n</details>\n\n"),
            None => (String::new(), "\n"),
        };
        let mut room = (LONGEST_COMMENT - RESERVE)
            .saturating_sub(self.text.len() + before.len() + after.len() + 2 * 64);
        let mut block = String::new();
        for line in lines.by_ref() {
            if line.len() + 1 > room {
                self.left_out += 1;
                break;
            }
            room -= line.len() + 1;
            block += &line;
            block.push('\n');
        }
        self.left_out += lines.count();
        if block.is_empty() {
            return;
        }
        // No line begins with a backtick, so none could end the block; tildes would be as good.
        for part in [before.as_str(), "````", language, "\n", &block, "````\n", after] {
            self.text.push_str(part);
        }
    }

    fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.text.as_bytes())?;
        match self.left_out {
            0 => Ok(()),
            lines => writeln!(out, "… and {lines} more lines, left out for their length."),
        }
    }
}

/// ASCII punctuation as entities, which are never markup.
fn entities(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() && !matches!(character, '-' | '/') {
            safe.push_str("&#");
            safe.push_str(&u32::from(character).to_string());
            safe.push(';');
        } else {
            safe.push(character);
        }
    }
    safe
}
