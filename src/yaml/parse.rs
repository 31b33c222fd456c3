//! From a file to a tree.

use std::sync::Arc;

use serde_saphyr::granit_parser::{
    ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, options,
};

use super::node::{Key, Node, Position, Value};
use super::text::decode;
use crate::diagnostic::Finding;
use crate::model::Source;
use crate::visible;

/// How deep mappings and lists may be nested.
pub const MAX_DEPTH: usize = 32;

/// How many values a file may have.
pub const MAX_NODES: usize = 2_000_000;

/// What is written in a file, and what is wrong with it.
///
/// `None` when there is nothing in the file or it ends before its first complete value. After a
/// mistake in the grammar the rest of the file is unknown; what was complete before it is in the
/// tree.
pub fn parse(file: &Arc<str>, bytes: &[u8]) -> (Option<Node>, Vec<Finding>) {
    let text = match decode(file, bytes) {
        Ok(text) => text,
        Err(findings) => return (None, findings),
    };
    let mut options = options! {
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        disallow_directives: true,
        emit_unresolved_aliases: true,
    };
    options.set_emit_comments(false);
    let mut builder = Builder::new(file);
    for event in Parser::new_from_str_with_options(text, options) {
        let go_on = match event {
            Ok((event, span)) => builder.take(event, position(&span.start)),
            Err(error) => {
                builder.grammar(&error);
                false
            }
        };
        if !go_on {
            break;
        }
    }
    builder.finish()
}

/// What may not come out of an escape: a line end may, in a text of several lines.
fn is_steering(character: char) -> bool {
    visible::is_hidden(character) || character == '\r'
}

fn position(marker: &Marker) -> Position {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: count(marker.line()), column: count(marker.col() + 1) }
}

/// A list or mapping whose end has not been seen.
enum Open {
    List { at: Position, items: Vec<Node> },
    Mapping { at: Position, entries: Vec<(Key, Node)>, key: Option<KeySeen> },
}

/// The key that waits for its value.
enum KeySeen {
    Text(Key),
    /// Reported; its value is dropped.
    Broken,
}

struct Builder<'a> {
    file: &'a Arc<str>,
    findings: Vec<Finding>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
    aliases_reported: bool,
}

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<str>) -> Self {
        Self {
            file,
            findings: Vec::new(),
            open: Vec::new(),
            root: None,
            nodes: 0,
            documents: 0,
            aliases_reported: false,
        }
    }

    /// Takes one event; whether to go on.
    fn take(&mut self, event: Event<'_>, at: Position) -> bool {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.error(at, "too-many-values", format!("there are more than {MAX_NODES} values"))
                .hint = Some("divide the file; the rest of it was not read".into());
            return false;
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.error(at, "second-document", "a second document starts here").hint =
                        Some("one document per file; the rest of the file was not read".into());
                    return false;
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.alias(at);
                self.place(Node { at, value: Value::Broken });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.anchor_and_tag(at, anchor, tag.is_some());
                let value = self.scalar(at, text.into_owned(), style);
                self.place(Node { at, value });
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.anchor_and_tag(at, anchor, tag.is_some());
                self.open.push(Open::List { at, items: Vec::new() });
            }
            Event::MappingStart(_, anchor, tag) => {
                self.anchor_and_tag(at, anchor, tag.is_some());
                self.open.push(Open::Mapping { at, entries: Vec::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => {}
        }
        true
    }

    fn scalar(&mut self, at: Position, text: String, style: ScalarStyle) -> Value {
        let plain = style == ScalarStyle::Plain;
        if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
            return Value::Nothing;
        }
        // An escape can say what may not be written plainly.
        if let Some(character) = text.chars().find(|character| is_steering(*character)) {
            self.error(
                at,
                "hidden-character",
                format!("this stands for the character {}", visible::name(character)),
            )
            .hint = Some("remove it".into());
            return Value::Broken;
        }
        Value::Scalar { text, plain }
    }

    fn alias(&mut self, at: Position) {
        if !self.aliases_reported {
            self.aliases_reported = true;
            self.error(at, "alias", "anchors (`&name`) and aliases (`*name`) are not understood")
                .hint =
                Some("write the value out; a text that starts with * or & needs quotes".into());
        }
    }

    fn anchor_and_tag(&mut self, at: Position, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.alias(at);
        }
        if tagged {
            self.error(at, "tag", "tags (`!name`) are not understood").hint =
                Some("remove it; a text that starts with ! needs quotes".into());
        }
    }

    /// Puts a complete value where it belongs.
    fn place(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, key, .. }) => match key.take() {
                Some(KeySeen::Text(key)) => entries.push((key, node)),
                Some(KeySeen::Broken) => {}
                None => {
                    let (seen, finding) = key_of(self.file, node);
                    *key = Some(seen);
                    self.findings.extend(finding);
                }
            },
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List { at, items }) => self.place(Node { at, value: Value::List(items) }),
            Some(Open::Mapping { at, entries, .. }) => {
                self.place(Node { at, value: Value::Mapping(entries) });
            }
            None => {}
        }
    }

    fn grammar(&mut self, error: &ScanError) {
        let at = position(error.marker());
        let (code, message, hint) = in_words(error);
        self.error(at, code, message).hint =
            Some(format!("{hint}; the file was not read from here on"));
    }

    fn error(&mut self, at: Position, code: &str, message: impl Into<String>) -> &mut Finding {
        let source = Source::new(Arc::clone(self.file), at.line, at.column);
        self.findings.push(Finding::error(code, message).at(&source));
        self.findings.last_mut().expect("one was pushed on the line above")
    }

    fn finish(mut self) -> (Option<Node>, Vec<Finding>) {
        // After a mistake in the grammar: what is open ends here.
        while !self.open.is_empty() {
            self.close();
        }
        (self.root, self.findings)
    }
}

fn key_of(file: &Arc<str>, node: Node) -> (KeySeen, Option<Finding>) {
    let source = Source::new(Arc::clone(file), node.at.line, node.at.column);
    match node.value {
        Value::Scalar { text, plain: true } if text == "<<" => (
            KeySeen::Broken,
            Some(
                Finding::error("merge-key", "merge keys (`<<`) are not understood")
                    .at(&source)
                    .hint("write the keys out"),
            ),
        ),
        Value::Scalar { text, .. } => (KeySeen::Text(Key { at: node.at, text }), None),
        Value::Broken => (KeySeen::Broken, None),
        value @ (Value::Nothing | Value::List(_) | Value::Mapping(_)) => (
            KeySeen::Broken,
            Some(
                Finding::error(
                    "key-not-text",
                    format!("a key is a text, not {}", value.in_words()),
                )
                .at(&source)
                .hint("put the key in quotes if it is meant as a text"),
            ),
        ),
    }
}

/// Code, message and hint of a mistake in the grammar.
fn in_words(error: &ScanError) -> (&'static str, String, &'static str) {
    match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => {
            ("tab", "a tab is used for indentation".into(), "use spaces")
        }
        ErrorKind::RecursionLimitExceeded => (
            "too-deep",
            format!("values are nested more than {MAX_DEPTH} deep"),
            "nothing that is understood here is nested so deep",
        ),
        ErrorKind::DirectiveDisallowed => {
            ("directive", "directives (`%…`) are not understood".into(), "remove it")
        }
        _ => {
            ("grammar", format!("this is not YAML: {}", error.info()), "check the lines above too")
        }
    }
}
