//! What exists (or should) at a vendor: users, groups, roles, what connects them, and whose they
//! are.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Assigned, AttachmentKind, AttributeName, CredentialKind, ForeignAssigned, GroupRef,
    InvalidIdentifier, Kind, MirrorName, Missing, ObjectName, OrganisationName, PartName, Private,
    ResourceKind, RoleName, SeenResource, ServiceAccountName, StableId, VendorId, is_name,
};
use crate::model::DirectoryName;

/// Whom or what an owned object stands for. Written on the object itself as part of its mark.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A person of a directory.
    Person {
        /// Which directory.
        directory: DirectoryName,
        /// What stays the same about the person.
        stable_id: StableId,
    },
    /// A group of a directory.
    Group(GroupRef),
    /// A role of the policies.
    Role(RoleName),
    /// A service account of the inventory.
    Service(ServiceAccountName),
    /// The group a service account's roles are attached to.
    ServiceGroup(ServiceAccountName),
    /// A role of the policies as one holder has it, where a vendor has no groups to attach one
    /// role to: each group or service account has a role object of its own.
    Held {
        /// Which role.
        role: RoleName,
        /// The group or service account that holds it.
        by: Box<Subject>,
    },
    /// What vouches for holders of roles who are no users of the vendor: the log-in service of an
    /// organisation, the CI of a forge. Kept like a role, because roles trust it.
    IdentityProvider(ObjectName),
    /// A part of a mirror.
    Part {
        /// Of which mirror.
        mirror: MirrorName,
        /// Which part: stays the same when another object takes its place.
        part: PartName,
        /// The how-manyeth object in that place, from 1.
        generation: u32,
    },
}

/// The form written on objects: `person:debian:2345`, `group:debian:admin`, `role:operator`,
/// `service:ci`, `service-group:ci`, `held:operator:group:debian:admin`.
impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { directory, stable_id } => {
                write!(formatter, "person:{directory}:{stable_id}")
            }
            Self::Group(group) => write!(formatter, "group:{group}"),
            Self::Role(role) => write!(formatter, "role:{role}"),
            Self::Service(name) => write!(formatter, "service:{name}"),
            Self::ServiceGroup(name) => write!(formatter, "service-group:{name}"),
            Self::Held { role, by } => write!(formatter, "held:{role}:{by}"),
            Self::IdentityProvider(name) => write!(formatter, "identity-provider:{name}"),
            Self::Part { mirror, part, generation } => {
                write!(formatter, "part:{mirror}:{part}:{generation}")
            }
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        let invalid = || InvalidIdentifier {
            text: text.to_owned(),
            expected: "a subject such as person:DIRECTORY:ID or group:DIRECTORY:NAME",
        };
        let (kind, rest) = text.split_once(':').ok_or_else(invalid)?;
        let in_directory = || {
            rest.split_once(':')
                .filter(|(directory, name)| !directory.is_empty() && !name.is_empty())
                .ok_or_else(invalid)
        };
        match kind {
            "person" => in_directory().map(|(directory, id)| Self::Person {
                directory: directory.into(),
                stable_id: id.into(),
            }),
            "group" => in_directory().map(|(directory, group)| {
                Self::Group(GroupRef { directory: directory.into(), group: group.into() })
            }),
            _ if rest.is_empty() => Err(invalid()),
            "role" => Ok(Self::Role(rest.into())),
            "service" => Ok(Self::Service(rest.into())),
            "service-group" => Ok(Self::ServiceGroup(rest.into())),
            "identity-provider" => Ok(Self::IdentityProvider(rest.into())),
            "part" => part(rest).ok_or_else(invalid),
            "held" => {
                let (role, by) = rest.split_once(':').ok_or_else(invalid)?;
                // Nobody holds a role through a role: a text of a thousand `held:` is refused at
                // the second.
                if by.starts_with("held:") {
                    return Err(invalid());
                }
                match by.parse()? {
                    by @ (Self::Group(_) | Self::Service(_)) if !role.is_empty() => {
                        Ok(Self::Held { role: role.into(), by: Box::new(by) })
                    }
                    _ => Err(invalid()),
                }
            }
            _ => Err(invalid()),
        }
    }
}

