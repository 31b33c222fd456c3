//! From a tree to a type, with every finding on the way.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::value::{StrDeserializer, U32Deserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use super::node::{Key, Node, Position, Value, shortened};
use super::written::{FIELD, WRITTEN};
use crate::diagnostic::{Finding, Findings, nearest};
use crate::model::Source;
use crate::visible;

/// Reads a tree as a type; `None` when not even the outermost value is of the right kind.
///
/// Every finding is pushed; none is lost. Unknown keys, duplicate keys and values of a wrong kind
/// are findings, and what stands beside them is read all the same, as far as the type is made of
/// [`Field`](super::Field), [`List`](super::List) and [`Named`](super::Named).
pub fn read<T: DeserializeOwned>(
    file: &Arc<str>,
    node: &Node,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    read_as(Shown::Values, file, node, findings)
}

/// The same for a file in which a secret may be by mistake: no finding has a part of a value in it, nor
/// a key without a value, which may be one.
pub fn read_in_confidence<T: DeserializeOwned>(
    file: &Arc<str>,
    node: &Node,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    read_as(Shown::Kinds, file, node, findings)
}

fn read_as<T: DeserializeOwned>(
    shown: Shown,
    file: &Arc<str>,
    node: &Node,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    // At most so many of a file: nobody reads more, and all of them would take memory.
    let collected = RefCell::new(Findings::default());
    let reading = Reading { node, file, findings: &collected, shown, prose: false };
    let value = T::deserialize(reading).ok();
    findings.extend(collected.into_inner().into_sorted());
    value
}

/// What findings show of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// The values themselves.
    Values,
    /// Only what kind of value it is.
    Kinds,
}

fn deceptive(text: &str, why: &str, shown: Shown) -> Finding {
    let message = match shown {
        Shown::Values => format!("`{}` is not what it looks like: {why}", shortened(text)),
        Shown::Kinds => "this is not what it looks like".to_owned(),
    };
    Finding::error("deceptive-name", message)
        .hint("type it anew; texts for people (`reason`, `description`, …) may have any letters")
}

/// One node, being read.
#[derive(Clone, Copy)]
struct Reading<'a> {
    node: &'a Node,
    file: &'a Arc<str>,
    findings: &'a RefCell<Findings>,
    shown: Shown,
    /// It stands below one of [`PROSE`].
    prose: bool,
}

/// Keys whose texts are for people, in any script and with any sign. All others are names, or
/// work like names.
const PROSE: [&str; 5] = ["reason", "description", "sponsor", "contacts", "constraints"];

/// Why a value could not be read.
#[derive(Debug)]
enum Problem {
    /// It is among the findings.
    Reported,
    /// serde's words, from a type that checks its own values.
    Said(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported => formatter.write_str("reported"),
            Self::Said(words) => formatter.write_str(words),
        }
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Said(message.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Said(format!("expected {expected}"))
    }
}

