//! The two commands of a new user, and what follows from editing one line.

use super::site::{PEOPLE, Site, files, ran};

#[test]
fn a_dry_run_changes_nothing_on_disk_and_shows_what_the_run_does() {
    let site = Site::new();
    let before = files(&site.root());
    let dry = site.run(&["--dry-run"]).ends_with(0);
    assert_eq!(dry.err, "");
    assert!(!site.state().exists(), "not even a state folder");
    ran(&mut site.bare(&["--dry-run"])).ends_with(0);
    assert_eq!(files(&site.root()), before);
    let run = site.run(&[]).ends_with(0);
    assert_eq!(run.err, "");
    let rest = run.out.strip_prefix(&dry.out).expect("the same plan, byte for byte");
    let lines: Vec<&str> = rest.lines().collect();
    assert_eq!(lines.len(), 2, "{rest}");
    assert_eq!(lines[0], format!("Done: {} applied", dry.changes().len()));
    assert!(lines[1].starts_with("record 2:"));
    assert_eq!(dry.digest(), run.digest());
    assert_eq!(files(&site.root()), before, "the inputs are only read");
}

#[test]
fn a_second_run_has_nothing_to_do_and_writes_nothing_to_the_cloud() {
    let site = Site::applied();
    let cloud = site.world().dump().unwrap();
    let again = site.run(&[]).ends_with(0);
    assert!(again.changes().is_empty());
    // Somebody's state is none that is known: they get nothing new, which is said every time.
    assert!(
        again.out.contains("gets nothing new: the status `sabbatical 2026-10-01`"),
        "{}",
        again.out
    );
    assert!(again.out.contains("\nrecord 4:"), "{}", again.out);
    assert!(!again.out.contains("Done"));
    assert_eq!(site.world().dump().unwrap(), cloud);
    assert!(site.run(&["--dry-run"]).ends_with(0).changes().is_empty());
}

/// Edits the applied example, and asserts what the plan then is, in the run as in the dry run.
#[track_caller]
fn follows(edit: impl FnOnce(&Site), expected: &[(&str, &str)]) {
    let site = Site::applied();
    edit(&site);
    let dry = site.run(&["--dry-run"]).ends_with(0);
    let run = site.run(&[]).ends_with(0);
    assert!(run.out.starts_with(&dry.out), "{}\n{}", dry.out, run.out);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let shown = dry.changes();
    assert_eq!(shown.len(), expected.len(), "{}", dry.out);
    for (line, (what, why)) in shown.iter().zip(expected) {
        let text = words(line).join(" ");
        assert!(text.starts_with(what) && text.contains(why), "{text}\nexpected {what}: {why}");
    }
    assert!(site.run(&[]).ends_with(0).out.contains("Nothing to do"));
}

#[test]
fn a_grant_that_is_removed() {
    follows(
        |site| {
            site.edit(
                "inventory/debian/grants.yaml",
                "  - group: debian:security
    role: publisher
    accounts: [debian-mirrors]
    reason: Security updates must not wait for a mirror administrator
",
                "",
            );
        },
        &[(
            "- unbind role publisher from group security",
            "nothing in the inventory gives group:debian:security the role publisher",
        )],
    );
}

#[test]
fn a_grant_that_is_added() {
    follows(
        |site| {
            let file = "inventory/archlinux/grants.yaml";
            let grant = "\n  - group: debian:builders\n    role: operator\n    \
                         accounts: [archlinux-lab]\n    reason: They build here, too\n";
            site.write(file, &(site.read(file) + grant));
        },
        &[(
            "+ bind role operator to group builders",
            "debian:builders is granted operator (inventory/archlinux/grants.yaml:14): They build \
             here, too",
        )],
    );
}

#[test]
fn a_grant_that_has_ended() {
    follows(
        |site| {
            let interns = "    until: 2027-06-30\n";
            site.edit("inventory/debian/grants.yaml", interns, "    until: 2026-06-30\n");
        },
        &[
            ("- unbind role auditor from group interns", "the grant ended on 2026-06-30"),
            ("- delete group interns", "nothing in the inventory asks for"),
        ],
    );
}

#[test]
fn somebody_who_joins() {
    follows(
        |site| {
            let people = site.read(PEOPLE);
            let somebody = "\ndn: uid=newcomer,ou=users,dc=example,dc=org\n\
                objectClass: top\nobjectClass: inetOrgPerson\nobjectClass: debianAccount\n\
                objectClass: shadowAccount\nobjectClass: debianDeveloper\nuid: newcomer\n\
                uidNumber: 2999\ngidNumber: 800\ncn: New\nsn: Comer\n\
                mail: newcomer@example.org\nkeyFingerPrint: \
                3DB6B818A3B52F2F1A11D8CB8D6CE7B22C3DF405\nsupplementaryGid: builders\n";
            site.write(PEOPLE, &people.replace("\n# end\n", &format!("{somebody}\n# end\n")));
        },
        &[
            ("+ create user newcomer for person:debian:2999", "in debian:builders"),
            ("+ add member newcomer to group builders", "inventory/debian/grants.yaml:9"),
        ],
    );
}

#[test]
fn somebody_who_leaves() {
    follows(
        |site| site.edit_person("eilidh", |entry| format!("{entry}\naccountStatus: inactive")),
        &[
            ("- remove member eilidh from group mirrors", "inactive"),
            ("- suspend user eilidh enabled → suspended since", "inactive"),
        ],
    );
}

#[test]
fn somebody_with_another_name() {
    follows(
        |site| site.edit_person("eilidh", |entry| entry.replace("eilidh", "aileen")),
        &[("~ update user eilidh name eilidh → aileen", "was renamed in the directory")],
    );
}

#[test]
fn somebody_in_another_group() {
    follows(
        |site| {
            site.edit_person("eilidh", |entry| {
                entry.replace("supplementaryGid: mirrors", "supplementaryGid: builders")
            });
        },
        &[
            ("- remove member eilidh from group mirrors", "not in debian:mirrors"),
            ("+ add member eilidh to group builders", "in debian:builders"),
        ],
    );
}
