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
