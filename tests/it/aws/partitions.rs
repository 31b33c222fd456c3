//! Into which account the program goes, as what, and in which partition.

use super::site::{AwsSite, BUILDS, HUB, MIRRORS, changes};

const POLICIES: &str = r#"
roles:
  administrator: {description: May do everything, means: {aws: {inline_policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'}}}
  operator: {description: Runs instances, means: {aws: {inline_policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'}}}
privileged_needs_key: false
limits: {default: {access: {floor: 99}, users: {floor: 9}, memberships: {floor: 9}}}
"#;

/// A parameter of every call that signs in to another account, in order of the accounts.
fn signed_in_with(site: &AwsSite, parameter: &str) -> Vec<(String, String)> {
    let calls = site.wire.calls();
    let mut all: Vec<(String, String)> = calls
        .iter()
        .filter(|call| call.action == "AssumeRole")
        .map(|call| {
            let value = |name: &str| {
                let mut pairs = form_urlencoded::parse(call.request.as_bytes());
                pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
            };
            (value("RoleArn").unwrap_or_default(), value(parameter).unwrap_or_default())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn each_account_is_entered_as_its_settings_say_and_named_after_the_run() {
    let site = AwsSite::applied();
    site.edit("external_id: spi-and-aws", "external_id: spi-and-aws, assume_role: ops/keeper");
    site.run(&["--dry-run"]).ends_with(0);
    let mirrors = format!("arn:aws:iam::{MIRRORS}:role/ops/keeper");
    let builds = format!("arn:aws:iam::{BUILDS}:role/reconcile");
    let expected = [(mirrors, "spi-and-aws".to_owned()), (builds, String::new())];
    assert_eq!(signed_in_with(&site, "ExternalId"), expected);
    let sessions = |site: &AwsSite| -> Vec<String> {
        signed_in_with(site, "RoleSessionName").into_iter().map(|(_, name)| name).collect()
    };
    let first = sessions(&site);
    assert!(first[0].len() > "reconcile-".len() && first[0].starts_with("reconcile-"), "{first:?}");
    assert_eq!(first[0], first[1], "one run, one name");
    site.wire.clear();
    site.run(&["--dry-run"]).ends_with(0);
    assert_ne!(sessions(&site)[0], first[0], "another run, another name");
}

#[test]
fn other_partitions_are_like_the_first_with_names_of_their_own() {
    for (partition, region) in [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")] {
        let inventory = super::site::INVENTORY
            .replace("{vendor: aws, ", &format!("{{vendor: aws, partition: {partition}, "));
        let site = AwsSite::with(&inventory, POLICIES);
        let dry = site.run(&["--dry-run"]).ends_with(0);
        let run = site.converge();
        assert_eq!(changes(&dry), changes(&run), "{partition}");
        for (arn, _) in signed_in_with(&site, "RoleSessionName") {
            assert!(arn.starts_with(&format!("arn:{partition}:iam::")), "{arn}");
        }
        let there = |id: &str| site.account(id).in_region(region).dump();
        let text = there(HUB).of("user /reconcile/spi/amara").to_owned();
        assert!(
            text.contains(&format!("arn:{partition}:iam::{HUB}:user/reconcile/spi/")),
            "{text}"
        );
        let role = there(BUILDS).of("role /reconcile/spi/operator").to_owned();
        assert!(role.contains(&format!("arn:{partition}:iam::{HUB}:root")), "{role}");
        assert!(!site.account(BUILDS).dump().text().contains("reconcile"), "only in {partition}");
        let document = [("GroupName", "build"), ("PolicyName", "reconcile-assume-1")];
        let document = site.account(HUB).in_region(region).iam("GetGroupPolicy", &document);
        let document = document.text("PolicyDocument");
        assert!(document.contains(partition), "{document}");
    }
}
