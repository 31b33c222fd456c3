//! The files of a revision.

use std::path::Path;

use super::SourceTree;
use super::source_tree::{FOLDERS, MAX_FILE_BYTES};
use crate::git::{Entry, GitError, Kind, Repository};

/// Reads the folders as they were in a revision: a commit, branch or tag as git names them.
///
/// # Errors
/// When git cannot say what was in it. Problems with single files are findings.
pub fn read_revision(root: &Path, revision: &str) -> Result<SourceTree, GitError> {
    let repository = Repository::find(root)?;
    let commit = repository.commit(revision)?;
    let mut tree = SourceTree::default();
    let mut wanted = Vec::new();
    let mut seen = [false; FOLDERS.len()];
    let entries = repository.list(&commit, &FOLDERS.map(|(folder, _)| folder))?;
    for entry in &entries {
        let Ok(path) = std::str::from_utf8(&entry.path) else {
            let shown = String::from_utf8_lossy(&entry.path).into_owned();
            tree.wrong(&shown, "name-not-utf-8", "the name is not UTF-8", "it was not read");
            continue;
        };
        let folder = FOLDERS.iter().position(|(name, _)| {
            path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
        });
        let Some(folder) = folder else {
            // The folder itself is a link, a file or a submodule.
            if let Some(folder) = FOLDERS.iter().position(|(name, _)| *name == path) {
                seen[folder] = true;
            }
            match entry.kind {
                Kind::Link => tree.symbolic_link(path),
                Kind::Submodule => tree.submodule(path),
                Kind::File => {
                    tree.wrong(path, "not-a-folder", "this is not a folder", "nothing was read");
                }
            }
            continue;
        };
        seen[folder] = true;
        let is_hidden = path.split('/').any(|name| name.starts_with('.'));
        if !is_hidden && tree.has_plain_name(path) {
            sort_out(&mut tree, entry, path, &mut wanted);
        }
    }
    for ((name, must_be_there), seen) in FOLDERS.iter().zip(seen) {
        if *must_be_there && !seen {
            tree.wrong(name, "no-folder", format!("there is no such folder in {revision}"), "");
        }
    }
    let mut contents = Vec::with_capacity(wanted.len());
    let of: Vec<&Entry> = wanted.iter().map(|(_, entry)| *entry).collect();
    repository.contents(&of, |_, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        contents.push(bytes);
        Ok(())
    })?;
    for ((path, _), bytes) in wanted.into_iter().zip(contents) {
        tree.files.insert(path.to_owned(), bytes);
    }
    Ok(tree)
}

fn sort_out<'a>(
    tree: &mut SourceTree,
    entry: &'a Entry,
    path: &'a str,
    wanted: &mut Vec<(&'a str, &'a Entry)>,
) {
    match entry.kind {
        Kind::Link => tree.symbolic_link(path),
        Kind::Submodule => tree.submodule(path),
        Kind::File if !tree.wants(path) => {}
        Kind::File if entry.size > MAX_FILE_BYTES => tree.too_large(path, entry.size),
        // What is counted is what would be read: not more than fits is even asked for.
        Kind::File if !tree.makes_room_for(path, entry.size) => {}
        Kind::File => wanted.push((path, entry)),
    }
}

/// One file as it was in a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileThen {
    /// A file with this content.
    Content(Vec<u8>),
    /// There, but a link, a folder or a submodule.
    NotRegular,
    /// There, with more bytes than were asked for.
    TooLarge(u64),
    /// Not there.
    Absent,
}

/// Reads one file as it was in a revision, if it has no more than so many bytes.
///
/// # Errors
/// When git cannot say what was in the revision.
pub fn read_revision_file(
    root: &Path,
    revision: &str,
    path: &Path,
    most: u64,
) -> Result<FileThen, GitError> {
    let repository = Repository::find(root)?;
    let commit = repository.commit(revision)?;
    let Some(shown) = path.to_str() else { return Ok(FileThen::Absent) };
    let entries = repository.list(&commit, &[shown])?;
    let entry = match entries.as_slice() {
        [] => return Ok(FileThen::Absent),
        [entry] if entry.kind == Kind::File && entry.path == shown.as_bytes() => entry,
        _ => return Ok(FileThen::NotRegular),
    };
    if entry.size > most {
        return Ok(FileThen::TooLarge(entry.size));
    }
    let mut bytes = Vec::new();
    repository.contents(&[entry], |_, content| {
        content.read_to_end(&mut bytes)?;
        Ok(())
    })?;
    Ok(FileThen::Content(bytes))
}
