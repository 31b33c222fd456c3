//! What the lines of a record say. Version 2 of the format; of version 1 steps had other names
//! ([`earlier`]).

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::earlier;
use crate::event::{Event, Outcome};
use crate::guard::{ApprovedPlan, Recent, Violation};
use crate::model::{ChangeId, OrganisationName, Place, Reason};
use crate::plan::{Incomplete, PlanDigest, Step, Withheld};

/// The version of the format this program writes.
pub const FORMAT: u32 = 2;

/// What tells one run from all others: 16 hexadecimal digits, made up at random.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// A new one.
    pub fn random() -> Self {
        Self(format!("{:016x}", fastrand::u64(..)))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// What is known when a run begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The command line, the program's name first. Values of options that could hold a secret
    /// are blanked when it is written, see [`redact_arguments`](super::redact_arguments).
    pub arguments: Vec<String>,
    /// The program's version.
    pub version: String,
    /// Who started it.
    pub user: String,
    /// On which machine.
    pub host: String,
    /// Its process id there.
    pub process: u32,
    /// Which state of the inventory, policies and mirrors it read.
    pub inventory: InputVersion,
    /// What it read, with the SHA-256 of each.
    pub inputs: BTreeMap<String, String>,
    /// The organisations it works on.
    pub organisations: Vec<OrganisationName>,
    /// What narrows it (`--only`, `--account`), in words; empty for a run over everything.
    pub narrowing: Vec<String>,
    /// The saved plan it carries out, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_plan: Option<SavedPlan>,
    /// Who contradicted the clock of the machine, with numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock_doubts: Vec<String>,
}

/// Which saved plan a run carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The digest of the plan.
    pub digest: PlanDigest,
    /// When it was saved: the same plan may be made and looked at once more.
    pub made_at: Timestamp,
}

/// Which state of the input folders a run read, as git tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputVersion {
    /// The folders are in a git repository.
    Commit {
        /// Its present commit.
        commit: String,
        /// Some input file differs from that commit or is not in it.
        dirty: bool,
    },
    /// Git does not tell.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// One line of a run's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The first line.
    Run(Box<RunStart>),
    /// The plan passed review.
    Plan(Box<PlanFacts>),
    /// A change of the plan; one line each, right after [`Entry::Plan`].
    Change(Box<PlannedChange>),
    /// A change begins.
    Started {
        /// Which.
        change: ChangeId,
    },
    /// A call to a vendor returned.
    Called(Called),
    /// A change ended.
    Ended {
        /// Which.
        change: ChangeId,
        /// How.
        outcome: Outcome,
    },
    /// The last line.
    End(End),
}

/// The first line of a run's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStart {
    /// The version of the format, see [`FORMAT`].
    pub format: u32,
    /// The run.
    pub run: RunId,
    /// What was known when it began.
    pub facts: RunFacts,
}

/// What a run is about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// What names the plan.
    pub digest: PlanDigest,
    /// How many changes it has.
    pub changes: u64,
    /// The rules it does not pass.
    pub violations: Vec<Violation>,
    /// Removals left out because absence was not proven.
    pub withheld: Vec<Withheld>,
    /// What could not be read completely.
    pub incomplete: Vec<Incomplete>,
}

/// A change of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// Which.
    pub change: ChangeId,
    /// Where.
    pub place: Place,
    /// What, with before and after; personal values blanked.
    #[serde(deserialize_with = "earlier::step")]
    pub step: Step,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Why the guard held it, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// A call to a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// For which change.
    pub change: ChangeId,
    /// "apply" or "look".
    pub call: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// The vendor's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The error, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The last line of a run's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// What happened to the changes.
    pub counts: Counts,
    /// The program's exit code.
    pub exit_code: u8,
    /// What it took away: limits hold for all runs of a day together.
    #[serde(default, skip_serializing_if = "Recent::is_nothing")]
    pub taken: Recent,
}

/// How many changes ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Done.
    pub applied: u64,
    /// So already.
    pub already_true: u64,
    /// Accepted; the vendor was still at it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub begun: u64,
    /// Held by the guard.
    pub held: u64,
    /// Not tried.
    pub skipped: u64,
    /// Tried without success.
    pub failed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Applied => &mut self.applied,
            Outcome::AlreadyTrue => &mut self.already_true,
            Outcome::Begun { .. } => &mut self.begun,
            Outcome::Held { .. } => &mut self.held,
            Outcome::Skipped { .. } => &mut self.skipped,
            Outcome::Failed { .. } => &mut self.failed,
        } += 1;
    }
}

/// What is not zero: `3 applied, 1 failed`.
impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, already_true, begun, held, skipped, failed } = *self;
        let parts: Vec<String> = [
            (applied, "applied"),
            (already_true, "already true"),
            (begun, "begun"),
            (held, "held"),
            (skipped, "skipped"),
            (failed, "failed"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
        formatter.pad(&if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") })
    }
}

impl From<&Event> for Entry {
    fn from(event: &Event) -> Self {
        match event {
            Event::Started { change } => Self::Started { change: *change },
            Event::Called { change, call, attempt, took, request_id, error } => {
                Self::Called(Called {
                    change: *change,
                    call: (*call).to_owned(),
                    attempt: *attempt,
                    milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                    request_id: request_id.clone(),
                    error: error.clone(),
                })
            }
            Event::Ended { change, outcome } => {
                Self::Ended { change: *change, outcome: outcome.clone() }
            }
        }
    }
}

/// The lines a reviewed plan becomes.
pub(super) fn plan_entries(
    approved: &ApprovedPlan,
    violations: &[Violation],
) -> impl Iterator<Item = Entry> {
    let plan = approved.plan();
    let facts = PlanFacts {
        digest: plan.digest(),
        changes: plan.changes.len() as u64,
        violations: violations.to_vec(),
        withheld: plan.withheld.clone(),
        incomplete: plan.incomplete.clone(),
    };
    let changes = plan.changes.iter().map(|change| {
        Entry::Change(Box::new(PlannedChange {
            change: change.id,
            place: change.place.as_ref().clone(),
            step: change.step.clone(),
            reasons: change.reasons.to_vec(),
            held: approved.held().get(&change.id).map(|why| why.as_ref().to_owned()),
        }))
    });
    std::iter::once(Entry::Plan(Box::new(facts))).chain(changes)
}

/// One line of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IndexEntry {
    /// A run began.
    Started {
        /// Its file, without `.jsonl`.
        file: String,
        /// The hash of its first line.
        first: String,
    },
    /// A run wrote its last line.
    Ended(Seal),
    /// A run died without a last line.
    Abandoned(Seal),
    /// From here on this key signs; what comes before is covered by its first signature.
    Signed {
        /// The public key.
        key: String,
    },
}

/// What a run's file holds for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seal {
    /// The file, without `.jsonl`.
    pub file: String,
    /// How many whole lines.
    pub lines: u64,
    /// The hash of the last of them.
    pub last: String,
    /// SHA-256 of what follows the last whole line, where a kill left something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<String>,
}

/// A line as it is written, for reading it back.
#[derive(Debug, Deserialize)]
pub(super) struct Line<T> {
    /// When.
    pub time: Timestamp,
    /// What.
    pub what: T,
}
