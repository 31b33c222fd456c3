//! Values that several schemas share.

use jiff::Span;
use jiff::civil::{Date, date};

use crate::directory::entry::Entry;
use crate::model::{AccountStatus, Login, Person, PersonKind, Private, StableId};

use super::notes::Notes;

/// A person with what every schema can say; `None` (and a note) if the entry cannot be told apart
/// from others or has no log-in name.
pub(super) fn person(
    entry: &Entry,
    stable_id_attribute: &str,
    login: &str,
    notes: &mut Notes,
) -> Option<Person> {
    let stable_id = match stable_id(entry, stable_id_attribute) {
        Ok(stable_id) => stable_id,
        Err(why) => {
            notes.left_out("the person", entry, &why);
            return None;
        }
    };
    let Some(login_name) = entry.text(login) else {
        notes.left_out("the person", entry, &format!("it has no readable `{login}`"));
        return None;
    };
    if entry.texts(login).count() > 1 {
        notes.warn(entry, format!("it has several `{login}`; the first, {login_name}, counts"));
    }
    Some(Person {
        stable_id,
        login: Login::new(login_name),
        kind: PersonKind::Person,
        status: AccountStatus::Active,
        expires: None,
        password_locked: false,
        has_key: None,
        display_name: display_name(entry).map(Private::new),
        email: entry.text("mail").map(|mail| Private::new(mail.to_owned())),
        other_ids: other_ids(entry, stable_id_attribute),
        groups: Vec::new(),
    })
}

/// The value of the stable attribute: exactly one. Numbers without leading zeros, the sixteen
/// bytes of a GUID in the form Active Directory shows, other bytes in hexadecimal.
fn stable_id(entry: &Entry, attribute: &str) -> Result<StableId, String> {
    match entry.values(attribute) {
        [] => Err(format!("it has no readable `{attribute}` to know it by")),
        [value] if attribute.eq_ignore_ascii_case("objectGUID") => Ok(guid(value).into()),
        [value] => match std::str::from_utf8(value).map(str::trim) {
            Ok("") => Err(format!("its `{attribute}` is empty")),
            Ok(text) if attribute.eq_ignore_ascii_case("uidNumber") => number(text)
                .map(StableId::from)
                .ok_or_else(|| format!("its `{attribute}` is not a number")),
            Ok(text) => Ok(text.into()),
            Err(_) => Ok(hexadecimal(value).into()),
        },
        _ => Err(format!("it has several `{attribute}`")),
    }
}

/// Attributes that stay with a person when name, log-in and mail address change.
pub(super) const LASTING: [&str; 6] =
    ["entryUUID", "nsUniqueId", "ipaUniqueID", "objectGUID", "objectSid", "keyFingerPrint"];

/// What else tells the person from others.
fn other_ids(entry: &Entry, stable_id: &str) -> Box<[Private<String>]> {
    let others = LASTING.iter().filter(|name| !name.eq_ignore_ascii_case(stable_id));
    let values = others.flat_map(|name| entry.values(name));
    let texts = values.map(|value| match std::str::from_utf8(value) {
        Ok(text) => text.trim().to_lowercase(),
        Err(_) => hexadecimal(value),
    });
    texts.filter(|text| !text.is_empty()).map(Private::new).collect()
}

