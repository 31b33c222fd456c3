//! Reading files whose paths or contents are not ours: regular ones only, never without a bound, and
//! without ever waiting.
//!
//! `/dev/zero` never ends, a named pipe waits for somebody who writes, and opening some devices does
//! something. So a path is looked at before it is opened, opened without waiting, and the opened file
//! is asked again: nobody can swap it in between.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Largest file of certificates that is read: all that a system trusts have about a quarter of it.
pub const CERTIFICATES: u64 = 1 << 20;

/// Largest file with a secret that is read: more than any password or key.
pub const SECRET: u64 = 64 << 10;

/// Who may be able to read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Anybody: there is nothing secret in it.
    Anybody,
    /// Its owner only, who is whoever runs the program, or root.
    Owner,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The operating system says no.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A folder, a pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// Longer than anything it could be.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    /// Others than its owner can use it.
    #[error(
        "others than its owner may use it (mode {0:03o}); chmod 600 it, and change what is secret in it"
    )]
    OpenToOthers(u32),
    /// It belongs to somebody who could change it.
    #[error("it belongs to uid {0}; it must be whoever runs this, or root")]
    Strangers(u32),
}

impl Refusal {
    /// Why a file was not read that the operator's file names for `purpose`. One that cannot even be
    /// opened is not named: it may be a secret itself, in the wrong place.
    pub fn of_named(&self, path: &Path, purpose: &str) -> String {
        let named = format!("the file that the operator's file names for {purpose}");
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                format!("{named} is not there")
            }
            Self::Io(error) => format!("{named} cannot be read: {error}"),
            Self::NotRegular | Self::TooLarge(_) | Self::OpenToOthers(_) | Self::Strangers(_) => {
                format!("{}: {self}", path.display())
            }
        }
    }
}

/// Reads a file to its end, if it is a regular one of at most so many bytes.
///
/// # Errors
/// Why not; nothing of it was kept.
pub fn read(path: &Path, most: u64, readers: Readers) -> Result<Vec<u8>, Refusal> {
    let file = open(path)?;
    let metadata = file.metadata()?;
    if readers == Readers::Owner {
        let owner = metadata.uid();
        if !is_trusted(owner) {
            return Err(Refusal::Strangers(owner));
        }
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Refusal::OpenToOthers(mode));
        }
    }
    if metadata.len() > most {
        return Err(Refusal::TooLarge(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // It may grow while it is read, and files below /proc say 0.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Refusal::TooLarge(most));
    }
    Ok(bytes)
}

/// Opens a regular file for reading, without waiting for anything.
///
/// # Errors
/// It is none, or cannot be opened.
pub fn open(path: &Path) -> Result<File, Refusal> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(Refusal::NotRegular);
    }
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Refusal::NotRegular);
    }
    Ok(file)
}

/// Opens a file that the program itself keeps, as `options` say: a regular one that has this name and
/// no other, without waiting for anything.
///
/// # Errors
/// There is something else of that name, or it cannot be opened.
pub fn open_own(path: &Path, options: &OpenOptions) -> io::Result<File> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => only_regular(&found)?,
        // It may be about to be made.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = options.clone().custom_flags(flags.cast_signed()).open(path)?;
    only_regular(&file.metadata()?)?;
    Ok(file)
}

/// Writes a file in one step: whoever reads it sees the old or the new one, whole, and nobody but its
/// owner may. Waits until it is on the disk.
///
/// # Errors
/// It cannot be written; the old one is as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A temporary file is made with mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Reads a file that the program itself keeps to its end; see [`open_own`].
///
/// # Errors
/// There is something else of that name, or it cannot be read.
pub fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_own(path, OpenOptions::new().read(true))?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn only_regular(found: &std::fs::Metadata) -> io::Result<()> {
    let what = if found.is_file() {
        return Ok(());
    } else if found.is_symlink() {
        "a symbolic link, and those are not followed here"
    } else {
        "not a regular file"
    };
    Err(io::Error::other(format!("it is {what}; look who put it there, and remove it")))
}

/// Whether an owner is whoever runs the program, or root.
pub fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_never_ends_or_never_begins_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a pipe");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).expect("a link");
        for path in [Path::new("/dev/zero"), Path::new("/dev/tty"), &pipe, &link, folder.path()] {
            let refusal = read(path, SECRET, Readers::Anybody);
            assert!(matches!(refusal, Err(Refusal::NotRegular)), "{}: {refusal:?}", path.display());
        }
    }

    #[test]
    fn what_the_program_keeps_is_a_regular_file_or_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, mode, 0)
            .expect("a pipe");
        fs::write(at("file"), "kept").expect("a file");
        for (name, to) in [("link", "file"), ("dangling", "missing")] {
            std::os::unix::fs::symlink(at(to), at(name)).expect("a link");
        }
        let mut writing = OpenOptions::new();
        writing.write(true).create(true).truncate(true);
        for (name, why) in [
            ("pipe", "not a regular file"),
            ("link", "a symbolic link"),
            ("dangling", "a symbolic link"),
            (".", "not a regular file"),
        ] {
            let told = read_own(&at(name)).expect_err(name).to_string();
            assert!(told.contains(why), "{name}: {told}");
            let told = open_own(&at(name), &writing).expect_err(name).to_string();
            assert!(told.contains(why), "{name}: {told}");
        }
        assert!(!at("missing").exists());
        assert_eq!(read_own(&at("file")).expect("it is there"), b"kept");
        open_own(&at("new"), &writing).expect("it is made");
    }

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "12345").expect("a file");
        assert_eq!(read(&path, 5, Readers::Anybody).expect("it fits"), b"12345");
        assert!(matches!(read(&path, 4, Readers::Anybody), Err(Refusal::TooLarge(4))));
        // Its length is 0 until it is read.
        let endless = read(Path::new("/proc/self/status"), 9, Readers::Anybody);
        assert!(matches!(endless, Err(Refusal::TooLarge(9))), "{endless:?}");
    }

    #[test]
    fn what_is_read_is_what_was_looked_at() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        // Two files that take turns under one name.
        let (path, ended) = (at("file"), AtomicBool::new(false));
        for (name, mode) in [("good", 0o600), ("open", 0o644)] {
            fs::write(at(name), name).expect("a file");
            fs::set_permissions(at(name), Permissions::from_mode(mode)).expect("a mode");
        }
        fs::hard_link(at("good"), &path).expect("a link");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    for name in ["open", "good"] {
                        fs::hard_link(at(name), at("next")).expect("a link");
                        fs::rename(at("next"), &path).expect("it takes the place");
                        // Of two names of one file none takes the place of the other.
                        let _ = fs::remove_file(at("next"));
                    }
                }
            });
            let (mut read_well, mut refused) = (0, 0);
            while read_well < 500 || refused < 500 {
                match read(&path, SECRET, Readers::Owner) {
                    Ok(bytes) => {
                        read_well += 1;
                        assert_eq!(bytes, b"good", "read from what was not looked at");
                    }
                    Err(refusal) => {
                        refused += 1;
                        assert!(matches!(refusal, Refusal::OpenToOthers(_)), "{refusal}");
                    }
                }
            }
            ended.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_secret_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "secret").expect("a file");
        for (mode, allowed) in [(0o600, true), (0o400, true), (0o640, false), (0o602, false)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
            assert_eq!(read(&path, 99, Readers::Owner).is_ok(), allowed, "{mode:o}");
        }
    }
}
