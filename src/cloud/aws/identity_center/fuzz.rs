//! Targets: marks on objects of Identity Center, and whether its bodies hold their list.

use jiff::civil::Date;

use super::mark::{description, of_description, of_user_type, ownership, user_type};
use super::whole;
use crate::fuzzing::{Target, text};
use crate::model::{OrganisationName, Ownership};

#[test]
fn identity_center_marks() {
    let organisation: OrganisationName = "spi".into();
    let words = &[
        "reconcile:spi:",
        "[reconcile:spi:",
        "]",
        ";suspended=2026-11-28",
        "=3A",
        "=+A",
        "=5b",
        "person:d:1",
        "held:r:",
    ];
    Target::new("identity_center_marks").words(words).memory(64 << 10, 64).run(|input| {
        let text = text(input);
        let (written, day) = of_user_type(Some(&text));
        let user = ownership(&written, false, &organisation);
        if let Ownership::Ours(subject) = &user {
            // Ours is only what this program could have written.
            let mark =
                day.map_or(text.as_str(), |_| text.split_once(";suspended=").expect("a day").0);
            assert_eq!(user_type(&organisation, subject, None), mark);
            if let Some(Ok(day)) = day.map(str::parse::<Date>) {
                assert!(
                    of_user_type(Some(&user_type(&organisation, subject, Some(day)))).1.is_some()
                );
            }
        }
        let group = ownership(&of_description(Some(&text)), false, &organisation);
        if let Ownership::Ours(subject) = &group {
            let again = description("", &organisation, subject);
            assert!(text.trim_end().ends_with(&again), "{again}");
        }
        assert!(!matches!(ownership(&written, true, &organisation), Ownership::Ours(_)));
        (std::mem::discriminant(&user), std::mem::discriminant(&group), day.is_some())
    });
}

#[test]
fn identity_center_replies() {
    let words = &[
        "{\"Users\":[",
        "\"Groups\":[]",
        "\"NextToken\":\"x\"",
        "null",
        "]",
        "}",
        "\"Users\":null",
    ];
    Target::new("identity_center_replies").words(words).memory(64 << 10, 128).run(|input| {
        let whole = whole::has_list(input, "Users");
        if whole {
            let value: serde_json::Value = serde_json::from_slice(input).expect("JSON");
            assert!(value["Users"].is_array());
            let end = input.trim_ascii_end().len();
            for cut in (0..end).step_by(1 + end / 32) {
                assert!(!whole::has_list(&input[..cut], "Users"), "cut at {cut}");
            }
        }
        (whole, whole::has_list(input, "Groups"))
    });
}
