//! The mark on users, groups and permission sets, and whose an object is.
//!
//! - A user carries it in `UserType`: `reconcile:<organisation>:<subject>`, followed by
//!   `;suspended=YYYY-MM-DD` while the user is suspended. It is free text of up to 1,024
//!   characters that `CreateUser` and `UpdateUser` (path `userType`) both write, is not shown in
//!   the access portal, and is sent to applications only where somebody maps it on purpose.
//! - A group can hold nothing else of ours than its description (up to 1,024 characters), so that
//!   ends with `[reconcile:<organisation>:<subject>]`.
//! - Permission sets have tags: the same as roles of IAM.

use std::fmt::Write as _;

use jiff::civil::Date;

use crate::cloud::aws::config::{ORGANISATION_TAG, SUBJECT_TAG};
use crate::model::{OrganisationName, Ownership, Subject};

const PREFIX: &str = "reconcile:";
const SUSPENDED: &str = ";suspended=";

/// What an object says about whose it is, wherever it says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing.
    Nothing,
    /// A mark: organisation and subject, as written.
    Mark(String, String),
    /// A part of a mark: the organisation and the subject as far as they are there, and what is
    /// wrong with it.
    Part(Option<String>, Option<String>, String),
}

/// Whose an object is: the one rule.
///
/// What another source of identities (SCIM, a directory) put there is never ours, whatever it
/// carries: that source would undo every change, and may have copied our mark. Of the others, ours
/// if the mark has our organisation's name and a subject that can be read; unmarked if there is
/// nothing; damaged if it has a part of that and no other organisation's name; otherwise somebody
/// else's.
pub fn ownership(written: &Written, external: bool, organisation: &OrganisationName) -> Ownership {
    if external {
        return Ownership::Theirs("comes from another source of identities".to_owned());
    }
    match written {
        Written::Nothing => Ownership::Unmarked,
        Written::Part(Some(found), subject, why) if is_written(organisation, found) => {
            let subject = subject.as_deref().and_then(subject_of);
            Ownership::Damaged { why: why.clone(), subject }
        }
        Written::Part(None, Some(subject), why) if let Some(subject) = subject_of(subject) => {
            Ownership::Damaged { why: why.clone(), subject: Some(subject) }
        }
        Written::Part(_, _, why) => Ownership::Theirs(why.clone()),
        Written::Mark(found, subject) if is_written(organisation, found) => subject_of(subject)
            .map_or_else(
                || {
                    let why = format!("subject {subject:?} is not readable");
                    Ownership::Damaged { why, subject: None }
                },
                Ownership::Ours,
            ),
        Written::Mark(found, _) => Ownership::Theirs(found.clone()),
    }
}

/// The mark as one text.
fn text(organisation: &OrganisationName, subject: &Subject) -> String {
    format!("{PREFIX}{}:{}", in_text(organisation), escape(&subject.to_string()))
}

/// An organisation's name in a text, where the first `:` ends it.
fn in_text(organisation: &OrganisationName) -> String {
    escape(organisation.as_str()).replace(':', "=3A")
}

/// Whether a mark, of a text or of tags, names the organisation, in the spelling of this program.
fn is_written(organisation: &OrganisationName, found: &str) -> bool {
    found == in_text(organisation) || found == escape(organisation.as_str())
}

/// Whom a mark stands for, if it is spelt as this program spells it: with two spellings of one
/// subject, two objects could stand for it.
fn subject_of(written: &str) -> Option<Subject> {
    let subject: Subject = unescape(written).parse().ok()?;
    (escape(&subject.to_string()) == written).then_some(subject)
}

fn parse(mark: &str) -> Option<Written> {
    let (organisation, subject) = mark.strip_prefix(PREFIX)?.split_once(':')?;
    Some(Written::Mark(organisation.to_owned(), subject.to_owned()))
}

/// The `UserType` of a user of ours.
pub fn user_type(
    organisation: &OrganisationName,
    subject: &Subject,
    suspended: Option<Date>,
) -> String {
    let mark = text(organisation, subject);
    suspended.map_or_else(|| mark.clone(), |day| format!("{mark}{SUSPENDED}{day}"))
}

