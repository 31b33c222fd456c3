//! Target: distinguished names.

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
