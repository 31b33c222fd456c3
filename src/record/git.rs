//! Which state of the input folders was read, as git tells.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::InputVersion;
use crate::folder::{Folder, Kind};
use crate::git::{self, GitError, Repository};

/// Most names looked at before the folders count as changed.
const MOST_NAMES: usize = 100_000;

/// The commit of the repository around `root`, and whether one of `folders` (relative to it) has
/// other files than that commit. Hidden ones, which are never inputs, do not count; ignored ones do.
///
/// That there is no git, no repository or no commit is an answer, not an error.
pub fn input_version(root: &Path, folders: &[&str]) -> InputVersion {
    let version = || -> Result<InputVersion, GitError> {
        let repository = Repository::find(root)?;
        let commit = repository.commit("HEAD")?;
        let dirty = !is_clean(&repository, &commit, folders)?;
        Ok(InputVersion::Commit { commit, dirty })
    };
    version().unwrap_or_else(|why| InputVersion::Unknown { why: why.to_string() })
}

fn is_clean(repository: &Repository, commit: &str, folders: &[&str]) -> Result<bool, GitError> {
    let entries = repository.list(commit, folders)?;
    let is_hidden =
        |path: &[u8]| path.split(|byte| *byte == b'/').any(|name| name.starts_with(b"."));
    let files: Vec<&git::Entry> = entries
        .iter()
        .filter(|entry| entry.kind == git::Kind::File && !is_hidden(&entry.path))
        .collect();
    let there = names(repository.root(), folders).ok();
    let expected: BTreeSet<&[u8]> = files.iter().map(|entry| entry.path.as_slice()).collect();
    let as_expected = there.is_some_and(|there| {
        there.len() == expected.len() && there.iter().all(|path| expected.contains(&**path))
    });
    Ok(as_expected && repository.root_has(&files)?)
}

/// The paths of the files below some folders that are not hidden.
fn names(root: &Path, folders: &[&str]) -> io::Result<Vec<Vec<u8>>> {
    let root = Folder::open(root)?;
    let mut left: Vec<Vec<u8>> = Vec::new();
    let mut found = Vec::new();
    for folder in folders {
        // There may be none of that name.
        if root.kind(Path::new(folder)).is_ok_and(|kind| kind == Kind::Folder) {
            left.push(folder.as_bytes().to_vec());
        }
    }
    while let Some(path) = left.pop() {
        let folder = root.folder(Path::new(std::ffi::OsStr::from_bytes(&path)))?;
        for name in folder.names()? {
            let (name, kind) = name?;
            if name.as_bytes().starts_with(b".") {
                continue;
            }
            let path = [&path, name.as_bytes()].join(&b'/');
            match kind {
                Kind::Folder => left.push(path),
                Kind::File => found.push(path),
                Kind::Link | Kind::Other => {}
            }
            if found.len() + left.len() > MOST_NAMES {
                return Err(io::Error::other("there are too many files"));
            }
        }
    }
    Ok(found)
}
