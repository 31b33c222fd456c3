//! How patient the executor is.

use std::time::Duration;

/// How patient the executor is with one change. The defaults suit real vendors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How often one change is sent at most. At least 1.
    pub attempts: u32,
    /// How long one change may take, from its first call to its last.
    pub time: Duration,
    /// How long one call may take; a call that takes longer counts as one whose reply was lost.
    pub call_time: Duration,
    /// The wait before the second attempt; doubled before each further one.
    pub first_wait: Duration,
    /// No wait of our own choosing is longer. A vendor's word on when to come back may be.
    pub longest_wait: Duration,
    /// Seed of the jitter.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts: 10,
            time: Duration::from_mins(5),
            call_time: Duration::from_mins(2),
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(30),
            seed: 0,
        }
    }
}
