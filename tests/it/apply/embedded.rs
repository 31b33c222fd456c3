//! The executor against the embedded cloud, with everything going wrong that passes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::date;
use reconcile::apply::{Options, Outcomes, execute};
use reconcile::cloud::Vendor as _;
use reconcile::cloud::memory::service::state::{Mutation, State};
use reconcile::cloud::memory::{Fault, MemoryVendor, convert};
use reconcile::event::{Event, EventsError, Outcome};
use reconcile::guard::ApprovedPlan;
use reconcile::model::{
    Access, Account, AttributeValue, GroupSpec, Mark, RoleSpec, Site, Source, Subject,
};
use reconcile::plan::{Life, Plan, Reference, Step};
use reconcile::sink::NoSinks;
use tokio_util::sync::CancellationToken;

use super::fake::*;

const HUB: &str = "111111111111";
const BUILDERS: &str = "222222222222";

const PASSING: [Fault; 7] = [
    Fault::Throttle { after: Some(Duration::from_secs(1)) },
    Fault::Unavailable,
    Fault::ResetBefore,
    Fault::LostReply,
    Fault::Stall,
    Fault::StallAfter,
    Fault::Conflict,
];

fn account(name: &str) -> Account {
    Account {
        place: place(name),
        vendor: "memory".into(),
        partition: None,
        id: (if name == "hub" { HUB } else { BUILDERS }).to_owned(),
        hub: "hub".into(),
        project: None,
        settings: BTreeMap::new(),
        source: Source::new("inventory/spi.yaml", 1, 1),
    }
}

/// Somebody is deprovisioned, six people arrive with two groups, and a role in another account is
/// bound to one of the groups.
fn everything(vendor: &MemoryVendor) -> Plan {
    let world = vendor.world();
    let mark = |subject: Subject| Mark { organisation: "spi".into(), subject };
    let old = world.add_user(HUB, "old", Some(&mark(person("old")))).expect("a user");
    let team = group_subject("team");
    let team = world.add_group(HUB, "team", Some(&mark(team))).expect("a group");
    let key = world.add_credential(HUB, &old, "access-key").expect("a key");
    world
        .mutate(|_| Mutation::AddMember {
            account: HUB.to_owned(),
            group: team.to_string(),
            user: old.to_string(),
        })
        .expect("a member");
    world.settle();
    let role = RoleSpec {
        name: "operator".into(),
        description: "Operates".into(),
        attributes: BTreeMap::from([(
            "permissions".into(),
            AttributeValue::Set(["start".to_owned()].into()),
        )]),
    };
    let mut known_old = known("old");
    known_old.id = Reference::Known(old.clone());
    let mut known_team = known("team");
    known_team.id = Reference::Known(team);
    let mut changes = vec![
        (
            "hub",
            Step::RevokeCredential {
                user: "old".into(),
                subject: person("old"),
                credential: Box::new(key),
                replaced_by: None,
            },
            vec![],
        ),
        (
            "hub",
            Step::RemoveMember { group: known_team, user: known_old, subject: Some(person("old")) },
            vec![],
        ),
        (
            "hub",
            Step::User(Life::Retire {
                id: old,
                subject: person("old"),
                before: Box::new(user("old", Access::Enabled)),
                on: date(2026, 11, 22),
            }),
            vec![],
        ),
        ("hub", create_group("admin"), vec![]),
        ("hub", create_group("qa"), vec![]),
    ];
    changes.extend((0..6).map(|number| ("hub", create_user(&format!("new{number}")), vec![])));
    let subject = Subject::Role("operator".into());
    changes.push(("builders", Step::Role(Life::Create { subject, spec: Box::new(role) }), vec![]));
    for group in [3, 4] {
        for user in 5..11 {
            let step = add_member(made(group, "group"), made(user, "user"));
            changes.push(("hub", step, vec![group, user]));
        }
    }
    let bind = Step::BindRole { role: made(11, "operator"), group: made(3, "admin") };
    changes.push(("builders", bind, vec![3, 11]));
    plan(changes)
}

