//! Which state of the input folders was read, as git tells.

use std::path::Path;
use std::process::{Command, Stdio};

use super::InputVersion;

/// The commit of the repository around `root`, and whether one of `folders` (relative to it)
/// differs from that commit.
///
/// Asks the git command and no shell. That there is no git, no repository or no commit is an
/// answer, not an error.
pub fn input_version(root: &Path, folders: &[&str]) -> InputVersion {
    let version = || -> Result<InputVersion, String> {
        let commit = git(root, &["rev-parse", "--verify", "HEAD"])?.trim().to_owned();
        let mut status = vec!["status", "--porcelain", "--untracked-files=normal", "--"];
        status.extend(folders);
        let dirty = !git(root, &status)?.is_empty();
        Ok(InputVersion::Commit { commit, dirty })
    };
    version().unwrap_or_else(|why| InputVersion::Unknown { why })
}

fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        // A repository's own settings could name a program to run.
        .args(["-c", "core.fsmonitor=false", "--no-optional-locks"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let message = String::from_utf8_lossy(&output.stderr);
        Err(message.lines().next().unwrap_or("git failed without a word").to_owned())
    }
}
