//! Many short lives of one service account's key, with faults and kills at any call and any
//! moment of a delivery, and then quiet.

use std::sync::Arc;

use fastrand::Rng;
use reconcile::apply::Options;
use reconcile::cloud::memory::Fault;
use reconcile::model::VendorId;
use tokio::sync::Notify;

use super::{Mood, Robot};
use crate::engine::run::on_a_fast_clock;

const SEEDS: u64 = 1_000;

#[test]
fn whatever_goes_wrong_there_are_two_keys_at_most_and_in_the_end_the_newest_was_taken() {
    let only = std::env::var("RECONCILE_SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    for seed in only.map_or(0..SEEDS, |seed| seed..seed + 1) {
        on_a_fast_clock(live(seed));
    }
}

async fn live(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut robot = Robot::new();
    for number in 0..rng.u8(2..6) {
        if number > 0 {
            robot.days_pass([0, 1, 7, 8, 83, 90, 200][rng.usize(..7)]);
        }
        if rng.u8(..4) == 0
            && robot.keys().len() < 2
            && let Some(user) = robot.user()
        {
            robot.cloud.world.add_credential(super::ACCOUNT, &user, "access-key").unwrap();
        }
        weather(&mut rng, &robot);
        let before = robot.handed_over();
        run(&mut rng, &robot).await;
        let keys = robot.keys();
        assert!(keys.len() <= 2, "RECONCILE_SEED={seed} {keys:?}");
        if let Some(newest) = before.first() {
            assert!(keys.contains(newest), "RECONCILE_SEED={seed}: the key in use is gone");
        }
        let known = robot.sink.taken();
        let noted: Vec<VendorId> = robot.handed_over();
        assert!(
            noted.iter().all(|key| known.contains(key)),
            "RECONCILE_SEED={seed}: nobody has it"
        );
        // Time passes: whatever was written is seen by now.
        robot.cloud.world.settle();
    }
    robot.cloud.world.faults(reconcile::cloud::memory::service::fault::Faults::clear);
    robot.cloud.world.behave(|behaviour| behaviour.lag = 0);
    robot.sink.is(Mood::Takes);
    robot.well().await;
    let (keys, mut noted) = (robot.keys(), robot.handed_over());
    assert_eq!(noted.first(), robot.sink.taken().last(), "RECONCILE_SEED={seed}: not the newest");
    noted.sort();
    assert_eq!(keys, noted, "RECONCILE_SEED={seed}: a lost key is still there");
    assert!((1..=2).contains(&keys.len()), "RECONCILE_SEED={seed} {keys:?}");
    let last = robot.cloud.dry_run(&robot.model).await;
    assert!(last.changes.is_empty(), "RECONCILE_SEED={seed} {:?}", last.changes);
}

fn weather(rng: &mut Rng, robot: &Robot) {
    let lag = if rng.u8(..3) == 0 { rng.u64(1..4) } else { 0 };
    robot.cloud.world.behave(|behaviour| behaviour.lag = lag);
    let probability = [0.0, 0.05, 0.3][rng.usize(..3)];
    let (faults_seed, now) = (rng.u64(..), robot.cloud.world.calls());
    let crash = rng.bool().then(|| (now + rng.u64(1..25), rng.bool()));
    robot.cloud.world.faults(|faults| {
        faults.clear();
        faults.seeded(faults_seed, probability, &Fault::ALL);
        if let Some((at, before)) = crash {
            faults.at(at, if before { Fault::CrashBefore } else { Fault::CrashAfter });
        }
    });
    let moods = [Mood::Takes, Mood::Closed, Mood::Refuses, Mood::KilledBefore, Mood::KilledAfter];
    robot.sink.is(if rng.bool() { Mood::Takes } else { moods[rng.usize(..moods.len())] });
}

async fn run(rng: &mut Rng, robot: &Robot) {
    let crashed = Arc::new(Notify::new());
    let notify = Arc::clone(&crashed);
    robot.cloud.world.on_crash(move || notify.notify_one());
    let kill = Arc::clone(&robot.sink.kill);
    let options = Options { seed: rng.u64(..), ..Options::default() };
    let given = robot.model.given();
    tokio::select! {
        biased;
        () = crashed.notified() => {}
        () = kill.notified() => {}
        _ = robot.cloud.run_into(&given, options, &robot.sink) => {}
    }
    robot.cloud.world.restart();
}
