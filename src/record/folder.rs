//! The folder of records and its index.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::chain::Head;
use super::entry::{IndexEntry, RunFacts, RunId, Seal};
use super::index::{Doubt, Index};
use super::key::SignedHead;
use super::trust::{Trust, Witness};
use super::writer::RunWriter;
use crate::file;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(super) const INDEX: &str = "index.jsonl";
pub(super) const HEAD: &str = "head";
/// A head being written; renamed to [`HEAD`] when it is whole.
pub(super) const NEW_HEAD: &str = "head.new";
pub(super) const RUN: &str = "jsonl";
/// A run's file before its begin is in the index; renamed to [`RUN`] then.
pub(super) const STARTING: &str = "starting";
pub(super) const PROGRESS: &str = "progress";

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be made or used.
    #[error("cannot use the folder of run records {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the record cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the record cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The index does not verify; nothing is appended to it before somebody has looked. To go on
    /// after that, move the folder of records aside: the next run begins a new one.
    #[error("the run record is damaged: {}, line {line}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The record is not signed as it must be, or not what the witness saw; or it is signed, and
    /// this run has no key to go on with it. Nothing is added to it: a new signature would make
    /// a forgery look like a record. Once an operator has looked, `reconcile record sign` goes on.
    #[error("the run record cannot be trusted: {}: {what}", path.display())]
    Untrusted {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// There is nothing to sign with.
    #[error("there is no key to sign the record with")]
    NoKey,
    /// A run is under way.
    #[error("{} is under way", path.display())]
    UnderWay {
        /// Its file.
        path: PathBuf,
    },
    /// An earlier line could not be written, nor what there was of it be taken back.
    #[error("{} ends in half a line since an earlier error", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// No such run.
    #[error("there is no (or more than one) run `{run}` in {}", path.display())]
    NoSuchRun {
        /// What was asked for.
        run: String,
        /// Where.
        path: PathBuf,
    },
}

/// The run records of one state folder.
#[derive(Clone)]
pub struct Records {
    pub(super) folder: PathBuf,
    pub(super) clock: Clock,
    pub(super) trust: Arc<Trust>,
}

impl Records {
    /// The records in `<state>/records`. Touches nothing yet.
    pub fn open(state: &Path, clock: Clock) -> Self {
        Self { folder: state.join("records"), clock, trust: Arc::default() }
    }

