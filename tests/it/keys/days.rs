//! What is planned on which day.

use std::collections::BTreeMap;

use reconcile::inventory::ServiceIdentity;
use reconcile::model::{KeyRotation, Kind, Missing, Reading, Reason};
use reconcile::plan::lint;

use super::{ACCOUNT, Robot, about_keys};
use crate::engine::run::on_a_fast_clock;

#[test]
fn a_key_is_replaced_on_its_day_and_the_old_one_goes_on_its_day() {
    on_a_fast_clock(async {
        let mut robot = Robot::new();
        assert_eq!(robot.well().await, ["issue"], "with the user, in one run");
        let first = robot.keys();
        assert_eq!(first.len(), 1);
        assert_eq!(robot.sink.taken(), first);
        assert_eq!(robot.handed_over(), first);
        assert!(robot.well().await.is_empty(), "the same day");
        robot.days_pass(89);
        assert!(robot.well().await.is_empty(), "a day too early");
        robot.days_pass(1);
        assert_eq!(robot.well().await, ["issue"]);
        let (both, handed_over) = (robot.keys(), robot.handed_over());
        assert_eq!(both.len(), 2, "the old one holds");
        assert_eq!(handed_over, [robot.sink.taken()[1].clone(), first[0].clone()]);
        robot.days_pass(6);
        assert!(robot.well().await.is_empty(), "a day too early");
        robot.days_pass(1);
        let revoke = format!("revoke {} for {}", first[0], handed_over[0]);
        assert_eq!(robot.well().await, [revoke]);
        assert_eq!(robot.keys(), [handed_over[0].clone()]);
        robot.days_pass(500);
        assert_eq!(robot.well().await, ["issue"], "however late");
    });
}

#[test]
fn a_run_that_is_late_for_both_replaces_at_once() {
    on_a_fast_clock(async {
        let mut robot = Robot::new();
        robot.well().await;
        robot.days_pass(90);
        robot.well().await;
        let [newer, older] = &robot.handed_over()[..] else { panic!("two keys") };
        robot.days_pass(91);
        let revoke = format!("revoke {older} for {newer}");
        assert_eq!(robot.well().await, [revoke, "issue".to_owned()]);
        assert_eq!(robot.keys().len(), 2);
        assert!(robot.keys().contains(newer), "the one in use holds");
    });
}

#[test]
fn a_new_key_makes_room_for_itself_even_if_the_overlap_is_too_long() {
    on_a_fast_clock(async {
        let mut robot = Robot::new();
        let rotation = KeyRotation { after_days: 5, overlap_days: 7, sink: "store".into() };
        robot.model.services.get_mut("ci").unwrap().identity = ServiceIdentity::Key(rotation);
        for issued in 1..5 {
            assert_eq!(robot.well().await.last().unwrap(), "issue");
            assert_eq!(robot.keys().len(), issued.min(2));
            robot.days_pass(5);
        }
    });
}

#[test]
fn a_key_made_by_hand_goes_at_once_and_the_one_handed_over_stays() {
    on_a_fast_clock(async {
        let robot = Robot::new();
        robot.well().await;
        let (user, own) = (robot.user().unwrap(), robot.keys());
        let by_hand = robot.cloud.world.add_credential(ACCOUNT, &user, "access-key").unwrap();
        // What is no key is none of a rotation's business.
        robot.cloud.world.add_credential(ACCOUNT, &user, "password").unwrap();
        let plan = robot.cloud.dry_run(&robot.model).await;
        assert_eq!(about_keys(&plan), [format!("revoke {} for {}", by_hand.id, own[0])]);
        assert_eq!(*plan.changes[0].reasons, [Reason::KeyNotHandedOver]);
        robot.well().await;
        assert_eq!(robot.handed_over(), own);
        assert!(robot.well().await.is_empty());
    });
}

#[test]
fn without_a_note_keys_are_replaced_and_a_note_that_cannot_be_read_is_none() {
    for note in [None, Some("something else")] {
        on_a_fast_clock(async {
            let robot = Robot::new();
            robot.well().await;
            let (user, old) = (robot.user().unwrap(), robot.keys());
            let change = |user: &mut reconcile::cloud::memory::service::state::User| {
                user.tags.remove("reconcile:key");
                user.tags.extend(note.map(|text| ("reconcile:key".to_owned(), text.to_owned())));
            };
            robot.cloud.world.edit_user(ACCOUNT, &user, change).unwrap();
            let plan = robot.cloud.dry_run(&robot.model).await;
            assert_eq!(
                about_keys(&plan),
                [format!("revoke {} for nothing", old[0]), "issue".to_owned()]
            );
            assert_eq!(plan.changes[1].needs, [plan.changes[0].id], "never more than two");
            assert!(lint(&plan).is_empty());
            robot.well().await;
            assert_eq!(robot.handed_over(), [robot.sink.taken()[1].clone()]);
        });
    }
}

