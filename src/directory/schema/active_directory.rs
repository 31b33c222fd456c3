//! Active Directory: nested groups, primary group by security identifier, attributes in ranges
//! (put together before they come here).

use jiff::civil::date;
use jiff::{Timestamp, tz::TimeZone};

use crate::directory::distinguished_name::normalise;
use crate::directory::entry::Entry;
use crate::directory::filter::Filter;
use crate::model::{Person, Unclear};

use super::facts::{GroupFacts, PersonFacts};
use super::notes::Notes;
use super::{Defaults, Rules, rfc2307, values};

/// `ADS_UF_ACCOUNTDISABLE` of `userAccountControl` ([MS-ADTS] 2.2.16).
const ACCOUNT_DISABLED: i64 = 0x2;

pub(super) const DEFAULTS: Defaults = Defaults {
    groups_base: "",
    people_base: "",
    stable_id: "objectGUID",
    group_filter: || Filter::class("group"),
    person_filter: || {
        Filter::All(vec![Filter::class("user"), Filter::Not(Box::new(Filter::class("computer")))])
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
        hidden: values::unreadable_members(entry, &["member"]),
        ..rfc2307::named_group(entry, "sAMAccountName", notes)?
    })
}

fn person(entry: &Entry, rules: &Rules, notes: &mut Notes) -> Result<PersonFacts, Unclear> {
    let mut person = values::person(entry, rules, "sAMAccountName", notes)?;
    account_expires(entry, &mut person, notes);
    account_control(entry, &mut person, notes);
    values::membership_shown(entry, &["primaryGroupID"], &mut person, notes);
    let primary = primary(entry);
    Ok(PersonFacts { key: Some(normalise(&entry.dn)), primary, ..PersonFacts::of(person) })
}

/// Whether the account is switched off.
fn account_control(entry: &Entry, person: &mut Person, notes: &mut Notes) {
    for value in entry.values("userAccountControl") {
        let text = std::str::from_utf8(value).ok();
        match text.and_then(|text| text.trim().parse::<i64>().ok()) {
            Some(flags) if ACCOUNT_DISABLED & flags != 0 => {
                person.locked = Some("the account is disabled (userAccountControl)".to_owned());
            }
            Some(_) => {}
            None => values::not_understood(entry, "userAccountControl", person, notes),
        }
    }
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
fn account_expires(entry: &Entry, person: &mut Person, notes: &mut Notes) {
    for value in entry.values("accountExpires") {
        let text = std::str::from_utf8(value).ok();
        let day = match text.and_then(|text| text.trim().parse::<i64>().ok()) {
            Some(0 | i64::MAX) => continue,
            Some(steps @ 1..) => moment(steps).and_then(values::first_day_without),
            _ => None,
        };
        match day {
            Some(day) => values::expires_on(person, day),
            None => values::not_understood(entry, "accountExpires", person, notes),
        }
    }
}

fn moment(steps: i64) -> Option<Timestamp> {
    let start = date(1601, 1, 1).at(0, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?.timestamp();
    let second = start.as_second().checked_add(steps / 10_000_000)?;
    let nanosecond = i32::try_from(steps % 10_000_000 * 100).ok()?;
    Timestamp::new(second, nanosecond).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::*;

    fn expires(text: &str) -> (Option<Date>, usize) {
        let mut entry = Entry::new("cn=ada");
        entry.add("accountExpires", [text.as_bytes().to_vec()]);
        let (mut person, mut notes) = (Person::new("1", "ada"), Notes::new("uid"));
        account_expires(&entry, &mut person, &mut notes);
        let told = notes.into_parts().0.len();
        assert_eq!(told > 0, person.unreadable.is_some());
        (person.expires, told)
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
