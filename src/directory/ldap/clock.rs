//! What a server shows of the time: one small search, after everything else.
//!
//! Active Directory says in its root entry what time it is (`currentTime`, [MS-ADTS] 3.1.1.3.2.6).
//! `OpenLDAP`, 389 and `FreeIPA` say so nowhere that everybody may look; but the entry of the suffix
//! tells when something was last written: `contextCSN`, where changes are numbered for replicas, is
//! the latest in all of the directory, `modifyTimestamp` that of the entry itself.
//!
//! Architecture invariant: nothing that goes wrong here is a failure of the reading. A server that
//! shows nothing, or something that is no time, contributes nothing.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::connection::Connection;
use super::page;
use crate::directory::config::{SchemaConfig, SchemaKind};
use crate::directory::distinguished_name::domain;
use crate::model::ShownTime;

/// It is one entry; who waits for the reading does not wait long for it.
const LONGEST: Duration = Duration::from_secs(5);

/// Asks for the time on a connection that is not used for anything after that.
pub(super) async fn shown(connection: &mut Connection, schema: &SchemaConfig) -> Option<ShownTime> {
    connection.read_timeout = connection.read_timeout.min(LONGEST);
    let is_active_directory = schema.kind == SchemaKind::ActiveDirectory;
    let (base, attributes) = if is_active_directory {
        (String::new(), &["currentTime"][..])
    } else {
        (domain(&schema.base), &["contextCSN", "modifyTimestamp"][..])
    };
    let asked: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
    let found = page::read_entry(connection, &base, &asked).await;
    let entry = match found {
        Ok(entry) => entry?,
        Err(failure) => {
            tracing::debug!(failure = failure.told(), "the server shows no time");
            return None;
        }
    };
    let latest = attributes.iter().flat_map(|name| entry.texts(name)).filter_map(time).max()?;
    Some(if is_active_directory { ShownTime::Now(latest) } else { ShownTime::NotBefore(latest) })
}

/// The time at the beginning of a value: generalized time in UTC (RFC 4517, 3.3.13), with which a
/// change sequence number begins as well. Fractions of a second are of no interest.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let digits = text.get(..14).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let rest = text[14..].trim_start_matches(['.', ',']);
    if !rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).starts_with('Z') {
        return None;
    }
    let part = |from: usize, to: usize| digits[from..to].parse::<i8>().ok();
    let year = digits[..4].parse().ok()?;
    let (month, day) = (part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let moment = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_servers_write_them() {
        let expected: Timestamp = "2026-11-28T01:02:03Z".parse().expect("a time");
        for text in [
            "20261128010203Z",
            "20261128010203.0Z",
            "20261128010203,5Z",
            "20261128010203.123456Z#000000#001#000000",
        ] {
            assert_eq!(time(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none_and_no_panic() {
        for text in [
            "",
            "Z",
            "now",
            "20261128010203",
            "20261128010203+0100",
            "20261332010203Z",
            "20261128256161Z",
            "99991231235959Z",
            "00000000000000Z",
            "2026112801020éZ",
            "-2026112801020Z",
            "133773456000000000",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
        assert!(time("99990101000000Z").is_some(), "far away, and a time");
    }
}
