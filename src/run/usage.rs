//! How much of its quotas an account uses.

use std::collections::{BTreeMap, HashMap};

use super::gather::Gathered;
use crate::guard::Usage;
use crate::model::{
    HolderKind, ObservedAccount, Ownership, Place, Quota, Reading, Subject, VendorId,
};

/// What every account that tells its quotas allows and uses.
pub(super) fn of(gathered: &Gathered) -> BTreeMap<Place, Usage> {
    let accounts = &gathered.observations.accounts;
    accounts
        .iter()
        .filter(|(_, reading)| !reading.got().quotas.is_empty())
        .map(|(place, reading)| {
            let below = gathered.desired.accounts.iter().filter(|(_, one)| one.hub == *place);
            let below = below.filter_map(|(place, _)| accounts.get(place)).map(Reading::got);
            (place.clone(), usage(reading.got(), below))
        })
        .collect()
}

fn usage<'a>(seen: &ObservedAccount, below: impl Iterator<Item = &'a ObservedAccount>) -> Usage {
    let mut per_object: BTreeMap<Quota, HashMap<VendorId, u64>> = BTreeMap::new();
    let mut add = |quota, id: &VendorId, amount: usize| {
        *per_object.entry(quota).or_default().entry(id.clone()).or_default() += amount as u64;
    };
    for membership in &seen.memberships {
        add(Quota::GroupsPerUser, &membership.user, 1);
    }
    for held in &seen.attachments {
        match (held.holder_kind, &held.attachment.content) {
            (HolderKind::Group, None) => add(Quota::AttachmentsPerGroup, &held.holder, 1),
            (HolderKind::Role, None) => add(Quota::AttachmentsPerRole, &held.holder, 1),
            (HolderKind::Role, Some(text)) => add(Quota::ContentPerRole, &held.holder, text.len()),
            (HolderKind::User, _) | (HolderKind::Group, Some(_)) => {}
        }
    }
    for binding in below.flat_map(|account| &account.bindings) {
        add(Quota::RolesPerGroup, &binding.group, 1);
    }
    let roles = seen
        .roles
        .iter()
        .filter(|role| !matches!(role.ownership, Ownership::Ours(Subject::IdentityProvider(_))));
    Usage {
        quotas: seen.quotas.clone(),
        in_account: BTreeMap::from([
            (Quota::Users, seen.users.len() as u64),
            (Quota::Groups, seen.groups.len() as u64),
            (Quota::Roles, roles.count() as u64),
        ]),
        per_object,
    }
}
