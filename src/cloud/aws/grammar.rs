//! Whether policies are written as IAM can take them, as far as that can be told without asking:
//! a misspelt word in a document would mean nothing, or stop a run in the middle.

use serde::Deserialize;

use super::document::VERSION;
use crate::model::AttributeValue;

/// Whether managed policies are written as they can be.
///
/// # Errors
/// What is expected.
pub fn check_policies(value: &AttributeValue) -> Result<(), String> {
    match value {
        AttributeValue::Set(policies) if policies.iter().all(|one| is_policy(one)) => Ok(()),
        _ => Err(POLICY.to_owned()),
    }
}

/// Whether one managed policy is written as it can be.
///
/// # Errors
/// What is expected.
pub fn check_policy(value: &AttributeValue) -> Result<(), String> {
    match value {
        AttributeValue::Text(policy) if is_policy(policy) => Ok(()),
        _ => Err(POLICY.to_owned()),
    }
}

const POLICY: &str = "names of AWS's own policies (`ReadOnlyAccess`, `job-function/Billing`) or \
                      ARNs (`arn:aws:iam::{account}:policy/…`)";

fn is_policy(text: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@_-/".contains(letter);
    if text.starts_with("arn:") {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", _, "iam", "", account, path] = parts[..] else { return false };
        return (["{account}", "aws"].contains(&account) || super::config::is_account_id(account))
            && path.starts_with("policy/")
            && path.chars().all(plain);
    }
    !text.is_empty() && text.chars().all(plain)
}

/// Whether a text is a policy document for a role's own policy (IAM User Guide, "Grammar of the IAM
/// JSON policy language").
///
/// # Errors
/// What is wrong with it.
pub fn check_document(value: &AttributeValue) -> Result<(), String> {
    let AttributeValue::Text(text) = value else { return Err("a JSON document".to_owned()) };
    let document: Document =
        serde_json::from_str(text).map_err(|error| format!("a policy document ({error})"))?;
    if document.version != VERSION {
        return Err(format!("a document with \"Version\": \"{VERSION}\""));
    }
    let statements = document.statement.as_slice();
    if statements.is_empty() {
        return Err("a document with a Statement".to_owned());
    }
    for statement in statements {
        if statement.action.is_some() == statement.not_action.is_some() {
            return Err("every statement with either Action or NotAction".to_owned());
        }
        if statement.resource.is_some() == statement.not_resource.is_some() {
            return Err("every statement with either Resource or NotResource".to_owned());
        }
    }
    Ok(())
}

/// Each word once, and no other: JSON itself lets the last of two win without a word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "Version")]
    version: String,
    #[serde(rename = "Id")]
    _id: Option<String>,
    #[serde(rename = "Statement")]
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Statement {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    #[serde(rename = "Effect")]
    _effect: Effect,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    #[serde(rename = "Condition")]
    _condition: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Deserialize)]
enum Effect {
    Allow,
    Deny,
}

enum OneOrMany<T> {
    One([T; 1]),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

/// By hand, so that what is wrong inside is told and not only that neither fits. A list is told by
/// its first character.
impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let raw: Box<serde_json::value::RawValue> = Deserialize::deserialize(deserializer)?;
        if raw.get().starts_with('[') {
            serde_json::from_str(raw.get()).map(Self::Many).map_err(D::Error::custom)
        } else {
            let one = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
            Ok(Self::One([one]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_names_or_arns() {
        for good in [
            "ReadOnlyAccess",
            "job-function/Billing",
            "arn:aws:iam::{account}:policy/x/y",
            "arn:aws-cn:iam::123456789012:policy/x",
        ] {
            assert!(is_policy(good), "{good}");
        }
        for bad in [
            "",
            "a b",
            "*",
            "arn:aws:s3:::bucket",
            "arn:aws:iam::1:role/x",
            "arn:aws:iam::{acount}:policy/x",
            "arn:aws:iam::{account}:policy/{name}",
        ] {
            assert!(!is_policy(bad), "{bad}");
        }
    }

    #[test]
    fn documents_say_every_word_once_and_no_other() {
        let check = |text: &str| check_document(&AttributeValue::Text(text.to_owned()));
        let with =
            |statement: &str| format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#);
        let good = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": ["a", "b"]}"#;
        assert_eq!(check(&with(good)), Ok(()));
        assert_eq!(check(&with(&format!("[{good}, {good}]"))), Ok(()));
        for (statement, expected) in [
            ("[]".to_owned(), "with a Statement"),
            (good.replace("Action", "Actoin"), "unknown field `Actoin`"),
            (good.replace("Allow", "allow"), "unknown variant `allow`"),
            (good.replace("\"Effect\"", "\"Principal\": \"*\", \"Effect\""), "`Principal`"),
            (
                good.replace("\"Resource\"", "\"Action\": \"iam:*\", \"Resource\""),
                "duplicate field",
            ),
            (r#"{"Effect": "Allow", "Action": "s3:*"}"#.to_owned(), "Resource"),
            (r#"{"Effect": "Allow", "Resource": "*"}"#.to_owned(), "Action"),
        ] {
            let error = check(&with(&statement)).expect_err(expected);
            assert!(error.contains(expected), "{error}, not {expected}");
        }
        assert!(check("nonsense").is_err());
        assert!(check(&with(good).replace("2012-10-17", "2008-10-17")).is_err());
    }
}
