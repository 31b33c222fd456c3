//! Whether somebody loses something when what they have becomes something else.
//!
//! What counts as a removal is decided by what people lose, not by the verb of a change: a role
//! that means less takes rights from everybody who holds it. What cannot be compared counts as a
//! loss, unless the new is provably as wide: the same statements, or wider ones, and no new denial.
//!
//! The values are the vendors'; four conventions hold for all of them: sets hold what is allowed;
//! [`BOUNDARY`] bounds, so that its absence is the widest; how long a session lasts
//! ([`SESSION_HOURS`]) and what something is called give nobody any right; a text that is a JSON
//! object with `Statement` is a policy document.

use serde_json::{Map, Value};

use super::{Act, Life};
use crate::model::{Attachment, AttributeValue, ResourceSpec, RoleSpec};
use crate::pattern;

/// The attribute and the kinds of attachments (by a part of their name) that bound what their
/// holder may do.
const BOUNDARY: &str = "boundary";

/// The beginning of the attributes that say who may take a role on.
const TRUST: &str = "trust";

/// The attribute that says how long a session lasts.
const SESSION_HOURS: &str = "session_hours";

/// Whether holders of a role lose something when it becomes another.
pub(super) fn of_role(before: &RoleSpec, after: &RoleSpec) -> bool {
    let keys = before.attributes.keys().chain(after.attributes.keys());
    keys.into_iter().any(|key| {
        let (is, will_be) = (before.attributes.get(key), after.attributes.get(key));
        match key.as_str() {
            SESSION_HOURS => false,
            BOUNDARY => will_be.is_some() && is != will_be,
            _ => match (is, will_be) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(is), Some(will_be)) => of_value(is, will_be),
            },
        }
    })
}

/// Whether a role allows provably as much as another one. Who may take them on is not compared.
pub fn allows_as_much(
    (other, attached): (&RoleSpec, &[&Attachment]),
    (role, has): (&RoleSpec, &[&Attachment]),
) -> bool {
    let what = |spec: &RoleSpec| {
        let mut spec = spec.clone();
        spec.attributes.retain(|key, _| !key.as_str().starts_with(TRUST));
        spec
    };
    let is_made_up_for = |one: &&Attachment| {
        has.iter().any(|two| {
            one.kind == two.kind
                && (one == two || one.name == two.name)
                && !of_attachment(Some(one), two)
        })
    };
    let bounded = has.iter().any(|two| bounds(two) && !attached.contains(two));
    let denies = has.iter().any(|two| !attached.contains(two) && of_attachment(None, two));
    !of_role(&what(other), &what(role))
        && !bounded
        && !denies
        && attached.iter().filter(|one| !bounds(one)).all(is_made_up_for)
}

/// Whether those an identity provider vouches for lose something when it becomes another: fewer
/// of whom it lets in. Who it is (its certificates) is not compared: they change as time passes.
pub(super) fn of_provider(before: &RoleSpec, after: &RoleSpec) -> bool {
    before.attributes.iter().any(|(key, is)| match (is, after.attributes.get(key)) {
        (AttributeValue::Set(_), None) => true,
        (AttributeValue::Set(_), Some(will_be)) => of_value(is, will_be),
        _ => false,
    })
}

/// Whether whatever has an attachment loses something when it gets it, or gets it in place of
/// another of the same kind and name.
pub(super) fn of_attachment(before: Option<&Attachment>, after: &Attachment) -> bool {
    if bounds(after) {
        return before != Some(after);
    }
    match (before.map(|before| before.content.as_deref()), after.content.as_deref()) {
        // A policy that denies takes away, whoever attaches it.
        (None, Some(after)) => Document::parse(after).is_some_and(|new| !new.denies().is_empty()),
        (None, None) => false,
        (Some(before), after) if before == after => false,
        (Some(Some(before)), Some(after)) => of_text(before, after),
        (Some(_), _) => true,
    }
}

/// Whether whatever has an attachment loses something when it no longer has it.
pub(super) fn of_detachment(attachment: &Attachment) -> bool {
    !bounds(attachment)
}

fn bounds(attachment: &Attachment) -> bool {
    attachment.kind.as_str().contains(BOUNDARY)
}

fn of_value(before: &AttributeValue, after: &AttributeValue) -> bool {
    match (before, after) {
        (AttributeValue::Set(before), AttributeValue::Set(after)) => {
            !before.iter().all(|one| after.iter().any(|wide| pattern::matches(wide, one)))
        }
        (AttributeValue::Text(before), AttributeValue::Text(after)) => of_text(before, after),
        (before, after) => before != after,
    }
}

