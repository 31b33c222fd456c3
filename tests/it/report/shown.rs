//! What a realistic plan and run look like.

use reconcile::apply::Stopped;
use reconcile::plan::Plan;
use reconcile::report::{self, Detail};

use super::sample::{self, outcomes, plain, reviewed};

#[test]
fn a_plan_as_text() {
    let review = reviewed(sample::plan());
    insta::assert_snapshot!(plain(|out| report::plan(out, &review, Detail::Everything)));
}

#[test]
fn a_plan_in_summary() {
    let review = reviewed(sample::plan());
    insta::assert_snapshot!(plain(|out| report::plan(out, &review, Detail::Summary)));
}

/// Three administrators leave, the limit allows one, and two administrators must stay.
#[test]
fn an_approval_is_offered_only_for_what_it_lets_go() {
    let minimum = |present| sample::leaving(present, 2);
    for (review, offered, told) in [
        (minimum(3), false, "They cannot be approved: "),
        (sample::leaving(3, 0), true, "To let them go, once "),
    ] {
        let text = plain(|out| report::plan(out, &review, Detail::Everything));
        assert!(text.contains(told), "{text}");
        assert_eq!(text.contains("--approve"), offered, "{text}");
    }
    let approved = sample::leaving_approved(3, 2);
    let text = plain(|out| report::plan(out, &approved, Detail::Everything));
    assert!(text.contains("(0 of 3 let go; another rule holds the rest)"), "{text}");
    assert!(text.contains("3 removals (3 held)"), "{text}");
}

#[test]
fn nothing_to_do_is_one_plain_line() {
    let review = reviewed(Plan::empty(jiff::civil::date(2026, 11, 22)));
    assert_eq!(
        plain(|out| report::plan(out, &review, Detail::Everything)),
        "Nothing to do: everything is as it should be.\n"
    );
}

#[test]
fn nothing_to_do_does_not_claim_what_could_not_be_read() {
    let mut plan = sample::plan();
    plan.changes.clear();
    let review = reviewed(plan);
    let text = plain(|out| report::plan(out, &review, Detail::Everything));
    assert!(
        text.ends_with(
            "Nothing to do as far as could be read, 4 not planned because directory debian was \
             not read completely.\n"
        ),
        "{text}"
    );
}

#[test]
fn a_run_as_text() {
    let review = reviewed(sample::plan());
    let run = outcomes(&review, None);
    insta::assert_snapshot!(plain(|out| report::outcomes(out, &review.approved, &run)));
}

#[test]
fn a_run_that_stopped_says_so_in_its_last_line() {
    let review = reviewed(sample::plan());
    for (stopped, begins) in [
        (Stopped::Interrupted, "Interrupted: "),
        (
            Stopped::Unrecorded { why: "no space left on device".into() },
            "Stopped, because what happens could not be recorded (no space left on device): ",
        ),
    ] {
        let run = outcomes(&review, Some(stopped));
        let text = plain(|out| report::outcomes(out, &review.approved, &run));
        assert!(text.lines().last().expect("a line").starts_with(begins), "{text}");
    }
}

#[test]
fn a_plan_as_a_comment() {
    let review = reviewed(sample::plan());
    insta::assert_snapshot!(plain(|out| report::markdown(out, &review)));
}

#[test]
fn a_plan_and_its_run_as_json() {
    let review = reviewed(sample::plan());
    let run = outcomes(&review, None);
    let text = plain(|out| report::json(out, &review, Some(&run)));
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["format"], report::FORMAT);
    assert_eq!(document["digest"], review.approved.plan().digest().as_str());
    let changes = document["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), review.approved.plan().changes.len());
    assert_eq!(changes[8]["outcome"], "applied");
    assert!(changes[4]["held"].is_string());
    insta::assert_snapshot!(serde_json::to_string_pretty(&changes[9]).expect("JSON"));
}

#[test]
fn every_change_is_shown_exactly_once_whatever_the_number() {
    for length in [1, 2, 17, 18] {
        let mut plan = sample::plan();
        let template = plan.changes.clone();
        plan.changes = template[..length].to_vec();
        let review = reviewed(plan);
        let text = plain(|out| report::plan(out, &review, Detail::Everything));
        let shown = text
            .lines()
            .filter(|line| {
                ["  + ", "  ~ ", "  - "].iter().any(|sign| line.starts_with(sign))
                    || (line.starts_with("  ! ") && !line.starts_with("  ! spi:"))
            })
            .count();
        assert_eq!(shown, length);
    }
}

#[test]
fn personal_values_are_nowhere() {
    let review = reviewed(sample::plan());
    let run = outcomes(&review, None);
    let all = [
        plain(|out| report::plan(out, &review, Detail::Everything)),
        plain(|out| report::outcomes(out, &review.approved, &run)),
        plain(|out| report::markdown(out, &review)),
        plain(|out| report::json(out, &review, Some(&run))),
    ];
    for text in all {
        assert!(!text.to_lowercase().contains("planted"), "{text}");
    }
}

#[test]
fn the_schema_describes_the_document() {
    let schema = serde_json::to_value(report::schema()).expect("JSON");
    let described = schema["properties"].as_object().expect("properties");
    let review = reviewed(sample::plan());
    let run = outcomes(&review, Some(Stopped::Interrupted));
    let text = plain(|out| report::json(out, &review, Some(&run)));
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for key in document.as_object().expect("an object").keys() {
        assert!(described.contains_key(key), "{key}");
    }
}
