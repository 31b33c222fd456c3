//! Directories that answer with success and are not to be believed.

use super::case::Case;

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
    case.run(&["--approve-removals", &digest]).ends_with(0);
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
    case.run(&["--approve-removals", &digest]).ends_with(0);
    assert!(enabled(&case).contains(&"nina".to_owned()), "somebody said it is the same person");
    case.run(&[]).ends_with(0);
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
    let enabled = enabled(&case);
    assert!(enabled.contains(&"nina".to_owned()) && !enabled.contains(&"olaf".to_owned()));
    case.run(&[]).ends_with(0);
    // Taken back, it is doubted again, and nobody loses anything.
    let before = case.cloud();
    case.edit("inventory/all.yaml", "reissued: {\"1002\": 2026-11-28}, ", "");
    case.run(&[]);
    assert_eq!(case.cloud(), before);
    case.edit(
        "inventory/all.yaml",
        "schema: rfc2307",
        "reissued: {\"1002\": soon}, schema: rfc2307",
    );
    assert!(case.run(&["check"]).ends_with(2).text().contains("`soon` is not a day"));
}
