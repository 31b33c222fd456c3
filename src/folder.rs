//! Opening what lies below a folder, so that no name in it leads anywhere else.
//!
//! A path given by somebody else is walked part by part from an open folder, and no part may be a
//! link. What is opened is looked at once more: exchanging a file for a pipe between two looks gains
//! nothing. Opening never waits, also not for whoever should write into a named pipe.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

/// Why something below a folder was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The path begins at `/`, or has `..` in it.
    #[error("the path leads out of the folder it starts from")]
    Outside,
    /// A part of the path is a symbolic link.
    #[error("`{0}` is a symbolic link, and those are not followed")]
    Link(String),
    /// There is something else than a file with content: a folder, a pipe, a device, a socket.
    #[error("it is not a regular file")]
    NotRegular,
    /// A part of the path that should be a folder is none.
    #[error("`{0}` is not a folder")]
    NotAFolder(String),
    /// The operating system's word.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::System(error) => error,
            other => Self::other(other),
        }
    }
}

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Content that can be read.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, wherever it points.
    Link,
    /// A pipe, device or socket.
    Other,
}

/// A folder that is open: what is opened through it is in it, whatever its path means by now.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder that the operator named; links in that path are theirs.
    ///
    /// # Errors
    /// There is none, or it may not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, OFlags::DIRECTORY | READ, Mode::empty())?))
    }

    /// Opens a folder below this one.
    ///
    /// # Errors
    /// A part of the path is a link or no folder, or leads out.
    pub fn folder(&self, path: &Path) -> Result<Self, OpenError> {
        if !stays(path) {
            return Err(OpenError::Outside);
        }
        let mut at = Self(self.0.try_clone()?);
        for part in path.components() {
            if let Component::Normal(name) = part {
                at = at.step(Path::new(name))?;
            }
        }
        Ok(at)
    }

    fn step(&self, name: &Path) -> Result<Self, OpenError> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | READ;
        match openat(&self.0, name, flags, Mode::empty()) {
            Ok(folder) => Ok(Self(folder)),
            // Which of the two a link gives differs between systems.
            Err(Errno::LOOP | Errno::NOTDIR) => {
                let shown = name.display().to_string();
                Err(match self.kind(name)? {
                    Kind::Link => OpenError::Link(shown),
                    Kind::File | Kind::Folder | Kind::Other => OpenError::NotAFolder(shown),
                })
            }
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// What a name in this folder stands for; a link is a link.
    ///
    /// # Errors
    /// There is nothing of that name.
    pub fn kind(&self, name: &Path) -> io::Result<Kind> {
        let stat = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(kind(FileType::from_raw_mode(stat.st_mode)))
    }

    /// Opens a regular file below this folder for reading.
    ///
    /// # Errors
    /// A part of the path is a link or leads out, or the file is no regular one.
    pub fn file(&self, path: &Path) -> Result<File, OpenError> {
        // `a/..` has no name, `a/.` the name `a`: the last part is a name here.
        let (Some(parent), Some(name), true) = (path.parent(), path.file_name(), stays(path))
        else {
            return Err(OpenError::Outside);
        };
        let (folder, name) = (self.folder(parent)?, Path::new(name));
        // Looked at before, because opening a device can do something.
        match folder.kind(name)? {
            Kind::File => {}
            Kind::Link => return Err(OpenError::Link(name.display().to_string())),
            Kind::Folder | Kind::Other => return Err(OpenError::NotRegular),
        }
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | READ;
        let file = openat(&folder.0, name, flags, Mode::empty()).map_err(|error| match error {
            Errno::LOOP => OpenError::Link(name.display().to_string()),
            error => io::Error::from(error).into(),
        })?;
        // And looked at again, because it may be another one by now.
        match FileType::from_raw_mode(fstat(&file).map_err(io::Error::from)?.st_mode) {
            FileType::RegularFile => Ok(File::from(file)),
            _ => Err(OpenError::NotRegular),
        }
    }

    /// The names in this folder, in no order, without `.` and `..`.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn names(&self) -> io::Result<impl Iterator<Item = io::Result<(OsString, Kind)>>> {
        use std::os::unix::ffi::OsStringExt as _;

        let folder = Self(self.0.try_clone()?);
        let listing = rustix::fs::Dir::read_from(&self.0)?;
        Ok(listing.filter_map(move |entry| {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error.into())),
            };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                return None;
            }
            let name = OsString::from_vec(name.to_vec());
            let kind = match entry.file_type() {
                // Some file systems do not say.
                FileType::Unknown => folder.kind(Path::new(&name)),
                known => Ok(kind(known)),
            };
            Some(kind.map(|kind| (name, kind)))
        }))
    }
}

const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);

/// Whether a path only goes down.
fn stays(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::CurDir | Component::Normal(_)))
}

fn kind(file_type: FileType) -> Kind {
    match file_type {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    }
}

/// Opens a regular file by its path from `root` on; no part of the path is a link or leads out.
///
/// # Errors
/// As for [`Folder::file`].
pub fn open_inside(root: &Path, path: &Path) -> Result<File, OpenError> {
    Folder::open(root)?.file(path)
}

/// What a file holds, unless that is too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Read(Vec<u8>),
    /// So many bytes, or more; nothing of them was kept.
    TooLarge(u64),
}

/// Reads a file, unless it has more than `most` bytes: then not one of them.
///
/// # Errors
/// It cannot be read.
pub fn read_bounded(file: File, most: u64) -> io::Result<Content> {
    let size = file.metadata()?.len();
    if size > most {
        return Ok(Content::TooLarge(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // It may grow while it is read.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Ok(Content::TooLarge(bytes.len() as u64));
    }
    Ok(Content::Read(bytes))
}