async fn carry_out(vendor: &MemoryVendor, approved: &ApprovedPlan, seed: u64) -> Outcomes {
    let mut connections = BTreeMap::new();
    for name in ["hub", "builders"] {
        let connection = vendor.connect(&Site::alone(&account(name))).await.expect("connected");
        connections.insert(place(name), connection);
    }
    let mut reader = |_: &Event| -> Result<(), EventsError> { Ok(()) };
    let patient =
        Options { attempts: 30, time: Duration::from_hours(1), seed, ..Options::default() };
    execute(approved, &connections, &NoSinks, patient, &mut reader, &CancellationToken::new()).await
}

/// The names of everything, since ids depend on the order of creation.
fn shape(state: &State) -> Vec<String> {
    let mut shape = Vec::new();
    for id in [HUB, BUILDERS] {
        let account = state.account(id);
        for user in account.users.after(None) {
            let groups: BTreeSet<String> =
                account.groups_of(&user.id).map(|group| name_of(state, group)).collect();
            let keys = account.credentials_of(&user.id).count();
            shape.push(format!("{} {} {:?} {groups:?} {keys}", user.name, user.enabled, user.tags));
        }
        shape.extend(account.groups.after(None).map(|group| {
            format!(
                "{} {:?} bound: {}",
                group.name,
                group.tags,
                state.roles_of(&group.id).next().is_some()
            )
        }));
        shape
            .extend(account.roles.after(None).map(|role| format!("{} {:?}", role.name, role.tags)));
    }
    shape.sort();
    shape
}

