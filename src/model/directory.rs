//! People and groups as a directory tells them, after its schema's rules were applied.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use super::{DirectoryName, GroupName, Login, Private, StableId};

/// Who is in which group, according to one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its name in the inventory.
    pub name: DirectoryName,
    /// People, guests and role accounts, sorted by [`StableId`], each at most once.
    pub people: Vec<Person>,
    /// Groups, sorted by name, each at most once.
    pub groups: Vec<DirectoryGroup>,
    /// Entries for people of whom nobody can tell who they are, sorted. They are not among
    /// `people`; nothing is given to them and nothing taken from them.
    pub unclear: Vec<Unclear>,
    /// Oddities worth a line to the admin (an unknown state word, a dangling `subGroup`, …).
    pub warnings: Vec<DirectoryWarning>,
    /// What the schema decides by and nobody of many people shows, as noun phrases: hidden, most
    /// likely. On the word of such a directory nobody gets anything.
    pub hidden: Vec<&'static str>,
    /// What its server showed of the time.
    pub time: Option<ShownTime>,
}

/// What a server shows of the time when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownTime {
    /// The time of its own clock.
    Now(Timestamp),
    /// When something was last written: it is no earlier than that, and may be much later.
    NotBefore(Timestamp),
}

impl Directory {
    /// A directory with nobody in it.
    pub fn empty(name: DirectoryName) -> Self {
        Self {
            name,
            people: Vec::new(),
            groups: Vec::new(),
            unclear: Vec::new(),
            warnings: Vec::new(),
            hidden: Vec::new(),
            time: None,
        }
    }

    /// The group of that name. Exact spelling: how a schema compares names is applied when the
    /// directory is read, here every group has one spelling.
    pub fn group(&self, name: &GroupName) -> Option<GroupIndex> {
        let at = self.groups.binary_search_by(|group| group.name.cmp(name)).ok()?;
        u32::try_from(at).ok().map(GroupIndex)
    }

    /// The group at an index of [`Person::groups`].
    pub fn group_at(&self, index: GroupIndex) -> &DirectoryGroup {
        &self.groups[index.0 as usize]
    }
}

/// A group's position in [`Directory::groups`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct GroupIndex(pub u32);

/// A group of a directory. Its members are found from the people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectoryGroup {
    /// Its name.
    pub name: GroupName,
    /// Members it lists that are nobody.
    pub unmatched: Option<Box<Unmatched>>,
    /// Why members of it are known to be hidden, if they are: nobody's absence from it is proven.
    pub doubtful: Option<String>,
    /// The entries that share the name, where there are several.
    pub twins: Option<Box<Twins>>,
    /// `member` and `memberUid` name different people. All of them count.
    pub two_lists: Option<Box<TwoLists>>,
    /// Log-in names of the only people who can be meant by members that are nobody, or by those of
    /// a group that leads to this one: their absence is not proven.
    pub meant: BTreeSet<Login>,
}

impl DirectoryGroup {
    /// A group about which nothing is odd.
    pub fn named(name: impl Into<GroupName>) -> Self {
        Self {
            name: name.into(),
            unmatched: None,
            doubtful: None,
            twins: None,
            two_lists: None,
            meant: BTreeSet::new(),
        }
    }
}

/// Members of a group that are nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// How many.
    pub count: u32,
    /// Of how many that the group lists.
    pub listed: u32,
    /// One of them, as the group spells it or as it is compared.
    pub example: String,
    /// Why that one is nobody, as far as can be told.
    pub cause: Mismatch,
}

/// Why a member of a group is nobody; what tells most first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Mismatch {
    /// Somebody of that name in the first component is elsewhere now: they were moved, and the
    /// group still has the old name.
    Moved {
        /// The present distinguished name.
        to: String,
    },
    /// One of several log-in names of somebody, but not the one in their distinguished name.
    OtherLogin {
        /// The one that counts.
        counts: Login,
    },
    /// Where people are, but the search did not bring it.
    NotFound,
    /// Not below the place where people are looked for.
    Elsewhere {
        /// That place.
        people_base: String,
    },
    /// A distinguished name where a log-in name belongs.
    NameForLogin,
    /// Somebody's number where their log-in name belongs.
    NumberForLogin {
        /// Whose.
        login: Login,
    },
    /// Differs from somebody's log-in name in case only.
    Case {
        /// The log-in name as they have it.
        login: Login,
    },
    /// Nobody has that log-in name.
    NoSuchLogin,
}

