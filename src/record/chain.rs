//! Lines that name the hash of the line before, and the check that they do.
//!
//! A line is `{"sequence":N,"previous":"H","time":"T","what":{…},"hash":"H"}` and a newline. Its
//! hash is SHA-256 over all bytes before `,"hash":`; what follows has one possible form. So there
//! is no byte of a line that could change unnoticed.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

use crate::digest::sha256;
use crate::model::Private;

/// What the first line of the index names as the hash of the line before.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const HASH_DIGITS: usize = 64;
const BEFORE_HASH: &str = ",\"hash\":\"";
const AFTER_HASH: &str = "\"}";

/// How long a chain is and how it ends. Its text form is `LINES:HASH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many lines.
    pub lines: u64,
    /// The hash of the last one.
    pub last: String,
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.lines, self.last)
    }
}

/// A text that is not a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a head; a head is a number, a colon and 64 hexadecimal digits, as each run prints it")]
pub struct InvalidHead;

impl FromStr for Head {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let (lines, last) = text.split_once(':').ok_or(InvalidHead)?;
        let head = Self { lines: lines.parse().map_err(|_| InvalidHead)?, last: last.to_owned() };
        // One form per head: no leading zeros, no plus sign, no capital digits.
        if is_hash(last) && head.to_string() == text { Ok(head) } else { Err(InvalidHead) }
    }
}

/// The next line of a chain with the head it leads to.
pub(super) fn line(head: &Head, time: Timestamp, what: &impl Serialize) -> (String, Head) {
    let mut what = serde_json::to_value(what).expect("entries are always valid JSON");
    Private::redact(&mut what);
    let lines = head.lines + 1;
    let mut text = format!(
        "{{\"sequence\":{lines},\"previous\":\"{}\",\"time\":\"{time}\",\"what\":{what}",
        head.last
    );
    let hash = sha256(text.as_bytes());
    text.push_str(BEFORE_HASH);
    text.push_str(&hash);
    text.push_str(AFTER_HASH);
    text.push('\n');
    (text, Head { lines, last: hash })
}

/// A chain as it was read.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    /// The lines that are whole, without their newlines; also those that are damaged.
    pub lines: Vec<&'a [u8]>,
    /// The hash each line states (empty where there is none).
    pub hashes: Vec<&'a str>,
    /// What follows the last newline.
    pub torn: &'a [u8],
    /// What is wrong: the line, from 1, and what.
    pub damage: Vec<(usize, String)>,
}

impl Chain<'_> {
    /// How long it is and how it ends.
    pub fn head(&self, before: &str) -> Head {
        Head {
            lines: self.lines.len() as u64,
            last: self.hashes.last().copied().unwrap_or(before).to_owned(),
        }
    }

    /// Whether it has a line of that number and hash.
    pub fn contains(&self, head: &Head, before: &str) -> bool {
        match usize::try_from(head.lines).ok().and_then(|lines| lines.checked_sub(1)) {
            Some(at) => self.hashes.get(at) == Some(&head.last.as_str()),
            None => head.last == before,
        }
    }
}

/// Checks the bytes of a file that begins a chain after the hash `before`.
pub(super) fn check<'a>(bytes: &'a [u8], before: &str) -> Chain<'a> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut chain =
        Chain { lines: Vec::new(), hashes: Vec::new(), torn: &bytes[whole..], damage: Vec::new() };
    let mut previous = before.to_owned();
    let lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n');
    for (number, line) in (1..).zip(lines.map(|line| &line[..line.len() - 1])) {
        let hash = match check_line(line, number, &previous) {
            Ok(hash) => hash,
            Err(what) => {
                chain.damage.push((number, what));
                stated_hash(line).unwrap_or_default()
            }
        };
        previous = hash.to_owned();
        chain.lines.push(line);
        chain.hashes.push(hash);
    }
    // A line is written at once; what a kill leaves of it is a beginning of it.
    let begin = beginning(chain.lines.len() + 1, &previous);
    let common = begin.len().min(chain.torn.len());
    if begin.as_bytes()[..common] != chain.torn[..common] {
        chain.damage.push((
            chain.lines.len() + 1,
            "is neither a whole line nor the beginning of the next one".into(),
        ));
    }
    chain
}

fn beginning(number: usize, previous: &str) -> String {
    format!("{{\"sequence\":{number},\"previous\":\"{previous}\",\"time\":\"")
}

fn check_line<'a>(line: &'a [u8], number: usize, previous: &str) -> Result<&'a str, String> {
    let Some(hash) = stated_hash(line) else {
        return Err("does not end with its hash".into());
    };
    let content = &line[..line.len() - AFTER_HASH.len() - HASH_DIGITS - BEFORE_HASH.len()];
    if sha256(content) != hash {
        return Err("was edited: its content does not match its hash".into());
    }
    if !content.starts_with(beginning(number, previous).as_bytes()) {
        return Err(
            "does not follow the line before it: lines were removed, added or moved here".into()
        );
    }
    Ok(hash)
}

/// The hash at the end of a line, if it ends as a line should.
fn stated_hash(line: &[u8]) -> Option<&str> {
    let rest = line.strip_suffix(AFTER_HASH.as_bytes())?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(HASH_DIGITS)?)?;
    rest.ends_with(BEFORE_HASH.as_bytes()).then_some(())?;
    std::str::from_utf8(hash).ok().filter(|hash| is_hash(hash))
}

fn is_hash(text: &str) -> bool {
    text.len() == HASH_DIGITS
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Head {
        Head { lines: 0, last: NOTHING.to_owned() }
    }

    fn three() -> String {
        let mut text = String::new();
        let mut head = empty();
        for word in ["one", "two", "three"] {
            let (line, next) = line(&head, Timestamp::UNIX_EPOCH, &word);
            text.push_str(&line);
            head = next;
        }
        text
    }

    #[test]
    fn an_untouched_chain_has_no_damage() {
        let text = three();
        let chain = check(text.as_bytes(), NOTHING);
        assert_eq!(chain.damage, []);
        assert_eq!(chain.head(NOTHING).lines, 3);
        assert!(chain.contains(&empty(), NOTHING));
    }

    #[test]
    fn every_flipped_bit_shows() {
        let text = three();
        let head = check(text.as_bytes(), NOTHING).head(NOTHING);
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let chain = check(&bytes, NOTHING);
                assert!(
                    !chain.damage.is_empty() || chain.head(NOTHING) != head,
                    "bit {bit} of byte {at}"
                );
            }
        }
    }

    #[test]
    fn the_beginning_of_a_next_line_is_no_damage_and_anything_else_is() {
        let text = three();
        let second = text.lines().next().map_or(0, str::len) + 1;
        for end in second..text.len() {
            assert_eq!(check(&text.as_bytes()[..end], NOTHING).damage, [], "cut at {end}");
        }
        assert_eq!(check(format!("{text}x").as_bytes(), NOTHING).damage.len(), 1);
    }

    #[test]
    fn a_head_has_one_written_form() {
        let head = check(three().as_bytes(), NOTHING).head(NOTHING);
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        for wrong in [
            String::new(),
            format!("03:{}", head.last),
            format!("+3:{}", head.last),
            format!("3:{}", head.last.to_uppercase()),
            format!("3:{}", &head.last[1..]),
            format!("3:{} ", head.last),
        ] {
            assert_eq!(wrong.parse::<Head>(), Err(InvalidHead), "{wrong}");
        }
    }
}
