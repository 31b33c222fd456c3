//! Every step, with what a look shows before it and after it.

#![expect(
    clippy::unnecessary_box_returns,
    clippy::unnecessary_wraps,
    reason = "made in the form in which steps and looks hold them"
)]

use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::model::{Credential, Kind, Outputs, Private, ResourceKind, SeenResource, State, Value};
use crate::plan::{Act, Reference, Target};

const SINCE: Access = Access::Suspended { since: date(2026, 1, 1), was_disabled: false };

fn somebody() -> Subject {
    Subject::Service("ci".into())
}

fn user(access: Access) -> Box<UserSpec> {
    Box::new(UserSpec { name: "ci".into(), display_name: None, email: None, access })
}

fn group(name: &str) -> GroupSpec {
    GroupSpec { name: name.into() }
}

fn role(description: &str) -> Box<RoleSpec> {
    Box::new(RoleSpec {
        name: "role".into(),
        description: description.into(),
        attributes: [].into(),
    })
}

fn found<T>(ownership: Ownership, spec: T) -> Observed<T> {
    Observed { id: "id".into(), ownership, spec }
}

fn found_user(access: Access) -> Option<Snapshot> {
    Some(Snapshot::User(found(Ownership::Ours(somebody()), *user(access))))
}

fn found_group(name: &str) -> Option<Snapshot> {
    Some(Snapshot::Group(found(Ownership::Ours(somebody()), group(name))))
}

fn found_role(description: &str) -> Option<Snapshot> {
    Some(Snapshot::Role(found(Ownership::Ours(somebody()), *role(description))))
}

fn target(name: &str) -> Target {
    Target { id: Reference::Known(name.into()), name: name.into() }
}

fn join() -> Step {
    Step::AddMember { group: target("g"), user: target("u"), subject: somebody() }
}

fn unbind() -> Step {
    Step::UnbindRole { role: target("r"), group: target("g"), by_hand: None }
}

/// Every step of one kind of part, with what a look shows before it and after it.
fn every_step_of_a_part(kind: ResourceKind) -> Vec<(Step, Option<Snapshot>, Option<Snapshot>)> {
    let spec = |domain: &str| {
        let settings = [("domain".into(), Value::Text(domain.to_owned()))].into();
        Box::new(ResourceSpec { kind, name: "part".into(), settings })
    };
    let seen = |domain: &str, state: State| {
        let observed = found(Ownership::Ours(somebody()), *spec(domain));
        let part = SeenResource { observed, outputs: Outputs::new(), state, expiry: None };
        Some(Snapshot::Part(Box::new(part)))
    };
    let (id, subject, on) = (|| VendorId::new("id"), somebody, date(2026, 2, 2));
    let settled = |domain| seen(domain, State::Settled);
    let retired = || seen("a", State::Retired { since: on });
    let settling = State::Settling { what: "booting".to_owned(), since: Timestamp::UNIX_EPOCH };
    [
        (Life::Create { subject: subject(), spec: spec("a") }, None, seen("a", settling)),
        (
            Life::Update { id: id(), subject: subject(), before: spec("a"), after: spec("b") },
            settled("a"),
            settled("b"),
        ),
        (
            Life::Retire { id: id(), subject: subject(), before: spec("a"), on },
            settled("a"),
            retired(),
        ),
        (
            Life::Restore { id: id(), subject: subject(), before: spec("a") },
            retired(),
            settled("a"),
        ),
        (Life::Delete { id: id(), subject: subject(), before: spec("a") }, retired(), None),
    ]
    .into_iter()
    .map(|(life, before, after)| (Step::Part { life, replaced: false }, before, after))
    .collect()
}

type Case = (Step, Option<Snapshot>, Option<Snapshot>);

/// Every step, with what a look shows before it and after it.
fn every_step() -> Vec<Case> {
    let parts = ResourceKind::ALL.into_iter().flat_map(every_step_of_a_part);
    let steps: Vec<_> =
        every_step_of_users().into_iter().chain(every_other_step()).chain(parts).collect();
    let kinds: std::collections::BTreeSet<_> =
        steps.iter().map(|(step, ..)| (step.kind(), step.act())).collect();
    assert_eq!(kinds.len(), 16 + 5 * ResourceKind::ALL.len(), "one of each: {kinds:?}");
    steps
}

fn every_step_of_users() -> Vec<Case> {
    let (id, subject, on) = (|| VendorId::new("id"), somebody, date(2026, 2, 2));
    vec![
        (
            Step::User(Life::Create { subject: subject(), spec: user(Access::Enabled) }),
            None,
            found_user(Access::Enabled),
        ),
        (
            Step::User(Life::Update {
                id: id(),
                subject: subject(),
                before: user(Access::Disabled),
                after: user(Access::Enabled),
            }),
            found_user(Access::Disabled),
            found_user(Access::Enabled),
        ),
        (
            Step::RevokeCredential {
                user: "ci".into(),
                subject: subject(),
                credential: Box::new(Credential {
                    user: id(),
                    kind: "key".into(),
                    id: "key".into(),
                    handed_over: None,
                }),
                replaced_by: None,
            },
            Some(Snapshot::Exists),
            None,
        ),
        (
            Step::User(Life::Retire {
                id: id(),
                subject: subject(),
                before: user(Access::Enabled),
                on,
            }),
            found_user(Access::Enabled),
            found_user(SINCE),
        ),
        (
            Step::User(Life::Restore { id: id(), subject: subject(), before: user(SINCE) }),
            found_user(SINCE),
            found_user(Access::Enabled),
        ),
        (
            Step::User(Life::Delete { id: id(), subject: subject(), before: user(SINCE) }),
            found_user(SINCE),
            None,
        ),
    ]
}

