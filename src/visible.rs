//! Text from outside, so that what is shown is what is there.
//!
//! Characters that cannot be seen, that look like a blank, that turn the direction of writing
//! around or that move the cursor let a text say something else than it means (CVE-2021-42574,
//! Unicode Technical Standard 39). They are findings where people write names and reasons, and
//! they are spelled out wherever something is shown.
//!
//! Sources: Unicode 17 `DerivedCoreProperties` (`Default_Ignorable_Code_Point`), `PropList`
//! (`White_Space`, `Bidi_Control`), UTS 39 "Mixed-Script Detection".

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use unicode_script::{Script, UnicodeScript as _};

/// So many marks on one letter are ordinary in some scripts; more hide the lines around them.
const MOST_MARKS: usize = 4;

/// Whether a character cannot be seen, or changes how its neighbours are seen: controls, format
/// characters, blanks other than the ordinary one, selectors and tags, letters that are blank,
/// code points that stand for no character.
///
/// Tab and line ends (line feed, carriage return) are not among them.
pub fn is_hidden(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' | ' '..='~' | '\u{fffd}' => false,
        _ if character.is_control() || character.is_whitespace() => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        // Hangul fillers, also the narrow one.
        | '\u{115f}'..='\u{1160}'
        | '\u{3164}'
        | '\u{ffa0}'
        // Khmer vowels that are never seen; Mongolian selectors.
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        // Zero width, marks of direction, separators, embeddings, joiners, isolates.
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        // A pattern of Braille without a dot.
        | '\u{2800}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        // Annotations, the place of an object.
        | '\u{fff0}'..='\u{fffc}'
        // Private use looks like anything, or nothing.
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d159}'
        | '\u{1d173}'..='\u{1d17a}'
        // Tags, more selectors, and all that is kept free for the like; private use.
        | '\u{e0000}'..='\u{10ffff}' => true,
        _ => u32::from(character) & 0xfffe == 0xfffe,
    }
}

/// Whether a character is put on the one before it.
fn is_mark(character: char) -> bool {
    // What takes its script from its neighbour is a mark or hidden.
    !character.is_ascii() && character.script() == Script::Inherited
}

/// The name of a character that cannot be shown.
pub fn name(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Text from outside, safe to show on one line: whatever steers or hides is spelled out
/// (`\u{202e}`), so that no name can move the cursor, hide a part of a line or pretend to be
/// another line.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    let mut marks = MOST_MARKS;
    for character in text.chars() {
        let mark = is_mark(character);
        if is_hidden(character) || character.is_control() || (mark && marks >= MOST_MARKS) {
            clean.extend(character.escape_unicode());
            // A mark must not slip onto the brace either.
            marks = MOST_MARKS;
        } else {
            clean.push(character);
            marks = if mark {
                marks + 1
            } else if character == ' ' {
                MOST_MARKS
            } else {
                0
            };
        }
    }
    Cow::Owned(clean)
}

/// Whether a text says anything to a reader: it has a letter or digit that can be seen.
pub fn says_something(text: &str) -> bool {
    text.chars().any(|character| character.is_alphanumeric() && !is_hidden(character))
}

/// What is wrong with a text in which everything must be what it looks like, as a phrase; `None`
/// when nothing is.
///
/// A word may be in any script, but in one: `dеbian` with a Cyrillic `е` is not what it seems. Nor
/// is a Cyrillic or Greek word all of whose letters look Latin.
pub fn deception(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut before = ' ';
    for character in text.chars() {
        if is_mark(character) && !before.is_alphanumeric() && !is_mark(before) {
            return Some(format!("the mark {} is on no letter", name(character)));
        }
        if let Some(like) = stands_for(character) {
            return Some(format!("the character {} is no {like}", name(character)));
        }
        before = character;
    }
    text.split(|character: char| !character.is_alphanumeric() && !is_mark(character))
        .find_map(deceptive_word)
}

