//! Access is counted in people and accounts, over a day.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use reconcile::apply::Options;
use reconcile::cloud::memory::{Fault, Operation};
use reconcile::guard::{
    Cause, Context, Doubt, Held, Holdings, Members, Recent, Review, Rule, review, taken,
};
use reconcile::model::{
    Access, AttributeValue, ChangeId, Kind, Place, Reason, RoleSpec, Subject, UserSpec, VendorId,
};
use reconcile::plan::{Change, Effect, Life, Plan, Reference, Step, Target, lint};
use reconcile::policies::{Limit, Policies};

use super::run::{Cloud, on_a_fast_clock, story};
use super::world::Model;

fn place(account: &str) -> Place {
    Place { organisation: "spi".into(), account: account.into() }
}

/// Forty people in group `g`, who have role `r` in two accounts; five of them also in group `h`,
/// which has it in one.
fn holdings() -> Holdings {
    let members = Members {
        users: (0..40).map(|number| VendorId::new(format!("u-{number}"))).collect(),
        groups: HashMap::from([("g".into(), (0..40).collect()), ("h".into(), (0..5).collect())]),
    };
    let held = |groups: &[&str]| Held {
        hub: place("hub"),
        home: place("hub"),
        roles: BTreeMap::from([(
            VendorId::new("r"),
            groups.iter().map(|group| VendorId::new(*group)).collect::<BTreeSet<_>>(),
        )]),
    };
    let accounts = [(place("hub"), held(&["g", "h"])), (place("farm"), held(&["g"]))];
    Holdings { hubs: BTreeMap::from([(place("hub"), members)]), accounts: accounts.into() }
}

fn role(permissions: &[&str]) -> RoleSpec {
    let permissions = permissions.iter().map(|one| (*one).to_owned()).collect();
    RoleSpec {
        name: "r".into(),
        description: String::new(),
        attributes: BTreeMap::from([("permissions".into(), AttributeValue::Set(permissions))]),
    }
}

fn become_(before: &[&str], after: &[&str]) -> Step {
    Step::Role(Life::Update {
        id: "r".into(),
        subject: Subject::Role("r".into()),
        before: Box::new(role(before)),
        after: Box::new(role(after)),
    })
}

fn known(id: &str) -> Target {
    Target { id: Reference::Known(id.into()), name: id.into() }
}

fn unbind(group: &str) -> Step {
    Step::UnbindRole { role: known("r"), group: known(group), by_hand: None }
}

fn suspend(number: u32) -> Step {
    Step::User(Life::Retire {
        id: format!("u-{number}").into(),
        subject: Subject::Person {
            directory: "debian".into(),
            stable_id: number.to_string().into(),
        },
        before: Box::new(UserSpec {
            name: format!("user{number}").into(),
            display_name: None,
            email: None,
            access: Access::Enabled,
        }),
        on: Model::empty().today,
    })
}

fn plan(mut steps: Vec<(&str, Step)>) -> Plan {
    steps.sort_by_key(|(_, step)| step.phase());
    let mut plan = Plan::empty(Model::empty().today);
    plan.changes = (0..)
        .zip(steps)
        .map(|(number, (account, step))| {
            Change::new(
                ChangeId(number),
                Arc::new(place(account)),
                step,
                Vec::new(),
                [Reason::ByHand].into(),
            )
        })
        .collect();
    assert_eq!(lint(&plan), []);
    plan
}

/// Any number of objects, but so much access.
fn policies(allowed: u32) -> Policies {
    let none = Limit { count: u32::MAX, percent: 100, floor: u32::MAX };
    let mut policies = Policies::default();
    policies.limits.kinds.values_mut().for_each(|limit| *limit = none);
    policies.limits.access = Limit { count: allowed, percent: 100, floor: 0 };
    policies
}

fn reviewed(plan: Plan, allowed: u32, recent: &Recent) -> Review {
    let policies = policies(allowed);
    let mut context = Context::new(&policies);
    context.holdings = holdings();
    context.recent = recent.clone();
    review(plan, &context)
}

