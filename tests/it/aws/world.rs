//! Two accounts at AWS and a directory in a file, reconciled inside the test: as a run is, without
//! its command line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, date};
use reconcile::apply::{Options, execute};
use reconcile::cloud::Vendor;
use reconcile::cloud::aws::{AwsBase, AwsVendor, Settings};
use reconcile::directory::Access;
use reconcile::event::{Event, Outcome};
use reconcile::inventory;
use reconcile::operator::Operator;
use reconcile::plan::{Narrowing, Plan};
use reconcile::run::{Baseline, Past, Sources, gather, prepare};
use reconcile::sink::NoSinks;
use tokio_util::sync::CancellationToken;

use super::fixture;
use super::paging::pager::Pager;
use crate::peers::moto::{Moto, allow, trust};
use crate::peers::wire::Wire;

pub const HUB: &str = "111111111111";
pub const BUILDS: &str = "333333333333";

pub const INVENTORY: &str = r#"
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
  watcher: {description: Watches, means: {aws: {}}}
privileged_needs_key: false
limits: {default: {access: {floor: 99}, users: {floor: 3}, memberships: {floor: 9}, groups: {floor: 3}, roles: {floor: 3}, bindings: {floor: 9}, attachments: {floor: 20}}}
"#;

/// The day of most runs.
pub const TODAY: Date = date(2026, 11, 22);

/// Login, number, groups, whether they are active.
pub type Someone<'a> = (&'a str, u32, &'a [&'a str], bool);

pub const BEFORE: &[Someone] = &[
    ("amara", 1001, &["admin"], true),
    ("boris", 1002, &["build"], true),
    ("diego", 1004, &["build"], true),
];

pub const AFTER: &[Someone] = &[
    ("amara", 1001, &["admin"], true),
    ("boris", 1002, &["admin"], true),
    ("diego", 1004, &["build"], false),
    ("farid", 1006, &["build"], true),
];

/// A directory as a file.
pub fn ldif(groups: &[&str], people: &[Someone<'_>]) -> String {
    let users = "ou=users,dc=example,dc=org";
    let mut text = "dn: dc=example,dc=org\nobjectClass: dcObject\ndc: example\n".to_owned();
    for group in groups {
        let _ = write!(text, "\ndn: gid={group},{users}\nobjectClass: debianGroup\ngid: {group}\n");
    }
    for (login, number, groups, active) in people {
        let _ = write!(
            text,
            "\ndn: uid={login},{users}\nobjectClass: inetOrgPerson\nobjectClass: debianAccount\n\
             objectClass: debianDeveloper\nuid: {login}\nuidNumber: {number}\ncn: {login}\nsn: x\n\
             keyFingerPrint: {number:040X}\n"
        );
        for group in *groups {
            let _ = writeln!(text, "supplementaryGid: {group}");
        }
        if !active {
            text += "accountStatus: inactive 2026-01-01\n";
        }
    }
    text + "\n# end\n"
}

/// A run that came to its end.
pub struct Ran {
    pub plan: Plan,
    /// What became of each change.
    outcomes: Vec<Outcome>,
}

impl Ran {
    /// What failed or was skipped: verb and object of the step, why, and what to do.
    pub fn failures(&self) -> Vec<String> {
        let all = self.plan.changes.iter().zip(&self.outcomes);
        all.filter_map(|(change, outcome)| {
            let why = match outcome {
                Outcome::Applied | Outcome::AlreadyTrue | Outcome::Begun { .. } => return None,
                Outcome::Held { why } | Outcome::Skipped { why } => why.clone(),
                Outcome::Failed { why, hint } => format!("{why} ({})", hint.as_deref()?),
            };
            Some(format!("{} {}: {why}", change.step.verb(), change.step.object()))
        })
        .collect()
    }
}

pub struct World {
    pub moto: Moto,
    pub wire: Wire,
    folder: tempfile::TempDir,
    _pager: Option<Pager>,
}

impl World {
    pub fn new() -> Self {
        let moto = Moto::start();
        let wire = Wire::start(moto.address());
        Self::behind(moto, wire, None)
    }

    /// One whose lists all come on pages of one.
    pub fn on_pages_of_one() -> Self {
        Self::on_pages_of(1)
    }

    /// One whose lists come on pages of so many, as those of IAM do and moto's do not.
    pub fn on_pages_of(size: usize) -> Self {
        let moto = Moto::start();
        let pager = Pager::start(moto.address());
        pager.page_size(size);
        let wire = Wire::start(pager.address());
        Self::behind(moto, wire, Some(pager))
    }

    fn behind(moto: Moto, wire: Wire, pager: Option<Pager>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["inventory", "policies", "mirrors"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let world = Self { moto, wire, folder, _pager: pager };
        world.policies(POLICIES);
        world.inventory(INVENTORY);
        world
    }

    pub fn inventory(&self, text: &str) {
        std::fs::write(self.folder.path().join("inventory/all.yaml"), text).expect("a file");
    }

    pub fn policies(&self, text: &str) {
        std::fs::write(self.folder.path().join("policies/all.yaml"), text).expect("a file");
    }

    pub fn people(&self, people: &[Someone<'_>]) {
        self.directory(&["admin", "build"], people);
    }

    pub fn directory(&self, groups: &[&str], people: &[Someone<'_>]) {
        let text = ldif(groups, people);
        std::fs::write(self.folder.path().join("inventory/people.ldif"), text).expect("a file");
    }

    /// Everything as it was before somebody joined, left and moved, with foreign things beside it
    /// and a role somebody changed by hand.
    pub async fn before(&self) {
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
    pub async fn run(&self) -> Plan {
        self.run_on(TODAY, || {}).await.plan
    }

    /// One run on a day, with something that happens between its reading and its first write.
    pub async fn run_on(&self, today: Date, in_between: impl FnOnce()) -> Ran {
        let settings = fixture::settings_again(&self.moto, &self.wire, HUB);
        self.run_with(settings, today, in_between).await
    }

    /// The same with credentials and time limits of one's own.
    pub async fn run_with(
        &self,
        settings: Settings,
        today: Date,
        in_between: impl FnOnce(),
    ) -> Ran {
        let base = AwsBase::new(settings, "faults");
        let vendors: Vec<Arc<dyn Vendor>> = vec![Arc::new(AwsVendor::iam(&base))];
        let root = self.folder.path();
        let facts: Vec<_> = AwsVendor::facts();
        let loaded = inventory::load(&inventory::read_folder(root), &facts, today);
        assert!(!loaded.has_errors(), "{:?}", loaded.findings);
        let sources = Sources {
            inventory: &loaded.inventory,
            policies: &loaded.policies,
            topology: reconcile::mirrors::Topology::none(),
            vendors: &vendors,
            organisations: BTreeSet::new(),
            access: Access { root, operator: &Operator::default(), environment: &|_| None },
            today,
        };
        let gathered = gather(&sources).await;
        let baseline = Baseline::read(Path::new("/nowhere")).expect("an empty one");
        let narrowing = Narrowing::default();
        let prepared =
            prepare(&sources, &gathered, &baseline, &Past::default(), Vec::new(), &narrowing, None);
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
        in_between();
        let approved = &review.approved;
        let outcomes =
            execute(approved, connections, &NoSinks, options, &mut events, &interrupt).await;
        Ran { plan: approved.plan().clone(), outcomes: outcomes.by_change }
    }

    /// Both accounts as one text, the same for the same content: without ids and times.
    pub fn state(&self) -> BTreeMap<&'static str, String> {
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
    pub fn assert_nothing_lost(&self, what: &str) {
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
