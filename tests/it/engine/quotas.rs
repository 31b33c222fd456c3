//! Quotas at one less, exactly and one more than what the account allows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use reconcile::guard::{Context, Review, Rule, Usage, review};
use reconcile::model::{Access, ChangeId, Place, Quota, Reason, Subject, UserSpec, VendorId};
use reconcile::plan::{Change, Life, Plan, Reference, Step, Target};
use reconcile::policies::{Limit, Limits, Policies};

use super::world::Model;

fn place() -> Place {
    Place { organisation: "spi".into(), account: "hub".into() }
}

fn person(number: u32) -> Subject {
    Subject::Person { directory: "debian".into(), stable_id: number.to_string().into() }
}

fn create(number: u32) -> Step {
    let user = UserSpec {
        name: format!("user{number}").into(),
        display_name: None,
        email: None,
        access: Access::Enabled,
    };
    Step::User(Life::Create { subject: person(number), spec: Box::new(user) })
}

fn known(id: &str) -> Target {
    Target { id: Reference::Known(id.into()), name: id.into() }
}

fn join(group: u32) -> Step {
    let group = known(&format!("g-{group}"));
    Step::AddMember { group, user: known("amara"), subject: person(1) }
}

fn leave(group: u32) -> Step {
    Step::RemoveMember {
        group: known(&format!("g-{group}")),
        user: known("amara"),
        subject: Some(person(1)),
    }
}

fn reviewed(mut steps: Vec<Step>, usage: Usage, policies: &Policies) -> Review {
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
    let context = Context { usage: BTreeMap::from([(place(), usage)]), ..Context::new(policies) };
    review(plan, &context)
}

fn held(review: &Review) -> Vec<u32> {
    review.approved.held().keys().map(|id| id.0).collect()
}

fn generous() -> Policies {
    let all = Limit { count: 1000, percent: 100, floor: 1000 };
    let kinds = reconcile::model::Kind::PEOPLE.into_iter().map(|kind| (kind, all)).collect();
    Policies { limits: Limits { kinds, access: all, directory: all }, ..Policies::default() }
}

/// Ten groups each, of which amara is in so many.
fn groups_of_amara(used: u64) -> Usage {
    let of = HashMap::from([(VendorId::new("amara"), used)]);
    Usage {
        quotas: BTreeMap::from([(Quota::GroupsPerUser, 10)]),
        in_account: BTreeMap::new(),
        per_object: BTreeMap::from([(Quota::GroupsPerUser, of)]),
    }
}

#[test]
fn the_eleventh_group_is_held_with_numbers_and_the_tenth_is_not() {
    for (used, joins, expected) in [(8, 1, &[][..]), (8, 2, &[]), (8, 3, &[2]), (0, 11, &[10])] {
        let steps = (0..joins).map(join).collect();
        let review = reviewed(steps, groups_of_amara(used), &generous());
        assert_eq!(held(&review), expected, "{used} and {joins} more");
        if let [violation] = &review.violations[..] {
            assert_eq!(violation.rule, Rule::Quota);
            assert!(!violation.overridable, "no approval makes the vendor allow more");
            assert_eq!(
                violation.message,
                "1 change would exceed a quota in spi/hub: groups per user of `amara`: at most 10 \
                 are allowed"
            );
        } else {
            assert_eq!(expected, [0_u32; 0]);
        }
    }
}

#[test]
fn what_goes_in_the_same_run_makes_room_unless_it_is_held() {
    let review = reviewed(vec![leave(1), join(2)], groups_of_amara(10), &generous());
    assert_eq!(held(&review), [0_u32; 0]);
    let none = Limit { count: 0, percent: 0, floor: 0 };
    let kinds = reconcile::model::Kind::PEOPLE.into_iter().map(|kind| (kind, none)).collect();
    let strict =
        Policies { limits: Limits { kinds, access: none, directory: none }, ..Policies::default() };
    let review = reviewed(vec![leave(1), join(2)], groups_of_amara(10), &strict);
    assert_eq!(held(&review), [0, 1]);
}

#[test]
fn an_account_that_is_full_gets_no_more_users_and_what_needs_them_waits_too() {
    for (existing, expected) in [(4998, &[][..]), (4999, &[1]), (5000, &[0, 1])] {
        let usage = Usage {
            quotas: BTreeMap::from([(Quota::Users, 5000)]),
            in_account: BTreeMap::from([(Quota::Users, existing)]),
            per_object: BTreeMap::new(),
        };
        let review = reviewed(vec![create(1), create(2)], usage, &generous());
        assert_eq!(held(&review), expected, "{existing}");
    }
}

#[test]
fn an_account_that_tells_no_quota_is_not_bounded() {
    let steps = (0..100).map(join).collect();
    let review = reviewed(steps, Usage::default(), &generous());
    assert_eq!(held(&review), [0_u32; 0]);
}
