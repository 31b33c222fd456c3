//! Values that several schemas share.

use jiff::civil::{Date, Time, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use crate::directory::distinguished_name::{as_compared, named_by};
use crate::directory::entry::Entry;
use crate::model::{AccountStatus, Login, Person, Private, StableId, Unclear};

use super::notes::Notes;
use super::{Rules, locks};

/// A person with what every schema can say. Whoever cannot be told apart from others, or has no
/// log-in name, is unclear.
pub(super) fn person(
    entry: &Entry,
    rules: &Rules,
    login: &str,
    notes: &mut Notes,
) -> Result<Person, Unclear> {
    let stable_id = stable_id(entry, &rules.stable_id);
    let login_name = login_name(entry, login, notes);
    let (stable_id, login_name) = match (stable_id, login_name) {
        (Ok(stable_id), Ok(login)) => (stable_id, login),
        (stable_id, login) => {
            let why = match (&stable_id, &login) {
                (Err(why), _) | (_, Err(why)) => why.clone(),
                (Ok(_), Ok(_)) => String::new(),
            };
            let (stable_id, login) = (stable_id.ok(), login.ok());
            let entry = entry.known_as(notes.naming_of());
            return Err(Unclear { entry, stable_id, login, why });
        }
    };
    let mut person = Person {
        display_name: display_name(entry).map(Private::new),
        email: entry.text("mail").map(|mail| Private::new(mail.to_owned())),
        other_ids: other_ids(entry, &rules.stable_id),
        ..Person::new(stable_id, login_name)
    };
    locks::apply(entry, rules, &mut person, notes);
    Ok(person)
}

/// The log-in name. Of several the one in the distinguished name is meant, as for `sssd`; else
/// always the same one.
fn login_name(entry: &Entry, attribute: &str, notes: &mut Notes) -> Result<Login, String> {
    if entry.is_unreadable(attribute) {
        return Err(format!("its `{attribute}` is not text"));
    }
    let mut names: Vec<&str> = entry.texts(attribute).collect();
    names.sort_unstable();
    let first = names.first().ok_or_else(|| format!("it has no readable `{attribute}`"))?;
    if names.len() == 1 {
        return Ok(Login::new(*first));
    }
    let named_by = named_by(&entry.dn, attribute);
    let in_name = named_by.and_then(|by| names.iter().find(|name| as_compared(name) == by));
    if in_name.is_none() {
        notes.warn(
            entry,
            format!("it has several `{attribute}`, none of them in its name; {first} counts"),
        );
    }
    Ok(Login::new(*in_name.unwrap_or(first)))
}

/// Notes that a value which decides about access cannot be understood: nobody is plainly active
/// on account of it.
pub(super) fn not_understood(
    entry: &Entry,
    attribute: &str,
    person: &mut Person,
    notes: &mut Notes,
) {
    notes.warn(
        entry,
        format!("its `{attribute}` cannot be understood: nothing new, and nothing privileged"),
    );
    person.unreadable.get_or_insert_with(|| format!("its `{attribute}`"));
}

/// Freezes somebody of whom an attribute that says which groups they are in is not text.
pub(super) fn membership_shown(
    entry: &Entry,
    attributes: &[&str],
    person: &mut Person,
    notes: &mut Notes,
) {
    if let Some(hidden) = attributes.iter().find(|name| entry.is_unreadable(name)) {
        let why = format!("its `{hidden}` is not text");
        notes.warn(entry, format!("{why}: nothing is given and nothing taken"));
        person.unclear.get_or_insert(why);
    }
}

/// Why members of a group are known to be hidden: they are there and are not text.
pub(super) fn unreadable_members(entry: &Entry, attributes: &[&str]) -> Option<String> {
    let hidden = attributes.iter().find(|name| entry.is_unreadable(name))?;
    Some(format!("its `{hidden}` is not text"))
}

/// Of several ends the first counts.
pub(super) fn expires_on(person: &mut Person, day: Date) {
    person.expires = Some(person.expires.map_or(day, |before| before.min(day)));
}

/// The first day without access where it ends at a moment: one during a day ends with that day.
pub(super) fn first_day_without(moment: Timestamp) -> Option<Date> {
    let moment = moment.to_zoned(TimeZone::UTC);
    let exact = moment.time() == Time::midnight();
    if exact { Some(moment.date()) } else { moment.date().checked_add(1.days()).ok() }
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

/// What `accountStatus` says. No attribute and the word `active` are active; of several values the
/// worst counts.
pub(super) fn status(entry: &Entry, rules: &Rules, person: &mut Person, notes: &mut Notes) {
    for value in entry.values("accountStatus") {
        let Ok(text) = std::str::from_utf8(value) else {
            not_understood(entry, "accountStatus", person, notes);
            continue;
        };
        let found = state(text.trim(), &rules.gone_words);
        if let AccountStatus::Unknown(text) = &found {
            notes.warn(
                entry,
                format!(
                    "the `accountStatus` `{text}` is not known: nothing new, and nothing privileged"
                ),
            );
        }
        person.status = match (&person.status, found) {
            (AccountStatus::Retiring(one), AccountStatus::Retiring(other)) => {
                AccountStatus::Retiring(other.min(*one))
            }
            (before, found) => found.max(before.clone()),
        };
    }
}

fn state(text: &str, gone_words: &[String]) -> AccountStatus {
    let mut words = text.split_whitespace();
    let word = words.next().unwrap_or_default().to_lowercase();
    match word.as_str() {
        "" => AccountStatus::Active,
        // Debian's own tools compare the whole value: whatever comes after the word means something.
        "active" if words.next().is_none() => AccountStatus::Active,
        word if ["inactive", "memorial"].contains(&word)
            || gone_words.iter().any(|gone| gone == word) =>
        {
            AccountStatus::Gone(word.to_owned())
        }
        "retiring" => match words.next().and_then(|day| day.parse::<Date>().ok()) {
            Some(day) => AccountStatus::Retiring(day),
            None => AccountStatus::Unknown(text.to_owned()),
        },
        _ => AccountStatus::Unknown(text.to_owned()),
    }
}

/// The day of `shadowExpire`, counted from 1970-01-01. Empty and -1 are "never", as in shadow(5).
pub(super) fn shadow_expire(entry: &Entry, person: &mut Person, notes: &mut Notes) {
    let epoch = date(1970, 1, 1);
    for value in entry.values("shadowExpire") {
        let text = std::str::from_utf8(value).map(str::trim);
        let days = match text {
            Ok("" | "-1") => continue,
            Ok(text) => text.parse::<i64>().ok().filter(|days| *days >= 0),
            Err(_) => None,
        };
        let day = days
            .and_then(|days| Span::new().try_days(days).ok())
            .and_then(|span| epoch.checked_add(span).ok());
        match day {
            Some(day) => expires_on(person, day),
            None => not_understood(entry, "shadowExpire", person, notes),
        }
    }
}

/// A password that is visibly locked.
pub(super) fn password_locked(entry: &Entry, person: &mut Person) {
    if is_password_locked(entry) {
        person.locked = Some("password is locked".to_owned());
    }
}

/// Locked if every password is visibly so: `{crypt}*LK*` or `{crypt}!…`, the scheme in any case.
/// Unreadable passwords are not locked, nor is `*SSLRESET*` (the person must log in anew).
pub(super) fn is_password_locked(entry: &Entry) -> bool {
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
    use crate::directory::GONE_WORDS;

    fn with(name: &str, value: impl AsRef<[u8]>) -> Entry {
        let mut entry = Entry::new("uid=ada");
        entry.add(name, [value.as_ref().to_vec()]);
        entry
    }

    fn rules() -> Rules {
        Rules {
            stable_id: "uidNumber".to_owned(),
            gone_words: GONE_WORDS.map(str::to_owned).into(),
            locked_when: std::collections::BTreeMap::new(),
        }
    }

    /// What a reader makes of an entry, and how much it told.
    fn told(entry: &Entry, read: fn(&Entry, &mut Person, &mut Notes)) -> (Person, usize) {
        let (mut person, mut notes) = (Person::new("1", "ada"), Notes::new("uid"));
        read(entry, &mut person, &mut notes);
        (person, notes.into_parts().0.len())
    }

    fn status_of(entry: &Entry) -> (Person, usize) {
        told(entry, |entry, person, notes| status(entry, &rules(), person, notes))
    }

    #[test]
    fn state_words() {
        let of = |text: &str| {
            let (person, told) = status_of(&with("accountStatus", text));
            (person.status, told)
        };
        let gone = |word: &str| (AccountStatus::Gone(word.to_owned()), 0);
        assert_eq!(of("inactive 2019-12-31 gone"), gone("inactive"));
        assert_eq!(of("Memorial"), gone("memorial"));
        assert_eq!(of("disabled"), gone("disabled"));
        assert_eq!(of("retired 2020"), gone("retired"));
        assert_eq!(of("retiring 2026-02-28"), (AccountStatus::Retiring(date(2026, 2, 28)), 0));
        assert_eq!(of("active"), (AccountStatus::Active, 0));
        let odd = AccountStatus::Unknown("active but gone".to_owned());
        assert_eq!(of("active but gone"), (odd, 1));
        assert_eq!(of(" "), (AccountStatus::Active, 0));
        for odd in
            ["retiring", "retiring 2026-02-30", "retiring soon", "inactivе", "Inactiv", "napping"]
        {
            assert_eq!(of(odd), (AccountStatus::Unknown(odd.to_owned()), 1), "{odd}");
        }
    }

    #[test]
    fn of_several_states_the_worst_counts() {
        let of = |values: &[&str]| {
            let mut entry = Entry::new("uid=ada");
            entry.add("accountStatus", values.iter().map(|value| value.as_bytes().to_vec()));
            status_of(&entry).0.status
        };
        let gone = AccountStatus::Gone("inactive".to_owned());
        assert_eq!(of(&["active", "inactive"]), gone);
        assert_eq!(of(&["inactive", "napping"]), gone);
        assert_eq!(of(&["napping", "active"]), AccountStatus::Unknown("napping".to_owned()));
        assert_eq!(
            of(&["retiring 2026-03-01", "active", "retiring 2026-02-01"]),
            AccountStatus::Retiring(date(2026, 2, 1))
        );
    }

    #[test]
    fn bytes_that_are_not_text_are_not_active() {
        let (person, told) = status_of(&with("accountStatus", b"\xff\xfe"));
        assert_eq!((person.unreadable.as_deref(), told), (Some("its `accountStatus`"), 1));
    }

    #[test]
    fn days_of_expiry() {
        let of = |text: &str| {
            let (person, told) = told(&with("shadowExpire", text), shadow_expire);
            assert_eq!(person.unreadable.is_some(), told > 0, "{text}");
            (person.expires, told)
        };
        assert_eq!(of("0"), (Some(date(1970, 1, 1)), 0));
        assert_eq!(of("20000"), (Some(date(2024, 10, 4)), 0));
        assert_eq!(of("-1"), (None, 0));
        assert_eq!(of(""), (None, 0));
        for absurd in
            ["-2", "99999999", "9223372036854775807", "-9223372036854775808", "1e9", "x", "99999x"]
        {
            assert_eq!(of(absurd), (None, 1), "{absurd}");
        }
        let mut two = with("shadowExpire", "20001");
        two.add("shadowExpire", [b"20000".to_vec()]);
        assert_eq!(told(&two, shadow_expire).0.expires, Some(date(2024, 10, 4)), "the first");
    }

    #[test]
    fn locked_passwords() {
        let locked = |entry: &Entry| {
            let mut person = Person::new("1", "ada");
            password_locked(entry, &mut person);
            person.locked.is_some()
        };
        let of = |text: &str| locked(&with("userPassword", text));
        for locked in ["{crypt}*LK*", "{CRYPT}*LK*", "{CRYPT}!", "{crypt}!$1$abc"] {
            assert!(of(locked), "{locked}");
        }
        for open in ["{crypt}*SSLRESET*", "{crypt}$6$x", "{SSHA}!", "", "!", "{crypt}*"] {
            assert!(!of(open), "{open}");
        }
        let mut two = with("userPassword", "{crypt}!");
        two.add("userPassword", [b"{SSHA}abc".to_vec()]);
        assert!(!locked(&two), "one password still works");
        assert!(!locked(&Entry::new("uid=ada")), "unreadable is not locked");
    }

    #[test]
    fn the_log_in_name_in_the_distinguished_name_is_meant() {
        let of = |dn: &str, names: &[&str]| {
            let mut entry = Entry::new(dn);
            entry.add("uid", names.iter().map(|name| name.as_bytes().to_vec()));
            let mut notes = Notes::new("uid");
            let login = login_name(&entry, "uid", &mut notes).map(|login| login.to_string());
            (login, notes.into_parts().0.len())
        };
        let both = ["anna.berg", "Anna.Dahl"];
        assert_eq!(of("uid=anna.dahl,ou=people", &both), (Ok("Anna.Dahl".to_owned()), 0));
        assert_eq!(of("uid=anna.berg,ou=people", &both), (Ok("anna.berg".to_owned()), 0));
        assert_eq!(of("cn=Anna,ou=people", &both).1, 1);
        assert_eq!(of("cn=Anna", &both).0, of("cn=Anna", &["Anna.Dahl", "anna.berg"]).0);
        assert!(of("uid=anna", &[]).0.is_err());
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
