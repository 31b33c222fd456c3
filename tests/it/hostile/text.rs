//! Deceptive characters, and files that are large in a clever way.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use reconcile::diagnostic::{Finding, MOST, MOST_OF_A_KIND, Severity};
use reconcile::inventory::{Loaded, SourceTree, load};
use reconcile::visible::is_hidden;

use crate::inventory::files::{organisation, write};
use crate::inventory::{ORGANISATION, POLICIES, TODAY, vendor::vendors};

/// One of each kind that cannot be seen, or changes what is seen of others.
const HIDDEN: &[(&str, char)] = &[
    ("zero width space", '\u{200b}'),
    ("zero width joiner", '\u{200d}'),
    ("word joiner", '\u{2060}'),
    ("byte order mark", '\u{feff}'),
    ("right-to-left override", '\u{202e}'),
    ("left-to-right isolate", '\u{2066}'),
    ("right-to-left mark", '\u{200f}'),
    ("Arabic letter mark", '\u{61c}'),
    ("tag letter", '\u{e0041}'),
    ("soft hyphen", '\u{ad}'),
    ("control of the second set", '\u{9b}'),
    ("next line", '\u{85}'),
    ("variation selector", '\u{fe0f}'),
    ("variation selector, supplement", '\u{e0100}'),
    ("Mongolian selector", '\u{180b}'),
    ("Hangul filler", '\u{3164}'),
    ("Hangul choseong filler", '\u{115f}'),
    ("half width Hangul filler", '\u{ffa0}'),
    ("blank Braille pattern", '\u{2800}'),
    ("no-break space", '\u{a0}'),
    ("thin space", '\u{2009}'),
    ("ideographic space", '\u{3000}'),
    ("line separator", '\u{2028}'),
    ("paragraph separator", '\u{2029}'),
    ("combining grapheme joiner", '\u{34f}'),
    ("interlinear annotation", '\u{fff9}'),
    ("private use", '\u{e000}'),
    ("noncharacter", '\u{fdd0}'),
];

fn loaded(path: &str, text: &str) -> Loaded {
    let base = [("inventory/base.yaml", ORGANISATION), ("policies/base.yaml", POLICIES)];
    let files = base.into_iter().chain([(path, text)]);
    load(&SourceTree::from_files(files), &vendors(), TODAY)
}

fn codes(path: &str, text: &str) -> Vec<String> {
    loaded(path, text).findings.into_iter().map(|finding| finding.code).collect()
}

fn grant(group: &str, reason: &str) -> String {
    format!("grants:\n  - {{group: {group}, role: reader, accounts: [hub], reason: {reason}}}\n")
}

fn reconcile(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reconcile"))
        .args(arguments)
        .arg("--root")
        .arg(root)
        .output()
        .unwrap()
}

#[test]
fn hidden_characters_in_keys_values_and_comments_are_findings() {
    for (what, character) in HIDDEN {
        for text in [
            format!("proj{character}ects: {{}}\n"),
            grant("people:staff", &format!("They{character}need it")),
            grant(&format!("people:st{character}aff"), "They need it"),
            format!("projects: {{}} # {character}\n"),
        ] {
            assert_eq!(codes("inventory/x.yaml", &text), ["hidden-character"], "{what}: {text:?}");
        }
    }
}

#[test]
fn hidden_characters_written_as_escapes_are_findings() {
    for (what, character) in HIDDEN {
        let text =
            grant("people:staff", &format!("\"They\\U{:08x}need it\"", u32::from(*character)));
        assert!(codes("inventory/x.yaml", &text).contains(&"hidden-character".into()), "{what}");
    }
}

#[test]
fn each_line_with_something_hidden_is_told_up_to_a_bound() {
    let text = format!("{}\n", "# a\u{200b}\n".repeat(3));
    assert_eq!(codes("inventory/x.yaml", &text), ["hidden-character"; 3]);
    assert_eq!(codes("inventory/x.yaml", &"# a\u{200b}\n".repeat(100_000)).len(), 20);
}

#[test]
fn names_of_mixed_scripts_are_findings() {
    for name in ["stаff", "ѕtaff", "сео", "ｓtaff", "𝐬taff", "staﬀ", "a\u{2215}b", "ab\u{2010}c"]
    {
        let text = grant(&format!("\"people:{name}\""), "They need it");
        assert_eq!(codes("inventory/x.yaml", &text), ["deceptive-name"], "{name}");
    }
    assert_eq!(codes("inventory/x.yaml", "рrojects: {}\n"), ["deceptive-name", "unknown-key"]);
    let protected = "protected:\n  - {user: rооt, reason: The way in}\n";
    assert_eq!(codes("policies/x.yaml", protected), ["deceptive-name"]);
}

