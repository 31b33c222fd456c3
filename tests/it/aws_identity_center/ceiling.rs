//! The vendor's ceiling is kept to by everything together.

use super::fixture::{CenterFixture, TARGET, account, patience};
use super::steps::{all, apply, group, join, make, user};
use reconcile::cloud::aws::identity_center::Patience;

#[tokio::test]
async fn reading_and_writing_at_once_stay_below_the_ceiling() {
    let requests_per_second = Patience::default().requests_per_second;
    let fixture = CenterFixture::with(Patience { requests_per_second, ..patience() });
    let began = std::time::Instant::now();
    let (hub, _) = fixture.connect().await;
    let crew = make(&hub, &group("crew")).await;
    let names: Vec<String> = (0..12).map(|number| format!("u{number}")).collect();
    let writes = names.iter().map(|name| {
        let (hub, crew) = (&hub, &crew);
        async move {
            let user = make(hub, &user(name)).await;
            apply(hub, &join(crew, &user)).await.unwrap();
        }
    });
    let at = account("hub", super::fixture::HUB);
    let target = fixture.at(&at, &account("target", TARGET)).await;
    let (_, seen) = tokio::join!(futures_util::future::join_all(writes), all(&target));
    assert!(seen.bindings.is_empty());
    assert_eq!(all(&hub).await.memberships.len(), 12);
    // At least so many calls of one service took at least so long; a busy machine only takes longer.
    let calls: usize = ["CreateUser", "CreateGroup", "CreateGroupMembership"]
        .iter()
        .map(|operation| fixture.peer.state().count(operation))
        .sum();
    assert_eq!(calls, 25);
    let least = f64::from(24_u32) / f64::from(requests_per_second);
    assert!(began.elapsed().as_secs_f64() >= least, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_throttled_reading_is_repeated_and_a_write_is_not() {
    use crate::peers::identity_center::Fault;
    use reconcile::cloud::ErrorKind;
    let fixture = CenterFixture::with(Patience { attempts: 3, ..patience() });
    let (hub, _) = fixture.connect().await;
    make(&hub, &user("anna")).await;
    let throttled = || Fault::Refused(400, "ThrottlingException", Vec::new());
    for _ in 0..2 {
        fixture.peer.next_of("ListUsers", throttled());
    }
    assert_eq!(all(&hub).await.users.len(), 1);
    for _ in 0..3 {
        fixture.peer.next_of("ListUsers", throttled());
    }
    assert!(!hub.observe.observe().await.is_complete());
    fixture.peer.next_of("CreateUser", throttled());
    let error = apply(&hub, &user("berta")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled { after: None });
    assert_eq!(fixture.peer.state().count("CreateUser"), 2);
}