fn of_text(before: &str, after: &str) -> bool {
    if before == after {
        return false;
    }
    match (Document::parse(before), Document::parse(after)) {
        (Some(before), Some(after)) => !after.is_as_wide_as(&before),
        _ => true,
    }
}

/// A policy document: statements that allow and statements that deny.
struct Document {
    version: Option<Value>,
    statements: Vec<Map<String, Value>>,
}

impl Document {
    /// `None` for what is no policy document, or has a part that is not understood.
    fn parse(text: &str) -> Option<Self> {
        let Value::Object(mut document) = serde_json::from_str(text).ok()? else { return None };
        let statements = match document.remove("Statement")? {
            Value::Array(all) => all,
            one => vec![one],
        };
        let statements = statements
            .into_iter()
            .map(|one| match one {
                Value::Object(mut statement) => {
                    statement.remove("Sid");
                    Some(statement)
                }
                _ => None,
            })
            .collect::<Option<_>>()?;
        Some(Self { version: document.remove("Version"), statements })
    }

    fn of_effect(&self, effect: &str) -> Vec<&Map<String, Value>> {
        let is = |statement: &&Map<String, Value>| {
            statement.get("Effect").and_then(Value::as_str) == Some(effect)
        };
        self.statements.iter().filter(is).collect()
    }

    fn allows(&self) -> Vec<&Map<String, Value>> {
        self.of_effect("Allow")
    }

    fn denies(&self) -> Vec<&Map<String, Value>> {
        self.of_effect("Deny")
    }

    /// Whether each permission of another document is within one of this one, and each denial of
    /// this one within one of the other. Permissions that are only within several together count
    /// as lost.
    fn is_as_wide_as(&self, other: &Self) -> bool {
        let known = |document: &Self| {
            document.allows().len() + document.denies().len() == document.statements.len()
        };
        known(self)
            && known(other)
            && self.version == other.version
            && other.allows().iter().all(|one| self.allows().iter().any(|wide| covers(wide, one)))
            && self.denies().iter().all(|one| other.denies().iter().any(|wide| covers(wide, one)))
    }
}

/// Whether everything one statement is about is what another is about, too.
fn covers(wide: &Map<String, Value>, narrow: &Map<String, Value>) -> bool {
    wide.keys().chain(narrow.keys()).all(|key| {
        match (key.as_str(), wide.get(key), narrow.get(key)) {
            (_, Some(wide), Some(narrow)) if wide == narrow => true,
            ("Action", Some(wide), Some(narrow)) => within(narrow, wide, |one, other| {
                pattern::matches(&one.to_ascii_lowercase(), &other.to_ascii_lowercase())
            }),
            ("Resource", Some(wide), Some(narrow)) => within(narrow, wide, pattern::matches),
            ("Principal", Some(wide), Some(narrow)) => principals(wide, narrow),
            // Without a condition it always holds.
            ("Condition", None, Some(_)) => true,
            _ => false,
        }
    })
}

/// Principals are compared as texts: a `*` within a name means nothing there.
fn principals(wide: &Value, narrow: &Value) -> bool {
    match (wide, narrow) {
        (Value::Object(wide), Value::Object(narrow)) => narrow.iter().all(|(kind, narrow)| {
            wide.get(kind).is_some_and(|wide| within(narrow, wide, |one, other| one == other))
        }),
        (Value::String(everybody), _) => everybody == "*",
        _ => false,
    }
}

