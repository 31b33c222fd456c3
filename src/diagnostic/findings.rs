//! Collecting findings.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Finding, Severity, nearest};
use crate::model::Source;

/// Findings of one reading, in any order.
///
/// Bounded: of each kind (severity and code) in a file the first [`MOST_OF_A_KIND`] are kept, and
/// [`MOST`] in all. What is over is counted and told, so that nothing is lost silently.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    /// How many there were of a kind, by file.
    kinds: HashMap<(Option<Arc<str>>, Severity, String), usize>,
    partly_read: bool,
    suggested: u32,
}

/// Of each kind in a file so many findings are kept.
pub const MOST_OF_A_KIND: usize = 100;

/// So many findings are kept in all: errors and the first of each kind before others.
pub const MOST: usize = 2_000;

/// While they are collected, so many: the first of each kind that come after them are kept too.
const MOST_COLLECTED: usize = 10 * MOST;

/// How many times a nearest name is looked for. Each look compares with every known name, and a
/// hostile input could make that take for ever.
const MOST_SUGGESTIONS: u32 = 200;

/// The code of the findings that count others.
const MORE: &str = "more-findings";

impl Findings {
    /// Starts with what was found while reading files. `partly_read` = some of their content is
    /// unknown, so that a name which is not known may be defined there.
    pub fn new(list: Vec<Finding>, partly_read: bool) -> Self {
        Self { partly_read, ..list.into_iter().collect() }
    }

    /// Adds one, unless there are enough of its kind: then it is counted.
    pub fn push(&mut self, finding: Finding) {
        let file = finding.source.as_ref().map(|source| Arc::clone(&source.file));
        let key = (file, finding.severity, finding.code.clone());
        let number = self.kinds.entry(key).or_default();
        *number += 1;
        let most = if self.list.len() < MOST_COLLECTED { MOST_OF_A_KIND } else { 1 };
        // What counts others is kept, and never counted itself.
        if *number <= most || finding.code == MORE {
            self.list.push(finding);
        }
    }

    /// Adds those of another collection, also what it only counted.
    pub fn absorb(&mut self, other: Self) {
        let mut kinds = other.kinds;
        for finding in other.list {
            let file = finding.source.as_ref().map(|source| Arc::clone(&source.file));
            if let Some(number) = kinds.get_mut(&(file, finding.severity, finding.code.clone())) {
                *number -= 1;
            }
            self.push(finding);
        }
        for (key, number) in kinds {
            *self.kinds.entry(key).or_default() += number;
        }
    }

    /// Whether an error of this kind would be kept; if not, it is counted, and need not be made.
    pub fn has_room(&mut self, code: &str, source: &Source) -> bool {
        let key = (Some(Arc::clone(&source.file)), Severity::Error, code.to_owned());
        match self.kinds.get_mut(&key) {
            Some(number) if *number >= MOST_OF_A_KIND => {
                *number += 1;
                false
            }
            _ => true,
        }
    }

    /// Adds "unknown role `x`", with the nearest known one.
    pub fn unknown<'a>(
        &mut self,
        what: &str,
        typed: &str,
        known: impl IntoIterator<Item = &'a str>,
        source: &Source,
    ) {
        let code = format!("unknown-{}", what.replace(' ', "-"));
        if !self.has_room(&code, source) {
            return;
        }
        let finding = Finding::error(&code, format!("unknown {what} `{typed}`")).at(source);
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

    /// All that are kept, sorted by place, with the number of those that are not.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        let mut kept: HashMap<(Option<Arc<str>>, Severity, String), usize> = HashMap::new();
        for finding in &self.list {
            let file = finding.source.as_ref().map(|source| Arc::clone(&source.file));
            *kept.entry((file, finding.severity, finding.code.clone())).or_default() += 1;
        }
        for (key, number) in self.kinds {
            let more = number - kept.get(&key).copied().unwrap_or_default();
            let (file, severity, code) = key;
            if more > 0 && code != MORE {
                let source = file.map(|file| Source::new(file, 0, 0));
                self.list.push(not_shown(
                    more,
                    &format!(" of the kind `{code}`"),
                    severity,
                    source,
                ));
            }
        }
        self.list.sort();
        self.list.dedup();
        if self.list.len() <= MOST {
            return self.list;
        }
        // Errors, and of errors and warnings the first of each kind, before the others.
        let mut seen: BTreeMap<(Severity, &str), usize> = BTreeMap::new();
        let mut ranked: Vec<(bool, Severity, usize, &Finding)> = Vec::new();
        for finding in &self.list {
            let number = seen.entry((finding.severity, &finding.code)).or_default();
            *number += 1;
            ranked.push((*number > 1, finding.severity, *number, finding));
        }
        ranked.sort_by_key(|(later, severity, number, _)| (*later, *severity, *number));
        let left_out = ranked.split_off(MOST);
        let severity = left_out.iter().map(|(_, severity, ..)| *severity).min();
        let mut list: Vec<Finding> =
            ranked.into_iter().map(|(.., finding)| finding.clone()).collect();
        list.push(not_shown(left_out.len(), "", severity.unwrap_or(Severity::Warning), None));
        list.sort();
        list
    }
}

fn not_shown(number: usize, kind: &str, severity: Severity, source: Option<Source>) -> Finding {
    let message = format!("{number} more{kind} are not shown");
    let hint = "they are shown once those that are shown are put right";
    let finding = match severity {
        Severity::Error => Finding::error(MORE, message),
        Severity::Warning => Finding::warning(MORE, message),
    };
    Finding { source, ..finding.hint(hint) }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        let mut collected = Self::default();
        collected.extend(findings);
        collected
    }
}
