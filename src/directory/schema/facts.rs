//! What one entry says, before people and groups are linked.

use crate::model::Person;

/// What a group's entry says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GroupFacts {
    /// Its distinguished name.
    pub(super) dn: String,
    /// The group's name.
    pub(super) name: String,
    /// What a person's primary group refers to (`gidNumber`, or a security identifier).
    pub(super) number: Option<String>,
    /// Its members by their normalised distinguished names.
    pub(super) members: Vec<String>,
    /// Its members by their log-in names.
    pub(super) logins: Vec<String>,
    /// The key under which another group lists this one as a member.
    pub(super) key: Option<String>,
    /// Names of the groups its members are in as well.
    pub(super) leads_to: Vec<String>,
    /// Whether the entry shows any member attribute at all.
    pub(super) shows_members: bool,
    /// Why some of its members are known to be hidden, if so.
    pub(super) hidden: Option<String>,
    /// It shows no member, although the standard makes one mandatory for its class. Some servers
    /// do not.
    pub(super) lacks_members: Option<&'static str>,
}

/// What a person's entry says.
pub(super) struct PersonFacts {
    /// The person, without groups.
    pub(super) person: Person,
    /// Their normalised distinguished name, where groups list people by it.
    pub(super) key: Option<String>,
    /// Whether groups list people by their log-in names.
    pub(super) by_login: bool,
    /// Log-in names of theirs that do not count.
    pub(super) other_logins: Vec<String>,
    /// The number of their account.
    pub(super) number: Option<String>,
    /// Names of groups on the person, as written there.
    pub(super) named: Vec<String>,
    /// Keys of groups on the person; they count only for groups that show no members themselves.
    pub(super) member_of: Vec<String>,
    /// The primary group's number.
    pub(super) primary: Option<String>,
}

impl PersonFacts {
    /// Somebody in no group, so far.
    pub(super) fn of(person: Person) -> Self {
        Self {
            person,
            key: None,
            by_login: false,
            other_logins: Vec::new(),
            number: None,
            named: Vec::new(),
            member_of: Vec::new(),
            primary: None,
        }
    }
}
