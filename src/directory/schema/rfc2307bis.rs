//! RFC 2307bis: groups list their members by distinguished name, groups among them.
//!
//! `memberOf` on people counts only for groups that show no member themselves: where both are
//! there the group's word is the original, and `memberOf` a copy that may lag. `memberUid` beside
//! `member` counts as well, as it does for the operating system; that they differ is told.

use crate::directory::distinguished_name::normalise;
use crate::directory::entry::Entry;
use crate::directory::filter::Filter;
use crate::model::Unclear;

use super::facts::{GroupFacts, PersonFacts};
use super::notes::Notes;
use super::{Defaults, Rules, rfc2307, values};

pub(super) const DEFAULTS: Defaults = Defaults {
    groups_base: "ou=groups",
    people_base: "ou=people",
    stable_id: "uidNumber",
    group_filter: || {
        Filter::classes(["groupOfNames", "groupOfMembers", "groupOfUniqueNames", "posixGroup"])
    },
    person_filter: || Filter::classes(["posixAccount"]),
    group_attributes: &["cn", "gidNumber", "member", "uniqueMember", "memberUid", "objectClass"],
    person_naming: "uid",
    person_attributes: &[
        "uid",
        "uidNumber",
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
    let logins: Vec<String> = entry.texts("memberUid").map(str::to_owned).collect();
    Some(GroupFacts {
        lacks_members: members.is_empty().then(|| mandatory(entry)).flatten(),
        hidden: values::unreadable_members(entry, &["member", "uniqueMember", "memberUid"]),
        number: entry.text("gidNumber").and_then(values::number),
        shows_members: !members.is_empty(),
        members,
        logins,
        key: Some(normalise(&entry.dn)),
        ..group
    })
}

/// The class for which the standard makes members mandatory (RFC 4519, sections 3.5 and 3.6).
/// `FreeIPA` empties such groups all the same: its server's schema lets it.
fn mandatory(entry: &Entry) -> Option<&'static str> {
    if entry.has_class("ipaUserGroup") || entry.has_class("nestedGroup") {
        return None;
    }
    ["groupOfNames", "groupOfUniqueNames"].into_iter().find(|class| entry.has_class(class))
}

fn person(entry: &Entry, rules: &Rules, notes: &mut Notes) -> Result<PersonFacts, Unclear> {
    let mut facts = rfc2307::posix_person(entry, rules, notes)?;
    values::membership_shown(entry, &["memberOf"], &mut facts.person, notes);
    Ok(PersonFacts {
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
