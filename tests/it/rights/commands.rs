//! `explain` and `diff` as people call them, on copies of the example organisation.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use insta::assert_snapshot;

const TODAY: &str = "2026-11-22";

/// A copy of the example organisation, committed.
pub(crate) fn example() -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    copy_example(folder.path());
    git(folder.path(), &["init", "-q", "-b", "main"]);
    commit(folder.path());
    folder
}

fn copy_example(to: &Path) {
    for name in ["inventory", "policies", "mirrors"] {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), &to.join(name));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

pub(crate) fn git(root: &Path, arguments: &[&str]) {
    let identity = ["user.name=Test", "user.email=test@example.org", "commit.gpgsign=false"];
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(identity.iter().flat_map(|one| ["-c", one]))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

pub(crate) fn commit(root: &Path) {
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "--allow-empty", "-m", "a state"]);
}

pub(crate) fn replace(root: &Path, file: &str, from: &str, to: &str) {
    let path = root.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn reconcile(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reconcile"))
        .args(arguments)
        .args(["--root"])
        .arg(root)
        .args(["--today", TODAY])
        .env_remove("RECONCILE_ROOT")
        .output()
        .unwrap()
}

/// Exit code, stdout, stderr.
pub(crate) fn ran(root: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = reconcile(root, arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn explained(name: &str) -> String {
    let (code, out, err) = ran(Path::new(env!("CARGO_MANIFEST_DIR")), &["explain", name]);
    assert_eq!((code, err.as_str()), (0, ""), "{name}");
    out
}

#[test]
fn people_groups_and_accounts_of_the_example() {
    for (snapshot, name) in [
        ("explain_administrator", "debian:amara"),
        ("explain_without_key", "vidya"),
        ("explain_departed", "xiomara"),
        ("explain_expired_guest", "joaquin"),
        ("explain_role_account", "build-daemon"),
        ("explain_group", "debian:mirrors"),
        ("explain_service", "mirror-push"),
        ("explain_account", "harbour-archive"),
    ] {
        assert_snapshot!(snapshot, explained(name));
    }
}

#[test]
fn an_explanation_for_scripts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, out, _) = ran(root, &["explain", "vidya", "--format", "json"]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["format"], "reconcile-explain/1");
    assert_eq!(json["explained"]["person"]["rights"][0]["role"], "operator");
    assert_snapshot!("explain_json", out);
}

#[test]
fn a_name_that_is_not_clear_or_not_known() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, out, err) = ran(root, &["explain", "amara"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("person:debian:2001  (debian:amara)\n    person:freedesktop:"), "{err}");
    let (code, _, err) = ran(root, &["explain", "debian:amarra"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `debian:amara`?"), "{err}");
}

#[test]
fn what_a_directory_did_not_tell_is_not_denied() {
    let folder = example();
    let root = folder.path();
    fs::remove_file(root.join("inventory/people/freedesktop.ldif")).unwrap();
    let (code, out, _) = ran(root, &["explain", "vidya"]);
    assert_eq!(code, 4);
    assert!(out.contains("Not read completely"), "{out}");
    let (code, _, err) = ran(root, &["explain", "freedesktop:nils"]);
    assert_eq!(code, 4, "{err}");
    let (code, out, _) = ran(root, &["diff", "--base", "HEAD", "--detailed-exitcode"]);
    assert_eq!(code, 4);
    assert!(out.starts_with("Look first: people of 1 directory are not known here\n"), "{out}");
    assert!(out.contains("no grant is given or taken, as far as could be read"), "{out}");
}

/// One of every sort of change.
fn change(root: &Path) {
    let debian = "inventory/debian/grants.yaml";
    replace(
        root,
        debian,
        "group: debian:security\n    role: publisher",
        "group: debian:guest\n    role: publisher",
    );
    replace(root, debian, "2027-06-30", "2028-06-30");
    replace(root, "inventory/archlinux/grants.yaml", "role: publisher", "role: auditor");
    fs::write(root.join("inventory/freedesktop/grants.yaml"), "grants: []\n").unwrap();
    let roles = "policies/roles.yaml";
    replace(root, roles, "[storage:read, storage:write]", "[storage:read]");
    let organisations = "inventory/organisations.yaml";
    replace(root, organisations, "archlinux-lab:", "archlinux-new:");
    replace(root, "inventory/archlinux/grants.yaml", "archlinux-lab", "archlinux-new");
    replace(root, organisations, "minimum: 2", "minimum: 1");
}

#[test]
fn a_change_as_text_json_and_comment() {
    let folder = example();
    let root = folder.path();
    change(root);
    let (code, out, err) = ran(root, &["diff", "--base", "HEAD"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_snapshot!("diff_text", out);
    let comment = ran(root, &["diff", "--base", "HEAD", "--format", "markdown"]).1;
    assert_snapshot!("diff_markdown", comment);
    let json = ran(root, &["diff", "--base", "HEAD", "--format", "json"]).1;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["format"], "reconcile-diff/2");
    assert_snapshot!("diff_json_added", format!("{:#}", json["difference"]["added"][0]));
    assert_eq!(ran(root, &["diff", "--base", "HEAD", "--detailed-exitcode"]).0, 10);

    // The same between two commits, in a root that is a folder of a larger repository.
    commit(root);
    let (_, commits, _) = ran(root, &["diff", "--base", "HEAD~1", "--head", "HEAD"]);
    let without_sides = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("HEAD"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without_sides(&commits), without_sides(&out));
}

#[test]
fn nothing_changed() {
    let folder = example();
    let (code, out, err) = ran(folder.path(), &["diff", "--base", "main", "--detailed-exitcode"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "main → the files as they are\nnobody gets or loses anything\n");
}

#[test]
fn the_root_may_be_a_folder_of_a_larger_repository() {
    let folder = tempfile::TempDir::new().unwrap();
    let root = folder.path().join("part");
    copy_example(&root);
    git(folder.path(), &["init", "-q"]);
    commit(folder.path());
    change(&root);
    replace(
        &root,
        "inventory/people/debian.ldif",
        "supplementaryGid: builders",
        "supplementaryGid: security",
    );
    let (code, out, err) = ran(&root, &["diff", "--base", "HEAD"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("suspended"), "{out}");
    let note = "inventory/people/debian.ldif is not the same in all revisions";
    assert!(out.contains(note) && !out.contains("freedesktop.ldif is not"), "{out}");
}

#[test]
fn revisions_that_do_not_exist_and_no_repository() {
    let folder = example();
    for arguments in [["--base", "gone"], ["--base", "--head"], ["--base", "HEAD~9"]] {
        let (code, out, err) = ran(folder.path(), &[&["diff"][..], &arguments].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
    }
    let (code, _, err) = ran(folder.path(), &["diff", "--base", "HEAD", "--head", "gone"]);
    assert_eq!(code, 2);
    assert!(err.contains("no commit `gone`") && err.contains("hint: "), "{err}");
    let bare = tempfile::TempDir::new().unwrap();
    copy_example(bare.path());
    let (code, _, err) = ran(bare.path(), &["diff", "--base", "HEAD"]);
    assert_eq!(code, 2);
    assert!(err.contains("is in no repository of git"), "{err}");
}

#[test]
fn errors_of_either_side() {
    let folder = example();
    let root = folder.path();
    let good = fs::read_to_string(root.join("inventory/harbour/grants.yaml")).unwrap();
    replace(root, "inventory/harbour/grants.yaml", "role: administrator", "role: adminstrator");
    let (code, out, err) = ran(root, &["diff", "--base", "HEAD"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("unknown role `adminstrator`"), "{err}");

    // The broken state is history, and the repair is what is looked at.
    commit(root);
    fs::write(root.join("inventory/harbour/grants.yaml"), good).unwrap();
    let (code, out, err) = ran(root, &["diff", "--base", "HEAD"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("unknown role `adminstrator`"), "{err}");
    assert!(out.contains("counts as not written"), "{out}");
    assert!(out.contains("+ freedesktop:"), "{out}");
}

#[test]
fn what_leaves_the_inventory_is_not_said_to_be_suspended() {
    let folder = example();
    let root = folder.path();
    let organisations = fs::read_to_string(root.join("inventory/organisations.yaml")).unwrap();
    let (first, _) = organisations.split_once("  # A second organisation").unwrap();
    fs::write(root.join("inventory/organisations.yaml"), first).unwrap();
    fs::write(root.join("inventory/harbour/grants.yaml"), "grants: []\n").unwrap();
    for (file, from) in [
        (
            "policies/limits.yaml",
            "  per_organisation:\n    harbour:\n      users: {count: 1, floor: 1}\n",
        ),
        (
            "policies/protected.yaml",
            "  - user: rescue\n    account: harbour-hub\n    break_glass: true\n    reason: The way in when the directory is gone; the envelope is in the harbour office\n",
        ),
        (
            "policies/rights.yaml",
            "  - path: inventory/harbour\n    define: [grants, service_accounts]\n    roles: [\"*\"]\n    accounts: [\"harbour-*\"]\n",
        ),
    ] {
        replace(root, file, from, "");
    }
    let (code, out, err) = ran(root, &["diff", "--base", "HEAD"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains(" 0 suspended") && out.contains("no longer looked after in harbour/"),
        "{out}"
    );
    assert!(out.contains("leaves the inventory: what is there stays as it is"), "{out}");
}
