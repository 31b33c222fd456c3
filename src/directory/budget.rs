//! How much time and memory the reading of one directory may take as a whole.
//!
//! Limits for each step are not enough: a server that sends one entry every two seconds, or page
//! after page, keeps every one of them and never ends. What is kept is counted as it is about to be
//! kept, by what our own structures need for it; that is near to what the process needs, not
//! exactly it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::config::Bounds;

/// What is left of the bounds of one reading. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    until: Instant,
    bounds: Bounds,
    kept: Arc<AtomicUsize>,
}

/// Why a reading had to end before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Exhausted {
    /// All of it took too long.
    #[error(
        "reading it takes longer than the {} s it may take in all; raise `total_seconds` of this \
         directory if it is as slow as that",
        .0.as_secs_f64()
    )]
    Time(Duration),
    /// All of it is too much.
    #[error(
        "there is more of it than the {} MB that may be kept; raise `most_megabytes` of this \
         directory if it is as large as that",
        .0 / Bounds::MEGABYTE
    )]
    Memory(usize),
}

/// Why something did not end in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// This step was too slow.
    Step,
    /// All of them together were.
    All(Exhausted),
}

impl Budget {
    /// All of it. The time runs from here on.
    pub(super) fn new(bounds: Bounds) -> Self {
        let now = Instant::now();
        // A time beyond what a clock can say is as good as no limit.
        let until = now.checked_add(bounds.time).unwrap_or(now + Duration::from_hours(24 * 365));
        Self { until, bounds, kept: Arc::default() }
    }

    /// For another attempt from the start: what was kept is dropped, the time runs on.
    pub(super) fn afresh(&self) -> Self {
        Self { kept: Arc::default(), ..self.clone() }
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Whether there is time left.
    pub(super) fn in_time(&self) -> Result<(), Exhausted> {
        if self.left().is_zero() { Err(Exhausted::Time(self.bounds.time)) } else { Ok(()) }
    }

    /// The bytes that may still be kept.
    pub(super) fn room(&self) -> usize {
        self.bounds.memory.saturating_sub(self.kept.load(Ordering::Relaxed))
    }

    /// The bytes that may be kept at all.
    pub(super) fn memory(&self) -> usize {
        self.bounds.memory
    }

    /// What to say when something does not fit.
    pub(super) fn too_much(&self) -> Exhausted {
        Exhausted::Memory(self.bounds.memory)
    }

    /// Counts what is about to be kept.
    pub(super) fn keep(&self, bytes: usize) -> Result<(), Exhausted> {
        if bytes > self.room() {
            return Err(self.too_much());
        }
        self.kept.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Counts what is no longer kept.
    pub(super) fn release(&self, bytes: usize) {
        self.kept.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Waits for a step within its own limit and within what is left of all.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        step: impl Future<Output = T>,
    ) -> Result<T, Late> {
        // A step that is always ready would get by: its end is looked at first.
        self.in_time().map_err(Late::All)?;
        match tokio::time::timeout(limit.min(self.left()), step).await {
            Ok(done) => Ok(done),
            Err(_) => Err(self.in_time().map_or_else(Late::All, |()| Late::Step)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(time: Duration, memory: usize) -> Budget {
        Budget::new(Bounds { time, memory })
    }

    #[test]
    fn what_is_kept_is_counted_and_what_is_released_may_be_used_again() {
        let budget = budget(Duration::from_secs(9), 100);
        let shared = budget.clone();
        assert_eq!(budget.keep(60), Ok(()));
        assert_eq!(shared.keep(41), Err(Exhausted::Memory(100)), "a clone counts along");
        shared.release(30);
        assert_eq!((budget.keep(70), budget.room()), (Ok(()), 0));
        assert_eq!(budget.afresh().room(), 100);
    }

    #[tokio::test]
    async fn the_step_or_the_whole_was_too_slow() {
        let never = std::future::pending::<()>;
        let short = Duration::from_millis(5);
        let whole = budget(Duration::from_mins(10), 1);
        assert_eq!(whole.within(short, never()).await, Err(Late::Step));
        let nearly_over = budget(short, 1);
        let over = Err(Late::All(Exhausted::Time(short)));
        assert_eq!(nearly_over.within(Duration::from_secs(9), never()).await, over);
        assert_eq!(nearly_over.within(short, async {}).await, over, "also what is ready");
    }

    #[test]
    fn a_limit_without_measure_is_no_panic() {
        assert!(budget(Duration::MAX, 1).in_time().is_ok());
    }
}
