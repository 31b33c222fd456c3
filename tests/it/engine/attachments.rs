//! What is attached to users, groups and roles: drift is put right on ours, foreign ones are left
//! alone, and nothing is concluded from half a reading.

use reconcile::apply::Options;
use reconcile::desired::Desired;
use reconcile::model::{
    AccountStatus, Attachment, HeldAttachment, HolderKind, Missing, ObservedAccount, Place,
    Reading, VendorId,
};
use reconcile::plan::{Observations, Plan, lint};

use super::run::{Cloud, on_a_fast_clock, story};
use super::world::{Given, Model};

const HUB: &str = "100000000001";

fn attachment(kind: &str, name: &str, content: Option<&str>) -> Attachment {
    Attachment { kind: kind.into(), name: name.into(), content: content.map(str::to_owned) }
}

fn held(holder_kind: HolderKind, holder: &VendorId, attachment: Attachment) -> HeldAttachment {
    HeldAttachment { holder_kind, holder: holder.clone(), attachment }
}

/// Alice in admin, all applied; what was read then, to be changed by a test.
struct Applied {
    cloud: Cloud,
    model: Model,
    alice: String,
    stranger: VendorId,
}

impl Applied {
    async fn new() -> Self {
        let mut model = Model::simple();
        let alice = model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        cloud.run(&model.given(), Options::default()).await;
        let stranger = cloud.world.add_user(HUB, "stranger", None).expect("a user");
        Self { cloud, model, alice, stranger }
    }

    async fn read(&self) -> (Given, Desired, Observations) {
        let given = self.model.given();
        let connections = self.cloud.connect(&given).await;
        let desired = self.cloud.desired(&given);
        let observed = self.cloud.observe(&given, &desired, &connections).await;
        (given, desired, observed)
    }
}

fn hub_place() -> Place {
    Place { organisation: "spi".into(), account: "hub".into() }
}

fn change(observed: &mut Observations, change: impl FnOnce(&mut ObservedAccount)) {
    let reading = observed.accounts.remove(&hub_place()).expect("the hub was read");
    let reading = reading.map(|mut seen| {
        change(&mut seen);
        seen
    });
    observed.accounts.insert(hub_place(), reading);
}

fn lines(plan: &Plan) -> Vec<String> {
    assert_eq!(lint(plan), [], "{}", story(plan));
    let name = |step: &reconcile::plan::Step| match step {
        reconcile::plan::Step::Attach { attachment, before, .. } => {
            let how = if before.is_some() { "instead" } else { "new" };
            format!(" {} {how}", attachment.name)
        }
        reconcile::plan::Step::Detach { attachment, .. } => format!(" {}", attachment.name),
        _ => String::new(),
    };
    plan.changes
        .iter()
        .map(|one| format!("{} {}{}", one.step.verb(), one.step.object(), name(&one.step)))
        .collect()
}

#[test]
fn what_somebody_attached_to_ours_by_hand_is_taken_off_and_foreign_holders_keep_theirs() {
    on_a_fast_clock(async {
        let applied = Applied::new().await;
        let (given, desired, mut observed) = applied.read().await;
        change(&mut observed, |seen| {
            let power = || attachment("managed-policy", "AdministratorAccess", None);
            for user in &seen.users {
                seen.attachments.push(held(HolderKind::User, &user.id, power()));
            }
            let group = &seen.groups[0];
            let inline = attachment("inline-policy", "extra", Some("{}"));
            seen.attachments.push(held(HolderKind::Group, &group.id, inline));
        });
        let plan = applied.cloud.plan_for(&given, &desired, &observed);
        assert_eq!(
            lines(&plan),
            ["detach from alice AdministratorAccess", "detach from admin extra"],
            "{} must keep theirs: {}",
            applied.stranger,
            story(&plan)
        );
    });
}

