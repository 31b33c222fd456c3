//! Nothing is taken from the program itself, nor from protected and break-glass accounts.

use std::collections::BTreeMap;

use super::{Context, Rule, Violation, violation};
use crate::model::{ChangeId, ObjectName, VendorId};
use crate::plan::{Change, Effect, Plan, Reference, Step, Target};

/// Holds every change or removal of what the program acts as: it must not saw off its own branch.
pub(super) fn own(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut holds: BTreeMap<_, Vec<ChangeId>> = BTreeMap::new();
    for change in &plan.changes {
        let Some(own) = context.own_principals.get(&*change.place) else { continue };
        if change.step.effect() != Effect::Addition && touches(&change.step, own) {
            holds.entry(&change.place).or_default().push(change.id);
        }
    }
    holds
        .into_iter()
        .map(|(place, holds)| {
            let message = format!(
                "{} would change what this program itself acts as in {place} ({})",
                changes(holds.len()),
                context.own_principals[&**place],
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
        Step::UpdateRole { id, .. } | Step::DeleteRole { id, .. } => id == own,
        Step::UnbindRole { role, .. } => is_own(role),
        Step::CreateUser { .. }
        | Step::UpdateUser { .. }
        | Step::RevokeCredential { .. }
        | Step::SuspendUser { .. }
        | Step::RestoreUser { .. }
        | Step::DeleteUser { .. }
        | Step::CreateGroup { .. }
        | Step::UpdateGroup { .. }
        | Step::DeleteGroup { .. }
        | Step::AddMember { .. }
        | Step::RemoveMember { .. }
        | Step::CreateRole { .. }
        | Step::BindRole { .. } => false,
    }
}

/// Holds every removal and renaming of a protected user.
pub(super) fn protected(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for protected in &context.policies.protected {
        let mut holds: BTreeMap<_, Vec<ChangeId>> = BTreeMap::new();
        for change in &plan.changes {
            let here =
                protected.account.as_ref().is_none_or(|account| *account == change.place.account);
            if here && takes_from(change, &protected.user) {
                holds.entry(&change.place).or_default().push(change.id);
            }
        }
        for (place, holds) in holds {
            let kind = if protected.break_glass { "break-glass" } else { "protected" };
            let message = format!(
                "{} would take something from the {kind} user `{}` in {place} ({}: {})",
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

/// Whether a change takes something from the user of that name, whatever case it is written in:
/// vendors that tell names apart by case are served no worse by the stricter comparison.
fn takes_from(change: &Change, protected: &ObjectName) -> bool {
    let name = match &change.step {
        Step::UpdateUser { before, .. }
        | Step::SuspendUser { before, .. }
        | Step::DeleteUser { before, .. } => &before.name,
        Step::RevokeCredential { user, .. } => user,
        Step::RemoveMember { user, .. } => &user.name,
        Step::CreateUser { .. }
        | Step::RestoreUser { .. }
        | Step::CreateGroup { .. }
        | Step::UpdateGroup { .. }
        | Step::DeleteGroup { .. }
        | Step::AddMember { .. }
        | Step::CreateRole { .. }
        | Step::UpdateRole { .. }
        | Step::DeleteRole { .. }
        | Step::BindRole { .. }
        | Step::UnbindRole { .. } => return false,
    };
    name.as_str().to_lowercase() == protected.as_str().to_lowercase()
}

fn changes(count: usize) -> String {
    if count == 1 { "1 change".to_owned() } else { format!("{count} changes") }
}
