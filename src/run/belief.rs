//! How far directories may be believed: what they say now next to what they said when they were
//! last read completely, and next to what their schema expects.
//!
//! Neither absence nor presence is believed without proof. A reading that is complete on the wire
//! may still lack people, hide the attributes that are decided by, or be another directory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::baseline::{Baseline, People};
use super::gather::Gathered;
use super::remembered::{GROUPS, Remembered, SHOWN};
use crate::guard::{Cause, Doubt, Renumbered};
use crate::model::{Access, Directory, DirectoryName, Reading, StableId, Subject, UserSpec};
use crate::plan::is_in_between;

/// What contradicts the directories of a run.
#[derive(Debug, Default)]
pub(super) struct Belief {
    /// Reasons not to believe whole directories.
    pub(super) doubts: Vec<Doubt>,
    /// People whose id stood for somebody else, and what is different.
    pub(super) strangers: BTreeMap<Subject, Vec<&'static str>>,
    /// People who most likely are there under another id.
    pub(super) renumbered: Vec<Renumbered>,
}

/// Compares what was read with what is remembered.
pub(super) fn of(baseline: &Baseline, gathered: &Gathered, today: Date) -> Belief {
    let mut belief = Belief::default();
    for (name, reading) in &gathered.directories {
        let directory = reading.got();
        let hidden = directory.hidden.iter().map(|what| Cause::Hides { what, showed: None });
        let mut causes: Vec<Cause> = hidden.collect();
        if let Some(before) = baseline.people(name) {
            let compared = Compared::of(before, directory, today);
            causes.extend(compared.causes(before, reading.is_complete()));
            let strangers = compared.strangers.into_iter().chain(compared.given_back);
            belief.strangers.extend(strangers.map(|(stable_id, different)| {
                let stable_id = stable_id.clone();
                (Subject::Person { directory: name.clone(), stable_id }, different)
            }));
        }
        belief.doubts.extend(doubts(name, causes));
    }
    belief.strangers.extend(unlike_their_users(baseline, gathered));
    belief.renumbered = renumbered(baseline, gathered, today);
    belief.doubts.sort();
    belief
}

/// People of whom nothing is remembered, and whose user at a vendor shows somebody else: of an id
/// that was free for a while, or where the memory was lost, only the user can tell whose it was.
pub(super) fn unlike_their_users(
    baseline: &Baseline,
    gathered: &Gathered,
) -> BTreeMap<Subject, Vec<&'static str>> {
    let mut unlike = BTreeMap::new();
    for (place, hub) in &gathered.desired.hubs {
        let Some(seen) = gathered.observations.accounts.get(place) else { continue };
        for user in &seen.got().users {
            let Some(subject) = user.ownership.subject() else { continue };
            let Subject::Person { directory, stable_id } = subject else { continue };
            if baseline.people(directory).is_some_and(|people| people.contains_key(stable_id)) {
                continue;
            }
            let Ok(at) = hub.users.binary_search_by(|one| one.subject.cmp(subject)) else {
                continue;
            };
            if let Some(different) = is_not(&hub.users[at].spec, &user.spec) {
                unlike.insert(subject.clone(), different);
            }
        }
    }
    unlike
}

/// People who have a user that can log in and are not listed any more, next to people who have none
/// and most likely are the same: of one person that got another id nobody should suspend the
/// old user, and refuse a new one its name.
fn renumbered(baseline: &Baseline, gathered: &Gathered, today: Date) -> Vec<Renumbered> {
    let mut found = BTreeSet::new();
    for (name, reading) in &gathered.directories {
        let (Some(before), Reading::Complete(read)) = (baseline.people(name), reading) else {
            continue;
        };
        let person =
            |id: &StableId| Subject::Person { directory: name.clone(), stable_id: id.clone() };
        let have_users = have_users(gathered, name);
        let gone = have_users.iter().filter(|(id, enabled)| **enabled && !is_listed(read, id));
        let gone = gone.filter_map(|(id, _)| before.get_key_value(*id));
        let mut by_trait: HashMap<u32, Vec<(&StableId, &Remembered)>> = HashMap::new();
        for (id, was) in gone {
            for one in was.traits() {
                by_trait.entry(one).or_default().push((id, was));
            }
        }
        if by_trait.is_empty() {
            continue;
        }
        for one in read.people.iter().filter(|one| !have_users.contains_key(&one.stable_id)) {
            let now = Remembered::of(one, today);
            for (id, was) in now.traits().filter_map(|one| by_trait.get(&one)).flatten() {
                if let Some(same) = now.is_same(was) {
                    found.insert(Renumbered { was: person(id), is: person(&one.stable_id), same });
                }
            }
        }
    }
    found.into_iter().collect()
}

fn is_listed(read: &Directory, id: &StableId) -> bool {
    read.people.binary_search_by(|one| one.stable_id.cmp(id)).is_ok()
        || read.unclear.iter().any(|one| one.stable_id.as_ref() == Some(id))
}

/// The ids of a directory for which users stand, and whether one of them can log in.
fn have_users<'a>(gathered: &'a Gathered, name: &DirectoryName) -> BTreeMap<&'a StableId, bool> {
    let mut found = BTreeMap::new();
    let accounts = gathered.observations.accounts.values();
    for user in accounts.flat_map(|reading| &reading.got().users) {
        if let Some(Subject::Person { directory, stable_id }) = user.ownership.subject()
            && directory == name
        {
            *found.entry(stable_id).or_default() |= user.spec.access == Access::Enabled;
        }
    }
    found
}

