//! What a change means for those affected, and when it happens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::loss;
use super::{Change, Step};
use crate::model::{HolderKind, Subject, VendorId};

/// What a step means for those affected.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Something new; nobody loses anything.
    Addition,
    /// Something becomes different.
    Update,
    /// Somebody loses something. Subject to the limits.
    Removal,
}

/// When a change happens relative to the others in its account: each phase begins when the one
/// before has ended there, whatever its outcome.
///
/// What goes, goes first: credentials before memberships and those before the account itself. So
/// a mover never exceeds a quota of groups, and a name is free before somebody else gets it. Only
/// what something else replaces stays until that is there ([`phases`]).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Credentials of the departed, and keys that were replaced or lost.
    Revoke,
    /// Memberships and role bindings that end.
    Detach,
    /// Users that end.
    Suspend,
    /// What ceases to be.
    Delete,
    /// Users, groups, roles that begin or change.
    Build,
    /// Memberships, role bindings and keys that begin.
    Attach,
    /// What ends once its replacement is there.
    Replaced,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Revoke,
        Self::Detach,
        Self::Suspend,
        Self::Delete,
        Self::Build,
        Self::Attach,
        Self::Replaced,
    ];
}

/// The phase of every change of a plan: that of its step, but [`Phase::Replaced`] for a removal
/// that needs something which begins or changes, directly or through another removal.
pub fn phases(changes: &[Change]) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::with_capacity(changes.len());
    for change in changes {
        let phase = change.step.phase();
        // A need that is not before it is a flaw of the plan, which others tell.
        let waits = |need: &Phase| *need > Phase::Delete;
        let needs = || change.needs.iter().filter_map(|need| phases.get(need.index()));
        let replaced = phase <= Phase::Delete && needs().any(waits);
        phases.push(if replaced { Phase::Replaced } else { phase });
    }
    phases
}

impl Step {
    /// What it means for those affected: a removal if somebody loses something, whatever the verb.
    pub fn effect(&self) -> Effect {
        match self {
            Self::UpdateRole { .. } | Self::Attach { .. } if self.lessened_role().is_some() => {
                Effect::Removal
            }
            Self::CreateUser { .. }
            | Self::RestoreUser { .. }
            | Self::CreateGroup { .. }
            | Self::AddMember { .. }
            | Self::CreateRole { .. }
            | Self::BindRole { .. }
            | Self::Attach { before: None, .. }
            | Self::IssueCredential { .. } => Effect::Addition,
            Self::UpdateUser { .. }
            | Self::UpdateGroup { .. }
            | Self::UpdateRole { .. }
            | Self::Attach { before: Some(_), .. }
            | Self::Adopt { .. } => Effect::Update,
            Self::RevokeCredential { .. }
            | Self::SuspendUser { .. }
            | Self::DeleteUser { .. }
            | Self::DeleteGroup { .. }
            | Self::RemoveMember { .. }
            | Self::DeleteRole { .. }
            | Self::UnbindRole { .. }
            | Self::Detach { .. } => Effect::Removal,
        }
    }

    /// The existing role that means less afterwards, or nothing at all: everybody who holds it
    /// loses something.
    pub fn lessened_role(&self) -> Option<&VendorId> {
        match self {
            Self::UpdateRole { id, subject, before, after } => {
                let loses = match subject {
                    Subject::IdentityProvider(_) => loss::of_provider(before, after),
                    _ => loss::of_role(before, after),
                };
                loses.then_some(id)
            }
            Self::DeleteRole { id, .. } => Some(id),
            Self::Attach { holder_kind: HolderKind::Role, holder, before, attachment, .. }
                if loss::of_attachment(before.as_deref(), attachment) =>
            {
                holder.known()
            }
            Self::Detach { holder_kind: HolderKind::Role, holder, attachment, .. }
                if loss::of_detachment(attachment) =>
            {
                holder.known()
            }
            Self::CreateUser { .. }
            | Self::UpdateUser { .. }
            | Self::RevokeCredential { .. }
            | Self::SuspendUser { .. }
            | Self::RestoreUser { .. }
            | Self::DeleteUser { .. }
            | Self::CreateGroup { .. }
            | Self::UpdateGroup { .. }
            | Self::DeleteGroup { .. }
            | Self::AddMember { .. }
            | Self::RemoveMember { .. }
            | Self::CreateRole { .. }
            | Self::BindRole { .. }
            | Self::UnbindRole { .. }
            | Self::Attach { .. }
            | Self::Detach { .. }
            | Self::Adopt { .. }
            | Self::IssueCredential { .. } => None,
        }
    }

    /// When it happens, unless something replaces what it takes away ([`phases`]).
    pub fn phase(&self) -> Phase {
        match self {
            Self::RevokeCredential { .. } => Phase::Revoke,
            Self::RemoveMember { .. } | Self::UnbindRole { .. } | Self::Detach { .. } => {
                Phase::Detach
            }
            Self::SuspendUser { .. } => Phase::Suspend,
            Self::CreateUser { .. }
            | Self::UpdateUser { .. }
            | Self::RestoreUser { .. }
            | Self::CreateGroup { .. }
            | Self::UpdateGroup { .. }
            | Self::CreateRole { .. }
            | Self::UpdateRole { .. }
            | Self::Adopt { .. } => Phase::Build,
            Self::AddMember { .. }
            | Self::BindRole { .. }
            | Self::Attach { .. }
            | Self::IssueCredential { .. } => Phase::Attach,
            Self::DeleteUser { .. } | Self::DeleteGroup { .. } | Self::DeleteRole { .. } => {
                Phase::Delete
            }
        }
    }

    /// Whether nothing can bring back what it takes away; the object is looked at once more
    /// right before, and the step refused if it is not as it was planned.
    pub fn is_irreversible(&self) -> bool {
        self.phase() == Phase::Delete
    }
}
