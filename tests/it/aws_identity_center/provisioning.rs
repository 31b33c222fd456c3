//! A changed permission set reaches the accounts it is assigned in.

use reconcile::cloud::{Connection, ErrorKind};
use reconcile::model::{
    Attachment, AttributeValue, HeldAttachment, HolderKind, ObjectKey, RoleSpec, Subject, VendorId,
};
use reconcile::plan::{Life, Step};

use super::fixture::{CenterFixture, impatient, role};
use super::steps::{self, all, apply, bind, group, make, target};
use crate::peers::identity_center::Fault;

struct Assigned {
    fixture: CenterFixture,
    hub: Connection,
    set: VendorId,
    subject: Subject,
}

/// A permission set that is assigned in an account.
async fn assigned() -> Assigned {
    assigned_in(CenterFixture::new()).await
}

async fn assigned_in(fixture: CenterFixture) -> Assigned {
    let (hub, at) = fixture.connect().await;
    let set = make(&hub, &steps::role(&role("operator", 1))).await;
    let group = make(&hub, &group("crew")).await;
    apply(&at, &bind(&set, &group)).await.unwrap();
    let subject = "role:operator".parse().unwrap();
    Assigned { fixture, hub, set, subject }
}

impl Assigned {
    fn update(&self, before: &RoleSpec, after: &RoleSpec) -> Step {
        Step::Role(Life::Update {
            id: self.set.clone(),
            subject: self.subject.clone(),
            before: Box::new(before.clone()),
            after: Box::new(after.clone()),
        })
    }

    fn attach(&self, attachment: &Attachment) -> Step {
        Step::Attach {
            holder_kind: HolderKind::Role,
            holder: target(&self.set),
            subject: self.subject.clone(),
            before: None,
            attachment: Box::new(attachment.clone()),
        }
    }

    fn detach(&self, attachment: &Attachment) -> Step {
        Step::Detach {
            holder_kind: HolderKind::Role,
            holder: target(&self.set),
            subject: self.subject.clone(),
            attachment: Box::new(attachment.clone()),
        }
    }

    fn is_provisioned(&self) -> bool {
        self.fixture.peer.state().is_provisioned(self.set.as_str())
    }

    fn provisionings(&self) -> usize {
        self.fixture.peer.state().count("ProvisionPermissionSet")
    }
}

fn attachment(kind: &str, name: &str, content: Option<&str>) -> Attachment {
    Attachment { kind: kind.into(), name: name.into(), content: content.map(str::to_owned) }
}

