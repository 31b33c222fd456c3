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
mod clock;
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
use super::budget::{Budget, Exhausted, Late};
use super::config::{DirectoryConfig, LdapConfig, SchemaConfig};
use super::entry::Entry;
use super::schema::{Assembly, Search};
use crate::model::Missing;

use connection::Connection;
use failure::Failure;

/// Reads from a server, trying again where that may help and as long as there is time.
pub(super) async fn read(
    config: &DirectoryConfig,
    server: &LdapConfig,
    access: Access<'_>,
    begin: impl Fn(Budget) -> Assembly,
) -> Assembly {
    let budget = Budget::new(config.bounds);
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(server.attempts.max(1) as usize - 1)
        .with_jitter()
        .build();
    loop {
        let (assembly, next) = attempt(config, server, access, &begin, budget.afresh()).await;
        let again = delays.next().filter(|delay| next == Next::Again && *delay < budget.left());
        match again {
            Some(delay) => {
                tracing::debug!(directory = %config.name, ?delay, "reading again from the start");
                tokio::time::sleep(delay).await;
            }
            None => return assembly,
        }
    }
}

/// What may follow something that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Another attempt from the start may do better.
    Again,
    /// Another search may do well.
    Onward,
    /// Nothing: there is no time or no room left.
    Stop,
}

impl From<&Failure> for Next {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Exhausted { .. } => Self::Stop,
            failure if failure.is_passing() => Self::Again,
            _ => Self::Onward,
        }
    }
}

/// One read from the start: what it brought, and what may follow.
async fn attempt(
    config: &DirectoryConfig,
    server: &LdapConfig,
    access: Access<'_>,
    begin: &impl Fn(Budget) -> Assembly,
    budget: Budget,
) -> (Assembly, Next) {
    let mut assembly = begin(budget.clone());
    let everything = format!("everything on {}", server.url);
    let opening = Connection::open(server, access, budget.clone());
    let opened = match budget.within(Duration::MAX, opening).await {
        Ok(opened) => opened,
        Err(Late::All(spent)) => Err(Failure::Exhausted { entries: 0, spent }),
        Err(Late::Step) => Err(Failure::ConnectStalled { limit: server.connect_timeout }),
    };
    let connection = match opened {
        Ok(connection) => connection,
        Err(failure) => {
            let told = failure.told();
            tracing::debug!(failure = told, "no bound connection");
            assembly.failed(Missing::new(everything, told));
            return (assembly, Next::from(&failure));
        }
    };
    // In a task of its own, which runs where the socket is watched: elsewhere each wake-up would
    // change threads, and a server wakes us for nearly every entry. Dropping the set ends it.
    let mut task = JoinSet::new();
    task.spawn(searches(connection, assembly, config.schema.clone()));
    if let Some(Ok(done)) = task.join_next().await {
        return done;
    }
    let mut nothing = begin(budget);
    nothing.failed(Missing::new(everything, "reading it ended in a panic"));
    (nothing, Next::Stop)
}

/// Both searches on a bound connection; then, if they went well, what time it is there.
async fn searches(
    mut connection: Connection,
    mut assembly: Assembly,
    schema: SchemaConfig,
) -> (Assembly, Next) {
    let (groups, people) = (assembly.schema().groups.clone(), assembly.schema().people.clone());
    let found = search(&mut connection, &groups, &mut assembly, Assembly::group).await;
    assembly.groups_done();
    let next = match found {
        // The connection or the time is gone: people would fail the same way.
        Err(next @ (Next::Again | Next::Stop)) => next,
        Err(Next::Onward) if connection.is_closed() => Next::Onward,
        _ => {
            let found = search(&mut connection, &people, &mut assembly, Assembly::person).await;
            match found {
                Ok(()) => {
                    // Last, so that a server that chokes on it has said everything else.
                    if let Some(time) = clock::shown(&mut connection, &schema).await {
                        assembly.shown(time);
                    }
                    Next::Onward
                }
                Err(next) => next,
            }
        }
    };
    connection.close().await;
    (assembly, next)
}

/// One search with its base checked first; what fails is noted. The error says what may follow.
async fn search(
    connection: &mut Connection,
    search: &Search,
    assembly: &mut Assembly,
    take: fn(&mut Assembly, Entry) -> Result<(), Exhausted>,
) -> Result<(), Next> {
    let result = match page::base_is_visible(connection, &search.base).await {
        Ok(()) => {
            page::search(connection, search, &mut |found| match found {
                page::Found::Entry(entry) => take(assembly, entry),
                page::Found::Unreadable(missing) => {
                    assembly.missing(missing);
                    Ok(())
                }
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
            let told = failure.told();
            tracing::debug!(base = %search.base, filter = %search.filter, failure = told, "search failed");
            assembly.failed(Missing::new(format!("{} below {}", search.what, search.base), told));
            Err(Next::from(&failure))
        }
    }
}