fn deceptive_word(word: &str) -> Option<String> {
    let mut first: Option<Group> = None;
    for character in word.chars() {
        let Some(group) = Group::of(character) else { continue };
        match first {
            None => first = Some(group),
            Some(before) if before.mixes_with(group) => {}
            Some(before) => {
                let odd = if group == Group::Script(Script::Latin) {
                    word.chars().find(|other| Group::of(*other) == Some(before))
                } else {
                    Some(character)
                };
                let odd = odd.unwrap_or(character);
                return Some(format!(
                    "the letter {} is {}, beside letters of another script",
                    name(odd),
                    odd.script().full_name()
                ));
            }
        }
    }
    let letters = || word.chars().filter(|character| character.is_alphabetic());
    let all_alike = matches!(first, Some(Group::Script(Script::Cyrillic | Script::Greek)))
        && letters().all(|letter| LOOK_LATIN.contains(letter));
    all_alike.then(|| {
        let script = letters().next().map_or("", |letter| letter.script().full_name());
        format!("all its letters are {script} and look like Latin ones")
    })
}

/// Scripts that are written in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Script(Script),
    /// Han with kana, bopomofo or hangul; also beside Latin letters, which none of them looks like.
    EastAsian,
}

impl Group {
    fn of(character: char) -> Option<Self> {
        match character.script() {
            Script::Common | Script::Inherited | Script::Unknown => None,
            Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Bopomofo
            | Script::Hangul => Some(Self::EastAsian),
            script => Some(Self::Script(script)),
        }
    }

    fn mixes_with(self, other: Self) -> bool {
        let latin = Self::Script(Script::Latin);
        self == other
            || matches!((self, other), (Self::EastAsian, one) | (one, Self::EastAsian) if one == latin)
    }
}

/// Letters of Cyrillic and Greek that look like Latin ones in most fonts.
const LOOK_LATIN: &str = "асеорхуіјѕһԁԛԝӏүАВСЕНІЈКМОРЅТХУҮԚԜαικνορυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";

/// What a character pretends to be, for those made to look like others.
fn stands_for(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{ff01}'..='\u{ff5e}'
        | '\u{1d400}'..='\u{1d7ff}'
        | '\u{2100}'..='\u{218b}'
        | '\u{2460}'..='\u{24ff}'
        | '\u{1f100}'..='\u{1f1ff}'
        | '\u{fb00}'..='\u{fb06}'
        | '\u{1d00}'..='\u{1d7f}'
        | '\u{251}'
        | '\u{261}'
        | '\u{1c0}'..='\u{1c3}' => "ordinary letter, digit or sign",
        '\u{2c2}'..='\u{2df}' | '\u{a789}' | '\u{2024}' | '\u{fe52}'..='\u{fe55}' => {
            "ordinary sign"
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => "`-`",
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => "`/`",
        _ if character.is_numeric() && !character.is_alphabetic() && !character.is_ascii() => {
            "ordinary digit"
        }
        _ => return None,
    })
}

/// How a writer spells out what cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// `\u{202e}`; escape sequences stay, for they are this program's own styles.
    Text,
    /// `\u202e`, as in a text of JSON.
    Json,
}

/// A writer that spells out what cannot be seen. The last line of defence for a terminal: whatever
/// shows text escapes it by itself ([`escaped`]), this catches what forgot to.
pub struct Visible<W> {
    inner: W,
    spelling: Spelling,
    /// The begin of a character whose end has not come.
    begun: Vec<u8>,
}

