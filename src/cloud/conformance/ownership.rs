//! Whose an object is, and that nothing happens to what is not ours.

use super::bench::{Bench, DAY, Made, bind, group_subject, join, leave, person, unbind};

use super::{Fixture, Verdict};
use crate::cloud::ErrorKind;
use crate::model::{
    Access, GroupSpec, HolderKind, ObjectKey, Observed, Ownership, RoleSpec, Snapshot, Subject,
    UserSpec, VendorId,
};
use crate::plan::Step;

pub async fn foreign_objects_are_listed_as_foreign(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = fixture.foreign_user(&fixture.name("stranger")).await;
    let group = fixture.foreign_group(&fixture.name("clique")).await;
    let role = fixture.foreign_role(&fixture.name("power")).await;
    let ownership = bench.hub.see_user(&user).await.expect("it is there").ownership;
    assert_eq!(ownership, Ownership::Unmarked);
    let ownership = bench.hub.see_group(&group).await.expect("it is there").ownership;
    assert_eq!(ownership, Ownership::Unmarked);
    let ownership = bench.target.see_role(&role).await.expect("it is there").ownership;
    assert_eq!(ownership, Ownership::Unmarked);
    Verdict::Passed
}

pub async fn foreign_objects_are_refused(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let id = fixture.foreign_user(&fixture.name("stranger")).await;
    let Some(Snapshot::User(seen)) = bench.hub.look(&ObjectKey::User(id.clone())).await else {
        panic!("the foreign user is there");
    };
    let user = Made { id, subject: person("stranger"), spec: seen.spec };
    let id = fixture.foreign_group(&fixture.name("clique")).await;
    let spec = GroupSpec { name: fixture.name("clique").into() };
    let group = Made { id, subject: group_subject("clique"), spec };
    let id = fixture.foreign_role(&fixture.name("power")).await;
    let spec = bench.target.see_role(&id).await.expect("it is there").spec;
    let role = Made { id, subject: Subject::Role("power".into()), spec };
    fixture.join_by_hand(&user.id, &group.id).await;
    all_refused(&bench, &user, &group, &role).await;
    if let Some(credential) = fixture.give_credential(&user.id).await {
        let subject = user.subject.clone();
        let name = user.spec.name.clone();
        let step = Step::RevokeCredential {
            user: name,
            subject,
            credential: Box::new(credential),
            replaced_by: None,
        };
        bench.hub.must_fail(&step, ErrorKind::Foreign).await;
    }
    Verdict::Passed
}

/// Every step that touches an existing object is refused and changes nothing.
async fn all_refused(
    bench: &Bench<'_>,
    user: &Made<UserSpec>,
    group: &Made<GroupSpec>,
    role: &Made<RoleSpec>,
) {
    let before = (bench.hub.all().await, bench.target.all().await);
    let renamed = UserSpec { name: bench.fixture.name("mine").into(), ..user.spec.clone() };
    let hub_steps = [
        user.update(renamed),
        user.suspend(),
        user.restore(),
        user.delete(),
        group.rename(&bench.fixture.name("mine")),
        group.delete(),
        join(&group.id, &user.id),
        leave(&group.id, &user.id),
    ];
    for step in &hub_steps {
        bench.hub.must_fail(step, ErrorKind::Foreign).await;
    }
    let other = bench.fixture.role(role.spec.name.as_str(), true);
    let target_steps =
        [role.update(other), role.delete(), bind(&role.id, &group.id), unbind(&role.id, &group.id)];
    for step in &target_steps {
        bench.target.must_fail(step, ErrorKind::Foreign).await;
    }
    assert_eq!((bench.hub.all().await, bench.target.all().await), before);
}

pub async fn nobody_elses_user_or_group_gets_anything(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (group, role) = (bench.group("crew").await, bench.role("operator").await);
    let user = fixture.foreign_user(&fixture.name("stranger")).await;
    let clique = fixture.foreign_group(&fixture.name("clique")).await;
    bench.hub.must_fail(&join(&group.id, &user), ErrorKind::Foreign).await;
    bench.target.must_fail(&bind(&role.id, &clique), ErrorKind::Foreign).await;
    assert!(!bench.hub.see_member(&group.id, &user).await);
    assert!(bench.target.all().await.bindings.is_empty());
    Verdict::Passed
}

