//! Targets: distinguished names and filters.

use super::Filter;
use super::distinguished_name::{is_at_or_below, normalise};
use crate::fuzzing::{Target, text};

#[test]
fn distinguished_name() {
    let words = &["dc=", "cn=", ",", ";", "+", "=", "\\,", "\\2C", "\\", "\"", " ", "#0401", "é"];
    Target::new("distinguished_name").words(words).longest(1 << 10).memory(64 << 10, 256).run(
        |input| {
            let dn = text(input);
            let once = normalise(&dn);
            assert!(is_at_or_below(&once, &once) && is_at_or_below(&once, ""));
            // What is put before a name is below it and never the same.
            let below = normalise(&format!("uid=a,{dn}"));
            assert!(is_at_or_below(&below, &once));
            assert_ne!(below, once);
            (once.len().min(3), once.matches(',').count().min(4), once.matches('\\').count().min(3))
        },
    );
}

#[test]
fn filter() {
    let words = &[
        "(&",
        "(|",
        "(!",
        "(",
        ")",
        "uid",
        "=",
        "~=",
        ">=",
        "<=",
        "=*",
        "\\2a",
        "\\c3\\a9",
        "*",
        ":1.2.840.113556.1.4.803:=",
        "2",
        " ",
    ];
    Target::new("filter").words(words).longest(1 << 10).memory(64 << 10, 512).run(|input| {
        let text = text(input);
        let filter = match Filter::parse(&text) {
            Ok(filter) => filter,
            Err(error) => {
                assert!((1..=text.chars().count() + 1).contains(&error.at), "{error}");
                return (error.why, 0);
            }
        };
        // What is sent to a server means what is looked for in a file.
        assert_eq!(Filter::parse(&filter.to_string()), Ok(filter.clone()));
        ("", filter.attributes().len().min(4))
    });
}
