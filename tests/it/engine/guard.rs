//! Every rule at one less, exactly and one more than what it allows; and that nothing held runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;
use reconcile::apply::Options;
use reconcile::event::Outcome;
use reconcile::guard::{
    AdministratorGroup, AdministratorSet, Cause, Context, Doubt, Review, Rule, review,
};
use reconcile::model::{
    Access, Attachment, ChangeId, Credential, GroupRef, GroupSpec, HolderKind, Kind, Place, Reason,
    RoleSpec, Source, Subject, UserSpec, VendorId,
};
use reconcile::plan::{Change, Effect, Life, Plan, Reference, Step, Target, lint};
use reconcile::policies::{Limit, Limits, Policies, Protected};

use super::meddling::meddle;
use super::run::{Cloud, carry_out, on_a_fast_clock, story};
use super::world::Model;

fn place() -> Place {
    Place { organisation: "spi".into(), account: "hub".into() }
}

fn person(number: u32) -> Subject {
    Subject::Person { directory: "debian".into(), stable_id: number.to_string().into() }
}

fn group_ref(name: &str) -> GroupRef {
    GroupRef { directory: "debian".into(), group: name.into() }
}

fn user(number: u32) -> UserSpec {
    UserSpec {
        name: format!("user{number}").into(),
        display_name: None,
        email: None,
        access: Access::Enabled,
    }
}

fn known(id: String) -> Target {
    Target { id: Reference::Known(id.as_str().into()), name: id.into() }
}

fn suspend(number: u32) -> Step {
    Step::User(Life::Retire {
        id: format!("u-{number}").into(),
        subject: person(number),
        before: Box::new(user(number)),
        on: Model::empty().today,
    })
}

fn leave(number: u32, group: &str) -> Step {
    Step::RemoveMember {
        group: known(group.to_owned()),
        user: Target {
            id: Reference::Known(format!("u-{number}").into()),
            name: format!("user{number}").into(),
        },
        subject: Some(person(number)),
    }
}

fn unbind(number: u32, group: &str) -> Step {
    Step::UnbindRole {
        role: known(format!("r-{number}")),
        group: known(group.to_owned()),
        by_hand: None,
    }
}

/// One removal of a kind.
fn removal(kind: Kind, number: u32) -> Step {
    match kind {
        Kind::User => suspend(number),
        Kind::Group => Step::Group(Life::Delete {
            id: format!("g-{number}").into(),
            subject: Subject::Group(group_ref(&format!("group{number}"))),
            before: GroupSpec { name: format!("group{number}").into() },
        }),
        Kind::Membership => leave(number, "g-1"),
        Kind::Role => Step::Role(Life::Delete {
            id: format!("r-{number}").into(),
            subject: Subject::Role(format!("role{number}").into()),
            before: Box::new(RoleSpec {
                name: format!("role{number}").into(),
                description: String::new(),
                attributes: BTreeMap::new(),
            }),
        }),
        Kind::Binding => unbind(number, "g-1"),
        Kind::Attachment => Step::Detach {
            holder_kind: HolderKind::Role,
            holder: known(format!("r-{number}")),
            subject: Subject::Role(format!("role{number}").into()),
            attachment: Box::new(Attachment {
                kind: "inline-policy".into(),
                name: "by-hand".into(),
                content: Some("{}".to_owned()),
            }),
        },
        Kind::Credential | Kind::Resource(_) => panic!("no limit counts {kind} here"),
    }
}

/// A plan of these steps, in the order of their phases.
fn plan_of(mut steps: Vec<Step>) -> Plan {
    steps.sort_by_key(Step::phase);
    let mut plan = Plan::empty(Model::empty().today);
    plan.changes = (0..)
        .zip(steps)
        .map(|(number, step)| {
            Change::new(
                ChangeId(number),
                Arc::new(place()),
                step,
                Vec::new(),
                [Reason::ByHand].into(),
            )
        })
        .collect();
    assert_eq!(lint(&plan), []);
    plan
}

fn with_existing(mut plan: Plan, existing: u64) -> Plan {
    let kinds = Kind::PEOPLE.into_iter().map(|kind| (kind, existing)).collect();
    plan.census.insert("spi".into(), kinds);
    plan
}