    /// The same, signed and believed as said.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust: Arc::new(trust), ..self }
    }

    /// Begins the record of a run, and seals the records of runs that died.
    ///
    /// # Errors
    /// When this returns an error the run has no record and must change nothing.
    pub fn start(&self, run: RunId, facts: RunFacts) -> Result<RunWriter, Error> {
        self.create_folder()?;
        let mut index = self.index(Doubt::Refused)?;
        index.catch_up_witness()?;
        index.take_over()?;
        index.seal_the_dead()?;
        let number = index.runs.len() + 1;
        let name = format!("{number:06}-{run}");
        let writer = RunWriter::create(self.clone(), &name, &index.head, run, facts)?;
        let first = writer.head().last.clone();
        index.append(&IndexEntry::Started { file: name.clone(), first })?;
        self.rename(&format!("{name}.{STARTING}"), &format!("{name}.{RUN}"))?;
        Ok(writer)
    }

    /// Writes the end of a run into the index.
    pub(super) fn seal(&self, seal: Seal) -> Result<Head, Error> {
        let file = seal.file.clone();
        let mut index = self.index(Doubt::Refused)?;
        index.append(&IndexEntry::Ended(seal))?;
        let head = index.head.clone();
        self.remove(&format!("{file}.{PROGRESS}"))?;
        Ok(head)
    }

    /// Takes the record as it is, whatever its signatures and the witness say, and signs it: once
    /// when a record gets its first key, and after an operator has looked at what did not verify.
    /// That it was done stands in the record and with the witness.
    ///
    /// # Errors
    /// There is no key, a run is under way, or the chain itself is damaged: move the folder aside
    /// then, and sign what is left, which is nothing.
    pub fn sign(&self) -> Result<Head, Error> {
        let key = self.trust.sign_with.as_ref().ok_or(Error::NoKey)?.public().clone();
        self.create_folder()?;
        let mut index = self.index(Doubt::Taken)?;
        index.seal_the_dead()?;
        let alive = index
            .runs
            .iter()
            .map(|run| format!("{}.{RUN}", run.file))
            .find(|name| self.is_alive(name));
        if let Some(name) = alive {
            return Err(Error::UnderWay { path: self.path(&name) });
        }
        index.begin_anew(key.to_string())?;
        Ok(index.head.clone())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn create_folder(&self) -> Result<(), Error> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|source| Error::Folder { path: self.folder.clone(), source })
    }

    /// The index, locked against all other runs for as long as the value lives.
    fn index(&self, doubt: Doubt) -> Result<Index, Error> {
        let path = self.path(INDEX);
        let write_error = |source| Error::Write { path: path.clone(), source };
        let options = OpenOptions::new().read(true).append(true).create(true).mode(0o600).clone();
        let mut file = file::open_own(&path, &options).map_err(write_error)?;
        file.lock().map_err(write_error)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        Index::check(self.clone(), file, &bytes, doubt)
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.path(name);
        file::read_own(&path).map_err(|source| Error::Read { path, source })
    }

    /// The names of the files of runs; none where no run has written anything yet.
    pub(super) fn run_files(&self) -> Result<Vec<String>, Error> {
        let error = |source| Error::Folder { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(error)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(error)?.file_name();
            if let Some(name) = name.to_str()
                && name.ends_with(&format!(".{RUN}"))
                && name != INDEX
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// The head in a file; `None` if it is not there or not one.
    pub(super) fn read_head(&self, name: &str) -> Option<SignedHead> {
        let bytes = file::read_own(&self.path(name)).ok()?;
        std::str::from_utf8(&bytes).ok()?.strip_suffix('\n')?.parse().ok()
    }

    /// How far a run said it was; `None` if that is not there or makes no sense.
    pub(super) fn read_progress(&self, run: &str) -> Option<Progress> {
        let bytes = file::read_own(&self.path(&format!("{run}.{PROGRESS}"))).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?.strip_suffix('\n')?;
        match text.split_once('\n') {
            None => Some(Progress { written: text.parse().ok()?, next: None }),
            Some((written, next)) => {
                let [written, next]: [SignedHead; 2] = [written.parse().ok()?, next.parse().ok()?];
                let signed = written.signature.is_some() && next.signature.is_some();
                signed.then_some(Progress { written, next: Some(next) })
            }
        }
    }

    /// What the witness saw; nothing where there is none.
    pub(super) fn witness(&self) -> Result<Option<(&Path, Witness)>, Error> {
        let Some(path) = &self.trust.witness else { return Ok(None) };
        let witness = Witness::read(path, &self.trust)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        Ok(Some((path, witness)))
    }

    pub(super) fn is_alive(&self, name: &str) -> bool {
        file::open_own(&self.path(name), OpenOptions::new().read(true))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        let path = self.path(to);
        fs::rename(self.path(from), &path)
            .and_then(|()| self.sync_folder())
            .map_err(|source| Error::Write { path, source })
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Error::Write { path, source })
            }
            _ => Ok(()),
        }
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    /// Writes down the head that is to come, before what it is the head of: so no line is ever
    /// without a signature.
    pub(super) fn announce_head(&self, head: &SignedHead) -> Result<(), Error> {
        let path = self.path(NEW_HEAD);
        let written = || -> io::Result<()> {
            let options =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).clone();
            let mut file = file::open_own(&path, &options)?;
            writeln!(file, "{head}")?;
            file.sync_all()
        };
        written().map_err(|source| Error::Write { path: path.clone(), source })
    }

    pub(super) fn write_head(&self, head: &SignedHead) -> Result<(), Error> {
        self.announce_head(head)?;
        self.rename(NEW_HEAD, HEAD)
    }
}

/// How far a run is, in a file of its own. A run that signs writes two heads: that of the lines
/// that are in the file, and, before it writes more, that to which those will lead. So there is
/// never a line that no signature covers.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub written: SignedHead,
    pub next: Option<SignedHead>,
}

/// A symlink where a file of the record should be is refused: it would lead the writer elsewhere.
pub(super) fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}
