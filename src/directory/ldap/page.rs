//! Searches, page by page, each to its very end.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::answer::{self, Operation};
use super::connection::Connection;
use super::failure::Failure;
use super::request::{self, Scope};
use super::wire::Broken;
use crate::directory::entry::{Entry, Range};
use crate::directory::schema::Search;
use crate::model::Missing;

/// A server may send an empty page (Active Directory does), but not for ever.
const EMPTY_PAGES: u32 = 100;
/// More than any organisation has; a server that invents entries must come to an end.
const MOST_ENTRIES: u64 = 5_000_000;

/// What a search brings.
pub(super) enum Found {
    /// An entry.
    Entry(Entry),
    /// An entry, or a part of one, that could not be read.
    Unreadable(Missing),
}

/// Checks that the base is there and visible: below an invisible one "nothing" proves nothing.
pub(super) async fn base_is_visible(
    connection: &mut Connection,
    base: &str,
) -> Result<(), Failure> {
    // The root of everything has no entry.
    if base.is_empty() {
        return Ok(());
    }
    let mut pages = Pages::new(connection);
    let mut entries = Vec::new();
    // No attributes.
    let attributes = ["1.1".to_owned()];
    let request =
        request::Search { base, scope: Scope::Base, filter: None, attributes: &attributes };
    pages.one(&request::search(&request), None, &mut |entry| entries.push(entry)).await?;
    if entries.is_empty() { Err(Failure::BaseHidden) } else { Ok(()) }
}

/// Runs a search to its end and hands over entries as they come. The number of entries.
pub(super) async fn search(
    connection: &mut Connection,
    search: &Search,
    take: &mut (dyn FnMut(Found) + Send),
) -> Result<u64, Failure> {
    let request = request::search(&request::Search {
        base: &search.base,
        scope: Scope::Subtree,
        filter: Some(&search.filter),
        attributes: &search.attributes,
    });
    let page_size = connection.page_size;
    let mut pages = Pages::new(connection);
    let mut cookie = Vec::new();
    let mut empty = 0;
    loop {
        let mut in_part = Vec::new();
        let before = pages.entries;
        let page = (page_size > 0).then(|| request::page(page_size, &cookie));
        let next = pages
            .one(&request, page.as_deref(), &mut |found| match found {
                Parsed::Whole(entry) => take(Found::Entry(entry)),
                Parsed::InPart(entry, ranges) => in_part.push((entry, ranges)),
                Parsed::Unreadable => take(Found::Unreadable(Missing::new(
                    format!("an entry below {}", search.base),
                    "its form is not that of an LDAP entry",
                ))),
            })
            .await?;
        for (entry, ranges) in in_part {
            pages.complete(entry, ranges, take).await?;
        }
        let entries = pages.entries;
        empty = if entries == before { empty + 1 } else { 0 };
        match next {
            None => return Ok(entries),
            Some(_) if empty > EMPTY_PAGES => {
                return Err(Failure::Paging { entries, why: "page after page is empty" });
            }
            Some(_) if entries > MOST_ENTRIES => {
                return Err(Failure::Paging { entries, why: "there is no end of pages" });
            }
            Some(next) => cookie = next,
        }
    }
}

/// An entry from the wire.
enum Parsed {
    Whole(Entry),
    /// Attributes of it came in part.
    InPart(Entry, Vec<Range>),
    Unreadable,
}

/// The pages of one search.
struct Pages<'a> {
    connection: &'a mut Connection,
    entries: u64,
    /// Hashes of the names seen, under a secret key: no entry comes twice in one search.
    seen: HashSet<u64>,
    key: RandomState,
}

impl<'a> Pages<'a> {
    fn new(connection: &'a mut Connection) -> Self {
        Self { connection, entries: 0, seen: HashSet::new(), key: RandomState::new() }
    }