/// No limit but the one.
fn limited(kind: Option<Kind>, limit: Limit) -> Policies {
    let none = Limit { count: u32::MAX, percent: 100, floor: u32::MAX };
    let mut kinds: BTreeMap<Kind, Limit> =
        Kind::PEOPLE.into_iter().map(|kind| (kind, none)).collect();
    if let Some(kind) = kind {
        kinds.insert(kind, limit);
    }
    Policies { limits: Limits { kinds, access: none, directory: limit }, ..Policies::default() }
}

fn unlimited() -> Policies {
    limited(None, Limit { count: 0, percent: 0, floor: 0 })
}

fn rules(review: &Review) -> Vec<Rule> {
    review.violations.iter().map(|violation| violation.rule).collect()
}

fn held(review: &Review) -> Vec<u32> {
    review.approved.held().keys().map(|id| id.0).collect()
}

/// Reviews `removals` of a kind where `existing` exist under a limit.
fn removing(kind: Kind, removals: u32, existing: u64, limit: Limit) -> Review {
    let mut steps: Vec<Step> = (0..removals).map(|number| removal(kind, number)).collect();
    steps.push(Step::User(Life::Create { subject: person(9999), spec: Box::new(user(9999)) }));
    let plan = with_existing(plan_of(steps), existing);
    let policies = limited(Some(kind), limit);
    review(plan, &Context::new(&policies))
}

#[test]
fn limits_hold_all_counted_removals_from_one_too_many_on_and_no_addition() {
    for kind in Kind::PEOPLE {
        // (limit, existing, allowed)
        let cases = [
            (Limit { count: 5, percent: 100, floor: 0 }, 1000, 5),
            (Limit { count: 1000, percent: 10, floor: 0 }, 79, 7),
            (Limit { count: 1000, percent: 10, floor: 0 }, 80, 8),
            (Limit { count: 20, percent: 10, floor: 3 }, 4, 3),
            (Limit { count: 1, percent: 1, floor: 4 }, 0, 4),
        ];
        for (limit, existing, allowed) in cases {
            for removals in [allowed - 1, allowed] {
                let review = removing(kind, removals, existing, limit);
                assert_eq!(rules(&review), [], "{kind:?} {limit:?} {removals} of {existing}");
                assert_eq!(held(&review), [0_u32; 0]);
            }
            let review = removing(kind, allowed + 1, existing, limit);
            assert_eq!(rules(&review), [Rule::RemovalLimit], "{kind:?} {limit:?}");
            assert_eq!(held(&review), (0..=allowed).collect::<Vec<_>>(), "{kind:?}");
            let message = &review.violations[0].message;
            assert!(
                message.starts_with(&format!("{} of {existing} ", allowed + 1))
                    && message.contains(&format!("at most {allowed} in one run")),
                "{message}"
            );
        }
    }
}

#[test]
fn a_limit_of_nothing_removes_nothing() {
    let limit = Limit { count: 0, percent: 100, floor: 0 };
    assert_eq!(rules(&removing(Kind::User, 0, 100, limit)), []);
    assert_eq!(rules(&removing(Kind::User, 1, 100, limit)), [Rule::RemovalLimit]);
}

#[test]
fn a_kind_without_a_limit_has_the_usual_one() {
    let mut policies = unlimited();
    policies.limits.kinds.clear();
    let steps = (0..3).map(|number| removal(Kind::Group, number)).collect();
    let review = review(with_existing(plan_of(steps), 3), &Context::new(&policies));
    assert_eq!(rules(&review), [Rule::RemovalLimit]);
}

