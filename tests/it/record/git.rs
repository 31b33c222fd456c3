//! Which state of the inputs was read.

use std::fs;
use std::path::Path;
use std::process::Command;

use reconcile::record::{InputVersion, input_version};

const FOLDERS: [&str; 2] = ["inventory", "policies"];

fn git(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["-c", "user.name=anna", "-c", "user.email=anna@example.org"])
        .args(arguments)
        .output()
        .expect("git is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    git(root.path(), &["init", "--quiet"]);
    for folder in FOLDERS {
        fs::create_dir(root.path().join(folder)).unwrap();
        fs::write(root.path().join(folder).join("a.yaml"), "a: 1\n").unwrap();
    }
    root
}

#[test]
fn a_commit_is_clean_until_an_input_differs() {
    let root = repository();
    git(root.path(), &["add", "."]);
    git(root.path(), &["commit", "--quiet", "-m", "first"]);
    let commit = git(root.path(), &["rev-parse", "HEAD"]);
    let version = |dirty| InputVersion::Commit { commit: commit.clone(), dirty };
    assert_eq!(input_version(root.path(), &FOLDERS), version(false));
    fs::write(root.path().join("notes.txt"), "not an input").unwrap();
    assert_eq!(input_version(root.path(), &FOLDERS), version(false));
    fs::write(root.path().join("policies/new.yaml"), "b: 1\n").unwrap();
    assert_eq!(input_version(root.path(), &FOLDERS), version(true));
    fs::remove_file(root.path().join("policies/new.yaml")).unwrap();
    fs::write(root.path().join("inventory/a.yaml"), "a: 2\n").unwrap();
    assert_eq!(input_version(root.path(), &FOLDERS), version(true));
}

#[test]
fn no_repository_and_no_commit_are_answers() {
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(input_version(root.path(), &FOLDERS), InputVersion::Unknown { .. }));
    let root = repository();
    assert!(matches!(input_version(root.path(), &FOLDERS), InputVersion::Unknown { .. }));
}
