//! Somebody else disabled a user: whatever becomes of the person, this program does not enable it.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use reconcile::cloud::memory::config::SUSPENDED_TAG;
use reconcile::cloud::memory::service::state::User;
use reconcile::model::VendorId;

use super::site::{SPI_HUB, Site};

fn user(site: &Site, login: &str) -> User {
    let state = site.world().dump().expect("a state");
    state.accounts[SPI_HUB].users.named(login).expect("a user").clone()
}

fn edit(site: &Site, login: &str, change: impl FnOnce(&mut User)) {
    let id = user(site, login).id;
    site.world().edit_user(SPI_HUB, &VendorId::new(id.as_str()), change).expect("an edit");
}

/// Somebody leaves, and what LDAP says of them before that.
fn leaves(site: &Site, login: &str) -> String {
    let mut before = String::new();
    site.edit_person(login, |entry| {
        entry.clone_into(&mut before);
        format!("{entry}\naccountStatus: inactive")
    });
    before
}

fn returns(site: &Site, login: &str, before: &str) {
    site.edit_person(login, |_| before.to_owned());
}

#[test]
fn who_was_disabled_by_hand_leaves_and_returns_disabled() {
    let site = Site::applied();
    edit(&site, "eilidh", |user| user.enabled = false);
    let before = leaves(&site, "eilidh");
    site.run(&[]).ends_with(0);
    assert!(user(&site, "eilidh").tags.contains_key(SUSPENDED_TAG), "the grace runs");
    // Another name meanwhile: a write that must lose nothing of it.
    let renamed = before.replace("cn: Eilidh", "cn: Aileas");
    assert_ne!(renamed, before);
    site.edit_person("eilidh", |_| format!("{renamed}\naccountStatus: inactive"));
    site.run(&[]).ends_with(0);
    returns(&site, "eilidh", &renamed);
    let plan = site.run(&["--dry-run"]);
    assert!(plan.out.contains("→ disabled"), "{}", plan.out);
    assert!(plan.out.contains("disabled-by-hand"), "{}", plan.out);
    assert!(!plan.out.contains("→ enabled"), "{}", plan.out);
    for _ in 0..2 {
        site.run(&[]).ends_with(0);
        let user = user(&site, "eilidh");
        assert!(!user.enabled, "somebody else disabled them");
        let ours: Vec<_> = user.tags.keys().filter(|key| key.contains("suspended")).collect();
        assert!(ours.is_empty(), "their grace is over: {ours:?}");
    }
    // Leaves once more: the grace begins anew, and what was noted is noted again.
    let before = leaves(&site, "eilidh");
    site.run(&[]).ends_with(0);
    returns(&site, "eilidh", &before);
    site.run(&[]).ends_with(0);
    assert!(!user(&site, "eilidh").enabled);
    // Whoever disabled them enables them again.
    edit(&site, "eilidh", |user| user.enabled = true);
    assert_eq!(site.run(&[]).ends_with(0).changes(), [""; 0]);
}

#[test]
fn whom_this_program_suspended_is_enabled_again() {
    let site = Site::applied();
    let before = leaves(&site, "eilidh");
    site.run(&[]).ends_with(0);
    assert!(!user(&site, "eilidh").enabled);
    returns(&site, "eilidh", &before);
    let run = site.run(&[]).ends_with(0);
    assert!(run.out.contains("→ enabled"), "{}", run.out);
    assert!(user(&site, "eilidh").enabled);
}

#[test]
fn who_was_disabled_by_hand_is_deleted_after_the_grace() {
    let site = Site::applied();
    edit(&site, "eilidh", |user| user.enabled = false);
    leaves(&site, "eilidh");
    site.run(&[]).ends_with(0);
    let long_ago = Timestamp::now().to_zoned(TimeZone::UTC).date() - 40.days();
    edit(&site, "eilidh", |user| {
        user.tags.insert(SUSPENDED_TAG.to_owned(), long_ago.to_string());
    });
    site.run(&[]).ends_with(0);
    let state = site.world().dump().expect("a state");
    assert!(state.accounts[SPI_HUB].users.named("eilidh").is_none());
}
