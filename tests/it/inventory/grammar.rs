//! Files that are not what they should be: never a crash, never a hang, always a finding.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use reconcile::inventory::{SourceTree, load};

use super::{TODAY, codes, loaded, shown, vendor::vendors};

const FILE: &str = "inventory/x.yaml";

#[test]
fn several_mistakes_in_one_file_are_all_reported() {
    assert_snapshot!(shown(&[(
        FILE,
        "\
grants:
  - group: people:admins
    role: reader
    acounts: [mirror]
    until: soon
  - group: [people]
    role:
    accounts: mirror
    reason: ''
  - just a text
  - {}
  - {group: a, group: b, role: reader, accounts: [{projekt: debian}, [], mirror], reason: r}
projects:
  one: {description: d, directory: {}}
  two: 7
  one: {}
organisations:
  o:
    administrators: {group: admins, minimum: many}
    accounts:
      a: {vendor: memory, hub: yes}
grnats: []
"
    )]));
}

#[test]
fn grammar() {
    for (name, text) in [
        ("tab", "grants:\n\t- group: x\n"),
        ("unclosed", "grants: [\n  a,\n  b\n"),
        ("unclosed_quote", "grants: \"x\n"),
        ("bad_indentation", "projects:\n    a: {}\n  b: {}\n"),
        ("colon_in_text", "projects:\n  a: {description: b: c}\n"),
        ("alias", "projects:\n  a: &a {description: x}\n  b: *a\n"),
        ("unknown_alias", "projects: *nowhere\n"),
        ("merge_key", "projects:\n  a:\n    <<: {description: x}\n"),
        ("tag", "projects: !!map\n  a: !python/object {}\n"),
        ("two_documents", "projects: {}\n---\nprojects: {}\n"),
        ("directive", "%YAML 1.2\n---\nprojects: {}\n"),
        ("keys", "projects:\n  [a, b]: {}\n  ? {c: d}\n  : {}\n  : x\n  null: {}\n"),
        ("empty", ""),
        ("only_comments", "# nothing\n\n"),
        ("nothing", "~\n"),
        ("a_text", "hello\n"),
        ("a_list", "- projects\n"),
        ("null_values", "projects:\ngrants: ~\norganisations: {o: null}\n"),
        ("escaped_control", "projects: {a: {description: \"\\u001b[2J\"}}\n"),
        ("nul", "projects:\n  a: {description: x\0y}\n"),
        ("bidirectional", "projects:\n  a: {description: \"x\u{202e}y\"}\n"),
        (
            "yes_and_no",
            "organisations:\n  o:\n    accounts:\n      a: {vendor: memory, id: 000000000009, hub: no}\n",
        ),
        ("carriage_returns", "projects:\r\n  a: {descripton: x}\r\n"),
        ("byte_order_mark", "\u{feff}projectz: {}\n"),
    ] {
        assert_snapshot!(name, shown(&[(FILE, text)]));
    }
}

#[test]
fn bytes_that_are_not_utf_8() {
    for (name, bytes) in [
        ("latin_1", b"projects:\n  a: {description: caf\xe9}\n".as_slice()),
        ("utf_16", b"\xff\xfep\0r\0o\0".as_slice()),
        ("noise", &[0xfe, 0x00, 0x80, 0xff, 0x0a, 0x0a]),
    ] {
        let mut tree = super::tree(&[]);
        tree.files.insert(FILE.into(), bytes.to_vec());
        let findings = load(&tree, &vendors(), TODAY).findings;
        assert_snapshot!(name, format!("{findings:#?}"));
    }
}

#[test]
fn values_are_what_is_written() {
    let loaded = loaded(&[(
        FILE,
        "organisations:\n  no:\n    accounts:\n      yes: {vendor: memory, id: 000123456789, contacts: [0x10, 1e3, true, 2026-11-22, 'null']}\n",
    )]);
    let account = &loaded.inventory.accounts["yes"];
    assert_eq!(account.account.id, "000123456789");
    assert_eq!(account.account.place.organisation.as_str(), "no");
    assert_eq!(account.contacts, ["0x10", "1e3", "true", "2026-11-22", "null"]);
}

#[test]
fn byte_order_marks_and_carriage_returns_do_no_harm() {
    assert_eq!(codes(&[(FILE, "\u{feff}projects:\r\n  a:\r\n    description: x\r\n")]), [""; 0]);
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().join("\n")
}

/// Inputs made to take for ever.
#[test]
fn hostile_files_are_refused_quickly() {
    let aliases = {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..200 {
            let list = format!("*a{}, ", level - 1).repeat(9);
            text.push_str(
                &["a", &level.to_string(), ": &a", &level.to_string(), " [", &list, "]\n"].concat(),
            );
        }
        text
    };
    let deep_blocks = lines(3_000, |depth| format!("{}a:", " ".repeat(depth)));
    for (name, text, code) in [
        ("alias bomb", aliases, "alias"),
        ("deep lists", "[".repeat(100_000), "too-deep"),
        ("deep mappings", "{a: ".repeat(100_000), "too-deep"),
        ("deep dashes", "- ".repeat(100_000), "too-deep"),
        ("deep question marks", "? ".repeat(100_000), "too-deep"),
        ("deep blocks", deep_blocks, "too-deep"),
        ("long key", format!("{}: x", "k".repeat(1_000_000)), ""),
        ("long line", format!("projects: {{a: {{description: {}}}}}", "x".repeat(4_000_000)), ""),
        ("many keys", lines(20_000, |key| format!("k{key}: 1")), "unknown-key"),
        ("one key", "projects: {}\n".repeat(20_000), "duplicate-key"),
        ("many documents", "---\n".repeat(100_000), "second-document"),
        ("many anchors", lines(10_000, |key| format!("k{key}: &a{key} 1")), "alias"),
        ("many comments", "#\n".repeat(200_000), "empty-file"),
        ("percent", "%".repeat(100_000), ""),
        ("brackets", "[]".repeat(50_000), ""),
    ] {
        let started = Instant::now();
        let tree = SourceTree::from_files([
            (FILE, text.as_str()),
            ("policies/x.yaml", "grace_days: 30\n"),
        ]);
        let findings = load(&tree, &vendors(), TODAY).findings;
        if !code.is_empty() {
            assert!(
                findings.iter().any(|finding| finding.code == code),
                "{name}: {:?}",
                findings.first()
            );
        }
        // Generous: an unoptimised build on a busy machine. What hangs takes hours.
        assert!(started.elapsed() < Duration::from_secs(30), "{name}: {:?}", started.elapsed());
    }
}

mod random {
    use proptest::prelude::*;

    use super::{FILE, TODAY, load, vendors};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|[\\n\\t:{}\\[\\]&*!%#'\"|>-]|  |grants|group|accounts: ){0,60}") {
            let tree = super::super::tree(&[(FILE, &text)]);
            let _ = load(&tree, &vendors(), TODAY);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut tree = super::super::tree(&[]);
            tree.files.insert(FILE.into(), bytes);
            let _ = load(&tree, &vendors(), TODAY);
        }
    }
}
