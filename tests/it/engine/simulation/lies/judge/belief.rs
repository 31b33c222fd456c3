//! Whether somebody gained or lost something on a reading that what was read before contradicts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use reconcile::model::{AccountStatus, PersonKind};

use super::super::super::super::oracle::may_have_access;
use super::super::super::super::world::PersonModel;
use super::super::world::DIRECTORY;
use super::effect::View;
use super::{Scene, allowed};

/// Everybody in a reading, by id.
type People = BTreeMap<String, PersonModel>;

/// What was read when it was last believed, with the day.
#[derive(Default)]
pub struct Memory {
    last: Option<(People, Date)>,
}

/// How a reading differs from the one before, counted in people.
#[derive(Debug, Default)]
struct Differs {
    before: u64,
    were_present: u64,
    /// Who may not have access any more.
    absent: u64,
    /// Who is not even listed any more.
    unlisted: u64,
    returned: u64,
    strangers: BTreeSet<String>,
    /// Something that decides is shown by nobody any more.
    hides: bool,
}

impl Memory {
    pub fn remember(&mut self, scene: &Scene<'_>) {
        let mut now = people(scene);
        if let Some((last, day)) = &self.last {
            let differs = Differs::between(last, *day, &now, scene.written.model.today);
            if differs.is_too_much(scene) {
                return;
            }
            for id in &differs.strangers {
                now.insert(id.clone(), last[id].clone());
            }
            // Whoever is not listed any more showed what they showed, and is nobody who has access.
            for (id, was) in last {
                let kind = PersonKind::RoleAccount;
                now.entry(id.clone()).or_insert_with(|| PersonModel { kind, ..was.clone() });
            }
        }
        self.last = Some((now, scene.written.model.today));
    }

    pub fn belief(&self, scene: &Scene<'_>, before: &View, after: &View) -> Vec<String> {
        let Some((were, day)) = &self.last else { return Vec::new() };
        let differs = Differs::between(were, *day, &people(scene), scene.written.model.today);
        let gained = gained(before, after);
        // Where somebody cannot be told from another, what is missing is missing for that reason: a
        // whole group goes on the word of the inventory.
        let entries = scene.answer.entries.len();
        let is_whole = people(scene).len() == entries;
        let lost = if is_whole { lost(before, after) } else { lost_for_themselves(before, after) };
        let mut wrong = Vec::new();
        if differs.contradicts_presence(scene) && !gained.is_empty() {
            wrong.push(format!("{gained:?} gained by a reading not believed: {differs:?}"));
        }
        if differs.is_too_much(scene) && !lost.is_empty() {
            wrong.push(format!("{lost:?} lost by a reading not believed: {differs:?}"));
        }
        let of_strangers = |all: BTreeSet<String>| -> Vec<String> {
            let strangers = &differs.strangers;
            all.into_iter().filter(|who| strangers.iter().any(|id| *who == person(id))).collect()
        };
        let changed = of_strangers(gained.union(&lost).cloned().collect());
        if !changed.is_empty() {
            wrong.push(format!("{changed:?} are other people, and gained or lost something"));
        }
        wrong.extend(unclear(scene, &gained, before, after));
        wrong.extend(falsely(scene, were, before, after));
        wrong
    }
}

impl Differs {
    fn between(last: &People, day: Date, now: &People, today: Date) -> Self {
        let mut differs = Self { before: last.len() as u64, ..Self::default() };
        for (id, was) in last {
            let were_present = may_have_access(was, day);
            differs.were_present += u64::from(were_present);
            let Some(is) = now.get(id) else {
                differs.absent += u64::from(were_present);
                differs.unlisted += u64::from(were_present);
                continue;
            };
            let present = may_have_access(is, today);
            differs.absent += u64::from(were_present && !present);
            let cleared = was.status != AccountStatus::Active && is.status == AccountStatus::Active;
            differs.returned += u64::from(present && (!were_present || cleared));
            if was.login != is.login && was.name != is.name && was.email != is.email {
                differs.strangers.insert(id.clone());
            }
        }
        differs.hides = SHOWS.iter().any(|shows| {
            let showed = last.iter().any(|(id, was)| now.contains_key(id) && shows(was));
            showed && !now.values().any(shows)
        });
        differs
    }

    fn contradicts_presence(&self, scene: &Scene<'_>) -> bool {
        let limit = scene.written.limits.directory;
        self.hides
            || self.unlisted > allowed(limit, self.were_present)
            || self.returned > allowed(limit, self.before)
            || self.strangers.len() as u64 > allowed(limit, self.before)
    }

    fn is_too_much(&self, scene: &Scene<'_>) -> bool {
        let limit = scene.written.limits.directory;
        self.contradicts_presence(scene) || self.absent > allowed(limit, self.were_present)
    }
}