#[test]
fn a_mark_on_nothing_is_a_finding() {
    let text = grant("\"people:\u{301}staff\"", "They need it");
    assert_eq!(codes("inventory/x.yaml", &text), ["deceptive-name"]);
}

#[test]
fn ordinary_letters_of_any_script_are_fine() {
    for reason in
        ["Они поддерживают зеркала", "日本のミラー, Łódź & café", "Ελλάδα – “mirror” №5, 3 × 4"]
    {
        assert_eq!(
            codes("inventory/x.yaml", &grant("people:staff", &format!("\"{reason}\""))),
            [""; 0]
        );
    }
    for group in ["зеркала", "grün", "日本語"] {
        assert_eq!(
            codes("inventory/x.yaml", &grant(&format!("people:{group}"), "They need it")),
            [""; 0]
        );
    }
}

#[test]
fn a_reason_has_letters() {
    for reason in ["\".\"", "\"- - -\"", "\"—\"", "\"…\"", "\"\\t\""] {
        assert_eq!(
            codes("inventory/x.yaml", &grant("people:staff", reason)),
            ["empty-text"],
            "{reason}"
        );
    }
}

#[test]
fn file_names_that_deceive() {
    let folder = organisation();
    for name in ["a\u{200b}.yaml", "b\u{202e}lmay.yaml", "bаse.yaml", "c\u{a0}.yaml"] {
        write(folder.path(), &format!("inventory/{name}"), "projects: {}\n");
    }
    let findings =
        load(&reconcile::inventory::read_folder(folder.path()), &vendors(), TODAY).findings;
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["bad-file-name"; 4]);
}

/// Every form of `check`, with hidden characters in all that it may show.
#[test]
fn check_shows_nothing_hidden() {
    let folder = organisation();
    let all: String = HIDDEN.iter().map(|(_, character)| *character).collect();
    write(folder.path(), &format!("inventory/a{all}.yaml"), "projects: {}\n");
    write(folder.path(), "inventory/comment.yaml", format!("proj: 1 # {all}\n"));
    let people = format!("dn: uid=a{all},dc=example\nuid: a{all}\naccountStatus: b{all}\n");
    write(folder.path(), "people.ldif", people);
    for format in ["text", "json", "gitlab", "github"] {
        let output = reconcile(folder.path(), &["check", "--format", format]);
        assert_eq!(output.status.code(), Some(2));
        for bytes in [output.stdout, output.stderr] {
            let text = String::from_utf8(bytes).unwrap();
            let found = text.chars().find(|one| is_hidden(*one) && *one != '\u{1b}');
            assert_eq!(found, None, "{format}: {text}");
        }
    }
}

/// Every command, with hidden characters in what a directory says and what it is asked.
#[test]
fn no_command_shows_anything_hidden() {
    let folder = organisation();
    let all: String = HIDDEN.iter().map(|(_, one)| *one).filter(|one| *one != '\u{85}').collect();
    let mut people = String::from(
        "dn: gid=admins,dc=example\nobjectClass: debianGroup\ngid: admins\ngidNumber: 7\n\n",
    );
    for (number, login) in [(1, "anna".to_owned()), (2, format!("ev{all}il"))] {
        let _ = writeln!(
            people,
            "dn: uid={login},dc=example\nobjectClass: debianAccount\nobjectClass: inetOrgPerson\nuid: {login}\n\
             uidNumber: {number}\ngidNumber: 9\nsupplementaryGid: admins\nsupplementaryGid: un{all}known\n\
             accountStatus: od{all}d\nkeyFingerPrint: AA\n"
        );
    }
    write(folder.path(), "people.ldif", people);
    let state = folder.path().join(".reconcile");
    let state = state.to_str().unwrap();
    let asked = format!("ev{all}il");
    let commands: &[&[&str]] = &[
        &["--dry-run"],
        &["--dry-run", "--format", "json"],
        &["--dry-run", "--format", "markdown"],
        &["check"],
        &["explain", &asked],
        &["explain", &asked, "--format", "json"],
        &["explain", "anna"],
        &["diff", "--base", &asked],
        &["adopt", &asked, "user", &asked],
        &["--org", &asked, "--dry-run"],
        &["mapping", &asked],
        &["--account", "hub"],
        &["record", "list"],
        &["record", "show", "last"],
        &["record", "show", "last", "--format", "json"],
        &["record", "show", &asked],
        &["-vvv", "--dry-run"],
    ];
    for command in commands {
        let output = reconcile(folder.path(), &[*command, &["--state", state]].concat());
        for bytes in [output.stdout, output.stderr] {
            let text = String::from_utf8(bytes).unwrap();
            let found = text.chars().find(|one| is_hidden(*one) && *one != '\u{1b}');
            assert_eq!(found, None, "{command:?}: {text}");
        }
    }
}

