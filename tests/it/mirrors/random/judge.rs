//! Who looks at every write, and knows nothing of the planner's rules.
//!
//! # What is served
//! A public name is served while its records lead to front ends that serve it: enabled, with a
//! certificate that is issued and covers the name, and a server that is up behind them. While a front
//! end is deployed, some of its places have what it was before and some what it will be: it serves
//! what both serve. One that was never deployed serves nothing. So the embedded vendor is as a real
//! one is, and a change that breaks either is seen.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reconcile::cloud::memory::config::{ORGANISATION_TAG, SUBJECT_TAG};
use reconcile::cloud::memory::service::life::{Moment, Progress, progress};
use reconcile::cloud::memory::service::resource::{Resource, Setting};
use reconcile::cloud::memory::service::state::{Mutation, State};
use reconcile::model::ResourceKind;

use super::written::Written;

/// By whom something became what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The program, or time.
    Itself,
    /// Somebody at the vendor: what they break is theirs.
    Hand,
}

/// How much of a public name must be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Much {
    /// Some record leads to somebody who serves.
    Some,
    /// Every record does.
    All,
}

#[derive(Default)]
pub struct Judge {
    /// Every front end as it was deployed and as it is being deployed, the earliest first.
    fronts: BTreeMap<String, Vec<(Timestamp, Resource)>>,
    /// The name under which each mirror was served.
    owed: BTreeMap<(String, Much), String>,
    /// What is not ours, as it was left.
    foreign: BTreeMap<String, Resource>,
    /// The mirrors that are not to be taken down, with their names.
    wanted: BTreeMap<String, String>,
}

impl Judge {
    /// What is written from now on.
    pub fn read(&mut self, written: &Written) {
        for (name, mirror) in &written.mirrors {
            if mirror.retired && mirror.written {
                self.wanted.remove(*name);
                self.owed.retain(|(of, _), _| of != name);
            } else if mirror.written {
                self.wanted.insert((*name).to_owned(), mirror.public_name(name));
            }
        }
    }

    /// What a write of the program may not have done, on top of what [`Judge::look`] says.
    pub fn write(&mut self, before: &State, written: &Mutation, moment: &Moment) -> Vec<String> {
        let mut after = before.clone();
        after.apply(written);
        let mut wrong = self.look(&after, moment, By::Itself);
        if let Mutation::RemoveResource { account, id, .. } = written
            && let Some(gone) = before.account(account).resources.get(id)
        {
            let of_gone: BTreeSet<String> = [gone.id.clone()]
                .into_iter()
                .chain(gone.address())
                .chain(gone.proof().into_iter().flat_map(|proof| [proof.name, proof.value]))
                .collect();
            let says = |one: &Resource| texts(one).any(|text| of_gone.contains(text));
            let all = || after.resources().map(|(_, one)| one);
            let deployed = all()
                .filter_map(|one| self.fronts.get(&one.id))
                .flat_map(|all| all.iter().map(|(_, one)| one));
            let leaning = all().chain(deployed).find(|one| says(one));
            wrong.extend(
                leaning.map(|one| format!("{} went, and {} refers to it", gone.name, one.name)),
            );
        }
        wrong.extend(self.unproven(before, &after));
        wrong
    }

    /// A certificate in use that was proven stays so, or it is not renewed.
    fn unproven(&self, before: &State, after: &State) -> Vec<String> {
        let is_proven = |state: &State, account: &str, id: &str| {
            let found = state.account(account).resources.get(id);
            found.and_then(|one| one.life.as_ref()).is_some_and(|life| life.proven.is_some())
        };
        let fronts = after.resources().filter(|(_, one)| one.kind == ResourceKind::FrontEnd);
        fronts
            .filter(|(_, one)| one.flag("enabled"))
            .filter(|(_, one)| {
                part_of(one).is_some_and(|(mirror, _)| self.wanted.contains_key(mirror))
            })
            .filter(|(account, one)| {
                let certificate = one.text("certificate");
                is_proven(before, account, certificate) && !is_proven(after, account, certificate)
            })
            .map(|(_, one)| format!("the certificate of {} is not proven any more", one.name))
            .collect()
    }

    /// What must not be as it is.
    pub fn look(&mut self, state: &State, moment: &Moment, by: By) -> Vec<String> {
        self.deploy(state, moment);
        let mut wrong = twice(state);
        match by {
            By::Hand => self.foreign = foreign(state),
            By::Itself => {
                let is = foreign(state);
                let different = self.foreign.iter().filter(|(id, was)| is.get(*id) != Some(was));
                wrong.extend(different.map(|(_, was)| format!("{} is not ours", was.name)));
            }
        }
        for (mirror, name) in &self.wanted {
            for much in [Much::Some, Much::All] {
                let key = (mirror.clone(), much);
                if self.is_served(state, moment, mirror, name, much) {
                    self.owed.insert(key, name.clone());
                    continue;
                }
                let Some(owed) = self.owed.get(&key) else { continue };
                if self.is_served(state, moment, mirror, owed, much) {
                    continue;
                }
                if by == By::Itself {
                    wrong.push(format!("{owed} is not served any more ({much:?})"));
                }
                self.owed.remove(&key);
            }
        }
        wrong
    }

