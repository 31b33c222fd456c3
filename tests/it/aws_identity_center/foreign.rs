//! What another source of identities keeps is nobody's to touch, whatever it carries.

use reconcile::cloud::ErrorKind;
use reconcile::model::HolderKind::{Group, Role, User};
use reconcile::model::{
    Access, GroupSpec, ObjectKey, Ownership, Snapshot, Subject, UserSpec, VendorId,
};
use reconcile::plan::{Life, Step};
use serde_json::json;

use super::fixture::CenterFixture;
use super::steps::{apply, join, leave};

#[tokio::test]
async fn what_scim_keeps_is_untouched_even_with_our_mark() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let external = json!([{"Issuer": "https://scim.example.org", "Id": "1"}]);
    let (user, group) = {
        let mut state = fixture.peer.state();
        let user = json!({"ExternalIds": external, "UserType": "reconcile:spi:person:debian:1"});
        let group = json!({
            "ExternalIds": external,
            "Description": "x [reconcile:spi:group:debian:crew]",
        });
        (state.add_user("anna", &user), state.add_group("crew", &group))
    };
    let stored = |user: &str, group: &str| {
        let state = fixture.peer.state();
        (state.stored_user(user), state.stored_group(group))
    };
    let before = stored(&user, &group);
    let (user, group) = (VendorId::from(user.as_str()), VendorId::from(group.as_str()));
    let theirs = Ownership::Theirs("comes from another source of identities".into());
    let all = hub.observe.observe().await;
    assert!(all.is_complete(), "{:?}", all.missing());
    assert_eq!(all.got().users[0].ownership, theirs);
    assert_eq!(all.got().groups[0].ownership, theirs);
    let looked = hub.apply.look(&ObjectKey::User(user.clone())).await.unwrap();
    assert!(matches!(looked, Some(Snapshot::User(found)) if found.ownership == theirs));

    let (person, crew): (Subject, Subject) =
        ("person:debian:1".parse().unwrap(), "group:debian:crew".parse().unwrap());
    let spec = all.got().users[0].spec.clone();
    let renamed = UserSpec { name: "berta".into(), ..spec.clone() };
    let named = GroupSpec { name: "crew".into() };
    let (id, subject): (_, &Subject) = (|| user.clone(), &person);
    for step in [
        Step::User(Life::Update {
            id: id(),
            subject: subject.clone(),
            before: Box::new(spec.clone()),
            after: Box::new(renamed),
        }),
        Step::User(Life::Retire {
            id: id(),
            subject: subject.clone(),
            before: Box::new(spec.clone()),
            on: jiff::civil::date(2026, 3, 9),
        }),
        Step::User(Life::Delete {
            id: id(),
            subject: subject.clone(),
            before: Box::new(UserSpec { access: Access::Enabled, ..spec }),
        }),
        Step::Group(Life::Update {
            id: group.clone(),
            subject: crew,
            before: named,
            after: GroupSpec { name: "band".into() },
        }),
        join(&group, &user),
        leave(&group, &user),
        Step::Adopt {
            holder_kind: User,
            id: id(),
            name: "anna".into(),
            subject: subject.clone(),
            from: None,
        },
    ] {
        let error = apply(&hub, &step).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Foreign, "{}: {error}", step.verb());
    }
    assert_eq!(stored(user.as_str(), group.as_str()), before);
    assert_eq!(fixture.peer.state().writes, 0);
}

#[tokio::test]
async fn what_is_adopted_keeps_what_it_said() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let (user, busy, group, set) = {
        let mut state = fixture.peer.state();
        (
            VendorId::from(state.add_user("anna", &json!({}))),
            VendorId::from(state.add_user("berta", &json!({"UserType": "Employee"}))),
            VendorId::from(state.add_group("crew", &json!({"Description": "Those who sail."}))),
            VendorId::from(state.add_set("operator")),
        )
    };
    let adopt = |holder_kind, id: &VendorId, subject: &str| Step::Adopt {
        holder_kind,
        id: id.clone(),
        name: "x".into(),
        subject: subject.parse().unwrap(),
        from: None,
    };
    for (kind, id, subject) in [
        (User, &user, "person:debian:1"),
        (Group, &group, "group:debian:crew"),
        (Role, &set, "role:operator"),
    ] {
        apply(&hub, &adopt(kind, id, subject)).await.unwrap();
        // Safe to repeat.
        apply(&hub, &adopt(kind, id, subject)).await.unwrap();
    }
    let error = apply(&hub, &adopt(User, &busy, "person:debian:2")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
    let all = hub.observe.observe().await;
    assert!(all.got().groups[0].ownership.subject().is_some());
    assert!(all.got().roles[0].ownership.subject().is_some());
    let state = fixture.peer.state();
    assert_eq!(
        state.stored_group(group.as_str())["Description"],
        "Those who sail. [reconcile:spi:group:debian:crew]"
    );
    assert_eq!(state.stored_user(busy.as_str())["UserType"], "Employee");
    assert_eq!(state.writes, 3);
}
