//! The file behind an embedded cloud: an append-only list of mutations.
//!
//! # Format
//! JSON, one value per line. Line 1 names the format and its version. Line 2 may be a snapshot
//! of the state (what compaction leaves). Every other line is one mutation with its number,
//! counted without gaps, so that a line that was deleted, repeated or moved is noticed.
//!
//! Version 2 has what mirrors are made of; apart from that, version 1 is the same. The first write
//! to a file of an older version makes it one of the newest, so that a program that does not know
//! what may be in it from then on says so, instead of calling it damaged.
//!
//! # Guarantees
//! - A write is one append of one line. A process killed at any byte leaves a prefix of the
//!   writes: a last line without its newline is not there, and the next writer cuts it off.
//! - Several processes may share a file. Writers hold an exclusive advisory lock on `FILE.lock`
//!   from reading the newest state to the end of the append; readers hold a shared one while they
//!   read. Both first catch up with what others appended.
//! - Compaction writes `FILE.new`, flushes it to disk and renames it, under the same lock.
//! - Appends are handed to the operating system but not flushed to disk one by one: after a power
//!   failure the newest writes may be missing, never the older ones without them. That is as
//!   harmless as never having run, and keeps hundreds of writes instant. What compaction
//!   replaces *is* flushed.
//!
//! - Only its owner may read the file: it holds names and mail addresses.
//!
//! # Errors
//! Any other damage is an error naming file and line; nothing is guessed or skipped.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::state::{Mutation, State};
use crate::file;

const FORMAT: &str = "reconcile embedded cloud";
const VERSION: u32 = 2;
/// Versions that this program reads; it goes on writing only the newest.
const READ: std::ops::RangeInclusive<u32> = 1..=VERSION;
/// Files smaller than this are never compacted.
const COMPACT_FROM: u64 = 256 * 1024;
/// Compaction pays once the file is so many times what it was after the last one.
const COMPACT_FACTOR: u64 = 4;

/// What is wrong with a state file.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Reading failed.
    #[error("cannot read the embedded cloud's state file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed; the state is as before.
    #[error("cannot write the embedded cloud's state file {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what this program wrote there.
    #[error(
        "{}:{line}: damaged state of the embedded cloud: {problem}; restore the file from a \
         backup, or move it away to begin with an empty cloud",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A newer program wrote the file.
    #[error(
        "{}:1: the state file has version {found}, this program reads version {VERSION}; use the \
         newer program that wrote it",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Snapshot(Box<State>),
    Mutation { number: u64, mutation: Mutation },
}

/// An open state file, read up to some line.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Option<File>,
    /// Where the next line begins.
    offset: u64,
    /// How many lines were read.
    lines: u64,
    /// How long the file was after its last compaction.
    compacted: u64,
    /// The version that its first line names.
    version: u32,
}

/// Holds the lock until dropped.
#[must_use]
pub struct Locked(
    #[expect(dead_code, reason = "dropping it closes the file and ends the lock")] File,
);

