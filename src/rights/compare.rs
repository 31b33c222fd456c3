//! What is different between two resolutions of the same directories.
//!
//! Only groups whose members or roles differ are looked into, so the work grows with the change
//! and not with the organisation, apart from one pass over the memberships of both sides.

use std::collections::{BTreeMap, BTreeSet};

use super::explain::terms;
use super::value::{
    AccountChange, AccountTerms, Difference, GroupRight, HubUser, Right, RoleChange, RoleTerms,
    UntilChange, Who,
};
use super::{View, members, settings, weight};
use crate::desired::{DesiredAccount, DesiredHub};
use crate::inventory::Inventory;
use crate::model::{DirectoryName, Place, RoleName, Subject, VendorName};
use crate::policies::Role;

/// What a change gives and takes.
///
/// Both sides are to be resolved for the same day and with the same directories' content; what
/// differs is what people wrote.
pub fn compare(base: &View<'_>, head: &View<'_>) -> Difference {
    let mut removed = gained(head, base);
    let mut last_access = users_of_one(head, base);
    leave_out_unproven(head, &mut removed, &mut last_access);
    let mut difference = Difference {
        settings: settings::compare(base, head),
        added: gained(base, head),
        removed,
        first_access: users_of_one(base, head),
        last_access,
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

/// Absence must be proven: who is missing in a directory that was not completely read has lost
/// nothing, unless the grant itself is gone.
fn leave_out_unproven(head: &View<'_>, removed: &mut Vec<Right>, last_access: &mut Vec<HubUser>) {
    let mut unproven = BTreeSet::new();
    removed.retain(|right| {
        let still_bound = |group: &Subject| {
            let account = head.account(&right.place);
            let key = (group.clone(), right.role.clone());
            account.is_some_and(|account| account.bindings.contains_key(&key))
        };
        let stays = head.is_incomplete(&right.who.subject)
            && right.ways.iter().any(|way| still_bound(&way.group));
        if stays {
            unproven.insert(right.who.subject.clone());
        }
        !stays
    });
    last_access.retain(|user| !unproven.contains(&user.who.subject));
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
        .map(|mut right| {
            right.privileged |= before.is_privileged(&right.role);
            right
        })
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
                let mut right = after.group_right(place, role, group);
                right.privileged |= before.is_privileged(role);
                gained.push(right);
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
                    let privileged = base.is_privileged(role) || head.is_privileged(role);
                    let (place, role, group) = (place.clone(), role.clone(), group.clone());
                    changes.push(UntilChange { place, role, group, before, after, privileged });
                }
            }
        }
    }
    for (taken, jobs) in &head.jobs {
        let was = base.jobs.get(taken).map(|was| was.federation);
        let (place, role, who) = *taken;
        let (before, after) = (base.until(place, role, who), head.until(place, role, who));
        if was == Some(jobs.federation) && before != after {
            let privileged = base.is_privileged(role) || head.is_privileged(role);
            let (place, role, group) = (place.clone(), role.clone(), who.clone());
            changes.push(UntilChange { place, role, group, before, after, privileged });
        }
    }
    changes.sort();
    changes
}

/// Roles that come, go or mean something else: whatever the policies say, whoever holds them.
fn roles(base: &View<'_>, head: &View<'_>) -> Vec<RoleChange> {
    let (was, is) = (role_terms(base), role_terms(head));
    let keys: BTreeSet<&(RoleName, VendorName)> = was.keys().chain(is.keys()).collect();
    let holders = held_on_both(base, head);
    let mut changes = Vec::new();
    for key in keys {
        let (before, after) = (was.get(key).cloned(), is.get(key).cloned());
        let meaning = |terms: &RoleTerms| {
            // Where it is written means nothing.
            let RoleTerms { privileged, description, attributes, source: _ } = terms;
            (*privileged, description.clone(), attributes.clone())
        };
        if before.as_ref().map(meaning) == after.as_ref().map(meaning) {
            continue;
        }
        let (role, vendor) = key.clone();
        let weight = weight::of_role(before.as_ref(), after.as_ref());
        let places = holders.get(&(&role, &vendor)).cloned().unwrap_or_default();
        let people = people_of(base, head, &role, &places);
        changes.push(RoleChange { weight, role, vendor, before, after, places, people });
    }
    changes.sort();
    changes
}

