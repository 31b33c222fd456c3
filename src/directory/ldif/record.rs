//! Records of an LDIF file, one at a time.

use std::io::{BufRead, Read};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::mark::Watch;
use crate::directory::budget::{Budget, Exhausted};
use crate::directory::entry::{Entry, MOST_ATTRIBUTES};

/// As LDIF writes values (RFC 4648, 4). What the padding leaves over means nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A line longer than this, folded parts together, is refused: no attribute needs it, and a file
/// without line ends must not fill the memory.
const LONGEST_LINE: usize = 16 << 20;

/// Something in the file that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The line, from 1.
    pub(super) line: u32,
    /// What is wrong and what to do.
    pub(super) why: String,
}

/// How many lines go by between two looks at the clock.
const LINES_AT_ONCE: u32 = 1024;

/// The records of a file, each an entry or what is wrong with it.
pub(super) struct Records<R> {
    lines: Lines<R>,
    /// Nothing was read yet: a version may come.
    first: bool,
    /// How many records began with a `dn`.
    entries: u64,
    /// `ldapsearch` wrote that all went well.
    searches: bool,
    budget: Budget,
    exhausted: Option<Exhausted>,
}

impl<R: BufRead> Records<R> {
    /// From the beginning.
    pub(super) fn new(input: R, budget: Budget) -> Self {
        let lines = Lines { input, number: 0, held: None, ended: false, watch: Watch::new() };
        Self { lines, first: true, entries: 0, searches: false, budget, exhausted: None }
    }

    /// After the last record: whether the file is whole, and if not, why.
    pub(super) fn end(self) -> Result<(), End> {
        if let Some(exhausted) = self.exhausted {
            return Err(End::Exhausted(exhausted));
        }
        let whole = self.lines.watch.into_verdict(self.entries, self.searches);
        whole.map_err(|(line, why)| End::NotWhole(Problem { line, why }))
    }
}

/// Why what was read of a file is not all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It does not end with a mark, or the mark is not true.
    NotWhole(Problem),
    /// It was not read to its end.
    Exhausted(Exhausted),
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = Result<Entry, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut record = Record { room: self.budget.room() / 2, ..Record::default() };
            let mut problem = None;
            let mut any = false;
            loop {
                if self.lines.number.is_multiple_of(LINES_AT_ONCE)
                    && let Err(exhausted) = self.budget.in_time()
                {
                    self.exhausted = Some(exhausted);
                    return None;
                }
                match self.lines.next_logical() {
                    Ok(None) if any => break,
                    Ok(None) => return None,
                    Ok(Some(line)) if line.bytes.is_empty() => break,
                    Ok(Some(line)) if line.bytes.starts_with(b"#") => {}
                    Ok(Some(line)) if self.first && !any && is_version(&line.bytes) => {
                        problem = version(&line).err();
                        self.first = false;
                    }
                    Ok(Some(line)) => {
                        any = true;
                        if problem.is_none() {
                            problem = record.take(&line).err();
                        }
                    }
                    Err(unreadable) => {
                        any = true;
                        problem.get_or_insert(unreadable);
                    }
                }
            }
            self.entries += u64::from(record.has_dn);
            self.searches |= record.result;
            match (problem, any) {
                (Some(problem), _) => return Some(Err(problem)),
                (None, false) => {}
                (None, true) => {
                    self.first = false;
                    if let Some(entry) = record.entry {
                        return Some(Ok(entry));
                    }
                }
            }
        }
    }
}

fn is_version(line: &[u8]) -> bool {
    line.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"version:"))
}

fn version(line: &Line) -> Result<(), Problem> {
    match line.bytes[8..].trim_ascii() {
        b"1" => Ok(()),
        _ => Err(line.problem("only version 1 of LDIF is understood")),
    }
}

/// A record being put together.
#[derive(Default)]
struct Record {
    entry: Option<Entry>,
    /// `ldapsearch` wrote behind the last entry that all went well.
    result: bool,
    /// It began with a `dn`, readable or not.
    has_dn: bool,
    attributes: usize,
    /// The bytes it may need.
    room: usize,
}

impl Record {
    fn take(&mut self, line: &Line) -> Result<(), Problem> {
        let (name, value) = line.split()?;
        let Some(entry) = &mut self.entry else {
            return self.begin(line, name, value);
        };
        match name.to_ascii_lowercase().as_str() {
            "dn" => Err(line.problem(
                "a second `dn` in one record; records are separated by an empty line",
            )),
            "changetype" | "control" => Err(line.problem(format!(
                "`{name}` makes this a change, not an entry; export entries (slapcat, ldapsearch -LLL)"
            ))),
            _ => {
                let cost = Entry::cost_of(&value);
                if cost > self.room {
                    return Err(line.problem(
                        "the record is larger than what may be kept of one; raise \
                         `most_megabytes` of this directory if it is right",
                    ));
                }
                self.room -= cost;
                self.attributes += usize::from(entry.add(name, [value]));
                if self.attributes > MOST_ATTRIBUTES {
                    return Err(line.problem(format!(
                        "the record has more than {MOST_ATTRIBUTES} different attributes"
                    )));
                }
                Ok(())
            }
        }
    }

