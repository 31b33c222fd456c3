//! How everything managed stands: what is not plainly well, the most urgent first.
//!
//! Pure: from one reading and the plan that follows from it.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic;
use crate::guard::Review;
use crate::model::{
    Access, Kind, Nearness, Observed, Ownership, Place, Reading, SeenResource, State, Subject,
    VendorId, nearness,
};
use crate::plan::{Incomplete, Life, Narrowing, Observations, Step, Waiting, ends};

/// How everything managed stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Status {
    /// The day it is true for.
    #[schemars(with = "String")]
    pub today: Date,
    /// What is not plainly well, and what ends some day, the most urgent first.
    pub items: Vec<Item>,
    /// What could not be read: what is not listed may be there all the same.
    pub incomplete: Vec<Incomplete>,
    /// How many changes a run would make.
    pub changes: usize,
    /// How many errors a run would tell of.
    pub errors: usize,
    /// How many warnings.
    pub warnings: usize,
}

/// One thing, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Item {
    /// How urgent it is.
    pub urgency: Urgency,
    /// Where it is.
    pub place: Place,
    /// The day that matters: its end, its deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub day: Option<Date>,
    /// What kind of object it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Its name, or what it is.
    pub object: String,
    /// Whom or what it stands for, where that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// How it stands.
    pub standing: Standing,
    /// What the next run does about it, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
}

/// How urgent something is, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// It is over, or ends soon.
    Ends,
    /// It will never be as it should.
    Failed,
    /// Somebody must say whose it is.
    Damaged,
    /// A vendor must finish something first.
    Waits,
    /// It is on its way out.
    Leaves,
    /// It ends some day: nobody need do anything.
    EndsLater,
}

/// How something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It ends by itself, or has.
    Ends {
        /// The day.
        #[schemars(with = "String")]
        on: Date,
        /// Whether the vendor renews it without being asked.
        renews: bool,
        /// Whether the day is past.
        over: bool,
    },
    /// The vendor gave up.
    Failed {
        /// Why.
        why: String,
    },
    /// It carries only a part of our mark.
    Damaged {
        /// What is wrong.
        why: String,
    },
    /// It cannot go on yet, or the vendor is at it.
    Waits {
        /// What for.
        what: String,
        /// Since when, where the vendor tells.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        since: Option<Timestamp>,
    },
    /// Nothing new reaches it.
    Drains {
        /// Since when.
        #[schemars(with = "String")]
        since: Date,
        /// What it waits for, if it does.
        #[serde(skip_serializing_if = "Option::is_none")]
        what: Option<String>,
    },
    /// A user who cannot log in any more.
    Suspended {
        /// Since when.
        #[schemars(with = "String")]
        since: Date,
        /// The day from which it may be deleted.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        deleted: Option<Date>,
    },
}

/// What the next run does about something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// It is of use again.
    Restored,
    /// It is deleted.
    Deleted,
    /// A rule keeps the run from it.
    Held,
}

impl Status {
    /// From one reading and what a run would make of it.
    pub fn of(
        observed: &Observations,
        review: &Review,
        narrowing: &Narrowing,
        grace_days: u32,
    ) -> Self {
        let plan = review.approved.plan();
        let (errors, warnings) = diagnostic::count(&plan.findings);
        let look = Look { observed, review, grace_days, next: next(review) };
        let mut items: Vec<Item> = look.ends().chain(look.people()).chain(look.parts()).collect();
        items.retain(|one| narrowing.includes(&one.place, one.kind));
        items.sort();
        Self {
            today: plan.today,
            items,
            incomplete: plan.incomplete.clone(),
            changes: plan.changes.len(),
            errors,
            warnings,
        }
    }

    /// Whether something waits for a vendor, or for a day.
    pub fn waits(&self) -> bool {
        let waits = |one: &Item| match one.standing {
            Standing::Waits { .. } | Standing::Drains { .. } => true,
            Standing::Ends { .. }
            | Standing::Failed { .. }
            | Standing::Damaged { .. }
            | Standing::Suspended { .. } => false,
        };
        self.items.iter().any(waits)
    }

    /// Whether nothing need be told.
    pub fn is_well(&self) -> bool {
        self.items.iter().all(|one| one.urgency == Urgency::EndsLater)
            && self.incomplete.is_empty()
            && self.changes + self.errors == 0
    }
}

type NextRun<'a> = HashMap<(&'a Place, &'a VendorId), Next>;

/// What the next run does about objects that can go and come back.
fn next(review: &Review) -> NextRun<'_> {
    let of_lives = review.approved.plan().changes.iter().filter_map(|change| {
        let (id, next) = match &change.step {
            Step::User(life) => of_life(life)?,
            Step::Part { life, .. } => of_life(life)?,
            _ => return None,
        };
        let is_held = review.approved.held().contains_key(&change.id);
        Some(((&*change.place, id), if is_held { Next::Held } else { next }))
    });
    of_lives.collect()
}

fn of_life<S>(life: &Life<S>) -> Option<(&VendorId, Next)> {
    match life {
        Life::Delete { id, .. } => Some((id, Next::Deleted)),
        Life::Restore { id, .. } => Some((id, Next::Restored)),
        Life::Create { .. } | Life::Update { .. } | Life::Retire { .. } => None,
    }
}

/// What is looked at.
struct Look<'a> {
    observed: &'a Observations,
    review: &'a Review,
    grace_days: u32,
    next: NextRun<'a>,
}

impl<'a> Look<'a> {
    fn today(&self) -> Date {
        self.review.approved.plan().today
    }

    fn next(&self, place: &'a Place, id: &'a VendorId) -> Option<Next> {
        self.next.get(&(place, id)).copied()
    }

