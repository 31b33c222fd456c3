//! Text from elsewhere, made fit to be shown: without our secrets, without surprises, not too long.
//!
//! A server may put into its error text what was sent to it, and that text goes to terminals, logs
//! and records. So whoever gets hold of a secret remembers it here before using it, and text that
//! others wrote goes through [`shown`] on its way out. Secrets are known for as long as the process
//! lives, which does one thing and ends.

use std::fmt::Write as _;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

use crate::visible::is_hidden;

/// What stands in the place of a secret.
const BLANK: &str = "(not shown)";
/// A secret shorter than this occurs in texts by chance, and blanking it there would tell it: such
/// a text is not shown at all.
const SHORT: usize = 6;
/// A piece of an encoded secret shorter than this proves nothing.
const PIECE: usize = 8;

static IN_USE: RwLock<Masks> = RwLock::new(Masks::new());

/// Remembers a secret for the rest of the process.
pub fn remember(secret: &SecretString) {
    IN_USE.write().unwrap_or_else(PoisonError::into_inner).add(secret);
}

/// What somebody else wrote, fit to be shown: without the remembered secrets and anybody's mail
/// address, on one line, nothing in it that a terminal obeys or a reader does not see, and cut after
/// `most` characters.
pub fn shown(text: &str, most: usize) -> String {
    let masks = IN_USE.read().unwrap_or_else(PoisonError::into_inner);
    printable(&without_addresses(&masks.mask(text)), most)
}

/// What stands in the place of a mail address.
const ADDRESS: &str = "…@…";

/// Blanks mail addresses, also as they stand in URLs (`%40`): a server repeats what it was sent of
/// somebody. Our own lines name people by their log-in names, and do not come through here.
fn without_addresses(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, length)) = sign(rest) {
        let (before, after) = (&rest[..at], &rest[at + length..]);
        let local = before.trim_end_matches(is_of_local).len();
        let host = host(after);
        if local < before.len() && host > 0 {
            result.push_str(&before[..local]);
            result.push_str(ADDRESS);
        } else {
            result.push_str(&rest[..at + length + host]);
        }
        rest = &after[host..];
    }
    result.push_str(rest);
    result
}

/// Where the next sign of an address is, and how long.
fn sign(text: &str) -> Option<(usize, usize)> {
    text.match_indices(['@', '%']).find_map(|(at, _)| match &text[at..] {
        rest if rest.starts_with('@') => Some((at, 1)),
        rest if rest.starts_with("%40") => Some((at, 3)),
        _ => None,
    })
}

/// Characters of the part before the sign that need no quotes (RFC 5322 and 6531), without those that
/// stand around addresses in other texts.
fn is_of_local(character: char) -> bool {
    character.is_alphanumeric() || "!#$%*+-._^~".contains(character)
}

/// The length of the host's name that a text begins with; 0 where there is none, or one of one word,
/// as in `group@host`.
fn host(text: &str) -> usize {
    let is_of_host = |character: char| character.is_alphanumeric() || "-.".contains(character);
    let end = text.find(|character| !is_of_host(character)).unwrap_or(text.len());
    let name = text[..end].trim_end_matches(['.', '-']);
    if name.contains('.') { name.len() } else { 0 }
}

/// Secrets in every form in which they may come back.
///
/// Deliberately without `Debug`.
#[derive(Default)]
pub struct Masks {
    /// The longest first, so that no rest of one is left by another.
    forms: Vec<Form>,
}

struct Form {
    text: SecretString,
    /// Letters may be of the other case.
    any_case: bool,
}

impl Masks {
    /// No secret.
    pub const fn new() -> Self {
        Self { forms: Vec::new() }
    }

    /// Knows one secret more. An empty one is none.
    pub fn add(&mut self, secret: &SecretString) {
        let plain = secret.expose_secret();
        if plain.is_empty() || self.forms.iter().any(|form| form.text.expose_secret() == plain) {
            return;
        }
        let mut forms = vec![(plain.to_owned(), false)];
        let escaped = plain.replace('\\', "\\\\").replace('"', "\\\"");
        forms.push((escaped, false));
        for plus in [false, true] {
            forms.push((percent(plain, plus), true));
        }
        forms.extend(encoded(plain.as_bytes()).into_iter().filter(|(form, _)| form.len() >= PIECE));
        for (form, any_case) in forms {
            let known = |one: &Form| one.text.expose_secret() == form && one.any_case == any_case;
            if !self.forms.iter().any(known) {
                self.forms.push(Form { text: form.into(), any_case });
            }
        }
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.text.expose_secret().len()));
    }

    /// The text without any of them.
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for form in &self.forms {
            let secret = form.text.expose_secret();
            if !occurs(&masked, secret, form.any_case) {
                continue;
            }
            if secret.len() < SHORT {
                return BLANK.to_owned();
            }
            masked = without(&masked, secret, form.any_case);
        }
        masked
    }
}

/// Lower case of ASCII only: places in it are places in the text.
fn folded(text: &str, any_case: bool) -> String {
    if any_case { text.to_ascii_lowercase() } else { text.to_owned() }
}

