//! Times and memory of a whole plan: who should have what, whose credentials to ask for, the
//! difference and its review, for three sizes of organisation in three situations.
//!
//! `cargo bench --bench plan`. Each size and situation runs in a process of its own, so that the
//! peak of its memory is its own. The limits are for 100,000 people: 2 s and 1 GiB.

#![expect(clippy::print_stdout, reason = "what it prints is its result")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

use fastrand::Rng;
use jiff::civil::{Date, date};
use reconcile::cloud::memory::MemoryVendor;
use reconcile::desired::{Inputs, resolve};
use reconcile::directory::{Bounds, DirectoryConfig, Origin, SchemaConfig, SchemaKind};
use reconcile::guard::{Context, review};
use reconcile::inventory::{AccountEntry, Grant, Inventory};
use reconcile::model::{
    Account, AccountStatus, AttributeValue, Binding, Directory, DirectoryGroup, DirectoryName,
    GroupIndex, GroupRef, Joined, Membership, Observed, ObservedAccount, Ownership, Person, Place,
    Private, Reading, Source, Subject, VendorFacts, Via,
};
use reconcile::plan::{DiffInputs, Observations, credentials_needed, diff};
use reconcile::policies::{Policies, Role};

const SIZES: [u32; 3] = [10_000, 30_000, 100_000];
const GROUPS: u32 = 1_000;
const ACCOUNTS: u32 = 200;
const GROUPS_PER_PERSON: u32 = 10;
const ROUNDS: usize = 5;
const TODAY: Date = date(2026, 11, 1);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|word| word == "--one") {
        let people = arguments[at + 1].parse().expect("a number of people");
        one(people, &arguments[at + 2]);
        return;
    }
    println!("{:>8} {:22} {:>9} {:>10} {:>9}", "people", "situation", "time", "peak", "changes");
    let mut too_slow = false;
    for situation in ["nothing there", "nothing to do", "5 % changes"] {
        for people in SIZES {
            let out = Command::new(std::env::current_exe().expect("this program"))
                .args(["--one", &people.to_string(), situation])
                .output()
                .expect("this program runs");
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            let text = String::from_utf8_lossy(&out.stdout);
            let numbers: Vec<u64> =
                text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
            let [time, peak, changes] = numbers[..] else { panic!("three numbers: {text}") };
            println!("{people:>8} {situation:22} {time:>6} ms {peak:>6} MiB {changes:>9}");
            too_slow |= people == 100_000 && (time > 2_000 || peak > 1_024);
        }
    }
    assert!(!too_slow, "more than 2 s or 1 GiB for 100,000 people");
}

/// Prints milliseconds, peak MiB and the number of changes.
fn one(people: u32, situation: &str) {
    let world = World::new(people);
    let observed = match situation {
        "nothing there" => world.nothing_there(),
        "nothing to do" => world.all_there(&world.directories),
        _ => world.all_there(&world.changed()),
    };
    let observed = world.asked(observed);
    let mut times = Vec::new();
    let mut changes = 0;
    for _ in 0..ROUNDS {
        let (time, count) = world.plan(&observed);
        times.push(time);
        changes = count;
    }
    times.sort();
    println!("{} {} {changes}", times[ROUNDS / 2].as_millis(), peak_mib());
}

/// The most memory this process ever used.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux system");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    let kib: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib / 1024
}

struct World {
    inventory: Inventory,
    policies: Policies,
    directories: BTreeMap<DirectoryName, Reading<Directory>>,
    facts: [VendorFacts; 1],
}

impl World {
    fn new(people: u32) -> Self {
        let directory = directory(people);
        Self {
            inventory: inventory(),
            policies: policies(),
            directories: BTreeMap::from([(directory.name.clone(), Reading::Complete(directory))]),
            facts: [MemoryVendor::facts()],
        }
    }

