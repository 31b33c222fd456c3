//! A new kind of thing that mirrors are made of is a new row: who has to know it is written in
//! CONTRIBUTING, and nobody else does.

use std::collections::BTreeSet;

use super::rust_files;

/// The files outside the clouds that name a kind of part.
fn who_knows_kinds(files: &[(String, String)]) -> BTreeSet<&str> {
    const KINDS: [&str; 5] = ["Zone", "RecordSet", "Certificate", "Server", "FrontEnd"];
    let names = |text: &str| {
        text.contains("use ResourceKind::{")
            || KINDS.iter().any(|kind| text.contains(&format!("ResourceKind::{kind}")))
    };
    files
        .iter()
        .filter(|(file, text)| {
            file.starts_with("src/") && !file.starts_with("src/cloud/") && names(text)
        })
        .map(|(file, _)| file.as_str())
        .collect()
}

#[test]
fn who_must_know_a_new_kind_is_written_down() {
    let contributing = include_str!("../../../CONTRIBUTING.md");
    let (_, section) = contributing.split_once("## How to add a kind\n").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("another one after it");
    let listed: BTreeSet<&str> = section
        .split('`')
        .filter(|word| word.starts_with("src/") && word.rsplit('.').next() == Some("rs"))
        .filter(|word| !word.starts_with("src/cloud/"))
        .collect();
    let files = rust_files();
    assert_eq!(who_knows_kinds(&files), listed);
}

#[test]
fn a_kind_in_a_rule_of_the_guard_is_noticed() {
    let guard = ("src/guard/new.rs".to_owned(), "ResourceKind::Server => 3".to_owned());
    let cloud = ("src/cloud/new.rs".to_owned(), "ResourceKind::Server => 3".to_owned());
    let files = [guard, cloud];
    assert_eq!(who_knows_kinds(&files), ["src/guard/new.rs"].into());
}
