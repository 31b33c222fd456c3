//! A reviewed plan, and what became of it, for scripts.

use std::io::{self, Write};

use schemars::{JsonSchema, Schema, schema_for};
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};

use super::counts::Counts;
use crate::apply::{Outcomes, Stopped};
use crate::diagnostic::Finding;
use crate::event::Outcome;
use crate::guard::{Review, Violation};
use crate::model::Private;
use crate::plan::{Change, Incomplete, PlanDigest, Waiting, Withheld};

/// The version of the format. A change that could break a reader changes the number.
pub const FORMAT: &str = "reconcile-plan/2";

/// The document.
#[derive(Serialize, JsonSchema)]
pub struct Report<'a> {
    /// Always `reconcile-plan/2`.
    format: &'static str,
    /// The digest that names the plan.
    digest: PlanDigest,
    /// The day it was made for.
    today: String,
    /// How much it does.
    counts: Counts,
    /// Every change with what is known about it, in the order of execution.
    #[schemars(with = "Vec<ReportedChange>")]
    changes: Changes<'a>,
    /// Removals not planned because a read was incomplete.
    withheld: &'a [Withheld],
    /// What could not be read completely.
    incomplete: &'a [Incomplete],
    /// What cannot go on until a vendor has finished something.
    waiting: &'a [Waiting],
    /// What is wrong or odd.
    findings: &'a [Finding],
    /// The rules the plan does not pass.
    violations: &'a [Violation],
    /// Why the run ended early, if there was one and it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

/// One change with what is known about it.
#[derive(Serialize, JsonSchema)]
struct ReportedChange<'a> {
    /// The change. Private values are not shown.
    change: &'a Change,
    /// Why it is held, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<&'a str>,
    /// What became of it, if it was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a Outcome>,
}

/// Written one by one: a million changes are never a tree in memory.
struct Changes<'a> {
    review: &'a Review,
    outcomes: Option<&'a Outcomes>,
}

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changes = &self.review.approved.plan().changes;
        let mut list = serializer.serialize_seq(Some(changes.len()))?;
        for change in changes {
            let reported = ReportedChange {
                change,
                held: self.review.approved.held().get(&change.id).map(|why| &**why),
                outcome: self.outcomes.map(|outcomes| &outcomes[change.id]),
            };
            let mut value = serde_json::to_value(reported).map_err(serde::ser::Error::custom)?;
            Private::redact(&mut value);
            list.serialize_element(&value)?;
        }
        list.end()
    }
}

/// Writes a reviewed plan and, after a run, what became of it. Private values are blanked.
pub fn json(out: &mut dyn Write, review: &Review, outcomes: Option<&Outcomes>) -> io::Result<()> {
    let plan = review.approved.plan();
    let report = Report {
        format: FORMAT,
        digest: plan.digest(),
        today: plan.today.to_string(),
        counts: Counts::of(&review.approved),
        changes: Changes { review, outcomes },
        withheld: &plan.withheld,
        incomplete: &plan.incomplete,
        waiting: &plan.waiting,
        findings: &plan.findings,
        violations: &review.violations,
        stopped: outcomes.and_then(|outcomes| outcomes.stopped.as_ref()).map(
            |stopped| match stopped {
                Stopped::Interrupted => "interrupted".to_owned(),
                Stopped::Unrecorded { why } => format!("not recorded: {why}"),
            },
        ),
    };
    crate::visible::write_json(out, &report)
}

/// The JSON Schema of what [`json`] writes.
pub fn schema() -> Schema {
    schema_for!(Report<'_>)
}
