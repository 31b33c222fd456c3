//! No run removes more than the limits say, counted per organisation and kind.

use super::{Context, Rule, Violation};
use crate::model::{ChangeId, ObjectKind, OrganisationName};
use crate::plan::{Effect, Plan};
use std::collections::BTreeMap;

/// One violation for every organisation and kind with more removals than allowed; it holds all
/// removals of that kind there.
pub(super) fn violations(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut removals: BTreeMap<(&OrganisationName, ObjectKind), Vec<ChangeId>> = BTreeMap::new();
    for change in &plan.changes {
        if change.step.effect() == Effect::Removal {
            removals
                .entry((&change.place.organisation, change.step.kind()))
                .or_default()
                .push(change.id);
        }
    }
    removals
        .into_iter()
        .filter_map(|((organisation, kind), holds)| {
            let limit = context.policies.limits_of(organisation).kinds.get(&kind).copied()?;
            let existing = plan
                .census
                .get(organisation)
                .and_then(|kinds| kinds.get(&kind))
                .copied()
                .unwrap_or(0);
            let allowed = limit.allowed(existing);
            (holds.len() as u64 > allowed).then(|| Violation {
                rule: Rule::RemovalLimit,
                organisation: organisation.clone(),
                message: format!(
                    "{} of {existing} {} would be removed, at most {allowed} are allowed in one run",
                    holds.len(),
                    kind.plural(),
                ),
                holds,
                overridable: true,
                overridden: false,
            })
        })
        .collect()
}
