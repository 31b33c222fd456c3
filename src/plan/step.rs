//! What a change does to which kind of object: one row of the plan's vocabulary for each.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Target, words};
use crate::model::{
    Attachment, ChangeId, Credential, CredentialKind, GroupSpec, HolderKind, Kind, ObjectName,
    Reference, ResourceSpec, RoleSpec, SinkName, Subject, UserSpec, Value, VendorId,
};

/// The verb of a change: the same nine for every kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// It comes to be.
    Create,
    /// It becomes different.
    Update,
    /// It is of no use any more from that day on, and can still be brought back.
    Retire,
    /// What was retired is of use again.
    Restore,
    /// It ceases to be.
    Delete,
    /// Two things that exist belong together.
    Link,
    /// They do not any more.
    Unlink,
    /// What exists gets our mark.
    Adopt,
    /// A secret is made and handed over.
    Issue,
}

/// What happens to an object with a life of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Life<S> {
    /// It comes to be, connected with nothing.
    Create {
        /// Whom or what it stands for; written on it.
        subject: Subject,
        /// What it is to be like.
        spec: S,
    },
    /// It becomes different.
    Update {
        /// Which.
        id: VendorId,
        /// Whom or what it stands for.
        subject: Subject,
        /// As observed.
        before: S,
        /// As it is to be.
        after: S,
    },
    /// It is of no use any more; the day is written on it.
    Retire {
        /// Which.
        id: VendorId,
        /// Whom or what it stands for.
        subject: Subject,
        /// As observed.
        before: S,
        /// The day written on it.
        #[schemars(with = "String")]
        on: Date,
    },
    /// What was retired is of use again.
    Restore {
        /// Which.
        id: VendorId,
        /// Whom or what it stands for.
        subject: Subject,
        /// As observed.
        before: S,
    },
    /// It ceases to be. Irreversible.
    Delete {
        /// Which.
        id: VendorId,
        /// Whom or what it stood for.
        subject: Subject,
        /// As observed.
        before: S,
    },
}

impl<S> Life<S> {
    /// The verb.
    pub fn act(&self) -> Act {
        match self {
            Self::Create { .. } => Act::Create,
            Self::Update { .. } => Act::Update,
            Self::Retire { .. } => Act::Retire,
            Self::Restore { .. } => Act::Restore,
            Self::Delete { .. } => Act::Delete,
        }
    }

    /// Which object, if there is one yet.
    pub fn id(&self) -> Option<&VendorId> {
        match self {
            Self::Create { .. } => None,
            Self::Update { id, .. }
            | Self::Retire { id, .. }
            | Self::Restore { id, .. }
            | Self::Delete { id, .. } => Some(id),
        }
    }

    /// Whom or what it stands for.
    pub fn subject(&self) -> &Subject {
        match self {
            Self::Create { subject, .. }
            | Self::Update { subject, .. }
            | Self::Retire { subject, .. }
            | Self::Restore { subject, .. }
            | Self::Delete { subject, .. } => subject,
        }
    }

    /// What it is like; of one that comes to be, what it is to be like.
    pub fn spec(&self) -> &S {
        match self {
            Self::Create { spec: before, .. }
            | Self::Update { before, .. }
            | Self::Retire { before, .. }
            | Self::Restore { before, .. }
            | Self::Delete { before, .. } => before,
        }
    }

    /// What it is to be like, where that is to be different.
    pub fn wanted(&self) -> Option<&S> {
        match self {
            Self::Create { spec: wanted, .. } | Self::Update { after: wanted, .. } => Some(wanted),
            Self::Retire { .. } | Self::Restore { .. } | Self::Delete { .. } => None,
        }
    }

    pub(super) fn wanted_mut(&mut self) -> Option<&mut S> {
        match self {
            Self::Create { spec: wanted, .. } | Self::Update { after: wanted, .. } => Some(wanted),
            Self::Retire { .. } | Self::Restore { .. } | Self::Delete { .. } => None,
        }
    }
}

