//! A directory that shrank suddenly is not believed.
//!
//! A server that hides entries (a changed access rule, a half-loaded replica) answers with
//! success and fewer people: on the wire that looks like everybody having left. So removals on
//! account of a directory are held when it lost more people since its last complete reading than
//! the limit allows, even where each account alone would be within its own limits.

use std::collections::BTreeMap;

use super::{Context, Rule, Shrinkage, Violation, violation};
use crate::model::{ChangeId, OrganisationName, Subject};
use crate::plan::Plan;

/// One violation for every shrunken directory and organisation with removals on its account.
pub(super) fn violations(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    context
        .shrinkage
        .iter()
        .flat_map(|shrinkage| {
            let removals = removals(plan, shrinkage);
            removals.into_iter().filter_map(|(organisation, holds)| {
                let limit = context.policies.limits_of(organisation).directory;
                let allowed = limit.allowed(shrinkage.before);
                let lost = shrinkage.before.saturating_sub(shrinkage.now);
                let message = format!(
                    "directory {} lacks {lost} of the {} people it had when it was last read, at \
                     most {allowed} are believed (limit: {}, {} %, at least {})",
                    shrinkage.directory, shrinkage.before, limit.count, limit.percent, limit.floor,
                );
                let directory = Some(shrinkage.directory.clone());
                (lost > allowed).then(|| Violation {
                    directory,
                    ..violation(Rule::DirectoryShrinkage, organisation, message, holds)
                })
            })
        })
        .collect()
}

/// Removals whose object stands for a person or group of the directory.
fn removals<'a>(
    plan: &'a Plan,
    shrinkage: &Shrinkage,
) -> BTreeMap<&'a OrganisationName, Vec<ChangeId>> {
    let mut removals: BTreeMap<&OrganisationName, Vec<ChangeId>> = BTreeMap::new();
    for change in plan.removals() {
        let concerned = match change.step.subject() {
            Some(Subject::Person { directory, .. }) => *directory == shrinkage.directory,
            Some(Subject::Group(group)) => group.directory == shrinkage.directory,
            Some(Subject::Held { by, .. }) => match &**by {
                Subject::Group(group) => group.directory == shrinkage.directory,
                _ => false,
            },
            Some(
                Subject::Role(_)
                | Subject::Service(_)
                | Subject::ServiceGroup(_)
                | Subject::IdentityProvider(_),
            )
            | None => false,
        };
        if concerned {
            removals.entry(&change.place.organisation).or_default().push(change.id);
        }
    }
    removals
}
