//! What is odd and what is missing, collected while entries go by.

use std::collections::BTreeSet;

use crate::directory::entry::Entry;
use crate::model::{DirectoryWarning, Missing};

/// More than this many things missing are only counted: a broken export must not fill the memory
/// or the screen.
const SHOWN: usize = 20;
/// The same for oddities, of which many are real. Those first in order are kept, so that the order
/// in which a server hands out entries does not matter.
const WARNINGS: usize = 1000;

/// Oddities and gaps.
#[derive(Debug)]
pub(in crate::directory) struct Notes {
    /// The attribute that names the entries that go by.
    naming: &'static str,
    warnings: BTreeSet<DirectoryWarning>,
    more_warnings: usize,
    /// What ended a search before its end: never among those that are only counted.
    failed: Vec<Missing>,
    missing: BTreeSet<Missing>,
    uncounted: usize,
}

impl Notes {
    /// Nothing noted. Entries are called by this attribute.
    pub(super) fn new(naming: &'static str) -> Self {
        Self {
            naming,
            warnings: BTreeSet::new(),
            more_warnings: 0,
            failed: Vec::new(),
            missing: BTreeSet::new(),
            uncounted: 0,
        }
    }

    /// From here on entries are called by this attribute.
    pub(super) fn naming(&mut self, attribute: &'static str) {
        self.naming = attribute;
    }

    /// The attribute by which entries are called now.
    pub(super) fn naming_of(&self) -> &'static str {
        self.naming
    }

    /// Something odd about an entry that costs nobody anything.
    pub(super) fn warn(&mut self, entry: &Entry, message: impl Into<String>) {
        self.warn_of(&entry.known_as(self.naming), message);
    }

    /// The same about what is already known by a name.
    pub(super) fn warn_of(&mut self, name: &str, message: impl Into<String>) {
        let warning = DirectoryWarning { entry: name.to_owned(), message: message.into() };
        self.warnings.insert(warning);
        if self.warnings.len() > WARNINGS {
            self.warnings.pop_last();
            self.more_warnings += 1;
        }
    }

    /// Something that makes the reading partial.
    pub(in crate::directory) fn missing(&mut self, missing: Missing) {
        if self.missing.len() < SHOWN || self.missing.contains(&missing) {
            self.missing.insert(missing);
        } else {
            self.uncounted += 1;
        }
    }

    /// The same for what ended a search, or concerns all of it.
    pub(in crate::directory) fn failed(&mut self, missing: Missing) {
        self.failed.push(missing);
    }

    /// An entry that had to be left out, although what it stands for exists.
    pub(super) fn left_out(&mut self, what: &str, entry: &Entry, why: &str) {
        self.left_out_by_name(what, &entry.known_as(self.naming), why);
    }

    /// The same for what is already known by a name.
    pub(super) fn left_out_by_name(&mut self, what: &str, name: &str, why: &str) {
        self.warn_of(name, format!("{why}; left out"));
        self.missing(Missing::new(format!("{what} {name}"), why));
    }

    /// Whether something is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.failed.is_empty()
    }

    /// Both lists, sorted; what ended a search first.
    pub(super) fn into_parts(mut self) -> (Vec<DirectoryWarning>, Vec<Missing>) {
        self.failed.sort();
        self.failed.dedup();
        let mut missing = self.failed;
        missing.extend(self.missing);
        if self.uncounted > 0 {
            missing.push(Missing::new("more", format!("{} more gaps", self.uncounted)));
        }
        let mut warnings: Vec<_> = self.warnings.into_iter().collect();
        if self.more_warnings > 0 {
            let message = format!("{} more oddities like these", self.more_warnings);
            warnings.push(DirectoryWarning { entry: "and".into(), message });
        }
        (warnings, missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oddities_and_gaps_are_counted_from_a_number_on_but_never_what_ended_a_search() {
        let mut notes = Notes::new("uid");
        for number in (0..WARNINGS + 5).rev() {
            notes.warn_of(&format!("{number:05}"), "odd");
            notes.missing(Missing::new(format!("{number:05}"), "gone"));
        }
        notes.failed(Missing::new("people", "the server is gone"));
        let (warnings, missing) = notes.into_parts();
        assert_eq!(warnings.len(), WARNINGS + 1);
        assert_eq!(warnings[0].entry, "00000", "whatever came first");
        assert!(warnings[WARNINGS].message.starts_with("5 more"));
        assert_eq!(missing.len(), SHOWN + 2);
        assert_eq!(missing[0].what, "people");
    }
}
