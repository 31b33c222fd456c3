//! What others write does not make lines of its own in what a run says, and not more than anybody
//! reads.

use std::fmt::Write as _;

use reconcile::diagnostic::MOST_OF_A_KIND;

use crate::cli::site::{PEOPLE, Site};

/// No line of what it said begins with words that somebody planted behind a line end.
#[track_caller]
fn no_line_is_forged(said: &str) {
    assert!(said.contains("forged"), "{said}");
    // What belongs to the line before it is set in by more than a level of a log is.
    let forged = said.lines().find(|line| {
        !line.starts_with("    ")
            && ["forged", "WARN forged"].iter().any(|words| line.trim_start().starts_with(words))
    });
    assert_eq!(forged, None, "{said}");
    assert!(!said.contains(['\u{1b}', '\r', '\u{9b}']), "{said:?}");
}

#[test]
fn a_line_end_in_what_others_wrote_makes_no_line_of_a_log() {
    // Who held a lock, as a killed run left it.
    let site = Site::new();
    let stalled = site.stall_writes();
    let mut command = site.command(&[]);
    command.env("USER", "mallory\n WARN forged: all is well\r\u{1b}[2K\u{9b}1A");
    let mut child = command.spawn().unwrap();
    let locks = site.state().join("locks");
    crate::cli::site::until("it holds a lock", || {
        let held = std::fs::read_dir(&locks).ok().into_iter().flatten();
        held.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
            .any(|text| text.contains("forged"))
    });
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stalled);
    let next = site.run(&["-vvv"]).ends_with(0);
    assert!(next.err.contains("did not end well"), "{}", next.err);
    no_line_is_forged(&next.err);
}

#[test]
fn a_line_end_in_a_name_of_a_directory_makes_no_line_of_a_log() {
    let site = Site::new();
    // `cn=forged\nforged\n WARN forged,ou=users,dc=example,dc=org`, which has no log-in name.
    let dn = "Y249Zm9yZ2VkCmZvcmdlZAogV0FSTiBmb3JnZWQsb3U9dXNlcnMsZGM9ZXhhbXBsZSxkYz1vcmc=";
    let people = site.read(PEOPLE);
    let entry = format!("dn:: {dn}\nobjectClass: top\nobjectClass: debianAccount\ncn: x\n\n# end");
    site.write(PEOPLE, &people.replace("# end", &entry));
    for arguments in [&["--dry-run", "-vv"][..], &["--dry-run", "-vvv"]] {
        no_line_is_forged(&site.run(arguments).text());
    }
}

#[test]
fn a_line_end_in_a_path_makes_no_line_of_its_own() {
    let site = Site::new();
    let path = "../nowhere/x\nforged\n WARN forged\u{9b}";
    no_line_is_forged(&site.run(&["--metrics", path]).text());
    site.write("inventory/organisations.yaml", "]");
    no_line_is_forged(&site.run(&["--metrics", path]).text());
}

#[test]
fn a_run_tells_the_dangerous_of_its_findings_first_and_counts_the_rest() {
    const ODD: usize = 3_000;
    let site = Site::new();
    let mut people = String::new();
    for number in 0..ODD {
        write!(
            people,
            "dn: uid=zz{number},ou=users,dc=example,dc=org\nobjectClass: top\n\
             objectClass: inetOrgPerson\nobjectClass: debianAccount\n\
             objectClass: debianDeveloper\nuid: zz{number}\nuidNumber: {}\ngidNumber: 800\n\
             cn: Z\nsn: Z\naccountStatus: whatever\n\n",
            50_000 + number
        )
        .unwrap();
    }
    let before = site.read(PEOPLE);
    site.write(PEOPLE, &before.replace("# end", &format!("{people}# end")));
    // An error, which sorts behind warnings: it is about a line of a file.
    site.edit(
        "inventory/debian/grants.yaml",
        "grants:\n",
        "grants:\n  - group: debian:nobody-of-that-name\n    role: operator\n    accounts: [debian-mirrors]\n    reason: It will come\n",
    );
    for arguments in [&["--dry-run"][..], &["--dry-run", "--format", "markdown"], &[]] {
        let said = site.run(arguments).out;
        let warnings = said.matches("warning[directory]").count();
        assert!((2..=MOST_OF_A_KIND).contains(&warnings), "{warnings}");
        // Of a directory's own oddities a thousand are kept, and a line that counts the rest.
        assert!(said.contains("2002 more oddities like these"), "{said}");
        assert!(said.contains("901 more of the kind `directory` are not shown"), "{said}");
        let findings = said.split("Findings").nth(1).expect("findings");
        let last_error = findings.rfind(" error[").expect("an error");
        assert!(last_error < findings.find(" warning[").expect("a warning"), "{findings}");
    }
}
