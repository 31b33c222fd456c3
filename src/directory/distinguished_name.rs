//! Comparing distinguished names: the same entry is written in many ways (RFC 4514).

/// The one spelling under which all spellings of a distinguished name are equal: types and values
/// in lower case, no blanks around separators, runs of blanks in values as one, one form of
/// escape, the parts of a multi-valued component sorted.
///
/// Values are compared without case, as almost all naming attributes are. Attribute types by
/// number (`2.5.4.3=`) and values in hexadecimal (`#04…`) are not translated.
pub(super) fn normalise(dn: &str) -> String {
    let mut components: Vec<String> = Vec::new();
    for component in split(dn, &[',', ';']) {
        let mut parts: Vec<String> = split(component, &['+']).into_iter().map(part).collect();
        parts.sort_unstable();
        components.push(parts.join("+"));
    }
    components.join(",")
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
    format!("{}={}", kind.trim().to_lowercase(), self::value(value))
}

fn value(text: &str) -> String {
    let plain = unescape(trim_unescaped(text)).to_lowercase();
    let mut result = String::with_capacity(plain.len());
    for word in plain.split(' ').filter(|word| !word.is_empty()) {
        if !result.is_empty() {
            result.push(' ');
        }
        for character in word.chars() {
            if matches!(character, ',' | ';' | '+' | '=' | '\\' | '"') {
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
            ("", "cn=a"),
        ] {
            assert_ne!(normalise(one), normalise(other), "{one} and {other}");
        }
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
