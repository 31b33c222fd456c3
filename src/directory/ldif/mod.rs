//! An LDIF file (RFC 2849) as a directory.
//!
//! A record that cannot be understood is left out, named with file and line, and makes the
//! reading partial; the others count. A last line without a line end means that the file was cut.

mod base64;
#[cfg(test)]
mod fuzz;
mod record;

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;

use super::config::DirectoryConfig;
use super::distinguished_name::{is_at_or_below, normalise};
use super::entry::Entry;
use super::schema::{Assembly, Search};
use crate::folder::open_inside;
use crate::model::{Directory, Missing, Reading};

use record::{Problem, Records};

/// Reads the file twice through one open handle, groups first: people are linked as they go by.
pub(super) fn read(config: &DirectoryConfig, root: &Path, file: &Path) -> Reading<Directory> {
    let mut assembly = Assembly::new(config);
    let shown = file.display().to_string();
    if let Err(error) = passes(&mut assembly, root, file, &shown) {
        assembly.missing(Missing::new(
            format!("the LDIF file {shown}"),
            format!("{error}; check the path, which starts at the root of the repository"),
        ));
    }
    assembly.finish()
}

/// The entries of a text that can be understood.
#[cfg(test)]
pub(super) fn entries_of(text: &[u8]) -> Vec<Entry> {
    Records::new(text).filter_map(Result::ok).collect()
}

fn passes(
    assembly: &mut Assembly,
    root: &Path,
    file: &Path,
    shown: &str,
) -> Result<(), std::io::Error> {
    // No part of the path is a link: whoever may write the inventory shall not choose what is read
    // elsewhere. And no pipe, which would wait for a writer for ever.
    let mut handle = open_inside(root, file)?;
    let before = handle.metadata()?;
    let mut problems = Vec::new();
    pass(&handle, &assembly.schema().groups.clone(), &mut problems, |entry| assembly.group(entry));
    assembly.groups_done();
    handle.rewind()?;
    problems.clear();
    pass(&handle, &assembly.schema().people.clone(), &mut problems, |entry| assembly.person(entry));
    for Problem { line, why } in problems {
        assembly.missing(Missing::new(format!("{shown}:{line}"), why));
    }
    let after = handle.metadata()?;
    if before.len() != after.len() || before.modified()? != after.modified()? {
        return Err(std::io::Error::other("it was changed while it was read"));
    }
    Ok(())
}

/// Both passes see the same problems; those of the second are reported.
fn pass(handle: &File, search: &Search, problems: &mut Vec<Problem>, mut take: impl FnMut(Entry)) {
    let base = normalise(&search.base);
    for record in Records::new(BufReader::with_capacity(1 << 16, handle)) {
        match record {
            Ok(entry) => {
                if search.filter.matches(&entry) && is_at_or_below(&normalise(&entry.dn), &base) {
                    take(entry);
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
}
