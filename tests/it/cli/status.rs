//! `reconcile status`: everything managed that is not plainly well.

use std::fs;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use reconcile::cloud::memory::MemoryWorld;
use reconcile::cloud::memory::config::{SUBJECT_TAG, SUSPENDED_TAG};
use reconcile::model::{ResourceKind, VendorId};
use serde_json::Value;

use super::site::{PEOPLE, SPI_HUB, Site, files};

/// The account number of `debian-mirrors`.
const MIRRORS: &str = "100000000002";

fn today() -> jiff::civil::Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

fn ids(world: &MemoryWorld) -> Vec<(ResourceKind, VendorId)> {
    let state = world.dump().unwrap();
    let all = state.account(MIRRORS).resources.after(None);
    all.map(|one| (one.kind, VendorId::new(one.id.as_str()))).collect()
}

/// Whatever the vendor is at is finished: all was made three days earlier.
fn settle(site: &Site) {
    let world = site.world();
    let then = Timestamp::now() - (3 * 24).hours();
    world.set_clock(then);
    for (_, id) in ids(&world) {
        world
            .edit_resource(MIRRORS, &id, |one| {
                one.made = then;
                if let Some(life) = &mut one.life {
                    life.as_of = then;
                    life.proven = life.proven.map(|_| then);
                }
            })
            .unwrap();
    }
}

/// The whole example, with its mirror in place.
fn in_place() -> Site {
    let site = Site::with_mirrors();
    site.run(&[]).ends_with(12);
    settle(&site);
    site.run(&[]).ends_with(12);
    settle(&site);
    site.run(&[]).ends_with(0);
    site
}

#[test]
fn nothing_is_to_be_told() {
    let site = Site::applied();
    let before = files(&site.state());
    let lock =
        fs::OpenOptions::new().write(true).open(site.state().join("locks/spi.lock")).unwrap();
    lock.lock().unwrap();
    let run = site.run(&["status"]).ends_with(0);
    assert_eq!(
        run.out, "All is well.\n`reconcile --dry-run` shows 3 warnings.\n",
        "also while another run is at work"
    );
    assert_eq!(files(&site.state()), before, "it writes nothing");
}

#[test]
fn what_waits_and_what_ends_some_day() {
    let site = Site::with_mirrors();
    site.run(&[]).ends_with(12);
    let run = site.run(&["status"]).ends_with(12);
    for told in [
        "Waits for a vendor (the next run goes on from there)\n  spi/debian-mirrors\n",
        "    certificate debian-certificate-1: being issued since 20",
        "    front end debian-front-1: waits for debian-certificate-1 (being issued)\n",
    ] {
        assert!(run.out.contains(told), "{told}: {}", run.out);
    }
    site.run(&["status", "--org", "harbour"]).ends_with(0);
    site.run(&["status", "--account", "spi-hub"]).ends_with(0);
    let site = in_place();
    let run = site.run(&["status"]).ends_with(0);
    let end = (Timestamp::now() + (197 * 24).hours()).to_zoned(TimeZone::UTC).date();
    let told = format!(
        "Ends later\n  spi/debian-mirrors\n    certificate debian-certificate-1: ends on {end}, in \
         197 days; the\n      vendor renews it\n\nAll is well.\n"
    );
    assert!(run.out.starts_with(&told), "{}\n{told}", run.out);
}

/// Nobody renews a certificate without its proof.
#[test]
fn a_certificate_that_ends_soon_comes_first_and_is_a_finding() {
    let site = in_place();
    let world = site.world();
    let state = world.dump().unwrap();
    let resources = &state.account(MIRRORS).resources;
    let id = |kind, name: &str| VendorId::new(resources.of_kind(kind, name).unwrap().id.as_str());
    world.remove_resource(MIRRORS, &id(ResourceKind::RecordSet, "debian-proof-1")).unwrap();
    let certificate = id(ResourceKind::Certificate, "debian-certificate-1");
    for (days, status, finding, code) in
        [(20, "ends on", "warning[expires-soon]", 0), (-2, "ended on", "error[expired]", 11)]
    {
        world
            .edit_resource(MIRRORS, &certificate, |one| {
                let life = one.life.as_mut().unwrap();
                life.end = Some(Timestamp::now() + (24 * days).hours());
            })
            .unwrap();
        let run = site.run(&["status"]);
        let told = format!(
            "Ended, or ends soon\n  spi/debian-mirrors\n    certificate debian-certificate-1: \
             {status} {}",
            today() + days.days()
        );
        assert!(run.out.starts_with(&told), "{}", run.out);
        let plan = site.run(&["--dry-run"]).ends_with(code);
        assert!(plan.out.contains(finding), "{}", plan.out);
    }
}

