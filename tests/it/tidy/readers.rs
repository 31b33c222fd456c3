//! Every reader of something from outside has a target of fuzzing, with seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::code::{Token, tokens};
use super::{files, rust_files};

/// Files that read something from outside, with their targets. A file with none says why.
const READERS: &[(&str, &[&str], &str)] = &[
    ("src/rights/find.rs", &["subject"], ""),
    ("src/cli/approval.rs", &["plan_digest"], ""),
    ("src/cli/run.rs", &["plan_digest", "command_line"], ""),
    ("src/cloud/aws/document.rs", &["aws_documents"], ""),
    ("src/cloud/aws/grammar.rs", &["aws_grammar"], ""),
    ("src/cloud/aws/identity.rs", &["aws_marks"], ""),
    ("src/cloud/aws/identity_center/mark.rs", &["identity_center_marks"], ""),
    (
        "src/cloud/aws/identity_center/realise.rs",
        &[],
        "the last word of an ARN, all else is no role",
    ),
    ("src/cloud/aws/identity_center/whole.rs", &["identity_center_replies"], ""),
    ("src/cloud/aws/metadata.rs", &["saml_metadata"], ""),
    ("src/cloud/aws/mod.rs", &["saml_metadata"], ""),
    ("src/cloud/aws/realise.rs", &["aws_documents"], ""),
    ("src/cloud/aws/whole.rs", &["aws_replies"], ""),
    ("src/cloud/memory/service/journal.rs", &["memory_journal"], ""),
    ("src/directory/distinguished_name.rs", &["distinguished_name"], ""),
    ("src/directory/entry.rs", &["schema"], ""),
    ("src/directory/filter.rs", &["filter"], ""),
    ("src/directory/filter/parse.rs", &["filter"], ""),
    ("src/directory/ldap/answer.rs", &["ldap_message"], ""),
    ("src/directory/ldap/ber.rs", &["ldap_message"], ""),
    ("src/directory/ldap/clock.rs", &["ldap_time"], ""),
    ("src/directory/ldap/page.rs", &["ldap_wire"], ""),
    ("src/directory/ldap/reference.rs", &["ldap_reference"], ""),
    ("src/directory/ldap/wire.rs", &["ldap_wire"], ""),
    ("src/directory/ldif/mark.rs", &["ldif", "ldif_cut"], ""),
    ("src/directory/ldif/record.rs", &["ldif"], ""),
    ("src/directory/ldif/write.rs", &[], "writes values, as text or as base 64"),
    ("src/directory/schema/active_directory.rs", &["schema"], ""),
    ("src/directory/schema/assembly.rs", &["schema"], ""),
    ("src/directory/schema/locks.rs", &["schema"], ""),
    ("src/directory/schema/values.rs", &["schema"], ""),
    ("src/http/mod.rs", &["http_url", "http_answer"], ""),
    ("src/inventory/load.rs", &["inventory", "mirrors"], ""),
    ("src/git.rs", &["git_tree", "git_blob"], ""),
    ("src/git/call.rs", &[], "words of git, shown and never acted on"),
    ("src/git/repository.rs", &[], "one line of git, passed on as it is or shown"),
    ("src/git/tracked.rs", &[], "a name of git, shown and never acted on"),
    ("src/inventory/revision.rs", &["git_tree"], ""),
    ("src/inventory/source_tree.rs", &["inventory"], ""),
    ("src/lock.rs", &[], "one line that this program wrote, shown and never acted on"),
    ("src/model/key.rs", &["handovers"], ""),
    ("src/model/kind.rs", &["plan_file"], ""),
    ("src/model/object.rs", &["subject"], ""),
    ("src/model/public_key.rs", &["operator_file"], ""),
    ("src/operator/load.rs", &["operator_file"], ""),
    ("src/operator/secret.rs", &[], "one line of a secret, passed on as it is"),
    ("src/operator/server.rs", &["server_address"], ""),
    ("src/plan/file.rs", &["plan_file"], ""),
    ("src/plan/loss.rs", &["policy_document"], ""),
    ("src/plan/mod.rs", &["plan_digest"], ""),
    ("src/policies/attribute.rs", &["inventory"], ""),
    ("src/record/chain.rs", &["record_chain", "record_head"], ""),
    ("src/record/folder.rs", &["record_chain"], ""),
    ("src/record/index.rs", &["record_chain"], ""),
    ("src/record/key.rs", &["record_head"], ""),
    ("src/record/read.rs", &["record_chain"], ""),
    ("src/record/trust.rs", &["record_head"], ""),
    ("src/record/git.rs", &[], "an id of git, shown and never acted on"),
    ("src/report/document.rs", &["aws_documents"], ""),
    ("src/run/baseline.rs", &["baseline"], ""),
    ("src/cli/perform.rs", &[], "shows what this program wrote itself"),
    ("src/run/known.rs", &["known"], ""),
    ("src/run/remembered.rs", &["baseline"], ""),
    ("src/run/told.rs", &["told"], ""),
    ("src/visible.rs", &[], "writes what is shown"),
    ("src/yaml/parse.rs", &["yaml"], ""),
    ("src/yaml/text.rs", &["yaml"], ""),
];

