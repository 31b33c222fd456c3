//! What holds for every organisation, against an oracle that looks at the inputs only.

use std::collections::BTreeSet;

use fastrand::Rng;
use reconcile::cloud::registry;
use reconcile::desired::{Desired, Inputs, resolve};
use reconcile::inventory::Grant;
use reconcile::model::{
    AccountStatus, DirectoryName, GroupRef, Person, PersonKind, Place, Standing, Subject,
    VendorFacts,
};
use reconcile::rights::{
    Difference, Explained, Found, GroupRight, HubUser, Right, Setting, SettingChange, View, Weight,
    Who, compare, explain,
};

use crate::engine::world::{Given, Model};

const WORLDS: u64 = 300;

/// Who, where (organisation and account), what.
type Triple = (String, String, String);

/// An organisation some time after it was founded.
fn random(rng: &mut Rng) -> Model {
    let mut model = Model::random(rng);
    let names: Vec<String> = model.directories.keys().cloned().collect();
    for (number, name) in names.iter().cycle().take(6).enumerate() {
        let groups: Vec<String> =
            model.of(name).groups.iter().filter(|_| rng.bool()).cloned().collect();
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let id = model.person(name, &format!("more-{number}"), &groups);
        model.who(name, &id).has_key = [Some(true), Some(false), None][rng.usize(..3)];
    }
    for _ in 0..12 {
        model.evolve(rng);
    }
    model
}

fn inputs<'a>(given: &'a Given, vendors: &'a [VendorFacts]) -> Inputs<'a> {
    Inputs {
        inventory: &given.inventory,
        policies: &given.policies,
        directories: &given.directories,
        vendors,
        today: given.today,
    }
}

fn triple(who: &Subject, place: &Place, role: &str) -> Triple {
    (who.to_string(), place.to_string(), role.to_owned())
}

fn triples(rights: &[Right]) -> BTreeSet<Triple> {
    let triple = |right: &Right| triple(&right.who.subject, &right.place, right.role.as_str());
    rights.iter().map(triple).collect()
}

/// What the inputs give, by going through everything with everything.
fn oracle(given: &Given) -> BTreeSet<Triple> {
    let mut rights = BTreeSet::new();
    for (name, reading) in &given.directories {
        for person in &reading.got().people {
            let who = subject(name, person);
            for (grant, place) in live(given) {
                let group = &grant.group;
                if is_in(given, name, person, group)
                    && person.kind != PersonKind::RoleAccount
                    && person.standing(given.today) == Standing::Present
                    && !(is_doubtful(given, person) && is_privileged(given, group, &place))
                {
                    rights.insert(triple(&who, &place, grant.role.as_str()));
                }
            }
        }
    }
    for service in given.inventory.service_accounts.values() {
        if service.until.is_none_or(|until| given.today < until) {
            for account in &service.accounts {
                let place = &given.inventory.accounts[account].account.place;
                let who = Subject::Service(service.name.clone());
                rights.insert(triple(&who, place, service.role.as_str()));
            }
        }
    }
    rights
}

fn subject(directory: &DirectoryName, person: &Person) -> Subject {
    Subject::Person { directory: directory.clone(), stable_id: person.stable_id.clone() }
}

/// Grants that hold today, one by one.
fn live(given: &Given) -> impl Iterator<Item = (&Grant, Place)> {
    let live = |grant: &&Grant| grant.until.is_none_or(|until| given.today < until);
    given.inventory.grants.iter().filter(live).flat_map(|grant| {
        let place = |account| given.inventory.accounts[account].account.place.clone();
        grant.accounts.iter().map(move |account| (grant, place(account)))
    })
}

fn is_in(given: &Given, directory: &DirectoryName, person: &Person, group: &GroupRef) -> bool {
    let read = given.directories[directory].got();
    group.directory == *directory
        && person.groups.iter().any(|joined| read.group_at(joined.group).name == group.group)
}

fn is_doubtful(given: &Given, person: &Person) -> bool {
    given.policies.privileged_needs_key && person.has_key == Some(false)
        || given.policies.privileged_needs_active && person.status != AccountStatus::Active
}