fn name_of(state: &State, group: &str) -> String {
    state.group_anywhere(group).map(|group| group.name.clone()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn whatever_passes_is_survived_and_ends_in_the_same_world() {
    let calm = MemoryVendor::in_memory();
    let approved = approve(everything(&calm), 100);
    let outcomes = carry_out(&calm, &approved, 0).await;
    assert_eq!(outcomes.counts().applied, approved.plan().changes.len(), "{outcomes:?}");
    let wanted = shape(&calm.world().dump().expect("a state"));
    for seed in 0..60 {
        let vendor = MemoryVendor::in_memory();
        let approved = approve(everything(&vendor), 100);
        vendor.world().behave(|behaviour| {
            behaviour.lag = seed % 4;
            behaviour.latency = Duration::from_millis(seed % 3);
        });
        vendor.world().faults(|faults| faults.seeded(seed, 0.25, &PASSING));
        let outcomes = carry_out(&vendor, &approved, seed).await;
        let counts = outcomes.counts();
        let changes = approved.plan().changes.len();
        assert_eq!(counts.applied + counts.already_true, changes, "seed {seed}: {outcomes:?}");
        assert_eq!(shape(&vendor.world().dump().expect("a state")), wanted, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_embedded_cloud_answers_looks_as_the_goals_expect() {
    let vendor = MemoryVendor::in_memory();
    let approved = approve(everything(&vendor), 100);
    carry_out(&vendor, &approved, 0).await;
    vendor.world().clear_log();
    // The same plan again, as after a kill before anything was recorded.
    let again = carry_out(&vendor, &approved, 0).await;
    assert_eq!(again.counts().failed + again.counts().skipped, 0, "{again:?}");
    assert_eq!(vendor.world().writes(), 0, "{:?}", vendor.world().log());
}

/// A deletion that something of somebody else blocks; `needs` is whether this run takes something
/// off the same victim before.
async fn blocked(
    needs: bool,
    named: &str,
    prepare: impl FnOnce(&MemoryVendor, &[String; 3]) -> usize,
) {
    let vendor = MemoryVendor::in_memory();
    let world = vendor.world();
    let mark = |subject: Subject| Mark { organisation: "spi".into(), subject };
    let old = world.add_user(HUB, "old", Some(&mark(person("old")))).expect("a user");
    let team = world.add_group(HUB, "team", Some(&mark(group_subject("team")))).expect("a group");
    let role = world.add_role(HUB, "operator", Some(&mark("role:operator".parse().unwrap())));
    let ids = [old.to_string(), team.to_string(), role.expect("a role").to_string()];
    world.edit_user(HUB, &old, |user| user.enabled = false).expect("an edit");
    let since = suspended();
    let tag = |user: &mut reconcile::cloud::memory::service::state::User| {
        let Access::Suspended { since, .. } = since else { unreachable!() };
        user.tags.insert("reconcile:suspended".to_owned(), since.to_string());
    };
    world.edit_user(HUB, &old, tag).expect("an edit");
    let join = |group: &str| Mutation::AddMember {
        account: HUB.to_owned(),
        group: group.to_owned(),
        user: ids[0].clone(),
    };
    world.mutate(|_| join(&ids[1])).expect("a member");
    let victim = prepare(&vendor, &ids);
    world.settle();
    let (mut known_old, mut known_team) = (known("old"), known("team"));
    known_old.id = Reference::Known(ids[0].as_str().into());
    known_team.id = Reference::Known(ids[1].as_str().into());
    let leave =
        Step::RemoveMember { group: known_team, user: known_old, subject: Some(person("old")) };
    let state = world.dump().expect("a state");
    let spec = state.account(HUB).roles.get(&ids[2]).expect("the role").clone();
    let delete = match victim {
        0 => Step::User(Life::Delete {
            id: ids[0].as_str().into(),
            subject: person("old"),
            before: Box::new(user("old", since)),
        }),
        1 => Step::Group(Life::Delete {
            id: ids[1].as_str().into(),
            subject: group_subject("team"),
            before: GroupSpec { name: "team".into() },
        }),
        _ => Step::Role(Life::Delete {
            id: ids[2].as_str().into(),
            subject: "role:operator".parse().unwrap(),
            before: Box::new(convert::role(&spec, &"spi".into()).spec),
        }),
    };
    let changes = if needs {
        vec![("hub", leave, vec![]), ("hub", delete, vec![0])]
    } else {
        vec![("hub", delete, vec![])]
    };
    let last = changes.len() - 1;
    world.clear_log();
    let began = tokio::time::Instant::now();
    let outcomes = carry_out(&vendor, &approve(plan(changes), 100), 0).await;
    let Outcome::Failed { why, hint } = &outcomes.by_change[last] else {
        panic!("{named}: {outcomes:?}")
    };
    assert!(why.contains(named), "{named}: {why}");
    let hint = hint.as_deref().unwrap_or_default();
    assert!(hint.contains("take it off at the vendor"), "{hint}");
    if needs {
        // Patience is an hour here; what this run took off is given a moment.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    } else {
        assert_eq!(began.elapsed(), Duration::ZERO, "nothing is waited for");
        let log = world.log();
        let tried = log.iter().filter(|call| call.operation.name().starts_with("Delete"));
        assert_eq!(tried.count(), 1, "{log:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_put_on_a_victim_is_named_at_once() {
    for needs in [false, true] {
        let by_hand = |vendor: &MemoryVendor, ids: &[String; 3]| {
            let world = vendor.world();
            let group = world.add_group(HUB, "by-hand", None).unwrap().to_string();
            let (account, user) = (HUB.to_owned(), ids[0].clone());
            world.mutate(|_| Mutation::AddMember { account, group, user }).unwrap();
            0
        };
        let named = if needs { "leave all groups first: `by-hand`" } else { "`by-hand`" };
        blocked(needs, named, by_hand).await;
        let stranger = |vendor: &MemoryVendor, ids: &[String; 3]| {
            let world = vendor.world();
            let user = world.add_user(HUB, "stranger", None).unwrap().to_string();
            let (account, group) = (HUB.to_owned(), ids[1].clone());
            world.mutate(|_| Mutation::AddMember { account, group, user }).unwrap();
            1
        };
        blocked(needs, "`stranger`", stranger).await;
        let bound = |vendor: &MemoryVendor, ids: &[String; 3]| {
            let world = vendor.world();
            let group = world.add_group(HUB, "theirs", None).unwrap().to_string();
            let (account, role) = (HUB.to_owned(), ids[2].clone());
            world.mutate(|_| Mutation::AddBinding { account, group, role }).unwrap();
            2
        };
        blocked(needs, "unbound from all groups first: `theirs`", bound).await;
    }
    let key = |vendor: &MemoryVendor, ids: &[String; 3]| {
        vendor.world().add_credential(HUB, &ids[0].as_str().into(), "access-key").unwrap();
        0
    };
    blocked(true, "credentials must be deleted first: `access-key ", key).await;
}
