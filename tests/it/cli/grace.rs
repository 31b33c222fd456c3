//! Those who leave: suspended, restored when they return in time, deleted when they do not.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use reconcile::cloud::memory::config::SUSPENDED_TAG;
use reconcile::model::VendorId;

use super::site::{SPI_HUB, Site};

/// The example with one person suspended that many days ago.
fn suspended(days: i32) -> Site {
    let site = Site::applied();
    site.edit_person("eilidh", |entry| format!("{entry}\naccountStatus: inactive"));
    site.run(&[]).ends_with(0);
    let cloud = site.world();
    let state = cloud.dump().unwrap();
    let user = state.account(SPI_HUB).users.named("eilidh").unwrap();
    assert!(!user.enabled);
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    assert_eq!(user.tags[SUSPENDED_TAG], today.to_string());
    cloud
        .edit_user(SPI_HUB, &VendorId::new(user.id.as_str()), |user| {
            user.tags.insert(SUSPENDED_TAG.to_owned(), (today - days.days()).to_string());
        })
        .unwrap();
    site
}

fn exists(site: &Site) -> bool {
    let begins = format!("{SPI_HUB} user eilidh ");
    site.world().describe().unwrap().iter().any(|line| line.starts_with(&begins))
}

#[test]
fn who_returns_within_the_grace_is_restored() {
    let site = suspended(29);
    assert!(site.run(&[]).ends_with(0).changes().is_empty(), "nothing before the grace is over");
    site.edit_person("eilidh", |entry| entry.replace("\naccountStatus: inactive", ""));
    let run = site.run(&[]).ends_with(0);
    assert!(
        run.out.contains("restore user") && run.out.contains("back within the grace"),
        "{}",
        run.out
    );
    assert_eq!(run.changes().len(), 2, "and in the group again: {}", run.out);
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn who_does_not_is_deleted_when_it_is_over() {
    for (days, gone) in [(29, false), (30, true), (31, true)] {
        let site = suspended(days);
        let run = site.run(&[]).ends_with(0);
        assert_eq!(exists(&site), !gone, "after {days} days: {}", run.out);
        assert_eq!(run.out.contains("the grace period of 30 days is over"), gone, "{}", run.out);
        assert!(site.run(&[]).ends_with(0).changes().is_empty());
    }
}

#[test]
fn a_dry_run_can_look_ahead() {
    let site = suspended(0);
    let later = Timestamp::now().to_zoned(TimeZone::UTC).date() + 31.days();
    let run = site.run(&["--dry-run", "--today", &later.to_string()]);
    assert!(run.out.contains("delete user"), "{}", run.out);
    assert!(exists(&site));
}