impl Journal {
    /// A journal at a path. Nothing is read or created yet.
    pub fn new(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path, file: None, offset: 0, lines: 0, compacted: 0, version: VERSION }
    }

    /// Locks out writers, where there ever was one.
    pub fn lock_shared(&self) -> Result<Option<Locked>, JournalError> {
        let path = self.lock_path();
        let error = |source| JournalError::Read { path: path.clone(), source };
        let file = match file::open_own(&path, OpenOptions::new().read(true)) {
            Ok(file) => file,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(error(source)),
        };
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                file.lock_shared().map_err(error)?;
            }
            Err(TryLockError::Error(source)) => return Err(error(source)),
        }
        Ok(Some(Locked(file)))
    }

    /// Locks out everybody else, creating folder and lock file if need be.
    pub fn lock_exclusive(&self) -> Result<Locked, JournalError> {
        let path = self.lock_path();
        let lock = || {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let options = OpenOptions::new().create(true).append(true).clone();
            let file = file::open_own(&path, &options)?;
            file.lock()?;
            Ok(file)
        };
        lock().map(Locked).map_err(|source| JournalError::Write { path: path.clone(), source })
    }

    /// Brings the state up to date with what was appended since. Call under a lock.
    pub fn catch_up(&mut self, state: &mut State) -> Result<(), JournalError> {
        if self.was_replaced()? {
            self.file = None;
        }
        if self.file.is_none() {
            (self.offset, self.lines, self.compacted, self.version) = (0, 0, 0, VERSION);
            *state = State::default();
            match file::open_own(&self.path, OpenOptions::new().read(true)) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(self.read_error(error)),
            }
        }
        let text = self.unread().map_err(|error| self.read_error(error))?;
        let mut rest = text.as_slice();
        while let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = rest.split_at(length + 1);
            self.read_line(&line[..length], state)?;
            self.offset += line.len() as u64;
            self.lines += 1;
            rest = behind;
        }
        let begins = |version| header_of(version).as_bytes().starts_with(rest);
        if self.lines == 0 && !READ.into_iter().any(begins) {
            return Err(self.damaged("this is not a state file of the embedded cloud"));
        }
        Ok(())
    }

    /// Adds a mutation. Call under an exclusive lock, after [`Journal::catch_up`].
    ///
    /// If this fails the file holds what it held before, or a torn line that counts for nothing.
    pub fn append(&mut self, number: u64, mutation: &Mutation) -> Result<(), JournalError> {
        let mut text = if self.lines == 0 { header() } else { String::new() };
        let line = Line::Mutation { number, mutation: mutation.clone() };
        text.push_str(&to_line(&line));
        match self.write_at_end(text.as_bytes()) {
            Ok(file) => {
                self.offset += text.len() as u64;
                self.lines += if self.lines == 0 { 2 } else { 1 };
                // The same file as before, or the first.
                self.file.get_or_insert(file);
                Ok(())
            }
            Err(error) => Err(self.write_error(error)),
        }
    }

    /// Rewrites a file of an older version as one of the newest. Call under an exclusive lock, with
    /// the state the file holds.
    pub fn upgrade(&mut self, state: &State) -> Result<(), JournalError> {
        if self.lines == 0 || self.version == VERSION {
            return Ok(());
        }
        self.compact(state).map_err(|error| self.write_error(error))
    }

    /// Rewrites the file as one snapshot, if that would shrink it a good deal. Call under an
    /// exclusive lock, with the state the file holds.
    pub fn compact_if_worthwhile(&mut self, state: &State) -> Result<(), JournalError> {
        if self.offset < COMPACT_FROM.max(self.compacted.saturating_mul(COMPACT_FACTOR)) {
            return Ok(());
        }
        self.compact(state).map_err(|error| self.write_error(error))
    }

    fn compact(&mut self, state: &State) -> io::Result<()> {
        let mut text = header();
        text.push_str(&to_line(&Line::Snapshot(Box::new(state.clone()))));
        let new = with_suffix(&self.path, ".new");
        // One that was left behind may be readable by others; a new one is not.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = file::open_own(&new, private().write(true).truncate(true))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        self.file = Some(file::open_own(&self.path, OpenOptions::new().read(true))?);
        self.offset = text.len() as u64;
        self.compacted = self.offset;
        self.lines = 2;
        self.version = VERSION;
        Ok(())
    }

    fn write_at_end(&self, text: &[u8]) -> io::Result<File> {
        let file = file::open_own(&self.path, private().append(true))?;
        // Whoever was killed while writing left a torn line.
        if file.metadata()?.len() != self.offset {
            file.set_len(self.offset)?;
        }
        if let Err(error) = (&file).write_all(text) {
            // If this fails too, the next writer does it.
            let _ = file.set_len(self.offset);
            return Err(error);
        }
        file::open_own(&self.path, OpenOptions::new().read(true))
    }

    fn was_replaced(&self) -> Result<bool, JournalError> {
        let Some(file) = &self.file else { return Ok(false) };
        let open = file.metadata().map_err(|error| self.read_error(error))?;
        match fs::metadata(&self.path) {
            Ok(now) => {
                Ok((now.dev(), now.ino()) != (open.dev(), open.ino()) || now.len() < self.offset)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(self.read_error(error)),
        }
    }

    fn unread(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        if let Some(mut file) = self.file.as_ref() {
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_end(&mut text)?;
        }
        Ok(text)
    }

    fn read_line(&mut self, line: &[u8], state: &mut State) -> Result<(), JournalError> {
        if self.lines == 0 {
            return self.read_header(line);
        }
        match serde_json::from_slice(line) {
            Ok(Line::Snapshot(snapshot)) if self.lines == 1 => {
                *state = *snapshot;
                self.compacted = self.offset + line.len() as u64 + 1;
                Ok(())
            }
            Ok(Line::Snapshot(_)) => Err(self.damaged("a snapshot belongs in line 2")),
            Ok(Line::Mutation { number, mutation }) if number == state.number + 1 => {
                state.apply(&mutation);
                Ok(())
            }
            Ok(Line::Mutation { number, .. }) => {
                Err(self
                    .damaged(&format!("mutation {number} where {} was expected", state.number + 1)))
            }
            Err(error) => Err(self.damaged(&error.to_string())),
        }
    }

    fn read_header(&mut self, line: &[u8]) -> Result<(), JournalError> {
        match serde_json::from_slice::<Header>(line) {
            Ok(header) if header.format == FORMAT && READ.contains(&header.version) => {
                self.version = header.version;
                Ok(())
            }
            Ok(header) if header.format == FORMAT => {
                Err(JournalError::Version { path: self.path.clone(), found: header.version })
            }
            _ => Err(self.damaged("this is not a state file of the embedded cloud")),
        }
    }

    fn lock_path(&self) -> PathBuf {
        with_suffix(&self.path, ".lock")
    }

    fn damaged(&self, problem: &str) -> JournalError {
        JournalError::Damaged {
            path: self.path.clone(),
            line: self.lines + 1,
            problem: problem.to_owned(),
        }
    }

    fn read_error(&self, source: io::Error) -> JournalError {
        JournalError::Read { path: self.path.clone(), source }
    }

    fn write_error(&self, source: io::Error) -> JournalError {
        JournalError::Write { path: self.path.clone(), source }
    }
}

/// Options for a file that comes to be readable by its owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

fn header() -> String {
    header_of(VERSION)
}

fn header_of(version: u32) -> String {
    to_line(&Header { format: FORMAT.to_owned(), version })
}

fn to_line<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string(value)
        .expect("maps with text keys, texts and numbers always have a JSON form");
    text.push('\n');
    text
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(suffix);
    text.into()
}