/// Several entries with one group name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Twins {
    /// Their distinguished names, sorted.
    pub entries: Vec<String>,
    /// Members of some of them that are not members of all: enough for what harms nobody, but no
    /// reason to give what is privileged.
    pub partly: BTreeSet<StableId>,
}

/// `member` and `memberUid` of one group differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TwoLists {
    /// How many people are in one of them only.
    pub count: u32,
    /// One of them.
    pub example: Login,
}

/// An entry for somebody of whom nobody can tell who they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unclear {
    /// The entry, by its distinguished name.
    pub entry: String,
    /// What is stable about them, if it can be read.
    pub stable_id: Option<StableId>,
    /// Their log-in name, if it can be read.
    pub login: Option<Login>,
    /// Why it is unclear, as a sentence without a full stop.
    pub why: String,
}

/// One entry for a person, guest or role account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// What stays when they are renamed.
    pub stable_id: StableId,
    /// Their present log-in name.
    pub login: Login,
    /// Person, guest or role account.
    pub kind: PersonKind,
    /// What the directory says of their membership of the organisation.
    pub status: AccountStatus,
    /// The first day the account is no longer valid (`shadowExpire`), where one is set.
    pub expires: Option<Date>,
    /// By what the account is visibly locked: "password is locked". `None` also when that cannot
    /// be read.
    pub locked: Option<String>,
    /// A state, an expiry or a lock that is there and cannot be understood: "its `shadowExpire`".
    pub unreadable: Option<String>,
    /// Why it cannot be told which groups they are in, if so: nothing is given to them and nothing
    /// taken from them.
    pub unclear: Option<String>,
    /// Whether a key is registered (`keyFingerPrint`); `None` where the schema has no such notion.
    pub has_key: Option<bool>,
    /// Full name.
    pub display_name: Option<Private<String>>,
    /// Mail address.
    pub email: Option<Private<String>>,
    /// What else tells this person from others and outlives a renaming: ids besides the stable one
    /// that the server makes up, and registered keys. Whoever has none of what they had before is
    /// somebody else.
    pub other_ids: Box<[Private<String>]>,
    /// Every group the person is in, with the way that led there; sorted, each group once.
    /// Memberships that do not count (`group@host`) are not here.
    pub groups: Vec<Joined>,
}

/// Who an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum PersonKind {
    /// A member of the organisation.
    Person,
    /// Somebody let in for a while.
    Guest,
    /// A shared or technical account; never gets a user at a vendor.
    RoleAccount,
}

/// The state word of an entry, parsed. Of several values the worst counts, which is the largest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum AccountStatus {
    /// No state word, or `active`.
    Active,
    /// Announced on that day that they are leaving.
    Retiring(Date),
    /// A text this program does not know: they keep what they have, but get nothing new and
    /// nothing privileged.
    Unknown(String),
    /// Left, or died: the word that says so.
    Gone(String),
}

/// Why somebody is not plainly active, although they may have access.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caution {
    /// Their state is none this program knows.
    Status(String),
    /// A state, an expiry or a lock cannot be understood.
    Unreadable(String),
    /// They announced to leave.
    Retiring(Date),
    /// No key of theirs is registered.
    NoKey,
}

impl Caution {
    /// Whether it is a reason to give them nothing new at all. Whoever retires or has no key does
    /// without what is privileged; everything else is theirs as before.
    pub fn forbids_new(&self) -> bool {
        match self {
            Self::Status(_) | Self::Unreadable(_) => true,
            Self::Retiring(_) | Self::NoKey => false,
        }
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "the status `{status}` is not known"),
            Self::Unreadable(what) => write!(formatter, "{what} cannot be understood"),
            Self::Retiring(since) => write!(formatter, "retiring since {since}"),
            Self::NoKey => formatter.write_str("no key is registered"),
        }
    }
}

/// One group a person is in and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Joined {
    /// Which group.
    pub group: GroupIndex,
    /// How.
    pub via: Via,
}

