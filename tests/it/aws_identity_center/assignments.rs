//! Assignments take their time, fail, or never end.

use reconcile::cloud::{ErrorKind, Retry};
use reconcile::model::{Binding, ObjectKey, VendorId};

use super::fixture::{CenterFixture, HUB, TARGET, account, impatient, role};
use super::steps;
use super::steps::{all, apply, bind, group, make, unbind};

async fn role_and_group(fixture: &CenterFixture) -> (VendorId, VendorId) {
    let (hub, _) = fixture.connect().await;
    let role = make(&hub, &steps::role(&role("operator", 1))).await;
    (role, make(&hub, &group("crew")).await)
}

#[tokio::test]
async fn a_binding_is_there_when_the_assignment_has_ended_and_only_in_its_account() {
    let fixture = CenterFixture::new();
    let (hub, target) = fixture.connect().await;
    let (role, group) = role_and_group(&fixture).await;
    fixture.peer.state().behaviour.calls_to_end = 4;
    let applied = apply(&target, &bind(&role, &group)).await.unwrap();
    assert!(applied.request_id.is_some());
    assert_eq!(fixture.peer.state().count("DescribeAccountAssignmentCreationStatus"), 4);
    let binding = Binding { role: role.clone(), group: group.clone() };
    assert_eq!(all(&target).await.bindings, std::slice::from_ref(&binding));
    // The other accounts show what is assigned in them and nothing else.
    assert!(all(&hub).await.bindings.is_empty());
    let seen = all(&target).await;
    assert!(seen.users.is_empty() && seen.groups.is_empty() && seen.roles.is_empty());
    let key = ObjectKey::Binding(binding);
    assert!(target.apply.look(&key).await.unwrap().is_some());
    assert!(hub.apply.look(&key).await.unwrap().is_none());

    apply(&target, &unbind(&role, &group)).await.unwrap();
    assert_eq!(fixture.peer.state().count("DescribeAccountAssignmentDeletionStatus"), 4);
    assert!(all(&target).await.bindings.is_empty());
}

#[tokio::test]
async fn a_failed_assignment_is_what_its_reason_says() {
    let fixture = CenterFixture::new();
    let (_, target) = fixture.connect().await;
    let (role, group) = role_and_group(&fixture).await;
    for (reason, kind) in [
        ("ConflictException: the role is being changed", ErrorKind::Conflict),
        ("AccessDeniedException", ErrorKind::Denied),
        ("Something is wrong with the role", ErrorKind::Invalid),
    ] {
        fixture.peer.state().behaviour.assignments_fail = Some(reason);
        let error = apply(&target, &bind(&role, &group)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(reason) && error.request_id.is_some(), "{error}");
    }
    fixture.peer.state().behaviour.assignments_fail = None;
    assert!(all(&target).await.bindings.is_empty());
}

#[tokio::test]
async fn an_assignment_that_never_ends_is_like_a_lost_reply() {
    let fixture = CenterFixture::with(impatient());
    let (_, target) = fixture.connect().await;
    let (role, group) = role_and_group(&fixture).await;
    fixture.peer.state().behaviour.never_ends = true;
    let error = apply(&target, &bind(&role, &group)).await.unwrap_err();
    assert_eq!((error.kind, error.retry()), (ErrorKind::LostReply, Retry::Look), "{error}");
    assert!(error.request_id.is_some());
    let looks = fixture.peer.state().count("DescribeAccountAssignmentCreationStatus");
    assert!((2..200).contains(&looks), "{looks} looks");
    // It may have ended by the time somebody looks.
    fixture.peer.state().behaviour.never_ends = false;
    let key = ObjectKey::Binding(Binding { role, group });
    assert!(target.apply.look(&key).await.unwrap().is_some());
}

#[tokio::test]
async fn looking_goes_on_when_it_is_throttled() {
    use crate::peers::identity_center::Fault;
    let fixture = CenterFixture::new();
    let (_, target) = fixture.connect().await;
    let (role, group) = role_and_group(&fixture).await;
    for (status, code) in [
        (400, "ThrottlingException"),
        (500, "InternalServerException"),
        (400, "ResourceNotFoundException"),
    ] {
        let fault = Fault::Refused(status, code, Vec::new());
        fixture.peer.next_of("DescribeAccountAssignmentCreationStatus", fault);
    }
    fixture.peer.state().behaviour.calls_to_end = 9;
    apply(&target, &bind(&role, &group)).await.unwrap();
    assert_eq!(all(&target).await.bindings.len(), 1);
}

#[tokio::test]
async fn a_delegated_administrator_is_told_why_the_management_account_is_refused() {
    const DELEGATED: &str = "333333333333";
    let fixture = CenterFixture::new();
    fixture.peer.state().caller = DELEGATED.into();
    let (hub, management) = (account("hub", DELEGATED), account("management", HUB));
    let at_hub = fixture.at(&hub, &hub).await;
    let at_management = fixture.at(&hub, &management).await;
    let at_target = fixture.at(&hub, &account("target", TARGET)).await;
    let role = make(&at_hub, &steps::role(&role("operator", 1))).await;
    let group = make(&at_hub, &group("crew")).await;
    let error = apply(&at_management, &bind(&role, &group)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.message.contains("delegated administrator"), "{error}");
    // Elsewhere it may.
    apply(&at_target, &bind(&role, &group)).await.unwrap();
    assert_eq!(all(&at_target).await.bindings.len(), 1);
}

#[tokio::test]
async fn many_assignments_at_once_are_not_refused() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let (role, group) = role_and_group(&fixture).await;
    fixture.peer.state().behaviour.calls_to_end = 60;
    let at = account("hub", HUB);
    let accounts: Vec<_> =
        (0..24).map(|number| account(&format!("a{number}"), &format!("{number:012}"))).collect();
    let binding = accounts.iter().map(|account| {
        let (fixture, at, step) = (&fixture, &at, bind(&role, &group));
        async move {
            let connection = fixture.at(at, account).await;
            apply(&connection, &step).await.unwrap();
            connection
        }
    });
    let connections = futures_util::future::join_all(binding).await;
    assert_eq!(fixture.peer.state().throttled, 0);
    let before = fixture.peer.state().count("ListAccountAssignmentsForPrincipal");
    let readings = connections.iter().map(all);
    for seen in futures_util::future::join_all(readings).await {
        assert_eq!(seen.bindings.len(), 1);
    }
    // Who reads at the same time shares what was read.
    let calls = fixture.peer.state().count("ListAccountAssignmentsForPrincipal") - before;
    assert!(calls <= 2, "{calls} calls");
    drop(hub);
}
