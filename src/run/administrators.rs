//! Who administers what, as it is before the run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::gather::Gathered;
use crate::guard::{AdministratorGroup, AdministratorSet};
use crate::inventory::{AccountEntry, Administrators, Inventory};
use crate::model::{
    Access, Binding, ObservedAccount, Place, Reading, RoleName, StableId, Subject, VendorId,
};
use crate::policies::Policies;

/// The administrators of every account that was read and names some.
pub(super) fn sets(
    inventory: &Inventory,
    policies: &Policies,
    gathered: &Gathered,
) -> Vec<AdministratorSet> {
    let mut hubs: HashMap<Place, Hub<'_>> = HashMap::new();
    inventory
        .accounts
        .values()
        .filter_map(|entry| {
            let administrators = entry.administrators.as_ref()?;
            let hub = hub_of(entry);
            let seen = gathered.observations.accounts.get(&hub)?.got();
            let of_hub = hubs.entry(hub.clone()).or_insert_with(|| Hub::new(seen));
            let account = entry.account.place.clone();
            let seen = gathered.observations.accounts.get(&account).map(Reading::got)?;
            Some(AdministratorSet {
                groups: groups(administrators, policies, seen, of_hub),
                required: required(inventory, administrators, gathered, of_hub),
                account,
                hub,
                group: administrators.group.clone(),
                minimum: administrators.minimum,
            })
        })
        .collect()
}

/// The account in which an account's users live.
pub(super) fn hub_of(entry: &AccountEntry) -> Place {
    Place {
        organisation: entry.account.place.organisation.clone(),
        account: entry.account.hub.clone(),
    }
}

/// A hub, indexed once for all its accounts.
struct Hub<'a> {
    seen: &'a ObservedAccount,
    /// Users of ours who can log in.
    enabled: HashMap<&'a VendorId, &'a Subject>,
    /// Groups of ours, by what they stand for. Of several with the same mark all are there.
    groups: BTreeMap<&'a Subject, BTreeSet<&'a VendorId>>,
    /// Members of groups, as far as they were asked for.
    members: HashMap<VendorId, BTreeMap<VendorId, Subject>>,
    /// Required people, by the inventory's line that names them.
    required: BTreeMap<&'a crate::model::Source, BTreeSet<Subject>>,
}

impl<'a> Hub<'a> {
    fn new(seen: &'a ObservedAccount) -> Self {
        let mut groups: BTreeMap<&Subject, BTreeSet<&VendorId>> = BTreeMap::new();
        for group in &seen.groups {
            if let Some(subject) = group.ownership.subject() {
                groups.entry(subject).or_default().insert(&group.id);
            }
        }
        let enabled = seen
            .users
            .iter()
            .filter(|user| user.spec.access == Access::Enabled)
            .filter_map(|user| Some((&user.id, user.ownership.subject()?)))
            .collect();
        Self { seen, enabled, groups, members: HashMap::new(), required: BTreeMap::new() }
    }

    fn owns(&self, group: &VendorId) -> bool {
        self.groups.values().any(|ids| ids.contains(group))
    }

    fn members(&mut self, group: &VendorId) -> BTreeMap<VendorId, Subject> {
        if let Some(members) = self.members.get(group) {
            return members.clone();
        }
        let members: BTreeMap<VendorId, Subject> = self
            .seen
            .memberships
            .iter()
            .filter(|membership| membership.group == *group)
            .filter_map(|membership| {
                let subject = self.enabled.get(&membership.user)?;
                Some((membership.user.clone(), (*subject).clone()))
            })
            .collect();
        self.members.insert(group.clone(), members.clone());
        members
    }
}

/// The groups whose members administer an account now: the named one, once it has a role there
/// (its privileged ones, if it has such); until then, all groups of ours that have a privileged
/// one. Where there is none of either, the members of the named group count without a role.
fn groups(
    administrators: &Administrators,
    policies: &Policies,
    seen: &ObservedAccount,
    hub: &mut Hub<'_>,
) -> BTreeMap<VendorId, AdministratorGroup> {
    // Where roles are shared, the hub has them.
    let privileged: BTreeSet<&VendorId> = seen
        .roles
        .iter()
        .chain(&hub.seen.roles)
        .filter(|role| match role.ownership.subject() {
            Some(Subject::Role(name)) => is_privileged(policies, name),
            Some(_) | None => false,
        })
        .map(|role| &role.id)
        .collect();
    // Of a role that somebody deleted nobody has anything any more.
    let there: BTreeSet<&VendorId> =
        seen.roles.iter().chain(&hub.seen.roles).map(|role| &role.id).collect();
    let named = hub.groups.get(&Subject::Group(administrators.group.clone()));
    let named: BTreeSet<VendorId> = named.into_iter().flatten().map(|id| (*id).clone()).collect();
    let mut roles: BTreeMap<VendorId, BTreeSet<VendorId>> = BTreeMap::new();
    let is_real = |binding: &&Binding| hub.owns(&binding.group) && there.contains(&binding.role);
    for binding in seen.bindings.iter().filter(is_real) {
        if named.contains(&binding.group) || privileged.contains(&binding.role) {
            roles.entry(binding.group.clone()).or_default().insert(binding.role.clone());
        }
    }
    if roles.keys().any(|group| named.contains(group)) {
        roles.retain(|group, _| named.contains(group));
    } else if roles.is_empty() {
        roles = named.into_iter().map(|group| (group, BTreeSet::new())).collect();
    }
    roles
        .into_iter()
        .map(|(group, mut roles)| {
            if roles.iter().any(|role| privileged.contains(role)) {
                roles.retain(|role| privileged.contains(role));
            }
            let members = hub.members(&group);
            (group, AdministratorGroup { roles, members })
        })
        .collect()
}

fn is_privileged(policies: &Policies, role: &RoleName) -> bool {
    policies.roles.get(role).is_some_and(|role| role.privileged)
}

/// The people who must stay, by what is stable about them. Somebody the directory no longer
/// lists is found by the name their user has.
fn required<'a>(
    inventory: &Inventory,
    administrators: &'a Administrators,
    gathered: &Gathered,
    hub: &mut Hub<'a>,
) -> BTreeSet<Subject> {
    if administrators.required.is_empty() {
        return BTreeSet::new();
    }
    if let Some(required) = hub.required.get(&administrators.source) {
        return required.clone();
    }
    let directory = &administrators.group.directory;
    let person = |stable_id: &StableId| Subject::Person {
        directory: directory.clone(),
        stable_id: stable_id.clone(),
    };
    let people = gathered.directories.get(directory).map(Reading::got);
    let in_directory = people.into_iter().flat_map(|directory| &directory.people);
    let mut required: BTreeSet<Subject> = in_directory
        .filter(|one| administrators.required.contains(&one.login))
        .map(|one| person(&one.stable_id))
        .collect();
    let prefix =
        inventory.directories.get(directory).map_or("", |config| config.name_prefix.as_str());
    let names: BTreeSet<String> =
        administrators.required.iter().map(|login| format!("{prefix}{login}")).collect();
    required.extend(
        hub.seen
            .users
            .iter()
            .filter(|user| names.contains(user.spec.name.as_str()))
            .filter_map(|user| user.ownership.subject().cloned())
            .filter(|subject| {
                matches!(subject, Subject::Person { directory: of, .. } if of == directory)
            }),
    );
    hub.required.insert(&administrators.source, required.clone());
    required
}
