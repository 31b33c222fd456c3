//! The files of a revision, read through the `git` command.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::SourceTree;
use super::source_tree::{FOLDERS, MAX_FILE_BYTES};

/// Why a revision could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// The text cannot name a revision.
    #[error("`{0}` cannot be a revision")]
    BadName(String),
    /// git knows no such commit, or the root is in no repository.
    #[error("no commit `{revision}` in the repository of {}: {said}", root.display())]
    NoCommit {
        /// What was asked for.
        revision: String,
        /// Where.
        root: PathBuf,
        /// git's words.
        said: String,
    },
    /// The command cannot be run.
    #[error("cannot run git")]
    Git(#[source] std::io::Error),
    /// The command did not do what was asked.
    #[error("git {operation} failed: {said}")]
    Failed {
        /// Its subcommand.
        operation: &'static str,
        /// git's words.
        said: String,
    },
    /// The command wrote something else than it is documented to.
    #[error("git {operation} wrote something unexpected")]
    Unexpected {
        /// Its subcommand.
        operation: &'static str,
    },
}

/// Reads the folders as they were in a revision: a commit, branch or tag as git names them.
///
/// # Errors
/// When git cannot say what was in it. Problems with single files are findings.
pub fn read_revision(root: &Path, revision: &str) -> Result<SourceTree, RevisionError> {
    if revision.is_empty() || revision.starts_with('-') || revision.chars().any(char::is_control) {
        return Err(RevisionError::BadName(revision.to_owned()));
    }
    let commit = commit(root, revision)?;
    let mut tree = SourceTree::default();
    let mut wanted = Vec::new();
    let mut seen = [false; FOLDERS.len()];
    for entry in list(root, &commit)?.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let entry = Entry::parse(entry)?;
        let Some(path) = entry.path else {
            let shown = String::from_utf8_lossy(entry.raw_path).into_owned();
            tree.wrong(&shown, "name-not-utf-8", "the name is not UTF-8", "it was not read");
            continue;
        };
        let folder = FOLDERS.iter().position(|(name, _)| {
            path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
        });
        if let Some(folder) = folder {
            seen[folder] = true;
            let is_read = FOLDERS[folder].1;
            let is_hidden = path.split('/').any(|name| name.starts_with('.'));
            if !is_hidden && tree.has_plain_name(path) {
                sort_out(&mut tree, &entry, path, is_read, &mut wanted);
            }
        }
    }
    for ((name, is_read), seen) in FOLDERS.iter().zip(seen) {
        if *is_read && !seen {
            tree.wrong(name, "no-folder", format!("there is no such folder in {revision}"), "");
        }
    }
    read_blobs(root, &wanted, &mut tree)?;
    Ok(tree)
}

/// Whether git has a file that was something else in a revision than it is in the root now.
///
/// `false` also for what git cannot tell: a file that is in no repository, or an unknown revision.
pub fn is_changed_since(root: &Path, revision: &str, path: &Path) -> bool {
    let Ok(commit) = commit(root, revision) else { return false };
    git(root)
        .args(["-c", "core.fsmonitor=false", "--literal-pathspecs"])
        .args(["diff", "--quiet", "--no-ext-diff", "--no-textconv", &commit, "--"])
        .arg(path)
        .output()
        .is_ok_and(|output| output.status.code() == Some(1))
}

/// One line of `git ls-tree -l -z`: mode, type, id, size, path.
struct Entry<'a> {
    mode: &'a str,
    id: &'a str,
    size: u64,
    raw_path: &'a [u8],
    path: Option<&'a str>,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, RevisionError> {
        let unexpected = || RevisionError::Unexpected { operation: "ls-tree" };
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(unexpected)?;
        let head = std::str::from_utf8(&line[..tab]).map_err(|_| unexpected())?;
        let raw_path = &line[tab + 1..];
        let mut words = head.split_ascii_whitespace();
        let (Some(mode), Some(_), Some(id), Some(size)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(unexpected());
        };
        // A submodule has `-` for a size.
        let size = size.parse().unwrap_or(0);
        Ok(Self { mode, id, size, raw_path, path: std::str::from_utf8(raw_path).ok() })
    }
}

