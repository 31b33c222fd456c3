//! Active Directory: nested groups, primary group by security identifier, attributes in ranges
//! (put together before they come here).

use jiff::civil::{Date, Time, date};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::directory::distinguished_name::normalise;
use crate::directory::entry::Entry;
use crate::directory::filter::Filter;

use super::facts::{GroupFacts, PersonFacts};
use super::notes::Notes;
use super::{Defaults, rfc2307, values};

/// `ADS_UF_ACCOUNTDISABLE` of `userAccountControl` ([MS-ADTS] 2.2.16).
const ACCOUNT_DISABLED: i64 = 0x2;

pub(super) const DEFAULTS: Defaults = Defaults {
    groups_base: "",
    people_base: "",
    stable_id: "objectGUID",
    group_filter: || Filter::Class("group"),
    person_filter: || {
        Filter::All(vec![Filter::Class("user"), Filter::Not(Box::new(Filter::Class("computer")))])
    },
    group_attributes: &["sAMAccountName", "objectSid", "member"],
    person_naming: "sAMAccountName",
    person_attributes: &[
        "sAMAccountName",
        "objectSid",
        "primaryGroupID",
        "userAccountControl",
        "accountExpires",
        "displayName",
        "cn",
        "sn",
        "mail",
    ],
    group,
    person,
};

fn group(entry: &Entry, notes: &mut Notes) -> Option<GroupFacts> {
    Some(GroupFacts {
        number: entry.values("objectSid").first().map(|sid| values::hexadecimal(sid)),
        members: entry.texts("member").map(normalise).collect(),
        key: Some(normalise(&entry.dn)),
        shows_members: true,
        ..rfc2307::named_group(entry, "sAMAccountName", notes)?
    })
}

fn person(entry: &Entry, stable_id: &str, notes: &mut Notes) -> Option<PersonFacts> {
    let mut person = values::person(entry, stable_id, "sAMAccountName", notes)?;
    person.expires = account_expires(entry, notes);
    person.password_locked = entry
        .text("userAccountControl")
        .and_then(|flags| flags.parse::<i64>().ok())
        .is_some_and(|flags| flags & ACCOUNT_DISABLED != 0);
    Some(PersonFacts {
        person,
        key: Some(normalise(&entry.dn)),
        named: Vec::new(),
        member_of: Vec::new(),
        primary: primary(entry),
    })
}

/// The primary group's security identifier: the person's own, its last part replaced by
/// `primaryGroupID`.
fn primary(entry: &Entry) -> Option<String> {
    let group: u32 = entry.text("primaryGroupID")?.parse().ok()?;
    let own = entry.values("objectSid").first()?;
    let domain = own.get(..own.len().checked_sub(4)?)?;
    let mut identifier = domain.to_vec();
    identifier.extend(group.to_le_bytes());
    Some(values::hexadecimal(&identifier))
}

/// The first day without access, from `accountExpires`: steps of 100 ns since 1601-01-01 UTC; 0
/// and the largest value are "never". A moment during a day ends access with that day.
fn account_expires(entry: &Entry, notes: &mut Notes) -> Option<Date> {
    let text = entry.text("accountExpires")?;
    let expires = match text.parse::<i64>() {
        Ok(0 | i64::MAX) => return None,
        Ok(steps) if steps > 0 => day_after(steps),
        _ => None,
    };
    if expires.is_none() {
        notes.warn(entry, "its `accountExpires` is not a moment; ignored");
    }
    expires
}

fn day_after(steps: i64) -> Option<Date> {
    let start = date(1601, 1, 1).at(0, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?.timestamp();
    let second = start.as_second().checked_add(steps / 10_000_000)?;
    let moment = Timestamp::from_second(second).ok()?.to_zoned(TimeZone::UTC);
    let exact = moment.time() == Time::midnight() && steps % 10_000_000 == 0;
    if exact { Some(moment.date()) } else { moment.date().checked_add(1.days()).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expires(text: &str) -> (Option<Date>, usize) {
        let mut entry = Entry::new("cn=ada");
        entry.add("accountExpires", [text.as_bytes().to_vec()]);
        let mut notes = Notes::new("uid");
        let expires = account_expires(&entry, &mut notes);
        (expires, notes.into_parts().0.len())
    }

    #[test]
    fn moments_of_expiry() {
        assert_eq!(expires("0"), (None, 0));
        assert_eq!(expires("9223372036854775807"), (None, 0));
        // 2026-01-01T00:00:00Z, and a step later.
        assert_eq!(expires("134116992000000000"), (Some(date(2026, 1, 1)), 0));
        assert_eq!(expires("134116992000000001"), (Some(date(2026, 1, 2)), 0));
        for absurd in ["-5", "9223372036854775806", "soon"] {
            assert_eq!(expires(absurd), (None, 1), "{absurd}");
        }
    }
}
