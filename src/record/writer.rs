//! Writing the record of one run.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use super::chain::{self, Head};
use super::entry::{Counts, End, Entry, FORMAT, RunFacts, RunId, RunStart, Seal, plan_entries};
use super::folder::{Error, PROGRESS, RUN, Records, STARTING, no_follow};
use super::key::{SignedHead, Statement};
use super::redact::redact_arguments;
use crate::event::{Event, Outcome};
use crate::guard::{ApprovedPlan, Recent, Violation};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndFacts {
    /// The program's exit code.
    pub exit_code: u8,
}

/// The record of a run under way.
///
/// Its file is locked while this value lives: that is how others know that the run does.
#[derive(Debug)]
pub struct RunWriter {
    records: RecordsOf,
    file: File,
    progress: File,
    /// How far it is.
    written: SignedHead,
    length: u64,
    counts: Counts,
    taken: Recent,
    broken: bool,
}

/// The folder and the file's name in it, without its extension.
struct RecordsOf {
    records: Records,
    name: String,
}

impl std::fmt::Debug for RecordsOf {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl RunWriter {
    /// Creates the file with its first line, on disk when this returns. `follows` is the head of
    /// the index.
    pub(super) fn create(
        records: Records,
        name: &str,
        follows: &Head,
        run: RunId,
        mut facts: RunFacts,
    ) -> Result<Self, Error> {
        let create = |extension: &str| {
            let path = records.path(&format!("{name}.{extension}"));
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .custom_flags(no_follow())
                .open(&path)
                .map_err(|source| Error::Write { path, source })
        };
        let (file, progress) = (create(STARTING)?, create(PROGRESS)?);
        let nothing = Head { lines: 0, last: follows.last.clone() };
        let written = records.trust.sign(Statement::Run(name), &nothing);
        let mut writer = Self {
            records: RecordsOf { records, name: name.to_owned() },
            file,
            progress,
            written,
            length: 0,
            counts: Counts::default(),
            taken: Recent::default(),
            broken: false,
        };
        writer.file.lock().map_err(|source| writer.error(source))?;
        facts.arguments = redact_arguments(&facts.arguments);
        writer.write([Entry::Run(Box::new(RunStart { format: FORMAT, run, facts }))])?;
        writer.sync()?;
        Ok(writer)
    }

    /// Writes down what is about to be done. On disk when this returns.
    ///
    /// # Errors
    /// The run must change nothing then.
    pub fn plan(&mut self, approved: &ApprovedPlan, violations: &[Violation]) -> Result<(), Error> {
        self.write(plan_entries(approved, violations))?;
        self.sync()
    }

    /// Writes down what happened. Handed to the operating system when this returns.
    ///
    /// # Errors
    /// The run must begin nothing more then, and call [`RunWriter::end`].
    pub fn event(&mut self, event: &Event) -> Result<(), Error> {
        if let Event::Ended { outcome, .. } = event {
            self.count(outcome);
        }
        self.write([Entry::from(event)])
    }

    /// Writes the last line and seals the file in the index. Gives the head of the index, for
    /// printing: it is what `record verify --expect` compares with.
    ///
    /// # Errors
    /// The run counts as died; a later one seals it.
    pub fn end(mut self, facts: EndFacts) -> Result<Head, Error> {
        self.write([Entry::End(End {
            counts: self.counts,
            exit_code: facts.exit_code,
            taken: self.taken.clone(),
        })])?;
        self.sync()?;
        let Head { lines, last } = self.written.head.clone();
        let seal = Seal { file: self.records.name.clone(), lines, last, torn: None };
        self.records.records.seal(seal)
    }

    /// What the run took away, to be written at its end.
    pub fn taken(&mut self, taken: Recent) {
        self.taken = taken;
    }

    /// What happened to the changes so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How long the run's own file is and how it ends.
    pub fn head(&self) -> &Head {
        &self.written.head
    }

    fn count(&mut self, outcome: &Outcome) {
        self.counts.add(outcome);
    }

    /// Appends lines with one write.
    fn write(&mut self, entries: impl IntoIterator<Item = Entry>) -> Result<(), Error> {
        if self.broken {
            return Err(Error::Broken { path: self.path() });
        }
        let time = (self.records.records.clock)();
        let (mut text, mut head) = (String::new(), self.written.head.clone());
        for entry in entries {
            let line;
            (line, head) = chain::line(&head, time, &entry);
            text.push_str(&line);
        }
        let next = self.records.records.trust.sign(Statement::Run(&self.records.name), &head);
        if let Err(source) = self.append(&text, &next) {
            self.take_back();
            return Err(self.error(source));
        }
        self.written = next;
        self.length += text.len() as u64;
        Ok(())
    }

    /// A signature is there before what it covers is. A head without one is never longer than what
    /// is in the file, so that a kill in between is no damage.
    fn append(&mut self, text: &str, next: &SignedHead) -> io::Result<()> {
        if next.signature.is_none() {
            self.file.write_all(text.as_bytes())?;
            return self.tell(&[next]);
        }
        self.tell(&[&self.written, next])?;
        self.file.write_all(text.as_bytes())?;
        self.tell(&[next, next])
    }

    /// Says how far the run is.
    fn tell(&self, heads: &[&SignedHead]) -> io::Result<()> {
        let mut text = String::new();
        for head in heads {
            text.push_str(&head.to_string());
            text.push('\n');
        }
        self.progress.write_all_at(text.as_bytes(), 0)
    }

    /// Takes back the piece of a line that went through before the disk was full.
    fn take_back(&mut self) {
        use std::io::Seek as _;
        let mut taken_back = self.file.set_len(self.length);
        if taken_back.is_ok() {
            taken_back = self.file.seek(io::SeekFrom::Start(self.length)).map(|_| ());
        }
        // What was told may be longer than what will be told next.
        let signs = self.written.signature.is_some();
        let heads = if signs { vec![&self.written; 2] } else { vec![&self.written] };
        let length = heads.iter().map(|head| head.to_string().len() as u64 + 1).sum();
        let told = if self.length == 0 {
            self.progress.set_len(0)
        } else {
            self.tell(&heads).and_then(|()| self.progress.set_len(length))
        };
        self.broken = taken_back.and(told).is_err();
    }

    fn sync(&self) -> Result<(), Error> {
        self.file
            .sync_all()
            .and_then(|()| self.progress.sync_all())
            .map_err(|source| self.error(source))
    }

    fn path(&self) -> std::path::PathBuf {
        self.records.records.path(&format!("{}.{RUN}", self.records.name))
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Write { path: self.path(), source }
    }
}
