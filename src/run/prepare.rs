//! From what was read to a reviewed plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::baseline::Baseline;
use super::gather::{Gathered, Sources};
use super::known::Forgotten;
use super::past::Past;
use super::recognise::recognise;
use super::{administrators, belief, former, holdings, usage};
use crate::desired::{self, Inputs};
use crate::diagnostic::{Finding, Findings};
use crate::guard::{self, Context, Holdings, Otherwise, Review};
use crate::model::{Observed, ObservedAccount, Place, Reading, VendorId};
use crate::plan::{DiffInputs, Narrowing, PlanDigest, diff, narrow};

/// A plan with the verdict on it.
pub struct Prepared {
    /// The verdict, with the plan in it.
    pub review: Review,
    /// Changes left out only because they need one the narrowing left out.
    pub left_out: usize,
    /// Who had which role where before.
    pub holdings: Holdings,
}

impl Prepared {
    /// A plan that leaves out nothing, of which nothing is counted afterwards.
    pub(super) fn alone(review: Review) -> Self {
        Self { review, left_out: 0, holdings: Holdings::default() }
    }
}

/// Computes the plan and applies every rule.
///
/// `findings` are those about the inputs, to be shown with the plan. `approved` is the digest of
/// the plan whose removals an administrator lets go.
pub fn prepare(
    sources: &Sources<'_>,
    gathered: &Gathered,
    baseline: &Baseline,
    past: &Past,
    findings: Vec<Finding>,
    narrowing: &Narrowing,
    approved: Option<PlanDigest>,
) -> Prepared {
    let mut plan = diff(&DiffInputs {
        desired: &recognise(&gathered.desired, gathered, baseline),
        observed: &gathered.observations,
        vendors: &gathered.facts,
        grace_days: sources.policies.grace_days,
        today: sources.today,
    });
    let (mut context, odd) = context(sources, gathered, baseline, past, approved);
    plan.findings.extend(findings);
    plan.findings.extend(odd);
    plan.findings.extend(gathered.forgotten.iter().filter_map(forgotten));
    plan.findings.sort();
    plan.findings.dedup();
    let (mut plan, left_out) = narrow(plan, narrowing);
    // Of what was asked for: a directory may have a hundred thousand odd entries.
    plan.findings = plan.findings.into_iter().collect::<Findings>().into_sorted();
    context.otherwise = otherwise(sources, gathered, baseline);
    let review = guard::review(plan, &context);
    Prepared { review, left_out, holdings: std::mem::take(&mut context.holdings) }
}

/// What is left in an account that the inventory does not name any more; `None` if nothing is.
fn forgotten((account, reading): &(Forgotten, Reading<ObservedAccount>)) -> Option<Finding> {
    let Forgotten { account, on } = account;
    let left = if let Some(missing) = reading.missing().first() {
        format!("it cannot be told what of ours is left there ({missing})")
    } else {
        let left = Left::of(reading.got());
        if left.is_nothing() {
            return None;
        }
        format!("{left} of ours are left there")
    };
    let message = format!(
        "account {} ({} {}) was in the inventory until {on}, and {left}",
        account.place.account, account.vendor, account.id
    );
    Some(
        Finding::error("forgotten-account", message)
            .in_place(&account.place)
            .hint("put it back with `retired: true`, and what is left there ends"),
    )
}

/// How much of ours is in an account.
pub(super) struct Left {
    users: usize,
    groups: usize,
    roles: usize,
    bindings: usize,
}

impl Left {
    pub(super) fn of(seen: &ObservedAccount) -> Self {
        fn ours<T>(all: &[Observed<T>]) -> impl Iterator<Item = &VendorId> {
            all.iter().filter(|one| one.ownership.subject().is_some()).map(|one| &one.id)
        }
        let roles: BTreeSet<&VendorId> = ours(&seen.roles).collect();
        let bound = seen.bindings.iter().filter(|binding| roles.contains(&binding.role));
        Self {
            users: ours(&seen.users).count(),
            groups: ours(&seen.groups).count(),
            bindings: bound.count(),
            roles: roles.len(),
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.users + self.groups + self.roles + self.bindings == 0
    }
}

impl fmt::Display for Left {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { users, groups, roles, bindings } = self;
        let parts: Vec<String> =
            [(users, "user"), (groups, "group"), (roles, "role"), (bindings, "role binding")]
                .into_iter()
                .filter(|(count, _)| **count > 0)
                .map(|(count, what)| {
                    format!("{count} {what}{}", if *count == 1 { "" } else { "s" })
                })
                .collect();
        formatter.write_str(&parts.join(", "))
    }
}

/// What would be done on the days that other clocks say it is, where they contradict this machine's.
fn otherwise(sources: &Sources<'_>, gathered: &Gathered, baseline: &Baseline) -> Vec<Otherwise> {
    let doubts = gathered.clocks.as_ref().map(guard::doubts).unwrap_or_default();
    let plan = |today| {
        let mut desired = desired::resolve(&Inputs {
            inventory: gathered.completed.as_ref().unwrap_or(sources.inventory),
            policies: sources.policies,
            directories: &gathered.directories,
            vendors: &gathered.facts,
            today,
        });
        former::add(&gathered.former, &mut desired);
        desired.mirrors.clone_from(&gathered.desired.mirrors);
        diff(&DiffInputs {
            desired: &recognise(&desired, gathered, baseline),
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
    past: &Past,
    approved: Option<PlanDigest>,
) -> (Context<'a>, Vec<Finding>) {
    let belief = belief::of(baseline, gathered, sources.today);
    let holdings = holdings::of(gathered);
    let (administrators, findings) = administrators::sets(
        sources.inventory,
        sources.policies,
        gathered,
        &holdings,
        &past.known,
        sources.today,
    );
    let context = Context {
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
        administrators,
        doubts: belief.doubts,
        strangers: belief.strangers,
        renumbered: belief.renumbered,
        usage: usage::of(gathered),
        otherwise: Vec::new(),
        holdings,
        recent: past.recent(sources, gathered),
        approved,
    };
    (context, findings)
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