/// Where each role is held on both sides, by role and vendor.
fn held_on_both<'a>(
    base: &View<'a>,
    head: &'a View<'a>,
) -> BTreeMap<(&'a RoleName, &'a VendorName), Vec<Place>> {
    let mut places: BTreeMap<_, Vec<Place>> = BTreeMap::new();
    for (place, account) in &head.desired.accounts {
        let Some(was) = base.account(place) else { continue };
        let before = base.held_in(place, was);
        for role in head.held_in(place, account).into_iter().filter(|role| before.contains(role)) {
            places
                .entry((role, family(head, &account.account.vendor)))
                .or_default()
                .push(place.clone());
        }
    }
    places
}

/// Whose words a role is in: several ways of access to one vendor share them.
fn family<'a>(view: &View<'a>, vendor: &'a VendorName) -> &'a VendorName {
    let facts = view.inputs.vendors.iter().find(|facts| facts.name == *vendor);
    facts.map_or(vendor, |facts| &facts.family)
}

/// Who has a role before and after in one of these places.
fn people_of(base: &View<'_>, head: &View<'_>, role: &RoleName, places: &[Place]) -> Vec<Who> {
    let mut people: BTreeSet<&Subject> = BTreeSet::new();
    for place in places {
        let Some(hub) = head.hub_of(place) else { continue };
        for group in head.holders(place, role) {
            let members = members(hub, group).into_iter();
            people.extend(members.filter(|one| base.holds(place, role, one)));
        }
        let taken = head.jobs.keys().filter(|(at, taken, _)| *at == place && *taken == role);
        let taken = taken.filter(|taken| base.jobs.contains_key(*taken));
        people.extend(taken.map(|(.., who)| *who));
    }
    let mut people: Vec<Who> = people.into_iter().map(|subject| head.who(subject)).collect();
    people.sort();
    people
}

impl View<'_> {
    /// The roles somebody can have in an account.
    fn held_in<'s>(&'s self, place: &Place, account: &'s DesiredAccount) -> BTreeSet<&'s RoleName> {
        let taken = self.jobs.keys().filter(|(at, ..)| *at == place).map(|(_, role, _)| *role);
        account.bindings.keys().map(|(_, role)| role).chain(taken).collect()
    }
}

/// What every role means at every vendor.
fn role_terms(view: &View<'_>) -> BTreeMap<(RoleName, VendorName), RoleTerms> {
    let roles = view.inputs.policies.roles.values();
    let terms = roles.flat_map(|role| {
        // Every field by name, so that a new one cannot be forgotten.
        let Role { name, description, privileged, means, source } = role;
        means.iter().map(move |(vendor, attributes)| {
            let terms = RoleTerms {
                privileged: *privileged,
                description: description.clone(),
                attributes: attributes.clone(),
                source: source.clone(),
            };
            ((name.clone(), vendor.clone()), terms)
        })
    });
    terms.collect()
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
            account_change(place, before, Some(after))
        })
        .filter(|change| {
            // Where it is written means nothing.
            let source = change.after.as_ref().map(|after| after.source.clone());
            let moved = change.before.clone().zip(source);
            moved.map(|(before, source)| AccountTerms { source, ..before }) != change.after
        })
        .collect();
    let gone = before.into_iter();
    changes.extend(gone.map(|(place, before)| account_change(place, Some(before), None)));
    changes.sort();
    changes
}

fn account_change(
    place: Place,
    before: Option<AccountTerms>,
    after: Option<AccountTerms>,
) -> AccountChange {
    let weight = weight::of_account(before.as_ref(), after.as_ref());
    AccountChange { weight, place, before, after }
}

fn directories(before: &View<'_>, after: &View<'_>) -> Vec<DirectoryName> {
    let known = &before.inputs.inventory.directories;
    let names = after.inputs.inventory.directories.keys();
    names.filter(|name| !known.contains_key(*name)).cloned().collect()
}
