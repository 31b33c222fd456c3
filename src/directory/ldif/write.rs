//! Writing entries.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::mark;
use crate::digest::sha256;
use crate::directory::entry::Entry;

/// As long as `slapcat` and `ldapsearch` make lines.
const WIDTH: usize = 76;

/// A file with these entries in this order, and the mark that says that it is whole.
pub(in crate::directory) fn write<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let mut text = "version: 1\n\n".to_owned();
    let mut count = 0;
    for entry in entries {
        line(&mut text, "dn", entry.dn.as_bytes());
        for attribute in entry.attributes() {
            for value in &attribute.values {
                line(&mut text, &attribute.description, value);
            }
        }
        text.push('\n');
        count += 1;
    }
    let mark = mark::of_export(count, &sha256(text.as_bytes()));
    text.push_str(&mark);
    text.push('\n');
    text
}

/// A value, plain where RFC 2849 allows it (`SAFE-STRING`) and it survives editors, folded.
fn line(text: &mut String, name: &str, value: &[u8]) {
    let plain = std::str::from_utf8(value).ok().filter(|value| {
        value.bytes().all(|byte| (b' '..0x7f).contains(&byte))
            && !value.starts_with([' ', ':', '<'])
            && !value.ends_with(' ')
    });
    let mut rest = match plain {
        Some("") => format!("{name}:"),
        Some(plain) => format!("{name}: {plain}"),
        None => format!("{name}:: {}", BASE64_STANDARD.encode(value)),
    };
    let mut width = WIDTH;
    while rest.len() > width {
        let more = rest.split_off(rest.floor_char_boundary(width));
        text.push_str(&rest);
        text.push_str("\n ");
        rest = more;
        width = WIDTH - 1;
    }
    text.push_str(&rest);
    text.push('\n');
}
