//! The part of a run that changes things.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use crate::apply::{self, Options, Outcomes};
use crate::cloud::Connection;
use crate::event::{Event, Events, EventsError};
use crate::guard::Review;
use crate::model::Place;
use crate::record::{self, RunWriter};
use crate::sink::Sinks;

/// What a run did, with the record still open for its last line.
pub struct Carried {
    /// What became of every change.
    pub outcomes: Outcomes,
    /// The record.
    pub writer: RunWriter,
}

/// Writes the plan into the record, then carries it out.
///
/// `watch` sees every event after it was recorded.
///
/// # Errors
/// The plan could not be recorded; nothing was changed.
pub async fn carry_out(
    review: &Review,
    connections: &BTreeMap<Place, Connection>,
    sinks: &dyn Sinks,
    options: Options,
    mut writer: RunWriter,
    watch: &mut dyn Events,
    interrupt: &CancellationToken,
) -> Result<Carried, record::Error> {
    writer.plan(&review.approved, &review.violations)?;
    let outcomes = {
        let mut events = Recorded { writer: &mut writer, watch };
        apply::execute(&review.approved, connections, sinks, options, &mut events, interrupt).await
    };
    Ok(Carried { outcomes, writer })
}

struct Recorded<'a> {
    writer: &'a mut RunWriter,
    watch: &'a mut dyn Events,
}

impl Events for Recorded<'_> {
    fn happened(&mut self, event: &Event) -> Result<(), EventsError> {
        let recorded = self.writer.event(event);
        self.watch.happened(event)?;
        recorded.map_err(Into::into)
    }
}
