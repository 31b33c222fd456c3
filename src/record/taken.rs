//! What runs within a time took away, as their records tell.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::entry::{Entry, PlannedChange};
use super::folder::{Error, Records};
use super::read::lines;
use crate::event::Outcome;
use crate::guard::Recent;
use crate::model::{ChangeId, Kind, OrganisationName, Place, VendorId};
use crate::plan::Effect;

impl Records {
    /// What all runs took away that have written something since then; `None` without any run. Of a run that died, what its
    /// lines tell: objects, and users once.
    ///
    /// # Errors
    /// The folder cannot be read. A file that cannot be understood tells nothing; `record verify`
    /// says so.
    pub fn taken_since(&self, since: Timestamp) -> Result<Option<Recent>, Error> {
        let mut files = self.run_files()?;
        if files.is_empty() {
            return Ok(None);
        }
        files.sort_unstable();
        let mut recent = Recent::default();
        // Numbered in their order: once all of a run is older, so is what was before it, except of
        // runs on other organisations that began earlier and ended later; so a few more are read.
        let mut older = 0;
        for file in files.into_iter().rev() {
            let Ok(bytes) = self.read(&file) else { continue };
            let lines = lines(&bytes);
            if lines.last().is_none_or(|(time, _)| *time < since) {
                older += 1;
                if older > OLDER_RUNS_READ {
                    break;
                }
                continue;
            }
            recent.add(&taken(lines));
        }
        Ok(Some(recent))
    }
}

/// So many runs that ended too long ago are passed over before no more are looked for.
const OLDER_RUNS_READ: u32 = 16;

fn taken(lines: Vec<(Timestamp, Entry)>) -> Recent {
    let mut changes: BTreeMap<ChangeId, PlannedChange> = BTreeMap::new();
    let mut done: BTreeSet<ChangeId> = BTreeSet::new();
    for (_, entry) in lines {
        match entry {
            Entry::End(end) => return end.taken,
            Entry::Change(change) => {
                changes.insert(change.change, *change);
            }
            Entry::Ended {
                change,
                outcome: Outcome::Applied | Outcome::AlreadyTrue | Outcome::Begun { .. },
            } => {
                done.insert(change);
            }
            Entry::Ended { .. }
            | Entry::Run(_)
            | Entry::Plan(_)
            | Entry::Started { .. }
            | Entry::Called(_) => {}
        }
    }
    let mut recent = Recent::default();
    let mut users: BTreeMap<&OrganisationName, BTreeSet<(&Place, &VendorId)>> = BTreeMap::new();
    for change in done.iter().filter_map(|id| changes.get(id)) {
        let kind = change.step.counts_as();
        match change.step.user() {
            _ if change.step.effect() != Effect::Removal => {}
            Some(user) if kind == Kind::User => {
                let of = users.entry(&change.place.organisation).or_default();
                of.insert((&change.place, user));
            }
            _ => recent.add_objects(&change.place.organisation, kind, 1),
        }
    }
    for (organisation, users) in users {
        recent.add_objects(organisation, Kind::User, users.len() as u64);
    }
    recent
}
