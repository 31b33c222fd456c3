//! Reading records back.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};

use jiff::Timestamp;
use serde::Serialize;

use super::chain::{self, Chain, NOTHING};
use super::entry::{Counts, Entry, Line, RunStart};
use super::folder::{Error, INDEX, RUN, Records};
use super::index::{IndexedRun, index_runs};
use super::verify::Verification;
use crate::file;
use crate::guard::{Rule, Violation};
use crate::plan::PlanDigest;

/// One run, as its record tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Its number, from 1.
    pub number: u64,
    /// Its file, by its name in the folder of records.
    pub file: String,
    /// Whether it goes on.
    pub state: State,
    /// When it began. `None` where the first line cannot be read.
    pub began: Option<Timestamp>,
    /// When it wrote its last line.
    pub ended: Option<Timestamp>,
    /// What it knew when it began. `None` where the first line cannot be read.
    pub start: Option<RunStart>,
    /// What happened to the changes.
    pub counts: Counts,
    /// Its exit code, if it came to an end.
    pub exit_code: Option<u8>,
    /// Something is wrong with its file.
    pub damaged: bool,
    #[serde(skip)]
    follows: String,
}

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its process lives.
    Running,
    /// It came to its end.
    Ended,
    /// It was killed, or the machine went down.
    Died,
}

impl Run {
    pub(super) fn unreadable(indexed: &IndexedRun) -> Self {
        Self {
            number: number_of(&indexed.file),
            file: format!("{}.jsonl", indexed.file),
            state: if indexed.abandoned { State::Died } else { State::Ended },
            began: None,
            ended: None,
            start: None,
            counts: Counts::default(),
            exit_code: None,
            damaged: true,
            follows: indexed.follows.clone(),
        }
    }

    pub(super) fn read(
        indexed: &IndexedRun,
        file: String,
        chain: &Chain<'_>,
        alive: bool,
        damaged: bool,
    ) -> Self {
        let mut run = Self { file, damaged, state: State::Died, ..Self::unreadable(indexed) };
        for (time, entry) in entries(chain).into_iter().flatten() {
            run.ended = Some(time);
            match entry {
                Entry::Run(start) => (run.began, run.start) = (Some(time), Some(*start)),
                Entry::Ended { outcome, .. } => run.counts.add(&outcome),
                Entry::End(end) => {
                    (run.counts, run.exit_code) = (end.counts, Some(end.exit_code));
                    run.state = State::Ended;
                }
                Entry::Plan(_) | Entry::Change(_) | Entry::Started { .. } | Entry::Called(_) => {}
            }
        }
        if run.state == State::Died && alive && indexed.seal.is_none() {
            (run.state, run.ended) = (State::Running, None);
        }
        run
    }
}

/// So many digits of an id, so that a mistyped number is not taken for one.
const SHORTEST_ID: usize = 4;

impl Records {
    /// The run of that number, or the only one whose id begins with those (at least 4) digits; `last` is the
    /// latest.
    ///
    /// # Errors
    /// [`Error::NoSuchRun`], or the folder cannot be read.
    pub fn find(&self, wanted: &str) -> Result<Run, Error> {
        let mut runs = self.verify(None)?.runs;
        let has_id =
            |run: &Run| run.file.split_once('-').is_some_and(|(_, id)| id.starts_with(wanted));
        let number = wanted.parse::<u64>().ok();
        let at = if wanted == "last" {
            runs.len().checked_sub(1)
        } else if let Some(at) = runs.iter().position(|run| number == Some(run.number)) {
            Some(at)
        } else {
            let mut with_id = (0..runs.len()).filter(|at| has_id(&runs[*at]));
            with_id.next().filter(|_| wanted.len() >= SHORTEST_ID && with_id.next().is_none())
        };
        at.map(|at| runs.swap_remove(at))
            .ok_or_else(|| Error::NoSuchRun { run: wanted.to_owned(), path: self.folder.clone() })
    }

    /// When the last run began whose clock nobody contradicted, or whose day an administrator
    /// approved; by the clock of then. `None` where there is none that can be read: whether the
    /// record is sound is not asked here.
    pub fn last_believed_run(&self) -> Option<Timestamp> {
        let bytes = self.read(INDEX).ok()?;
        let chain = chain::check(&bytes, NOTHING);
        let (runs, _) = index_runs(&chain);
        runs.iter().rev().find_map(|run| self.believed_since(&run.file))
    }

    fn believed_since(&self, file: &str) -> Option<Timestamp> {
        let path = self.path(&format!("{file}.{RUN}"));
        let file = file::open_own(&path, OpenOptions::new().read(true)).ok()?;
        let mut lines = BufReader::new(file).lines().map_while(Result::ok);
        let first: Line<Entry> = serde_json::from_str(&lines.next()?).ok()?;
        let Entry::Run(start) = first.what else { return None };
        if start.facts.clock_doubts.is_empty() {
            return Some(first.time);
        }
        // The plan, if the run came to one, is the next line.
        let second: Line<Entry> = serde_json::from_str(&lines.next()?).ok()?;
        let Entry::Plan(plan) = second.what else { return None };
        let approved = |one: &Violation| one.rule == Rule::Clock && one.overridden;
        plan.violations.iter().any(approved).then_some(first.time)
    }

    /// The last run that let go what the guard held because the plan of that digest was approved.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn approved_by(
        &self,
        found: &Verification,
        digest: &PlanDigest,
    ) -> Result<Option<u64>, Error> {
        for run in found.runs.iter().rev().filter(|run| !run.damaged) {
            let used = self.entries(run)?.iter().any(|(_, entry)| {
                matches!(entry, Entry::Plan(plan) if plan.digest == *digest
                    && plan.violations.iter().any(|violation| violation.overridden))
            });
            if used {
                return Ok(Some(run.number));
            }
        }
        Ok(None)
    }

    /// The lines of a run that are understood, each with its time.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn entries(&self, run: &Run) -> Result<Vec<(Timestamp, Entry)>, Error> {
        let bytes = self.read(&run.file)?;
        Ok(entries(&chain::check(&bytes, &run.follows)).into_iter().flatten().collect())
    }
}

/// The whole lines of a run's file that are understood, whatever they are chained to.
pub(super) fn lines(bytes: &[u8]) -> Vec<(Timestamp, Entry)> {
    let whole = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    whole
        .filter_map(|line| {
            let line: Line<Entry> = serde_json::from_slice(line).ok()?;
            Some((line.time, line.what))
        })
        .collect()
}

/// One for each line; `None` where a line is damaged or of a newer version.
pub(super) fn entries(chain: &Chain<'_>) -> Vec<Option<(Timestamp, Entry)>> {
    chain
        .lines
        .iter()
        .map(|line| {
            let line: Line<Entry> = serde_json::from_slice(line).ok()?;
            Some((line.time, line.what))
        })
        .collect()
}

fn number_of(file: &str) -> u64 {
    file.split_once('-').and_then(|(number, _)| number.parse().ok()).unwrap_or(0)
}
