//! Reading a revision from git.

use std::fs;
use std::path::Path;
use std::process::Command;

use reconcile::git::GitError;
use reconcile::inventory::{read_folder, read_revision};

use super::files::{organisation, write};

fn git(root: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args([
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.org",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

fn commit(root: &Path) {
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "a state"]);
}

#[test]
fn a_revision_is_what_the_folder_was() {
    let folder = organisation();
    let root = folder.path();
    git(root, &["init", "-q"]);
    for number in 0..300 {
        write(root, &format!("inventory/many/{number}.yaml"), format!("# {}\n", "x".repeat(1000)));
    }
    write(root, "inventory/with blank.yaml", "projects: {}\n");
    write(root, "inventory/with\nline.yaml", "projects: {}\n");
    write(root, "inventory/x.yaml.orig", "");
    commit(root);
    let then = read_folder(root);
    fs::remove_dir_all(root.join("inventory/many")).unwrap();
    write(root, "inventory/base.yaml", "projects: {}\n");
    commit(root);
    let now = read_folder(root);

    let mut earlier = read_revision(root, "HEAD~1").unwrap();
    assert_eq!(earlier.files, then.files);
    earlier.findings.sort();
    assert_eq!(earlier.findings, then.findings);
    assert_eq!(read_revision(root, "HEAD").unwrap().files, now.files);
}

#[test]
fn the_root_may_be_a_folder_of_a_larger_repository() {
    let folder = organisation();
    let root = folder.path().join("part");
    fs::create_dir(&root).unwrap();
    for name in ["inventory", "policies"] {
        fs::rename(folder.path().join(name), root.join(name)).unwrap();
    }
    write(folder.path(), "inventory/other.yaml", "projects: {}\n");
    git(folder.path(), &["init", "-q"]);
    commit(folder.path());
    let tree = read_revision(&root, "HEAD").unwrap();
    assert_eq!(tree.files, read_folder(&root).files);
    assert_eq!(tree.findings, []);
}

#[test]
fn what_a_folder_refuses_a_revision_refuses() {
    let folder = organisation();
    let root = folder.path();
    std::os::unix::fs::symlink("/etc/passwd", root.join("inventory/link.yaml")).unwrap();
    fs::File::create(root.join("inventory/huge.yaml")).unwrap().set_len(20 << 20).unwrap();
    fs::remove_dir_all(root.join("policies")).unwrap();
    git(root, &["init", "-q"]);
    commit(root);
    let tree = read_revision(root, "HEAD").unwrap();
    let codes: Vec<&str> = tree.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["too-large", "symbolic-link", "no-folder"]);
    assert_eq!(tree.files.len(), 1);
}

#[test]
fn names_that_are_no_revisions() {
    let folder = organisation();
    let root = folder.path();
    assert!(matches!(read_revision(root, "HEAD"), Err(GitError::NoRepository(_))), "no repository");
    git(root, &["init", "-q"]);
    commit(root);
    for name in ["--output=/tmp/x", "-h", "", "HEAD\n--all"] {
        assert!(matches!(read_revision(root, name), Err(GitError::BadName(_))), "{name}");
    }
    for name in ["gone", "HEAD~9", "HEAD:inventory", "$(touch x)", "HEAD..HEAD"] {
        let error = read_revision(root, name).unwrap_err();
        assert!(matches!(error, GitError::NoCommit { .. }), "{name}: {error}");
    }
    assert!(!root.join("x").exists());
}
