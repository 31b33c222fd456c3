//! A group with more roles than one document holds.

use std::fmt::Write as _;

use super::site::{AwsSite, HUB};

const ROLES: usize = 80;

fn inventory(roles: usize) -> String {
    let mut text = "\
organisations:
  spi:
    accounts:
      spi-hub: {vendor: aws, id: \"111111111111\", hub: true}
      debian-builds: {vendor: aws, id: \"333333333333\"}
directories:
  debian: {ldap: {url: \"URL\", start_tls: false}, schema: userdir, base: \"dc=example,dc=org\"}
grants:
"
    .to_owned();
    for role in 0..roles {
        let _ = writeln!(
            text,
            "  - {{group: build, role: operator-with-a-long-name-{role:02}, accounts: [debian-builds], reason: r}}"
        );
    }
    text
}

fn policies() -> String {
    let mut text = "\
privileged_needs_key: false
limits: {default: {access: {floor: 99}, roles: {floor: 200}, bindings: {floor: 200}, attachments: {floor: 9}}}
roles:
"
    .to_owned();
    for role in 0..ROLES {
        let _ = writeln!(
            text,
            "  operator-with-a-long-name-{role:02}: {{description: Number {role}, means: {{aws: {{}}}}}}"
        );
    }
    text
}

#[test]
fn roles_that_do_not_fit_into_one_document_go_into_another_which_goes_when_it_is_empty() {
    let site = AwsSite::with(&inventory(ROLES), &policies());
    site.converge();
    let hub = site.account(HUB);
    let inline = [("GroupName", "build"), ("PolicyName", "reconcile-assume-1")];
    let document = hub.iam("GetGroupPolicy", &inline).text("PolicyDocument");
    assert!(document.contains("operator-with-a-long-name-"));
    let attached = || hub.iam("ListAttachedGroupPolicies", &[("GroupName", "build")]);
    let arns = attached().all("PolicyArn");
    assert_eq!(arns.len(), 1, "one document more: {arns:?}");
    assert!(arns[0].contains("policy/reconcile/spi/reconcile-assume-2-"), "{arns:?}");

    let few = inventory(1).replace("URL", &site.slapd.url());
    site.write("inventory/all.yaml", &few);
    site.converge();
    assert_eq!(attached().all("PolicyArn"), [""; 0]);
    assert_eq!(hub.iam("ListPolicies", &[("Scope", "Local")]).all("Arn"), [""; 0]);
}
