//! Rules for single files.

use super::code::{Token, paths, tokens};
use super::{Problem, module_of};

const LONGEST_FILE: usize = 600;

/// Modules that compute and do nothing else.
const PURE: [&str; 5] = ["model", "desired", "rights", "plan", "guard"];

/// All rules for a Rust file, below `src` or not.
pub fn problems(file: &str, source: &str) -> Vec<Problem> {
    let mut found = shape(file, source);
    if file.starts_with("src/") {
        found.extend(edge(file, source));
        found.extend(purity(file, source));
        found.extend(vendors(file, source));
    }
    found
}

/// Length, documentation, things not done.
fn shape(file: &str, source: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    let lines = source.lines().count();
    if lines > LONGEST_FILE {
        found.push(Problem::new(
            file,
            &format!("has {lines} lines, at most {LONGEST_FILE} are allowed"),
        ));
    }
    if !source.starts_with("//!") {
        found.push(Problem::new(file, "does not begin by saying what it is for (`//!`)"));
    }
    let tokens = tokens(source);
    for pair in tokens.windows(2) {
        if let [Token::Word(word), Token::Sign('!')] = pair
            && ["todo", "unimplemented"].contains(&word.as_str())
        {
            found.push(Problem::new(file, &format!("has a {word}!")));
        }
    }
    let is_allow = |tokens: &[Token]| matches!(tokens, [Token::Sign('['), Token::Word(word), Token::Sign('(')] if word == "allow");
    if tokens.windows(3).any(is_allow) {
        found.push(Problem::new(file, "uses `allow`; use `expect` with a reason"));
    }
    found
}

const REMOVES_VARIABLES: &str = "only the command line may use std::env::vars_os";

/// Only the command line prints and reads the environment.
fn edge(file: &str, source: &str) -> Vec<Problem> {
    // Fuzzing is a part of the unit tests only.
    let at_the_edge = ["src/main.rs", "src/cli/", "src/fuzzing/"];
    if at_the_edge.iter().any(|edge| file.starts_with(edge)) {
        return Vec::new();
    }
    let banned = [
        "print",
        "println",
        "eprint",
        "eprintln",
        "std::env",
        "env",
        "std::io::stdout",
        "std::io::stderr",
        "std::io::stdin",
        "io::stdout",
        "io::stderr",
        "io::stdin",
        "anstream",
        "clap",
        "std::process::exit",
        "process::exit",
    ];
    banned_paths(file, source, &banned, "only the command line may use")
        .into_iter()
        // What the surroundings say to git is kept from it by name, and nobody knows all names.
        .filter(|problem| *problem != Problem::new("src/git/call.rs", REMOVES_VARIABLES))
        .collect()
}

/// No clock, no waiting, no input or output where things are computed; the record is told the
/// time.
fn purity(file: &str, source: &str) -> Vec<Problem> {
    let module = module_of(file);
    let top = module.first().copied().unwrap_or("");
    let clock = [
        "SystemTime",
        "Instant",
        "std::time::SystemTime",
        "std::time::Instant",
        "Timestamp::now",
        "Zoned::now",
        "jiff::Timestamp::now",
        "jiff::Zoned::now",
    ];
    let mut found = Vec::new();
    if PURE.contains(&top) || top == "record" {
        found.extend(banned_paths(file, source, &clock, "must not read the clock:"));
    }
    if PURE.contains(&top) {
        let effects = [
            "tokio",
            "async",
            "await",
            "async_trait",
            "futures_util",
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "fs",
            "thread",
            "fastrand",
        ];
        found.extend(banned_paths(file, source, &effects, "only computes and must not use"));
    }
    found
}

fn banned_paths(file: &str, source: &str, banned: &[&str], why: &str) -> Vec<Problem> {
    let tokens = tokens(source);
    // `env!` is the compiler's environment, not the user's.
    let compile_time = |path: &[String]| path == ["env"];
    paths(&tokens, &module_of(file))
        .into_iter()
        .filter(|path| !compile_time(path))
        .map(|path| path.join("::"))
        .filter(|path| {
            banned.iter().any(|banned| path == banned || path.starts_with(&format!("{banned}::")))
        })
        .map(|path| Problem::new(file, &format!("{why} {path}")))
        .collect()
}

