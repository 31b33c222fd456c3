//! A clock that others contradict changes nothing that depends on the day.
//!
//! The day decides who is deleted after the grace, which keys end, which grants have ended and whose
//! account has expired; and what is written as the day of a suspension. A machine whose clock jumped
//! ahead would do all of that at once, and one that is behind would give again what has ended. So
//! what the machine says is compared with what vendors and directories say of the time, and with when
//! the last run was. Where they differ by more than [`TOLERANCE`], the plan is made once more for the other
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
    /// Times that are past by others' clocks, by whose they are: something was written then.
    pub past: BTreeMap<String, Timestamp>,
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
/// A time that is past proves a clock before it wrong, and nothing about one after it: not everything
/// is written to every day. The last run's time is such a bound, and so is what a directory wrote last.
/// Somebody's clock was wrong then, or this one is now: where another clock agrees with this machine,
/// bounds count for nothing. Where no other clock is known, a long silence since the last run is a
/// doubt too: a machine that was off for months and one whose clock jumped look the same, and a person
/// has to say which it is.
pub fn doubts(clocks: &Clocks) -> Vec<ClockDoubt> {
    let is_near = |other: &Timestamp| clocks.now.duration_since(*other).abs() <= TOLERANCE;
    let mut found: Vec<ClockDoubt> = clocks
        .others
        .iter()
        .filter(|(_, other)| !is_near(other))
        .map(|(whose, other)| ClockDoubt {
            message: format!(
                "this machine's clock says {}, {whose} says {}; at most {} hours apart are believed",
                shown(clocks.now),
                shown(*other),
                TOLERANCE.as_hours(),
            ),
            day: day(*other),
        })
        .collect();
    if !clocks.others.values().any(is_near) {
        found.extend(later_than_now(clocks));
    }
    found.extend(long_silence(clocks));
    found
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What is past and yet to come by this machine's clock.
fn later_than_now(clocks: &Clocks) -> Vec<ClockDoubt> {
    let is_later = |time: &Timestamp| time.duration_since(clocks.now) > TOLERANCE;
    let doubt = |time: Timestamp, what: &str| ClockDoubt {
        message: format!(
            "this machine's clock says {}, and {what} later, at {}",
            shown(clocks.now),
            shown(time),
        ),
        day: day(time),
    };
    let written = clocks.past.iter().filter(|(_, time)| is_later(time));
    let written = written.map(|(whose, time)| doubt(*time, &format!("{whose} was written to")));
    let last = clocks.last_run.filter(is_later);
    written.chain(last.map(|time| doubt(time, "the last run on record was"))).collect()
}

/// A long time since the last run, and nobody else who says what time it is.
fn long_silence(clocks: &Clocks) -> Option<ClockDoubt> {
    let last = clocks.last_run.filter(|_| clocks.others.is_empty())?;
    let since = clocks.now.duration_since(last);
    (since > LONGEST_SILENCE).then(|| ClockDoubt {
        message: format!(
            "this machine's clock says {}, {} days after the last run on record ({}), and no other \
             clock is known",
            shown(clocks.now),
            since.as_hours() / 24,
            shown(last),
        ),
        day: day(last),
    })
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
            past: BTreeMap::new(),
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

    /// Clocks with a directory that was last written to at that time.
    fn written(now: &str, others: &[(&str, &str)], past: &str) -> Clocks {
        let past = BTreeMap::from([("directory people".to_owned(), at(past))]);
        Clocks { past, ..clocks(now, others, None) }
    }

    #[test]
    fn what_a_directory_wrote_is_past() {
        let behind = doubts(&written("2026-09-01T12:00:00Z", &[], "2026-11-28T01:00:00Z"));
        let expected = "and directory people was written to later, at 2026-11-28 01:00 UTC";
        assert!(behind[0].message.contains(expected), "{behind:?}");
        assert_eq!((behind.len(), behind[0].day.to_string()), (1, "2026-11-28".to_owned()));
        // However long ago that was: nobody has to write to a directory.
        let quiet = written("2026-11-28T01:00:00Z", &[], "2001-01-01T00:00:00Z");
        assert_eq!(doubts(&quiet), []);
        // A vendor agrees with this machine: it was the directory's clock that was wrong.
        let now = "2026-11-28T01:00:00Z";
        assert_eq!(doubts(&written(now, &[("aws", now)], "9999-01-01T00:00:00Z")), []);
        // A vendor that does not agree confirms nothing.
        let both = written("2026-09-01T12:00:00Z", &[("aws", now)], now);
        assert_eq!(doubts(&both).len(), 2);
    }

    #[test]
    fn what_a_directory_wrote_does_not_end_a_silence() {
        let ahead = Clocks {
            last_run: Some(at("2026-11-28T01:00:00Z")),
            ..written("2027-03-01T12:00:00Z", &[], "2027-03-01T12:00:00Z")
        };
        // On one machine they share the wrong clock.
        assert!(doubts(&ahead)[0].message.contains("93 days after the last run"), "{ahead:?}");
    }

    #[test]
    fn times_at_both_ends_of_the_calendar_are_doubts_like_any() {
        for far in ["9999-12-30T21:59:59Z", "-009999-01-02T02:00:00Z"] {
            assert_eq!(doubts(&clocks("2026-11-28T01:00:00Z", &[("aws", far)], None)).len(), 1);
        }
    }
}