fn occurs(text: &str, secret: &str, any_case: bool) -> bool {
    folded(text, any_case).contains(&folded(secret, any_case))
}

fn without(text: &str, secret: &str, any_case: bool) -> String {
    let (searched, wanted) = (folded(text, any_case), folded(secret, any_case));
    let mut result = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, found) in searched.match_indices(&wanted) {
        result.push_str(&text[rest..at]);
        result.push_str(BLANK);
        rest = at + found.len();
    }
    result.push_str(&text[rest..]);
    result
}

/// As in the query of a URL.
fn percent(text: &str, plus: bool) -> String {
    let mut result = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' if plus => result.push('+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                result.push(char::from(byte));
            }
            _ => {
                write!(result, "%{byte:02X}").expect("writing to a String cannot fail");
            }
        }
    }
    result
}

/// In hexadecimal, and in base 64 wherever in a longer text it stands (`user:secret`): that part of
/// the digits which depends on the secret alone.
fn encoded(secret: &[u8]) -> Vec<(String, bool)> {
    let mut forms = vec![(crate::digest::hex(secret), true)];
    for (before, begin) in [(0, 0), (1, 2), (2, 3)] {
        let text = [&vec![0; before][..], secret].concat();
        let whole = text.len() * 8 / 6;
        for digits in [STANDARD, FOR_URLS] {
            let all = base64(&text, digits);
            if let Some(part) = all.get(begin..whole) {
                forms.push((part.to_owned(), false));
            }
        }
    }
    forms
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Without padding.
fn base64(bytes: &[u8], digits: &[u8; 64]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for at in 0..=group.len() {
            text.push(char::from(digits[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

/// On one line, with nothing in it that is obeyed or not seen: controls, directions of writing,
/// characters without width, tags.
fn printable(text: &str, most: usize) -> String {
    let mut result = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == most {
            result.push('…');
            break;
        }
        match character {
            '\n' | '\r' | '\t' => result.push(' '),
            _ if is_hidden(character) => result.extend(character.escape_unicode()),
            _ => result.push(character),
        }
    }
    result.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masks(secret: &str) -> Masks {
        let mut masks = Masks::new();
        masks.add(&secret.to_owned().into());
        masks
    }

    #[test]
    fn a_secret_is_blanked_in_every_form_it_comes_back_in() {
        let masks = masks("corr\"ect h/rse+");
        for (text, expected) in [
            ("the password corr\"ect h/rse+ is wrong", "the password (not shown) is wrong"),
            (r#"{"pw": "corr\"ect h/rse+"}"#, r#"{"pw": "(not shown)"}"#),
            ("?pw=corr%22ect%20h%2Frse%2B&x", "?pw=(not shown)&x"),
            ("?pw=corr%22ect+h%2frse%2b", "?pw=(not shown)"),
            ("636F72722265637420682F7273652B", "(not shown)"),
            ("nothing of it", "nothing of it"),
        ] {
            assert_eq!(masks.mask(text), expected);
        }
    }

    #[test]
    fn nobodys_mail_address_is_shown() {
        for (text, expected) in [
            ("Member ada@example.org is taken", "Member …@… is taken"),
            ("<ada.lovelace+x@mail.example.org>.", "<…@…>."),
            ("emails.value=\"ada@example.org\";b@c.de,", "emails.value=\"…@…\";…@…,"),
            ("?user=ada%40example.org&x", "?user=…@…&x"),
            ("ädä@exämple.org", "…@…"),
            ("a@b.c@d.e", "…@…@d.e"),
            // Nobody's.
            ("adm@host: not local", "adm@host: not local"),
            ("@example.org and x@", "@example.org and x@"),
            ("arn:aws:iam::1:user/ada", "arn:aws:iam::1:user/ada"),
        ] {
            assert_eq!(shown(text, 99), expected);
        }
        assert_eq!(without_addresses(&"a@b.c ".repeat(20_000)).matches(ADDRESS).count(), 20_000);
    }

    #[test]
    fn a_short_secret_takes_the_whole_text_with_it() {
        assert_eq!(masks("abc").mask("cannot see abc"), BLANK);
        assert_eq!(masks("abc").mask("cannot see it"), "cannot see it");
        assert_eq!(masks("").mask("anything"), "anything");
    }

    #[test]
    fn what_a_terminal_would_obey_or_a_reader_not_see_is_escaped() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\r\nd", 99), "a\\u{1b}[2Jb\\u{202e}c  d");
        assert_eq!(printable("abcdef", 3), "abc…");
    }

    proptest! {
        #[test]
        fn base64_of_a_longer_text_shows_nothing_of_the_secret(
            before in "[a-z]{0,5}", secret in "[!-~]{9,20}", after in "[a-z]{0,5}",
        ) {
            let text = base64(format!("{before}{secret}{after}").as_bytes(), STANDARD);
            let masked = masks(&secret).mask(&text);
            prop_assert!(masked.contains(BLANK), "{masked}");
            // At most the digits that share bits with what stands beside it.
            prop_assert!(masked.len() <= BLANK.len() + (before.len() + after.len()) * 8 / 6 + 4);
        }
    }
}
