//! What each directory said when it was last read completely: what a reading is compared with before
//! it is believed.
//!
//! Only a cache: without it the other limits still hold. It lives in the state folder as
//! `directories.json` and is replaced as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::belief;
use super::gather::Gathered;
use super::remembered::Remembered;
use crate::file;
use crate::guard::{Rule, Violation};
use crate::model::{Directory, DirectoryName, Reading, StableId, Subject};
use crate::policies::Policies;

/// The form of the file.
const FORMAT: &str = "reconcile-directories/2";

/// The form before: who might have access, and nothing else.
const FORMER_FORMAT: &str = "reconcile-directories/1";

/// The last complete reading of each directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    format: String,
    directories: BTreeMap<DirectoryName, Remembrance>,
}

/// Everybody a directory listed, by what is stable about them.
pub(super) type People = BTreeMap<StableId, Remembered>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembrance {
    people: People,
    on: Date,
}

/// What every form has.
#[derive(Deserialize)]
struct Form {
    format: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerBaseline {
    #[expect(dead_code, reason = "it has been looked at; unknown fields are refused")]
    format: String,
    directories: BTreeMap<DirectoryName, FormerCount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerCount {
    present: Vec<StableId>,
    on: Date,
}

impl From<FormerBaseline> for Baseline {
    fn from(former: FormerBaseline) -> Self {
        let directories = former.directories.into_iter().map(|(name, count)| {
            let people = count.present.into_iter().map(|id| (id, Remembered::present_only()));
            (name, Remembrance { people: people.collect(), on: count.on })
        });
        Self { format: FORMAT.to_owned(), directories: directories.collect() }
    }
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
        let path = path(state);
        let bytes = match file::read_own(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { format: FORMAT.to_owned(), directories: BTreeMap::new() });
            }
            Err(source) => return Err(BaselineError::Read { path, source }),
        };
        let damaged = |source| BaselineError::Damaged { path: path.clone(), source };
        let form: Form = serde_json::from_slice(&bytes).map_err(|error| damaged(Some(error)))?;
        let read = match form.format.as_str() {
            FORMAT => serde_json::from_slice(&bytes),
            FORMER_FORMAT => serde_json::from_slice::<FormerBaseline>(&bytes).map(Into::into),
            _ => return Err(damaged(None)),
        };
        read.map_err(|error| damaged(Some(error)))
    }

    /// Everybody a directory listed when it was last read completely.
    pub(super) fn people(&self, directory: &DirectoryName) -> Option<&People> {
        self.directories.get(directory).map(|remembered| &remembered.people)
    }

    /// Remembers nothing of a directory any more: somebody said that its ids are others.
    pub fn forget(&mut self, directory: &DirectoryName) {
        self.directories.remove(directory);
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
        let let_go = |directory: &DirectoryName, rules: &[Rule]| {
            finished
                && violations.iter().any(|one| {
                    one.overridden
                        && rules.contains(&one.rule)
                        && one.directory.as_ref() == Some(directory)
                })
        };
        let limits =
            || std::iter::once(&policies.limits).chain(policies.organisation_limits.values());
        let unlike = belief::unlike_their_users(self, gathered);
        let unlike: BTreeSet<_> = unlike.keys().filter_map(person).collect();
        for (directory, reading) in &gathered.directories {
            let Reading::Complete(read) = reading else { continue };
            let mut now = people(read, today);
            // Who has somebody else's id is told every time, until somebody says who it is.
            let another = !let_go(directory, &[Rule::AnotherPerson]);
            if let Some(before) = self.people(directory) {
                let rules = [Rule::DirectoryShrinkage, Rule::DirectoryBelief];
                let causes = belief::causes(before, reading, today);
                let is_too_much = limits()
                    .any(|limits| causes.iter().any(|cause| cause.exceeds(limits.directory)));
                if is_too_much && !let_go(directory, &rules) {
                    continue;
                }
                if !is_too_much && another {
                    keep_strangers(before, &mut now);
                }
                keep_unlisted(before, &mut now);
            }
            if another {
                now.retain(|id, _| !unlike.contains(&(directory.clone(), id.clone())));
            }
            self.directories.insert(directory.clone(), Remembrance { people: now, on: today });
        }
    }

    /// Writes what this run read into a state folder, next to what runs on other organisations,
    /// which may end at the same time, have written there.
    pub fn write(&self, state: &Path, gathered: &Gathered) -> Result<(), BaselineError> {
        let path = path(state);
        let failed = |source| BaselineError::Write { path: path.clone(), source };
        std::fs::create_dir_all(state).map_err(failed)?;
        let lock = state.join("directories.lock");
        let _held = file::open_own(&lock, std::fs::OpenOptions::new().write(true).create(true))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| BaselineError::Write { path: lock, source })?;
        let mut merged = Self::read(state)?;
        for name in gathered.directories.keys() {
            if let Some(count) = self.directories.get(name) {
                merged.directories.insert(name.clone(), count.clone());
            }
        }
        let write = || {
            let text = serde_json::to_string(&merged)? + "\n";
            file::replace(&path, text.as_bytes())
        };
        write().map_err(|source| BaselineError::Write { path: path.clone(), source })
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("directories.json")
}

fn people(directory: &Directory, today: Date) -> People {
    let people = directory.people.iter();
    people.map(|one| (one.stable_id.clone(), Remembered::of(one, today))).collect()
}

/// Whoever is not listed any more is not forgotten: otherwise a reading that lacks those who left
/// would make newcomers of them in the next, and an id would mean nobody before it is given again,
/// or before `reissued` is taken out again.
fn keep_unlisted(before: &People, now: &mut People) {
    for (id, person) in before {
        now.entry(id.clone()).or_insert_with(|| person.clone().gone());
    }
}

fn person(subject: &Subject) -> Option<(DirectoryName, StableId)> {
    match subject {
        Subject::Person { directory, stable_id } => Some((directory.clone(), stable_id.clone())),
        _ => None,
    }
}

fn keep_strangers(before: &People, now: &mut People) {
    for (id, person) in now.iter_mut() {
        if let Some(was) = before.get(id).filter(|was| person.is_not(was).is_some()) {
            *person = was.clone();
        }
    }
    let listed = |id: &StableId| now.get_key_value(id).map(|(id, one)| (id, one.clone()));
    let back: Vec<_> = belief::given_back(before, listed)
        .into_iter()
        .map(|(known, listed)| (known.clone(), listed.clone()))
        .collect();
    for (known, listed) in back {
        now.remove(&listed);
        now.insert(known.clone(), before[&known].clone());
    }
}
