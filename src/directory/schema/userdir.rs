//! Debian's `userdir-ldap`: membership is an attribute of the person.
//!
//! A person is in a group by `supplementaryGid`, by the primary `gidNumber`, or because a group
//! they are in names it as its `subGroup`. `name@host` holds on that host only and does not count.

use crate::directory::entry::Entry;
use crate::directory::filter::Filter;
use crate::model::{PersonKind, Unclear};

use super::facts::{GroupFacts, PersonFacts};
use super::notes::Notes;
use super::{Defaults, Rules, values};

pub(super) const DEFAULTS: Defaults = Defaults {
    groups_base: "ou=users",
    people_base: "ou=users",
    stable_id: "uidNumber",
    group_filter: || Filter::class("debianGroup"),
    person_filter: || Filter::classes(["debianAccount", "debianDeveloper", "debianRoleAccount"]),
    group_attributes: &["gid", "gidNumber", "subGroup"],
    person_naming: "uid",
    person_attributes: &[
        "objectClass",
        "uid",
        "gidNumber",
        "supplementaryGid",
        "accountStatus",
        "shadowExpire",
        "userPassword",
        "keyFingerPrint",
        "displayName",
        "cn",
        "mn",
        "sn",
        "mail",
    ],
    group,
    person,
};

fn group(entry: &Entry, notes: &mut Notes) -> Option<GroupFacts> {
    let Some(name) = entry.text("gid") else {
        notes.left_out("the group", entry, "it has no readable `gid`");
        return None;
    };
    if entry.texts("gid").count() > 1 {
        notes.warn(entry, format!("it has several `gid`; the first, {name}, counts"));
    }
    Some(GroupFacts {
        dn: entry.dn.clone(),
        name: name.to_owned(),
        number: entry.text("gidNumber").and_then(values::number),
        leads_to: entry.texts("subGroup").filter(|name| counts(name)).map(str::to_owned).collect(),
        shows_members: true,
        hidden: values::unreadable_members(entry, &["subGroup"]),
        ..GroupFacts::default()
    })
}

fn person(entry: &Entry, rules: &Rules, notes: &mut Notes) -> Result<PersonFacts, Unclear> {
    let mut person = values::person(entry, rules, "uid", notes)?;
    values::status(entry, rules, &mut person, notes);
    values::shadow_expire(entry, &mut person, notes);
    values::password_locked(entry, &mut person);
    values::membership_shown(entry, &["supplementaryGid", "gidNumber"], &mut person, notes);
    person.has_key = Some(entry.text("keyFingerPrint").is_some());
    let named: Vec<String> =
        entry.texts("supplementaryGid").filter(|name| counts(name)).map(str::to_owned).collect();
    person.kind = if entry.has_class("debianRoleAccount") {
        PersonKind::RoleAccount
    } else if named.iter().any(|name| name.eq_ignore_ascii_case("guest")) {
        if person.expires.is_none() {
            notes.warn(entry, "a guest without `shadowExpire`: nothing ends the visit");
        }
        PersonKind::Guest
    } else {
        PersonKind::Person
    };
    let primary = entry.text("gidNumber").and_then(values::number);
    Ok(PersonFacts { named, primary, ..PersonFacts::of(person) })
}

/// `name@host` holds on that host only.
fn counts(name: &str) -> bool {
    !name.contains('@')
}
