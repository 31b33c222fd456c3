//! Patterns in which `*` stands for any text. Nothing else has a meaning in them.

/// Whether a text has a `*`.
pub fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

/// Whether a pattern matches the whole of a text. Linear in practice: each `*` takes as little as
/// it can and never goes back beyond the one before it.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at, seen));
                at += 1;
            }
            Some(byte) if *byte == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match last_star {
                Some((star, from)) => {
                    last_star = Some((star, from + 1));
                    at = star + 1;
                    seen = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_has_a_meaning() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("debian-*", "debian-mirror", true),
            ("debian-*", "debian", false),
            ("*-mirror", "debian-mirror", true),
            ("d*-m*r", "debian-mirror", true),
            ("d*-m*r", "debian-mirrors", false),
            ("debian", "debian", true),
            ("debian", "debian2", false),
            ("deb?an", "debian", false),
            ("[a-z]*", "debian", false),
            ("**a**", "bab", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        let pattern = "*a".repeat(2_000) + "b";
        assert!(!matches(&pattern, &"a".repeat(10_000)));
    }
}
