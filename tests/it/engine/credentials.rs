//! Users that go, and whose credentials cannot be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use reconcile::apply::Options;
use reconcile::cloud::{Connection, Observe};
use reconcile::guard::{Context, review};
use reconcile::model::{
    AccountStatus, Credential, Kind, Missing, ObservedAccount, Place, Reading, VendorId,
};

use super::run::{Cloud, carry_out, on_a_fast_clock, story};
use super::world::{Given, Model};

/// A reader that may not list the credentials of one user.
struct Denied {
    honest: Arc<dyn Observe>,
    user: VendorId,
}

#[async_trait]
impl Observe for Denied {
    async fn observe(&self) -> Reading<ObservedAccount> {
        self.honest.observe().await
    }

    async fn credentials(&self, users: &[VendorId]) -> Reading<Vec<Credential>> {
        let may: Vec<VendorId> = users.iter().filter(|one| **one != self.user).cloned().collect();
        let (got, mut missing) = self.honest.credentials(&may).await.into_parts();
        if may.len() < users.len() {
            let what = format!("credentials of {}", self.user);
            missing.push(Missing::new(what, "access denied"));
        }
        Reading::from_parts(got, missing)
    }
}

async fn connected(cloud: &Cloud, given: &Given, denied: &VendorId) -> BTreeMap<Place, Connection> {
    let mut connections = cloud.connect(given).await;
    for connection in connections.values_mut() {
        let honest = Arc::clone(&connection.observe);
        connection.observe = Arc::new(Denied { honest, user: denied.clone() });
    }
    connections
}

const HUB: &str = "100000000001";

#[test]
fn one_user_whose_credentials_cannot_be_read_keeps_nobody_else_in() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        let leavers = ["alice", "boris"].map(|one| model.person("debian", one, &["admin"]));
        let cloud = Cloud::new();
        cloud.run(&model.given(), Options::default()).await;
        let ids: [VendorId; 2] = ["alice", "boris"].map(|login| {
            let state = cloud.dump();
            state.account(HUB).users.named(login).expect("a user").id.as_str().into()
        });
        for id in &ids {
            cloud.world.add_credential(HUB, id, "access-key").expect("a user");
        }
        for leaver in &leavers {
            model.who("debian", leaver).status = AccountStatus::Gone("inactive".into());
        }
        let given = model.given();
        let connections = connected(&cloud, &given, &ids[0]).await;
        let desired = cloud.desired(&given);
        let observed = cloud.observe(&given, &desired, &connections).await;
        let plan = cloud.plan_for(&given, &desired, &observed);
        let told = story(&plan);
        let withheld: Vec<_> = plan.withheld.iter().map(|one| (one.kind, one.count)).collect();
        assert_eq!(withheld, [(Kind::User, 1)], "{told}");
        let missing: Vec<_> = plan.incomplete.iter().flat_map(|one| &one.missing).collect();
        assert_eq!(missing.len(), 1, "{told}");
        assert!(missing[0].what.contains(ids[0].as_str()), "{told}");

        let review = review(plan, &Context::new(&given.policies));
        carry_out(&review, &connections, Options::default()).await;
        let state = cloud.dump();
        let after = state.account(HUB);
        assert_eq!(after.memberships.len(), 0, "also of the one that could not be read\n{told}");
        let keys = ids.each_ref().map(|id| after.credentials_of(id.as_str()).count());
        let enabled =
            ids.each_ref().map(|id| after.users.get(id.as_str()).expect("in its grace").enabled);
        assert_eq!((keys, enabled), ([1, 0], [true, false]), "{told}");

        // Once it can be read the rest follows.
        cloud.run(&given, Options::default()).await;
        let state = cloud.dump();
        let after = state.account(HUB);
        assert_eq!(after.credentials_of(ids[0].as_str()).count(), 0);
        assert!(!after.users.get(ids[0].as_str()).expect("in its grace").enabled);
    });
}
