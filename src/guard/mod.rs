//! The rules a plan must pass, all of them applied before the first write and in a dry run too.
//!
//! Architecture invariant: [`review`] is the only maker of an [`ApprovedPlan`].

mod limits;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ChangeId, OrganisationName};
use crate::plan::{Plan, PlanDigest};
use crate::policies::Policies;

/// What the rules look at besides the plan.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Limits and protected principals.
    pub policies: &'a Policies,
    /// The plan whose held removals an administrator has approved for this one run.
    pub approved: Option<PlanDigest>,
}

/// The verdict on a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The plan, with the changes that must not run marked as held.
    pub approved: ApprovedPlan,
    /// The rules it does not pass, sorted.
    pub violations: Vec<Violation>,
}

/// A plan that passed review. Some of its changes may be held; the others may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedPlan {
    plan: Plan,
    held: BTreeMap<ChangeId, Arc<str>>,
}

impl ApprovedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The changes that must not run, and why.
    pub fn held(&self) -> &BTreeMap<ChangeId, Arc<str>> {
        &self.held
    }
}

/// A rule a plan does not pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// In which organisation.
    pub organisation: OrganisationName,
    /// With numbers, as a sentence without a full stop.
    pub message: String,
    /// The changes it holds.
    pub holds: Vec<ChangeId>,
    /// Whether an administrator may approve the held changes for one run. If they did, `holds`
    /// names the changes that were let go.
    pub overridable: bool,
    /// An administrator approved the changes for this run.
    pub overridden: bool,
}

/// The rules.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Nothing is taken from the program's own principal.
    OwnPrincipal,
    /// Nothing is taken from protected and break-glass accounts.
    Protected,
    /// Required administrators stay.
    RequiredAdministrator,
    /// Enough administrators stay.
    MinimumAdministrators,
    /// A directory that shrank suddenly is not believed.
    DirectoryShrinkage,
    /// No run removes more than the limits say.
    RemovalLimit,
}

/// Applies every rule. The only maker of an [`ApprovedPlan`].
pub fn review(plan: Plan, context: &Context<'_>) -> Review {
    let mut violations = limits::violations(&plan, context);
    violations.sort();
    let digest = context.approved.as_ref().map(|approved| *approved == plan.digest());
    let mut held = BTreeMap::new();
    for violation in &mut violations {
        violation.overridden = violation.overridable && digest == Some(true);
        if !violation.overridden {
            let why: Arc<str> = violation.message.as_str().into();
            for change in &violation.holds {
                held.entry(*change).or_insert_with(|| Arc::clone(&why));
            }
        }
    }
    Review { approved: ApprovedPlan { plan, held }, violations }
}
