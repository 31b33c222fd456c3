//! What became of a whole plan.

use std::ops::Index;

use crate::event::Outcome;
use crate::model::ChangeId;

/// What became of every change of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// One for each change, in the order of the plan.
    pub by_change: Vec<Outcome>,
    /// Why the run ended before every change had its turn, if it did.
    pub stopped: Option<Stopped>,
}

/// Why a run ended before every change had its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody asked it to.
    Interrupted,
    /// What happens could no longer be recorded.
    Unrecorded {
        /// What the reader of the events said.
        why: String,
    },
}

/// How many changes ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// Done by this run.
    pub applied: usize,
    /// Was so already.
    pub already_true: usize,
    /// Accepted; the vendor is still at it.
    pub begun: usize,
    /// Held by the guard.
    pub held: usize,
    /// Not tried.
    pub skipped: usize,
    /// Tried without success.
    pub failed: usize,
}

impl Outcomes {
    /// How many changes ended in which way.
    pub fn counts(&self) -> OutcomeCounts {
        let mut counts = OutcomeCounts::default();
        for outcome in &self.by_change {
            counts.add(outcome);
        }
        counts
    }
}

impl OutcomeCounts {
    /// Counts one more.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Applied => self.applied += 1,
            Outcome::AlreadyTrue => self.already_true += 1,
            Outcome::Begun { .. } => self.begun += 1,
            Outcome::Held { .. } => self.held += 1,
            Outcome::Skipped { .. } => self.skipped += 1,
            Outcome::Failed { .. } => self.failed += 1,
        }
    }

    /// All of them together.
    pub fn total(&self) -> usize {
        self.applied + self.already_true + self.begun + self.held + self.skipped + self.failed
    }
}

impl Index<ChangeId> for Outcomes {
    type Output = Outcome;

    fn index(&self, change: ChangeId) -> &Outcome {
        &self.by_change[change.index()]
    }
}