    fn ends(&self) -> impl Iterator<Item = Item> {
        let today = self.today();
        ends(self.observed).into_iter().map(move |end| {
            let nearness = nearness(end.on, end.renews, today);
            let far = nearness == Nearness::Far;
            Item {
                urgency: if far { Urgency::EndsLater } else { Urgency::Ends },
                place: end.place.clone(),
                day: Some(end.on),
                kind: end.kind(),
                object: end.object.to_owned(),
                subject: end.part.map(|(_, subject)| subject.clone()),
                standing: Standing::Ends {
                    on: end.on,
                    renews: end.renews,
                    over: nearness == Nearness::Past,
                },
                next: None,
            }
        })
    }

    /// Suspended users, and objects of accounts whose mark is damaged.
    fn people(&self) -> impl Iterator<Item = Item> {
        self.observed.accounts.iter().flat_map(move |(place, reading)| {
            let seen = reading.got();
            let users = seen.users.iter().filter_map(move |user| {
                let subject = user.ownership.subject()?;
                let Access::Suspended { since, .. } = user.spec.access else { return None };
                let deleted = since.checked_add(i64::from(self.grace_days).days()).ok();
                let standing = Standing::Suspended { since, deleted };
                Some(Item {
                    urgency: Urgency::Leaves,
                    place: place.clone(),
                    day: deleted,
                    kind: Some(Kind::User),
                    object: user.spec.name.to_string(),
                    subject: Some(subject.clone()),
                    standing,
                    next: self.next(place, &user.id),
                })
            });
            let damaged = damaged(place, Kind::User, &seen.users, |user| user.name.as_str())
                .chain(damaged(place, Kind::Group, &seen.groups, |group| group.name.as_str()))
                .chain(damaged(place, Kind::Role, &seen.roles, |role| role.name.as_str()));
            users.chain(damaged)
        })
    }

    fn parts(&self) -> impl Iterator<Item = Item> {
        let mut states: HashMap<(&Place, Kind, &str), &State> = HashMap::new();
        let mut items = Vec::new();
        let waiting = &self.review.approved.plan().waiting;
        let key = |one: &'a Waiting| (&one.place, one.kind, one.object.as_str());
        let told: std::collections::HashSet<_> = waiting.iter().map(key).collect();
        for (place, readings) in &self.observed.parts {
            for one in readings.values().flat_map(Reading::got) {
                let spec = &one.observed.spec;
                let of = (place, Kind::Resource(spec.kind), spec.name.as_str());
                let mine = one.observed.ownership.subject().is_some();
                if mine {
                    states.insert(of, &one.state);
                }
                items.extend(damaged_part(place, one));
                let is_told = told.contains(&of) && !matches!(one.state, State::Failed { .. });
                items.extend((mine && !is_told).then(|| self.part(place, one)).flatten());
            }
        }
        items.extend(waiting.iter().map(|one| waits(one, states.get(&key(one)).copied())));
        items.into_iter()
    }

    /// How a part stands, where the plan does not say that it waits.
    fn part(&self, place: &'a Place, one: &'a SeenResource) -> Option<Item> {
        let (urgency, day, standing) = match &one.state {
            State::Settled => return None,
            State::Failed { why } => (Urgency::Failed, None, Standing::Failed { why: why.clone() }),
            State::Settling { what, since } => {
                let standing = Standing::Waits { what: what.clone(), since: Some(*since) };
                (Urgency::Waits, None, standing)
            }
            State::Retired { since } => {
                (Urgency::Leaves, Some(*since), Standing::Drains { since: *since, what: None })
            }
        };
        let next = self.next(place, &one.observed.id);
        Some(Item { urgency, day, standing, next, ..item(place, one) })
    }
}

fn item(place: &Place, one: &SeenResource) -> Item {
    let spec = &one.observed.spec;
    Item {
        urgency: Urgency::Waits,
        place: place.clone(),
        day: None,
        kind: Some(Kind::Resource(spec.kind)),
        object: spec.name.to_string(),
        subject: one.observed.ownership.subject().cloned(),
        standing: Standing::Waits { what: String::new(), since: None },
        next: None,
    }
}

/// What the plan says waits; what is on its way out is listed as that.
fn waits(one: &Waiting, state: Option<&State>) -> Item {
    let Waiting { place, kind, object, subject, what, since } = one;
    let (urgency, day, standing) = match state {
        Some(State::Retired { since }) => {
            let standing = Standing::Drains { since: *since, what: Some(what.clone()) };
            (Urgency::Leaves, Some(*since), standing)
        }
        _ => (Urgency::Waits, None, Standing::Waits { what: what.clone(), since: *since }),
    };
    Item {
        urgency,
        place: place.clone(),
        day,
        kind: Some(*kind),
        object: object.to_string(),
        subject: Some(subject.clone()),
        standing,
        next: None,
    }
}

fn damaged_part(place: &Place, one: &SeenResource) -> Option<Item> {
    let Ownership::Damaged { why, subject } = &one.observed.ownership else { return None };
    let standing = Standing::Damaged { why: why.clone() };
    let subject = subject.clone();
    Some(Item { urgency: Urgency::Damaged, standing, subject, ..item(place, one) })
}

/// The objects of a kind whose mark is damaged.
fn damaged<'a, T>(
    place: &'a Place,
    kind: Kind,
    all: &'a [Observed<T>],
    name: fn(&T) -> &str,
) -> impl Iterator<Item = Item> + use<'a, T> {
    all.iter().filter_map(move |one| {
        let Ownership::Damaged { why, subject } = &one.ownership else { return None };
        Some(Item {
            urgency: Urgency::Damaged,
            place: place.clone(),
            day: None,
            kind: Some(kind),
            object: name(&one.spec).to_owned(),
            subject: subject.clone(),
            standing: Standing::Damaged { why: why.clone() },
            next: None,
        })
    })
}