/// The engine knows no vendor by name.
fn vendors(file: &str, source: &str) -> Vec<Problem> {
    const VENDORS: [&str; 6] = ["aws", "amazon", "azure", "entra", "gcp", "google"];
    let allowed = ["src/cloud/", "src/main.rs"];
    if allowed.iter().any(|allowed| file.starts_with(allowed)) {
        return Vec::new();
    }
    tokens(source)
        .iter()
        .filter_map(|token| match token {
            // The cryptographic library that happens to be called so.
            Token::Word(word) if word == "aws_lc_rs" => None,
            Token::Word(text) | Token::Text(text) => Some(text),
            Token::Sign(_) => None,
        })
        .flat_map(|text| words(text))
        .filter(|word| VENDORS.contains(&word.as_str()))
        .map(|word| Problem::new(file, &format!("names a vendor: {word}")))
        .collect()
}

/// The words of a name or text: `AwsThing`, `aws_thing` and `an AWS thing` all have `aws`.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in text.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().expect("never empty").extend(letter.to_lowercase());
        }
        before = letter;
    }
    words
}

/// Things no tracked file may hold, whatever its language.
pub fn text_problems(file: &str, text: &str) -> Vec<Problem> {
    // Taken apart, so that this file does not hold them.
    let machine = [["/wo", "rk/"], ["/ro", "ot/"], ["/Us", "ers/"]];
    let registries =
        [["crates", ".io"], ["pypi", ".org"], ["deb.debian", ".org"], ["registry.npmjs", ".org"]];
    let mut found = Vec::new();
    for parts in machine {
        if text.contains(&parts.concat()) {
            found.push(Problem::new(
                file,
                &format!("holds a path of somebody's machine: {}", parts.concat()),
            ));
        }
    }
    for parts in registries {
        if file != "Cargo.lock" && text.contains(&parts.concat()) {
            found.push(Problem::new(
                file,
                &format!("names the host of a registry: {}", parts.concat()),
            ));
        }
    }
    found
}

#[test]
fn violations_are_caught() {
    let long = format!("//! Long.\n{}", "\n".repeat(LONGEST_FILE));
    for (file, source) in [
        ("tests/it/x.rs", long.as_str()),
        ("src/model/x.rs", "fn undocumented() {}"),
        ("src/model/x.rs", "//! X.\nfn f() { todo!() }"),
        ("src/model/x.rs", "//! X.\n#[allow(dead_code)] fn f() {}"),
        ("src/model/x.rs", "//! X.\n#![allow(dead_code)]"),
        ("src/report/x.rs", "//! X.\nfn f() { println!(\"x\") }"),
        ("src/report/x.rs", "//! X.\nuse std::{env, io};"),
        ("src/report/x.rs", "//! X.\nuse std::env::var;"),
        ("src/apply/x.rs", "//! X.\nfn f() { std::io::stdout() }"),
        ("src/plan/x.rs", "//! X.\nuse std::time::{Duration, Instant};"),
        ("src/guard/x.rs", "//! X.\nfn f() { let now = jiff::Zoned::now(); }"),
        ("src/record/x.rs", "//! X.\nfn f() { Timestamp::now() }"),
        ("src/desired/x.rs", "//! X.\nasync fn f() {}"),
        ("src/plan/x.rs", "//! X.\nuse tokio::sync::Mutex;"),
        ("src/model/x.rs", "//! X.\nuse std::fs::File;"),
        ("src/plan/x.rs", "//! X.\nstruct AwsAccount;"),
        ("src/report/x.rs", "//! X.\nconst NAME: &str = \"Google Cloud\";"),
    ] {
        assert_eq!(problems(file, source).len(), 1, "{file}: {source}");
    }
}

#[test]
fn what_is_allowed_is_not_reported() {
    for (file, source) in [
        ("src/cli/x.rs", "//! X.\nfn f() { println!(\"{}\", std::env::args().count()) }"),
        ("src/report/x.rs", "//! X.\nconst VERSION: &str = env!(\"CARGO_PKG_VERSION\");"),
        ("src/plan/x.rs", "//! X.\nuse std::time::Duration; use std::io::Write;"),
        ("src/model/x.rs", "//! As Azure does.\n#[expect(dead_code, reason = \"x\")] fn f() {}"),
        ("src/cloud/aws/x.rs", "//! X.\nstruct AwsAccount;"),
        ("src/directory/x.rs", "//! X.\nuse rustls::crypto::aws_lc_rs; use std::time::Instant;"),
    ] {
        assert_eq!(problems(file, source), [], "{file}: {source}");
    }
}

#[test]
fn texts_no_file_may_hold_are_caught() {
    for parts in [["see /wo", "rk/x"], ["crates", ".io"], ["https://pypi", ".org/simple"]] {
        assert_eq!(text_problems("README.md", &parts.concat()).len(), 1, "{parts:?}");
    }
    assert_eq!(text_problems("Cargo.lock", &["crates", ".io"].concat()), []);
    assert_eq!(text_problems("README.md", "a network of people"), []);
}
