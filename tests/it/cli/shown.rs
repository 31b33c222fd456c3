//! What is shown to whom: formats, silence, metrics, help.

use std::fs;

use serde_json::Value;

use super::site::{PEOPLE, Site};

fn leave(site: &Site) {
    for login in ["eilidh", "farid", "gudrun"] {
        site.edit_person(login, |entry| format!("{entry}\naccountStatus: inactive"));
    }
}

#[test]
fn json_is_one_document() {
    let site = Site::new();
    let described: Value =
        serde_json::from_str(&site.run(&["schema", "report"]).ends_with(0).out).unwrap();
    let parse = |text: &str| -> Value {
        let document: Value = serde_json::from_str(text).expect("one JSON document");
        for key in described["required"].as_array().unwrap() {
            assert!(document.get(key.as_str().unwrap()).is_some(), "{key}");
        }
        for key in document.as_object().unwrap().keys() {
            assert!(described["properties"].get(key).is_some(), "{key}");
        }
        document
    };
    let dry = parse(&site.run(&["--dry-run", "--format", "json"]).ends_with(0).out);
    assert!(dry["changes"][0].get("outcome").is_none());
    let run = parse(&site.run(&["--format", "json"]).ends_with(0).out);
    assert_eq!(run["digest"], dry["digest"]);
    assert_eq!(run["changes"][0]["outcome"], "applied");
    let idle = parse(&site.run(&["--format", "json"]).ends_with(0).out);
    assert_eq!(idle["changes"].as_array().unwrap().len(), 0);
    leave(&site);
    parse(&site.run(&["--format", "json"]).ends_with(3).out);
}

#[test]
fn markdown_shows_the_plan_and_how_it_ended() {
    let site = Site::new();
    let dry = site.run(&["--dry-run", "--format", "markdown"]).ends_with(0);
    let run = site.run(&["--format", "markdown"]).ends_with(0);
    let rest = run.out.strip_prefix(&dry.out).expect("the same plan");
    assert_eq!(rest, "\n    Done: 136 applied\n");
}

#[test]
fn quiet_is_silent_when_all_is_well() {
    let site = Site::applied();
    for arguments in [&["-q"][..], &["--quiet", "--dry-run"], &["-q", "--format", "json"]] {
        let run = site.run(arguments).ends_with(0);
        assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""));
    }
    assert!(site.run(&["record", "list"]).out.lines().count() > 2, "they are recorded");
    fs::rename(site.root().join(PEOPLE), site.path("away")).unwrap();
    let run = site.run(&["-q"]).ends_with(4);
    assert!(run.out.contains("directory debian"), "{}", run.out);
    fs::rename(site.path("away"), site.root().join(PEOPLE)).unwrap();
    leave(&site);
    let run = site.run(&["-q"]).ends_with(3);
    assert!(run.out.contains("Held"), "{}", run.out);
}

#[test]
fn a_run_in_cron_is_as_long_as_what_happened() {
    let site = Site::applied();
    site.edit_person("tomasz", |entry| format!("{entry}\nsupplementaryGid: mirrors"));
    let run = site.run(&["-q"]).ends_with(0);
    assert_eq!(run.changes().len(), 1);
    assert_eq!(run.out.matches("tomasz").count(), 1, "said once: {}", run.out);
    assert!(run.out.ends_with('\n') && run.out.contains("\nDone: 1 applied\nrecord 4:"));
}

