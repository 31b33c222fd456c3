//! From bytes to a text that is safe to show and to parse.

use std::sync::Arc;

use super::Position;
use crate::diagnostic::Finding;
use crate::model::Source;

/// The text of a file.
///
/// A byte order mark is dropped. Anything but UTF-8 is refused, and so are characters that are
/// invisible or change the order of what is shown: a reviewer must see what is written.
pub(super) fn decode<'a>(file: &Arc<str>, bytes: &'a [u8]) -> Result<&'a str, Box<Finding>> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| Box::new(not_utf8(file, bytes, &error)))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.char_indices().find(|(_, character)| is_hidden(*character)) {
        None => Ok(text),
        Some((offset, character)) => {
            let at = position(&text[..offset]);
            Err(Box::new(
                Finding::error(
                    "hidden-character",
                    format!("there is the character {}, which cannot be seen", name(character)),
                )
                .at(&Source::new(Arc::clone(file), at.line, at.column))
                .hint("remove it; nothing of the file was read"),
            ))
        }
    }
}

/// Whether a character has no place in a reviewed text: control characters other than tab and
/// line ends, and those that turn the reading direction around (CVE-2021-42574).
pub(super) fn is_hidden(character: char) -> bool {
    (character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}'))
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The name of a hidden character.
pub(super) fn name(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

fn not_utf8(file: &Arc<str>, bytes: &[u8], error: &std::str::Utf8Error) -> Finding {
    let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
    let at = position(&before);
    let hint = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file looks like UTF-16; save it as UTF-8",
        _ => "save the file as UTF-8; nothing of it was read",
    };
    Finding::error("not-utf-8", "there are bytes that are not UTF-8")
        .at(&Source::new(Arc::clone(file), at.line, at.column))
        .hint(hint)
}

/// The place just after a text.
fn position(before: &str) -> Position {
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: count(line), column: count(last.chars().count() + 1) }
}
