//! What the inventory said when it was last looked at: accounts, who must stay, what is privileged.
//!
//! Only a cache, `known.json` in the state folder: without it every rule still holds for what the
//! inventory says now. With it, what is taken out of the inventory is not simply forgotten: an
//! account that is no longer named is still looked at, a line about administrators protects them
//! until a run has gone by without it, and a log-in name means whom it first meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::administrators::is_gone;
use super::gather::{Gathered, Sources};
use crate::digest::sha256;
use crate::file;
use crate::guard::{Rule, Violation};
use crate::inventory::{AccountEntry, Administrators};
use crate::model::{
    Account, AccountName, AttributeName, AttributeValue, DirectoryName, GroupRef, Login,
    OrganisationName, Place, Reading, RoleName, Source, StableId, Subject, VendorFacts, VendorName,
};
use crate::policies::Role;

/// The form of the file.
const FORMAT: &str = "reconcile-known/1";

/// So many meanings of a role are remembered.
const MEANINGS: usize = 8;

/// What was known of the inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    format: String,
    /// By vendor, id and organisation: names may be given to others.
    accounts: BTreeMap<String, KnownAccount>,
    /// Roles that were privileged.
    privileged: BTreeSet<RoleName>,
    /// Whom log-in names of those who must stay meant.
    required: BTreeMap<DirectoryName, BTreeMap<Login, StableId>>,
    /// Since when those of them are gone who are.
    #[serde(default)]
    gone: BTreeMap<DirectoryName, BTreeMap<StableId, Date>>,
    /// Mirrors were written down, and nobody has seen since that nothing is left of them.
    #[serde(default)]
    mirrors: bool,
    /// What privileged roles meant, as digests, the last one last.
    #[serde(default)]
    meant: BTreeMap<RoleName, Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownAccount {
    name: AccountName,
    organisation: OrganisationName,
    vendor: VendorName,
    partition: Option<String>,
    id: String,
    hub: AccountName,
    settings: BTreeMap<AttributeName, AttributeValue>,
    source: Source,
    administrators: Option<KnownAdministrators>,
    /// The last day on which the inventory named it.
    on: Date,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownAdministrators {
    group: GroupRef,
    minimum: u32,
    required: Vec<Login>,
    source: Source,
}

/// Why it cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}")]
pub struct KnownError {
    path: PathBuf,
    source: std::io::Error,
}

/// An account that the inventory does not name any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// As the inventory had it.
    pub account: Account,
    /// The last day on which it did.
    pub on: Date,
}

impl Known {
    /// What is known in a state folder; nothing where there is none yet, or it cannot be
    /// understood: it is only a cache.
    pub fn read(state: &Path) -> Self {
        let path = path(state);
        let bytes = match file::read_own(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::default(),
            Err(error) => {
                tracing::warn!("cannot read {}: {error}", path.display());
                return Self::default();
            }
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(known) if known.format == FORMAT => known,
            _ => {
                tracing::warn!("{} is damaged and starts anew", path.display());
                Self::default()
            }
        }
    }

    /// What the inventory said of an account's administrators.
    pub(super) fn administrators(
        &self,
        vendors: &[VendorFacts],
        entry: &AccountEntry,
    ) -> Option<Administrators> {
        let known = self.accounts.get(&key(vendors, &entry.account))?;
        let KnownAdministrators { group, minimum, required, source } =
            known.administrators.clone()?;
        Some(Administrators { group, minimum, required, source })
    }

    /// Whether there may be parts of mirrors, whatever the topology says now.
    pub(super) fn has_mirrors(&self) -> bool {
        self.mirrors
    }

    pub(super) fn was_privileged(&self, role: &RoleName) -> bool {
        self.privileged.contains(role)
    }

    /// Since when somebody who must stay is gone, if they are.
    pub(super) fn gone_since(&self, directory: &DirectoryName, id: &StableId) -> Option<Date> {
        self.gone.get(directory)?.get(id).copied()
    }

    /// Whether a privileged role has meant before what it means now.
    pub(super) fn has_meant(&self, role: &Role) -> bool {
        let known = self.meant.get(&role.name);
        known.is_some_and(|known| known.contains(&meaning(role)))
    }

    /// Whom a log-in name of somebody who must stay meant.
    pub(super) fn required(&self, directory: &DirectoryName, login: &Login) -> Option<&StableId> {
        self.required.get(directory)?.get(login)
    }

