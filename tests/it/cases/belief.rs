//! Directories that answer with success and are not to be believed.

use super::case::Case;
use crate::cli::site::Site;

/// Names of users in the embedded cloud who can be used.
fn enabled(case: &Case) -> Vec<String> {
    let lines = case.cloud();
    let users = lines.iter().filter(|line| line.contains("enabled=true"));
    let name = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        let at = words.iter().position(|word| *word == "user").expect("a user");
        words[at + 1].to_owned()
    };
    users.map(name).collect()
}

#[test]
fn a_directory_that_hides_states_lets_nobody_in() {
    let case = Case::new("status-hidden");
    case.run(&[]).ends_with(0);
    let before = case.cloud();
    assert!(!enabled(&case).iter().any(|name| ["p3", "p7", "p9"].contains(&name.as_str())));
    case.people("after.ldif");
    for _ in 0..2 {
        let run = case.run(&[]).ends_with(3);
        assert!(run.out.contains("shows nobody's status any more"), "{}", run.out);
        assert!(run.out.contains("shows nobody's expiry any more"), "{}", run.out);
        assert_eq!(case.cloud(), before, "nothing given, nothing taken");
    }
}

#[test]
fn who_comes_new_in_a_directory_that_hides_states_waits_and_an_administrator_can_let_them_in() {
    let case = Case::new("status-hidden");
    case.run(&[]).ends_with(0);
    case.people("after.ldif");
    let digest = case.run(&["--dry-run"]).ends_with(3).digest();
    case.run(&["--approve", &digest]).ends_with(0);
    assert!(enabled(&case).contains(&"p3".to_owned()), "somebody has said so");
    let again = case.run(&[]).ends_with(0);
    assert!(again.changes().is_empty(), "{}", again.out);
}

#[test]
fn one_hidden_attribute_is_enough() {
    let case = Case::new("status-hidden");
    case.run(&[]).ends_with(0);
    let before = case.cloud();
    let expiry = |text: String| {
        let lines = text.lines().filter(|line| !line.starts_with("shadowExpire"));
        lines.fold(String::new(), |text, line| text + line + "\n")
    };
    let path = case.path("inventory/people.ldif");
    std::fs::write(&path, expiry(std::fs::read_to_string(&path).unwrap())).unwrap();
    let run = case.run(&[]).ends_with(3);
    assert!(run.out.contains("shows nobody's expiry any more"), "{}", run.out);
    assert!(!run.out.contains("nobody's status"), "{}", run.out);
    assert_eq!(case.cloud(), before);
}

#[test]
fn a_directory_that_never_showed_a_key_gives_nothing() {
    let case = Case::new("status-hidden");
    let path = case.path("inventory/people.ldif");
    let text = std::fs::read_to_string(&path).unwrap();
    let shown = text.lines().filter(|line| !line.starts_with("keyFingerPrint"));
    std::fs::write(&path, shown.fold(String::new(), |all, line| all + line + "\n")).unwrap();
    let run = case.run(&[]);
    assert!(run.text().contains("does not show anybody's registered key"), "{}", run.text());
    assert_eq!(enabled(&case), [""; 0]);
}

#[test]
fn states_that_some_do_not_show_any_more_are_counted_whatever_they_said() {
    let case = Case::new("status-hidden");
    // Nobody knows what they mean: nothing new for them.
    let away = |text: &str, who: &[u8]| {
        who.iter().fold(text.to_owned(), |text, number| {
            text.replace(
                &format!("\nuidNumber: {}\n", 2000 + u16::from(*number)),
                &format!("\nuidNumber: {}\naccountStatus: away\n", 2000 + u16::from(*number)),
            )
        })
    };
    let path = case.path("inventory/people.ldif");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, away(&text, &[1, 2, 4, 5])).unwrap();
    case.run(&[]);
    let before = case.cloud();
    assert_eq!(enabled(&case).len(), 5);
    std::fs::write(&path, away(&text, &[5])).unwrap();
    let run = case.run(&[]).ends_with(3);
    assert!(run.out.contains("gives 3 people back"), "{}", run.out);
    assert_eq!(case.cloud(), before);
}

#[test]
fn those_who_left_are_not_newcomers_after_a_reading_without_them() {
    let case = Case::new("status-hidden");
    case.run(&[]).ends_with(0);
    let before = case.cloud();
    let path = case.path("inventory/people.ldif");
    let text = std::fs::read_to_string(&path).unwrap();
    let left = ["accountStatus: inactive", "shadowExpire: 1\n"];
    let is_there = |entry: &&str| left.iter().all(|gone| !format!("{entry}\n").contains(gone));
    let entries: Vec<&str> = text.split("\n\n").filter(is_there).collect();
    assert_eq!(text.split("\n\n").count() - entries.len(), 3);
    std::fs::write(&path, entries.join("\n\n") + "\n").unwrap();
    case.run(&[]).ends_with(0);
    case.people("after.ldif");
    let run = case.run(&[]).ends_with(3);
    assert!(run.out.contains("gives 3 people back"), "{}", run.out);
    assert_eq!(case.cloud(), before);
}

