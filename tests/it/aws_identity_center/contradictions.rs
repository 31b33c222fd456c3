//! What contradicts a list proves it incomplete: nobody loses anything by a page that was left out
//! behind a success.

use reconcile::model::{Kind, VendorId};
use serde_json::json;

use super::fixture::{CenterFixture, role};
use super::steps;
use super::steps::{apply, bind, group, join, make, user};

/// What a page without this object says; the peer itself says nothing of it.
async fn observed_without(fixture: &CenterFixture, hidden: &VendorId) -> (Vec<Kind>, String) {
    fixture.peer.state().behaviour.hidden = Some(hidden.to_string());
    let (hub, _) = fixture.connect().await;
    let reading = hub.observe.observe().await;
    fixture.peer.state().behaviour.hidden = None;
    let lost = Kind::PEOPLE.into_iter().filter(|kind| !reading.got().listed.contains(kind));
    (lost.collect(), format!("{:?}", reading.missing()))
}

#[tokio::test]
async fn a_member_who_is_not_listed_proves_that_users_are_missing() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let (anna, crew) = (make(&hub, &user("anna")).await, make(&hub, &group("crew")).await);
    apply(&hub, &join(&crew, &anna)).await.unwrap();
    let (lost, why) = observed_without(&fixture, &anna).await;
    assert_eq!(lost, [Kind::User], "{why}");
    assert!(why.contains("1 are members of groups, and were not listed"), "{why}");
    assert!(hub.observe.observe().await.is_complete());
}

#[tokio::test]
async fn an_assigned_permission_set_that_is_not_listed_proves_that_sets_are_missing() {
    let fixture = CenterFixture::new();
    let (hub, target) = fixture.connect().await;
    let set = make(&hub, &steps::role(&role("operator", 1))).await;
    let crew = make(&hub, &group("crew")).await;
    // Also by what is assigned in another account than the hub's own.
    apply(&target, &bind(&set, &crew)).await.unwrap();
    let (lost, why) = observed_without(&fixture, &set).await;
    assert_eq!(lost, [Kind::Role], "{why}");
    assert!(why.contains("1 are assigned to groups, and were not listed"), "{why}");
    assert!(hub.observe.observe().await.is_complete());
}

#[tokio::test]
async fn what_nothing_contradicts_is_complete() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let (anna, stranger) = {
        let mut state = fixture.peer.state();
        (state.add_user("anna", &json!({})), state.add_group("clique", &json!({})))
    };
    fixture.peer.state().join(&stranger, &anna);
    assert!(hub.observe.observe().await.is_complete());
}
