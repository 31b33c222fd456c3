//! What begins and what changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::drafts::Drafts;
use super::super::finding;
use super::Part;
use super::seen::{Generations, is_ready};
use crate::desired::{DesiredPart, Wanted};
use crate::model::{
    AttributeName, ChangeId, Kind, ObjectName, Output, PartName, Reason, Reference, ResourceSpec,
    SeenResource, State, Subject, Value,
};
use crate::plan::{Life, Step, Waiting};

/// What other parts may refer to.
#[derive(Default)]
pub(super) struct Made<'a> {
    parts: BTreeMap<&'a PartName, Standing<'a>>,
}

/// How a wanted part stands.
pub(super) struct Standing<'a> {
    /// The newest object that is as it should be in all that cannot be changed, and its generation.
    /// That is an earlier one again where somebody went back to what was before.
    chosen: Option<(u32, &'a SeenResource)>,
    /// That object is as it should be in everything, and nothing about it is under way.
    done: bool,
    /// Nobody is sent there now: that object is about to be changed, or what it needs is not there.
    unfit: bool,
    /// The newest that is of use now, whatever it is like.
    in_use: Option<(u32, &'a SeenResource)>,
    /// The change by which one comes to be.
    made: Option<ChangeId>,
    /// What it is called at the vendor, or will be.
    name: ObjectName,
}

/// Which object of a part is meant.
#[derive(Clone, Copy)]
enum Which {
    /// The chosen one, also one that this plan makes.
    Any,
    /// The chosen one, and only once the vendor has finished it and nothing changes about it: another
    /// may not do.
    Settled,
    /// The chosen one, or the newest that the vendor has finished.
    SettledOrEarlier,
}

impl Made<'_> {
    /// What has the place of one generation of a wanted part, if another has.
    pub(super) fn replacement(&self, part: &PartName, generation: u32) -> Option<u32> {
        let standing = self.parts.get(part)?;
        let (chosen, ready) = match standing.chosen {
            Some((chosen, one)) => (Some(chosen), is_ready(one)),
            None => (None, false),
        };
        if chosen == Some(generation) {
            return None;
        }
        let later = standing.in_use.map(|(later, _)| later).filter(|later| *later > generation);
        if ready { chosen } else { later }
    }

    /// Whether the part is wanted.
    pub(super) fn is_wanted(&self, part: &PartName) -> bool {
        self.parts.contains_key(part)
    }

    /// Whether a wanted part is there, as it should be in everything.
    pub(super) fn is_done(&self, part: &PartName) -> bool {
        self.parts.get(part).is_some_and(|standing| standing.done)
    }

    /// What a vendor makes up for a part, or what that waits for.
    fn output(&self, part: &PartName, output: Output, which: Which) -> Result<Reference, String> {
        let standing = self.parts.get(part).ok_or_else(|| format!("waits for {part}"))?;
        let of = |one: &SeenResource| one.outputs.get(&output).cloned().map(Reference::Known);
        let chosen = standing.chosen.map(|(_, one)| one);
        let ready = chosen.filter(|one| is_ready(one) && !standing.unfit);
        let found = match which {
            Which::Any => {
                let made = standing.made.map(|by| Reference::Made { by, output });
                made.or_else(|| chosen.and_then(of))
            }
            Which::Settled => ready.and_then(of),
            Which::SettledOrEarlier => ready.or(standing.in_use.map(|(_, one)| one)).and_then(of),
        };
        let name = &standing.name;
        found.ok_or_else(|| match chosen.map(|one| &one.state) {
            Some(State::Settling { what, .. }) => format!("waits for {name} ({what})"),
            _ if standing.made.is_some() => format!("waits for {name}, which comes first"),
            _ => format!("waits for {name}"),
        })
    }
}

