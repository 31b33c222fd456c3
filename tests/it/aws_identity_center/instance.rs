//! Finding the instance, and lists that go round in circles.

use reconcile::model::{Account, AttributeValue};

use super::fixture::{CenterFixture, HUB, account};
use super::steps::{all, apply, group, join, make, user};

const OTHER: &str = "arn:aws:sso:::instance/ssoins-ffffffffffffffff";

#[tokio::test]
async fn none_or_several_instances_are_told_clearly() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let only = std::mem::take(&mut fixture.peer.state().instances);
    let why = hub.observe.observe().await.missing()[0].why.clone();
    assert!(why.contains("there is no instance") && why.contains("`region`"), "{why}");
    fixture.peer.state().instances =
        [only.clone(), vec![(OTHER.to_owned(), HUB.to_owned())]].concat();
    let why = hub.observe.observe().await.missing()[0].why.clone();
    assert!(why.contains(OTHER) && why.contains("`instance`"), "{why}");
    fixture.peer.state().behaviour.page_size = 1;
    let why = hub.observe.observe().await.missing()[0].why.clone();
    assert!(why.contains("several"), "{why}");
    // Nothing of this is remembered.
    fixture.peer.state().instances = only;
    assert!(all(&hub).await.users.is_empty());
}

#[tokio::test]
async fn a_written_instance_is_used() {
    let fixture = CenterFixture::new();
    fixture.peer.state().instances.push((OTHER.to_owned(), HUB.to_owned()));
    let mut written: Account = account("hub", HUB);
    written.settings.insert("instance".into(), AttributeValue::Text(OTHER.into()));
    let hub = fixture.at(&written, &written).await;
    assert!(all(&hub).await.users.is_empty());
    let state = fixture.peer.state();
    assert_eq!((state.count("DescribeInstance"), state.count("ListInstances")), (1, 0));
}

#[tokio::test]
async fn a_list_that_goes_round_in_circles_is_partial() {
    let fixture = CenterFixture::new();
    let (hub, target) = fixture.connect().await;
    let crew = make(&hub, &group("crew")).await;
    for name in ["anna", "berta"] {
        let user = make(&hub, &user(name)).await;
        apply(&hub, &join(&crew, &user)).await.unwrap();
    }
    fixture.peer.state().behaviour.page_size = 1;
    assert_eq!(all(&hub).await.memberships.len(), 2);
    fixture.peer.state().behaviour.stuck = true;
    let reading = hub.observe.observe().await;
    assert!(reading.missing().iter().any(|one| one.why.contains("begins again")));
    assert!(!reading.got().listed.contains(&reconcile::model::Kind::User));
    assert!(!target.observe.observe().await.is_complete());
}

#[tokio::test]
async fn the_program_is_allowed_what_it_calls_and_nothing_else() {
    use reconcile::cloud::conformance::CASES;
    use reconcile::cloud::{Needed, Purpose, Vendor};
    use reconcile::model::Site;
    use std::collections::BTreeSet;
    let hub = account("hub", HUB);
    let mut called = BTreeSet::new();
    for case in CASES {
        let fixture = CenterFixture::new();
        let _verdict = case.run(&fixture).await;
        called.extend(fixture.peer.state().calls.iter().cloned());
    }
    let fixture = CenterFixture::new();
    let alone = Site::alone(&hub);
    let of = |site, purpose| {
        fixture.vendor.permissions(&Needed { within: Some(site), purpose, enters: &[] })
    };
    let [document] = &of(&alone, Purpose::Apply)[..] else { panic!("one document") };
    assert!(document.to_string().len() <= 6_144, "the size of a managed policy");
    let statements = document["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|one| one["Action"].as_array().unwrap());
    let allowed: BTreeSet<String> = actions
        .map(|action| action.as_str().unwrap().split_once(':').unwrap().1.to_owned())
        .collect();
    assert_eq!(called.difference(&allowed).collect::<Vec<_>>(), Vec::<&String>::new());
    // Tried by the tests beside the suite.
    let elsewhere = [
        "AttachCustomerManagedPolicyReferenceToPermissionSet",
        "AttachManagedPolicyToPermissionSet",
        "DeletePermissionsBoundaryFromPermissionSet",
        "DescribeInstance",
        "DescribePermissionSetProvisioningStatus",
        "DetachCustomerManagedPolicyReferenceFromPermissionSet",
        "GetPolicy",
        "ProvisionPermissionSet",
        "PutPermissionsBoundaryToPermissionSet",
    ];
    assert_eq!(
        allowed.difference(&called).collect::<Vec<_>>(),
        elsewhere.iter().collect::<Vec<_>>()
    );
    let target = account("target", super::fixture::TARGET);
    let site = Site { account: &target, hub: &hub, accounts: vec![&hub, &target] };
    assert!(of(&site, Purpose::Apply).is_empty());
    let [reads] = &of(&alone, Purpose::Read)[..] else { panic!("one document") };
    assert!(!reads.to_string().contains("Create"), "{reads}");
}
