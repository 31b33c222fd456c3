//! One difference between what is and what should be.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Act, Step};
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
    /// Whether the object is looked at again after the vendor said that the change is done.
    ///
    /// The rule: everything that takes access away from somebody is verified, since a departed
    /// person who can still log in is the one failure nobody would notice. What grants access is
    /// noticed when it is missing. Deleting a group or a role takes nothing away that the removal of
    /// its members and bindings, each verified, did not take already. Nor is somebody looked for who
    /// stays and is no longer in one of their groups: that is everyday work, one call each, and the
    /// next run sees what became of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// Why.
    pub reasons: Arc<[Reason]>,
}

impl Change {
    /// A change that is looked at again where that is usual for its kind ([`Change::verified`]).
    pub fn new(
        id: ChangeId,
        place: Arc<Place>,
        step: Step,
        needs: Vec<ChangeId>,
        reasons: Arc<[Reason]>,
    ) -> Self {
        let ends = matches!(step.act(), Act::Retire | Act::Delete | Act::Unlink);
        let verified = ends && step.kind().facts().verified;
        Self { id, place, step, needs, verified, reasons }
    }

    /// The same with the values of all its references known, in the order of
    /// [`Step::references`]. What a part of a mirror holds is a plain value from then on.
    pub fn resolved(&self, references: &[VendorId]) -> Cow<'_, Self> {
        let Step::Part { life, replaced } = &self.step else { return Cow::Borrowed(self) };
        if life.wanted().is_none() || references.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut life = life.clone();
        let mut known = references.iter();
        for value in life.wanted_mut().into_iter().flat_map(|spec| spec.settings.values_mut()) {
            *value = value.plain(|_| known.next().cloned());
        }
        let step = Step::Part { life, replaced: *replaced };
        Cow::Owned(Self { step, ..self.clone() })
    }
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