fn every_other_step() -> Vec<Case> {
    let (id, subject) = (|| VendorId::new("id"), somebody);
    let exists = || Some(Snapshot::Exists);
    vec![
        (
            Step::Group(Life::Create { subject: subject(), spec: group("a") }),
            None,
            found_group("a"),
        ),
        (
            Step::Group(Life::Update {
                id: id(),
                subject: subject(),
                before: group("a"),
                after: group("b"),
            }),
            found_group("a"),
            found_group("b"),
        ),
        (
            Step::Group(Life::Delete { id: id(), subject: subject(), before: group("a") }),
            found_group("a"),
            None,
        ),
        (join(), None, exists()),
        (
            Step::RemoveMember { group: target("g"), user: target("u"), subject: None },
            exists(),
            None,
        ),
        (Step::Role(Life::Create { subject: subject(), spec: role("a") }), None, found_role("a")),
        (
            Step::Role(Life::Update {
                id: id(),
                subject: subject(),
                before: role("a"),
                after: role("b"),
            }),
            found_role("a"),
            found_role("b"),
        ),
        (
            Step::Role(Life::Delete { id: id(), subject: subject(), before: role("a") }),
            found_role("a"),
            None,
        ),
        (Step::BindRole { role: target("r"), group: target("g") }, None, exists()),
        (unbind(), exists(), None),
    ]
}

#[test]
fn before_and_after_every_step_are_told_apart() {
    for (step, before, after) in every_step() {
        let references = ["x".into(), "y".into()];
        assert_eq!(judge(&step, &references, before.as_ref()), Verdict::NotYet, "{step:?}");
        assert!(
            matches!(judge(&step, &references, after.as_ref()), Verdict::Happened(_)),
            "{step:?}"
        );
    }
}

#[test]
fn an_object_of_somebody_else_is_never_ours_to_touch() {
    let others = [
        Ownership::Unmarked,
        Ownership::Theirs("mark".into()),
        Ownership::Ours(Subject::Service("other".into())),
    ];
    for (step, before, after) in every_step() {
        for ownership in &others {
            for mut snapshot in [before.clone(), after.clone()].into_iter().flatten() {
                match &mut snapshot {
                    Snapshot::User(user) => user.ownership = ownership.clone(),
                    Snapshot::Group(group) => group.ownership = ownership.clone(),
                    Snapshot::Role(role) => role.ownership = ownership.clone(),
                    Snapshot::Part(part) => part.observed.ownership = ownership.clone(),
                    Snapshot::Exists => continue,
                }
                let verdict = judge(&step, &[], Some(&snapshot));
                assert!(matches!(verdict, Verdict::Foreign(_)), "{step:?}: {verdict:?}");
            }
        }
    }
}

#[test]
fn nothing_irreversible_is_done_to_what_is_different() {
    let step =
        Step::User(Life::Delete { id: "id".into(), subject: somebody(), before: user(SINCE) });
    let later = Access::Enabled.suspended(date(2026, 5, 5));
    for access in [Access::Enabled, Access::Disabled, later] {
        let verdict = judge(&step, &[], found_user(access).as_ref());
        assert!(matches!(verdict, Verdict::Changed(_)), "{verdict:?}");
    }
}

#[test]
fn a_user_who_changed_otherwise_is_suspended_all_the_same() {
    let step = Step::User(Life::Retire {
        id: "id".into(),
        subject: somebody(),
        before: user(Access::Enabled),
        on: date(2026, 2, 2),
    });
    let mut changed = user(Access::Disabled);
    changed.name = "renamed".into();
    let found = Snapshot::User(found(Ownership::Ours(somebody()), *changed));
    assert_eq!(judge(&step, &[], Some(&found)), Verdict::NotYet);
}

#[test]
fn a_difference_names_no_personal_value() {
    let mut is = *user(Access::Enabled);
    is.email = Some(Private::new("planted@example.org".into()));
    is.display_name = Some(Private::new("Planted".into()));
    let step = Step::User(Life::Create { subject: somebody(), spec: user(Access::Enabled) });
    let found = Snapshot::User(found(Ownership::Ours(somebody()), is));
    let verdict = judge(&step, &[], Some(&found));
    assert_eq!(verdict, Verdict::Changed("its full name differs, its mail address differs".into()));
}

#[test]
fn what_is_updated_and_gone_is_missing() {
    for (step, ..) in every_step() {
        let verdict = judge(&step, &[], None);
        // A user who is gone is suspended enough; a part that is gone cannot be drained.
        let updates = match step.act() {
            Act::Update | Act::Restore => true,
            Act::Retire => step.kind() != Kind::User,
            _ => false,
        };
        assert_eq!(verdict == Verdict::Missing, updates, "{step:?}");
    }
}