/// Whether each text of a list is covered by one of another list. A list of one may be that one.
fn within(narrow: &Value, wide: &Value, covers: impl Fn(&str, &str) -> bool) -> bool {
    match (texts(narrow), texts(wide)) {
        (Some(narrow), Some(wide)) => {
            narrow.iter().all(|one| wide.iter().any(|other| covers(other, one)))
        }
        _ => false,
    }
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(all) => all.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Whether somebody loses something by what happens to a part of a mirror that nothing replaces.
///
/// What comes to be and what becomes different takes nothing away: a front end that would lose its
/// last origin, or a public name its record, is not planned so.
pub(super) fn of_part(life: &Life<Box<ResourceSpec>>) -> bool {
    match life.act() {
        Act::Retire | Act::Delete | Act::Unlink => true,
        Act::Create | Act::Update | Act::Restore | Act::Link | Act::Adopt | Act::Issue => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn role(attributes: &[(&str, AttributeValue)]) -> RoleSpec {
        RoleSpec {
            name: "role".into(),
            description: String::new(),
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).into(), value.clone()))
                .collect(),
        }
    }

    fn set(texts: &[&str]) -> AttributeValue {
        AttributeValue::Set(texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>())
    }

    fn permissions(texts: &[&str]) -> RoleSpec {
        role(&[("permissions", set(texts))])
    }

    #[test]
    fn what_a_role_may_no_longer_do_is_lost() {
        let cases: [(&[&str], &[&str], bool); 7] = [
            (&["a"], &["a"], false),
            (&["a"], &["a", "b"], false),
            (&["a", "b"], &["a"], true),
            (&["a:b"], &["a:*"], false),
            (&["a:*"], &["a:b"], true),
            (&["*"], &["none"], true),
            (&["a:*", "b"], &["*"], false),
        ];
        for (before, after, loses) in cases {
            let found = of_role(&permissions(before), &permissions(after));
            assert_eq!(found, loses, "{before:?} → {after:?}");
        }
        assert!(of_role(&permissions(&["a"]), &role(&[])), "nothing is less than something");
        assert!(!of_role(&role(&[]), &permissions(&["a"])));
    }

    #[test]
    fn a_boundary_takes_away_and_hours_do_not() {
        let text = |text: &str| AttributeValue::Text(text.to_owned());
        let bounded = role(&[("boundary", text("one"))]);
        assert!(of_role(&role(&[]), &bounded));
        assert!(of_role(&bounded, &role(&[("boundary", text("other"))])));
        assert!(!of_role(&bounded, &role(&[])));
        let hours = |hours| role(&[("session_hours", AttributeValue::Number(hours))]);
        assert!(!of_role(&hours(8), &hours(1)));
    }

    fn document(statements: &str) -> String {
        format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statements}]}}")
    }

    const READ: &str = r#"{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}"#;
    const ONE: &str = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:a"}"#;
    const ON_MONDAYS: &str = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:a","Condition":{"x":{"y":1}}}"#;
    const NEVER: &str = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
    const NEVER_ONE: &str = r#"{"Effect":"Deny","Action":"S3:GetObject","Resource":"*"}"#;
    const NOT: &str = r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#;

    #[test]
    fn a_document_is_as_wide_only_if_that_can_be_shown() {
        let all = |parts: &[&str]| document(&parts.join(","));
        let cases = [
            (vec![ONE], vec![READ], false),
            (vec![READ], vec![ONE], true),
            (vec![ONE], vec![ONE, NOT], false),
            (vec![ONE, NOT], vec![NOT], true),
            (vec![ON_MONDAYS], vec![ONE], false),
            (vec![ONE], vec![ON_MONDAYS], true),
            (vec![READ], vec![READ, NEVER], true),
            (vec![READ, NEVER], vec![READ], false),
            (vec![READ, NEVER], vec![READ, NEVER_ONE], false),
            (vec![READ, NEVER_ONE], vec![READ, NEVER], true),
        ];
        for (before, after, loses) in cases {
            assert_eq!(of_text(&all(&before), &all(&after)), loses, "{before:?} → {after:?}");
        }
        assert!(of_text(&all(&[ONE]), "something else"));
        assert!(of_text("something", "something else"));
        let old = all(&[ONE]).replace("2012-10-17", "2008-10-17");
        assert!(of_text(&old, &all(&[ONE])), "variables mean something in one of them only");
    }

    #[test]
    fn who_may_take_a_role_on_may_become_more() {
        let trust = |who: &str| {
            document(&format!(
                r#"{{"Effect":"Allow","Principal":{who},"Action":"sts:AssumeRole"}}"#
            ))
        };
        let (one, two) = (trust(r#"{"AWS":"a"}"#), trust(r#"{"AWS":["a","b"]}"#));
        assert!(!of_text(&one, &two));
        assert!(of_text(&two, &one));
        assert!(!of_text(&two, &trust("\"*\"")));
        assert!(of_text(&trust(r#"{"AWS":"ab"}"#), &trust(r#"{"AWS":"a*"}"#)));
    }

    #[test]
    fn what_is_attached_in_place_of_something_is_compared_with_it() {
        let inline = |content: &str| Attachment {
            kind: "inline-policy".into(),
            name: "reconcile".into(),
            content: Some(content.to_owned()),
        };
        let managed =
            Attachment { kind: "managed-policy".into(), name: "arn:x".into(), content: None };
        let boundary = Attachment { kind: "boundary".into(), ..managed.clone() };
        assert!(!of_attachment(None, &managed));
        assert!(of_detachment(&managed));
        assert!(of_attachment(None, &boundary) && !of_detachment(&boundary));
        let (read, one) = (inline(&document(READ)), inline(&document(ONE)));
        assert!(of_attachment(Some(&read), &one));
        assert!(!of_attachment(Some(&one), &read));
        assert!(of_attachment(None, &inline(&document(NEVER))));
        assert!(!of_attachment(None, &read));
    }
}
