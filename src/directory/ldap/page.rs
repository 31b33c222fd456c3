//! Searches, page by page, each to its very end.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag};
use ldap3::controls::{Control, PagedResults, RawControl};
use ldap3::{LdapError, LdapResult, Scope};

use super::connection::Connection;
use super::failure::Failure;
use crate::directory::entry::{Entry, Range};
use crate::directory::schema::Search;
use crate::model::Missing;

/// RFC 2696.
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
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
    let request = Request {
        base,
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &["1.1".to_owned()],
        page: None,
    };
    pages.one(&request, &mut |entry| entries.push(entry)).await?;
    if entries.is_empty() { Err(Failure::BaseHidden) } else { Ok(()) }
}

/// Runs a search to its end and hands over entries as they come. The number of entries.
pub(super) async fn search(
    connection: &mut Connection,
    search: &Search,
    take: &mut (dyn FnMut(Found) + Send),
) -> Result<u64, Failure> {
    let filter = search.filter.to_string();
    let page_size = connection.page_size;
    let mut pages = Pages::new(connection);
    let mut cookie = Vec::new();
    let mut empty = 0;
    loop {
        let mut in_part = Vec::new();
        let before = pages.entries;
        let request = Request {
            base: &search.base,
            scope: Scope::Subtree,
            filter: &filter,
            attributes: &search.attributes,
            page: (page_size > 0).then_some(PagedResults { size: page_size, cookie }),
        };
        let next = pages
            .one(&request, &mut |found| match found {
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

/// One search request.
struct Request<'a> {
    base: &'a str,
    scope: Scope,
    filter: &'a str,
    attributes: &'a [String],
    page: Option<PagedResults>,
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

    /// One page within the time limit. The cookie of the next, nothing after the last.
    async fn one(
        &mut self,
        request: &Request<'_>,
        take: &mut (dyn FnMut(Parsed) + Send),
    ) -> Result<Option<Vec<u8>>, Failure> {
        let limit = self.connection.read_timeout;
        match tokio::time::timeout(limit, self.unlimited(request, take)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Stalled { limit, entries: self.entries }),
        }
    }

    async fn unlimited(
        &mut self,
        request: &Request<'_>,
        take: &mut (dyn FnMut(Parsed) + Send),
    ) -> Result<Option<Vec<u8>>, Failure> {
        let ldap = &mut self.connection.ldap;
        if let Some(page) = &request.page {
            // Critical: a server that cannot page must say so, not ignore it.
            ldap.with_controls(RawControl { crit: true, ..RawControl::from(page.clone()) });
        }
        let broke = |source: LdapError, entries: u64| Failure::Broke { entries, source };
        let mut stream = ldap
            .streaming_search(request.base, request.scope, request.filter, request.attributes)
            .await
            .map_err(|source| broke(source, self.entries))?;
        let mut referral = None;
        while let Some(item) = stream.next().await.map_err(|source| broke(source, self.entries))? {
            if item.is_ref() {
                referral.get_or_insert_with(|| first_text(item.0));
            } else if !item.is_intermediate() {
                let parsed = parse(item.0);
                if let Parsed::Whole(entry) | Parsed::InPart(entry, _) = &parsed
                    && !self.seen.insert(self.key.hash_one(&entry.dn))
                {
                    let why = "an entry came twice";
                    return Err(Failure::Paging { entries: self.entries, why });
                }
                self.entries += 1;
                take(parsed);
            }
        }
        let result = stream.finish().await;
        let entries = self.entries;
        if result.rc == 10 {
            referral.get_or_insert_with(|| result.refs.first().cloned().unwrap_or_default());
        }
        match (referral, result.rc) {
            (Some(to), _) => Err(Failure::Referral { entries, to }),
            (None, 0) if request.page.is_some() => next_cookie(&result, entries),
            (None, 0) => Ok(None),
            (None, _) => Err(Failure::Code { entries, result }),
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
        let request = Request {
            base: dn,
            scope: Scope::Base,
            filter: "(objectClass=*)",
            attributes: &attributes,
            page: None,
        };
        let mut pages = Pages::new(self.connection);
        let mut found = None;
        pages.one(&request, &mut |parsed| found = Some(parsed)).await?;
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

/// The cookie of the paged results control of the last message: without that control nobody
/// knows whether there is another page.
fn next_cookie(result: &LdapResult, entries: u64) -> Result<Option<Vec<u8>>, Failure> {
    let control = result.ctrls.iter().find_map(|Control(_, raw)| {
        (raw.ctype == PAGED_RESULTS).then_some(raw.val.as_deref().unwrap_or_default())
    });
    let Some(value) = control else {
        return Err(Failure::Paging {
            entries,
            why: "the server does not say whether more follows",
        });
    };
    let cookie = match parse_tag(value) {
        Ok((_, StructureTag { payload: PL::C(parts), .. })) => {
            parts.into_iter().nth(1).and_then(StructureTag::expect_primitive)
        }
        _ => None,
    };
    match cookie {
        Some(cookie) => Ok(Some(cookie).filter(|cookie| !cookie.is_empty())),
        None => Err(Failure::Malformed { entries }),
    }
}

/// The first text of a search reference: one of the places it points to.
fn first_text(tag: StructureTag) -> String {
    tag.expect_constructed()
        .and_then(|texts| texts.into_iter().next())
        .and_then(StructureTag::expect_primitive)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(|text| text.chars().filter(|character| !character.is_control()).take(200).collect())
        .unwrap_or_default()
}

/// Takes an entry apart without trusting its form.
fn parse(tag: StructureTag) -> Parsed {
    let Some(mut entry) = entry(tag) else {
        return Parsed::Unreadable;
    };
    let ranges = entry.take_ranges();
    if ranges.is_empty() { Parsed::Whole(entry) } else { Parsed::InPart(entry, ranges) }
}

/// `[APPLICATION 4] SEQUENCE { objectName, SEQUENCE OF SEQUENCE { type, SET OF value } }`
fn entry(tag: StructureTag) -> Option<Entry> {
    if tag.class != TagClass::Application || tag.id != 4 {
        return None;
    }
    let mut parts = tag.expect_constructed()?.into_iter();
    let mut entry = Entry::new(text(parts.next()?)?);
    for attribute in parts.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let description = text(parts.next()?)?;
        let values = parts.next()?.expect_constructed()?;
        let values: Option<Vec<_>> =
            values.into_iter().map(StructureTag::expect_primitive).collect();
        entry.add(&description, values?);
    }
    Some(entry)
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(tag.expect_primitive()?).ok()
}
