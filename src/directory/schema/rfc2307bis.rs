//! RFC 2307bis: groups list their members by distinguished name, groups among them.
//!
//! `memberOf` on people counts only for groups that show no member themselves: where both are
//! there the group's word is the original, and `memberOf` a copy that may lag.

use crate::directory::distinguished_name::normalise;
use crate::directory::entry::Entry;
use crate::directory::filter::Filter;

use super::facts::{GroupFacts, PersonFacts};
use super::notes::Notes;
use super::{Defaults, rfc2307, values};

pub(super) const DEFAULTS: Defaults = Defaults {
    groups_base: "ou=groups",
    people_base: "ou=people",
    stable_id: "uidNumber",
    group_filter: || {
        Filter::classes(["groupOfNames", "groupOfMembers", "groupOfUniqueNames", "posixGroup"])
    },
    person_filter: || Filter::classes(["posixAccount"]),
    group_attributes: &["cn", "gidNumber", "member", "uniqueMember"],
    person_naming: "uid",
    person_attributes: &[
        "uid",
        "gidNumber",
        "memberOf",
        "shadowExpire",
        "userPassword",
        "displayName",
        "cn",
        "sn",
        "mail",
    ],
    group,
    person,
};

fn group(entry: &Entry, notes: &mut Notes) -> Option<GroupFacts> {
    let group = rfc2307::named_group(entry, "cn", notes)?;
    let members: Vec<String> = entry
        .texts("member")
        .map(normalise)
        .chain(entry.texts("uniqueMember").map(|name| normalise(without_identifier(name))))
        .collect();
    Some(GroupFacts {
        number: entry.text("gidNumber").and_then(values::number),
        shows_members: !members.is_empty(),
        members,
        key: Some(normalise(&entry.dn)),
        ..group
    })
}

fn person(entry: &Entry, stable_id: &str, notes: &mut Notes) -> Option<PersonFacts> {
    let facts = rfc2307::posix_person(entry, stable_id, notes)?;
    Some(PersonFacts {
        key: Some(normalise(&entry.dn)),
        member_of: entry.texts("memberOf").map(normalise).collect(),
        ..facts
    })
}

/// Name and Optional UID (RFC 4517): `cn=ada,dc=x#'0101'B`.
fn without_identifier(name: &str) -> &str {
    match name.rsplit_once('#') {
        Some((name, bits)) if bits.starts_with('\'') && bits.ends_with("'B") => name,
        _ => name,
    }
}
