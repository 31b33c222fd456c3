//! What ends by itself, and how near that is.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When something ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expiry {
    /// The moment.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Whether the vendor renews it without being asked, as things are now.
    pub renews: bool,
}

/// How near an end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// It is over.
    Past,
    /// People should look now.
    Soon,
    /// Nobody need do anything.
    Far,
}

/// So many days before an end people are told.
const WARNING_DAYS: i32 = 30;

/// What the vendor renews without being asked is no matter before so many days are left: by then it
/// should have been renewed.
const RENEWED_DAYS: i32 = 15;

impl Expiry {
    /// The day of the end, in UTC.
    pub fn day(&self) -> Date {
        self.at.to_zoned(TimeZone::UTC).date()
    }
}

/// How near the end on a day is.
pub fn nearness(end: Date, renews: bool, today: Date) -> Nearness {
    let left = today.until(end).map_or(i32::MAX, |span| span.get_days());
    let warning = if renews { RENEWED_DAYS } else { WARNING_DAYS };
    if left < 0 {
        Nearness::Past
    } else if left <= warning {
        Nearness::Soon
    } else {
        Nearness::Far
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn people_are_told_a_month_before_and_later_of_what_is_renewed() {
        let today = date(2026, 11, 28);
        for (days, renews, expected) in [
            (-1, false, Nearness::Past),
            (-1, true, Nearness::Past),
            (0, false, Nearness::Soon),
            (30, false, Nearness::Soon),
            (31, false, Nearness::Far),
            (30, true, Nearness::Far),
            (16, true, Nearness::Far),
            (15, true, Nearness::Soon),
        ] {
            assert_eq!(nearness(today + days.days(), renews, today), expected, "{days} {renews}");
        }
    }
}
