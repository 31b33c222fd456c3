//! What must be true of every plan, whoever made it. Checked on every plan that is read from a
//! file and, in tests, on every plan that is made.

use std::collections::HashSet;

use super::{Effect, Phase, Plan, Reference, phases};
use crate::model::ChangeId;

/// Something no plan may be like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A change is not where its number says.
    #[error("{0} is out of place")]
    OutOfPlace(ChangeId),
    /// A change needs one that does not come before it.
    #[error("{0} needs {1}, which does not come before it")]
    NeedsLater(ChangeId, ChangeId),
    /// A change holds an output of a change it does not need.
    #[error("{0} uses what {1} makes without needing it")]
    UsesWithoutNeed(ChangeId, ChangeId),
    /// Phases are not in order.
    #[error("{0} comes after a later phase")]
    PhaseOrder(ChangeId),
    /// Nothing says why.
    #[error("{0} gives no reason")]
    NoReason(ChangeId),
    /// The same step twice.
    #[error("{0} repeats an earlier change")]
    Repeated(ChangeId),
    /// Something that takes nothing from anybody, in a phase of removals.
    #[error("{0} does not fit its phase")]
    EffectOfPhase(ChangeId),
}

/// Everything wrong with a plan.
pub fn lint(plan: &Plan) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut last = Phase::Revoke;
    let mut seen = HashSet::with_capacity(plan.changes.len());
    let phases = phases(&plan.changes);
    for (number, change) in (0..).map(ChangeId).zip(&plan.changes) {
        if change.id != number {
            flaws.push(Flaw::OutOfPlace(change.id));
        }
        flaws.extend(
            change
                .needs
                .iter()
                .filter(|need| **need >= number)
                .map(|need| Flaw::NeedsLater(number, *need)),
        );
        for reference in change.step.references() {
            if let Reference::Made { by, .. } = reference
                && !change.needs.contains(by)
            {
                flaws.push(Flaw::UsesWithoutNeed(number, *by));
            }
        }
        if let Some(phase) = phases[number.index()] {
            if phase < last {
                flaws.push(Flaw::PhaseOrder(number));
            }
            last = last.max(phase);
        }
        let removes = change.step.effect() == Effect::Removal;
        if change.step.clears() && !removes {
            flaws.push(Flaw::EffectOfPhase(number));
        }
        if change.reasons.is_empty() {
            flaws.push(Flaw::NoReason(number));
        }
        if !seen.insert((&*change.place, &change.step)) {
            flaws.push(Flaw::Repeated(number));
        }
    }
    flaws
}