#[test]
fn whoever_leaves_counts_once_whatever_they_had() {
    let leaver = |number| {
        let credential = Credential {
            user: format!("u-{number}").into(),
            kind: "access-key".into(),
            id: format!("c-{number}").into(),
            handed_over: None,
        };
        let user = format!("user{number}").into();
        let credential = Box::new(credential);
        let subject = person(number);
        let revoke = Step::RevokeCredential { user, subject, credential, replaced_by: None };
        [revoke, leave(number, "g-1"), leave(number, "g-2"), suspend(number)]
    };
    let policies = |kind| limited(Some(kind), Limit { count: 2, percent: 100, floor: 0 });
    for (leavers, rule) in [(1, vec![]), (2, vec![]), (3, vec![Rule::RemovalLimit])] {
        let plan = with_existing(plan_of((0..leavers).flat_map(leaver).collect()), 100);
        let users = policies(Kind::User);
        let review = review(plan.clone(), &Context::new(&users));
        assert_eq!(rules(&review), rule);
        assert_eq!(review.approved.held().len(), if leavers == 3 { 12 } else { 0 });
        let memberships = policies(Kind::Membership);
        assert_eq!(rules(&super::guard::review(plan, &Context::new(&memberships))), []);
    }
}

#[test]
fn organisations_have_limits_of_their_own() {
    let mut plan = plan_of((0..4).map(|number| removal(Kind::User, number)).collect());
    let other = Arc::new(Place { organisation: "ffd".into(), account: "theirs".into() });
    plan.changes[2].place = Arc::clone(&other);
    plan.changes[3].place = other;
    let plan = with_existing(plan, 10);
    let limit = |count| Limit { count, percent: 100, floor: 2 };
    let mut policies = limited(Some(Kind::User), limit(2));
    assert_eq!(rules(&review(plan.clone(), &Context::new(&policies))), []);
    let strict = Limit { count: 1, percent: 100, floor: 0 };
    let strict = Limits { kinds: [(Kind::User, strict)].into(), ..Limits::default() };
    policies.organisation_limits.insert("ffd".into(), strict);
    let review = review(plan, &Context::new(&policies));
    assert_eq!(rules(&review), [Rule::RemovalLimit]);
    assert_eq!(held(&review), [2, 3]);
}

#[test]
fn a_directory_that_shrank_too_far_is_not_believed() {
    let limit = Limit { count: 1000, percent: 10, floor: 0 };
    for (now, rule) in [(91, vec![]), (90, vec![]), (89, vec![Rule::DirectoryShrinkage])] {
        let policies = limited(None, limit);
        let mut context = Context::new(&policies);
        let cause = Cause::Lacks { before: 100, now, listed: 100 };
        context.doubts = vec![Doubt { directory: "debian".into(), cause }];
        let elsewhere = Step::Role(Life::Delete {
            id: "r-1".into(),
            subject: Subject::Role("old".into()),
            before: Box::new(RoleSpec {
                name: "old".into(),
                description: String::new(),
                attributes: BTreeMap::new(),
            }),
        });
        let plan = with_existing(plan_of(vec![suspend(1), leave(2, "g-1"), elsewhere]), 100);
        let review = review(plan, &context);
        assert_eq!(rules(&review), rule, "{now}");
        assert_eq!(held(&review), if now == 89 { vec![0, 1] } else { vec![] });
    }
}

fn administrators(present: u32, minimum: u32, required: &[u32]) -> AdministratorSet {
    AdministratorSet {
        account: place(),
        hub: place(),
        home: place(),
        group: group_ref("admin"),
        groups: BTreeMap::from([("g-admin".into(), administrator_group(present, &["r-1"]))]),
        left: BTreeSet::new(),
        as_wide: BTreeMap::new(),
        back: BTreeSet::new(),
        minimum,
        required: required.iter().map(|number| person(*number)).collect(),
    }
}

fn administrator_group(members: u32, roles: &[&str]) -> AdministratorGroup {
    AdministratorGroup {
        roles: roles.iter().map(|role| VendorId::new(*role)).collect(),
        members: (0..members)
            .map(|number| (VendorId::new(format!("u-{number}")), person(number)))
            .collect(),
    }
}

#[test]
fn enough_administrators_stay() {
    let policies = unlimited();
    let ways: [fn(u32) -> Step; 2] = [suspend, |number| leave(number, "g-admin")];
    for way in ways {
        for (leaving, rule) in [(1, vec![]), (2, vec![]), (3, vec![Rule::MinimumAdministrators])] {
            let mut context = Context::new(&policies);
            context.administrators = vec![administrators(4, 2, &[])];
            let plan = with_existing(plan_of((0..leaving).map(way).collect()), 100);
            let review = review(plan, &context);
            assert_eq!(rules(&review), rule, "{leaving}");
            assert_eq!(review.approved.held().len(), if leaving == 3 { 3 } else { 0 });
        }
    }
}

