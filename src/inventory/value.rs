//! The inventory after validation: every name resolved, every default filled in.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::directory::{DirectoryConfig, Origin};
use crate::model::{
    Account, AccountName, DirectoryName, Federation, GroupRef, KeyRotation, Login,
    OrganisationName, ProjectName, RoleName, ServiceAccountName, Source,
};

/// What people wrote, valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Organisations by name.
    pub organisations: BTreeMap<OrganisationName, Organisation>,
    /// Projects by name.
    pub projects: BTreeMap<ProjectName, Project>,
    /// Directories by name.
    pub directories: BTreeMap<DirectoryName, DirectoryConfig>,
    /// Accounts of all organisations by name.
    pub accounts: BTreeMap<AccountName, AccountEntry>,
    /// Grants, sorted by source.
    pub grants: Vec<Grant>,
    /// Service accounts by name.
    pub service_accounts: BTreeMap<ServiceAccountName, ServiceAccount>,
}

impl Inventory {
    /// Whether a directory is gone for good.
    pub fn is_retired(&self, directory: &DirectoryName) -> bool {
        self.directories.get(directory).is_some_and(|config| config.origin == Origin::Retired)
    }
}

/// Who owns accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its name.
    pub name: OrganisationName,
    /// Who administers its accounts, unless an account says otherwise.
    pub administrators: Option<Administrators>,
    /// Where it is written.
    pub source: Source,
}

/// Who administers an account. The guard keeps them from being locked out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Administrators {
    /// The group whose members are administrators.
    pub group: GroupRef,
    /// How many must remain after any run. At least 1, by default 2.
    pub minimum: u32,
    /// People (of the group's directory) who must remain whatever the directory says.
    pub required: Vec<Login>,
    /// Where it is written.
    pub source: Source,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its name.
    pub name: ProjectName,
    /// Whose people it is about.
    pub directory: Option<DirectoryName>,
    /// For people.
    pub description: String,
    /// Where it is written.
    pub source: Source,
}

/// An account with what only people read about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEntry {
    /// What the engine needs.
    pub account: Account,
    /// Its administrators: its own or the organisation's.
    pub administrators: Option<Administrators>,
    /// It is given up: nothing of ours should be there.
    pub retired: bool,
    /// Who pays.
    pub sponsor: Option<String>,
    /// Whom to ask.
    pub contacts: Vec<String>,
    /// What the sponsor asks in return or forbids.
    pub constraints: Vec<String>,
}

/// A group gets a role in accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub group: GroupRef,
    /// What.
    pub role: RoleName,
    /// Where; sorted, each once, never empty.
    pub accounts: Vec<AccountName>,
    /// Why, in people's words.
    pub reason: String,
    /// The first day without it.
    pub until: Option<Date>,
    /// Where it is written.
    pub source: Source,
}

/// How a machine proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceIdentity {
    /// It has a user at the vendor, whose credentials people make.
    User,
    /// It has a user at the vendor, whose key this program issues and rotates.
    Key(KeyRotation),
    /// It is jobs of a forge; nothing secret is stored anywhere.
    Forge(Federation),
}

/// A machine's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its name.
    pub name: ServiceAccountName,
    /// The project it works for.
    pub project: Option<ProjectName>,
    /// The group that answers for it.
    pub owners: GroupRef,
    /// The role it has.
    pub role: RoleName,
    /// Where it has it; sorted, each once, never empty.
    pub accounts: Vec<AccountName>,
    /// Why, in people's words.
    pub reason: String,
    /// The first day without it.
    pub until: Option<Date>,
    /// How it proves who it is.
    pub identity: ServiceIdentity,
    /// Where it is written.
    pub source: Source,
}
