//! Rights that go by us: our users in groups of somebody else or with roles of somebody else, and our
//! groups in accounts that nobody named. Said, and left alone: none of them is ours.

use std::collections::{BTreeMap, HashMap};

use super::drafts::Drafts;
use super::hub::Hub;
use super::matching::Match;
use crate::diagnostic::Finding;
use crate::model::{ForeignAssigned, HolderKind, ObjectName, VendorId};

/// Says in which foreign groups with rights users of ours are, who stay.
pub(super) fn memberships(hub: &Hub<'_>, drafts: &mut Drafts) {
    let mut members: BTreeMap<(&ObjectName, &VendorId), Vec<&ObjectName>> = BTreeMap::new();
    for (group, user) in hub.pairs.in_foreign_groups() {
        let group = &hub.seen.groups[group];
        let user = &hub.seen.users[user].spec.name;
        members.entry((&group.spec.name, &group.id)).or_default().push(user);
    }
    for ((name, id), mut users) in members {
        let Some(rights) = rights(hub, id) else { continue };
        users.sort_unstable();
        let who = match users.len() - 1 {
            0 => format!("our user `{}` is", users[0]),
            more => format!("our user `{}` and {more} more are", users[0]),
        };
        let message = format!("{who} in group `{name}`, which is not ours{rights}");
        drafts.find(
            Finding::warning("foreign-membership", message).in_place(&hub.place).hint(
                "what it gives, no line of the inventory asks for; who leaves, leaves it, too",
            ),
        );
    }
}

/// So many of a foreign group's rights, or of accounts, are named.
const MOST: usize = 3;

/// What a foreign group gives; `None` if nothing.
fn rights(hub: &Hub<'_>, group: &VendorId) -> Option<String> {
    let is_it = |kind, holder: &VendorId| kind == HolderKind::Group && holder == group;
    let mut attachments = hub.seen.attachments.iter();
    if attachments.any(|one| is_it(one.holder_kind, &one.holder)) || hub.bound.contains(group) {
        return Some(" and has rights of its own".to_owned());
    }
    match hub.seen.foreign_rights.get(group)? {
        None => Some("; what it may do could not be read".to_owned()),
        Some(rights) => {
            let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
            (!rights.is_empty()).then(|| format!(" and has {}", first_of(&rights, MOST)))
        }
    }
}

/// Says which roles of somebody else users of ours have directly, who stay, and what of that could
/// not be seen.
pub(super) fn assignments(hub: &Hub<'_>, drafts: &mut Drafts) {
    let ForeignAssigned { assigned, unread, beyond } = &hub.seen.foreign_assigned;
    if assigned.is_empty() && unread.is_empty() && beyond.is_empty() {
        return;
    }
    let roles: HashMap<&VendorId, &ObjectName> =
        hub.seen.roles.iter().map(|role| (&role.id, &role.spec.name)).collect();
    let users: HashMap<&VendorId, usize> =
        hub.seen.users.iter().enumerate().map(|(at, user)| (&user.id, at)).collect();
    let mut accounts: BTreeMap<(&ObjectName, &ObjectName), Vec<&str>> = BTreeMap::new();
    for one in assigned {
        let (Some(role), Some(&at)) = (roles.get(&one.role), users.get(&one.holder)) else {
            continue;
        };
        // From who goes it is taken with the credentials.
        if hub.users.of_observed[at] == Match::Foreign || hub.goes(at) {
            continue;
        }
        let user = &hub.seen.users[at].spec.name;
        accounts.entry((role, user)).or_default().push(&one.account);
    }
    for ((role, user), accounts) in accounts {
        let where_ = first_of(&accounts, MOST);
        let some = if accounts.len() == 1 { "account" } else { "accounts" };
        let message = format!(
            "our user `{user}` has role `{role}`, which is not ours, by hand in {some} {where_}"
        );
        let hint =
            "what it gives, no line of the inventory asks for; when they leave it is taken off";
        drafts
            .find(Finding::warning("foreign-assignment", message).in_place(&hub.place).hint(hint));
    }
    unseen(hub, &roles, drafts);
}

/// Says what of such assignments could not be seen. Nothing waits for it, as nothing rests on it.
fn unseen(hub: &Hub<'_>, roles: &HashMap<&VendorId, &ObjectName>, drafts: &mut Drafts) {
    let ForeignAssigned { unread, beyond, .. } = &hub.seen.foreign_assigned;
    let mut said = |what: String, hint: &str| {
        let message =
            format!("what roles that are not ours give to users of ours directly: {what}");
        let finding = Finding::warning("foreign-assignments-unseen", message);
        drafts.find(finding.in_place(&hub.place).hint(hint));
    };
    if let [first, rest @ ..] = &unread[..] {
        let more = match rest.len() {
            0 => String::new(),
            1 => "; and 1 more list was not read".to_owned(),
            more => format!("; and {more} more lists were not read"),
        };
        let hint =
            "nothing waits for it; `reconcile permissions` says what the program must be allowed";
        said(format!("{first}{more}"), hint);
    }
    if !beyond.is_empty() {
        let each = beyond.iter().map(|(id, many)| {
            let name = roles.get(id).map_or_else(|| id.to_string(), ToString::to_string);
            let some = if *many == 1 { "account" } else { "accounts" };
            format!("`{name}` in {many} {some}")
        });
        let each: Vec<String> = each.collect();
        let what = format!("too many to look at all; left out are {}", first_of(&each, MOST));
        said(
            what,
            "look at these in the console; whoever leaves loses what they give all the same",
        );
    }
}

/// The first of many, and how many more there are.
fn first_of<T: AsRef<str>>(all: &[T], most: usize) -> String {
    let first: Vec<&str> = all.iter().take(most).map(AsRef::as_ref).collect();
    let more = all.len() - first.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// Says in which accounts beside those of the inventory groups of ours have roles.
pub(super) fn accounts(hub: &Hub<'_>, drafts: &mut Drafts) {
    for (account, roles) in &hub.seen.assigned_in {
        if hub.accounts.contains(account.as_str()) {
            continue;
        }
        let some = if *roles == 1 { "a role".to_owned() } else { format!("{roles} roles") };
        let message =
            format!("groups of ours have {some} in account {account}, which is none of this hub's");
        drafts.find(
            Finding::warning("assigned-elsewhere", message)
                .in_place(&hub.place)
                .hint("name the account in the inventory, or take the assignments off by hand"),
        );
    }
}

/// Whether a membership is one of somebody of ours, who stays, in a group of somebody else.
pub(super) fn is_one(group: Match, user: Option<Match>) -> bool {
    group == Match::Foreign && matches!(user, Some(Match::Wanted(_)))
}
