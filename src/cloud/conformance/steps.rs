//! Each step does what it says, shows in a look and in an observation, and may be repeated.

use super::bench::{Bench, DAY, bind, created, join, leave, person, target, unbind};
use super::{Calls, Fixture, Verdict};
use crate::model::{
    Access, Attachment, Binding, HeldAttachment, HolderKind, ObjectKey, Private, Reading, Subject,
    UserSpec,
};
use crate::plan::{Life, Step};

pub async fn a_created_user_is_there_and_ours_and_has_no_credential(
    fixture: &dyn Fixture,
) -> Verdict {
    let bench = Bench::new(fixture).await;
    let spec = bench.user_spec("anna");
    let step = Step::User(Life::Create { subject: person("anna"), spec: Box::new(spec.clone()) });
    let id = created(&bench.hub.must_twice(&step).await);
    let seen = bench.hub.see_user(&id).await.expect("it was created");
    assert_eq!(seen.spec, spec);
    assert_eq!(seen.ownership.subject(), Some(&person("anna")));
    assert_eq!(bench.hub.credentials(&id).await, Reading::Complete(Vec::new()));
    Verdict::Passed
}

pub async fn a_user_is_updated(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("before").await;
    let mut after = bench.user_spec("after");
    if fixture.vendor().facts().profile {
        after.display_name = None;
        after.email = Some(Private::new("new@example.org".to_owned()));
    }
    bench.hub.must_twice(&user.update(after.clone())).await;
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(after));
    Verdict::Passed
}

pub async fn a_user_is_suspended_and_restored(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("sleeper").await;
    bench.hub.must_twice(&user.suspend()).await;
    let suspended = UserSpec { access: Access::Enabled.suspended(DAY), ..user.spec.clone() };
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(suspended));
    bench.hub.must_twice(&user.restore()).await;
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(user.spec.clone()));
    Verdict::Passed
}

pub async fn a_suspended_user_can_be_renamed_and_stays_suspended(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("sleeper").await;
    bench.hub.must(&user.suspend()).await;
    let after = bench.user_spec("walker");
    bench.hub.must(&user.update(after.clone())).await;
    let access = Access::Enabled.suspended(DAY);
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(UserSpec { access, ..after }));
    Verdict::Passed
}

pub async fn a_user_is_deleted(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("goner").await;
    let other = bench.user("stayer").await;
    bench.hub.must_twice(&user.delete()).await;
    assert_eq!(bench.hub.see_user(&user.id).await, None);
    assert!(bench.hub.see_user(&other.id).await.is_some());
    let again = bench.user("goner").await;
    assert_ne!(again.id, user.id, "an id must not be used twice");
    Verdict::Passed
}

pub async fn a_credential_is_revoked(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("holder").await;
    let Some(credential) = fixture.give_credential(&user.id).await else {
        return Verdict::NotTried("no credentials");
    };
    let other = fixture.give_credential(&user.id).await;
    let mut both: Vec<_> =
        [Some(credential.clone()), other.clone()].into_iter().flatten().collect();
    both.sort();
    assert_eq!(bench.hub.credentials(&user.id).await, Reading::Complete(both));
    assert!(bench.hub.look(&ObjectKey::Credential(credential.clone())).await.is_some());
    let step = Step::RevokeCredential {
        user: user.spec.name.clone(),
        subject: user.subject.clone(),
        credential: Box::new(credential.clone()),
        replaced_by: None,
    };
    bench.hub.must_twice(&step).await;
    assert!(bench.hub.look(&ObjectKey::Credential(credential)).await.is_none());
    let left: Vec<_> = other.into_iter().collect();
    assert_eq!(bench.hub.credentials(&user.id).await, Reading::Complete(left));
    Verdict::Passed
}

pub async fn a_group_is_created_renamed_and_deleted(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let group = bench.group("crew").await;
    assert_eq!(bench.hub.see_group(&group.id).await, group.seen(group.spec.clone()));
    let name = fixture.name("band");
    bench.hub.must_twice(&group.rename(&name)).await;
    let mut renamed = group;
    renamed.spec.name = name.into();
    assert_eq!(bench.hub.see_group(&renamed.id).await, renamed.seen(renamed.spec.clone()));
    bench.hub.must_twice(&renamed.delete()).await;
    assert_eq!(bench.hub.see_group(&renamed.id).await, None);
    Verdict::Passed
}

pub async fn a_member_is_added_and_removed(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (group, other) = (bench.group("crew").await, bench.group("band").await);
    let (user, friend) = (bench.user("anna").await, bench.user("berta").await);
    bench.hub.must_twice(&join(&group.id, &user.id)).await;
    bench.hub.must(&join(&group.id, &friend.id)).await;
    bench.hub.must(&join(&other.id, &user.id)).await;
    assert!(bench.hub.see_member(&group.id, &user.id).await);
    bench.hub.must_twice(&leave(&group.id, &user.id)).await;
    assert!(!bench.hub.see_member(&group.id, &user.id).await);
    assert!(bench.hub.see_member(&group.id, &friend.id).await);
    assert!(bench.hub.see_member(&other.id, &user.id).await);
    Verdict::Passed
}

pub async fn a_role_is_created_updated_and_deleted(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let name = fixture.name("operator");
    let mut role = bench.role("operator").await;
    assert_eq!(bench.target.see_role(&role.id).await, role.seen(role.spec.clone()));
    let after = fixture.role(&name, true);
    assert_ne!(role.spec, after, "the fixture's two roles must differ");
    bench.target.must_twice(&role.update(after.clone())).await;
    assert_eq!(bench.target.see_role(&role.id).await, role.seen(after.clone()));
    role.spec = after;
    bench.target.must_twice(&role.delete()).await;
    assert_eq!(bench.target.see_role(&role.id).await, None);
    Verdict::Passed
}

