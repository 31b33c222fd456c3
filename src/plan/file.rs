//! A plan as it is kept for later: with what it was made from, so that a run can refuse it when
//! that has moved.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::{Narrowing, Plan, PlanDigest};

/// The version of the format. A change that could break a reader changes the number.
pub const FORMAT: &str = "reconcile-plan-file/2";

/// A saved plan. Holds private values in full: the file is for its owner only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// Always [`FORMAT`].
    pub format: String,
    /// When it was made, RFC 3339 in UTC.
    #[schemars(with = "String")]
    pub made_at: jiff::Timestamp,
    /// The version of the program that made it.
    pub version: String,
    /// Which part of everything it is about; it is carried out with the same.
    pub narrowing: Narrowing,
    /// SHA-256 of every input, by name: `inventory/organisations.yaml`, `directory debian`.
    pub inputs: BTreeMap<String, String>,
    /// SHA-256 of what each account was observed to be, by `organisation/account`.
    pub observed: BTreeMap<String, String>,
    /// The digest that names the plan.
    pub digest: PlanDigest,
    /// The plan.
    pub plan: Plan,
}

/// Why a file is not a plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Not JSON, or not of the right shape.
    #[error("it is not a saved plan")]
    Shape(#[source] serde_json::Error),
    /// Made by another version of the program.
    #[error("its format is `{found}`, this program reads `{FORMAT}`; make the plan again")]
    Format {
        /// What it says.
        found: String,
    },
    /// Edited or damaged.
    #[error("its plan has the digest {found}, the file says {written}; it was edited or damaged")]
    Digest {
        /// The digest the file states.
        written: PlanDigest,
        /// The digest of the plan in it.
        found: PlanDigest,
    },
    /// The changes are not numbered from the first to the last, or one needs a later one.
    #[error("its change number {at} is out of order")]
    Order {
        /// Which, counted from 1.
        at: usize,
    },
}

impl PlanFile {
    /// A plan with what it was made from.
    pub fn new(
        plan: Plan,
        narrowing: Narrowing,
        made_at: jiff::Timestamp,
        inputs: BTreeMap<String, String>,
        observed: BTreeMap<String, String>,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            made_at,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            narrowing,
            inputs,
            observed,
            digest: plan.digest(),
            plan,
        }
    }

    /// Reads the text of a saved plan and checks that it is whole.
    pub fn parse(text: &[u8]) -> Result<Self, PlanFileError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let head: Head = serde_json::from_slice(text).map_err(PlanFileError::Shape)?;
        if head.format != FORMAT {
            return Err(PlanFileError::Format { found: head.format });
        }
        let file: Self = serde_json::from_slice(text).map_err(PlanFileError::Shape)?;
        let found = file.plan.digest();
        if found != file.digest {
            return Err(PlanFileError::Digest { written: file.digest, found });
        }
        let in_order = |(at, change): (usize, &super::Change)| {
            change.id.index() == at
                && change.needs.iter().all(|need| *need < change.id)
                && change.step.references().all(|reference| match reference {
                    super::Reference::Known(_) => true,
                    super::Reference::Made { by, .. } => change.needs.contains(by),
                })
        };
        match file.plan.changes.iter().enumerate().position(|change| !in_order(change)) {
            Some(at) => Err(PlanFileError::Order { at: at + 1 }),
            None => Ok(file),
        }
    }

    /// What is not as it was when the plan was made: each input and each account by name, and how
    /// it differs; empty when nothing moved.
    pub fn moved(
        &self,
        inputs: &BTreeMap<String, String>,
        observed: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let accounts = differences(&self.observed, observed);
        let accounts = accounts.into_iter().map(|difference| format!("account {difference}"));
        differences(&self.inputs, inputs).into_iter().chain(accounts).collect()
    }

    /// The JSON Schema of the file.
    pub fn schema() -> Schema {
        schema_for!(Self)
    }
}

fn differences(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let gone = then.keys().filter(|name| !now.contains_key(*name));
    let gone = gone.map(|name| format!("{name} is gone"));
    let others = now.iter().filter_map(|(name, digest)| match then.get(name) {
        None => Some(format!("{name} is new")),
        Some(before) if before != digest => Some(format!("{name} has changed")),
        Some(_) => None,
    });
    gone.chain(others).collect()
}
