//! Single cases: what random worlds have found, and what is too rare for them.

use reconcile::apply::Options;
use reconcile::model::{AccountStatus, Kind, Mark, Missing, Reading, VendorId};
use reconcile::plan::{Phase, Plan, Step};

use super::oracle;
use super::run::{Cloud, on_a_fast_clock, story};
use super::world::Model;

fn verbs(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| format!("{} {}", change.step.verb(), change.step.object()))
        .collect()
}

fn codes(plan: &Plan) -> Vec<&str> {
    plan.findings.iter().map(|finding| finding.code.as_str()).collect()
}

async fn run(cloud: &Cloud, model: &Model) -> Plan {
    cloud.run(&model.given(), Options::default()).await.plan
}

fn marked(subject: &str) -> Mark {
    Mark { organisation: "spi".into(), subject: subject.parse().expect("a subject") }
}

const HUB: &str = "100000000001";

#[test]
fn phases_are_listed_in_their_order() {
    assert!(Phase::ALL.is_sorted());
    assert!(Phase::Delete < Phase::Build, "a name is free before somebody else gets it");
}

#[test]
fn a_reading_of_credentials_that_never_was_proves_nothing() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        let alice = model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        model.who("debian", &alice).status = AccountStatus::Gone("inactive".into());
        let given = model.given();
        let connections = cloud.connect(&given).await;
        let desired = cloud.desired(&given);
        let mut observed = cloud.observe(&given, &desired, &connections).await;
        observed.credentials.clear();
        let plan = cloud.plan_for(&given, &desired, &observed);
        // What the credentials open ends all the same.
        assert_eq!(verbs(&plan), ["remove member alice"]);
        assert_eq!(plan.withheld.len(), 1, "{}", story(&plan));
    });
}

#[test]
fn an_incomplete_list_of_users_never_leads_to_a_second_user_with_the_same_mark() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        let alice = model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        model.who("debian", &alice).login = "alicia".to_owned();
        model.person("debian", "bob", &["admin"]);
        let given = model.given();
        let connections = cloud.connect(&given).await;
        let desired = cloud.desired(&given);
        let mut observed = cloud.observe(&given, &desired, &connections).await;
        for reading in observed.accounts.values_mut() {
            let (mut got, _) = reading.clone().into_parts();
            got.users.clear();
            got.listed.remove(&Kind::User);
            *reading = Reading::partial(got, Missing::new("users", "half a page"));
        }
        let plan = cloud.plan_for(&given, &desired, &observed);
        assert_eq!(verbs(&plan), [""; 0], "{}", story(&plan));
        run(&cloud, &model).await;
        assert_eq!(oracle::wrong(&model, &cloud.dump(), &[]), [""; 0]);
    });
}

#[test]
fn somebody_who_leaves_leaves_foreign_groups_too() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        let alice = model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        let theirs = cloud.world.add_group(HUB, "theirs", None).expect("memory");
        let id = cloud.dump().account(HUB).users.named("alice").expect("alice").id.clone();
        cloud
            .world
            .mutate(|_| reconcile::cloud::memory::service::state::Mutation::AddMember {
                account: HUB.to_owned(),
                user: id,
                group: theirs.to_string(),
            })
            .expect("memory");
        assert_eq!(verbs(&run(&cloud, &model).await), [""; 0], "as long as they stay it is theirs");
        model.who("debian", &alice).status = AccountStatus::Gone("inactive".into());
        run(&cloud, &model).await;
        model.days_pass(30);
        let last = run(&cloud, &model).await;
        assert_eq!(verbs(&last), ["delete user alice"]);
        assert!(cloud.dump().account(HUB).users.named("alice").is_none());
    });
}

#[test]
fn nothing_with_a_copied_mark_is_deleted_and_no_copy_keeps_access() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        let alice = model.person("debian", "alice", &["admin"]);
        let subject = format!("person:debian:{alice}");
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        cloud.world.add_user(HUB, "copy", Some(&marked(&subject))).expect("memory");
        cloud.world.add_group(HUB, "copy", Some(&marked("group:debian:admin"))).expect("memory");
        cloud.world.add_role(HUB, "copy", Some(&marked("role:operator"))).expect("memory");
        let plan = run(&cloud, &model).await;
        assert_eq!(verbs(&plan), [""; 0], "what is wanted is there, the copies are left alone");
        assert_eq!(codes(&plan), ["copied-mark"; 3]);
        model.grants.clear();
        model.who("debian", &alice).status = AccountStatus::Gone("inactive".into());
        run(&cloud, &model).await;
        model.days_pass(40);
        let plan = run(&cloud, &model).await;
        assert_eq!(verbs(&plan), [""; 0], "{}", story(&plan));
        let state = cloud.dump();
        let account = state.account(HUB);
        assert_eq!((account.users.len(), account.groups.len(), account.roles.len()), (2, 2, 2));
        assert!(account.users.after(None).all(|user| !user.enabled));
        assert!(account.bindings.is_empty());
    });
}

