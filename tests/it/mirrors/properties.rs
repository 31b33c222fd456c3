//! What is true of every plan of mirrors, whatever there is: of worlds on the way, half retired, with
//! parts removed, edited and without their marks.

use std::collections::BTreeMap;

use fastrand::Rng;
use jiff::civil::date;
use reconcile::cloud::memory::MemoryVendor;
use reconcile::desired::{Desired, mirrors};
use reconcile::inventory::{Loaded, SourceTree, load};
use reconcile::model::{
    Missing, ObjectName, Observed, Output, Outputs, Ownership, Place, Reading, Reference,
    ResourceKind, ResourceSpec, SeenResource, State, Value, VendorId,
};
use reconcile::plan::{DiffInputs, Life, Observations, Plan, Step, diff, lint};

use super::random::written::{INVENTORY, Written, policies};

const WORLDS: u64 = 150;
const TODAY: jiff::civil::Date = date(2026, 11, 1);

/// What an account has, by kind.
type Parts = BTreeMap<Place, BTreeMap<ResourceKind, Reading<Vec<SeenResource>>>>;

struct World {
    loaded: Loaded,
    parts: Parts,
}

impl World {
    /// What some plans have made, and then somebody and time did something to.
    fn random(rng: &mut Rng) -> Self {
        let mut written = Written::random(rng);
        let mut world = Self { loaded: read(&written), parts: Parts::new() };
        for entry in world.loaded.inventory.accounts.values() {
            let none = ResourceKind::ALL.map(|kind| (kind, Reading::Complete(Vec::new())));
            world.parts.insert(entry.account.place.clone(), none.into());
        }
        for _ in 0..rng.u8(1..6) {
            world.make(rng);
            if rng.bool() {
                written.edit(rng);
                world.loaded = read(&written);
            }
        }
        world
    }

    fn plan(&self, parts: Parts) -> Plan {
        let facts = [MemoryVendor::facts()];
        let mirrors = mirrors(&self.loaded.topology, &self.loaded.inventory, &facts);
        let desired = Desired { mirrors, ..Desired::default() };
        let observed = Observations { parts, ..Observations::default() };
        diff(&DiffInputs {
            desired: &desired,
            observed: &observed,
            vendors: &facts,
            grace_days: 30,
            today: TODAY,
        })
    }

    /// Some of what is planned is made; each in some state.
    fn make(&mut self, rng: &mut Rng) {
        let plan = self.plan(self.parts.clone());
        assert_eq!(lint(&plan), []);
        let made = |reference: &Reference| match reference {
            Reference::Known(id) => Some(id.clone()),
            Reference::Made { by, output } => Some(text(&format!("{by}"), *output)),
        };
        for change in &plan.changes {
            let Step::Part { life: Life::Create { subject, spec }, .. } = &change.step else {
                continue;
            };
            let mut spec = (**spec).clone();
            spec.settings.values_mut().for_each(|value| *value = value.plain(made));
            let number = format!("{}", change.id);
            let unique = format!("{number}.{}", rng.u32(..));
            let id: VendorId = unique.as_str().into();
            let outputs: Outputs = [Output::Address, Output::ProofName, Output::ProofValue]
                .into_iter()
                .map(|output| (output, text(&number, output)))
                .chain([(Output::Id, id.clone())])
                .collect();
            let ownership = match rng.u8(..12) {
                0 => Ownership::Unmarked,
                _ => Ownership::Ours(subject.clone()),
            };
            let one = SeenResource {
                observed: Observed { id, ownership, spec },
                outputs,
                expiry: None,
                state: state(rng),
            };
            let kinds = self.parts.get_mut(&*change.place).expect("it is read");
            let reading = kinds.get_mut(&one.observed.spec.kind).expect("all kinds");
            let mut all = reading.got().clone();
            all.push(one);
            all.retain(|_| rng.u8(..20) > 0);
            *reading = Reading::Complete(all);
        }
    }
}

