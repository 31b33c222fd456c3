//! Keys are issued to users of ours, and noted as handed over only when somebody says so.

use jiff::civil::Date;
use secrecy::ExposeSecret as _;

use super::bench::{Bench, DAY, Made, person};
use super::{Fixture, Trouble, Verdict};
use crate::cloud::ErrorKind;
use crate::model::{IssuedKey, Reading, Subject, UserSpec, VendorId};
use crate::plan::{Reference, Step, Target};

const NO_KEYS: Verdict = Verdict::NotTried("issues no keys");

fn issue(kind: &str, user: &Made<UserSpec>, on: Date) -> Step {
    Step::IssueCredential {
        user: Target { id: Reference::Known(user.id.clone()), name: user.spec.name.clone() },
        subject: user.subject.clone(),
        kind: kind.into(),
        sink: "nowhere".into(),
        on,
    }
}

async fn issued(bench: &Bench<'_>, step: &Step) -> IssuedKey {
    let applied = bench.hub.must(step).await;
    let key = applied.secret.expect("the new key comes with its secret");
    assert!(!key.secret.expose_secret().is_empty());
    key
}

async fn writes(fixture: &dyn Fixture) -> Option<u64> {
    Some(fixture.calls().await?.writes)
}

/// The ids of a user's keys, and the day each was handed over.
async fn keys(bench: &Bench<'_>, user: &VendorId) -> Vec<(VendorId, Option<Date>)> {
    match bench.hub.credentials(user).await {
        Reading::Complete(keys) => {
            let mut keys: Vec<_> = keys.into_iter().map(|key| (key.id, key.handed_over)).collect();
            keys.sort();
            keys
        }
        Reading::Partial { missing, .. } => panic!("not completely read: {missing:?}"),
    }
}

pub async fn a_key_is_issued_and_counts_as_handed_over_once_noted(
    fixture: &dyn Fixture,
) -> Verdict {
    let Some(kind) = fixture.vendor().facts().key_kind else { return NO_KEYS };
    let bench = Bench::new(fixture).await;
    let user = bench.user("robot").await;
    let step = issue(kind, &user, DAY);
    let before = writes(fixture).await;
    let key = issued(&bench, &step).await;
    let between = writes(fixture).await;
    assert_eq!(between, before.map(|writes| writes + 1));
    assert_eq!(keys(&bench, &user.id).await, [(key.id.clone(), None)]);
    bench.hub.note(&step, &key.id).await.expect("it can be noted");
    assert_eq!(writes(fixture).await, between.map(|writes| writes + 1));
    assert_eq!(keys(&bench, &user.id).await, [(key.id.clone(), Some(DAY))]);
    bench.hub.note(&step, &key.id).await.expect("it can be noted again");
    assert_eq!(keys(&bench, &user.id).await, [(key.id.clone(), Some(DAY))]);
    // Nothing else about the user is different; it stays so whatever becomes of the user.
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(user.spec.clone()));
    bench.hub.must(&user.suspend()).await;
    bench.hub.must(&user.restore()).await;
    assert_eq!(keys(&bench, &user.id).await, [(key.id, Some(DAY))]);
    assert_eq!(bench.hub.see_user(&user.id).await, user.seen(user.spec.clone()));
    Verdict::Passed
}

pub async fn of_two_keys_both_stay_noted(fixture: &dyn Fixture) -> Verdict {
    let Some(kind) = fixture.vendor().facts().key_kind else { return NO_KEYS };
    let bench = Bench::new(fixture).await;
    let user = bench.user("robot").await;
    let later = DAY.tomorrow().expect("a day of the calendar");
    let mut expected = Vec::new();
    for on in [DAY, later] {
        let step = issue(kind, &user, on);
        let key = issued(&bench, &step).await;
        bench.hub.note(&step, &key.id).await.expect("it can be noted");
        expected.push((key.id, Some(on)));
    }
    expected.sort();
    assert_eq!(keys(&bench, &user.id).await, expected);
    assert_ne!(expected[0].0, expected[1].0);
    Verdict::Passed
}

pub async fn keys_are_issued_to_nobody_else(fixture: &dyn Fixture) -> Verdict {
    let Some(kind) = fixture.vendor().facts().key_kind else { return NO_KEYS };
    let bench = Bench::new(fixture).await;
    let id = fixture.foreign_user(&fixture.name("stranger")).await;
    let spec = bench.user_spec("stranger");
    let foreign = Made { id, subject: person("stranger"), spec };
    let mut other = bench.user("robot").await;
    other.subject = Subject::Service("somebody-else".into());
    for user in [foreign, other] {
        let step = issue(kind, &user, DAY);
        bench.hub.must_fail(&step, ErrorKind::Foreign).await;
        let noted = bench.hub.note(&step, &"x".into()).await.map_err(|error| error.kind);
        assert_eq!(noted.err(), Some(ErrorKind::Foreign));
        assert_eq!(keys(&bench, &user.id).await, []);
    }
    Verdict::Passed
}

pub async fn a_lost_reply_leaves_a_key_that_counts_as_lost(fixture: &dyn Fixture) -> Verdict {
    let Some(kind) = fixture.vendor().facts().key_kind else { return NO_KEYS };
    let bench = Bench::new(fixture).await;
    let user = bench.user("robot").await;
    if !fixture.next_write_fails(Trouble::LostReply).await {
        return Verdict::NotTried("no faults");
    }
    let step = issue(kind, &user, DAY);
    let error = bench.hub.apply(&step).await.expect_err("its reply is lost");
    assert_eq!(error.kind, ErrorKind::LostReply);
    let left = keys(&bench, &user.id).await;
    assert!(matches!(left.as_slice(), [(_, None)]), "{left:?}");
    Verdict::Passed
}
