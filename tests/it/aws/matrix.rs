//! Whatever goes wrong with whichever call: nothing foreign is touched, nothing goes that should
//! stay, and the next clean run brings everything where it belongs.
//!
//! A world in which people join, move, leave with a key and come to the end of their grace, in
//! which a group, roles, attachments and an identity provider come and go and others were changed
//! by hand, is reconciled once with a fault at one call, and then without.
//!
//! Every kind of fault is tried at every third call, the first at another position for each kind;
//! with `CI` or `RECONCILE_MATRIX=all` in the environment at every call. All of it is 12 kinds at 68
//! calls: 816 cases of two runs each, measured at 0.37 s a case on an idle core (five minutes of one
//! core), 0.7 s on a machine that three builds share.

use std::time::Duration;

use reconcile::cloud::aws::Settings;

use super::fixture;
use super::world::{BUILDS, HUB, INVENTORY, Someone, TODAY, World};
use crate::peers::moto::{allow, trust};
use crate::peers::wire::{Fault, Place};

const GROUPS: &[&str] = &["admin", "build", "old"];

const BEFORE: &[Someone] = &[
    ("amara", 1001, &["admin"], true),
    ("boris", 1002, &["build"], true),
    ("diego", 1004, &["build"], true),
    ("emeka", 1005, &["old"], true),
];

/// boris moves, diego leaves, emeka's grace is over, farid joins.
const AFTER: &[Someone] = &[
    ("amara", 1001, &["admin"], true),
    ("boris", 1002, &["admin"], true),
    ("diego", 1004, &["build"], false),
    ("emeka", 1005, &["old"], false),
    ("farid", 1006, &["build"], true),
];

const OLD_GRANT: &str = "  - {group: old, role: keeper, accounts: [builds], reason: They keep}\n";

/// Jobs of a forge, with an identity provider of their own.
const SALSA: &str = "service_accounts:\n  salsa: {owners: admin, role: publisher, accounts: [builds], reason: r, forge: {kind: gitlab, issuer: \"https://salsa.example.org\", project: team/site, branch: main}}\n";
const ACTIONS: &str = "service_accounts:\n  actions: {owners: admin, role: publisher, accounts: [builds], reason: r, forge: {kind: github, project: spi@12/site@34, tag: \"v*\"}}\n";

const POLICIES: &str = r#"
roles:
  operator:
    description: Runs instances
    means:
      aws:
        managed_policies: ["arn:aws:iam::{account}:policy/one"]
        inline_policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'
  keeper: {description: Keeps, means: {aws: {managed_policies: ["arn:aws:iam::{account}:policy/one"]}}}
  publisher: {description: Publishes, means: {aws: {}}}
privileged_needs_key: false
limits: {default: {access: {floor: 99}, users: {floor: 9}, memberships: {floor: 9}, groups: {floor: 9}, roles: {floor: 9}, bindings: {floor: 9}, attachments: {floor: 20}}}
"#;

struct Matrix {
    world: World,
    settings: Settings,
}

impl Matrix {
    async fn new() -> Self {
        let world = World::new();
        let settings = fixture::settings(&world.moto, &world.wire, HUB);
        let matrix = Self { world, settings };
        let world = &matrix.world;
        world.policies(POLICIES);
        world.inventory(&format!("{SALSA}{INVENTORY}{OLD_GRANT}"));
        world.directory(GROUPS, BEFORE);
        let builds = world.moto.account(BUILDS);
        builds.policy("one", "/", &allow("s3:Get*"));
        builds.policy("two", "/", &allow("s3:List*"));
        matrix.run().await;
        matrix.by_hand();
        let policies =
            POLICIES.replacen("policy/one", "policy/two", 1).replace("ec2:*", "ec2:Get*");
        world.policies(&policies);
        world.inventory(&format!("{ACTIONS}{INVENTORY}"));
        world.directory(GROUPS, AFTER);
        world.moto.keep();
        matrix
    }

