//! Short words for steps.

use std::sync::Arc;

use reconcile::cloud::{Applied, CloudError, Connection};
use reconcile::model::{
    ChangeId, GroupSpec, ObservedAccount, Place, Private, RoleSpec, UserSpec, VendorId,
};
use reconcile::plan::{Change, Life, Output, Reference, Step, Target};

/// Carries out one step.
pub async fn apply(at: &Connection, step: &Step) -> Result<Applied, CloudError> {
    let references: Vec<VendorId> = step
        .references()
        .map(|reference| match reference {
            Reference::Known(id) => id.clone(),
            Reference::Made { .. } => panic!("tests know all ids"),
        })
        .collect();
    let change = Change::new(
        ChangeId(0),
        Arc::new(Place { organisation: "spi".into(), account: "hub".into() }),
        step.clone(),
        Vec::new(),
        Arc::new([]),
    );
    at.apply.apply(&change, &references).await
}

/// Carries out a step that makes something, and gives its id.
pub async fn make(at: &Connection, step: &Step) -> VendorId {
    let applied = apply(at, step).await.unwrap_or_else(|error| panic!("{error}"));
    applied.outputs[&Output::Id].clone()
}

pub fn user(name: &str) -> Step {
    Step::User(Life::Create {
        subject: format!("person:debian:{name}").parse().unwrap(),
        spec: Box::new(UserSpec {
            name: name.into(),
            display_name: Some(Private::new(format!("{name} Example"))),
            email: Some(Private::new(format!("{name}@example.org"))),
            access: reconcile::model::Access::Enabled,
        }),
    })
}

pub fn group(name: &str) -> Step {
    Step::Group(Life::Create {
        subject: format!("group:debian:{name}").parse().unwrap(),
        spec: GroupSpec { name: name.into() },
    })
}

pub fn role(spec: &RoleSpec) -> Step {
    Step::Role(Life::Create {
        subject: format!("role:{}", spec.name).parse().unwrap(),
        spec: Box::new(spec.clone()),
    })
}

pub fn target(id: &VendorId) -> Target {
    Target { id: Reference::Known(id.clone()), name: "test".into() }
}

pub fn join(group: &VendorId, user: &VendorId) -> Step {
    let subject = "person:people:1".parse().unwrap();
    Step::AddMember { group: target(group), user: target(user), subject }
}

pub fn leave(group: &VendorId, user: &VendorId) -> Step {
    Step::RemoveMember { group: target(group), user: target(user), subject: None }
}

pub fn bind(role: &VendorId, group: &VendorId) -> Step {
    Step::BindRole { role: target(role), group: target(group) }
}

pub fn unbind(role: &VendorId, group: &VendorId) -> Step {
    Step::UnbindRole { role: target(role), group: target(group), by_hand: None }
}

/// Everything, which must be a complete reading.
pub async fn all(at: &Connection) -> ObservedAccount {
    let reading = at.observe.observe().await;
    assert!(reading.is_complete(), "{:?}", reading.missing());
    reading.into_parts().0
}
