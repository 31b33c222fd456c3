//! Target: any file as YAML.

use std::fmt::Write as _;

use super::{Node, Value, parse};
use crate::fuzzing::{Target, lines};

const WORDS: &[&str] = &[
    "- ",
    ": ",
    "\n  ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "\"",
    "'",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "# ",
    "~",
    "null",
    "true",
    "? ",
    "\\u202e",
    "\\x00",
    "\t",
    "\u{85}",
];

#[test]
fn yaml() {
    let file = "f.yaml".into();
    Target::new("yaml").words(WORDS).memory(1 << 20, 1 << 10).run(|input| {
        let (tree, findings) = parse(&file, input);
        let lines = lines(input);
        for finding in &findings {
            let source = finding.source.as_ref().expect("every mistake has its place");
            assert!(source.line <= lines + 1, "line {} of {lines}", source.line);
            assert!(source.line > 0 && source.column > 0, "{finding:?}");
        }
        if let Some(tree) = tree.as_ref().filter(|_| findings.is_empty()) {
            let written = written(tree);
            let (again, findings) = parse(&file, written.as_bytes());
            assert!(findings.is_empty(), "{written}: {findings:?}");
            let again = again.expect("something was written");
            assert_eq!(self::written(&again), written);
        }
        let codes: std::collections::BTreeSet<_> =
            findings.iter().map(|finding| finding.code.clone()).collect();
        (codes, findings.len().min(3), tree.map(|tree| shape(&tree, 3)))
    });
}

/// The tree in one form, each text in quotation marks.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Nothing => "~".to_owned(),
        Value::Scalar { text, .. } => quoted(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("? {} : {}", quoted(&key.text), written(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Broken => panic!("what is broken was reported"),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            other => {
                write!(quoted, "\\U{:08X}", u32::from(other)).expect("a text can be written to");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// What kinds of values there are, to some depth.
fn shape(node: &Node, depth: usize) -> String {
    let below = |mut nodes: Vec<String>| {
        nodes.sort();
        nodes.dedup();
        nodes.concat()
    };
    match &node.value {
        _ if depth == 0 => "…".to_owned(),
        Value::Nothing => "~".to_owned(),
        Value::Scalar { plain: true, .. } => "p".to_owned(),
        Value::Scalar { .. } => "q".to_owned(),
        Value::List(items) => {
            format!("[{}]", below(items.iter().map(|item| shape(item, depth - 1)).collect()))
        }
        Value::Mapping(all) => {
            format!("{{{}}}", below(all.iter().map(|(_, one)| shape(one, depth - 1)).collect()))
        }
        Value::Broken => "!".to_owned(),
    }
}
