//! Accounts whose people log in elsewhere (SAML): the provider, a role for each group that holds
//! one, and what the log-in service must send.

use super::site::{AwsSite, BUILDS, HUB, has};
use crate::peers::certificates::{self, Shown};
use crate::peers::https::HttpsPage;
use crate::peers::moto::trust;

const INVENTORY: &str = r#"
organisations:
  spi:
    accounts:
      spi-hub: {vendor: aws, access: saml, id: "111111111111", hub: true, settings: {saml_metadata: METADATA}}
      debian-builds: {vendor: aws, access: saml, id: "333333333333"}
directories:
  debian:
    ldap: {url: "URL", start_tls: false}
    schema: userdir
    base: dc=example,dc=org
grants:
  - {group: admin, role: administrator, accounts: ["*"], reason: They run it}
  - {group: build, role: operator, accounts: [debian-builds], reason: They build}
"#;

const POLICIES: &str = r"
roles:
  administrator:
    description: May do everything
    privileged: true
    means:
      aws: {managed_policies: [AdministratorAccess], session_hours: 1}
  operator:
    description: Runs instances
    means:
      aws: {managed_policies: [AmazonEC2FullAccess], session_hours: 8}
privileged_needs_key: false
limits: {default: {access: {floor: 99}, roles: {floor: 9}, attachments: {floor: 9}}}
";

const PROVIDER: &str = "saml-provider/reconcile-spi";

