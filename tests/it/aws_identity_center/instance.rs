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
    assert!(!reading.got().listed.contains(&reconcile::model::ObjectKind::User));
    // One group is a whole list.
    assert!(target.observe.observe().await.is_complete());
}
