//! Reading folders that are not what they should be.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use reconcile::inventory::{MAX_FILE_BYTES, load, read_folder};
use tempfile::TempDir;

use super::{TODAY, vendor::vendors};

/// A folder with an organisation in it.
pub fn organisation() -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "inventory/base.yaml", super::ORGANISATION);
    write(folder.path(), "policies/base.yaml", super::POLICIES);
    folder
}

pub fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// File and code of every finding.
fn found(root: &Path) -> Vec<(String, String)> {
    let findings = load(&read_folder(root), &vendors(), TODAY).findings;
    let mut found: Vec<(String, String)> = findings
        .into_iter()
        .map(|finding| {
            (finding.source.map(|source| source.to_string()).unwrap_or_default(), finding.code)
        })
        .collect();
    found.sort();
    found
}

fn pair(file: &str, code: &str) -> (String, String) {
    (file.into(), code.into())
}

#[test]
fn only_files_with_the_right_ending_are_read() {
    let folder = organisation();
    let root = folder.path();
    write(root, "inventory/README.md", "not: [yaml");
    write(root, "inventory/people.ldif", "dn: x");
    write(root, "inventory/.hidden.yaml", "not: [yaml");
    write(root, "inventory/.git/x.yaml", "not: [yaml");
    write(root, "inventory/a/b/c.yml", "projects: {deep: {}}\n");
    write(root, "inventory/x.YAML", "not: [yaml");
    write(root, "inventory/x.yaml.orig", "not: [yaml");
    write(root, "inventory/x.yaml~", "not: [yaml");
    write(root, "inventory/x.yam", "not: [yaml");
    write(root, "policies/x.ymal", "not: [yaml");
    write(root, "mirrors/README.md", "not: [yaml");
    write(root, "mirrors/europe.yaml", "not: [yaml");
    write(root, "elsewhere/x.yaml", "not: [yaml");
    assert_eq!(
        found(root),
        [
            pair("inventory/x.YAML", "almost-yaml"),
            pair("inventory/x.yam", "almost-yaml"),
            pair("inventory/x.yaml.orig", "almost-yaml"),
            pair("inventory/x.yaml~", "almost-yaml"),
            pair("mirrors/europe.yaml:1", "grammar"),
            pair("mirrors/europe.yaml:1", "unknown-key"),
            pair("policies/x.ymal", "almost-yaml"),
        ]
    );
    assert!(load(&read_folder(root), &vendors(), TODAY).inventory.projects.contains_key("deep"));
}

#[test]
fn folders_that_are_not_there_or_empty() {
    let folder = TempDir::new().unwrap();
    assert_eq!(
        found(folder.path()),
        [pair("inventory", "no-folder"), pair("policies", "no-folder")]
    );
    assert_eq!(
        found(&folder.path().join("gone")),
        [pair("inventory", "no-folder"), pair("policies", "no-folder")]
    );
    fs::create_dir(folder.path().join("inventory")).unwrap();
    fs::write(folder.path().join("policies"), "").unwrap();
    assert_eq!(
        found(folder.path()),
        [pair("inventory", "no-files"), pair("policies", "not-a-folder")]
    );
}

#[test]
fn symbolic_links_are_refused_wherever_they_point() {
    let folder = organisation();
    let root = folder.path();
    write(root, "outside.yaml", "projects: {secret: {}}\n");
    write(root, "outside/x.yaml", "projects: {secret: {}}\n");
    symlink("../outside.yaml", root.join("inventory/a.yaml")).unwrap();
    symlink("/etc/passwd", root.join("inventory/b.yaml")).unwrap();
    symlink("base.yaml", root.join("inventory/c.yaml")).unwrap();
    symlink("..", root.join("inventory/loop")).unwrap();
    symlink("nowhere", root.join("inventory/dangling.yaml")).unwrap();
    symlink("../outside", root.join("inventory/folder")).unwrap();
    let links = ["a.yaml", "b.yaml", "c.yaml", "dangling.yaml", "folder", "loop"];
    let expected: Vec<_> =
        links.iter().map(|link| pair(&format!("inventory/{link}"), "symbolic-link")).collect();
    assert_eq!(found(root), expected);

    let folder = TempDir::new().unwrap();
    symlink(root.join("inventory"), folder.path().join("inventory")).unwrap();
    write(folder.path(), "policies/x.yaml", "grace_days: 3\n");
    assert_eq!(found(folder.path()), [pair("inventory", "symbolic-link")]);
}

#[test]
fn what_is_not_a_regular_file_is_not_opened() {
    let folder = organisation();
    let pipe = folder.path().join("inventory/pipe.yaml");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    fs::create_dir(folder.path().join("inventory/folder.yaml")).unwrap();
    // Opening a pipe would wait for a writer.
    assert_eq!(found(folder.path()), [pair("inventory/pipe.yaml", "not-a-file")]);
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let folder = organisation();
    let file = fs::File::create(folder.path().join("inventory/huge.yaml")).unwrap();
    file.set_len(200 << 20).unwrap();
    let started = Instant::now();
    let tree = read_folder(folder.path());
    assert!(started.elapsed() < Duration::from_secs(1), "it was read: {:?}", started.elapsed());
    assert!(!tree.files.contains_key("inventory/huge.yaml"));
    assert_eq!(found(folder.path()), [pair("inventory/huge.yaml", "too-large")]);

    file.set_len(MAX_FILE_BYTES).unwrap();
    let tree = read_folder(folder.path());
    assert_eq!(tree.files["inventory/huge.yaml"].len() as u64, MAX_FILE_BYTES);
    file.set_len(MAX_FILE_BYTES + 1).unwrap();
    assert!(!read_folder(folder.path()).files.contains_key("inventory/huge.yaml"));
}

#[test]
fn names_that_are_not_utf_8() {
    let folder = organisation();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.yaml");
    fs::write(folder.path().join("inventory").join(name), "projects: {}\n").unwrap();
    assert_eq!(found(folder.path()), [pair("inventory/caf\u{fffd}.yaml", "name-not-utf-8")]);
}

#[test]
fn names_that_would_move_the_cursor() {
    let folder = organisation();
    write(folder.path(), "inventory/\u{1b}[2J\nx.yaml", "projects: {}\n");
    assert_eq!(found(folder.path()), [pair("inventory/\\u{1b}[2J\\u{a}x.yaml", "bad-file-name")]);
}

#[test]
fn folders_in_folders_in_folders() {
    let folder = organisation();
    let mut path = folder.path().join("inventory");
    for _ in 0..400 {
        path.push("x");
    }
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("x.yaml"), "projects: {deep: {}}\n").unwrap();
    let tree = read_folder(folder.path());
    assert!(load(&tree, &vendors(), TODAY).inventory.projects.contains_key("deep"));
}
