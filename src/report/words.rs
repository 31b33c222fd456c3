//! What a step does in words: one line, no personal values, nothing a terminal might obey.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::document;
use crate::masks;
use crate::model::{
    Access, AttributeName, AttributeValue, Credential, Reference, ResourceSpec, RoleSpec, UserSpec,
    Value,
};
use crate::plan::{Change, Effect, Life, Step};
pub use crate::visible::escaped as printable;

/// Longer attribute texts are cut; the JSON form has them whole.
const LONGEST_TEXT: usize = 200;

/// One change in the columns of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What it means, readable without colour.
    pub sign: char,
    /// What is done.
    pub verb: &'static str,
    /// To what.
    pub object: String,
    /// From what to what.
    pub detail: String,
    /// Why.
    pub why: String,
}

/// The columns of one change; `held` is why it is held, empty where that is said elsewhere.
pub(super) fn line(change: &Change, held: Option<&str>) -> Line {
    let mut reasons: Vec<String> = change.reasons.iter().map(ToString::to_string).collect();
    if let Some(why) = held {
        reasons.push(if why.is_empty() { "HELD".to_owned() } else { format!("HELD: {why}") });
    }
    Line {
        sign: if held.is_some() { '!' } else { sign(&change.step) },
        verb: change.step.verb(),
        object: printable(change.step.object().as_str()).into_owned(),
        detail: printable(&detail(&change.step)).into_owned(),
        why: printable(&reasons.join("; ")).into_owned(),
    }
}

/// `+` addition, `~` update, `-` removal.
pub(super) fn sign(step: &Step) -> char {
    match step.effect() {
        Effect::Addition => '+',
        Effect::Update => '~',
        Effect::Removal => '-',
    }
}

/// From what to what.
fn detail(step: &Step) -> String {
    match step {
        Step::User(Life::Create { subject, .. })
        | Step::Group(
            Life::Create { subject, .. }
            | Life::Retire { subject, .. }
            | Life::Restore { subject, .. }
            | Life::Delete { subject, .. },
        )
        | Step::Role(
            Life::Retire { subject, .. }
            | Life::Restore { subject, .. }
            | Life::Delete { subject, .. },
        ) => format!("for {subject}"),
        Step::Part { life, .. } => part(life),
        Step::User(Life::Update { before, after, .. }) => user_changes(before, after),
        Step::RevokeCredential { credential, .. } => {
            format!("{} {}", credential.kind, credential_id(credential))
        }
        Step::User(Life::Retire { before, on, .. }) => {
            format!("{} → {}", access(before.access), access(before.access.suspended(*on)))
        }
        Step::User(Life::Restore { before, .. }) if before.access == Access::Enabled => {
            "enabled; the mark of an old suspension → none".to_owned()
        }
        Step::User(Life::Restore { before, .. }) => {
            format!("{} → {}", access(before.access), access(before.access.without_suspension()))
        }
        Step::User(Life::Delete { before, .. }) => format!("{} → gone", access(before.access)),
        Step::Group(Life::Update { before, after, .. }) => {
            format!("name {} → {}", before.name, after.name)
        }
        Step::AddMember { group, .. } | Step::BindRole { group, .. } => {
            format!("to group {}", group.name)
        }
        Step::RemoveMember { group, subject: None, .. } => {
            format!("(a foreign user) from group {}", group.name)
        }
        Step::UnbindRole { group: user, by_hand: Some(_), .. } => {
            format!("from {} (a user who is not ours)", user.name)
        }
        Step::RemoveMember { group, subject: Some(_), .. }
        | Step::UnbindRole { group, by_hand: None, .. } => {
            format!("from group {}", group.name)
        }
        Step::Role(Life::Create { spec: role, .. }) => role_meaning(role),
        Step::Role(Life::Update { before, after, .. }) => role_changes(before, after),
        Step::Attach { before, attachment, .. } => match (before, &attachment.content) {
            (None, None) => format!("{} {}", attachment.kind, attachment.name),
            (None, Some(content)) => {
                let content = document::parse(content)
                    .map_or_else(|| cut(content).into_owned(), |content| document::whole(&content));
                format!("{} {}: {content}", attachment.kind, attachment.name)
            }
            (Some(before), content) => format!(
                "{} {} {}",
                attachment.kind,
                attachment.name,
                text_change(
                    before.content.as_deref().unwrap_or_default(),
                    content.as_deref().unwrap_or_default()
                )
            ),
        },
        Step::Detach { attachment, .. } => format!("{} {}", attachment.kind, attachment.name),
        Step::Adopt { subject, from: Some(from), .. } => format!("as {subject}, not {from}"),
        Step::Adopt { subject, from: None, .. } => format!("as {subject}"),
        Step::IssueCredential { kind, sink, .. } => format!("{kind}, its secret goes to {sink}"),
    }
}

