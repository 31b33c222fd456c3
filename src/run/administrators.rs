//! Who administers what, as it is before the run.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::gather::Gathered;
use crate::guard::AdministratorSet;
use crate::inventory::{AccountEntry, Inventory};
use crate::model::{Access, ObservedAccount, Place, Reading, Subject, VendorId};

/// The administrators of every account that was read and names some.
pub(super) fn sets(inventory: &Inventory, gathered: &Gathered) -> Vec<AdministratorSet> {
    inventory.accounts.values().filter_map(|entry| set(inventory, entry, gathered)).collect()
}

fn set(
    inventory: &Inventory,
    entry: &AccountEntry,
    gathered: &Gathered,
) -> Option<AdministratorSet> {
    let administrators = entry.administrators.as_ref()?;
    let place = &entry.account.place;
    let hub =
        Place { organisation: place.organisation.clone(), account: entry.account.hub.clone() };
    let seen = gathered.observations.accounts.get(&hub)?.got();
    let subject = Subject::Group(administrators.group.clone());
    let group = seen.groups.iter().find(|group| group.ownership.subject() == Some(&subject));
    let group_id = group.map(|group| group.id.clone());
    let bindings = gathered.observations.accounts.get(place).map_or(0, |reading| {
        reading.got().bindings.iter().filter(|one| Some(&one.group) == group_id.as_ref()).count()
    });
    Some(AdministratorSet {
        account: place.clone(),
        hub,
        group: administrators.group.clone(),
        bindings,
        minimum: administrators.minimum,
        present: group_id.as_ref().map(|group| present(seen, group)).unwrap_or_default(),
        required: required(inventory, entry, gathered),
        group_id,
    })
}

/// The users who can log in and are members of a group.
fn present(seen: &ObservedAccount, group: &VendorId) -> BTreeMap<VendorId, Subject> {
    let members: HashSet<&VendorId> = seen
        .memberships
        .iter()
        .filter(|membership| membership.group == *group)
        .map(|membership| &membership.user)
        .collect();
    seen.users
        .iter()
        .filter(|user| members.contains(&user.id) && user.spec.access == Access::Enabled)
        .filter_map(|user| Some((user.id.clone(), user.ownership.subject()?.clone())))
        .collect()
}

/// The people who must stay, by what is stable about them. Somebody the directory no longer
/// lists is found by the name their user has.
fn required(inventory: &Inventory, entry: &AccountEntry, gathered: &Gathered) -> BTreeSet<Subject> {
    let Some(administrators) = &entry.administrators else { return BTreeSet::new() };
    let directory = &administrators.group.directory;
    let people = gathered.directories.get(directory).map(Reading::got);
    let in_directory = people.into_iter().flat_map(|directory| &directory.people);
    let mut required: BTreeSet<Subject> = in_directory
        .filter(|person| administrators.required.contains(&person.login))
        .map(|person| Subject::Person {
            directory: directory.clone(),
            stable_id: person.stable_id.clone(),
        })
        .collect();
    let prefix =
        inventory.directories.get(directory).map_or("", |config| config.name_prefix.as_str());
    let hub = Place {
        organisation: entry.account.place.organisation.clone(),
        account: entry.account.hub.clone(),
    };
    let seen = gathered.observations.accounts.get(&hub).map(Reading::got);
    let users = seen.into_iter().flat_map(|seen| &seen.users);
    required.extend(
        users
            .filter(|user| {
                administrators
                    .required
                    .iter()
                    .any(|login| user.spec.name.as_str() == format!("{prefix}{login}"))
            })
            .filter_map(|user| user.ownership.subject().cloned())
            .filter(|subject| {
                matches!(subject, Subject::Person { directory: of, .. } if of == directory)
            }),
    );
    required
}
