//! The files of an organisation's repository, as bytes: from a folder or from a revision in git.
//!
//! Only files whose name ends in `.yaml`, `.yml` or `.xml` are read, and below `mirrors/` keyrings
//! (`.asc`, `.gpg`, `.pgp`). Symbolic links are refused wherever they point: what a file may define depends on the folder it is in.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::Finding;
use crate::diagnostic::text::Lines;
use crate::digest::sha256;
use crate::folder::{Content, Folder, Kind, OpenError, read_bounded};
use crate::model::Source;
use crate::visible::{deception, escaped, is_hidden};

/// Largest file that is read, in bytes. Ten thousand grants are about two million.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Most bytes read in all.
pub const MAX_TREE_BYTES: u64 = 64 * 1024 * 1024;

/// Most entries of folders looked at.
const MAX_ENTRIES: usize = 100_000;

/// The folders, in the order they are read, and whether they must be there, with a file in them.
pub(super) const FOLDERS: [(&str, bool); 3] =
    [("inventory", true), ("policies", true), ("mirrors", false)];

/// Whether a folder must be there, with a file in it.
pub(super) fn must_be_there(folder: &str) -> bool {
    FOLDERS.iter().any(|(name, must)| *must && *name == folder)
}

/// The files of an organisation's repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTree {
    /// Content by path relative to the root, with `/`.
    pub files: BTreeMap<String, Vec<u8>>,
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
        // Keys that sign archives, which mirrors name.
        if path.starts_with("mirrors/") && matches!(ending, "asc" | "gpg" | "pgp") {
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
        let steers = |one: char| is_hidden(one) || one.is_control();
        let message = if path.contains(steers) {
            "there are characters in the name that cannot be seen".to_owned()
        } else if let Some(why) = deception(path) {
            format!("the name is not what it looks like: {why}")
        } else {
            return true;
        };
        // The shown path is a name of its own, so that no line of it can be asked for.
        self.wrong(&escaped(path), "bad-file-name", message, "rename it; it was not read");
        false
    }

    /// Takes a file's content, unless that makes too much.
    fn take(&mut self, path: String, bytes: Vec<u8>) {
        if self.makes_room_for(&path, bytes.len() as u64) {
            self.files.insert(path, bytes);
        }
    }

    /// Counts what a file has; whether all files together are still few enough.
    pub(super) fn makes_room_for(&mut self, path: &str, size: u64) -> bool {
        self.bytes += size;
        if self.bytes > MAX_TREE_BYTES {
            self.wrong(
                path,
                "too-much",
                format!("all files together have more than {MAX_TREE_BYTES} bytes"),
                "the file was not read",
            );
        }
        self.bytes <= MAX_TREE_BYTES
    }

    pub(super) fn submodule(&mut self, path: &str) {
        self.wrong(path, "submodule", "submodules are not read", "put the files here");
    }

    pub(super) fn too_large(&mut self, path: &str, size: u64) {
        self.wrong(
            path,
            "too-large",
            format!("the file has {size} bytes, at most {MAX_FILE_BYTES} are read"),
            "nothing of it was read",
        );
    }

    fn unreadable(&mut self, path: &str, error: &dyn std::error::Error) {
        self.wrong(path, "unreadable", format!("cannot be read: {error}"), "nothing was read");
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

/// Longest line that is given out, in bytes.
const LONGEST_LINE: usize = 4_000;

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
        // Nobody reads a line that long, and there may be a finding for each of its words.
        let line = bytes.get(start..end).filter(|line| line.len() <= LONGEST_LINE)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

/// Most steps into folders: one for each part of each folder's path. Ten thousand folders may be
/// ten deep.
const MAX_STEPS: usize = 100_000;

/// Reads the folders below a root. Never fails: what could not be read is a finding.
pub fn read_folder(root: &Path) -> SourceTree {
    let mut tree = SourceTree::default();
    let mut walk = Walk { root: Folder::open(root), entries: 0, steps: 0 };
    for (folder, must_be_there) in FOLDERS {
        let found = match &walk.root {
            Ok(root) => root.kind(Path::new(folder)),
            Err(error) => Err(error.kind().into()),
        };
        match found {
            Ok(Kind::Folder) => walk.take(&mut tree, folder),
            Ok(Kind::Link) => tree.symbolic_link(folder),
            Ok(_) => tree.wrong(folder, "not-a-folder", "this is not a folder", "nothing was read"),
            Err(_) if !must_be_there => {}
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

/// The way through the folders, with what bounds it.
struct Walk {
    root: std::io::Result<Folder>,
    entries: usize,
    steps: usize,
}

impl Walk {
    /// Reads one folder and those below it. A loop, so that no depth of folders can be too much;
    /// each is opened from the root on, so that no more than one is open.
    fn take(&mut self, tree: &mut SourceTree, top: &str) {
        let Ok(root) = &self.root else { return };
        let mut folders = vec![top.to_owned()];
        while let Some(path) = folders.pop() {
            self.steps += path.split('/').count();
            let folder = match root.folder(Path::new(&path)) {
                Ok(folder) => folder,
                Err(OpenError::Link(_)) => {
                    tree.symbolic_link(&path);
                    continue;
                }
                Err(error) => {
                    tree.unreadable(&path, &error);
                    continue;
                }
            };
            let names = match folder.names() {
                Ok(names) => names,
                Err(error) => {
                    tree.unreadable(&path, &error);
                    continue;
                }
            };
            for entry in names {
                self.entries += 1;
                if self.entries > MAX_ENTRIES || self.steps > MAX_STEPS {
                    let message = format!(
                        "there are more than {MAX_ENTRIES} files and folders, or they are too deep"
                    );
                    tree.wrong(&path, "too-much", message, "the rest was not read");
                    return;
                }
                match entry {
                    Ok((name, kind)) => {
                        let entry = Entry { folder: &folder, path: &path, name: &name, kind };
                        take_entry(tree, &entry, &mut folders);
                    }
                    Err(error) => tree.unreadable(&path, &error),
                }
            }
        }
    }
}

/// A name in a folder.
struct Entry<'a> {
    folder: &'a Folder,
    path: &'a str,
    name: &'a std::ffi::OsStr,
    kind: Kind,
}

fn take_entry(tree: &mut SourceTree, entry: &Entry<'_>, folders: &mut Vec<String>) {
    let Some(name) = entry.name.to_str() else {
        let shown = format!("{}/{}", entry.path, entry.name.to_string_lossy());
        tree.wrong(&shown, "name-not-utf-8", "the name is not UTF-8", "rename it; it was not read");
        return;
    };
    if name.starts_with('.') {
        return;
    }
    let path = format!("{}/{name}", entry.path);
    if !tree.has_plain_name(&path) {
        return;
    }
    match entry.kind {
        Kind::Folder => folders.push(path),
        Kind::Link => tree.symbolic_link(&path),
        Kind::File | Kind::Other if !tree.wants(&path) => {}
        Kind::Other => {
            tree.wrong(&path, "not-a-file", "this is not a regular file", "it was not read");
        }
        Kind::File => {
            let opened = entry.folder.file(Path::new(name)).map_err(std::io::Error::from);
            match opened.and_then(|file| read_bounded(file, MAX_FILE_BYTES)) {
                Ok(Content::Read(bytes)) => tree.take(path, bytes),
                Ok(Content::TooLarge(size)) => tree.too_large(&path, size),
                Err(error) => tree.unreadable(&path, &error),
            }
        }
    }
}
