//! Jobs of forges (OIDC): a provider for each issuer and a role for each service account, without
//! any key.

use super::site::{AwsSite, BUILDS, HUB, has};

const POLICIES: &str = r"
roles:
  publisher:
    description: Uploads packages
    means:
      aws: {managed_policies: [AmazonS3FullAccess], session_hours: 2}
  administrator: {description: May do everything, means: {aws: {managed_policies: [AdministratorAccess]}}}
privileged_needs_key: false
limits: {default: {access: {floor: 99}, roles: {floor: 9}, attachments: {floor: 9}}}
";

const INVENTORY: &str = r#"
organisations:
  spi:
    accounts:
      spi-hub: {vendor: aws, id: "111111111111", hub: true}
      debian-builds: {vendor: aws, id: "333333333333"}
directories:
  debian:
    ldap: {url: "URL", start_tls: false}
    schema: userdir
    base: dc=example,dc=org
grants:
  - {group: admin, role: administrator, accounts: [spi-hub], reason: They run it}
"#;

const SERVICES: &str = r#"
service_accounts:
  salsa:
    owners: admin
    role: publisher
    accounts: [debian-builds]
    reason: Builds are uploaded
    forge: {kind: gitlab, issuer: "https://salsa.example.org", project: team/site, branch: main, protected: true, networks: [192.0.2.0/24]}
  actions:
    owners: admin
    role: publisher
    accounts: [debian-builds]
    reason: Releases are uploaded
    forge: {kind: github, project: spi@12/site@34, tag: "v*", session_hours: 1}
"#;

const SALSA: &str = "oidc-provider/salsa.example.org";
const GITHUB: &str = "oidc-provider/token.actions.githubusercontent.com";

fn site() -> AwsSite {
    let site = AwsSite::with(INVENTORY, POLICIES);
    site.write("inventory/services.yaml", SERVICES);
    site
}

fn edit(site: &AwsSite, from: &str, to: &str) {
    let text = site.read("inventory/services.yaml");
    assert!(text.contains(from), "{from} is not there");
    site.write("inventory/services.yaml", &text.replace(from, to));
}

