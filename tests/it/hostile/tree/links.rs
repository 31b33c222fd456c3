//! Names below the root that lead out of it, or to what never ends.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use reconcile::folder::{OpenError, open_inside};
use reconcile::inventory::{SourceTree, read_folder};
use tempfile::TempDir;

use crate::inventory::files::{organisation, write};

pub(in crate::hostile) fn pipe(at: &Path) {
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, at, kind, mode, 0).unwrap();
}

/// What `check` says of an organisation whose people are in `path`.
fn checked(root: &Path, path: &str) -> String {
    let text = fs::read_to_string(root.join("inventory/base.yaml")).unwrap();
    write(root, "inventory/base.yaml", text.replace("people.ldif", path));
    let output = Command::new(env!("CARGO_BIN_EXE_reconcile"))
        .args(["check", "--root"])
        .arg(root)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const SECRET: &str = "dn: uid=secret,dc=example\n\n";

#[test]
fn people_behind_a_link() {
    let folder = organisation();
    let outside = TempDir::new().unwrap();
    write(outside.path(), "people.ldif", SECRET);
    symlink(outside.path().join("people.ldif"), folder.path().join("inventory/people.ldif"))
        .unwrap();
    let said = checked(folder.path(), "inventory/people.ldif");
    assert!(said.contains("`people.ldif` is a symbolic link"), "{said}");
}

#[test]
fn people_behind_a_folder_that_is_a_link() {
    let folder = organisation();
    let outside = TempDir::new().unwrap();
    write(outside.path(), "deep/people.ldif", SECRET);
    symlink(outside.path(), folder.path().join("inventory/a")).unwrap();
    let said = checked(folder.path(), "inventory/a/deep/people.ldif");
    assert!(said.contains("`a` is a symbolic link"), "{said}");
    // Also one that comes back in.
    symlink(".", folder.path().join("inventory/b")).unwrap();
    write(folder.path(), "inventory/people.ldif", SECRET);
    let error = open_inside(folder.path(), Path::new("inventory/b/people.ldif")).unwrap_err();
    assert!(matches!(error, OpenError::Link(_)), "{error}");
}

#[test]
fn people_behind_a_top_folder_that_is_a_link() {
    let folder = organisation();
    let outside = TempDir::new().unwrap();
    write(outside.path(), "people.ldif", SECRET);
    symlink(outside.path(), folder.path().join("data")).unwrap();
    let said = checked(folder.path(), "data/people.ldif");
    assert!(said.contains("`data` is a symbolic link"), "{said}");
}

#[test]
fn people_in_a_pipe_a_socket_or_a_folder() {
    let folder = organisation();
    pipe(&folder.path().join("inventory/pipe.ldif"));
    let _listener = UnixListener::bind(folder.path().join("inventory/socket.ldif")).unwrap();
    fs::create_dir(folder.path().join("inventory/folder.ldif")).unwrap();
    for name in ["pipe", "socket", "folder"] {
        let path = format!("inventory/{name}.ldif");
        let error = open_inside(folder.path(), Path::new(&path)).unwrap_err();
        assert!(matches!(error, OpenError::NotRegular), "{name}: {error}");
    }
    let said = checked(folder.path(), "inventory/pipe.ldif");
    assert!(said.contains("not a regular file"), "{said}");
}

#[test]
fn files_that_are_pipes_or_sockets() {
    let folder = organisation();
    pipe(&folder.path().join("inventory/pipe.yaml"));
    pipe(&folder.path().join("policies/pipe.xml"));
    let _listener = UnixListener::bind(folder.path().join("inventory/socket.yaml")).unwrap();
    let tree = read_folder(folder.path());
    let codes: Vec<&str> = tree.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["not-a-file"; 3]);
}

#[test]
fn paths_that_lead_out() {
    let folder = organisation();
    write(folder.path(), "inside/x", "");
    for path in ["../x", "inside/../../x", "/etc/passwd", "..", "", ".", "inside/..", "/"] {
        let error = open_inside(&folder.path().join("inside"), Path::new(path)).unwrap_err();
        assert!(matches!(error, OpenError::Outside), "{path}: {error}");
    }
    assert!(open_inside(folder.path(), Path::new("./inside/./x")).is_ok());
    let error = open_inside(folder.path(), Path::new("inside/x/y")).unwrap_err();
    assert!(matches!(error, OpenError::NotAFolder(_)), "{error}");
}

/// Whoever exchanges a file or folder for a link between two looks gets nothing by it.
#[test]
fn a_file_that_is_exchanged_while_it_is_opened() {
    let folder = organisation();
    let outside = TempDir::new().unwrap();
    write(outside.path(), "x.yaml", "secret");
    let root = folder.path();
    write(root, "inventory/a/x.yaml", "honest");
    symlink(outside.path(), root.join("inventory/link")).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (good, link) = (root.join("inventory/a"), root.join("inventory/link"));
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            while !over.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(rustix::fs::CWD, &good, rustix::fs::CWD, &link, flags)
                    .unwrap();
            }
        });
        let mut read = 0;
        for _ in 0..500 {
            if let Ok(file) = open_inside(root, Path::new("inventory/a/x.yaml")) {
                assert_eq!(std::io::read_to_string(file).unwrap(), "honest");
                read += 1;
            }
            let tree = if read % 50 == 0 { read_folder(root) } else { SourceTree::default() };
            for (path, bytes) in &tree.files {
                assert_ne!(bytes, b"secret", "{path}");
            }
        }
        over.store(true, Ordering::Relaxed);
        assert!(read > 0, "it was never read");
    });
}

/// Many folders in a folder that is deep: each is opened from the root on, which is bounded.
#[test]
fn folders_that_are_many_and_deep() {
    let folder = organisation();
    let deep = format!("inventory/{}", "d/".repeat(400));
    fs::create_dir_all(folder.path().join(&deep)).unwrap();
    for number in 0..300 {
        fs::create_dir(folder.path().join(&deep).join(number.to_string())).unwrap();
    }
    let tree = read_folder(folder.path());
    assert!(tree.findings.iter().any(|finding| finding.code == "too-much"), "{:?}", tree.findings);
}
