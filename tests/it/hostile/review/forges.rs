//! The commands of the README for merge requests, as a forge runs them for a fork: without a secret.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::rights::commands::{commit, example, git, replace};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// The commands of one fenced block of the section on merge requests.
fn commands(forge: &str) -> Vec<String> {
    let readme = fs::read_to_string(README).unwrap();
    let section = readme.split("\n## In merge requests\n").nth(1).expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let block = section
        .split("```yaml\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .find(|block| block.starts_with(&format!("# {forge}")))
        .expect("the forge has a block");
    let commands: Vec<String> = block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "))
        .map(|line| line.strip_prefix("run: ").unwrap_or(line).to_owned())
        .filter(|line| line.contains("reconcile"))
        .collect();
    assert_eq!(commands.len(), 2, "{block}");
    commands
}

/// Runs a command as runners do, with nothing in its surroundings but what a forge gives a fork.
fn run(root: &Path, command: &str, variables: &[(&str, &str)]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_reconcile")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", command])
        .current_dir(root)
        .env_clear()
        .env("PATH", path)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// A target branch, a branch with a change, and the merge of both checked out, as GitHub does;
/// the commit both have in common.
fn merge_request(change: impl FnOnce(&Path)) -> (tempfile::TempDir, String) {
    let folder = example();
    let root = folder.path();
    git(root, &["checkout", "-q", "-b", "theirs"]);
    change(root);
    commit(root);
    git(root, &["checkout", "-q", "main"]);
    git(root, &["commit", "-q", "--allow-empty", "-m", "the target goes on"]);
    git(root, &["merge", "-q", "--no-ff", "-m", "merge", "theirs"]);
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["merge-base", "HEAD^1", "theirs"])
        .output()
        .unwrap();
    let base = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    (folder, base)
}

/// The comment that each forge's commands make, and the code of the last one.
fn comments(change: impl Fn(&Path)) -> Vec<(i32, String)> {
    let mut made = Vec::new();
    for forge in ["GitLab", "GitHub"] {
        let (folder, base) = merge_request(&change);
        let root = folder.path();
        let summary: PathBuf = root.join(".summary.md");
        let variables = match forge {
            "GitLab" => [("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.as_str())],
            _ => [("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())],
        };
        let mut code = 0;
        for command in commands(forge) {
            let output = run(root, &command, &variables);
            code = output.status.code().unwrap();
            assert!(
                code == 0 || (forge == "GitLab" && code == 4 && command.contains(" diff ")),
                "{forge}: {command}: {output:?}"
            );
        }
        let place = if forge == "GitLab" { root.join("comment.md") } else { summary };
        made.push((code, fs::read_to_string(place).unwrap()));
    }
    made
}

#[test]
fn an_ordinary_branch_of_a_fork() {
    for (code, comment) in comments(|root| {
        let grants = "inventory/archlinux/grants.yaml";
        replace(root, grants, "role: publisher", "role: auditor");
    }) {
        assert_eq!(code, 0);
        assert!(comment.contains("+ debian:leilani  auditor"), "{comment}");
    }
}

#[test]
fn a_hostile_branch_of_a_fork() {
    for (_, comment) in comments(|root| {
        fs::write(root.join("policies/protected.yaml"), "protected: []\n").unwrap();
        replace(root, "policies/limits.yaml", "count: 10,", "count: 500,");
    }) {
        let heading = comment.lines().nth(1).unwrap();
        assert!(heading.contains("2 protections removed; 1 limit opened"), "{heading}");
    }
}

/// A port nobody listens on.
fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_directory_only_a_secret_opens() {
    let folder = example();
    let root = folder.path();
    let ldap = format!(
        "ldap:\n      url: ldap://127.0.0.1:{}\n      start_tls: false\n      attempts: 1",
        closed_port()
    );
    let directories = "inventory/directories.yaml";
    replace(root, directories, "ldif: inventory/people/freedesktop.ldif", &ldap);
    commit(root);
    replace(root, "inventory/harbour/grants.yaml", "role: publisher", "role: administrator");
    replace(root, "policies/grace.yaml", "grace_days: 30", "grace_days: 0");
    for (forge, variable) in
        [("GitLab", "CI_MERGE_REQUEST_DIFF_BASE_SHA"), ("GitHub", "GITHUB_STEP_SUMMARY")]
    {
        // Here the base is the commit that is checked out.
        let command = commands(forge).pop().unwrap().replace("HEAD^1", "HEAD");
        let value = if forge == "GitLab" { "HEAD" } else { "comment.md" };
        let output = run(root, &command, &[(variable, value)]);
        let code = output.status.code().unwrap();
        assert_eq!(code, if forge == "GitLab" { 4 } else { 0 }, "{output:?}");
        let comment = fs::read_to_string(root.join("comment.md")).unwrap();
        fs::remove_file(root.join("comment.md")).unwrap();
        for expected in [
            "### reconcile: people of 1 directory are not known here; ",
            "shorter time until users are deleted",
            "freedesktop:ci  administrator  who is in it is not known here",
            "? people of directory freedesktop are not known here (",
        ] {
            assert!(comment.contains(expected), "{expected}:\n{comment}");
        }
        assert!(!comment.contains("nobody gets") && !comment.contains("nobody in it"), "{comment}");
    }
}