impl<'a> Part<'a> {
    /// Makes what is missing, changes what differs, and says what waits.
    pub(super) fn begin(&self, drafts: &mut Drafts) -> Made<'a> {
        let mut made = Made::default();
        for wanted in &self.wanted.parts {
            let standing = self.stand(wanted, &made, drafts);
            made.parts.insert(&wanted.part, standing);
        }
        made
    }

    fn stand(&self, wanted: &'a DesiredPart, made: &Made<'a>, drafts: &mut Drafts) -> Standing<'a> {
        let none = Generations::new();
        let generations = self.seen.part(self.mirror, &wanted.part).unwrap_or(&none);
        let newest_first = || generations.iter().rev().map(|(generation, one)| (*generation, *one));
        let mut standing = Standing {
            chosen: None,
            done: false,
            unfit: false,
            in_use: newest_first().find(|(_, one)| is_ready(one)),
            made: None,
            name: newest_first().next().map_or_else(
                || self.name(&wanted.part, 1),
                |(_, one)| one.observed.spec.name.clone(),
            ),
        };
        let settings = settings(wanted, made);
        let fitting = newest_first()
            .find_map(|(generation, one)| Some((generation, one, fits(one, wanted, &settings)?)));
        if let Some((generation, one, spec)) = fitting {
            let known = settings.values().all(Result::is_ok);
            standing.chosen = Some((generation, one));
            standing.unfit = self.keep(one, wanted, spec, drafts) || self.hangs(one, wanted);
            standing.done = known && !standing.unfit && is_ready(one);
            return standing;
        }
        let last = newest_first().next();
        if let Some((_, one)) = last {
            self.settling(one, drafts);
        }
        let next = last.map_or(1, |(generation, _)| generation.saturating_add(1));
        let name = self.name(&wanted.part, next);
        standing.name = name.clone();
        // What is there does not do: it stays as it is until what takes its place can be made.
        match settings.into_iter().map(|(name, value)| Ok((name, value?))).collect() {
            Ok(settings) => standing.made = self.create(wanted, next, name, settings, drafts),
            Err(what) => drafts.wait(self.to_come(wanted, next, name, what)),
        }
        standing
    }

    /// Whether something that an object needs to serve is not there, whatever it says itself:
    /// somebody took it away.
    fn hangs(&self, one: &SeenResource, wanted: &DesiredPart) -> bool {
        let needed = wanted.settings.iter().filter(|(_, value)| {
            matches!(value, Wanted::Of { settled: true, .. } | Wanted::OfAll { .. })
        });
        let is = &one.observed.spec.settings;
        needed.into_iter().any(|(name, _)| is.get(name).is_none_or(|value| !self.seen.leads(value)))
    }

    /// An object stays in its place. Whether it is changed.
    fn keep(
        &self,
        one: &SeenResource,
        wanted: &DesiredPart,
        spec: ResourceSpec,
        drafts: &mut Drafts,
    ) -> bool {
        let (id, before) = (one.observed.id.clone(), one.observed.spec.clone());
        let Some(subject) = one.observed.ownership.subject().cloned() else { return false };
        if matches!(one.state, State::Retired { .. }) {
            let life = Life::Restore { id, subject, before: Box::new(before) };
            self.push(life, Vec::new(), Arc::clone(&wanted.reasons), drafts);
            return true;
        }
        // Also while the vendor is at it: what is under way may be what is wanted.
        self.settling(one, drafts);
        if spec == before || matches!(one.state, State::Settling { .. }) {
            return spec != before;
        }
        if loses_all(&before, &spec) {
            drafts.wait(self.waiting(one, "would be left with nothing behind it".to_owned()));
            return true;
        }
        let (before, after) = (Box::new(before), Box::new(spec));
        let life = Life::Update { id, subject, before, after };
        self.push(life, Vec::new(), Arc::clone(&wanted.reasons), drafts);
        true
    }

    fn create(
        &self,
        wanted: &DesiredPart,
        generation: u32,
        name: ObjectName,
        settings: BTreeMap<AttributeName, Value>,
        drafts: &mut Drafts,
    ) -> Option<ChangeId> {
        if let Some(why) = self.seen.taken(wanted.kind, &name) {
            let kind = Kind::Resource(wanted.kind).singular();
            drafts.find(finding(
                self.place,
                "name-taken",
                format!("mirror {} cannot have the {kind} `{name}`: that {why}", self.mirror),
                "if it is the mirror's, give it its mark back; if not, rename or remove it by hand; nothing \
                 was changed on it",
            ));
            return None;
        }
        let references = settings.values().flat_map(Value::references);
        let mut needs: Vec<ChangeId> = references
            .filter_map(|reference| match reference {
                Reference::Made { by, .. } => Some(*by),
                Reference::Known(_) => None,
            })
            .collect();
        needs.sort_unstable();
        needs.dedup();
        let spec = Box::new(ResourceSpec { kind: wanted.kind, name, settings });
        let subject = self.subject(&wanted.part, generation);
        let life = Life::Create { subject, spec };
        Some(self.push(life, needs, Arc::clone(&wanted.reasons), drafts))
    }

    fn push(
        &self,
        life: Life<Box<ResourceSpec>>,
        needs: Vec<ChangeId>,
        reasons: Arc<[Reason]>,
        drafts: &mut Drafts,
    ) -> ChangeId {
        drafts.push(self.place, Step::Part { life, replaced: false }, needs, reasons)
    }

    fn to_come(
        &self,
        wanted: &DesiredPart,
        generation: u32,
        object: ObjectName,
        what: String,
    ) -> Waiting {
        Waiting {
            place: (**self.place).clone(),
            kind: Kind::Resource(wanted.kind),
            object,
            subject: self.subject(&wanted.part, generation),
            what,
            since: None,
        }
    }

    fn subject(&self, part: &PartName, generation: u32) -> Subject {
        Subject::Part { mirror: self.mirror.clone(), part: part.clone(), generation }
    }

    fn name(&self, part: &PartName, generation: u32) -> ObjectName {
        format!("{}-{part}-{generation}", self.mirror).into()
    }
}

