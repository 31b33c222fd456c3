//! What mirrors are made of, and whose that is: things of any kind, in no vendor's words.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AttributeName, ChangeId, Expiry, ObjectName, Observed, ResourceKind, VendorId};

/// A value: one that is known, or one that will be once another change of the plan has succeeded.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// One text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Texts whose order does not matter.
    Set(BTreeSet<String>),
    /// What a vendor made up for another object: an id, an address.
    Made(Reference),
    /// The same of several objects, in no order.
    AllMade(BTreeSet<Reference>),
}

impl Value {
    /// What it refers to, in the order it is written.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let (one, all) = match self {
            Self::Made(reference) => (Some(reference), None),
            Self::AllMade(references) => (None, Some(references)),
            Self::Text(_) | Self::Number(_) | Self::Flag(_) | Self::Set(_) => (None, None),
        };
        one.into_iter().chain(all.into_iter().flatten())
    }

    /// The same without references: each is the text of what it refers to. What nobody knows is
    /// left out.
    #[must_use]
    pub fn plain(&self, mut known: impl FnMut(&Reference) -> Option<VendorId>) -> Self {
        match self {
            Self::Made(reference) => {
                Self::Text(known(reference).map(|id| id.to_string()).unwrap_or_default())
            }
            Self::AllMade(references) => Self::Set(
                references.iter().filter_map(|one| Some(known(one)?.to_string())).collect(),
            ),
            Self::Text(_) | Self::Number(_) | Self::Flag(_) | Self::Set(_) => self.clone(),
        }
    }

    /// Changes everything it refers to.
    pub fn change_references(&mut self, change: impl Fn(&mut Reference)) {
        match self {
            Self::Made(reference) => change(reference),
            Self::AllMade(references) => {
                let mut changed: Vec<Reference> = std::mem::take(references).into_iter().collect();
                changed.iter_mut().for_each(change);
                *references = changed.into_iter().collect();
            }
            Self::Text(_) | Self::Number(_) | Self::Flag(_) | Self::Set(_) => {}
        }
    }
}

/// Something a vendor makes up, that is known now, or will be known once another change of the plan
/// has succeeded.
///
/// Architecture invariant: `Made { by }` is always among the `needs` of the change that holds it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// The object exists.
    Known(VendorId),
    /// An output of an earlier change of the same plan.
    Made {
        /// Which change.
        by: ChangeId,
        /// Which of its outputs.
        output: Output,
    },
}

/// The outputs a change can have: values a vendor makes up.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The id of the created object.
    Id,
    /// Where it can be reached: the address of a server, the name of a front end.
    Address,
    /// The name of the record by which a certificate's names are proven.
    ProofName,
    /// What that record must say.
    ProofValue,
}

/// The outputs of one object.
pub type Outputs = BTreeMap<Output, VendorId>;

/// What a resource is like, as it should be or as it is.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ResourceSpec {
    /// What kind of thing.
    pub kind: ResourceKind,
    /// Its name at the vendor.
    pub name: ObjectName,
    /// Everything else, in the words of its kind.
    pub settings: BTreeMap<AttributeName, Value>,
}

/// A resource as a vendor shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenResource {
    /// Id, whose it is, what it is like. Its values are all known.
    pub observed: Observed<ResourceSpec>,
    /// What the vendor made up for it.
    pub outputs: Outputs,
    /// How far the vendor has got with it.
    pub state: State,
    /// Of what ends by itself: when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
}

/// How far a vendor has got with an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is as it says.
    Settled,
    /// The vendor is still at it.
    Settling {
        /// What at, as people know it: "being issued".
        what: String,
        /// Since when.
        #[schemars(with = "String")]
        since: Timestamp,
    },
    /// The vendor gave up; it will never be as it should.
    Failed {
        /// Why, in the vendor's words.
        why: String,
    },
    /// Nothing new reaches it since that day, as written on it: it is on its way out.
    Retired {
        /// The day.
        #[schemars(with = "String")]
        since: Date,
    },
}