impl<W: Write> Visible<W> {
    /// For texts people read.
    pub fn text(inner: W) -> Self {
        Self { inner, spelling: Spelling::Text, begun: Vec::new() }
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        let odd = |character: char| {
            !character.is_ascii() && is_hidden(character)
                || (character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\u{1b}'))
        };
        let mut rest = text;
        while let Some(at) = rest.find(odd) {
            self.inner.write_all(&rest.as_bytes()[..at])?;
            let character = rest[at..].chars().next().unwrap_or_default();
            let mut spelled = String::new();
            match self.spelling {
                Spelling::Text => spelled.extend(character.escape_unicode()),
                Spelling::Json => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        // Writing to a text does not fail.
                        let _ = write!(spelled, "\\u{unit:04x}");
                    }
                }
            }
            self.inner.write_all(spelled.as_bytes())?;
            rest = &rest[at + character.len_utf8()..];
        }
        self.inner.write_all(rest.as_bytes())
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let joined;
        let mut rest = bytes;
        if !self.begun.is_empty() {
            joined = [&self.begun[..], bytes].concat();
            self.begun.clear();
            rest = &joined;
        }
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.put(text)?;
                    return Ok(bytes.len());
                }
                Err(error) => {
                    let (good, odd) = rest.split_at(error.valid_up_to());
                    self.put(std::str::from_utf8(good).unwrap_or_default())?;
                    let Some(length) = error.error_len() else {
                        self.begun = odd.to_vec();
                        return Ok(bytes.len());
                    };
                    self.inner.write_all("\u{fffd}".as_bytes())?;
                    rest = &odd[length..];
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A writer for a log: whatever is written at once is one line, so that no name in it can pretend to be
/// another. To be given whole lines.
#[derive(Debug)]
pub struct Line<W>(pub W);

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(format!("{}\n", escaped(line)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes a value as JSON in which everything can be seen, with a line end behind it.
///
/// # Errors
/// It cannot be written.
pub fn write_json(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    let inner = io::BufWriter::new(out);
    let mut out = Visible { inner, spelling: Spelling::Json, begun: Vec::new() };
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_spelled_out() {
        for (text, shown) in [
            ("plain", "plain"),
            ("grün, Łódź, Ελλάδα, 日本語, наука", "grün, Łódź, Ελλάδα, 日本語, наука"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("a\u{e0041}", "a\\u{e0041}"),
            ("\u{301}x", "\\u{301}x"),
            ("e\u{301}", "e\u{301}"),
            ("\u{1b}[2J\n", "\\u{1b}[2J\\u{a}"),
            ("a\u{a0}b\u{3000}c", "a\\u{a0}b\\u{3000}c"),
            ("x\u{85}\u{2028}", "x\\u{85}\\u{2028}"),
            ("\u{3164}\u{115f}\u{ffa0}\u{2800}", "\\u{3164}\\u{115f}\\u{ffa0}\\u{2800}"),
        ] {
            assert_eq!(escaped(text), shown, "{text:?}");
            let mut out = Vec::new();
            write_json(&mut out, &text).unwrap();
            let json = String::from_utf8(out).unwrap();
            assert!(!json.trim_end().contains(is_hidden), "{json:?}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
        let many = format!("e{}", "\u{301}".repeat(40));
        assert_eq!(escaped(&many).matches("\\u{301}").count(), 36);
    }

    #[test]
    fn a_writer_sees_characters_that_come_in_pieces() {
        for size in 1..7 {
            let mut out = Visible::text(Vec::new());
            for piece in "a\u{202e}é\u{e0041}\u{1b}[1mz".as_bytes().chunks(size) {
                out.write_all(piece).unwrap();
            }
            out.write_all(b"\xff.").unwrap();
            let text = String::from_utf8(out.inner).unwrap();
            assert_eq!(text, "a\\u{202e}é\\u{e0041}\u{1b}[1mz\u{fffd}.");
        }
    }

    #[test]
    fn a_line_of_a_log_is_one_line() {
        let mut log = Line(Vec::new());
        writeln!(log.by_ref(), "plain").unwrap();
        log.write_all(b"a\n WARN b\r\x1b[2J\xff\xe2\x80\xae\tc\n").unwrap();
        let text = String::from_utf8(log.0).unwrap();
        assert_eq!(text, "plain\na\\u{a} WARN b\\u{d}\\u{1b}[2J\u{fffd}\\u{202e}\\u{9}c\n");
    }

    #[test]
    fn names_are_what_they_look_like() {
        for honest in [
            "debian:admin",
            "grün",
            "наука",
            "группа-a",
            "Ελλάδα",
            "日本語かな",
            "東京tokyo",
            "naïve",
        ] {
            assert_eq!(deception(honest), None, "{honest}");
        }
        for deceptive in [
            "dеbian",
            "debian:аdmin",
            "раураӏ",
            "αdmin",
            "ａdmin",
            "𝐚dmin",
            "a‐b",
            "a∕b",
            "\u{301}a",
            "ﬁx",
            "١٢",
            "ΟΚ",
            "а",
        ] {
            assert!(deception(deceptive).is_some(), "{deceptive}");
        }
    }

    #[test]
    fn words_are_needed() {
        assert!(says_something("because") && says_something("理由") && says_something("42"));
        for empty in ["", " . ", "—", "\u{200b}", "\u{3164}", "\u{115f} \u{2800}"] {
            assert!(!says_something(empty), "{empty:?}");
        }
    }
}
