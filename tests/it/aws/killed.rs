//! kill -9 after each write: a rerun brings everything where it belongs, and a second one writes
//! nothing.
//!
//! Positions are dealt out to several tests, which run beside each other. At a position exactly so
//! many writes are done, whichever they are: those that do not wait for each other come in any
//! order.

use super::rich::Rich;
use super::world::{BUILDS, HUB};
use crate::peers::moto::{allow, trust};

/// How many tests share the positions.
const TESTS: usize = 6;

fn killed_at_every_sixth_write(first: usize) {
    let site = Rich::new();
    site.run(&[]).ends_with(0);
    let writes = site.wire.writes().len();
    assert!(writes >= 50, "only {writes} writes");
    let goal = site.state();
    site.wire.clear();
    site.run(&[]).ends_with(0);
    assert_eq!(site.wire.writes(), [], "a second run writes nothing");
    for position in (first..=writes).step_by(TESTS) {
        let what = format!("killed after {position} of {writes} writes");
        site.moto.restore();
        assert!(site.is_killed_after(position, &[]), "{what}: it was not");
        let rerun = site.run(&[]).ends_with(0);
        assert_eq!(site.state(), goal, "{what}: {}", rerun.out);
        site.wire.clear();
        site.run(&[]).ends_with(0);
        assert_eq!(site.wire.writes(), [], "{what}: a second run writes nothing");
    }
}

#[test]
fn a_kill_after_the_first_write_and_every_sixth_then_is_mended() {
    killed_at_every_sixth_write(1);
}

#[test]
fn a_kill_after_the_second_write_and_every_sixth_then_is_mended() {
    killed_at_every_sixth_write(2);
}

#[test]
fn a_kill_after_the_third_write_and_every_sixth_then_is_mended() {
    killed_at_every_sixth_write(3);
}

#[test]
fn a_kill_after_the_fourth_write_and_every_sixth_then_is_mended() {
    killed_at_every_sixth_write(4);
}

#[test]
fn a_kill_after_the_fifth_write_and_every_sixth_then_is_mended() {
    killed_at_every_sixth_write(5);
}

#[test]
fn a_kill_after_the_sixth_write_and_every_sixth_then_is_mended() {
    killed_at_every_sixth_write(6);
}

/// Something that was there before is adopted, the adoption killed after each of its writes and
/// done again.
fn adoption_survives(kind: &str, name: &str, make: impl Fn(&Rich)) {
    let site = Rich::new();
    let adopt = [
        "adopt",
        if kind == "user" || kind == "group" { "hub" } else { "builds" },
        kind,
        name,
        "--yes",
    ];
    make(&site);
    site.run(&adopt).ends_with(0);
    let writes = site.wire.writes().len();
    let adopted = site.state();
    site.run(&[]).ends_with(0);
    let goal = site.state();
    assert!(writes > 0);
    for position in 1..=writes {
        let what = format!("adoption of {kind} killed after {position} of {writes} writes");
        site.moto.restore();
        make(&site);
        assert!(site.is_killed_after(position, &adopt), "{what}: it was not");
        let again = site.run(&adopt);
        // After the last write it is managed already.
        again.ends_with(if position == writes { 2 } else { 0 });
        assert_eq!(site.state(), adopted, "{what}");
        site.run(&[]).ends_with(0);
        assert_eq!(site.state(), goal, "{what}");
    }
    site.wire.clear();
    site.run(&[]).ends_with(0);
    assert_eq!(site.wire.writes(), [], "a second run writes nothing");
}

#[test]
fn a_killed_adoption_of_a_user_is_done_again() {
    adoption_survives("user", "farid", |site| {
        let hub = site.moto.account(HUB);
        hub.user("farid", "/staff/", &[("team", "web")]);
        hub.everything("farid");
        hub.member("farid", "clique");
    });
}

#[test]
fn a_killed_adoption_of_a_group_is_done_again() {
    adoption_survives("group", "fresh", |site| {
        let hub = site.moto.account(HUB);
        hub.group("fresh", "/staff/");
        hub.member("stranger", "fresh");
        hub.inline("Group", "fresh", "own", &allow("s3:*"));
    });
}

#[test]
fn a_killed_adoption_of_a_role_is_done_again() {
    adoption_survives("role", "watcher", |site| {
        let builds = site.moto.account(BUILDS);
        builds.role("watcher", "/staff/", &trust("arn:aws:iam::999999999999:root"), &[]);
        builds.inline("Role", "watcher", "own", &allow("s3:*"));
    });
}

#[test]
fn a_killed_adoption_of_an_identity_provider_is_done_again() {
    adoption_survives(
        "identity-provider",
        "oidc-provider/token.actions.githubusercontent.com",
        |site| {
            let url = [("Url", "https://token.actions.githubusercontent.com")];
            site.moto.account(BUILDS).iam("CreateOpenIDConnectProvider", &url);
        },
    );
}
