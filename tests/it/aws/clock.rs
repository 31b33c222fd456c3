//! AWS's clock, as the `Date` of its answers tells it, against this machine's.

use jiff::{Timestamp, ToSpan as _};

use super::site::{AwsSite, HUB, has};

/// The site, with somebody who left and was suspended so many days ago; the grace is ten.
fn suspended(days_ago: i32) -> AwsSite {
    let site = AwsSite::applied();
    site.is_active("diego", false);
    site.run(&[]).ends_with(0);
    let day = day(-days_ago);
    let tags = [
        ("UserName", "diego"),
        ("Tags.member.1.Key", "reconcile:suspended"),
        ("Tags.member.1.Value", day.as_str()),
    ];
    site.account(HUB).iam("TagUser", &tags);
    site
}

fn in_days(days: i32) -> Timestamp {
    Timestamp::now() + (i64::from(days) * 24).hours()
}

fn day(days: i32) -> String {
    in_days(days).strftime("%Y-%m-%d").to_string()
}

/// As HTTP writes it.
fn date(days: i32) -> String {
    in_days(days).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn exists(site: &AwsSite, login: &str) -> bool {
    let name = format!("user /reconcile/spi/{login}");
    site.account(HUB).dump().names().contains(&name.as_str())
}

#[test]
fn a_clock_ahead_of_awss_deletes_nobody() {
    let site = suspended(40);
    // By AWS's clock that was eight days ago.
    site.wire.set_date(&date(-32));
    let dry = site.run(&["--dry-run"]).ends_with(3);
    let expected = format!("aws says {}", day(-32));
    assert!(dry.out.contains(&expected) && has(&dry, "! delete user diego"), "{}", dry.out);
    site.run(&[]).ends_with(3);
    assert!(exists(&site, "diego"));
    // What does not depend on the day is done.
    site.joins("farid", 1006, &["build"]);
    site.run(&[]).ends_with(3);
    assert!(exists(&site, "farid") && exists(&site, "diego"));
    // The clocks agree: minutes apart, or due by either of them.
    site.wire.set_date(&date(0));
    site.run(&[]).ends_with(0);
    assert!(!exists(&site, "diego"));
}

#[test]
fn what_is_due_by_both_clocks_is_done() {
    let site = suspended(40);
    site.wire.set_date(&date(-3));
    site.run(&[]).ends_with(0);
    assert!(!exists(&site, "diego"));
}

#[test]
fn a_clock_behind_awss_writes_no_wrong_day() {
    let site = AwsSite::applied();
    site.wire.set_date(&date(32));
    site.is_active("diego", false);
    let run = site.run(&[]).ends_with(3);
    assert!(run.out.contains(&format!("aws says {}", day(32))), "{}", run.out);
    let diego = site.account(HUB).dump().of("user /reconcile/spi/diego").to_owned();
    assert!(!diego.contains("reconcile:suspended"), "{diego}");
    assert!(!diego.contains("build"), "the access is gone all the same: {diego}");
}

#[test]
fn a_date_that_is_none_says_nothing() {
    let site = suspended(40);
    for date in ["", "tomorrow", "Fri, 99 Dec 9999 99:99:99 GMT", "-1"] {
        site.wire.set_date(date);
        let dry = site.run(&["--dry-run"]).ends_with(0);
        assert!(has(&dry, "- delete user diego"), "{date}: {}", dry.out);
    }
    // A date nobody lives to see is another clock all the same.
    site.wire.set_date("Thu, 30 Dec 9999 12:00:00 GMT");
    site.run(&["--dry-run"]).ends_with(0);
    site.wire.set_date("Mon, 01 Jan 0001 00:00:00 GMT");
    site.run(&[]).ends_with(3);
    assert!(exists(&site, "diego"));
}
