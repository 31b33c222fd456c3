//! What one entry says, before people and groups are linked.

use crate::model::Person;

/// What a group's entry says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GroupFacts {
    /// The group's name.
    pub(super) name: String,
    /// What a person's primary group refers to (`gidNumber`, or a security identifier).
    pub(super) number: Option<String>,
    /// Its members by their key: log-in names, or normalised distinguished names.
    pub(super) members: Vec<String>,
    /// The key under which another group lists this one as a member.
    pub(super) key: Option<String>,
    /// Names of the groups its members are in as well.
    pub(super) leads_to: Vec<String>,
    /// Whether the entry shows any member attribute at all.
    pub(super) shows_members: bool,
}

/// What a person's entry says.
pub(super) struct PersonFacts {
    /// The person, without groups.
    pub(super) person: Person,
    /// The key under which groups list them as a member.
    pub(super) key: Option<String>,
    /// Names of groups on the person, as written there.
    pub(super) named: Vec<String>,
    /// Keys of groups on the person; they count only for groups that show no members themselves.
    pub(super) member_of: Vec<String>,
    /// The primary group's number.
    pub(super) primary: Option<String>,
}
