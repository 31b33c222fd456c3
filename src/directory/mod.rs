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
//! - Passwords and personal attributes never reach a log. Logs name bases, filters, counts and
//!   result codes.
//!
//! # Caveats
//! A server that hides single entries or attributes from us (access rules) answers with success
//! and fewer entries; nothing on the wire tells. A base that cannot be seen and a search that
//! finds nobody at all are `Partial`; what lies between is for the guard against a directory
//! that shrank suddenly. The same holds for an LDIF file that was cut exactly between two records.

mod config;
mod distinguished_name;
mod entry;
mod filter;
#[cfg(test)]
mod fuzz;
mod ldap;
mod ldif;
mod schema;

use std::path::Path;

use crate::model::{Directory, Missing, Reading};
use crate::operator::{Environment, Operator};

pub use config::{Bind, DirectoryConfig, LdapConfig, Origin, SchemaConfig, SchemaKind};

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
    let reading = match &config.origin {
        Origin::Retired => Reading::Complete(Directory::empty(config.name.clone())),
        Origin::Ldif(file) => read_file(config, access.root, file).await,
        Origin::Ldap(server) => ldap::read(config, server, access).await,
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

/// Reads the file on a thread where blocking does no harm.
async fn read_file(config: &DirectoryConfig, root: &Path, file: &Path) -> Reading<Directory> {
    let (name, shown) = (config.name.clone(), file.display().to_string());
    let (config, root, file) = (config.clone(), root.to_path_buf(), file.to_path_buf());
    tokio::task::spawn_blocking(move || ldif::read(&config, &root, &file)).await.unwrap_or_else(
        |_| {
            Reading::partial(
                Directory::empty(name),
                Missing::new(format!("the LDIF file {shown}"), "reading it ended in a panic"),
            )
        },
    )
}
