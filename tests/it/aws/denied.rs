//! What one denied list keeps, and what it does not: nobody stays for want of a list that has
//! nothing to do with them.

use reconcile::plan::{Life, Plan, Step};

use super::world::{AFTER, BEFORE, HUB, World};
use crate::peers::moto::allow;
use crate::peers::wire::{Fault, Place};

fn denied() -> Fault {
    Fault::Refused(403, "AccessDenied".to_owned())
}

/// Verb and object of every change.
fn changes(plan: &Plan) -> Vec<String> {
    plan.changes.iter().map(|one| format!("{} {}", one.step.verb(), one.step.object())).collect()
}

/// An organisation whose hub has an identity provider of somebody else, and in which diego left.
async fn with_a_leaver() -> World {
    let world = World::new();
    world.moto.reset();
    world.people(BEFORE);
    world.run().await;
    let hub = world.moto.account(HUB);
    let url = ("Url", "https://ci.example.org");
    hub.iam("CreateOpenIDConnectProvider", &[url, ("ClientIDList.member.1", "x")]);
    hub.everything("diego");
    world.people(AFTER);
    world.wire.clear();
    world
}

#[tokio::test]
async fn a_denied_list_of_identity_providers_keeps_no_leaver_in() {
    for action in ["ListSAMLProviders", "ListOpenIDConnectProviders"] {
        let world = with_a_leaver().await;
        world.wire.inject(Place::action(action, 1).and_later(), denied());
        let plan = world.run().await;
        assert!(world.wire.faults_met() > 0, "{action} was denied");
        assert_eq!(plan.incomplete.len(), 1, "{action} is told: {:?}", plan.incomplete);
        let changes = changes(&plan);
        assert!(changes.contains(&"suspend user diego".to_owned()), "{changes:#?}");
        let hub = world.moto.account(HUB);
        let of = [("UserName", "diego")];
        assert_eq!(hub.iam("ListGroupsForUser", &of).all("GroupName"), [""; 0]);
        assert_eq!(hub.iam("ListAccessKeys", &of).all("AccessKeyId"), [""; 0]);
        let tags = hub.iam("ListUserTags", &of).all("Key");
        assert!(tags.iter().any(|key| key == "reconcile:suspended"), "{tags:?}");
        // Who moved, moved: that rests on no list of providers either.
        let boris = hub.iam("ListGroupsForUser", &[("UserName", "boris")]).all("GroupName");
        assert_eq!(boris, ["admin"]);
    }
}

#[tokio::test]
async fn a_list_of_users_that_is_too_short_keeps_everybody() {
    let world = with_a_leaver().await;
    let summary = world.moto.account(HUB).iam("GetAccountSummary", &[]).as_text().to_owned();
    let users = "<key>Users</key>";
    assert!(summary.contains(users), "{summary}");
    let (before, after) = summary.split_once(users).expect("a count of users");
    let (_, rest) = after.split_once("</value>").expect("a number");
    let more = format!("{before}{users}<value>99</value>{rest}");
    let place = Place::action("GetAccountSummary", 1).in_account(HUB).and_later();
    world.wire.inject(place, Fault::Earlier(more));
    let plan = world.run().await;
    assert!(world.wire.faults_met() > 0);
    assert!(format!("{:?}", plan.incomplete).contains("the account says it has 99"));
    assert!(plan.removals().next().is_none(), "{:#?}", changes(&plan));
}

#[tokio::test]
async fn one_denied_list_of_credentials_withholds_the_suspension_only() {
    let world = with_a_leaver().await;
    world.wire.inject(Place::action("ListSSHPublicKeys", 1).and_later(), denied());
    let plan = world.run().await;
    assert!(world.wire.faults_met() > 0);
    let suspends = |plan: &Plan| {
        plan.changes.iter().any(|one| matches!(one.step, Step::User(Life::Retire { .. })))
    };
    assert!(!suspends(&plan), "{:#?}", changes(&plan));
    let because = "credentials in spi/hub";
    assert!(plan.withheld.iter().any(|one| one.because == because), "{:?}", plan.withheld);
    let hub = world.moto.account(HUB);
    let of = [("UserName", "diego")];
    assert_eq!(hub.iam("ListAccessKeys", &of).all("AccessKeyId"), [""; 0], "what was known went");
    assert_eq!(hub.try_iam("GetLoginProfile", &of).unwrap_err().code, "NoSuchEntity");
    assert_eq!(hub.iam("ListGroupsForUser", &of).all("GroupName"), [""; 0]);
    assert_eq!(hub.iam("ListSSHPublicKeys", &of).all("SSHPublicKeyId").len(), 1, "was not known");
    // Once it can be read, the rest follows.
    world.wire.clear();
    assert!(suspends(&world.run().await));
    assert_eq!(hub.iam("ListSSHPublicKeys", &of).all("SSHPublicKeyId"), [""; 0]);
    assert_eq!(world.run().await.changes, []);
}

#[tokio::test]
async fn a_denied_look_at_an_account_keeps_what_is_in_it_only() {
    let world = with_a_leaver().await;
    let builds = world.moto.account(super::world::BUILDS);
    builds.inline("Role", "operator", "by-hand", &allow("s3:*"));
    let place = Place::action("GetAccountAuthorizationDetails", 1);
    world.wire.inject(place.in_account(super::world::BUILDS).and_later(), denied());
    let plan = world.run().await;
    assert!(world.wire.faults_met() > 0);
    let changes = changes(&plan);
    assert!(changes.contains(&"suspend user diego".to_owned()), "{changes:#?}");
    let of = [("RoleName", "operator")];
    let policies = builds.iam("ListRolePolicies", &of).all("member");
    assert_eq!(policies.len(), 2, "not taken off: {policies:?}");
}
