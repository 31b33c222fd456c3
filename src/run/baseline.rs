//! Who was in each directory when it was last read completely: what the guard compares a
//! reading with.
//!
//! Only a cache: without it the other limits still hold. It lives in the state folder as
//! `directories.json` and is replaced as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::gather::Gathered;
use crate::desired::Standing;
use crate::guard::{Rule, Shrinkage, Violation};
use crate::model::{DirectoryName, StableId, Subject};
use crate::policies::Policies;

/// The form of the file.
const FORMAT: &str = "reconcile-directories/1";

/// The last complete reading of each directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    format: String,
    directories: BTreeMap<DirectoryName, Count>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    /// Who had access, by what is stable about them: newcomers do not make up for those who are
    /// gone, and other ids for the same people are other people.
    present: BTreeSet<StableId>,
    on: Date,
}

/// Why the baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is there and cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what this program writes.
    #[error("{path} is damaged; remove it to start without a comparison")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Why, if it is not JSON of that form.
        source: Option<serde_json::Error>,
    },
    /// It cannot be replaced.
    #[error("cannot write {path}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Baseline {
    /// The one of a state folder; empty if there is none yet.
    pub fn read(state: &Path) -> Result<Self, BaselineError> {
        let path = file(state);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { format: FORMAT.to_owned(), directories: BTreeMap::new() });
            }
            Err(source) => return Err(BaselineError::Read { path, source }),
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(baseline) if baseline.format == FORMAT => Ok(baseline),
            Ok(_) => Err(BaselineError::Damaged { path, source: None }),
            Err(source) => Err(BaselineError::Damaged { path, source: Some(source) }),
        }
    }

    /// How the completely read directories compare.
    pub fn compare(&self, gathered: &Gathered) -> Vec<Shrinkage> {
        present(gathered)
            .into_iter()
            .filter_map(|(directory, now)| {
                let before = &self.directories.get(&directory)?.present;
                let still = before.intersection(&now).count() as u64;
                Some(Shrinkage { directory, before: before.len() as u64, now: still })
            })
            .collect()
    }

    /// Takes over the new readings, except those of a directory that is not believed: otherwise the
    /// second run would believe what the first did not.
    pub fn update(
        &mut self,
        gathered: &Gathered,
        policies: &Policies,
        violations: &[Violation],
        finished: bool,
        today: Date,
    ) {
        let let_go = |directory: &DirectoryName| {
            violations.iter().any(|one| {
                one.rule == Rule::DirectoryShrinkage
                    && one.overridden
                    && one.directory.as_ref() == Some(directory)
            })
        };
        let limits =
            || std::iter::once(&policies.limits).chain(policies.organisation_limits.values());
        for (directory, now) in present(gathered) {
            let believed = match self.directories.get(&directory) {
                None => true,
                Some(before) => {
                    let lost = before.present.difference(&now).count() as u64;
                    let before = before.present.len() as u64;
                    (let_go(&directory) && finished)
                        || limits().all(|limits| lost <= limits.directory.allowed(before))
                }
            };
            if believed {
                self.directories.insert(directory, Count { present: now, on: today });
            }
        }
    }

    /// Writes what this run read into a state folder, next to what runs on other organisations,
    /// which may end at the same time, have written there.
    pub fn write(&self, state: &Path, gathered: &Gathered) -> Result<(), BaselineError> {
        let path = file(state);
        let failed = |source| BaselineError::Write { path: path.clone(), source };
        std::fs::create_dir_all(state).map_err(failed)?;
        let lock = std::fs::File::create(state.join("directories.lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut merged = Self::read(state)?;
        for name in gathered.directories.keys() {
            if let Some(count) = self.directories.get(name) {
                merged.directories.insert(name.clone(), count.clone());
            }
        }
        let write = || -> std::io::Result<()> {
            let mut temporary = tempfile::NamedTempFile::new_in(state)?;
            serde_json::to_writer(&mut temporary, &merged)?;
            temporary.write_all(b"\n")?;
            temporary.as_file().sync_all()?;
            temporary.persist(&path)?;
            Ok(())
        };
        write().map_err(|source| BaselineError::Write { path: path.clone(), source })
    }
}

fn file(state: &Path) -> PathBuf {
    state.join("directories.json")
}

/// Who may have access, by completely read directory.
fn present(gathered: &Gathered) -> BTreeMap<DirectoryName, BTreeSet<StableId>> {
    let mut present: BTreeMap<DirectoryName, BTreeSet<StableId>> = gathered
        .directories
        .iter()
        .filter(|(_, reading)| reading.is_complete())
        .map(|(name, _)| (name.clone(), BTreeSet::new()))
        .collect();
    for (subject, standing) in &gathered.desired.standings {
        if let (Subject::Person { directory, stable_id }, Standing::Present) = (subject, standing)
            && let Some(present) = present.get_mut(directory)
        {
            present.insert(stable_id.clone());
        }
    }
    present
}
