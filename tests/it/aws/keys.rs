//! Keys of service accounts, issued, handed over, noted and replaced by the program at work.

use super::site::{AwsSite, HUB};
use crate::cli::site::files;

/// The two lines a sink got.
fn key(site: &AwsSite) -> (String, String) {
    let text = std::fs::read_to_string(site.path("ci.key")).expect("the sink has it");
    let (id, secret) = text.trim_end().split_once('\n').expect("two lines");
    (id.to_owned(), secret.to_owned())
}

#[test]
fn a_key_is_issued_noted_and_replaced_and_its_secret_is_nowhere_else() {
    let site = AwsSite::applied();
    let path = site.path("ci.key").display().to_string();
    site.write("policies/sinks.yaml", "sinks:\n  file: {description: The operator reads it}\n");
    site.operator(&[], &format!("sinks:\n  file: {{file: '{path}', services: [ci]}}\n"));
    let service = "service_accounts:\n  ci: {owners: admin, role: operator, accounts: [debian-builds], reason: r, key: {sink: file}}\n";
    site.write("inventory/services.yaml", service);
    let first = site.run(&["-vvv"]).ends_with(0);
    let (id, secret) = key(&site);
    let user = || site.account(HUB).dump().of("user /reconcile/spi/ci").to_owned();
    assert!(user().contains(&id), "{}", user());
    site.wire.clear();
    let second = site.run(&["-vvv"]).ends_with(0);
    assert_eq!(second.changes(), [""; 0]);
    assert!(site.wire.writes().is_empty());
    // Due on its day, and one that nobody noted goes at once.
    let late = site.run(&["--dry-run", "--today", "2200-01-01"]);
    assert!(late.out.contains("issue credential"), "{}", late.out);
    site.account(HUB)
        .iam("UntagUser", &[("UserName", "ci"), ("TagKeys.member.1", "reconcile:key")]);
    let third = site.run(&["-vvv"]).ends_with(0);
    let (next, other) = key(&site);
    assert_ne!(id, next);
    assert!(!user().contains(&id) && user().contains(&next), "{}", user());
    let mut places: Vec<(String, String)> = files(&site.path("state"))
        .into_iter()
        .map(|(path, content)| {
            (path.display().to_string(), String::from_utf8_lossy(&content).into_owned())
        })
        .collect();
    for (name, ran) in [("first", first), ("second", second), ("third", third), ("late", late)] {
        places.push((name.to_owned(), format!("{}{}", ran.out, ran.err)));
    }
    for (place, text) in places {
        assert!(!text.contains(&secret) && !text.contains(&other), "in {place}");
    }
}
