//! What `reconcile permissions aws` prints is enough, proven with the server's authorisation
//! switched on; and no more than a run calls.

use serde_json::Value;

use super::site::{AwsSite, HUB};
use crate::peers::moto::allow;

const INVENTORY: &str = r#"
organisations:
  spi:
    accounts:
      spi-hub: {vendor: aws, id: "111111111111", hub: true}
directories:
  debian: {ldap: {url: "URL", start_tls: false}, schema: userdir, base: "dc=example,dc=org"}
grants:
  - {group: admin, role: operator, accounts: [spi-hub], reason: They run it}
  - {group: build, role: operator, accounts: [spi-hub], reason: They build}
"#;

const POLICIES: &str = r#"
roles:
  operator:
    description: Operator  # without a space: moto checks signatures as if it were sent as `+`
    means:
      aws:
        managed_policies: [ReadOnlyAccess]
        inline_policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'
privileged_needs_key: false
limits: {default: {access: {floor: 99}, users: {floor: 3}, memberships: {floor: 9}, attachments: {floor: 9}}}
"#;

/// The document for the hub as moto can check it: it knows no resources of users and groups, so
/// actions are what is proven here.
fn document(site: &AwsSite, purpose: &str) -> Value {
    let arguments = ["permissions", "aws", "--account", "spi-hub", "--for", purpose];
    let printed = site.run(&arguments).ends_with(0);
    let mut document: Value = serde_json::from_str(&printed.out).expect("JSON");
    for statement in document["Statement"].as_array_mut().expect("statements") {
        let resources = statement["Resource"].as_array().expect("resources").clone();
        assert!(!resources.is_empty(), "{statement}");
        statement["Resource"] = Value::from("*");
    }
    document
}

#[test]
fn rights_to_read_are_enough_for_a_dry_run_and_rights_to_apply_for_a_run() {
    let site = AwsSite::with(INVENTORY, POLICIES);
    let (read, apply) = (document(&site, "read"), document(&site, "apply"));
    let hub = site.account(HUB);
    let with = |document: &Value| {
        site.moto.authorise(false);
        hub.inline("User", "runner", "reconcile", document);
        site.moto.authorise(true);
    };
    with(&allow("s3:*"));
    site.run(&["--dry-run"]).ends_with(4);
    with(&read);
    let dry = site.run(&["--dry-run"]).ends_with(0);
    assert!(!dry.changes().is_empty());
    let run = site.run(&[]).ends_with(5);
    assert!(run.out.contains("AccessDenied"), "{}", run.out);
    with(&apply);
    site.run(&[]).ends_with(0);

    // Everything a leaver has, drift, a renaming: the rest of what a run may call.
    site.moto.authorise(false);
    hub.everything("diego");
    hub.inline("Role", "operator", "extra", &allow("s3:*"));
    hub.iam("UpdateRole", &[("RoleName", "operator"), ("MaxSessionDuration", "7200")]);
    site.is_active("diego", false);
    site.renames("amara", "amara-new");
    with(&apply);
    site.run(&[]).ends_with(0);
    site.is_active("diego", true);
    site.run(&[]).ends_with(0);
    site.moto.authorise(false);
    let text = apply.to_string();
    for action in site.wire.counts().keys().filter(|action| *action != "GetCallerIdentity") {
        assert!(text.contains(&format!("iam:{action}\"")), "{action} is not in the document");
    }
    site.converge();
}
