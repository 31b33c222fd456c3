//! A branch that brings the state folder with it: a memory of directories, records, a cloud, links,
//! pipes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

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

/// Whatever the surroundings say to git: known names, names of some version, names of none.
#[test]
fn what_the_surroundings_say_to_git_does_not_reach_it() {
    let site = site();
    git(&site, "add -f .reconcile/directories.json");
    commit(&site);
    let at = |name: &str| site.path(name).display().to_string();
    fs::create_dir(site.path("bin")).unwrap();
    let real = std::env::var("PATH").unwrap();
    // A git that tells what it was told.
    let spy =
        format!("#!/bin/sh\nenv >> '{}'\nPATH='{real}'\nexec git \"$@\"\n", at("environment"));
    fs::write(site.path("bin/git"), spy).unwrap();
    fs::set_permissions(site.path("bin/git"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(site.path("empty-index"), "").unwrap();
    let said = [
        ("GIT_TRACE_PERFORMANCE", at("trace")),
        ("GIT_TRACE_SHALLOW", at("trace")),
        ("GIT_TRACE_REFS", at("trace")),
        ("GIT_TRACE2_EVENT", at("trace")),
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", "alias.ls-files".to_owned()),
        ("GIT_CONFIG_VALUE_0", format!("!touch {}", at("trace"))),
        ("GIT_CONFIG_GLOBAL", at("planted")),
        ("GIT_EXTERNAL_DIFF", format!("touch {}", at("trace"))),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", at("home")),
        ("GIT_INDEX_FILE", at("empty-index")),
        ("GIT_DIR", at("home")),
        ("GIT_OF_SOME_LATER_VERSION", "1".to_owned()),
        ("SSH_ASKPASS", "touch".to_owned()),
    ];
    let path = format!("{}:{real}", at("bin"));
    for arguments in [&["--dry-run"][..], &["diff", "--base", "HEAD"]] {
        let mut command = site.bare(arguments);
        let run = ran(command.envs(said.clone()).env("PATH", &path));
        assert_eq!(run.code, Some(if arguments.len() == 1 { 2 } else { 0 }), "{}", run.text());
        assert!(!site.path("trace").exists(), "{arguments:?}");
        let told = fs::read_to_string(site.path("environment")).unwrap();
        for (name, value) in &said {
            assert!(!told.contains(&format!("{name}={value}\n")), "{arguments:?}: {name}");
        }
        assert!(told.contains("GIT_OPTIONAL_LOCKS=0\n") && told.contains("HOME="), "{told}");
        fs::remove_file(site.path("environment")).unwrap();
    }
}

#[test]
fn a_repository_that_cannot_be_asked_is_not_trusted() {
    let site = site();
    fs::write(site.root().join(".git/HEAD"), "").unwrap();
    refused(&site, &["--dry-run"], &["whether git tracks something there is not known"]);
}

#[test]
fn without_git_nobody_can_be_asked_and_nothing_in_a_repository_is_believed() {
    let site = site();
    let without = |command: &mut Command| ran(command.env("PATH", site.path("home")));
    for arguments in COMMANDS {
        let run = without(&mut site.bare(arguments)).ends_with(2);
        assert_eq!(run.out, "", "{arguments:?}");
        assert!(run.err.contains("is not installed"), "{arguments:?}: {}", run.err);
        assert!(run.err.contains("install git, or name a folder"), "{arguments:?}: {}", run.err);
    }
    // Elsewhere it is the operator's; and what is in no repository comes from none.
    without(&mut site.command(&["--dry-run"])).ends_with(0);
    fs::remove_dir_all(site.root().join(".git")).unwrap();
    without(&mut site.bare(&["--dry-run"])).ends_with(0);
    // A work tree of another repository has a file of that name.
    site.write("../.git", "gitdir: elsewhere");
    without(&mut site.bare(&["--dry-run"])).ends_with(2);
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
