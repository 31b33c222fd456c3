//! What moto knows of Identity Center, as a second opinion on the peer of our own: moto has no
//! `UpdateUser`, `UpdateGroup`, tags or boundaries.

use reconcile::cloud::Vendor;
use reconcile::model::{Access, Membership, ObjectKey, Site};
use reconcile::plan::{Life, Step};

use super::fixture::{account, patience, vendor};
use super::steps::{all, apply, group, join, leave, make, user};
use crate::peers::moto::Moto;

#[tokio::test]
async fn users_groups_and_memberships_are_as_made() {
    let moto = Moto::start();
    // The account of whoever signs with no key moto knows.
    let hub = account("hub", "123456789012");
    let vendor = vendor(&format!("http://{}", moto.address()), patience());
    let at = vendor.connect(&Site::alone(&hub)).await.unwrap();
    let crew = make(&at, &group("crew")).await;
    let (anna, berta) = (make(&at, &user("anna")).await, make(&at, &user("berta")).await);
    apply(&at, &join(&crew, &anna)).await.unwrap();
    apply(&at, &join(&crew, &berta)).await.unwrap();
    apply(&at, &leave(&crew, &berta)).await.unwrap();
    let seen = all(&at).await;
    assert_eq!(seen.memberships, [Membership { group: crew.clone(), user: anna.clone() }]);
    assert!(seen.groups[0].ownership.subject().is_some());
    let found = seen.users.iter().find(|user| user.id == anna).unwrap();
    assert_eq!(found.ownership.subject(), Some(&"person:debian:anna".parse().unwrap()));
    assert_eq!(found.spec.name.as_str(), "anna");
    assert_eq!(found.spec.display_name.as_ref().unwrap().reveal(), "anna Example");
    assert_eq!(found.spec.email.as_ref().unwrap().reveal(), "anna@example.org");
    assert_eq!(found.spec.access, Access::Enabled);
    let named = at.apply.look(&ObjectKey::UserNamed("berta".into())).await.unwrap();
    assert!(named.is_some());
    let berta_was = seen.users.iter().find(|user| user.id == berta).unwrap();
    let step = Step::User(Life::Delete {
        id: berta.clone(),
        subject: "person:debian:berta".parse().unwrap(),
        before: Box::new(berta_was.spec.clone()),
    });
    apply(&at, &step).await.unwrap();
    assert_eq!(at.apply.look(&ObjectKey::User(berta)).await.unwrap(), None);
}
