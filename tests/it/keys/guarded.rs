//! What the guard makes of keys: neither is a rotation a departure, nor is the loss of a key
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reconcile::guard::{AdministratorGroup, AdministratorSet, Context, Review, Rule, review};
use reconcile::model::{
    ChangeId, Credential, GroupRef, Kind, Place, Reason, Source, Subject, VendorId,
};
use reconcile::plan::{Change, Plan, Reference, Step, Target};
use reconcile::policies::{Limit, Limits, Policies, Protected};

fn place() -> Place {
    Place { organisation: "spi".into(), account: "hub".into() }
}

fn revoke(number: u32, key: &str, replaced_by: Option<&str>) -> Step {
    Step::RevokeCredential {
        user: format!("robot{number}").into(),
        subject: Subject::Service(format!("robot{number}").into()),
        credential: Box::new(Credential {
            user: format!("u-{number}").into(),
            kind: "access-key".into(),
            id: format!("{key}-{number}").into(),
            handed_over: None,
        }),
        replaced_by: replaced_by.map(|key| format!("{key}-{number}").into()),
    }
}

fn issue(number: u32) -> Step {
    Step::IssueCredential {
        user: Target {
            id: Reference::Known(format!("u-{number}").into()),
            name: format!("robot{number}").into(),
        },
        subject: Subject::Service(format!("robot{number}").into()),
        kind: "access-key".into(),
        sink: "store".into(),
        on: jiff::civil::date(2026, 11, 22),
    }
}

fn plan(steps: Vec<Step>) -> Plan {
    let mut plan = Plan::empty(jiff::civil::date(2026, 11, 22));
    let place = Arc::new(place());
    plan.changes = (0..)
        .zip(steps)
        .map(|(id, step)| {
            Change::new(
                ChangeId(id),
                Arc::clone(&place),
                step,
                Vec::new(),
                [Reason::NoKeyHandedOver].into(),
            )
        })
        .collect();
    plan.census.insert("spi".into(), BTreeMap::from([(Kind::User, 100)]));
    plan
}

/// At most two users.
fn strict() -> Policies {
    let two = Limit { count: 2, percent: 100, floor: 0 };
    let kinds = Kind::PEOPLE.into_iter().map(|kind| (kind, two)).collect();
    Policies { limits: Limits { kinds, access: two, directory: two }, ..Policies::default() }
}

fn rules(review: &Review) -> Vec<Rule> {
    review.violations.iter().map(|violation| violation.rule).collect()
}

#[test]
fn the_end_of_keys_that_were_replaced_is_no_departure() {
    let steps = (0..50).map(|number| revoke(number, "old", Some("new")));
    let steps = steps.chain((0..50).map(issue)).collect();
    let policies = strict();
    assert_eq!(rules(&review(plan(steps), &Context::new(&policies))), []);
}

#[test]
fn the_end_of_the_only_key_counts_as_its_user_once() {
    let policies = strict();
    for (services, expected) in [(2, vec![]), (3, vec![Rule::RemovalLimit])] {
        let both = |number| [revoke(number, "a", None), revoke(number, "b", None)];
        let review = review(plan((0..services).flat_map(both).collect()), &Context::new(&policies));
        assert_eq!(rules(&review), expected);
        assert_eq!(review.approved.held().len(), if services == 3 { 6 } else { 0 });
    }
}

#[test]
fn a_key_whose_successor_goes_too_was_not_replaced() {
    let policies = strict();
    let both = |number| [revoke(number, "old", Some("new")), revoke(number, "new", None)];
    let review = review(plan((0..3).flat_map(both).collect()), &Context::new(&policies));
    assert_eq!(rules(&review), [Rule::RemovalLimit]);
    assert_eq!(review.approved.held().len(), 6);
}

#[test]
fn a_rotation_takes_no_administrator_away() {
    let policies = strict();
    let subject = Subject::Service("robot1".into());
    let group = AdministratorGroup {
        roles: ["r-1".into()].into(),
        members: BTreeMap::from([(VendorId::new("u-1"), subject)]),
    };
    let mut context = Context::new(&policies);
    context.administrators = vec![AdministratorSet {
        account: place(),
        hub: place(),
        home: place(),
        group: GroupRef { directory: "debian".into(), group: "admin".into() },
        groups: BTreeMap::from([("g-1".into(), group)]),
        left: BTreeSet::new(),
        as_wide: BTreeMap::new(),
        back: BTreeSet::new(),
        minimum: 1,
        required: [].into(),
    }];
    let replaced = plan(vec![revoke(1, "old", Some("new"))]);
    assert_eq!(rules(&review(replaced, &context)), []);
    let lost = plan(vec![revoke(1, "old", None)]);
    assert_eq!(rules(&review(lost, &context)), [Rule::MinimumAdministrators]);
}

#[test]
fn what_the_program_acts_as_and_who_is_protected_keeps_its_keys() {
    let mut policies = strict();
    let mut context = Context::new(&policies);
    context.own_principals.insert(place(), "u-1".into());
    let rotation = || plan(vec![revoke(1, "old", Some("new")), issue(1)]);
    assert_eq!(rules(&review(rotation(), &context)), [Rule::OwnPrincipal]);
    for (break_glass, held) in [(false, 1), (true, 2)] {
        policies.protected = vec![Protected {
            user: "ROBOT1".into(),
            account: None,
            break_glass,
            reason: "because".to_owned(),
            source: Source::new("policies/protected.yaml", 1, 1),
        }];
        let review = review(rotation(), &Context::new(&policies));
        assert_eq!(rules(&review), [Rule::Protected]);
        assert_eq!(review.approved.held().len(), held, "nobody gives a break-glass user a key");
    }
}
