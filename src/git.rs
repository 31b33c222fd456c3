//! The `git` command, called so that nothing in the repository it reads can run or lead elsewhere.
//!
//! A branch of somebody else may be checked out, and a repository may include settings from a file
//! that is in it. So:
//! - Only plumbing that reads objects or the index is called (`rev-parse`, `ls-tree`, `cat-file`,
//!   `ls-files` without a look at the work tree, `config --file`): none of it has a use for filters,
//!   text conversions, hooks, external difference programs or pagers, and all of these are turned off
//!   besides.
//! - The repository is found here and handed to git by its path. A folder in the tree that looks
//!   like a bare repository is none (CVE-2022-24765, `safe.bareRepository`), a `.git` that points
//!   elsewhere counts only when that place points back, and a work tree somewhere else
//!   (`core.worktree`) is not looked at.
//! - Nothing is fetched: an object that is missing is an error (`GIT_NO_LAZY_FETCH`), and no
//!   protocol is allowed (`GIT_ALLOW_PROTOCOL`). Replaced objects and grafts are not believed, and
//!   a repository that borrows objects from another one is refused.
//! - What the surroundings say to git in `GIT_…` variables does not reach it, whatever their names:
//!   the operator's settings and safe folders are those of the usual files.
//! - Output and time are bounded.
//!
//! Sources: git(1) "Environment variables", git-config(1), gitrepository-layout(5) of git 2.47.

mod call;
#[cfg(test)]
mod fuzz;
mod repository;
mod tracked;

use std::io::{BufRead, Read as _};
use std::path::PathBuf;

pub use repository::Repository;
pub use tracked::first_tracked;

use crate::folder::open_inside;

/// Why git could not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The text cannot name a revision.
    #[error("`{0}` cannot be a revision")]
    BadName(String),
    /// The root is in no repository.
    #[error("{} is in no repository of git", .0.display())]
    NoRepository(PathBuf),
    /// The repository is not what it should be.
    #[error("the repository at {} is not read: {why}", path.display())]
    Refused {
        /// Where it is.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// git knows no such commit.
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
    Run(#[source] std::io::Error),
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
    /// An object is not there.
    #[error("the repository lacks the content of {0}; is it a partial clone?")]
    Missing(String),
    /// It did not come to an end.
    #[error("git {operation} took more than {seconds} seconds")]
    TooSlow {
        /// Its subcommand.
        operation: &'static str,
        /// What it may take.
        seconds: u64,
    },
    /// It wrote more than anybody needs.
    #[error("git {operation} wrote more than {bytes} bytes")]
    TooMuch {
        /// Its subcommand.
        operation: &'static str,
        /// What it may write.
        bytes: u64,
    },
}

/// What a name in a commit stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// One entry of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// The id of its content.
    pub id: String,
    /// How large that is.
    pub size: u64,
    /// Its path from the root on, as bytes.
    pub path: Vec<u8>,
}

