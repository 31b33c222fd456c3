//! What all changes under way share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::Options;
use crate::event::{Event, Events};
use crate::sink::Sinks;

/// What all changes under way share.
pub(super) struct Shared<'a> {
    pub(super) options: Options,
    /// No further change begins once this is cancelled.
    pub(super) halt: CancellationToken,
    /// Where new keys go.
    pub(super) sinks: &'a dyn Sinks,
    reader: Mutex<Reader<'a>>,
}

struct Reader<'a> {
    events: &'a mut dyn Events,
    failed: Option<String>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        options: Options,
        interrupt: &CancellationToken,
        sinks: &'a dyn Sinks,
        events: &'a mut dyn Events,
    ) -> Self {
        Self {
            options,
            halt: interrupt.child_token(),
            sinks,
            reader: Mutex::new(Reader { events, failed: None }),
        }
    }

    /// Tells the reader of the events. Once it has failed it is told nothing more, and the run is
    /// to end. Whether it knows.
    pub(super) fn tell(&self, event: &Event) -> bool {
        let mut reader = self.reader();
        if reader.failed.is_some() {
            return false;
        }
        if let Err(error) = reader.events.happened(event) {
            reader.failed = Some(error.to_string());
            self.halt.cancel();
            return false;
        }
        true
    }

    /// Why the reader of the events failed, if it did.
    pub(super) fn unrecorded(&self) -> Option<String> {
        self.reader().failed.clone()
    }

    fn reader(&self) -> MutexGuard<'_, Reader<'a>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
