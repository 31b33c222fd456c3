//! The state folder: locks, run records, what directories said, the embedded cloud.
//!
//! By default it is `.reconcile` below the root, where a branch of somebody else can put things too: a
//! memory of directories by which nobody is missed, a record of runs that never were, a link that leads
//! elsewhere. So nothing of it may come from the repository. That its files are regular ones is seen to
//! where they are opened ([`crate::file::open_own`]).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::git::{self, GitError};
use crate::place;

/// Folders that the program makes in it.
const FOLDERS: [&str; 2] = ["locks", "records"];

/// Why a state folder is not used. Nothing in it was read.
#[derive(Debug, thiserror::Error)]
pub enum Untrusted {
    /// Something in the repository leads there.
    #[error(
        "the state folder {} is not used: {} is a symbolic link, which merge requests can change",
        state.display(),
        link.display()
    )]
    Link {
        /// The state folder.
        state: PathBuf,
        /// The link.
        link: PathBuf,
    },
    /// It is a file, a pipe or a device.
    #[error("the state folder {} is not used: it is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// The repository is in it.
    #[error("the state folder {} is not used: the repository lies in it", .0.display())]
    Around(PathBuf),
    /// It holds what merge requests can change.
    #[error(
        "the state folder {} is not used: git tracks {tracked} there, which merge requests can change",
        state.display()
    )]
    Tracked {
        /// The state folder.
        state: PathBuf,
        /// A file there, by its path from the top of the repository on.
        tracked: String,
    },
    /// It is in a repository, and nobody can be asked what that tracks.
    #[error(
        "the state folder {} is not used: it is in the repository {}, and git, which alone knows what \
         merge requests can change there, is not installed",
        state.display(),
        top.display()
    )]
    NobodyToAsk {
        /// The state folder.
        state: PathBuf,
        /// The folder that holds `.git`.
        top: PathBuf,
    },
    /// git does not say whether it does.
    #[error(
        "the state folder {} is not used: whether git tracks something there is not known: {why}",
        state.display()
    )]
    Unknown {
        /// The state folder.
        state: PathBuf,
        /// Why not.
        why: GitError,
    },
}

/// Makes sure that nothing in a state folder comes from the repository around `root`. One call of git,
/// and none where the folder is not in a repository.
///
/// # Errors
/// Something does, or could.
pub fn check(root: &Path, state: &Path) -> Result<(), Untrusted> {
    let repository = place::repository(root);
    let Ok(way) = place::follow(state) else {
        // Nothing in it can be opened either.
        return Ok(());
    };
    let state_folder = || state.to_path_buf();
    if let Some(link) = way.link_below(&repository) {
        return Err(Untrusted::Link { state: state_folder(), link: link.to_path_buf() });
    }
    if !way.end.starts_with(&repository) {
        return if repository.starts_with(&way.end) {
            Err(Untrusted::Around(state_folder()))
        } else {
            Ok(())
        };
    }
    if fs::symlink_metadata(&way.end).is_ok_and(|found| !found.is_dir()) {
        return Err(Untrusted::NotAFolder(state_folder()));
    }
    for name in FOLDERS {
        let folder = way.end.join(name);
        if fs::symlink_metadata(&folder).is_ok_and(|found| found.is_symlink()) {
            return Err(Untrusted::Link { state: state_folder(), link: folder });
        }
    }
    // The innermost one: what is in a repository of its own is not tracked by the one around it.
    let Some(top) = way.end.ancestors().find(|folder| is_top(folder)) else {
        return Ok(());
    };
    let below = way.end.strip_prefix(top).unwrap_or(Path::new(""));
    match git::first_tracked(top, below) {
        Ok(None) => Ok(()),
        Ok(Some(tracked)) => Err(Untrusted::Tracked { state: state_folder(), tracked }),
        Err(GitError::Run(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(Untrusted::NobodyToAsk { state: state_folder(), top: top.to_path_buf() })
        }
        Err(why) => Err(Untrusted::Unknown { state: state_folder(), why }),
    }
}

/// Whether a folder is the top of a work tree.
fn is_top(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(".git")).is_ok()
}
