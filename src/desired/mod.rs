//! Who should have what, and why: inventory, policies and directories taken together.
//!
//! Architecture invariant: pure. The same inputs give the same [`Desired`], sorted throughout.

mod hub;
mod mirrors;
mod roles;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

pub use mirrors::{DesiredMirror, DesiredPart, Wanted, mirrors};

use crate::inventory::{Grant, Inventory, ServiceAccount, ServiceIdentity, naming};
use crate::model::{
    Account, AccountName, Attachment, Directory, DirectoryName, GroupRef, GroupSpec, KeyRotation,
    Login, MirrorName, Missing, ObjectName, OrganisationName, Place, Reading, Reason, RoleName,
    RoleSpec, ServiceAccountName, StableId, Subject, UserSpec, VendorFacts, VendorName,
};
use crate::policies::Policies;

/// What should be, in every account of the inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// Users, groups and memberships of every hub. Of a vendor without users they are those of
    /// the system that vouches for people there: known, but nobody's to create.
    pub hubs: BTreeMap<Place, DesiredHub>,
    /// Roles and role bindings of every account, hubs included.
    pub accounts: BTreeMap<Place, DesiredAccount>,
    /// Where everybody of every directory stands today, for telling why somebody is not wanted.
    pub standings: HashMap<Subject, Standing>,
    /// The directories that were not read completely, with what is missing.
    pub incomplete: BTreeMap<DirectoryName, Vec<Missing>>,
    /// The directories that were not asked, because the run is about other organisations.
    pub unread: BTreeSet<DirectoryName>,
    /// The directories the inventory knows. Nothing is concluded about people of others.
    pub directories: Vec<DirectoryName>,
    /// Names at vendors of people whom their directory has and of whom it cannot be told who they
    /// are: a user of that name may be theirs, whomever its mark names.
    pub unclear_names: BTreeMap<DirectoryName, BTreeSet<ObjectName>>,
    /// Service accounts whose owners are of a group that the directory does not have (a finding
    /// says so): nothing of theirs is created, changed or removed.
    pub undecided: BTreeSet<ServiceAccountName>,
    /// What mirrors are made of, by account ([`mirrors()`]).
    pub mirrors: BTreeMap<Place, BTreeMap<MirrorName, DesiredMirror>>,
    /// Organisations of which the inventory names a group that its directory does not know (a
    /// finding says so), and which: while that stands nothing is taken away there for want of a
    /// grant, since the grant may be there and be misspelt.
    pub unknown: BTreeMap<OrganisationName, GroupRef>,
    /// Hubs that are none any more, and the accounts that were theirs, each under a name of its own,
    /// with the account of the inventory: nothing is wanted there, and what is there ends once those
    /// who are still wanted have what replaces it.
    pub former: BTreeMap<Place, Place>,
}

/// Where a person stands, as far as a plan needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// May have access.
    Present,
    /// The directory has them, and cannot show what would have to be known: nothing is given to
    /// them and nothing taken from them.
    Unclear(String),
    /// May not, and why.
    Absent(Reason),
}

/// What is neither given nor taken: it stays if it is there, and is not made if it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// People who get nothing new at all.
    pub people: HashMap<Subject, Reason>,
    /// (group, person): memberships that do not begin.
    pub memberships: HashMap<(Subject, Subject), Reason>,
}

impl Held {
    /// Why a person is not made a member of a group, if so.
    pub fn membership(&self, group: &Subject, person: &Subject) -> Option<&Reason> {
        // The common case costs nothing: there may be a million memberships.
        if self.people.is_empty() && self.memberships.is_empty() {
            return None;
        }
        let alone = || self.memberships.get(&(group.clone(), person.clone()));
        self.people.get(person).or_else(alone)
    }
}

/// What should be in a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredHub {
    /// The account.
    pub account: Account,
    /// Users, sorted by subject.
    pub users: Vec<DesiredUser>,
    /// Groups, sorted by subject.
    pub groups: Vec<DesiredGroup>,
    /// Memberships, sorted.
    pub memberships: Vec<DesiredMembership>,
    /// People kept out of a group they are in by a rule, and which.
    pub excluded: HashMap<(Subject, Subject), Reason>,
    /// What is wanted as far as it is there already.
    pub held: Held,
    /// Names of damaged users that are remembered as former log-in names of people.
    pub former_names: HashMap<Subject, BTreeSet<ObjectName>>,
}

