//! Targets: a saved plan, the digest that approves one, and documents that are compared.

use super::loss;
use super::{PlanDigest, PlanFile, lint};
use crate::fuzzing::{Target, text};
use crate::model::Attachment;

#[test]
fn plan_file() {
    let words = &[
        "\"digest\":\"",
        "\"needs\":[",
        "\"id\":",
        "\"step\":",
        "{\"made\":",
        "null",
        "[]",
        "{}",
        "\"place\":",
        "\"user\":{\"",
        "\"create\":{",
        "\"delete\":{",
        "\"reasons\":[",
        "held:r:",
    ];
    Target::new("plan_file").words(words).longest(64 << 10).memory(1 << 20, 256).run(|input| {
        let file = match PlanFile::parse(input) {
            Ok(file) => file,
            // The kind of mistake, not where.
            Err(error) => return format!("{error:?}").chars().take(24).collect(),
        };
        // What is accepted is what its digest says, and written again it is accepted as the same.
        assert_eq!(file.plan.digest(), file.digest);
        let written = serde_json::to_vec(&file).expect("a plan can be written");
        let again = PlanFile::parse(&written).expect("what was written is read");
        assert_eq!(again.plan, file.plan);
        for (at, change) in file.plan.changes.iter().enumerate() {
            assert_eq!(change.id.index(), at);
            assert!(change.needs.iter().all(|need| need.index() < at));
        }
        format!("{} {}", file.plan.changes.len().min(9), lint(&file.plan).len().min(3))
    });
}

/// A seed that is refused leads nowhere near what is behind the digest.
#[test]
fn seeds_of_saved_plans_are_saved_plans() {
    for seed in [
        &include_bytes!("../../tests/fuzz/plan_file/new")[..],
        include_bytes!("../../tests/fuzz/plan_file/leave"),
    ] {
        PlanFile::parse(seed).expect("a saved plan of today");
    }
}

#[test]
fn plan_digest() {
    Target::new("plan_digest").words(&["a", "0", " ", "G"]).memory(16 << 10, 16).run(|input| {
        let text = text(input);
        let Ok(digest) = PlanDigest::parse(&text) else { return false };
        assert_eq!(digest.as_str().len(), 64);
        assert!(text.trim().eq_ignore_ascii_case(digest.as_str()));
        assert_eq!(PlanDigest::parse(digest.as_str()), Ok(digest));
        true
    });
}

#[test]
fn policy_document() {
    let words = &[
        "\"Statement\":[",
        "{\"Effect\":\"Allow\"",
        "\"Effect\":\"Deny\"",
        "\"Action\":\"*\"",
        "\"Sid\":\"x\"",
        "\"Version\":\"2012-10-17\"",
        "[",
        "]",
        "{",
        "}",
        ",",
    ];
    Target::new("policy_document").words(words).memory(256 << 10, 256).run(|input| {
        let text = text(input);
        let one = |content: &str| Attachment {
            kind: "inline_policy".into(),
            name: "x".into(),
            content: Some(content.to_owned()),
        };
        let (document, nothing) = (one(&text), one("{\"Statement\":[]}"));
        assert!(!loss::of_attachment(Some(&document), &document), "the same is no loss");
        (loss::of_attachment(None, &document), loss::of_attachment(Some(&document), &nothing))
    });
}
