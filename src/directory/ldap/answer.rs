//! What a server says: messages taken apart.
//!
//! Its frame, kind and result code must be right, or the connection cannot be trusted any
//! further. What is inside an entry matters to that entry only and is read by [`entry`].

use std::fmt;

use super::ber::{Elements, Malformed, integer, tag, text};
use crate::directory::entry::{Entry, MOST_ATTRIBUTES};
use crate::masks;

/// RFC 2696.
pub(super) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// Of what a server says, this much is shown.
const SHOWN: usize = 200;

/// What a message says.
///
/// Deliberately without `Debug`: entries hold personal values.
#[derive(PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// An entry, not yet read.
    Entry(&'a [u8]),
    /// The address of a place where the search would have to go on.
    Reference(&'a [u8]),
    /// Something on the way, to be ignored.
    Intermediate,
    /// The end of a search, and the cookie of the paged results control: empty after the last
    /// page, `None` without that control.
    Done(Outcome, Option<Vec<u8>>),
    /// The answer to a bind.
    Bind(Outcome),
    /// The answer to another request, or to none.
    Extended(Outcome),
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The result code (RFC 4511, section 4.1.9).
    pub(super) code: i32,
    /// The server's own words, shortened, on one line.
    pub(super) words: String,
    /// Where else the server says to look.
    pub(super) referral: Option<String>,
}

/// "size limit exceeded (4, …)"
impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.code {
            3 => "time limit exceeded",
            4 => "size limit exceeded",
            7 => "this way to bind is not supported",
            8 => "stronger authentication required",
            10 => "referral",
            11 => "administrative limit exceeded",
            12 => "a critical extension is not available",
            13 => "confidentiality required",
            32 => "no such object",
            48 => "inappropriate authentication",
            49 => "invalid credentials",
            50 => "insufficient access rights",
            51 => "busy",
            52 => "unavailable",
            53 => "unwilling to perform",
            _ => "the server reports an error",
        };
        if self.words.is_empty() {
            write!(formatter, "{name} ({})", self.code)
        } else {
            write!(formatter, "{name} ({}, {})", self.code, self.words)
        }
    }
}

/// The number of the request a message answers, 0 for none. A message is what is inside its
/// outermost sequence.
pub(super) fn id(message: &[u8]) -> Result<i32, Malformed> {
    let id = integer(Elements(message).expect(tag::INTEGER)?)?;
    if id < 0 { Err(Malformed) } else { Ok(id) }
}

/// What a message says.
pub(super) fn operation(message: &[u8]) -> Result<Operation<'_>, Malformed> {
    const BIND: u8 = tag::application(1);
    const ENTRY: u8 = tag::application(4);
    const DONE: u8 = tag::application(5);
    const REFERENCE: u8 = tag::application(19);
    const EXTENDED: u8 = tag::application(24);
    const INTERMEDIATE: u8 = tag::application(25);
    let mut parts = Elements(message);
    parts.expect(tag::INTEGER)?;
    let (kind, content) = parts.next()?.ok_or(Malformed)?;
    let operation = match kind {
        ENTRY => Operation::Entry(content),
        DONE => Operation::Done(outcome(content)?, cookie(parts)?),
        REFERENCE => Operation::Reference(Elements(content).expect(tag::OCTETS)?),
        INTERMEDIATE => Operation::Intermediate,
        BIND => Operation::Bind(outcome(content)?),
        EXTENDED => Operation::Extended(outcome(content)?),
        _ => return Err(Malformed),
    };
    parts.ignore_rest()?;
    Ok(operation)
}

/// `LDAPResult`
fn outcome(content: &[u8]) -> Result<Outcome, Malformed> {
    let mut parts = Elements(content);
    let code = integer(parts.expect(tag::ENUMERATED)?)?;
    parts.expect(tag::OCTETS)?;
    let words = shown(parts.expect(tag::OCTETS)?);
    let mut referral = None;
    while let Some((kind, content)) = parts.next()? {
        if kind == tag::context_sequence(3) {
            referral = Some(place(Elements(content).expect(tag::OCTETS)?));
        }
    }
    Ok(Outcome { code, words, referral })
}