fn text(number: &str, output: Output) -> VendorId {
    format!("{number}:{output:?}").as_str().into()
}

fn state(rng: &mut Rng) -> State {
    match rng.u8(..8) {
        0 => State::Settling {
            what: "being made".to_owned(),
            since: "2026-10-31T12:00:00Z".parse().expect("a time"),
        },
        1 => State::Failed { why: "no more".to_owned() },
        2 => State::Retired { since: date(2026, 10, 30) },
        _ => State::Settled,
    }
}

fn read(written: &Written) -> Loaded {
    let (policies, topology) = (policies(9), written.topology());
    let files = [
        ("inventory/all.yaml", INVENTORY),
        ("policies/all.yaml", policies.as_str()),
        ("mirrors/all.yaml", topology.as_str()),
        ("mirrors/debian.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
    ];
    load(&SourceTree::from_files(files), &[MemoryVendor::facts()], TODAY)
}

fn in_every_world(check: impl Fn(u64, &mut Rng, &World)) {
    for seed in 0..WORLDS {
        let mut rng = Rng::with_seed(seed);
        let world = World::random(&mut rng);
        check(seed, &mut rng, &world);
    }
}

#[test]
fn the_order_of_lists_does_not_matter() {
    in_every_world(|seed, rng, world| {
        let plan = world.plan(world.parts.clone());
        assert_eq!(lint(&plan), [], "{seed}");
        let mut parts = world.parts.clone();
        for reading in parts.values_mut().flat_map(BTreeMap::values_mut) {
            *reading = reading.clone().map(|mut all| {
                rng.shuffle(&mut all);
                all
            });
        }
        assert_eq!(world.plan(parts), plan, "{seed}");
    });
}

#[test]
fn nothing_is_planned_on_half_a_reading() {
    in_every_world(|seed, rng, world| {
        let mut parts = world.parts.clone();
        for kinds in parts.values_mut() {
            let kind = ResourceKind::ALL[rng.usize(..ResourceKind::ALL.len())];
            let reading = kinds.get_mut(&kind).expect("all kinds");
            let left = reading.got().iter().filter(|_| rng.bool()).cloned().collect();
            *reading = Reading::partial(left, Missing::new("a list", "half of it is missing"));
        }
        let plan = world.plan(parts);
        assert_eq!(plan.changes, [], "{seed}");
        assert_eq!(lint(&plan), [], "{seed}");
    });
}

#[test]
fn what_is_not_ours_is_no_object_of_a_plan() {
    in_every_world(|seed, _, world| {
        let all = world.parts.values().flat_map(BTreeMap::values).flat_map(Reading::got);
        let foreign: Vec<&SeenResource> =
            all.filter(|one| one.observed.ownership.subject().is_none()).collect();
        let plan = world.plan(world.parts.clone());
        for change in &plan.changes {
            let Step::Part { life, .. } = &change.step else { panic!("only parts") };
            let is_it = |one: &&&SeenResource| match life {
                Life::Create { spec, .. } => is_named(&one.observed.spec, spec.kind, &spec.name),
                _ => life.id() == Some(&one.observed.id),
            };
            assert!(foreign.iter().find(is_it).is_none(), "{seed}: {change:?}");
        }
    });
}

fn is_named(one: &ResourceSpec, kind: ResourceKind, name: &ObjectName) -> bool {
    one.kind == kind && one.name == *name
}

/// A set that has something never becomes empty: a front end keeps a server, a record a value.
#[test]
fn nothing_loses_all_that_is_behind_it() {
    in_every_world(|seed, _, world| {
        for change in &world.plan(world.parts.clone()).changes {
            let Step::Part { life, .. } = &change.step else { panic!("only parts") };
            let Some(after) = life.wanted() else { continue };
            let is_empty = |value: &Value| match value {
                Value::Set(all) => all.is_empty(),
                Value::AllMade(all) => all.is_empty(),
                _ => false,
            };
            assert!(!after.settings.values().any(is_empty), "{seed}: {change:?}");
        }
    });
}
