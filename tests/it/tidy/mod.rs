//! House rules that a compiler does not know, each with a test that it catches a violation.

mod code;
mod kinds;
mod layers;
mod mutations;
mod readers;
mod rules;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A file that breaks a rule.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem(String);

impl Problem {
    fn new(file: &str, what: &str) -> Self {
        Self(format!("{file} {what}"))
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The module a file below `src` is: `src/plan/diff.rs` is `plan::diff`.
fn module_of(file: &str) -> Vec<&str> {
    let file = file.strip_prefix("src/").unwrap_or(file);
    let mut module: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(module.last(), Some(&("mod" | "lib" | "main"))) {
        module.pop();
    }
    module
}

/// Files under version control or about to be, relative to the root, with their text; those that
/// are not text are left out.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        // A checkout that belongs to somebody else is read all the same.
        .args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .expect("git is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("names are UTF-8");
    names
        .split_terminator('\0')
        .filter_map(|name| Some((name.to_owned(), fs::read_to_string(root.join(name)).ok()?)))
        .collect()
}

fn rust_files() -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|(name, _)| Path::new(name).extension().is_some_and(|end| end == "rs"))
        .collect()
}

#[test]
fn imports_go_one_way() {
    let sources = rust_files().into_iter().filter(|(name, _)| name.starts_with("src/"));
    let problems: Vec<Problem> =
        sources.flat_map(|(name, source)| layers::problems(&name, &source)).collect();
    assert_eq!(problems, []);
}

#[test]
fn every_source_file_keeps_the_house_rules() {
    let sources = rust_files();
    assert!(sources.len() > 30, "only {} files were found", sources.len());
    let problems: Vec<Problem> =
        sources.iter().flat_map(|(name, source)| rules::problems(name, source)).collect();
    assert_eq!(problems, []);
}

#[test]
fn no_file_holds_what_belongs_to_one_machine() {
    let problems: Vec<Problem> =
        files().iter().flat_map(|(name, text)| rules::text_problems(name, text)).collect();
    assert_eq!(problems, []);
}
