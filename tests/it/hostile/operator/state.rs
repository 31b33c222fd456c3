//! A branch that brings the state folder with it: a memory of directories, records, a cloud, links,
//! pipes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::branch::git;
use crate::cli::site::{Ran, Site, ran};
use crate::hostile::tree::links::pipe;

/// Every command that reads or writes something in the state folder.
const COMMANDS: [&[&str]; 12] = [
    &[],
    &["--dry-run"],
    &["plan"],
    &["plan", "--out", "../saved.json"],
    &["apply", "../saved.json"],
    &["adopt", "spi-hub", "user", "eilidh"],
    &["adopt", "spi-hub", "user", "eilidh", "--yes"],
    &["explain", "eilidh"],
    &["permissions", "memory"],
    &["record", "list"],
    &["record", "show", "last"],
    &["record", "verify"],
];

/// A site whose state is where it is by default, after a run and a saved plan.
fn site() -> Site {
    let site = Site::new();
    site.write(".gitignore", "/.reconcile/\n");
    git(&site, "init -q . && git add .");
    commit(&site);
    ran(&mut site.bare(&[])).ends_with(0);
    ran(&mut site.bare(&["plan", "--out", "../saved.json"])).ends_with(0);
    site
}

fn commit(site: &Site) {
    git(site, "-c user.name=x -c user.email=x@x commit -qm x");
}

#[track_caller]
fn refused(site: &Site, arguments: &[&str], words: &[&str]) -> Ran {
    let ran = ran(&mut site.bare(arguments));
    assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.text());
    assert_eq!(ran.out, "", "{arguments:?}");
    for word in words {
        assert!(ran.err.contains(word), "{arguments:?}: {word}: {}", ran.err);
    }
    ran
}

#[test]
fn what_a_branch_commits_there_is_not_believed_by_any_command() {
    let site = site();
    git(&site, "add -f .reconcile/directories.json");
    commit(&site);
    for arguments in COMMANDS {
        let words = ["git tracks .reconcile/directories.json", "git rm -r --cached", "--state"];
        refused(&site, arguments, &words);
    }
    // These read nothing there, and review branches.
    ran(&mut site.bare(&["check"])).ends_with(0);
    ran(&mut site.bare(&["diff", "--base", "HEAD"])).ends_with(0);
    // Elsewhere it is the operator's.
    site.run(&["--dry-run"]).ends_with(0);
}

#[test]
fn the_index_alone_and_the_commit_alone_are_enough() {
    let site = site();
    let words = ["git tracks .reconcile/memory.jsonl"];
    git(&site, "add -f .reconcile/memory.jsonl");
    refused(&site, &["--dry-run"], &words);
    commit(&site);
    git(&site, "rm -q --cached .reconcile/memory.jsonl");
    refused(&site, &["--dry-run"], &words);
    commit(&site);
    ran(&mut site.bare(&["--dry-run"])).ends_with(0);
}

#[test]
fn also_where_the_root_is_a_folder_of_a_larger_repository_and_before_its_first_commit() {
    let site = Site::new();
    git(&site, "init -q ..");
    ran(&mut site.bare(&[])).ends_with(0);
    git(&site, "add -f .reconcile/directories.json");
    refused(&site, &["--dry-run"], &["git tracks site/.reconcile/directories.json"]);
    git(&site, "rm -q --cached .reconcile/directories.json");
    ran(&mut site.bare(&["--dry-run"])).ends_with(0);
}

#[test]
fn a_link_in_the_repository_leads_to_no_state() {
    for (link, state) in [
        (".reconcile", None),
        ("deep", Some("deep/state")),
        (".reconcile/locks", None),
        (".reconcile/records", None),
    ] {
        let site = Site::new();
        let elsewhere = site.path("elsewhere");
        fs::create_dir_all(elsewhere.join("state")).unwrap();
        let at = site.root().join(link);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(&elsewhere, &at).unwrap();
        for arguments in [&[][..], &["--dry-run"], &["record", "verify"]] {
            let state = state.map_or(vec![], |state| vec!["--state", state]);
            let arguments = [arguments, &state].concat();
            refused(&site, &arguments, &["is a symbolic link", link, "--state"]);
        }
        assert_eq!(fs::read_dir(elsewhere.join("state")).unwrap().count(), 0);
    }
}

#[test]
fn a_repository_that_cannot_be_asked_is_not_trusted() {
    let site = site();
    fs::write(site.root().join(".git/HEAD"), "").unwrap();
    refused(&site, &["--dry-run"], &["whether git tracks something there is not known"]);
}

#[test]
fn without_git_it_is_said_that_nobody_knows() {
    let site = site();
    let run = ran(site.bare(&["--dry-run"]).env("PATH", site.path("home"))).ends_with(0);
    assert!(run.err.contains("git is not installed"), "{}", run.err);
    let run = ran(site.command(&["--dry-run"]).env("PATH", site.path("home"))).ends_with(0);
    assert!(!run.err.contains("git is not installed"), "{}", run.err);
}

/// Wherever the state folder is, and whoever put them there: nothing waits, nothing is followed.
#[test]
fn a_pipe_or_a_link_is_no_state() {
    let site = Site::applied();
    for name in [
        "directories.json",
        "directories.lock",
        "memory.jsonl",
        "memory.jsonl.lock",
        "records/index.jsonl",
        "records/head",
        "locks/spi.lock",
    ] {
        for planted in [pipe as fn(&Path), |at| symlink("/dev/zero", at).unwrap()] {
            let (at, aside) = (site.state().join(name), site.path("aside"));
            fs::rename(&at, &aside).unwrap();
            planted(&at);
            let run = site.run(&[]);
            assert!(run.code.is_some_and(|code| code != 0), "{name}: {}", run.text());
            let told = ["symbolic link", "not a regular file", "not a head"];
            assert!(told.iter().any(|one| run.err.contains(one)), "{name}: {}", run.text());
            assert!(run.err.contains(&*at.to_string_lossy()), "{name}: {}", run.err);
            fs::rename(&aside, &at).unwrap();
        }
    }
    site.run(&["record", "verify"]).ends_with(0);
    let records = fs::read_dir(site.state().join("records")).unwrap();
    let run = records
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("/000001-"))
        .unwrap();
    for planted in [pipe as fn(&Path), |at| symlink("/dev/zero", at).unwrap()] {
        fs::remove_file(&run).unwrap();
        planted(&run);
        let verified = site.run(&["record", "verify"]).ends_with(9);
        assert!(verified.out.contains("is not a regular file"), "{}", verified.out);
    }
}
