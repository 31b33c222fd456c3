//! On a terminal a run asks before it changes anything.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::site::{Ran, Site, ran};

/// Longer than any run takes on a busy machine.
const LONG: Duration = Duration::from_mins(1);

/// A run with a terminal as its stdin and stderr.
struct Seated {
    child: Child,
    terminal: File,
}

impl Seated {
    fn run(site: &Site, arguments: &[&str]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&controller).expect("it can be used");
        unlockpt(&controller).expect("it can be used");
        let name = ptsname(&controller, Vec::new()).expect("it has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let end = || -> OwnedFd {
            rustix::fs::open(name.as_c_str(), flags, Mode::empty()).expect("the other end")
        };
        let child = site
            .command(arguments)
            .stdin(Stdio::from(end()))
            .stderr(Stdio::from(end()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        Self { child, terminal: File::from(controller) }
    }

    /// Everything on the terminal until the question stands.
    fn question(&mut self) -> String {
        let mut seen = String::new();
        let mut buffer = [0; 4096];
        let begin = Instant::now();
        while !seen.contains("[y/N] ") {
            assert!(begin.elapsed() < LONG, "no question: {seen}");
            let read = self.terminal.read(&mut buffer).expect("something is said");
            seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        seen
    }

    fn answer(mut self, line: &str) -> Ran {
        self.terminal.write_all(line.as_bytes()).expect("it can be typed");
        self.ended()
    }

    fn ended(self) -> Ran {
        Ran::of(self.child.wait_with_output().expect("it ends"))
    }
}

#[test]
fn whoever_says_no_changes_nothing() {
    let site = Site::new();
    for answer in ["n\n", "\n", "\u{4}"] {
        let mut seated = Seated::run(&site, &[]);
        let question = seated.question();
        assert!(
            question.contains("Make these changes (136; nobody loses anything)? [y/N]"),
            "{question}"
        );
        let run = seated.answer(answer).ends_with(8);
        assert!(run.out.contains("create user"), "the plan is shown first: {}", run.out);
        assert!(site.world().describe().expect("a cloud").is_empty(), "{answer:?}");
    }
    // Where the plan is not on stdout, it is with the question.
    let mut seated = Seated::run(&site, &["--format", "json"]);
    assert!(seated.question().contains("create user"));
    seated.answer("no\n").ends_with(8);
    assert!(site.world().describe().expect("a cloud").is_empty());
}

#[test]
fn whoever_says_yes_is_asked_once_and_never_for_nothing() {
    let site = Site::new();
    let mut seated = Seated::run(&site, &[]);
    seated.question();
    let run = seated.answer("y\n").ends_with(0);
    assert!(run.out.contains("Done: 136 applied"), "{}", run.out);
    Seated::run(&site, &[]).ended().ends_with(0);
}

#[test]
fn yes_on_the_command_line_and_cron_are_not_asked() {
    let site = Site::new();
    Seated::run(&site, &["--dry-run"]).ended().ends_with(0);
    Seated::run(&site, &["--yes"]).ended().ends_with(0);
    assert!(!site.world().describe().expect("a cloud").is_empty());
    let site = Site::new();
    ran(&mut site.command(&[])).ends_with(0);
    assert!(!site.world().describe().expect("a cloud").is_empty());
}

#[test]
fn a_saved_plan_is_asked_about_too() {
    let site = Site::new();
    let plan = site.path("plan.json");
    let plan = plan.to_str().expect("a plain path");
    site.run(&["plan", "--out", plan]).ends_with(0);
    let mut seated = Seated::run(&site, &["apply", plan]);
    seated.question();
    seated.answer("n\n").ends_with(8);
    // It was not used up by that.
    let mut seated = Seated::run(&site, &["apply", plan]);
    seated.question();
    seated.answer("y\n").ends_with(0);
}
