//! The difference between what should be and what is, as data.
//!
//! Architecture invariant: a plan holds every choice; the executor makes none. The same inputs
//! give a byte-identical plan.

mod change;
mod diff;
mod effect;
mod expiry;
mod file;
#[cfg(test)]
mod fuzz;
mod lint;
mod loss;
mod narrow;
mod step;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use change::{Change, Target};
pub use diff::{DiffInputs, Observations, credentials_needed, diff, is_in_between};
pub use effect::{Effect, Phase, phases};
pub use expiry::{End, ends};
pub use file::{FORMAT as FILE_FORMAT, PlanFile, PlanFileError};
pub use lint::{Flaw, lint};
pub use loss::allows_as_much;
pub use narrow::{Narrowing, keep, narrow};
pub use step::{Act, Life, Step};

use crate::diagnostic::Finding;
use crate::digest::hex;
use crate::model::{
    InvalidIdentifier, Kind, Missing, ObjectName, OrganisationName, Place, Subject,
};
pub use crate::model::{Output, Outputs, Reference};

/// All changes of a run, in order, with what was left out and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The day it was made for.
    #[schemars(with = "String")]
    pub today: Date,
    /// The changes, in the order of execution.
    pub changes: Vec<Change>,
    /// Removals (and a few creations) that would have been planned, had absence been proven.
    pub withheld: Vec<Withheld>,
    /// What could not be read completely.
    pub incomplete: Vec<Incomplete>,
    /// What cannot go on until a vendor has finished something, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// What is wrong or odd, sorted.
    pub findings: Vec<Finding>,
    /// How many owned objects there are before the run: what limits are a share of.
    pub census: BTreeMap<OrganisationName, BTreeMap<Kind, u64>>,
}

/// Removals left out of a plan because a read was incomplete; and creations of what may be there
/// without having been listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// Where.
    pub place: Place,
    /// Of what kind.
    pub kind: Kind,
    /// How many.
    pub count: u64,
    /// Which read is to blame: "directory debian", "account spi/hub".
    pub because: String,
}

/// Something that cannot go on until a vendor has finished something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// Where.
    pub place: Place,
    /// Of what kind the object is that waits.
    pub kind: Kind,
    /// Its name, as it is or will be.
    pub object: ObjectName,
    /// Whose it is.
    pub subject: Subject,
    /// What it waits for: "certificate debian-certificate-1 is being issued".
    pub what: String,
    /// Since when, where the vendor tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
}

/// Something that was not read completely.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Incomplete {
    /// Which read: "directory debian", "account spi/hub".
    pub read: String,
    /// What is missing of it.
    pub missing: Vec<Missing>,
}

/// The digest that names a plan: SHA-256 over its JSON form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PlanDigest(String);

impl fmt::Display for PlanDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for PlanDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl PlanDigest {
    /// A digest as an administrator types it: all 64 digits, so that it cannot fit another plan.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let text = text.trim().to_ascii_lowercase();
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(text))
        } else {
            let expected = "a plan's digest of 64 hexadecimal digits";
            Err(InvalidIdentifier { text, expected })
        }
    }

    /// The 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Plan {
    /// A plan with nothing to do.
    pub fn empty(today: Date) -> Self {
        Self {
            today,
            changes: Vec::new(),
            withheld: Vec::new(),
            incomplete: Vec::new(),
            waiting: Vec::new(),
            findings: Vec::new(),
            census: BTreeMap::new(),
        }
    }

    /// The changes by which somebody loses something, in the order of the plan.
    pub fn removals(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.step.effect() == Effect::Removal)
    }

    /// The digest that names it: of what would be done and what rests on what, in no wording. What
    /// is told beside it (reasons, findings) may be worded anew, and the plan is still the same.
    pub fn digest(&self) -> PlanDigest {
        struct Hasher(Sha256);
        impl std::io::Write for Hasher {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.update(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut hasher = std::io::BufWriter::with_capacity(64 * 1024, Hasher(Sha256::new()));
        serde_json::to_writer(&mut hasher, &Said(self)).expect("a plan is always valid JSON");
        let hasher = hasher.into_inner().unwrap_or_else(|_| unreachable!("hashing cannot fail"));
        PlanDigest(hex(&hasher.0.finalize()))
    }
}

/// What a plan says, without wording.
struct Said<'a>(&'a Plan);

impl Serialize for Said<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// A change without its reasons.
        #[derive(Serialize)]
        struct Done<'a> {
            place: &'a Place,
            step: &'a Step,
            needs: &'a [crate::model::ChangeId],
            verified: bool,
        }
        struct Changes<'a>(&'a [Change]);
        impl Serialize for Changes<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.iter().map(|change| Done {
                    place: &change.place,
                    step: &change.step,
                    needs: &change.needs,
                    verified: change.verified,
                }))
            }
        }
        // Every field by name, so that a new one is decided upon.
        let Plan { today, changes, withheld, incomplete: _, waiting: _, findings: _, census } =
            self.0;
        let withheld: Vec<_> =
            withheld.iter().map(|one| (&one.place, one.kind, one.count)).collect();
        (today, Changes(changes), withheld, Census(census)).serialize(serializer)
    }
}

/// How many there are, as a list: pairs sort as they are.
struct Census<'a>(&'a BTreeMap<OrganisationName, BTreeMap<Kind, u64>>);

impl Serialize for Census<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}
