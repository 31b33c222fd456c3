//! Approvals are for one run once.
//!
//! What an approval lets go is named by the digest of a plan, which holds the day: so it is for that
//! day at most. That a run has used it stands in the run record. Whoever wants the same plan let go
//! once more says so, naming the run that did it before.

use std::str::FromStr;

use super::globals::record_failure;
use super::{Failure, Globals};
use crate::plan::{PlanDigest, PlanFile};
use crate::record::SavedPlan;

/// What `--approve` says: `DIGEST`, or `DIGEST:RUN` where that run used it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Approval {
    digest: PlanDigest,
    again_after: Option<u64>,
}

impl FromStr for Approval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digest, run) = match text.split_once(':') {
            Some((digest, run)) => (digest, Some(run)),
            None => (text, None),
        };
        let digest = PlanDigest::parse(digest).map_err(|error| error.to_string())?;
        let again_after = run
            .map(|run| run.parse().map_err(|_| format!("`{run}` is not the number of a run")))
            .transpose()?;
        Ok(Self { digest, again_after })
    }
}

impl Approval {
    /// The digest, if the record shows that no run has used it yet. Why not is told on stderr;
    /// the run goes on without it then, and holds what it would have let go.
    ///
    /// # Errors
    /// The record cannot be read.
    pub(super) fn unused(&self, globals: &Globals) -> Result<Option<PlanDigest>, Failure> {
        let records = globals.records()?;
        let found = records.verify(None).map_err(record_failure)?;
        let used = records.approved_by(&found, &self.digest).map_err(record_failure)?;
        let digest = &self.digest;
        let why = match (used, self.again_after) {
            _ if !found.is_sound() => {
                "the run record does not verify, so nothing shows that this approval was not used \
                 before; `reconcile record verify` says more"
                    .to_owned()
            }
            _ if found.runs.is_empty() => {
                "there is no run on record yet, so nothing shows that this approval was not used \
                 before; run once without it"
                    .to_owned()
            }
            (None, None) => return Ok(Some(digest.clone())),
            (Some(run), Some(after)) if run == after => return Ok(Some(digest.clone())),
            (Some(run), _) => format!(
                "run {run} has used this approval, and it is for one run; look at `reconcile \
                 record show {run}`, then --approve {digest}:{run} lets the same plan go \
                 once more"
            ),
            (None, Some(after)) => format!("run {after} has not used this approval"),
        };
        tracing::warn!("nothing is approved: {why}");
        Ok(None)
    }
}

/// The run that has carried out a saved plan, if one has.
///
/// # Errors
/// The record cannot be read, or does not verify, so that nothing shows.
pub(super) fn carried_out_by(globals: &Globals, file: &PlanFile) -> Result<Option<u64>, Failure> {
    let found = globals.records()?.verify(None).map_err(record_failure)?;
    if let Some(damage) = found.damage.first() {
        let text = format!(
            "the run record does not verify ({damage}), so nothing shows that the plan was not \
             carried out before"
        );
        return Err(Failure::new(super::ExitCode::RecordDamaged, text)
            .hint("`reconcile record verify` says more; nothing was changed"));
    }
    let saved = saved(file);
    let by = found.runs.iter().rev().find(|run| {
        run.start.as_ref().is_some_and(|start| start.facts.saved_plan.as_ref() == Some(&saved))
    });
    Ok(by.map(|run| run.number))
}

/// How a saved plan is named in the record.
pub(super) fn saved(file: &PlanFile) -> SavedPlan {
    SavedPlan { digest: file.digest.clone(), made_at: file.made_at }
}
