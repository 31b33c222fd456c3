//! How fast one account may be called: as fast as it answers, until it asks us to slow down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The distance between calls after the first request to slow down.
const FIRST_INTERVAL: Duration = Duration::from_millis(50);
/// The distance is never longer.
const LONGEST_INTERVAL: Duration = Duration::from_secs(10);
/// Below this the distance is no longer worth keeping.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(5);

/// One account's pace, shared by everything that runs there and by nothing else.
///
/// Each request to slow down doubles the distance between calls, each call that goes well takes a
/// tenth off it.
#[derive(Debug)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    next: Instant,
    interval: Duration,
    /// No call before then, also not one that had its turn already.
    blocked_until: Instant,
    slowed: Option<Instant>,
}

impl Pace {
    /// As fast as it answers.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            next: now,
            interval: Duration::ZERO,
            blocked_until: now,
            slowed: None,
        }))
    }

    /// Takes a turn: when the call may be made at the earliest.
    pub(super) fn turn(&self) -> Instant {
        let mut state = self.state();
        let at = Instant::now().max(state.next).max(state.blocked_until);
        state.next = at + state.interval;
        at
    }

    /// Whether a call may be made now by one who waited for their turn.
    pub(super) fn is_open(&self) -> bool {
        Instant::now() >= self.state().blocked_until
    }

    /// How long it will be closed at least.
    pub(super) fn closed_for(&self) -> Duration {
        self.state().blocked_until.saturating_duration_since(Instant::now())
    }

    /// A call made at `sent` was answered with a request to slow down.
    pub(super) fn slow_down(&self, sent: Instant, after: Option<Duration>) {
        let now = Instant::now();
        let mut state = self.state();
        // Calls that were under way when we slowed down tell nothing about the new pace.
        if state.slowed.is_none_or(|slowed| sent >= slowed) {
            state.interval = (state.interval * 2).clamp(FIRST_INTERVAL, LONGEST_INTERVAL);
            state.slowed = Some(now);
        }
        let until = now + after.unwrap_or(state.interval);
        state.blocked_until = state.blocked_until.max(until);
        state.next = state.next.max(state.blocked_until);
    }

    /// A call went well.
    pub(super) fn went_well(&self) {
        let mut state = self.state();
        state.interval = state.interval * 9 / 10;
        if state.interval < SHORTEST_INTERVAL {
            state.interval = Duration::ZERO;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