    /// The accounts that the inventory does not name any more, under any name.
    pub fn forgotten(&self, sources: &Sources<'_>) -> Vec<Forgotten> {
        let vendors = facts(sources);
        let accounts = sources.inventory.accounts.values();
        let named: BTreeSet<String> = accounts.map(|entry| key(&vendors, &entry.account)).collect();
        let about = |organisation: &OrganisationName| {
            sources.organisations.is_empty() || sources.organisations.contains(organisation)
        };
        self.accounts
            .iter()
            .filter(|(key, known)| about(&known.organisation) && !named.contains(*key))
            .map(|(_, known)| Forgotten { account: known.account(), on: known.on })
            .collect()
    }

    /// Ids of a directory mean nothing any more: whom its log-in names mean is learnt anew.
    pub fn forget_ids(&mut self, directory: &DirectoryName) {
        self.required.remove(directory);
        self.gone.remove(directory);
    }

    /// Takes over what the inventory says now. What protects administrators stays known as long as
    /// one of them would lose something, and an account as long as something of ours is there.
    pub fn update(&mut self, sources: &Sources<'_>, gathered: &Gathered, violations: &[Violation]) {
        FORMAT.clone_into(&mut self.format);
        let is_held = |organisation: &OrganisationName| {
            violations.iter().any(|one| {
                one.organisation == *organisation
                    && matches!(one.rule, Rule::MinimumAdministrators | Rule::RequiredAdministrator)
            })
        };
        for account in gathered.empty_and_forgotten() {
            self.accounts.remove(&key(&gathered.facts, account));
        }
        for entry in sources.inventory.accounts.values() {
            let (place, key) = (&entry.account.place, key(&gathered.facts, &entry.account));
            let before = self.accounts.get(&key).and_then(|known| known.administrators.clone());
            let mut now = KnownAccount::of(entry, sources.today);
            if is_held(&place.organisation) && before.is_some() {
                now.administrators = before;
            }
            self.accounts.insert(key, now);
        }
        let privileged = sources.policies.roles.values().filter(|role| role.privileged);
        if !violations.iter().any(|one| is_held(&one.organisation)) {
            self.privileged.clear();
        }
        self.privileged.extend(privileged.map(|role| role.name.clone()));
        if !violations.iter().any(|one| is_held(&one.organisation)) {
            self.learn_meanings(sources);
        }
        let parts = &gathered.observations.parts;
        let left = parts.keys().any(|place| super::parts::may_be_left(gathered, place));
        // What was read is from before the run, which may have made the first part; and a run about
        // some organisations says nothing about the others.
        self.mirrors = left
            || !sources.topology.mirrors.is_empty()
            || (self.mirrors && !sources.organisations.is_empty());
        self.learn(sources, gathered);
        self.learn_who_left(sources, gathered, violations);
    }

    /// What privileged roles mean, once no administrator was to lose anything by it. A role that has
    /// another name for a while is not forgotten.
    fn learn_meanings(&mut self, sources: &Sources<'_>) {
        for role in sources.policies.roles.values().filter(|role| role.privileged) {
            let meaning = meaning(role);
            let known = self.meant.entry(role.name.clone()).or_default();
            known.retain(|before| *before != meaning);
            known.push(meaning);
            let surplus = known.len().saturating_sub(MEANINGS);
            known.drain(..surplus);
        }
    }

    /// Since when those who must stay are gone, by directories that are believed.
    fn learn_who_left(
        &mut self,
        sources: &Sources<'_>,
        gathered: &Gathered,
        violations: &[Violation],
    ) {
        for (directory, logins) in &self.required {
            let doubted = violations.iter().any(|one| {
                one.directory.as_ref() == Some(directory)
                    && matches!(one.rule, Rule::DirectoryShrinkage | Rule::DirectoryBelief)
            });
            let complete = gathered.directories.get(directory).is_some_and(Reading::is_complete);
            if doubted || !complete {
                continue;
            }
            let known = self.gone.entry(directory.clone()).or_default();
            known.retain(|id, _| logins.values().any(|one| one == id));
            for id in logins.values() {
                let person =
                    Subject::Person { directory: directory.clone(), stable_id: id.clone() };
                if is_gone(gathered, &person) {
                    known.entry(id.clone()).or_insert(sources.today);
                } else {
                    known.remove(id);
                }
            }
        }
        self.gone
            .retain(|directory, known| !known.is_empty() && self.required.contains_key(directory));
    }

