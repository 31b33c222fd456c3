//! Rights that go by us: our users in groups of somebody else, and our groups in accounts that
//! nobody named. Said, and left alone: neither is ours.

use std::collections::BTreeMap;

use super::drafts::Drafts;
use super::hub::Hub;
use super::matching::Match;
use crate::diagnostic::Finding;
use crate::model::{HolderKind, ObjectName, VendorId};

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

/// So many of a foreign group's rights are named.
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
            let first: Vec<&str> = rights.iter().take(MOST).map(String::as_str).collect();
            let more = rights.len() - first.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            (!first.is_empty()).then(|| format!(" and has {}{more}", first.join(", ")))
        }
    }
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
