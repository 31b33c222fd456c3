//! People and groups as a directory tells them, after its schema's rules were applied.

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
    /// The password is visibly locked. `false` also when it cannot be read.
    pub password_locked: bool,
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

/// The state word of an entry, parsed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum AccountStatus {
    /// No state word.
    Active,
    /// Left.
    Inactive,
    /// Died.
    Memorial,
    /// Announced on that day that they are leaving.
    Retiring(Date),
    /// A word this program does not know: counts as active, with a warning.
    Unknown(String),
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
    /// Whether the person may have access on that day.
    ///
    /// The account is expired *on* its `shadowExpire` day already: `pam_unix` compares with `>=`.
    pub fn standing(&self, today: Date) -> Standing {
        match &self.status {
            AccountStatus::Inactive => return Standing::Departed("status is inactive".into()),
            AccountStatus::Memorial => return Standing::Departed("status is memorial".into()),
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
        if self.password_locked {
            return Standing::Locked("password is locked".into());
        }
        Standing::Present
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