    /// Whom the log-in names of those who must stay mean, once for all.
    fn learn(&mut self, sources: &Sources<'_>, gathered: &Gathered) {
        let lines: Vec<&Administrators> = sources
            .inventory
            .accounts
            .values()
            .filter_map(|entry| entry.administrators.as_ref())
            .collect();
        for (directory, logins) in &mut self.required {
            // A line that was dropped protects until nobody would lose anything.
            let remembered = self.accounts.values().filter_map(|one| one.administrators.as_ref());
            let named: BTreeSet<&Login> = lines
                .iter()
                .map(|one| (&one.group, &one.required))
                .chain(remembered.map(|one| (&one.group, &one.required)))
                .filter(|(group, _)| group.directory == *directory)
                .flat_map(|(_, required)| required)
                .collect();
            let is_named = |login: &Login| named.contains(login);
            logins.retain(|login, _| is_named(login));
        }
        for line in lines {
            let Some(Reading::Complete(read)) = gathered.directories.get(&line.group.directory)
            else {
                continue;
            };
            let known = self.required.entry(line.group.directory.clone()).or_default();
            for login in &line.required {
                let person = read.people.iter().find(|person| person.login == *login);
                if let Some(person) = person {
                    known.entry(login.clone()).or_insert_with(|| person.stable_id.clone());
                }
            }
        }
    }

    /// Writes it, next to what runs on other organisations have written.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, state: &Path, sources: &Sources<'_>) -> Result<(), KnownError> {
        let path = path(state);
        let failed = |source| KnownError { path: path.clone(), source };
        std::fs::create_dir_all(state).map_err(failed)?;
        let mut options = std::fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let lock = file::open_own(&state.join("known.lock"), &options).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut merged = Self::read(state);
        let about = |organisation: &OrganisationName| {
            sources.organisations.is_empty() || sources.organisations.contains(organisation)
        };
        merged.accounts.retain(|_, known| !about(&known.organisation));
        let ours = self.accounts.iter().filter(|(_, known)| about(&known.organisation));
        merged.accounts.extend(ours.map(|(key, known)| (key.clone(), known.clone())));
        merged.mirrors = self.mirrors || (merged.mirrors && !sources.organisations.is_empty());
        merged.format.clone_from(&self.format);
        merged.privileged.clone_from(&self.privileged);
        merged.required.clone_from(&self.required);
        merged.gone.clone_from(&self.gone);
        merged.meant.clone_from(&self.meant);
        let write = || {
            let text = serde_json::to_string(&merged)? + "\n";
            file::replace(&path, text.as_bytes())
        };
        write().map_err(failed)
    }
}

impl KnownAccount {
    fn of(entry: &AccountEntry, on: Date) -> Self {
        let account = &entry.account;
        Self {
            name: account.place.account.clone(),
            organisation: account.place.organisation.clone(),
            vendor: account.vendor.clone(),
            partition: account.partition.clone(),
            id: account.id.clone(),
            hub: account.hub.clone(),
            settings: account.settings.clone(),
            source: account.source.clone(),
            administrators: entry.administrators.as_ref().map(|one| KnownAdministrators {
                group: one.group.clone(),
                minimum: one.minimum,
                required: one.required.clone(),
                source: one.source.clone(),
            }),
            on,
        }
    }

    fn account(&self) -> Account {
        Account {
            place: Place { organisation: self.organisation.clone(), account: self.name.clone() },
            vendor: self.vendor.clone(),
            partition: self.partition.clone(),
            id: self.id.clone(),
            hub: self.hub.clone(),
            project: None,
            settings: self.settings.clone(),
            source: self.source.clone(),
        }
    }
}

/// An account under whatever name and whatever way of access.
fn key(vendors: &[VendorFacts], account: &Account) -> String {
    let family = vendors.iter().find(|vendor| vendor.name == account.vendor);
    let family = family.map_or(&account.vendor, |vendor| &vendor.family);
    format!("{family}/{}/{}", account.id, account.place.organisation)
}

/// What a role means at every vendor, as a digest.
fn meaning(role: &Role) -> String {
    sha256(&serde_json::to_vec(&role.means).expect("plain values are always valid JSON"))
}

fn facts(sources: &Sources<'_>) -> Vec<VendorFacts> {
    sources.vendors.iter().map(|vendor| vendor.facts().clone()).collect()
}

fn path(state: &Path) -> PathBuf {
    state.join("known.json")
}