/// `MIRROR:PART:GENERATION`.
fn part(text: &str) -> Option<Subject> {
    let (mirror, rest) = text.split_once(':')?;
    let (part, generation) = rest.split_once(':')?;
    let is_number = generation.bytes().all(|byte| byte.is_ascii_digit());
    let generation = generation.parse().ok().filter(|number| is_number && *number > 0)?;
    (is_name(mirror) && is_name(part)).then(|| Subject::Part {
        mirror: mirror.into(),
        part: part.into(),
        generation,
    })
}

/// Our mark on an object: which organisation's it is and whom it stands for.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Mark {
    /// The organisation whose object it is.
    pub organisation: OrganisationName,
    /// Whom or what it stands for.
    pub subject: Subject,
}

/// Whose an observed object is, decided by the one documented rule of its cloud.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// It carries the mark of the organisation that is being reconciled.
    Ours(Subject),
    /// It carries a part of the organisation's mark: somebody damaged it, or an adoption was
    /// interrupted. Nobody's, until somebody chooses to adopt it.
    Damaged {
        /// What is wrong with the mark.
        why: String,
        /// Whom it says it stands for, if that can still be read.
        subject: Option<Subject>,
    },
    /// It carries somebody else's mark, or one that cannot be read.
    Theirs(String),
    /// It carries no mark.
    Unmarked,
}

impl Ownership {
    /// Whether somebody may choose to put the mark for a subject on it.
    pub fn may_become(&self, subject: &Subject) -> bool {
        match self {
            Self::Unmarked => true,
            Self::Damaged { subject: found, .. } => {
                found.as_ref().is_none_or(|found| found == subject)
            }
            Self::Ours(_) | Self::Theirs(_) => false,
        }
    }

    /// Whether the mark for a subject may be put on it in place of that for another, if of one.
    pub fn may_pass(&self, from: Option<&Subject>, to: &Subject) -> bool {
        self.may_become(to) || (from.is_some() && self.subject() == from)
    }

    /// The subject, if the object is ours.
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Ours(subject) => Some(subject),
            Self::Damaged { .. } | Self::Theirs(_) | Self::Unmarked => None,
        }
    }
}

/// An object as a vendor shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observed<T> {
    /// The vendor's id of it.
    pub id: VendorId,
    /// Whose it is.
    pub ownership: Ownership,
    /// What it is like.
    pub spec: T,
}

/// A user, as it should be or as it is.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct UserSpec {
    /// Its name at the vendor.
    pub name: ObjectName,
    /// Full name, where the vendor keeps a profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Private<String>>,
    /// Mail address, where the vendor keeps a profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Private<String>>,
    /// Whether it can be used.
    pub access: Access,
}

/// Whether a user can be used.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Yes.
    Enabled,
    /// No: suspended by this program on that day, the day being written on the user.
    Suspended {
        /// The first day without access; the grace period counts from it.
        #[schemars(with = "String")]
        since: Date,
        /// Somebody else had disabled it before, as noted with the day: without the suspension it
        /// is disabled, not enabled.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        was_disabled: bool,
    },
    /// No: somebody else disabled it. Never re-enabled by this program.
    Disabled,
}

impl Access {
    /// Suspended on that day.
    #[must_use]
    pub fn suspended(self, since: Date) -> Self {
        Self::Suspended { since, was_disabled: self.without_suspension() == Self::Disabled }
    }

    /// What it is once our suspension is taken off.
    #[must_use]
    pub fn without_suspension(self) -> Self {
        match self {
            Self::Suspended { was_disabled: true, .. } | Self::Disabled => Self::Disabled,
            Self::Suspended { was_disabled: false, .. } | Self::Enabled => Self::Enabled,
        }
    }
}

/// A group, as it should be or as it is.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct GroupSpec {
    /// Its name at the vendor.
    pub name: ObjectName,
}

/// A role, as it should be or as it is.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct RoleSpec {
    /// Its name at the vendor.
    pub name: ObjectName,
    /// For people.
    pub description: String,
    /// What it means, in the vendor's words.
    pub attributes: BTreeMap<AttributeName, AttributeValue>,
}

