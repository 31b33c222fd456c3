//! Finding any edit, deletion, reordering or truncation.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};

use serde::Serialize;

use super::chain::{self, Chain, Head, NOTHING};
use super::folder::{Error, HEAD, INDEX, NEW_HEAD, PROGRESS, Progress, RUN, Records, STARTING};
use super::index::{IndexedRun, head_problem, index_runs, leftover_of, progress_problem};
use super::read::{Run, State};
use crate::digest::sha256;
use crate::file;
use crate::model::PublicKey;

/// What verifying the records found.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// What is wrong; empty when nothing is.
    pub damage: Vec<Damage>,
    /// All runs in their order.
    pub runs: Vec<Run>,
    /// How long the index is and how it ends, as `LINES:HASH`.
    #[serde(serialize_with = "as_text")]
    pub head: Head,
    /// Whose trusted signature the record carries.
    #[serde(skip)]
    pub signed_by: Option<PublicKey>,
    /// How often an operator has signed a record as it was, though the witness had seen another.
    pub begun_anew: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Damage {
    /// The file, by its name in the folder of records.
    pub file: String,
    /// The line, from 1; `None` when the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong, to be read after the line.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}, line {line}: {}", self.file, self.what),
            None => write!(formatter, "{}: {}", self.file, self.what),
        }
    }
}

fn as_text<S: serde::Serializer>(head: &Head, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(head)
}

impl Records {
    /// Reads everything and says what is wrong with it. `expected` is a head seen earlier: the
    /// index must still have that line.
    ///
    /// # Errors
    /// The folder cannot be read. Damage is no error but the answer.
    pub fn verify(&self, expected: Option<&Head>) -> Result<Verification, Error> {
        let mut damage = Vec::new();
        // Nobody appends to the index while it is compared with the rest.
        let (_lock, bytes) = self.index_for_reading()?;
        let chain = chain::check(&bytes, NOTHING);
        damage.extend(of_file(INDEX, chain.damage.clone()));
        let (indexed, problems) = index_runs(&chain);
        // A damaged line that makes no sense either is reported once.
        let damaged: BTreeSet<usize> = chain.damage.iter().map(|(line, _)| *line).collect();
        damage.extend(
            of_file(INDEX, problems)
                .filter(|one| one.line.is_none_or(|line| !damaged.contains(&line))),
        );
        let (written, next) = (self.read_head(HEAD), self.read_head(NEW_HEAD));
        if let Some(what) = head_problem(written.as_ref(), next.as_ref(), &chain)
            .or_else(|| self.trust.index_problem(written.as_ref(), next.as_ref(), &chain))
        {
            damage.push(Damage { file: HEAD.into(), line: None, what });
        }
        let begun_anew = self.check_witness(&chain, &mut damage)?;
        if let Some(what) = expected.and_then(|head| expectation_problem(head, &chain)) {
            damage.push(Damage { file: INDEX.into(), line: None, what });
        }
        let mut runs = Vec::new();
        for run in &indexed {
            let (run, found) = self.check_run(run);
            runs.push(run);
            damage.extend(found);
        }
        damage.extend(self.extra_files(&indexed)?);
        let signature = written.and_then(|written| written.signature);
        let signed_by = signature.map(|one| one.key).filter(|key| self.trust.trusts(key));
        Ok(Verification { damage, runs, head: chain.head(NOTHING), signed_by, begun_anew })
    }

    fn check_witness(&self, chain: &Chain<'_>, damage: &mut Vec<Damage>) -> Result<usize, Error> {
        let Some((path, witness)) = self.witness()? else { return Ok(0) };
        damage.extend(of_file(&path.display().to_string(), witness.damage.clone()));
        if let Some(what) = witness.problem(chain) {
            damage.push(Damage { file: INDEX.into(), line: None, what });
        }
        Ok(witness.anew)
    }