#[test]
fn who_is_suspended_until_when() {
    let site = Site::applied();
    site.edit_person("eilidh", |entry| format!("{entry}\naccountStatus: inactive"));
    let run = site.run(&["status"]).ends_with(0);
    let told = "`reconcile --dry-run` shows 2 changes to be made, 3 warnings.\n";
    assert_eq!(run.out, told, "not well before it is done");
    site.run(&[]).ends_with(0);
    let (since, end) = (today(), today() + 30.days());
    let told = format!("user eilidh: suspended since {since}, to be deleted from {end} on");
    let run = site.run(&["status"]).ends_with(0);
    assert!(
        run.out.starts_with(&format!("On the way out\n  spi/spi-hub\n    {told}\n")),
        "{}",
        run.out
    );
    let run = site.run(&["status", "--today", &end.to_string()]);
    assert!(run.out.contains(";\n      the next run deletes it\n"), "{}", run.out);
    site.edit_person("eilidh", |entry| entry.replace("\naccountStatus: inactive", ""));
    let run = site.run(&["status"]).ends_with(0);
    assert!(run.out.contains("brings it back\n"), "{}", run.out);
    let run = site.run(&["status", "--only", "groups"]).ends_with(0);
    assert!(!run.out.contains("eilidh"), "{}", run.out);
}

#[test]
fn damaged_marks_and_what_could_not_be_read() {
    let site = Site::applied();
    let cloud = site.world();
    let group = {
        let state = cloud.dump().unwrap();
        VendorId::new(state.account(SPI_HUB).groups.named("mirrors").unwrap().id.as_str())
    };
    cloud
        .edit_group(SPI_HUB, &group, |group| {
            group.tags.remove(SUBJECT_TAG);
        })
        .unwrap();
    let run = site.run(&["status"]).ends_with(0);
    assert!(run.out.starts_with("Whose it is cannot be told"), "{}", run.out);
    assert!(run.out.contains("    group mirrors: "), "{}", run.out);
    fs::remove_file(site.root().join(PEOPLE)).unwrap();
    let run = site.run(&["status"]).ends_with(4);
    assert!(run.out.starts_with("Not read completely"), "{}", run.out);
    assert!(run.out.contains("  ? directory debian: "), "{}", run.out);
    assert!(run.out.lines().all(|line| line.chars().count() <= 80), "{}", run.out);
    assert!(
        !cloud
            .dump()
            .unwrap()
            .account(SPI_HUB)
            .users
            .named("amara")
            .unwrap()
            .tags
            .contains_key(SUSPENDED_TAG)
    );
}

#[test]
fn as_json_it_is_what_the_schema_says() {
    let site = Site::with_mirrors();
    site.run(&[]).ends_with(12);
    let schema: Value =
        serde_json::from_str(&site.run(&["schema", "status"]).ends_with(0).out).unwrap();
    let document: Value =
        serde_json::from_str(&site.run(&["status", "--format", "json"]).ends_with(12).out).unwrap();
    assert_eq!(document["format"], "reconcile-status/1");
    for key in schema["required"].as_array().unwrap() {
        assert!(document.get(key.as_str().unwrap()).is_some(), "{key}");
    }
    for key in document.as_object().unwrap().keys() {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
    let items = document["items"].as_array().unwrap();
    assert_eq!(items.len(), 6);
    assert!(items.iter().all(|item| item["urgency"] == "waits"), "{items:?}");
}
