//! Comparing distinguished names: the same entry is written in many ways (RFC 4514).
//!
//! Compared as servers do it (RFC 4518, which prepares strings before they are matched): without
//! case, in Unicode's compatibility form (NFKC), runs of blanks as one, invisible characters left
//! out. Both spellings of a name go through the same function, so what counts is only that equal
//! names meet, and that no two entries of one server do.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Attribute types under their short names: longer ones, and object identifiers (RFC 4519,
/// section 2; RFC 4524). Servers accept all of them in names.
const TYPES: [(&str, &[&str]); 13] = [
    ("cn", &["commonname", "2.5.4.3"]),
    ("sn", &["surname", "2.5.4.4"]),
    ("serialnumber", &["2.5.4.5"]),
    ("c", &["countryname", "2.5.4.6"]),
    ("l", &["localityname", "2.5.4.7"]),
    ("st", &["stateorprovincename", "2.5.4.8"]),
    ("street", &["streetaddress", "2.5.4.9"]),
    ("o", &["organizationname", "2.5.4.10"]),
    ("ou", &["organizationalunitname", "2.5.4.11"]),
    ("givenname", &["gn", "2.5.4.42"]),
    ("uid", &["userid", "0.9.2342.19200300.100.1.1"]),
    ("mail", &["rfc822mailbox", "0.9.2342.19200300.100.1.3"]),
    ("dc", &["domaincomponent", "0.9.2342.19200300.100.1.25"]),
];

/// The one spelling under which all spellings of a distinguished name are equal: types by their
/// short names, values as servers compare them, no blanks around separators, one form of escape,
/// the parts of a multi-valued component sorted.
pub(super) fn normalise(dn: &str) -> String {
    let mut components: Vec<String> = Vec::new();
    for component in split(dn, &[',', ';']) {
        let mut parts: Vec<String> = split(component, &['+']).into_iter().map(part).collect();
        parts.sort_unstable();
        components.push(parts.join("+"));
    }
    components.join(",")
}

/// The first component of a normalised name: what tells the entry from its neighbours.
pub(super) fn first_component(normalised: &str) -> &str {
    split(normalised, &[',']).first().copied().unwrap_or_default()
}

/// The value of an attribute in the first component of a name, as servers compare it.
pub(super) fn named_by(dn: &str, attribute: &str) -> Option<String> {
    let wanted = kind(attribute);
    let normalised = normalise(split(dn, &[',', ';']).first()?);
    let parts = split(&normalised, &['+']);
    parts.into_iter().find_map(|part| {
        let (kind, value) = part.split_once('=')?;
        (kind == wanted).then(|| value.to_owned())
    })
}

/// A plain text (not escaped) as it would stand in a normalised name.
pub(super) fn as_compared(text: &str) -> String {
    escape(&prepared(text))
}

/// Whether the entry is the base itself or below it; both normalised.
pub(super) fn is_at_or_below(entry: &str, base: &str) -> bool {
    match entry.strip_suffix(base) {
        Some(rest) if rest.is_empty() || base.is_empty() => true,
        Some(rest) => rest.strip_suffix(',').is_some_and(|above| {
            (above.len() - above.trim_end_matches('\\').len()).is_multiple_of(2)
        }),
        None => false,
    }
}

/// The part of a name that is a domain, `dc=example,dc=org`, where trees begin as a rule; all of it
/// if it does not end with one.
pub(super) fn domain(dn: &str) -> String {
    let components = split(dn, &[',', ';']);
    let is_domain = |component: &&str| {
        component.split_once('=').is_some_and(|(kind, _)| kind.trim().eq_ignore_ascii_case("dc"))
    };
    let from = components.iter().rposition(|one| !is_domain(one)).map_or(0, |last| last + 1);
    if from == components.len() { dn.to_owned() } else { components[from..].join(",") }
}

