//! RFC 2307: posixAccount, and posixGroup with `memberUid`.

use crate::directory::entry::Entry;
use crate::directory::filter::Filter;

use super::facts::{GroupFacts, PersonFacts};
use super::notes::Notes;
use super::{Defaults, values};

pub(super) const DEFAULTS: Defaults = Defaults {
    groups_base: "ou=groups",
    people_base: "ou=people",
    stable_id: "uidNumber",
    group_filter: || Filter::Class("posixGroup"),
    person_filter: || Filter::Class("posixAccount"),
    group_attributes: &["cn", "gidNumber", "memberUid"],
    person_naming: "uid",
    person_attributes: &PERSON_ATTRIBUTES,
    group,
    person,
};

/// The attributes of a posixAccount that say something here.
pub(super) const PERSON_ATTRIBUTES: [&str; 8] =
    ["uid", "gidNumber", "shadowExpire", "userPassword", "displayName", "cn", "sn", "mail"];

fn group(entry: &Entry, notes: &mut Notes) -> Option<GroupFacts> {
    named_group(entry, "cn", notes).map(|group| GroupFacts {
        number: entry.text("gidNumber").and_then(values::number),
        members: entry.texts("memberUid").map(str::to_owned).collect(),
        shows_members: true,
        ..group
    })
}

/// A group with its name; `None` and a note without one.
pub(super) fn named_group(entry: &Entry, attribute: &str, notes: &mut Notes) -> Option<GroupFacts> {
    let Some(name) = entry.text(attribute) else {
        notes.left_out("the group", entry, &format!("it has no readable `{attribute}`"));
        return None;
    };
    if entry.texts(attribute).count() > 1 {
        notes.warn(entry, format!("it has several `{attribute}`; the first, {name}, counts"));
    }
    Some(GroupFacts { name: name.to_owned(), ..GroupFacts::default() })
}

fn person(entry: &Entry, stable_id: &str, notes: &mut Notes) -> Option<PersonFacts> {
    let facts = posix_person(entry, stable_id, notes)?;
    Some(PersonFacts { key: Some(facts.person.login.as_str().to_owned()), ..facts })
}

/// A posixAccount without the key by which groups know it.
pub(super) fn posix_person(
    entry: &Entry,
    stable_id: &str,
    notes: &mut Notes,
) -> Option<PersonFacts> {
    let mut person = values::person(entry, stable_id, "uid", notes)?;
    person.expires = values::shadow_expire(entry, notes);
    person.password_locked = values::password_locked(entry);
    Some(PersonFacts {
        person,
        key: None,
        named: Vec::new(),
        member_of: Vec::new(),
        primary: entry.text("gidNumber").and_then(values::number),
    })
}