#[test]
fn nothing_is_concluded_from_keys_that_were_not_all_read() {
    on_a_fast_clock(async {
        let mut robot = Robot::new();
        robot.well().await;
        robot.days_pass(90);
        let given = robot.model.given();
        let desired = robot.cloud.desired(&given);
        let connections = robot.cloud.connect(&given).await;
        let mut observed = robot.cloud.observe(&given, &desired, &connections).await;
        let due = robot.cloud.plan(&given, &observed);
        assert_eq!(about_keys(&due), ["issue"]);
        let (place, mut keys) = observed.credentials.pop_first().unwrap();
        let (user, keys) = keys.pop_first().unwrap();
        for partial in [Some(keys.into_parts().0), None] {
            if let Some(got) = partial {
                let reading = Reading::partial(got, Missing::new("a page", "too slow"));
                let of_user = BTreeMap::from([(user.clone(), reading)]);
                observed.credentials.insert(place.clone(), of_user);
            } else {
                observed.credentials.clear();
            }
            let plan = robot.cloud.plan(&given, &observed);
            assert!(about_keys(&plan).is_empty());
            let withheld: Vec<_> = plan.withheld.iter().map(|one| (one.kind, one.count)).collect();
            assert_eq!(withheld, [(Kind::User, 1)]);
        }
    });
}

#[test]
fn in_an_account_that_was_not_all_read_no_key_goes_and_none_comes() {
    on_a_fast_clock(async {
        let mut robot = Robot::new();
        robot.well().await;
        let user = robot.user().unwrap();
        for (days, by_hand) in [(90, false), (0, true)] {
            robot.days_pass(days);
            if by_hand {
                robot.cloud.world.add_credential(ACCOUNT, &user, "access-key").unwrap();
            }
            let given = robot.model.given();
            let desired = robot.cloud.desired(&given);
            let connections = robot.cloud.connect(&given).await;
            let mut observed = robot.cloud.observe(&given, &desired, &connections).await;
            assert!(!about_keys(&robot.cloud.plan(&given, &observed)).is_empty());
            for reading in observed.accounts.values_mut() {
                let missing = Missing::new("users", "not allowed");
                let mut got = reading.got().clone();
                got.listed.remove(&Kind::User);
                *reading = Reading::partial(got, missing);
            }
            let plan = robot.cloud.plan(&given, &observed);
            assert!(about_keys(&plan).is_empty());
            assert_eq!(plan.withheld.len(), 1);
            assert_eq!(plan.withheld[0].because, "account spi/hub");
        }
    });
}

#[test]
fn a_disabled_service_account_gets_no_key_and_a_departed_one_loses_all() {
    on_a_fast_clock(async {
        let mut robot = Robot::new();
        robot.well().await;
        robot.days_pass(90);
        let user = robot.user().unwrap();
        robot.cloud.world.edit_user(ACCOUNT, &user, |user| user.enabled = false).unwrap();
        let plan = robot.cloud.dry_run(&robot.model).await;
        assert!(about_keys(&plan).is_empty());
        assert_eq!(plan.findings[0].code, "disabled-by-hand");
        robot.cloud.world.edit_user(ACCOUNT, &user, |user| user.enabled = true).unwrap();
        robot.well().await;
        let keys = robot.keys();
        assert_eq!(keys.len(), 2);
        let service = robot.model.services.remove("ci").unwrap();
        let gone: Vec<_> = keys.iter().map(|key| format!("revoke {key} for nothing")).collect();
        assert_eq!(robot.well().await, gone);
        assert!(robot.keys().is_empty());
        // Back within the grace period: restored first, then a key of its own day.
        robot.model.services.insert("ci".to_owned(), service);
        assert_eq!(robot.well().await, ["issue"]);
        assert_eq!(robot.handed_over(), robot.keys());
        assert_eq!(robot.keys().len(), 1);
    });
}

#[test]
fn a_day_that_is_yet_to_come_is_told() {
    on_a_fast_clock(async {
        let mut robot = Robot::new();
        robot.days_pass(10);
        robot.well().await;
        robot.days_pass(-1);
        let plan = robot.cloud.dry_run(&robot.model).await;
        assert!(plan.changes.is_empty());
        assert_eq!(plan.findings[0].code, "key-of-a-day-to-come");
    });
}

#[test]
fn nobody_knows_which_of_two_with_one_mark_a_key_is_for() {
    on_a_fast_clock(async {
        let mut robot = Robot::new();
        robot.well().await;
        let mark = reconcile::model::Mark {
            organisation: "spi".into(),
            subject: reconcile::model::Subject::Service("ci".into()),
        };
        robot.cloud.world.add_user(ACCOUNT, "copy", Some(&mark)).unwrap();
        robot.days_pass(90);
        let plan = robot.cloud.dry_run(&robot.model).await;
        assert!(about_keys(&plan).is_empty());
        assert_eq!(plan.findings[0].code, "copied-mark");
    });
}