/// What a `UserType` says: whose the user is, and the day it was suspended (as written).
pub fn of_user_type(user_type: Option<&str>) -> (Written, Option<&str>) {
    let Some(user_type) = user_type.filter(|text| text.starts_with(PREFIX)) else {
        return (Written::Nothing, None);
    };
    let (mark, day) = match user_type.split_once(SUSPENDED) {
        Some((mark, day)) => (mark, Some(day)),
        None => (user_type, None),
    };
    let written = if mark.contains(';') { None } else { parse(mark) };
    (written.unwrap_or_else(|| part(mark, format!("it says {user_type:?}"))), day)
}

/// What is left of a mark in a text that begins like one.
fn part(text: &str, why: String) -> Written {
    let rest = text.strip_prefix(PREFIX).unwrap_or_default();
    let end = rest.find([':', ';', ']', ' ']).unwrap_or(rest.len());
    Written::Part(Some(rest[..end].to_owned()), None, why)
}

/// The description of a group of ours: what it said before, and the mark.
pub fn description(before: &str, organisation: &OrganisationName, subject: &Subject) -> String {
    format!("{} [{}]", before.trim_end(), text(organisation, subject)).trim_start().to_owned()
}

/// What the description of a group says about whose it is.
pub fn of_description(description: Option<&str>) -> Written {
    let description = description.unwrap_or_default().trim_end();
    let Some(begin) = description.rfind("[reconcile:") else { return Written::Nothing };
    let rest = &description[begin + 1..];
    let mark = rest.strip_suffix(']').filter(|mark| !mark.contains([']', ' ']));
    mark.and_then(parse).unwrap_or_else(|| {
        part(rest, "its mark is damaged or not at the end of the description".to_owned())
    })
}

/// A description without what is left of a mark in it.
pub fn without_mark(description: &str) -> String {
    let Some(begin) = description.rfind("[reconcile:") else { return description.to_owned() };
    let rest = &description[begin..];
    let end = rest.find(']').map_or(rest.len(), |end| end + 1);
    format!("{}{}", description[..begin].trim_end(), &rest[end..])
}

