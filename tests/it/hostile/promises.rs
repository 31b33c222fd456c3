//! Attacks on lines of the README's "What it never does"; `sentences` says which tests attack which
//! sentence.

use std::fs;
use std::net::TcpListener;

use reconcile::model::VendorId;

use crate::cli::site::{SPI_HUB, Site};

/// What is in the hub, as people would see it.
fn described(site: &Site) -> std::collections::BTreeSet<String> {
    site.world().describe().expect("a state")
}

#[test]
fn nobody_gets_a_password_or_a_key() {
    let site = Site::applied();
    // Somebody who joins, somebody who comes back, somebody new in every group.
    site.edit_person("eilidh", |entry| format!("{entry}\nsupplementaryGid: sysadmin"));
    site.run(&[]);
    let state = fs::read_to_string(site.state().join("memory.jsonl")).expect("a state");
    assert!(!state.to_lowercase().contains("password"));
    let credentials: Vec<String> =
        described(&site).into_iter().filter(|line| line.contains(" credential ")).collect();
    for line in &credentials {
        for login in ["eilidh", "amara", "farid"] {
            assert!(!line.contains(login), "{line}");
        }
    }
}

#[test]
fn a_role_for_a_single_user_cannot_be_written() {
    let site = Site::new();
    for who in
        ["user: eilidh", "person: debian:eilidh", "group: eilidh", "group: person:debian:2005"]
    {
        let grant = format!(
            "grants:\n  - {who}\n    role: operator\n    accounts: [debian-mirrors]\n    reason: Because\n"
        );
        site.write("inventory/debian/zz.yaml", &grant);
        let run = site.run(&[]).ends_with(2);
        assert!(run.text().contains("inventory/debian/zz.yaml:"), "{who}: {}", run.text());
        assert!(!site.state().join("memory.jsonl").exists(), "{who}: nothing was written");
    }
}

#[test]
fn what_only_looks_like_ours_stays() {
    let site = Site::applied();
    let world = site.world();
    // Names as ours, in our account, without a mark.
    let user = world.add_user(SPI_HUB, "reconcile-eilidh", None).expect("a user");
    let group = world.add_group(SPI_HUB, "debian-mirrors", None).expect("a group");
    let role = world.add_role(SPI_HUB, "operator-of-old", None).expect("a role");
    world.add_credential(SPI_HUB, &user, "access-key").expect("a key");
    let before = described(&site);
    site.edit_person("eilidh", |entry| format!("{entry}\naccountStatus: inactive"));
    site.run(&[]);
    let after = described(&site);
    let foreign = |line: &&String| {
        ["reconcile-eilidh", "debian-mirrors", "operator-of-old"]
            .iter()
            .any(|name| line.contains(name))
    };
    assert_eq!(
        before.iter().filter(foreign).collect::<Vec<_>>(),
        after.iter().filter(foreign).collect::<Vec<_>>()
    );
    let state = world.dump().expect("a state");
    let hub = &state.accounts[SPI_HUB];
    assert!(hub.users.get(user.as_str()).is_some());
    assert!(hub.groups.get(group.as_str()).is_some() && hub.roles.get(role.as_str()).is_some());
}

#[test]
fn who_was_disabled_by_hand_stays_so() {
    let site = Site::applied();
    let world = site.world();
    let id = |login: &str| -> VendorId {
        let state = world.dump().expect("a state");
        state.accounts[SPI_HUB].users.named(login).expect("a user").id.as_str().into()
    };
    let victim = id("eilidh");
    world.edit_user(SPI_HUB, &victim, |user| user.enabled = false).expect("an edit");
    // Whatever else there is to do with them: a group more, another name, another mail address.
    site.edit_person("eilidh", |entry| {
        let entry =
            entry.replace("cn: Eilidh", "cn: Aileas").replace("mail: eilidh", "mail: aileas");
        format!("{entry}\nsupplementaryGid: sysadmin")
    });
    site.run(&[]);
    site.run(&[]);
    let state = world.dump().expect("a state");
    let user = state.accounts[SPI_HUB].users.get(victim.as_str()).expect("still there");
    assert!(!user.enabled, "somebody else disabled them");
}

#[test]
fn nobody_else_hears_of_a_run() {
    let site = Site::new();
    let ear = TcpListener::bind("127.0.0.1:0").expect("a port");
    ear.set_nonblocking(true).expect("a socket");
    let here = format!("http://{}", ear.local_addr().expect("an address"));
    for arguments in [&["--dry-run"][..], &[], &["check"], &["explain", "eilidh"]] {
        let mut command = site.command(arguments);
        // Wherever a program may be told to call home.
        for variable in [
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
            "AWS_ENDPOINT_URL",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "VAULT_ADDR",
        ] {
            command.env(variable, &here);
        }
        assert!(command.output().expect("it runs").status.success(), "{arguments:?}");
        let heard = ear.accept().map(|(_, from)| from);
        assert!(heard.is_err(), "{arguments:?} spoke to {heard:?}");
    }
}
