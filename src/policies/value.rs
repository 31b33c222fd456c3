//! Policies after validation.

use std::collections::BTreeMap;

use crate::model::{
    AccountName, AttributeName, AttributeValue, Kind, ObjectName, OrganisationName, ProjectName,
    RoleName, SinkName, Source, VendorName,
};

/// What a role means and what a run may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    /// Roles by name.
    pub roles: BTreeMap<RoleName, Role>,
    /// Removal limits where an organisation has none of its own.
    pub limits: Limits,
    /// Removal limits of single organisations.
    pub organisation_limits: BTreeMap<OrganisationName, Limits>,
    /// Objects no run may take anything from.
    pub protected: Vec<Protected>,
    /// Which folder may define what. Empty = no restriction.
    pub rights: Vec<Right>,
    /// Days between suspending and deleting a user. By default 30.
    pub grace_days: u32,
    /// Privileged roles need a registered key, where the directory knows of keys. By default on.
    pub privileged_needs_key: bool,
    /// Privileged roles are for the plainly active: nobody whose state is unknown, cannot be
    /// understood, or says that they are leaving. By default on.
    pub privileged_needs_active: bool,
    /// How long a saved plan may be applied, in hours. By default 24.
    pub plan_valid_hours: u32,
    /// Places for new keys of service accounts, by name.
    pub sinks: BTreeMap<SinkName, Sink>,
    /// Where single settings are written, for those that show a change of them.
    pub sources: PolicySources,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            roles: BTreeMap::new(),
            limits: Limits::default(),
            organisation_limits: BTreeMap::new(),
            protected: Vec::new(),
            rights: Vec::new(),
            grace_days: 30,
            privileged_needs_key: true,
            privileged_needs_active: true,
            plan_valid_hours: 24,
            sinks: BTreeMap::new(),
            sources: PolicySources::default(),
        }
    }
}

/// Where settings that are no items of a list are written; what is not written has no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySources {
    /// Limits: of an organisation or of all others.
    pub limits: BTreeMap<(Option<OrganisationName>, LimitOf), Source>,
    /// `grace_days`.
    pub grace_days: Option<Source>,
    /// `privileged_needs_key`.
    pub privileged_needs_key: Option<Source>,
    /// `privileged_needs_active`.
    pub privileged_needs_active: Option<Source>,
    /// `plan_valid_hours`.
    pub plan_valid_hours: Option<Source>,
}

/// What a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitOf {
    /// Objects of a kind.
    Kind(Kind),
    /// Access: people and accounts.
    Access,
    /// People of a directory between two readings.
    Directory,
}

impl LimitOf {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().map(Self::Kind).chain([Self::Access, Self::Directory])
    }
}

impl PolicySources {
    /// Where the limit that holds for an organisation is written.
    pub fn limit(&self, organisation: Option<&OrganisationName>, of: LimitOf) -> Option<&Source> {
        let own = organisation.and_then(|name| self.limits.get(&(Some(name.clone()), of)));
        own.or_else(|| self.limits.get(&(None, of)))
    }
}

impl Policies {
    /// The roles with which one could do serious harm.
    pub fn privileged_roles(&self) -> Vec<&RoleName> {
        self.roles.values().filter(|role| role.privileged).map(|role| &role.name).collect()
    }

    /// The limits that hold for an organisation.
    pub fn limits_of(&self, organisation: &OrganisationName) -> &Limits {
        self.organisation_limits.get(organisation).unwrap_or(&self.limits)
    }
}

/// What a role means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// For people.
    pub description: String,
    /// Whoever holds it could do serious harm.
    pub privileged: bool,
    /// What it means at each vendor.
    pub means: BTreeMap<VendorName, BTreeMap<AttributeName, AttributeValue>>,
    /// Where it is written.
    pub source: Source,
}

/// A place for new keys of service accounts. Where it is, the operator's file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// For people.
    pub description: String,
    /// Where it is written.
    pub source: Source,
}

/// How much one run may remove in one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Per kind of object; every kind has an entry.
    pub kinds: BTreeMap<Kind, Limit>,
    /// How much access may be taken by changes of roles, role bindings and groups; one person in
    /// one account is one access.
    pub access: Limit,
    /// How far the number of present people of a directory may fall between two complete reads.
    pub directory: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            kinds: Kind::ALL.into_iter().map(|kind| (kind, Limit::default())).collect(),
            access: Limit::of_access(),
            directory: Limit::default(),
        }
    }
}

/// A bound on removals: at most `count` and at most `percent` of what there is, but `floor` is
/// always allowed, so that a small set is not stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// At most so many.
    pub count: u32,
    /// At most so many of each hundred, rounded down.
    pub percent: u32,
    /// Always so many.
    pub floor: u32,
}

impl Default for Limit {
    fn default() -> Self {
        Self { count: 20, percent: 10, floor: 2 }
    }
}

impl Limit {
    /// The usual limit on access: a small group is not stuck.
    pub fn of_access() -> Self {
        Self { floor: 5, ..Self::default() }
    }

    /// How many removals are allowed where there are `existing` objects.
    pub fn allowed(self, existing: u64) -> u64 {
        let share = existing.saturating_mul(u64::from(self.percent)) / 100;
        u64::from(self.floor).max(share.min(u64::from(self.count)))
    }
}

/// Something no run may take anything from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The user's name at the vendor (compared as the vendor compares names).
    pub user: ObjectName,
    /// Only in this account; `None` = in all.
    pub account: Option<AccountName>,
    /// The account is the way in when everything else fails.
    pub break_glass: bool,
    /// Why, in people's words.
    pub reason: String,
    /// Where it is written.
    pub source: Source,
}

/// Which folder of the inventory may define what.
///
/// Once there is at least one right, a grant or service account is allowed only where a right
/// whose folder contains its file covers its role and every one of its accounts; other items only
/// where such a right lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// Folder or file below the root, with `/`: `inventory/debian`.
    pub path: String,
    /// Kinds of items that may be defined there.
    pub define: Vec<ItemKind>,
    /// Roles that may be granted (`*` matches any text).
    pub roles: Vec<String>,
    /// Accounts on which they may be granted (`*` matches any text).
    pub accounts: Vec<String>,
    /// Projects whose accounts they may be granted on.
    pub projects: Vec<ProjectName>,
    /// Where it is written.
    pub source: Source,
}

/// Kinds of items of the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// Organisations with their accounts.
    Organisations,
    /// Projects.
    Projects,
    /// Directories.
    Directories,
    /// Grants.
    Grants,
    /// Service accounts.
    ServiceAccounts,
}