/// The cookie in the controls that follow a search's end.
fn cookie(mut parts: Elements<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    let Some((kind, controls)) = parts.next()? else { return Ok(None) };
    if kind != tag::context_sequence(0) {
        return Ok(None);
    }
    let mut controls = Elements(controls);
    let mut cookie = None;
    while !controls.is_at_end() {
        let mut control = controls.inside(tag::SEQUENCE)?;
        let is_ours = control.expect(tag::OCTETS)? == PAGED_RESULTS.as_bytes();
        while let Some((kind, content)) = control.next()? {
            if is_ours && kind == tag::OCTETS {
                let mut value = Elements(content).inside(tag::SEQUENCE)?;
                // An estimate of the whole size, which nobody needs.
                integer(value.expect(tag::INTEGER)?)?;
                cookie = Some(value.expect(tag::OCTETS)?.to_vec());
            }
        }
        if is_ours && cookie.is_none() {
            return Err(Malformed);
        }
    }
    Ok(cookie)
}

/// Why an entry could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It has not the form of one.
    Malformed,
    /// It needs more bytes than there are.
    TooLarge,
}

impl From<Malformed> for Unread {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Reads an entry: `objectName, SEQUENCE OF SEQUENCE { type, SET OF value }`. What it needs is
/// looked at value by value: an empty one is two bytes on the wire and twenty times that here.
pub(super) fn entry(content: &[u8], mut room: usize) -> Result<Entry, Unread> {
    let mut parts = Elements(content);
    let mut entry = Entry::new(text(parts.expect(tag::OCTETS)?)?);
    let mut attributes = parts.inside(tag::SEQUENCE)?;
    let mut count = 0;
    while !attributes.is_at_end() {
        let mut attribute = attributes.inside(tag::SEQUENCE)?;
        let description = text(attribute.expect(tag::OCTETS)?)?;
        let mut encoded = attribute.inside(tag::SET)?;
        attribute.ignore_rest()?;
        let mut values = Vec::new();
        while !encoded.is_at_end() {
            let value = encoded.expect(tag::OCTETS)?;
            room = room.checked_sub(Entry::cost_of(value)).ok_or(Unread::TooLarge)?;
            values.push(value.to_vec());
        }
        entry.add(description, values);
        count += 1;
        if count > MOST_ATTRIBUTES {
            return Err(Unread::Malformed);
        }
    }
    parts.ignore_rest()?;
    Ok(entry)
}

/// A server's words as they may be shown: without our secrets and the names of people, on one line
/// and not too many.
fn shown(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(&words[..words.len().min(4 * SHOWN)]);
    masks::shown(&without_names(&words), SHOWN)
}

/// Where a referral leads to: the server, without what it says of an entry there.
pub(super) fn place(url: &[u8]) -> String {
    let url = shown(url);
    let end = url.find("://").and_then(|at| url[at + 3..].find('/').map(|end| at + 3 + end));
    url[..end.unwrap_or(url.len())].to_owned()
}

/// Attributes that hold what a person is called, as parts of distinguished names.
const NAMES: [&str; 6] = ["cn", "sn", "givenname", "displayname", "name", "mail"];

/// Blanks the values of a distinguished name that call somebody by name: servers quote the one
/// that they were asked for, or that they found.
fn without_names(words: &str) -> String {
    let mut result = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(equals) = rest.find('=') {
        let (before, after) = rest.split_at(equals + 1);
        result.push_str(before);
        let kind = before[..equals].rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next();
        let is_name =
            kind.is_some_and(|kind| NAMES.iter().any(|name| kind.eq_ignore_ascii_case(name)));
        rest = after;
        if is_name {
            let mut escaped = false;
            let end = after.find(|letter: char| {
                let ends =
                    !escaped && matches!(letter, ',' | '+' | ';' | '\'' | '"' | '>' | ')' | '\n');
                escaped = letter == '\\' && !escaped;
                ends
            });
            result.push('…');
            rest = &after[end.unwrap_or(after.len())..];
        }
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