fn count(findings: &[Finding], code: &str) -> usize {
    findings.iter().filter(|finding| finding.code == code).count()
}

#[test]
fn many_mistakes_of_a_kind_are_shown_in_part_and_counted() {
    let mut text = String::new();
    for number in 0..20_000 {
        let _ = writeln!(text, "key{number}: 1");
    }
    text.push_str("grants: 1\n");
    let findings = loaded("inventory/x.yaml", &text).findings;
    assert_eq!(count(&findings, "unknown-key"), MOST_OF_A_KIND);
    assert_eq!(count(&findings, "wrong-kind"), 1, "the first of another kind is kept");
    let more = findings.iter().find(|finding| finding.code == "more-findings").unwrap();
    assert_eq!(more.severity, Severity::Error);
    assert_eq!(more.message, "19900 more of the kind `unknown-key` are not shown");
}

#[test]
fn mistakes_in_many_files_are_bounded_in_all() {
    let files = (0..60).map(|number| {
        let text = (0..50).fold(String::new(), |text, key| text + &format!("key{key}: 1\n"));
        (format!("inventory/f{number}.yaml"), text)
    });
    let mut files: Vec<(String, String)> = files.collect();
    files.push(("policies/z.yaml".into(), "roles: 3\n".into()));
    let findings = load(&SourceTree::from_files(files), &vendors(), TODAY).findings;
    assert_eq!(findings.len(), MOST + 1);
    assert_eq!(count(&findings, "wrong-kind"), 1, "the first of each kind is kept");
    let more = findings.iter().find(|finding| finding.code == "more-findings").unwrap();
    assert!(more.message.ends_with("more are not shown"), "{more:?}");
}

/// Three hundred thousand findings alone would take more than 500 MB; all of the program gets 250.
/// What is quadratic, or keeps a copy of the line for each finding, does not end in that, or not in
/// a minute of the processor's time.
fn checked_within_bounds(path: &str, text: &str) -> String {
    let folder = organisation();
    write(folder.path(), path, text);
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 250000; ulimit -t 60; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_reconcile"))
        .args(["check", "--root"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.len() < 1_000_000, "{} bytes are shown", shown.len());
    shown
}

#[test]
fn one_line_with_two_hundred_thousand_items() {
    let items = "nobody, ".repeat(200_000);
    let text =
        format!("grants:\n  - {{group: admins, role: admin, reason: x, accounts: [{items}]}}\n");
    checked_within_bounds("inventory/x.yaml", &text);
    let text = format!("grants: [{}]\n", "1, ".repeat(200_000));
    checked_within_bounds("inventory/x.yaml", &text);
}

#[test]
fn three_hundred_thousand_unknown_keys() {
    let text = (0..300_000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "k{number}: 1");
        text
    });
    let shown = checked_within_bounds("inventory/x.yaml", &text);
    assert!(shown.contains("299900 more of the kind `unknown-key`"), "{shown}");
}

#[test]
fn keys_and_values_as_long_as_a_file() {
    let long = "x".repeat(1_000_000);
    checked_within_bounds("inventory/x.yaml", &format!("{long}: 1\n"));
    checked_within_bounds("inventory/x.yaml", &grant(&long, "They need it"));
    checked_within_bounds(
        "inventory/x.yaml",
        &format!(
            "grants:\n  - {{role: {long}, group: {long}:a, accounts: [{long}], reason: y, until: {long}}}\n"
        ),
    );
    checked_within_bounds("policies/x.yaml", &format!("grace_days: {}\n", "9".repeat(1_000_000)));
}

#[test]
fn nesting_aliases_and_documents_without_end() {
    checked_within_bounds("inventory/x.yaml", &"[".repeat(1_000_000));
    checked_within_bounds("inventory/x.yaml", &"a: {".repeat(500_000));
    let mut laughs = String::from("a0: &a0 [x, x]\n");
    for number in 1..60 {
        let before = number - 1;
        let _ = writeln!(laughs, "a{number}: &a{number} [*a{before}, *a{before}, *a{before}]");
    }
    checked_within_bounds("inventory/x.yaml", &laughs);
    checked_within_bounds("inventory/x.yaml", &"*a \n".repeat(100_000));
    checked_within_bounds("inventory/x.yaml", &"--- {}\n".repeat(300_000));
}

#[test]
fn many_files_with_a_mistake_each() {
    let files = (0..3_000).map(|number| (format!("inventory/f{number}.yaml"), "x: [1, 2]\n"));
    let findings = load(&SourceTree::from_files(files), &vendors(), TODAY).findings;
    assert_eq!(findings.len(), MOST + 1);
}
