//! From bytes to a text that is safe to show and to parse.

use std::sync::Arc;

use super::Position;
use crate::diagnostic::Finding;
use crate::model::Source;
use crate::visible::{is_hidden, name};

/// The text of a file.
///
/// A byte order mark is dropped. Anything but UTF-8 is refused, and so are characters that cannot
/// be seen or change what is seen of others: a reviewer must see what is written.
pub(super) fn decode<'a>(file: &Arc<str>, bytes: &'a [u8]) -> Result<&'a str, Vec<Finding>> {
    let text = std::str::from_utf8(bytes).map_err(|error| vec![not_utf8(file, bytes, &error)])?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.is_ascii() && !text.contains(is_hidden) {
        return Ok(text);
    }
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let hidden = line.char_indices().find(|(_, one)| is_hidden(*one));
        let Some((offset, character)) = hidden else { continue };
        let column = u32::try_from(line[..offset].chars().count() + 1).unwrap_or(u32::MAX);
        findings.push(
            Finding::error(
                "hidden-character",
                format!("there is the character {}, which cannot be seen", name(character)),
            )
            .at(&Source::new(Arc::clone(file), number, column))
            .hint("remove it, or write an ordinary blank; nothing of the file was read"),
        );
        if findings.len() == MOST_LINES {
            break;
        }
    }
    if findings.is_empty() { Ok(text) } else { Err(findings) }
}

/// So many lines with something hidden are shown.
const MOST_LINES: usize = 20;

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