    fn index_for_reading(&self) -> Result<(Option<File>, Vec<u8>), Error> {
        let path = self.path(INDEX);
        match file::open_own(&path, OpenOptions::new().read(true)) {
            Ok(file) => {
                file.lock_shared().map_err(|source| Error::Read { path, source })?;
                let bytes = self.read(INDEX)?;
                Ok((Some(file), bytes))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((None, Vec::new())),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    fn check_run(&self, indexed: &IndexedRun) -> (Run, Vec<Damage>) {
        let mut found = Vec::new();
        let name = self.present_name(indexed);
        let damage = |line, what: String| Damage { file: name.clone(), line, what };
        let progress_name = format!("{}.{PROGRESS}", indexed.file);
        // In this order: while a run goes on, its file only ever gets longer.
        let before = self.read_progress(&indexed.file);
        let alive = self.is_alive(&name);
        let bytes = match self.read_regular(&name) {
            Ok(bytes) => bytes,
            Err(why) => {
                found.push(damage(None, why));
                return (Run::unreadable(indexed), found);
            }
        };
        let chain = chain::check(&bytes, &indexed.follows);
        found.extend(of_file(&name, chain.damage.clone()));
        if chain.hashes.first() != Some(&indexed.first.as_str()) {
            found.push(damage(Some(1), "is not the line with which the run began".into()));
        }
        found.extend(seal_problem(indexed, &chain).map(|what| damage(None, what)));
        let progress_there = self.path(&progress_name).exists();
        let after = self.read_progress(&indexed.file);
        let progress = before.as_ref().zip(after.as_ref());
        if let Some(what) = self.check_progress(indexed, progress_there, progress, &chain) {
            found.push(Damage { file: progress_name, line: None, what });
        }
        (Run::read(indexed, name, &chain, alive, !found.is_empty()), found)
    }

    /// The file's name; that of its beginning, where a run died before it could be renamed.
    fn present_name(&self, run: &IndexedRun) -> String {
        let (written, starting) =
            (format!("{}.{RUN}", run.file), format!("{}.{STARTING}", run.file));
        let renamed = self.path(&written).symlink_metadata().is_ok();
        let died_early =
            run.seal.is_none() && !renamed && self.path(&starting).symlink_metadata().is_ok();
        if died_early { starting } else { written }
    }

    fn check_progress(
        &self,
        run: &IndexedRun,
        there: bool,
        progress: Option<(&Progress, &Progress)>,
        chain: &Chain<'_>,
    ) -> Option<String> {
        match progress {
            // It goes with the seal.
            None if run.seal.is_some() && !there => None,
            None if !there => Some("is missing although the run was not sealed".into()),
            None => Some("is not a head".into()),
            Some((before, after)) => progress_problem(run, before, after, &self.trust, chain),
        }
    }

    fn read_regular(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.path(name);
        match path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err("is missing".into()),
            Err(error) => Err(format!("cannot be read: {error}")),
            Ok(metadata) if !metadata.is_file() => Err("is not a regular file".into()),
            Ok(_) => file::read_own(&path).map_err(|error| format!("cannot be read: {error}")),
        }
    }

    fn extra_files(&self, runs: &[IndexedRun]) -> Result<Vec<Damage>, Error> {
        let error = |source| Error::Folder { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(error)?,
        };
        let known: BTreeSet<String> =
            runs.iter().map(|run| format!("{}.{RUN}", run.file)).collect();
        let mut extra = Vec::new();
        for entry in entries {
            let name = entry.map_err(error)?.file_name().to_string_lossy().into_owned();
            let expected = known.contains(&name)
                || [INDEX, HEAD, NEW_HEAD].contains(&name.as_str())
                || leftover_of(&name).is_some();
            if !expected {
                let what = "does not belong here: no line of the index begins it".into();
                extra.push(Damage { file: name, line: None, what });
            }
        }
        extra.sort();
        Ok(extra)
    }
}

fn of_file(file: &str, problems: Vec<(usize, String)>) -> impl Iterator<Item = Damage> {
    problems.into_iter().map(move |(line, what)| Damage {
        file: file.to_owned(),
        line: Some(line),
        what,
    })
}

fn expectation_problem(expected: &Head, chain: &Chain<'_>) -> Option<String> {
    let lines = chain.lines.len() as u64;
    if chain.contains(expected, NOTHING) {
        None
    } else if expected.lines > lines {
        Some(format!(
            "has {lines} lines, but had {} when the expected head was printed",
            expected.lines
        ))
    } else {
        Some(format!(
            "was replaced: line {} is not the one that the expected head names",
            expected.lines
        ))
    }
}

fn seal_problem(run: &IndexedRun, chain: &Chain<'_>) -> Option<String> {
    let seal = run.seal.as_ref()?;
    let head = chain.head(&run.follows);
    let torn = (!chain.torn.is_empty()).then(|| sha256(chain.torn));
    if head.lines != seal.lines {
        Some(format!("has {} lines, but had {} when the run ended", head.lines, seal.lines))
    } else if head.last != seal.last {
        Some(format!("does not end with the line with which the run ended (line {})", seal.lines))
    } else if torn != seal.torn {
        Some(format!("does not end after line {} as it did when the run ended", seal.lines))
    } else {
        None
    }
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }

    /// Runs that are neither sealed nor alive.
    pub fn died(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| run.state == State::Died)
    }
}
