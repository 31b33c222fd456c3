//! What the service refuses in the middle of a run.

use super::world::{AFTER, BUILDS, HUB, World};
use crate::peers::wire::{Fault, Place};

/// What the service refuses in the middle of a run, and whether the run itself gets over it.
const REFUSALS: &[(&str, u16, &str, usize, bool)] = &[
    // Not all of the service knows yet who was made a moment ago.
    ("CreateRole", 400, "MalformedPolicyDocument", 2, true),
    ("PutRolePolicy", 404, "NoSuchEntity", 2, true),
    ("AddUserToGroup", 404, "NoSuchEntity", 2, true),
    ("PutGroupPolicy", 404, "NoSuchEntity", 2, true),
    ("PutGroupPolicy", 409, "ConcurrentModification", 2, true),
    ("CreateUser", 409, "EntityTemporarilyUnmodifiable", 2, true),
    ("CreateUser", 409, "LimitExceeded", 1, false),
    ("PutRolePolicy", 400, "MalformedPolicyDocument", 1, false),
    ("AddUserToGroup", 403, "AccessDenied", 1, false),
    ("CreateUser", 403, "ExpiredToken", 1, false),
];

#[tokio::test]
async fn refusals_in_mid_run() {
    let world = World::new();
    world.moto.reset();
    world.people(AFTER);
    world.run().await;
    let goal = world.state();
    for (action, status, code, times, gets_over) in REFUSALS {
        let what = format!("{code} of {action}");
        world.moto.reset();
        world.wire.clear();
        for attempt in 1..=*times {
            let fault = Fault::Refused(*status, (*code).to_owned());
            world.wire.inject(Place::action(action, attempt), fault);
        }
        world.run().await;
        let met = world.wire.faults_met();
        assert!(met > 0, "{what} did not happen");
        world.wire.clear();
        if *gets_over {
            assert_eq!(world.state(), goal, "{what}: the run did not get over it");
        }
        world.run().await;
        assert_eq!(world.state(), goal, "{what}: not converged");
    }
}

#[tokio::test]
async fn an_account_that_refuses_does_not_stop_the_others() {
    let world = World::new();
    world.before().await;
    let fault = Fault::Refused(403, "AccessDenied".to_owned());
    world.wire.inject(Place::call(1).in_account(BUILDS).and_later(), fault);
    let plan = world.run().await;
    assert!(!plan.incomplete.is_empty(), "the account could not be read");
    world.assert_nothing_lost("an account that refuses");
    let names = world.moto.account(HUB).iam("ListUsers", &[]).all("UserName");
    assert!(names.iter().any(|name| name == "farid"), "who joins gets in elsewhere: {names:?}");
    world.wire.clear();
    world.run().await;
    assert_eq!(world.run().await.changes, []);
}
