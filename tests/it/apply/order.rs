//! Order, parallelism and needs.

use std::time::Duration;

use reconcile::apply::{Options, execute};
use reconcile::cloud::ErrorKind;
use reconcile::event::{Event, EventsError, Outcome};
use reconcile::model::{Access, ChangeId, Membership};
use reconcile::sink::NoSinks;
use tokio_util::sync::CancellationToken;

use super::fake::*;

#[tokio::test(start_paused = true)]
async fn an_empty_plan_ends_at_once() {
    let (outcomes, events) = run(&Fake::default(), simple(vec![])).await;
    assert!(outcomes.by_change.is_empty() && outcomes.stopped.is_none() && events.is_empty());
}

#[tokio::test(start_paused = true)]
async fn references_take_the_ids_earlier_changes_made() {
    let fake = Fake::default();
    let (outcomes, _) = run(
        &fake,
        plan(vec![
            ("hub", create_user("ada"), vec![]),
            ("hub", create_group("admin"), vec![]),
            ("hub", add_member(made(1, "admin"), made(0, "ada")), vec![0, 1]),
        ]),
    )
    .await;
    assert_eq!(outcomes.by_change, vec![Outcome::Applied; 3]);
    let membership = Membership { group: "admin".into(), user: "ada".into() };
    assert!(fake.with(|state| state.members.contains(&membership)));
}

#[tokio::test(start_paused = true)]
async fn an_id_the_vendor_forgot_to_tell_is_looked_up() {
    let fake = Fake::default();
    fake.trick(0, Trick::ForgetId);
    let (outcomes, _) = run(
        &fake,
        plan(vec![
            ("hub", create_user("ada"), vec![]),
            ("hub", add_member(known("admin"), made(0, "ada")), vec![0]),
        ]),
    )
    .await;
    assert_eq!(outcomes.by_change, vec![Outcome::Applied; 2]);
}

#[tokio::test(start_paused = true)]
async fn phases_follow_each_other_even_when_one_fails() {
    let fake = Fake::default();
    fake.user("old", Access::Enabled).user("older", suspended());
    fake.with(|state| {
        state.latency = Duration::from_millis(5);
        state.members.insert(Membership { group: "admin".into(), user: "old".into() });
    });
    // Given in the reverse of the order in which they must happen.
    let steps = vec![
        delete_user("older"),
        add_member(known("admin"), known("new")),
        create_user("new"),
        suspend_user("old"),
        remove_member("admin", "old"),
    ];
    fake.trick(3, Trick::Fail(ErrorKind::Denied));
    let (outcomes, events) = run(&fake, simple(steps)).await;
    let begun: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::Started { change } => Some(change.0),
            _ => None,
        })
        .collect();
    assert_eq!(begun, [4, 3, 0, 2, 1]);
    assert!(matches!(outcomes[ChangeId(3)], Outcome::Failed { .. }));
    assert_eq!(outcomes.counts().applied, 4);
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_failed_change_is_skipped_across_accounts_and_says_why() {
    let (hub, other) = (Fake::default(), Fake::default());
    hub.trick(0, Trick::Fail(ErrorKind::QuotaExceeded));
    let (outcomes, _) = run_in(
        &connect([("hub", &hub, 4), ("other", &other, 4)]),
        plan(vec![
            ("hub", create_group("admin"), vec![]),
            ("other", add_member(made(0, "admin"), known("ada")), vec![0]),
            ("other", add_member(known("b"), known("ada")), vec![1]),
            ("other", create_user("independent"), vec![]),
        ]),
    )
    .await;
    for skipped in [1, 2] {
        let Outcome::Skipped { why } = &outcomes[ChangeId(skipped)] else {
            panic!("{:?}", outcomes[ChangeId(skipped)]);
        };
        assert_eq!(why, "depends on \"create group admin\" in spi/hub, which failed");
    }
    assert_eq!(outcomes[ChangeId(3)], Outcome::Applied);
    assert_eq!(other.calls(), ["apply #4"]);
}

#[tokio::test(start_paused = true)]
async fn held_changes_are_never_sent_nor_what_needs_them() {
    let fake = Fake::default();
    for name in ["a", "b", "c"] {
        fake.user(name, Access::Enabled);
    }
    let plan = plan(vec![
        ("hub", suspend_user("a"), vec![]),
        ("hub", suspend_user("b"), vec![]),
        ("hub", suspend_user("c"), vec![]),
        ("hub", create_user("new"), vec![2]),
        ("hub", create_user("free"), vec![]),
    ]);
    let mut reader = |_: &Event| -> Result<(), EventsError> { Ok(()) };
    let outcomes = execute(
        &approve(plan, 2),
        &connect([("hub", &fake, 4)]),
        &NoSinks,
        Options::default(),
        &mut reader,
        &CancellationToken::new(),
    )
    .await;
    assert_eq!(outcomes.counts().held, 4);
    assert!(matches!(&outcomes[ChangeId(3)], Outcome::Held { .. }));
    assert_eq!(fake.calls(), ["apply #5"]);
}

