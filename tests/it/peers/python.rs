//! Servers written in Python, from the virtual environment that `tests/run` makes.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::process::{Process, free_port, wait_until};

/// A running server from the virtual environment of the tests.
pub struct PythonServer {
    process: Process,
    address: SocketAddr,
    folder: TempDir,
}

impl PythonServer {
    /// Runs `python3 PROGRAM…` with the arguments for a port, and returns when it has written
    /// `listening` of that port to its log.
    ///
    /// The log is waited for, and not a connection: on a port that was taken in the meantime,
    /// somebody else's server would answer.
    pub fn start(
        program: &[&str],
        environment: &[(&str, &str)],
        arguments: impl Fn(u16) -> Vec<String>,
        listening: impl Fn(u16) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        // Another process may take a port between choosing it and using it.
        for _ in 0..5 {
            let port = free_port();
            let file = File::create(&log).expect("a log");
            let child = Command::new(python())
                .args(program)
                .args(arguments(port))
                .envs(environment.iter().copied())
                .env("PYTHONUNBUFFERED", "1")
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(file.try_clone().expect("a log"))
                .stderr(file)
                .spawn()
                .expect("python3 can be run");
            let mut process = Process::new(child);
            let marker = listening(port);
            let says = || std::fs::read_to_string(&log).unwrap_or_default().contains(&marker);
            if wait_until(|| says() || process.has_ended()) && !process.has_ended() {
                return Self { process, address: SocketAddr::from(([127, 0, 0, 1], port)), folder };
            }
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        panic!("{program:?} does not start: {said}");
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it at once, as a crash would.
    pub fn end(&mut self) {
        self.process.end();
    }
}

/// The Python of the virtual environment that `tests/run` makes.
fn python() -> PathBuf {
    let Some(folder) = std::env::var_os("RECONCILE_PEERS") else {
        panic!(
            "this test needs servers written in Python: run ./tests/run, which installs them, or \
             set RECONCILE_PEERS to a virtual environment with tests/peers/requirements.txt"
        )
    };
    let python = PathBuf::from(folder).join("bin/python3");
    assert!(python.exists(), "RECONCILE_PEERS has no {}: run ./tests/run", python.display());
    python
}
