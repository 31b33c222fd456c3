//! Readings are complete or say that they are not.

use super::bench::{Bench, Made, bind, join, target};
use super::{Fixture, ListTrouble, Verdict};
use crate::model::{Binding, Credential, Kind, Membership, ObjectKey, Reading, Snapshot, VendorId};
use crate::plan::Step;

pub async fn an_empty_account_is_completely_read(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    for at in [&bench.hub, &bench.target] {
        let all = at.all().await;
        assert!(all.users.iter().all(|user| user.ownership.subject().is_none()));
        assert!(all.groups.iter().all(|group| group.ownership.subject().is_none()));
        assert!(all.roles.iter().all(|role| role.ownership.subject().is_none()));
    }
    Verdict::Passed
}

pub async fn pages_of_one_show_everything(fixture: &dyn Fixture) -> Verdict {
    let bench = populated(fixture).await;
    let before = (bench.hub.all().await, bench.target.all().await);
    if !fixture.page_size(1).await {
        return Verdict::NotTried("the page size is fixed");
    }
    assert_eq!((bench.hub.all().await, bench.target.all().await), before);
    assert!(before.0.users.len() >= 3 && before.0.memberships.len() >= 4);
    Verdict::Passed
}

pub async fn a_list_that_goes_wrong_makes_the_reading_partial(fixture: &dyn Fixture) -> Verdict {
    let bench = populated(fixture).await;
    let mut tried = false;
    for pages_of in [100, 2, 1] {
        if !fixture.page_size(pages_of).await && pages_of != 100 {
            continue;
        }
        for kind in Kind::PEOPLE {
            for trouble in ListTrouble::ALL {
                if !fixture.next_list_fails(kind, trouble).await {
                    continue;
                }
                tried = true;
                let at = match kind {
                    Kind::Role | Kind::Binding | Kind::Attachment => &bench.target,
                    _ => &bench.hub,
                };
                let reading = at.reading().await;
                assert!(
                    !reading.is_complete(),
                    "a list of {} that was {trouble:?} counts as complete, pages of {pages_of}",
                    kind.plural(),
                );
                // It was that one reading; and what could be read was.
                let all = at.all().await;
                assert_eq!(reading.got().users.len() < all.users.len(), kind == Kind::User);
            }
        }
    }
    if tried { Verdict::Passed } else { Verdict::NotTried("lists cannot be made to fail") }
}

pub async fn what_does_not_exist_is_looked_up_as_nothing(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (user, group) = (bench.user("anna").await, bench.group("crew").await);
    let role = bench.role("operator").await;
    let gone = bench.user("goner").await;
    bench.hub.must(&gone.delete()).await;
    let nobody = VendorId::from(fixture.name("nobody"));
    for id in [&gone.id, &nobody] {
        let credential = Credential {
            user: id.clone(),
            kind: "access-key".into(),
            id: nobody.clone(),
            handed_over: None,
        };
        let membership = Membership { group: group.id.clone(), user: id.clone() };
        for key in [
            ObjectKey::User(id.clone()),
            ObjectKey::Group(id.clone()),
            ObjectKey::Membership(membership),
            ObjectKey::Credential(credential),
        ] {
            assert_eq!(bench.hub.look(&key).await, None, "{key:?}");
        }
        let binding = Binding { role: role.id.clone(), group: id.clone() };
        for key in [ObjectKey::Role(id.clone()), ObjectKey::Binding(binding)] {
            assert_eq!(bench.target.look(&key).await, None, "{key:?}");
        }
    }
    let membership = Membership { group: group.id, user: user.id.clone() };
    assert_eq!(bench.hub.look(&ObjectKey::Membership(membership)).await, None);
    let name = fixture.name("nobody");
    for key in [ObjectKey::UserNamed(name.as_str().into()), ObjectKey::GroupNamed(name.into())] {
        assert_eq!(bench.hub.look(&key).await, None, "{key:?}");
    }
    Verdict::Passed
}

