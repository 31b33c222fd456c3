//! Nothing is taken from the program itself, nor from protected and break-glass accounts.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Rule, Violation, violation};
use crate::model::{ChangeId, HolderKind, ObjectName, VendorId};
use crate::plan::{Change, Effect, Life, Plan, Reference, Step, Target};
use crate::policies::Protected;

/// Holds every change or removal of what the program acts as: it must not saw off its own branch.
pub(super) fn own(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut holds: BTreeMap<_, Vec<ChangeId>> = BTreeMap::new();
    for change in &plan.changes {
        let own = context.own_principals.get(&*change.place);
        let groups = context.own_groups.get(&*change.place);
        let touched = own.is_some_and(|own| touches(&change.step, own))
            || groups.is_some_and(|groups| takes_rights(&change.step, groups));
        if change.step.effect() != Effect::Addition && touched {
            holds.entry(&change.place).or_default().push(change.id);
        }
    }
    holds
        .into_iter()
        .map(|(place, holds)| {
            let message = format!(
                "{} would change what this program itself acts as in {place}, or take its rights there",
                changes(holds.len()),
            );
            violation(Rule::OwnPrincipal, &place.organisation, message, holds)
        })
        .collect()
}

fn touches(step: &Step, own: &VendorId) -> bool {
    if step.user() == Some(own) {
        return true;
    }
    let is_own = |target: &Target| matches!(&target.id, Reference::Known(id) if id == own);
    match step {
        Step::Role(life) => life.id() == Some(own),
        Step::Adopt { id, .. } => id == own,
        Step::UnbindRole { role, .. } => is_own(role),
        Step::Attach { holder, .. } | Step::Detach { holder, .. } => is_own(holder),
        _ => false,
    }
}

/// Whether a step takes a role from a group through which the program has its rights.
fn takes_rights(step: &Step, own_groups: &BTreeSet<VendorId>) -> bool {
    match step {
        Step::Group(Life::Delete { id, .. }) => own_groups.contains(id),
        Step::UnbindRole { group, .. } => {
            matches!(&group.id, Reference::Known(id) if own_groups.contains(id))
        }
        Step::Detach { holder_kind: HolderKind::Group, holder, .. }
        | Step::Attach { holder_kind: HolderKind::Group, holder, before: Some(_), .. } => {
            matches!(&holder.id, Reference::Known(id) if own_groups.contains(id))
        }
        _ => false,
    }
}

/// Holds every removal and renaming of a protected user, and whatever would give somebody else
/// the name of a break-glass user: they could never be removed again.
pub(super) fn protected(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for protected in &context.policies.protected {
        let mut holds: BTreeMap<_, Vec<ChangeId>> = BTreeMap::new();
        for change in &plan.changes {
            // The users of an account live in its hub.
            let here = protected.account.as_ref().is_none_or(|account| {
                // What was another account's hub once may have been that of this one.
                *account == change.place.account
                    || change.place.written() != change.place.account.as_str()
                    || context.hubs.get(account) == Some(&change.place.account)
            });
            if here && touches_name(change, protected) {
                holds.entry(&change.place).or_default().push(change.id);
            }
        }
        for (place, holds) in holds {
            let kind = if protected.break_glass { "break-glass" } else { "protected" };
            let message = format!(
                "{} would take something from the {kind} user `{}` in {place}, or give that name to \
                 somebody ({}: {})",
                changes(holds.len()),
                protected.user,
                protected.source,
                protected.reason,
            );
            violations.push(violation(Rule::Protected, &place.organisation, message, holds));
        }
    }
    violations
}

/// Whether a change takes something from the user of that name, or gives somebody the name,
/// whatever case it is written in:
/// vendors that tell names apart by case are served no worse by the stricter comparison.
fn touches_name(change: &Change, protected: &Protected) -> bool {
    let is_protected =
        |name: &ObjectName| name.as_str().to_lowercase() == protected.user.as_str().to_lowercase();
    let name = match &change.step {
        Step::User(Life::Update { before, after, .. }) => {
            return is_protected(&before.name)
                || (protected.break_glass && is_protected(&after.name));
        }
        // Break-glass users are made by hand, never for somebody of a directory.
        Step::User(Life::Create { spec: user, .. }) => {
            return protected.break_glass && is_protected(&user.name);
        }
        Step::IssueCredential { user, .. } => {
            return protected.break_glass && is_protected(&user.name);
        }
        Step::User(Life::Retire { before, .. } | Life::Delete { before, .. }) => &before.name,
        Step::RevokeCredential { user, .. } => user,
        Step::RemoveMember { user, .. }
        | Step::UnbindRole { group: user, by_hand: Some(_), .. } => &user.name,
        Step::Detach { holder_kind: HolderKind::User, holder, .. } => &holder.name,
        // What is adopted is managed from then on.
        Step::Adopt { holder_kind: HolderKind::User, name, .. } => name,
        _ => return false,
    };
    is_protected(name)
}

fn changes(count: usize) -> String {
    if count == 1 { "1 change".to_owned() } else { format!("{count} changes") }
}
