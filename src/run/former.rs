//! Hubs that the inventory made ordinary accounts: what is left in them is ours, and ends.
//!
//! An account that is no hub any more is looked at twice: as what it is now, and, under a name of
//! its own, as the hub that it was. The second is where its users and groups are found by their
//! marks. So are the other accounts of the organisation at that vendor, for the roles that its
//! groups have there.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};

use super::gather::{ACCOUNTS_AT_ONCE, Gathered, Sources, accounts, observe};
use crate::desired::{Desired, DesiredAccount, DesiredHub, Held};
use crate::model::{Account, Observed, Place, Site};

/// An account as it was before the hub was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// The account, under a name of its own.
    account: Account,
    /// Where it is in the inventory.
    of: Place,
    /// The hub that it was, or belonged to.
    hub: Place,
}

/// Reads every former hub in which something of ours is left, and what its groups have elsewhere.
pub(super) async fn gather(sources: &Sources<'_>, gathered: &mut Gathered) {
    let former = find(sources, gathered);
    let readings = former.iter().map(|one| {
        let same_hub = || former.iter().filter(|other| other.hub == one.hub);
        let hub = same_hub().find(|other| other.account.place == one.hub).unwrap_or(one);
        let site = Site {
            account: &one.account,
            hub: &hub.account,
            accounts: same_hub().map(|other| &other.account).collect(),
        };
        async move { observe(sources, &site).await }
    });
    let readings: Vec<_> = stream::iter(readings).buffered(ACCOUNTS_AT_ONCE).collect().await;
    for (place, connection, reading) in readings {
        gathered.observations.accounts.insert(place.clone(), reading);
        if let Some(connection) = connection {
            gathered.connections.insert(place, connection);
        }
    }
    add(&former, &mut gathered.desired);
    gathered.former = former;
}

/// Says of former hubs what should be there: nothing.
pub(super) fn add(former: &[Former], desired: &mut Desired) {
    for one in former {
        let place = one.account.place.clone();
        desired.former.insert(place.clone(), one.of.clone());
        if place == one.hub {
            desired.hubs.insert(place.clone(), nothing(&one.account));
        }
        let account = DesiredAccount {
            account: one.account.clone(),
            hub: one.hub.clone(),
            roles: BTreeMap::new(),
            bindings: BTreeMap::new(),
            ended: BTreeMap::new(),
        };
        desired.accounts.insert(place, account);
    }
}

fn nothing(account: &Account) -> DesiredHub {
    DesiredHub {
        account: account.clone(),
        users: Vec::new(),
        groups: Vec::new(),
        memberships: Vec::new(),
        excluded: std::collections::HashMap::default(),
        held: Held::default(),
        former_names: std::collections::HashMap::new(),
    }
}

/// The accounts that were hubs and have users or groups of ours, with the others of that vendor.
fn find(sources: &Sources<'_>, gathered: &Gathered) -> Vec<Former> {
    let mut former = Vec::new();
    for entry in accounts(sources) {
        let hub = &entry.account;
        let is_hub = gathered.desired.hubs.contains_key(&hub.place);
        let reading = gathered.observations.accounts.get(&hub.place);
        let Some(reading) = reading.filter(|_| !is_hub) else { continue };
        let seen = reading.got();
        if !any_of_ours(&seen.users) && !any_of_ours(&seen.groups) {
            continue;
        }
        let name = format!("{} (former hub)", hub.place.account);
        let was = Place { account: name.into(), ..hub.place.clone() };
        let others = accounts(sources).map(|entry| &entry.account).filter(|other| {
            other.place.organisation == hub.place.organisation && other.vendor == hub.vendor
        });
        for other in others {
            let of = other.place.clone();
            let name = format!("{} (of former hub {})", of.account, hub.place.account);
            let place = Place { account: name.into(), ..of.clone() };
            let place = if other.place == hub.place { was.clone() } else { place };
            let account = Account { place, hub: was.account.clone(), ..other.clone() };
            former.push(Former { account, of, hub: was.clone() });
        }
    }
    former
}

fn any_of_ours<T>(objects: &[Observed<T>]) -> bool {
    objects.iter().any(|one| one.ownership.subject().is_some())
}
