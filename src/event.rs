//! What the executor tells its readers: the report on the terminal and the run record.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ChangeId;

/// Who wants to know what happens during a run, as it happens: the run record, the progress bar.
///
/// Called on the executor's own task, in the order of events, so it must not block for long.
/// An error stops the run: what cannot be recorded is not done.
pub trait Events: Send {
    /// Something happened. [`Event::Started`] must be durable when this returns.
    ///
    /// # Errors
    /// The event could not be kept; no further change begins.
    fn happened(&mut self, event: &Event) -> Result<(), EventsError>;
}

/// Why an event could not be kept.
pub type EventsError = Box<dyn std::error::Error + Send + Sync>;

impl<F> Events for F
where
    F: FnMut(&Event) -> Result<(), EventsError> + Send,
{
    fn happened(&mut self, event: &Event) -> Result<(), EventsError> {
        self(event)
    }
}

/// Something that happened during a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A change begins. Recorded before the first call, so that a killed run shows what it was at.
    Started {
        /// Which.
        change: ChangeId,
    },
    /// A call to a vendor returned.
    Called {
        /// For which change.
        change: ChangeId,
        /// "apply" or "look".
        call: &'static str,
        /// Which attempt, from 1.
        attempt: u32,
        /// How long it took.
        took: Duration,
        /// The vendor's id of the request.
        request_id: Option<String>,
        /// The error, if it failed, without secrets or personal values.
        error: Option<String>,
    },
    /// A change ended.
    Ended {
        /// Which.
        change: ChangeId,
        /// How.
        outcome: Outcome,
    },
}

/// What happened to a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done by this run.
    Applied,
    /// It was so already.
    AlreadyTrue,
    /// The vendor has accepted it and is still at it; what needs it to be finished waits for the
    /// next run.
    Begun {
        /// What the vendor is at: "being issued".
        what: String,
    },
    /// The guard held it.
    Held {
        /// Why.
        why: String,
    },
    /// Not tried, because something it needs did not happen, or the run was interrupted.
    Skipped {
        /// Why.
        why: String,
    },
    /// Tried, without success.
    Failed {
        /// Why.
        why: String,
        /// What to do about it, where that is known.
        hint: Option<String>,
    },
}
