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
mod look;
mod page;
mod reference;
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
use super::schema::{Assembly, Search, fingerprint};
use crate::model::Missing;

use connection::Connection;
use failure::Failure;
use page::Found;

/// How often a reading begins anew because groups changed while people were read.
const MOST_TORN: u32 = 2;
/// So many members that no search brought are looked at one by one.
const MOST_LOOKS: usize = 100;

/// Reads from one of the servers, trying again, and the next one, where that may help and as long
/// as there is time.
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
    let (mut first, mut torn, mut others) = (0, 0, server.urls.len().saturating_sub(1));
    loop {
        let (mut assembly, next, used) =
            attempt(config, server, first, access, &begin, budget.afresh()).await;
        let delay = match next {
            Next::Torn if torn < MOST_TORN => {
                torn += 1;
                Some(Duration::from_millis(100))
            }
            Next::Torn => {
                assembly.failed(Missing::new(
                    "the members of groups",
                    format!("they changed each of {} times while people were read", torn + 1),
                ));
                None
            }
            Next::Again => {
                first = used + 1;
                delays.next()
            }
            // This server could not be read to the end, and would not be the next time.
            Next::Onward if others > 0 && !assembly.is_complete() => {
                (first, others) = (used + 1, others - 1);
                Some(Duration::ZERO)
            }
            Next::Onward | Next::Stop => None,
        };
        match delay.filter(|delay| *delay < budget.left()) {
            Some(delay) => {
                tracing::debug!(directory = %config.name, ?delay, ?next, "reading again from the start");
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
    /// The same, because groups changed while people were read.
    Torn,
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

/// One read from the start, from the first server that takes us: what it brought, what may follow,
/// and which server it was.
async fn attempt(
    config: &DirectoryConfig,
    server: &LdapConfig,
    first: usize,
    access: Access<'_>,
    begin: &impl Fn(Budget) -> Assembly,
    budget: Budget,
) -> (Assembly, Next, usize) {
    let mut assembly = begin(budget.clone());
    let mut next = Next::Onward;
    let servers = server.urls.len();
    for turn in 0..servers {
        let at = (first + turn) % servers;
        let everything = format!("everything on {}", server.urls[at]);
        let opening = Connection::open(server, &server.urls[at], access, budget.clone());
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
                match Next::from(&failure) {
                    Next::Stop => return (assembly, Next::Stop, at),
                    Next::Again => next = Next::Again,
                    Next::Onward | Next::Torn => {}
                }
                continue;
            }
        };
        // In a task of its own, which runs where the socket is watched: elsewhere each wake-up
        // would change threads, and a server wakes us for nearly every entry. Dropping the set
        // ends it.
        let mut task = JoinSet::new();
        task.spawn(searches(connection, begin(budget.clone()), config.schema.clone()));
        if let Some(Ok((assembly, next))) = task.join_next().await {
            return (assembly, next, at);
        }
        let mut nothing = begin(budget);
        nothing.failed(Missing::new(everything, "reading it ended in a panic"));
        return (nothing, Next::Stop, at);
    }
    (assembly, next, first)
}

/// Both searches on a bound connection, and a second look at what does not fit together; then, if
/// they went well, what time it is there.
async fn searches(
    mut connection: Connection,
    mut assembly: Assembly,
    schema: SchemaConfig,
) -> (Assembly, Next) {
    let (groups, people) = (assembly.schema().groups.clone(), assembly.schema().people.clone());
    let found = search(&mut connection, &groups, &mut assembly, Assembly::group).await;
    if found.is_ok() && assembly.lacks_members() {
        assembly.may_lack_members(look::lax_classes(&mut connection).await);
    }
    assembly.groups_done();
    let next = match found {
        // The connection or the time is gone: people would fail the same way.
        Err(next @ (Next::Again | Next::Stop)) => next,
        Err(Next::Onward) if connection.is_closed() => Next::Onward,
        _ => match search(&mut connection, &people, &mut assembly, Assembly::person).await {
            Ok(()) => {
                let next = if assembly.is_complete() && assembly.has_unmatched() {
                    look_again(&mut connection, &groups, &people, &mut assembly).await
                } else {
                    Next::Onward
                };
                // Last, so that a server that chokes on it has said everything else.
                if next == Next::Onward
                    && let Some(time) = clock::shown(&mut connection, &schema).await
                {
                    assembly.shown(time);
                }
                next
            }
            Err(next) => next,
        },
    };
    connection.close().await;
    (assembly, next)
}

/// Some members of groups are nobody. Somebody may have been renamed or moved between the two
/// searches, so groups are read once more; if they are as they were, the members themselves are
/// looked at.
async fn look_again(
    connection: &mut Connection,
    groups: &Search,
    people: &Search,
    assembly: &mut Assembly,
) -> Next {
    let mut sum = 0_u64;
    let look = |_: &mut Assembly, mut entry: Entry| {
        entry.take_ranges();
        sum = sum.wrapping_add(fingerprint(&entry));
        Ok(())
    };
    if let Err(next) = search(connection, groups, assembly, look).await {
        return next;
    }
    if assembly.is_torn(sum) {
        return Next::Torn;
    }
    for dn in assembly.not_found().into_iter().take(MOST_LOOKS) {
        match look::entry(connection, &dn, &people.filter).await {
            Ok(looked) => assembly.looked(dn, looked),
            Err(failure) => {
                assembly.failed(Missing::new("members of groups", failure.told()));
                return Next::from(&failure);
            }
        }
    }
    Next::Onward
}

/// One search with its base checked first; what fails is noted. The error says what may follow.
async fn search(
    connection: &mut Connection,
    search: &Search,
    assembly: &mut Assembly,
    mut take: impl FnMut(&mut Assembly, Entry) -> Result<(), Exhausted> + Send,
) -> Result<(), Next> {
    let result = match page::base_is_visible(connection, &search.base).await {
        Ok(()) => {
            page::search(connection, search, &mut |found| match found {
                Found::Entry(entry) => take(assembly, entry),
                Found::Unreadable(missing) => {
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
