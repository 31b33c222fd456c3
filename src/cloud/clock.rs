//! What a vendor's own clock says, from the answers it gives anyway.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// The clock of a vendor, as its latest answer told it.
#[derive(Debug, Default)]
pub struct HeardClock(Mutex<Option<(Timestamp, Instant)>>);

impl HeardClock {
    /// Takes the `Date` of an answer (RFC 9110, 6.6.1); what is no date is not heard.
    pub fn hear(&self, date: &str) {
        let parser = DateTimeParser::new();
        if let Ok(time) = parser.parse_timestamp(date) {
            let heard = Some((time, Instant::now()));
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = heard;
        }
    }

    /// What it says now: what it said, and the time since then. `None` if it has said nothing.
    pub fn now(&self) -> Option<Timestamp> {
        let (time, at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = SignedDuration::try_from(at.elapsed()).ok()?;
        time.checked_add(since).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_heard_and_goes_on_and_anything_else_is_not() {
        let clock = HeardClock::default();
        for wrong in ["", "yesterday", "2026-11-28", "Sat, 32 Nov 2026 00:59:19 GMT"] {
            clock.hear(wrong);
            assert_eq!(clock.now(), None, "{wrong}");
        }
        clock.hear("Sat, 28 Nov 2026 00:59:19 GMT");
        let said: Timestamp = "2026-11-28T00:59:19Z".parse().unwrap();
        let since = clock.now().unwrap().duration_since(said);
        assert!(since >= SignedDuration::ZERO && since < SignedDuration::from_secs(60));
    }
}
