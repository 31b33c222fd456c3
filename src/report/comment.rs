//! A comment on a merge request.
//!
//! Everything from outside stands in fenced blocks, in which nothing is markup, one item per line,
//! and no line begins with anything from outside. The exception is an account's name in a summary,
//! whose punctuation is written as entities.

use std::io::{self, Write};

/// Forges refuse longer comments (GitHub at 65,536 characters).
pub const LONGEST_COMMENT: usize = 60_000;

/// Kept free for the line that says how much was left out.
const RESERVE: usize = 300;

/// Room for what must be seen in full; the rest of a comment has what that leaves.
const PRESSING: usize = 50_000;

/// Lines that are never left out: in full, or where that does not fit as counts, or as their sum.
pub(super) struct Pressing {
    pub(super) title: String,
    pub(super) forms: [Vec<String>; 3],
}

/// A comment that is being written.
pub(super) struct Comment {
    text: String,
    left_out: usize,
}

impl Comment {
    /// Begins with a heading that holds nothing from outside.
    pub(super) fn new(heading: String) -> Self {
        Self { text: heading, left_out: 0 }
    }

    /// Begins with a heading that holds nothing from outside and with what must be seen. The
    /// heading is told whether some of that is only counted.
    pub(super) fn with(heading: impl FnOnce(bool) -> String, pressing: Vec<Pressing>) -> Self {
        let size = |lines: &Vec<String>| lines.iter().map(|line| line.len() + 1).sum::<usize>();
        let all: usize = pressing.iter().map(|one| size(&one.forms[0])).sum();
        // Where not everything fits, one part cannot push the others out.
        let share = if all <= PRESSING { PRESSING } else { PRESSING / pressing.len().max(1) };
        let mut text = String::new();
        let mut too_large = false;
        for Pressing { title, forms } in pressing {
            let fits = forms.iter().position(|lines| size(lines) <= share);
            // The last form always fits: it has a line for each kind there is.
            let form = fits.unwrap_or(forms.len() - 1);
            too_large |= form > 0;
            for part in ["**", &title, "**\n\n````diff\n", &forms[form].join("\n"), "\n````\n\n"] {
                text.push_str(part);
            }
        }
        Self { text: heading(too_large) + &text, left_out: 0 }
    }

    /// A fenced block, folded under a title if there is one, with as many lines as fit.
    pub(super) fn block(
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

    /// Writes it, with a word on what did not fit.
    pub(super) fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.text.as_bytes())?;
        match self.left_out {
            0 => Ok(()),
            lines => writeln!(out, "… and {lines} more lines, left out for their length."),
        }
    }
}

/// ASCII punctuation as entities, which are never markup.
pub(super) fn entities(text: &str) -> String {
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
