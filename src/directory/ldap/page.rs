//! Searches, page by page, each to its very end.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::answer::{self, Operation, Unread};
use super::connection::Connection;
use super::failure::Failure;
use super::request::{self, Scope};
use super::wire::Broken;
use crate::directory::budget::{Budget, Exhausted, Late};
use crate::directory::entry::{Entry, Range};
use crate::directory::schema::Search;
use crate::model::Missing;

/// A server may send an empty page (Active Directory does), but not for ever.
const EMPTY_PAGES: u32 = 100;
/// More than any organisation has; a server that invents entries must come to an end.
const MOST_ENTRIES: u64 = 5_000_000;
/// Servers' cookies are a few bytes, at most some hundred; each is sent back.
const LONGEST_COOKIE: usize = 64 << 10;
/// What the memory of an entry's name costs.
const SEEN: usize = 24;

/// What a search brings.
pub(super) enum Found {
    /// An entry.
    Entry(Entry),
    /// An entry, or a part of one, that could not be read.
    Unreadable(Missing),
}

/// Takes what a search brings, as far as there is room for it.
pub(super) type Take<'a> = dyn FnMut(Found) -> Result<(), Exhausted> + Send + 'a;

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
    // No attributes.
    let attributes = ["1.1".to_owned()];
    let request =
        request::Search { base, scope: Scope::Base, filter: None, attributes: &attributes };
    pages.one(&request::search(&request), None, &mut |_| Ok(())).await?;
    if pages.entries == 0 { Err(Failure::BaseHidden) } else { Ok(()) }
}

/// One entry with some of its attributes, `None` if it does not show itself.
pub(super) async fn entry(
    connection: &mut Connection,
    base: &str,
    attributes: &[&str],
) -> Result<Option<Entry>, Failure> {
    let attributes: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
    let request =
        request::Search { base, scope: Scope::Base, filter: None, attributes: &attributes };
    let mut found = None;
    let mut pages = Pages::new(connection);
    pages
        .one(&request::search(&request), None, &mut |parsed| {
            if let Parsed::Whole(entry) = parsed {
                found = Some(entry);
            }
            Ok(())
        })
        .await?;
    Ok(found)
}

/// Runs a search to its end and hands over entries as they come. The number of entries.
pub(super) async fn search(
    connection: &mut Connection,
    search: &Search,
    take: &mut Take<'_>,
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
        let budget = pages.connection.budget.clone();
        let mut in_part = Vec::new();
        let before = pages.entries;
        let page = (page_size > 0).then(|| request::page(page_size, &cookie));
        let next = pages
            .one(&request, page.as_deref(), &mut |found| match found {
                Parsed::Whole(entry) => take(Found::Entry(entry)),
                Parsed::InPart(entry, ranges) => {
                    budget.keep(entry.cost())?;
                    in_part.push((entry, ranges));
                    Ok(())
                }
                Parsed::Unreadable => take(Found::Unreadable(Missing::new(
                    format!("an entry below {}", search.base),
                    "its form is not that of an LDAP entry",
                ))),
            })
            .await?;
        for (entry, ranges) in in_part {
            pages.complete(entry, ranges, search.naming, take).await?;
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
            Some(next) if next.len() > LONGEST_COOKIE => {
                return Err(Failure::Paging { entries, why: "a cookie without measure" });
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

/// Takes the entries of a page.
type TakeParsed<'a> = dyn FnMut(Parsed) -> Result<(), Exhausted> + Send + 'a;

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
        take: &mut TakeParsed<'_>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let limit = self.connection.read_timeout;
        let budget = self.connection.budget.clone();
        match budget.within(limit, self.unlimited(request, page, &budget, take)).await {
            Ok(result) => result,
            Err(Late::Step) => Err(Failure::Stalled { limit, entries: self.entries }),
            Err(Late::All(spent)) => Err(Failure::Exhausted { entries: self.entries, spent }),
        }
    }

    async fn unlimited(
        &mut self,
        request: &[u8],
        page: Option<&[u8]>,
        budget: &Budget,
        take: &mut TakeParsed<'_>,
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
                    let over = |spent| Failure::Exhausted { entries: self.entries, spent };
                    // The entry, and as much again for what is made of it.
                    let parsed =
                        parse(entry, budget.room() / 2).ok_or_else(|| over(budget.too_much()))?;
                    budget.keep(SEEN).map_err(over)?;
                    if let Parsed::Whole(entry) | Parsed::InPart(entry, _) = &parsed
                        && !self.seen.insert(self.key.hash_one(&entry.dn))
                    {
                        let why = "an entry came twice";
                        return Err(Failure::Paging { entries: self.entries, why });
                    }
                    take(parsed).map_err(over)?;
                    self.entries += 1;
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

    /// Fetches the values that are missing of attributes that came in part, range by range. What
    /// is kept of the entry has been counted.
    async fn complete(
        &mut self,
        mut entry: Entry,
        ranges: Vec<Range>,
        naming: &str,
        take: &mut Take<'_>,
    ) -> Result<(), Failure> {
        let budget = self.connection.budget.clone();
        let mut kept = entry.cost();
        let entries = self.entries;
        let spent = |spent| Failure::Exhausted { entries, spent };
        for mut range in ranges {
            loop {
                let dn = entry.dn.clone();
                let Some((part, more)) = self.range(&dn, &range).await? else {
                    take(Found::Unreadable(lost(&entry, naming, &range))).map_err(spent)?;
                    break;
                };
                let cost = part.cost();
                budget.keep(cost).map_err(spent)?;
                kept += cost;
                let values = part.values(&range.name).to_vec();
                let progress = !values.is_empty();
                entry.add(&range.name, values);
                match more.into_iter().find(|more| more.name.eq_ignore_ascii_case(&range.name)) {
                    None if progress => break,
                    Some(more) if progress && more.next > range.next => range = more,
                    _ => {
                        take(Found::Unreadable(lost(&entry, naming, &range))).map_err(spent)?;
                        break;
                    }
                }
            }
        }
        take(Found::Entry(entry)).map_err(spent)?;
        budget.release(kept);
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
        pages
            .one(&request::search(&request), None, &mut |parsed| {
                found = Some(parsed);
                Ok(())
            })
            .await?;
        Ok(found.and_then(|parsed| match parsed {
            Parsed::Whole(entry) => Some((entry, Vec::new())),
            Parsed::InPart(entry, ranges) => Some((entry, ranges)),
            Parsed::Unreadable => None,
        }))
    }
}

fn lost(entry: &Entry, naming: &str, range: &Range) -> Missing {
    Missing::new(
        format!("`{}` of {}", range.name, entry.known_as(naming)),
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

/// Takes an entry apart without trusting its form; nothing if it needs more bytes than there are.
fn parse(entry: &[u8], room: usize) -> Option<Parsed> {
    let mut entry = match answer::entry(entry, room) {
        Ok(entry) => entry,
        Err(Unread::Malformed) => return Some(Parsed::Unreadable),
        Err(Unread::TooLarge) => return None,
    };
    let ranges = entry.take_ranges();
    Some(if ranges.is_empty() { Parsed::Whole(entry) } else { Parsed::InPart(entry, ranges) })
}
