//! Time of planning mirrors: 200 of 60 parts each, all in one account, in three situations.
//!
//! `cargo bench --bench mirrors`. The limit is 200 ms for what they are made of and the difference.

#![expect(clippy::print_stdout, reason = "what it prints is its result")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use reconcile::cloud::memory::MemoryVendor;
use reconcile::desired::{Desired, mirrors};
use reconcile::inventory::{Loaded, SourceTree, load};
use reconcile::model::{
    Observed, Output, Outputs, Ownership, Place, Reading, Reference, ResourceKind, SeenResource,
    State, VendorFacts, VendorId,
};
use reconcile::plan::{DiffInputs, Life, Observations, Plan, Step, diff};

const MIRRORS: usize = 200;
/// With three regions, each a front end and two records; and zone, certificate and its proof.
const SERVERS_PER_REGION: usize = 16;
const PARTS: usize = 3 * (SERVERS_PER_REGION + 3) + 3;
const LIMIT: Duration = Duration::from_millis(200);
const ROUNDS: usize = 9;
const TODAY: Date = date(2026, 11, 1);

const INVENTORY: &str = "\
organisations:
  debian:
    accounts:
      mirrors: {vendor: memory, id: \"100000000001\", hub: true}
directories:
  debian: {ldif: people.ldif, schema: userdir, base: \"dc=example,dc=org\"}
";

type Parts = BTreeMap<Place, BTreeMap<ResourceKind, Reading<Vec<SeenResource>>>>;

fn main() {
    let facts = [MemoryVendor::facts()];
    let (old, new) = (read("debian-13"), read("debian-14"));
    let nothing = nothing(&old);
    let all = all(&old, &facts, &nothing);
    println!("{:22} {:>9} {:>9} {:>9}", "situation", "time", "changes", "waiting");
    let mut too_slow = false;
    let situations = [
        ("nothing there", &old, &nothing),
        ("nothing to do", &old, &all),
        ("another image", &new, &all),
    ];
    for (situation, loaded, parts) in situations {
        let mut times = Vec::new();
        let (mut changes, mut waiting) = (0, 0);
        for _ in 0..ROUNDS {
            let observed = Observations { parts: parts.clone(), ..Observations::default() };
            let began = Instant::now();
            let plan = plan(loaded, &facts, &observed);
            times.push(began.elapsed());
            (changes, waiting) = (plan.changes.len(), plan.waiting.len());
        }
        times.sort();
        let time = times[ROUNDS / 2];
        println!("{situation:22} {:>6} ms {changes:>9} {waiting:>9}", time.as_millis());
        too_slow |= time > LIMIT;
    }
    assert!(!too_slow, "more than {} ms for {MIRRORS} mirrors", LIMIT.as_millis());
}

fn read(image: &str) -> Loaded {
    let mut topology = "mirrors:\n".to_owned();
    for number in 0..MIRRORS {
        let _ = write!(
            topology,
            "  m{number:03}:\n    account: mirrors\n    form: regional\n    archive:\n      \
             upstream: {{host: rsync.debian.example, module: debian}}\n      suites: \
             [trixie]\n      keyring: mirrors/debian.asc\n      fresh_hours: 12\n    name: \
             m{number:03}.mirror.example.org\n    parent_zone: {{name: mirror.example.org, by: \
             delegation}}\n    image: {image}\n    disk_gb: 4000\n    operators: \
             debian:mirrors\n    ceiling: {{amount: 300, currency: EUR}}\n    regions:\n"
        );
        for region in ["asia", "europe", "north"] {
            let _ = writeln!(
                topology,
                "      {region}: {{servers: {SERVERS_PER_REGION}, size: small}}"
            );
        }
    }
    let files = [
        ("inventory/all.yaml", INVENTORY),
        ("policies/all.yaml", "roles: {}\n"),
        ("mirrors/all.yaml", topology.as_str()),
        ("mirrors/debian.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
    ];
    let loaded = load(&SourceTree::from_files(files), &[MemoryVendor::facts()], TODAY);
    assert!(!loaded.has_errors(), "{:#?}", loaded.findings);
    loaded
}

fn plan(loaded: &Loaded, facts: &[VendorFacts], observed: &Observations) -> Plan {
    let mirrors = mirrors(&loaded.topology, &loaded.inventory, facts);
    let desired = Desired { mirrors, ..Desired::default() };
    diff(&DiffInputs { desired: &desired, observed, vendors: facts, grace_days: 30, today: TODAY })
}

fn nothing(loaded: &Loaded) -> Parts {
    let none = || ResourceKind::ALL.map(|kind| (kind, Reading::Complete(Vec::new()))).into();
    let accounts = loaded.inventory.accounts.values();
    accounts.map(|entry| (entry.account.place.clone(), none())).collect()
}

/// What there is once every plan was carried out, and everything has settled.
fn all(loaded: &Loaded, facts: &[VendorFacts], nothing: &Parts) -> Parts {
    let mut parts = nothing.clone();
    for round in 0.. {
        let observed = Observations { parts: parts.clone(), ..Observations::default() };
        let plan = plan(loaded, facts, &observed);
        if plan.changes.is_empty() {
            break;
        }
        let id = |by, output| -> VendorId { format!("{round}:{by}:{output:?}").as_str().into() };
        let known = |reference: &Reference| match reference {
            Reference::Known(id) => Some(id.clone()),
            Reference::Made { by, output } => Some(id(*by, *output)),
        };
        for change in plan.changes {
            let Step::Part { life: Life::Create { subject, spec }, .. } = change.step else {
                panic!("only what is made");
            };
            let mut spec = *spec;
            spec.settings.values_mut().for_each(|value| *value = value.plain(known));
            let outputs = [Output::Id, Output::Address, Output::ProofName, Output::ProofValue];
            let outputs: Outputs =
                outputs.into_iter().map(|output| (output, id(change.id, output))).collect();
            let kind = spec.kind;
            let (id, ownership) = (outputs[&Output::Id].clone(), Ownership::Ours(subject));
            let observed = Observed { id, ownership, spec };
            let one = SeenResource { observed, outputs, expiry: None, state: State::Settled };
            let kinds = parts.get_mut(&*change.place).expect("it is read");
            let reading = kinds.remove(&kind).expect("all kinds");
            let (mut all, _) = reading.into_parts();
            all.push(one);
            kinds.insert(kind, Reading::Complete(all));
        }
    }
    let count: usize =
        parts.values().flat_map(BTreeMap::values).map(|reading| reading.got().len()).sum();
    assert_eq!(count, MIRRORS * PARTS);
    parts
}