/// Whether the group holds a privileged role in any account with the same hub.
fn is_privileged(given: &Given, group: &GroupRef, place: &Place) -> bool {
    let hub = |place: &Place| &given.inventory.accounts[&place.account].account.hub;
    live(given).any(|(grant, other)| {
        grant.group == *group
            && hub(&other) == hub(place)
            && given.policies.roles[&grant.role].privileged
    })
}

fn explained(view: &View<'_>, given: &Given) -> (BTreeSet<Triple>, BTreeSet<Triple>) {
    let (mut rights, mut withheld) = (BTreeSet::new(), BTreeSet::new());
    for (name, reading) in &given.directories {
        for person in &reading.got().people {
            let found = Found::Person {
                directory: name.clone(),
                login: person.login.clone(),
                stable_id: person.stable_id.clone(),
            };
            let Some(Explained::Person(one)) = explain(view, &found) else {
                panic!("{found} cannot be explained")
            };
            let who = subject(name, person);
            assert!(one.rights.iter().all(|right| right.who.subject == who));
            assert!(
                one.rights
                    .iter()
                    .flat_map(|right| &right.ways)
                    .all(|way| { !way.grants.is_empty() })
            );
            rights.extend(triples(&one.rights));
            withheld
                .extend(one.withheld.iter().map(|one| triple(&who, &one.place, one.role.as_str())));
        }
    }
    for name in given.inventory.service_accounts.keys() {
        let Some(Explained::Service(one)) = explain(view, &Found::Service(name.clone())) else {
            panic!("{name} cannot be explained")
        };
        rights.extend(triples(&one.rights));
    }
    (rights, withheld)
}

#[test]
fn what_is_explained_is_what_the_inputs_give() {
    let vendors = registry::facts();
    let mut seen = 0;
    for seed in 0..WORLDS {
        let given = random(&mut Rng::with_seed(seed)).given();
        let inputs = inputs(&given, &vendors);
        let desired = resolve(&inputs);
        let view = View::new(inputs, &desired);
        let expected = oracle(&given);
        let (rights, withheld) = explained(&view, &given);
        assert_eq!(rights, expected, "seed {seed}");
        let all: BTreeSet<Triple> =
            view.rights().map(|(who, place, role)| triple(&who, place, role.as_str())).collect();
        assert_eq!(all, expected, "seed {seed}");
        assert_eq!(of_accounts(&view, &given), expected, "seed {seed}");
        // Whoever is in a group that holds a role either has it or is told why not.
        for (name, reading) in &given.directories {
            for person in &reading.got().people {
                for (grant, place) in live(&given) {
                    if is_in(&given, name, person, &grant.group) {
                        let one = triple(&subject(name, person), &place, grant.role.as_str());
                        assert!(rights.contains(&one) || withheld.contains(&one), "seed {seed}");
                    }
                }
            }
        }
        seen += expected.len();
    }
    assert!(seen > 1000, "only {seen} rights were seen");
}

fn of_accounts(view: &View<'_>, given: &Given) -> BTreeSet<Triple> {
    let mut rights = BTreeSet::new();
    for name in given.inventory.accounts.keys() {
        let Some(Explained::Account(one)) = explain(view, &Found::Account(name.clone())) else {
            panic!("{name} cannot be explained")
        };
        rights.extend(one.roles.iter().flat_map(|role| triples(&role.people)));
    }
    rights
}

/// Two states of what people wrote, with the same directories.
fn two_states(rng: &mut Rng) -> (Given, Given) {
    let before = random(rng);
    let mut after = before.clone();
    for _ in 0..rng.u8(1..6) {
        after.evolve(rng);
    }
    after.directories.clone_from(&before.directories);
    after.today = before.today;
    (before.given(), after.given())
}