#[test]
fn administrators_keep_their_group_and_its_last_role() {
    let policies = unlimited();
    let last_role = vec![unbind(1, "g-admin")];
    let group = vec![Step::Group(Life::Delete {
        id: "g-admin".into(),
        subject: Subject::Group(group_ref("admin")),
        before: GroupSpec { name: "admin".into() },
    })];
    for steps in [last_role, group] {
        for minimum in [1, 2] {
            let mut context = Context::new(&policies);
            context.administrators = vec![administrators(2, minimum, &[])];
            let review = review(with_existing(plan_of(steps.clone()), 9), &context);
            assert_eq!(rules(&review), [Rule::MinimumAdministrators]);
            assert_eq!(held(&review), [0]);
        }
    }
    let mut context = Context::new(&policies);
    let mut two_roles = administrators(2, 2, &[]);
    two_roles.groups.insert("g-admin".into(), administrator_group(2, &["r-1", "r-2"]));
    // Nobody can tell whether the other one allows as much: people have to look.
    context.administrators = vec![two_roles.clone()];
    let one = review(with_existing(plan_of(vec![unbind(1, "g-admin")]), 9), &context);
    assert_eq!(rules(&one), [Rule::MinimumAdministrators]);
    assert!(one.violations[0].overridable && held(&one) == [0]);
    two_roles.as_wide = BTreeMap::from([("r-1".into(), BTreeSet::from(["r-2".into()]))]);
    context.administrators = vec![two_roles];
    let one = review(with_existing(plan_of(vec![unbind(1, "g-admin")]), 9), &context);
    assert_eq!(rules(&one), []);
    let both = plan_of(vec![unbind(1, "g-admin"), unbind(2, "g-admin")]);
    assert_eq!(held(&review(with_existing(both, 9), &context)), [0, 1]);
}

#[test]
fn required_administrators_stay_whatever_the_number_of_others() {
    let policies = unlimited();
    let mut context = Context::new(&policies);
    context.administrators = vec![administrators(10, 1, &[3])];
    let plan = plan_of(vec![suspend(2), suspend(3), leave(4, "g-admin")]);
    let review = review(with_existing(plan, 100), &context);
    assert_eq!(rules(&review), [Rule::RequiredAdministrator]);
    let (_, why) = review.approved.held().first_key_value().expect("one is held");
    assert!(why.contains("person:debian:3"), "{why}");
    assert_eq!(held(&review).len(), 1);
}

#[test]
fn nothing_is_taken_from_protected_users_however_their_name_is_written() {
    let mut policies = unlimited();
    policies.protected.push(Protected {
        user: "USER1".into(),
        account: None,
        break_glass: true,
        reason: "the way in".to_owned(),
        source: Source::new("policies/protected.yaml", 1, 1),
    });
    let steps = vec![suspend(1), suspend(2), leave(1, "g-1")];
    let plan = with_existing(plan_of(steps), 100);
    let first = review(plan.clone(), &Context::new(&policies));
    assert_eq!(rules(&first), [Rule::Protected]);
    assert_eq!(first.approved.held().len(), 2);
    policies.protected[0].account = Some("another".into());
    assert_eq!(rules(&review(plan.clone(), &Context::new(&policies))), []);
    // The users of an account live in its hub.
    let mut context = Context::new(&policies);
    context.hubs.insert("another".into(), place().account);
    assert_eq!(rules(&review(plan, &context)), [Rule::Protected]);
}

