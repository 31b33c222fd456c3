//! What other tests rely on.

use std::net::TcpStream;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use serde_json::json;

use super::{DEFAULT_ACCOUNT, Moto, allow, trust};

const HUB: &str = "111111111111";
const TARGET: &str = "222222222222";

#[test]
fn accounts_are_apart_and_a_dump_notices_every_change() {
    let mut moto = Moto::start();
    let (hub, target) = (moto.account(HUB), moto.account(TARGET));
    hub.user("ann", "/people/", &[("team", "one")]);
    hub.group("adm", "/people/");
    hub.member("ann", "adm");
    hub.inline("Group", "adm", "assume", &allow("sts:AssumeRole"));
    hub.everything("ann");
    let role = target.role("operator", "/", &trust("*"), &[("team", "one")]);
    assert_eq!(role, format!("arn:aws:iam::{TARGET}:role/operator"));

    let before = hub.dump();
    assert_eq!(
        before.names(),
        [
            "group /people/adm",
            "policy /for-ann",
            "user /people/ann",
            &format!("virtual MFA device arn:aws:iam::{HUB}:mfa/ann"),
        ]
    );
    for said in [
        "Value: one",
        "GroupName: adm",
        "AccessKeyId: ",
        "LoginProfile:",
        "SerialNumber: GAHT12345678",
        "SSHPublicKeyId: ",
        "CertificateId: ",
        "ServiceSpecificCredentialId: ACCA",
        "PermissionsBoundaryArn: ",
        "PolicyName: by-hand",
        "PolicyName: for-ann",
    ] {
        assert!(before.of("user /people/ann").contains(said), "no {said}: {}", before.text());
    }
    before.assert_same(&hub.dump());
    hub.iam("RemoveUserFromGroup", &[("UserName", "ann"), ("GroupName", "adm")]);
    let after = hub.dump();
    assert_ne!(before, after);
    let others = |name: &str| name.starts_with("policy");
    before.only(others).assert_same(&after.only(others));

    moto.reset();
    assert_eq!(target.dump().names(), [""; 0]);
    let address = moto.address();
    moto.kill();
    assert!(TcpStream::connect(address).is_err(), "{}", moto.log());
}

#[test]
fn credentials_lead_to_their_account() {
    let moto = Moto::start();
    let (hub, target) = (moto.account(HUB), moto.account(TARGET));
    hub.user("runner", "/", &[]);
    let (id, _) = hub.access_key("runner");
    assert_eq!(hub.sts("GetAccessKeyInfo", &[("AccessKeyId", &id)]).text("Account"), HUB);
    let arn = target.role("writer", "/", &trust("*"), &[]);
    let parameters = [("RoleArn", arn.as_str()), ("RoleSessionName", "run")];
    let user = hub.sts("AssumeRole", &parameters).text("Arn");
    assert_eq!(user, format!("arn:aws:sts::{TARGET}:assumed-role/writer/run"));

    let china = hub.in_region("cn-north-1");
    assert_eq!(china.user("ann", "/", &[]), format!("arn:aws-cn:iam::{HUB}:user/ann"));
    assert_eq!(hub.try_iam("GetUser", &[("UserName", "ann")]).unwrap_err().code, "NoSuchEntity");
    assert_eq!(moto.account(DEFAULT_ACCOUNT).dump().text(), "");
}

/// What `moto_and_more.py` puts right.
#[test]
fn what_moto_lacks_is_there() {
    let moto = Moto::start();
    let hub = moto.account(HUB);
    hub.user("ann", "/people/", &[("team", "one")]);
    hub.user("bob", "/", &[]);
    hub.group("adm", "/people/");
    hub.member("ann", "adm");
    let rename = |new: &str| {
        hub.try_iam("UpdateUser", &[("UserName", "ann"), ("NewUserName", new), ("NewPath", "/")])
    };
    assert_eq!(rename("bob").unwrap_err().code, "EntityAlreadyExists");
    rename("eve").expect("a free name");
    hub.iam("UpdateGroup", &[("GroupName", "adm"), ("NewPath", "/moved/")]);
    let dump = hub.dump();
    assert_eq!(dump.names(), ["group /moved/adm", "user /bob", "user /eve"]);
    let eve = dump.of("user /eve");
    assert!(eve.contains("Value: one") && eve.contains("GroupName: adm"), "{eve}");
    let refused = [("DeleteUser", "UserName", "eve"), ("DeleteGroup", "GroupName", "adm")]
        .map(|(action, key, name)| hub.try_iam(action, &[(key, name)]).unwrap_err().code);
    assert_eq!(refused, ["DeleteConflict", "DeleteConflict"]);
    hub.iam("RemoveUserFromGroup", &[("UserName", "eve"), ("GroupName", "adm")]);
    let id = hub.service_credential("eve");
    let parameters = [("UserName", "eve"), ("ServiceSpecificCredentialId", id.as_str())];
    assert_eq!(
        hub.try_iam("DeleteUser", &[("UserName", "eve")]).unwrap_err().code,
        "DeleteConflict"
    );
    hub.iam("DeleteServiceSpecificCredential", &parameters);
    hub.iam("DeleteUser", &[("UserName", "eve")]);
    hub.iam("DeleteGroup", &[("GroupName", "adm")]);
    assert_eq!(hub.dump().names(), ["user /bob"]);
}

#[test]
fn services_that_speak_json_answer() {
    let moto = Moto::start();
    let hub = moto.account(HUB);
    assert!(hub.id() == HUB && moto.url().starts_with("http://127.0.0.1:"));
    let instances = hub.json("SWBExternalService.ListInstances", &json!({}));
    let store = &instances["Instances"][0]["IdentityStoreId"];
    let body = json!({"IdentityStoreId": store, "DisplayName": "adm"});
    let group = hub.json("AWSIdentityStore.CreateGroup", &body);
    assert!(group["GroupId"].is_string(), "{group}");
    let refused = hub.try_json("AWSIdentityStore.CreateGroup", &body).unwrap_err();
    assert_eq!((refused.status, &*refused.code), (400, "ConflictException"));
    hub.json("AWSOrganizationsV20161128.CreateOrganization", &json!({"FeatureSet": "ALL"}));
}

#[tokio::test]
async fn authorisation_checks_signatures_and_policies() {
    let moto = Moto::start_with_managed_policies();
    let hub = moto.account(HUB);
    hub.user("reader", "/", &[]);
    hub.attach("User", "reader", "arn:aws:iam::aws:policy/IAMReadOnlyAccess");
    let (id, secret) = hub.access_key("reader");
    moto.authorise(true);
    assert_eq!(hub.try_iam("ListUsers", &[]).unwrap_err().code, "InvalidClientTokenId");

    let client = |secret: &str| {
        let configuration = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(moto.url())
            .credentials_provider(Credentials::new(&id, secret, None, None, "test"))
            .build();
        aws_sdk_iam::Client::from_conf(configuration)
    };
    assert_eq!(client(&secret).list_users().send().await.expect("allowed").users().len(), 1);
    for (secret, code) in [(&*secret, "AccessDenied"), ("another", "SignatureDoesNotMatch")] {
        let refused = client(secret).create_group().group_name("x").send().await.unwrap_err();
        assert_eq!(refused.into_service_error().meta().code(), Some(code));
    }
    let refused = hub.try_json("SWBExternalService.ListInstances", &json!({})).unwrap_err();
    assert_eq!(refused.code, "UnrecognizedClientException");

    moto.authorise(false);
    assert_eq!(hub.iam("ListUsers", &[]).members("Users").len(), 1);
}