/// What a part should be like, or what a setting of it waits for.
type Settings = BTreeMap<AttributeName, Result<Value, String>>;

fn settings(wanted: &DesiredPart, made: &Made<'_>) -> Settings {
    let all = wanted.settings.iter();
    all.map(|(name, value)| (name.clone(), setting(value, made))).collect()
}

fn setting(wanted: &Wanted, made: &Made<'_>) -> Result<Value, String> {
    match wanted {
        Wanted::Known(value) => Ok(value.clone()),
        Wanted::Of { part, output, settled, set } => {
            let which = if *settled { Which::Settled } else { Which::Any };
            let reference = made.output(part, *output, which)?;
            Ok(if *set { Value::AllMade([reference].into()) } else { Value::Made(reference) })
        }
        Wanted::OfAll { parts, output } => {
            let one = |part| made.output(part, *output, Which::SettledOrEarlier);
            let all: Vec<Result<Reference, String>> = parts.iter().map(one).collect();
            // Those that are there serve; the others join them later.
            let first = all.iter().find_map(|one| one.as_ref().err().cloned());
            let ready: BTreeSet<Reference> = all.into_iter().filter_map(Result::ok).collect();
            if ready.is_empty() {
                return Err(first.unwrap_or_else(|| "waits for a server".to_owned()));
            }
            Ok(Value::AllMade(ready))
        }
    }
}

/// What an object should be like, where it can be made so: it did not fail, and is as it should be in
/// all that cannot be changed. In what is not known yet, it stays as it is.
fn fits(one: &SeenResource, wanted: &DesiredPart, settings: &Settings) -> Option<ResourceSpec> {
    if matches!(one.state, State::Failed { .. }) {
        return None;
    }
    let is = &one.observed.spec;
    let known = |reference: &Reference| match reference {
        Reference::Known(id) => Some(id.clone()),
        Reference::Made { .. } => None,
    };
    let is_new = |value: &Value| value.references().any(|one| known(one).is_none());
    let mut spec = is.clone();
    for (name, value) in settings {
        let fixed = wanted.fixed.contains(&name.as_str());
        let Ok(value) = value else { continue };
        if is_new(value) {
            // It refers to an object that is about to take another's place.
            if fixed {
                return None;
            }
            continue;
        }
        let value = value.plain(known);
        if fixed && is.settings.get(name) != Some(&value) {
            return None;
        }
        spec.settings.insert(name.clone(), value);
    }
    Some(spec)
}

/// Whether a set that has something would have nothing: a front end its last server, a record its
/// last value.
fn loses_all(before: &ResourceSpec, after: &ResourceSpec) -> bool {
    after.settings.iter().any(|(name, value)| {
        let was_some = |was: &Value| matches!(was, Value::Set(set) if !set.is_empty());
        matches!(value, Value::Set(set) if set.is_empty())
            && before.settings.get(name).is_some_and(was_some)
    })
}