    /// The first line must name the entry; what `ldapsearch` writes about its search is known too.
    fn begin(&mut self, line: &Line, name: &str, value: Vec<u8>) -> Result<(), Problem> {
        match name.to_ascii_lowercase().as_str() {
            "dn" => {
                self.has_dn = true;
                let dn = String::from_utf8(value);
                let dn = dn.map_err(|_| line.problem("the `dn` is not UTF-8"))?;
                self.entry = Some(Entry::new(dn));
                Ok(())
            }
            "search" => Ok(()),
            "result" if value.starts_with(b"0 ") => {
                self.result = true;
                Ok(())
            }
            "result" => Err(line.problem(
                "the search this file comes from did not succeed; export it again without limits",
            )),
            "ref" => Err(line.problem(
                "a referral: a part of the directory is on another server and not in this file",
            )),
            _ if self.result => Ok(()),
            _ => Err(line.problem(format!("a record begins with `dn`, not with `{name}`"))),
        }
    }
}

/// A line with its folded continuations.
struct Line {
    number: u32,
    bytes: Vec<u8>,
}

impl Line {
    fn problem(&self, why: impl Into<String>) -> Problem {
        Problem { line: self.number, why: why.into() }
    }

    /// The attribute description and the decoded value.
    fn split(&self) -> Result<(&str, Vec<u8>), Problem> {
        let colon = self.bytes.iter().position(|byte| *byte == b':').ok_or_else(|| {
            self.problem("no `:`; a continued line begins with a blank, a comment with `#`")
        })?;
        let name = std::str::from_utf8(&self.bytes[..colon])
            .ok()
            .filter(|name| is_description(name))
            .ok_or_else(|| {
                self.problem("what stands before `:` is not the name of an attribute")
            })?;
        let value = match &self.bytes[colon + 1..] {
            [b':', encoded @ ..] => std::str::from_utf8(encoded.trim_ascii())
                .ok()
                .and_then(|text| BASE64.decode(text).ok())
                .ok_or_else(|| self.problem(format!("the value of `{name}::` is not base 64")))?,
            [b'<', ..] => {
                return Err(self.problem(format!(
                    "`{name}:<` takes the value from a URL, which is refused; put the value here"
                )));
            }
            plain => {
                let plain = plain.trim_ascii_start();
                if std::str::from_utf8(plain).is_err() {
                    return Err(self.problem(format!(
                        "the value of `{name}` is not UTF-8; other bytes are written `{name}:: base64`"
                    )));
                }
                plain.to_vec()
            }
        };
        Ok((name, value))
    }
}

/// An attribute type and options: letters, digits, `-`, `.`, and `;` and `=` for options.
fn is_description(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';' | b'=' | b'_' | b'*')
        })
}

/// Unfolds lines.
struct Lines<R> {
    input: R,
    number: u32,
    /// A physical line read ahead.
    held: Option<(u32, Vec<u8>)>,
    ended: bool,
    watch: Watch,
}

impl<R: BufRead> Lines<R> {
    /// The next line with its continuations; empty for the end of a record.
    fn next_logical(&mut self) -> Result<Option<Line>, Problem> {
        let Some((number, mut bytes)) = (match self.held.take() {
            Some(held) => Some(held),
            None => self.next_physical()?,
        }) else {
            return Ok(None);
        };
        if bytes.is_empty() {
            return Ok(Some(Line { number, bytes }));
        }
        if bytes[0] == b' ' {
            return Err(Problem {
                line: number,
                why: "the line continues nothing: it begins with a blank".into(),
            });
        }
        loop {
            match self.next_physical()? {
                Some((_, more)) if more.first() == Some(&b' ') => {
                    bytes.extend(&more[1..]);
                    if bytes.len() > LONGEST_LINE {
                        return Err(too_long(number));
                    }
                }
                held => {
                    self.held = held;
                    return Ok(Some(Line { number, bytes }));
                }
            }
        }
    }

    /// The next line without its end.
    fn next_physical(&mut self) -> Result<Option<(u32, Vec<u8>)>, Problem> {
        if self.ended {
            return Ok(None);
        }
        let number = self.number.saturating_add(1);
        self.number = number;
        let mut bytes = Vec::new();
        let limit = LONGEST_LINE as u64 + 1;
        let read =
            (&mut self.input).take(limit).read_until(b'\n', &mut bytes).map_err(|error| {
                self.ended = true;
                Problem { line: number, why: format!("cannot be read: {error}") }
            })?;
        if read == 0 {
            self.ended = true;
            return Ok(None);
        }
        if bytes.pop_if(|last| *last == b'\n').is_none() {
            self.ended = true;
            self.watch.cut(number);
            return Err(if read as u64 == limit {
                too_long(number)
            } else {
                Problem {
                    line: number,
                    why: "the file ends in the middle of a line: it was cut; export it again"
                        .into(),
                }
            });
        }
        bytes.pop_if(|last| *last == b'\r');
        self.watch.line(number, &bytes);
        Ok(Some((number, bytes)))
    }
}

fn too_long(line: u32) -> Problem {
    Problem { line, why: format!("the line is longer than {} MiB", LONGEST_LINE >> 20) }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
