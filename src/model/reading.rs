//! What a read proved.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The result of reading a directory or an account: everything, or what could be had together
/// with what could not.
///
/// Architecture invariant: absence may only be concluded from `Complete`. There is no way to turn
/// a `Partial` into a `Complete`, and a failed read is a `Partial` with nothing in it, not an
/// error that a caller might forget.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Reading<T> {
    /// Everything there is was read.
    Complete(T),
    /// Something is missing: what is not in `got` may exist all the same.
    Partial {
        /// What was read before or beside what failed.
        got: T,
        /// What failed, never empty.
        missing: Vec<Missing>,
    },
}

impl<T> Reading<T> {
    /// A read of which one thing failed.
    pub fn partial(got: T, missing: Missing) -> Self {
        Self::Partial { got, missing: vec![missing] }
    }

    /// Whether absence is proven.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete(_))
    }

    /// What was read, complete or not.
    pub fn got(&self) -> &T {
        match self {
            Self::Complete(got) | Self::Partial { got, .. } => got,
        }
    }

    /// What failed; empty exactly when complete.
    pub fn missing(&self) -> &[Missing] {
        match self {
            Self::Complete(_) => &[],
            Self::Partial { missing, .. } => missing,
        }
    }

    /// Changes what was read and keeps what is known about its completeness.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Complete(got) => Reading::Complete(change(got)),
            Self::Partial { got, missing } => Reading::Partial { got: change(got), missing },
        }
    }

    /// The parts, with an empty list for a complete read.
    pub fn into_parts(self) -> (T, Vec<Missing>) {
        match self {
            Self::Complete(got) => (got, Vec::new()),
            Self::Partial { got, missing } => (got, missing),
        }
    }

    /// From the parts: complete exactly when nothing is missing.
    pub fn from_parts(got: T, missing: Vec<Missing>) -> Self {
        if missing.is_empty() { Self::Complete(got) } else { Self::Partial { got, missing } }
    }
}

/// One thing a read did not get.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// What was being read, as a noun phrase: "people below ou=users,dc=debian,dc=org".
    pub what: String,
    /// Why it is not (all) there: "size limit exceeded (4) after 500 entries".
    pub why: String,
}

impl Missing {
    /// One thing a read did not get.
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.what, self.why)
    }
}
