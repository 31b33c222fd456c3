//! What goes: parts nobody asks for, and generations that another has replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::drafts::Drafts;
use super::Part;
use super::wanted::Made;
use crate::desired::Wanted;
use crate::model::{
    ChangeId, Ending, Kind, ObjectName, Output, PartName, Reason, ResourceKind, SeenResource,
    State, Subject, VendorId,
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
                let last = generations.last_key_value().map(|(last, _)| *last);
                let later = last.filter(|last| failed && last > generation);
                let by = made.replacement(part, *generation).or(later);
                let cause = self.cause(part, *generation, made.is_wanted(part), by);
                going.extend(cause.map(|cause| (*one, cause)));
            }
        }
        // What nothing refers to first: names before front ends, those before servers and zones.
        going.sort_by_key(|(one, _)| (rank(one.observed.spec.kind), one.observed.id.clone()));
        let goes: BTreeSet<&VendorId> = going.iter().map(|(one, _)| &one.observed.id).collect();
        let mut deleted: BTreeMap<&VendorId, ChangeId> = BTreeMap::new();
        for (one, cause) in &going {
            if let Some(what) = self.is_needed(one, &goes, made) {
                drafts.wait(self.waiting(one, what));
                continue;
            }
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

    /// What an object is needed for that does not say so, if it is.
    fn is_needed(
        &self,
        one: &SeenResource,
        goes: &BTreeSet<&VendorId>,
        made: &Made<'_>,
    ) -> Option<String> {
        match one.observed.spec.kind {
            ResourceKind::RecordSet => match self.seen.proven_by(one) {
                Some(certificate) => self.proves(one, certificate, goes),
                None => self.leads(made),
            },
            // In some places they are what they were before, and need what they needed.
            ResourceKind::Server | ResourceKind::Certificate => {
                let name = self.deploying()?;
                Some(format!("goes when front end {name} is everywhere"))
            }
            ResourceKind::Zone | ResourceKind::FrontEnd => None,
        }
    }

    /// A certificate is renewed only for as long as its names are proven.
    fn proves(
        &self,
        one: &SeenResource,
        certificate: &SeenResource,
        goes: &BTreeSet<&VendorId>,
    ) -> Option<String> {
        let is_record = |one: &SeenResource| one.observed.spec.kind == ResourceKind::RecordSet;
        let (records, users): (Vec<_>, Vec<_>) =
            self.seen.referring(certificate).partition(|one| is_record(one));
        let stays = |other: &&&SeenResource| !goes.contains(&other.observed.id);
        let others = records.iter().filter(|other| other.observed.id != one.observed.id);
        let is_ours = certificate.observed.ownership.subject().is_some();
        let stays_too = is_ours && !goes.contains(&certificate.observed.id);
        let is_needed = stays_too || !users.is_empty();
        (is_needed && others.filter(stays).count() == 0).then(|| {
            let name = &certificate.observed.spec.name;
            format!("proves certificate {name}, and goes with it")
        })
    }

    /// A name that leads somewhere goes only once all that should lead somewhere do.
    fn leads(&self, made: &Made<'_>) -> Option<String> {
        let to_front_end =
            |value: &Wanted| matches!(value, Wanted::Of { output: Output::Address, .. });
        let mut names = self.wanted.parts.iter().filter(|wanted| {
            wanted.kind == ResourceKind::RecordSet && wanted.settings.values().any(to_front_end)
        });
        let missing = names.find(|wanted| !made.is_done(&wanted.part))?;
        Some(format!("goes when record set {} is there", missing.part))
    }

    /// A front end of the mirror that is not everywhere yet what it says.
    fn deploying(&self) -> Option<&ObjectName> {
        let all = self.seen.parts(self.mirror).flat_map(|(_, generations)| generations.values());
        let mut fronts = all.filter(|one| one.observed.spec.kind == ResourceKind::FrontEnd);
        let found = fronts.find(|one| matches!(one.state, State::Settling { .. }));
        found.map(|one| &one.observed.spec.name)
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
            let by = by?;
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