/// What is different if a user stands for somebody else: nothing that it shows is theirs.
fn is_not(wanted: &UserSpec, seen: &UserSpec) -> Option<Vec<&'static str>> {
    let mut different = Vec::new();
    // Between two names the user has one that says nothing.
    if !is_in_between(&seen.name) {
        if wanted.name == seen.name {
            return None;
        }
        different.push("log-in name");
    }
    let profile = [
        ("full name", &wanted.display_name, &seen.display_name),
        ("mail address", &wanted.email, &seen.email),
    ];
    for (what, wanted, seen) in profile {
        let (Some(wanted), Some(seen)) = (wanted, seen) else { continue };
        if wanted.reveal().to_lowercase() == seen.reveal().to_lowercase() {
            return None;
        }
        different.push(what);
    }
    (!different.is_empty()).then_some(different)
}

/// The id somebody has in the directory, if `id` is one that `reissued` makes of it.
fn as_listed(id: &StableId) -> Option<StableId> {
    let (listed, day) = id.as_str().rsplit_once('@')?;
    day.parse::<Date>().ok().map(|_| StableId::new(listed))
}

/// Those who are remembered as newcomers under a former one's id and are listed under the bare id
/// again: the line under `reissued` is gone. (What they were known by, what is listed.)
pub(super) fn given_back<'a, 'b>(
    before: &'a People,
    now: impl Fn(&StableId) -> Option<(&'b StableId, Remembered)>,
) -> Vec<(&'a StableId, &'b StableId)> {
    let pairs = before.iter().filter_map(|(id, was)| {
        let (listed, is) = now(&as_listed(id)?)?;
        (now(id).is_none() && is.is_not(was).is_none()).then_some((id, listed))
    });
    pairs.collect()
}

/// The reasons not to believe one reading of a directory, for what is remembered of it.
pub(super) fn causes(before: &People, reading: &Reading<Directory>, today: Date) -> Vec<Cause> {
    Compared::of(before, reading.got(), today).causes(before, reading.is_complete())
}

fn doubts(name: &DirectoryName, causes: Vec<Cause>) -> impl Iterator<Item = Doubt> {
    causes.into_iter().map(|cause| Doubt { directory: name.clone(), cause })
}

/// A reading next to what is remembered.
#[derive(Default)]
struct Compared<'a> {
    /// Of those who are still listed, how many showed each thing.
    showed: [u64; SHOWN.len()],
    /// Whether anybody shows it now.
    shown: [bool; SHOWN.len()],
    /// How many who might have had access still may.
    still_present: u64,
    /// How many who might have had access are listed at all.
    still_listed: u64,
    /// How many who might not have had access, or not all of it, now may.
    returned: u64,
    strangers: Vec<(&'a StableId, Vec<&'static str>)>,
    /// Both ids of those who are listed under a former one's id again.
    given_back: Vec<(&'a StableId, Vec<&'static str>)>,
}

impl<'a> Compared<'a> {
    fn of(before: &'a People, directory: &'a Directory, today: Date) -> Self {
        let mut compared = Self::default();
        for person in &directory.people {
            let now = Remembered::of(person, today);
            for (shown, shows) in compared.shown.iter_mut().zip(now.shows()) {
                *shown |= shows;
            }
            let Some(was) = before.get(&person.stable_id) else { continue };
            for (showed, shows) in compared.showed.iter_mut().zip(was.shows()) {
                *showed += u64::from(shows);
            }
            compared.still_listed += u64::from(was.present);
            compared.still_present += u64::from(was.present && now.present);
            compared.returned += u64::from(now.is_given_back(was));
            if let Some(different) = now.is_not(was) {
                compared.strangers.push((&person.stable_id, different));
            }
        }
        let listed = |id: &StableId| {
            let at = directory.people.binary_search_by(|one| one.stable_id.cmp(id)).ok()?;
            let one = &directory.people[at];
            Some((&one.stable_id, Remembered::of(one, today)))
        };
        for (known, listed) in given_back(before, listed) {
            compared.given_back.extend([(known, vec!["id"]), (listed, vec!["id"])]);
        }
        compared
    }

    fn causes(&self, people: &People, complete: bool) -> Vec<Cause> {
        let before = people.len() as u64;
        let mut causes = Vec::new();
        // What is missing in an incomplete reading is missing for another reason.
        let present = people.values().filter(|person| person.present).count() as u64;
        if complete && self.still_present < present {
            causes.push(Cause::Lacks {
                before: present,
                now: self.still_present,
                listed: self.still_listed,
            });
        }
        for ((what, _), (showed, shown)) in
            SHOWN.into_iter().zip(self.showed.into_iter().zip(self.shown))
        {
            if showed > 0 && !shown {
                causes.push(Cause::Hides { what, showed: Some(showed) });
                // What follows in the list are the ways groups are shown.
                if what == GROUPS {
                    break;
                }
            }
        }
        if self.returned > 0 {
            causes.push(Cause::Returned { before, returned: self.returned });
        }
        if !self.strangers.is_empty() {
            causes.push(Cause::Others { before, others: self.strangers.len() as u64 });
        }
        causes
    }
}
