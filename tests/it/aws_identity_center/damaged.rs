//! A mark that somebody damaged: the object is nobody's until it is adopted, and keeps what it has.

use reconcile::cloud::ErrorKind;
use reconcile::model::HolderKind::{Group, Role, User};
use reconcile::model::{Access, Ownership, VendorId};
use reconcile::plan::Step;
use serde_json::json;

use super::fixture::CenterFixture;
use super::steps::{all, apply};

#[tokio::test]
async fn what_is_damaged_is_told_from_what_is_somebody_elses() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    for (user_type, is_damaged) in [
        ("reconcile:spi", true),
        ("reconcile:spi:person:debian", true),
        ("reconcile:spi:person:debian:1 of the crew", true),
        ("reconcile:spi:person:debian:1;left;suspended=2026-03-09", true),
        ("reconcile:others", false),
        ("reconcile:others:person:debian;x", false),
        ("reconcile:", false),
    ] {
        let id = fixture.peer.state().add_user("anna", &json!({"UserType": user_type}));
        let found = all(&hub).await.users.remove(0).ownership;
        match &found {
            Ownership::Damaged { subject: None, .. } => assert!(is_damaged, "{user_type}"),
            Ownership::Theirs(_) => assert!(!is_damaged, "{user_type}"),
            other => panic!("{user_type}: {other:?}"),
        }
        fixture.peer.state().forget_user(&id);
    }
}

#[tokio::test]
async fn adopting_mends_what_is_damaged_and_keeps_the_rest() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let damaged = "reconcile:spi:pers;suspended=2026-03-09";
    let half = "Those who sail. [reconcile:spi:group:debian:crew] And more.";
    let (user, group, set) = {
        let mut state = fixture.peer.state();
        let set = state.add_set("operator");
        state.tag_set(&set, "reconcile:subject", "role:operator");
        (
            VendorId::from(state.add_user("anna", &json!({"UserType": damaged}))),
            VendorId::from(state.add_group("crew", &json!({"Description": half}))),
            VendorId::from(set),
        )
    };
    let adopt = |holder_kind, id: &VendorId, subject: &str| Step::Adopt {
        holder_kind,
        id: id.clone(),
        name: "x".into(),
        subject: subject.parse().unwrap(),
        from: None,
    };
    // What can still be read of a mark is not written over.
    let error = apply(&hub, &adopt(Role, &set, "role:watcher")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Foreign, "{error}");
    for (kind, id, subject) in [
        (User, &user, "person:debian:1"),
        (Group, &group, "group:debian:crew"),
        (Role, &set, "role:operator"),
    ] {
        apply(&hub, &adopt(kind, id, subject)).await.unwrap();
    }
    let seen = all(&hub).await;
    let ours = |subject: &str| Ownership::Ours(subject.parse().unwrap());
    assert_eq!(seen.users[0].ownership, ours("person:debian:1"));
    let since = jiff::civil::date(2026, 3, 9);
    assert_eq!(
        seen.users[0].spec.access,
        Access::Suspended { since, was_disabled: false },
        "it is not let in again"
    );
    assert_eq!(seen.groups[0].ownership, ours("group:debian:crew"));
    assert_eq!(seen.roles[0].ownership, ours("role:operator"));
    assert_eq!(
        fixture.peer.state().stored_group(group.as_str())["Description"],
        "Those who sail. And more. [reconcile:spi:group:debian:crew]"
    );
}
