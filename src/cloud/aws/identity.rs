//! The mark on objects of ours, and whose an object is.
//!
//! Users and roles carry it as tags; groups cannot be tagged, their path is the mark. Texts that
//! do not fit a tag or a path are written with `=XX` for each byte that does not.

use std::fmt::Write as _;

use aws_sdk_iam::error::BuildError;
use aws_sdk_iam::types::Tag;

use super::config::{ORGANISATION_TAG, SUBJECT_TAG};
use crate::model::{Mark, OrganisationName, Ownership, Subject};

/// What all paths of ours begin with.
pub const ROOT: &str = "/reconcile/";

/// An object's kind as far as marks differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// Path and tags, both: the path is what the trust of roles goes by.
    User,
    /// Tags alone: the path of a role or an identity provider cannot be changed once it is there.
    Tagged,
}

/// Whose a user, a role or an identity provider is: the one rule, on its path and tags alone.
///
/// Ours, if [`ORGANISATION_TAG`] is the organisation's name, [`SUBJECT_TAG`] says whom it stands
/// for and, for a user, its path is the organisation's. Unmarked, if it has none of these. Damaged,
/// if it has some of them and nothing of anybody else's: an adoption was interrupted, or somebody
/// moved it, took a tag off or wrote something into one. Otherwise somebody else's.
pub fn ownership(
    kind: Marked,
    path: &str,
    tags: &[Tag],
    organisation: &OrganisationName,
) -> Ownership {
    let tag = |key: &str| tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str());
    let path_of_ours = path == path_of(organisation);
    let says_path = kind == Marked::User && path.starts_with(ROOT);
    let damaged = |why: &str, subject: Option<Subject>| Ownership::Damaged {
        why: format!("{why}, path {path}"),
        subject,
    };
    match (tag(ORGANISATION_TAG), tag(SUBJECT_TAG)) {
        (None, None) if kind == Marked::User && path_of_ours => damaged("no tags", None),
        (None, None) if says_path => Ownership::Theirs(format!("path {path} (without tags)")),
        (None, None) => Ownership::Unmarked,
        (Some(found), Some(subject)) if found == organisation_tag(organisation) => {
            match subject_of(subject, in_tag) {
                Some(subject) if kind == Marked::Tagged || path_of_ours => Ownership::Ours(subject),
                Some(subject) if !says_path => damaged("tags, but another path", Some(subject)),
                None if path_of_ours || !says_path => damaged("an unreadable subject", None),
                Some(_) | None => Ownership::Theirs(format!("{found} (tags, but path {path})")),
            }
        }
        (Some(found), None)
            if found == organisation_tag(organisation) && (path_of_ours || !says_path) =>
        {
            damaged("no tag for whom it stands", None)
        }
        (None, Some(subject)) if kind == Marked::Tagged || path_of_ours => {
            match subject_of(subject, in_tag) {
                Some(subject) => damaged("no tag of the organisation", Some(subject)),
                None => Ownership::Theirs(format!("no organisation, subject {subject}")),
            }
        }
        (Some(found), None) => Ownership::Theirs(format!("{found} (without a subject)")),
        (Some(found), Some(_)) => Ownership::Theirs(found.to_owned()),
        (None, Some(subject)) => Ownership::Theirs(format!("no organisation, subject {subject}")),
    }
}

/// Whose a group is: the one rule, on its path alone.
///
/// Ours, if its path is `/reconcile/<organisation>/<subject>/` with our organisation; unmarked, if
/// it does not begin with `/reconcile/`; otherwise somebody else's.
pub fn group_ownership(path: &str, organisation: &OrganisationName) -> Ownership {
    let Some(mark) = path.strip_prefix(ROOT) else { return Ownership::Unmarked };
    let theirs = || Ownership::Theirs(format!("path {path}"));
    let mut parts = mark.split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(found), Some(subject), Some(""), None)
            if found == escape(organisation.as_str(), in_path) =>
        {
            subject_of(subject, in_path).map_or_else(theirs, Ownership::Ours)
        }
        _ => theirs(),
    }
}

/// The path of what is an organisation's, groups excepted.
pub fn path_of(organisation: &OrganisationName) -> String {
    format!("{ROOT}{}/", escape(organisation.as_str(), in_path))
}

/// The path of a group, which is its mark.
pub fn group_path(organisation: &OrganisationName, subject: &Subject) -> String {
    format!("{}{}/", path_of(organisation), escape(&subject.to_string(), in_path))
}

/// What the tag of an organisation says.
pub fn organisation_tag(organisation: &OrganisationName) -> String {
    escape(organisation.as_str(), in_tag)
}

/// The tags that make an object ours.
///
/// # Errors
/// None; the SDK's way of making a tag has one.
pub fn tags(mark: &Mark) -> Result<Vec<Tag>, BuildError> {
    Ok(vec![
        tag(ORGANISATION_TAG, mark.organisation.as_str())?,
        tag(SUBJECT_TAG, &mark.subject.to_string())?,
    ])
}

fn tag(key: &str, value: &str) -> Result<Tag, BuildError> {
    Tag::builder().key(key).value(escape(value, in_tag)).build()
}

/// Of what a tag's value may hold (letters, digits, spaces and `_.:/=+-@`), what is in ASCII and
/// not needed for escaping.
fn in_tag(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" _.:/+-@".contains(&byte)
}

/// Of what a path may hold (visible ASCII), what means nothing in an ARN or a policy.
fn in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.:+-@,".contains(&byte)
}

