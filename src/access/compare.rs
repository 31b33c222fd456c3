//! What is different between two resolutions of the same directories.
//!
//! Only groups whose members or roles differ are looked into, so the work grows with the change
//! and not with the organisation, apart from one pass over the memberships of both sides.

use std::collections::{BTreeMap, BTreeSet};

use super::explain::terms;
use super::value::{
    AccountChange, Difference, GroupRight, HubUser, Right, RoleChange, RoleTerms, UntilChange,
};
use super::{View, members};
use crate::desired::{DesiredAccount, DesiredHub};
use crate::inventory::Inventory;
use crate::model::{DirectoryName, Place, RoleName, Subject, VendorName};

/// What a change gives and takes.
///
/// Both sides are to be resolved for the same day and with the same directories' content; what
/// differs is what people wrote.
pub fn compare(base: &View<'_>, head: &View<'_>) -> Difference {
    let mut difference = Difference {
        added: gained(base, head),
        removed: gained(head, base),
        first_access: users_of_one(base, head),
        last_access: users_of_one(head, base),
        groups_added: groups_gained(base, head),
        groups_removed: groups_gained(head, base),
        until: until(base, head),
        roles: roles(base, head),
        accounts: accounts(base.inputs.inventory, head.inputs.inventory),
        directories_removed: directories(head, base),
        directories_added: directories(base, head),
    };
    difference.first_access.sort();
    difference.last_access.sort();
    difference
}

/// What people have in `after` and not in `before`.
fn gained(before: &View<'_>, after: &View<'_>) -> Vec<Right> {
    let mut candidates: BTreeSet<(&Place, &RoleName, &Subject)> = BTreeSet::new();
    for (place, hub) in &after.desired.hubs {
        let was = before.desired.hubs.get(place);
        for group in &hub.groups {
            let group = &group.subject;
            let roles = after.roles_of(place, group);
            let old_roles = before.by_group.get(&(place, group)).map_or(&[][..], Vec::as_slice);
            let new_roles: Vec<_> = roles.iter().filter(|one| !old_roles.contains(one)).collect();
            let present = members(hub, group);
            let old: &[&Subject] = &was.map(|was| members(was, group)).unwrap_or_default();
            for member in present {
                // Both lists are sorted by subject.
                if old.binary_search(&member).is_ok() {
                    candidates
                        .extend(new_roles.iter().map(|(place, role)| (*place, *role, member)));
                } else {
                    candidates.extend(roles.iter().map(|(place, role)| (*place, *role, member)));
                }
            }
        }
    }
    candidates.extend(after.jobs.keys().copied());
    // Other jobs of the same service account are somebody else.
    let same_jobs = |place: &Place, role: &RoleName, subject: &Subject| {
        let of = |view: &View<'_>| {
            view.jobs.get(&(place, role, subject)).map(|jobs| jobs.federation.clone())
        };
        of(before) == of(after)
    };
    candidates
        .into_iter()
        .filter(|(place, role, subject)| {
            !before.holds(place, role, subject) || !same_jobs(place, role, subject)
        })
        .filter_map(|(place, role, subject)| after.right(place, role, subject))
        .collect()
}

/// The users of `after` that `before` has not.
fn users_of_one(before: &View<'_>, after: &View<'_>) -> Vec<HubUser> {
    let mut new = Vec::new();
    for (place, hub) in &after.desired.hubs {
        let was: &[_] = before.desired.hubs.get(place).map_or(&[], |hub: &DesiredHub| &hub.users);
        for (at, user) in hub.users.iter().enumerate() {
            if was.binary_search_by(|one| one.subject.cmp(&user.subject)).is_err() {
                new.push(after.hub_user(place, hub, at));
            }
        }
    }
    new
}

fn groups_gained(before: &View<'_>, after: &View<'_>) -> Vec<GroupRight> {
    let mut gained = Vec::new();
    for (place, account) in &after.desired.accounts {
        let was = before.account(place);
        for key @ (group, role) in account.bindings.keys() {
            if was.is_none_or(|was| !was.bindings.contains_key(key)) {
                gained.push(after.group_right(place, role, group));
            }
        }
    }
    gained.sort();
    gained
}

