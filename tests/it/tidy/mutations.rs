//! The rules that keep the program from doing harm each have a test that fails without them: the
//! table in CONTRIBUTING says which, and names tests that exist.

use std::collections::BTreeMap;

use super::files;

/// The heading of the table's section.
const SECTION: &str = "## Mutations";

/// What stands between backquotes in the last column of each row of the table.
fn named(text: &str) -> Vec<(String, Vec<String>)> {
    let section = text.split(SECTION).nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let tests = cells.last()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some(((*cells.first()?).to_owned(), tests))
    })
    .collect()
}

/// Whether a module of the tests, or of the program, has a test of that name.
fn exists(files: &BTreeMap<String, String>, test: &str) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    let path = module.trim_end_matches("::tests").replace("::", "/");
    let places = ["tests/it/", "src/"];
    let candidates = places
        .iter()
        .flat_map(|place| [format!("{place}{path}.rs"), format!("{place}{path}/mod.rs")]);
    let is_word = |text: &str| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        text.split(|c| !part(c)).any(|word| word == name)
    };
    candidates.filter_map(|file| files.get(&file)).any(|text| is_word(text))
}

/// Rules whose tests are not there, and rules without any.
fn missing(files: &BTreeMap<String, String>, text: &str) -> Vec<String> {
    let rows = named(text).into_iter();
    rows.flat_map(|(rule, tests)| {
        let nothing = tests.is_empty().then(|| format!("{rule}: no test"));
        let gone = tests.into_iter().filter(|test| !exists(files, test));
        let gone: Vec<String> = gone.map(|test| format!("{rule}: no test {test}")).collect();
        nothing.into_iter().chain(gone)
    })
    .collect()
}

#[test]
fn every_rule_has_a_test_that_fails_without_it() {
    let files: BTreeMap<String, String> = files().into_iter().collect();
    let text = &files["CONTRIBUTING.md"];
    assert!(named(text).len() > 30, "the table under `{SECTION}` is not found");
    assert_eq!(missing(&files, text), [] as [String; 0]);
}

#[test]
fn a_test_that_is_gone_is_noticed() {
    let text = "fn it_holds() {}\nscenarios! { it_is_seen }";
    let files = BTreeMap::from([("tests/it/engine/guard.rs".to_owned(), text.to_owned())]);
    let table =
        |tests: &str| format!("{SECTION}\n\n| rule | fails |\n|--|--|\n| limit `x` | {tests} |\n");
    for there in ["`engine::guard::it_holds`", "`engine::guard::it_is_seen`"] {
        assert_eq!(missing(&files, &table(there)), [] as [String; 0]);
    }
    for gone in ["`engine::guard::it_hold`", "`engine::other::it_holds`", "`it_holds`", "none"] {
        assert_eq!(missing(&files, &table(gone)).len(), 1, "{gone}");
    }
}
