//! How long to wait before the next attempt, and when to give up.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Options;

/// Once a run is to end, no wait longer than this begins.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What is left of the patience with one change.
#[derive(Debug)]
pub(super) struct Patience {
    waits: ExponentialBackoff,
    attempts: u32,
    began: Instant,
    deadline: Instant,
}

/// Why there is no further attempt, to be put after what went wrong last.
pub(super) type GaveUp = String;

impl Patience {
    pub(super) fn new(options: &Options, salt: u64, began: Instant) -> Self {
        let attempts = options.attempts.max(1);
        let waits = ExponentialBuilder::new()
            .with_jitter()
            .with_jitter_seed(options.seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .with_min_delay(options.first_wait)
            .with_max_delay(options.longest_wait)
            .with_max_times(attempts as usize - 1)
            .build();
        Self { waits, attempts, began, deadline: began + options.time }
    }

    /// Waits before the next attempt, at least as long as the vendor asks for.
    pub(super) async fn pause(
        &mut self,
        after: Option<Duration>,
        halt: &CancellationToken,
    ) -> Result<(), GaveUp> {
        let Some(wait) = self.waits.next() else {
            return Err(format!("gave up after {} attempts", self.attempts));
        };
        let wait = wait.max(after.unwrap_or_default());
        let until = Instant::now() + wait;
        if until > self.deadline {
            return Err(format!(
                "gave up after {} s, the next attempt would be {} s from now",
                self.began.elapsed().as_secs(),
                wait.as_secs()
            ));
        }
        if wait_until(until, halt).await {
            Ok(())
        } else {
            Err("not tried again because the run is to end".to_owned())
        }
    }
}

/// Waits, unless the run is to end and the rest of the wait is long. Whether the wait is over.
pub(super) async fn wait_until(until: Instant, halt: &CancellationToken) -> bool {
    if until <= Instant::now() {
        return true;
    }
    tokio::select! {
        biased;
        () = tokio::time::sleep_until(until) => true,
        () = halt.cancelled() => {
            if until.saturating_duration_since(Instant::now()) > LAST_WAIT {
                return false;
            }
            tokio::time::sleep_until(until).await;
            true
        }
    }
}
