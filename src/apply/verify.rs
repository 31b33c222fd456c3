//! Which steps are believed only after a second look.

use crate::model::{Kind, Reason};
use crate::plan::{Act, Change, Step};

/// Whether the object is looked at again after the vendor said that the change is done.
///
/// The rule: everything that takes access away from somebody is verified, since a departed person
/// who can still log in is the one failure nobody would notice. What grants access is noticed when
/// it is missing. Deleting a group or a role takes nothing away that the removal of its members
/// and bindings, each verified, did not take already. Nor is somebody looked for who stays and is
/// no longer in one of their groups: that is everyday work, one call each, and the next run sees
/// what became of it.
pub fn is_verified(change: &Change) -> bool {
    let stays = |reason: &Reason| matches!(reason, Reason::NotMember { .. });
    let everyday = change.step.kind() == Kind::Membership
        && !change.reasons.is_empty()
        && change.reasons.iter().all(stays);
    let ends = matches!(change.step.act(), Act::Retire | Act::Delete | Act::Unlink);
    ends && change.step.kind().facts().verified && !everyday
}

/// Whether other changes may refer to an id this step makes known.
pub(super) fn makes_id(step: &Step) -> bool {
    step.act() == Act::Create
}
