//! What earlier runs knew and did.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::gather::{Gathered, Sources};
use super::known::Known;
use super::prepare::Prepared;
use crate::apply::Outcomes;
use crate::event::Outcome;
use crate::guard::{self, Recent};
use crate::model::{Access, ChangeId, Kind, OrganisationName};
use crate::plan::Plan;
use crate::record::Records;

/// Within this time several runs count as one.
const ONE_DAY: SignedDuration = SignedDuration::from_hours(24);

/// What earlier runs knew and did, as far as it is still known. Nothing of it is needed to be
/// correct: without it, what the objects themselves tell counts alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// What the inventory said.
    pub known: Known,
    /// What was taken away within a day, as the record tells; without one, marks tell what they
    /// can.
    pub recent: Option<Recent>,
}

impl Past {
    /// What a state folder and its record tell.
    pub fn read(state: &Path, records: &Records, now: Timestamp) -> Self {
        let since = now.checked_sub(ONE_DAY).unwrap_or(Timestamp::MIN);
        let recent = records.taken_since(since).unwrap_or_else(|error| {
            tracing::warn!("what was removed within a day is not known: {error}");
            None
        });
        Self { known: Known::read(state), recent }
    }

    /// What was taken away within a day: as the record tells, which also knows what was approved;
    /// where there is none, as marks do.
    pub(super) fn recent(&self, sources: &Sources<'_>, gathered: &Gathered) -> Recent {
        if let Some(recent) = &self.recent {
            return recent.clone();
        }
        let mut recent = Recent::default();
        let yesterday = sources.today.saturating_sub(1.day());
        let mut suspended: BTreeMap<&OrganisationName, u64> = BTreeMap::new();
        for (place, reading) in &gathered.observations.accounts {
            let users = reading.got().users.iter();
            let count = users
                .filter(|user| user.ownership.subject().is_some())
                .filter(|user| match user.spec.access {
                    Access::Suspended { since, .. } => since >= yesterday && since <= sources.today,
                    Access::Enabled | Access::Disabled => false,
                })
                .count();
            *suspended.entry(&place.organisation).or_default() += count as u64;
        }
        for (organisation, count) in suspended {
            recent.add_objects(organisation, Kind::User, count);
        }
        recent
    }
}

/// What a run took away, except what somebody approved: that was looked at, and is not to keep
/// others from leaving on the same day.
pub fn taken(prepared: &Prepared, outcomes: &Outcomes) -> Recent {
    let plan = prepared.review.approved.plan();
    let approved: BTreeSet<ChangeId> = prepared
        .review
        .violations
        .iter()
        .filter(|violation| violation.overridden)
        .flat_map(|violation| violation.holds.iter().copied())
        .collect();
    let done = plan.changes.iter().zip(&outcomes.by_change);
    let changes = done
        .filter(|(change, _)| !approved.contains(&change.id))
        .filter(|(_, outcome)| {
            matches!(outcome, Outcome::Applied | Outcome::AlreadyTrue | Outcome::Begun { .. })
        })
        .map(|(change, _)| change.clone())
        .collect();
    let done = Plan { changes, ..Plan::empty(plan.today) };
    guard::taken(&done, &prepared.holdings)
}
