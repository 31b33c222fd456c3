//! Roles that somebody gave by hand, and what a vendor says of something new.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HolderKind, Missing, VendorId};

/// A role that somebody has who is no group of ours, as the hub shows it for all accounts.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Assigned {
    /// The account's id, whether the inventory names it or not.
    pub account: String,
    /// The role.
    pub role: VendorId,
    /// Whether it is a user or a group.
    pub holder_kind: HolderKind,
    /// Who has it.
    pub holder: VendorId,
}

/// What roles that are not ours give directly to users of ours, as far as it was looked at. Nothing
/// rests on it but what is told, so what could not be read is told with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ForeignAssigned {
    /// Who has which role where.
    pub assigned: Vec<Assigned>,
    /// What failed.
    pub unread: Vec<Missing>,
    /// Roles that were not looked at in every account, and in how many of them: there are too many.
    pub beyond: BTreeMap<VendorId, usize>,
}

/// What is known of something that is to be attached for the first time and is an object of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// The vendor says that it does not know it.
    Unknown,
    /// It cannot be told whether there is such a thing.
    Untold(String),
}