pub async fn a_foreign_member_of_our_group_can_be_removed(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let group = bench.group("crew").await;
    let user = fixture.foreign_user(&fixture.name("stranger")).await;
    fixture.join_by_hand(&user, &group.id).await;
    assert!(bench.hub.see_member(&group.id, &user).await);
    bench.hub.must_twice(&leave(&group.id, &user)).await;
    assert!(!bench.hub.see_member(&group.id, &user).await);
    assert!(bench.hub.see_user(&user).await.is_some(), "the user itself stays");
    Verdict::Passed
}

pub async fn another_organisations_objects_are_foreign(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (user, group) = (bench.user("anna").await, bench.group("crew").await);
    let role = bench.role("operator").await;
    bench.hub.must(&join(&group.id, &user.id)).await;
    bench.target.must(&bind(&role.id, &group.id)).await;
    let others = bench.as_organisation("others").await;
    let seen = others.hub.see_user(&user.id).await.expect("it is there");
    assert!(matches!(seen.ownership, Ownership::Theirs(_)), "{:?}", seen.ownership);
    let seen = others.hub.see_group(&group.id).await.expect("it is there");
    assert!(matches!(seen.ownership, Ownership::Theirs(_)), "{:?}", seen.ownership);
    let seen = others.target.see_role(&role.id).await.expect("it is there");
    assert!(matches!(seen.ownership, Ownership::Theirs(_)), "{:?}", seen.ownership);
    all_refused(&others, &user, &group, &role).await;
    // Both live side by side.
    let theirs = others.user("berta").await;
    let seen = bench.hub.see_user(&theirs.id).await.expect("it is there");
    assert!(matches!(seen.ownership, Ownership::Theirs(_)), "{:?}", seen.ownership);
    bench.hub.must_fail(&join(&group.id, &theirs.id), ErrorKind::Foreign).await;
    others.hub.must(&theirs.delete()).await;
    Verdict::Passed
}

pub async fn an_object_that_stands_for_somebody_else_is_refused(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let mut user = bench.user("anna").await;
    user.subject = person("berta");
    let mut group = bench.group("crew").await;
    group.subject = group_subject("band");
    let mut role = bench.role("operator").await;
    role.subject = Subject::Role("auditor".into());
    for step in [user.delete(), user.suspend(), group.delete()] {
        bench.hub.must_fail(&step, ErrorKind::Foreign).await;
    }
    bench.target.must_fail(&role.delete(), ErrorKind::Foreign).await;
    assert!(bench.hub.see_user(&user.id).await.is_some());
    Verdict::Passed
}

pub async fn a_user_disabled_by_hand_reads_as_disabled(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("anna").await;
    if !fixture.disable_by_hand(&user.id).await {
        return Verdict::NotTried("users cannot be disabled by hand");
    }
    let disabled = UserSpec { access: Access::Disabled, ..user.spec.clone() };
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(disabled.clone()));
    // A plan made before that knows nothing of it, and must not undo it.
    bench.hub.fail(&user.restore()).await;
    // A change of name must not undo it either.
    let name = bench.user_spec("berta");
    bench.hub.must(&user.update(name.clone())).await;
    let renamed = UserSpec { access: Access::Disabled, ..name };
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(renamed.clone()));
    // Who departs is suspended all the same, so that the grace period runs.
    let disabled = Made { spec: renamed.clone(), ..user.clone() };
    bench.hub.must_twice(&disabled.suspend()).await;
    let access = Access::Disabled.suspended(DAY);
    let suspended = UserSpec { access, ..renamed.clone() };
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(suspended));
    // Another name must not make us forget who disabled it; nor does coming back undo it.
    let name = bench.user_spec("carla");
    bench.hub.must(&Made { spec: renamed, ..user.clone() }.update(name.clone())).await;
    let renamed = UserSpec { access, ..name };
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(renamed.clone()));
    // A plan that takes it for one that only we suspended would enable it.
    let as_ours = UserSpec { access: Access::Enabled.suspended(DAY), ..renamed.clone() };
    bench
        .hub
        .must_fail(&Made { spec: as_ours, ..user.clone() }.bring_back(), ErrorKind::Conflict)
        .await;
    bench.hub.must_twice(&Made { spec: renamed.clone(), ..user.clone() }.bring_back()).await;
    let back = UserSpec { access: Access::Disabled, ..renamed };
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(back));
    Verdict::Passed
}

