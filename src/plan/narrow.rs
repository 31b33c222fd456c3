//! Less than the whole plan: only some kinds, organisations or accounts.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Plan};
use crate::model::{AccountName, ChangeId, Kind, OrganisationName, Place};

/// Which part of a plan is wanted. Empty sets mean everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Narrowing {
    /// Kinds of objects.
    pub kinds: BTreeSet<Kind>,
    /// Organisations.
    pub organisations: BTreeSet<OrganisationName>,
    /// Accounts.
    pub accounts: BTreeSet<AccountName>,
}

impl Narrowing {
    /// Whether everything is wanted.
    pub fn is_everything(&self) -> bool {
        let Self { kinds, organisations, accounts } = self;
        kinds.is_empty() && organisations.is_empty() && accounts.is_empty()
    }

    /// Whether an object of that kind in that account is meant; `None` for what has no kind.
    pub fn includes(&self, place: &Place, kind: Option<Kind>) -> bool {
        let is_kind = || kind.is_some_and(|kind| self.kinds.contains(&kind));
        self.wants_place(place) && (self.kinds.is_empty() || is_kind())
    }

    fn wants_place(&self, place: &Place) -> bool {
        (self.organisations.is_empty() || self.organisations.contains(&place.organisation))
            && (self.accounts.is_empty() || self.accounts.contains(place.written()))
    }

    fn wants(&self, change: &Change) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&change.step.counts_as()))
            && self.wants_place(&change.place)
    }
}

/// The part of a plan that was asked for, renumbered, and how many changes were left out only
/// because they need one that was not asked for.
pub fn narrow(plan: Plan, narrowing: &Narrowing) -> (Plan, usize) {
    if narrowing.is_everything() {
        return (plan, 0);
    }
    let (kept, left_out) = kept(plan.changes, |change| narrowing.wants(change));
    let wanted_place = |place: &Place| narrowing.wants_place(place);
    let census: BTreeMap<_, _> = plan
        .census
        .into_iter()
        .filter(|(name, _)| {
            narrowing.organisations.is_empty() || narrowing.organisations.contains(name)
        })
        .collect();
    let narrowed = Plan {
        today: plan.today,
        changes: kept,
        withheld: plan
            .withheld
            .into_iter()
            .filter(|one| narrowing.includes(&one.place, Some(one.kind)))
            .collect(),
        incomplete: plan.incomplete,
        waiting: plan
            .waiting
            .into_iter()
            .filter(|one| narrowing.includes(&one.place, Some(one.kind)))
            .collect(),
        findings: plan
            .findings
            .into_iter()
            .filter(|finding| finding.place.as_ref().is_none_or(&wanted_place))
            .collect(),
        census,
    };
    (narrowed, left_out)
}

/// The part of a plan that is wanted, renumbered, without what needs something that is not.
pub fn keep(plan: Plan, wanted: impl Fn(&Change) -> bool) -> Plan {
    let (changes, _) = kept(plan.changes, wanted);
    Plan { changes, ..plan }
}

/// The changes that are wanted and whose needs are, renumbered; and how many of the wanted ones
/// were left out because of their needs.
pub(super) fn kept(
    changes: Vec<Change>,
    is_wanted: impl Fn(&Change) -> bool,
) -> (Vec<Change>, usize) {
    let mut numbers: Vec<Option<ChangeId>> = Vec::with_capacity(changes.len());
    let mut kept: Vec<Change> = Vec::new();
    let mut left_out = 0;
    for mut change in changes {
        let wanted = is_wanted(&change);
        let needs: Option<Vec<ChangeId>> =
            change.needs.iter().map(|need| numbers[need.index()]).collect();
        let (true, Some(needs)) = (wanted, needs) else {
            left_out += usize::from(wanted);
            numbers.push(None);
            continue;
        };
        let id = ChangeId(u32::try_from(kept.len()).expect("fewer than before"));
        numbers.push(Some(id));
        change
            .step
            .renumber(|by| numbers[by.index()].expect("what a change uses is among its needs"));
        kept.push(Change { id, needs, ..change });
    }
    (kept, left_out)
}
