//! The files of an organisation's repository, as bytes: from a folder or from a revision in git.
//!
//! Only files whose name ends in `.yaml`, `.yml` or `.xml` are read. Symbolic links are refused wherever
//! they point: what a file may define depends on the folder it is in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use crate::diagnostic::Finding;
use crate::diagnostic::text::Lines;
use crate::digest::sha256;
use crate::model::Source;

/// Largest file that is read, in bytes. Ten thousand grants are about two million.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Most bytes read in all.
pub const MAX_TREE_BYTES: u64 = 64 * 1024 * 1024;

/// Most entries of folders looked at.
const MAX_ENTRIES: usize = 100_000;

/// The folders, in the order they are read, and whether files in them are read.
pub(super) const FOLDERS: [(&str, bool); 3] =
    [("inventory", true), ("policies", true), ("mirrors", false)];

/// The files of an organisation's repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTree {
    /// Content by path relative to the root, with `/`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files with the right ending in folders that are not read yet.
    pub unread: BTreeSet<String>,
    /// What is wrong with the files themselves.
    pub findings: Vec<Finding>,
    bytes: u64,
}

impl SourceTree {
    /// The SHA-256 of every file, in hexadecimal.
    pub fn digests(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(path, bytes)| (path.clone(), sha256(bytes))).collect()
    }

    /// A tree of these files, for tests and for callers that have them already.
    pub fn from_files<P: Into<String>, B: Into<Vec<u8>>>(
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Self {
        let files = files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect();
        Self { files, ..Self::default() }
    }

    pub(super) fn wrong(&mut self, path: &str, code: &str, message: impl Into<String>, hint: &str) {
        self.findings.push(Finding::error(code, message).at(&Source::new(path, 0, 0)).hint(hint));
    }

    /// Whether a file is to be read; a warning when its ending is almost right.
    pub(super) fn wants(&mut self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        // XML: metadata of log-in services, which settings of accounts name.
        if matches!(ending, "yaml" | "yml" | "xml") {
            return true;
        }
        let lower = name.to_lowercase();
        let almost = lower.contains(".yaml")
            || lower.contains(".yml")
            || (strsim::damerau_levenshtein(&ending.to_lowercase(), "yaml") <= 1)
            || (strsim::damerau_levenshtein(&ending.to_lowercase(), "yml") <= 1);
        if almost {
            self.findings.push(
                Finding::warning("almost-yaml", format!("`{name}` was not read"))
                    .at(&Source::new(path, 0, 0))
                    .hint("only names that end in .yaml or .yml are read"),
            );
        }
        false
    }

    /// Whether a path can be shown; a finding when it cannot.
    pub(super) fn has_plain_name(&mut self, path: &str) -> bool {
        let is_plain = !path.chars().any(char::is_control);
        if !is_plain {
            let shown = path.escape_debug().to_string();
            let message = "there are control characters in the name";
            self.wrong(&shown, "bad-file-name", message, "rename it; it was not read");
        }
        is_plain
    }

    /// Takes a file's content, unless that makes too much.
    pub(super) fn take(&mut self, path: String, bytes: Vec<u8>) {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_TREE_BYTES {
            self.wrong(
                &path,
                "too-much",
                format!("all files together have more than {MAX_TREE_BYTES} bytes"),
                "the file was not read",
            );
        } else {
            self.files.insert(path, bytes);
        }
    }

    pub(super) fn too_large(&mut self, path: &str, size: u64) {
        self.wrong(
            path,
            "too-large",
            format!("the file has {size} bytes, at most {MAX_FILE_BYTES} are read"),
            "nothing of it was read",
        );
    }

    pub(super) fn symbolic_link(&mut self, path: &str) {
        self.wrong(
            path,
            "symbolic-link",
            "symbolic links are not followed",
            "put the file itself here: what it may define depends on its folder",
        );
    }
}

impl Lines for SourceTree {
    fn lines(&self) -> impl FnMut(&Source) -> Option<String> {
        let mut index = LineIndex { tree: self, ends: BTreeMap::new() };
        move |source| index.get(source)
    }
}

/// Where the lines of the files of a tree end. Looks for the line ends of a file once.
struct LineIndex<'a> {
    tree: &'a SourceTree,
    ends: BTreeMap<&'a str, Vec<usize>>,
}