#[test]
fn a_group_that_goes_loses_a_user_with_a_copied_mark() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        model.grant("debian:admin", "operator", &["hub"]);
        let alice = model.person("debian", "alice", &["admin"]);
        model.of("debian").groups.insert("web".to_owned());
        model.who("debian", &alice).groups.insert("web".to_owned());
        model.grant("debian:web", "operator", &["hub"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        let mark = marked(&format!("person:debian:{alice}"));
        let copy = cloud.world.add_user(HUB, "copy", Some(&mark)).expect("memory");
        let web = cloud.dump().account(HUB).groups.named("web").expect("web").id.clone();
        cloud
            .world
            .mutate(|_| reconcile::cloud::memory::service::state::Mutation::AddMember {
                account: HUB.to_owned(),
                user: copy.to_string(),
                group: web,
            })
            .expect("memory");
        model.grants.retain(|grant| grant.group != "web");
        run(&cloud, &model).await;
        assert!(cloud.dump().account(HUB).groups.named("web").is_none());
    });
}

#[test]
fn of_several_rules_that_keep_somebody_out_always_the_same_is_named() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        model.role("owner", &["all"], true);
        for group in ["a", "b", "c", "d", "e"] {
            model.of("debian").groups.insert(group.to_owned());
            model.grant(&format!("debian:{group}"), "owner", &["hub"]);
        }
        let alice = model.person("debian", "alice", &["a", "b", "c", "d", "e"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        model.who("debian", &alice).has_key = Some(false);
        let plans: std::collections::BTreeSet<String> = {
            let mut plans = std::collections::BTreeSet::new();
            for _ in 0..20 {
                plans.insert(story(&cloud.dry_run(&model).await));
            }
            plans
        };
        assert_eq!(plans.len(), 1, "{plans:#?}");
    });
}

#[test]
fn a_refused_name_does_not_keep_a_profile_from_being_put_right() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        let alice = model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        cloud.world.add_user(HUB, "alicia", None).expect("memory");
        let person = model.who("debian", &alice);
        person.login = "alicia".to_owned();
        person.email = Some("new@example.org".to_owned());
        let plan = run(&cloud, &model).await;
        assert_eq!(verbs(&plan), ["update user alice"]);
        assert_eq!(codes(&plan), ["foreign-user"]);
    });
}

#[test]
fn a_temporary_name_is_nobodys() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        let ids = ["alice", "bob", "carol"].map(|login| model.person("debian", login, &["admin"]));
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        for (id, login) in ids.iter().zip(["bob", "alice", "reconcile-moving-0"]) {
            model.who("debian", id).login = login.to_owned();
        }
        cloud.world.add_user(HUB, "reconcile-moving-1", None).expect("memory");
        run(&cloud, &model).await;
        assert_eq!(oracle::wrong(&model, &cloud.dump(), &[]), [""; 0]);
    });
}

#[test]
fn nobody_is_kept_in_a_known_group_by_one_the_directory_lost() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        model.of("debian").groups.insert("web".to_owned());
        model.grant("debian:web", "operator", &["hub"]);
        let alice = model.person("debian", "alice", &["admin", "web"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        model.of("debian").groups.remove("web");
        model.who("debian", &alice).groups.remove("admin");
        let plan = run(&cloud, &model).await;
        let steps: Vec<&Step> = plan.changes.iter().map(|change| &change.step).collect();
        let [Step::RemoveMember { group, .. }] = steps[..] else { panic!("{}", story(&plan)) };
        assert_eq!(group.name.as_str(), "admin");
    });
}

#[test]
fn a_suspended_user_is_not_counted_as_withheld_every_day() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        let alice = model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        model.who("debian", &alice).status = AccountStatus::Gone("inactive".into());
        run(&cloud, &model).await;
        let mut given = model.given();
        for reading in given.directories.values_mut() {
            let (got, _) = reading.clone().into_parts();
            *reading = Reading::partial(got, Missing::new("people", "size limit"));
        }
        let plan = cloud.run(&given, Options::default()).await.plan;
        assert_eq!(plan.withheld, []);
    });
}

#[test]
fn a_group_with_a_role_where_another_hub_rules_is_told_of_and_not_deleted() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        model.account("spi", "second", "100000000002", "second");
        model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        run(&cloud, &model).await;
        let role = cloud.world.add_role("100000000002", "theirs", None).expect("memory");
        let admin = cloud.dump().account(HUB).groups.named("admin").expect("admin").id.clone();
        let group = VendorId::new(admin);
        cloud
            .world
            .mutate(|_| reconcile::cloud::memory::service::state::Mutation::AddBinding {
                account: "100000000002".to_owned(),
                group: group.to_string(),
                role: role.to_string(),
            })
            .expect("memory");
        model.grants.clear();
        let plan = run(&cloud, &model).await;
        assert_eq!(codes(&plan), ["bound-elsewhere"]);
        assert!(cloud.dump().account(HUB).groups.named("admin").is_some());
        assert_eq!(verbs(&cloud.dry_run(&model).await), [""; 0]);
    });
}
