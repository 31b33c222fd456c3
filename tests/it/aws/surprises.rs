//! AWS is not as the run has read it: something came in between, or is not visible yet.

use jiff::civil::date;

use super::world::{AFTER, BEFORE, BUILDS, HUB, INVENTORY, TODAY, World};
use crate::peers::moto::{allow, trust};
use crate::peers::wire::{Fault, Place};

/// Objects of each kind: how they are made, looked at and listed.
const KINDS: [(&str, &str); 3] =
    [("CreateUser", "GetUser"), ("CreateGroup", "GetGroup"), ("CreateRole", "GetRole")];

/// The replies that show an account as a whole, with what the program asks for.
const BULK: [(&str, &[(&str, &str)]); 3] = [
    ("GetAccountSummary", &[]),
    ("GetAccountAuthorizationDetails", &[]),
    ("ListRoles", &[("PathPrefix", "/reconcile/")]),
];

impl World {
    async fn applied(&self) {
        self.moto.reset();
        self.people(BEFORE);
        self.run().await;
        self.wire.clear();
    }

    /// A run in which the deletion of one thing is refused, and the next one.
    async fn conflict(
        &self,
        day: jiff::civil::Date,
        what: &str,
        blocker: &str,
        meddle: impl FnOnce(),
    ) {
        let ran = self.run_on(day, meddle).await;
        let failures = ran.failures();
        assert_eq!(failures.len(), 1, "{failures:?}");
        let failure = &failures[0];
        assert!(failure.starts_with(&format!("delete {what}: ")), "{failure}");
        assert!(failure.contains("DeleteConflict: "), "{failure}");
        assert!(failure.contains("take it off at the vendor"), "{failure}");
        assert!(failure.contains(blocker), "{failure}");
    }

    async fn converges(&self, day: jiff::civil::Date) {
        let ran = self.run_on(day, || {}).await;
        assert!(!ran.plan.changes.is_empty());
        assert_eq!(ran.failures(), [""; 0]);
        assert_eq!(self.run_on(day, || {}).await.plan.changes, []);
    }

    /// What the accounts show of themselves now, to be shown again later; with or without the
    /// first, which is their word on how much there is.
    fn earlier(&self, with_summary: bool) -> Vec<(Place, Fault)> {
        let mut all = Vec::new();
        for id in [HUB, BUILDS] {
            for (action, parameters) in BULK.iter().skip(usize::from(!with_summary)) {
                let reply = self.moto.account(id).iam(action, parameters);
                let place = Place::action(action, 1).in_account(id).and_later();
                all.push((place, Fault::Earlier(reply.as_text().to_owned())));
            }
        }
        all
    }

    /// A run that reads the accounts as they were earlier writes nothing that is wrong now, and
    /// the next one nothing at all.
    async fn reads_late(&self, earlier: Vec<(Place, Fault)>) {
        let goal = self.state();
        for (place, fault) in earlier {
            self.wire.inject(place, fault);
        }
        let ran = self.run_on(TODAY, || {}).await;
        assert!(self.wire.faults_met() > 3, "the accounts were read as they were");
        // What is not listed, though it is counted, is not proven to be absent.
        assert!(!ran.plan.changes.is_empty() || !ran.plan.incomplete.is_empty());
        assert_eq!(ran.failures(), [""; 0]);
        assert_eq!(self.state(), goal);
        self.wire.clear();
        assert_eq!(self.run().await.changes, []);
        assert_eq!(self.wire.writes(), []);
    }
}

#[tokio::test]
async fn a_user_who_got_a_key_in_the_meantime_is_not_deleted_by_half() {
    let world = World::new();
    world.applied().await;
    world.people(AFTER);
    world.run().await;
    let hub = world.moto.account(HUB);
    let then = date(2027, 1, 20);
    let before = hub.iam("GetUser", &[("UserName", "diego")]);
    world.conflict(then, "user diego", "access key `AK", || drop(hub.access_key("diego"))).await;
    assert_eq!(
        hub.iam("GetUser", &[("UserName", "diego")]).lines("User", &[]),
        before.lines("User", &[])
    );
    assert_eq!(hub.iam("ListAccessKeys", &[("UserName", "diego")]).all("AccessKeyId").len(), 1);
    world.converges(then).await;
    let gone = hub.try_iam("GetUser", &[("UserName", "diego")]);
    assert_eq!(gone.unwrap_err().code, "NoSuchEntity");
}

