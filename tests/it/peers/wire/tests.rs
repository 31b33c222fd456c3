//! What other tests rely on.

use std::time::Duration;

use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::config::timeout::TimeoutConfig;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};

use super::super::moto::{Moto, trust};
use super::{Call, Fault, Place, Wire};

const HUB: &str = "111111111111";
const TARGET: &str = "222222222222";

/// The SDK as the program uses it: no retries, a short time limit.
fn client(wire: &Wire, key: &str, token: Option<&str>) -> aws_sdk_iam::Client {
    let limit = TimeoutConfig::builder().operation_timeout(Duration::from_millis(500)).build();
    let configuration = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(wire.url())
        .credentials_provider(Credentials::new(key, "x", token.map(Into::into), None, "test"))
        .retry_config(RetryConfig::disabled())
        .timeout_config(limit)
        .build();
    aws_sdk_iam::Client::from_conf(configuration)
}

/// Each fault at a write: the client fails (except where an empty 200 looks like success), and the
/// write has happened exactly where the fault says so.
#[tokio::test]
async fn faults_are_what_they_say() {
    let moto = Moto::start();
    let hub = moto.account(HUB);
    hub.user("runner", "/", &[]);
    let (key, _) = hub.access_key("runner");
    let wire = Wire::start(moto.address());
    wire.know(&key, HUB);
    let client = client(&wire, &key, None);
    for (number, fault) in Fault::all().into_iter().enumerate() {
        let name = format!("group-{number}");
        wire.clear();
        wire.inject(Place::action("CreateGroup", 1), fault.clone());
        client.list_users().send().await.expect("no fault for this one");
        let result = client.create_group().group_name(&name).send().await;
        let there = hub.try_iam("GetGroup", &[("GroupName", &name)]).is_ok();
        assert_eq!(there, fault.reaches_the_server(), "{fault:?}");
        assert_eq!(wire.faults_met(), 1, "{fault:?}");
        // The SDK stops reading XML where it ends, and takes what is missing for not given.
        let looks_well = matches!(fault, Fault::EmptyResult | Fault::CutHonestly);
        assert_eq!(result.is_ok(), looks_well, "{fault:?}: {result:?}");
        let met = |call: &Call| call.fault.as_ref() == Some(&fault);
        assert!(wire.wait_until(|calls| calls.iter().any(met)), "{fault:?}");
        // The next call is well again, on a connection that may be an old one.
        client.list_groups().send().await.expect("the fault is over");
    }
}

/// A surprise worth a test: the SDK is content with half a list, and with none. Whoever proves
/// absence must look at the reply itself.
#[tokio::test]
async fn the_sdk_takes_cut_lists_for_whole() {
    let moto = Moto::start();
    let hub = moto.account(HUB);
    for name in ["ann", "bob", "cid", "dan"] {
        hub.user(name, "/", &[]);
    }
    let (key, _) = hub.access_key("ann");
    let wire = Wire::start(moto.address());
    let client = client(&wire, &key, None);
    for (fault, looks_well) in [
        (Fault::CutHonestly, true),
        (Fault::EmptyResult, true),
        (Fault::EmptyBody, false),
        (Fault::CutShort, false),
    ] {
        wire.clear();
        wire.inject(Place::call(1), fault.clone());
        let listed = client.list_users().send().await;
        assert_eq!(listed.is_ok(), looks_well, "{fault:?}: {listed:?}");
        if let Ok(listed) = listed {
            assert!(listed.users().len() < 4 && !listed.is_truncated(), "{fault:?}: {listed:?}");
        }
    }
}

#[tokio::test]
async fn calls_are_written_down() {
    let moto = Moto::start();
    let (hub, target) = (moto.account(HUB), moto.account(TARGET));
    hub.user("runner", "/", &[]);
    let (key, _) = hub.access_key("runner");
    let arn = target.role("writer", "/", &trust("*"), &[]);
    let wire = Wire::start(moto.address());
    wire.know(&key, HUB);

    let sts = aws_sdk_sts::Client::from_conf(
        aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(wire.url())
            .credentials_provider(Credentials::new(&key, "x", None, None, "test"))
            .build(),
    );
    let assumed = sts.assume_role().role_arn(arn).role_session_name("run").send().await;
    let assumed = assumed.expect("anybody may").credentials.expect("credentials");
    let client = client(&wire, assumed.access_key_id(), Some(assumed.session_token()));
    wire.inject(Place::write(2).in_account(TARGET).and_later(), Fault::Throttle);
    client.list_users().send().await.expect("a read");
    client.create_group().group_name("one").send().await.expect("the first write");
    for name in ["two", "three"] {
        let refused = client.create_group().group_name(name).send().await.unwrap_err();
        assert_eq!(refused.into_service_error().meta().code(), Some("Throttling"));
    }

    let calls = wire.calls();
    let told: Vec<_> =
        calls.iter().map(|call| (&*call.service, &*call.account, &*call.action)).collect();
    assert_eq!(told[..2], [("sts", HUB, "AssumeRole"), ("iam", TARGET, "ListUsers")]);
    assert_eq!(wire.counts()["CreateGroup"], 3);
    let writes = wire.writes();
    let statuses: Vec<_> = writes.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(200), Some(400), Some(400)]);
    assert!(writes[0].request.contains("GroupName=one") && writes[0].length > 100);
    assert_eq!(target.iam("ListGroups", &[]).members("Groups").len(), 1);
    assert_eq!(wire.address().ip().to_string(), "127.0.0.1");
}
