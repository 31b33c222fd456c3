//! No run removes more than the limits say, counted per organisation and kind; nor do several runs
//! within a day.
//!
//! The end of a key that a newer one has replaced takes nothing from anybody and does not count,
//! as long as the plan leaves the newer one alone. A key that nothing replaces counts as its user.
//!
//! What a departing user loses (credentials, memberships, the user itself) counts as one user,
//! once: otherwise everybody who leaves ten groups would trip the limit on memberships. What
//! goes because a group goes does count as memberships: deleting one group takes access from
//! everybody in it.
//!
//! Besides objects, access is counted (see [`super::Holdings`]): one role that means less is one
//! object, and may be everything that forty people had.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::{Context, Holdings, Recent, Rule, Violation, violation};
use crate::model::{ChangeId, Kind, OrganisationName, Place, VendorId};
use crate::plan::{Change, Plan, Step};
use crate::policies::Limit;

/// One violation for every organisation and kind with more removals than allowed, and for every
/// organisation that would lose too much access; it holds all removals that were counted.
///
/// `held` is what other rules hold: who was to leave and stays does not count as a user, but what
/// they lose all the same does.
pub(super) fn violations(
    plan: &Plan,
    context: &Context<'_>,
    held: &BTreeMap<ChangeId, Arc<str>>,
) -> Vec<Violation> {
    let revoked = revoked(plan);
    let all = departing(plan, &revoked);
    let mut departing = all.clone();
    stay(&mut departing, plan, |change| held.contains_key(&change));
    // What is held with the leaving of somebody who stays is a part of it; what is not counts.
    let counts_as_user = |change: &Change, user| {
        let of = if held.contains_key(&change.id) { &all } else { &departing };
        of.contains(&user)
    };
    let mut violations = Vec::new();
    for ((organisation, kind), counted) in counted(plan, &revoked, counts_as_user) {
        let limits = &context.policies.limits_of(organisation).kinds;
        let kinds = plan.census.get(organisation);
        let taken = Taken {
            what: kind.plural(),
            count: counted.count(),
            existing: kinds.and_then(|kinds| kinds.get(&kind)).copied().unwrap_or(0),
            recently: context.recent.objects(organisation, kind),
            counts_users: kind == Kind::User,
            limit: limits.get(&kind).copied().unwrap_or_default(),
        };
        violations.extend(taken.violation(organisation, counted.holds));
    }
    let held: BTreeSet<ChangeId> = violations.iter().flat_map(|one| &one.holds).copied().collect();
    stay(&mut departing, plan, |change| held.contains(&change));
    for (organisation, lost) in context.holdings.lost(plan, &departing) {
        let taken = Taken {
            what: "accesses (one person in one account)",
            count: lost.count,
            existing: context.holdings.existing(organisation),
            recently: context.recent.access(organisation),
            counts_users: false,
            limit: context.policies.limits_of(organisation).access,
        };
        violations.extend(taken.violation(organisation, lost.by.into_iter().collect()));
    }
    violations
}

/// Takes out whoever does not leave after all, because something by which they would is held.
fn stay<'a>(
    departing: &mut HashSet<(&'a Place, &'a VendorId)>,
    plan: &'a Plan,
    is_held: impl Fn(ChangeId) -> bool,
) {
    for change in plan.removals().filter(|change| is_held(change.id)) {
        if let Some(user) = change.step.user() {
            departing.remove(&(&*change.place, user));
        }
    }
}

/// What a part of a plan takes away, by the same rules: for adding up what was taken within a day.
pub fn taken(plan: &Plan, holdings: &Holdings) -> Recent {
    let revoked = revoked(plan);
    let departing = departing(plan, &revoked);
    let mut taken = Recent::default();
    let counts_as_user = |_: &Change, user| departing.contains(&user);
    for ((organisation, kind), counted) in counted(plan, &revoked, counts_as_user) {
        taken.add_objects(organisation, kind, counted.count());
    }
    for (organisation, lost) in holdings.lost(plan, &departing) {
        taken.add_access(organisation, lost.count);
    }
    taken
}

/// So many of something would be taken.
struct Taken {
    what: &'static str,
    count: u64,
    /// How many there are now.
    existing: u64,
    /// How many were taken within a day.
    recently: u64,
    counts_users: bool,
    limit: Limit,
}

impl Taken {
    fn violation(
        &self,
        organisation: &OrganisationName,
        holds: Vec<ChangeId>,
    ) -> Option<Violation> {
        let Self { what, count, existing, recently, counts_users, limit } = *self;
        // A share is of what there was a day ago; users stay for the time of grace.
        let gone = if counts_users { 0 } else { recently };
        let allowed = limit.allowed(existing.saturating_add(gone));
        if count.saturating_add(recently) <= allowed {
            return None;
        }
        let when = match recently {
            0 => "in one run".to_owned(),
            recently => format!("within a day, {recently} were"),
        };
        let message = format!(
            "{count} of {existing} {what} would be taken away, at most {allowed} {when} \
             (limit: {}, {} %, at least {})",
            limit.count, limit.percent, limit.floor,
        );
        Some(violation(Rule::RemovalLimit, organisation, message, holds))
    }
}

#[derive(Default)]
struct Counted<'a> {
    holds: Vec<ChangeId>,
    users: HashSet<(&'a Place, &'a VendorId)>,
    others: u64,
}

impl Counted<'_> {
    fn count(&self) -> u64 {
        self.users.len() as u64 + self.others
    }
}

/// The removals of every organisation and kind.
fn counted<'a>(
    plan: &'a Plan,
    revoked: &HashSet<(&Place, &VendorId)>,
    counts_as_user: impl Fn(&Change, (&'a Place, &'a VendorId)) -> bool,
) -> BTreeMap<(&'a OrganisationName, Kind), Counted<'a>> {
    let mut removals: BTreeMap<(&OrganisationName, Kind), Counted<'_>> = BTreeMap::new();
    for change in plan.removals() {
        let user = change.step.user().map(|user| (&*change.place, user));
        let user = user.filter(|user| counts_as_user(change, *user));
        if user.is_none() && is_replaced(change, revoked) {
            continue;
        }
        let kind = if user.is_some() { Kind::User } else { change.step.counts_as() };
        let counted = removals.entry((&change.place.organisation, kind)).or_default();
        counted.holds.push(change.id);
        match user {
            Some(user) => {
                counted.users.insert(user);
            }
            None => counted.others += 1,
        }
    }
    removals
}

/// Every credential the plan destroys.
fn revoked(plan: &Plan) -> HashSet<(&Place, &VendorId)> {
    plan.removals()
        .filter_map(|change| {
            let Step::RevokeCredential { credential, .. } = &change.step else { return None };
            Some((&*change.place, &credential.id))
        })
        .collect()
}

/// Whether a change destroys a key whose successor stays.
fn is_replaced(change: &Change, revoked: &HashSet<(&Place, &VendorId)>) -> bool {
    let Step::RevokeCredential { replaced_by: Some(stays), .. } = &change.step else {
        return false;
    };
    !revoked.contains(&(&*change.place, stays))
}

/// Users who lose something as users in this plan.
fn departing<'a>(
    plan: &'a Plan,
    revoked: &HashSet<(&Place, &VendorId)>,
) -> HashSet<(&'a Place, &'a VendorId)> {
    let departs = |change: &Change| match change.step.kind() {
        Kind::Credential => !is_replaced(change, revoked),
        Kind::User => true,
        _ => false,
    };
    plan.removals()
        .filter(|change| departs(change))
        .filter_map(|change| Some((&*change.place, change.step.user()?)))
        .collect()
}
