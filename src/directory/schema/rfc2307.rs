//! RFC 2307: posixAccount, and posixGroup with `memberUid`.

use crate::directory::entry::Entry;
use crate::directory::filter::Filter;
use crate::model::Unclear;

use super::facts::{GroupFacts, PersonFacts};
use super::notes::Notes;
use super::{Defaults, Rules, values};

pub(super) const DEFAULTS: Defaults = Defaults {
    groups_base: "ou=groups",
    people_base: "ou=people",
    stable_id: "uidNumber",
    group_filter: || Filter::class("posixGroup"),
    person_filter: || Filter::class("posixAccount"),
    group_attributes: &["cn", "gidNumber", "memberUid"],
    person_naming: "uid",
    person_attributes: &PERSON_ATTRIBUTES,
    group,
    person,
};

/// The attributes of a posixAccount that say something here.
pub(super) const PERSON_ATTRIBUTES: [&str; 9] = [
    "uid",
    "uidNumber",
    "gidNumber",
    "shadowExpire",
    "userPassword",
    "displayName",
    "cn",
    "sn",
    "mail",
];

fn group(entry: &Entry, notes: &mut Notes) -> Option<GroupFacts> {
    named_group(entry, "cn", notes).map(|group| GroupFacts {
        number: entry.text("gidNumber").and_then(values::number),
        logins: entry.texts("memberUid").map(str::to_owned).collect(),
        shows_members: true,
        hidden: values::unreadable_members(entry, &["memberUid"]),
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
    Some(GroupFacts { dn: entry.dn.clone(), name: name.to_owned(), ..GroupFacts::default() })
}

fn person(entry: &Entry, rules: &Rules, notes: &mut Notes) -> Result<PersonFacts, Unclear> {
    posix_person(entry, rules, notes)
}

/// A posixAccount without the key by which groups know it.
pub(super) fn posix_person(
    entry: &Entry,
    rules: &Rules,
    notes: &mut Notes,
) -> Result<PersonFacts, Unclear> {
    let mut person = values::person(entry, rules, "uid", notes)?;
    values::shadow_expire(entry, &mut person, notes);
    values::password_locked(entry, &mut person);
    values::membership_shown(entry, &["gidNumber"], &mut person, notes);
    let is_other = |login: &&str| *login != person.login.as_str();
    Ok(PersonFacts {
        by_login: true,
        other_logins: entry.texts("uid").filter(is_other).map(str::to_owned).collect(),
        number: entry.text("uidNumber").and_then(values::number),
        primary: entry.text("gidNumber").and_then(values::number),
        ..PersonFacts::of(person)
    })
}