/// What a change does. Each is one write at the vendor.
///
/// Architecture invariant: the engine asks for [`Step::kind`] and [`Step::act`], so a new kind of
/// part needs no new arm in the guard, the executor or a report (`tidy::kinds`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// A user. It comes to be without any credential; an update changes its name or profile, not its
    /// access.
    User(Life<Box<UserSpec>>),
    /// A group. It comes to be with nobody in it.
    Group(Life<GroupSpec>),
    /// A role. It comes to be attached to nothing.
    Role(Life<Box<RoleSpec>>),
    /// A part of a mirror.
    Part {
        /// What happens to it.
        life: Life<Box<ResourceSpec>>,
        /// Another has taken its place, so that nobody loses anything when it goes.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replaced: bool,
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
}

impl Step {
    /// The verb.
    pub fn act(&self) -> Act {
        match self {
            Self::User(life) => life.act(),
            Self::Group(life) => life.act(),
            Self::Role(life) => life.act(),
            Self::Part { life, .. } => life.act(),
            Self::RevokeCredential { .. } => Act::Delete,
            Self::IssueCredential { .. } => Act::Issue,
            Self::Attach { before: Some(_), .. } => Act::Update,
            Self::AddMember { .. } | Self::BindRole { .. } | Self::Attach { .. } => Act::Link,
            Self::RemoveMember { .. } | Self::UnbindRole { .. } | Self::Detach { .. } => {
                Act::Unlink
            }
            Self::Adopt { .. } => Act::Adopt,
        }
    }

    /// The kind of object it is about.
    pub fn kind(&self) -> Kind {
        match self {
            Self::User(_) | Self::Adopt { holder_kind: HolderKind::User, .. } => Kind::User,
            Self::Group(_) | Self::Adopt { holder_kind: HolderKind::Group, .. } => Kind::Group,
            Self::Role(_) | Self::Adopt { holder_kind: HolderKind::Role, .. } => Kind::Role,
            Self::Part { life, .. } => Kind::Resource(life.spec().kind),
            Self::RevokeCredential { .. } | Self::IssueCredential { .. } => Kind::Credential,
            Self::AddMember { .. } | Self::RemoveMember { .. } => Kind::Membership,
            Self::BindRole { .. } | Self::UnbindRole { .. } => Kind::Binding,
            Self::Attach { .. } | Self::Detach { .. } => Kind::Attachment,
        }
    }

    /// The kind under whose limit a removal counts.
    pub fn counts_as(&self) -> Kind {
        self.kind().facts().counts_as
    }

    /// The name of what it is about, as people know it; of a membership or binding, the first of
    /// the two. Never a personal value.
    pub fn object(&self) -> &ObjectName {
        match self {
            Self::User(life) => &life.spec().name,
            Self::Group(life) => &life.spec().name,
            Self::Role(life) => &life.spec().name,
            Self::Part { life, .. } => &life.spec().name,
            Self::RevokeCredential { user, .. } => user,
            Self::AddMember { user, .. }
            | Self::RemoveMember { user, .. }
            | Self::IssueCredential { user, .. } => &user.name,
            Self::BindRole { role, .. } | Self::UnbindRole { role, .. } => &role.name,
            Self::Attach { holder, .. } | Self::Detach { holder, .. } => &holder.name,
            Self::Adopt { name, .. } => name,
        }
    }