/// A number in its one spelling.
pub(super) fn number(text: &str) -> Option<String> {
    text.trim().parse::<i64>().ok().map(|number| number.to_string())
}

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The usual form of a GUID, whose first three parts Active Directory stores little-endian.
fn guid(value: &[u8]) -> String {
    let Ok(bytes) = <[u8; 16]>::try_from(value) else {
        return match std::str::from_utf8(value) {
            Ok(text) => text.trim().to_lowercase(),
            Err(_) => hexadecimal(value),
        };
    };
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let digits = hexadecimal(&order.map(|at: usize| bytes[at]));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// `displayName`; else `cn`, with `mn` and `sn` behind it where `cn` is the first name only, as in
/// userdir-ldap (which writes `-` for a name somebody does not have).
fn display_name(entry: &Entry) -> Option<String> {
    if let Some(name) = entry.text("displayName") {
        return Some(name.to_owned());
    }
    let given = |name| entry.text(name).filter(|text| *text != "-");
    let first = given("cn");
    match (first, given("sn")) {
        (Some(first), Some(last)) if first.ends_with(last) => Some(first.to_owned()),
        (first, last) => {
            let names: Vec<&str> = [first, given("mn"), last].into_iter().flatten().collect();
            (!names.is_empty()).then(|| names.join(" "))
        }
    }
}

/// The word of `accountStatus`. No attribute and the word `active` are active.
pub(super) fn status(entry: &Entry, notes: &mut Notes) -> AccountStatus {
    if entry.texts("accountStatus").count() > 1 {
        notes.warn(entry, "it has several `accountStatus`; the first counts");
    }
    let Some(text) = entry.text("accountStatus") else {
        return AccountStatus::Active;
    };
    let mut words = text.split_whitespace();
    let word = words.next().unwrap_or_default().to_ascii_lowercase();
    match word.as_str() {
        "active" => AccountStatus::Active,
        "inactive" => AccountStatus::Inactive,
        "memorial" => AccountStatus::Memorial,
        "retiring" => {
            if let Some(day) = words.next().and_then(|day| day.parse::<Date>().ok()) {
                AccountStatus::Retiring(day)
            } else {
                notes.warn(
                entry,
                "its `accountStatus` is `retiring` without a date (YYYY-MM-DD); counts as active",
            );
                AccountStatus::Unknown(text.to_owned())
            }
        }
        _ => {
            notes.warn(entry, format!("unknown `accountStatus` word `{word}`; counts as active"));
            AccountStatus::Unknown(text.to_owned())
        }
    }
}

/// The day of `shadowExpire`, counted from 1970-01-01. Empty and -1 are "never", as in shadow(5).
pub(super) fn shadow_expire(entry: &Entry, notes: &mut Notes) -> Option<Date> {
    let mut values = entry.texts("shadowExpire");
    let text = values.next()?;
    if values.next().is_some() {
        notes.warn(entry, "it has several `shadowExpire`; the first counts");
    }
    let epoch = date(1970, 1, 1);
    let day = match text.parse::<i64>() {
        Ok(-1) => return None,
        Ok(days) if days >= 0 => {
            Span::new().try_days(days).ok().and_then(|span| epoch.checked_add(span).ok())
        }
        _ => None,
    };
    if day.is_none() {
        notes.warn(entry, "its `shadowExpire` is not a number of days since 1970-01-01; ignored");
    }
    day
}

/// Whether every password is visibly locked: `{crypt}*LK*` or `{crypt}!…`, the scheme in any
/// case. Unreadable passwords are not locked, nor is `*SSLRESET*` (the person must log in anew).
pub(super) fn password_locked(entry: &Entry) -> bool {
    let passwords = entry.values("userPassword");
    !passwords.is_empty()
        && passwords.iter().all(|password| {
            let (scheme, rest) = password.split_at_checked(7).unwrap_or((&[], &[]));
            scheme.eq_ignore_ascii_case(b"{crypt}")
                && (rest.starts_with(b"!") || rest.eq_ignore_ascii_case(b"*LK*"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: impl AsRef<[u8]>) -> Entry {
        let mut entry = Entry::new("uid=ada");
        entry.add(name, [value.as_ref().to_vec()]);
        entry
    }

    fn warned<T>(read: impl FnOnce(&mut Notes) -> T) -> (T, usize) {
        let mut notes = Notes::new("uid");
        let value = read(&mut notes);
        (value, notes.into_parts().0.len())
    }

    #[test]
    fn state_words() {
        let of = |text: &str| warned(|notes| status(&with("accountStatus", text), notes));
        assert_eq!(of("inactive 2019-12-31 gone").0, AccountStatus::Inactive);
        assert_eq!(of("Memorial").0, AccountStatus::Memorial);
        assert_eq!(of("retiring 2026-02-28"), (AccountStatus::Retiring(date(2026, 2, 28)), 0));
        assert_eq!(of("active"), (AccountStatus::Active, 0));
        assert_eq!(of(" "), (AccountStatus::Active, 0));
        for odd in ["retiring", "retiring 2026-02-30", "retiring soon", "inactivе", "napping"] {
            assert_eq!(of(odd), (AccountStatus::Unknown(odd.to_owned()), 1), "{odd}");
        }
    }

    #[test]
    fn days_of_expiry() {
        let of = |text: &str| warned(|notes| shadow_expire(&with("shadowExpire", text), notes));
        assert_eq!(of("0"), (Some(date(1970, 1, 1)), 0));
        assert_eq!(of("20000"), (Some(date(2024, 10, 4)), 0));
        assert_eq!(of("-1"), (None, 0));
        assert_eq!(of(""), (None, 0));
        for absurd in ["-2", "99999999", "9223372036854775807", "-9223372036854775808", "1e9", "x"]
        {
            assert_eq!(of(absurd), (None, 1), "{absurd}");
        }
    }

    #[test]
    fn locked_passwords() {
        let of = |text: &str| password_locked(&with("userPassword", text));
        for locked in ["{crypt}*LK*", "{CRYPT}*LK*", "{CRYPT}!", "{crypt}!$1$abc"] {
            assert!(of(locked), "{locked}");
        }
        for open in ["{crypt}*SSLRESET*", "{crypt}$6$x", "{SSHA}!", "", "!", "{crypt}*"] {
            assert!(!of(open), "{open}");
        }
        let mut two = with("userPassword", "{crypt}!");
        two.add("userPassword", [b"{SSHA}abc".to_vec()]);
        assert!(!password_locked(&two), "one password still works");
        assert!(!password_locked(&Entry::new("uid=ada")), "unreadable is not locked");
    }

    #[test]
    fn stable_ids_have_one_spelling() {
        let of = |name: &str, value: &[u8]| {
            stable_id(&with(name, value), name).map(|id| id.as_str().to_owned())
        };
        assert_eq!(of("uidNumber", b"0042").as_deref(), Ok("42"));
        assert!(of("uidNumber", b"x").is_err());
        assert!(of("entryUUID", b"").is_err());
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(of("objectGUID", &bytes).as_deref(), Ok("03020100-0504-0706-0809-0a0b0c0d0e0f"));
        assert_eq!(of("other", &[0xff, 0x01]).as_deref(), Ok("ff01"));
    }

    #[test]
    fn names_are_put_together() {
        let mut entry = with("cn", "Ada");
        entry.add("sn", [b"Lovelace".to_vec()]);
        assert_eq!(display_name(&entry).as_deref(), Some("Ada Lovelace"));
        let mut whole = with("cn", "Ada Lovelace");
        whole.add("sn", [b"Lovelace".to_vec()]);
        assert_eq!(display_name(&whole).as_deref(), Some("Ada Lovelace"));
        let mut single = with("cn", "Ada");
        single.add("sn", [b"-".to_vec()]);
        assert_eq!(display_name(&single).as_deref(), Some("Ada"));
    }
}
