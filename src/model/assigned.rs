//! Roles of ours that somebody gave by hand, and what a vendor says of something new.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HolderKind, VendorId};

/// A role of ours that somebody has who is no group of ours, as the hub shows it for all accounts.
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

/// What is known of something that is to be attached for the first time and is an object of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// The vendor says that it does not know it.
    Unknown,
    /// It cannot be told whether there is such a thing.
    Untold(String),
}
