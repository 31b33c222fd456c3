//! How fast the services of an instance may be called.
//!
//! "IAM Identity Center APIs have a collective throttle maximum of 20 transactions per second",
//! the Identity Store APIs likewise and of their own, and `CreateAccountAssignment` "a maximum rate
//! of 15 outstanding async calls" (IAM Identity Center User Guide, "IAM Identity Center throttle
//! limits"; it was 10 until 2024). All accounts of a hub and all actions count together, so there
//! is one ceiling for all connections, and a client can only be had by waiting for a turn.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Requests per second and service.
pub const REQUESTS_PER_SECOND: u32 = 20;
/// Assignments under way at once: the older, lower number is kept to.
pub const OUTSTANDING: usize = 10;

/// Turns at even distances, in the order in which they were asked for.
///
/// Without a reserve for bursts: with one, the first second would have too many.
#[derive(Debug)]
pub struct Ceiling {
    interval: Duration,
    next: Mutex<Instant>,
}

impl Ceiling {
    /// At most so many turns in any second.
    pub fn new(per_second: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, next: Mutex::new(Instant::now()) }
    }

    /// Waits for the next turn.
    pub async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.interval;
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

/// What the two services of an instance bear.
#[derive(Debug)]
pub struct Ceilings {
    /// The identity store: users, groups, memberships.
    pub store: Ceiling,
    /// Identity Center itself: permission sets and assignments.
    pub center: Ceiling,
    outstanding: Semaphore,
}

impl Ceilings {
    /// At most so many requests a second to each of them.
    pub fn new(per_second: u32) -> Self {
        Self {
            store: Ceiling::new(per_second),
            center: Ceiling::new(per_second),
            outstanding: Semaphore::new(OUTSTANDING),
        }
    }

    /// Waits until one more assignment may be under way; `None` if that takes too long.
    pub async fn assignment(&self, longest: Duration) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(longest, self.outstanding.acquire()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_turns_than_allowed() {
        let ceiling = Ceiling::new(REQUESTS_PER_SECOND);
        let mut turns: Vec<Instant> = Vec::new();
        // Some at once, some after a pause that must not earn a burst.
        for round in 0_u64..4 {
            let asked = (0..50).map(|_| async {
                ceiling.turn().await;
                Instant::now()
            });
            turns.extend(futures_util::future::join_all(asked).await);
            tokio::time::sleep(Duration::from_millis(round * 700)).await;
        }
        assert_eq!(turns.len(), 200);
        turns.sort();
        let second = Duration::from_secs(1);
        let most = turns.iter().map(|from| {
            turns.iter().filter(|turn| **turn >= *from && **turn < *from + second).count()
        });
        assert_eq!(most.max(), Some(20));
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_assignments_are_under_way() {
        let ceilings = Ceilings::new(REQUESTS_PER_SECOND);
        let mut permits = Vec::new();
        for _ in 0..OUTSTANDING {
            permits.push(ceilings.assignment(Duration::from_secs(1)).await.unwrap());
        }
        assert!(ceilings.assignment(Duration::from_secs(1)).await.is_none());
        permits.pop();
        assert!(ceilings.assignment(Duration::from_secs(1)).await.is_some());
    }
}