/// Groups come from several attributes; a primary group that still shows proves nothing about the
/// others.
#[test]
fn one_hidden_way_into_groups_is_enough() {
    for (file, hidden, told) in [
        ("freedesktop", "memberUid", "shows nobody's memberships any more"),
        ("debian", "subGroup", "shows nobody's groups through other groups any more"),
        ("debian", "gidNumber", "shows nobody's primary group any more"),
    ] {
        let site = Site::applied();
        let file = format!("inventory/people/{file}.ldif");
        let before = site.world().describe().expect("a cloud");
        let without = |text: String| {
            let lines = text.lines().filter(|line| !line.starts_with(hidden));
            lines.fold(String::new(), |text, line| text + line + "\n")
        };
        site.write(&file, &without(site.read(&file)));
        for _ in 0..2 {
            let run = site.run(&[]).ends_with(3);
            assert!(run.out.contains(told), "{hidden}: {}", run.out);
            assert!(!run.out.contains("nobody's groups any more"), "{hidden}: {}", run.out);
            assert_eq!(site.world().describe().expect("a cloud"), before, "{hidden}");
        }
    }
}

/// On the embedded cloud, where nothing but the directory tells who somebody is.
fn uid_number_given_again() -> Case {
    let case = Case::new("uid-number-given-again");
    case.edit(
        "inventory/all.yaml",
        "{vendor: aws, id: \"123456789012\", hub: true, access: iam}",
        "{vendor: memory, id: \"100000000001\", hub: true}",
    );
    let document = "aws: {inline_policy: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"polly:*\",\"Resource\":\"*\"}]}'}";
    case.edit("policies/all.yaml", document, "memory: {permissions: [\"*\"]}");
    case
}

#[test]
fn a_number_that_was_given_again_is_no_renaming() {
    let case = uid_number_given_again();
    case.run(&[]).ends_with(0);
    let before = case.cloud();
    case.people("after.ldif");
    let run = case.run(&[]).ends_with(3);
    assert!(
        run.out.contains("person:people:1002 has another log-in name, full name"),
        "{}",
        run.out
    );
    assert_eq!(case.cloud(), before, "olaf's user stays olaf's");
    // Not only once: what was not believed is not remembered.
    case.run(&[]).ends_with(3);
    let digest = case.run(&["--dry-run"]).ends_with(3).digest();
    case.run(&["--approve", &digest]).ends_with(0);
    assert!(enabled(&case).contains(&"nina".to_owned()), "somebody said it is the same person");
    case.run(&[]).ends_with(0);
}

/// One person got another id: nobody suspends the old user and refuses a new one its name before
/// somebody said who it is.
#[test]
fn whoever_got_another_number_is_most_likely_the_same() {
    let begun = || {
        let case = uid_number_given_again();
        case.run(&[]).ends_with(0);
        let before = case.cloud();
        case.edit_people("uidNumber: 1002", "uidNumber: 1042");
        // Not only once.
        for _ in 0..2 {
            let run = case.run(&[]).ends_with(3);
            let told = "person:people:1002 is not listed any more, and person:people:1042 has the \
                        same log-in name, full name";
            assert!(run.out.contains(told), "{}", run.out);
            assert_eq!(case.cloud(), before, "nobody loses or gets anything");
        }
        case
    };
    let same = begun();
    same.run(&["adopt", "--all", "people", "--yes"]).ends_with(0);
    let run = same.run(&[]).ends_with(0);
    assert!(run.out.contains("Nothing to do"), "{}", run.out);
    assert!(enabled(&same).contains(&"olaf".to_owned()));
    let other = begun();
    let digest = other.run(&["--dry-run"]).ends_with(3).digest();
    other.run(&["--approve", &digest]);
    assert!(!enabled(&other).contains(&"olaf".to_owned()), "{:?}", other.cloud());
}

#[test]
fn a_renaming_that_something_else_confirms_goes_on() {
    let case = uid_number_given_again();
    case.run(&[]).ends_with(0);
    case.people("after.ldif");
    case.edit_people("mail: nina@example.org", "mail: olaf@example.org");
    let run = case.run(&[]).ends_with(0);
    assert!(run.out.contains("olaf → nina"), "{}", run.out);
}

