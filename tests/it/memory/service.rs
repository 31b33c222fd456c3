//! What the embedded cloud does beyond the conformance suite: quotas, crashes, seeded faults.

use std::sync::Arc;
use std::time::Duration;

use reconcile::cloud::memory::{Fault, MemoryVendor, MemoryWorld, Operation, Settings};
use reconcile::cloud::{Connection, ErrorKind, Vendor as _};
use reconcile::model::{Access, ChangeId, ObjectKey, Site, Subject, UserSpec, VendorId};
use reconcile::plan::{Change, Life, Output, Reference, Step, Target};

use super::fixture::{HUB, account};

async fn connect(vendor: &MemoryVendor) -> Connection {
    vendor.connect(&Site::alone(&account("hub", HUB))).await.unwrap()
}

fn change(step: Step) -> Change {
    let place = Arc::new(account("hub", HUB).place);
    Change::new(ChangeId(0), place, step, Vec::new(), Arc::new([]))
}

fn create_user(name: &str) -> Change {
    let subject = Subject::Person { directory: "people".into(), stable_id: name.into() };
    let user =
        UserSpec { name: name.into(), display_name: None, email: None, access: Access::Enabled };
    change(Step::User(Life::Create { subject, spec: Box::new(user) }))
}

fn create_group(name: &str) -> Change {
    let subject = format!("group:people:{name}").parse().unwrap();
    change(Step::Group(Life::Create {
        subject,
        spec: reconcile::model::GroupSpec { name: name.into() },
    }))
}

async fn make(connection: &Connection, change: &Change) -> VendorId {
    connection.apply.apply(change, &[]).await.unwrap().outputs[&Output::Id].clone()
}

fn join(group: &VendorId, user: &VendorId) -> Change {
    let target = |id: &VendorId| Target { id: Reference::Known(id.clone()), name: "name".into() };
    let subject = "person:people:1".parse().unwrap();
    change(Step::AddMember { group: target(group), user: target(user), subject })
}

#[tokio::test]
async fn quotas_are_kept_exactly() {
    let vendor = MemoryVendor::in_memory();
    let hub = connect(&vendor).await;
    vendor.world().behave(|behaviour| {
        behaviour.users_per_account = Some(2);
        behaviour.groups_per_user = Some(2);
    });
    let user = make(&hub, &create_user("one")).await;
    make(&hub, &create_user("two")).await;
    let error = hub.apply.apply(&create_user("three"), &[]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::QuotaExceeded);
    for (number, allowed) in [(1, true), (2, true), (3, false)] {
        let group = make(&hub, &create_group(&format!("group{number}"))).await;
        let result = hub.apply.apply(&join(&group, &user), &[group.clone(), user.clone()]).await;
        match result {
            Ok(_) => assert!(allowed),
            Err(error) => assert_eq!((error.kind, allowed), (ErrorKind::QuotaExceeded, false)),
        }
    }
}

