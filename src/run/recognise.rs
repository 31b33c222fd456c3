//! Whose users with a damaged mark may be, by the log-in names that are remembered of people.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::baseline::Baseline;
use super::gather::Gathered;
use crate::desired::Desired;
use crate::model::{ObjectName, Ownership, Place, Subject};

/// What should be, with a note at people who should have a user of the damaged ones that have a name
/// that was theirs.
pub(super) fn recognise<'a>(
    desired: &'a Desired,
    gathered: &Gathered,
    baseline: &Baseline,
) -> Cow<'a, Desired> {
    let mut noted = Cow::Borrowed(desired);
    for (place, hub) in &desired.hubs {
        let names = damaged(gathered, place);
        if names.is_empty() {
            continue;
        }
        for user in &hub.users {
            let Subject::Person { directory, stable_id } = &user.subject else { continue };
            let people = baseline.people(directory);
            let Some(person) = people.and_then(|people| people.get(stable_id)) else { continue };
            let theirs = names.iter().filter(|name| person.was_called(name.as_str()));
            let theirs: BTreeSet<ObjectName> = theirs.map(|name| (*name).clone()).collect();
            if let (false, Some(hub)) = (theirs.is_empty(), noted.to_mut().hubs.get_mut(place)) {
                hub.former_names.insert(user.subject.clone(), theirs);
            }
        }
    }
    noted
}

/// The names of users with a damaged mark.
fn damaged<'a>(gathered: &'a Gathered, place: &Place) -> Vec<&'a ObjectName> {
    let users = gathered.observations.accounts.get(place).map(|reading| &reading.got().users);
    let damaged = users.into_iter().flatten();
    let damaged = damaged.filter(|user| matches!(user.ownership, Ownership::Damaged { .. }));
    damaged.map(|user| &user.spec.name).collect()
}