/// A user that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredUser {
    /// Whom it stands for.
    pub subject: Subject,
    /// What it should be like.
    pub spec: UserSpec,
    /// Why.
    pub reasons: Arc<[Reason]>,
    /// Its name cannot be used (a finding says why): it is neither created nor renamed, but what
    /// exists of it stays.
    pub blocked: bool,
    /// The key this program issues to it and replaces; `None` for people, and for service accounts
    /// whose credentials people make.
    pub key: Option<KeyRotation>,
}

/// A group that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredGroup {
    /// What it stands for.
    pub subject: Subject,
    /// What it should be like.
    pub spec: GroupSpec,
    /// Why.
    pub reasons: Arc<[Reason]>,
    /// Its name cannot be used: neither created nor renamed.
    pub blocked: bool,
    /// The directory does not know it (a finding says so): who is in it is unknown, so nobody is
    /// added and nobody removed.
    pub frozen: bool,
    /// Members of it are hidden (a finding says so), and why: those who can be seen are added,
    /// nobody is removed.
    pub doubtful: Option<String>,
}

impl DesiredGroup {
    /// What is to blame where nobody may be removed from the group, if so.
    pub fn keeps_members(&self) -> Option<String> {
        let named = |group: &GroupRef, what: &str| {
            format!("directory {} ({what} group {})", group.directory, group.group)
        };
        let what = match &self.doubtful {
            _ if self.frozen => "without",
            Some(_) => "hidden members of",
            None => return None,
        };
        Some(match &self.subject {
            Subject::Group(group) => named(group, what),
            other => other.to_string(),
        })
    }
}

/// A membership that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredMembership {
    /// Index into [`DesiredHub::groups`].
    pub group: u32,
    /// Index into [`DesiredHub::users`].
    pub user: u32,
    /// Why.
    pub reasons: Arc<[Reason]>,
}

/// What should be in an account besides users and groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredAccount {
    /// The account.
    pub account: Account,
    /// Where its groups live.
    pub hub: Place,
    /// Role objects by what they stand for. Where roles are shared, the hub has all of them and
    /// no other account any.
    pub roles: BTreeMap<Subject, DesiredRole>,
    /// Which group has which role; of a vendor without users through a role object of its own.
    pub bindings: BTreeMap<(Subject, RoleName), Arc<[Reason]>>,
    /// Why a binding is no longer wanted, where the inventory still tells.
    pub ended: BTreeMap<(Subject, RoleName), Reason>,
}

/// A role that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredRole {
    /// What it should be like.
    pub spec: RoleSpec,
    /// What should be attached to it.
    pub attachments: BTreeSet<Attachment>,
    /// The identity provider it trusts, which must exist first.
    pub provider: Option<Subject>,
    /// Why.
    pub reasons: Arc<[Reason]>,
    /// Its name cannot be used.
    pub blocked: bool,
}

/// Everything a resolution looks at.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What people wrote.
    pub inventory: &'a Inventory,
    /// What roles mean.
    pub policies: &'a Policies,
    /// Who is in which group; an entry for every directory that was asked.
    pub directories: &'a BTreeMap<DirectoryName, Reading<Directory>>,
    /// Facts of every vendor.
    pub vendors: &'a [VendorFacts],
    /// The day for which to resolve.
    pub today: Date,
}

impl Inputs<'_> {
    /// The facts of a vendor; validation has made sure that there are some.
    fn facts(&self, vendor: &VendorName) -> Option<&VendorFacts> {
        self.vendors.iter().find(|facts| facts.name == *vendor)
    }

    /// Whether a directory was read completely and does not know a group.
    fn lacks(&self, group: &GroupRef) -> bool {
        let reading = self.directories.get(&group.directory);
        reading.is_some_and(Reading::is_complete) && self.not_found(group)
    }

    /// Whether a directory was read, however far, and a group not found.
    fn not_found(&self, group: &GroupRef) -> bool {
        let reading = self.directories.get(&group.directory);
        let reading = reading.filter(|_| !self.inventory.is_retired(&group.directory));
        reading.is_some_and(|reading| reading.got().group(&group.group).is_none())
    }

    /// The name a person's user has. The inventory defines every directory that is read.
    fn user_name(&self, directory: &DirectoryName, login: &Login) -> ObjectName {
        self.inventory
            .directories
            .get(directory)
            .map_or_else(|| login.as_str().into(), |config| naming::user_name(config, login))
    }

    /// The name the group of a directory's group has.
    fn group_name(&self, group: &GroupRef) -> ObjectName {
        self.inventory.directories.get(&group.directory).map_or_else(
            || group.group.as_str().into(),
            |config| naming::group_name(config, &group.group),
        )
    }
}

/// One entitlement of the inventory that holds today or has ended: a group or service account has
/// a role in an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entitlement<'a> {
    pub(crate) holder: Holder<'a>,
    pub(crate) role: &'a RoleName,
    pub(crate) account: &'a AccountName,
}

