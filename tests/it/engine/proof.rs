//! What must have been read before something may be taken away.

use std::collections::{BTreeMap, BTreeSet};

use reconcile::cloud::memory::service::state::{Role, State};
use reconcile::model::{Kind, ObservedAccount, Place, Reading, Subject, VendorId};
use reconcile::plan::{Effect, Life, Observations, Plan, Reference, Step};

use super::world::{Given, Model};

/// What was not read completely.
#[derive(Debug, Default)]
pub struct Lost {
    pub directories: BTreeSet<String>,
    /// The kinds whose lists are not complete.
    pub accounts: BTreeMap<Place, BTreeSet<Kind>>,
    pub credentials: BTreeSet<(Place, VendorId)>,
}

impl Lost {
    pub fn of(given: &Given, observed: &Observations) -> Self {
        let accounts = observed.accounts.iter().filter(|(_, reading)| !reading.is_complete());
        let unlisted = |reading: &Reading<ObservedAccount>| {
            let listed = &reading.got().listed;
            Kind::PEOPLE.into_iter().filter(|kind| !listed.contains(kind)).collect()
        };
        let credentials = observed.credentials.iter().flat_map(|(place, readings)| {
            let lost = readings.iter().filter(|(_, reading)| !reading.is_complete());
            lost.map(|(user, _)| (place.clone(), user.clone()))
        });
        let directories = given.directories.iter().filter(|(_, reading)| !reading.is_complete());
        Self {
            directories: directories.map(|(name, _)| name.to_string()).collect(),
            accounts: accounts.map(|(place, one)| (place.clone(), unlisted(one))).collect(),
            credentials: credentials.collect(),
        }
    }
}

/// The removals of a plan.
pub fn removals(plan: &Plan) -> impl Iterator<Item = (&Place, &Step)> {
    plan.changes
        .iter()
        .filter(|change| change.step.effect() == Effect::Removal)
        .map(|change| (&*change.place, &change.step))
}

/// Removals that rest on something that was not read.
pub fn unproven(plan: &Plan, lost: &Lost) -> Vec<String> {
    let ending: BTreeSet<_> = removals(plan)
        .filter_map(|(place, step)| match step {
            Step::Group(Life::Delete { id, .. }) => Some((place, id)),
            _ => None,
        })
        .collect();
    let mut wrong = Vec::new();
    for (place, step) in removals(plan) {
        let of_account = lost.accounts.get(place);
        if of_account.is_some_and(|kinds| rests_on(step).iter().any(|kind| kinds.contains(kind))) {
            wrong.push(format!("account was not read: {place} {step:?}"));
        }
        // A group that nothing asks for any more goes with its members, whoever they are.
        let with_its_group = match step {
            Step::RemoveMember { group, .. } => {
                known(&group.id).is_some_and(|id| ending.contains(&(place, id)))
            }
            _ => false,
        };
        if let Some(Subject::Person { directory, .. }) = step.subject()
            && lost.directories.contains(directory.as_str())
            && !with_its_group
        {
            wrong.push(format!("directory was not read: {place} {step:?}"));
        }
        let departs = match step {
            // A credential that is known goes, whatever others there may be.
            Step::User(Life::Retire { id, .. } | Life::Delete { id, .. }) => Some(id),
            _ => None,
        };
        if departs.is_some_and(|id| lost.credentials.contains(&(place.clone(), id.clone()))) {
            wrong.push(format!("credentials were not read: {place} {step:?}"));
        }
    }
    wrong
}

/// The lists of an account that tell whether somebody may lose something there.
fn rests_on(step: &Step) -> &'static [Kind] {
    use Kind::{Binding, Group, Membership, Role, User};
    match step {
        Step::UnbindRole { .. } | Step::Role(Life::Delete { .. } | Life::Update { .. }) => {
            &[Role, Binding]
        }
        _ => &[User, Group, Membership, Role, Binding],
    }
}

fn known(reference: &Reference) -> Option<&VendorId> {
    match reference {
        Reference::Known(id) => Some(id),
        Reference::Made { .. } => None,
    }
}

/// What was taken away between two states although no plan said so.
pub fn unplanned(model: &Model, before: &State, after: &State, plan: Option<&Plan>) -> Vec<String> {
    let planned: BTreeSet<String> =
        plan.into_iter().flat_map(removals).map(|(at, step)| taken(model, at, step)).collect();
    let mut found = Vec::new();
    for (id, account) in &before.accounts {
        let now = after.account(id);
        for user in account.users.after(None) {
            match now.users.get(&user.id) {
                None => found.push(format!("{id} user {}", user.id)),
                Some(now) if user.enabled && !now.enabled => {
                    found.push(format!("{id} access {}", user.id));
                }
                Some(_) => {}
            }
        }
        let groups = account.groups.after(None).filter(|one| now.groups.get(&one.id).is_none());
        found.extend(groups.map(|group| format!("{id} group {}", group.id)));
        let roles = account.roles.after(None).filter(|one| now.roles.get(&one.id).is_none());
        found.extend(roles.map(|role| format!("{id} role {}", role.id)));
        for role in account.roles.after(None) {
            let lessened = |now: &Role| !role.permissions.is_subset(&now.permissions);
            if now.roles.get(&role.id).is_some_and(lessened) {
                found.push(format!("{id} lessened {}", role.id));
            }
        }
        let members = account.memberships.difference(&now.memberships);
        found.extend(members.map(|(user, group)| format!("{id} member {user} {group}")));
        let bindings = account.bindings.difference(&now.bindings);
        found.extend(bindings.map(|(group, role)| format!("{id} binding {group} {role}")));
        let credentials =
            account.credentials.keys().filter(|key| !now.credentials.contains_key(*key));
        found.extend(credentials.map(|(user, one)| format!("{id} credential {user} {one}")));
    }
    found.retain(|one| !planned.contains(one));
    found
}

/// What a removal takes away, in the words of [`unplanned`].
fn taken(model: &Model, place: &Place, step: &Step) -> String {
    let account = &model.accounts[place.account.as_str()].id;
    let id = |reference: &Reference| known(reference).map(ToString::to_string).unwrap_or_default();
    match step {
        Step::User(Life::Delete { id, .. }) => format!("{account} user {id}"),
        Step::User(Life::Retire { id, .. }) => format!("{account} access {id}"),
        Step::Group(Life::Delete { id, .. }) => format!("{account} group {id}"),
        Step::Role(Life::Delete { id, .. }) => format!("{account} role {id}"),
        Step::Role(Life::Update { id, .. }) => format!("{account} lessened {id}"),
        Step::RemoveMember { group, user, .. } => {
            format!("{account} member {} {}", id(&user.id), id(&group.id))
        }
        Step::UnbindRole { role, group, .. } => {
            format!("{account} binding {} {}", id(&group.id), id(&role.id))
        }
        Step::RevokeCredential { credential, .. } => {
            format!("{account} credential {} {}", credential.user, credential.id)
        }
        step => format!("{step:?}"),
    }
}
