//! A directory on an LDAP server.
//!
//! A broken or stalled connection is tried again from the start with nothing kept of the attempt
//! before: half of one read and half of another is a directory that never was.
//!
//! The protocol is spoken here, as far as this program needs it: bind, `StartTLS`, paged search.
//! Measured with 100,000 people, a client library that makes a tree of every message (ldap3 0.12)
//! took four to seven times the processor time of `ldapsearch`, with a faster allocator still more
//! than twice; this reader, which borrows from the message, about 1.5 times. The library also
//! panicked on answers that are not LDAP, and could not verify TLS at IPv6 addresses.

mod answer;
mod ber;
mod connection;
mod failure;
#[cfg(test)]
mod fuzz;
mod page;
mod request;
mod transport;
mod wire;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::task::JoinSet;

use super::Access;
use super::config::{DirectoryConfig, LdapConfig};
use super::schema::{Assembly, Search};
use crate::model::{Directory, Missing, Reading};

use connection::Connection;

/// Reads from a server, trying again where that may help.
pub(super) async fn read(
    config: &DirectoryConfig,
    server: &LdapConfig,
    access: Access<'_>,
) -> Reading<Directory> {
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(server.attempts.max(1) as usize - 1)
        .with_jitter()
        .build();
    loop {
        let (assembly, again) = attempt(config, server, access).await;
        match delays.next().filter(|_| again) {
            Some(delay) => {
                tracing::debug!(directory = %config.name, ?delay, "reading again from the start");
                tokio::time::sleep(delay).await;
            }
            None => return assembly.finish(),
        }
    }
}

/// One read from the start: what it brought, and whether another may do better.
async fn attempt(
    config: &DirectoryConfig,
    server: &LdapConfig,
    access: Access<'_>,
) -> (Assembly, bool) {
    let mut assembly = Assembly::new(config);
    let everything = format!("everything on {}", server.url);
    let connection = match Connection::open(server, access).await {
        Ok(connection) => connection,
        Err(failure) => {
            tracing::debug!(%failure, "no bound connection");
            assembly.missing(Missing::new(everything, failure.told()));
            return (assembly, failure.is_passing());
        }
    };
    // In a task of its own, which runs where the socket is watched: elsewhere each wake-up would
    // change threads, and a server wakes us for nearly every entry. Dropping the set ends it.
    let mut task = JoinSet::new();
    task.spawn(searches(connection, assembly));
    if let Some(Ok(done)) = task.join_next().await {
        return done;
    }
    let mut nothing = Assembly::new(config);
    nothing.missing(Missing::new(everything, "reading it ended in a panic"));
    (nothing, false)
}

/// Both searches on a bound connection.
async fn searches(mut connection: Connection, mut assembly: Assembly) -> (Assembly, bool) {
    let (groups, people) = (assembly.schema().groups.clone(), assembly.schema().people.clone());
    let found = search(&mut connection, &groups, &mut assembly, Assembly::group).await;
    assembly.groups_done();
    let again = match found {
        // The connection is gone: people would fail the same way.
        Err(again) if again || connection.is_closed() => again,
        _ => search(&mut connection, &people, &mut assembly, Assembly::person).await == Err(true),
    };
    connection.close().await;
    (assembly, again)
}

/// One search with its base checked first; what fails is noted. The error says whether another
/// attempt may do better.
async fn search(
    connection: &mut Connection,
    search: &Search,
    assembly: &mut Assembly,
    take: fn(&mut Assembly, super::entry::Entry),
) -> Result<(), bool> {
    let result = match page::base_is_visible(connection, &search.base).await {
        Ok(()) => {
            page::search(connection, search, &mut |found| match found {
                page::Found::Entry(entry) => take(assembly, entry),
                page::Found::Unreadable(missing) => assembly.missing(missing),
            })
            .await
        }
        Err(failure) => Err(failure),
    };
    match result {
        Ok(entries) => {
            tracing::debug!(base = %search.base, filter = %search.filter, entries, "searched");
            Ok(())
        }
        Err(failure) => {
            tracing::debug!(base = %search.base, filter = %search.filter, %failure, "search failed");
            assembly.missing(Missing::new(
                format!("{} below {}", search.what, search.base),
                failure.told(),
            ));
            Err(failure.is_passing())
        }
    }
}
