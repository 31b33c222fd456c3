//! Reading everything: directories first, then all accounts at once.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::Timestamp;
use jiff::civil::Date;

use super::credentials::credentials;
use super::former::{self, Former};
use super::known::{Forgotten, Known};
use super::prepare::Left;
use super::time::Shown;
use crate::cloud::{Connection, Vendor};
use crate::desired::{self, Desired, Inputs};
use crate::directory;
use crate::guard::Clocks;
use crate::inventory::{AccountEntry, Inventory};
use crate::mirrors::Topology;
use crate::model::{
    Account, Attachment, Directory, DirectoryName, Doubt, Missing, ObservedAccount,
    OrganisationName, Place, Reading, ResourceKind, Site, VendorFacts,
};
use crate::plan::{DiffInputs, Observations, credentials_needed};
use crate::policies::Policies;

/// How many accounts are read at once.
pub(super) const ACCOUNTS_AT_ONCE: usize = 16;

/// How long the reading of one account may take before it counts as incomplete.
pub(super) const ACCOUNT_TIME: Duration = Duration::from_mins(15);

/// What a run is about and where it looks.
pub struct Sources<'a> {
    /// What people wrote.
    pub inventory: &'a Inventory,
    /// What roles mean.
    pub policies: &'a Policies,
    /// Which mirrors there should be.
    pub topology: &'a Topology,
    /// The clouds.
    pub vendors: &'a [Arc<dyn Vendor>],
    /// Only these organisations; empty = all.
    pub organisations: BTreeSet<OrganisationName>,
    /// What the directories may reach.
    pub access: directory::Access<'a>,
    /// The day for which to plan.
    pub today: Date,
}

/// Everything that was read.
pub struct Gathered {
    /// Who is in which group.
    pub directories: BTreeMap<DirectoryName, Reading<Directory>>,
    /// Who should have what.
    pub desired: Desired,
    /// What is.
    pub observations: Observations,
    /// What is in accounts that the inventory does not name any more ([`gather_forgotten`]).
    pub forgotten: Vec<(Forgotten, Reading<ObservedAccount>)>,
    /// Hubs that are none any more, and the accounts that were theirs.
    pub(super) former: Vec<Former>,
    /// For changing it.
    pub connections: BTreeMap<Place, Connection>,
    /// Facts of every vendor.
    pub facts: Vec<VendorFacts>,
    /// The inventory with what its settings point to, where any point elsewhere.
    pub(super) completed: Option<Inventory>,
    /// What clocks say. [`gather`] reads no clock of this machine: `None` until whoever knows the
    /// time has said so with [`Gathered::at`].
    pub clocks: Option<Clocks>,
    /// What vendors' answers and directories showed of the time.
    shown: Shown,
    /// How long the directories took.
    pub directories_took: Duration,
    /// How long the accounts took.
    pub accounts_took: Duration,
}

/// Reads the directories and accounts a run is about.
///
/// Never fails: what cannot be read is a partial reading.
pub async fn gather(sources: &Sources<'_>) -> Gathered {
    let facts: Vec<VendorFacts> =
        sources.vendors.iter().map(|vendor| vendor.facts().clone()).collect();
    let began = tokio::time::Instant::now();
    let directories = read_directories(sources).await;
    let directories_took = began.elapsed();
    let read_at = tokio::time::Instant::now();
    let (completed, unfetched) = complete(sources).await;
    let inventory = completed.as_ref().unwrap_or(sources.inventory);
    let desired = desired::resolve(&Inputs {
        inventory,
        policies: sources.policies,
        directories: &directories,
        vendors: &facts,
        today: sources.today,
    });
    let began = tokio::time::Instant::now();
    let mut gathered = Gathered {
        directories,
        desired,
        observations: Observations::default(),
        forgotten: Vec::new(),
        former: Vec::new(),
        connections: BTreeMap::new(),
        facts,
        completed: None,
        clocks: None,
        shown: Shown::default(),
        directories_took,
        accounts_took: Duration::ZERO,
    };
    // Hubs first: what is known of a hub may be of use to its other accounts.
    let mut wanted: Vec<&Account> = accounts(sources).map(|entry| &entry.account).collect();
    wanted.sort_by_key(|account| !account.is_hub());
    let readings = wanted.into_iter().map(|account| {
        let site = site(sources, account);
        async move { observe(sources, &site).await }
    });
    let mut readings = stream::iter(readings).buffer_unordered(ACCOUNTS_AT_ONCE);
    while let Some((place, connection, reading)) = readings.next().await {
        let reading = match unfetched.get(&place) {
            Some(missing) => {
                let (got, mut all) = reading.into_parts();
                all.push(missing.clone());
                Reading::from_parts(got, all)
            }
            None => reading,
        };
        gathered.observations.accounts.insert(place.clone(), reading);
        if let Some(connection) = connection {
            gathered.connections.insert(place, connection);
        }
    }
    drop(readings);
    former::gather(sources, &mut gathered).await;
    gathered.completed = completed;
    read_credentials(sources, &mut gathered).await;
    look_up_attachments(&mut gathered).await;
    read_parts(sources, &mut gathered).await;
    gathered.accounts_took = began.elapsed();
    gathered.shown = Shown::of(sources.vendors, &gathered.directories, read_at.elapsed());
    gathered
}

