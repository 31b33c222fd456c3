//! Who can do something in which account, and how many lose that by a plan.
//!
//! Access is counted in people and scopes: one person in one account, through however many roles
//! and groups, is one access. Narrowing a role that forty people hold in two accounts takes eighty,
//! as unbinding it there does; taking one of two groups with that role from somebody takes none.
//! What somebody loses by leaving a group, or by leaving, is counted as a membership or a user.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::model::{ChangeId, OrganisationName, Place, VendorId};
use crate::plan::{Life, Plan, Step};

/// Who has which role where, as it is before the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Who is in which group, by hub.
    pub hubs: BTreeMap<Place, Members>,
    /// Which groups have which role, by account.
    pub accounts: BTreeMap<Place, Held>,
}

/// Who of those who can log in is in which group of a hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The users, in any order.
    pub users: Vec<VendorId>,
    /// Positions of users by group. Where a vendor has no groups, what stands for one.
    pub groups: HashMap<VendorId, Vec<u32>>,
}

/// Which groups have which role in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where its groups live.
    pub hub: Place,
    /// Where its role objects live: itself, or its hub where roles are shared.
    pub home: Place,
    /// The groups by role.
    pub roles: BTreeMap<VendorId, BTreeSet<VendorId>>,
}

/// The access that one organisation would lose.
#[derive(Debug, Default)]
pub(super) struct LostAccess {
    /// How many accesses.
    pub(super) count: u64,
    /// By which changes.
    pub(super) by: BTreeSet<ChangeId>,
}

/// What a plan takes of one role in one account.
#[derive(Default)]
struct LostRole<'a> {
    /// The role itself means less.
    whole: bool,
    /// These groups no longer have it.
    groups: BTreeSet<&'a VendorId>,
    by: BTreeSet<ChangeId>,
}

type LostRoles<'a> = BTreeMap<&'a VendorId, LostRole<'a>>;

impl Holdings {
    /// How many accesses there are in an organisation.
    pub(super) fn existing(&self, organisation: &OrganisationName) -> u64 {
        let of = |(place, _): &(&Place, &Held)| place.organisation == *organisation;
        let accounts = self.accounts.iter().filter(of);
        accounts
            .map(|(_, held)| {
                let groups: BTreeSet<&VendorId> = held.roles.values().flatten().collect();
                let mut people = People::of(self.hubs.get(&held.hub));
                for group in groups {
                    people.add(group);
                }
                people.count
            })
            .sum()
    }

    /// What each organisation would lose by a plan, except those users who lose it by leaving.
    pub(super) fn lost<'a>(
        &'a self,
        plan: &'a Plan,
        departing: &HashSet<(&Place, &VendorId)>,
    ) -> BTreeMap<&'a OrganisationName, LostAccess> {
        let mut lost: BTreeMap<&OrganisationName, LostAccess> = BTreeMap::new();
        for (place, roles) in self.lost_roles(plan) {
            let Some(held) = self.accounts.get(place) else { continue };
            let members = self.hubs.get(&held.hub);
            let mut people = People::of(members);
            let mut by = BTreeSet::new();
            for (role, part) in roles {
                let all = &held.roles[role];
                let mut keeping = People::of(members);
                let stays = |group: &&VendorId| !part.whole && !part.groups.contains(group);
                for group in all.iter().filter(stays) {
                    keeping.add(group);
                }
                let goes = |group: &&VendorId| part.whole || part.groups.contains(group);
                for group in all.iter().filter(goes) {
                    people.add_except(group, &keeping);
                }
                by.extend(part.by);
            }
            let departed = |user: &VendorId| departing.contains(&(&held.hub, user));
            let count = people.count_except(departed);
            if count > 0 {
                let lost = lost.entry(&place.organisation).or_default();
                lost.count += count;
                lost.by.extend(by);
            }
        }
        lost
    }

    fn lost_roles<'a>(&'a self, plan: &'a Plan) -> BTreeMap<&'a Place, LostRoles<'a>> {
        let mut lost: BTreeMap<&Place, LostRoles<'_>> = BTreeMap::new();
        for change in plan.removals() {
            let here = &*change.place;
            if let Some(role) = change.step.lessened_role() {
                let homes = self.accounts.iter().filter(|(_, held)| held.home == *here);
                for (place, held) in homes {
                    if let Some((role, _)) = held.roles.get_key_value(role) {
                        let part = lost.entry(place).or_default().entry(role).or_default();
                        part.whole = true;
                        part.by.insert(change.id);
                    }
                }
            }
            match &change.step {
                Step::UnbindRole { role, group, .. } => {
                    let Some((place, held)) = self.accounts.get_key_value(here) else { continue };
                    let (Some(role), Some(group)) = (role.known(), group.known()) else { continue };
                    if let Some((role, groups)) = held.roles.get_key_value(role)
                        && let Some(group) = groups.get(group)
                    {
                        let part = lost.entry(place).or_default().entry(role).or_default();
                        part.groups.insert(group);
                        part.by.insert(change.id);
                    }
                }
                Step::Group(Life::Delete { id, .. }) => {
                    let below = self.accounts.iter().filter(|(_, held)| held.hub == *here);
                    for (place, held) in below {
                        for (role, groups) in &held.roles {
                            if let Some(group) = groups.get(id) {
                                let part = lost.entry(place).or_default().entry(role).or_default();
                                part.groups.insert(group);
                                part.by.insert(change.id);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        lost
    }
}

/// A set of users of one hub.
struct People<'a> {
    members: Option<&'a Members>,
    is_in: Vec<bool>,
    count: u64,
}

impl<'a> People<'a> {
    fn of(members: Option<&'a Members>) -> Self {
        let users = members.map_or(0, |members| members.users.len());
        Self { members, is_in: vec![false; users], count: 0 }
    }

    fn in_group(&self, group: &VendorId) -> &'a [u32] {
        self.members.and_then(|members| members.groups.get(group)).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, group: &VendorId) {
        for user in self.in_group(group) {
            if let Some(is_in) = self.is_in.get_mut(*user as usize) {
                self.count += u64::from(!std::mem::replace(is_in, true));
            }
        }
    }

    fn add_except(&mut self, group: &VendorId, others: &Self) {
        for user in self.in_group(group) {
            let at = *user as usize;
            if let (Some(false), Some(is_in)) = (others.is_in.get(at), self.is_in.get_mut(at)) {
                self.count += u64::from(!std::mem::replace(is_in, true));
            }
        }
    }

    fn count_except(&self, excepted: impl Fn(&VendorId) -> bool) -> u64 {
        let users = self.members.map_or(&[][..], |members| &members.users);
        let counted =
            users.iter().zip(&self.is_in).filter(|(user, is_in)| **is_in && !excepted(user));
        counted.count() as u64
    }
}