impl Repository {
    /// The id of a commit, branch or tag as git names them.
    ///
    /// # Errors
    /// There is no such commit.
    pub fn commit(&self, revision: &str) -> Result<String, GitError> {
        if revision.is_empty()
            || revision.starts_with('-')
            || revision.chars().any(char::is_control)
        {
            return Err(GitError::BadName(revision.to_owned()));
        }
        let wanted = format!("{revision}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--end-of-options", &wanted];
        let output = self.call("rev-parse").args(arguments).output(1 << 10)?;
        if output.success {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(GitError::NoCommit {
            revision: revision.to_owned(),
            root: self.root().to_owned(),
            said: output.said(),
        })
    }

    /// What a commit has at these paths and below them. Paths are from the root on, also where that
    /// is a folder of a larger repository.
    ///
    /// # Errors
    /// git cannot list it, or there is too much of it.
    pub fn list(&self, commit: &str, paths: &[&str]) -> Result<Vec<Entry>, GitError> {
        const OPERATION: &str = "ls-tree";
        let output = self
            .call(OPERATION)
            .args([OPERATION, "-r", "-z", "-l", "--full-tree", commit, "--"])
            .args(paths.iter().map(|path| self.path_from_top(path)))
            .output(64 << 20)?;
        if !output.success {
            return Err(GitError::Failed { operation: OPERATION, said: output.said() });
        }
        let lines = output.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        lines.map(|line| listed(line, self.prefix())).collect()
    }

    /// Whether the files in the root are what these entries say, byte by byte.
    ///
    /// Never asks git about a file of the work tree: it would run the filters that the settings
    /// and `.gitattributes` name.
    ///
    /// # Errors
    /// git cannot say what is in an entry.
    pub fn root_has(&self, entries: &[&Entry]) -> Result<bool, GitError> {
        use std::os::unix::ffi::OsStrExt as _;

        let open = |entry: &Entry| {
            let path = std::path::Path::new(std::ffi::OsStr::from_bytes(&entry.path));
            let file = open_inside(self.root(), path).ok()?;
            let is_as_long = file.metadata().is_ok_and(|found| found.len() == entry.size);
            (entry.kind == Kind::File && is_as_long).then_some(file)
        };
        if entries.iter().any(|entry| open(entry).is_none()) {
            return Ok(false);
        }
        let mut same = true;
        self.contents(entries, |number, content| {
            if same {
                let file = open(entries[number]);
                same = file.is_some_and(|mut file| are_same(content, &mut file).unwrap_or(false));
            }
            Ok(())
        })?;
        Ok(same)
    }

    /// Hands over the contents of files one after the other, as they come.
    ///
    /// # Errors
    /// One of them is not there or cannot be read.
    pub fn contents(
        &self,
        wanted: &[&Entry],
        mut take: impl FnMut(usize, &mut dyn std::io::Read) -> std::io::Result<()>,
    ) -> Result<(), GitError> {
        const OPERATION: &str = "cat-file";
        let ids: Vec<&str> = wanted.iter().map(|entry| entry.id.as_str()).collect();
        let call = self.call(OPERATION).args([OPERATION, "--batch"]);
        call.talk(&ids, |output| answers(output, wanted, &mut take))
    }
}

/// One line of `git ls-tree -l -z`: mode, type, id, size, path. Paths begin with `prefix`, which is left
/// out.
fn listed(line: &[u8], prefix: &[u8]) -> Result<Entry, GitError> {
    let unexpected = || GitError::Unexpected { operation: "ls-tree" };
    let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(unexpected)?;
    let head = std::str::from_utf8(&line[..tab]).map_err(|_| unexpected())?;
    let path = line[tab + 1..].strip_prefix(prefix).ok_or_else(unexpected)?.to_vec();
    let mut words = head.split_ascii_whitespace();
    let (Some(mode), Some(_), Some(id), Some(size)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(unexpected());
    };
    if !matches!(id.len(), 40 | 64) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(unexpected());
    }
    let kind = match mode {
        "120000" => Kind::Link,
        "160000" => Kind::Submodule,
        _ => Kind::File,
    };
    // A submodule has `-` for a size, what a partial clone lacks has `BAD`.
    let size = match (kind, size.parse()) {
        (_, Ok(size)) => size,
        (Kind::File | Kind::Link, Err(_)) if size == "BAD" => {
            return Err(GitError::Missing(String::from_utf8_lossy(&path).into_owned()));
        }
        (_, Err(_)) => 0,
    };
    Ok(Entry { kind, id: id.to_owned(), size, path })
}

/// The answers of `git cat-file --batch`, one for each that was asked for.
fn answers(
    output: &mut dyn BufRead,
    wanted: &[&Entry],
    take: &mut dyn FnMut(usize, &mut dyn std::io::Read) -> std::io::Result<()>,
) -> Result<(), GitError> {
    let unexpected = || GitError::Unexpected { operation: "cat-file" };
    for (number, entry) in wanted.iter().enumerate() {
        // `ID blob SIZE\n`, the bytes, `\n`.
        let mut head = String::new();
        output.take(256).read_line(&mut head).map_err(|_| unexpected())?;
        if head.is_empty() || head.ends_with(" missing\n") {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            return Err(GitError::Missing(path));
        }
        let expected = format!("{} blob {}\n", entry.id, entry.size);
        if head != expected {
            return Err(unexpected());
        }
        let mut content = output.take(entry.size);
        take(number, &mut content).map_err(|_| unexpected())?;
        // What was not of interest.
        std::io::copy(&mut content, &mut std::io::sink()).map_err(|_| unexpected())?;
        let mut end = [0];
        output.read_exact(&mut end).map_err(|_| unexpected())?;
        if end != *b"\n" {
            return Err(unexpected());
        }
    }
    Ok(())
}

fn are_same(one: &mut dyn std::io::Read, other: &mut dyn std::io::Read) -> std::io::Result<bool> {
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(other.read(&mut right[..1])? == 0);
        }
        match other.read_exact(&mut right[..read]) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
            compared => compared?,
        }
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}
