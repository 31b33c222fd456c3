//! What is tried again, what is looked at, and what is not.

use std::time::Duration;

use reconcile::cloud::ErrorKind;
use reconcile::event::{Event, Outcome};
use reconcile::model::{Access, ChangeId, GroupSpec, Membership, Ownership};
use reconcile::plan::{Life, Step};

use super::fake::*;

fn failed(outcome: &Outcome) -> (&str, &str) {
    match outcome {
        Outcome::Failed { why, hint } => (why, hint.as_deref().unwrap_or_default()),
        other => panic!("did not fail: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_tried_again() {
    for kind in [
        ErrorKind::Unavailable,
        ErrorKind::Throttled { after: None },
        ErrorKind::LostReply,
        ErrorKind::Conflict,
        ErrorKind::AlreadyExists,
    ] {
        let fake = Fake::default();
        fake.trick(0, Trick::Fail(kind)).trick(0, Trick::Fail(kind));
        let (outcomes, _) = run(&fake, simple(vec![create_user("ada")])).await;
        assert_eq!(outcomes.by_change, [Outcome::Applied], "{kind:?}");
        assert_eq!(fake.sent(0), 3, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lasting_failure_is_given_up_after_the_allowed_attempts() {
    for kind in [ErrorKind::Unavailable, ErrorKind::LostReply] {
        let fake = Fake::default();
        for _ in 0..100 {
            fake.trick(0, Trick::Fail(kind));
        }
        let (outcomes, _) = run(&fake, simple(vec![create_user("ada")])).await;
        let (why, hint) = failed(&outcomes[ChangeId(0)]);
        assert!(why.contains("gave up after 10 attempts"), "{why}");
        assert!(!hint.is_empty());
        assert_eq!(fake.sent(0), 10, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_put_on_a_victim_is_told_at_once() {
    let fake = Fake::default();
    for _ in 0..100 {
        fake.trick(0, Trick::Fail(ErrorKind::HasDependents));
    }
    let began = tokio::time::Instant::now();
    let (outcomes, _) = run(&fake, simple(vec![create_user("ada")])).await;
    let (why, hint) = failed(&outcomes[ChangeId(0)]);
    assert_eq!(why, "Operation object: as the script says");
    assert!(hint.contains("take it off at the vendor"), "{hint}");
    assert_eq!(fake.sent(0), 1);
    assert_eq!(began.elapsed(), Duration::ZERO, "nothing is waited for");
}

#[tokio::test(start_paused = true)]
async fn what_this_run_took_off_is_given_a_moment_and_no_more() {
    for (refusals, applied) in [(3, true), (100, false)] {
        let fake = Fake::default();
        for _ in 0..refusals {
            fake.trick(1, Trick::Fail(ErrorKind::HasDependents));
        }
        let began = tokio::time::Instant::now();
        let mut plan = simple(vec![create_user("ada"), create_user("bert")]);
        plan.changes[1].needs.push(ChangeId(0));
        let (outcomes, _) = run(&fake, plan).await;
        assert_eq!(outcomes[ChangeId(1)] == Outcome::Applied, applied);
        assert!(fake.sent(1) <= 5, "{}", fake.sent(1));
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_failure_is_not_tried_again() {
    for kind in [
        ErrorKind::Denied,
        ErrorKind::Invalid,
        ErrorKind::QuotaExceeded,
        ErrorKind::Foreign,
        ErrorKind::Unauthenticated,
    ] {
        let fake = Fake::default();
        fake.trick(0, Trick::Fail(kind));
        let (outcomes, _) = run(&fake, simple(vec![create_user("ada")])).await;
        let (why, hint) = failed(&outcomes[ChangeId(0)]);
        assert_eq!(why, "Operation object: as the script says");
        assert!(!hint.is_empty());
        assert_eq!(fake.calls(), ["apply #1"], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_vendors_word_on_when_to_come_back_is_kept() {
    let fake = Fake::default();
    fake.trick(0, Trick::Fail(ErrorKind::Throttled { after: Some(Duration::from_secs(77)) }));
    let began = tokio::time::Instant::now();
    let (outcomes, _) = run(&fake, simple(vec![create_user("ada")])).await;
    assert_eq!(outcomes.by_change, [Outcome::Applied]);
    assert!(began.elapsed() >= Duration::from_secs(77));
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_hours_ends_the_account_honestly_instead_of_hanging() {
    let fake = Fake::default();
    fake.trick(0, Trick::Fail(ErrorKind::Throttled { after: Some(Duration::from_hours(3)) }));
    let steps = (0..1000).map(|number| create_user(&format!("user{number}"))).collect();
    let began = tokio::time::Instant::now();
    let (outcomes, _) = run_in(&connect([("hub", &fake, 1)]), simple(steps)).await;
    failed(&outcomes[ChangeId(0)]);
    assert_eq!(outcomes.counts().skipped, 999);
    assert_eq!(fake.calls().len(), 1);
    assert!(began.elapsed() < Duration::from_mins(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_resolved_by_looking() {
    let fake = Fake::default();
    fake.trick(0, Trick::LoseReply);
    let (outcomes, _) = run(
        &fake,
        plan(vec![
            ("hub", create_user("ada"), vec![]),
            ("hub", add_member(known("admin"), made(0, "ada")), vec![0]),
        ]),
    )
    .await;
    assert_eq!(outcomes.by_change, vec![Outcome::Applied; 2]);
    assert_eq!(fake.calls(), ["apply #1", "look", "apply #2"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_that_cannot_be_looked_at_is_called_unknown() {
    let fake = Fake::default();
    fake.trick(0, Trick::LoseReply);
    fake.with(|state| state.look_tricks.push_back(ErrorKind::Denied));
    let (outcomes, _) = run(&fake, simple(vec![create_user("ada")])).await;
    let (why, _) = failed(&outcomes[ChangeId(0)]);
    assert!(why.contains("whether it happened is unknown"), "{why}");
    assert_eq!(fake.sent(0), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_answers_counts_as_a_lost_reply() {
    let fake = Fake::default();
    fake.trick(0, Trick::Hang);
    let (outcomes, _) = run(&fake, simple(vec![create_user("ada")])).await;
    assert_eq!(outcomes.by_change, [Outcome::Applied]);
    assert_eq!(fake.calls(), ["apply #1", "look", "apply #1"]);
}

#[tokio::test(start_paused = true)]
async fn what_exists_already_and_is_ours_is_already_true_and_gives_its_id() {
    let fake = Fake::default();
    fake.user("ada", Access::Enabled);
    let (outcomes, _) = run(
        &fake,
        plan(vec![
            ("hub", create_user("ada"), vec![]),
            ("hub", add_member(known("admin"), made(0, "ada")), vec![0]),
        ]),
    )
    .await;
    assert_eq!(outcomes.by_change, [Outcome::AlreadyTrue, Outcome::Applied]);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_object_of_the_name_fails_with_a_hint() {
    for ownership in [
        Ownership::Unmarked,
        Ownership::Theirs("other".into()),
        Ownership::Ours(person("somebody-else")),
    ] {
        let fake = Fake::default();
        fake.user("ada", Access::Enabled);
        fake.with(|state| {
            for user in state.users.values_mut() {
                user.ownership = ownership.clone();
            }
        });
        let (outcomes, _) = run(&fake, simple(vec![create_user("ada")])).await;
        let (why, hint) = failed(&outcomes[ChangeId(0)]);
        assert!(why.starts_with("ada is there already and not ours: it "), "{why}");
        assert!(hint.contains("adopt"), "{hint}");
        assert_eq!(fake.sent(0), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_this_run_made_may_take_a_while_to_be_found() {
    let fake = Fake::default();
    fake.trick(1, Trick::Fail(ErrorKind::NotFound)).trick(1, Trick::Fail(ErrorKind::NotFound));
    let (outcomes, _) = run(
        &fake,
        plan(vec![
            ("hub", create_user("ada"), vec![]),
            ("hub", add_member(known("admin"), made(0, "ada")), vec![0]),
        ]),
    )
    .await;
    assert_eq!(outcomes.by_change, vec![Outcome::Applied; 2]);
    assert_eq!(fake.sent(1), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_found_and_not_new_is_not_tried_again() {
    let fake = Fake::default();
    fake.trick(0, Trick::Fail(ErrorKind::NotFound));
    let (outcomes, _) = run(&fake, simple(vec![add_member(known("admin"), known("ada"))])).await;
    failed(&outcomes[ChangeId(0)]);
    assert_eq!(fake.sent(0), 1);
}

fn rename() -> Step {
    Step::Group(Life::Update {
        id: "g1".into(),
        subject: group_subject("admin"),
        before: GroupSpec { name: "old".into() },
        after: GroupSpec { name: "new".into() },
    })
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_repeated_only_while_all_is_as_it_was() {
    for (now, outcome) in
        [("old", Some(Outcome::Applied)), ("new", Some(Outcome::AlreadyTrue)), ("third", None)]
    {
        let fake = Fake::default();
        fake.with(|state| {
            let group = ours("g1", group_subject("admin"), GroupSpec { name: now.into() });
            state.groups.insert("g1".into(), group)
        });
        fake.trick(0, Trick::Fail(ErrorKind::Conflict));
        let (outcomes, _) = run(&fake, simple(vec![rename()])).await;
        if let Some(outcome) = outcome {
            assert_eq!(outcomes.by_change, [outcome]);
        } else {
            let (why, _) = failed(&outcomes[ChangeId(0)]);
            assert!(why.contains("changed since the plan: its name is third"), "{why}");
            assert_eq!(fake.sent(0), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_access_away_is_looked_at_afterwards() {
    let fake = Fake::default();
    fake.user("old", Access::Enabled);
    let membership = Membership { group: "admin".into(), user: "old".into() };
    fake.with(|state| state.members.insert(membership));
    let steps = vec![remove_member("admin", "old"), suspend_user("old")];
    let (outcomes, _) = run(&fake, simple(steps)).await;
    assert_eq!(outcomes.by_change, vec![Outcome::Applied; 2]);
    assert_eq!(fake.calls(), ["apply #1", "look", "apply #2", "look"]);
}

#[tokio::test(start_paused = true)]
async fn who_stays_and_leaves_one_group_costs_one_call() {
    let fake = Fake::default();
    fake.user("old", Access::Enabled);
    let membership = Membership { group: "admin".into(), user: "old".into() };
    fake.with(|state| state.members.insert(membership));
    let mut plan = simple(vec![remove_member("admin", "old")]);
    plan.changes[0].verified = false;
    let (outcomes, _) = run(&fake, plan).await;
    assert_eq!(outcomes.by_change, vec![Outcome::Applied]);
    assert_eq!(fake.calls(), ["apply #1"]);
}

#[tokio::test(start_paused = true)]
async fn a_suspension_the_vendor_only_pretends_fails() {
    let fake = Fake::default();
    fake.user("old", Access::Enabled);
    fake.trick(0, Trick::Pretend);
    let (outcomes, _) = run(&fake, simple(vec![suspend_user("old")])).await;
    let (why, _) = failed(&outcomes[ChangeId(0)]);
    assert!(why.starts_with("accepted by the vendor, but a second look does not show it"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run_to_the_last_event() {
    let mut runs = Vec::new();
    for _ in 0..3 {
        let fake = Fake::default();
        fake.with(|state| {
            state.rate = Some(Duration::from_millis(30));
            state.latency = Duration::from_millis(3);
        });
        let steps = (0..40).map(|number| create_user(&format!("user{number}"))).collect();
        let (_, events): (_, Vec<Event>) = run(&fake, simple(steps)).await;
        runs.push(events);
    }
    assert!(runs[0] == runs[1] && runs[1] == runs[2]);
}