fn part(life: &Life<Box<ResourceSpec>>) -> String {
    match life {
        Life::Create { spec, .. } => settings(spec, &reference).join(", "),
        Life::Update { before, after, .. } => setting_changes(before, after, &reference).join(", "),
        Life::Retire { subject, on, .. } => format!("for {subject}, since {on}"),
        Life::Restore { subject, .. } | Life::Delete { subject, .. } => format!("for {subject}"),
    }
}

/// How something is called that a vendor makes up.
type Called<'a> = &'a dyn Fn(&Reference) -> String;

/// What a part of a mirror is to be like.
pub(super) fn settings(spec: &ResourceSpec, called: Called<'_>) -> Vec<String> {
    let each = spec.settings.iter();
    each.map(|(name, value)| format!("{name} {}", setting(value, called))).collect()
}

/// What of it becomes different.
pub(super) fn setting_changes(
    before: &ResourceSpec,
    after: &ResourceSpec,
    called: Called<'_>,
) -> Vec<String> {
    let mut changes = Vec::new();
    for key in before.settings.keys().chain(after.settings.keys()).collect::<BTreeSet<_>>() {
        let (was, is) = (before.settings.get(key), after.settings.get(key));
        if was != is {
            let words = |value: Option<&Value>| {
                value.map_or("nothing".to_owned(), |value| setting(value, called))
            };
            changes.push(format!("{key} {} → {}", words(was), words(is)));
        }
    }
    changes
}

fn setting(value: &Value, called: Called<'_>) -> String {
    match value {
        Value::Text(text) => cut(text).into_owned(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Set(set) => {
            let texts: Vec<&str> = set.iter().map(String::as_str).collect();
            cut(&format!("[{}]", texts.join(", "))).into_owned()
        }
        Value::Made(made) => called(made),
        Value::AllMade(all) => {
            let texts: Vec<String> = all.iter().map(called).collect();
            cut(&format!("[{}]", texts.join(", "))).into_owned()
        }
    }
}

fn reference(reference: &Reference) -> String {
    match reference {
        Reference::Known(id) => id.to_string(),
        Reference::Made { by, .. } => format!("(made by {by})"),
    }
}

/// The id of a credential, which may be that of the very key the program signs with.
fn credential_id(credential: &Credential) -> String {
    masks::shown(credential.id.as_str(), LONGEST_TEXT)
}

fn access(access: Access) -> String {
    match access {
        Access::Enabled => "enabled".to_owned(),
        Access::Suspended { since, was_disabled: false } => format!("suspended since {since}"),
        Access::Suspended { since, was_disabled: true } => {
            format!("suspended since {since} (disabled before, by somebody else)")
        }
        Access::Disabled => "disabled".to_owned(),
    }
}

fn user_changes(before: &UserSpec, after: &UserSpec) -> String {
    // Every field by name, so that a new one cannot be forgotten.
    let UserSpec { name, display_name, email, access: was } = before;
    let mut changes = Vec::new();
    if *name != after.name {
        changes.push(format!("name {name} → {}", after.name));
    }
    if *display_name != after.display_name {
        changes.push("full name (not shown)".to_owned());
    }
    if *email != after.email {
        changes.push("mail address (not shown)".to_owned());
    }
    if *was != after.access {
        changes.push(format!("{} → {}", access(*was), access(after.access)));
    }
    changes.join(", ")
}

fn role_meaning(role: &RoleSpec) -> String {
    let attributes = role.attributes.iter();
    let texts: Vec<String> =
        attributes.map(|(name, value)| format!("{name} {}", value_in_words(value))).collect();
    texts.join(", ")
}

fn role_changes(before: &RoleSpec, after: &RoleSpec) -> String {
    let RoleSpec { name, description, attributes } = before;
    let mut changes = Vec::new();
    if *name != after.name {
        changes.push(format!("name {name} → {}", after.name));
    }
    if *description != after.description {
        changes.push(format!("description {}", text_change(description, &after.description)));
    }
    changes.extend(attribute_changes(attributes, &after.attributes));
    changes.join(", ")
}

/// What a role means by name of attribute.
type Attributes = BTreeMap<AttributeName, AttributeValue>;

/// What is different between two meanings of a role.
pub(super) fn attribute_changes(before: &Attributes, after: &Attributes) -> Vec<String> {
    let mut changes = Vec::new();
    for (key, was) in before {
        match after.get(key) {
            None => changes.push(format!("{key} {} → nothing", value_in_words(was))),
            Some(is) if is != was => changes.push(format!("{key} {}", value_change(was, is))),
            Some(_) => {}
        }
    }
    for (key, is) in after {
        if !before.contains_key(key) {
            changes.push(format!("{key} nothing → {}", value_in_words(is)));
        }
    }
    changes
}

/// A value as people wrote it: a document is not shown as a text that contains one.
fn value_in_words(value: &AttributeValue) -> String {
    let parsed = match value {
        AttributeValue::Text(text) => document::parse(text),
        AttributeValue::Number(_) | AttributeValue::Flag(_) | AttributeValue::Set(_) => None,
    };
    parsed.map_or_else(|| cut(&value.to_string()).into_owned(), |parsed| document::whole(&parsed))
}

/// What joins and leaves a set; else before and after.
fn value_change(was: &AttributeValue, is: &AttributeValue) -> String {
    match (was, is) {
        (AttributeValue::Set(was), AttributeValue::Set(is)) => {
            let joins = is.difference(was).map(|text| format!("+{text}"));
            let leaves = was.difference(is).map(|text| format!("-{text}"));
            joins.chain(leaves).collect::<Vec<_>>().join(" ")
        }
        (AttributeValue::Text(was), AttributeValue::Text(is)) => text_change(was, is),
        (was, is) => format!("{} → {}", value_in_words(was), value_in_words(is)),
    }
}

/// Before and after. Of documents what differs; of long texts the part from the first difference
/// on, so that a change far behind is not cut off.
pub(super) fn text_change(was: &str, is: &str) -> String {
    if let (Some(was), Some(is)) = (document::parse(was), document::parse(is)) {
        return document::changes(&was, &is);
    }
    let same = was.chars().zip(is.chars()).take_while(|(was, is)| was == is).count();
    if was.len().max(is.len()) <= LONGEST_TEXT || same < 20 {
        return format!("{} → {}", cut(&format!("{was:?}")), cut(&format!("{is:?}")));
    }
    let rest = |text: &str| text.chars().skip(same - 10).collect::<String>();
    format!("…{} → …{}", cut(&format!("{:?}", rest(was))), cut(&format!("{:?}", rest(is))))
}

fn cut(text: &str) -> Cow<'_, str> {
    cut_at(text, LONGEST_TEXT)
}