/// Looks at the accounts that the inventory does not name any more: what of ours is left there
/// would otherwise stay for ever, and nobody would know.
pub async fn gather_forgotten(sources: &Sources<'_>, known: &Known, gathered: &mut Gathered) {
    let forgotten = known.forgotten(sources);
    let known: Vec<&Account> = forgotten.iter().map(|one| &one.account).collect();
    let named = || sources.inventory.accounts.values().map(|entry| &entry.account);
    let mut readings = Vec::new();
    for one in &forgotten {
        let account = &one.account;
        let same_organisation =
            |other: &&Account| other.place.organisation == account.place.organisation;
        let all = named().chain(known.iter().copied()).filter(same_organisation);
        let hub = all.clone().find(|other| other.place.account == account.hub);
        let site = Site {
            account,
            hub: hub.unwrap_or(account),
            accounts: all.filter(|other| other.hub == account.hub).collect(),
        };
        readings.push(async move { observe(sources, &site).await });
    }
    let readings: Vec<_> = stream::iter(readings).buffered(ACCOUNTS_AT_ONCE).collect().await;
    let readings = readings.into_iter().map(|(_, _, reading)| reading);
    gathered.forgotten = forgotten.iter().cloned().zip(readings).collect();
    let bound = gathered.forgotten.iter().flat_map(|(one, reading)| {
        let groups = reading.got().bindings.iter().map(|binding| &binding.group);
        groups.map(|group| (group.clone(), one.account.place.clone()))
    });
    gathered.observations.forgotten = bound.collect();
}

impl Gathered {
    /// Says what time it is on this machine, right after the reading, and when the last run was.
    #[must_use]
    pub fn at(mut self, now: Timestamp, last_run: Option<Timestamp>) -> Self {
        let Shown { others, past } = self.shown.clone();
        self.clocks = Some(Clocks { now, others, past, last_run });
        self
    }

    /// The accounts that the inventory does not name any more and in which nothing of ours is left.
    pub(super) fn empty_and_forgotten(&self) -> impl Iterator<Item = &Account> {
        self.forgotten
            .iter()
            .filter(|(_, reading)| reading.is_complete() && Left::of(reading.got()).is_nothing())
            .map(|(one, _)| &one.account)
    }
}

