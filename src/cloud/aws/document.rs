//! Policy documents: in a normal form, and those that let a group assume its roles.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The one version of the policy language in use.
pub const VERSION: &str = "2012-10-17";

/// A document as the service gave it, decoded: most actions of IAM give documents percent-encoded
/// (IAM API reference, `GetGroupPolicy` and others), some peers do not.
pub fn decode(text: &str) -> String {
    if text.trim_start().starts_with('{') {
        return text.to_owned();
    }
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A document in the one form in which the same documents are the same text; what is no JSON stays
/// as it is.
///
/// AWS gives documents back as it likes: a list of one as that one, texts of a list in any order.
/// Neither means anything, nor do white space and the order of keys.
pub fn normal(text: &str) -> String {
    match serde_json::from_str::<Value>(&decode(text)) {
        Ok(value) => normal_value(&value).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// A document that was made here, in the normal form.
pub fn normal_value(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let entries = keys.into_iter().map(|key| {
                let value = normal_value(&map[key]);
                let value = match value {
                    Value::Object(_) if key == "Statement" => Value::Array(vec![value]),
                    other => other,
                };
                (key.clone(), value)
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(normal_value).collect();
            if items.iter().all(Value::is_string) {
                items.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
                items.dedup();
                if items.len() == 1 {
                    return items.remove(0);
                }
            }
            Value::Array(items)
        }
        // Reading and writing a number with a fraction or a hundred digits again and again may
        // end in another one each time. IAM takes a number and its text for the same (IAM User
        // Guide, "IAM JSON policy elements: Condition operators").
        Value::Number(number) if number.is_f64() => Value::String(number.to_string()),
        other => other.clone(),
    }
}

/// The size AWS counts: characters that are no white space.
pub fn size(text: &str) -> u64 {
    text.chars().filter(|character| !character.is_whitespace()).count() as u64
}

/// A document that lets its holders assume roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssumeDocument {
    /// The ARNs of the roles.
    pub roles: BTreeSet<String>,
    /// What else it says, which no document of ours does: in a normal form.
    pub other: Option<String>,
}

impl AssumeDocument {
    /// Reads a document. Only statements exactly like ours count as ours.
    pub fn parse(text: &str) -> Self {
        let unreadable = || Self { roles: BTreeSet::new(), other: Some(normal(text)) };
        let Ok(document) = serde_json::from_str::<Value>(&decode(text)) else {
            return unreadable();
        };
        let document = normal_value(&document);
        let statements = match (document.get("Version"), document.get("Statement")) {
            (Some(Value::String(version)), Some(Value::Array(statements)))
                if version == VERSION && document.as_object().is_some_and(|map| map.len() == 2) =>
            {
                statements
            }
            _ => return unreadable(),
        };
        let mut roles = BTreeSet::new();
        let mut others = Vec::new();
        for statement in statements {
            match assumed_roles(statement) {
                Some(found) => roles.extend(found),
                None => others.push(statement.clone()),
            }
        }
        let other = (!others.is_empty()).then(|| Value::Array(others).to_string());
        Self { roles, other }
    }

    /// The document that says exactly this, without what else it said.
    pub fn render(roles: &BTreeSet<String>) -> String {
        normal_value(&json!({
            "Version": VERSION,
            "Statement": [{
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": roles,
            }],
        }))
        .to_string()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.other.is_none()
    }
}

/// The ARNs of a statement that allows `sts:AssumeRole` on them and says nothing else.
fn assumed_roles(statement: &Value) -> Option<BTreeSet<String>> {
    let statement = statement.as_object()?;
    let is = |key: &str, expected: &str| {
        statement.get(key).and_then(Value::as_str).is_some_and(|text| text == expected)
    };
    if statement.len() != 3 || !is("Effect", "Allow") || !is("Action", "sts:AssumeRole") {
        return None;
    }
    let resources = match statement.get("Resource")? {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => {
            all.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?
        }
        _ => return None,
    };
    // A pattern stands for more than one role: nothing of ours.
    let plain = |arn: &String| role_arn(arn).is_some() && !arn.contains(['*', '?', '$']);
    resources.iter().all(plain).then(|| resources.into_iter().collect())
}

/// The account and the name of the role an ARN is of.
pub fn role_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let head = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    match head {
        ("arn", _, "iam", "") if resource.starts_with("role/") => {
            Some((account, resource.rsplit('/').next()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "arn:aws:iam::222222222222:role/reconcile/spi/operator";
    const TWO: &str = "arn:aws:iam::333333333333:role/auditor";

    fn roles(arns: &[&str]) -> BTreeSet<String> {
        arns.iter().map(|arn| (*arn).to_owned()).collect()
    }

    #[test]
    fn what_means_the_same_is_the_same_text() {
        let one = r#"{"Version":"2012-10-17","Statement":[{"Action":["b","a"],"Effect":"Allow"}]}"#;
        let other = "{ \"Statement\": {\"Effect\":\"Allow\", \"Action\":[\"a\",\"b\",\"a\"]},\n \"Version\":\"2012-10-17\"}";
        assert_eq!(normal(one), normal(other));
        let encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Action%22%3A%5B%22a%22%2C%22b%22%5D%2C%22Effect%22%3A%22Allow%22%7D%5D%7D";
        assert_eq!(normal(encoded), normal(one));
        assert_ne!(normal(one), normal(&one.replace("Allow", "Deny")));
        assert_eq!(normal("no document"), "no document");
        assert_eq!(size("{ \"a\":\t1 }\n"), 7);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for arns in [&[ONE][..], &[ONE, TWO]] {
            let arns = roles(arns);
            let read = AssumeDocument::parse(&AssumeDocument::render(&arns));
            assert_eq!(read, AssumeDocument { roles: arns, other: None });
        }
    }

    #[test]
    fn only_statements_exactly_like_ours_are_ours() {
        let with = |statement: Value| {
            let ours = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ONE});
            let document = json!({"Version": VERSION, "Statement": [ours, statement]});
            AssumeDocument::parse(&document.to_string())
        };
        for strange in [
            json!({"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": TWO}),
            json!({"Effect": "Allow", "Action": "sts:*", "Resource": TWO}),
            json!({"Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": TWO}),
            json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": format!("{TWO}*")}),
            json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [TWO, 7]}),
            json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": TWO, "Sid": "x"}),
            json!("strange"),
        ] {
            let read = with(strange.clone());
            assert_eq!(read.roles, roles(&[ONE]), "{strange}");
            assert!(read.other.is_some(), "{strange}");
        }
        for document in ["", "[]", "{}", "{\"Version\":\"2012-10-17\"}", "not json"] {
            let read = AssumeDocument::parse(document);
            assert!(read.roles.is_empty() && read.other.is_some(), "{document}");
        }
    }

    #[test]
    fn role_arns_are_told_from_others() {
        assert_eq!(role_arn(ONE), Some(("222222222222", "operator")));
        assert_eq!(role_arn("arn:aws-cn:iam::1:role/x"), Some(("1", "x")));
        for other in ["", "*", "arn:aws:iam::1:user/x", "arn:aws:s3:::role/x", "arn:aws:iam::1"] {
            assert_eq!(role_arn(other), None, "{other}");
        }
    }
}