/// What decides.
const SHOWS: [fn(&PersonModel) -> bool; 5] = [
    |person| person.status != AccountStatus::Active,
    |person| person.expires.is_some(),
    |person| person.locked,
    |person| person.has_key == Some(true),
    |person| !person.groups.is_empty(),
];

/// Those who can be told from each other by an id.
fn people(scene: &Scene<'_>) -> People {
    let entries = &scene.answer.entries;
    entries
        .iter()
        .filter(|entry| entries.iter().filter(|other| other.id == entry.id).count() == 1)
        .filter_map(|entry| Some((entry.id.clone()?, entry.person.clone())))
        .collect()
}

fn person(id: &str) -> String {
    format!("person:{DIRECTORY}:{id}")
}

fn group_subject(name: &str) -> String {
    format!("group:{DIRECTORY}:{name}")
}

fn is_person(who: &str) -> bool {
    who.starts_with("person:")
}

/// Who can log in or is in a group now, and was not.
fn gained(before: &View, after: &View) -> BTreeSet<String> {
    let members = after.members.difference(&before.members).map(|(who, _)| who);
    let users = after.enabled.difference(&before.enabled);
    members.chain(users).filter(|who| is_person(who)).cloned().collect()
}

fn lost(before: &View, after: &View) -> BTreeSet<String> {
    gained(after, before)
}

/// The same, except what went because a whole group did.
fn lost_for_themselves(before: &View, after: &View) -> BTreeSet<String> {
    let there = |group: &String| {
        let there = after.groups.iter().any(|(_, one)| one == group);
        // Its deletion failed, because of a role in an account that is not named any more.
        let emptied = after.members.iter().all(|(_, one)| one != group);
        there && !emptied
    };
    let members = before.members.difference(&after.members);
    let members = members.filter(|(_, group)| there(group)).map(|(who, _)| who);
    let users = before.enabled.difference(&after.enabled);
    members.chain(users).filter(|who| is_person(who)).cloned().collect()
}

/// Whose id is not shown, or shown twice: nothing is given and nothing taken. Whoever shows none is
/// known by the name their user has.
fn unclear(
    scene: &Scene<'_>,
    gained: &BTreeSet<String>,
    before: &View,
    after: &View,
) -> Vec<String> {
    let entries = &scene.answer.entries;
    let shown = |id: &str| entries.iter().filter(|one| one.id.as_deref() == Some(id)).count();
    let is_unclear = |who: &String| {
        let name = before.names.get(who).or(after.names.get(who));
        let doubled = entries
            .iter()
            .filter_map(|one| one.id.as_ref())
            .any(|id| shown(id) > 1 && *who == person(id));
        doubled || entries.iter().any(|one| one.id.is_none() && Some(&one.person.login) == name)
    };
    let lost = lost_for_themselves(before, after);
    let changed = gained.union(&lost).filter(|who| is_unclear(who));
    changed
        .map(|who| format!("{who} gained or lost something, and nobody knows who it is"))
        .collect()
}

/// Who got what they truly may not have: at most as many as a directory is believed.
fn falsely(scene: &Scene<'_>, last: &People, before: &View, after: &View) -> Vec<String> {
    let model = &scene.written.model;
    let truly = &model.directories[DIRECTORY].people;
    let may_as = |people: &People, who: &str, group: &str| {
        let Some((_, person)) = people.iter().find(|(id, _)| who == person(id)) else {
            return false;
        };
        let group = group.rsplit(':').next().unwrap_or(group);
        let grants = || model.grants.iter().filter(|grant| grant.group == group);
        let privileged = grants().any(|grant| model.roles[&grant.role].privileged);
        // A key is nothing that somebody else's word takes away again.
        let has_key = |people: &People| {
            people.iter().any(|(id, one)| who == self::person(id) && one.has_key == Some(true))
        };
        let no_key = model.key_needed && !has_key(people) && !has_key(truly);
        let plainly = person.status == AccountStatus::Active && !no_key;
        may_have_access(person, model.today) && (plainly || !privileged)
    };
    let is_in = |who: &str, group: &str| {
        let mut theirs = truly.iter().filter(|(id, _)| who == person(id));
        theirs.any(|(_, person)| person.groups.iter().any(|one| group == group_subject(one)))
    };
    // Whose state was as good before contradicts nothing, in whatever group they are now; nor does
    // somebody new.
    let is_new = |who: &str| last.keys().all(|id| who != person(id));
    let may = |who: &str, group: &str| {
        let truly = may_as(truly, who, group) && is_in(who, group);
        truly || may_as(last, who, group) || is_new(who)
    };
    let false_ones: BTreeSet<&String> = after
        .members
        .difference(&before.members)
        .filter(|(who, group)| is_person(who) && !may(who, group))
        .map(|(who, _)| who)
        .collect();
    let allowed = allowed(scene.written.limits.directory, last.len() as u64);
    if false_ones.len() as u64 > allowed {
        return vec![format!("{false_ones:?} got what they may not have, {allowed} could")];
    }
    Vec::new()
}