#[tokio::test]
async fn a_group_somebody_joined_in_the_meantime_is_not_deleted_by_half() {
    let world = World::new();
    world.applied().await;
    world.inventory(&INVENTORY.replace(
        "  - {group: build, role: operator, accounts: [builds], reason: They build}\n",
        "",
    ));
    let hub = world.moto.account(HUB);
    let meddle = || {
        hub.user("stranger", "/", &[]);
        hub.member("stranger", "build");
    };
    world.conflict(TODAY, "group build", "member `stranger`", meddle).await;
    let group = hub.iam("GetGroup", &[("GroupName", "build")]);
    assert_eq!(group.all("UserName"), ["stranger"]);
    assert_eq!(group.text("Path"), "/reconcile/spi/group:debian:build/");
    world.converges(TODAY).await;
    let gone = hub.try_iam("GetGroup", &[("GroupName", "build")]);
    assert_eq!(gone.unwrap_err().code, "NoSuchEntity");
    hub.iam("GetUser", &[("UserName", "stranger")]);
}

#[tokio::test]
async fn a_role_that_got_a_policy_in_the_meantime_is_not_deleted_by_half() {
    let world = World::new();
    world.applied().await;
    world.inventory(&INVENTORY.replace("role: operator", "role: watcher"));
    let builds = world.moto.account(BUILDS);
    let role = [("RoleName", "operator")];
    let tags = builds.iam("GetRole", &role).lines("Tags", &[]);
    let meddle = || {
        let arn = builds.policy("by-hand", "/", &allow("s3:*"));
        builds.attach("Role", "operator", &arn);
    };
    world.conflict(TODAY, "role operator", "policy `by-hand`", meddle).await;
    assert_eq!(builds.iam("GetRole", &role).lines("Tags", &[]), tags);
    assert_eq!(builds.iam("ListAttachedRolePolicies", &role).all("PolicyName"), ["by-hand"]);
    world.converges(TODAY).await;
    assert_eq!(builds.try_iam("GetRole", &role).unwrap_err().code, "NoSuchEntity");
    assert_eq!(builds.iam("ListPolicies", &[("Scope", "Local")]).all("PolicyName"), ["by-hand"]);
}

#[tokio::test]
async fn what_a_lost_reply_made_is_taken_up_as_soon_as_it_is_visible() {
    let world = World::new();
    world.moto.reset();
    world.people(AFTER);
    world.run().await;
    let goal = world.state();
    for (create, get) in KINDS {
        for lag in 0..=2 {
            let what = format!("{create}, not visible in {lag} looks");
            world.moto.reset();
            world.wire.clear();
            world.wire.inject(Place::action(create, 1), Fault::ReplyLost);
            for look in 1..=lag {
                let fault = Fault::Refused(404, "NoSuchEntity".to_owned());
                world.wire.inject(Place::action(get, look), fault);
            }
            let ran = world.run_on(TODAY, || {}).await;
            assert_eq!(world.wire.faults_met(), lag + 1, "{what}");
            assert_eq!(ran.failures(), [""; 0], "{what}");
            assert_eq!(world.state(), goal, "{what}");
            // As often as it could not be seen it was made again, which AWS refused.
            let calls = world.wire.calls();
            let refused = calls.iter().filter(|call| call.action == create);
            assert_eq!(refused.filter(|call| call.status == Some(409)).count(), lag, "{what}");
            world.wire.clear();
            assert_eq!(world.run().await.changes, [], "{what}");
        }
    }
}

/// Whose the thing is that came in between.
const OTHERS: [(&str, &str); 3] = [
    ("", "it carries no mark"),
    ("others", "it carries another mark (others)"),
    ("spi", "it stands for "),
];

