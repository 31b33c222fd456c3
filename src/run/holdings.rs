//! Who has which role where, as it is before the run: what limits on access are counted from.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::gather::Gathered;
use crate::desired::{DesiredHub, Standing};
use crate::guard::{Held, Holdings, Members};
use crate::model::{
    Access, GroupIndex, GroupRef, ObservedAccount, PersonKind, Place, Reading, Subject,
    VendorFacts, VendorId,
};

/// Everybody's roles in every account that was read.
pub(super) fn of(gathered: &Gathered) -> Holdings {
    let observed = &gathered.observations.accounts;
    let mut holdings = Holdings::default();
    for (place, wanted) in &gathered.desired.hubs {
        let Some(facts) = facts(gathered, wanted) else { continue };
        let members = if facts.has_users {
            let Some(reading) = observed.get(place) else { continue };
            members(reading.got())
        } else {
            vouched_for(gathered, place)
        };
        holdings.hubs.insert(place.clone(), members);
    }
    for (place, wanted) in &gathered.desired.accounts {
        let Some(reading) = observed.get(place) else { continue };
        let facts = gathered.facts.iter().find(|facts| facts.name == wanted.account.vendor);
        let Some(facts) = facts else { continue };
        let home = if facts.shared_roles { &wanted.hub } else { place };
        let mut roles = if facts.has_users { bound(reading.got()) } else { held(reading.got()) };
        // A role that is no longer there gives nobody anything, whoever is still bound to it.
        if let Some(Reading::Complete(seen)) = observed.get(home) {
            let there: HashSet<&VendorId> = seen.roles.iter().map(|role| &role.id).collect();
            roles.retain(|role, _| there.contains(role));
        }
        holdings
            .accounts
            .insert(place.clone(), Held { hub: wanted.hub.clone(), home: home.clone(), roles });
    }
    holdings
}

fn facts<'a>(gathered: &'a Gathered, hub: &DesiredHub) -> Option<&'a VendorFacts> {
    gathered.facts.iter().find(|facts| facts.name == hub.account.vendor)
}

/// Users of ours who can log in, in groups of ours.
fn members(seen: &ObservedAccount) -> Members {
    let mut members = Members::default();
    let mut numbers: HashMap<&VendorId, u32> = HashMap::new();
    let can_log_in = seen
        .users
        .iter()
        .filter(|user| user.spec.access == Access::Enabled && user.ownership.subject().is_some());
    for (number, user) in (0..).zip(can_log_in) {
        numbers.insert(&user.id, number);
        members.users.push(user.id.clone());
    }
    let ours = seen.groups.iter().filter(|group| group.ownership.subject().is_some());
    members.groups = ours.map(|group| (group.id.clone(), Vec::new())).collect();
    for one in &seen.memberships {
        if let (Some(group), Some(user)) =
            (members.groups.get_mut(&one.group), numbers.get(&one.user))
        {
            group.push(*user);
        }
    }
    members
}

/// People of whom another service says in which groups they are: as the directory has it, of every
/// group that has a role object in an account of the hub, asked for or not.
fn vouched_for(gathered: &Gathered, hub: &Place) -> Members {
    let accounts = gathered.desired.accounts.iter().filter(|(_, wanted)| wanted.hub == *hub);
    let roles = accounts
        .filter_map(|(place, _)| gathered.observations.accounts.get(place))
        .flat_map(|reading| &reading.got().roles);
    let groups: BTreeSet<&GroupRef> = roles
        .filter_map(|role| match role.ownership.subject()? {
            Subject::Held { by, .. } => match &**by {
                Subject::Group(group) => Some(group),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let mut members = Members::default();
    for (name, reading) in &gathered.directories {
        let directory = reading.got();
        let mut here: HashMap<GroupIndex, VendorId> = HashMap::new();
        for group in groups.iter().filter(|group| group.directory == *name) {
            let stands_for_it = stand_in(&Subject::Group((*group).clone()));
            members.groups.entry(stands_for_it.clone()).or_default();
            if let Some(index) = directory.group(&group.group) {
                here.insert(index, stands_for_it);
            }
        }
        for person in &directory.people {
            let stable_id = person.stable_id.clone();
            let subject = Subject::Person { directory: name.clone(), stable_id };
            let present = gathered.desired.standings.get(&subject) == Some(&Standing::Present);
            if !present || person.kind == PersonKind::RoleAccount {
                continue;
            }
            let number = u32::try_from(members.users.len()).expect("fewer than 2^32 people");
            members.users.push(stand_in(&subject));
            for group in person.groups.iter().filter_map(|joined| here.get(&joined.group)) {
                members.groups.entry(group.clone()).or_default().push(number);
            }
        }
    }
    members
}

/// Where a vendor has no users and groups, what stands for one of them.
pub(super) fn stand_in(subject: &Subject) -> VendorId {
    VendorId::new(subject.to_string())
}

fn bound(seen: &ObservedAccount) -> BTreeMap<VendorId, BTreeSet<VendorId>> {
    let mut roles: BTreeMap<VendorId, BTreeSet<VendorId>> = BTreeMap::new();
    for binding in &seen.bindings {
        roles.entry(binding.role.clone()).or_default().insert(binding.group.clone());
    }
    roles
}

/// Role objects that each belong to one group.
fn held(seen: &ObservedAccount) -> BTreeMap<VendorId, BTreeSet<VendorId>> {
    let by = |subject: &Subject| match subject {
        Subject::Held { by, .. } => Some(BTreeSet::from([stand_in(by)])),
        _ => None,
    };
    let roles = seen.roles.iter();
    roles.filter_map(|role| Some((role.id.clone(), by(role.ownership.subject()?)?))).collect()
}