#[test]
fn nobody_is_given_the_name_of_a_break_glass_user() {
    let mut policies = unlimited();
    policies.protected.push(Protected {
        user: "Rescue".into(),
        account: None,
        break_glass: true,
        reason: "the way in".to_owned(),
        source: Source::new("policies/protected.yaml", 1, 1),
    });
    let user = |name: &str| UserSpec {
        name: name.into(),
        display_name: None,
        email: None,
        access: Access::Enabled,
    };
    let create = Step::User(Life::Create { subject: person(1), spec: Box::new(user("rescue")) });
    let rename = Step::User(Life::Update {
        id: "u-2".into(),
        subject: person(2),
        before: Box::new(user("bob")),
        after: Box::new(user("rescue")),
    });
    let plan = with_existing(plan_of(vec![create, rename]), 100);
    let first = review(plan.clone(), &Context::new(&policies));
    assert_eq!(rules(&first), [Rule::Protected]);
    assert_eq!(held(&first), [0, 1]);
    policies.protected[0].break_glass = false;
    assert_eq!(rules(&review(plan, &Context::new(&policies))), []);
}

#[test]
fn nothing_is_taken_from_what_the_program_acts_as() {
    let policies = unlimited();
    let mut context = Context::new(&policies);
    context.own_principals.insert(place(), "u-1".into());
    let update = Step::User(Life::Update {
        id: "u-1".into(),
        subject: person(1),
        before: Box::new(user(1)),
        after: Box::new(user(2)),
    });
    let plan = plan_of(vec![leave(1, "g-1"), leave(2, "g-1"), suspend(1), update]);
    let plan = with_existing(plan, 100);
    let first = review(plan.clone(), &context);
    assert_eq!(rules(&first), [Rule::OwnPrincipal]);
    assert_eq!(held(&first), [0, 2, 3]);
    context.own_principals = BTreeMap::from([(place(), "r-1".into())]);
    let plan = with_existing(plan_of(vec![unbind(1, "g-1"), unbind(2, "g-1")]), 100);
    assert_eq!(held(&review(plan, &context)), [0]);
}

#[test]
fn an_override_is_for_one_plan_and_for_rules_that_know_exceptions() {
    let policies = limited(Some(Kind::User), Limit { count: 1, percent: 100, floor: 0 });
    let plan = with_existing(plan_of(vec![suspend(1), suspend(2), suspend(3)]), 100);
    let mut context = Context::new(&policies);
    context.approved = Some(plan.digest());
    let approved = review(plan.clone(), &context);
    assert!(approved.violations[0].overridden && held(&approved).is_empty());
    // One bit of difference, and the approval is void.
    let mut other = plan.clone();
    other.changes[0].step = suspend(4);
    assert_eq!(held(&review(other, &context)), [0, 1, 2]);
    // What is told beside it may be worded otherwise.
    let mut worded = plan.clone();
    worded.changes[0].reasons = [Reason::ByHand, Reason::ByHand].into();
    assert!(held(&review(worded, &context)).is_empty());
    assert!(approved.approvable.is_empty(), "it was approved already");
    let unasked = review(plan.clone(), &Context::new(&policies));
    assert_eq!(unasked.approvable, (0..3).map(ChangeId).collect());
    // Who may not be locked out stays, approved or not.
    context.administrators = vec![administrators(3, 2, &[2])];
    context.own_principals.insert(place(), "u-3".into());
    let before = Context { approved: None, ..context.clone() };
    assert!(review(plan.clone(), &before).approvable.is_empty(), "nothing would be let go");
    let required = Context { administrators: vec![], ..before };
    let some = review(plan.clone(), &required).approvable;
    assert_eq!(some, [ChangeId(0), ChangeId(1)].into(), "all but the program itself");
    let review = review(plan, &context);
    assert_eq!(
        rules(&review).into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([
            Rule::OwnPrincipal,
            Rule::RequiredAdministrator,
            Rule::MinimumAdministrators,
            Rule::RemovalLimit
        ])
    );
    for violation in &review.violations {
        assert_eq!(violation.overridden, violation.rule == Rule::RemovalLimit);
    }
    assert_eq!(held(&review), [0, 1, 2]);
}

