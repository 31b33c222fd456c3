//! Values that are stored where they are needed and shown nowhere.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A personal value (a full name, a mail address): part of a plan file and of what is sent to a
/// vendor, but never of a report, a record or a log.
///
/// `Debug` and `Display` print `(private)`. The serialised form is the object
/// `{"private": value}`, so that [`Private::redact`] can blank every private value in any JSON
/// without knowing the types that made it.
///
/// Values that must not even be stored (passwords, keys) are `secrecy::SecretString` and have no
/// serialised form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Private<T> {
    private: T,
}

impl<T> Private<T> {
    /// Marks a value as private.
    pub fn new(value: T) -> Self {
        Self { private: value }
    }

    /// The value, for sending it to a vendor or comparing it.
    pub fn reveal(&self) -> &T {
        &self.private
    }
}

impl Private<()> {
    /// Replaces every private value in a JSON document, at any depth.
    pub fn redact(document: &mut serde_json::Value) {
        match document {
            serde_json::Value::Object(map) if map.len() == 1 && map.contains_key("private") => {
                map.insert("private".into(), "(not shown)".into());
            }
            serde_json::Value::Object(map) => map.values_mut().for_each(Self::redact),
            serde_json::Value::Array(items) => items.iter_mut().for_each(Self::redact),
            _ => {}
        }
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(private)")
    }
}

impl<T> fmt::Display for Private<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(private)")
    }
}
