//! A comment that is cut: what must be seen never is.

use reconcile::model::Source;
use reconcile::policies::Protected;
use reconcile::report::{self, DIFFERENCE_FORMAT, DifferenceReport, LONGEST_COMMENT};
use reconcile::rights::{Difference, compare};

use crate::engine::world::{Given, Model};
use crate::rights::values::with_view;

fn comment(difference: &Difference) -> String {
    let report = DifferenceReport {
        format: DIFFERENCE_FORMAT,
        base: "main".to_owned(),
        head: "branch".to_owned(),
        today: "2026-11-01".to_owned(),
        not_complete: &[],
        notes: &[],
        difference,
    };
    let mut comment = Vec::new();
    report::difference_markdown(&mut comment, &report).unwrap();
    let comment = String::from_utf8(comment).unwrap();
    assert!(comment.len() <= LONGEST_COMMENT, "{}", comment.len());
    assert_eq!(comment.matches("````").count() % 2, 0);
    comment
}

fn commented(before: &Given, after: &Given) -> String {
    comment(&with_view(before, |before| with_view(after, |after| compare(before, after))))
}

fn protect(given: &mut Given, users: impl Iterator<Item = String>) {
    given.policies.protected.extend(users.map(|user| Protected {
        break_glass: user.starts_with("root"),
        user: user.into(),
        account: None,
        reason: "The way in".to_owned(),
        source: Source::new("policies/protected.yaml", 3, 1),
    }));
}

/// An organisation that knows a privileged role.
fn model() -> Model {
    let mut model = Model::simple();
    model.role("root", &["everything"], true);
    model
}

/// So many people in groups of their own, each with a grant.
fn crowd(model: &mut Model, size: usize, role: &str) {
    for number in 0..size {
        let group = format!("group-{number}");
        model.of("debian").groups.insert(group.clone());
        model.person("debian", &format!("person-{number}"), &[&group]);
        model.grant(&format!("debian:{group}"), role, &["hub"]);
    }
}

#[test]
fn five_thousand_harmless_grants_do_not_hide_a_privileged_one() {
    let mut after = model();
    crowd(&mut after, 5000, "operator");
    after.of("debian").groups.insert("zz-last".into());
    after.person("debian", "zz-mallory", &["zz-last"]);
    after.grant("debian:zz-last", "root", &["hub"]);
    let comment = commented(&model().given(), &after.given());
    assert!(comment.contains("debian:zz-last     root  1 in it"), "{}", &comment[..2000]);
    assert!(comment.contains("debian:zz-mallory"), "{}", &comment[..2000]);
    assert!(comment.contains("more lines, left out for their length."));
    assert!(!comment.contains("TOO LARGE"));
}

#[test]
fn they_do_not_hide_a_protection_that_goes() {
    let mut before = model().given();
    protect(&mut before, ["root-alice".to_owned()].into_iter());
    let mut after = model();
    crowd(&mut after, 5000, "operator");
    let comment = commented(&before, &after.given());
    let line =
        "the way in when everything fails (root-alice in all accounts) is no longer protected";
    assert!(comment.contains(line), "{}", &comment[..2000]);
    assert!(comment.lines().nth(1).unwrap().contains("1 protection removed"));
}

#[test]
fn what_does_not_fit_is_counted_and_the_heading_is_loud() {
    let mut before = model().given();
    let users = (0..5000).map(|number| format!("user-{number}"));
    protect(&mut before, users.chain(["root-alice".to_owned()]));
    let mut after = model();
    crowd(&mut after, 3000, "root");
    let comment = commented(&before, &after.given());
    let heading = comment.lines().nth(1).unwrap();
    assert!(heading.contains("THIS CHANGE IS TOO LARGE TO BE REVIEWED HERE"), "{heading}");
    assert!(heading.contains("5001 protections removed"), "{heading}");
    assert!(heading.contains("3000 privileged rights given"), "{heading}");
    let way_in = "! 1 times: the way in when everything fails loses its protection";
    assert!(comment.contains(way_in), "{}", &comment[..3000]);
    assert!(comment.contains("3000 groups"), "{}", &comment[..3000]);
}

#[test]
fn thousands_of_places_are_summed_up() {
    let mut after = model();
    let names: Vec<String> = (0..1500).map(|number| format!("account-{number}")).collect();
    for (number, name) in (100_000_000_000_u64..).zip(&names) {
        after.account("spi", name, &number.to_string(), "hub");
    }
    let before = after.given();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    after.grant("debian:admin", "root", &names);
    let comment = commented(&before, &after.given());
    assert!(comment.contains("TOO LARGE"), "{}", &comment[..2000]);
    assert!(comment.contains("1500 grants"), "{}", &comment[..2000]);
    assert!(comment.contains("in 1500 accounts"), "{}", &comment[..2000]);
}

#[test]
fn one_long_line_pushes_nothing_out() {
    let mut before = model().given();
    protect(&mut before, ["root-alice".to_owned()].into_iter());
    let mut after = model();
    let permissions: Vec<String> = (0..9000).map(|number| format!("permission-{number}")).collect();
    let permissions: Vec<&str> = permissions.iter().map(String::as_str).collect();
    after.role("operator", &permissions, false);
    let mut after = after.given();
    let long = "long ".repeat(20_000);
    protect(&mut after, [long].into_iter());
    let comment = commented(&before, &after);
    assert!(comment.contains("root-alice in all accounts) is no longer protected"));
    assert!(comment.contains("role operator at memory"), "{}", &comment[..2000]);
    assert!(!comment.contains("TOO LARGE"));
}