    /// One page within the time limit: a search, and the controls that ask for that page. The
    /// cookie of the next, nothing after the last.
    async fn one(
        &mut self,
        request: &[u8],
        page: Option<&[u8]>,
        take: &mut (dyn FnMut(Parsed) + Send),
    ) -> Result<Option<Vec<u8>>, Failure> {
        let limit = self.connection.read_timeout;
        match tokio::time::timeout(limit, self.unlimited(request, page, take)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Stalled { limit, entries: self.entries }),
        }
    }

    async fn unlimited(
        &mut self,
        request: &[u8],
        page: Option<&[u8]>,
        take: &mut (dyn FnMut(Parsed) + Send),
    ) -> Result<Option<Vec<u8>>, Failure> {
        let wire = &mut self.connection.wire;
        let broke = |source: Broken, entries: u64| Failure::Broke { entries, source };
        let sent = wire.send(request, page.unwrap_or_default()).await;
        let id = sent.map_err(|source| broke(source, self.entries))?;
        let mut referral = None;
        loop {
            let answer = wire.answer(id).await.map_err(|source| broke(source, self.entries))?;
            let (outcome, cookie) = match answer {
                Operation::Entry(entry) => {
                    let parsed = parse(entry);
                    if let Parsed::Whole(entry) | Parsed::InPart(entry, _) = &parsed
                        && !self.seen.insert(self.key.hash_one(&entry.dn))
                    {
                        let why = "an entry came twice";
                        return Err(Failure::Paging { entries: self.entries, why });
                    }
                    self.entries += 1;
                    take(parsed);
                    continue;
                }
                Operation::Reference(to) => {
                    referral.get_or_insert(to);
                    continue;
                }
                Operation::Intermediate => continue,
                Operation::Done(outcome, cookie) => (outcome, cookie),
                Operation::Bind(_) | Operation::Extended(_) => {
                    return Err(broke(Broken::Malformed, self.entries));
                }
            };
            let entries = self.entries;
            if outcome.code == 10 {
                referral.get_or_insert_with(|| outcome.referral.clone().unwrap_or_default());
            }
            return match (referral, outcome.code) {
                (Some(to), _) => Err(Failure::Referral { entries, to }),
                (None, 0) if page.is_some() => next(cookie, entries),
                (None, 0) => Ok(None),
                (None, _) => Err(Failure::Code { entries, outcome }),
            };
        }
    }

    /// Fetches the values that are missing of attributes that came in part, range by range.
    async fn complete(
        &mut self,
        mut entry: Entry,
        ranges: Vec<Range>,
        take: &mut (dyn FnMut(Found) + Send),
    ) -> Result<(), Failure> {
        for mut range in ranges {
            loop {
                let dn = entry.dn.clone();
                let Some((part, more)) = self.range(&dn, &range).await? else {
                    take(Found::Unreadable(lost(&dn, &range)));
                    break;
                };
                let values = part.values(&range.name).to_vec();
                let progress = !values.is_empty();
                entry.add(&range.name, values);
                match more.into_iter().find(|more| more.name.eq_ignore_ascii_case(&range.name)) {
                    None if progress => break,
                    Some(more) if progress && more.next > range.next => range = more,
                    _ => {
                        take(Found::Unreadable(lost(&dn, &range)));
                        break;
                    }
                }
            }
        }
        take(Found::Entry(entry));
        Ok(())
    }

    /// The values of an attribute from a position on, and where they end if that is not the end.
    async fn range(
        &mut self,
        dn: &str,
        range: &Range,
    ) -> Result<Option<(Entry, Vec<Range>)>, Failure> {
        let attributes = [format!("{};range={}-*", range.name, range.next)];
        let request =
            request::Search { base: dn, scope: Scope::Base, filter: None, attributes: &attributes };
        let mut pages = Pages::new(self.connection);
        let mut found = None;
        pages.one(&request::search(&request), None, &mut |parsed| found = Some(parsed)).await?;
        Ok(found.and_then(|parsed| match parsed {
            Parsed::Whole(entry) => Some((entry, Vec::new())),
            Parsed::InPart(entry, ranges) => Some((entry, ranges)),
            Parsed::Unreadable => None,
        }))
    }
}

fn lost(dn: &str, range: &Range) -> Missing {
    Missing::new(
        format!("`{}` of {dn}", range.name),
        format!("the server does not hand out the values after the first {}", range.next),
    )
}

/// The cookie of the next page. Without the control it comes in nobody knows whether there is one.
fn next(cookie: Option<Vec<u8>>, entries: u64) -> Result<Option<Vec<u8>>, Failure> {
    match cookie {
        Some(cookie) => Ok(Some(cookie).filter(|cookie| !cookie.is_empty())),
        None => {
            Err(Failure::Paging { entries, why: "the server does not say whether more follows" })
        }
    }
}

/// Takes an entry apart without trusting its form.
fn parse(entry: &[u8]) -> Parsed {
    let Ok(mut entry) = answer::entry(entry) else {
        return Parsed::Unreadable;
    };
    let ranges = entry.take_ranges();
    if ranges.is_empty() { Parsed::Whole(entry) } else { Parsed::InPart(entry, ranges) }
}
