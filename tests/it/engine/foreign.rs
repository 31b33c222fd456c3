//! What roles of somebody else give to users of ours: told as far as it was seen, and nothing is done
//! on account of it.

use reconcile::apply::Options;
use reconcile::model::{Assigned, ForeignAssigned, HolderKind, Missing, Place, VendorId};

use super::run::{Cloud, on_a_fast_clock, story};
use super::world::Model;

#[test]
fn what_was_left_out_of_it_is_told_by_name() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        cloud.run(&model.given(), Options::default()).await;
        let given = model.given();
        let connections = cloud.connect(&given).await;
        let desired = cloud.desired(&given);
        let mut observed = cloud.observe(&given, &desired, &connections).await;
        let hub = Place { organisation: "spi".into(), account: "hub".into() };
        let reading = observed.accounts.remove(&hub).expect("the hub was read");
        let reading = reading.map(|mut seen| {
            // It is told by name, or by id where it has none.
            let one = |account: &str, holder: &VendorId| Assigned {
                account: account.to_owned(),
                role: seen.roles[0].id.clone(),
                holder_kind: HolderKind::User,
                holder: holder.clone(),
            };
            let alice = &seen.users[0].id;
            seen.foreign_assigned = ForeignAssigned {
                assigned: ["1", "2", "3", "4", "5"].map(|account| one(account, alice)).into(),
                unread: vec![Missing::new("list", "late"), Missing::new("another", "later")],
                beyond: [(seen.roles[0].id.clone(), 2), ("nameless".into(), 1)].into(),
            };
            seen
        });
        let role = reading.got().roles[0].spec.name.to_string();
        observed.accounts.insert(hub, reading);
        let plan = cloud.plan_for(&given, &desired, &observed);
        assert!(plan.changes.is_empty(), "{}", story(&plan));
        assert!(plan.withheld.is_empty(), "{}", story(&plan));
        let told = plan.findings.iter().filter(|one| one.code.starts_with("foreign-"));
        let mut told: Vec<&str> = told.map(|one| one.message.as_str()).collect();
        told.sort_unstable();
        let all = told.join("\n");
        assert_eq!(told.len(), 3, "{all}");
        assert!(all.contains("by hand in accounts 1, 2, 3 and 2 more"), "{all}");
        assert!(all.contains("list: late; and 1 more list was not read"), "{all}");
        assert!(all.contains(&format!("`{role}` in 2 accounts")), "{all}");
        assert!(all.contains("`nameless` in 1 account"), "{all}");
    });
}
