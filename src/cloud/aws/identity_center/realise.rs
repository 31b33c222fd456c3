//! What a role of the policies is as a permission set.

use std::collections::BTreeSet;
use std::fmt;

use crate::cloud::aws::document;
use crate::cloud::aws::realise::{BOUNDARY, INLINE_POLICY, MANAGED_POLICIES};
use crate::cloud::aws::session::partition;
use crate::cloud::{CloudError, ErrorKind};
use crate::model::{
    Attachment, AttributeName, AttributeValue, ObjectName, RealisedRole, RoleInputs, RoleSpec,
};

pub use crate::cloud::aws::realise::SESSION_HOURS;

/// The attribute that says whether all accounts have the set as it is: always wanted, and false
/// as long as one has an older version.
pub const PROVISIONED: &str = "provisioned";

/// A policy that is an object of its own, AWS's or of each account.
pub const MANAGED_KIND: &str = "managed-policy";
/// The set's own policy.
pub const INLINE_KIND: &str = "inline-policy";
/// The policy that bounds it.
pub const BOUNDARY_KIND: &str = "boundary";

/// A set has one policy of its own, which has no name at the vendor.
pub const INLINE_NAME: &str = "reconcile";
/// A set has one boundary. Which policy it is counts as its content, so that another one is put in
/// its place by one write, without a moment in which there is none.
pub const BOUNDARY_NAME: &str = "boundary";

/// Longest description (`CreatePermissionSet`).
const DESCRIPTION: usize = 700;

/// A managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One of AWS's, by its ARN.
    Aws(String),
    /// One that each account has of its own, by path and name.
    Own {
        /// The partition of the accounts.
        partition: String,
        /// `/`, or a path between two of them.
        path: String,
        /// Its name.
        name: String,
    },
}

/// An ARN; those of an account's own policies with `{account}` for the account, as in the
/// policies people write.
impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws(arn) => formatter.write_str(arn),
            Self::Own { partition, path, name } => {
                write!(formatter, "arn:{partition}:iam::{{account}}:policy{path}{name}")
            }
        }
    }
}

impl Policy {
    /// Reads what [`Policy`] writes. Whichever account an ARN names, a permission set refers to the
    /// policy of that path and name in each account it is assigned in.
    pub fn parse(arn: &str) -> Self {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, _, _, account, resource] = parts[..] else {
            return Self::Aws(arn.to_owned());
        };
        match resource.strip_prefix("policy").and_then(|path| path.rsplit_once('/')) {
            Some((path, name)) if account != "aws" => Self::Own {
                partition: partition.to_owned(),
                path: format!("{path}/"),
                name: name.to_owned(),
            },
            _ => Self::Aws(arn.to_owned()),
        }
    }

    /// As people write it: an ARN, or the name of one of AWS's with the path before it.
    pub fn written(text: &str, partition: &str) -> Self {
        if text.starts_with("arn:") {
            return Self::parse(text);
        }
        Self::Aws(format!("arn:{partition}:iam::aws:policy/{text}"))
    }

    /// Attached to a set.
    pub fn attachment(self) -> Attachment {
        let name = ObjectName::new(self.to_string());
        Attachment { kind: MANAGED_KIND.into(), name, content: None }
    }
}