/// Who holds an entitlement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder<'a> {
    Group(&'a Grant),
    Service(&'a ServiceAccount),
}

impl Holder<'_> {
    /// The subject of the group the role is attached to.
    pub(crate) fn group(&self) -> Subject {
        match self {
            Self::Group(grant) => Subject::Group(grant.group.clone()),
            Self::Service(service) => Subject::ServiceGroup(service.name.clone()),
        }
    }

    /// Whether it is jobs of a forge, who need neither user nor group.
    pub(crate) fn is_forge(&self) -> bool {
        match self {
            Self::Group(_) => false,
            Self::Service(service) => matches!(service.identity, ServiceIdentity::Forge(_)),
        }
    }

    fn until(&self) -> Option<Date> {
        match self {
            Self::Group(grant) => grant.until,
            Self::Service(service) => service.until,
        }
    }

    fn source(&self) -> &crate::model::Source {
        match self {
            Self::Group(grant) => &grant.source,
            Self::Service(service) => &service.source,
        }
    }

    /// Whether it holds on that day: `until` is the first day without it.
    pub(crate) fn holds(&self, today: Date) -> bool {
        self.until().is_none_or(|until| today < until)
    }

    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Group(grant) => Reason::Grant {
                group: grant.group.clone(),
                role: grant.role.clone(),
                source: grant.source.clone(),
                note: grant.reason.clone(),
            },
            Self::Service(service) => Reason::ServiceAccount {
                source: service.source.clone(),
                note: service.reason.clone(),
            },
        }
    }
}

/// Every entitlement the inventory states, ended ones included, in the order of the inventory.
pub(crate) fn entitlements(inventory: &Inventory) -> impl Iterator<Item = Entitlement<'_>> {
    let grants = inventory.grants.iter().flat_map(|grant| {
        grant.accounts.iter().map(move |account| Entitlement {
            holder: Holder::Group(grant),
            role: &grant.role,
            account,
        })
    });
    let services = inventory.service_accounts.values().flat_map(|service| {
        service.accounts.iter().map(move |account| Entitlement {
            holder: Holder::Service(service),
            role: &service.role,
            account,
        })
    });
    grants.chain(services)
}

/// Works out who should have what.
///
/// Guarantees: pure, linear in people and memberships, sorted; a person is wanted in a hub exactly
/// when they may have access and are in a group that holds a role in an account of that hub.
pub fn resolve(inputs: &Inputs<'_>) -> Desired {
    let mut by_account: BTreeMap<&AccountName, Vec<Entitlement<'_>>> = BTreeMap::new();
    for entitlement in entitlements(inputs.inventory) {
        by_account.entry(entitlement.account).or_default().push(entitlement);
    }
    let mut desired = Desired {
        standings: standings(inputs),
        incomplete: incomplete(inputs),
        unread: unread(inputs),
        directories: inputs.inventory.directories.keys().cloned().collect(),
        undecided: undecided(inputs),
        unclear_names: unclear_names(inputs),
        unknown: unknown(inputs),
        ..Desired::default()
    };
    let mut by_hub: BTreeMap<&AccountName, Vec<Entitlement<'_>>> = BTreeMap::new();
    for (name, entry) in &inputs.inventory.accounts {
        let account = &entry.account;
        let mut entitlements = by_account.remove(name).unwrap_or_default();
        if entry.retired {
            entitlements.clear();
        }
        let wanted = roles::resolve(inputs, account, &entitlements);
        desired.accounts.insert(account.place.clone(), wanted);
        by_hub.entry(&account.hub).or_default().extend(
            entitlements
                .into_iter()
                .filter(|one| !one.holder.is_forge() && one.holder.holds(inputs.today)),
        );
    }
    for (name, entitlements) in by_hub {
        if let Some(entry) = inputs.inventory.accounts.get(name) {
            let hub = hub::resolve(inputs, &entry.account, &entitlements, &desired.standings);
            desired.hubs.insert(entry.account.place.clone(), hub);
        }
    }
    share_roles(inputs, &mut desired);
    for wanted in desired.accounts.values_mut() {
        if let Some(facts) = inputs.facts(&wanted.account.vendor) {
            roles::block_names(wanted, facts);
        }
    }
    desired
}