/// Whatever the plan and the limits: what is held is not sent, and what needs it is not either.
#[test]
fn nothing_held_ever_runs() {
    for seed in 0..300 {
        on_a_fast_clock(async {
            let mut rng = Rng::with_seed(seed);
            let mut model = Model::random(&mut rng);
            let cloud = Cloud::new();
            cloud.run(&model.given(), Options::default()).await;
            meddle(&mut rng, &cloud.world, &model);
            model.evolve(&mut rng);
            let mut given = model.given();
            for limit in given.policies.limits.kinds.values_mut() {
                let count = rng.u32(..3);
                *limit = Limit { count, percent: 100, floor: 0 };
            }
            let connections = cloud.connect(&given).await;
            let desired = cloud.desired(&given);
            let observed = cloud.observe(&given, &desired, &connections).await;
            let review =
                review(cloud.plan_for(&given, &desired, &observed), &Context::new(&given.policies));
            let before = cloud.dump();
            cloud.world.clear_log();
            let outcomes = carry_out(&review, &connections, Options::default()).await;
            let after = cloud.dump();
            let plan = review.approved.plan();
            // The plan as it would be without what is held.
            let mut rest = plan.clone();
            rest.changes.retain(|change| !review.approved.held().contains_key(&change.id));
            let wrong = super::proof::unplanned(&model, &before, &after, Some(&rest));
            assert_eq!(wrong, [""; 0], "seed {seed}\n{}", story(plan));
            for change in &plan.changes {
                let is_held = review.approved.held().contains_key(&change.id);
                let outcome = &outcomes[change.id];
                assert_eq!(is_held, matches!(outcome, Outcome::Held { .. }), "seed {seed}");
                let needs_held =
                    change.needs.iter().any(|need| review.approved.held().contains_key(need));
                assert!(
                    is_held || !needs_held || matches!(outcome, Outcome::Skipped { .. }),
                    "seed {seed}: {} {outcome:?}",
                    change.id
                );
                assert!(!is_held || change.step.effect() == Effect::Removal, "seed {seed}");
            }
        });
    }
}

#[test]
fn whoever_administers_now_stays_until_the_others_are_there() {
    // Another group is named; until it has the role, the old one counts, and it goes.
    let policies = unlimited();
    let mut context = Context::new(&policies);
    let mut set = administrators(0, 2, &[]);
    set.groups = BTreeMap::from([("g-old".into(), administrator_group(3, &["r-1"]))]);
    context.administrators = vec![set];
    let group = Step::Group(Life::Delete {
        id: "g-old".into(),
        subject: Subject::Group(group_ref("old")),
        before: GroupSpec { name: "old".into() },
    });
    let steps =
        vec![leave(0, "g-old"), leave(1, "g-old"), leave(2, "g-old"), unbind(1, "g-old"), group];
    let review = review(with_existing(plan_of(steps), 100), &context);
    assert_eq!(rules(&review), [Rule::MinimumAdministrators]);
    assert_eq!(held(&review), [0, 1, 2, 3, 4]);
}

#[test]
fn the_rights_of_the_program_itself_stay() {
    let policies = unlimited();
    let mut context = Context::new(&policies);
    context.own_groups.insert(place(), BTreeSet::from(["g-own".into()]));
    let plan = plan_of(vec![unbind(1, "g-own"), unbind(1, "g-other")]);
    let review = review(with_existing(plan, 100), &context);
    assert_eq!(rules(&review), [Rule::OwnPrincipal]);
    assert_eq!(held(&review), [0]);
}

#[test]
fn a_group_that_is_kept_keeps_its_members_and_roles() {
    let limit = Limit { count: 0, percent: 0, floor: 0 };
    let policies = limited(Some(Kind::Group), limit);
    let group = Step::Group(Life::Delete {
        id: "g-1".into(),
        subject: Subject::Group(group_ref("web")),
        before: GroupSpec { name: "web".into() },
    });
    let mut plan = plan_of(vec![leave(1, "g-1"), leave(2, "g-2"), unbind(1, "g-1"), group]);
    let last = plan.changes.len() - 1;
    let needs = plan.changes.iter().filter(|change| match &change.step {
        Step::RemoveMember { group, .. } | Step::UnbindRole { group, .. } => {
            group.name.as_str() == "g-1"
        }
        _ => false,
    });
    let needs: Vec<ChangeId> = needs.map(|change| change.id).collect();
    assert_eq!(needs.len(), 2);
    plan.changes[last].needs = needs;
    let review = review(with_existing(plan, 100), &Context::new(&policies));
    assert_eq!(rules(&review), [Rule::RemovalLimit]);
    assert_eq!(held(&review).len(), 3);
}
