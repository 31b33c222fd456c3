//! Target: what is remembered of directories.

use super::baseline::Baseline;
use crate::fuzzing::Target;

#[test]
fn baseline() {
    let state = tempfile::tempdir().expect("a folder");
    let words = &[
        "\"format\":\"reconcile-directories/2\"",
        "\"present\":[",
        "\"people\":{",
        "pkgsel ",
        " - ",
        "0a1b2c3d",
        "\"on\":\"2026-11-28\"",
        "{}",
        ",",
    ];
    Target::new("baseline").words(words).memory(256 << 10, 128).run(|input| {
        let file = state.path().join("directories.json");
        std::fs::write(&file, input).expect("it can be written");
        let baseline = match Baseline::read(state.path()) {
            Ok(baseline) => baseline,
            // The kind of mistake.
            Err(error) => return format!("{error:?}").contains("source: None").into(),
        };
        let written = serde_json::to_vec(&baseline).expect("it can be written");
        std::fs::write(&file, written).expect("it can be written");
        assert_eq!(Baseline::read(state.path()).expect("it is read again"), baseline);
        2 + format!("{baseline:?}").matches("Remembrance").count().min(3)
    });
}
