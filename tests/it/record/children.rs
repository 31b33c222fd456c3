//! This test binary as a second process: a run that others can kill.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reconcile::lock::{Holder, Locks};
use reconcile::record::EndFacts;

use super::runs::{events, start};

const ROLE: &str = "RECONCILE_TEST_ROLE";
const STATE: &str = "RECONCILE_TEST_STATE";

/// Killed by its process id when dropped, also when the test fails.
pub struct Process(Child);

impl Process {
    pub fn kill(&mut self) {
        self.0.kill().expect("a child can be killed");
        self.0.wait().expect("a killed child ends");
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn wait(&mut self) -> bool {
        self.0.wait().expect("a child ends").success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts this binary in a role of [`play`]; `shell` is put before the program in a shell line.
pub fn process(role: &str, state: &Path, shell: &str) -> Process {
    let binary = std::env::current_exe().expect("the test binary has a path");
    let child = Command::new("sh")
        .arg("-c")
        .arg(format!("{shell} exec \"$@\""))
        .arg("sh")
        .arg(binary)
        .args(["--exact", "record::children::play", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(STATE, state)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the test binary starts");
    Process(child)
}

/// Waits for something another process does.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(20), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn holder() -> Holder {
    Holder {
        user: "anna".into(),
        host: "tower".into(),
        process: std::process::id(),
        since: Timestamp::UNIX_EPOCH,
        arguments: vec!["reconcile".into()],
    }
}

#[test]
#[ignore = "a second process of other tests"]
fn play() {
    let state = std::env::var_os(STATE).expect("started by another test");
    let state = Path::new(&state);
    match std::env::var(ROLE).expect("started by another test").as_str() {
        "runs without end" => loop {
            let mut run = start(state);
            for event in (0..20).flat_map(events) {
                run.event(&event).expect("an event is written");
            }
            run.end(EndFacts { exit_code: 0 }).expect("a run ends");
        },
        "fills the disk" => {
            let mut run = start(state);
            let error = (0..10_000).flat_map(events).find_map(|event| run.event(&event).err());
            assert!(error.is_some(), "the disk was never full");
            // Whether the last line still fits is a matter of luck.
            let _ = run.end(EndFacts { exit_code: 1 });
        }
        "holds the lock" => {
            let _locks = Locks::take(state, &["spi".into()], &holder()).expect("free");
            std::fs::write(state.join("holding"), "").expect("writable");
            loop {
                std::thread::park();
            }
        }
        "counts under the lock" => {
            for _ in 0..25 {
                let locks = loop {
                    if let Ok(locks) = Locks::take(state, &["spi".into()], &holder()) {
                        break locks;
                    }
                    std::thread::yield_now();
                };
                let file = state.join("count");
                let count: u32 = std::fs::read_to_string(&file).unwrap().parse().unwrap();
                std::fs::write(&file, (count + 1).to_string()).unwrap();
                drop(locks);
            }
        }
        role => panic!("no role {role}"),
    }
}