fn every_kind() -> Vec<Attachment> {
    let own = "arn:aws:iam::{account}:policy/team/Read";
    vec![
        attachment("managed-policy", "arn:aws:iam::aws:policy/ReadOnlyAccess", None),
        attachment("managed-policy", own, None),
        attachment("inline-policy", "reconcile", Some(r#"{"Statement":[{"Effect":"Allow"}]}"#)),
        attachment("boundary", "boundary", Some(own)),
    ]
}

#[tokio::test]
async fn what_is_attached_and_detached_is_seen_and_provisioned() {
    let set = assigned().await;
    for one in every_kind() {
        let key = |content: Option<String>| {
            let attachment = Attachment { content, ..one.clone() };
            let (holder_kind, holder) = (HolderKind::Role, set.set.clone());
            ObjectKey::Attachment(HeldAttachment { holder_kind, holder, attachment })
        };
        let look = async |content| set.hub.apply.look(&key(content)).await.unwrap().is_some();
        assert!(!look(one.content.clone()).await, "{one:?}");
        let before = set.provisionings();
        apply(&set.hub, &set.attach(&one)).await.unwrap();
        assert!(set.is_provisioned() && set.provisionings() == before + 1, "{one:?}");
        assert!(look(one.content.clone()).await && look(None).await, "{one:?}");
        assert!(!look(Some("other".into())).await, "{one:?}");
        let seen = all(&set.hub).await.attachments;
        assert!(seen.iter().any(|held| held.attachment == one && held.holder == set.set));
        // Once more changes nothing.
        apply(&set.hub, &set.attach(&one)).await.unwrap();
        apply(&set.hub, &set.detach(&one)).await.unwrap();
        assert!(set.is_provisioned() && !look(None).await, "{one:?}");
        apply(&set.hub, &set.detach(&one)).await.unwrap();
    }
    assert!(all(&set.hub).await.attachments.is_empty());
}

#[tokio::test]
async fn a_boundary_is_replaced_by_one_write() {
    let set = assigned().await;
    let of = |policy: &str| {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        attachment("boundary", "boundary", Some(&arn))
    };
    apply(&set.hub, &set.attach(&of("One"))).await.unwrap();
    apply(&set.hub, &set.attach(&of("Two"))).await.unwrap();
    let seen = all(&set.hub).await.attachments;
    assert_eq!(seen.iter().map(|held| &held.attachment).collect::<Vec<_>>(), [&of("Two")]);
    let state = set.fixture.peer.state();
    assert_eq!(state.count("DeletePermissionsBoundaryFromPermissionSet"), 0);
}

#[tokio::test]
async fn a_set_that_is_assigned_nowhere_is_not_provisioned() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let id = make(&hub, &steps::role(&role("operator", 1))).await;
    let subject: Subject = "role:operator".parse().unwrap();
    let (before, after) = (Box::new(role("operator", 1)), Box::new(role("operator", 4)));
    apply(&hub, &Step::Role(Life::Update { id, subject, before, after })).await.unwrap();
    assert_eq!(fixture.peer.state().count("ProvisionPermissionSet"), 0);
    assert_eq!(all(&hub).await.roles[0].spec, role("operator", 4));
}

#[tokio::test]
async fn who_is_stopped_before_provisioning_is_healed_by_the_next_run() {
    let set = assigned().await;
    let (before, after) = (role("operator", 1), role("operator", 4));
    let fault = Fault::Refused(400, "AccessDeniedException", Vec::new());
    set.fixture.peer.next_of("ProvisionPermissionSet", fault);
    let error = apply(&set.hub, &set.update(&before, &after)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied, "{error}");
    assert!(!set.is_provisioned());
    // The next run sees it, and its plan says so.
    let seen = all(&set.hub).await.roles[0].spec.clone();
    assert_eq!(seen.attributes["provisioned"], AttributeValue::Flag(false));
    assert_ne!(seen, after);
    apply(&set.hub, &set.update(&seen, &after)).await.unwrap();
    assert!(set.is_provisioned());
    assert_eq!(all(&set.hub).await.roles[0].spec, after);
    // Once more provisions nothing.
    let before = set.provisionings();
    apply(&set.hub, &set.update(&seen, &after)).await.unwrap();
    assert_eq!(set.provisionings(), before);
}

#[tokio::test]
async fn what_somebody_changed_by_hand_is_brought_to_the_accounts() {
    let set = assigned().await;
    set.fixture.peer.state().outdate(set.set.as_str());
    let seen = all(&set.hub).await.roles[0].spec.clone();
    apply(&set.hub, &set.update(&seen, &role("operator", 1))).await.unwrap();
    assert!(set.is_provisioned());
    assert_eq!(set.fixture.peer.state().count("UpdatePermissionSet"), 0);
}

#[tokio::test]
async fn a_provisioning_that_never_ends_is_like_a_lost_reply() {
    let set = assigned_in(CenterFixture::with(impatient())).await;
    set.fixture.peer.state().behaviour.never_ends = true;
    let step = set.update(&role("operator", 1), &role("operator", 4));
    let error = apply(&set.hub, &step).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::LostReply, "{error}");
}

#[tokio::test]
async fn many_changes_to_a_set_share_a_provisioning() {
    let set = assigned().await;
    set.fixture.peer.state().behaviour.calls_to_end = 8;
    let steps: Vec<Step> = every_kind().iter().map(|one| set.attach(one)).collect();
    let applied = steps.iter().map(|step| apply(&set.hub, step));
    for result in futures_util::future::join_all(applied).await {
        result.unwrap();
    }
    assert!(set.is_provisioned());
    assert!(set.provisionings() <= 3, "{} provisionings", set.provisionings());
    assert_eq!(all(&set.hub).await.attachments.len(), 4);
}