    fn plan(&self, observed: &Observations) -> (Duration, usize) {
        let began = Instant::now();
        let desired = resolve(&self.inputs(&self.directories));
        let inputs = DiffInputs {
            desired: &desired,
            observed,
            vendors: &self.facts,
            grace_days: 30,
            today: TODAY,
        };
        let needed = credentials_needed(&inputs);
        // They were asked for before: nobody has any.
        assert!(needed.keys().all(|place| observed.credentials.contains_key(place)));
        let plan = diff(&inputs);
        let review = review(plan, &Context::new(&self.policies));
        let took = began.elapsed();
        (took, review.approved.plan().changes.len())
    }

    fn inputs<'a>(
        &'a self,
        directories: &'a BTreeMap<DirectoryName, Reading<Directory>>,
    ) -> Inputs<'a> {
        Inputs {
            inventory: &self.inventory,
            policies: &self.policies,
            directories,
            vendors: &self.facts,
            today: TODAY,
        }
    }

    fn nothing_there(&self) -> Observations {
        let accounts = self.inventory.accounts.values();
        let empty = || Reading::Complete(ObservedAccount::default());
        Observations {
            accounts: accounts.map(|entry| (entry.account.place.clone(), empty())).collect(),
            credentials: BTreeMap::new(),
            doubtful: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            parts: BTreeMap::new(),
        }
    }

    /// With the answer to whose credentials were asked for: nobody has any.
    fn asked(&self, mut observed: Observations) -> Observations {
        let desired = resolve(&self.inputs(&self.directories));
        let needed = credentials_needed(&DiffInputs {
            desired: &desired,
            observed: &observed,
            vendors: &self.facts,
            grace_days: 30,
            today: TODAY,
        });
        let none = |user| (user, Reading::Complete(Vec::new()));
        let answers =
            needed.into_iter().map(|(place, users)| (place, users.into_iter().map(none).collect()));
        observed.credentials = answers.collect();
        observed
    }

    /// A directory in which one person of twenty is different.
    fn changed(&self) -> BTreeMap<DirectoryName, Reading<Directory>> {
        let mut rng = Rng::with_seed(7);
        let mut directories = self.directories.clone();
        for reading in directories.values_mut() {
            *reading = reading.clone().map(|mut directory| {
                for person in &mut directory.people {
                    if rng.u8(..20) > 0 {
                        continue;
                    }
                    match rng.u8(..4) {
                        0 => person.status = AccountStatus::Gone("inactive".into()),
                        1 => person.login = format!("old-{}", person.login).into(),
                        2 => person.email = None,
                        _ => person.groups.retain(|_| rng.bool()),
                    }
                }
                directory
            });
        }
        directories
    }

    /// What would be there, had everything been made from those directories.
    fn all_there(&self, directories: &BTreeMap<DirectoryName, Reading<Directory>>) -> Observations {
        let desired = resolve(&self.inputs(directories));
        let mut group_ids = BTreeMap::new();
        let mut accounts: BTreeMap<Place, ObservedAccount> = BTreeMap::new();
        for (place, hub) in &desired.hubs {
            let account = accounts.entry(place.clone()).or_default();
            let user = |at: usize| format!("u-{at:08x}");
            let group = |at: usize| format!("g-{at:08x}");
            for (at, wanted) in hub.users.iter().enumerate() {
                account.users.push(owned(user(at), &wanted.subject, wanted.spec.clone()));
            }
            for (at, wanted) in hub.groups.iter().enumerate() {
                group_ids.insert(wanted.subject.clone(), group(at));
                account.groups.push(owned(group(at), &wanted.subject, wanted.spec.clone()));
            }
            account.memberships.extend(hub.memberships.iter().map(|one| Membership {
                group: group(one.group as usize).into(),
                user: user(one.user as usize).into(),
            }));
        }
        for (place, wanted) in &desired.accounts {
            let account = accounts.entry(place.clone()).or_default();
            for (name, role) in &wanted.roles {
                let subject = name.clone();
                account.roles.push(owned(format!("r-{name}"), &subject, role.spec.clone()));
            }
            account.bindings.extend(wanted.bindings.keys().map(|(group, role)| Binding {
                role: format!("r-{role}").into(),
                group: group_ids[group].clone().into(),
            }));
        }
        Observations {
            accounts: accounts
                .into_iter()
                .map(|(place, account)| (place, Reading::Complete(account)))
                .collect(),
            credentials: BTreeMap::new(),
            doubtful: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            parts: BTreeMap::new(),
        }
    }
}

