//! Whatever goes wrong with whichever call: nothing foreign is touched, nothing goes that should
//! stay, and the next clean run brings everything where it belongs.
//!
//! A world in which somebody joins, somebody leaves with a key, somebody moves and a role drifted
//! is reconciled once with a fault at one call, and then without. Every kind of fault is tried at
//! every fourth call, the first at another position for each kind; `RECONCILE_MATRIX=all` tries
//! every kind at every call (a few minutes).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reconcile::apply::{Options, execute};
use reconcile::cloud::Vendor;
use reconcile::cloud::aws::{AwsBase, AwsVendor};
use reconcile::directory::Access;
use reconcile::event::Event;
use reconcile::inventory;
use reconcile::plan::{Narrowing, Plan};
use reconcile::run::{Baseline, Sources, gather, prepare};
use reconcile::sink::NoSinks;
use tokio_util::sync::CancellationToken;

use super::fixture;
use crate::peers::moto::{Moto, allow, trust};
use crate::peers::wire::{Fault, Place, Wire};

const HUB: &str = "111111111111";
const BUILDS: &str = "333333333333";

const INVENTORY: &str = r#"
organisations:
  spi:
    accounts:
      hub: {vendor: aws, id: "111111111111", hub: true}
      builds: {vendor: aws, id: "333333333333"}
directories:
  debian: {ldif: inventory/people.ldif, schema: userdir, base: "dc=example,dc=org"}
grants:
  - {group: admin, role: operator, accounts: [builds], reason: They run it}
  - {group: build, role: operator, accounts: [builds], reason: They build}
"#;

const POLICIES: &str = r#"
roles:
  operator:
    description: Runs instances
    means:
      aws:
        inline_policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'
privileged_needs_key: false
limits: {default: {users: {floor: 3}, memberships: {floor: 9}, groups: {floor: 3}, roles: {floor: 3}, bindings: {floor: 9}, attachments: {floor: 20}}}
"#;