fn escape(text: &str, allowed: fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if allowed(byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(escaped, "={byte:02X}");
        }
    }
    escaped
}

/// Whom a mark says an object stands for, if it is spelt as this program spells it: with two
/// spellings of one subject, two objects could stand for it.
fn subject_of(written: &str, allowed: fn(u8) -> bool) -> Option<Subject> {
    let subject: Subject = unescape(written).parse().ok()?;
    (escape(&subject.to_string(), allowed) == written).then_some(subject)
}

/// The text that was escaped; one that was not made by [`escape`] stays as it is where it cannot
/// be read.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'=')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = code {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [(&str, &str); 2] =
        [(ORGANISATION_TAG, "spi"), (SUBJECT_TAG, "person:debian:2345")];

    fn of(kind: Marked, path: &str, tags: &[(&str, &str)]) -> Ownership {
        let tags: Vec<Tag> = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(*key).value(*value).build().unwrap())
            .collect();
        ownership(kind, path, &tags, &"spi".into())
    }

    #[test]
    fn only_a_whole_mark_of_the_same_organisation_makes_an_object_ours() {
        let ours = Ownership::Ours("person:debian:2345".parse().unwrap());
        assert_eq!(of(Marked::User, "/reconcile/spi/", &OURS), ours);
        assert_eq!(of(Marked::Tagged, "/", &OURS), ours);
        assert_eq!(of(Marked::Tagged, "/any/", &[OURS[1], OURS[0], ("colour", "red")]), ours);
        assert_eq!(of(Marked::User, "/", &[]), Ownership::Unmarked);
        assert_eq!(of(Marked::Tagged, "/reconcile/spi/", &[]), Ownership::Unmarked);
        let damaged = |path: &str, tags: &[(&str, &str)]| match of(Marked::User, path, tags) {
            Ownership::Damaged { subject, .. } => subject.map(|subject| subject.to_string()),
            other => panic!("{path} {tags:?}: {other:?}"),
        };
        let whose = Some(OURS[1].1.to_owned());
        assert_eq!(damaged("/", &OURS), whose);
        assert_eq!(damaged("/elsewhere/", &OURS), whose);
        assert_eq!(damaged("/reconcile/spi/", &OURS[1..]), whose);
        assert_eq!(damaged("/reconcile/spi/", &OURS[..1]), None);
        assert_eq!(damaged("/reconcile/spi/", &[]), None);
        assert_eq!(damaged("/reconcile/spi/", &[OURS[0], (SUBJECT_TAG, "")]), None);
        let unknown = [OURS[0], (SUBJECT_TAG, "planet:debian:1")];
        assert_eq!(damaged("/reconcile/spi/", &unknown), None);
        assert_eq!(damaged("/", &unknown), None);
        let of_role = of(Marked::Tagged, "/", &OURS[1..]);
        assert!(matches!(of_role, Ownership::Damaged { subject: Some(_), .. }), "{of_role:?}");
        for (path, tags) in [
            ("/reconcile/", &OURS[..]),
            ("/reconcile/others/", &OURS),
            ("/reconcile/spi/more/", &OURS),
            ("/", &OURS[1..]),
            ("/reconcile/others/", &unknown),
            ("/reconcile/spi/", &[(ORGANISATION_TAG, "SPI"), OURS[1]]),
            ("/reconcile/spi/", &[(ORGANISATION_TAG, ""), OURS[1]]),
        ] {
            let found = of(Marked::User, path, tags);
            assert!(matches!(found, Ownership::Theirs(_)), "{path} {tags:?}: {found:?}");
        }
    }

    #[test]
    fn the_path_of_a_group_is_its_mark() {
        let spi: OrganisationName = "spi".into();
        let of = |path: &str| group_ownership(path, &spi);
        let ours = Ownership::Ours("group:debian:admin".parse().unwrap());
        assert_eq!(of("/reconcile/spi/group:debian:admin/"), ours);
        for path in ["/", "/people/", "/Reconcile/spi/group:debian:admin/"] {
            assert_eq!(of(path), Ownership::Unmarked, "{path}");
        }
        for path in [
            "/reconcile/",
            "/reconcile/spi/",
            "/reconcile/others/group:debian:admin/",
            "/reconcile/spi/planet:debian:admin/",
            "/reconcile/spi/group:debian:admin/more/",
        ] {
            assert!(matches!(of(path), Ownership::Theirs(_)), "{path}");
        }
    }

    #[test]
    fn any_text_survives_tags_and_paths() {
        let organisation: OrganisationName = "a/b=2F *é".into();
        let subject = Subject::Person { directory: "d".into(), stable_id: "ü=x/*? \"".into() };
        let mark = Mark { organisation: organisation.clone(), subject: subject.clone() };
        let tags = tags(&mark).unwrap();
        let path = path_of(&organisation);
        let found = ownership(Marked::User, &path, &tags, &organisation);
        assert_eq!(found, Ownership::Ours(subject));
        let group: Subject = "group:d:gr/u ß".parse().unwrap();
        let path = group_path(&organisation, &group);
        assert_eq!(group_ownership(&path, &organisation), Ownership::Ours(group));
        for text in [path, tags[0].value.clone(), tags[1].value.clone()] {
            assert!(text.is_ascii() && !text.contains(['*', '?']), "{text}");
        }
        assert_eq!(unescape("a=zz=4"), "a=zz=4");
    }
}
