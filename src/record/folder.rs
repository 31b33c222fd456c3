//! The folder of records and its index.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::chain::{self, Chain, Head, NOTHING};
use super::entry::{Entry, IndexEntry, Line, RunFacts, RunId, Seal};
use super::writer::RunWriter;
use crate::digest::sha256;

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
    #[error("the index of run records is damaged: {}, line {line}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
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
}

impl Records {
    /// The records in `<state>/records`. Touches nothing yet.
    pub fn open(state: &Path, clock: Clock) -> Self {
        Self { folder: state.join("records"), clock }
    }

    /// Begins the record of a run, and seals the records of runs that died.
    ///
    /// # Errors
    /// When this returns an error the run has no record and must change nothing.
    pub fn start(&self, run: RunId, facts: RunFacts) -> Result<RunWriter, Error> {
        self.create_folder()?;
        let mut index = self.index()?;
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
        let mut index = self.index()?;
        index.append(&IndexEntry::Ended(seal))?;
        let head = index.head.clone();
        self.remove(&format!("{file}.{PROGRESS}"))?;
        Ok(head)
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
    fn index(&self) -> Result<Index, Error> {
        let path = self.path(INDEX);
        let write_error = |source| Error::Write { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(no_follow())
            .open(&path)
            .map_err(write_error)?;
        file.lock().map_err(write_error)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        Index::check(self.clone(), file, &bytes)
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.path(name);
        fs::read(&path).map_err(|source| Error::Read { path, source })
    }

    /// The head in a file; `None` if it is not there or not one.
    pub(super) fn read_head(&self, name: &str) -> Option<Head> {
        let bytes = fs::read(self.path(name)).ok()?;
        std::str::from_utf8(&bytes).ok()?.strip_suffix('\n')?.parse().ok()
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        let path = self.path(to);
        fs::rename(self.path(from), &path)
            .and_then(|()| self.sync_folder())
            .map_err(|source| Error::Write { path, source })
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
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

    fn write_head(&self, head: &Head) -> Result<(), Error> {
        let path = self.path(NEW_HEAD);
        let written = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .custom_flags(no_follow())
                .open(&path)?;
            writeln!(file, "{head}")?;
            file.sync_all()
        };
        written().map_err(|source| Error::Write { path: path.clone(), source })?;
        self.rename(NEW_HEAD, HEAD)
    }
}

/// A symlink where a file of the record should be is refused: it would lead the writer elsewhere.
pub(super) fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

/// Why the head that was written down does not agree with the index.
pub(super) fn head_problem(written: Option<&Head>, chain: &Chain<'_>) -> Option<String> {
    let lines = chain.lines.len() as u64;
    match written {
        None if lines == 0 => None,
        None => Some("is missing or not a head".into()),
        Some(head) if head.lines > lines => Some(format!(
            "says that the index has {} lines, but it has {lines}: its end was cut off",
            head.lines
        )),
        Some(head) if !chain.contains(head, NOTHING) => {
            Some(format!("does not agree with line {} of the index", head.lines))
        }
        // A run that dies between appending and writing the head leaves it one behind.
        Some(head) if head.lines + 1 < lines => {
            Some(format!("says that the index has {} lines, but it has {lines}", head.lines))
        }
        Some(_) => None,
    }
}

/// The index, open for appending.
struct Index {
    records: Records,
    file: File,
    head: Head,
    /// All runs in their order, as they were when the index was opened.
    runs: Vec<IndexedRun>,
}

impl Index {
    fn check(records: Records, file: File, bytes: &[u8]) -> Result<Self, Error> {
        let path = records.path(INDEX);
        let damaged = |line, what| Error::Damaged { path: path.clone(), line, what };
        let chain = chain::check(bytes, NOTHING);
        if let Some((line, what)) = chain.damage.first() {
            return Err(damaged(*line, what.clone()));
        }
        let written = records.read_head(HEAD);
        if let Some(what) = head_problem(written.as_ref(), &chain) {
            return Err(Error::Damaged { path: records.path(HEAD), line: 1, what });
        }
        let (runs, problems) = index_runs(&chain);
        if let Some((line, what)) = problems.into_iter().next() {
            return Err(damaged(line, what));
        }
        let head = chain.head(NOTHING);
        if !chain.torn.is_empty() {
            // Half a line of a run that died: it was never part of the chain.
            file.set_len((bytes.len() - chain.torn.len()) as u64)
                .map_err(|source| Error::Write { path: path.clone(), source })?;
        }
        if written.as_ref() != Some(&head) {
            records.write_head(&head)?;
        }
        Ok(Self { records, file, head, runs })
    }

    fn append(&mut self, entry: &IndexEntry) -> Result<(), Error> {
        let (line, head) = chain::line(&self.head, (self.records.clock)(), entry);
        let before = self.file.metadata().map(|metadata| metadata.len());
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_all());
        if let Err(source) = written {
            if let Ok(length) = before {
                let _ = self.file.set_len(length);
            }
            return Err(Error::Write { path: self.records.path(INDEX), source });
        }
        self.head = head;
        self.records.write_head(&self.head)
    }

    /// Seals every run that neither ended nor lives.
    fn seal_the_dead(&mut self) -> Result<(), Error> {
        let unsealed: Vec<IndexedRun> =
            self.runs.iter().filter(|run| run.seal.is_none()).cloned().collect();
        for run in unsealed {
            self.seal_if_dead(&run)?;
        }
        self.clear_leftovers()
    }

    fn seal_if_dead(&mut self, run: &IndexedRun) -> Result<(), Error> {
        let name = &run.file;
        let (starting, written) = (format!("{name}.{STARTING}"), format!("{name}.{RUN}"));
        if self.records.path(&starting).exists() && !self.records.path(&written).exists() {
            self.records.rename(&starting, &written)?;
        }
        // A file that is gone or cannot be read is for `record verify` to report; it must not
        // keep everybody from working.
        let Ok(file) = File::open(self.records.path(&written)) else { return Ok(()) };
        if file.try_lock().is_err() {
            return Ok(());
        }
        let bytes = self.records.read(&written)?;
        let chain = chain::check(&bytes, &run.follows);
        let progress = self.records.read_head(&format!("{name}.{PROGRESS}"));
        // What was damaged before it was sealed stays unsealed, and so stays reported.
        if !chain.damage.is_empty()
            || !progress.is_some_and(|head| chain.contains(&head, &run.follows))
        {
            return Ok(());
        }
        let head = chain.head(&run.follows);
        let torn = (!chain.torn.is_empty()).then(|| sha256(chain.torn));
        let seal = Seal { file: name.clone(), lines: head.lines, last: head.last, torn };
        let ended = seal.torn.is_none() && chain.lines.last().is_some_and(|line| is_end(line));
        self.append(&if ended { IndexEntry::Ended(seal) } else { IndexEntry::Abandoned(seal) })?;
        self.records.remove(&format!("{name}.{PROGRESS}"))
    }

    /// Removes what starts that never got into the index and ends that were cut short left.
    fn clear_leftovers(&self) -> Result<(), Error> {
        let folder = &self.records.folder;
        let error = |source| Error::Folder { path: folder.clone(), source };
        let under_way: BTreeSet<&str> = self
            .runs
            .iter()
            .filter(|run| run.seal.is_none())
            .map(|run| run.file.as_str())
            .collect();
        for entry in fs::read_dir(folder).map_err(error)? {
            let name = entry.map_err(error)?.file_name().to_string_lossy().into_owned();
            if leftover_of(&name).is_some_and(|run| !under_way.contains(run)) {
                self.records.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// The run to which a file belongs that is there only while a run starts or is under way.
pub(super) fn leftover_of(name: &str) -> Option<&str> {
    let (run, extension) = name.rsplit_once('.')?;
    ([STARTING, PROGRESS].contains(&extension) && is_run_name(run)).then_some(run)
}

/// Whether a text is `NUMBER-RUN`.
fn is_run_name(text: &str) -> bool {
    text.split_once('-').is_some_and(|(number, run)| {
        number.len() >= 6
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && run.len() == 16
            && run.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn is_end(line: &[u8]) -> bool {
    matches!(serde_json::from_slice(line), Ok(Line { what: Entry::End(_), .. }))
}

/// A run as the index tells of it.
#[derive(Clone, Debug)]
pub(super) struct IndexedRun {
    /// Its file, without `.jsonl`.
    pub file: String,
    /// The hash of its first line.
    pub first: String,
    /// The hash of the index's last line when it began: what its first line follows.
    pub follows: String,
    /// When it was sealed, what it holds.
    pub seal: Option<Seal>,
    /// It was sealed because it died.
    pub abandoned: bool,
}

/// The runs of an index, in order, and the lines that make no sense.
pub(super) fn index_runs(chain: &Chain<'_>) -> (Vec<IndexedRun>, Vec<(usize, String)>) {
    let (mut runs, mut problems) = (Vec::<IndexedRun>::new(), Vec::new());
    let mut follows = NOTHING;
    for ((number, line), hash) in (1..).zip(&chain.lines).zip(&chain.hashes) {
        match serde_json::from_slice(line) {
            Ok(Line { what: IndexEntry::Started { file, first }, .. }) => {
                let follows = follows.to_owned();
                runs.push(IndexedRun { file, first, follows, seal: None, abandoned: false });
            }
            Ok(Line { what: IndexEntry::Ended(seal), .. }) => {
                apply_seal(&mut runs, seal, false)
                    .unwrap_or_else(|what| problems.push((number, what)));
            }
            Ok(Line { what: IndexEntry::Abandoned(seal), .. }) => {
                apply_seal(&mut runs, seal, true)
                    .unwrap_or_else(|what| problems.push((number, what)));
            }
            Err(error) => problems.push((number, format!("is not understood: {error}"))),
        }
        follows = hash;
    }
    (runs, problems)
}

fn apply_seal(runs: &mut [IndexedRun], seal: Seal, abandoned: bool) -> Result<(), String> {
    let run = runs
        .iter_mut()
        .rev()
        .find(|run| run.file == seal.file && run.seal.is_none())
        .ok_or_else(|| format!("ends {}, which is not under way", seal.file))?;
    (run.seal, run.abandoned) = (Some(seal), abandoned);
    Ok(())
}