/// Login, number, groups, whether they are active.
type Someone = (&'static str, u32, &'static [&'static str], bool);

const BEFORE: &[Someone] = &[
    ("amara", 1001, &["admin"], true),
    ("boris", 1002, &["build"], true),
    ("diego", 1004, &["build"], true),
];

const AFTER: &[Someone] = &[
    ("amara", 1001, &["admin"], true),
    ("boris", 1002, &["admin"], true),
    ("diego", 1004, &["build"], false),
    ("farid", 1006, &["build"], true),
];

struct World {
    moto: Moto,
    wire: Wire,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let moto = Moto::start();
        let wire = Wire::start(moto.address());
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["inventory", "policies", "mirrors"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        std::fs::write(folder.path().join("inventory/all.yaml"), INVENTORY).expect("a file");
        std::fs::write(folder.path().join("policies/all.yaml"), POLICIES).expect("a file");
        Self { moto, wire, folder }
    }

    fn people(&self, people: &[Someone]) {
        let users = "ou=users,dc=example,dc=org";
        let mut text = "dn: dc=example,dc=org\nobjectClass: dcObject\ndc: example\n".to_owned();
        for group in ["admin", "build"] {
            let _ =
                write!(text, "\ndn: gid={group},{users}\nobjectClass: debianGroup\ngid: {group}\n");
        }
        for (login, number, groups, active) in people {
            let _ = write!(
                text,
                "\ndn: uid={login},{users}\nobjectClass: inetOrgPerson\nobjectClass: debianAccount\n\
                 objectClass: debianDeveloper\nuid: {login}\nuidNumber: {number}\ncn: {login}\nsn: x\n"
            );
            for group in *groups {
                let _ = writeln!(text, "supplementaryGid: {group}");
            }
            if !active {
                text += "accountStatus: inactive 2026-01-01\n";
            }
        }
        std::fs::write(self.folder.path().join("inventory/people.ldif"), text).expect("a file");
    }

    /// Everything as it was before somebody joined, left and moved, with foreign things beside it
    /// and a role somebody changed by hand.
    async fn before(&self) {
        self.moto.reset();
        self.wire.clear();
        self.people(BEFORE);
        let plan = self.run().await;
        assert!(!plan.changes.is_empty());
        let hub = self.moto.account(HUB);
        hub.access_key("diego");
        hub.user("stranger", "/", &[]);
        hub.group("clique", "/");
        hub.member("stranger", "clique");
        hub.inline("User", "stranger", "own", &allow("s3:*"));
        let builds = self.moto.account(BUILDS);
        builds.role("theirs", "/", &trust("arn:aws:iam::999999999999:root"), &[]);
        builds.iam("UpdateRole", &[("RoleName", "operator"), ("MaxSessionDuration", "7200")]);
        self.people(AFTER);
        self.wire.clear();
    }

    /// One run, from reading to its end; gives the plan.
    async fn run(&self) -> Plan {
        let settings = fixture::settings_again(&self.moto, &self.wire, HUB);
        let base = AwsBase::new(settings, "faults");
        let vendors: Vec<Arc<dyn Vendor>> = vec![Arc::new(AwsVendor::iam(&base))];
        let root = self.folder.path();
        let facts: Vec<_> = AwsVendor::facts();
        let today = jiff::civil::date(2026, 11, 22);
        let loaded = inventory::load(&inventory::read_folder(root), &facts, today);
        assert!(!loaded.has_errors(), "{:?}", loaded.findings);
        let sources = Sources {
            inventory: &loaded.inventory,
            policies: &loaded.policies,
            vendors: &vendors,
            organisations: BTreeSet::new(),
            access: Access { root, environment: &|_| None },
            today,
        };
        let gathered = gather(&sources).await;
        let baseline = Baseline::read(Path::new("/nowhere")).expect("an empty one");
        let narrowing = Narrowing::default();
        let prepared = prepare(&sources, &gathered, &baseline, Vec::new(), &narrowing, None);
        let options = Options {
            attempts: 4,
            first_wait: Duration::from_millis(5),
            longest_wait: Duration::from_millis(50),
            ..Options::default()
        };
        let mut events = |_: &Event| Ok(());
        let interrupt = CancellationToken::new();
        let review = &prepared.review;
        let connections = &gathered.connections;
        execute(&review.approved, connections, &NoSinks, options, &mut events, &interrupt).await;
        review.approved.plan().clone()
    }

    /// Both accounts as one text, the same for the same content: without ids and times.
    fn state(&self) -> BTreeMap<&'static str, String> {
        let volatile =
            ["UserId", "GroupId", "RoleId", "PolicyId", "CreateDate", "UpdateDate", "RoleLastUsed"];
        [HUB, BUILDS]
            .map(|id| {
                let reply = self.moto.account(id).iam("GetAccountAuthorizationDetails", &[]);
                (id, reply.lines("GetAccountAuthorizationDetailsResult", &volatile))
            })
            .into()
    }

    /// What must be there whatever happened.
    fn assert_nothing_lost(&self, what: &str) {
        let hub = self.moto.account(HUB).iam("GetAccountAuthorizationDetails", &[]);
        let users: Vec<String> =
            hub.members("UserDetailList").iter().map(|user| user.text("UserName")).collect();
        for user in ["amara", "boris", "diego", "stranger", "runner"] {
            assert!(users.iter().any(|one| one == user), "{what}: {user} is gone: {users:?}");
        }
        let stranger = hub.members("UserDetailList");
        let stranger = stranger.iter().find(|user| user.text("UserName") == "stranger");
        let lines = stranger.expect("found above").lines("UserDetailList", &[]);
        let text = format!("{lines}{}", hub.all("PolicyName").join(" "));
        assert!(text.contains("own"), "{what}: the stranger's policy is gone");
        let groups = self.moto.account(HUB).iam("ListGroupsForUser", &[("UserName", "stranger")]);
        assert_eq!(groups.all("GroupName"), ["clique"], "{what}");
        let groups = self.moto.account(HUB).iam("ListGroupsForUser", &[("UserName", "amara")]);
        assert_eq!(groups.all("GroupName"), ["admin"], "{what}: who stays stays in");
        let roles = self.moto.account(BUILDS).iam("ListRoles", &[]).all("RoleName");
        for role in ["operator", "theirs"] {
            assert!(roles.iter().any(|one| one == role), "{what}: role {role} is gone");
        }
    }
}

/// What the service refuses in the middle of a run, and whether the run itself gets over it.
const REFUSALS: &[(&str, u16, &str, usize, bool)] = &[
    // Not all of the service knows yet who was made a moment ago.
    ("CreateRole", 400, "MalformedPolicyDocument", 2, true),
    ("AddUserToGroup", 404, "NoSuchEntity", 2, true),
    ("PutGroupPolicy", 404, "NoSuchEntity", 2, true),
    ("PutGroupPolicy", 409, "ConcurrentModification", 2, true),
    ("CreateUser", 409, "EntityTemporarilyUnmodifiable", 2, true),
    ("CreateUser", 409, "LimitExceeded", 1, false),
    ("PutRolePolicy", 400, "MalformedPolicyDocument", 1, false),
    ("AddUserToGroup", 403, "AccessDenied", 1, false),
    ("CreateUser", 403, "ExpiredToken", 1, false),
];

#[tokio::test]
async fn refusals_in_mid_run() {
    let world = World::new();
    world.moto.reset();
    world.people(AFTER);
    world.run().await;
    let goal = world.state();
    for (action, status, code, times, gets_over) in REFUSALS {
        let what = format!("{code} of {action}");
        world.moto.reset();
        world.wire.clear();
        for attempt in 1..=*times {
            let fault = Fault::Refused(*status, (*code).to_owned());
            world.wire.inject(Place::action(action, attempt), fault);
        }
        world.run().await;
        let met = world.wire.faults_met();
        assert!(met > 0, "{what} did not happen");
        world.wire.clear();
        if *gets_over {
            assert_eq!(world.state(), goal, "{what}: the run did not get over it");
        }
        world.run().await;
        assert_eq!(world.state(), goal, "{what}: not converged");
    }
}

#[tokio::test]
async fn an_account_that_refuses_does_not_stop_the_others() {
    let world = World::new();
    world.before().await;
    let fault = Fault::Refused(403, "AccessDenied".to_owned());
    world.wire.inject(Place::call(1).in_account(BUILDS).and_later(), fault);
    let plan = world.run().await;
    assert!(!plan.incomplete.is_empty(), "the account could not be read");
    world.assert_nothing_lost("an account that refuses");
    let names = world.moto.account(HUB).iam("ListUsers", &[]).all("UserName");
    assert!(names.iter().any(|name| name == "farid"), "who joins gets in elsewhere: {names:?}");
    world.wire.clear();
    world.run().await;
    assert_eq!(world.run().await.changes, []);
}

async fn matrix(faults: &[usize]) {
    let all = std::env::var("RECONCILE_MATRIX").is_ok_and(|value| value == "all");
    let world = World::new();
    world.before().await;
    let calls = {
        world.run().await;
        world.wire.calls().len()
    };
    world.wire.clear();
    let again = world.run().await;
    assert_eq!(again.changes, [], "a second run has nothing to do");
    assert!(world.wire.writes().is_empty());
    let goal = world.state();
    for (number, fault) in Fault::all().into_iter().enumerate() {
        if !faults.contains(&number) {
            continue;
        }
        for position in 1..=calls {
            if !all && (position + number) % 4 != 0 {
                continue;
            }
            let what = format!("{fault:?} at call {position}");
            world.before().await;
            world.wire.inject(Place::call(position), fault.clone());
            world.run().await;
            world.assert_nothing_lost(&what);
            world.wire.clear();
            world.run().await;
            let clean = world.run().await;
            assert_eq!(clean.changes, [], "{what}: not converged");
            assert_eq!(world.state(), goal, "{what}");
        }
    }
}

#[tokio::test]
async fn refusals_and_failures_at_any_call() {
    matrix(&[0, 1, 2, 3]).await;
}

#[tokio::test]
async fn lost_connections_at_any_call() {
    matrix(&[4, 5, 7]).await;
}

#[tokio::test]
async fn cut_and_empty_replies_at_any_call() {
    matrix(&[6, 8, 9]).await;
}

#[tokio::test]
async fn no_answer_at_any_call() {
    matrix(&[10, 11]).await;
}
