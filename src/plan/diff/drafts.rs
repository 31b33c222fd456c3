//! Changes as they are found, before they get their final order and numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Finding;
use crate::model::{ChangeId, ObjectKind, Place, Reason};
use crate::plan::{Change, Reference, Step, Withheld};

/// What a difference consists of. Ids handed out here are preliminary.
pub(super) struct Drafts {
    changes: Vec<Change>,
    withheld: BTreeMap<(Place, ObjectKind, String), u64>,
    findings: Vec<Finding>,
}

impl Drafts {
    pub(super) fn new() -> Self {
        Self { changes: Vec::new(), withheld: BTreeMap::new(), findings: Vec::new() }
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
        self.changes.push(Change { id, place: Arc::clone(place), step, needs, reasons });
        id
    }

    /// Makes a change need another one.
    pub(super) fn need(&mut self, change: ChangeId, needed: ChangeId) {
        self.changes[change.index()].needs.push(needed);
    }

    /// Counts a removal that is not planned because of an incomplete read.
    pub(super) fn withhold(&mut self, place: &Place, kind: ObjectKind, because: &str) {
        let key = (place.clone(), kind, because.to_owned());
        *self.withheld.entry(key).or_default() += 1;
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Orders by phase, keeping the order of discovery within one, and renumbers.
    pub(super) fn finish(self) -> (Vec<Change>, Vec<Withheld>, Vec<Finding>) {
        let mut changes = self.changes;
        changes.sort_by_key(|change| change.step.phase());
        let mut numbers = vec![ChangeId(0); changes.len()];
        for (number, change) in (0..).map(ChangeId).zip(&changes) {
            numbers[change.id.index()] = number;
        }
        for change in &mut changes {
            change.id = numbers[change.id.index()];
            for need in &mut change.needs {
                *need = numbers[need.index()];
            }
            for reference in change.step.references_mut() {
                if let Reference::Made { by, .. } = reference {
                    *by = numbers[by.index()];
                }
            }
            change.needs.sort_unstable();
            change.needs.dedup();
        }
        let withheld = self
            .withheld
            .into_iter()
            .map(|((place, kind, because), count)| Withheld { place, kind, count, because })
            .collect();
        (changes, withheld, self.findings)
    }
}
