//! How much a plan does.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::guard::ApprovedPlan;
use crate::plan::{Change, Effect};

/// How many changes of each sort there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Additions.
    pub additions: usize,
    /// Updates.
    pub changes: usize,
    /// Removals, held ones included.
    pub removals: usize,
    /// How many of all of them are held.
    pub held: usize,
    /// Removals not planned because a read was incomplete.
    pub not_planned: u64,
}

impl Counts {
    /// Of a whole plan.
    pub fn of(approved: &ApprovedPlan) -> Self {
        let mut counts = Self::default();
        for change in &approved.plan().changes {
            counts.add(change, approved.held().contains_key(&change.id));
        }
        counts.not_planned = approved.plan().withheld.iter().map(|withheld| withheld.count).sum();
        counts
    }

    /// Counts one more.
    pub fn add(&mut self, change: &Change, held: bool) {
        match change.step.effect() {
            Effect::Addition => self.additions += 1,
            Effect::Update => self.changes += 1,
            Effect::Removal => self.removals += 1,
        }
        self.held += usize::from(held);
    }

    /// Whether there is no change at all.
    pub fn is_nothing(&self) -> bool {
        self.additions + self.changes + self.removals == 0
    }
}

/// `3 additions, 1 change, 2 removals (1 held)`; sorts that do not occur are left out.
impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorts = [
            (self.additions, "addition", "additions"),
            (self.changes, "change", "changes"),
            (self.removals, "removal", "removals"),
        ];
        let mut parts = Vec::new();
        for (count, one, many) in sorts {
            match count {
                0 => {}
                1 => parts.push(format!("1 {one}")),
                count => parts.push(format!("{count} {many}")),
            }
        }
        let text = if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") };
        formatter.write_str(&text)?;
        match self.held {
            0 => Ok(()),
            held => write!(formatter, " ({held} held)"),
        }
    }
}