fn difference(
    (before, was): (Inputs<'_>, &Desired),
    (after, is): (Inputs<'_>, &Desired),
) -> Difference {
    compare(&View::new(before, was), &View::new(after, is))
}

#[test]
fn a_difference_is_what_one_side_has_and_the_other_has_not() {
    let vendors = registry::facts();
    let mut seen = 0;
    for seed in 0..WORLDS {
        let (before, after) = two_states(&mut Rng::with_seed(seed));
        let (base, head) = (inputs(&before, &vendors), inputs(&after, &vendors));
        let (was, is) = (resolve(&base), resolve(&head));
        let forth = difference((base, &was), (head, &is));
        let (old, new) = (oracle(&before), oracle(&after));
        assert_eq!(triples(&forth.added), &new - &old, "seed {seed}");
        assert_eq!(triples(&forth.removed), &old - &new, "seed {seed}");
        assert_eq!(forth.added.len(), (&new - &old).len(), "seed {seed}: one is told twice");

        let back = difference((head, &is), (base, &was));
        assert_eq!(weightless(reversed(back)), weightless(forth.clone()), "seed {seed}");
        assert!(difference((base, &was), (base, &was)).is_empty(), "seed {seed}");
        seen += forth.added.len() + forth.removed.len();
    }
    assert!(seen > 300, "only {seen} differences were seen");
}

/// Without how much each change matters, which depends on its direction.
fn weightless(mut difference: Difference) -> Difference {
    difference.settings.iter_mut().for_each(|one| one.weight = Weight::default());
    difference.roles.iter_mut().for_each(|one| one.weight = Weight::default());
    difference.accounts.iter_mut().for_each(|one| one.weight = Weight::default());
    difference.settings.sort();
    difference.roles.sort();
    difference.accounts.sort();
    difference
}

/// What these worlds change of settings, seen backwards.
fn turned(change: SettingChange) -> SettingChange {
    let SettingChange { weight, what, was, now } = change;
    let what = match what {
        Setting::GraceDays { before, after } => Setting::GraceDays { before: after, after: before },
        Setting::PrivilegedNeedsKey { before, after } => {
            Setting::PrivilegedNeedsKey { before: after, after: before }
        }
        Setting::ServiceAccount { service, before, after } => {
            Setting::ServiceAccount { service, before: after, after: before }
        }
        Setting::Directory { directory, setting, before, after } => {
            Setting::Directory { directory, setting, before: after, after: before }
        }
        other => panic!("{other:?} was not turned around"),
    };
    SettingChange { weight, what, was: now, now: was }
}

/// The same seen backwards. Counts and names in lists that are the same on both sides stay.
fn reversed(difference: Difference) -> Difference {
    let Difference {
        settings,
        added,
        removed,
        first_access,
        last_access,
        groups_added,
        groups_removed,
        mut until,
        mut roles,
        mut accounts,
        directories_removed,
        directories_added,
    } = difference;
    for one in &mut until {
        std::mem::swap(&mut one.before, &mut one.after);
    }
    for one in &mut roles {
        std::mem::swap(&mut one.before, &mut one.after);
    }
    for one in &mut accounts {
        std::mem::swap(&mut one.before, &mut one.after);
    }
    until.sort();
    roles.sort();
    accounts.sort();
    Difference {
        settings: settings.into_iter().map(turned).collect(),
        added: removed,
        removed: added,
        first_access: last_access,
        last_access: first_access,
        groups_added: groups_removed,
        groups_removed: groups_added,
        until,
        roles,
        accounts,
        directories_removed: directories_added,
        directories_added: directories_removed,
    }
}

/// Lists are sorted, whatever the world.
#[test]
fn answers_are_sorted() {
    let vendors = registry::facts();
    for seed in 0..50 {
        let (before, after) = two_states(&mut Rng::with_seed(seed));
        let (base, head) = (inputs(&before, &vendors), inputs(&after, &vendors));
        let (was, is) = (resolve(&base), resolve(&head));
        let forth = difference((base, &was), (head, &is));
        let key =
            |right: &Right| (right.place.clone(), right.role.clone(), right.who.subject.clone());
        assert!(forth.added.is_sorted_by_key(key) && forth.removed.is_sorted_by_key(key));
        assert!(forth.groups_added.is_sorted_by_key(|one: &GroupRight| one.clone()));
        assert!(forth.last_access.is_sorted_by_key(|one: &HubUser| one.clone()));
        for role in &forth.roles {
            assert!(role.people.is_sorted_by_key(|one: &Who| one.clone()));
        }
    }
}