    fn deploy(&mut self, state: &State, moment: &Moment) {
        let mut fronts = std::mem::take(&mut self.fronts);
        for (_, one) in state.resources().filter(|(_, one)| one.kind == ResourceKind::FrontEnd) {
            let mut versions = fronts.remove(&one.id).unwrap_or_default();
            // What is only written on it is not deployed.
            if versions.last().is_none_or(|(_, last)| last.settings != one.settings) {
                versions.push((one.changed, one.clone()));
            }
            let deployed = |(since, _): &(Timestamp, Resource)| {
                since.checked_add(moment.times.front_end_deploys).expect("a time") <= moment.now
            };
            if let Some(last) = versions.iter().rposition(deployed) {
                versions.drain(..last);
            }
            self.fronts.insert(one.id.clone(), versions);
        }
    }

    /// Whether a mirror is served under a name.
    pub fn is_served_now(&self, state: &State, moment: &Moment, mirror: &str, name: &str) -> bool {
        self.is_served(state, moment, mirror, name, Much::All)
    }

    fn is_served(
        &self,
        state: &State,
        moment: &Moment,
        mirror: &str,
        name: &str,
        much: Much,
    ) -> bool {
        let is_up = |one: &Resource| progress(one, moment).0 == Progress::Settled;
        let servers = state.resources().filter(|(_, one)| one.kind == ResourceKind::Server);
        let up: BTreeSet<String> =
            servers.filter(|(_, one)| is_up(one)).filter_map(|(_, one)| one.address()).collect();
        let is_good = |account: &str, version: &Resource| {
            let resources = &state.account(account).resources;
            version.flag("enabled")
                && version.set("domains").any(|domain| domain == name)
                && version.set("origins").any(|origin| up.contains(origin))
                && resources.get(version.text("certificate")).is_some_and(|one| {
                    is_up(one) && one.set("domains").any(|domain| domain == name)
                })
        };
        let fronts = state.resources().filter(|(_, one)| one.kind == ResourceKind::FrontEnd);
        let serving: BTreeSet<String> = fronts
            .filter(|(account, one)| {
                let versions = &self.fronts[&one.id];
                let first = versions[0].0.checked_add(moment.times.front_end_deploys);
                first.expect("a time") <= moment.now
                    && versions.iter().all(|(_, version)| is_good(account, version))
            })
            .filter_map(|(_, one)| one.address())
            .collect();
        let mut records = state
            .resources()
            .map(|(_, one)| one)
            .filter(|one| one.kind == ResourceKind::RecordSet)
            .filter(|one| part_of(one).is_some_and(|(of, _)| of == mirror))
            .filter(|one| one.text("domain") == name && one.text("type") == "A");
        let leads = |one: &Resource| one.set("values").all(|value| serving.contains(value));
        match much {
            Much::Some => records.any(leads),
            Much::All => {
                let all: Vec<&Resource> = records.collect();
                !all.is_empty() && all.into_iter().all(leads)
            }
        }
    }
}

/// The mirror of something of ours, and the rest of its mark.
pub fn part_of(one: &Resource) -> Option<(&str, &str)> {
    if one.tags.get(ORGANISATION_TAG).map(String::as_str) != Some("debian") {
        return None;
    }
    let (mirror, rest) = one.tags.get(SUBJECT_TAG)?.strip_prefix("part:")?.split_once(':')?;
    let (_, generation) = rest.split_once(':')?;
    generation.parse::<u32>().ok()?;
    Some((mirror, rest))
}

/// What stands for the same part and generation as something else.
fn twice(state: &State) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let ours = state.resources().filter_map(|(at, one)| Some(((at, part_of(one)?), one)));
    ours.filter(|(mark, _)| !seen.insert(*mark))
        .map(|((_, mark), one)| format!("{} is there twice: {mark:?}", one.name))
        .collect()
}

/// What is not ours. How far a certificate has got is nobody's doing.
fn foreign(state: &State) -> BTreeMap<String, Resource> {
    let others = state.resources().map(|(_, one)| one).filter(|one| part_of(one).is_none());
    others.map(|one| (one.id.clone(), Resource { life: None, ..one.clone() })).collect()
}

fn texts(one: &Resource) -> impl Iterator<Item = &str> {
    one.settings.values().flat_map(|setting| match setting {
        Setting::Text(text) => vec![text.as_str()],
        Setting::Set(set) => set.iter().map(String::as_str).collect(),
        Setting::Number(_) | Setting::Flag(_) => Vec::new(),
    })
}