/// What gives a reader away.
fn reads(source: &str) -> bool {
    let tokens = tokens(source);
    let makes = ["from_slice", "from_reader", "from_utf8", "from_utf8_lossy", "from_str"];
    tokens.windows(2).any(|pair| match pair {
        [Token::Word(word), Token::Sign('(' | ':')] if makes.contains(&word.as_str()) => true,
        [Token::Word(word), Token::Word(name)] if word == "fn" => {
            name == "parse" || makes.contains(&name.as_str())
        }
        _ => false,
    })
}

/// The names of the targets in a `fuzz.rs`.
fn targets(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let found = tokens.windows(6).filter_map(|six| match six {
        [
            Token::Word(target),
            Token::Sign(':'),
            Token::Sign(':'),
            Token::Word(new),
            Token::Sign('('),
            Token::Text(name),
        ] if target == "Target" && new == "new" => Some(name.clone()),
        _ => None,
    });
    found.collect()
}

#[test]
fn every_reader_has_a_target_and_every_target_seeds() {
    let mut problems = Vec::new();
    let table: BTreeMap<&str, _> =
        READERS.iter().map(|(file, targets, why)| (*file, (*targets, *why))).collect();
    let sources = rust_files();
    let own = |name: &str| {
        name.starts_with("src/")
            && !name.ends_with("/fuzz.rs")
            && !name.starts_with("src/fuzzing")
            && !name.ends_with("_tests.rs")
    };
    for (name, source) in sources.iter().filter(|(name, _)| own(name)) {
        if reads(source) && !table.contains_key(name.as_str()) {
            problems.push(format!("{name} reads something and is not in the table of readers"));
        }
    }
    let mut there = BTreeSet::new();
    for (name, source) in sources.iter().filter(|(name, _)| name.ends_with("/fuzz.rs")) {
        for target in targets(source) {
            if !source.contains(&format!("fn {target}()")) {
                problems.push(format!("{name}: the test of target {target} has another name"));
            }
            there.insert(target);
        }
    }
    let mut wanted = BTreeSet::new();
    for (file, (targets, why)) in &table {
        if !sources.iter().any(|(name, _)| name == file) {
            problems.push(format!("{file} is in the table of readers and not in the tree"));
        }
        if targets.is_empty() == why.is_empty() {
            problems.push(format!("{file}: either targets or a reason why there is none"));
        }
        wanted.extend(targets.iter().map(|target| (*target).to_owned()));
    }
    problems.extend(wanted.difference(&there).map(|name| format!("there is no target {name}")));
    problems.extend(there.difference(&wanted).map(|name| format!("no reader names {name}")));
    for target in &there {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(target);
        let seeds = std::fs::read_dir(&folder).map_or(0, Iterator::count);
        if seeds < 3 {
            problems.push(format!("tests/fuzz/{target} has {seeds} seeds, 3 are the least"));
        }
    }
    for (name, _) in files().iter().filter(|(name, _)| name.starts_with("tests/fuzz/")) {
        let target = name.split('/').nth(2).unwrap_or_default();
        if target != "itself" && !there.contains(target) {
            problems.push(format!("{name} is the seed of no target"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn readers_and_targets_are_told() {
    for reader in [
        "fn f(b: &[u8]) { serde_json::from_slice::<X>(b); }",
        "pub fn parse(text: &str) {}",
        "fn f(b: &[u8]) { std::str::from_utf8(b); }",
        "impl FromStr for X { fn from_str(t: &str) {} }",
    ] {
        assert!(reads(reader), "{reader}");
    }
    assert!(!reads("fn f() { vec.extend_from_slice(b); parser(x) }"));
    assert_eq!(targets("fn f() { Target::new(\"x\").run(g); }"), ["x"]);
}