pub async fn a_role_is_bound_and_unbound(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let role = bench.role("operator").await;
    let (group, other) = (bench.group("crew").await, bench.group("band").await);
    bench.target.must_twice(&bind(&role.id, &group.id)).await;
    bench.target.must(&bind(&role.id, &other.id)).await;
    let binding = Binding { role: role.id.clone(), group: group.id.clone() };
    assert!(bench.target.look(&ObjectKey::Binding(binding.clone())).await.is_some());
    assert!(bench.target.all().await.bindings.contains(&binding));
    bench.target.must_twice(&unbind(&role.id, &group.id)).await;
    assert!(bench.target.look(&ObjectKey::Binding(binding.clone())).await.is_none());
    let left = bench.target.all().await.bindings;
    assert!(!left.contains(&binding));
    assert!(left.contains(&Binding { role: role.id, group: other.id }));
    Verdict::Passed
}

pub async fn every_step_is_at_most_one_write(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    if fixture.calls().await.is_none() {
        return Verdict::NotTried("calls are not counted");
    }
    let mut user = bench.user("anna").await;
    let (group, role) = (bench.group("crew").await, bench.role("operator").await);
    let again = bench.user_spec("berta");
    let create =
        Step::User(Life::Create { subject: person("berta"), spec: Box::new(again.clone()) });
    let role_subject = Subject::Role("second".into());
    let second = Box::new(fixture.role(&fixture.name("second"), false));
    let renamed = bench.user_spec("clara");
    let hub_steps = [
        create,
        user.update(renamed.clone()),
        join(&group.id, &user.id),
        leave(&group.id, &user.id),
        user.suspend(),
        user.restore(),
        group.rename(&fixture.name("band")),
    ];
    let target_steps = [
        Step::Role(Life::Create { subject: role_subject, spec: second }),
        role.update(fixture.role(role.spec.name.as_str(), true)),
        bind(&role.id, &group.id),
        unbind(&role.id, &group.id),
    ];
    user.spec = renamed;
    let last = [user.delete()];
    let steps = hub_steps.iter().chain(&last).map(|step| (&bench.hub, step));
    for (at, step) in steps.chain(target_steps.iter().map(|step| (&bench.target, step))) {
        let before = fixture.calls().await;
        at.must(step).await;
        let (Some(before), Some(after)) = (before, fixture.calls().await) else { continue };
        let Calls { all, writes } = after;
        assert_eq!(writes - before.writes, 1, "{}", step.verb());
        assert!(all - before.all <= 6, "{} took {} calls", step.verb(), all - before.all);
    }
    Verdict::Passed
}

pub async fn something_is_attached_to_a_role_replaced_and_detached(
    fixture: &dyn Fixture,
) -> Verdict {
    let Some(attachment) = fixture.attachment(false) else {
        return Verdict::NotTried("nothing can be attached");
    };
    let bench = Bench::new(fixture).await;
    let role = bench.role("reader").await;
    let attach = |before: Option<&Attachment>, attachment: &Attachment| Step::Attach {
        holder_kind: HolderKind::Role,
        holder: target(&role.id),
        subject: role.subject.clone(),
        before: before.map(|before| Box::new(before.clone())),
        attachment: Box::new(attachment.clone()),
    };
    let held = |attachment: &Attachment| HeldAttachment {
        holder_kind: HolderKind::Role,
        holder: role.id.clone(),
        attachment: attachment.clone(),
    };
    assert_eq!(bench.target.look(&ObjectKey::Attachment(held(&attachment))).await, None);
    bench.target.must_twice(&attach(None, &attachment)).await;
    bench.target.must_have(&held(&attachment)).await;
    let mut now = attachment.clone();
    if let Some(other) = fixture.attachment(true) {
        bench.target.must_twice(&attach(Some(&attachment), &other)).await;
        bench.target.must_have(&held(&other)).await;
        let before = ObjectKey::Attachment(held(&attachment));
        assert_eq!(bench.target.look(&before).await, None, "what it said before is not there");
        now = other;
    }
    let detach = Step::Detach {
        holder_kind: HolderKind::Role,
        holder: target(&role.id),
        subject: role.subject.clone(),
        attachment: Box::new(now.clone()),
    };
    bench.target.must_twice(&detach).await;
    let any = held(&Attachment { content: None, ..now });
    assert_eq!(bench.target.look(&ObjectKey::Attachment(any)).await, None);
    assert_eq!(bench.target.all().await.attachments, []);
    Verdict::Passed
}

pub async fn what_was_attached_by_hand_is_seen_and_detached(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("anna").await;
    let group = bench.group("crew").await;
    let role = bench.role("reader").await;
    let mut tried = false;
    for (kind, id, subject, at) in [
        (HolderKind::User, &user.id, &user.subject, &bench.hub),
        (HolderKind::Group, &group.id, &group.subject, &bench.hub),
        (HolderKind::Role, &role.id, &role.subject, &bench.target),
    ] {
        let Some(attachment) = fixture.attach_by_hand(kind, id).await else { continue };
        tried = true;
        let held = HeldAttachment {
            holder_kind: kind,
            holder: id.clone(),
            attachment: attachment.clone(),
        };
        at.must_have(&held).await;
        let detach = Step::Detach {
            holder_kind: kind,
            holder: target(id),
            subject: subject.clone(),
            attachment: Box::new(attachment),
        };
        at.must_twice(&detach).await;
        assert_eq!(at.all().await.attachments, [], "{kind:?}");
    }
    if tried { Verdict::Passed } else { Verdict::NotTried("nothing can be attached by hand") }
}
