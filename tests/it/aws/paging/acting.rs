//! What is on the second page goes with what is on the first.

use jiff::civil::date;

use super::super::world::{AFTER, BEFORE, BUILDS, HUB, INVENTORY, TODAY, World};
use crate::peers::moto::allow;

/// What a user may have two of: the list of it and where it is on the list.
const TWO_OF: [(&str, &str); 7] = [
    ("ListAccessKeys", "AccessKeyMetadata"),
    ("ListMFADevices", "MFADevices"),
    ("ListSSHPublicKeys", "SSHPublicKeys"),
    ("ListSigningCertificates", "Certificates"),
    ("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
    ("ListAttachedUserPolicies", "AttachedPolicies"),
    ("ListGroupsForUser", "Groups"),
];

#[tokio::test]
async fn who_leaves_loses_both_of_whatever_they_have_two() {
    let world = World::on_pages_of_one();
    world.moto.reset();
    world.people(BEFORE);
    world.run().await;
    let hub = world.moto.account(HUB);
    hub.everything("diego");
    hub.ssh_key("diego");
    hub.signing_certificate("diego");
    hub.service_credential("diego");
    let second = hub.policy("second", "/", &allow("s3:*"));
    hub.attach("User", "diego", &second);
    hub.group("clique", "/");
    hub.member("diego", "clique");
    let user = [("UserName", "diego")];
    let left = |(list, element): (&str, &str)| hub.iam(list, &user).members(element).len();
    assert_eq!(TWO_OF.map(left), [2; 7], "{TWO_OF:?}");

    world.people(AFTER);
    assert_eq!(world.run_on(TODAY, || {}).await.failures(), [""; 0]);
    assert_eq!(TWO_OF.map(left), [0; 7], "{TWO_OF:?}");
    assert_eq!(world.run().await.changes, []);
    let later = date(2027, 1, 20);
    assert_eq!(world.run_on(later, || {}).await.failures(), [""; 0]);
    assert_eq!(hub.try_iam("GetUser", &user).unwrap_err().code, "NoSuchEntity");
}

#[tokio::test]
async fn a_role_that_goes_loses_both_its_policies() {
    let world = World::on_pages_of_one();
    world.moto.reset();
    world.people(BEFORE);
    world.run().await;
    let builds = world.moto.account(BUILDS);
    let arns = ["first", "second"].map(|name| builds.policy(name, "/", &allow("s3:*")));
    for arn in &arns {
        builds.attach("Role", "operator", arn);
    }
    world.inventory(&INVENTORY.replace("role: operator", "role: watcher"));
    assert_eq!(world.run_on(TODAY, || {}).await.failures(), [""; 0]);
    let gone = builds.try_iam("GetRole", &[("RoleName", "operator")]);
    assert_eq!(gone.unwrap_err().code, "NoSuchEntity");
    for arn in &arns {
        let attached = builds.iam("ListEntitiesForPolicy", &[("PolicyArn", arn)]);
        assert_eq!(attached.all("RoleName"), [""; 0]);
    }
    assert_eq!(world.run().await.changes, []);
}