#[test]
fn a_role_gets_what_is_missing_loses_what_is_too_much_and_keeps_what_is_right() {
    on_a_fast_clock(async {
        let applied = Applied::new().await;
        let (given, mut desired, mut observed) = applied.read().await;
        let wanted = [
            attachment("inline-policy", "main", Some("new text")),
            attachment("managed-policy", "Kept", None),
            attachment("managed-policy", "Missing", None),
        ];
        let account = desired.accounts.get_mut(&hub_place()).expect("the hub");
        for role in account.roles.values_mut() {
            role.attachments = wanted.clone().into();
        }
        let seen_now = [
            attachment("inline-policy", "main", Some("old text")),
            attachment("managed-policy", "Kept", None),
            attachment("managed-policy", "TooMuch", None),
        ];
        change(&mut observed, |seen| {
            let role = seen.roles[0].id.clone();
            for one in seen_now.clone() {
                seen.attachments.push(held(HolderKind::Role, &role, one));
            }
        });
        let plan = applied.cloud.plan_for(&given, &desired, &observed);
        let role = plan.changes[0].step.object().to_string();
        assert_eq!(
            lines(&plan),
            [
                format!("attach to {role} main instead"),
                format!("attach to {role} Missing new"),
                format!("detach from {role} TooMuch"),
            ],
            "{}",
            story(&plan)
        );
        // Nothing is taken off on account of what was not read.
        let reading = observed.accounts.remove(&hub_place()).expect("the hub was read");
        let (seen, _) = reading.into_parts();
        let seen = ObservedAccount { listed: [].into(), ..seen };
        let reading = Reading::partial(seen, Missing::new("roles", "a page went missing"));
        observed.accounts.insert(hub_place(), reading);
        let plan = applied.cloud.plan_for(&given, &desired, &observed);
        assert_eq!(lines(&plan), [format!("attach to {role} Missing new")],);
        assert_eq!(plan.withheld.iter().map(|one| one.count).sum::<u64>(), 2, "{}", story(&plan));
    });
}

#[test]
fn a_new_role_gets_its_attachments_after_it_is_made() {
    on_a_fast_clock(async {
        let mut model = Model::simple();
        model.person("debian", "alice", &["admin"]);
        let cloud = Cloud::new();
        let given = model.given();
        let connections = cloud.connect(&given).await;
        let mut desired = cloud.desired(&given);
        let observed = cloud.observe(&given, &desired, &connections).await;
        for account in desired.accounts.values_mut() {
            for role in account.roles.values_mut() {
                role.attachments = [attachment("managed-policy", "ReadOnly", None)].into();
            }
        }
        let plan = cloud.plan_for(&given, &desired, &observed);
        let attached: Vec<_> =
            plan.changes.iter().filter(|one| one.step.verb() == "attach to").collect();
        assert!(!attached.is_empty());
        for one in attached {
            let needed: Vec<_> =
                one.needs.iter().map(|need| plan.changes[need.index()].step.verb()).collect();
            assert_eq!(needed, ["create role"], "{}", story(&plan));
        }
        assert_eq!(lint(&plan), []);
    });
}

#[test]
fn who_leaves_loses_attachments_with_everything_else_and_is_deleted_only_after_that() {
    on_a_fast_clock(async {
        let mut applied = Applied::new().await;
        let alice = applied.alice.clone();
        applied.model.who("debian", &alice).status = AccountStatus::Gone("inactive".into());
        let boundary = || attachment("boundary", "Bound", None);
        let attach = |seen: &mut ObservedAccount| {
            let user = seen.users.iter().find(|user| user.spec.name.as_str() == "alice");
            let id = user.expect("alice").id.clone();
            seen.attachments.push(held(HolderKind::User, &id, boundary()));
        };
        let (given, desired, mut observed) = applied.read().await;
        change(&mut observed, attach);
        let plan = applied.cloud.plan_for(&given, &desired, &observed);
        let changes = lines(&plan);
        assert!(changes.contains(&"detach from alice Bound".to_owned()), "{}", story(&plan));
        assert!(changes.contains(&"suspend user alice".to_owned()), "{}", story(&plan));

        applied.cloud.run(&applied.model.given(), Options::default()).await;
        applied.model.days_pass(400);
        let (given, desired, mut observed) = applied.read().await;
        change(&mut observed, attach);
        let plan = applied.cloud.plan_for(&given, &desired, &observed);
        assert_eq!(lines(&plan), ["detach from alice Bound", "delete user alice"]);
        assert_eq!(plan.changes[1].needs, [plan.changes[0].id]);
    });
}
