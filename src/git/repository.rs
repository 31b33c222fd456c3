//! Finding the repository that a folder is in.

use std::fs;
use std::path::{Path, PathBuf};

use super::GitError;
use super::call::{Call, program};

/// Longest `.git` file and back reference that is read: a path.
const LONGEST_POINTER: u64 = 8 << 10;

/// The repository around a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    root: PathBuf,
    git_dir: PathBuf,
    /// Path of the root from the top of the work tree on, with a slash at its end.
    prefix: String,
}

impl Repository {
    /// Finds the repository around a folder: the nearest `.git` at it or above it.
    ///
    /// # Errors
    /// There is none, git does not trust it (`safe.directory`), or it is not what it should be.
    pub fn find(root: &Path) -> Result<Self, GitError> {
        let none = || GitError::NoRepository(root.to_owned());
        let canonical = fs::canonicalize(root).map_err(|_| none())?;
        let top = canonical
            .ancestors()
            .find(|folder| fs::symlink_metadata(folder.join(".git")).is_ok())
            .ok_or_else(none)?;
        let git_dir = git_dir(top)?;
        let below = canonical.strip_prefix(top).map_err(|_| none())?;
        let prefix = below.to_str().ok_or_else(|| GitError::Refused {
            path: canonical.clone(),
            why: "the name of its folder is not UTF-8",
        })?;
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let found = Self { root: canonical.clone(), git_dir, prefix };
        found.is_what_git_finds(top)?;
        found.borrows_nothing()?;
        Ok(found)
    }

    /// The folder this is about.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn prefix(&self) -> &[u8] {
        self.prefix.as_bytes()
    }

    pub(super) fn path_from_top(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// A call in this repository.
    pub(super) fn call(&self, operation: &'static str) -> Call {
        let mut command = program(&self.root);
        // Without a work tree of its own: nothing here needs one, and the settings may name another.
        command.arg("--git-dir").arg(&self.git_dir).arg("--work-tree").arg(&self.root);
        Call::new(operation, command)
    }

    /// Lets git look for itself: it alone knows whose repositories it may trust.
    fn is_what_git_finds(&self, top: &Path) -> Result<(), GitError> {
        let mut command = program(top);
        command.args(["rev-parse", "--absolute-git-dir"]);
        let output = Call::new("rev-parse", command).output(64 << 10)?;
        if !output.success {
            return Err(GitError::Failed { operation: "rev-parse", said: output.said() });
        }
        let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        match fs::canonicalize(said) {
            Ok(path) if path == self.git_dir => Ok(()),
            _ => {
                Err(GitError::Refused { path: top.to_owned(), why: "git finds another one there" })
            }
        }
    }

    /// Objects of another repository would not be covered by anything that was looked at here.
    fn borrows_nothing(&self) -> Result<(), GitError> {
        let common = match pointer(&self.git_dir.join("commondir")) {
            Some(path) => self.git_dir.join(path),
            None => self.git_dir.clone(),
        };
        for name in ["alternates", "http-alternates"] {
            let file = common.join("objects/info").join(name);
            if fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.len() > 0) {
                return Err(GitError::Refused {
                    path: common,
                    why: "it borrows objects from another repository (objects/info/alternates); \
                          `git repack -a -d` and removing that file makes it whole",
                });
            }
        }
        Ok(())
    }
}

/// The folder that `.git` is or points to.
fn git_dir(top: &Path) -> Result<PathBuf, GitError> {
    let dot_git = top.join(".git");
    let refused = |why| GitError::Refused { path: dot_git.clone(), why };
    let metadata = fs::symlink_metadata(&dot_git).map_err(|_| refused("it cannot be read"))?;
    if metadata.is_dir() {
        return fs::canonicalize(&dot_git).map_err(|_| refused("it cannot be read"));
    }
    if !metadata.is_file() {
        return Err(refused("it is neither a folder nor a file"));
    }
    let path = pointer(&dot_git)
        .and_then(|text| text.strip_prefix("gitdir: ").map(str::to_owned))
        .ok_or_else(|| refused("it points nowhere"))?;
    let path = fs::canonicalize(top.join(path)).map_err(|_| refused("it points nowhere"))?;
    if points_back(&path, top) {
        return Ok(path);
    }
    Err(refused("it points to a repository that does not point back"))
}

/// Whether a repository elsewhere knows that it is the one of this work tree: as one of several
/// work trees (`gitdir`), as a submodule or as a separate folder (`core.worktree`).
fn points_back(git_dir: &Path, top: &Path) -> bool {
    if let Some(path) = pointer(&git_dir.join("gitdir")) {
        let path = git_dir.join(path);
        return path.parent().and_then(|folder| fs::canonicalize(folder).ok()).as_deref()
            == Some(top);
    }
    let mut command = program(top);
    command.arg("config").arg("--file").arg(git_dir.join("config"));
    command.args(["--no-includes", "--get", "core.worktree"]);
    let Ok(output) = Call::new("config", command).output(LONGEST_POINTER) else { return false };
    let path = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    output.success && fs::canonicalize(git_dir.join(path)).is_ok_and(|path| path == top)
}

/// The first line of a small file; `None` where there is no such file.
fn pointer(file: &Path) -> Option<String> {
    let (folder, name) = (file.parent()?, file.file_name()?);
    let opened = crate::folder::open_inside(folder, Path::new(name)).ok()?;
    let crate::folder::Content::Read(bytes) =
        crate::folder::read_bounded(opened, LONGEST_POINTER).ok()?
    else {
        return None;
    };
    Some(String::from_utf8(bytes).ok()?.lines().next()?.to_owned())
}