/// At most so many characters of a text, and how many more there are.
pub(super) fn cut_at(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        None => Cow::Borrowed(text),
        Some((at, _)) => {
            let more = text[at..].chars().count();
            Cow::Owned(format!("{}… ({more} more characters)", &text[..at]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_can_steer_a_terminal_or_start_a_line() {
        let hostile = "a\u{1b}[2Jb\nc\rd\u{202e}e\u{9b}f\tg\u{200b}";
        let shown = printable(hostile);
        assert!(!shown.chars().any(char::is_control));
        assert_eq!(shown, "a\\u{1b}[2Jb\\u{a}c\\u{d}d\\u{202e}e\\u{9b}f\\u{9}g\\u{200b}");
        assert_eq!(printable("José → ok"), "José → ok");
    }

    #[test]
    fn the_key_the_program_signs_with_is_not_shown() {
        masks::remember(&"AKIATHEPROGRAMSOWN01".to_owned().into());
        let key = |id: &str| Credential {
            user: "AIDA1".into(),
            kind: "access-key".into(),
            id: id.into(),
            handed_over: None,
        };
        assert_eq!(credential_id(&key("AKIATHEPROGRAMSOWN01")), "(not shown)");
        assert_eq!(credential_id(&key("AKIASOMEBODYELSES001")), "AKIASOMEBODYELSES001");
    }

    #[test]
    fn a_change_deep_in_a_long_text_is_shown() {
        let was = format!("{}allow{}", "x".repeat(5000), "y".repeat(5000));
        let is = was.replace("allow", "deny!");
        let shown = text_change(&was, &is);
        assert!(shown.contains("allow") && shown.contains("deny!"), "{shown}");
        assert!(shown.len() < 600);
    }

    #[test]
    fn what_joins_and_leaves_a_set_is_shown() {
        let set = |texts: &[&str]| {
            AttributeValue::Set(texts.iter().map(|text| (*text).to_owned()).collect())
        };
        assert_eq!(value_change(&set(&["a", "b"]), &set(&["b", "c"])), "+c -a");
    }
}