    /// Whom or what the object stands for that the step is about; for a membership the user.
    /// `None` where the object is foreign or the step only connects two others.
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::User(life) => Some(life.subject()),
            Self::Group(life) => Some(life.subject()),
            Self::Role(life) => Some(life.subject()),
            Self::Part { life, .. } => Some(life.subject()),
            Self::RevokeCredential { subject, .. }
            | Self::Attach { subject, .. }
            | Self::Detach { subject, .. }
            | Self::Adopt { subject, .. }
            | Self::AddMember { subject, .. }
            | Self::IssueCredential { subject, .. } => Some(subject),
            Self::RemoveMember { subject, .. } => subject.as_ref(),
            Self::BindRole { .. } | Self::UnbindRole { .. } => None,
        }
    }

    /// The object it changes or ends, by id; `None` for one that comes to be, and for what only
    /// connects two others.
    pub fn id(&self) -> Option<&VendorId> {
        match self {
            Self::User(life) => life.id(),
            Self::Group(life) => life.id(),
            Self::Role(life) => life.id(),
            Self::Part { life, .. } => life.id(),
            Self::RevokeCredential { credential, .. } => Some(&credential.id),
            Self::Adopt { id, .. } => Some(id),
            Self::AddMember { .. }
            | Self::RemoveMember { .. }
            | Self::BindRole { .. }
            | Self::UnbindRole { .. }
            | Self::Attach { .. }
            | Self::Detach { .. }
            | Self::IssueCredential { .. } => None,
        }
    }

    /// The user it takes something from or changes, by id: for [`Step::RemoveMember`] the member.
    pub fn user(&self) -> Option<&VendorId> {
        match self {
            Self::RevokeCredential { credential, .. } => Some(&credential.user),
            Self::RemoveMember { user: target, .. }
            | Self::Detach { holder_kind: HolderKind::User, holder: target, .. } => target.known(),
            _ if self.kind() == Kind::User => self.id(),
            _ => None,
        }
    }

    /// What it does in one or two plain words.
    pub fn verb(&self) -> &'static str {
        let is_provider = matches!(self.subject(), Some(Subject::IdentityProvider(_)));
        match (self.kind(), self.act()) {
            (Kind::Role, Act::Create) if is_provider => "create identity provider",
            (Kind::Role, Act::Update) if is_provider => "update identity provider",
            (Kind::Role, Act::Delete) if is_provider => "delete identity provider",
            (kind, act) => words::verb(kind, act),
        }
    }

    /// The references it holds, in the order they are written.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let (first, second, part) = match self {
            Self::AddMember { group, user, .. } | Self::RemoveMember { group, user, .. } => {
                (Some(&group.id), Some(&user.id), None)
            }
            Self::BindRole { role, group } | Self::UnbindRole { role, group, .. } => {
                (Some(&role.id), Some(&group.id), None)
            }
            Self::Attach { holder: one, .. }
            | Self::Detach { holder: one, .. }
            | Self::IssueCredential { user: one, .. } => (Some(&one.id), None, None),
            Self::Part { life, .. } => (None, None, life.wanted()),
            Self::User(_)
            | Self::Group(_)
            | Self::Role(_)
            | Self::RevokeCredential { .. }
            | Self::Adopt { .. } => (None, None, None),
        };
        let made = part.into_iter().flat_map(|spec| spec.settings.values());
        first.into_iter().chain(second).chain(made.flat_map(Value::references))
    }

    /// The same with every reference to another change alike, for comparing steps of two plans.
    #[must_use]
    pub fn unnumbered(mut self) -> Self {
        self.renumber(|_| ChangeId(0));
        self
    }

    /// Gives the changes it refers to other numbers.
    pub(super) fn renumber(&mut self, number: impl Fn(ChangeId) -> ChangeId) {
        let renumber = |reference: &mut Reference| {
            if let Reference::Made { by, .. } = reference {
                *by = number(*by);
            }
        };
        match self {
            Self::AddMember { group: one, user: other, .. }
            | Self::RemoveMember { group: one, user: other, .. }
            | Self::BindRole { role: one, group: other }
            | Self::UnbindRole { role: one, group: other, .. } => {
                renumber(&mut one.id);
                renumber(&mut other.id);
            }
            Self::Attach { holder: one, .. }
            | Self::Detach { holder: one, .. }
            | Self::IssueCredential { user: one, .. } => renumber(&mut one.id),
            Self::Part { life, .. } => {
                let settings = life.wanted_mut().into_iter().flat_map(|one| &mut one.settings);
                settings.for_each(|(_, value)| value.change_references(renumber));
            }
            Self::User(_)
            | Self::Group(_)
            | Self::Role(_)
            | Self::RevokeCredential { .. }
            | Self::Adopt { .. } => {}
        }
    }
}
