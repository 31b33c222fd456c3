//! One difference between what is and what should be.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Step;
use crate::model::{ChangeId, ObjectName, Place, Reason, Reference, VendorId};

/// One change, with everything needed to carry it out and to believe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its position in the plan.
    pub id: ChangeId,
    /// Where it happens.
    pub place: Arc<Place>,
    /// What happens, with before and after.
    pub step: Step,
    /// Changes that must have succeeded first. Always smaller ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<ChangeId>,
    /// Why.
    pub reasons: Arc<[Reason]>,
}

/// What a change refers to, by reference and by the name people know it under.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The id, now or later.
    pub id: Reference,
    /// Its name at the vendor.
    pub name: ObjectName,
}

impl Target {
    /// The id, where it is known now.
    pub fn known(&self) -> Option<&VendorId> {
        match &self.id {
            Reference::Known(id) => Some(id),
            Reference::Made { .. } => None,
        }
    }
}
