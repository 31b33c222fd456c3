//! Who gained and who lost what by a run, and whether that may be: judged by the cloud before and
//! after, by what is true, and by what was read now and before. Of the program's own counting and
//! comparing nothing is used.

mod belief;
mod effect;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use reconcile::cloud::memory::service::state::State;
use reconcile::policies::Limit;

use super::readings::Answer;
use super::world::{DIRECTORY, Line, PRIVILEGED, World};
use belief::Memory;
use effect::{Lost, View};

/// One run.
pub struct Scene<'a> {
    pub now: Timestamp,
    /// What is true, and was written with care.
    pub right: &'a World,
    /// What is written.
    pub written: &'a World,
    pub answer: &'a Answer,
    pub before: &'a State,
    pub after: &'a State,
}

#[derive(Default)]
pub struct Judge {
    memory: Memory,
    /// What was lost by earlier runs.
    losses: Vec<(Timestamp, Lost)>,
    /// The line about administrators at the last run.
    line: Option<Line>,
    /// Whether the role of the administrators was privileged at the last run.
    was_privileged: bool,
}

impl Judge {
    /// What was wrong with a run that nobody approved.
    pub fn verdict(&mut self, scene: &Scene<'_>) -> Vec<String> {
        let (before, after) = (View::of(scene.before), View::of(scene.after));
        let lost = Lost::between(&before, &after);
        let mut wrong = self.limits(scene, &before, &lost);
        wrong.extend(self.memory.belief(scene, &before, &after));
        wrong.extend(self.administrators(scene, &before, &after));
        wrong.extend(want_of_a_grant(scene, &before, &after));
        wrong.extend(forgotten(scene, &before, &after));
        self.losses.push((scene.now, lost));
        self.memory.remember(scene);
        self.line.clone_from(&scene.written.administrators);
        self.was_privileged = is_privileged(scene);
        wrong
    }

    /// Within a day nothing more is lost than limits allow, by whatever verb.
    fn limits(&self, scene: &Scene<'_>, before: &View, lost: &Lost) -> Vec<String> {
        let since = scene.now - SignedDuration::from_hours(24);
        let recent: Vec<&Lost> =
            self.losses.iter().filter(|(time, _)| *time >= since).map(|(_, lost)| lost).collect();
        let bounds = scene.written.limits;
        let mut wrong = Vec::new();
        let now = lost.counts();
        for (number, (what, count)) in now.into_iter().enumerate() {
            let recently: u64 = recent.iter().map(|lost| lost.counts()[number].1).sum();
            let limit = if what == "accesses" { bounds.access } else { bounds.kinds };
            // Users stay, suspended.
            let gone = if what == "users" { 0 } else { recently };
            let allowed = allowed(limit, before.existing()[number] + gone);
            if count > 0 && count + recently > allowed {
                wrong.push(format!(
                    "{count} {what} lost now and {recently} within a day, {allowed} are allowed: \
                     {lost:?}"
                ));
            }
        }
        wrong
    }

    /// Enough administrators stay, among them those who must, by the line of now and by the last.
    fn administrators(&self, scene: &Scene<'_>, before: &View, after: &View) -> Vec<String> {
        let mut wrong = Vec::new();
        if !self.was_privileged && !is_privileged(scene) {
            return wrong;
        }
        let lines = [self.line.as_ref(), scene.written.administrators.as_ref()];
        for account in scene.written.model.accounts.values() {
            let id = &account.id;
            let were = before.who_can(id, PRIVILEGED);
            let are = after.who_can(id, PRIVILEGED);
            let stayed = were.intersection(&are).count();
            for line in lines.into_iter().flatten() {
                if stayed < were.len().min(line.minimum as usize) {
                    wrong.push(format!("of {were:?} only {are:?} administer {}", account.id));
                }
                for (_, id) in &line.required {
                    let person = format!("person:{DIRECTORY}:{id}");
                    if were.contains(&person) && !are.contains(&person) {
                        wrong.push(format!("{person} must administer {}", account.id));
                    }
                }
            }
        }
        wrong
    }
}

fn is_privileged(scene: &Scene<'_>) -> bool {
    scene.written.model.roles.values().any(|role| role.privileged)
}

/// While the inventory names a group that nobody knows, nothing goes for want of a grant.
fn want_of_a_grant(scene: &Scene<'_>, before: &View, after: &View) -> Vec<String> {
    let known = &scene.answer.groups;
    if scene.written.model.grants.iter().all(|grant| known.contains(&grant.group)) {
        return Vec::new();
    }
    let gone = |what: &str, before: &BTreeSet<_>, after: &BTreeSet<_>| {
        let gone: Vec<&(String, String)> = before.difference(after).collect();
        (!gone.is_empty()).then(|| format!("a group is misspelt, and {what} {gone:?} are gone"))
    };
    [
        gone("groups", &before.groups, &after.groups),
        gone("roles", &before.roles, &after.roles),
        gone("bindings", &before.bindings, &after.bindings),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// In an account that the inventory does not name any more nothing is done.
fn forgotten(scene: &Scene<'_>, before: &View, after: &View) -> Vec<String> {
    let named: BTreeSet<&String> =
        scene.written.model.accounts.values().map(|account| &account.id).collect();
    let all = scene.right.model.accounts.values().map(|account| &account.id);
    let of = |view: &View, account: &String| -> BTreeMap<_, _> {
        let here = view.meanings.iter().filter(|((at, _), _)| at == account);
        here.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    all.filter(|id| !named.contains(id) && of(before, id) != of(after, id))
        .map(|id| format!("something was done in {id}, which is not named any more"))
        .collect()
}

/// A limit's own words: at most so many, at most that share, but always the floor.
fn allowed(limit: Limit, existing: u64) -> u64 {
    let share = existing * u64::from(limit.percent) / 100;
    share.min(limit.count.into()).max(limit.floor.into())
}
