//! Names of hosts.

use std::fmt;
use std::sync::Arc;

/// A name of a host in lower case, with at least two labels and without a full stop at its end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Arc<str>);

/// Longest name and longest label, in bytes (RFC 1035, 2.3.4).
const LONGEST: (usize, usize) = (253, 63);

impl HostName {
    /// The name, if it is one.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the name.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let labels = || text.split('.');
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err("has upper-case letters");
        }
        if text.ends_with('.') {
            return Err("has a full stop at its end");
        }
        if !text.bytes().all(|byte| plain(byte) || byte == b'.') {
            return Err("has other characters than letters, digits, `-` and `.`");
        }
        if labels().any(|label| label.is_empty() || label.starts_with('-') || label.ends_with('-'))
        {
            return Err("has a part that is empty, or begins or ends with `-`");
        }
        if text.len() > LONGEST.0 || labels().any(|label| label.len() > LONGEST.1) {
            return Err("is longer than 253 characters, or a part of it than 63");
        }
        if labels().count() < 2 {
            return Err("has no `.`");
        }
        if labels().next_back().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err("ends like an address");
        }
        Ok(Self(text.into()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lies below another name.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_suffix(&*other.0).is_some_and(|rest| rest.ends_with('.'))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_told_from_other_texts() {
        let long = format!("{}.example", "a".repeat(63));
        for name in ["a.b", "mirror.example.org", "1.2.example", "xn--bcher-kva.example", &long] {
            assert_eq!(HostName::new(name).unwrap().as_str(), name);
        }
        let parts = vec!["a".repeat(50); 6].join(".");
        for text in [
            "",
            ".",
            "a",
            "a.",
            ".a",
            "a..b",
            "A.b",
            "a b.c",
            "a_b.c",
            "-a.b",
            "a-.b",
            "*.a.b",
            "192.0.2.1",
            "ä.example",
            "a.b:80",
            "a.b/c",
            &format!("a{long}"),
            &parts,
        ] {
            HostName::new(text).unwrap_err();
        }
    }

    #[test]
    fn a_name_is_below_another_only_at_a_full_stop() {
        let name = |text| HostName::new(text).unwrap();
        let zone = name("example.org");
        assert!(name("a.example.org").is_below(&zone) && name("a.b.example.org").is_below(&zone));
        for not in ["example.org", "notexample.org", "a.example.com"] {
            assert!(!name(not).is_below(&zone), "{not}");
        }
    }
}
