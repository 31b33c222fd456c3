//! One call of git: what it gets to know, how long it may take, how much it may say.

use std::ffi::OsStr;
use std::io::{BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::GitError;
use crate::masks;

/// How long a call may take. Reading a hundred megabytes of objects takes seconds.
const LONGEST: Duration = Duration::from_mins(1);

/// How much is read of what git complains about.
const LONGEST_COMPLAINT: u64 = 16 << 10;

/// How much of that is shown.
const SHOWN: usize = 500;

/// What is set for every call, whatever the repository's or anybody's settings say.
const SETTINGS: [&str; 22] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.editor=false",
    "core.askPass=",
    "core.sshCommand=false",
    "core.gitProxy=",
    "core.alternateRefsCommand=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.useReplaceRefs=false",
    "core.untrackedCache=false",
    "credential.helper=",
    "diff.external=",
    "gpg.program=false",
    "interactive.diffFilter=",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "protocol.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// What is said to git instead.
const VARIABLES: [(&str, &str); 11] = [
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_GRAFT_FILE", "/dev/null"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_PAGER", "cat"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
    ("PAGER", "cat"),
];

/// Whether a variable of the surroundings says something to git: whatever begins as its own do, for
/// each version knows more of them (`GIT_TRACE_…` alone writes a file, `GIT_CONFIG_KEY_0` sets
/// anything), and who asks for a password.
///
/// Settings and safe folders of the operator are those of the usual files, found by `HOME` and
/// `XDG_CONFIG_HOME`.
fn speaks_to_git(variable: &OsStr) -> bool {
    variable.as_encoded_bytes().starts_with(b"GIT_") || variable == "SSH_ASKPASS"
}

/// git in a folder, and in nothing that anybody else said.
pub(super) fn program(folder: &Path) -> Command {
    let mut command = Command::new("git");
    // Their names only: what they hold is not looked at.
    for (variable, _) in std::env::vars_os().filter(|(name, _)| speaks_to_git(name)) {
        command.env_remove(variable);
    }
    command.envs(VARIABLES).arg("-C").arg(folder);
    command.args(["--no-pager", "--no-replace-objects", "--literal-pathspecs"]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    // A process group of its own, so that all of it can be ended.
    command.process_group(0);
    command
}

/// A call that is about to be made.
pub(super) struct Call {
    operation: &'static str,
    command: Command,
}

/// What came of a call.
pub(super) struct Output {
    pub(super) success: bool,
    pub(super) stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Output {
    /// What git complains about, in one line.
    pub(super) fn said(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let line = text.lines().next().unwrap_or("no reason given");
        masks::shown(line.trim_start_matches("fatal: "), SHOWN)
    }
}

impl Call {
    pub(super) fn new(operation: &'static str, command: Command) -> Self {
        Self { operation, command }
    }

    pub(super) fn args<I: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = I>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs it to its end; at most so many bytes of output.
    pub(super) fn output(mut self, most: u64) -> Result<Output, GitError> {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().map_err(GitError::Run)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let operation = self.operation;
        let within = Within::new(&child);
        let complaint = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stderr) = stderr {
                // What it says when it fails is worth less than that it goes on.
                let _ = stderr.by_ref().take(LONGEST_COMPLAINT).read_to_end(&mut bytes);
                let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            }
            bytes
        });
        let mut bytes = Vec::new();
        let mut read = Ok(0);
        if let Some(stdout) = stdout {
            read = stdout.take(most + 1).read_to_end(&mut bytes);
        }
        let too_much = bytes.len() as u64 > most;
        if too_much || read.is_err() {
            end(&child);
        }
        let in_time = within.over(operation);
        let status = child.wait().map_err(GitError::Run)?;
        let stderr = complaint.join().unwrap_or_default();
        in_time?;
        if too_much {
            return Err(GitError::TooMuch { operation, bytes: most });
        }
        read.map_err(GitError::Run)?;
        Ok(Output { success: status.success(), stdout: bytes, stderr })
    }

    /// Writes lines to it and reads its answers, both at the same time: either pipe may fill up.
    pub(super) fn talk<T>(
        mut self,
        lines: &[&str],
        read: impl FnOnce(&mut BufReader<std::process::ChildStdout>) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = self.command.spawn().map_err(GitError::Run)?;
        let operation = self.operation;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (mut input, output) = pipes.ok_or(GitError::Unexpected { operation })?;
        let within = Within::new(&child);
        let result = std::thread::scope(|scope| {
            scope.spawn(move || {
                for line in lines {
                    if writeln!(input, "{line}").is_err() {
                        break;
                    }
                }
            });
            let result = read(&mut BufReader::new(output));
            if result.is_err() {
                end(&child);
            }
            result
        });
        let in_time = within.over(operation);
        child.wait().map_err(GitError::Run)?;
        in_time.and(result)
    }
}

/// Ends a call and whatever it started.
fn end(child: &Child) {
    if let Some(id) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
    }
}

/// Ends a call that takes too long.
struct Within {
    over: std::sync::mpsc::Sender<()>,
    watch: std::thread::JoinHandle<bool>,
}

impl Within {
    fn new(child: &Child) -> Self {
        let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let (over, is_over) = channel();
        let watch = std::thread::spawn(move || {
            let late = is_over.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout);
            if late && let Some(id) = id {
                // Not waited for yet, so the id is still its own.
                let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
            }
            late
        });
        Self { over, watch }
    }

    /// All was read: nothing is to be ended any more.
    fn over(self, operation: &'static str) -> Result<(), GitError> {
        // It is gone where time was up.
        let _ = self.over.send(());
        match self.watch.join() {
            Ok(false) => Ok(()),
            _ => Err(GitError::TooSlow { operation, seconds: LONGEST.as_secs() }),
        }
    }
}