/// The inventory with what its settings point to, if any point elsewhere; and what could not be
/// fetched.
async fn complete(sources: &Sources<'_>) -> (Option<Inventory>, BTreeMap<Place, Missing>) {
    let mut completed: Option<Inventory> = None;
    let mut missing = BTreeMap::new();
    for entry in accounts(sources) {
        let account = &entry.account;
        let vendor = sources.vendors.iter().find(|vendor| vendor.facts().name == account.vendor);
        let Some(vendor) = vendor else { continue };
        let Some(server) = vendor.fetches_from(account) else { continue };
        let permit = match sources.access.operator.permit_fetching(&server) {
            Ok(permit) => permit,
            Err(denied) => {
                let why = denied.to_string();
                missing.insert(account.place.clone(), Missing::new("settings", why));
                continue;
            }
        };
        let why = match bounded(vendor.fetch(account, &permit)).await {
            Ok(Ok(fetched)) if fetched.is_empty() => continue,
            Ok(Ok(fetched)) => {
                let completed = completed.get_or_insert_with(|| sources.inventory.clone());
                if let Some(entry) = completed.accounts.get_mut(&account.place.account) {
                    entry.account.settings.extend(fetched);
                }
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(why) => why,
        };
        missing.insert(account.place.clone(), Missing::new("settings", why));
    }
    (completed, missing)
}

/// The accounts a run is about: all of its organisations, because what hangs on a hub's groups
/// may be in any of them.
pub(super) fn accounts<'a>(sources: &'a Sources<'_>) -> impl Iterator<Item = &'a AccountEntry> {
    sources.inventory.accounts.values().filter(|entry| {
        sources.organisations.is_empty()
            || sources.organisations.contains(&entry.account.place.organisation)
    })
}

async fn read_directories(sources: &Sources<'_>) -> BTreeMap<DirectoryName, Reading<Directory>> {
    let wanted = directories_needed(sources);
    let readings =
        sources.inventory.directories.iter().filter(|(name, _)| wanted.contains(*name)).map(
            |(name, config)| async move {
                (name.clone(), directory::read(config, sources.access).await)
            },
        );
    stream::iter(readings).buffer_unordered(ACCOUNTS_AT_ONCE).collect().await
}

/// The directories whose people have to do with the organisations of a run: a server that is
/// down does not disturb a run that is not about it.
fn directories_needed(sources: &Sources<'_>) -> BTreeSet<DirectoryName> {
    let inventory = sources.inventory;
    if sources.organisations.is_empty() {
        return inventory.directories.keys().cloned().collect();
    }
    let places: BTreeSet<_> = accounts(sources).map(|entry| &entry.account.place.account).collect();
    let grants = inventory
        .grants
        .iter()
        .filter(|grant| grant.accounts.iter().any(|account| places.contains(account)))
        .map(|grant| &grant.group.directory);
    let services = inventory
        .service_accounts
        .values()
        .filter(|service| service.accounts.iter().any(|account| places.contains(account)))
        .map(|service| &service.owners.directory);
    let administrators = accounts(sources)
        .filter_map(|entry| entry.administrators.as_ref())
        .map(|administrators| &administrators.group.directory);
    grants.chain(services).chain(administrators).cloned().collect()
}

/// An account with its hub and the others of that hub.
fn site<'a>(sources: &'a Sources<'_>, account: &'a Account) -> Site<'a> {
    let all = || sources.inventory.accounts.values().map(|entry| &entry.account);
    let hub = all().find(|other| other.place.account == account.hub).unwrap_or(account);
    Site { account, hub, accounts: all().filter(|other| other.hub == account.hub).collect() }
}

pub(super) async fn observe(
    sources: &Sources<'_>,
    site: &Site<'_>,
) -> (Place, Option<Connection>, Reading<ObservedAccount>) {
    let account = site.account;
    let place = account.place.clone();
    let nothing = |why: String| {
        Reading::partial(ObservedAccount::default(), Missing::new(format!("account {place}"), why))
    };
    let vendor = sources.vendors.iter().find(|vendor| vendor.facts().name == account.vendor);
    let Some(vendor) = vendor else {
        let reading = nothing(format!("there is no vendor {}", account.vendor));
        return (account.place.clone(), None, reading);
    };
    let connection = match bounded(vendor.connect(site)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return (place.clone(), None, nothing(error.to_string())),
        Err(why) => return (place.clone(), None, nothing(format!("not connected: {why}"))),
    };
    let reading = bounded(connection.observe.observe())
        .await
        .unwrap_or_else(|why| nothing(format!("not read: {why}")));
    tracing::info!(%place, complete = reading.is_complete(), "account read");
    (place, Some(connection), reading)
}

/// One account that takes for ever, or a bug that only it brings to light, is not the end of a
/// run that is about others as well.
async fn bounded<T>(work: impl Future<Output = T>) -> Result<T, String> {
    within(ACCOUNT_TIME, work).await
}

