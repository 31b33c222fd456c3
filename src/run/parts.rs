//! Reading what mirrors are made of.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

use super::gather::{ACCOUNTS_AT_ONCE, Gathered, Sources, accounts, bounded};
use crate::cloud::Connection;
use crate::desired;
use crate::model::{Account, Missing, Place, Reading, ResourceKind, SeenResource};

type Readings = BTreeMap<ResourceKind, Reading<Vec<SeenResource>>>;

/// Reads the parts in every account in which there may be any, and says which there should be.
///
/// Only asked where a mirror is written down or was seen: organisations without mirrors pay nothing.
pub(super) async fn gather(sources: &Sources<'_>, gathered: &mut Gathered) {
    let inventory = gathered.completed.as_ref().unwrap_or(sources.inventory);
    gathered.desired.mirrors = desired::mirrors(sources.topology, inventory, &gathered.facts);
    let asked = accounts(sources)
        .map(|entry| &entry.account)
        .filter(|account| may_be(gathered, account))
        .map(|account| async {
            let place = account.place.clone();
            let readings = of(&place, gathered.connections.get(&place)).await;
            (place, readings)
        });
    let readings: Vec<_> = stream::iter(asked).buffer_unordered(ACCOUNTS_AT_ONCE).collect().await;
    gathered.observations.parts.extend(readings);
}

/// Whether there can be parts of mirrors in an account.
pub(super) fn may_be(gathered: &Gathered, account: &Account) -> bool {
    let facts = gathered.facts.iter().find(|facts| facts.name == account.vendor);
    facts.is_some_and(|facts| !facts.parts.is_empty())
}

/// Whether parts of ours may be in an account: they are, or not all of it could be read.
pub(super) fn may_be_left(gathered: &Gathered, place: &Place) -> bool {
    let readings = gathered.observations.parts.get(place).into_iter().flatten();
    readings.into_iter().any(|(_, reading)| !reading.is_complete() || any_of_ours(reading.got()))
}

/// Whether any of them is ours.
pub(super) fn any_of_ours(seen: &[SeenResource]) -> bool {
    seen.iter().any(|one| one.observed.ownership.subject().is_some())
}

/// The parts in one account.
pub(super) async fn of(place: &Place, connection: Option<&Connection>) -> Readings {
    let nothing = |why: String| {
        let missing = || Missing::new(format!("mirrors of account {place}"), &*why);
        let kinds = ResourceKind::ALL.into_iter();
        kinds.map(|kind| (kind, Reading::partial(Vec::new(), missing()))).collect()
    };
    match connection {
        Some(connection) => bounded(connection.observe.parts()).await.unwrap_or_else(nothing),
        None => nothing("not connected".to_owned()),
    }
}