/// Splits at separators that are neither escaped nor inside quotation marks.
fn split<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped, mut quoted) = (0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if !quoted && separators.contains(&character) => {
                parts.push(&text[start..at]);
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// `CN = Ada \2C Lovelace ` becomes `cn=ada \, lovelace`.
fn part(text: &str) -> String {
    let Some((kind, value)) = text.split_once('=') else {
        return text.trim().to_lowercase();
    };
    format!("{}={}", self::kind(kind), self::value(value))
}

/// The short name of an attribute type.
fn kind(text: &str) -> String {
    let kind = text.trim().to_lowercase();
    let plain = kind.strip_prefix("oid.").unwrap_or(&kind);
    let short = TYPES.iter().find(|(_, others)| others.contains(&plain));
    short.map_or_else(|| plain.to_owned(), |(short, _)| (*short).to_owned())
}

fn value(text: &str) -> String {
    let trimmed = trim_unescaped(text);
    match encoded(trimmed) {
        Some(plain) => escape(&prepared(&plain)),
        None => escape(&prepared(&unescape(trimmed))),
    }
}

/// The text of `#0403616461`: BER in hexadecimal digits, a string of any kind (RFC 4514, section
/// 2.4). What is no string stays as it is written.
fn encoded(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#')?.as_bytes();
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| Some(digit(pair.first())? * 16 + digit(pair.get(1))?))
        .collect();
    match bytes?.as_slice() {
        // OCTET STRING, UTF8String, PrintableString, TeletexString, IA5String
        [0x04 | 0x0c | 0x13 | 0x14 | 0x16, length, rest @ ..]
            if usize::from(*length) == rest.len() && *length < 0x80 =>
        {
            String::from_utf8(rest.to_vec()).ok()
        }
        _ => None,
    }
}

/// A text prepared for matching: compatibility form, lower case, without what nobody sees.
fn prepared(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.to_ascii_lowercase().into();
    }
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    // Lower case of some characters is not normalised, and the other way round.
    let lower = nfkc.normalize(text).to_lowercase();
    let visible: String = lower.chars().filter(|one| !is_ignored(*one)).collect();
    let visible = visible.replace('ß', "ss").replace('ς', "σ");
    nfkc.normalize(&visible).into_owned().into()
}

/// Characters that are mapped to nothing (RFC 4518, section 2.2).
fn is_ignored(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2063}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{fffc}'
    )
}

fn escape(plain: &str) -> String {
    let mut result = String::with_capacity(plain.len());
    for word in plain.split(char::is_whitespace).filter(|word| !word.is_empty()) {
        if !result.is_empty() {
            result.push(' ');
        }
        for character in word.chars() {
            let is_special = matches!(character, ',' | ';' | '+' | '=' | '\\' | '"');
            if is_special || (character == '#' && result.is_empty()) {
                result.push('\\');
            }
            result.push(character);
        }
    }
    result
}

/// Trims blanks, but not the blank of a final `\ `.
fn trim_unescaped(text: &str) -> &str {
    let start = text.trim_start_matches(' ');
    let trimmed = start.trim_end_matches(' ');
    let escapes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    if escapes % 2 == 1 && trimmed.len() < start.len() { &start[..=trimmed.len()] } else { trimmed }
}