fn until(base: &View<'_>, head: &View<'_>) -> Vec<UntilChange> {
    let mut changes = Vec::new();
    for (place, account) in &head.desired.accounts {
        let Some(was) = base.account(place) else { continue };
        for key @ (group, role) in account.bindings.keys() {
            if was.bindings.contains_key(key) {
                let before = base.until(place, role, group);
                let after = head.until(place, role, group);
                if before != after {
                    let (place, role, group) = (place.clone(), role.clone(), group.clone());
                    changes.push(UntilChange { place, role, group, before, after });
                }
            }
        }
    }
    for (taken, jobs) in &head.jobs {
        let was = base.jobs.get(taken).map(|was| was.federation);
        let (place, role, who) = *taken;
        let (before, after) = (base.until(place, role, who), head.until(place, role, who));
        if was == Some(jobs.federation) && before != after {
            let (place, role, group) = (place.clone(), role.clone(), who.clone());
            changes.push(UntilChange { place, role, group, before, after });
        }
    }
    changes.sort();
    changes
}

/// Roles held somewhere on both sides that mean something else.
fn roles(base: &View<'_>, head: &View<'_>) -> Vec<RoleChange> {
    let mut changes: BTreeMap<(&RoleName, &VendorName), RoleChange> = BTreeMap::new();
    for (place, account) in &head.desired.accounts {
        let Some(was) = base.account(place) else { continue };
        let vendor = &account.account.vendor;
        let before = base.held_in(place, was);
        let after = head.held_in(place, account);
        for role in after.intersection(&before).copied() {
            let Some((before, after)) =
                role_terms(base, role, &was.account.vendor).zip(role_terms(head, role, vendor))
            else {
                continue;
            };
            if (before.privileged, &before.attributes) == (after.privileged, &after.attributes) {
                continue;
            }
            let change = changes.entry((role, vendor)).or_insert_with(|| RoleChange {
                role: role.clone(),
                vendor: vendor.clone(),
                before,
                after,
                places: Vec::new(),
                people: Vec::new(),
            });
            change.places.push(place.clone());
        }
    }
    let mut changes: Vec<RoleChange> = changes.into_values().collect();
    for change in &mut changes {
        let mut people: BTreeSet<&Subject> = BTreeSet::new();
        for place in &change.places {
            let Some(hub) = head.hub_of(place) else { continue };
            for group in head.holders(place, &change.role) {
                let members = members(hub, group).into_iter();
                people.extend(members.filter(|one| base.holds(place, &change.role, one)));
            }
            let taken =
                head.jobs.keys().filter(|(at, role, _)| *at == place && **role == change.role);
            let taken = taken.filter(|taken| base.jobs.contains_key(*taken));
            people.extend(taken.map(|(.., who)| *who));
        }
        change.people = people.into_iter().map(|subject| head.who(subject)).collect();
        change.people.sort();
    }
    changes
}

impl View<'_> {
    /// The roles somebody can have in an account.
    fn held_in<'s>(&'s self, place: &Place, account: &'s DesiredAccount) -> BTreeSet<&'s RoleName> {
        let taken = self.jobs.keys().filter(|(at, ..)| *at == place).map(|(_, role, _)| *role);
        account.bindings.keys().map(|(_, role)| role).chain(taken).collect()
    }
}

fn role_terms(view: &View<'_>, role: &RoleName, vendor: &VendorName) -> Option<RoleTerms> {
    let role = view.inputs.policies.roles.get(role)?;
    Some(RoleTerms {
        privileged: role.privileged,
        attributes: role.means.get(vendor)?.clone(),
        source: role.source.clone(),
    })
}

fn accounts(base: &Inventory, head: &Inventory) -> Vec<AccountChange> {
    let of = |inventory: &Inventory| -> BTreeMap<Place, _> {
        let entries = inventory.accounts.values();
        entries.map(|entry| (entry.account.place.clone(), terms(entry))).collect()
    };
    let (mut before, after) = (of(base), of(head));
    let mut changes: Vec<AccountChange> = after
        .into_iter()
        .map(|(place, after)| {
            let before = before.remove(&place);
            AccountChange { place, before, after: Some(after) }
        })
        .filter(|change| change.before != change.after)
        .collect();
    let gone = before.into_iter();
    changes.extend(gone.map(|(place, before)| AccountChange {
        place,
        before: Some(before),
        after: None,
    }));
    changes.sort();
    changes
}

fn directories(before: &View<'_>, after: &View<'_>) -> Vec<DirectoryName> {
    let known = &before.inputs.inventory.directories;
    let names = after.inputs.inventory.directories.keys();
    names.filter(|name| !known.contains_key(*name)).cloned().collect()
}