#[test]
fn one_change_takes_as_much_as_people_lose_by_it() {
    let cases: [(Vec<(&str, Step)>, u64); 9] = [
        (vec![("hub", become_(&["a"], &["b"]))], 80),
        (vec![("hub", become_(&["a"], &["a", "b"]))], 0),
        (vec![("farm", unbind("g"))], 40),
        // Five have the role there through another group, too.
        (vec![("hub", unbind("g"))], 35),
        (vec![("hub", unbind("h"))], 0),
        (vec![("hub", unbind("g")), ("hub", unbind("h"))], 40),
        (vec![("hub", unbind("g")), ("farm", unbind("g"))], 75),
        // Whoever leaves is counted as a user.
        (vec![("farm", unbind("g")), ("hub", suspend(1)), ("hub", suspend(2))], 38),
        (vec![("elsewhere", unbind("g"))], 0),
    ];
    for (steps, lost) in cases {
        let plan = plan(steps);
        let taken = taken(&plan, &holdings());
        assert_eq!(taken.access(&"spi".into()), lost, "{}", story(&plan));
        let allowed = u32::try_from(lost).expect("few");
        let review = reviewed(plan.clone(), allowed, &Recent::default());
        assert_eq!(review.violations, [], "{}", story(&plan));
        if lost > 0 {
            let review = reviewed(plan.clone(), allowed - 1, &Recent::default());
            let [violation] = &review.violations[..] else { panic!("{:?}", review.violations) };
            assert_eq!(violation.rule, Rule::RemovalLimit);
            let told = format!("{lost} of 80 accesses (one person in one account) would be");
            assert!(violation.message.starts_with(&told), "{}", violation.message);
        }
    }
}

#[test]
fn whoever_was_to_leave_and_stays_counts() {
    let steps = || vec![("farm", unbind("g")), ("hub", suspend(1)), ("hub", suspend(2))];
    let policies = policies(38);
    let mut context = Context::new(&policies);
    context.holdings = holdings();
    assert_eq!(review(plan(steps()), &context).violations, []);
    // Their directory is not believed: they stay, and lose what all others lose.
    let cause = Cause::Lacks { before: 100, now: 0, listed: 100 };
    context.doubts = vec![Doubt { directory: "debian".into(), cause }];
    let review = review(plan(steps()), &context);
    let rules: Vec<Rule> = review.violations.iter().map(|one| one.rule).collect();
    assert_eq!(rules, [Rule::DirectoryShrinkage, Rule::RemovalLimit]);
    assert!(review.violations[1].message.starts_with("40 of 80 accesses"), "{review:?}");
    assert_eq!(review.approved.held().len(), 3);
}

#[test]
fn whoever_stays_for_a_limit_on_users_counts() {
    let mut policies = policies(38);
    policies.limits.kinds.insert(Kind::User, Limit { count: 1, percent: 100, floor: 1 });
    let mut context = Context::new(&policies);
    context.holdings = holdings();
    let steps = vec![("farm", unbind("g")), ("hub", suspend(1)), ("hub", suspend(2))];
    let review = review(plan(steps), &context);
    assert_eq!(review.violations.len(), 2, "{:?}", review.violations);
    assert_eq!(review.approved.held().len(), 3);
}

#[test]
fn what_is_taken_from_somebody_who_stays_counts_for_itself() {
    let leave = |number: u32, group: &str| Step::RemoveMember {
        group: known(group),
        user: known(&format!("u-{number}")),
        subject: None,
    };
    let mut policies = policies(1000);
    policies.limits.kinds.insert(Kind::Membership, Limit { count: 1, percent: 100, floor: 1 });
    let mut context = Context::new(&policies);
    let steps = || vec![("hub", leave(1, "g")), ("hub", leave(1, "h")), ("hub", suspend(1))];
    assert_eq!(review(plan(steps()), &context).violations, [], "a user, once");
    context.strangers.insert(suspend(1).subject().expect("a person").clone(), vec!["name"]);
    let review = review(plan(steps()), &context);
    let rules: Vec<Rule> = review.violations.iter().map(|one| one.rule).collect();
    assert_eq!(rules, [Rule::AnotherPerson, Rule::RemovalLimit]);
    assert_eq!(review.approved.held().len(), 3);
}

#[test]
fn what_was_to_replace_something_comes_although_the_other_may_not_go() {
    let steps = vec![
        ("hub", Step::BindRole { role: known("r2"), group: known("g") }),
        ("hub", unbind("g")),
        (
            "hub",
            Step::Role(Life::Delete {
                id: "r".into(),
                subject: Subject::Role("r".into()),
                before: Box::new(role(&["a"])),
            }),
        ),
    ];
    let mut plan = plan(steps);
    plan.changes.sort_by_key(|change| change.step.effect());
    for (number, change) in (0..).zip(&mut plan.changes) {
        change.id = ChangeId(number);
        change.needs = (0..number).map(ChangeId).collect();
    }
    assert_eq!(lint(&plan), []);
    let review = reviewed(plan, 10, &Recent::default());
    assert_eq!(review.violations.len(), 1);
    let held: Vec<u32> = review.approved.held().keys().map(|change| change.0).collect();
    assert_eq!(held, [1, 2], "the group gets the other role");
}

