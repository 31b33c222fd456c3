//! Where it runs from and what it may write.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::site::{Site, files, ran};

#[test]
fn the_root_may_be_written_in_any_way() {
    let site = Site::new();
    let root = site.root();
    let expected = site.run(&["--dry-run"]).ends_with(0).out;
    let slash = format!("{}/", root.display());
    let dots = format!("{}/inventory/../", root.display());
    for (folder, root) in [
        (root.clone(), "."),
        (root.clone(), "./"),
        (root.join("inventory"), ".."),
        (site.path("home"), "../site"),
        (site.path("home"), &slash),
        (site.path("home"), &dots),
    ] {
        let mut command = site.bare(&["--dry-run", "--root", root]);
        let run = ran(command.current_dir(&folder)).ends_with(0);
        assert_eq!(run.out, expected, "{root} from {}", folder.display());
    }
    // The state is then below the root, not where one happens to be.
    let mut command = site.bare(&["--root", "../site/"]);
    ran(command.current_dir(site.path("home"))).ends_with(0);
    assert!(site.root().join(".reconcile/memory.jsonl").exists());
    assert!(files(&site.path("home")).is_empty());
}

#[test]
fn there_is_nothing_here() {
    let site = Site::new();
    let mut command = site.bare(&["--dry-run"]);
    let run = ran(command.current_dir(site.path("home"))).ends_with(2);
    assert!(run.err.contains("inventory"), "{}", run.err);
    let run = ran(&mut site.bare(&["--root", "/nowhere"])).ends_with(2);
    assert!(run.err.contains("inventory"), "{}", run.err);
}

/// Permissions keep out everybody but root, so this one needs somebody else; a file system that
/// is mounted read-only needs root. A folder in /proc is neither writable nor makeable for both.
#[test]
fn a_state_folder_that_cannot_be_made() {
    let site = Site::new();
    let run = ran(&mut site.bare(&["--state", "/proc/self/reconcile"])).ends_with(1);
    assert!(run.err.contains("/proc/self/reconcile"), "{}", run.err);
    assert!(run.err.contains("nothing was changed"), "{}", run.err);
    ran(&mut site.bare(&["--state", "/proc/self/reconcile", "--dry-run"])).ends_with(0);
}

#[test]
fn a_checkout_that_is_only_readable_is_enough() {
    let site = Site::new();
    let folders = ["", "inventory", "inventory/people", "policies", "mirrors"];
    let mode = |mode| {
        for folder in folders {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(site.root().join(folder), permissions).unwrap();
        }
    };
    mode(0o555);
    let before = files(&site.root());
    let run = site.run(&[]);
    mode(0o755);
    run.ends_with(0);
    assert_eq!(files(&site.root()), before);
}

#[test]
fn a_git_checkout_is_named_in_the_record() {
    let site = Site::new();
    let git = "git init -q . && git add -A && git -c user.name=x -c user.email=x@example.org \
               commit -qm first && git rev-parse HEAD";
    let commit = ran(&mut site.shell(git)).ends_with(0).out;
    site.run(&[]).ends_with(0);
    let shown = site.run(&["record", "show", "1"]).ends_with(0);
    assert!(shown.out.contains(&format!("commit {}\n", commit.trim())), "{}", shown.out);
    site.edit("inventory/projects.yaml", "Where desktops meet", "Where desktops are");
    site.run(&[]).ends_with(0);
    let shown = site.run(&["record", "show", "last"]).ends_with(0);
    assert!(shown.out.contains("WITH UNCOMMITTED CHANGES"), "{}", shown.out);
}
