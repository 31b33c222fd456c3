//! Tests of `record`.

use super::*;
use crate::directory::config::Bounds;
use proptest::prelude::*;

fn records(text: impl AsRef<[u8]>) -> Vec<Result<Entry, Problem>> {
    Records::new(text.as_ref(), Budget::new(Bounds::default())).collect()
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

/// Whether a file is whole, and what is said if not.
fn end(text: impl AsRef<[u8]>) -> Result<(), String> {
    let mut records = Records::new(text.as_ref(), Budget::new(Bounds::default()));
    let problems = records.by_ref().filter_map(Result::err).map(|problem| problem.why).next();
    match (records.end(), problems) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(why)) => Err(why),
        (Err(End::NotWhole(problem)), _) => Err(format!("{}: {}", problem.line, problem.why)),
        (Err(End::Exhausted(exhausted)), _) => Err(exhausted.to_string()),
    }
}

#[test]
fn one_mark_at_the_end_and_nothing_behind_it() {
    for whole in [
        "dn: uid=a\n\n# end\n",
        "dn: uid=a\n# end\n\n\n",
        "dn: uid=a\r\n\r\n# End\r\n\r\n",
        "# end\n",
        "version: 1\n#end\n",
        "dn: uid=a\ncn: # end\n\n# end\n",
        "dn: uid=a\n\n# search result\nsearch: 2\nresult: 0 Success\n\n# numResponses: 2\n# numEntries: 1\n",
    ] {
        assert_eq!(end(whole), Ok(()), "{whole:?}");
    }
    for (not, why) in [
        ("", "1: the file is empty"),
        ("version: 1\n", "1: nothing says"),
        ("dn: uid=a\n\n", "2: nothing says"),
        ("dn: uid=a\n\n# end", "cut"),
        ("dn: uid=a\n\n# end of it\n", "nothing says"),
        ("dn: uid=a\ncn: # end\n", "nothing says"),
        ("dn: uid=a\ncn:\n # end\n", "nothing says"),
        ("dn: uid=a\n# end\n goes on\n", "3: this stands behind line 2"),
        ("# end\ndn: uid=a\n\n# end\n", "2: this stands behind line 1"),
        ("dn: uid=a\n\n# end\n# end\n", "4: this stands behind line 3"),
        ("dn: uid=a\n\n# end\n\n \n.\n", "6: this stands behind line 3"),
        ("dn: uid=a\n\n# search result\nresult: 0 Success\n\n# numEntries: 2\n", "holds 1"),
        ("dn: uid=a\n\n# search result\n\n# numEntries: 1\n", "without `-L`"),
        ("dn: uid=a\n\n# search result\nresult: 0 Success\n\n", "nothing says"),
    ] {
        let said = end(not).expect_err(not);
        assert!(said.contains(why), "{not:?}: {said}");
    }
}

#[test]
fn an_export_that_was_edited_is_not_whole_whatever_the_line_ends() {
    let mut entry = Entry::new("uid=a");
    entry.add("uid", [b"a".to_vec()]);
    let text = crate::directory::ldif::write([entry.clone(), entry].iter());
    assert_eq!(end(&text), Ok(()));
    assert_eq!(end(text.replace('\n', "\r\n")), Ok(()), "git or an editor changed line ends");
    let said = end(text.replacen("uid: a", "uid: b", 1)).expect_err("edited");
    assert!(said.contains("not as it was") && said.contains("`# end`"), "{said}");
    let said = end(text.replacen("dn: uid=a\nuid: a\n\n", "", 1)).expect_err("edited");
    assert!(said.contains("ended with 2 entries") && said.contains("holds 1"), "{said}");
    assert_eq!(end(format!("{}# end\n", &text[..text.find('#').expect("a mark")])), Ok(()));
}

#[test]
fn a_record_without_measure_costs_no_memory() {
    let large = |line: &str, times: usize| format!("dn: uid=a\n{}\n# end\n", line.repeat(times));
    let of = |text: String| {
        let bounds = Bounds { memory: 1_000_000, ..Bounds::default() };
        Records::new(text.as_bytes(), Budget::new(bounds))
            .filter_map(Result::err)
            .map(|problem| problem.why)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(large("cn: x\n", 10_000)), [""; 0], "500 kB with what a value costs");
    assert!(of(large("cn: x\n", 20_000))[0].contains("`most_megabytes`"));
    let different: String = (0..=MOST_ATTRIBUTES)
        .flat_map(|number| ["a".to_owned(), number.to_string(), ": x\n".to_owned()])
        .collect();
    assert!(of(large(&different, 1))[0].contains("different attributes"));
}

/// A distinguished name, attributes and values.
type Plain = (String, Vec<(String, Vec<u8>)>);

fn plain() -> impl Strategy<Value = Plain> {
    let value = prop_oneof![any::<Vec<u8>>(), "[ -~é]{0,90}".prop_map(String::into_bytes)];
    ("[!-~é]([ -~é]{0,90}[!-~])?", prop::collection::vec(("x-[a-z]{1,8}", value), 0..6))
}

fn entry((dn, values): &Plain) -> Entry {
    let mut entry = Entry::new(dn.as_str());
    for (name, value) in values {
        entry.add(name, [value.clone()]);
    }
    entry
}

proptest! {
    #[test]
    fn what_was_written_is_read_and_every_cut_of_it_is_found(
        written in prop::collection::vec(plain(), 0..4),
    ) {
        let written: Vec<Entry> = written.iter().map(entry).collect();
        let text = crate::directory::ldif::write(written.iter());
        prop_assert!(text.lines().all(|line| line.len() <= 76 || line.starts_with('#')));
        prop_assert_eq!(end(&text), Ok(()));
        prop_assert!(entries(&text) == written);
        for cut in 0..text.len() {
            prop_assert!(end(&text.as_bytes()[..cut]).is_err(), "cut at {}", cut);
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = records(&bytes);
        let _ = end(bytes);
    }
}
