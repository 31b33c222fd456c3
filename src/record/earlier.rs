//! Steps as records told them before every kind had the same verbs: `create_user` instead of a user
//! that is created. They are read for as long as there are records that say so.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::plan::Step;

/// What was called otherwise: the earlier name, the kind, the verb.
const NAMES: [(&str, &str, &str); 11] = [
    ("create_user", "user", "create"),
    ("update_user", "user", "update"),
    ("suspend_user", "user", "retire"),
    ("restore_user", "user", "restore"),
    ("delete_user", "user", "delete"),
    ("create_group", "group", "create"),
    ("update_group", "group", "update"),
    ("delete_group", "group", "delete"),
    ("create_role", "role", "create"),
    ("update_role", "role", "update"),
    ("delete_role", "role", "delete"),
];

/// A step in its form of today or in the earlier one.
///
/// # Errors
/// What is neither.
pub(super) fn step<'de, D: Deserializer<'de>>(source: D) -> Result<Step, D::Error> {
    let written = Value::deserialize(source)?;
    Step::deserialize(of_today(written)).map_err(serde::de::Error::custom)
}

fn of_today(written: Value) -> Value {
    let Value::Object(step) = written else { return written };
    let earlier = NAMES.iter().find(|(name, ..)| step.contains_key(*name));
    let Some((name, kind, verb)) = earlier.filter(|_| step.len() == 1) else {
        return Value::Object(step);
    };
    let mut step = step;
    let mut fields = step.remove(*name).unwrap_or_default();
    if let (Value::Object(fields), "create") = (&mut fields, *verb)
        && let Some(spec) = fields.remove(*kind)
    {
        fields.insert("spec".to_owned(), spec);
    }
    let one = |key: &str, value| Value::Object(Map::from_iter([(key.to_owned(), value)]));
    one(kind, one(verb, fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Act, Life};

    fn read(text: &str) -> Result<Step, serde_json::Error> {
        step(&mut serde_json::Deserializer::from_str(text))
    }

    #[test]
    fn what_an_earlier_record_says_is_understood() {
        let earlier = r#"{"create_group":{"subject":{"group":{"directory":"debian","group":"web"}},
            "group":{"name":"web"}}}"#;
        let Step::Group(Life::Create { spec, .. }) = read(earlier).unwrap() else { panic!() };
        assert_eq!(spec.name.as_str(), "web");
        let suspended = r#"{"suspend_user":{"id":"u-1","subject":{"service":"ci"},"on":"2026-11-01",
            "before":{"name":"ci","access":"enabled"}}}"#;
        let suspended = read(suspended).unwrap();
        assert_eq!(suspended.act(), Act::Retire);
        let today = serde_json::to_string(&suspended).unwrap();
        assert_eq!(read(&today).unwrap(), suspended);
    }

    #[test]
    fn every_earlier_name_leads_to_a_verb_of_today() {
        for (name, kind, verb) in NAMES {
            let error = read(&format!("{{\"{name}\":{{}}}}")).unwrap_err().to_string();
            assert!(error.contains("missing field"), "{name} is {kind} {verb}: {error}");
        }
        assert!(read("{\"create_planet\":{}}").is_err());
        assert!(read("7").is_err());
    }
}
