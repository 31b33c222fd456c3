//! What was shown of the time while everything was read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::Vendor;
use crate::model::{Directory, DirectoryName, Reading, ShownTime};

/// Others' clocks at the end of the reading, and times that are past, by whose they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// What others' clocks say.
    pub(super) others: BTreeMap<String, Timestamp>,
    /// When something was written by others' clocks.
    pub(super) past: BTreeMap<String, Timestamp>,
}

impl Shown {
    /// What vendors say now, and what directories said so long ago.
    pub(super) fn of(
        vendors: &[Arc<dyn Vendor>],
        directories: &BTreeMap<DirectoryName, Reading<Directory>>,
        ago: Duration,
    ) -> Self {
        let mut shown = Self::default();
        for vendor in vendors {
            let whose = vendor.facts().family.to_string();
            shown.others.extend(vendor.clock().map(|time| (whose, time)));
        }
        for (name, reading) in directories {
            let whose = format!("directory {name}");
            match reading.got().time {
                Some(ShownTime::Now(time)) => {
                    let since = SignedDuration::try_from(ago).unwrap_or_default();
                    // At the end of the calendar a clock stands still.
                    shown.others.insert(whose, time.checked_add(since).unwrap_or(time));
                }
                Some(ShownTime::NotBefore(time)) => {
                    shown.past.insert(whose, time);
                }
                None => {}
            }
        }
        shown
    }
}