/// Resolves `\,`, `\2C` and quotation marks. Escaped bytes that are not UTF-8 become the
/// replacement character: such names are equal to nothing useful.
fn unescape(text: &str) -> String {
    if !text.contains(['\\', '"']) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let source = text.as_bytes();
    let mut at = 0;
    while at < source.len() {
        match source[at] {
            b'\\' => {
                if let (Some(high), Some(low)) =
                    (digit(source.get(at + 1)), digit(source.get(at + 2)))
                {
                    bytes.push(high * 16 + low);
                    at += 3;
                } else {
                    bytes.extend(source.get(at + 1));
                    at += 2;
                }
            }
            b'"' => at += 1,
            byte => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    char::from(*byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_begin_with_a_domain() {
        for (dn, expected) in [
            ("ou=users,dc=debian,dc=org", "dc=debian,dc=org"),
            ("dc=one,ou=x,DC=debian, dc=org", "DC=debian, dc=org"),
            ("dc=debian,dc=org", "dc=debian,dc=org"),
            ("ou=a\\,dc=b,o=example", "ou=a\\,dc=b,o=example"),
            ("", ""),
        ] {
            assert_eq!(domain(dn), expected, "{dn}");
        }
    }
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        for (one, other) in [
            ("cn=Ada,dc=Example", "CN = ada , DC=example"),
            (r"cn=Lovelace\, Ada,dc=x", r"cn=Lovelace\2c Ada,dc=x"),
            (r"cn=Lovelace\, Ada,dc=x", "cn=\"Lovelace, Ada\",dc=x"),
            ("cn=a  b,dc=x", "cn=a b,dc=x"),
            ("ou=b+cn=a,dc=x", "cn=a+ou=b,dc=x"),
            (r"cn=J\C3\BCrgen", "cn=Jürgen"),
            (r"cn=a\5Cb", r"cn=a\\b"),
            ("2.5.4.3=Ada", "cn=ada"),
            ("OID.0.9.2342.19200300.100.1.1=ada", "uid=ada"),
            ("commonName=Ada,domainComponent=x", "cn=ada,dc=x"),
            ("cn=#0403416461", "cn=ada"),
            // Composed and decomposed, compatibility forms, final sigma, a zero-width space.
            ("cn=J\u{fc}rgen", "cn=Ju\u{308}rgen"),
            ("cn=\u{ff21}da", "cn=ada"),
            ("cn=\u{fb01}n", "cn=fin"),
            ("cn=STRASSE", "cn=stra\u{df}e"),
            ("cn=ΟΔΟΣ", "cn=οδος"),
            ("cn=a\u{200b}da", "cn=ada"),
            ("cn=a\u{a0}b", "cn=a b"),
        ] {
            assert_eq!(normalise(one), normalise(other), "{one} and {other}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [
            (r"cn=a\,dc=x", "cn=a,dc=x"),
            (r"cn=a\+ou=b", "cn=a+ou=b"),
            ("cn=ab", "cn=a b"),
            (r"cn=\#0403416461", "cn=ada"),
            ("cn=#30", "cn=30"),
            ("cn=ada", "uid=ada"),
            ("", "cn=a"),
        ] {
            assert_ne!(normalise(one), normalise(other), "{one} and {other}");
        }
    }

    #[test]
    fn the_first_component_and_what_it_is_named_by() {
        assert_eq!(first_component(&normalise(r"cn=a\, b,dc=x")), r"cn=a\, b");
        assert_eq!(named_by("UID=Ada , ou=x", "uid").as_deref(), Some("ada"));
        assert_eq!(named_by("cn=Ada+userid=ADA,ou=x", "uid").as_deref(), Some("ada"));
        assert_eq!(named_by("cn=Ada,uid=x", "uid"), None);
        assert_eq!(as_compared("M\u{fc}ller, A"), r"müller\, a");
    }

    #[test]
    fn below_means_a_whole_component() {
        assert!(is_at_or_below("uid=a,ou=x", "ou=x"));
        assert!(is_at_or_below("ou=x", "ou=x"));
        assert!(!is_at_or_below("uid=a,ou=yx", "x"));
        assert!(!is_at_or_below(r"uid=a\,ou=x", "ou=x"));
        assert!(is_at_or_below("uid=a", ""));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = normalise(&text);
        }

        #[test]
        fn normalising_twice_changes_nothing(value in "[a-zA-Z ,+=\"\\\\;é]{0,30}") {
            let escaped: String = value.chars().flat_map(|character| match character {
                ',' | '+' | '=' | '"' | '\\' | ';' => vec!['\\', character],
                character => vec![character],
            }).collect();
            let once = normalise(&format!("CN={escaped}, dc=x"));
            prop_assert_eq!(normalise(&once.clone()), once);
        }
    }
}
