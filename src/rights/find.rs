//! From what somebody typed to what it names.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr as _;

use super::View;
use crate::diagnostic::nearest;
use crate::directory::SchemaKind;
use crate::inventory::Inventory;
use crate::model::{
    AccountName, DirectoryName, GroupRef, Login, Reading, ServiceAccountName, StableId, Subject,
};

/// Something that can be explained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// A person.
    Person {
        /// Of which directory.
        directory: DirectoryName,
        /// Their name, for showing.
        login: Login,
        /// What stays the same about them.
        stable_id: StableId,
    },
    /// A group of a directory, or one the inventory speaks of.
    Group(GroupRef),
    /// A service account.
    Service(ServiceAccountName),
    /// An account.
    Account(AccountName),
}

/// The form that names it and nothing else, with what it is.
impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { directory, login, stable_id } => {
                write!(formatter, "person:{directory}:{stable_id}  ({directory}:{login})")
            }
            Self::Group(group) => write!(formatter, "group:{group}"),
            Self::Service(name) => write!(formatter, "service:{name}"),
            Self::Account(name) => write!(formatter, "account:{name}"),
        }
    }
}

/// Nothing, or more than one thing, has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Several things have it.
    #[error("`{typed}` names {} things", candidates.len())]
    Ambiguous {
        /// What was typed.
        typed: String,
        /// What it may mean, sorted.
        candidates: Vec<Found>,
    },
    /// Nothing has it.
    #[error("there is no person, group, service account or account `{typed}`")]
    Nothing {
        /// What was typed.
        typed: String,
        /// The most similar name, if one is similar.
        nearest: Option<String>,
    },
}

