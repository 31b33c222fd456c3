//! What cannot be undone is looked at first.

use reconcile::cloud::ErrorKind;
use reconcile::event::Outcome;
use reconcile::model::{Access, ChangeId, Ownership};
use reconcile::plan::{Life, Step};

use super::fake::*;

async fn delete(fake: &Fake) -> Outcome {
    let (outcomes, _) = run(fake, simple(vec![delete_user("old")])).await;
    outcomes[ChangeId(0)].clone()
}

fn refusal(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed { why, .. } => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_victim_as_it_was_is_deleted_and_looked_for() {
    let fake = Fake::default();
    fake.user("old", suspended());
    assert_eq!(delete(&fake).await, Outcome::Applied);
    assert_eq!(fake.calls(), ["look", "apply #1", "look"]);
}

#[tokio::test(start_paused = true)]
async fn a_victim_that_is_gone_is_already_true() {
    let fake = Fake::default();
    assert_eq!(delete(&fake).await, Outcome::AlreadyTrue);
    assert_eq!(fake.calls(), ["look"]);
}

#[tokio::test(start_paused = true)]
async fn a_victim_that_changed_is_spared() {
    let fake = Fake::default();
    fake.user("old", Access::Enabled);
    let outcome = delete(&fake).await;
    assert_eq!(refusal(&outcome), "changed since the plan: it is enabled");
    assert_eq!(fake.calls(), ["look"]);
}

#[tokio::test(start_paused = true)]
async fn a_victim_that_is_somebody_elses_now_is_spared() {
    for ownership in
        [Ownership::Unmarked, Ownership::Theirs("x".into()), Ownership::Ours(person("new"))]
    {
        let fake = Fake::default();
        fake.user("old", suspended());
        fake.with(|state| {
            for user in state.users.values_mut() {
                user.ownership = ownership.clone();
            }
        });
        let outcome = delete(&fake).await;
        assert!(refusal(&outcome).starts_with("changed since the plan: it "));
        assert_eq!(fake.calls(), ["look"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_is_not_suspended_is_never_deleted_whatever_the_plan_says() {
    let fake = Fake::default();
    fake.user("old", Access::Enabled);
    let step = Step::User(Life::Delete {
        id: "old".into(),
        subject: person("old"),
        before: Box::new(user("old", Access::Enabled)),
    });
    let (outcomes, _) = run(&fake, simple(vec![step])).await;
    assert_eq!(refusal(&outcomes[ChangeId(0)]), "changed since the plan: it is not suspended");
    assert_eq!(fake.calls(), ["look"]);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_looks_again() {
    let fake = Fake::default();
    fake.user("old", suspended());
    fake.trick(0, Trick::Fail(ErrorKind::Unavailable));
    assert_eq!(delete(&fake).await, Outcome::Applied);
    assert_eq!(fake.calls(), ["look", "apply #1", "look", "apply #1", "look"]);
}

#[tokio::test(start_paused = true)]
async fn a_victim_that_cannot_be_looked_at_is_spared() {
    let fake = Fake::default();
    fake.user("old", suspended());
    fake.with(|state| state.look_tricks.push_back(ErrorKind::Denied));
    refusal(&delete(&fake).await);
    assert_eq!(fake.calls(), ["look"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_a_deletion_counts_as_done_by_this_run() {
    let fake = Fake::default();
    fake.user("old", suspended());
    fake.trick(0, Trick::LoseReply);
    assert_eq!(delete(&fake).await, Outcome::Applied);
    assert_eq!(fake.sent(0), 1);
}
