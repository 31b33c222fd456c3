//! What a server says: messages taken apart.
//!
//! Its frame, kind and result code must be right, or the connection cannot be trusted any
//! further. What is inside an entry matters to that entry only and is read by [`entry`].

use std::fmt;

use super::ber::{Elements, Malformed, integer, tag, text};
use crate::directory::entry::Entry;

/// RFC 2696.
pub(super) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// More attributes than anybody asks for: looking for one among them takes its time.
const MOST_ATTRIBUTES: usize = 1000;
/// Of what a server says, this much is shown.
const SHOWN: usize = 200;

/// What a message says.
///
/// Deliberately without `Debug`: entries hold personal values.
#[derive(PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// An entry, not yet read.
    Entry(&'a [u8]),
    /// A place where the search would have to go on.
    Reference(String),
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
        REFERENCE => Operation::Reference(shown(Elements(content).expect(tag::OCTETS)?)),
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
            referral = Some(shown(Elements(content).expect(tag::OCTETS)?));
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

/// Reads an entry: `objectName, SEQUENCE OF SEQUENCE { type, SET OF value }`.
pub(super) fn entry(content: &[u8]) -> Result<Entry, Malformed> {
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
            values.push(encoded.expect(tag::OCTETS)?.to_vec());
        }
        entry.add(description, values);
        count += 1;
        if count > MOST_ATTRIBUTES {
            return Err(Malformed);
        }
    }
    parts.ignore_rest()?;
    Ok(entry)
}

/// A server's words as they may be shown: on one line and not too many.
fn shown(words: &[u8]) -> String {
    String::from_utf8_lossy(&words[..words.len().min(4 * SHOWN)])
        .chars()
        .filter(|character| !character.is_control())
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
