//! No run removes more than the limits say, counted per organisation and kind.
//!
//! The end of a key that a newer one has replaced takes nothing from anybody and does not count,
//! as long as the plan leaves the newer one alone. A key that nothing replaces counts as its user.
//!
//! What a departing user loses (credentials, memberships, the user itself) counts as one user,
//! once: otherwise everybody who leaves ten groups would trip the limit on memberships. What
//! goes because a group goes does count as memberships: deleting one group takes access from
//! everybody in it.

use std::collections::{BTreeMap, HashSet};

use super::{Context, Rule, Violation, violation};
use crate::model::{ChangeId, ObjectKind, OrganisationName, Place, VendorId};
use crate::plan::{Change, Plan, Step};

/// One violation for every organisation and kind with more removals than allowed; it holds all
/// removals that were counted.
pub(super) fn violations(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let revoked = revoked(plan);
    let departing = departing(plan, &revoked);
    let mut removals: BTreeMap<(&OrganisationName, ObjectKind), Counted<'_>> = BTreeMap::new();
    for change in plan.removals() {
        let user = change.step.user().map(|user| (&*change.place, user));
        let user = user.filter(|user| departing.contains(user));
        if user.is_none() && is_replaced(change, &revoked) {
            continue;
        }
        let kind = if user.is_some() { ObjectKind::User } else { change.step.kind() };
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
        .into_iter()
        .filter_map(|((organisation, kind), counted)| {
            let limits = &context.policies.limits_of(organisation).kinds;
            let limit = limits.get(&kind).copied().unwrap_or_default();
            let existing = plan
                .census
                .get(organisation)
                .and_then(|kinds| kinds.get(&kind))
                .copied()
                .unwrap_or(0);
            let allowed = limit.allowed(existing);
            let count = counted.users.len() as u64 + counted.others;
            let message = format!(
                "{count} of {existing} {} would be taken away, at most {allowed} in one run \
                 (limit: {}, {} %, at least {})",
                kind.plural(),
                limit.count,
                limit.percent,
                limit.floor,
            );
            (count > allowed)
                .then(|| violation(Rule::RemovalLimit, organisation, message, counted.holds))
        })
        .collect()
}

#[derive(Default)]
struct Counted<'a> {
    holds: Vec<ChangeId>,
    users: HashSet<(&'a Place, &'a VendorId)>,
    others: u64,
}

/// Every credential the plan destroys.
fn revoked(plan: &Plan) -> HashSet<(&Place, &VendorId)> {
    let removals = plan.removals().iter();
    removals
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
    let departs = |change: &Change| match &change.step {
        Step::RevokeCredential { .. } => !is_replaced(change, revoked),
        Step::SuspendUser { .. } | Step::DeleteUser { .. } => true,
        Step::CreateUser { .. }
        | Step::UpdateUser { .. }
        | Step::RestoreUser { .. }
        | Step::CreateGroup { .. }
        | Step::UpdateGroup { .. }
        | Step::DeleteGroup { .. }
        | Step::AddMember { .. }
        | Step::RemoveMember { .. }
        | Step::CreateRole { .. }
        | Step::UpdateRole { .. }
        | Step::DeleteRole { .. }
        | Step::BindRole { .. }
        | Step::UnbindRole { .. }
        | Step::Attach { .. }
        | Step::Detach { .. }
        | Step::Adopt { .. }
        | Step::IssueCredential { .. } => false,
    };
    plan.removals()
        .iter()
        .filter(|change| departs(change))
        .filter_map(|change| Some((&*change.place, change.step.user()?)))
        .collect()
}
