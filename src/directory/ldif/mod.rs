//! An LDIF file (RFC 2849) as a directory, and a directory as an LDIF file.
//!
//! A record that cannot be understood is left out, named with file and line, and makes the
//! reading partial; the others count. A file whose end does not say that it is the end may have
//! been cut, which makes the reading partial too (`mark`).

#[cfg(test)]
mod fuzz;
mod mark;
mod record;
mod write;

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;

use super::budget::Exhausted;
use super::distinguished_name::{is_at_or_below, normalise};
use super::entry::Entry;
use super::schema::{Assembly, Search};
use crate::folder::open_inside;
use crate::model::Missing;

use record::{End, Problem, Records};

pub(super) use write::write;

/// Reads the file twice through one open handle, groups first: people are linked as they go by.
pub(super) fn read(mut assembly: Assembly, root: &Path, file: &Path) -> Assembly {
    let shown = file.display().to_string();
    if let Err(failed) = passes(&mut assembly, root, file, &shown) {
        let why = match failed {
            Failed::File(error) => {
                format!("{error}; check the path, which starts at the root of the repository")
            }
            Failed::Exhausted(exhausted) => exhausted.to_string(),
        };
        assembly.failed(Missing::new(format!("the LDIF file {shown}"), why));
    }
    assembly
}

/// The entries of a text that can be understood.
#[cfg(test)]
pub(super) fn entries_of(text: &[u8]) -> Vec<Entry> {
    let budget = super::budget::Budget::new(super::Bounds::default());
    Records::new(text, budget).filter_map(Result::ok).collect()
}

/// Why a file was not read to its end.
enum Failed {
    File(std::io::Error),
    Exhausted(Exhausted),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

fn passes(assembly: &mut Assembly, root: &Path, file: &Path, shown: &str) -> Result<(), Failed> {
    // No part of the path is a link: whoever may write the inventory shall not choose what is read
    // elsewhere. And no pipe, which would wait for a writer for ever.
    let mut handle = open_inside(root, file).map_err(std::io::Error::from)?;
    let before = handle.metadata()?;
    let groups = assembly.schema().groups.clone();
    let people = assembly.schema().people.clone();
    // Both passes see the same problems; those of the second are reported.
    let read = pass(reader(&handle), &groups, assembly, Assembly::group, |_, _| {});
    // What was understood of groups counts also where the rest was too much.
    assembly.groups_done();
    stopped(&read)?;
    handle.rewind()?;
    let note = |assembly: &mut Assembly, Problem { line, why }| {
        assembly.missing(Missing::new(format!("{shown}:{line}"), why));
    };
    let read = pass(reader(&handle), &people, assembly, Assembly::person, note);
    match read {
        // Behind all the other gaps of a broken file this one must not be lost.
        Err(End::NotWhole(Problem { line, why })) => {
            assembly.failed(Missing::new(format!("{shown}:{line}"), why));
        }
        read => stopped(&read)?,
    }
    let after = handle.metadata()?;
    if before.len() != after.len() || before.modified()? != after.modified()? {
        return Err(std::io::Error::other("it was changed while it was read").into());
    }
    Ok(())
}

fn stopped(read: &Result<(), End>) -> Result<(), Failed> {
    match read {
        Err(End::Exhausted(exhausted)) => Err(Failed::Exhausted(*exhausted)),
        Err(End::NotWhole(_)) | Ok(()) => Ok(()),
    }
}

fn reader(handle: &File) -> impl BufRead {
    BufReader::with_capacity(1 << 16, handle)
}

fn pass(
    input: impl BufRead,
    search: &Search,
    assembly: &mut Assembly,
    take: fn(&mut Assembly, Entry) -> Result<(), Exhausted>,
    note: impl Fn(&mut Assembly, Problem),
) -> Result<(), End> {
    let base = normalise(&search.base);
    let mut records = Records::new(input, assembly.budget().clone());
    for record in records.by_ref() {
        match record {
            Ok(entry) => {
                if search.filter.matches(&entry) && is_at_or_below(&normalise(&entry.dn), &base) {
                    take(assembly, entry).map_err(End::Exhausted)?;
                }
            }
            Err(problem) => note(assembly, problem),
        }
    }
    records.end()
}
