//! What a change means for those affected, and when it happens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::loss;
use super::{Act, Change, Life, Step};
use crate::model::{HolderKind, Kind, Subject, VendorId};

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

/// When a change happens relative to the others in the lane of its account's people: each phase
/// begins when the one before has ended there, whatever its outcome. Parts of mirrors have lanes of
/// their own, are ordered by needs alone and wait for no phase, nor keep one waiting.
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
/// that needs something which begins or changes, directly or through another removal. `None` for
/// what is ordered by its needs alone.
pub fn phases(changes: &[Change]) -> Vec<Option<Phase>> {
    let mut phases: Vec<Option<Phase>> = Vec::with_capacity(changes.len());
    for change in changes {
        let phase = change.step.phase();
        // A need that is not before it is a flaw of the plan, which others tell.
        let waits = |need: &Option<Phase>| need.is_some_and(|need| need > Phase::Delete);
        let needs = || change.needs.iter().filter_map(|need| phases.get(need.index()));
        let replaced = change.step.clears() && needs().any(waits);
        phases.push(if replaced { Some(Phase::Replaced) } else { phase });
    }
    phases
}

impl Step {
    /// What it means for those affected: a removal if somebody loses something, whatever the verb.
    pub fn effect(&self) -> Effect {
        if self.loses() {
            return Effect::Removal;
        }
        match self.act() {
            Act::Create | Act::Restore | Act::Link | Act::Issue => Effect::Addition,
            Act::Update | Act::Adopt | Act::Retire | Act::Delete | Act::Unlink => Effect::Update,
        }
    }

    /// Whether somebody loses something by it.
    fn loses(&self) -> bool {
        match self {
            Self::Part { life, replaced } => !replaced && loss::of_part(life),
            _ => match self.act() {
                Act::Retire | Act::Delete | Act::Unlink => true,
                Act::Update | Act::Link => self.lessened_role().is_some(),
                Act::Create | Act::Restore | Act::Adopt | Act::Issue => false,
            },
        }
    }

    /// The existing role that means less afterwards, or nothing at all: everybody who holds it
    /// loses something.
    pub fn lessened_role(&self) -> Option<&VendorId> {
        match self {
            Self::Role(Life::Update { id, subject, before, after }) => {
                let loses = match subject {
                    Subject::IdentityProvider(_) => loss::of_provider(before, after),
                    _ => loss::of_role(before, after),
                };
                loses.then_some(id)
            }
            Self::Role(Life::Delete { id, .. }) => Some(id),
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
            _ => None,
        }
    }

    /// When it happens in the lane of its account's people, unless something replaces what it takes
    /// away ([`phases`]); `None` for what is ordered by its needs alone.
    pub fn phase(&self) -> Option<Phase> {
        let act = self.act();
        match self.kind() {
            Kind::Resource(_) => None,
            Kind::Credential if act == Act::Delete => Some(Phase::Revoke),
            _ => Some(match act {
                Act::Unlink => Phase::Detach,
                Act::Retire => Phase::Suspend,
                Act::Delete => Phase::Delete,
                // What is attached says something else: part of what begins.
                Act::Update if self.kind() == Kind::Attachment => Phase::Attach,
                Act::Create | Act::Update | Act::Restore | Act::Adopt => Phase::Build,
                Act::Link | Act::Issue => Phase::Attach,
            }),
        }
    }

    /// Whether it takes something out of the way in the lane of an account's people, before anything
    /// begins there.
    pub fn clears(&self) -> bool {
        self.phase().is_some_and(|phase| phase <= Phase::Delete)
    }

    /// Whether nothing can bring back what it takes away; the object is looked at once more
    /// right before, and the step refused if it is not as it was planned.
    pub fn is_irreversible(&self) -> bool {
        self.act() == Act::Delete && self.kind() != Kind::Credential
    }
}
