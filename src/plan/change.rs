//! One difference between what is and what should be.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    Attachment, ChangeId, Credential, CredentialKind, GroupSpec, HolderKind, ObjectKind,
    ObjectName, Place, Reason, RoleSpec, SinkName, Subject, UserSpec, VendorId,
};

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

/// An id that is known now, or will be known once another change of the plan has succeeded.
///
/// Architecture invariant: `Made { by }` is always among the `needs` of the change that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
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
}

/// The outputs of one change.
pub type Outputs = BTreeMap<Output, VendorId>;

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

/// What a change does. Each variant is one write at the vendor.
///
/// Architecture invariant: every match on `Step` in this crate is exhaustive, so a new step
/// cannot be forgotten by the guard, a report or a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// A user comes to be, without any credential.
    CreateUser {
        /// Whom it stands for; written on it.
        subject: Subject,
        /// What it is to be like.
        user: Box<UserSpec>,
    },
    /// A user's name or profile changes; its access does not.
    UpdateUser {
        /// Which user.
        id: VendorId,
        /// Whom it stands for.
        subject: Subject,
        /// As observed.
        before: Box<UserSpec>,
        /// As it is to be.
        after: Box<UserSpec>,
    },
    /// A credential is destroyed: of a user who is being deprovisioned, or a service account's key
    /// that was replaced or lost.
    RevokeCredential {
        /// The user's name.
        user: ObjectName,
        /// Whom it stands for.
        subject: Subject,
        /// The credential.
        credential: Box<Credential>,
        /// The key that was handed over and stays, so that the user loses no access; `None` where
        /// there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaced_by: Option<VendorId>,
    },
    /// A user can no longer be used; the day is written on it.
    SuspendUser {
        /// Which user.
        id: VendorId,
        /// Whom it stands for.
        subject: Subject,
        /// As observed.
        before: Box<UserSpec>,
        /// The day written on it.
        #[schemars(with = "String")]
        on: Date,
    },
    /// A suspended user can be used again.
    RestoreUser {
        /// Which user.
        id: VendorId,
        /// Whom it stands for.
        subject: Subject,
        /// As observed.
        before: Box<UserSpec>,
    },
    /// A user ceases to be. Irreversible.
    DeleteUser {
        /// Which user.
        id: VendorId,
        /// Whom it stood for.
        subject: Subject,
        /// As observed.
        before: Box<UserSpec>,
    },
    /// A group comes to be, with nobody in it.
    CreateGroup {
        /// What it stands for; written on it.
        subject: Subject,
        /// What it is to be like.
        group: GroupSpec,
    },
    /// A group is renamed.
    UpdateGroup {
        /// Which group.
        id: VendorId,
        /// What it stands for.
        subject: Subject,
        /// As observed.
        before: GroupSpec,
        /// As it is to be.
        after: GroupSpec,
    },
    /// A group ceases to be. Irreversible.
    DeleteGroup {
        /// Which group.
        id: VendorId,
        /// What it stood for.
        subject: Subject,
        /// As observed.
        before: GroupSpec,
    },
    /// A user joins a group.
    AddMember {
        /// The group.
        group: Target,
        /// The user.
        user: Target,
        /// Whom the user stands for.
        subject: Subject,
    },
    /// A user leaves a group.
    RemoveMember {
        /// The group.
        group: Target,
        /// The user.
        user: Target,
        /// Whom the user stands for; `None` for a foreign user somebody put in our group.
        subject: Option<Subject>,
    },
    /// A role comes to be, attached to nothing.
    CreateRole {
        /// Which role it is; written on it.
        subject: Subject,
        /// What it is to be like.
        role: Box<RoleSpec>,
    },
    /// What a role means changes.
    UpdateRole {
        /// Which role.
        id: VendorId,
        /// Which role it is.
        subject: Subject,
        /// As observed.
        before: Box<RoleSpec>,
        /// As it is to be.
        after: Box<RoleSpec>,
    },
    /// A role ceases to be. Irreversible.
    DeleteRole {
        /// Which role.
        id: VendorId,
        /// Which role it was.
        subject: Subject,
        /// As observed.
        before: Box<RoleSpec>,
    },
    /// A group gets a role in this account.
    BindRole {
        /// The role.
        role: Target,
        /// The group, possibly of another account.
        group: Target,
    },
    /// A group loses a role in this account.
    UnbindRole {
        /// The role.
        role: Target,
        /// The group, or whoever else has it.
        group: Target,
        /// What the role stands for, where it is taken back from a single user who is not ours, to
        /// whom somebody gave it by hand: then that user stands in the place of the group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_hand: Option<Subject>,
    },
    /// Something is attached to a user, group or role, or what is attached says something else.
    Attach {
        /// What kind of object gets it.
        holder_kind: HolderKind,
        /// Which object.
        holder: Target,
        /// Whom or what that stands for.
        subject: Subject,
        /// What was attached before under that kind and name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<Attachment>>,
        /// What is attached.
        attachment: Box<Attachment>,
    },
    /// Something is no longer attached.
    Detach {
        /// What kind of object loses it.
        holder_kind: HolderKind,
        /// Which object.
        holder: Target,
        /// Whom or what that stands for.
        subject: Subject,
        /// What is detached.
        attachment: Box<Attachment>,
    },
    /// A user that exists without our mark, or a group, or a role, gets it: from then on it is
    /// managed. Only ever planned by somebody's explicit choice.
    Adopt {
        /// What kind of object.
        holder_kind: HolderKind,
        /// Which object.
        id: VendorId,
        /// Its name.
        name: ObjectName,
        /// Whom or what it is to stand for; written on it.
        subject: Subject,
        /// Whom the user stands for now, where somebody is known by another id than before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Subject>,
    },
    /// A user gets a new credential, which is put into a sink and shown nowhere.
    IssueCredential {
        /// The user.
        user: Target,
        /// Whom it stands for.
        subject: Subject,
        /// The kind of credential.
        kind: CredentialKind,
        /// Where its secret goes.
        sink: SinkName,
        /// The day noted on the user once the secret was handed over.
        #[schemars(with = "String")]
        on: Date,
    },
}

