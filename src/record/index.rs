//! The index: which runs there were, and that nothing of it was forged when something is added.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;

use super::chain::{self, Chain, Head, NOTHING};
use super::entry::{Entry, IndexEntry, Line, Seal};
use super::folder::{Error, HEAD, INDEX, NEW_HEAD, PROGRESS, Progress, RUN, Records, STARTING};
use super::key::{SignedHead, Statement};
use super::trust::{self, Trust};
use crate::digest::sha256;
use crate::file;

/// Whether signatures and the witness must agree with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// They must.
    Refused,
    /// An operator has looked and says that it is to be taken as it is.
    Taken,
}

/// Why the head that was written down does not agree with the index.
pub(super) fn head_problem(
    written: Option<&SignedHead>,
    next: Option<&SignedHead>,
    chain: &Chain<'_>,
) -> Option<String> {
    let lines = chain.lines.len() as u64;
    match written.map(|written| &written.head) {
        None if lines == 0 => None,
        // The first run died between its line and the head.
        None if lines == 1 && next.is_some_and(|next| next.head == chain.head(NOTHING)) => None,
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
pub(super) struct Index {
    records: Records,
    file: File,
    doubt: Doubt,
    pub(super) head: Head,
    /// All runs in their order, as they were when the index was opened.
    pub(super) runs: Vec<IndexedRun>,
    /// The key that the last statement of a key in the index names.
    signed_by: Option<String>,
}

impl Index {
    pub(super) fn check(
        records: Records,
        file: File,
        bytes: &[u8],
        doubt: Doubt,
    ) -> Result<Self, Error> {
        let path = records.path(INDEX);
        let damaged = |line, what| Error::Damaged { path: path.clone(), line, what };
        let chain = chain::check(bytes, NOTHING);
        if let Some((line, what)) = chain.damage.first() {
            return Err(damaged(*line, what.clone()));
        }
        let (written, next) = (records.read_head(HEAD), records.read_head(NEW_HEAD));
        if let Some(what) = head_problem(written.as_ref(), next.as_ref(), &chain) {
            return Err(Error::Damaged { path: records.path(HEAD), line: 1, what });
        }
        if doubt == Doubt::Refused {
            records.believe(written.as_ref(), next.as_ref(), &chain)?;
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
        let signed_by = signer_in(&chain);
        if doubt == Doubt::Refused && written.as_ref().map(|written| &written.head) != Some(&head) {
            records.write_head(&records.trust.sign(Statement::Index, &head))?;
        }
        Ok(Self { records, file, doubt, head, runs, signed_by })
    }

    /// The order is what makes a kill harmless: a signed head, the line, the head in its place,
    /// the witness. At most the witness is one line behind then, and the next run mends that.
    pub(super) fn append(&mut self, entry: &IndexEntry) -> Result<(), Error> {
        let (line, head) = chain::line(&self.head, (self.records.clock)(), entry);
        let signed = self.records.trust.sign(Statement::Index, &head);
        self.records.announce_head(&signed)?;
        let before = self.file.metadata().map(|metadata| metadata.len());
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_all());
        if let Err(source) = written {
            if let Ok(length) = before {
                let _ = self.file.set_len(length);
            }
            return Err(Error::Write { path: self.records.path(INDEX), source });
        }
        self.head = head;
        self.records.rename(NEW_HEAD, HEAD)?;
        match (&self.records.trust.witness, self.doubt) {
            (Some(path), Doubt::Refused) => trust::append(path, &signed)
                .map_err(|source| Error::Write { path: path.clone(), source }),
            // It is told at the end that this is taken as it is.
            (Some(_), Doubt::Taken) | (None, _) => Ok(()),
        }
    }

    /// Says, in the record and to the witness, that it is taken as it is and signed with the key.
    pub(super) fn begin_anew(&mut self, key: String) -> Result<(), Error> {
        self.append(&IndexEntry::Signed { key })?;
        let Some(path) = &self.records.trust.witness else { return Ok(()) };
        trust::append_anew(path, &self.records.trust, &self.head)
            .map_err(|source| Error::Write { path: path.clone(), source })
    }

    /// Lets the witness see the last line, should the run that wrote it have died before it could.
    pub(super) fn catch_up_witness(&self) -> Result<(), Error> {
        let Some((path, witness)) = self.records.witness()? else { return Ok(()) };
        if self.head.lines == 0 || witness.last() == Some(&self.head) {
            return Ok(());
        }
        trust::append(path, &self.records.trust.sign(Statement::Index, &self.head))
            .map_err(|source| Error::Write { path: path.to_owned(), source })
    }

    /// A key that signs for the first time says so in the record: whoever trusts it need no longer
    /// trust the one before.
    pub(super) fn take_over(&mut self) -> Result<(), Error> {
        let Some(key) = &self.records.trust.sign_with else { return Ok(()) };
        let key = key.public().to_string();
        if self.signed_by.as_ref() == Some(&key) {
            return Ok(());
        }
        self.append(&IndexEntry::Signed { key: key.clone() })?;
        self.signed_by = Some(key);
        Ok(())
    }

    /// Seals every run that neither ended nor lives.
    pub(super) fn seal_the_dead(&mut self) -> Result<(), Error> {
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
        let written_to = self.records.path(&written);
        let Ok(file) = file::open_own(&written_to, OpenOptions::new().read(true)) else {
            return Ok(());
        };
        if file.try_lock().is_err() {
            return Ok(());
        }
        let bytes = self.records.read(&written)?;
        let chain = chain::check(&bytes, &run.follows);
        let progress = self.records.read_progress(name);
        // What was damaged before it was sealed stays unsealed, and so stays reported.
        let unsigned = Trust::default();
        let trust = match self.doubt {
            Doubt::Refused => &*self.records.trust,
            Doubt::Taken => &unsigned,
        };
        let agrees = |progress: &Progress| {
            progress_problem(run, progress, progress, trust, &chain).is_none()
        };
        if !chain.damage.is_empty() || !progress.as_ref().is_some_and(agrees) {
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
            Ok(Line { what: IndexEntry::Signed { .. }, .. }) => {}
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

/// The key that the last statement of a key names.
fn signer_in(chain: &Chain<'_>) -> Option<String> {
    chain.lines.iter().rev().find_map(|line| match serde_json::from_slice(line) {
        Ok(Line { what: IndexEntry::Signed { key }, .. }) => Some(key),
        _ => None,
    })
}

/// What of a run's file does not agree with how far it said it was. `before` and `after` were read
/// before and after the file was: while a run goes on, it only ever gets longer.
pub(super) fn progress_problem(
    run: &IndexedRun,
    before: &Progress,
    after: &Progress,
    trust: &Trust,
    chain: &Chain<'_>,
) -> Option<String> {
    let statement = Statement::Run(&run.file);
    let signed = [Some(&before.written), after.next.as_ref()];
    if let Some(what) = signed.into_iter().flatten().find_map(|one| trust.problem(one, statement)) {
        return Some(what);
    }
    let lines = chain.lines.len() as u64;
    let written = &before.written.head;
    if written.lines > lines {
        return Some(format!(
            "says that the run wrote {} lines, but there are {lines}: the end was cut off, or lost \
             in a power failure",
            written.lines
        ));
    }
    if !chain.contains(written, &run.follows) {
        return Some(format!("does not agree with line {} of the run", written.lines));
    }
    let next = &after.next.as_ref()?.head;
    if lines > next.lines || (lines == next.lines && chain.head(&run.follows) != *next) {
        return Some(format!("covers {} lines of the run, and not those there are", next.lines));
    }
    None
}

impl Records {
    /// Whether the signatures and the witness agree with the index, and this run can go on with it.
    fn believe(
        &self,
        written: Option<&SignedHead>,
        next: Option<&SignedHead>,
        chain: &Chain<'_>,
    ) -> Result<(), Error> {
        let untrusted = |name: &str, what| Error::Untrusted { path: self.path(name), what };
        if self.trust.sign_with.is_none() {
            if self.trust.is_wanted() {
                return Err(Error::NoKey);
            }
            if written.or(next).is_some_and(|head| head.signature.is_some()) {
                let what = "is signed, and this run has no key to go on with it".into();
                return Err(untrusted(HEAD, what));
            }
        }
        if let Some(what) = self.trust.index_problem(written, next, chain) {
            return Err(untrusted(HEAD, what));
        }
        let Some((path, witness)) = self.witness()? else { return Ok(()) };
        if let Some((line, what)) = witness.damage.first() {
            let what = format!("line {line}: {what}");
            return Err(Error::Untrusted { path: path.to_owned(), what });
        }
        witness.problem(chain).map_or(Ok(()), |what| Err(untrusted(INDEX, what)))
    }
}
