//! Runs that are stopped: by a signal, by kill -9, by a full disk.

use std::time::Duration;

use super::site::{Site, ran, until};

#[test]
fn an_interrupted_run_finishes_what_is_under_way_and_says_so() {
    let site = Site::new();
    let stalled = site.stall_writes();
    let run = site.start("run", &[]);
    run.until_in_a_write();
    run.interrupt();
    until("the signal arrives", || run.err().contains("interrupted: finishing what is under way"));
    drop(stalled);
    let run = run.wait().ends_with(8);
    assert!(run.out.contains("Interrupted: "), "{}", run.out);
    assert!(run.out.contains(" applied, ") && run.out.contains(" skipped"), "{}", run.out);
    let cloud = site.world().describe().unwrap();
    assert!(!cloud.is_empty(), "the step in hand was finished");
    assert!(site.run(&["record", "verify"]).ends_with(0).out.contains("1 run: untouched"));
    assert!(site.run(&["record", "list"]).out.contains(" 8 "));
    // One more run does the rest, and only that.
    let dry = site.run(&["--dry-run"]).ends_with(0);
    assert_eq!(cloud.len() + dry.changes().len(), 136, "{}", dry.out);
    site.run(&[]).ends_with(0);
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn a_second_signal_ends_it_at_once_and_a_rerun_mends() {
    let site = Site::new();
    let stalled = site.stall_writes();
    let run = site.start("run", &[]);
    run.until_in_a_write();
    run.interrupt();
    until("the first signal arrives", || run.err().contains("interrupted"));
    run.interrupt();
    run.wait().ends_with(8);
    drop(stalled);
    let next = site.run(&[]).ends_with(0);
    assert!(next.err.contains("did not end well"), "{}", next.err);
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
}

#[test]
fn killed_anywhere_it_converges() {
    let site = Site::new();
    let journal = site.state().join("memory.jsonl");
    let lines = || std::fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    // One of them is certainly in the middle, however fast or slow the machine is.
    let stalled = site.stall_writes();
    let run = site.start("run", &[]);
    run.until_in_a_write();
    run.kill();
    drop(stalled);
    let list = site.run(&["record", "list"]).ends_with(0);
    assert!(list.out.contains("DIED"), "killed in the middle:\n{}", list.out);
    for round in 0..9_u64 {
        let mut run = site.start("run", &[]);
        let before = lines();
        until("it has changed a few things, or all that was left", || {
            // The last line may not be whole yet.
            let err = run.err();
            let whole = err.rsplit_once('\n').map_or("", |(lines, _)| lines);
            assert!(whole.lines().all(|line| line.contains("did not end well")), "{whole}");
            lines() > before + usize::try_from(round).unwrap() % 5 || run.has_ended()
        });
        std::thread::sleep(Duration::from_micros(311 * round));
        run.kill();
        let verified = site.run(&["record", "verify"]).ends_with(0);
        assert!(verified.out.contains("untouched"), "{}", verified.out);
    }
    site.run(&[]).ends_with(0);
    let cloud = site.world().describe().unwrap();
    assert!(site.run(&[]).ends_with(0).changes().is_empty());
    assert_eq!(cloud, Site::applied().world().describe().unwrap(), "as if it had never died");
}

#[test]
fn a_full_disk_stops_the_run_honestly() {
    for blocks in [8, 40, 90] {
        let site = Site::new();
        let program = env!("CARGO_BIN_EXE_reconcile");
        let state = site.state();
        let mut shell = site.shell(&format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {program} --state {}",
            state.display()
        ));
        let run = ran(&mut shell);
        assert!([Some(1), Some(5)].contains(&run.code), "{blocks}: {run:?}");
        assert!(!(run.out.clone() + &run.err).contains("panicked"), "{run:?}");
        site.run(&[]).ends_with(0);
        assert!(site.run(&[]).ends_with(0).changes().is_empty());
        site.run(&["record", "verify"]).ends_with(0);
    }
}

#[test]
fn nobody_reading_does_not_stop_a_run() {
    let site = Site::new();
    let program = env!("CARGO_BIN_EXE_reconcile");
    let state = site.state();
    let line =
        format!("{{ {program} -vv --state {} 2>&1; echo $? > ../code; }} | true", state.display());
    ran(&mut site.shell(&line)).ends_with(0);
    assert_eq!(std::fs::read_to_string(site.path("code")).unwrap(), "0\n");
    assert!(site.run(&[]).ends_with(0).changes().is_empty(), "it did everything");
}

#[test]
fn a_result_that_cannot_be_written_does_not_stop_a_run() {
    let site = Site::new();
    let mut command = site.command(&[]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = command.stdout(full).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(site.run(&[]).ends_with(0).changes().is_empty(), "it did everything");
}
