//! A clock that others contradict changes nothing that depends on the day.
//!
//! The day decides who is deleted after the grace, which keys end, which grants have ended and whose
//! account has expired; and what is written as the day of a suspension. A machine whose clock jumped
//! ahead would do all of that at once, and one that is behind would give again what has ended. So
//! what the machine says is compared with what vendors say in their answers and with when the last
//! run was. Where they differ by more than [`TOLERANCE`], the plan is made once more for the other
//! day, and every change that is not in both is held: exactly what depends on the day.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Context, Rule, Violation, violation};
use crate::model::{ChangeId, OrganisationName, Place};
use crate::plan::{Plan, Step};

/// How far clocks may be apart. Days are what is decided by; vendors refuse signed calls that are
/// minutes off, so more than this is no drift.
pub const TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// How long ago the last run may be where no other clock is known: less than any sensible grace.
pub const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What clocks say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// This machine's, now.
    pub now: Timestamp,
    /// Others', at the same moment, by whose they are.
    pub others: BTreeMap<String, Timestamp>,
    /// When the last run on record wrote something, by the clock of then.
    pub last_run: Option<Timestamp>,
}

/// That this machine's clock is contradicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockDoubt {
    /// Who contradicts it, with numbers.
    pub message: String,
    /// The day it is by the other clock.
    pub day: Date,
}

/// A doubt with what would be done if the other clock were right.
#[derive(Clone, Debug)]
pub struct Otherwise {
    /// The doubt.
    pub doubt: ClockDoubt,
    /// The changes of the plan for that day.
    pub changes: HashSet<(Place, Step)>,
}

impl Otherwise {
    /// With the plan for the other day.
    pub fn new(doubt: ClockDoubt, plan: &Plan) -> Self {
        let changes = plan.changes.iter();
        let changes = changes
            .map(|change| ((*change.place).clone(), change.step.clone().unnumbered()))
            .collect();
        Self { doubt, changes }
    }
}

/// What contradicts this machine's clock.
///
/// The last run's time is a lower bound, as somebody's clock was then: it counts for nothing where a
/// vendor agrees with this machine. Where no vendor says anything, a long silence is a doubt too: a
/// machine that was off for months and one whose clock jumped look the same, and a person has to say
/// which it is.
pub fn doubts(clocks: &Clocks) -> Vec<ClockDoubt> {
    let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
    let shown = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let now = clocks.now;
    let apart = |other: Timestamp| now.duration_since(other).abs() > TOLERANCE;
    let mut found: Vec<ClockDoubt> = clocks
        .others
        .iter()
        .filter(|(_, other)| apart(**other))
        .map(|(whose, other)| ClockDoubt {
            message: format!(
                "this machine's clock says {}, {whose} says {}; at most {} hours apart are believed",
                shown(now),
                shown(*other),
                TOLERANCE.as_hours(),
            ),
            day: day(*other),
        })
        .collect();
    if let (true, Some(last)) = (clocks.others.is_empty(), clocks.last_run) {
        let since = now.duration_since(last);
        if since > LONGEST_SILENCE {
            found.push(ClockDoubt {
                message: format!(
                    "this machine's clock says {}, {} days after the last run on record ({}), and no \
                     other clock is known",
                    shown(now),
                    since.as_hours() / 24,
                    shown(last),
                ),
                day: day(last),
            });
        } else if since < -TOLERANCE {
            found.push(ClockDoubt {
                message: format!(
                    "this machine's clock says {}, and the last run on record was later, at {}",
                    shown(now),
                    shown(last),
                ),
                day: day(last),
            });
        }
    }
    found
}

/// One violation for every doubt and organisation with changes that depend on the day.
pub(super) fn violations(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for Otherwise { doubt, changes } in &context.otherwise {
        let mut held: BTreeMap<&OrganisationName, Vec<ChangeId>> = BTreeMap::new();
        for change in &plan.changes {
            let key = ((*change.place).clone(), change.step.clone().unnumbered());
            if !changes.contains(&key) {
                held.entry(&change.place.organisation).or_default().push(change.id);
            }
        }
        found.extend(held.into_iter().map(|(organisation, holds)| {
            violation(Rule::Clock, organisation, doubt.message.clone(), holds)
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn clocks(now: &str, others: &[(&str, &str)], last_run: Option<&str>) -> Clocks {
        Clocks {
            now: at(now),
            others: others.iter().map(|(whose, time)| ((*whose).to_owned(), at(time))).collect(),
            last_run: last_run.map(at),
        }
    }

    #[test]
    fn clocks_that_agree_are_no_doubt() {
        for one in [
            clocks("2026-11-28T01:00:00Z", &[], None),
            clocks("2026-11-28T01:00:00Z", &[("aws", "2026-11-27T01:00:01Z")], None),
            clocks("2026-11-28T01:00:00Z", &[], Some("2026-11-21T02:00:00Z")),
            clocks(
                "2026-11-28T01:00:00Z",
                &[("aws", "2026-11-28T01:00:00Z")],
                Some("2025-01-01T00:00:00Z"),
            ),
            // A run wrote with a wrong clock; a vendor says that this one is right.
            clocks(
                "2026-11-28T01:00:00Z",
                &[("aws", "2026-11-28T01:00:00Z")],
                Some("2027-03-01T00:00:00Z"),
            ),
        ] {
            assert_eq!(doubts(&one), [], "{one:?}");
        }
    }

    #[test]
    fn a_clock_ahead_or_behind_is_told_with_numbers() {
        for (now, day) in
            [("2027-03-01T12:00:00Z", "2026-11-28"), ("2026-09-01T12:00:00Z", "2026-11-28")]
        {
            let found = doubts(&clocks(now, &[("aws", "2026-11-28T01:00:00Z")], None));
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].day.to_string(), day);
            assert!(found[0].message.contains("aws says 2026-11-28 01:00 UTC"), "{found:?}");
        }
    }

    #[test]
    fn with_no_other_clock_the_last_run_is_what_is_known() {
        let ahead = doubts(&clocks("2027-03-01T12:00:00Z", &[], Some("2026-11-28T01:00:00Z")));
        assert!(ahead[0].message.contains("93 days after the last run"), "{ahead:?}");
        let behind = doubts(&clocks("2026-09-01T12:00:00Z", &[], Some("2026-11-28T01:00:00Z")));
        assert!(behind[0].message.contains("the last run on record was later"), "{behind:?}");
    }
}
