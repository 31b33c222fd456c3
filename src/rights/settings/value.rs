//! Changes of settings as values, which are also their JSON form.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{
    AccountName, DirectoryName, GroupRef, Kind, ObjectName, OrganisationName, ProjectName,
    ServiceAccountName, SinkName, Source,
};
use crate::rights::Proof;

/// How much a change matters to whoever reviews it. The order is that of reports.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Something that protects is weaker, somebody else decides who is who, or something means
    /// more.
    Dangerous,
    /// Something is different, and no rule tells whether it is weaker.
    #[default]
    Notable,
    /// Something protects more, or means less.
    Harmless,
}

/// A setting is another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SettingChange {
    /// How much it matters.
    pub weight: Weight,
    /// Which, and what it was and is.
    pub what: Setting,
    /// Where it was written; `None` where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Source>,
    /// Where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Source>,
}

/// A setting with what it was and what it is; `None` = there was, or is, none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Where the people of a directory come from, and what is understood of them.
    Directory {
        /// Which directory.
        directory: DirectoryName,
        /// Which setting of it.
        setting: DirectorySetting,
        /// What it was, as people write it.
        before: Option<String>,
        /// What it is.
        after: Option<String>,
    },
    /// A user no run takes anything from.
    Protected {
        /// Its name at vendors.
        user: ObjectName,
        /// Where; `None` = everywhere.
        account: Option<AccountName>,
        /// What it was.
        before: Option<Protection>,
        /// What it is.
        after: Option<Protection>,
    },
    /// How much one run may remove.
    Limit {
        /// Of which organisations.
        organisations: Vec<OrganisationName>,
        /// Also where an organisation has no limits of its own.
        all_others: bool,
        /// What is limited.
        of: Limited,
        /// How much it was.
        before: Amount,
        /// How much it is.
        after: Amount,
    },
    /// After how many days a suspended user is deleted.
    GraceDays {
        /// What it was.
        before: u32,
        /// What it is.
        after: u32,
    },
    /// Whether privileged roles need a registered key.
    PrivilegedNeedsKey {
        /// What it was.
        before: bool,
        /// What it is.
        after: bool,
    },
    /// Whether privileged roles are for the plainly active only.
    PrivilegedNeedsActive {
        /// What it was.
        before: bool,
        /// What it is.
        after: bool,
    },
    /// How many hours a saved plan may be applied.
    PlanValidHours {
        /// What it was.
        before: u32,
        /// What it is.
        after: u32,
    },
    /// Whether folders are restricted at all.
    FoldersRestricted {
        /// Whether they were.
        before: bool,
        /// Whether they are.
        after: bool,
    },
    /// What a folder of the inventory may define. Only the rights that differ.
    Folder {
        /// Which folder or file.
        path: String,
        /// What it could.
        before: Vec<FolderRight>,
        /// What it can.
        after: Vec<FolderRight>,
    },
    /// A name under which keys of service accounts may go somewhere.
    Sink {
        /// Which.
        sink: SinkName,
        /// What it was described as.
        before: Option<String>,
        /// What it is.
        after: Option<String>,
    },
    /// A project.
    Project {
        /// Which.
        project: ProjectName,
        /// What it was.
        before: Option<ProjectTerms>,
        /// What it is.
        after: Option<ProjectTerms>,
    },
    /// Who answers for a service account and how it proves who it is.
    ServiceAccount {
        /// Which.
        service: ServiceAccountName,
        /// What it was.
        before: Option<ServiceTerms>,
        /// What it is.
        after: Option<ServiceTerms>,
    },
}

/// A setting of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectorySetting {
    /// The file or server its people come from, or that it is retired.
    Origin,
    /// How entries are understood.
    Schema,
    /// Where in the tree everything is.
    Base,
    /// Where people are.
    PeopleBase,
    /// Where groups are.
    GroupsBase,
    /// The attribute by which a person stays the same.
    StableId,
    /// Ids that stand for somebody else since a day.
    Reissued,
    /// Which entries are people.
    PeopleFilter,
    /// Which entries are groups.
    GroupsFilter,
    /// Which words mean that somebody left.
    GoneWords,
    /// Which attributes lock somebody.
    LockedWhen,
    /// What is put before names at vendors.
    NamePrefix,
    /// What is made of log-in names at vendors.
    LoginMap,
    /// What is made of names of groups at vendors.
    GroupMap,
    /// Which certificates are trusted.
    Trust,
    /// As whom it is read, and where the password is.
    Bind,
    /// Whether a plain connection is made secure.
    StartTls,
    /// How many entries a page has.
    PageSize,
    /// How long connecting may take, in seconds.
    ConnectSeconds,
    /// How long an answer may take, in seconds.
    ReadSeconds,
    /// How often a broken connection is tried again.
    Attempts,
    /// `total_seconds`: how long reading may take in all.
    TotalSeconds,
    /// `most_megabytes`: how much of it may be kept.
    MostMegabytes,
}

/// How a user is protected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Protection {
    /// It is the way in when everything else fails.
    pub break_glass: bool,
    /// Why, in people's words.
    pub reason: String,
}

/// What a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limited {
    /// Objects of a kind at vendors.
    Kind(Kind),
    /// Access: people and accounts.
    Access,
    /// People of a directory between two readings.
    Directory,
}

/// At most `count` and at most `percent`, but always `floor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Amount {
    /// At most so many.
    pub count: u32,
    /// At most so many of each hundred.
    pub percent: u32,
    /// Always so many.
    pub floor: u32,
}

/// What a folder may define.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct FolderRight {
    /// Kinds of items, as written.
    pub define: BTreeSet<String>,
    /// Roles that may be granted.
    pub roles: BTreeSet<String>,
    /// Accounts on which.
    pub accounts: BTreeSet<String>,
    /// Projects on whose accounts.
    pub projects: BTreeSet<ProjectName>,
}

/// What a project is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ProjectTerms {
    /// The directory of its people.
    pub directory: Option<DirectoryName>,
    /// For people.
    pub description: String,
}

/// What a service account is, apart from where it has which role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ServiceTerms {
    /// The project it works for.
    pub project: Option<ProjectName>,
    /// The group that answers for it.
    pub owners: GroupRef,
    /// How it proves who it is.
    pub proof: Proof,
}
