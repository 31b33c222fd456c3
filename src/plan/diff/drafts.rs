//! Changes as they are found, before they get their final order and numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::hub::Reach;
use crate::diagnostic::Finding;
use crate::model::{ChangeId, Kind, Place, Reason};
use crate::plan::narrow::kept;
use crate::plan::{Change, Step, Waiting, Withheld};

/// What a difference consists of. Ids handed out here are preliminary.
pub(super) struct Drafts {
    changes: Vec<Change>,
    withheld: BTreeMap<(Place, Kind, String), u64>,
    findings: Vec<Finding>,
    waiting: BTreeSet<Waiting>,
    /// What ends, and what replaces it.
    replaced: Vec<(ChangeId, ChangeId)>,
    /// What is not done after all.
    given_up: BTreeSet<ChangeId>,
}

impl Drafts {
    pub(super) fn new() -> Self {
        Self {
            changes: Vec::new(),
            withheld: BTreeMap::new(),
            findings: Vec::new(),
            waiting: BTreeSet::new(),
            replaced: Vec::new(),
            given_up: BTreeSet::new(),
        }
    }

    /// Adds a change; its preliminary id can be needed by others.
    pub(super) fn push(
        &mut self,
        place: &Arc<Place>,
        step: Step,
        needs: Vec<ChangeId>,
        reasons: Arc<[Reason]>,
    ) -> ChangeId {
        let id = ChangeId(u32::try_from(self.changes.len()).expect("fewer than 2^32 changes"));
        self.changes.push(Change::new(id, Arc::clone(place), step, needs, reasons));
        id
    }

    /// Nobody looks for it again after it was done.
    pub(super) fn need_not_verify(&mut self, change: ChangeId) {
        self.changes[change.index()].verified = false;
    }

    /// What there is so far.
    pub(super) fn drawn_up(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter()
    }

    /// Makes a change need another one.
    pub(super) fn need(&mut self, change: ChangeId, needed: ChangeId) {
        self.changes[change.index()].needs.push(needed);
    }

    /// What is attached to a role that is made by the same plan.
    pub(super) fn attached_to(&self, role: &Reach) -> Vec<ChangeId> {
        let Some(made) = role.needs else { return Vec::new() };
        let attaches = |change: &&Change| {
            matches!(change.step, Step::Attach { .. }) && change.needs.contains(&made)
        };
        self.changes[made.index()..].iter().filter(attaches).map(|change| change.id).collect()
    }

    /// Makes a removal wait for what replaces what it takes away, with all that it needs itself; not
    /// where that must be out of the way first.
    pub(super) fn replace(&mut self, removal: ChangeId, by: ChangeId) {
        self.replaced.push((removal, by));
        for at in 0..self.changes[removal.index()].needs.len() {
            let need = self.changes[removal.index()].needs[at];
            self.replaced.push((need, by));
        }
    }

    /// Gives a removal up, with what needs it and what would be taken off its object before: what
    /// should replace what it takes away cannot be.
    pub(super) fn give_up(&mut self, removal: ChangeId) {
        self.given_up.insert(removal);
        let is_part = |id: &&ChangeId| matches!(self.changes[id.index()].step, Step::Detach { .. });
        let parts = self.changes[removal.index()].needs.iter().filter(is_part).copied();
        self.given_up.extend(parts.collect::<Vec<_>>());
    }

    /// Counts a removal that is not planned because of an incomplete read.
    pub(super) fn withhold(&mut self, place: &Place, kind: Kind, because: &str) {
        let key = (place.clone(), kind, because.to_owned());
        *self.withheld.entry(key).or_default() += 1;
    }

    /// Says what something waits for.
    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.waiting.insert(waiting);
    }

    /// All that waits, sorted.
    pub(super) fn take_waiting(&mut self) -> Vec<Waiting> {
        std::mem::take(&mut self.waiting).into_iter().collect()
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Orders by phase, keeping the order of discovery within one, and renumbers.
    pub(super) fn finish(mut self) -> (Vec<Change>, Vec<Withheld>, Vec<Finding>) {
        self.replacements_first();
        let late = self.late();
        let mut changes = self.changes;
        // What has no phase comes last, in the order in which it was found.
        let phase =
            |change: &Change| change.step.phase().map_or((true, None), |one| (false, Some(one)));
        changes.sort_by_key(|change| {
            let (free, phase) = phase(change);
            (free, late[change.id.index()], phase)
        });
        let mut numbers = vec![ChangeId(0); changes.len()];
        for (number, change) in (0..).map(ChangeId).zip(&changes) {
            numbers[change.id.index()] = number;
        }
        for change in &mut changes {
            change.id = numbers[change.id.index()];
            for need in &mut change.needs {
                *need = numbers[need.index()];
            }
            change.step.renumber(|by| numbers[by.index()]);
            change.needs.sort_unstable();
            change.needs.dedup();
        }
        if !self.given_up.is_empty() {
            let given_up: BTreeSet<ChangeId> =
                self.given_up.iter().map(|id| numbers[id.index()]).collect();
            (changes, _) = kept(changes, |change| !given_up.contains(&change.id));
        }
        let withheld = self
            .withheld
            .into_iter()
            .map(|((place, kind, because), count)| Withheld { place, kind, count, because })
            .collect();
        (changes, withheld, self.findings)
    }

    /// Turns replacements into needs. What must go so that something else can begin (a name has to
    /// be free) cannot wait for it.
    fn replacements_first(&mut self) {
        let replaced = std::mem::take(&mut self.replaced);
        if replaced.is_empty() {
            return;
        }
        let begins = |change: &&Change| !change.step.clears();
        let mut in_the_way: BTreeSet<ChangeId> = BTreeSet::new();
        let needs = self.changes.iter().filter(begins).flat_map(|change| &change.needs);
        let mut spreading: Vec<ChangeId> = needs.copied().collect();
        while let Some(id) = spreading.pop() {
            let change = &self.changes[id.index()];
            if change.step.clears() && in_the_way.insert(id) {
                spreading.extend(&change.needs);
            }
        }
        for (removal, by) in replaced {
            if !in_the_way.contains(&removal) && !self.given_up.contains(&by) {
                self.need(removal, by);
            }
        }
    }

    /// Which removals come after what begins, by preliminary id.
    fn late(&self) -> Vec<bool> {
        let mut late = vec![false; self.changes.len()];
        let begins = |id: &ChangeId| !self.changes[id.index()].step.clears();
        loop {
            let mut found = false;
            for change in &self.changes {
                let at = change.id.index();
                let waits = |need: &ChangeId| late[need.index()] || begins(need);
                if !late[at] && !begins(&change.id) && change.needs.iter().any(waits) {
                    late[at] = true;
                    found = true;
                }
            }
            if !found {
                return late;
            }
        }
    }
}
