//! A copy of the repository's example with the binary to run in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reconcile::cloud::memory::{MemoryVendor, MemoryWorld};
use tempfile::TempDir;

use crate::peers::operator;

pub const PEOPLE: &str = "inventory/people/debian.ldif";
/// The account number of `spi-hub`.
pub const SPI_HUB: &str = "100000000001";

pub struct Site {
    folder: TempDir,
}

/// How one invocation ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Everything it said.
    pub fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// The lines of changes.
    pub fn changes(&self) -> Vec<&str> {
        let signs = ["  + ", "  ~ ", "  - ", "  ! "];
        let is_change = |line: &&str| signs.iter().any(|sign| line.starts_with(sign));
        let before_findings = self.out.split("\nHeld\n").next().unwrap_or_default();
        before_findings.lines().filter(is_change).map(str::trim).collect()
    }

    /// The digest the plan's last line states.
    #[track_caller]
    pub fn digest(&self) -> String {
        let (_, rest) = self.out.split_once("plan sha256 ").expect("a plan with changes");
        rest[..64].to_owned()
    }
}

impl Site {
    /// The people of the example, before its first run. What mirrors need takes days.
    pub fn new() -> Self {
        let site = Self::with_mirrors();
        fs::remove_file(site.root().join("mirrors/debian.yaml"))
            .expect("the mirror of the example");
        fs::remove_dir_all(site.root().join("mirrors/keyrings")).expect("its keyring");
        site
    }

    /// The whole example, before its first run.
    pub fn with_mirrors() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let site = Self { folder };
        for name in ["inventory", "policies", "mirrors"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            copy(&from, &site.root().join(name));
        }
        fs::create_dir(site.path("home")).expect("a home");
        site
    }

    /// The example after its first run.
    pub fn applied() -> Self {
        let site = Self::new();
        site.run(&[]).ends_with(0);
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn root(&self) -> PathBuf {
        self.path("site")
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The binary, in the site, with nothing in its environment but what it needs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.arg("--state").arg(self.state());
        command
    }

    /// Without `--state`.
    pub fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("USER", "tester")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.root())
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    /// A shell line, run as the binary is.
    pub fn shell(&self, line: &str) -> Command {
        let bare = self.bare(&[]);
        let mut command = Command::new("sh");
        command.env_clear().current_dir(self.root()).stdin(Stdio::null()).args(["-c", line]);
        command.envs(bare.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Starts it, to be killed when the test ends.
    pub fn start(&self, name: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        let (out, err) = (self.path(&format!("{name}.out")), self.path(&format!("{name}.err")));
        command.stdout(fs::File::create(&out).expect("a file"));
        command.stderr(fs::File::create(&err).expect("a file"));
        Running { child: command.spawn().expect("the binary starts"), out, err }
    }

    /// Makes every write to the cloud wait until the value is dropped; reads go on.
    pub fn stall_writes(&self) -> fs::File {
        fs::create_dir_all(self.state()).expect("a state folder");
        let path = self.state().join("memory.jsonl.lock");
        let file =
            fs::OpenOptions::new().create(true).append(true).open(path).expect("a lock file");
        file.lock_shared().expect("nobody else writes");
        file
    }

    /// Writes the operator's file.
    pub fn operator(&self, text: &str) {
        operator::write(&self.path("home"), text);
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root().join(name)).expect("a file of the site")
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.root().join(name), text).expect("a file of the site");
    }

    /// Replaces the one place where `from` is written.
    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert_eq!(text.matches(from).count(), 1, "{from} in {name}");
        self.write(name, &text.replace(from, to));
    }

    /// Edits the entry of one person.
    #[track_caller]
    pub fn edit_person(&self, login: &str, change: impl FnOnce(&str) -> String) {
        let text = self.read(PEOPLE);
        let begins = text.find(&format!("dn: uid={login},")).expect("somebody of that name");
        let ends = text[begins..].find("\n\n").map_or(text.len(), |length| begins + length);
        let entry = change(&text[begins..ends]);
        self.write(PEOPLE, &format!("{}{entry}{}", &text[..begins], &text[ends..]));
    }

    /// The embedded cloud behind the state file.
    pub fn world(&self) -> MemoryWorld {
        MemoryVendor::open(&self.state().join("memory.jsonl")).expect("a state file").world()
    }

    /// The metrics in a file, by name and labels.
    pub fn metrics(&self, name: &str) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.path(name)).expect("metrics");
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }
}

pub fn ran(command: &mut Command) -> Ran {
    Ran::of(command.output().expect("the binary runs"))
}

/// Every file below a folder with its content.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path.clone());
                found.insert(path, Vec::new());
            } else {
                let content = fs::read(&path).expect("a file");
                found.insert(path, content);
            }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for (path, content) in files(from) {
        let target = to.join(path.strip_prefix(from).expect("below"));
        if path.is_dir() {
            fs::create_dir_all(target).expect("a folder");
        } else {
            fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
            fs::write(target, content).expect("a copy");
        }
    }
}

/// A run under way, killed by its process id when the test ends.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn out(&self) -> String {
        fs::read_to_string(&self.out).expect("its stdout")
    }

    pub fn err(&self) -> String {
        fs::read_to_string(&self.err).expect("its stderr")
    }

    /// Waits until it is in the middle of a write, which [`Site::stall_writes`] stalls.
    #[track_caller]
    pub fn until_in_a_write(&self) {
        let process = format!(" {} ", self.id());
        until("a write begins", || {
            assert!(self.err().is_empty(), "{}", self.err());
            let locks = fs::read_to_string("/proc/locks").expect("the kernel's list of locks");
            locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&process))
        });
    }

    pub fn interrupt(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it is ours");
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_some()
    }

    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    pub fn wait(mut self) -> Ran {
        let code = self.child.wait().expect("it ends").code();
        Ran { code, out: self.out(), err: self.err() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something another process does.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "it does not happen: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
