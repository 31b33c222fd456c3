//! What directories say of people, for both sides of a difference.
//!
//! Whoever sends a merge request may write into it where people come from, so that is no reason to
//! ask anybody: both sides are read with the settings of the base, which somebody has reviewed. A
//! directory the base does not have is not read at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::Failure;
use super::diff::no_revision;
use super::explain::read_directories;
use crate::directory::{Access, DirectoryConfig, Origin};
use crate::inventory::{FileThen, Inventory, read_revision_file};
use crate::model::{Directory, DirectoryName, Missing, Reading};

/// The largest file of people that is read from a revision.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

type Readings = BTreeMap<DirectoryName, Reading<Directory>>;

/// What directories say, for both sides.
pub(super) struct People {
    /// As it was.
    pub(super) base: Readings,
    /// As it is to be, where that is anything else.
    head: Option<Readings>,
    /// What there is to know about it.
    pub(super) notes: Vec<String>,
}

impl People {
    /// Reads every directory of the base, each side of files that are in git as it is there.
    ///
    /// # Errors
    /// When git cannot say what was in a revision; a directory that cannot be read is a partial
    /// reading.
    pub(super) fn read(
        access: Access<'_>,
        (base, head): (&Inventory, &Inventory),
        revisions: (&str, Option<&str>),
    ) -> Result<Self, Failure> {
        let mut people = Self { base: Readings::new(), head: None, notes: Vec::new() };
        let mut others = Readings::new();
        for (name, config) in &base.directories {
            let (was, is) = match &config.origin {
                Origin::Ldif(path) => of_file(access, config, path, revisions)?,
                Origin::Ldap(_) | Origin::Retired => (one(access, config)?, None),
            };
            if let (Origin::Ldif(path), Some(_)) = (&config.origin, &is) {
                people.notes.push(format!(
                    "{} is not the same in all revisions; each side has the people of its own",
                    path.display()
                ));
            }
            others.extend(is.map(|is| (name.clone(), is)));
            people.base.insert(name.clone(), was);
        }
        for (name, config) in &head.directories {
            let known = base.directories.get(name);
            if config.origin == Origin::Retired {
                if known.is_none_or(|known| known.origin != Origin::Retired) {
                    // Nobody needs to be asked: everybody in it departs.
                    others.insert(name.clone(), one(access, config)?);
                }
            } else if known.is_none_or(|known| known.origin == Origin::Retired) {
                let why = "it is new here, and only directories of the base are asked";
                others.insert(name.clone(), nobody_asked(name, why));
            }
        }
        if !others.is_empty() {
            let mut head = people.base.clone();
            head.extend(others);
            people.head = Some(head);
        }
        Ok(people)
    }

    /// As it is to be.
    pub(super) fn head(&self) -> &Readings {
        self.head.as_ref().unwrap_or(&self.base)
    }
}

fn nobody_asked(name: &DirectoryName, why: &str) -> Reading<Directory> {
    let missing = Missing::new(format!("directory {name}"), why);
    Reading::partial(Directory::empty(name.clone()), missing)
}

fn one(access: Access<'_>, config: &DirectoryConfig) -> Result<Reading<Directory>, Failure> {
    let mut read = read_directories(access, std::iter::once(config))?;
    let nothing = || nobody_asked(&config.name, "it was not read");
    Ok(read.remove(&config.name).unwrap_or_else(nothing))
}

/// Both sides of people in a file; the second where it is not the same.
fn of_file(
    access: Access<'_>,
    config: &DirectoryConfig,
    path: &Path,
    (base, head): (&str, Option<&str>),
) -> Result<(Reading<Directory>, Option<Reading<Directory>>), Failure> {
    let then = |revision: &str| {
        read_revision_file(access.root, revision, path, MOST_BYTES).map_err(no_revision)
    };
    let was = then(base)?;
    // Without a revision the head is the folder, which holds what the commit of the branch has.
    let is = match head {
        Some(head) => then(head)?,
        None => then("HEAD").unwrap_or(FileThen::Absent),
    };
    if was == FileThen::Absent && is == FileThen::Absent {
        // A file of this machine, which nobody's branch can change.
        return Ok((one(access, config)?, None));
    }
    let before = copy(access, config, path, was, base)?;
    let after = match head {
        None => one(access, config)?,
        Some(head) => copy(access, config, path, is, head)?,
    };
    let differs = before != after;
    Ok((before, differs.then_some(after)))
}

/// Reads the content a file had, from a copy that only its owner can read.
fn copy(
    access: Access<'_>,
    config: &DirectoryConfig,
    path: &Path,
    then: FileThen,
    revision: &str,
) -> Result<Reading<Directory>, Failure> {
    let why = match then {
        FileThen::Content(bytes) => {
            let folder = tempfile::TempDir::new()?;
            let place = folder.path().join(path);
            place.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&place, bytes)?;
            return one(Access { root: folder.path(), ..access }, config);
        }
        FileThen::NotRegular => format!("it is no ordinary file in {revision}"),
        FileThen::TooLarge(bytes) => {
            format!("it has {bytes} bytes in {revision}, at most {MOST_BYTES} are read")
        }
        FileThen::Absent => format!("it is not in {revision}"),
    };
    let missing = Missing::new(format!("the LDIF file {}", path.display()), why);
    Ok(Reading::partial(Directory::empty(config.name.clone()), missing))
}