impl Step {
    /// The name of what it is about, as people know it; of a membership or binding, the first of
    /// the two. Never a personal value.
    pub fn object(&self) -> &ObjectName {
        match self {
            Self::CreateUser { user: spec, .. }
            | Self::UpdateUser { before: spec, .. }
            | Self::SuspendUser { before: spec, .. }
            | Self::RestoreUser { before: spec, .. }
            | Self::DeleteUser { before: spec, .. } => &spec.name,
            Self::RevokeCredential { user, .. } => user,
            Self::CreateGroup { group: spec, .. }
            | Self::UpdateGroup { before: spec, .. }
            | Self::DeleteGroup { before: spec, .. } => &spec.name,
            Self::CreateRole { role: spec, .. }
            | Self::UpdateRole { before: spec, .. }
            | Self::DeleteRole { before: spec, .. } => &spec.name,
            Self::AddMember { user, .. }
            | Self::RemoveMember { user, .. }
            | Self::IssueCredential { user, .. } => &user.name,
            Self::BindRole { role, .. } | Self::UnbindRole { role, .. } => &role.name,
            Self::Attach { holder, .. } | Self::Detach { holder, .. } => &holder.name,
            Self::Adopt { name, .. } => name,
        }
    }

    /// The kind of object it counts as.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::CreateUser { .. }
            | Self::UpdateUser { .. }
            | Self::RevokeCredential { .. }
            | Self::SuspendUser { .. }
            | Self::RestoreUser { .. }
            | Self::DeleteUser { .. }
            | Self::IssueCredential { .. } => ObjectKind::User,
            Self::CreateGroup { .. } | Self::UpdateGroup { .. } | Self::DeleteGroup { .. } => {
                ObjectKind::Group
            }
            Self::AddMember { .. } | Self::RemoveMember { .. } => ObjectKind::Membership,
            Self::CreateRole { .. } | Self::UpdateRole { .. } | Self::DeleteRole { .. } => {
                ObjectKind::Role
            }
            Self::BindRole { .. } | Self::UnbindRole { .. } => ObjectKind::Binding,
            Self::Attach { .. } | Self::Detach { .. } => ObjectKind::Attachment,
            Self::Adopt { holder_kind, .. } => match holder_kind {
                HolderKind::User => ObjectKind::User,
                HolderKind::Group => ObjectKind::Group,
                HolderKind::Role => ObjectKind::Role,
            },
        }
    }

    /// Whom or what the object stands for that the step is about; for a membership the user.
    /// `None` where the object is foreign or the step only connects two others.
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::CreateUser { subject, .. }
            | Self::UpdateUser { subject, .. }
            | Self::RevokeCredential { subject, .. }
            | Self::SuspendUser { subject, .. }
            | Self::RestoreUser { subject, .. }
            | Self::DeleteUser { subject, .. }
            | Self::CreateGroup { subject, .. }
            | Self::UpdateGroup { subject, .. }
            | Self::DeleteGroup { subject, .. }
            | Self::CreateRole { subject, .. }
            | Self::UpdateRole { subject, .. }
            | Self::DeleteRole { subject, .. }
            | Self::Attach { subject, .. }
            | Self::Detach { subject, .. }
            | Self::Adopt { subject, .. }
            | Self::AddMember { subject, .. }
            | Self::IssueCredential { subject, .. } => Some(subject),
            Self::RemoveMember { subject, .. } => subject.as_ref(),
            Self::BindRole { .. } | Self::UnbindRole { .. } => None,
        }
    }

    /// What it does in one or two plain words.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::CreateUser { .. } => "create user",
            Self::UpdateUser { .. } => "update user",
            Self::RevokeCredential { .. } => "revoke credential",
            Self::SuspendUser { .. } => "suspend user",
            Self::RestoreUser { .. } => "restore user",
            Self::DeleteUser { .. } => "delete user",
            Self::CreateGroup { .. } => "create group",
            Self::UpdateGroup { .. } => "update group",
            Self::DeleteGroup { .. } => "delete group",
            Self::AddMember { .. } => "add member",
            Self::RemoveMember { .. } => "remove member",
            Self::CreateRole { subject: Subject::IdentityProvider(_), .. } => {
                "create identity provider"
            }
            Self::CreateRole { .. } => "create role",
            Self::UpdateRole { subject: Subject::IdentityProvider(_), .. } => {
                "update identity provider"
            }
            Self::UpdateRole { .. } => "update role",
            Self::DeleteRole { subject: Subject::IdentityProvider(_), .. } => {
                "delete identity provider"
            }
            Self::DeleteRole { .. } => "delete role",
            Self::BindRole { .. } => "bind role",
            Self::UnbindRole { .. } => "unbind role",
            Self::Attach { .. } => "attach to",
            Self::Detach { .. } => "detach from",
            Self::Adopt { holder_kind: HolderKind::User, .. } => "adopt user",
            Self::Adopt { holder_kind: HolderKind::Group, .. } => "adopt group",
            Self::Adopt { holder_kind: HolderKind::Role, .. } => "adopt role",
            Self::IssueCredential { .. } => "issue credential",
        }
    }

    /// The user it takes something from or changes, by id: for [`Step::RemoveMember`] the member.
    pub fn user(&self) -> Option<&VendorId> {
        match self {
            Self::UpdateUser { id, .. }
            | Self::SuspendUser { id, .. }
            | Self::RestoreUser { id, .. }
            | Self::DeleteUser { id, .. }
            | Self::Adopt { holder_kind: HolderKind::User, id, .. } => Some(id),
            Self::RevokeCredential { credential, .. } => Some(&credential.user),
            Self::RemoveMember { user: target, .. }
            | Self::Detach { holder_kind: HolderKind::User, holder: target, .. } => {
                match &target.id {
                    Reference::Known(id) => Some(id),
                    Reference::Made { .. } => None,
                }
            }
            Self::AddMember { .. }
            | Self::CreateUser { .. }
            | Self::CreateGroup { .. }
            | Self::UpdateGroup { .. }
            | Self::DeleteGroup { .. }
            | Self::CreateRole { .. }
            | Self::UpdateRole { .. }
            | Self::DeleteRole { .. }
            | Self::BindRole { .. }
            | Self::UnbindRole { .. }
            | Self::Attach { .. }
            | Self::Detach { .. }
            | Self::Adopt { .. }
            | Self::IssueCredential { .. } => None,
        }
    }

    /// The references it holds, in the order they are written.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let (first, second) = match self {
            Self::AddMember { group, user, .. } | Self::RemoveMember { group, user, .. } => {
                (Some(&group.id), Some(&user.id))
            }
            Self::BindRole { role, group } | Self::UnbindRole { role, group, .. } => {
                (Some(&role.id), Some(&group.id))
            }
            Self::Attach { holder: one, .. }
            | Self::Detach { holder: one, .. }
            | Self::IssueCredential { user: one, .. } => (Some(&one.id), None),
            Self::CreateUser { .. }
            | Self::UpdateUser { .. }
            | Self::RevokeCredential { .. }
            | Self::SuspendUser { .. }
            | Self::RestoreUser { .. }
            | Self::DeleteUser { .. }
            | Self::CreateGroup { .. }
            | Self::UpdateGroup { .. }
            | Self::DeleteGroup { .. }
            | Self::CreateRole { .. }
            | Self::UpdateRole { .. }
            | Self::DeleteRole { .. }
            | Self::Adopt { .. } => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// The same with every reference to another change alike, for comparing steps of two plans.
    #[must_use]
    pub fn unnumbered(mut self) -> Self {
        for reference in self.references_mut() {
            if let Reference::Made { by, .. } = reference {
                *by = ChangeId(0);
            }
        }
        self
    }

    /// The references it holds, for renumbering a plan.
    pub(super) fn references_mut(&mut self) -> impl Iterator<Item = &mut Reference> {
        let (first, second) = match self {
            Self::AddMember { group, user, .. } | Self::RemoveMember { group, user, .. } => {
                (Some(&mut group.id), Some(&mut user.id))
            }
            Self::BindRole { role, group } | Self::UnbindRole { role, group, .. } => {
                (Some(&mut role.id), Some(&mut group.id))
            }
            Self::Attach { holder: one, .. }
            | Self::Detach { holder: one, .. }
            | Self::IssueCredential { user: one, .. } => (Some(&mut one.id), None),
            Self::CreateUser { .. }
            | Self::UpdateUser { .. }
            | Self::RevokeCredential { .. }
            | Self::SuspendUser { .. }
            | Self::RestoreUser { .. }
            | Self::DeleteUser { .. }
            | Self::CreateGroup { .. }
            | Self::UpdateGroup { .. }
            | Self::DeleteGroup { .. }
            | Self::CreateRole { .. }
            | Self::UpdateRole { .. }
            | Self::DeleteRole { .. }
            | Self::Adopt { .. } => (None, None),
        };
        first.into_iter().chain(second)
    }
}