/// The value of an attribute.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AttributeValue {
    /// One text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Texts whose order does not matter.
    Set(BTreeSet<String>),
}

impl fmt::Display for AttributeValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Number(number) => number.fmt(formatter),
            Self::Flag(flag) => flag.fmt(formatter),
            Self::Set(set) => {
                let texts: Vec<&str> = set.iter().map(String::as_str).collect();
                write!(formatter, "[{}]", texts.join(", "))
            }
        }
    }
}

/// A user's place in a group.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Membership {
    /// The group.
    pub group: VendorId,
    /// The user.
    pub user: VendorId,
}

/// A role attached to a group in the account that is being read. The group may live in another
/// account (the hub).
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Binding {
    /// The role.
    pub role: VendorId,
    /// The group.
    pub group: VendorId,
}

/// Something attached to a user, a group or a role that gives it rights or bounds them: a policy,
/// a permissions boundary. Each is one write at the vendor.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Attachment {
    /// Its kind in the vendor's words.
    pub kind: AttachmentKind,
    /// Its name or the vendor's id of it; one holder has at most one of each kind and name.
    pub name: ObjectName,
    /// What it says, in a normal form, where it is part of the holder rather than an object of its
    /// own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What an attachment hangs on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
}

/// An attachment as a vendor shows it.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct HeldAttachment {
    /// Whether a user, a group or a role has it.
    pub holder_kind: HolderKind,
    /// Who has it.
    pub holder: VendorId,
    /// What it is.
    pub attachment: Attachment,
}

/// What a vendor bounds, where it says by how much.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Quota {
    /// Users in the account, ours and foreign.
    Users,
    /// Groups in the account, ours and foreign.
    Groups,
    /// Roles in the account, ours and foreign.
    Roles,
    /// Groups one user can be in.
    GroupsPerUser,
    /// Attachments that are objects of their own, per group.
    AttachmentsPerGroup,
    /// Attachments that are objects of their own, per role.
    AttachmentsPerRole,
    /// Characters of all attachments with content together, per role.
    ContentPerRole,
    /// Roles one group can have.
    RolesPerGroup,
}

/// Something a user can log in with. Never the secret itself.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Credential {
    /// Whose it is.
    pub user: VendorId,
    /// Its kind in the vendor's words.
    pub kind: CredentialKind,
    /// The vendor's id of it (for an access key the public part).
    pub id: VendorId,
    /// For a key that this program issued: the day a sink took it, as noted on its user. `None`
    /// for every other credential, and for a key nobody can be known to have the secret of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub handed_over: Option<Date>,
}

/// Everything the program looks at in one account.
///
/// Who owns a [`Membership`] or [`Binding`]? At most vendors they carry no mark, so they belong
/// to their group: ours exactly when the group is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedAccount {
    /// The user or role the program itself acts as, where it lives in this account.
    pub own_principal: Option<VendorId>,
    /// Users, ours and foreign.
    pub users: Vec<Observed<UserSpec>>,
    /// Groups, ours and foreign.
    pub groups: Vec<Observed<GroupSpec>>,
    /// Roles, ours and foreign.
    pub roles: Vec<Observed<RoleSpec>>,
    /// Who is in which group.
    pub memberships: Vec<Membership>,
    /// Which role is attached to which group.
    pub bindings: Vec<Binding>,
    /// What is attached to users, groups and roles, ours and foreign, as far as the vendor knows
    /// such things.
    pub attachments: Vec<HeldAttachment>,
    /// How much the account allows of what, where the vendor tells.
    pub quotas: BTreeMap<Quota, u64>,
    /// What ends by itself, and when: certificates that others log in with.
    pub expiries: BTreeMap<String, Date>,
    /// Of a hub in which the roles of all accounts are: how many roles groups of ours have in which
    /// account, by its id, also in accounts that nobody asked about.
    pub assigned_in: BTreeMap<String, u64>,
    /// Of a hub in which the roles of all accounts are: those of ours that somebody gave by hand, to
    /// users or to groups that are not ours.
    pub assigned: Vec<Assigned>,
    /// Of such a hub: roles that are not ours and that users of ours have directly.
    pub foreign_assigned: ForeignAssigned,
    /// What groups that are not ours may do, as far as users of ours are in them, for people; `None`
    /// where that could not be read.
    pub foreign_rights: BTreeMap<VendorId, Option<BTreeSet<String>>>,
    /// Users that are enabled and still carry our mark of a suspension, and since when: somebody
    /// enabled them by hand, and who disables them next would be taken for us.
    pub stale_suspensions: BTreeMap<VendorId, Date>,
    /// Objects of ours that others lean on, by id, and who does: they are not deleted.
    pub leaned_on: BTreeMap<VendorId, String>,
    /// Of an incomplete reading: the kinds that were listed completely all the same. Of other
    /// kinds nothing is created, since one that was not listed may be there under another name (a
    /// second one with the same mark is something only people can sort out), and nothing is taken
    /// away that rests on their list.
    pub listed: BTreeSet<Kind>,
    /// The lists of identity providers, which are kept like roles, were not complete: none is
    /// made.
    pub unlisted_providers: bool,
}

