//! How far a run is, on a terminal; nothing in cron.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::apply::OutcomeCounts;
use crate::event::{Event, Events, EventsError};

/// A line on stderr that says how far a run is, if stderr is a terminal. Never fails a run.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    counts: OutcomeCounts,
}

impl Progress {
    /// For a run of so many changes.
    pub fn new(changes: usize) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(5)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self::on(target, changes)
    }

    fn on(target: ProgressDrawTarget, changes: usize) -> Self {
        let bar = ProgressBar::with_draw_target(u64::try_from(changes).ok(), target);
        if let Ok(style) = ProgressStyle::with_template(
            "{pos}/{len} changes [{bar:30}] {elapsed}, {eta} left {msg}",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(500));
        }
        Self { bar, counts: OutcomeCounts::default() }
    }

    /// Takes the line away, so that the result stands alone.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Events for Progress {
    fn happened(&mut self, event: &Event) -> Result<(), EventsError> {
        match event {
            Event::Started { .. } | Event::Called { .. } => {}
            Event::Ended { outcome, .. } => {
                self.counts.add(outcome);
                self.bar.inc(1);
                let OutcomeCounts { failed, held, skipped, .. } = self.counts;
                if failed + held + skipped > 0 {
                    self.bar
                        .set_message(format!("({failed} failed, {skipped} skipped, {held} held)"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome;
    use crate::model::ChangeId;

    #[test]
    fn it_counts_what_ended_and_says_what_went_wrong() {
        let mut progress = Progress::on(ProgressDrawTarget::hidden(), 3);
        let change = ChangeId(0);
        for event in [
            Event::Started { change },
            Event::Ended { change, outcome: Outcome::Applied },
            Event::Ended {
                change: ChangeId(1),
                outcome: Outcome::Failed { why: String::new(), hint: None },
            },
        ] {
            progress.happened(&event).unwrap();
        }
        assert_eq!(progress.bar.position(), 2);
        assert_eq!(progress.bar.message(), "(1 failed, 0 skipped, 0 held)");
    }
}
