//! What the executor does with a key when something goes wrong on the way.

use reconcile::cloud::memory::{Fault, Operation};
use reconcile::event::Outcome;
use reconcile::plan::{Plan, Step};

use super::{Mood, Robot};
use crate::engine::run::on_a_fast_clock;

/// How issuing ended.
fn issue(plan: &Plan, outcomes: &reconcile::apply::Outcomes) -> Outcome {
    let is_issue = |step: &Step| matches!(step, Step::IssueCredential { .. });
    let at = plan.changes.iter().position(|change| is_issue(&change.step)).expect("one is issued");
    outcomes.by_change[at].clone()
}

fn failed(outcome: &Outcome) -> (&str, &str) {
    match outcome {
        Outcome::Failed { why, hint } => (why, hint.as_deref().unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

/// The next run, in fair weather, puts everything right; the one after has nothing to do.
async fn converges(robot: &Robot) {
    robot.cloud.world.faults(reconcile::cloud::memory::service::fault::Faults::clear);
    robot.sink.is(Mood::Takes);
    robot.well().await;
    assert_eq!(robot.handed_over(), robot.keys(), "no key is lost");
    assert_eq!(robot.handed_over().first(), robot.sink.taken().last(), "the newest was taken");
    assert!(robot.well().await.is_empty());
}

#[test]
fn a_sink_that_is_closed_costs_no_key() {
    on_a_fast_clock(async {
        let robot = Robot::new();
        robot.sink.is(Mood::Closed);
        let (plan, outcomes) = robot.run().await;
        let outcome = issue(&plan, &outcomes);
        assert_eq!(failed(&outcome), ("sink store: there is no such sink", "no key was issued"));
        assert_eq!(robot.cloud.world.counts().get(&Operation::CreateCredential), None);
        converges(&robot).await;
    });
}

#[test]
fn a_key_that_nobody_takes_is_revoked_at_once() {
    on_a_fast_clock(async {
        let robot = Robot::new();
        robot.sink.is(Mood::Refuses);
        let (plan, outcomes) = robot.run().await;
        let outcome = issue(&plan, &outcomes);
        let (why, hint) = failed(&outcome);
        assert!(why.starts_with("sink store: the store answered 403"), "{why}");
        assert!(hint.starts_with("the new key was revoked at once"), "{hint}");
        assert!(robot.keys().is_empty());
        converges(&robot).await;
    });
}

#[test]
fn a_key_that_nobody_takes_and_that_cannot_be_revoked_is_told() {
    on_a_fast_clock(async {
        let robot = Robot::new();
        robot.sink.is(Mood::Refuses);
        robot.cloud.world.fail_next_of(Operation::DeleteCredential, Fault::Denied);
        let (plan, outcomes) = robot.run().await;
        let (outcome, left) = (issue(&plan, &outcomes), robot.keys());
        assert_eq!(left.len(), 1);
        let (why, hint) = failed(&outcome);
        assert!(why.contains(&format!("the new key {} could not be revoked", left[0])), "{why}");
        assert!(hint.contains("the next run revokes it"), "{hint}");
        converges(&robot).await;
        assert!(!robot.keys().contains(&left[0]));
    });
}

#[test]
fn after_a_lost_reply_no_second_key_is_issued() {
    for fault in [Fault::LostReply, Fault::StallAfter, Fault::Stall, Fault::ResetBefore] {
        on_a_fast_clock(async {
            let robot = Robot::new();
            robot.cloud.world.fail_next_of(Operation::CreateCredential, fault);
            let (plan, outcomes) = robot.run().await;
            let outcome = issue(&plan, &outcomes);
            assert!(failed(&outcome).1.contains("its secret is lost"), "{outcome:?}");
            assert_eq!(robot.cloud.world.counts()[&Operation::CreateCredential], 1, "{fault:?}");
            assert!(robot.sink.taken().is_empty());
            converges(&robot).await;
        });
    }
}

#[test]
fn what_certainly_did_not_happen_is_sent_again() {
    let throttled = Fault::Throttle { after: None };
    for fault in [throttled, Fault::Unavailable, Fault::Conflict] {
        on_a_fast_clock(async {
            let robot = Robot::new();
            robot.cloud.world.fail_next_of(Operation::CreateCredential, fault);
            assert_eq!(robot.well().await, ["issue"], "{fault:?}");
            assert_eq!(robot.handed_over(), robot.sink.taken());
        });
    }
}

#[test]
fn a_new_user_that_is_not_seen_yet_is_waited_for() {
    on_a_fast_clock(async {
        let robot = Robot::new();
        robot.cloud.world.behave(|behaviour| behaviour.lag = 4);
        robot.well().await;
        assert_eq!(robot.handed_over(), robot.sink.taken());
    });
}

#[test]
fn a_note_is_written_again_until_it_is_there() {
    let throttled = Fault::Throttle { after: None };
    for fault in [throttled, Fault::Unavailable, Fault::Conflict, Fault::LostReply, Fault::Stall] {
        on_a_fast_clock(async {
            let robot = Robot::new();
            robot.cloud.world.fail_next_of(Operation::UpdateUser, fault);
            assert_eq!(robot.well().await, ["issue"], "{fault:?}");
            assert_eq!(robot.handed_over(), robot.sink.taken());
        });
    }
}

#[test]
fn a_key_that_was_taken_and_could_not_be_noted_is_replaced_by_the_next_run() {
    on_a_fast_clock(async {
        let robot = Robot::new();
        robot.cloud.world.fail_next_of(Operation::UpdateUser, Fault::Denied);
        let (plan, outcomes) = robot.run().await;
        let outcome = issue(&plan, &outcomes);
        let (why, hint) = failed(&outcome);
        assert!(why.starts_with("the key was handed over, but that could not be noted"), "{why}");
        assert_eq!(hint, "the next run revokes it and issues another");
        let lost = robot.keys();
        converges(&robot).await;
        assert_eq!(robot.sink.taken().len(), 2);
        assert!(!robot.keys().contains(&lost[0]));
    });
}

#[test]
fn a_vendor_with_two_keys_already_is_asked_for_no_third() {
    on_a_fast_clock(async {
        let robot = Robot::new();
        robot.sink.is(Mood::Closed);
        robot.run().await;
        let user = robot.user().unwrap();
        for _ in 0..2 {
            robot.cloud.world.add_credential(super::ACCOUNT, &user, "access-key").unwrap();
        }
        converges(&robot).await;
        assert_eq!(robot.keys().len(), 1);
    });
}