/// Runs until the world crashes or the work is done, as a process would.
async fn until_crash<T>(world: &MemoryWorld, work: impl Future<Output = T>) -> Option<T> {
    let (sender, crashed) = tokio::sync::oneshot::channel();
    let mut sender = Some(sender);
    world.on_crash(move || {
        if let Some(sender) = sender.take() {
            sender.send(()).unwrap();
        }
    });
    tokio::select! {
        done = work => Some(done),
        _ = crashed => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_stops_everything_until_the_restart() {
    for (fault, survives) in [(Fault::CrashBefore, false), (Fault::CrashAfter, true)] {
        let vendor = MemoryVendor::in_memory();
        let (hub, world) = (connect(&vendor).await, vendor.world());
        world.fail_next_of(Operation::CreateUser, fault);
        let died = until_crash(&world, hub.apply.apply(&create_user("one"), &[])).await;
        assert!(died.is_none() && world.has_crashed());
        // What still runs of the dead process writes nothing.
        let two = create_user("two");
        let late = hub.apply.apply(&two, &[]);
        tokio::time::timeout(Duration::from_secs(1), late).await.unwrap_err();
        assert_eq!(world.dump().unwrap().account(HUB).users.len(), usize::from(survives));
        world.restart();
        let found = hub.apply.look(&ObjectKey::UserNamed("one".into())).await.unwrap();
        assert_eq!(found.is_some(), survives);
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_faults() {
    let kinds: Vec<Fault> = Fault::ALL
        .into_iter()
        .filter(|fault| !matches!(fault, Fault::CrashBefore | Fault::CrashAfter))
        .collect();
    let mut logs = Vec::new();
    for seed in [7, 7, 8] {
        let vendor = MemoryVendor::in_memory();
        let (hub, world) = (connect(&vendor).await, vendor.world());
        world.faults(|faults| faults.seeded(seed, 0.5, &kinds));
        for number in 0..50 {
            // Whether it succeeds is the fault's business.
            let _ = hub.apply.apply(&create_user(&format!("user{number}")), &[]).await;
            let _ = hub.observe.observe().await;
        }
        logs.push((world.log(), world.dump().unwrap()));
    }
    assert_eq!(logs[0], logs[1]);
    assert_ne!(logs[0], logs[2]);
    let log = &logs[0].0;
    assert!(kinds.iter().all(|kind| log.iter().any(|call| call.fault == Some(*kind))));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_call_ends_at_the_time_limit() {
    let settings = Settings { call_time_limit: Duration::from_secs(3), ..Settings::default() };
    let vendor = MemoryVendor::in_memory().with_settings(settings);
    let (hub, world) = (connect(&vendor).await, vendor.world());
    world.fail_next(Fault::Stall);
    let begun = tokio::time::Instant::now();
    let reading = hub.observe.observe().await;
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert!(!reading.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_script_counts_calls_from_one() {
    let vendor = MemoryVendor::in_memory();
    let (hub, world) = (connect(&vendor).await, vendor.world());
    world.faults(|faults| faults.at(2, Fault::Denied));
    make(&hub, &create_user("one")).await;
    let error = hub.apply.apply(&create_user("two"), &[]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert_eq!((world.calls(), world.writes()), (2, 1));
    assert_eq!(world.counts()[&Operation::CreateUser], 2);
}

#[tokio::test(start_paused = true)]
async fn half_a_list_of_credentials_proves_nothing() {
    let vendor = MemoryVendor::in_memory();
    let (hub, world) = (connect(&vendor).await, vendor.world());
    let user = make(&hub, &create_user("one")).await;
    let credential = world.add_credential(HUB, &user, "mfa-device").unwrap();
    for fault in [Fault::EmptyPage, Fault::TruncatedPage] {
        world.fail_next(fault);
        let key = ObjectKey::Credential(credential.clone());
        let error = hub.apply.look(&key).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        world.fail_next(fault);
        assert!(!hub.observe.credentials(std::slice::from_ref(&user)).await.is_complete());
    }
}

#[tokio::test]
async fn worlds_that_came_about_differently_are_described_alike() {
    let mut descriptions = Vec::new();
    for detour in [false, true] {
        let vendor = MemoryVendor::in_memory();
        let (hub, world) = (connect(&vendor).await, vendor.world());
        if detour {
            make(&hub, &create_group("crew")).await;
        }
        let user = make(&hub, &create_user("anna")).await;
        let group = match hub.apply.look(&ObjectKey::GroupNamed("crew".into())).await.unwrap() {
            Some(reconcile::model::Snapshot::Group(group)) => group.id,
            _ => make(&hub, &create_group("crew")).await,
        };
        hub.apply.apply(&join(&group, &user), &[group.clone(), user.clone()]).await.unwrap();
        descriptions.push(world.describe().unwrap());
        world.edit_user(HUB, &user, |user| user.enabled = false).unwrap();
        assert_ne!(world.describe().unwrap(), descriptions[0]);
    }
    assert_eq!(descriptions[0], descriptions[1]);
    assert_eq!(descriptions[0].len(), 3);
}

#[tokio::test]
async fn an_account_id_of_the_wrong_shape_is_refused() {
    let vendor = MemoryVendor::in_memory();
    for id in ["", "1", "11111111111a", "1111111111111", "１１１１１１１１１１１１"] {
        let Err(error) = vendor.connect(&Site::alone(&account("hub", id))).await else {
            panic!("{id}")
        };
        assert_eq!(error.kind, ErrorKind::Invalid);
    }
}

#[test]
fn the_vendors_side_knows_nothing_of_the_programs() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cloud/memory/service");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The target of fuzzing is a test.
        if path.ends_with("fuzz.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        files += 1;
        // Opening a file without being led elsewhere is nobody's word, and neither are the names
        // of what mirrors are made of.
        let nobodys = ["use crate::file;\n", "use crate::model::ResourceKind;\n"];
        let text = nobodys.iter().fold(text, |text, word| text.replace(word, ""));
        assert!(!text.contains("crate::"), "{} uses the program's words", path.display());
    }
    assert!(files >= 5);
}
