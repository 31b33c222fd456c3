//! What of ours ends by itself, and would be missed.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Observations;
use crate::model::{
    Kind, MirrorName, PartName, Place, Reading, ResourceKind, SeenResource, Subject, Value,
};

/// Something that ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End<'a> {
    /// Where it is.
    pub place: &'a Place,
    /// Its name, or what it is.
    pub object: &'a str,
    /// What part of which mirror it is, if it is one.
    pub part: Option<(ResourceKind, &'a Subject)>,
    /// The day on which it ends.
    pub on: Date,
    /// Whether the vendor renews it without being asked.
    pub renews: bool,
}

impl End<'_> {
    /// What kind of object it is, if it is an object.
    pub fn kind(&self) -> Option<Kind> {
        self.part.map(|(kind, _)| Kind::Resource(kind))
    }
}

/// All that ends by itself, by place: what others log in with, and parts of mirrors, without those
/// whose place another has taken.
pub fn ends(observed: &Observations) -> Vec<End<'_>> {
    let log_in = observed.accounts.iter().flat_map(|(place, reading)| {
        let all = reading.got().expiries.iter();
        all.map(move |(what, on)| End { place, object: what, part: None, on: *on, renews: false })
    });
    let parts = observed.parts.iter().flat_map(|(place, readings)| of_parts(place, readings));
    log_in.chain(parts).collect()
}

type Readings = BTreeMap<ResourceKind, Reading<Vec<SeenResource>>>;

fn of_parts<'a>(place: &'a Place, readings: &'a Readings) -> Vec<End<'a>> {
    let all = || readings.values().flat_map(Reading::got);
    let mut last: BTreeMap<(&MirrorName, &PartName), u32> = BTreeMap::new();
    let ending = || all().filter(|one| one.expiry.is_some());
    for (mirror, part, generation) in ending().filter_map(part) {
        let last = last.entry((mirror, part)).or_default();
        *last = generation.max(*last);
    }
    let end = |one: &'a SeenResource| {
        let (mirror, part, generation) = part(one)?;
        let is_last = last.get(&(mirror, part)) == Some(&generation);
        let is_of_use = is_last || all().any(|other| refers(other, one));
        let (spec, expiry) = (&one.observed.spec, one.expiry.filter(|_| is_of_use)?);
        Some(End {
            place,
            object: spec.name.as_str(),
            part: Some((spec.kind, one.observed.ownership.subject()?)),
            on: expiry.day(),
            renews: expiry.renews,
        })
    };
    ending().filter_map(end).collect()
}

/// What an object of ours stands for.
fn part(one: &SeenResource) -> Option<(&MirrorName, &PartName, u32)> {
    match one.observed.ownership.subject()? {
        Subject::Part { mirror, part, generation } => Some((mirror, part, *generation)),
        _ => None,
    }
}

/// Whether one of ours refers to another object by its id.
fn refers(one: &SeenResource, to: &SeenResource) -> bool {
    let is_said = |value: &Value| match value {
        Value::Text(text) => *text == *to.observed.id.as_str(),
        Value::Set(set) => set.contains(to.observed.id.as_str()),
        Value::Number(_) | Value::Flag(_) | Value::Made(_) | Value::AllMade(_) => false,
    };
    one.observed.ownership.subject().is_some() && one.observed.spec.settings.values().any(is_said)
}