fn owned<T>(id: String, subject: &Subject, spec: T) -> Observed<T> {
    Observed { id: id.into(), ownership: Ownership::Ours(subject.clone()), spec }
}

fn directory(people: u32) -> Directory {
    let mut rng = Rng::with_seed(1);
    let name = |number: u32| format!("group-{number:04}");
    let groups = (0..GROUPS).map(|at| DirectoryGroup::named(name(at))).collect();
    let mut people: Vec<Person> = (0..people)
        .map(|number| {
            let mut mine = BTreeSet::new();
            while mine.len() < GROUPS_PER_PERSON as usize {
                mine.insert(rng.u32(..GROUPS));
            }
            let joined =
                mine.into_iter().map(|at| Joined { group: GroupIndex(at), via: Via::Direct });
            Person {
                has_key: Some(true),
                display_name: Some(Private::new(format!("Person Number {number}"))),
                email: Some(Private::new(format!("person{number}@example.org"))),
                groups: joined.collect(),
                ..Person::new((10_000 + number).to_string(), format!("person{number}"))
            }
        })
        .collect();
    people.sort_by(|a, b| a.stable_id.cmp(&b.stable_id));
    Directory { people, groups, ..Directory::empty("debian".into()) }
}

fn inventory() -> Inventory {
    let mut inventory = Inventory::default();
    for number in 0..ACCOUNTS {
        let name = format!("account-{number:03}");
        let account = Account {
            place: Place { organisation: "spi".into(), account: name.as_str().into() },
            vendor: "memory".into(),
            partition: None,
            id: format!("{number:012}"),
            hub: "account-000".into(),
            project: None,
            settings: BTreeMap::new(),
            source: Source::new("inventory/accounts.yaml", number + 1, 1),
        };
        let entry = AccountEntry {
            account,
            administrators: None,
            retired: false,
            sponsor: None,
            contacts: Vec::new(),
            constraints: Vec::new(),
        };
        inventory.accounts.insert(name.as_str().into(), entry);
    }
    for number in 0..GROUPS {
        inventory.grants.push(Grant {
            group: GroupRef {
                directory: "debian".into(),
                group: format!("group-{number:04}").into(),
            },
            role: if number % 3 == 0 { "operator" } else { "reader" }.into(),
            accounts: (0..5)
                .map(|more| format!("account-{:03}", (number + more * 37) % ACCOUNTS))
                .collect::<BTreeSet<String>>()
                .into_iter()
                .map(Into::into)
                .collect(),
            reason: "it has work to do there".to_owned(),
            until: None,
            source: Source::new("inventory/grants.yaml", number + 1, 1),
        });
    }
    let config = DirectoryConfig {
        name: "debian".into(),
        origin: Origin::Retired,
        schema: SchemaConfig::new(SchemaKind::Userdir, "dc=debian,dc=org"),
        name_prefix: String::new(),
        reissued: BTreeMap::new(),
        login_map: BTreeMap::new(),
        group_map: BTreeMap::new(),
        bounds: Bounds::default(),
        source: Source::new("inventory/directories.yaml", 1, 1),
    };
    inventory.directories.insert(config.name.clone(), config);
    inventory
}

fn policies() -> Policies {
    let mut policies = Policies::default();
    for name in ["operator", "reader"] {
        let permissions = AttributeValue::Set([format!("{name}:everything")].into());
        let role = Role {
            name: name.into(),
            description: format!("what {name} means"),
            privileged: name == "operator",
            means: BTreeMap::from([(
                "memory".into(),
                BTreeMap::from([("permissions".into(), permissions)]),
            )]),
            source: Source::new("policies/roles.yaml", 1, 1),
        };
        policies.roles.insert(role.name.clone(), role);
    }
    policies
}