#[test]
fn what_was_taken_within_a_day_counts() {
    let plan = plan(vec![("farm", unbind("g"))]);
    let mut recent = Recent::default();
    recent.add_access(&"spi".into(), 10);
    assert_eq!(reviewed(plan.clone(), 50, &recent).violations, []);
    let review = reviewed(plan.clone(), 49, &recent);
    assert!(review.violations[0].message.contains("at most 49 within a day, 10 were"));
    // Another organisation is another matter.
    let mut others = Recent::default();
    others.add_access(&"ffd".into(), 1000);
    assert_eq!(reviewed(plan, 40, &others).violations, []);
}

#[test]
fn runs_of_one_day_are_one_for_every_kind_of_object() {
    let steps = || vec![("hub", suspend(1)), ("hub", suspend(2))];
    let mut policies = policies(1000);
    policies.limits.kinds.insert(Kind::User, Limit { count: 3, percent: 100, floor: 0 });
    let mut context = Context::new(&policies);
    let census = BTreeMap::from([(Kind::User, 40)]);
    let counted = || {
        let mut plan = plan(steps());
        plan.census.insert("spi".into(), census.clone());
        plan
    };
    assert_eq!(review(counted(), &context).violations, []);
    context.recent.add_objects(&"spi".into(), Kind::User, 1);
    assert_eq!(review(counted(), &context).violations, []);
    context.recent.add_objects(&"spi".into(), Kind::User, 1);
    assert_eq!(review(counted(), &context).approved.held().len(), 2);
}

/// A group whose role is to be replaced by another.
fn replacing() -> (Cloud, Model) {
    let mut model = Model::simple();
    model.role("reader", &["read"], false);
    model.person("debian", "alice", &["admin"]);
    (Cloud::new(), model)
}

#[test]
fn what_cannot_be_replaced_stays() {
    for operation in ["CreateRole", "CreateBinding"] {
        let (cloud, mut model) = replacing();
        on_a_fast_clock(async {
            cloud.run(&model.given(), Options::default()).await;
            let before = cloud.dump();
            model.grants[0].role = "reader".to_owned();
            let fault = Operation::ALL.iter().find(|one| one.name() == operation);
            let fault = *fault.unwrap_or_else(|| panic!("no {operation}"));
            cloud.world.faults(|faults| faults.next(Some(fault), Fault::Denied));
            let ran = cloud.run(&model.given(), Options::default()).await;
            let told = story(&ran.plan);
            assert_eq!(ran.plan.removals().count(), 2, "{told}");
            let account = |state: &reconcile::cloud::memory::service::state::State| {
                state.account("100000000001").bindings.clone()
            };
            assert_eq!(account(&before), account(&cloud.dump()), "{told}");
            cloud.world.faults(reconcile::cloud::memory::service::fault::Faults::clear);
            cloud.run(&model.given(), Options::default()).await;
            let state = cloud.dump();
            let names: Vec<&str> =
                state.account("100000000001").roles.after(None).map(|one| &*one.name).collect();
            assert_eq!(names, ["reader"]);
        });
    }
}

#[test]
fn what_replaces_comes_before_what_it_replaces() {
    let (cloud, mut model) = replacing();
    on_a_fast_clock(async {
        cloud.run(&model.given(), Options::default()).await;
        model.grants[0].role = "reader".to_owned();
        let plan = cloud.dry_run(&model).await;
        let verbs: Vec<&str> = plan.changes.iter().map(|change| change.step.verb()).collect();
        assert_eq!(verbs, ["create role", "bind role", "unbind role", "delete role"]);
        assert_eq!(lint(&plan), []);
        // An end that was written down is no replacement: it comes whatever else comes to be.
        model.grants[0].role = "operator".to_owned();
        model.grants[0].until = Some(model.today);
        model.grant("debian:admin", "reader", &["hub"]);
        let plan = cloud.dry_run(&model).await;
        assert_eq!(plan.changes[0].step.effect(), Effect::Removal, "{}", story(&plan));
        assert_eq!(plan.changes[0].needs, []);
    });
}
