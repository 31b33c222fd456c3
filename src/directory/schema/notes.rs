//! What is odd and what is missing, collected while entries go by.

use crate::model::{DirectoryWarning, Missing};

/// More than this many things missing are only counted: a broken export must not fill the memory
/// or the screen.
const SHOWN: usize = 20;

/// Oddities and gaps.
#[derive(Debug, Default)]
pub(in crate::directory) struct Notes {
    warnings: Vec<DirectoryWarning>,
    missing: Vec<Missing>,
    uncounted: usize,
}

impl Notes {
    /// Something odd that costs nobody anything.
    pub(super) fn warn(&mut self, entry: &str, message: impl Into<String>) {
        self.warnings.push(DirectoryWarning { entry: entry.to_owned(), message: message.into() });
    }

    /// Something that makes the reading partial.
    pub(in crate::directory) fn missing(&mut self, missing: Missing) {
        if self.missing.len() < SHOWN {
            self.missing.push(missing);
        } else {
            self.uncounted += 1;
        }
    }

    /// An entry that had to be left out, although what it stands for exists.
    pub(super) fn left_out(&mut self, what: &str, entry: &str, why: &str) {
        self.warn(entry, format!("{why}; left out"));
        self.missing(Missing::new(format!("{what} {entry}"), why));
    }

    /// Whether something is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Both lists, sorted.
    pub(super) fn into_parts(mut self) -> (Vec<DirectoryWarning>, Vec<Missing>) {
        self.warnings.sort();
        self.warnings.dedup();
        self.missing.sort();
        self.missing.dedup();
        if self.uncounted > 0 {
            self.missing.push(Missing::new("more", format!("{} more gaps", self.uncounted)));
        }
        (self.warnings, self.missing)
    }
}
