//! How fast one account may be called: as fast as it answers, until it asks us to slow down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::patience::wait_until;

/// The distance between calls after the first request to slow down.
const FIRST_INTERVAL: Duration = Duration::from_millis(50);
/// The distance is never longer.
const LONGEST_INTERVAL: Duration = Duration::from_secs(10);
/// Below this the distance is no longer worth keeping.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(5);

/// One account's pace, shared by everything that runs there and by nothing else.
///
/// Each request to slow down adds half to the distance between calls, each call that goes well takes a
/// twentieth off it.
#[derive(Debug)]
pub(super) struct Pace {
    /// Whoever holds it is the next to call; the others wait in the order they came. Turns are
    /// not handed out ahead of time, because the pace may change while one waits.
    turnstile: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    interval: Duration,
    /// When the next call may be made at the earliest.
    next: Instant,
    slowed: Option<Instant>,
}

/// Why there was no turn.
#[derive(Debug)]
pub(super) enum NoTurn {
    /// The vendor asks for a longer wait than we have patience for.
    TooLong(Duration),
    /// The run is to end.
    Halted,
}

impl Pace {
    /// As fast as it answers.
    pub(super) fn new() -> Self {
        let state = State { interval: Duration::ZERO, next: Instant::now(), slowed: None };
        Self { turnstile: tokio::sync::Mutex::new(()), state: Mutex::new(state) }
    }

    /// Waits until a call may be made.
    pub(super) async fn turn(
        &self,
        longest: Duration,
        halt: &CancellationToken,
    ) -> Result<(), NoTurn> {
        let _next_to_call = self.turnstile.lock().await;
        loop {
            let now = Instant::now();
            let next = {
                let mut state = self.state();
                if state.next <= now {
                    state.next = now + state.interval;
                    return Ok(());
                }
                state.next
            };
            if next - now > longest {
                return Err(NoTurn::TooLong(next - now));
            }
            if !wait_until(next, halt).await {
                return Err(NoTurn::Halted);
            }
        }
    }

    /// A call made at `sent` was answered with a request to slow down.
    pub(super) fn slow_down(&self, sent: Instant, after: Option<Duration>) {
        let now = Instant::now();
        let mut state = self.state();
        // Calls that were under way when we slowed down tell nothing about the new pace.
        if state.slowed.is_none_or(|slowed| sent >= slowed) {
            state.interval = (state.interval * 3 / 2).clamp(FIRST_INTERVAL, LONGEST_INTERVAL);
            state.slowed = Some(now);
        }
        state.next = state.next.max(now + after.unwrap_or(state.interval));
    }

    /// A call went well.
    pub(super) fn went_well(&self) {
        let mut state = self.state();
        state.interval = state.interval * 19 / 20;
        if state.interval < SHORTEST_INTERVAL {
            state.interval = Duration::ZERO;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
