//! Targets: what is remembered of directories, of the inventory and of what was told.

use super::baseline::Baseline;
use super::known::Known;
use super::told::Told;
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

#[test]
fn known() {
    let state = tempfile::tempdir().expect("a folder");
    let words = &[
        "\"format\":\"reconcile-known/1\"",
        "\"accounts\":{",
        "\"administrators\":null",
        "\"minimum\":1",
        "\"on\":\"2026-11-28\"",
        "{}",
        "[]",
        ",",
    ];
    Target::new("known").words(words).memory(256 << 10, 128).run(|input| {
        let file = state.path().join("known.json");
        std::fs::write(&file, input).expect("it can be written");
        // A damaged one is none.
        let known = Known::read(state.path());
        let written = serde_json::to_vec(&known).expect("it can be written");
        std::fs::write(&file, written).expect("it can be written");
        assert_eq!(Known::read(state.path()), known);
        format!("{known:?}").matches("KnownAccount").count().min(3)
    });
}

#[test]
fn told() {
    let state = tempfile::tempdir().expect("a folder");
    let words = &["\"format\":\"reconcile-told/1\"", "\"findings\":[", "0a1b2c3d", "[]", ","];
    Target::new("told").words(words).memory(64 << 10, 128).run(|input| {
        let file = state.path().join("told.json");
        std::fs::write(&file, input).expect("it can be written");
        let told = Told::read(state.path());
        let written = serde_json::to_vec(&told).expect("it can be written");
        std::fs::write(&file, written).expect("it can be written");
        assert_eq!(Told::read(state.path()), told);
        told == Told::default()
    });
}
