//! What a role says for a vendor, as written.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::model::{AttributeShape, AttributeValue};

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
            (AttributeShape::Text, Self::One(text)) => Some(AttributeValue::Text(text.clone())),
            (AttributeShape::Number, Self::One(text)) => {
                text.parse().ok().map(AttributeValue::Number)
            }
            (AttributeShape::Flag, Self::One(text)) => text.parse().ok().map(AttributeValue::Flag),
            (AttributeShape::Set, Self::Many(texts)) => {
                Some(AttributeValue::Set(texts.iter().cloned().collect()))
            }
            (AttributeShape::Set, Self::One(_))
            | (
                AttributeShape::Text | AttributeShape::Number | AttributeShape::Flag,
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
