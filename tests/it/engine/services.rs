//! Service accounts that contradict a directory, or another role.

use reconcile::apply::Options;
use reconcile::directory::Origin;
use reconcile::inventory::ServiceIdentity;
use reconcile::model::{Federation, Forge, GroupRef, KeyRotation};
use reconcile::plan::Plan;

use super::run::{Cloud, on_a_fast_clock, story};
use super::world::{Given, Model, ServiceModel};

fn model(identity: ServiceIdentity) -> Model {
    let mut model = Model::simple();
    model.person("debian", "alice", &["admin"]);
    let service = ServiceModel {
        role: "operator".to_owned(),
        accounts: ["hub".to_owned()].into(),
        until: None,
        identity,
    };
    model.services.insert("ci".to_owned(), service);
    model
}

fn key() -> ServiceIdentity {
    let sink = "files".into();
    ServiceIdentity::Key(KeyRotation { after_days: 90, overlap_days: 7, sink })
}

fn jobs() -> ServiceIdentity {
    ServiceIdentity::Forge(Federation {
        forge: Forge::Gitlab,
        issuer: "https://gitlab.example.org".to_owned(),
        project: "debian/mirrors".to_owned(),
        git_ref: None,
        protected: true,
        networks: [].into(),
        session_hours: None,
    })
}

/// The inputs, with owners the directory does not know.
fn ownerless(model: &Model) -> Given {
    let mut given = model.given();
    for service in given.inventory.service_accounts.values_mut() {
        service.owners = GroupRef { directory: "debian".into(), group: "admim".into() };
    }
    for directory in given.inventory.directories.values_mut() {
        directory.origin = Origin::Ldif("people.ldif".into());
    }
    given
}

fn is_about_it(told: &str) -> bool {
    told.contains(":ci") || told.contains("services.yaml")
}

async fn planned(cloud: &Cloud, given: &Given) -> Plan {
    let connections = cloud.connect(given).await;
    let desired = cloud.desired(given);
    let observed = cloud.observe(given, &desired, &connections).await;
    cloud.plan_for(given, &desired, &observed)
}

#[test]
fn nothing_comes_of_a_service_account_whose_owners_nobody_knows() {
    for identity in [key(), jobs(), ServiceIdentity::User] {
        on_a_fast_clock(async {
            let model = model(identity);
            let cloud = Cloud::new();
            let plan = planned(&cloud, &ownerless(&model)).await;
            let told = story(&plan);
            assert!(!is_about_it(&told), "{told}");
            assert!(told.contains("create user alice"), "others go on\n{told}");
        });
    }
}

#[test]
fn what_there_is_of_it_stays_as_it_is() {
    for identity in [jobs(), ServiceIdentity::User] {
        on_a_fast_clock(async {
            let mut model = model(identity);
            model.account("spi", "mirror", "100000000002", "hub");
            let both = ["hub".to_owned(), "mirror".to_owned()];
            model.services.get_mut("ci").unwrap().accounts = both.into();
            let cloud = Cloud::new();
            cloud.run(&model.given(), Options::default()).await;
            // Less, and something else: both would be changes.
            model.services.get_mut("ci").unwrap().accounts = ["hub".to_owned()].into();
            model.role("viewer", &["see"], false);
            model.services.get_mut("ci").unwrap().role = "viewer".to_owned();
            let plan = planned(&cloud, &ownerless(&model)).await;
            let told = story(&plan);
            assert!(!is_about_it(&told), "{told}");
            let plan = planned(&cloud, &model.given()).await;
            assert!(!plan.changes.is_empty(), "with owners it is changed");
            // What has ended ends, whoever owned it.
            model.services.get_mut("ci").unwrap().until = Some(model.today);
            let plan = planned(&cloud, &ownerless(&model)).await;
            assert!(!plan.changes.is_empty(), "{}", story(&plan));
        });
    }
}

#[test]
fn of_two_role_objects_with_one_name_none_is_made() {
    on_a_fast_clock(async {
        let mut model = model(jobs());
        model.role("operator-ci", &["see"], false);
        model.grant("debian:admin", "operator-ci", &["hub"]);
        let plan = planned(&Cloud::new(), &model.given()).await;
        let told = story(&plan);
        assert!(told.contains("create role operator "), "others go on\n{told}");
        assert!(!told.contains("create role operator-ci"), "{told}");
    });
}
