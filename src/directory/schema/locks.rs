//! Locks and expiries that servers keep beside the schema's own: 389 Directory Server, `FreeIPA`,
//! password policies; and what the inventory names.
//!
//! Several of the attributes are operational: a server hands them out only when asked by name.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::directory::entry::Entry;
use crate::model::Person;

use super::notes::Notes;
use super::{Rules, values};

/// What is asked for in every schema.
pub(super) const ATTRIBUTES: [&str; 3] =
    ["nsAccountLock", "pwdAccountLockedTime", "krbPrincipalExpiration"];

/// "Locked for good" (draft-behera-ldap-password-policy-10, section 5.3.3); `OpenLDAP` and
/// 389 use the same word.
const FOR_GOOD: [&str; 2] = ["000001010000Z", "00000101000000Z"];

/// Adds what these attributes say.
pub(super) fn apply(entry: &Entry, rules: &Rules, person: &mut Person, notes: &mut Notes) {
    ns_account_lock(entry, person, notes);
    locked_time(entry, person, notes);
    principal_expiration(entry, person, notes);
    for (attribute, values) in &rules.locked_when {
        configured(entry, attribute, values, person, notes);
    }
}

/// 389 compares with `true` without case, and so does `FreeIPA`.
fn ns_account_lock(entry: &Entry, person: &mut Person, notes: &mut Notes) {
    for value in entry.values("nsAccountLock") {
        match value.trim_ascii().to_ascii_lowercase().as_slice() {
            b"true" => person.locked = Some("the account is locked (nsAccountLock)".to_owned()),
            b"false" | b"" => {}
            _ => values::not_understood(entry, "nsAccountLock", person, notes),
        }
    }
}

/// Another moment than "for good" is that of too many wrong passwords: anybody can bring that
/// about, and it passes. It says nothing about who may have access.
fn locked_time(entry: &Entry, person: &mut Person, notes: &mut Notes) {
    for value in entry.values("pwdAccountLockedTime") {
        let text = std::str::from_utf8(value).map(str::trim);
        match text {
            Ok(text) if FOR_GOOD.contains(&text) => {
                person.locked = Some("the account is locked (pwdAccountLockedTime)".to_owned());
            }
            Ok("") => {}
            Ok(text) if generalized_time(text).is_some() => {}
            _ => values::not_understood(entry, "pwdAccountLockedTime", person, notes),
        }
    }
}

/// The moment from which a Kerberos principal gets no tickets any more.
fn principal_expiration(entry: &Entry, person: &mut Person, notes: &mut Notes) {
    for value in entry.values("krbPrincipalExpiration") {
        let text = std::str::from_utf8(value).map(str::trim);
        let moment = text.ok().and_then(generalized_time);
        match moment.and_then(values::first_day_without) {
            Some(day) => values::expires_on(person, day),
            None => values::not_understood(entry, "krbPrincipalExpiration", person, notes),
        }
    }
}

fn configured(
    entry: &Entry,
    attribute: &str,
    wanted: &[String],
    person: &mut Person,
    notes: &mut Notes,
) {
    for value in entry.values(attribute) {
        let Ok(text) = std::str::from_utf8(value) else {
            values::not_understood(entry, attribute, person, notes);
            continue;
        };
        let text = text.trim().to_lowercase();
        if wanted.iter().any(|one| one == "*" || one.to_lowercase() == text) {
            person.locked = Some(format!("`{attribute}` says so (`locked_when`)"));
        }
    }
}

/// A generalized time (RFC 4517, section 3.3.13): `YYYYMMDDHH[MM[SS]][.fraction]` and `Z` or a
/// distance from it. A fraction counts as nothing.
fn generalized_time(text: &str) -> Option<Timestamp> {
    let (moment, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => return None,
    };
    let moment = moment.split(['.', ',']).next()?;
    if !moment.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| moment.get(from..to)?.parse::<i8>().ok();
    let optional = |from: usize| if moment.len() > from { number(from, from + 2) } else { Some(0) };
    if !matches!(moment.len(), 10 | 12 | 14) {
        return None;
    }
    let year: i16 = moment.get(..4)?.parse().ok()?;
    // A leap second is the end of its minute.
    let second = optional(12)?.min(59);
    let civil =
        DateTime::new(year, number(4, 6)?, number(6, 8)?, number(8, 10)?, optional(10)?, second, 0)
            .ok()?;
    let offset = match (zone.get(..1)?, &zone[1..]) {
        ("Z" | "z", "") => Offset::UTC,
        (sign @ ("+" | "-"), distance) if matches!(distance.len(), 2 | 4) => {
            let hours: i32 = distance.get(..2)?.parse().ok()?;
            let minutes: i32 =
                distance.get(2..).filter(|m| !m.is_empty()).unwrap_or("0").parse().ok()?;
            let seconds = hours * 3600 + minutes * 60;
            Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()?
        }
        _ => return None,
    };
    Some(civil.to_zoned(TimeZone::fixed(offset)).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;

    fn read(attribute: &str, value: impl AsRef<[u8]>) -> Person {
        let mut entry = Entry::new("uid=ada");
        entry.add(attribute, [value.as_ref().to_vec()]);
        let rules = Rules {
            stable_id: "uidNumber".to_owned(),
            gone_words: Vec::new(),
            locked_when: BTreeMap::from([
                ("employeeType".to_owned(), vec!["Former".to_owned()]),
                ("endDate".to_owned(), vec!["*".to_owned()]),
            ]),
        };
        let mut person = Person::new("1", "ada");
        apply(&entry, &rules, &mut person, &mut Notes::new("uid"));
        person
    }

    #[test]
    fn locks_of_389_and_of_password_policies() {
        for (attribute, value) in [
            ("nsAccountLock", "TRUE"),
            ("nsAccountLock", "true"),
            ("pwdAccountLockedTime", "000001010000Z"),
            ("pwdAccountLockedTime", "00000101000000Z"),
            ("employeeType", "former"),
            ("endDate", "whenever"),
        ] {
            assert!(read(attribute, value).locked.is_some(), "{attribute}: {value}");
        }
        for (attribute, value) in [
            ("nsAccountLock", "FALSE"),
            ("pwdAccountLockedTime", "20261101120000Z"),
            ("employeeType", "volunteer"),
        ] {
            let person = read(attribute, value);
            assert_eq!((person.locked, person.unreadable), (None, None), "{attribute}: {value}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_no_proof_of_being_active() {
        for (attribute, value) in [
            ("nsAccountLock", &b"yes"[..]),
            ("nsAccountLock", b"\xff"),
            ("pwdAccountLockedTime", b"yesterday"),
            ("krbPrincipalExpiration", b"20261301000000Z"),
            ("krbPrincipalExpiration", b"never"),
            ("employeeType", b"\xff"),
        ] {
            let person = read(attribute, value);
            assert_eq!(person.unreadable, Some(format!("its `{attribute}`")), "{value:?}");
        }
    }

    #[test]
    fn the_end_of_a_principal() {
        let ends = |text: &str| read("krbPrincipalExpiration", text).expires;
        assert_eq!(ends("20200101000000Z"), Some(date(2020, 1, 1)));
        assert_eq!(ends("20200101000001Z"), Some(date(2020, 1, 2)));
        assert_eq!(ends("202001010000Z"), Some(date(2020, 1, 1)));
        assert_eq!(ends("2020010100.5+0100"), Some(date(2020, 1, 1)));
        assert_eq!(ends("20200101000000-0100"), Some(date(2020, 1, 2)));
    }
}
