//! Tests of `record`.

use super::*;
use proptest::prelude::*;

fn records(text: impl AsRef<[u8]>) -> Vec<Result<Entry, Problem>> {
    Records::new(text.as_ref()).collect()
}

fn entries(text: impl AsRef<[u8]>) -> Vec<Entry> {
    records(text).into_iter().filter_map(Result::ok).collect()
}

/// Line and beginning of every problem.
fn problems(text: impl AsRef<[u8]>) -> Vec<(u32, String)> {
    records(text)
        .into_iter()
        .filter_map(Result::err)
        .map(|problem| (problem.line, problem.why))
        .collect()
}

#[test]
fn folding_comments_base64_options_and_line_ends() {
    let text = "version: 1\r\n# a comment\r\n  that goes on\r\ndn: uid=a\r\n da,dc=x\r\n\
                # inside\r\ncn:: SsO8cmdlbg==\r\ncn;lang-en: Jurgen\r\nuid:ada\r\n\
                empty:\r\n\r\n\r\n\r\ndn:: dWlkPWI=\r\n\r\n";
    let found = entries(text);
    assert_eq!(problems(text), []);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].dn, "uid=ada,dc=x");
    assert_eq!(found[0].text("cn"), Some("Jürgen"));
    assert_eq!(found[0].text("uid"), Some("ada"));
    assert_eq!(found[0].values("empty"), [Vec::<u8>::new()]);
    assert_eq!(found[1].dn, "uid=b");
}

#[test]
fn a_bad_record_costs_only_itself() {
    for (bad, line, why) in [
        ("dn: uid=b\nnonsense\nuid: b\n", 4, "no `:`"),
        ("dn: uid=b\ncn:: YQ\n", 4, "is not base 64"),
        ("dn: uid=b\njpegPhoto:< file:///etc/shadow\n", 4, "refused"),
        ("dn: uid=b\nchangetype: delete\n", 4, "a change"),
        ("uid: b\n", 3, "begins with `dn`"),
        ("dn: uid=b\ndn: uid=c\n", 4, "a second `dn`"),
        (" uid: b\n", 3, "continues nothing"),
        ("dn:: /w==\n", 3, "not UTF-8"),
        ("dn: uid=b\nref\u{e9}: x\n", 4, "not the name"),
        ("search: 2\nresult: 4 Size limit exceeded\n", 4, "did not succeed"),
        ("ref: ldap://other/dc=x\n", 3, "a referral"),
    ] {
        let text = format!("dn: uid=a\n\n{bad}\ndn: uid=z\n");
        let names: Vec<String> = entries(&text).into_iter().map(|entry| entry.dn).collect();
        assert_eq!(names, ["uid=a", "uid=z"], "{bad}");
        let [(at, said)] = &problems(&text)[..] else { panic!("one problem expected: {bad}") };
        assert_eq!(*at, line, "{bad}: {said}");
        assert!(said.contains(why), "{bad}: {said}");
    }
}

#[test]
fn bytes_that_are_not_text_are_named() {
    assert_eq!(problems(b"dn: uid=a\ncn: \xff\n\n")[0].0, 2);
}

#[test]
fn a_cut_file_is_noticed() {
    let text = "dn: uid=a\nuid: a\n\ndn: uid=b\nuid: b";
    assert_eq!(entries(text).len(), 1);
    assert!(problems(text)[0].1.contains("it was cut"));
}

#[test]
fn the_end_of_a_successful_ldapsearch_is_no_entry() {
    let text = "# extended LDIF\n\ndn: uid=a\n\n# search result\nsearch: 2\nresult: 0 Success\n\n";
    assert_eq!(entries(text).len(), 1);
    assert_eq!(problems(text), []);
}

#[test]
fn another_version_is_refused() {
    assert!(problems("version: 2\ndn: uid=a\n\n")[0].1.contains("version 1"));
}

#[test]
fn an_endless_line_does_not_fill_the_memory() {
    let text = vec![b'x'; LONGEST_LINE + 10];
    assert!(problems(text)[0].1.contains("longer than"));
}

#[test]
fn an_empty_file_has_no_records() {
    assert!(records("").is_empty());
    assert!(records("\n\n# nothing\n\n").is_empty());
}

/// Writes an entry: everything that is not plain in base 64, folded at `width`.
fn write(entry: &[(String, Vec<u8>)], dn: &str, width: usize) -> String {
    let mut text = String::new();
    let dn = ("dn".to_owned(), dn.as_bytes().to_vec());
    for (name, value) in std::iter::once(&dn).chain(entry) {
        let plain = value.iter().all(|byte| (0x21..0x7f).contains(byte))
            && !value.starts_with(b":")
            && !value.starts_with(b"<");
        let line = if plain {
            format!("{name}: {}", String::from_utf8_lossy(value))
        } else {
            format!("{name}:: {}", base64::encode(value))
        };
        for (at, piece) in line.as_bytes().chunks(width).enumerate() {
            text.push_str(if at == 0 { "" } else { " " });
            text.push_str(&String::from_utf8_lossy(piece));
            text.push('\n');
        }
    }
    text.push('\n');
    text
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        values in proptest::collection::vec(("[a-z]{1,8}", any::<Vec<u8>>()), 0..6),
        dn in "[ -~é]{1,20}",
        width in 1_usize..80,
    ) {
        let values: Vec<(String, Vec<u8>)> = values
            .into_iter()
            .map(|(name, value)| (format!("x-{name}"), value))
            .collect();
        let mut entry = Entry::new(dn.clone());
        for (name, value) in &values {
            entry.add(name, [value.clone()]);
        }
        let found = entries(write(&values, &dn, width));
        prop_assert_eq!(found.len(), 1);
        prop_assert!(found[0] == entry);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = records(bytes);
    }
}
