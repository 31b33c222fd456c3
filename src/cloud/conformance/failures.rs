//! What goes wrong is told truly, in the closed vocabulary.

use std::time::Duration;

use super::bench::{Bench, bind, group_subject, join, leave, person, unbind};
use super::{Fixture, Trouble, Verdict};
use crate::cloud::{ErrorKind, Retry};
use crate::model::{GroupSpec, ObjectKey, RoleSpec, Snapshot, Subject, UserSpec};
use crate::plan::{Life, Step};

pub async fn a_lost_reply_is_found_by_looking(fixture: &dyn Fixture) -> Verdict {
    no_reply(fixture, Trouble::LostReply).await
}

pub async fn a_stalled_write_ends_in_a_lost_reply(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    if !fixture.next_write_fails(Trouble::Stall).await {
        return Verdict::NotTried("writes cannot be made to stall");
    }
    let spec = bench.user_spec("early");
    let step = Step::User(Life::Create { subject: person("early"), spec: Box::new(spec.clone()) });
    bench.hub.must_fail(&step, ErrorKind::LostReply).await;
    assert_eq!(bench.hub.look(&ObjectKey::UserNamed(spec.name)).await, None);
    no_reply(fixture, Trouble::StallAfter).await
}

/// Every step's effect is found although its reply did not arrive.
async fn no_reply(fixture: &dyn Fixture, trouble: Trouble) -> Verdict {
    let bench = Bench::new(fixture).await;
    if !fixture.next_write_fails(trouble).await {
        return Verdict::NotTried("replies cannot be lost");
    }
    let spec = bench.user_spec("anna");
    let step = Step::User(Life::Create { subject: person("anna"), spec: Box::new(spec.clone()) });
    bench.hub.must_fail(&step, ErrorKind::LostReply).await;
    let found = bench.hub.look(&ObjectKey::UserNamed(spec.name.clone())).await;
    let Some(Snapshot::User(user)) = found else { panic!("the user is there, found {found:?}") };
    assert_eq!(user.ownership.subject(), Some(&person("anna")), "marked by the same write");

    let made = super::bench::Made { id: user.id, subject: person("anna"), spec };
    let (group, role) = (bench.group("crew").await, bench.role("operator").await);
    let lose = async |at: &super::bench::At, step: &Step| {
        assert!(fixture.next_write_fails(trouble).await, "it could the first time");
        at.must_fail(step, ErrorKind::LostReply).await;
    };
    lose(&bench.hub, &join(&group.id, &made.id)).await;
    assert!(bench.hub.see_member(&group.id, &made.id).await);
    lose(&bench.target, &bind(&role.id, &group.id)).await;
    assert_eq!(bench.target.all().await.bindings.len(), 1);
    lose(&bench.target, &unbind(&role.id, &group.id)).await;
    assert_eq!(bench.target.all().await.bindings.len(), 0);
    lose(&bench.hub, &leave(&group.id, &made.id)).await;
    assert!(!bench.hub.see_member(&group.id, &made.id).await);
    lose(&bench.hub, &group.delete()).await;
    assert_eq!(bench.hub.see_group(&group.id).await, None);
    lose(&bench.hub, &made.delete()).await;
    assert_eq!(bench.hub.see_user(&made.id).await, None);
    lose(&bench.target, &role.delete()).await;
    assert_eq!(bench.target.see_role(&role.id).await, None);
    Verdict::Passed
}

pub async fn what_did_not_happen_may_be_repeated(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let mut tried = false;
    for (trouble, after) in
        [(Trouble::Throttle, Some(Duration::from_secs(2))), (Trouble::Unavailable, None)]
    {
        if !fixture.next_write_fails(trouble).await {
            continue;
        }
        tried = true;
        let nickname = format!("{trouble:?}").to_lowercase();
        let spec = bench.user_spec(&nickname[..5]);
        let step =
            Step::User(Life::Create { subject: person(&nickname), spec: Box::new(spec.clone()) });
        let error = bench.hub.fail(&step).await;
        assert_eq!(error.retry(), Retry::Again { after }, "{error}");
        assert_eq!(bench.hub.look(&ObjectKey::UserNamed(spec.name)).await, None);
        bench.hub.must(&step).await;
    }
    if tried { Verdict::Passed } else { Verdict::NotTried("writes cannot be made to fail") }
}

pub async fn errors_have_their_kinds(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let mut tried = false;
    for (trouble, kind) in [
        (Trouble::Denied, ErrorKind::Denied),
        (Trouble::Expired, ErrorKind::Unauthenticated),
        (Trouble::Quota, ErrorKind::QuotaExceeded),
        (Trouble::Conflict, ErrorKind::Conflict),
    ] {
        if !fixture.next_write_fails(trouble).await {
            continue;
        }
        tried = true;
        let group = GroupSpec { name: fixture.name("crew").into() };
        let step = Step::Group(Life::Create { subject: group_subject("crew"), spec: group });
        let error = bench.hub.fail(&step).await;
        assert_eq!(error.kind, kind, "{error}");
        assert!(!error.message.is_empty() && !error.operation.is_empty());
        assert!(error.request_id.is_some(), "the vendor's support asks for it");
        assert!(bench.hub.all().await.groups.is_empty());
    }
    let gone = bench.user("goner").await;
    bench.hub.must(&gone.delete()).await;
    bench.hub.must_fail(&gone.suspend(), ErrorKind::NotFound).await;
    if tried { Verdict::Passed } else { Verdict::NotTried("writes cannot be made to fail") }
}

