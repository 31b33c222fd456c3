//! What somebody put on a victim since the plan was made is named, and not waited for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reconcile::apply::{Options, execute};
use reconcile::event::{Event, EventsError, Outcome};
use reconcile::model::{GroupSpec, Subject, UserSpec};
use reconcile::plan::{Life, Step};
use reconcile::sink::NoSinks;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::fixture::{CenterFixture, HUB, TARGET};
use super::steps;
use crate::apply::fake::{approve, place, simple};

/// Carries out one deletion with the patience of a real run, and gives why it failed.
async fn refused(fixture: &CenterFixture, step: Step) -> String {
    let (hub, _) = fixture.connect().await;
    let connections = BTreeMap::from([(place("hub"), hub)]);
    let mut reader = |_: &Event| -> Result<(), EventsError> { Ok(()) };
    let began = Instant::now();
    let approved = approve(simple(vec![step]), 9);
    let never = CancellationToken::new();
    let outcomes =
        execute(&approved, &connections, &NoSinks, Options::default(), &mut reader, &never).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let Outcome::Failed { why, hint } = &outcomes.by_change[0] else { panic!("{outcomes:?}") };
    let hint = hint.as_deref().unwrap_or_default();
    assert!(hint.contains("take it off at the vendor"), "{hint}");
    why.clone()
}

fn subject(text: &str) -> Subject {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_user_in_somebody_elses_group_or_with_a_set_of_their_own() {
    for joined in [true, false] {
        let fixture = CenterFixture::new();
        let (hub, _) = fixture.connect().await;
        let create = steps::user("anna");
        let id = steps::make(&hub, &create).await;
        let Step::User(Life::Create { subject, spec: user }) = create else { unreachable!() };
        let on = jiff::civil::date(2026, 3, 9);
        let before = Box::new(UserSpec { access: user.access.suspended(on), ..(*user).clone() });
        let suspend =
            Step::User(Life::Retire { id: id.clone(), subject: subject.clone(), before: user, on });
        steps::apply(&hub, &suspend).await.unwrap();
        {
            let mut state = fixture.peer.state();
            if joined {
                let group = state.add_group("by-hand", &json!({}));
                state.join(&group, id.as_str());
            } else {
                let set = state.add_set("direct");
                state.assign(TARGET, &set, "USER", id.as_str());
            }
        }
        let why = refused(&fixture, Step::User(Life::Delete { id, subject, before })).await;
        let named = if joined {
            "group `by-hand`".to_owned()
        } else {
            format!("permission set `direct` in account {TARGET}")
        };
        assert!(why.contains(&named), "{why}");
    }
}

#[tokio::test]
async fn a_group_with_somebody_elses_user_or_set() {
    for joined in [true, false] {
        let fixture = CenterFixture::new();
        let (hub, _) = fixture.connect().await;
        let id = steps::make(&hub, &steps::group("crew")).await;
        {
            let mut state = fixture.peer.state();
            if joined {
                let user = state.add_user("stranger", &json!({}));
                state.join(id.as_str(), &user);
            } else {
                let set = state.add_set("theirs");
                state.assign(HUB, &set, "GROUP", id.as_str());
            }
        }
        let before = GroupSpec { name: "crew".into() };
        let subject = subject("group:debian:crew");
        let why = refused(&fixture, Step::Group(Life::Delete { id, subject, before })).await;
        let named = if joined {
            "member `stranger`".to_owned()
        } else {
            format!("permission set `theirs` in account {HUB}")
        };
        assert!(why.contains(&named), "{why}");
    }
}

#[tokio::test]
async fn a_permission_set_that_somebody_assigned() {
    let fixture = CenterFixture::new();
    let (hub, _) = fixture.connect().await;
    let spec = super::fixture::role("operator", 4);
    let id = steps::make(&hub, &steps::role(&spec)).await;
    {
        let mut state = fixture.peer.state();
        let group = state.add_group("theirs", &json!({}));
        state.assign(TARGET, id.as_str(), "GROUP", &group);
    }
    let before = Box::new(spec);
    let subject = subject("role:operator");
    let why = refused(&fixture, Step::Role(Life::Delete { id, subject, before })).await;
    assert!(why.contains(&format!("account {TARGET}")), "{why}");
}