impl ObservedAccount {
    /// Says of each kind whether its list is complete: all are but those that are `unlisted`, and
    /// those that what else was read contradicts, which is told then.
    pub fn prove(&mut self, mut unlisted: BTreeSet<Kind>, missing: &mut Vec<Missing>) {
        for (kind, why) in self.contradictions() {
            if unlisted.insert(kind) {
                missing.push(why);
            }
        }
        self.listed = Kind::PEOPLE.into_iter().filter(|kind| !unlisted.contains(kind)).collect();
    }

    /// Which lists the account itself contradicts, and by what: a list that shows who is in a
    /// group, but not the user, lacks users. Bindings are not looked at: their ends may be in other
    /// accounts.
    fn contradictions(&self) -> Vec<(Kind, Missing)> {
        fn ids<T>(all: &[Observed<T>]) -> HashSet<&VendorId> {
            all.iter().map(|one| &one.id).collect()
        }
        if self.memberships.is_empty() {
            return Vec::new();
        }
        let (users, groups) = (ids(&self.users), ids(&self.groups));
        let unlisted = |all: &HashSet<&VendorId>, end: fn(&Membership) -> &VendorId| {
            let ends = self.memberships.iter().map(end);
            ends.filter(|id| !all.contains(*id)).collect::<BTreeSet<_>>().len()
        };
        [
            (Kind::User, unlisted(&users, |one| &one.user), "are members of groups"),
            (Kind::Group, unlisted(&groups, |one| &one.group), "have members"),
        ]
        .into_iter()
        .filter(|(_, count, _)| *count > 0)
        .map(|(kind, count, what)| {
            let why = format!("{count} {what}, and were not listed");
            (kind, Missing::new(kind.plural(), why))
        })
        .collect()
    }
}

/// What to look at again: one object of an account.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKey {
    /// A user by its id.
    User(VendorId),
    /// A user by its name, for one that may or may not have been created.
    UserNamed(ObjectName),
    /// A group by its id.
    Group(VendorId),
    /// A group by its name.
    GroupNamed(ObjectName),
    /// A role by its id.
    Role(VendorId),
    /// A role by its name.
    RoleNamed(ObjectName),
    /// A part of a mirror by its id.
    Part(ResourceKind, VendorId),
    /// A part of a mirror by its name.
    PartNamed(ResourceKind, ObjectName),
    /// A user in a group.
    Membership(Membership),
    /// A role attached to a group.
    Binding(Binding),
    /// A credential of a user.
    Credential(Credential),
    /// An attachment. With content only one that says the same, without content any of its kind
    /// and name.
    Attachment(HeldAttachment),
}

/// One object, looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snapshot {
    /// A user.
    User(Observed<UserSpec>),
    /// A group.
    Group(Observed<GroupSpec>),
    /// A role.
    Role(Observed<RoleSpec>),
    /// A part of a mirror.
    Part(Box<SeenResource>),
    /// The membership, binding, credential or attachment asked for exists.
    Exists,
}