#[test]
fn metrics_tell_success_and_failure_and_keep_the_last_success() {
    let site = Site::new();
    let with = ["--metrics", "../metrics.prom"];
    let last_success = "reconcile_last_success_timestamp_seconds";
    let code = "reconcile_last_exit_code";
    site.run(&with).ends_with(0);
    let first = site.metrics("metrics.prom");
    assert_eq!(first[code], "0");
    let key = "reconcile_changes{organisation=\"spi\",kind=\"user\",effect=\"addition\",outcome=\"applied\"}";
    assert_eq!(first[key], "31");
    let success = &first[last_success];

    leave(&site);
    site.run(&with).ends_with(3);
    let held = site.metrics("metrics.prom");
    assert_eq!((&held[code], &held[last_success]), (&"3".to_owned(), success));
    assert_eq!(held["reconcile_held{organisation=\"spi\",kind=\"user\"}"], "3");

    fs::remove_file(site.root().join(PEOPLE)).unwrap();
    site.run(&with).ends_with(4);
    let incomplete = site.metrics("metrics.prom");
    assert_eq!((&incomplete[code], &incomplete[last_success]), (&"4".to_owned(), success));
    assert_eq!(
        incomplete["reconcile_withheld{organisation=\"spi\",kind=\"user\"}"], "27",
        "of that directory"
    );

    // A run that does not get as far as that tells it, too.
    site.write("inventory/broken.yaml", "grants: {");
    site.run(&with).ends_with(2);
    let bad = site.metrics("metrics.prom");
    assert_eq!((&bad[code], &bad[last_success]), (&"2".to_owned(), success));
}

#[test]
fn metrics_that_cannot_be_written_do_not_keep_a_run_from_its_work() {
    let site = Site::new();
    let run = site.run(&["--metrics", "/nowhere/metrics.prom"]).ends_with(1);
    assert!(run.err.contains("/nowhere/metrics.prom"), "{}", run.err);
    assert!(run.out.contains("Done: 136 applied"), "{}", run.out);
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn a_narrowed_run_asks_only_the_directories_it_needs() {
    let site = Site::new();
    fs::remove_file(site.root().join(PEOPLE)).unwrap();
    let run = site.run(&["--org", "harbour"]).ends_with(0);
    assert!(run.out.contains("harbour/harbour-hub"), "{}", run.out);
    let run = site.run(&["--org", "harbour", "--dry-run"]).ends_with(0);
    assert!(run.changes().is_empty());
    assert!(!run.out.contains("debian"), "another organisation's findings: {}", run.out);
    site.run(&["--org", "spi", "--dry-run"]).ends_with(4);
}

#[test]
fn narrowing_to_an_account_or_a_kind() {
    let site = Site::new();
    let run = site.run(&["--dry-run", "--account", "debian-mirrors"]).ends_with(0);
    let headings: Vec<&str> = run
        .out
        .lines()
        .filter(|line| line.starts_with("spi/") || line.starts_with("harbour/"))
        .collect();
    assert!(headings.iter().all(|line| line.starts_with("spi/debian-mirrors  ")), "{headings:?}");
    site.run(&["--only", "users"]).ends_with(0);
    let cloud = site.world().describe().unwrap();
    assert!(!cloud.is_empty() && cloud.iter().all(|line| line.contains(" user ")), "{cloud:?}");
    assert!(!site.run(&[]).ends_with(0).changes().is_empty());
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn help_of_every_subcommand() {
    let site = Site::new();
    for subcommand in [
        "",
        "plan",
        "status",
        "apply",
        "check",
        "init",
        "schema",
        "record",
        "record list",
        "completions",
        "manual",
    ] {
        let mut arguments: Vec<&str> = subcommand.split_whitespace().collect();
        arguments.push("--help");
        let mut command = site.bare(&arguments);
        let help = super::site::ran(command.env("COLUMNS", "100")).ends_with(0);
        let name = format!("help_{}", if subcommand.is_empty() { "run" } else { subcommand });
        insta::assert_snapshot!(name.replace(' ', "_"), help.out);
    }
}

#[test]
fn more_is_told_on_stderr_with_every_v() {
    let site = Site::new();
    let quiet = site.run(&["--dry-run"]).ends_with(0);
    assert_eq!(quiet.err.lines().filter(|line| line.contains("read")).count(), 0);
    let read = site.run(&["--dry-run", "-v"]).ends_with(0).err;
    assert!(read.contains("directory read") && read.contains("account read"), "{read}");
    let calls = site.run(&["-vv"]).ends_with(0).err;
    for told in ["step=\"create user\"", "call=\"apply\"", "attempt=1", "outcome=\"done\""] {
        assert!(calls.contains(told), "{told}: {calls}");
    }
    let all = site.run(&["--dry-run", "-vvv"]).ends_with(0).err;
    assert!(all.contains("operation=\"ListUsers\""), "{all}");
}