    /// Credentials, foreign things beside ours, drift; and emeka is suspended for long.
    fn by_hand(&self) {
        let hub = self.world.moto.account(HUB);
        hub.access_key("diego");
        let tag = [
            ("UserName", "emeka"),
            ("Tags.member.1.Key", "reconcile:suspended"),
            ("Tags.member.1.Value", "2026-01-01"),
        ];
        hub.iam("TagUser", &tag);
        hub.iam("RemoveUserFromGroup", &[("UserName", "emeka"), ("GroupName", "old")]);
        hub.user("stranger", "/", &[]);
        hub.group("clique", "/");
        hub.member("stranger", "clique");
        hub.inline("User", "stranger", "own", &allow("s3:*"));
        let builds = self.world.moto.account(BUILDS);
        builds.role("theirs", "/", &trust("arn:aws:iam::999999999999:root"), &[]);
        builds.iam("UpdateRole", &[("RoleName", "operator"), ("MaxSessionDuration", "7200")]);
        builds.iam("CreateOpenIDConnectProvider", &[("Url", "https://theirs.example")]);
    }

    /// A run that nothing disturbs, however slow the machine is.
    async fn run(&self) -> usize {
        let settings =
            Settings { call_time_limit: Duration::from_secs(30), ..self.settings.clone() };
        self.world.run_with(settings, TODAY, || {}).await.plan.changes.len()
    }

    /// One that does not wait long.
    async fn disturbed(&self) {
        let limit = Duration::from_millis(100);
        let settings = Settings { call_time_limit: limit, ..self.settings.clone() };
        self.world.run_with(settings, TODAY, || {}).await;
    }

    /// Everything a run may change.
    fn state(&self) -> String {
        let builds = self.world.moto.account(BUILDS);
        let providers = builds.iam("ListOpenIDConnectProviders", &[]).all("Arn");
        let hub = self.world.moto.account(HUB);
        let keys = hub.iam("ListAccessKeys", &[("UserName", "diego")]).all("AccessKeyId");
        format!("{:?}{providers:?}{keys:?}", self.world.state())
    }

    fn assert_nothing_lost(&self, what: &str) {
        self.world.assert_nothing_lost(what);
        let builds = self.world.moto.account(BUILDS);
        let providers = builds.iam("ListOpenIDConnectProviders", &[]).all("Arn");
        assert!(
            providers.iter().any(|arn| arn.ends_with("theirs.example")),
            "{what}: {providers:?}"
        );
        let groups = self.world.moto.account(HUB).iam("ListGroups", &[]).all("GroupName");
        for group in ["admin", "build", "clique"] {
            assert!(groups.iter().any(|one| one == group), "{what}: group {group} is gone");
        }
    }
}

/// One kind of fault at the calls of a run.
async fn at_any_call(number: usize) {
    let fault = &Fault::all()[number];
    let all = ["CI", "RECONCILE_MATRIX"].iter().any(|name| std::env::var_os(name).is_some());
    let (first, step) = if all { (1, 1) } else { (1 + number % 3, 3) };
    let matrix = Matrix::new().await;
    let wire = &matrix.world.wire;
    wire.clear();
    matrix.run().await;
    let calls = wire.calls().len();
    let goal = matrix.state();
    wire.clear();
    assert_eq!(matrix.run().await, 0, "a second run has nothing to do");
    assert_eq!(wire.writes(), []);
    for position in (first..=calls).step_by(step) {
        let what = format!("{fault:?} at call {position} of {calls}");
        matrix.world.moto.restore();
        wire.clear();
        wire.inject(Place::call(position), fault.clone());
        matrix.disturbed().await;
        matrix.assert_nothing_lost(&what);
        wire.clear();
        matrix.run().await;
        assert_eq!(matrix.state(), goal, "{what}: not converged");
    }
}

#[tokio::test]
async fn a_throttled_call() {
    at_any_call(0).await;
}

#[tokio::test]
async fn a_denied_call() {
    at_any_call(1).await;
}

#[tokio::test]
async fn an_internal_error() {
    at_any_call(2).await;
}

#[tokio::test]
async fn an_unavailable_service() {
    at_any_call(3).await;
}

#[tokio::test]
async fn a_reset_before_it_is_done() {
    at_any_call(4).await;
}

#[tokio::test]
async fn a_lost_reply() {
    at_any_call(5).await;
}

#[tokio::test]
async fn a_reply_cut_honestly() {
    at_any_call(6).await;
}

#[tokio::test]
async fn a_reply_cut_short() {
    at_any_call(7).await;
}

#[tokio::test]
async fn an_empty_result() {
    at_any_call(8).await;
}

#[tokio::test]
async fn an_empty_body() {
    at_any_call(9).await;
}

#[tokio::test]
async fn a_stall_before_it_is_done() {
    at_any_call(10).await;
}

#[tokio::test]
async fn a_stall_afterwards() {
    at_any_call(11).await;
}