/// The tags of a permission set of ours.
pub fn tags(organisation: &OrganisationName, subject: &Subject) -> [(&'static str, String); 2] {
    [(ORGANISATION_TAG, escape(organisation.as_str())), (SUBJECT_TAG, escape(&subject.to_string()))]
}

/// What the tags of a permission set say about whose it is.
pub fn of_tags<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Written {
    let (mut organisation, mut subject) = (None, None);
    for (key, value) in tags {
        match key {
            ORGANISATION_TAG => organisation = Some(value.to_owned()),
            SUBJECT_TAG => subject = Some(value.to_owned()),
            _ => {}
        }
    }
    match (organisation, subject) {
        (None, None) => Written::Nothing,
        (Some(organisation), Some(subject)) => Written::Mark(organisation, subject),
        (Some(found), None) => {
            let why = format!("{found} (without a subject)");
            Written::Part(Some(found), None, why)
        }
        (None, Some(subject)) => {
            let why = format!("no organisation, subject {subject}");
            Written::Part(None, Some(subject), why)
        }
    }
}

/// Letters, digits and `_.:/+-@` stay, every other byte becomes `=XX`: fits tags and means nothing
/// in a mark.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.:/+-@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(escaped, "={byte:02X}");
        }
    }
    escaped
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let code = rest
            .strip_prefix('=')
            .and_then(|after| after.get(..2))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let length = if let Some(byte) = code {
            bytes.push(byte);
            3
        } else {
            let length = character.len_utf8();
            bytes.extend_from_slice(&rest.as_bytes()[..length]);
            length
        };
        rest = &rest[length..];
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn spi() -> OrganisationName {
        "spi".into()
    }

    fn anna() -> Subject {
        "person:debian:2345".parse().unwrap()
    }

    #[test]
    fn a_user_type_is_read_as_it_was_written() {
        for day in [None, Some(date(2026, 3, 9))] {
            let text = user_type(&spi(), &anna(), day);
            let (written, found) = of_user_type(Some(&text));
            assert_eq!(ownership(&written, false, &spi()), Ownership::Ours(anna()));
            assert_eq!(found.map(|day| day.parse().unwrap()), day);
        }
        let strange = Subject::Person { directory: "d".into(), stable_id: ";s=é]x:y[ ".into() };
        let text = user_type(&"a:b;c".into(), &strange, Some(date(2026, 3, 9)));
        let (written, _) = of_user_type(Some(&text));
        assert_eq!(ownership(&written, false, &"a:b;c".into()), Ownership::Ours(strange));
    }

    #[test]
    fn only_a_whole_mark_of_the_same_organisation_makes_a_user_ours() {
        let of = |text: Option<&str>| ownership(&of_user_type(text).0, false, &spi());
        assert_eq!(of(Some("reconcile:spi:person:debian:2345")), Ownership::Ours(anna()));
        for unmarked in [None, Some(""), Some("Employee"), Some("Reconcile:spi:role:x")] {
            assert_eq!(of(unmarked), Ownership::Unmarked, "{unmarked:?}");
        }
        for damaged in [
            "reconcile:spi",
            "reconcile:spi:",
            "reconcile:spi:planet:x:y",
            "reconcile:spi:person:debian:2345;x",
            "reconcile:spi:person:debian:2345;x;suspended=2026-03-09",
        ] {
            let found = of(Some(damaged));
            assert!(matches!(found, Ownership::Damaged { subject: None, .. }), "{damaged}");
        }
        for theirs in [
            "reconcile:",
            "reconcile:SPI:person:debian:2345",
            "reconcile:others:person:debian:2345",
            "reconcile:others:person:debian:2345;x",
        ] {
            assert!(matches!(of(Some(theirs)), Ownership::Theirs(_)), "{theirs}");
        }
    }

    #[test]
    fn what_another_source_keeps_is_never_ours() {
        let (written, _) = of_user_type(Some("reconcile:spi:person:debian:2345"));
        for written in [written, Written::Nothing] {
            assert_eq!(
                ownership(&written, true, &spi()),
                Ownership::Theirs("comes from another source of identities".into())
            );
        }
    }

    #[test]
    fn the_mark_of_a_group_ends_its_description() {
        let group: Subject = "group:debian:admin".parse().unwrap();
        for before in ["", "Those who [may] all  "] {
            let text = description(before, &spi(), &group);
            assert!(text.starts_with(before.trim_end()), "{text}");
            let found = ownership(&of_description(Some(&text)), false, &spi());
            assert_eq!(found, Ownership::Ours(group.clone()));
        }
        let of = |text| ownership(&of_description(text), false, &spi());
        for unmarked in [None, Some(""), Some("[it] reconcile:spi:group:debian:admin")] {
            assert_eq!(of(unmarked), Ownership::Unmarked, "{unmarked:?}");
        }
        for damaged in [
            "[reconcile:spi:group:debian:admin] and more",
            "[reconcile:spi]",
            "[reconcile:spi:group:debian:admin",
        ] {
            assert!(matches!(of(Some(damaged)), Ownership::Damaged { .. }), "{damaged}");
        }
        for theirs in ["[reconcile:others:group:debian:admin]", "[reconcile:others]"] {
            assert!(matches!(of(Some(theirs)), Ownership::Theirs(_)), "{theirs}");
        }
    }

    #[test]
    fn tags_are_a_mark_only_together() {
        let role: Subject = "role:operator".parse().unwrap();
        let tags = tags(&spi(), &role);
        let of = |tags: &[(&str, &str)]| ownership(&of_tags(tags.to_vec()), false, &spi());
        let all = [(tags[0].0, &*tags[0].1), (tags[1].0, &*tags[1].1), ("colour", "red")];
        assert_eq!(of(&all), Ownership::Ours(role.clone()));
        assert_eq!(of(&all[2..]), Ownership::Unmarked);
        assert!(matches!(of(&all[..1]), Ownership::Damaged { subject: None, .. }));
        let found = of(&all[1..]);
        assert!(matches!(found, Ownership::Damaged { subject: Some(found), .. } if found == role));
        assert!(matches!(of(&[(all[0].0, "others")]), Ownership::Theirs(_)));
    }
}
