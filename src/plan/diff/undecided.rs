//! Service accounts about which the inventory and a directory contradict each other: a finding
//! says so, and nothing of theirs is created, changed or removed.

use std::collections::{BTreeMap, BTreeSet};

use super::DiffInputs;
use crate::model::{Observed, Place, ServiceAccountName, Subject, VendorId};
use crate::plan::{Change, Plan, Reference, keep};

/// The plan without what is about such a service account, and without what needs that.
pub(super) fn leave_alone(plan: Plan, inputs: &DiffInputs<'_>) -> Plan {
    if inputs.desired.undecided.is_empty() {
        return plan;
    }
    let undecided = Undecided {
        inputs,
        services: &inputs.desired.undecided,
        objects: objects(inputs),
        providers: providers(inputs),
    };
    keep(plan, |change| !undecided.concerns(change))
}

struct Undecided<'a> {
    inputs: &'a DiffInputs<'a>,
    services: &'a BTreeSet<ServiceAccountName>,
    /// Users and groups of theirs, by hub.
    objects: BTreeSet<(&'a Place, &'a VendorId)>,
    /// Identity providers nobody else needs, by account.
    providers: BTreeSet<(&'a Place, &'a Subject)>,
}

impl Undecided<'_> {
    fn concerns(&self, change: &Change) -> bool {
        let place = &*change.place;
        let about = change.step.subject().is_some_and(|subject| {
            is_of(subject, self.services) || self.providers.contains(&(place, subject))
        });
        // A membership or binding need not name whom it is about.
        let hub = self.inputs.desired.accounts.get(place).map_or(place, |account| &account.hub);
        about
            || change.step.references().any(|reference| match reference {
                Reference::Known(id) => self.objects.contains(&(hub, id)),
                Reference::Made { .. } => false,
            })
    }
}

fn is_of(subject: &Subject, services: &BTreeSet<ServiceAccountName>) -> bool {
    match subject {
        Subject::Service(name) | Subject::ServiceGroup(name) => services.contains(name),
        Subject::Held { by, .. } => is_of(by, services),
        Subject::Person { .. }
        | Subject::Group(_)
        | Subject::Role(_)
        | Subject::IdentityProvider(_)
        | Subject::Part { .. } => false,
    }
}

fn objects<'a>(inputs: &DiffInputs<'a>) -> BTreeSet<(&'a Place, &'a VendorId)> {
    let services = &inputs.desired.undecided;
    let mut found = BTreeSet::new();
    for place in inputs.desired.hubs.keys() {
        let Some(reading) = inputs.observed.accounts.get(place) else { continue };
        found.extend(ids(&reading.got().users, services).map(|id| (place, id)));
        found.extend(ids(&reading.got().groups, services).map(|id| (place, id)));
    }
    found
}

fn ids<'a, T>(
    all: &'a [Observed<T>],
    services: &BTreeSet<ServiceAccountName>,
) -> impl Iterator<Item = &'a VendorId> {
    all.iter()
        .filter(|one| one.ownership.subject().is_some_and(|subject| is_of(subject, services)))
        .map(|one| &one.id)
}

fn providers<'a>(inputs: &DiffInputs<'a>) -> BTreeSet<(&'a Place, &'a Subject)> {
    let mut only_theirs: BTreeMap<(&Place, &Subject), bool> = BTreeMap::new();
    for (place, account) in &inputs.desired.accounts {
        for (subject, role) in &account.roles {
            if let Some(provider) = &role.provider {
                *only_theirs.entry((place, provider)).or_insert(true) &=
                    is_of(subject, &inputs.desired.undecided);
            }
        }
    }
    only_theirs.into_iter().filter(|(_, only)| *only).map(|(provider, _)| provider).collect()
}