impl<'a> Reading<'a> {
    fn of(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    fn source(self, at: Position) -> Source {
        Source::new(Arc::clone(self.file), at.line, at.column)
    }

    fn push(self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// Reports a value of the wrong kind.
    fn wrong<T>(self, expected: &str) -> Result<T, Problem> {
        if self.node.value != Value::Broken {
            let found = self.in_words();
            self.push(
                Finding::error("wrong-kind", format!("expected {expected}, found {found}"))
                    .at(&self.source(self.node.at)),
            );
        }
        Err(Problem::Reported)
    }

    /// A text; a finding when it is a name that is not what it looks like.
    fn text(self, text: &str) -> Result<(), Problem> {
        if let Some(why) = (!self.prose).then(|| visible::deception(text)).flatten() {
            self.push(deceptive(text, &why, self.shown).at(&self.source(self.node.at)));
            return Err(Problem::Reported);
        }
        Ok(())
    }

    /// What the value is, as far as that may be told.
    fn in_words(self) -> String {
        match (self.shown, &self.node.value) {
            (Shown::Kinds, Value::Scalar { .. }) => "another value".to_owned(),
            (_, value) => value.in_words(),
        }
    }

    /// Turns what a type said of its value into a finding.
    fn reported<T>(self, result: Result<T, Problem>) -> Result<T, Problem> {
        if let Err(Problem::Said(words)) = &result {
            let words = match self.shown {
                Shown::Values => words.as_str(),
                Shown::Kinds => "this value cannot be used here",
            };
            self.push(Finding::error("wrong-value", words).at(&self.source(self.node.at)));
        }
        result.map_err(|_| Problem::Reported)
    }

    /// The text of a plain value, for numbers and flags, which are not written in quotes.
    fn plain(self) -> Option<&'a str> {
        match &self.node.value {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    fn mapping(self, expected: &str) -> Result<&'a [(Key, Node)], Problem> {
        match &self.node.value {
            Value::Mapping(entries) => Ok(entries),
            _ => self.wrong(expected),
        }
    }

    /// The entries without duplicates, which are reported.
    fn each_key_once(self, entries: &'a [(Key, Node)]) -> Vec<&'a (Key, Node)> {
        let mut seen: HashMap<&str, Position> = HashMap::with_capacity(entries.len());
        let mut once = Vec::with_capacity(entries.len());
        for entry in entries {
            let (key, _) = entry;
            if let Some(why) = visible::deception(&key.text) {
                self.push(deceptive(&key.text, &why, self.shown).at(&self.source(key.at)));
            }
            if let Some(first) = seen.get(key.text.as_str()) {
                self.push(
                    Finding::error(
                        "duplicate-key",
                        format!("`{}` is here twice", shortened(&key.text)),
                    )
                    .at(&self.source(key.at))
                    .hint(format!("the first one is in line {}", first.line)),
                );
            } else {
                seen.insert(&key.text, key.at);
                once.push(entry);
            }
        }
        once
    }

    fn unknown_key(self, (key, value): &(Key, Node), known: &[&str]) {
        if !self.findings.borrow_mut().has_room("unknown-key", &self.source(key.at)) {
            return;
        }
        // `{secret}` is a mapping with a key, and nothing for a value.
        if self.shown == Shown::Kinds && value.value == Value::Nothing {
            let hint = format!("known are {}", known.join(", "));
            let finding = Finding::error("unknown-key", "this is no key that is known here");
            self.push(finding.at(&self.source(key.at)).hint(hint));
            return;
        }
        let hint = match nearest(&key.text, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        self.push(
            Finding::error("unknown-key", format!("unknown key `{}`", shortened(&key.text)))
                .at(&self.source(key.at))
                .hint(hint),
        );
    }
}

impl<'de> Deserializer<'de> for Reading<'de> {
    type Error = Problem;

    /// Scalars are handed over as texts, whatever they look like.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.node.value {
            Value::Scalar { text, .. } => {
                self.text(text)?;
                self.reported(visitor.visit_borrowed_str(text))
            }
            Value::List(items) => {
                self.reported(visitor.visit_seq(Items { reading: self, items: items.iter() }))
            }
            Value::Mapping(entries) => {
                let left = self.each_key_once(entries).into_iter();
                self.reported(visitor.visit_map(Entries { reading: self, left, value: None }))
            }
            Value::Nothing | Value::Broken => self.wrong("a value"),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.plain() {
            Some("true") => visitor.visit_bool(true),
            Some("false") => visitor.visit_bool(false),
            _ => self.wrong("`true` or `false`"),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let digits = self.plain().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(number) => self.reported(visitor.visit_u32(number)),
            None => self.wrong("a whole number from 0 to 4294967295"),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.node.value {
            Value::Scalar { text, .. } => {
                self.text(text)?;
                self.reported(visitor.visit_borrowed_str(text))
            }
            _ => self.wrong("a text"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.node.value {
            Value::List(items) => {
                self.reported(visitor.visit_seq(Items { reading: self, items: items.iter() }))
            }
            _ => self.wrong("a list (lines that start with `- `)"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let entries = self.mapping("named entries (`name:` and below it what belongs to it)")?;
        let left = self.each_key_once(entries).into_iter();
        self.reported(visitor.visit_map(Entries { reading: self, left, value: None }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let entries = self.mapping("keys and values (`key: value`)")?;
        let mut known = self.each_key_once(entries);
        known.retain(|entry| {
            let is_known = fields.contains(&entry.0.text.as_str());
            if !is_known {
                self.unknown_key(entry, fields);
            }
            is_known
        });
        let left = known.into_iter();
        self.reported(visitor.visit_map(Entries { reading: self, left, value: None }))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let Value::Scalar { text, .. } = &self.node.value else {
            return self.wrong(&format!("one of {}", variants.join(", ")));
        };
        if variants.contains(&text.as_str()) {
            let text: StrDeserializer<'_, Problem> = text.as_str().into_deserializer();
            return self.reported(visitor.visit_enum(text));
        }
        let source = self.source(self.node.at);
        if !self.findings.borrow_mut().has_room("unknown-value", &source) {
            return Err(Problem::Reported);
        }
        let hint = match nearest(text, variants.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", variants.join(", ")),
        };
        self.push(
            Finding::error("unknown-value", format!("unknown value {}", self.in_words()))
                .at(&self.source(self.node.at))
                .hint(hint),
        );
        Err(Problem::Reported)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        if name == WRITTEN {
            return visitor.visit_seq(Parts { reading: self, next: 0 });
        }
        debug_assert!(name == FIELD, "types as written use no other newtype structs");
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u64 u128 f32 f64 char bytes byte_buf option unit unit_struct
        tuple tuple_struct identifier
    }
}

/// The items of a list.
struct Items<'a> {
    reading: Reading<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        self.items.next().map(|node| seed.deserialize(self.reading.of(node))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a mapping.
struct Entries<'a> {
    reading: Reading<'a>,
    left: std::vec::IntoIter<&'a (Key, Node)>,
    value: Option<(bool, &'a Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some((key, value)) = self.left.next() else { return Ok(None) };
        self.value = Some((PROSE.contains(&key.text.as_str()), value));
        seed.deserialize(KeyReading(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let (is_prose, node) = self
            .value
            .take()
            .ok_or_else(|| Problem::Said("a value was asked for before its key".to_owned()))?;
        let prose = self.reading.prose || is_prose;
        seed.deserialize(Reading { prose, ..self.reading.of(node) })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

/// A key, for struct fields and for names with their places.
struct KeyReading<'a>(&'a Key);

impl<'de> Deserializer<'de> for KeyReading<'de> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_borrowed_str(&self.0.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_seq(KeyParts { key: self.0, next: 0 })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Line, column and value of a node.
struct Parts<'a> {
    reading: Reading<'a>,
    next: u8,
}

impl<'de> SeqAccess<'de> for Parts<'de> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        self.next += 1;
        let at = self.reading.node.at;
        match self.next {
            1 => seed.deserialize(U32Deserializer::new(at.line)).map(Some),
            2 => seed.deserialize(U32Deserializer::new(at.column)).map(Some),
            3 => seed.deserialize(self.reading).map(Some),
            _ => Ok(None),
        }
    }
}

/// Line, column and text of a key.
struct KeyParts<'a> {
    key: &'a Key,
    next: u8,
}

impl<'de> SeqAccess<'de> for KeyParts<'de> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        self.next += 1;
        match self.next {
            1 => seed.deserialize(U32Deserializer::new(self.key.at.line)).map(Some),
            2 => seed.deserialize(U32Deserializer::new(self.key.at.column)).map(Some),
            3 => seed.deserialize(KeyReading(self.key)).map(Some),
            _ => Ok(None),
        }
    }
}
