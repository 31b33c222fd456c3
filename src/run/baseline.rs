//! How many people each directory had when it was last read completely: what the guard compares a
//! reading with.
//!
//! Only a cache: without it the other limits still hold. It lives in the state folder as
//! `directories.json` and is replaced as a whole.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::gather::Gathered;
use crate::desired::Standing;
use crate::guard::{Rule, Shrinkage, Violation};
use crate::model::{DirectoryName, Subject};
use crate::policies::Policies;

/// The form of the file.
const FORMAT: &str = "reconcile-directories/1";

/// The last complete reading of each directory, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    format: String,
    directories: BTreeMap<DirectoryName, Count>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    present: u64,
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
                let before = self.directories.get(&directory)?.present;
                Some(Shrinkage { directory, before, now })
            })
            .collect()
    }

    /// Takes over the new numbers, except those of a directory that is not believed: otherwise the
    /// second run would believe what the first did not.
    pub fn update(
        &mut self,
        gathered: &Gathered,
        policies: &Policies,
        violations: &[Violation],
        today: Date,
    ) {
        let overridden =
            violations.iter().any(|one| one.rule == Rule::DirectoryShrinkage && one.overridden);
        let limits =
            || std::iter::once(&policies.limits).chain(policies.organisation_limits.values());
        for (directory, now) in present(gathered) {
            let believed = match self.directories.get(&directory) {
                None => true,
                Some(before) => {
                    let lost = before.present.saturating_sub(now);
                    overridden
                        || limits().all(|limits| lost <= limits.directory.allowed(before.present))
                }
            };
            if believed {
                self.directories.insert(directory, Count { present: now, on: today });
            }
        }
    }

    /// Replaces the one of a state folder.
    pub fn write(&self, state: &Path) -> Result<(), BaselineError> {
        let path = file(state);
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(state)?;
            let mut temporary = tempfile::NamedTempFile::new_in(state)?;
            serde_json::to_writer_pretty(&mut temporary, self)?;
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

/// How many people may have access, by completely read directory.
fn present(gathered: &Gathered) -> BTreeMap<DirectoryName, u64> {
    let mut counts: BTreeMap<DirectoryName, u64> = gathered
        .directories
        .iter()
        .filter(|(_, reading)| reading.is_complete())
        .map(|(name, _)| (name.clone(), 0))
        .collect();
    for (subject, standing) in &gathered.desired.standings {
        if let (Subject::Person { directory, .. }, Standing::Present) = (subject, standing)
            && let Some(count) = counts.get_mut(directory)
        {
            *count += 1;
        }
    }
    counts
}
