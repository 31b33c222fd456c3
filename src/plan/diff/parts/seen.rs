//! The parts an account has, by what they stand for, and who refers to whom.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::drafts::Drafts;
use super::super::{copied_mark, unowned};
use crate::model::{
    Kind, MirrorName, ObjectName, Output, PartName, Place, ResourceKind, SeenResource, State,
    Subject, Value,
};

/// The objects of one part, by generation, the earliest first.
pub(super) type Generations<'a> = BTreeMap<u32, &'a SeenResource>;

/// The parts an account has.
pub(super) struct Seen<'a> {
    ours: BTreeMap<&'a MirrorName, BTreeMap<&'a PartName, Generations<'a>>>,
    /// What is not ours, by kind and name in lower case.
    others: HashMap<(ResourceKind, String), &'a SeenResource>,
    /// Who says a text: an id, an address. Also what is not ours, or not any more: it would break
    /// just as well.
    said_by: HashMap<&'a str, Vec<&'a SeenResource>>,
    /// Everything, also what is not ours, by each text that the vendor made up for it.
    made_for: HashMap<&'a str, (Output, &'a SeenResource)>,
}

impl<'a> Seen<'a> {
    /// Sorts what there is. Of two objects with one mark the one with the smaller id counts.
    pub(super) fn of(
        place: &Place,
        all: impl Iterator<Item = &'a SeenResource>,
        drafts: &mut Drafts,
    ) -> Self {
        let mut all: Vec<&SeenResource> = all.collect();
        all.sort_by(|a, b| a.observed.id.cmp(&b.observed.id));
        let mut seen = Self {
            ours: BTreeMap::new(),
            others: HashMap::new(),
            said_by: HashMap::new(),
            made_for: HashMap::new(),
        };
        for one in all {
            let spec = &one.observed.spec;
            for text in spec.settings.values().flat_map(texts) {
                seen.said_by.entry(text).or_default().push(one);
            }
            let outputs = one.outputs.iter();
            seen.made_for.extend(outputs.map(|(output, text)| (text.as_str(), (*output, one))));
            let Some(Subject::Part { mirror, part, generation }) = one.observed.ownership.subject()
            else {
                seen.others.insert((spec.kind, spec.name.as_str().to_lowercase()), one);
                continue;
            };
            let generations = seen.ours.entry(mirror).or_default().entry(part).or_default();
            if generations.contains_key(generation) {
                let subject = Subject::Part {
                    mirror: mirror.clone(),
                    part: part.clone(),
                    generation: *generation,
                };
                let kind = Kind::Resource(spec.kind).singular();
                drafts.find(copied_mark(place, kind, &spec.name, &subject));
                continue;
            }
            generations.insert(*generation, one);
        }
        seen
    }

    /// The mirrors of which there are parts.
    pub(super) fn mirrors(&self) -> impl Iterator<Item = &'a MirrorName> {
        self.ours.keys().copied()
    }

    /// How many parts of a mirror there are.
    pub(super) fn count(&self, mirror: &MirrorName) -> usize {
        self.parts(mirror).map(|(_, generations)| generations.len()).sum()
    }

    /// The parts of a mirror, by name.
    pub(super) fn parts(
        &self,
        mirror: &MirrorName,
    ) -> impl Iterator<Item = (&'a PartName, &Generations<'a>)> {
        let parts = self.ours.get(mirror).into_iter().flatten();
        parts.map(|(part, generations)| (*part, generations))
    }

    /// The objects of a part.
    pub(super) fn part(&self, mirror: &MirrorName, part: &PartName) -> Option<&Generations<'a>> {
        self.ours.get(mirror)?.get(part)
    }

    /// Who refers to something, itself excepted.
    pub(super) fn referrers(&self, of: &SeenResource) -> BTreeSet<&'a ObjectName> {
        self.referring(of).map(|one| &one.observed.spec.name).collect()
    }

    /// The same, as objects.
    pub(super) fn referring(&self, of: &SeenResource) -> impl Iterator<Item = &'a SeenResource> {
        let said = of.outputs.values().filter_map(|output| self.said_by.get(output.as_str()));
        let id = of.observed.id.clone();
        said.flatten().copied().filter(move |one| one.observed.id != id)
    }

    /// The certificate that a record proves, if it is a proof.
    pub(super) fn proven_by(&self, record: &SeenResource) -> Option<&'a SeenResource> {
        let mut said = record.observed.spec.settings.values().flat_map(texts);
        said.find_map(|text| match self.made_for.get(text) {
            Some((Output::ProofValue, certificate)) => Some(*certificate),
            _ => None,
        })
    }

    /// Whether a value names something that is there and of use.
    pub(super) fn leads(&self, value: &Value) -> bool {
        let of_use =
            |one: &SeenResource| matches!(one.state, State::Settled | State::Retired { .. });
        texts(value).any(|text| self.made_for.get(text).is_some_and(|(_, one)| of_use(one)))
    }

    /// Why a name cannot be used for something of ours, if so.
    pub(super) fn taken(&self, kind: ResourceKind, name: &ObjectName) -> Option<String> {
        let other = self.others.get(&(kind, name.as_str().to_lowercase()))?;
        Some(unowned(&other.observed.ownership))
    }
}

/// Whether the vendor has finished it, and it is in use.
pub(super) fn is_ready(one: &SeenResource) -> bool {
    one.state == State::Settled
}

fn texts(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::Text(text) => Box::new(std::iter::once(text.as_str())),
        Value::Set(set) => Box::new(set.iter().map(String::as_str)),
        Value::Number(_) | Value::Flag(_) | Value::Made(_) | Value::AllMade(_) => {
            Box::new(std::iter::empty())
        }
    }
}