/// What AWS is told of who may take on a role.
fn trust(site: &AwsSite, role: &str) -> serde_json::Value {
    let reply = site.account(BUILDS).iam("GetRole", &[("RoleName", role)]);
    let text = reply.text("AssumeRolePolicyDocument");
    let text: String = form_urlencoded::parse(format!("d={}", text.replace('+', "%2B")).as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect();
    serde_json::from_str(&text).expect("a document")
}

fn providers(site: &AwsSite) -> Vec<String> {
    let mut arns = site.account(BUILDS).iam("ListOpenIDConnectProviders", &[]).all("Arn");
    arns.sort();
    arns
}

fn arn(provider: &str) -> String {
    format!("arn:aws:iam::{BUILDS}:{provider}")
}

#[test]
fn jobs_get_roles_without_keys_and_lose_them() {
    let site = site();
    let dry = site.run(&["--dry-run"]).ends_with(0);
    assert!(site.wire.writes().is_empty(), "a dry run writes nothing");
    let run = site.converge();
    assert_eq!(dry.changes(), run.changes(), "a dry run is exactly what happens");
    assert_eq!(providers(&site), [arn(SALSA), arn(GITHUB)]);
    assert_eq!(
        trust(&site, "salsa-publisher")["Statement"],
        serde_json::json!([{
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": arn(SALSA)},
            "Condition": {
                "StringEquals": {"salsa.example.org:aud": "https://salsa.example.org"},
                "StringLike": {"salsa.example.org:sub":
                    "project_path:team/site:ref_type:branch:ref:main:ref_protected:true"},
                "IpAddress": {"aws:SourceIp": "192.0.2.0/24"},
            },
        }])
    );
    let actions = trust(&site, "actions-publisher").to_string();
    assert!(actions.contains("repo:spi@12/site@34:ref:refs/tags/v*"), "{actions}");
    assert!(actions.contains("\"sts.amazonaws.com\""), "{actions}");
    assert!(!actions.contains("SourceIp"), "{actions}");
    let role = |name: &str| {
        site.account(BUILDS).iam("GetRole", &[("RoleName", name)]).text("MaxSessionDuration")
    };
    assert_eq!(
        (role("salsa-publisher"), role("actions-publisher")),
        ("7200".into(), "3600".into())
    );
    let hub = site.account(HUB).dump();
    assert!(!hub.text().contains("salsa") && !hub.text().contains("actions"), "no user, no key");

    // Another branch: the one role is changed, nothing is made anew.
    edit(&site, "branch: main", "branch: stable");
    let run = site.converge();
    assert_eq!(run.changes().len(), 1, "{}", run.out);
    assert!(has(&run, "- update role salsa-publisher"), "{}", run.out);
    assert!(trust(&site, "salsa-publisher").to_string().contains("ref:stable:ref_protected:true"));

    // Somebody adds an audience by hand, and takes ours away.
    let provider = arn(SALSA);
    let of = |audience| [("OpenIDConnectProviderArn", provider.as_str()), ("ClientID", audience)];
    let builds = site.account(BUILDS);
    builds.iam("AddClientIDToOpenIDConnectProvider", &of("https://evil.example"));
    builds.iam("RemoveClientIDFromOpenIDConnectProvider", &of("https://salsa.example.org"));
    let run = site.converge();
    assert!(has(&run, &format!("- update identity provider {SALSA}")), "{}", run.out);
    let reply = builds.iam("GetOpenIDConnectProvider", &of("")[..1]);
    assert!(!reply.lines("ClientIDList", &[]).contains("evil"));
    assert!(reply.lines("ClientIDList", &[]).contains("https://salsa.example.org"));

    // Over on its day; and one is taken out.
    edit(
        &site,
        "reason: Releases are uploaded",
        "reason: Releases are uploaded\n    until: 2026-01-01",
    );
    let run = site.converge();
    assert!(has(&run, "- delete role actions-publisher"), "{}", run.out);
    assert!(has(&run, &format!("- delete identity provider {GITHUB}")), "{}", run.out);
    assert_eq!(providers(&site), [arn(SALSA)]);
    site.write("inventory/services.yaml", "service_accounts: {}\n");
    site.converge();
    assert_eq!(providers(&site), [""; 0]);
    let left = site.account(BUILDS).iam("ListRoles", &[]).all("RoleName");
    assert!(!left.iter().any(|name| name.contains("publisher")), "{left:?}");
}

#[test]
fn an_issuer_somebody_else_registered_is_told_about_and_can_be_adopted() {
    let site = site();
    let builds = site.account(BUILDS);
    builds.iam(
        "CreateOpenIDConnectProvider",
        &[
            ("Url", "https://token.actions.githubusercontent.com"),
            ("ThumbprintList.member.1", "6938fd4d98bab03faadb97b34396831e3780aea1"),
            ("ClientIDList.member.1", "https://theirs.example"),
        ],
    );
    let before = builds.dump();
    let run = site.run(&[]).ends_with(11);
    assert!(run.text().contains("does not carry our mark"), "{}", run.text());
    let now = builds.dump().only(|name| before.names().contains(&name));
    before.assert_same(&now);
    assert_eq!(
        builds.iam("ListRoles", &[]).all("RoleName"),
        ["salsa-publisher"],
        "the other service account is not held up, and this one trusts nobody it cannot check"
    );

    // What others let in through it is shown before it is taken over.
    let shown = site.run(&["adopt", "debian-builds", "identity-provider", GITHUB]);
    assert!(shown.out.contains("theirs.example"), "{}", shown.text());
    site.run(&["adopt", "debian-builds", "identity-provider", GITHUB, "--yes"]).ends_with(0);
    let run = site.converge();
    assert!(has(&run, &format!("- update identity provider {GITHUB}")), "{}", run.out);
    assert!(has(&run, "+ create role actions-publisher"), "{}", run.out);
}

#[test]
fn environments_of_gitlab_are_refused_because_aws_cannot_tell_them_apart() {
    let site = site();
    edit(&site, "branch: main, protected: true", "environment: production");
    let run = site.run(&[]).ends_with(2);
    assert!(run.text().contains("cannot tell environments of GitLab apart"), "{}", run.text());
    assert!(site.wire.calls().is_empty());
}

#[test]
fn an_issuer_that_others_rely_on_stays_and_serves_both() {
    let site = site();
    site.converge();
    let builds = site.account(BUILDS);
    let provider = arn(SALSA);
    let of = |audience| [("OpenIDConnectProviderArn", provider.as_str()), ("ClientID", audience)];
    builds.iam("AddClientIDToOpenIDConnectProvider", &of("theirs"));
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": provider},
        "Condition": {"StringEquals": {"salsa.example.org:aud": "theirs"}}}]});
    builds.role("their-jobs", "/", &document, &[]);
    let run = site.run(&[]).ends_with(0);
    assert_eq!(run.changes(), [""; 0], "their audience stays");
    site.write("inventory/services.yaml", "service_accounts: {}\n");
    let run = site.run(&[]).ends_with(11);
    assert!(
        run.text().contains("role `their-jobs`, which is not ours, trusts it"),
        "{}",
        run.text()
    );
    assert_eq!(providers(&site), [arn(SALSA)], "GitHub's went, this one stays");
    builds.iam("DeleteRole", &[("RoleName", "their-jobs")]);
    site.converge();
    assert_eq!(providers(&site), [""; 0]);
}

#[test]
fn a_provider_of_somebody_else_that_knows_our_audience_is_used_as_it_is() {
    let site = site();
    let builds = site.account(BUILDS);
    builds.iam(
        "CreateOpenIDConnectProvider",
        &[
            ("Url", "https://token.actions.githubusercontent.com"),
            ("ThumbprintList.member.1", "6938fd4d98bab03faadb97b34396831e3780aea1"),
            ("ClientIDList.member.1", "sts.amazonaws.com"),
            ("ClientIDList.member.2", "theirs"),
        ],
    );
    let before = builds.dump();
    site.converge();
    let now = builds.dump().only(|name| before.names().contains(&name));
    before.assert_same(&now);
    assert!(trust(&site, "actions-publisher").to_string().contains(GITHUB));
    // And it is none of ours to delete.
    site.write("inventory/services.yaml", "service_accounts: {}\n");
    site.converge();
    before.assert_same(&builds.dump());
}