#[tokio::test(start_paused = true)]
async fn an_account_never_sees_more_calls_at_once_than_its_connection_allows() {
    let fake = Fake::default();
    fake.with(|state| state.latency = Duration::from_millis(10));
    let steps = (0..200).map(|number| create_user(&format!("user{number}"))).collect();
    let (outcomes, _) = run_in(&connect([("hub", &fake, 16)]), simple(steps)).await;
    assert_eq!(outcomes.counts().applied, 200);
    assert_eq!(fake.with(|state| state.most_under_way), 16);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_account_delays_no_other_and_still_finishes() {
    let (slow, quick) = (Fake::default(), Fake::default());
    slow.with(|state| {
        state.rate = Some(Duration::from_millis(200));
        state.latency = Duration::from_millis(5);
    });
    quick.with(|state| state.latency = Duration::from_millis(5));
    let changes = (0..1000)
        .flat_map(|number| {
            let name = format!("user{number}");
            [("slow", create_user(&name), vec![]), ("quick", create_user(&name), vec![])]
        })
        .collect();
    let began = tokio::time::Instant::now();
    let mut quick_ended = None;
    let mut quick_left = 1000;
    let mut reader = |event: &Event| -> Result<(), EventsError> {
        if let Event::Ended { change, .. } = event
            && change.0 % 2 == 1
        {
            quick_left -= 1;
            if quick_left == 0 {
                quick_ended = Some(began.elapsed());
            }
        }
        Ok(())
    };
    let outcomes = execute(
        &approve(plan(changes), 0),
        &connect([("slow", &slow, 16), ("quick", &quick, 16)]),
        &NoSinks,
        Options::default(),
        &mut reader,
        &CancellationToken::new(),
    )
    .await;
    assert_eq!(outcomes.counts().applied, 2000);
    assert!(quick_ended.expect("all ended") < Duration::from_secs(1), "{quick_ended:?}");
    // 1000 changes at five a second take 200 s; finding that pace may cost some more.
    assert!(began.elapsed() < Duration::from_secs(400), "{:?}", began.elapsed());
    // Few calls are wasted on being told off.
    assert!(slow.calls().len() < 1400, "{}", slow.calls().len());
}

#[tokio::test(start_paused = true)]
async fn an_account_without_a_connection_is_skipped_alone() {
    let fake = Fake::default();
    let (outcomes, _) = run_in(
        &connect([("hub", &fake, 4)]),
        plan(vec![("gone", create_user("ada"), vec![]), ("hub", create_user("ada"), vec![])]),
    )
    .await;
    assert_eq!(
        outcomes[ChangeId(0)],
        Outcome::Skipped { why: "not tried: no connection to spi/gone".into() }
    );
    assert_eq!(outcomes[ChangeId(1)], Outcome::Applied);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_needs_the_impossible_ends_and_says_so() {
    let fake = Fake::default();
    let (outcomes, _) = run(
        &fake,
        plan(vec![
            ("hub", create_user("ada"), vec![1]),
            ("hub", create_user("bob"), vec![0]),
            ("hub", create_user("eve"), vec![4_000_000]),
            ("hub", create_user("zoe"), vec![]),
        ]),
    )
    .await;
    assert_eq!(outcomes.counts().failed, 3);
    assert_eq!(outcomes[ChangeId(3)], Outcome::Applied);
}

#[tokio::test(start_paused = true)]
async fn every_change_is_told_to_have_ended_exactly_once() {
    let fake = Fake::default();
    fake.trick(0, Trick::Fail(ErrorKind::Invalid));
    let (outcomes, events) = run(
        &fake,
        plan(vec![
            ("hub", create_user("a"), vec![]),
            ("hub", create_user("b"), vec![0]),
            ("hub", create_user("c"), vec![0, 0, 1]),
            ("hub", create_user("d"), vec![]),
        ]),
    )
    .await;
    let mut told = vec![None; 4];
    for event in events {
        if let Event::Ended { change, outcome } = event {
            assert!(told[change.index()].replace(outcome).is_none());
        }
    }
    assert_eq!(told, outcomes.by_change.into_iter().map(Some).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn cost_grows_with_the_number_of_changes_not_with_its_square() {
    /// Half of the changes need the other half, across accounts; one change of all fails.
    async fn seconds(changes: u32) -> f64 {
        let (hub, other) = (Fake::default(), Fake::default());
        hub.trick(0, Trick::Fail(ErrorKind::Denied));
        let half = changes / 2;
        let creates = (0..half).map(|number| ("hub", create_user(&number.to_string()), vec![]));
        let joins = (0..half).map(|number| {
            let user = made(number, "user");
            ("other", add_member(known(&number.to_string()), user), vec![number])
        });
        let plan = plan(creates.chain(joins).collect());
        hub.with(|state| state.quick = true);
        let connections = connect([("hub", &hub, 16), ("other", &other, 16)]);
        let approved = approve(plan, 0);
        let mut reader = |_: &Event| -> Result<(), EventsError> { Ok(()) };
        let began = std::time::Instant::now();
        let outcomes = execute(
            &approved,
            &connections,
            &NoSinks,
            Options::default(),
            &mut reader,
            &CancellationToken::new(),
        )
        .await;
        assert_eq!(outcomes.counts().applied, changes as usize - 2);
        assert_eq!(outcomes.counts().skipped, 1);
        began.elapsed().as_secs_f64()
    }
    seconds(1_000).await;
    let (small, large) = (seconds(4_000).await, seconds(40_000).await);
    // Ten times the changes: linear is 10, quadratic 100.
    assert!(large < small.max(0.1) * 40.0, "{small} s, {large} s");
}
