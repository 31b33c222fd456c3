//! Ways in which a run or an account ends early.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reconcile::apply::{Options, Outcomes, Stopped, execute};
use reconcile::cloud::ErrorKind;
use reconcile::event::{Event, EventsError, Outcome};
use reconcile::model::{Access, ChangeId};
use reconcile::sink::NoSinks;
use tokio_util::sync::CancellationToken;

use super::fake::*;

#[tokio::test(start_paused = true)]
async fn expired_credentials_stop_their_account_and_no_other() {
    let (expired, fine) = (Fake::default(), Fake::default());
    expired.trick(0, Trick::Fail(ErrorKind::Unauthenticated));
    let mut changes: Vec<_> =
        (0..50).map(|number| ("expired", create_user(&format!("user{number}")), vec![])).collect();
    changes.push(("fine", create_user("ada"), vec![]));
    changes.push(("fine", create_user("bob"), vec![49]));
    let (outcomes, _) =
        run_in(&connect([("expired", &expired, 1), ("fine", &fine, 1)]), plan(changes)).await;
    assert_eq!(expired.calls().len(), 1);
    assert_eq!(outcomes.counts().failed, 1);
    assert_eq!(outcomes.counts().skipped, 50);
    assert!(
        matches!(&outcomes[ChangeId(9)], Outcome::Skipped { why } if why.starts_with("not tried: "))
    );
    assert_eq!(outcomes[ChangeId(50)], Outcome::Applied);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_cloud_loses_no_other_outcome() {
    let fake = Fake::default();
    fake.trick(3, Trick::Panic);
    let steps = (0..20).map(|number| create_user(&format!("user{number}"))).collect();
    let (outcomes, _) = run(&fake, simple(steps)).await;
    assert_eq!(outcomes.counts().applied, 19);
    assert!(matches!(
        &outcomes[ChangeId(3)],
        Outcome::Failed { why, .. } if why.contains("unknown: broken on purpose")
    ));
}

async fn interrupted_after(fake: &Fake, calls: usize, changes: usize) -> Outcomes {
    let interrupt = CancellationToken::new();
    let seen = AtomicUsize::new(0);
    let mut reader = |event: &Event| -> Result<(), EventsError> {
        if matches!(event, Event::Called { .. })
            && seen.fetch_add(1, Ordering::Relaxed) + 1 == calls
        {
            interrupt.cancel();
        }
        Ok(())
    };
    let steps = (0..changes).map(|number| create_user(&format!("user{number}"))).collect();
    execute(
        &approve(simple(steps), 0),
        &connect([("hub", fake, 1)]),
        &NoSinks,
        Options::default(),
        &mut reader,
        &interrupt,
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_finishes_what_is_in_hand_and_begins_nothing() {
    let fake = Fake::default();
    let outcomes = interrupted_after(&fake, 3, 10).await;
    assert_eq!(outcomes.stopped, Some(Stopped::Interrupted));
    assert_eq!(outcomes.counts().applied, 3);
    assert_eq!(outcomes[ChangeId(3)], Outcome::Skipped { why: "interrupted".into() });
    assert_eq!(fake.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_still_looks_after_a_lost_reply() {
    let fake = Fake::default();
    fake.trick(0, Trick::LoseReply);
    let outcomes = interrupted_after(&fake, 1, 2).await;
    assert_eq!(outcomes[ChangeId(0)], Outcome::Applied);
    assert_eq!(fake.calls(), ["apply #1", "look"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_waits_for_no_long_retry() {
    let fake = Fake::default();
    fake.trick(0, Trick::Fail(ErrorKind::Throttled { after: Some(Duration::from_mins(1)) }));
    let began = tokio::time::Instant::now();
    let outcomes = interrupted_after(&fake, 1, 2).await;
    assert!(matches!(
        &outcomes[ChangeId(0)],
        Outcome::Failed { why, .. } if why.contains("the run is to end")
    ));
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_before_the_start_does_nothing() {
    let fake = Fake::default();
    let interrupt = CancellationToken::new();
    interrupt.cancel();
    let mut reader = |_: &Event| -> Result<(), EventsError> { Ok(()) };
    let outcomes = execute(
        &approve(simple(vec![create_user("ada")]), 0),
        &connect([("hub", &fake, 1)]),
        &NoSinks,
        Options::default(),
        &mut reader,
        &interrupt,
    )
    .await;
    assert_eq!(outcomes.by_change, [Outcome::Skipped { why: "interrupted".into() }]);
    assert!(fake.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_is_not_done() {
    // Whichever event is the first that cannot be kept.
    for room in 0..12 {
        let fake = Fake::default();
        fake.user("old", Access::Enabled);
        let mut kept = Vec::new();
        let mut reader = |event: &Event| -> Result<(), EventsError> {
            if kept.len() == room {
                return Err("no space left on device".into());
            }
            kept.push(event.clone());
            Ok(())
        };
        let steps = (0..30).map(|number| create_user(&format!("user{number}"))).collect();
        let outcomes = execute(
            &approve(simple(steps), 9),
            &connect([("hub", &fake, 4)]),
            &NoSinks,
            Options::default(),
            &mut reader,
            &CancellationToken::new(),
        )
        .await;
        assert_eq!(
            outcomes.stopped,
            Some(Stopped::Unrecorded { why: "no space left on device".into() })
        );
        let started = kept.iter().filter(|event| matches!(event, Event::Started { .. })).count();
        assert_eq!(fake.calls().len(), started, "every call was announced first");
        assert_eq!(outcomes.counts().applied, started);
        assert_eq!(outcomes.counts().skipped, 30 - started);
    }
}
