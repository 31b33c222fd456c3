//! What a role says for a vendor, as written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::diagnostic::{Finding, Findings};
use crate::model::{AttributeFacts, AttributeName, AttributeShape, AttributeValue};
use crate::yaml::{InFile, Named, Position, Written};

/// One value or a list of texts. Which of them is right depends on the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeAsWritten {
    /// A text, a number, a yes or no: as written.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl AttributeAsWritten {
    /// The value in the shape a vendor wants; `None` if it has another.
    pub fn in_shape(&self, shape: AttributeShape) -> Option<AttributeValue> {
        match (shape, self) {
            (AttributeShape::Text | AttributeShape::File, Self::One(text)) => {
                Some(AttributeValue::Text(text.clone()))
            }
            (AttributeShape::Number, Self::One(text)) => {
                text.parse().ok().map(AttributeValue::Number)
            }
            (AttributeShape::Flag, Self::One(text)) => text.parse().ok().map(AttributeValue::Flag),
            (AttributeShape::Set, Self::Many(texts)) => {
                Some(AttributeValue::Set(texts.iter().cloned().collect()))
            }
            (AttributeShape::Set, Self::One(_))
            | (
                AttributeShape::Text
                | AttributeShape::File
                | AttributeShape::Number
                | AttributeShape::Flag,
                Self::Many(_),
            ) => None,
        }
    }

    /// A text that is in the list twice.
    pub fn repeated(&self) -> Option<&str> {
        let Self::Many(texts) = self else { return None };
        let mut seen = BTreeSet::new();
        texts.iter().find(|text| !seen.insert(*text)).map(String::as_str)
    }
}

/// Valid attributes by name.
pub(crate) type Attributes = BTreeMap<AttributeName, AttributeValue>;

/// What may be written in one place.
pub(crate) struct Table<'a> {
    /// What one entry is called: "role attribute".
    pub(crate) what: &'static str,
    /// Whose words these are.
    pub(crate) vendor: &'a str,
    /// The entries there may be.
    pub(crate) facts: &'static [AttributeFacts],
    /// The files an entry may name.
    pub(crate) files: &'a BTreeMap<String, Vec<u8>>,
}

/// The values of what is written in a vendor's words; a finding for whatever the vendor does not
/// know. `owner` is where what they belong to is written.
pub(crate) fn resolve(
    written: &Named<AttributeAsWritten>,
    owner: Position,
    table: &Table<'_>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Attributes {
    let mut good = Attributes::new();
    for (key, value) in &written.0 {
        let Some(facts) = table.facts.iter().find(|facts| facts.name == key.value) else {
            let known = table.facts.iter().map(|facts| facts.name);
            findings.unknown(table.what, &key.value, known, &at.source(key.at));
            continue;
        };
        let Some(value) = value.given() else { continue };
        if let Some(repeated) = value.value.repeated() {
            findings.push(
                Finding::error("duplicate-value", format!("`{repeated}` is here twice"))
                    .at(&at.source(value.at)),
            );
        }
        good.extend(one(value, facts, table, at, findings));
    }
    for facts in table.facts.iter().filter(|facts| facts.required) {
        if !written.0.iter().any(|(key, _)| key.value == facts.name) {
            findings.push(
                Finding::error("missing-key", format!("`{}` is missing", facts.name))
                    .at(&at.source(owner))
                    .hint(facts.help),
            );
        }
    }
    good
}

fn one(
    written: &Written<AttributeAsWritten>,
    facts: &AttributeFacts,
    table: &Table<'_>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<(AttributeName, AttributeValue)> {
    let (name, vendor) = (facts.name, table.vendor);
    let Some(value) = written.value.in_shape(facts.shape) else {
        let message = format!("expected `{name}` for {vendor} to be {}", facts.shape.in_words());
        findings.push(
            Finding::error("wrong-kind", message).at(&at.source(written.at)).hint(facts.help),
        );
        return None;
    };
    let value = match (facts.shape, value) {
        (AttributeShape::File, AttributeValue::Text(path)) if !path.starts_with("https://") => {
            file(&path, written.at, table, at, findings)?
        }
        (_, value) => value,
    };
    if let Err(expected) = (facts.check)(&value) {
        let message = format!("`{name}` is not what {vendor} accepts: {expected}");
        findings
            .push(Finding::error("bad-value", message).at(&at.source(written.at)).hint(facts.help));
        return None;
    }
    Some((name.into(), value))
}

/// The text of a file that was read with the others.
fn file(
    path: &str,
    position: Position,
    table: &Table<'_>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<AttributeValue> {
    let Some(bytes) = table.files.get(path) else {
        let known = table.files.keys().map(String::as_str);
        findings.unknown("file", path, known, &at.source(position));
        return None;
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(AttributeValue::Text(text.to_owned()));
    }
    let message = format!("`{path}` is not UTF-8 text");
    findings.push(Finding::error("not-text", message).at(&at.source(position)));
    None
}

impl<'de> Deserialize<'de> for AttributeAsWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = AttributeAsWritten;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, a number, true, false or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(AttributeAsWritten::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(AttributeAsWritten::Many(texts))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

impl JsonSchema for AttributeAsWritten {
    fn schema_name() -> Cow<'static, str> {
        "Attribute".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "In the vendor's words: a text, a number, true, false or a list of \
                            texts.",
            "anyOf": [
                { "type": ["string", "integer", "boolean"] },
                { "type": "array", "items": { "type": "string" }, "uniqueItems": true }
            ]
        })
    }
}