/// The description of a log-in service that signs with certificates until the given years.
pub fn metadata(years: &[i32]) -> String {
    let keys = years
        .iter()
        .map(|year| {
            format!(
                "    <md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\
                 {}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\n",
                certificates::until_year(*year)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<?xml version=\"1.0\"?>\n\
         <md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\"https://sso.example.org\">\n  \
         <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\n\
         {keys}    <md:SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"https://sso.example.org/{}\"/>\n  </md:IDPSSODescriptor>\n</md:EntityDescriptor>\n",
        "post/".repeat(80)
    )
}

fn site(metadata: &str) -> AwsSite {
    AwsSite::with(&INVENTORY.replace("METADATA", metadata), POLICIES)
}

fn from_file(text: &str) -> AwsSite {
    let site = site("inventory/idp.xml");
    site.write("inventory/idp.xml", text);
    site
}

fn names(site: &AwsSite, account: &str) -> Vec<String> {
    let dump = site.account(account).dump();
    dump.names().into_iter().filter(|name| *name != "user /runner").map(str::to_owned).collect()
}

#[test]
fn from_nothing_to_nothing_and_back() {
    let site = from_file(&metadata(&[2035]));
    let dry = site.run(&["--dry-run"]).ends_with(0);
    assert!(site.wire.writes().is_empty(), "a dry run writes nothing");
    let run = site.converge();
    assert_eq!(dry.changes(), run.changes(), "a dry run is exactly what happens");
    let arn = |account: &str| format!("arn:aws:iam::{account}:{PROVIDER}");
    let provider = |account: &str| format!("identity provider {}", arn(account));
    assert_eq!(
        names(&site, HUB),
        [provider(HUB), "role /reconcile/spi/debian-admin-administrator".to_owned()],
        "nobody has a user"
    );
    assert_eq!(
        names(&site, BUILDS),
        [
            provider(BUILDS),
            "role /reconcile/spi/debian-admin-administrator".to_owned(),
            "role /reconcile/spi/debian-build-operator".to_owned(),
        ]
    );
    let role =
        || site.account(BUILDS).dump().of("role /reconcile/spi/debian-build-operator").to_owned();
    for needed in [
        arn(BUILDS).as_str(),
        "sts:AssumeRoleWithSAML",
        "https://signin.aws.amazon.com/saml",
        "ForAnyValue:StringEquals",
        "group:debian:build",
        "AmazonEC2FullAccess",
        "28800",
    ] {
        assert!(role().contains(needed), "{needed}: {}", role());
    }
    assert!(!role().contains("group:debian:admin"), "of exactly its group: {}", role());

    // People come and go: nothing to do here, their log-in service knows.
    site.joins("farid", 1006, &["build"]);
    site.is_active("diego", false);
    site.wire.clear();
    assert_eq!(site.run(&[]).ends_with(0).changes(), [""; 0]);
    assert!(site.wire.writes().is_empty());

    // Somebody widened a role by hand.
    let builds = site.account(BUILDS);
    let wide = trust("arn:aws:iam::999999999999:root").to_string();
    builds.iam(
        "UpdateAssumeRolePolicy",
        &[("RoleName", "debian-build-operator"), ("PolicyDocument", &wide)],
    );
    let run = site.converge();
    assert!(has(&run, "- update role debian-build-operator"), "{}", run.out);
    assert!(!role().contains("999999999999"), "{}", role());

    // A group loses its role; then nobody holds any.
    site.edit(
        "  - {group: build, role: operator, accounts: [debian-builds], reason: They build}\n",
        "",
    );
    let run = site.converge();
    assert!(has(&run, "- delete role debian-build-operator"), "{}", run.out);
    assert!(names(&site, BUILDS).contains(&provider(BUILDS)), "others still need it");
    site.edit(
        "  - {group: admin, role: administrator, accounts: [\"*\"], reason: They run it}\n",
        "",
    );
    site.edit("grants:\n", "");
    let run = site.converge();
    assert!(has(&run, &format!("- delete identity provider {PROVIDER}")), "{}", run.out);
    assert_eq!(names(&site, HUB), [""; 0]);
    assert_eq!(names(&site, BUILDS), [""; 0]);
}

#[test]
fn a_new_certificate_is_brought_to_every_account_and_its_end_is_watched() {
    let site = from_file(&metadata(&[2027]));
    site.converge();
    let soon = site.run(&["--dry-run", "--today", "2026-12-20"]).ends_with(0);
    let text = soon.text();
    assert!(
        text.contains("the certificate of saml-provider/reconcile-spi expires on 2027-01-01"),
        "{text}"
    );
    let late = site.run(&["--dry-run", "--today", "2027-01-03"]);
    let late = late.ends_with(11);
    assert!(late.text().contains("expired on 2027-01-01"), "{}", late.text());
    // The next certificate beside the old one: what can be used longest counts.
    site.write("inventory/idp.xml", &metadata(&[2027, 2031]));
    let run = site.converge();
    assert_eq!(run.changes().len(), 2, "one for each account: {}", run.out);
    assert!(has(&run, &format!("~ update identity provider {PROVIDER}")), "{}", run.out);
    assert!(run.out.len() < 2500, "nobody can read whole descriptions: {}", run.out);
    let late = site.run(&["--dry-run", "--today", "2027-01-03"]).ends_with(0);
    assert!(!late.text().contains("expire"), "{}", late.text());
}

#[test]
fn a_description_that_is_none_stops_the_run_with_its_place() {
    let site = from_file("<a/>");
    let run = site.run(&[]).ends_with(2);
    let text = run.text();
    assert!(text.contains("inventory/all.yaml:5"), "{text}");
    assert!(text.contains("1000 to 10000000 characters, not 4"), "{text}");
    assert!(site.wire.calls().is_empty());
}

#[test]
fn a_provider_somebody_else_made_is_told_about_and_can_be_adopted() {
    let site = from_file(&metadata(&[2035]));
    let theirs = metadata(&[2030]);
    let parameters = [("Name", "reconcile-spi"), ("SAMLMetadataDocument", theirs.as_str())];
    site.account(BUILDS).iam("CreateSAMLProvider", &parameters);
    let before = site.account(BUILDS).dump();
    let run = site.run(&[]).ends_with(11);
    assert!(run.text().contains("does not carry our mark"), "{}", run.text());
    assert!(run.text().contains("reconcile adopt"), "{}", run.text());
    before.assert_same(&site.account(BUILDS).dump());

    let adopted =
        site.run(&["adopt", "debian-builds", "identity-provider", PROVIDER, "--yes"]).ends_with(0);
    assert!(adopted.out.contains("adopt"), "{}", adopted.out);
    let run = site.converge();
    assert!(has(&run, &format!("~ update identity provider {PROVIDER}")), "{}", run.out);
    assert!(has(&run, "+ create role debian-build-operator"), "{}", run.out);
}

#[test]
fn a_provider_whose_mark_is_damaged_or_lost_costs_nobody_anything_and_is_told() {
    let half = [("Tags.member.1.Key", "reconcile:organisation"), ("Tags.member.1.Value", "spi")];
    for (tags, said) in
        [(&half[..], "carries only a part of our mark"), (&[], "does not carry our mark")]
    {
        let site = from_file(&metadata(&[2035]));
        site.converge();
        let builds = site.account(BUILDS);
        let arn = format!("arn:aws:iam::{BUILDS}:{PROVIDER}");
        let named = [("SAMLProviderArn", arn.as_str())];
        let document = builds.iam("GetSAMLProvider", &named).text("SAMLMetadataDocument");
        builds.iam("DeleteSAMLProvider", &named);
        let made = [("Name", "reconcile-spi"), ("SAMLMetadataDocument", document.as_str())];
        builds.iam("CreateSAMLProvider", &[&made[..], tags].concat());
        let run = site.run(&[]).ends_with(0);
        assert_eq!(run.changes(), [""; 0], "{}", run.out);
        assert!(run.text().contains("warning[damaged-mark]"), "{}", run.text());
        assert!(run.text().contains(said), "{}", run.text());
        let adopt = ["adopt", "debian-builds", "identity-provider", PROVIDER, "--yes"];
        site.run(&adopt).ends_with(0);
        let run = site.converge();
        assert_eq!(run.changes(), [""; 0], "{}", run.out);
        assert!(!run.text().contains("damaged-mark"), "{}", run.text());
    }
}

#[test]
fn a_description_behind_an_address_is_fetched_and_its_absence_takes_nothing_away() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    certificates::write(folder.path(), Shown::Valid);
    let page = HttpsPage::start(folder.path(), &metadata(&[2035]));
    let site = site(&page.url());
    let trusted = folder.path().join("ca.pem");
    let address = page.url();
    site.operator(&[address.strip_suffix("/metadata").expect("its path")], "");
    let run = |arguments: &[&str]| {
        let mut command = site.command(arguments);
        crate::cli::site::ran(command.env("SSL_CERT_FILE", &trusted))
    };
    run(&[]).ends_with(0);
    site.wire.clear();
    assert_eq!(run(&[]).ends_with(0).changes(), [""; 0]);
    assert!(site.wire.writes().is_empty());

    // A bad day, once with an error and once with a page that is something else.
    let before = [HUB, BUILDS].map(|id| site.account(id).dump());
    for (status, text) in [(503, "later"), (200, "<html>Maintenance</html>"), (200, "")] {
        page.show(status, text);
        let bad = run(&[]).ends_with(4);
        assert_eq!(bad.changes(), [""; 0], "{status} {text}");
        assert!(bad.text().contains(&page.url()), "{}", bad.text());
    }
    for (id, before) in [HUB, BUILDS].iter().zip(&before) {
        before.assert_same(&site.account(id).dump());
    }
    // Who is not whom we trust is not asked.
    let stranger = site.run(&["--dry-run"]).ends_with(4);
    assert!(stranger.text().contains("certificate"), "{}", stranger.text());

    page.show(200, &metadata(&[2036]));
    assert_eq!(run(&[]).ends_with(0).changes().len(), 2);
}

#[test]
fn the_log_in_service_is_told_what_to_send() {
    let site = from_file(&metadata(&[2035]));
    let mapping = site.run(&["mapping", "debian-builds"]).ends_with(0);
    let mapping: serde_json::Value = serde_json::from_str(&mapping.out).expect("JSON");
    let role = format!("arn:aws:iam::{BUILDS}:role/reconcile/spi/debian-build-operator");
    let provider = format!("arn:aws:iam::{BUILDS}:{PROVIDER}");
    let expected = serde_json::json!([format!("{role},{provider}")]);
    assert_eq!(mapping["groups"]["group:debian:build"], expected);
    assert_eq!(mapping["audience"], "https://signin.aws.amazon.com/saml");
    assert!(site.wire.calls().is_empty(), "nothing need be asked for it");
}