/// Finds what a text names: `LOGIN`, `GROUP`, `ACCOUNT`, `SERVICE`, `DIRECTORY:LOGIN`,
/// `DIRECTORY:GROUP`, `ORGANISATION/ACCOUNT`, a vendor's id of an account, the name of a user or
/// group at a vendor, or with its kind before it: `person:`, `group:`, `service:`, `account:`.
///
/// Log-in names are compared without regard to case, as `uid` is; group names as their directory's
/// schema compares them. Where both an equal and a similar name exist, the equal one is meant.
///
/// # Errors
/// Nothing, or more than one thing, has that name.
pub fn find(view: &View<'_>, typed: &str) -> Result<Found, Unknown> {
    let typed = typed.trim();
    let search = Search { view, inventory: view.inputs.inventory };
    let mut found = search.named(typed, Exactness::Equal);
    if found.is_empty() {
        found = search.named(typed, Exactness::AsCompared);
    }
    let mut candidates = found.into_iter();
    match (candidates.next(), candidates.next()) {
        (Some(only), None) => Ok(only),
        (Some(first), Some(second)) => {
            let candidates = [first, second].into_iter().chain(candidates).collect();
            Err(Unknown::Ambiguous { typed: typed.to_owned(), candidates })
        }
        (None, _) => {
            Err(Unknown::Nothing { typed: typed.to_owned(), nearest: search.nearest(typed) })
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exactness {
    Equal,
    AsCompared,
}

struct Search<'a, 'b> {
    view: &'b View<'a>,
    inventory: &'a Inventory,
}

impl Search<'_, '_> {
    fn named(&self, typed: &str, exactness: Exactness) -> BTreeSet<Found> {
        let mut found = BTreeSet::new();
        let (kind, rest) = typed.split_once(':').unwrap_or(("", typed));
        match kind {
            "account" => found.extend(self.account(rest)),
            "service" | "service-group" => found.extend(self.service(rest)),
            "group" => self.in_directories(rest, exactness, Kind::Groups, &mut found),
            "person" => {
                found.extend(self.subject(typed));
                if found.is_empty() {
                    self.in_directories(rest, exactness, Kind::People, &mut found);
                }
            }
            _ => {}
        }
        // A directory may have the name of a kind.
        found.extend(self.account(typed));
        found.extend(self.service(typed));
        self.in_directories(typed, exactness, Kind::Both, &mut found);
        found
    }

    fn account(&self, typed: &str) -> impl Iterator<Item = Found> {
        let accounts = self.inventory.accounts.values().map(|entry| &entry.account);
        let same = accounts.filter(move |account| {
            account.place.account.as_str() == typed
                || account.place.to_string() == typed
                || account.id == typed
        });
        same.map(|account| Found::Account(account.place.account.clone()))
    }

    fn service(&self, typed: &str) -> Option<Found> {
        let (name, _) = self.inventory.service_accounts.get_key_value(typed)?;
        Some(Found::Service(name.clone()))
    }

    fn subject(&self, typed: &str) -> Option<Found> {
        let subject = Subject::from_str(typed).ok()?;
        let person = self.view.person(&subject)?;
        let Subject::Person { directory, stable_id } = subject else { return None };
        Some(Found::Person { directory, login: person.login.clone(), stable_id })
    }

    /// `NAME` in every directory, `DIRECTORY:NAME` in one.
    fn in_directories(
        &self,
        typed: &str,
        exactness: Exactness,
        kind: Kind,
        found: &mut BTreeSet<Found>,
    ) {
        for (name, config) in &self.inventory.directories {
            let in_this = typed.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix(':'));
            let prefix = Some(config.name_prefix.as_str()).filter(|prefix| !prefix.is_empty());
            let at_vendor = prefix.and_then(|prefix| typed.strip_prefix(prefix));
            let names: Vec<&str> =
                [in_this, Some(typed), at_vendor].into_iter().flatten().collect();
            let ignores_case = exactness == Exactness::AsCompared;
            let groups_ignore_case = ignores_case
                && match config.schema.kind {
                    SchemaKind::Userdir => false,
                    SchemaKind::Rfc2307 | SchemaKind::Rfc2307bis | SchemaKind::ActiveDirectory => {
                        true
                    }
                };
            if kind != Kind::Groups {
                self.people(name, &names, ignores_case, found);
            }
            if kind != Kind::People {
                self.groups(name, &names, groups_ignore_case, found);
            }
        }
    }

    fn people(
        &self,
        directory: &DirectoryName,
        names: &[&str],
        ignores_case: bool,
        found: &mut BTreeSet<Found>,
    ) {
        let Some(reading) = self.view.inputs.directories.get(directory) else { return };
        for person in &reading.got().people {
            if names.iter().any(|name| is_same(name, person.login.as_str(), ignores_case)) {
                found.insert(Found::Person {
                    directory: directory.clone(),
                    login: person.login.clone(),
                    stable_id: person.stable_id.clone(),
                });
            }
        }
    }

    fn groups(
        &self,
        directory: &DirectoryName,
        names: &[&str],
        ignores_case: bool,
        found: &mut BTreeSet<Found>,
    ) {
        let same = |group: &GroupRef| {
            group.directory == *directory
                && names.iter().any(|name| is_same(name, group.group.as_str(), ignores_case))
        };
        found.extend(self.all_groups().filter(same).map(Found::Group));
    }

    /// The groups of directories and those the inventory speaks of.
    fn all_groups(&self) -> impl Iterator<Item = GroupRef> {
        let read = self.view.inputs.directories.iter().flat_map(|(directory, reading)| {
            reading
                .got()
                .groups
                .iter()
                .map(|group| GroupRef { directory: directory.clone(), group: group.name.clone() })
        });
        let administrators = self.inventory.accounts.values().filter_map(|entry| {
            entry.administrators.as_ref().map(|administrators| administrators.group.clone())
        });
        let granted = self.inventory.grants.iter().map(|grant| grant.group.clone());
        let owners = self.inventory.service_accounts.values().map(|one| one.owners.clone());
        read.chain(administrators).chain(granted).chain(owners)
    }

    fn nearest(&self, typed: &str) -> Option<String> {
        let groups: BTreeSet<GroupRef> = self.all_groups().collect();
        let people = || {
            let readings = self.view.inputs.directories.values().map(Reading::got);
            readings.flat_map(|directory| directory.people.iter().map(|one| one.login.as_str()))
        };
        if let Some((directory, name)) = typed.rsplit_once(':') {
            let of_groups = groups.iter().map(|group| group.group.as_str());
            let similar = nearest(name, of_groups.chain(people()))?;
            return Some(format!("{directory}:{similar}")).filter(|similar| similar != typed);
        }
        let names = self.inventory.accounts.keys().map(AccountName::as_str);
        let services = self.inventory.service_accounts.keys().map(ServiceAccountName::as_str);
        let groups = groups.iter().map(|group| group.group.as_str());
        nearest(typed, names.chain(services).chain(groups).chain(people())).map(str::to_owned)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    People,
    Groups,
    Both,
}

fn is_same(typed: &str, name: &str, ignores_case: bool) -> bool {
    typed == name || (ignores_case && typed.to_lowercase() == name.to_lowercase())
}
