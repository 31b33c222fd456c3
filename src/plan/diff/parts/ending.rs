//! What goes: parts nobody asks for, and generations that another has replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::drafts::Drafts;
use super::Part;
use super::wanted::Made;
use crate::model::{
    ChangeId, Ending, Kind, PartName, Reason, ResourceKind, SeenResource, State, Subject, VendorId,
};
use crate::plan::{Life, Step};

/// Why an object goes, and whether another has its place.
struct Cause {
    reason: Reason,
    replaced: bool,
}

impl Part<'_> {
    /// Takes away what is of no use any more: what refers to it goes first, and where it would be
    /// missed for a moment, it goes in two steps.
    pub(super) fn end(&self, made: &Made<'_>, drafts: &mut Drafts) {
        let mut going: Vec<(&SeenResource, Cause)> = Vec::new();
        for (part, generations) in self.seen.parts(self.mirror) {
            for (generation, one) in generations {
                let failed = matches!(one.state, State::Failed { .. });
                let last = generations.last_key_value().map_or(0, |(last, _)| *last);
                let by = made.in_use(part).or(failed.then_some(last));
                let cause = self.cause(part, *generation, made.is_wanted(part), by);
                going.extend(cause.map(|cause| (*one, cause)));
            }
        }
        // What nothing refers to first: names before front ends, those before servers and zones.
        going.sort_by_key(|(one, _)| (rank(one.observed.spec.kind), one.observed.id.clone()));
        let mut deleted: BTreeMap<&VendorId, ChangeId> = BTreeMap::new();
        for (one, cause) in &going {
            let referring: Vec<&SeenResource> = self.seen.referring(one).collect();
            let needs: Option<Vec<ChangeId>> =
                referring.iter().map(|one| deleted.get(&one.observed.id).copied()).collect();
            let Some(needs) = needs else {
                let names: Vec<String> =
                    self.seen.referrers(one).into_iter().map(ToString::to_string).collect();
                let what = format!("goes when {} no longer needs it", names.join(", "));
                drafts.wait(self.waiting(one, what));
                continue;
            };
            if let Some(id) = self.go(one, cause, needs, drafts) {
                deleted.insert(&one.observed.id, id);
            }
        }
    }

    /// Why an object goes, if it does: nobody wants the part, or `by` has its place.
    fn cause(
        &self,
        part: &PartName,
        generation: u32,
        is_wanted: bool,
        by: Option<u32>,
    ) -> Option<Cause> {
        let subject =
            || Subject::Part { mirror: self.mirror.clone(), part: part.clone(), generation };
        if is_wanted {
            let by = by.filter(|by| *by > generation)?;
            return Some(Cause {
                reason: Reason::Superseded { subject: subject(), by },
                replaced: true,
            });
        }
        let reason = if self.wanted.retired {
            Reason::MirrorRetired { mirror: self.mirror.clone() }
        } else {
            Reason::NotInTopology { subject: subject() }
        };
        Some(Cause { reason, replaced: false })
    }

    /// One step further. The deletion, if it is that and is done at once.
    fn go(
        &self,
        one: &SeenResource,
        cause: &Cause,
        needs: Vec<ChangeId>,
        drafts: &mut Drafts,
    ) -> Option<ChangeId> {
        let spec = &one.observed.spec;
        let ending = Kind::Resource(spec.kind).facts().ending;
        let subject = one.observed.ownership.subject()?.clone();
        let (id, before) = (one.observed.id.clone(), Box::new(spec.clone()));
        let life = match (&one.state, ending) {
            (State::Settling { .. }, Ending::Drain | Ending::Suspend) => {
                self.settling(one, drafts);
                return None;
            }
            (State::Settled, Ending::Drain | Ending::Suspend) => {
                Life::Retire { id, subject, before, on: self.today }
            }
            (State::Retired { since }, Ending::Drain | Ending::Suspend) if *since >= self.today => {
                let what = format!("drains since {since}, and goes the day after");
                drafts.wait(self.waiting(one, what));
                return None;
            }
            _ => Life::Delete { id, subject, before },
        };
        let at_once = matches!(life, Life::Delete { .. }) && ending == Ending::AtOnce;
        let step = Step::Part { life, replaced: cause.replaced };
        let reasons: Arc<[Reason]> = [cause.reason.clone()].into();
        let id = drafts.push(self.place, step, needs, reasons);
        at_once.then_some(id)
    }
}

/// Who refers to whom: an object refers only to kinds with a higher rank.
fn rank(kind: ResourceKind) -> u8 {
    match kind {
        ResourceKind::RecordSet => 0,
        ResourceKind::FrontEnd => 1,
        ResourceKind::Server => 2,
        ResourceKind::Certificate => 3,
        ResourceKind::Zone => 4,
    }
}
