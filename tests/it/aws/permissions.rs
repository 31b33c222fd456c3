//! What `reconcile permissions aws` prints is enough, proven with the server's authorisation
//! switched on; and no more than a run calls.

use std::fmt::Write as _;

use serde_json::Value;

use super::site::{AwsSite, HUB, LATER};
use crate::cli::site::ran;
use crate::peers::moto::{Account, allow, trust};

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

/// What is printed for one account: a document, or a list of them.
fn printed(site: &AwsSite, arguments: &[&str]) -> Vec<Value> {
    let printed = site.run(&[&["permissions", "aws"], arguments].concat()).ends_with(0);
    match serde_json::from_str(&printed.out).expect("JSON") {
        Value::Array(all) => all,
        one => vec![one],
    }
}

/// What a role or user is allowed, as moto can check it.
fn everywhere(documents: &[Value]) -> Vec<Value> {
    let mut documents = documents.to_vec();
    for statement in
        documents.iter_mut().filter_map(|one| one["Statement"].as_array_mut()).flatten()
    {
        statement["Resource"] = Value::from("*");
    }
    documents
}

#[test]
fn documents_for_two_hundred_accounts_fit_into_managed_policies() {
    let site = AwsSite::with(INVENTORY, POLICIES);
    let mut accounts = String::new();
    for number in 0..200 {
        let _ = writeln!(accounts, "      a{number}: {{vendor: aws, id: \"5{number:011}\"}}");
    }
    site.edit("hub: true}\n", &format!("hub: true}}\n{accounts}"));
    for arguments in [
        &["--account", "spi-hub"][..],
        &["--account", "spi-hub", "--for", "adopt"],
        &["--account", "999999999999", "--program-in", "999999999999"],
    ] {
        let documents = printed(&site, arguments);
        // At most ten can be attached to a user or a role.
        assert!((2..=10).contains(&documents.len()), "{}", documents.len());
        for document in &documents {
            let text = document.to_string();
            let length = text.chars().filter(|one| !one.is_whitespace()).count();
            assert!(length <= 6_144, "{arguments:?}: {length} characters");
        }
        // Each account is in them exactly once, by its role alone.
        let text = serde_json::to_string(&documents).expect("JSON");
        for number in 0..200 {
            let role = format!("\"arn:aws:iam::5{number:011}:role/reconcile\"");
            assert_eq!(text.matches(&role).count(), 1, "{arguments:?}: {role}");
        }
        assert!(!text.contains("arn:aws:iam::*"), "{text}");
        let is_entered = text.contains("arn:aws:iam::111111111111:role/reconcile\"");
        assert_eq!(is_entered, arguments.contains(&"--program-in"), "the hub itself");
    }
    let hub = printed(&site, &["--account", "spi-hub", "--program-in", "999999999999"]);
    assert!(!serde_json::to_string(&hub).expect("JSON").contains("sts:AssumeRole"), "{hub:?}");
    let refused = site.run(&["permissions", "aws", "--program-in", "hub"]).ends_with(2);
    assert!(refused.err.contains("`hub` is no account"), "{}", refused.err);
}

#[test]
fn a_program_in_an_account_of_its_own_enters_the_hub_and_needs_no_more() {
    let site = AwsSite::with(INVENTORY, POLICIES);
    let (hub, own) = (site.account(HUB), site.account(LATER));
    own.user("elsewhere", "/", &[]);
    let (id, secret) = own.access_key("elsewhere");
    site.wire.know(&id, LATER);
    hub.role("reconcile", "/", &trust(&format!("arn:aws:iam::{LATER}:user/elsewhere")), &[]);
    let documents = |account: &str, purpose: &str| {
        let run = ["--account", account, "--program-in", LATER, "--for", purpose];
        everywhere(&printed(&site, &run))
    };
    let run = |arguments: &[&str]| {
        let mut command = site.command(arguments);
        ran(command.env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret))
    };
    let [entering] = &documents(LATER, "apply")[..] else { panic!("one document") };
    assert!(!entering.to_string().contains("iam:"), "{entering}");
    let put = |kind, name, account: &Account, document: &Value| {
        site.moto.authorise(false);
        account.inline(kind, name, "reconcile", document);
        site.moto.authorise(true);
    };
    // Without leave to enter the hub, nothing is read of it.
    put("User", "elsewhere", &own, &allow("s3:*"));
    let [reading] = &documents("spi-hub", "read")[..] else { panic!("one document") };
    put("Role", "reconcile", &hub, reading);
    run(&["--dry-run"]).ends_with(4);
    put("User", "elsewhere", &own, entering);
    assert!(!run(&["--dry-run"]).ends_with(0).changes().is_empty());
    run(&[]).ends_with(5);
    let [applying] = &documents("spi-hub", "apply")[..] else { panic!("one document") };
    put("Role", "reconcile", &hub, applying);
    run(&[]).ends_with(0);
    assert_eq!(run(&[]).ends_with(0).changes(), [""; 0]);
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