/// The same, with what is left of that time.
pub(super) async fn within<T>(left: Duration, work: impl Future<Output = T>) -> Result<T, String> {
    let work = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(left, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err("a bug in this program made it panic, see above".to_owned()),
        Err(_) => Err(format!("no answer within {} minutes", ACCOUNT_TIME.as_secs() / 60)),
    }
}

/// Whether what is to be attached to roles for the first time exists at all: what it would replace
/// is not taken off for a slip of the pen.
async fn look_up_attachments(gathered: &mut Gathered) {
    let connections = &gathered.connections;
    let mut asked = Vec::new();
    for (place, wanted) in &gathered.desired.accounts {
        let Some(reading) = gathered.observations.accounts.get(place) else { continue };
        let seen: BTreeSet<&Attachment> =
            reading.got().attachments.iter().map(|held| &held.attachment).collect();
        let roles = wanted.roles.values().flat_map(|role| &role.attachments);
        // Those with content, too: of some it is the content that names an object of its own.
        let new: BTreeSet<&Attachment> = roles.filter(|one| !seen.contains(one)).collect();
        let Some(connection) = connections.get(place).filter(|_| !new.is_empty()) else { continue };
        let new: Vec<Attachment> = new.into_iter().cloned().collect();
        asked.push(async move {
            let doubtful = bounded(connection.observe.doubtful_attachments(&new)).await;
            let doubtful = doubtful.unwrap_or_else(|why| {
                new.iter().map(|one| (one.clone(), Doubt::Untold(why.clone()))).collect()
            });
            (place.clone(), doubtful.into_iter().collect())
        });
    }
    let answers: Vec<(Place, BTreeMap<Attachment, Doubt>)> =
        stream::iter(asked).buffer_unordered(ACCOUNTS_AT_ONCE).collect().await;
    gathered.observations.doubtful.extend(answers);
}

/// What mirrors are made of, in every account in which there may be any. Nothing is asked where no
/// mirror is written down at all.
async fn read_parts(sources: &Sources<'_>, gathered: &mut Gathered) {
    if sources.topology.mirrors.is_empty() {
        return;
    }
    let inventory = gathered.completed.as_ref().unwrap_or(sources.inventory);
    gathered.desired.mirrors = desired::mirrors(sources.topology, inventory, &gathered.facts);
    let has_parts = |account: &Account| {
        let facts = gathered.facts.iter().find(|facts| facts.name == account.vendor);
        facts.is_some_and(|facts| !facts.parts.is_empty())
    };
    let connections = &gathered.connections;
    let readings = accounts(sources).map(|entry| &entry.account).filter(|one| has_parts(one)).map(
        |account| async move {
            let place = account.place.clone();
            let nothing = |why: String| {
                let missing =
                    || Missing::new(format!("mirrors of account {}", account.place), &*why);
                let lists = ResourceKind::ALL.into_iter();
                lists.map(|kind| (kind, Reading::partial(Vec::new(), missing()))).collect()
            };
            let readings = match connections.get(&account.place) {
                Some(connection) => {
                    bounded(connection.observe.parts()).await.unwrap_or_else(nothing)
                }
                None => nothing("not connected".to_owned()),
            };
            (place, readings)
        },
    );
    let readings: Vec<_> =
        stream::iter(readings).buffer_unordered(ACCOUNTS_AT_ONCE).collect().await;
    gathered.observations.parts.extend(readings);
}

/// The second, narrow reading: credentials of those who go.
async fn read_credentials(sources: &Sources<'_>, gathered: &mut Gathered) {
    let needed = credentials_needed(&DiffInputs {
        desired: &gathered.desired,
        observed: &gathered.observations,
        vendors: &gathered.facts,
        grace_days: sources.policies.grace_days,
        today: sources.today,
    });
    let connections = &gathered.connections;
    let readings = needed.into_iter().map(|(place, users)| async move {
        let readings = if let Some(connection) = connections.get(&place) {
            credentials(&*connection.observe, &users).await
        } else {
            let missing = Missing::new(format!("credentials in {place}"), "not connected");
            let unread = || Reading::partial(Vec::new(), missing.clone());
            users.into_iter().map(|user| (user, unread())).collect()
        };
        (place, readings)
    });
    gathered.observations.credentials =
        stream::iter(readings).buffer_unordered(ACCOUNTS_AT_ONCE).collect().await;
}
