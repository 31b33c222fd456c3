//! Which accounts a grant is about, as written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// One line below `accounts:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// A name, or a pattern in which `*` stands for any text.
    Name(String),
    /// `project: name`: every account of a project.
    Project(String),
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Line;

        impl<'de> Visitor<'de> for Line {
            type Value = Selector;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Selector, E> {
                Ok(Selector::Name(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Selector, A::Error> {
                let mut project = None;
                while let Some((key, value)) = entries.next_entry::<String, String>()? {
                    if key != "project" {
                        return Err(Error::custom(format!(
                            "unknown key `{key}`: expected {EXPECTED}"
                        )));
                    }
                    project = Some(value);
                }
                project.map(Selector::Project).ok_or_else(|| {
                    Error::custom(format!("expected {EXPECTED}, found nothing in it"))
                })
            }
        }

        deserializer.deserialize_any(Line)
    }
}

const EXPECTED: &str = "an account name, a pattern or `project: name`";

impl JsonSchema for Selector {
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An account name, a pattern with `*`, or `project: name` for all \
                            accounts of a project.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "project": { "type": "string" } },
                    "required": ["project"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
