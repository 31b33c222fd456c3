//! Two runs at the same time.

use super::site::Site;

#[test]
fn of_two_runs_one_writes_and_the_other_says_who_does() {
    let site = Site::new();
    let stalled = site.stall_writes();
    let first = site.start("first", &[]);
    first.until_in_a_write();
    let second = site.run(&["--metrics", "../second.prom"]).ends_with(6);
    assert_eq!(second.out, "");
    let holder = format!(", process {}, since ", first.id());
    assert!(second.err.contains("tester@") && second.err.contains(&holder), "{}", second.err);
    assert!(!site.path("second.prom").exists(), "the run at work writes the metrics");
    let dry = site.run(&["--dry-run"]).ends_with(0);
    assert_eq!(dry.changes().len(), 136, "one may look at any time");
    drop(stalled);
    first.wait().ends_with(0);
    assert!(site.run(&["record", "list"]).out.lines().count() == 2, "the second left no record");
}

#[test]
fn two_organisations_do_not_wait_for_each_other() {
    let site = Site::new();
    let stalled = site.stall_writes();
    let first = site.start("first", &["--org", "spi"]);
    first.until_in_a_write();
    let second = site.start("second", &["--org", "harbour"]);
    drop(stalled);
    first.wait().ends_with(0);
    second.wait().ends_with(0);
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
    site.run(&["record", "verify"]).ends_with(0);
}

#[test]
fn a_race_has_one_winner() {
    let site = Site::new();
    let runs: Vec<_> = (0..4).map(|number| site.start(&number.to_string(), &[])).collect();
    let ended: Vec<_> = runs.into_iter().map(|run| run.wait().code).collect();
    assert!(ended.contains(&Some(0)), "{ended:?}");
    assert!(ended.iter().all(|code| [Some(0), Some(6)].contains(code)), "{ended:?}");
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
    site.run(&["record", "verify"]).ends_with(0);
}
