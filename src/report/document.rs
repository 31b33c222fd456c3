//! JSON documents among the values of a change: shown as they are written, and of two only the
//! places where they differ.

use serde_json::Value;

use super::words::cut_at;

/// So much of one document is shown; the JSON form of a report has all of it.
const LONGEST_DOCUMENT: usize = 1000;

/// So much of one value within a document.
const LONGEST_VALUE: usize = 200;

/// The document a text is, if it is one.
pub(super) fn parse(text: &str) -> Option<Value> {
    let begins = text.trim_start().starts_with(['{', '[']);
    begins.then(|| serde_json::from_str(text).ok()).flatten()
}

/// A document on one line.
pub(super) fn whole(document: &Value) -> String {
    cut_at(&document.to_string(), LONGEST_DOCUMENT).into_owned()
}

/// What is different between two documents, each place named by the way to it.
pub(super) fn changes(was: &Value, is: &Value) -> String {
    let mut found = Vec::new();
    walk("", was, is, &mut found);
    // The same values, written differently.
    if found.is_empty() { "is written differently".to_owned() } else { found.join(", ") }
}

fn walk(at: &str, was: &Value, is: &Value, found: &mut Vec<String>) {
    match (was, is) {
        (Value::Object(before), Value::Object(after)) => {
            let below =
                |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
            for (key, was) in before {
                match after.get(key) {
                    Some(is) => walk(&below(key), was, is, found),
                    None => found.push(format!("{} {} → nothing", below(key), short(was))),
                }
            }
            for (key, is) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                found.push(format!("{} nothing → {}", below(key), short(is)));
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (position, (was, is)) in before.iter().zip(after).enumerate() {
                walk(&format!("{at}[{position}]"), was, is, found);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let joins = after.iter().filter(|one| !before.contains(one));
            let leaves = before.iter().filter(|one| !after.contains(one));
            let joins = joins.map(|one| format!("+{}", short(one)));
            let all: Vec<String> =
                joins.chain(leaves.map(|one| format!("-{}", short(one)))).collect();
            let all = if all.is_empty() { "in another number".to_owned() } else { all.join(" ") };
            found.push(format!("{at} {all}").trim_start().to_owned());
        }
        (was, is) if was != is => {
            let change = format!("{} → {}", short(was), short(is));
            found.push(if at.is_empty() { change } else { format!("{at} {change}") });
        }
        _ => {}
    }
}

fn short(value: &Value) -> String {
    cut_at(&value.to_string(), LONGEST_VALUE).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_different_is_shown_and_where() {
        let document = |principal: &str, actions: &[&str]| {
            json!({
                "Statement": [
                    {"Action": actions, "Effect": "Allow", "Principal": {"AWS": principal}},
                ],
                "Version": "2012-10-17",
            })
        };
        let was = document("arn:aws:iam::111111111111:root", &["sts:AssumeRole"]);
        let is = document("arn:aws:iam::222222222222:root", &["sts:AssumeRole"]);
        assert_eq!(
            changes(&was, &is),
            r#"Statement[0].Principal.AWS "arn:aws:iam::111111111111:root" → "arn:aws:iam::222222222222:root""#
        );
        let more =
            document("arn:aws:iam::111111111111:root", &["sts:AssumeRole", "sts:TagSession"]);
        assert_eq!(changes(&was, &more), r#"Statement[0].Action +"sts:TagSession""#);
        assert_eq!(
            changes(&json!({"a": 1, "b": 2}), &json!({"b": 2, "c": [3]})),
            "a 1 → nothing, c nothing → [3]"
        );
        assert_eq!(changes(&json!([1]), &json!([1, 1])), "in another number");
        assert_eq!(changes(&was, &was), "is written differently");
    }

    #[test]
    fn what_is_no_document_is_none() {
        assert_eq!(parse("hello"), None);
        assert_eq!(parse("{not json"), None);
        assert_eq!(parse("12"), None);
        assert_eq!(whole(&parse(r#" {"a": "b"}"#).expect("a document")), r#"{"a":"b"}"#);
    }
}
