//! Which steps are believed only after a second look.

use crate::plan::Step;

/// Whether the object is looked at again after the vendor said that the step is done.
///
/// The rule: everything that takes access away from somebody is verified, since a departed person
/// who can still log in is the one failure nobody would notice. What grants access is noticed when
/// it is missing. Deleting a group or a role takes nothing away that the removal of its members
/// and bindings, each verified, did not take already.
pub fn is_verified(step: &Step) -> bool {
    match step {
        Step::RevokeCredential { .. }
        | Step::SuspendUser { .. }
        | Step::DeleteUser { .. }
        | Step::RemoveMember { .. }
        | Step::UnbindRole { .. }
        | Step::Detach { .. } => true,
        Step::CreateUser { .. }
        | Step::UpdateUser { .. }
        | Step::RestoreUser { .. }
        | Step::CreateGroup { .. }
        | Step::UpdateGroup { .. }
        | Step::DeleteGroup { .. }
        | Step::AddMember { .. }
        | Step::CreateRole { .. }
        | Step::UpdateRole { .. }
        | Step::DeleteRole { .. }
        | Step::BindRole { .. }
        | Step::Attach { .. }
        | Step::Adopt { .. }
        | Step::IssueCredential { .. } => false,
    }
}

/// Whether other changes may refer to an id this step makes known.
pub(super) fn makes_id(step: &Step) -> bool {
    match step {
        Step::CreateUser { .. } | Step::CreateGroup { .. } | Step::CreateRole { .. } => true,
        Step::UpdateUser { .. }
        | Step::RevokeCredential { .. }
        | Step::SuspendUser { .. }
        | Step::RestoreUser { .. }
        | Step::DeleteUser { .. }
        | Step::UpdateGroup { .. }
        | Step::DeleteGroup { .. }
        | Step::AddMember { .. }
        | Step::RemoveMember { .. }
        | Step::UpdateRole { .. }
        | Step::DeleteRole { .. }
        | Step::BindRole { .. }
        | Step::UnbindRole { .. }
        | Step::Attach { .. }
        | Step::Detach { .. }
        | Step::Adopt { .. }
        | Step::IssueCredential { .. } => false,
    }
}
