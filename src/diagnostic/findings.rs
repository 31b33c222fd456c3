//! Collecting findings.

use super::{Finding, nearest};
use crate::model::Source;

/// Findings of one reading, in any order.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    partly_read: bool,
    suggested: u32,
}

/// How many times a nearest name is looked for. Each look compares with every known name, and a
/// hostile input could make that take for ever.
const MOST_SUGGESTIONS: u32 = 200;

impl Findings {
    /// Starts with what was found while reading files. `partly_read` = some of their content is
    /// unknown, so that a name which is not known may be defined there.
    pub fn new(list: Vec<Finding>, partly_read: bool) -> Self {
        Self { list, partly_read, suggested: 0 }
    }

    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// Adds "unknown role `x`", with the nearest known one.
    pub fn unknown<'a>(
        &mut self,
        what: &str,
        typed: &str,
        known: impl IntoIterator<Item = &'a str>,
        source: &Source,
    ) {
        let finding = Finding::error(
            &format!("unknown-{}", what.replace(' ', "-")),
            format!("unknown {what} `{typed}`"),
        )
        .at(source);
        self.suggested += 1;
        let known: Vec<&str> = known.into_iter().collect();
        let suggestion = (self.suggested <= MOST_SUGGESTIONS)
            .then(|| nearest(typed, known.iter().copied()))
            .flatten();
        let hint = match suggestion {
            Some(name) => format!("did you mean `{name}`?"),
            None if self.partly_read => {
                "it may be defined in a file that could not be read to its end".to_owned()
            }
            None if known.is_empty() => "none is defined".to_owned(),
            None if known.len() <= 12 => format!("known are {}", known.join(", ")),
            None => format!("none of the {} known names is similar", known.len()),
        };
        self.push(finding.hint(hint));
    }

    /// All of them, sorted by place.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.list.sort();
        self.list.dedup();
        self.list
    }
}
