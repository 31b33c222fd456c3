//! A branch that chooses where people come from, or who they are.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;

use super::Said;
use crate::rights::commands::{commit, example, git, ran, replace};

const DIRECTORIES: &str = "inventory/directories.yaml";
const DEBIAN: &str = "inventory/people/debian.ldif";

/// A server that notices whether anybody came.
struct Trap(TcpListener);

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn ldap(&self) -> String {
        let port = self.0.local_addr().unwrap().port();
        format!(
            "ldap:\n      url: ldap://127.0.0.1:{port}\n      start_tls: false\n      attempts: 1"
        )
    }

    fn nobody_came(&self) -> bool {
        self.0.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

fn add_directory(root: &Path, from: &str) {
    let path = root.join(DIRECTORIES);
    let text = fs::read_to_string(&path).unwrap();
    let more = format!("  evil:\n    {from}\n    schema: rfc2307\n    base: dc=evil\n");
    fs::write(path, text + &more).unwrap();
}

#[test]
fn people_from_another_file_are_shown_and_the_file_is_not_read() {
    let said = Said::of(|root| {
        let text = fs::read_to_string(root.join(DEBIAN)).unwrap();
        let text = text.replace("uid: eilidh", "uid: mallory");
        fs::write(root.join("inventory/people/mine.ldif"), text).unwrap();
        replace(root, DIRECTORIES, "people/debian.ldif", "people/mine.ldif");
    });
    assert_eq!(said.code, 10);
    assert_eq!(said.first_line(), "Look first: people come from another place");
    assert!(said.heading().contains("reconcile: people come from another place"));
    let line = "people of directory debian come from another file: inventory/people/debian.ldif → \
                inventory/people/mine.ldif  (inventory/directories.yaml:12)";
    assert!(said.text.contains(line) && said.comment.contains(line), "{}", said.text);
    assert!(!said.text.contains("mallory"), "{}", said.text);
}

#[test]
fn a_server_the_branch_names_is_not_asked() {
    let trap = Trap::set();
    let said = Said::of(|root| {
        replace(root, DIRECTORIES, "ldif: inventory/people/debian.ldif", &trap.ldap());
    });
    assert!(trap.nobody_came());
    assert!(said.first_line().starts_with("Look first: people come from another place"));
    assert!(said.text.contains("come from another server: inventory/people/debian.ldif → ldap://"));
}

#[test]
fn a_new_directory_is_not_asked_and_its_people_are_not_nobody() {
    let trap = Trap::set();
    let said = Said::of(|root| {
        add_directory(root, &trap.ldap());
        replace(
            root,
            "inventory/spi/grants.yaml",
            "grants:\n",
            "grants:\n  - group: evil:us\n    role: administrator\n    accounts: [spi-hub]\n    \
             reason: We ask nicely\n",
        );
    });
    assert!(trap.nobody_came());
    assert_eq!(said.code, 4);
    assert!(
        said.first_line().starts_with(
            "Look first: people come from another place; people of 1 directory are not known here"
        ),
        "{}",
        said.text
    );
    for shown in [&said.text, &said.comment] {
        let grant = "evil:us  administrator  who is in it is not known here";
        assert!(shown.contains(grant), "{shown}");
        assert!(shown.contains("directory evil is new: its people come from ldap://"), "{shown}");
        assert!(shown.contains("people of directory evil are not known here ("), "{shown}");
        assert!(!shown.contains("nobody"), "{shown}");
    }
}

#[test]
fn check_never_asks_a_server() {
    let folder = example();
    let trap = Trap::set();
    add_directory(folder.path(), &trap.ldap());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_reconcile"))
        .args(["check", "--root"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(trap.nobody_came());
    assert!(String::from_utf8_lossy(&output.stdout).contains("In order"), "{output:?}");
}

#[test]
fn who_joins_by_the_branch_is_shown() {
    for committed in [false, true] {
        let folder = example();
        let root = folder.path();
        replace(root, DEBIAN, "supplementaryGid: builders", "supplementaryGid: sysadmin");
        if committed {
            commit(root);
        }
        let head: &[&str] = if committed { &["--head", "HEAD"] } else { &[] };
        let base = if committed { "HEAD~1" } else { "HEAD" };
        let (code, text, err) = ran(root, &[&["diff", "--base", base], head].concat());
        assert_eq!(code, 0, "{err}");
        let first = text.lines().next().unwrap();
        assert!(first.contains("privileged rights given, 0 grants"), "{text}");
        let privileged = text.split("\nPrivileged rights given\n").nth(1).unwrap();
        assert!(privileged.contains("administrator  through debian:sysadmin"), "{text}");
        assert!(text.contains("debian.ldif is not the same in all revisions"), "{text}");
    }
}

#[test]
fn a_file_of_people_the_branch_deletes_takes_nothing_from_anybody() {
    let folder = example();
    let root = folder.path();
    git(root, &["rm", "-q", DEBIAN]);
    commit(root);
    for head in [&[][..], &["--head", "HEAD"]] {
        let (code, text, err) = ran(root, &[&["diff", "--base", "HEAD~1"], head].concat());
        assert_eq!(code, 4, "{err}");
        assert!(text.starts_with("Look first: people of 1 directory are not known here"), "{text}");
        assert!(text.contains("people of directory debian are not known here ("), "{text}");
        assert!(!text.contains("suspended in") && !text.contains("nobody"), "{text}");
    }
}

#[test]
fn a_link_in_place_of_the_file_is_not_followed_in_a_revision() {
    let folder = example();
    let root = folder.path();
    fs::rename(root.join(DEBIAN), root.join("people.ldif")).unwrap();
    replace(root, DIRECTORIES, DEBIAN, "people.ldif");
    commit(root);
    fs::remove_file(root.join("people.ldif")).unwrap();
    std::os::unix::fs::symlink("inventory/people/freedesktop.ldif", root.join("people.ldif"))
        .unwrap();
    commit(root);
    let (code, text, _) = ran(root, &["diff", "--base", "HEAD~1", "--head", "HEAD"]);
    assert_eq!(code, 4);
    assert!(text.contains("it is no ordinary file in HEAD"), "{text}");
}

#[test]
fn a_grant_that_goes_is_taken_also_from_people_who_are_not_known() {
    let folder = example();
    let root = folder.path();
    fs::remove_file(root.join("inventory/people/freedesktop.ldif")).unwrap();
    fs::write(root.join("inventory/freedesktop/grants.yaml"), "grants: []\n").unwrap();
    let (code, text, _) = ran(root, &["diff", "--base", "HEAD"]);
    assert_eq!(code, 4);
    assert!(text.contains("- freedesktop:nils     operator"), "{text}");
    assert!(!text.contains("- freedesktop:lysander"), "{text}");
}
