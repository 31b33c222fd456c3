//! Reading people and groups: an LDAP server or an LDIF file in, a [`Directory`] out.
//!
//! Two halves that know nothing of each other's business meet in a stream of plain entries:
//! `ldap` and `ldif` know the wire and the file, `schema` knows what the attributes mean. Entries
//! are consumed as they arrive; there is no second copy of the world.
//!
//! # Guarantees
//! - [`read`] never fails and never panics: what could not be read is named in
//!   [`Reading::Partial`], and everything read before stays.
//! - Anything but a success code at the end of every page is `Partial`: a size, time or
//!   administrative limit, a referral, a vanished base, a broken or stalled connection, a page
//!   cookie that leads nowhere.
//! - A reading ends: all of it has one limit of time and one of memory ([`Bounds`]), whatever a
//!   server sends and however slowly.
//! - An LDIF file that was cut anywhere is `Partial`: a whole one ends with a mark that says so.
//! - Passwords and personal attributes never reach a log. Logs name bases, filters, counts and
//!   result codes; people by their log-in name or a digest, and by their distinguished name (in
//!   which Active Directory writes the full name) only at the level of debugging.
//!
//! # Caveats
//! A server that hides single entries or attributes from us (access rules) answers with success
//! and fewer entries; nothing on the wire tells. A base that cannot be seen and a search that
//! finds nobody at all are `Partial`. Groups whose members are hidden are noticed by what is
//! missing: nobody is removed from them. What lies between is for the guard against a directory
//! that shrank suddenly.

mod budget;
mod config;
mod distinguished_name;
mod entry;
mod filter;
#[cfg(test)]
mod fuzz;
mod ldap;
mod ldif;
mod schema;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;

use crate::model::{Directory, Missing, Reading, StableId};
use crate::operator::{Environment, Operator};

use budget::Budget;
use schema::Assembly;

pub use config::{
    Bind, Bounds, DirectoryConfig, GONE_WORDS, LdapConfig, Origin, SchemaConfig, SchemaKind,
};
pub use filter::{Filter, FilterError};

/// What a directory may reach outside its configuration.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// Root of the organisation's repository; paths of files start here.
    pub root: &'a Path,
    /// What the operator allows: no server is asked without leave.
    pub operator: &'a Operator,
    /// Where passwords given by the name of a variable come from.
    pub environment: &'a Environment<'a>,
}

/// Reads a directory: complete, or what could be had together with what could not.
///
/// A retired directory is complete and empty.
pub async fn read(config: &DirectoryConfig, access: Access<'_>) -> Reading<Directory> {
    let reading = match assemble(config, access, false).await {
        Some(assembly) => assembly.finish().map(|read| told_apart(read, &config.reissued)),
        None => Reading::Complete(Directory::empty(config.name.clone())),
    };
    tracing::info!(
        directory = %config.name,
        people = reading.got().people.len(),
        groups = reading.got().groups.len(),
        warnings = reading.got().warnings.len(),
        complete = reading.is_complete(),
        "directory read"
    );
    reading
}

/// Whoever has an id that was somebody else's before is known by the id and the day since when:
/// what stands for the former one does not become theirs.
fn told_apart(mut directory: Directory, reissued: &BTreeMap<StableId, Date>) -> Directory {
    if reissued.is_empty() {
        return directory;
    }
    let apart = |id: &mut StableId| {
        if let Some(day) = reissued.get(id) {
            *id = StableId::new(format!("{id}@{day}"));
        }
    };
    directory.people.iter_mut().for_each(|person| apart(&mut person.stable_id));
    directory.unclear.iter_mut().filter_map(|one| one.stable_id.as_mut()).for_each(apart);
    directory.people.sort_unstable_by(|one, other| one.stable_id.cmp(&other.stable_id));
    directory
}

/// Reads a directory and writes what its schema looks at as LDIF, sorted, with a last line that
/// says that it is whole: the same directory gives the same bytes.
///
/// Passwords are left out; what says that somebody is locked out stays. The text holds full names
/// and mail addresses, as far as the schema reads them. A retired directory has no entries.
///
/// # Errors
/// What is missing: a file of half of the people would be taken for all of them.
pub async fn export(config: &DirectoryConfig, access: Access<'_>) -> Result<String, Vec<Missing>> {
    let Some(assembly) = assemble(config, access, true).await else {
        return Ok(ldif::write(std::iter::empty()));
    };
    let (reading, entries) = assembly.finish_with_entries();
    match reading {
        Reading::Complete(_) => Ok(ldif::write(entries.iter())),
        Reading::Partial { missing, .. } => Err(missing),
    }
}

/// What an origin brings, nothing if it is retired.
async fn assemble(
    config: &DirectoryConfig,
    access: Access<'_>,
    with_entries: bool,
) -> Option<Assembly> {
    let begin = |budget: Budget| {
        let assembly = Assembly::new(config, budget);
        if with_entries { assembly.keeping_entries() } else { assembly }
    };
    match &config.origin {
        Origin::Retired => None,
        Origin::Ldif(file) => {
            let empty = || begin(Budget::new(config.bounds));
            Some(read_file(empty, access.root, file).await)
        }
        Origin::Ldap(server) => Some(ldap::read(config, server, access, begin).await),
    }
}

/// Reads the file on a thread where blocking does no harm.
async fn read_file(empty: impl Fn() -> Assembly, root: &Path, file: &Path) -> Assembly {
    let (assembly, shown) = (empty(), file.display().to_string());
    let (root, file) = (root.to_path_buf(), file.to_path_buf());
    tokio::task::spawn_blocking(move || ldif::read(assembly, &root, &file)).await.unwrap_or_else(
        |_| {
            let mut nothing = empty();
            nothing.failed(Missing::new(
                format!("the LDIF file {shown}"),
                "reading it ended in a panic",
            ));
            nothing
        },
    )
}
