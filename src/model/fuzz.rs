//! Targets: what an object stands for, and which keys were handed over, as texts on objects.

use super::{Handovers, Subject};
use crate::fuzzing::{Target, text};

#[test]
fn subject() {
    let words = &[
        "person:",
        "group:",
        "role:",
        "held:",
        "service:",
        "service-group:",
        "identity-provider:",
        "held:a:",
        ":",
    ];
    Target::new("subject").words(words).longest(64 << 10).memory(16 << 10, 32).run(|input| {
        let text = text(input);
        let Ok(subject) = text.parse::<Subject>() else { return None };
        assert_eq!(subject.to_string(), text, "one form");
        Some(std::mem::discriminant(&subject))
    });
}

#[test]
fn handovers() {
    let words = &["AKIA1=2026-11-28", " ", "=", "2026-02-30", "-0001-01-01"];
    Target::new("handovers").words(words).memory(64 << 10, 64).run(|input| {
        let read = Handovers::parse(&text(input));
        assert_eq!(Handovers::parse(&read.to_string()), read, "written as it was read");
        read.to_string().matches('=').count().min(4)
    });
}