/// The way a membership came about. Where several do, the first in this order is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Via {
    /// Named on the person or in the group.
    Direct,
    /// The person's primary group.
    Primary,
    /// Through membership of another group.
    Through(GroupIndex),
}

/// Something odd in a directory that does not make it unreadable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirectoryWarning {
    /// The entry, by its log-in name or group name, or a digest of its DN.
    pub entry: String,
    /// What is odd, as a sentence without a full stop.
    pub message: String,
}

/// Whether somebody may have access today.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Yes.
    Present,
    /// No: they left.
    Departed(String),
    /// No: their account is locked or has expired.
    Locked(String),
}

/// How long somebody who announced to leave keeps their access: userdir-ldap counts six months
/// of 31 days.
const RETIRING_DAYS: i64 = 6 * 31;

impl Person {
    /// Somebody plainly active, in no group, of whom nothing else is known.
    pub fn new(stable_id: impl Into<StableId>, login: impl Into<Login>) -> Self {
        Self {
            stable_id: stable_id.into(),
            login: login.into(),
            kind: PersonKind::Person,
            status: AccountStatus::Active,
            expires: None,
            locked: None,
            unreadable: None,
            unclear: None,
            has_key: None,
            other_ids: Box::default(),
            display_name: None,
            email: None,
            groups: Vec::new(),
        }
    }

    /// Every reason why the person is not plainly active; the gravest first. Whether they may have
    /// access at all is another question: [`Person::standing`].
    pub fn cautions(&self) -> impl Iterator<Item = Caution> {
        let (unknown, retiring) = match &self.status {
            AccountStatus::Active | AccountStatus::Gone(_) => (None, None),
            AccountStatus::Unknown(text) => (Some(Caution::Status(text.clone())), None),
            AccountStatus::Retiring(since) => (None, Some(Caution::Retiring(*since))),
        };
        let unreadable = self.unreadable.clone().map(Caution::Unreadable);
        let no_key = (self.has_key == Some(false)).then_some(Caution::NoKey);
        [unknown, unreadable, retiring, no_key].into_iter().flatten()
    }

    /// Whether the person may have access on that day.
    ///
    /// The account is expired *on* its `shadowExpire` day already: `pam_unix` compares with `>=`.
    pub fn standing(&self, today: Date) -> Standing {
        match &self.status {
            AccountStatus::Gone(word) => return Standing::Departed(format!("status is {word}")),
            AccountStatus::Retiring(since) => {
                let end = since.checked_add(RETIRING_DAYS.days()).unwrap_or(Date::MAX);
                if today >= end {
                    return Standing::Departed(format!("retiring since {since}, ended {end}"));
                }
            }
            AccountStatus::Active | AccountStatus::Unknown(_) => {}
        }
        if let Some(expired) = self.expires.filter(|expires| today >= *expires) {
            return Standing::Locked(format!("account expired on {expired}"));
        }
        if let Some(by) = &self.locked {
            return Standing::Locked(by.clone());
        }
        Standing::Present
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved { to } => write!(formatter, "that entry is {to} now"),
            Self::OtherLogin { counts } => {
                write!(formatter, "it is another log-in name of `{counts}`, which counts")
            }
            Self::NotFound => formatter.write_str(
                "it is where people are, but no search finds it: removed, no person by the \
                 schema and filter, or hidden from this bind",
            ),
            Self::Elsewhere { people_base } => write!(
                formatter,
                "it is not below `{people_base}`, where people are looked for (`people_base`)"
            ),
            Self::NameForLogin => {
                formatter.write_str("it is a distinguished name where a log-in name belongs")
            }
            Self::NumberForLogin { login } => {
                write!(formatter, "it is the number of `{login}` where the log-in name belongs")
            }
            Self::Case { login } => {
                write!(formatter, "it differs from the log-in name `{login}` in case only")
            }
            Self::NoSuchLogin => formatter.write_str("nobody has that log-in name"),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => formatter.write_str("present"),
            Self::Departed(why) => write!(formatter, "departed ({why})"),
            Self::Locked(why) => write!(formatter, "locked ({why})"),
        }
    }
}
