//! One server, or several that hold the same, as written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// What stands behind `url:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers(pub Vec<String>);

impl<'de> Deserialize<'de> for Servers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Servers;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the URL of a server, or a list of such URLs")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Servers, E> {
                Ok(Servers(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Servers, A::Error> {
                let mut urls = Vec::new();
                while let Some(url) = entries.next_element::<String>()? {
                    urls.push(url);
                }
                Ok(Servers(urls))
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
    }
}

impl JsonSchema for Servers {
    fn schema_name() -> Cow<'static, str> {
        "Servers".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The URL of a server, or a list of such URLs, which are tried in turn.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 }
            ]
        })
    }
}