impl LineIndex<'_> {
    fn get(&mut self, source: &Source) -> Option<String> {
        let (file, bytes) = self.tree.files.get_key_value(&*source.file)?;
        let ends = self.ends.entry(file).or_insert_with(|| {
            let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            ends.map(|(at, _)| at).chain([bytes.len()]).collect()
        });
        let number = source.line.checked_sub(1)? as usize;
        let end = *ends.get(number)?;
        let start = number.checked_sub(1).map_or(0, |before| ends[before] + 1);
        let line = bytes.get(start..end)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

/// Reads the folders below a root. Never fails: what could not be read is a finding.
pub fn read_folder(root: &Path) -> SourceTree {
    let mut tree = SourceTree::default();
    let mut entries = 0;
    for (folder, is_read) in FOLDERS {
        match fs::symlink_metadata(root.join(folder)) {
            Ok(metadata) if metadata.is_dir() => {
                walk(&mut tree, root, folder, is_read, &mut entries);
            }
            Ok(metadata) if metadata.is_symlink() => tree.symbolic_link(folder),
            Ok(_) => tree.wrong(folder, "not-a-folder", "this is not a folder", "nothing was read"),
            Err(_) if !is_read => {}
            Err(error) => tree.wrong(
                folder,
                "no-folder",
                format!("the folder cannot be read: {error}"),
                "run it where the organisation's files are, or begin with `reconcile init`",
            ),
        }
    }
    tree
}

/// Reads one folder and those below it. A loop, so that no depth of folders can be too much.
fn walk(tree: &mut SourceTree, root: &Path, top: &str, is_read: bool, entries: &mut usize) {
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let listing = match fs::read_dir(root.join(&folder)) {
            Ok(listing) => listing,
            Err(error) => {
                tree.wrong(
                    &folder,
                    "unreadable",
                    format!("cannot be read: {error}"),
                    "nothing was read",
                );
                continue;
            }
        };
        for entry in listing {
            *entries += 1;
            if *entries > MAX_ENTRIES {
                let message = format!("there are more than {MAX_ENTRIES} files and folders");
                tree.wrong(&folder, "too-much", message, "the rest was not read");
                return;
            }
            match entry {
                Ok(entry) => take_entry(tree, &folder, &entry, is_read, &mut folders),
                Err(error) => {
                    tree.wrong(&folder, "unreadable", format!("cannot be read: {error}"), "");
                }
            }
        }
    }
}

fn take_entry(
    tree: &mut SourceTree,
    folder: &str,
    entry: &fs::DirEntry,
    is_read: bool,
    folders: &mut Vec<String>,
) {
    let name = entry.file_name();
    let Some(name) = name.to_str() else {
        let shown = format!("{folder}/{}", name.to_string_lossy());
        tree.wrong(&shown, "name-not-utf-8", "the name is not UTF-8", "rename it; it was not read");
        return;
    };
    if name.starts_with('.') {
        return;
    }
    let path = format!("{folder}/{name}");
    if !tree.has_plain_name(&path) {
        return;
    }
    match entry.file_type() {
        Ok(kind) if kind.is_dir() => folders.push(path),
        Ok(kind) if kind.is_symlink() => tree.symbolic_link(&path),
        Ok(_) if !tree.wants(&path) => {}
        Ok(kind) if !kind.is_file() => {
            tree.wrong(&path, "not-a-file", "this is not a regular file", "it was not read");
        }
        Ok(_) if !is_read => {
            tree.unread.insert(path);
        }
        Ok(_) => match read_file(&entry.path()) {
            Ok(Content::Read(bytes)) => tree.take(path, bytes),
            Ok(Content::TooLarge(size)) => tree.too_large(&path, size),
            Err(error) => {
                tree.wrong(
                    &path,
                    "unreadable",
                    format!("cannot be read: {error}"),
                    "nothing was read",
                );
            }
        },
        Err(error) => {
            tree.wrong(&path, "unreadable", format!("cannot be read: {error}"), "nothing was read");
        }
    }
}

enum Content {
    Read(Vec<u8>),
    TooLarge(u64),
}

/// Reads a file, unless it is too large: then not a byte of it.
fn read_file(path: &Path) -> std::io::Result<Content> {
    let file = fs::File::open(path)?;
    let size = file.metadata()?.len();
    if size > MAX_FILE_BYTES {
        return Ok(Content::TooLarge(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // It may grow while it is read.
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Ok(Content::TooLarge(bytes.len() as u64));
    }
    Ok(Content::Read(bytes))
}