pub async fn names_are_found_as_the_vendor_compares_them(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let (user, group) = (bench.user("Anna").await, bench.group("Crew").await);
    let role = bench.role("Operator").await;
    let facts = fixture.vendor().facts();
    let spellings = |name: &str, insensitive: bool| {
        let other = name.to_uppercase();
        if insensitive { vec![name.to_owned(), other] } else { vec![name.to_owned()] }
    };
    for name in spellings(user.spec.name.as_str(), facts.user_names.case_insensitive) {
        let found = bench.hub.look(&ObjectKey::UserNamed(name.into())).await;
        assert_eq!(found, user.seen(user.spec.clone()).map(Snapshot::User));
    }
    for name in spellings(group.spec.name.as_str(), facts.group_names.case_insensitive) {
        let found = bench.hub.look(&ObjectKey::GroupNamed(name.into())).await;
        assert_eq!(found, group.seen(group.spec.clone()).map(Snapshot::Group));
    }
    for name in spellings(role.spec.name.as_str(), facts.role_names.case_insensitive) {
        let found = bench.target.look(&ObjectKey::RoleNamed(name.into())).await;
        assert_eq!(found, role.seen(role.spec.clone()).map(Snapshot::Role));
    }
    Verdict::Passed
}

pub async fn reading_costs_pages_not_members(fixture: &dyn Fixture) -> Verdict {
    let bench = populated(fixture).await;
    // Made before counting begins: a group may cost a list of its own, a member may not.
    let group = bench.group("more").await;
    let Some(before) = fixture.calls().await else {
        return Verdict::NotTried("calls are not counted");
    };
    bench.hub.all().await;
    let Some(few) = fixture.calls().await else { return Verdict::Passed };
    for number in 0..12 {
        let user = bench.user(&format!("more{number}")).await;
        bench.hub.must(&join(&group.id, &user.id)).await;
    }
    let Some(middle) = fixture.calls().await else { return Verdict::Passed };
    bench.hub.all().await;
    let Some(many) = fixture.calls().await else { return Verdict::Passed };
    let (first, second) = (few.all - before.all, many.all - middle.all);
    assert!(second <= first + 1, "{first} calls for 3 users, {second} for 15");
    assert_eq!((few.writes, many.writes), (before.writes, middle.writes), "a reading writes");
    Verdict::Passed
}

pub async fn profiles_come_back_as_they_were(fixture: &dyn Fixture) -> Verdict {
    if !fixture.vendor().facts().profile {
        return Verdict::NotTried("no profiles");
    }
    let bench = Bench::new(fixture).await;
    let user = bench.user("anna").await;
    for display_name in ["Łucja Ñandú", "O'Neil, \"Bob\" <x>", "北京 🐧"] {
        let mut user = Made::clone_of(&user);
        let seen = bench.hub.see_user(&user.id).await.expect("it is there");
        user.spec = seen.spec;
        let mut after = user.spec.clone();
        after.display_name = Some(crate::model::Private::new(display_name.to_owned()));
        bench.hub.must(&user.update(after.clone())).await;
        assert_eq!(bench.hub.see_user(&user.id).await, user.seen(after));
    }
    Verdict::Passed
}

pub async fn credentials_of_nobody_are_a_partial_reading_or_none(fixture: &dyn Fixture) -> Verdict {
    let bench = Bench::new(fixture).await;
    let user = bench.user("goner").await;
    bench.hub.must(&user.delete()).await;
    let reading = bench.hub.credentials(&user.id).await;
    assert!(reading.got().is_empty(), "somebody who is gone has no credentials");
    assert!(
        !matches!(&reading, Reading::Partial { missing, .. } if missing.is_empty()),
        "a partial reading says what is missing"
    );
    Verdict::Passed
}

impl<T: Clone> Made<T> {
    fn clone_of(other: &Self) -> Self {
        let Self { id, subject, spec } = other;
        Self { id: id.clone(), subject: subject.clone(), spec: spec.clone() }
    }
}

/// Three users, three groups and three roles, with memberships and bindings.
async fn populated(fixture: &dyn Fixture) -> Bench<'_> {
    let bench = Bench::new(fixture).await;
    let mut groups = Vec::new();
    let mut roles = Vec::new();
    for number in 1..=3 {
        groups.push(bench.group(&format!("group{number}")).await);
        roles.push(bench.role(&format!("role{number}")).await);
    }
    for number in 1..=3 {
        let user = bench.user(&format!("user{number}")).await;
        for group in groups.iter().take(number) {
            bench.hub.must(&join(&group.id, &user.id)).await;
        }
    }
    for (role, group) in roles.iter().zip(&groups) {
        bench.target.must(&bind(&role.id, &group.id)).await;
    }
    let bound = Step::BindRole { role: target(&roles[0].id), group: target(&groups[2].id) };
    bench.target.must(&bound).await;
    bench
}