pub async fn a_taken_name_is_taken_in_any_case(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (user, group) = (bench.user("anna").await, bench.group("crew").await);
    let role = bench.role("operator").await;
    let facts = fixture.vendor().facts();
    let spell = |name: &str, insensitive: bool| {
        if insensitive { name.to_uppercase() } else { name.to_owned() }
    };
    let name = spell(user.spec.name.as_str(), facts.user_names.case_insensitive);
    let spec = UserSpec { name: name.into(), ..user.spec.clone() };
    let step = Step::User(Life::Create { subject: person("berta"), spec: Box::new(spec.clone()) });
    bench.hub.must_fail(&step, ErrorKind::AlreadyExists).await;
    let other = bench.user("clara").await;
    bench.hub.must_fail(&other.update(spec), ErrorKind::AlreadyExists).await;
    let name = spell(group.spec.name.as_str(), facts.group_names.case_insensitive);
    let spec = GroupSpec { name: name.into() };
    let step = Step::Group(Life::Create { subject: group_subject("band"), spec });
    bench.hub.must_fail(&step, ErrorKind::AlreadyExists).await;
    let name = spell(role.spec.name.as_str(), facts.role_names.case_insensitive);
    let spec = RoleSpec { name: name.into(), ..role.spec.clone() };
    let step =
        Step::Role(Life::Create { subject: Subject::Role("b".into()), spec: Box::new(spec) });
    bench.target.must_fail(&step, ErrorKind::AlreadyExists).await;
    // Only the spelling of one's own name may change.
    if facts.user_names.case_insensitive {
        let name = user.spec.name.as_str().to_uppercase();
        let spec = UserSpec { name: name.into(), ..user.spec.clone() };
        bench.hub.must(&user.update(spec.clone())).await;
        assert_eq!(bench.hub.see_user(&user.id).await, user.seen(spec));
    }
    Verdict::Passed
}

pub async fn a_forbidden_name_is_invalid(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let rules = fixture.vendor().facts().user_names;
    let long = "a".repeat(rules.max_length + 1);
    let mut names = vec![String::new(), long];
    names.extend(['\n', '/', '\u{0}'].iter().filter(|c| !(rules.allows)(**c)).map(char::to_string));
    for name in names {
        let spec = UserSpec { name: name.into(), ..bench.user_spec("x") };
        let step = Step::User(Life::Create { subject: person("x"), spec: Box::new(spec) });
        bench.hub.must_fail(&step, ErrorKind::Invalid).await;
    }
    assert!(bench.hub.all().await.users.is_empty());
    Verdict::Passed
}

pub async fn a_user_with_credentials_or_memberships_is_not_deleted(
    fixture: &dyn Fixture,
) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (user, group) = (bench.user("anna").await, bench.group("crew").await);
    bench.hub.must(&join(&group.id, &user.id)).await;
    bench.hub.must_fail(&user.delete(), ErrorKind::HasDependents).await;
    bench.hub.must(&leave(&group.id, &user.id)).await;
    if let Some(credential) = fixture.give_credential(&user.id).await {
        bench.hub.must_fail(&user.delete(), ErrorKind::HasDependents).await;
        let step = Step::RevokeCredential {
            user: user.spec.name.clone(),
            subject: user.subject.clone(),
            credential: Box::new(credential),
            replaced_by: None,
        };
        bench.hub.must(&step).await;
    }
    bench.hub.must(&user.delete()).await;
    Verdict::Passed
}

pub async fn a_group_with_members_or_roles_is_not_deleted(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (user, group) = (bench.user("anna").await, bench.group("crew").await);
    let role = bench.role("operator").await;
    bench.hub.must(&join(&group.id, &user.id)).await;
    bench.hub.must_fail(&group.delete(), ErrorKind::HasDependents).await;
    bench.hub.must(&leave(&group.id, &user.id)).await;
    bench.target.must(&bind(&role.id, &group.id)).await;
    bench.hub.must_fail(&group.delete(), ErrorKind::HasDependents).await;
    bench.target.must(&unbind(&role.id, &group.id)).await;
    bench.hub.must(&group.delete()).await;
    Verdict::Passed
}

pub async fn a_bound_role_is_not_deleted(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (role, group) = (bench.role("operator").await, bench.group("crew").await);
    bench.target.must(&bind(&role.id, &group.id)).await;
    bench.target.must_fail(&role.delete(), ErrorKind::HasDependents).await;
    bench.target.must(&unbind(&role.id, &group.id)).await;
    bench.target.must(&role.delete()).await;
    Verdict::Passed
}

pub async fn what_is_not_yet_visible_becomes_visible(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let group = bench.group("crew").await;
    if !fixture.lag(6).await {
        return Verdict::NotTried("reads do not lag");
    }
    let user = bench.user("anna").await;
    assert_eq!(bench.hub.look(&ObjectKey::User(user.id.clone())).await, None);
    let error = bench.hub.fail(&join(&group.id, &user.id)).await;
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(error.retry(), Retry::Look);
    for _attempt in 0..20 {
        if bench.hub.look(&ObjectKey::User(user.id.clone())).await.is_some() {
            bench.hub.must(&join(&group.id, &user.id)).await;
            return Verdict::Passed;
        }
    }
    panic!("the user never became visible");
}