/// Where a role is one object for all accounts, the hub has it.
fn share_roles(inputs: &Inputs<'_>, desired: &mut Desired) {
    let mut shared: BTreeMap<Place, BTreeMap<Subject, DesiredRole>> = BTreeMap::new();
    for wanted in desired.accounts.values_mut() {
        if inputs.facts(&wanted.account.vendor).is_some_and(|facts| facts.shared_roles) {
            let roles = std::mem::take(&mut wanted.roles);
            shared.entry(wanted.hub.clone()).or_default().extend(roles);
        }
    }
    for (hub, roles) in shared {
        if let Some(wanted) = desired.accounts.get_mut(&hub) {
            wanted.roles = roles;
        }
    }
}

fn standings(inputs: &Inputs<'_>) -> HashMap<Subject, Standing> {
    let people = inputs.directories.values().map(|reading| reading.got().people.len()).sum();
    let mut standings = HashMap::with_capacity(people);
    for (name, reading) in inputs.directories {
        let subject =
            |id: &StableId| Subject::Person { directory: name.clone(), stable_id: id.clone() };
        for one in &reading.got().unclear {
            if let Some(id) = &one.stable_id {
                standings.insert(subject(id), Standing::Unclear(one.why.clone()));
            }
        }
        for person in &reading.got().people {
            let subject = subject(&person.stable_id);
            let standing = match person.standing(inputs.today) {
                crate::model::Standing::Present if person.unclear.is_some() => {
                    Standing::Unclear(person.unclear.clone().unwrap_or_default())
                }
                crate::model::Standing::Present => Standing::Present,
                gone
                @ (crate::model::Standing::Departed(_) | crate::model::Standing::Locked(_)) => {
                    let why = gone.to_string();
                    Standing::Absent(Reason::Gone { subject: subject.clone(), why })
                }
            };
            standings.insert(subject, standing);
        }
    }
    standings
}

fn unclear_names(inputs: &Inputs<'_>) -> BTreeMap<DirectoryName, BTreeSet<ObjectName>> {
    let readings = inputs.directories.iter().filter(|(_, one)| !one.got().unclear.is_empty());
    readings
        .map(|(name, reading)| {
            let logins = reading.got().unclear.iter().filter_map(|one| one.login.as_ref());
            (name.clone(), logins.map(|login| inputs.user_name(name, login)).collect())
        })
        .collect()
}

fn incomplete(inputs: &Inputs<'_>) -> BTreeMap<DirectoryName, Vec<Missing>> {
    inputs
        .directories
        .iter()
        .filter(|(_, reading)| !reading.is_complete())
        .map(|(name, reading)| (name.clone(), reading.missing().to_vec()))
        .collect()
}

fn unread(inputs: &Inputs<'_>) -> BTreeSet<DirectoryName> {
    let asked = |name: &&DirectoryName| inputs.directories.contains_key(*name);
    inputs.inventory.directories.keys().filter(|name| !asked(name)).cloned().collect()
}

/// What has ended ends, whoever owned it.
fn undecided(inputs: &Inputs<'_>) -> BTreeSet<ServiceAccountName> {
    let services = inputs.inventory.service_accounts.values();
    services
        .filter(|one| Holder::Service(one).holds(inputs.today) && inputs.lacks(&one.owners))
        .map(|one| one.name.clone())
        .collect()
}

/// The first group of each organisation that was not found in its directory, also where that was
/// not completely read: then it may be there, or not.
fn unknown(inputs: &Inputs<'_>) -> BTreeMap<OrganisationName, GroupRef> {
    let inventory = inputs.inventory;
    let grants =
        entitlements(inventory).filter(|one| one.holder.holds(inputs.today)).filter_map(|one| {
            let entry = inventory.accounts.get(one.account).filter(|entry| !entry.retired)?;
            let group = match one.holder {
                Holder::Group(grant) => &grant.group,
                Holder::Service(service) => &service.owners,
            };
            Some((&entry.account.place.organisation, group))
        });
    let administrators = inventory.accounts.values().filter(|entry| !entry.retired);
    let administrators = administrators.filter_map(|entry| {
        Some((&entry.account.place.organisation, &entry.administrators.as_ref()?.group))
    });
    let mut unknown: BTreeMap<OrganisationName, GroupRef> = BTreeMap::new();
    for (organisation, group) in grants.chain(administrators) {
        let known = unknown.get(organisation);
        if known.is_none_or(|known| group < known) && inputs.not_found(group) {
            unknown.insert(organisation.clone(), group.clone());
        }
    }
    unknown
}

/// The group of a subject that stands for one.
pub(crate) fn group_ref(subject: &Subject) -> Option<&GroupRef> {
    match subject {
        Subject::Group(group) => Some(group),
        Subject::Person { .. }
        | Subject::Role(_)
        | Subject::Service(_)
        | Subject::ServiceGroup(_)
        | Subject::Held { .. }
        | Subject::IdentityProvider(_)
        | Subject::Part { .. } => None,
    }
}
