//! Findings: what is wrong or odd, where it is written, and what to do about it.

mod findings;
mod machine;
pub mod text;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use findings::{Findings, MOST, MOST_OF_A_KIND};
pub use machine::{REPORT_VERSION, Report, write_github, write_gitlab, write_json};

use crate::model::{Place, Source};

/// How much a finding matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Must be put right: the run ends with a non-zero exit code.
    Error,
    /// Worth a look.
    Warning,
}

/// One thing wrong or odd, in the inputs or in the world.
///
/// Findings are collected, never returned early: one bad entry does not hide the others.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Where it is written, for findings about inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Where it was seen, for findings about accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How much it matters.
    pub severity: Severity,
    /// A stable word per kind of finding (`unknown-in-directory`), for scripts and for looking it up.
    pub code: String,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What was expected, or what to do, as a sentence without a full stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    /// Something that must be put right.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// Something worth a look.
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    fn new(severity: Severity, code: &str, message: impl Into<String>) -> Self {
        Self {
            source: None,
            place: None,
            severity,
            code: code.to_owned(),
            message: short(message.into()),
            hint: None,
        }
    }

    /// Where it is written.
    #[must_use]
    pub fn at(mut self, source: &Source) -> Self {
        self.source = Some(source.clone());
        self
    }

    /// In which account it was seen.
    #[must_use]
    pub fn in_place(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// What was expected or what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(short(hint.into()));
        self
    }
}

/// Longest message and hint, in bytes: a name may be as long as a file.
const LONGEST_MESSAGE: usize = 2_000;

fn short(mut text: String) -> String {
    if text.len() > LONGEST_MESSAGE {
        text.truncate(text.floor_char_boundary(LONGEST_MESSAGE));
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// How many findings are errors and how many are warnings.
pub fn count(findings: &[Finding]) -> (usize, usize) {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    (errors, findings.len() - errors)
}

/// Longest name for which a similar one is looked for, in bytes.
const LONGEST_NAME: usize = 200;

/// The known name closest to a mistyped one, if any is close enough to be meant.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing takes time and memory as the product of both lengths; names are short.
    if typed.len() > LONGEST_NAME {
        return None;
    }
    let limit = (typed.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|name| name.len() <= LONGEST_NAME)
        .map(|name| {
            (strsim::damerau_levenshtein(&typed.to_lowercase(), &name.to_lowercase()), name)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}