/// A role of the policies as a permission set.
pub fn permission_set(inputs: &RoleInputs<'_>) -> RealisedRole {
    let partition = partition(inputs.hub);
    let value = |name: &str| inputs.attributes.get(&AttributeName::new(name));
    let mut attachments = BTreeSet::new();
    if let Some(AttributeValue::Set(policies)) = value(MANAGED_POLICIES) {
        let policies = policies.iter().map(|text| Policy::written(text, partition));
        attachments.extend(policies.map(Policy::attachment));
    }
    if let Some(AttributeValue::Text(text)) = value(INLINE_POLICY) {
        attachments.insert(Attachment {
            kind: INLINE_KIND.into(),
            name: INLINE_NAME.into(),
            content: Some(document::normal(text)),
        });
    }
    if let Some(AttributeValue::Text(text)) = value(BOUNDARY) {
        attachments.insert(Attachment {
            kind: BOUNDARY_KIND.into(),
            name: BOUNDARY_NAME.into(),
            content: Some(Policy::written(text, partition).to_string()),
        });
    }
    let hours = value(SESSION_HOURS).cloned().unwrap_or(AttributeValue::Number(1));
    RealisedRole {
        spec: RoleSpec {
            name: ObjectName::new(inputs.role.as_str()),
            description: description(inputs),
            attributes: [
                (AttributeName::new(SESSION_HOURS), hours),
                (AttributeName::new(PROVISIONED), AttributeValue::Flag(true)),
            ]
            .into(),
        },
        attachments,
        provider: None,
    }
}

/// A description the service takes: from one to 700 characters of ASCII and Latin-1
/// (`CreatePermissionSet` in the API reference); `?` for others.
fn description(inputs: &RoleInputs<'_>) -> String {
    let text = inputs.description.trim();
    let text = if text.is_empty() { inputs.role.as_str() } else { text };
    let allowed =
        |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    text.chars().take(DESCRIPTION).map(|one| if allowed(one) { one } else { '?' }).collect()
}

/// The longest session as the service writes it (ISO 8601: `PT8H`).
///
/// # Errors
/// A role without a whole number of hours.
pub fn duration(spec: &RoleSpec) -> Result<String, CloudError> {
    let session = spec.attributes.get(&AttributeName::new(SESSION_HOURS));
    if let Some(AttributeValue::Number(hours)) = session {
        return Ok(format!("PT{hours}H"));
    }
    let (name, message) = (spec.name.as_str(), "its session has no whole number of hours");
    Err(CloudError::new(ErrorKind::Invalid, "Prepare", name, message))
}

/// The longest session of a set: in hours, or in the service's words where it is no whole number
/// of them, which no role wants.
pub fn session(duration: Option<&str>) -> AttributeValue {
    // One hour where nothing is said.
    let Some(text) = duration.filter(|text| !text.is_empty()) else {
        return AttributeValue::Number(1);
    };
    let hours = text.strip_prefix("PT").and_then(|rest| rest.strip_suffix('H'));
    match hours.and_then(|hours| hours.parse().ok()) {
        Some(hours) => AttributeValue::Number(hours),
        None => AttributeValue::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_as_they_are_written() {
        let own = "arn:aws-cn:iam::{account}:policy/team/a/Read";
        for (text, expected) in [
            ("ReadOnlyAccess", "arn:aws-cn:iam::aws:policy/ReadOnlyAccess"),
            ("job-function/Billing", "arn:aws-cn:iam::aws:policy/job-function/Billing"),
            ("arn:aws-cn:iam::aws:policy/X", "arn:aws-cn:iam::aws:policy/X"),
            (own, own),
            ("arn:aws-cn:iam::111111111111:policy/team/a/Read", own),
            ("arn:aws-cn:iam::{account}:policy/Read", "arn:aws-cn:iam::{account}:policy/Read"),
        ] {
            let policy = Policy::written(text, "aws-cn");
            assert_eq!(policy.to_string(), expected);
            assert_eq!(Policy::parse(expected), policy);
        }
        let (path, name) = ("/team/a/".to_owned(), "Read".to_owned());
        assert_eq!(Policy::parse(own), Policy::Own { partition: "aws-cn".into(), path, name });
    }

    #[test]
    fn sessions_are_hours_or_what_no_role_wants() {
        assert_eq!(session(Some("PT8H")), AttributeValue::Number(8));
        assert_eq!(session(None), AttributeValue::Number(1));
        for strange in ["PT90M", "PT1H30M", "P1D", "8"] {
            assert_eq!(session(Some(strange)), AttributeValue::Text(strange.to_owned()));
        }
    }
}