fn sort_out(
    tree: &mut SourceTree,
    entry: &Entry<'_>,
    path: &str,
    is_read: bool,
    wanted: &mut Vec<(String, String)>,
) {
    match entry.mode {
        "120000" => tree.symbolic_link(path),
        "160000" => tree.wrong(path, "submodule", "submodules are not read", "put the files here"),
        _ if !tree.wants(path) => {}
        _ if !is_read => {
            tree.unread.insert(path.to_owned());
        }
        _ if entry.size > MAX_FILE_BYTES => tree.too_large(path, entry.size),
        _ => wanted.push((path.to_owned(), entry.id.to_owned())),
    }
}

/// git in the root, away from whatever repository the surroundings speak of.
fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).env("LC_ALL", "C").stdin(Stdio::null());
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    command
}

fn commit(root: &Path, revision: &str) -> Result<String, RevisionError> {
    let output = git(root)
        .args(["rev-parse", "--verify", "--end-of-options"])
        .arg(format!("{revision}^{{commit}}"))
        .output()
        .map_err(RevisionError::Git)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(RevisionError::NoCommit {
            revision: revision.to_owned(),
            root: root.to_owned(),
            said: first_line(&output.stderr),
        })
    }
}

/// Everything in the three folders. Paths are relative to the root, also where that is a folder
/// of a larger repository.
fn list(root: &Path, commit: &str) -> Result<Vec<u8>, RevisionError> {
    let output = git(root)
        .args(["ls-tree", "-r", "-z", "-l", commit, "--"])
        .args(FOLDERS.map(|(folder, _)| folder))
        .output()
        .map_err(RevisionError::Git)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(RevisionError::Failed { operation: "ls-tree", said: first_line(&output.stderr) })
    }
}

fn read_blobs(
    root: &Path,
    wanted: &[(String, String)],
    tree: &mut SourceTree,
) -> Result<(), RevisionError> {
    let mut child = git(root)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(RevisionError::Git)?;
    let unexpected = || RevisionError::Unexpected { operation: "cat-file" };
    let (mut input, output) = child.stdin.take().zip(child.stdout.take()).ok_or_else(unexpected)?;
    let read = std::thread::scope(|scope| {
        // Asking and reading at the same time: either pipe may fill up.
        scope.spawn(move || {
            for (_, id) in wanted {
                if writeln!(input, "{id}").is_err() {
                    break;
                }
            }
        });
        let mut output = std::io::BufReader::new(output);
        wanted
            .iter()
            .map(|(path, id)| Some((path.clone(), blob(&mut output, id)?)))
            .collect::<Option<Vec<_>>>()
    });
    child.wait().map_err(RevisionError::Git)?;
    for (path, bytes) in read.ok_or_else(unexpected)? {
        tree.take(path, bytes);
    }
    Ok(())
}

/// One answer of `git cat-file --batch`: `ID blob SIZE\n`, the bytes, `\n`.
fn blob(output: &mut impl std::io::BufRead, id: &str) -> Option<Vec<u8>> {
    let mut head = String::new();
    output.read_line(&mut head).ok()?;
    let size = head.trim_end().strip_prefix(id)?.strip_prefix(" blob ")?;
    let size: u64 = size.parse().ok().filter(|size| *size <= MAX_FILE_BYTES)?;
    let mut bytes = Vec::new();
    output.take(size).read_to_end(&mut bytes).ok()?;
    let mut end = [0];
    output.read_exact(&mut end).ok()?;
    (bytes.len() as u64 == size && end == *b"\n").then_some(bytes)
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next().unwrap_or("no reason given");
    line.trim_start_matches("fatal: ").to_owned()
}
