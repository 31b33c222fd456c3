//! How far directories may be believed: what they say now next to what they said when they were
//! last read completely, and next to what their schema expects.
//!
//! Neither absence nor presence is believed without proof. A reading that is complete on the wire
//! may still lack people, hide the attributes that are decided by, or be another directory.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::baseline::{Baseline, People};
use super::gather::Gathered;
use super::remembered::{Remembered, SHOWN};
use crate::guard::{Cause, Doubt};
use crate::model::{Directory, DirectoryName, Reading, StableId, Subject};

/// What contradicts the directories of a run.
#[derive(Debug, Default)]
pub(super) struct Belief {
    /// Reasons not to believe whole directories.
    pub(super) doubts: Vec<Doubt>,
    /// People whose id stood for somebody else, and what is different.
    pub(super) strangers: BTreeMap<Subject, Vec<&'static str>>,
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
            belief.strangers.extend(compared.strangers.into_iter().map(
                |(stable_id, different)| {
                    let stable_id = stable_id.clone();
                    (Subject::Person { directory: name.clone(), stable_id }, different)
                },
            ));
        }
        belief.doubts.extend(doubts(name, causes));
    }
    belief.doubts.sort();
    belief
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
}

impl<'a> Compared<'a> {
    fn of(before: &People, directory: &'a Directory, today: Date) -> Self {
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
