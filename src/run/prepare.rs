//! From what was read to a reviewed plan.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Baseline;
use super::gather::{Gathered, Sources};
use super::{administrators, belief, usage};
use crate::desired::{self, Inputs};
use crate::diagnostic::{Finding, Findings};
use crate::guard::{self, Context, Otherwise, Review};
use crate::model::{Place, VendorId};
use crate::plan::{DiffInputs, Narrowing, PlanDigest, diff, narrow};

/// A plan with the verdict on it.
pub struct Prepared {
    /// The verdict, with the plan in it.
    pub review: Review,
    /// Changes left out only because they need one the narrowing left out.
    pub left_out: usize,
}

/// Computes the plan and applies every rule.
///
/// `findings` are those about the inputs, to be shown with the plan. `approved` is the digest of
/// the plan whose removals an administrator lets go.
pub fn prepare(
    sources: &Sources<'_>,
    gathered: &Gathered,
    baseline: &Baseline,
    findings: Vec<Finding>,
    narrowing: &Narrowing,
    approved: Option<PlanDigest>,
) -> Prepared {
    let mut plan = diff(&DiffInputs {
        desired: &gathered.desired,
        observed: &gathered.observations,
        vendors: &gathered.facts,
        grace_days: sources.policies.grace_days,
        today: sources.today,
    });
    plan.findings.extend(findings);
    plan.findings.sort();
    plan.findings.dedup();
    let (mut plan, left_out) = narrow(plan, narrowing);
    // Of what was asked for: a directory may have a hundred thousand odd entries.
    plan.findings = plan.findings.into_iter().collect::<Findings>().into_sorted();
    let mut context = context(sources, gathered, baseline, approved);
    context.otherwise = otherwise(sources, gathered);
    Prepared { review: guard::review(plan, &context), left_out }
}

/// What would be done on the days that other clocks say it is, where they contradict this machine's.
fn otherwise(sources: &Sources<'_>, gathered: &Gathered) -> Vec<Otherwise> {
    let doubts = gathered.clocks.as_ref().map(guard::doubts).unwrap_or_default();
    let plan = |today| {
        let desired = desired::resolve(&Inputs {
            inventory: gathered.completed.as_ref().unwrap_or(sources.inventory),
            policies: sources.policies,
            directories: &gathered.directories,
            vendors: &gathered.facts,
            today,
        });
        diff(&DiffInputs {
            desired: &desired,
            observed: &gathered.observations,
            vendors: &gathered.facts,
            grace_days: sources.policies.grace_days,
            today,
        })
    };
    doubts
        .into_iter()
        .map(|doubt| {
            let plan = plan(doubt.day);
            Otherwise::new(doubt, &plan)
        })
        .collect()
}

/// What the rules look at besides the plan.
pub(super) fn context<'a>(
    sources: &Sources<'a>,
    gathered: &Gathered,
    baseline: &Baseline,
    approved: Option<PlanDigest>,
) -> Context<'a> {
    let belief = belief::of(baseline, gathered, sources.today);
    Context {
        policies: sources.policies,
        own_principals: gathered
            .observations
            .accounts
            .iter()
            .filter_map(|(place, reading)| {
                Some((place.clone(), reading.got().own_principal.clone()?))
            })
            .collect(),
        own_groups: own_groups(gathered),
        hubs: sources
            .inventory
            .accounts
            .iter()
            .map(|(name, entry)| (name.clone(), entry.account.hub.clone()))
            .collect(),
        administrators: administrators::sets(sources.inventory, sources.policies, gathered),
        doubts: belief.doubts,
        strangers: belief.strangers,
        usage: usage::of(gathered),
        otherwise: Vec::new(),
        approved,
    }
}

/// The groups the program is a member of, for every account in which they may have roles.
fn own_groups(gathered: &Gathered) -> BTreeMap<Place, BTreeSet<VendorId>> {
    let accounts = &gathered.observations.accounts;
    gathered
        .desired
        .accounts
        .iter()
        .filter_map(|(place, wanted)| {
            let hub = accounts.get(&wanted.hub)?.got();
            let own = hub.own_principal.as_ref()?;
            let groups = hub.memberships.iter().filter(|membership| membership.user == *own);
            Some((place.clone(), groups.map(|membership| membership.group.clone()).collect()))
        })
        .collect()
}