#[test]
fn another_directory_behind_the_same_name_neither_gives_nor_takes() {
    let case = Case::new("status-hidden");
    case.run(&[]).ends_with(0);
    let before = case.cloud();
    // The same ids, and every one of them stands for somebody else.
    let path = case.path("inventory/people.ldif");
    let text = std::fs::read_to_string(&path).unwrap();
    let other = |line: &str| match line.split_once(": ") {
        Some(("dn", dn)) if dn.starts_with("uid=p") => format!("dn: uid=q{}", &dn[5..]),
        Some((name @ ("uid" | "cn" | "sn"), value)) if value.starts_with(['p', 'P']) => {
            format!("{name}: q{}", &value[1..])
        }
        Some(("keyFingerPrint", value)) => format!("keyFingerPrint: 9{}", &value[1..]),
        _ => line.to_owned(),
    };
    let text: Vec<String> = text.lines().map(other).collect();
    std::fs::write(&path, text.join("\n") + "\n").unwrap();
    let run = case.run(&[]).ends_with(3);
    assert!(run.out.contains("names other people under"), "{}", run.out);
    assert_eq!(case.cloud(), before);
}

#[test]
fn a_first_run_that_nothing_contradicts_goes_on() {
    let case = Case::new("status-hidden");
    case.people("after.ldif");
    case.run(&[]).ends_with(0);
    assert_eq!(enabled(&case).len(), 12);
}

#[test]
fn whoever_gets_a_number_again_is_somebody_new_once_somebody_says_so() {
    let case = uid_number_given_again();
    case.run(&[]).ends_with(0);
    case.people("after.ldif");
    let run = case.run(&[]).ends_with(3);
    assert!(run.out.contains("`reissued`"), "{}", run.out);
    case.edit(
        "inventory/all.yaml",
        "schema: rfc2307",
        "reissued: {\"1002\": 2026-11-28}, schema: rfc2307",
    );
    let run = case.run(&[]).ends_with(0);
    assert!(run.out.contains("+ create user    nina"), "{}", run.out);
    assert!(run.out.contains("suspend user"), "{}", run.out);
    let now = enabled(&case);
    assert!(now.contains(&"nina".to_owned()) && !now.contains(&"olaf".to_owned()));
    case.run(&[]).ends_with(0);
    // Taken back, it is doubted again: the newcomer does not become olaf.
    case.edit("inventory/all.yaml", "reissued: {\"1002\": 2026-11-28}, ", "");
    for _ in 0..2 {
        let run = case.run(&[]).ends_with(3);
        assert!(run.out.contains("person:people:1002 has another id"), "{}", run.out);
        assert!(!enabled(&case).contains(&"olaf".to_owned()), "{}", run.out);
        assert!(!case.cloud().iter().any(|line| line.ends_with("member choir olaf")));
    }
    case.edit(
        "inventory/all.yaml",
        "schema: rfc2307",
        "reissued: {\"1002\": soon}, schema: rfc2307",
    );
    assert!(case.run(&["check"]).ends_with(2).text().contains("`soon` is not a day"));
}

/// The number may be free for a while before it is given again: then nothing is remembered of whom it
/// was, and only the user that was suspended still tells.
#[test]
fn a_number_that_was_free_for_a_while_brings_nobody_elses_user_back() {
    for lost in [false, true] {
        let case = uid_number_given_again();
        case.run(&[]).ends_with(0);
        case.edit_people("memberUid: olaf\n", "");
        without(&case, "uid=olaf");
        case.run(&[]).ends_with(0);
        let before = case.cloud();
        assert!(!enabled(&case).contains(&"olaf".to_owned()), "{before:?}");
        case.people("after.ldif");
        if lost {
            std::fs::remove_file(case.path(".reconcile/directories.json")).expect("a memory");
        }
        for _ in 0..2 {
            let run = case.run(&[]).ends_with(3);
            let told = "person:people:1002 has another log-in name, full name";
            assert!(run.out.contains(told), "{}", run.out);
            assert_eq!(case.cloud(), before, "olaf's user does not become nina's");
        }
        case.edit(
            "inventory/all.yaml",
            "schema: rfc2307",
            "reissued: {\"1002\": 2026-11-28}, schema: rfc2307",
        );
        case.run(&[]).ends_with(0);
        assert!(enabled(&case).contains(&"nina".to_owned()), "{:?}", case.cloud());
        assert!(case.run(&[]).ends_with(0).changes().is_empty());
    }
}

/// Takes an entry out of what the directory says.
fn without(case: &Case, dn: &str) {
    let path = case.path("inventory/people.ldif");
    let text = std::fs::read_to_string(&path).expect("LDIF");
    let start = format!("dn: {dn},");
    let entries = text.split("\n\n").filter(|entry| !entry.trim_start().starts_with(&start));
    std::fs::write(&path, entries.collect::<Vec<_>>().join("\n\n")).expect("a file");
}