#[tokio::test]
async fn what_somebody_else_made_in_the_meantime_is_not_touched() {
    let world = World::new();
    for (kind, name) in [("User", "farid"), ("Role", "operator")] {
        for (organisation, why) in OTHERS {
            let subject = if kind == "User" { "person:debian:9" } else { "role:other" };
            let tags = [("reconcile:organisation", organisation), ("reconcile:subject", subject)];
            let tags = if organisation.is_empty() { &[][..] } else { &tags };
            let path = match organisation {
                "" => "/".to_owned(),
                _ => format!("/reconcile/{organisation}/"),
            };
            let account = world.moto.account(if kind == "User" { HUB } else { BUILDS });
            let make = || match kind {
                "User" => drop(account.user(name, &path, tags)),
                _ => drop(account.role(name, &path, &trust("arn:aws:iam::9:root"), tags)),
            };
            not_touched(&world, kind, name, why, make).await;
        }
    }
    for (path, why) in [
        ("/", "it carries no mark"),
        (
            "/reconcile/others/group:debian:build/",
            "it carries another mark (path /reconcile/others/",
        ),
        ("/reconcile/spi/group:debian:other/", "it stands for group:debian:other"),
    ] {
        let make = || drop(world.moto.account(HUB).group("build", path));
        not_touched(&world, "Group", "build", why, make).await;
    }
}

/// A run that finds its name taken when it comes to making something.
async fn not_touched(world: &World, kind: &str, name: &str, why: &str, make: impl Fn()) {
    let what = format!("{kind} {name}, {why}");
    let account = world.moto.account(if kind == "Role" { BUILDS } else { HUB });
    let dump = || account.iam("GetAccountAuthorizationDetails", &[]);
    let list = format!("{kind}DetailList");
    let it = || {
        let all = dump().members(&list);
        let is_it = |one: &&crate::peers::moto::xml::Xml| one.text(&format!("{kind}Name")) == name;
        all.iter().find(is_it).map(|one| one.as_text().to_owned())
    };
    world.moto.reset();
    world.wire.clear();
    world.people(AFTER);
    let mut before = None;
    let ran = world
        .run_on(TODAY, || {
            make();
            before = it();
        })
        .await;
    let failures = ran.failures();
    let create = format!("create {} {name}", kind.to_lowercase());
    let taken = format!("{create}: {name} is there already and not ours: {why}");
    let told = failures.iter().filter(|one| one.starts_with(&taken)).count();
    assert_eq!(told, 1, "{what}: {failures:#?}");
    assert!(failures.iter().all(|one| one.contains(&create)), "{what}: {failures:#?}");
    assert!(before.is_some(), "{what}: made");
    assert_eq!(it(), before, "{what}: touched");
    let writes = world.wire.writes();
    let mut about_it = writes.iter().filter(|call| call.request.contains(name));
    let making = format!("Create{kind}");
    assert!(about_it.all(|call| call.action == making), "{what}: {writes:#?}");

    // The next run sees whose it is before it does anything.
    if !why.starts_with("it stands for") {
        world.wire.clear();
        let ran = world.run_on(TODAY, || {}).await;
        let code = format!("foreign-{}", kind.to_lowercase());
        let findings = &ran.plan.findings;
        assert!(findings.iter().any(|one| one.code == code), "{what}: {findings:?}");
        assert_eq!(it(), before, "{what}: touched by the next run");
        let writes = world.wire.writes();
        assert!(!writes.iter().any(|call| call.request.contains(name)), "{what}: {writes:#?}");
    }
}

#[tokio::test]
async fn what_was_made_and_is_not_visible_yet_is_not_made_twice() {
    let world = World::new();
    for with_summary in [true, false] {
        world.moto.reset();
        world.wire.clear();
        world.people(AFTER);
        world.moto.account(HUB).user("runner", "/", &[]);
        let earlier = world.earlier(with_summary);
        world.run().await;
        world.reads_late(earlier).await;
    }
}

#[tokio::test]
async fn what_was_removed_and_is_still_visible_does_no_harm() {
    let world = World::new();
    for with_summary in [true, false] {
        world.before().await;
        let earlier = world.earlier(with_summary);
        world.run().await;
        world.reads_late(earlier).await;
    }
}