pub async fn what_changed_since_the_plan_is_refused(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("anna").await;
    if !fixture.rename_by_hand(&user.id, &fixture.name("other")).await {
        return Verdict::NotTried("users cannot be renamed by hand");
    }
    let after = bench.user_spec("third");
    bench.hub.must_fail(&user.update(after), ErrorKind::Conflict).await;
    bench.hub.must_fail(&user.delete(), ErrorKind::Conflict).await;
    let suspended = bench.user("berta").await;
    bench.hub.must(&suspended.suspend()).await;
    // Planned when it was not suspended: deleting it now would cut the grace period short.
    bench.hub.must_fail(&suspended.delete(), ErrorKind::Conflict).await;
    assert!(bench.hub.see_user(&user.id).await.is_some());
    assert!(bench.hub.see_user(&suspended.id).await.is_some());
    Verdict::Passed
}

pub async fn what_has_no_mark_is_adopted_and_nothing_else(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let adopt = |holder_kind, id: &VendorId, name: &str, subject: Subject| Step::Adopt {
        holder_kind,
        id: id.clone(),
        name: fixture.name(name).into(),
        subject,
        from: None,
    };
    let user = fixture.foreign_user(&fixture.name("ulla")).await;
    let before = bench.hub.see_user(&user).await;
    let adoption = adopt(HolderKind::User, &user, "ulla", person("ulla"));
    bench.hub.must_twice(&adoption).await;
    let adopted = Ownership::Ours(person("ulla"));
    let expected = before.map(|user| Observed { ownership: adopted, ..user });
    assert_eq!(bench.hub.see_user(&user).await, expected, "more than the mark changed");
    let other = adopt(HolderKind::User, &user, "ulla", person("other"));
    bench.hub.must_fail(&other, ErrorKind::Foreign).await;
    // Known by another id: only in place of the mark that was seen.
    let passed = |from: &str| Step::Adopt {
        holder_kind: HolderKind::User,
        id: user.clone(),
        name: fixture.name("ulla").into(),
        subject: person("other"),
        from: Some(person(from)),
    };
    bench.hub.must_fail(&passed("nobody"), ErrorKind::Foreign).await;
    bench.hub.must_twice(&passed("ulla")).await;
    let seen = bench.hub.see_user(&user).await.map(|user| user.ownership);
    assert_eq!(seen, Some(Ownership::Ours(person("other"))));

    let group = fixture.foreign_group(&fixture.name("crew")).await;
    bench.hub.must_twice(&adopt(HolderKind::Group, &group, "crew", group_subject("crew"))).await;
    let seen = bench.hub.see_group(&group).await.map(|group| group.ownership);
    assert_eq!(seen, Some(Ownership::Ours(group_subject("crew"))));
    let members = bench.hub.all().await.memberships;
    assert_eq!(members, [], "adoption puts nobody anywhere");

    let theirs = bench.as_organisation("other").await;
    let adoption = adopt(HolderKind::Group, &group, "crew", group_subject("crew"));
    theirs.hub.must_fail(&adoption, ErrorKind::Foreign).await;

    let role = fixture.foreign_role(&fixture.name("reader")).await;
    let subject = Subject::Role("reader".into());
    bench.target.must_twice(&adopt(HolderKind::Role, &role, "reader", subject.clone())).await;
    let seen = bench.target.see_role(&role).await.map(|role| role.ownership);
    assert_eq!(seen, Some(Ownership::Ours(subject)));
    Verdict::Passed
}
