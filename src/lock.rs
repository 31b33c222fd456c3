//! One run per organisation: a lock that dies with its holder and says who that is.
//!
//! `<state>/locks/<organisation>.lock` is held with the kernel's file lock (flock). The kernel
//! drops it when the holder's process ends, however it ends, so taking over after a dead run
//! needs no guess whether it is still alive. What the file says is for people only; nothing is
//! decided by it.
//!
//! # Guarantees
//! - Several organisations are taken in sorted order and all or none, so two runs never wait for
//!   or block each other half way.
//! - A lock file is never deleted: a deleted one could be held by one run while the next creates
//!   and holds another of the same name.
//!
//! # Caveats
//! The lock holds between runs that share the state folder. On a network file system it is as
//! good as that system's flock.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::OrganisationName;

/// Who holds a lock, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who started the run.
    pub user: String,
    /// On which machine.
    pub host: String,
    /// Its process id there.
    pub process: u32,
    /// Since when.
    pub since: Timestamp,
    /// Its command line, without secrets.
    pub arguments: Vec<String>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { user, host, process, since, arguments } = self;
        // Whole seconds are enough, and other people's text must not move a terminal's cursor.
        let since = since.strftime("%Y-%m-%d %H:%M:%S UTC");
        let text =
            format!("{user}@{host}, process {process}, since {since}: {}", arguments.join(" "));
        formatter.write_str(&text.replace(char::is_control, "?"))
    }
}

/// Why the locks could not be taken. None of them is held then.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run works on the organisation.
    #[error(
        "another run works on {organisation}: {}",
        .holder.as_ref().map_or_else(|| "it has not said who it is".to_owned(), ToString::to_string)
    )]
    Held {
        /// On which.
        organisation: OrganisationName,
        /// Who, if they said so.
        holder: Option<Box<Holder>>,
        /// The lock file.
        path: PathBuf,
    },
    /// The folder of locks cannot be made.
    #[error("cannot create the folder of locks {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A lock file cannot be opened, locked or written.
    #[error("cannot use the lock file {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else is where the lock file should be.
    #[error("{} is not a regular file; the lock of {organisation} is kept there", path.display())]
    NotAFile {
        /// Of which organisation.
        organisation: OrganisationName,
        /// Where.
        path: PathBuf,
    },
}

/// The locks of some organisations, held until the value is dropped.
#[derive(Debug)]
#[must_use = "dropping it releases the locks"]
pub struct Locks {
    held: Vec<Lock>,
}

#[derive(Debug)]
struct Lock {
    organisation: OrganisationName,
    file: File,
    /// Who died holding it.
    previous: Option<Holder>,
}

impl Locks {
    /// Takes the locks of all these organisations, or none.
    ///
    /// # Errors
    /// [`LockError::Held`] if another run has one of them. Does not wait.
    pub fn take(
        state: &Path,
        organisations: &[OrganisationName],
        holder: &Holder,
    ) -> Result<Self, LockError> {
        let folder = state.join("locks");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|source| LockError::Folder { path: folder.clone(), source })?;
        let mut sorted: Vec<&OrganisationName> = organisations.iter().collect();
        sorted.sort();
        sorted.dedup();
        let mut locks = Self { held: Vec::new() };
        for organisation in sorted {
            // An early return drops, and so releases, what is held.
            locks.held.push(Lock::take(&folder, organisation, holder)?);
        }
        Ok(locks)
    }

    /// Organisations whose last holder died, with who that was: worth a note.
    pub fn taken_over(&self) -> impl Iterator<Item = (&OrganisationName, &Holder)> {
        self.held.iter().filter_map(|lock| Some((&lock.organisation, lock.previous.as_ref()?)))
    }
}

impl Lock {
    fn take(
        folder: &Path,
        organisation: &OrganisationName,
        holder: &Holder,
    ) -> Result<Self, LockError> {
        let path = folder.join(format!("{}.lock", file_name(organisation.as_str())));
        let file_error = |source| LockError::File { path: path.clone(), source };
        loop {
            let mut file = open(&path, organisation)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held {
                        organisation: organisation.clone(),
                        holder: who(&mut file).map(Box::new),
                        path,
                    });
                }
                Err(TryLockError::Error(source)) => return Err(file_error(source)),
            }
            // Somebody may have deleted or replaced the file by hand since it was opened; a lock
            // on a file that is not there any more keeps nobody out.
            if is_at(&file, &path).map_err(file_error)? {
                let previous = read_holder(&mut file);
                write_holder(&mut file, holder).map_err(file_error)?;
                return Ok(Self { organisation: organisation.clone(), file, previous });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An empty file is one whose holder ended well. Should this fail, the next run notes a
        // takeover that was none.
        let _ = self.file.set_len(0);
    }
}

fn open(path: &Path, organisation: &OrganisationName) -> Result<File, LockError> {
    let not_a_file =
        || LockError::NotAFile { organisation: organisation.clone(), path: path.to_owned() };
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(|source| {
            match source.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
                Some(rustix::io::Errno::LOOP | rustix::io::Errno::ISDIR) => not_a_file(),
                _ => LockError::File { path: path.to_owned(), source },
            }
        })?;
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(file),
        Ok(_) => Err(not_a_file()),
        Err(source) => Err(LockError::File { path: path.to_owned(), source }),
    }
}

/// Whether the path still leads to the open file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match path.symlink_metadata() {
        Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Who holds the lock. The holder writes that right after taking it, so an empty file is given a
/// moment.
fn who(file: &mut File) -> Option<Holder> {
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(10);
    (0..20).find_map(|attempt| {
        if attempt > 0 {
            std::thread::sleep(PAUSE);
        }
        read_holder(file)
    })
}

fn read_holder(file: &mut File) -> Option<Holder> {
    // More than any command line; a lock file filled by somebody else is not read to its end.
    const LONGEST: u64 = 4 << 20;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    let text = serde_json::to_vec(holder)?;
    file.seek(SeekFrom::Start(0))?;
    file.set_len(0)?;
    file.write_all(&text)
}

/// A name that stays in its folder whatever the organisation is called: everything but letters,
/// digits, `_` and `-` is written as `%` and hexadecimal digits.
fn file_name(organisation: &str) -> String {
    let mut name = String::new();
    for byte in organisation.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push('%');
            name.push_str(&crate::digest::hex(&[byte]));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_the_folder_or_meets_another() {
        assert_eq!(file_name("spi"), "spi");
        assert_eq!(file_name("../x"), "%2e%2e%2fx");
        assert_ne!(file_name("a/b"), file_name("a%2fb"));
    }
}
