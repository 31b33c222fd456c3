//! What is true of the embedded cloud as a whole, and how we talk to it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{
    AttributeFacts, AttributeName, AttributeShape, AttributeValue, Federation, Forge, GitRef,
    NameRules, ObjectName, RealisedRole, ResourceKind, RoleInputs, Subject, Trust, VendorFacts,
    VendorName, any_forge, any_value, no_settings, nothing_forbids,
};

/// Its name in the inventory.
pub const NAME: &str = "memory";

/// The label with the organisation's name.
pub const ORGANISATION_TAG: &str = "reconcile:organisation";
/// The label with whom or what an object stands for.
pub const SUBJECT_TAG: &str = "reconcile:subject";
/// The label with the day a user was suspended.
pub const SUSPENDED_TAG: &str = "reconcile:suspended";
/// The label of a suspended user whom somebody else had disabled before.
pub const DISABLED_TAG: &str = "reconcile:disabled-before";

/// The label with the day from which nothing new reaches a part of a mirror.
pub const RETIRED_TAG: &str = "reconcile:retired";

/// The label with the keys that were handed over.
pub const KEY_TAG: &str = "reconcile:key";

/// The kind of credential that can be issued.
pub const KEY_KIND: &str = "access-key";

/// The attribute of a role that lists what its holders may do.
pub const PERMISSIONS: &str = "permissions";
/// The attribute of a role that bounds its sessions.
pub const SESSION_HOURS: &str = "session_hours";
/// The attribute of a role that says which jobs of a forge may take it on: each line is one
/// condition, and all must hold. Never written in the policies.
pub const TRUSTS: &str = "trusts";

/// How we talk to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long we wait for the reply to one call.
    pub call_time_limit: Duration,
    /// How many changes may be under way in one account.
    pub concurrency: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { call_time_limit: Duration::from_secs(30), concurrency: 8 }
    }
}

/// The rules for the names of users, groups and roles: those of AWS IAM users.
pub const NAMES: NameRules = NameRules {
    case_insensitive: true,
    max_length: 64,
    allows: |character| character.is_ascii_alphanumeric() || "+=,.@_-".contains(character),
    allowed: "letters, digits and +=,.@_-",
};

/// The rules for the names of what mirrors are made of.
pub const RESOURCE_NAMES: NameRules = NameRules { max_length: 128, ..NAMES };

/// The facts, known without asking.
pub fn facts() -> VendorFacts {
    VendorFacts {
        name: VendorName::new(NAME),
        family: VendorName::new(NAME),
        access: None,
        account_id_shape: "12 digits",
        is_account_id: |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()),
        partitions: &[],
        user_names: NAMES,
        group_names: NAMES,
        role_names: NAMES,
        profile: true,
        unique_mails: false,
        role_attributes: &[
            AttributeFacts {
                name: PERMISSIONS,
                shape: AttributeShape::Set,
                required: true,
                check: any_value,
                help: "What holders of the role may do",
            },
            AttributeFacts {
                name: SESSION_HOURS,
                shape: AttributeShape::Number,
                required: false,
                check: any_value,
                help: "How many hours a session lasts at most, at least 1",
            },
        ],
        account_settings: &[],
        has_users: true,
        renames_roles: true,
        shared_roles: false,
        unsettled: no_settings,
        federates: any_forge,
        only_forbids: nothing_forbids,
        parts: &ResourceKind::ALL,
        key_kind: Some(KEY_KIND),
        realise,
    }
}

/// A role for jobs of a forge has a name of its own and says whom it trusts.
fn realise(inputs: &RoleInputs<'_>) -> RealisedRole {
    let mut realised = RealisedRole::plain(inputs);
    if let Trust::Forge(Subject::Service(service), federation) = inputs.trust {
        realised.spec.name = ObjectName::new(format!("{}-{service}", inputs.role));
        let attributes = &mut realised.spec.attributes;
        attributes.insert(AttributeName::new(TRUSTS), AttributeValue::Set(conditions(federation)));
        if let Some(hours) = federation.session_hours {
            let at_most = match attributes.get(&AttributeName::new(SESSION_HOURS)) {
                Some(AttributeValue::Number(role)) => hours.min(*role),
                _ => hours,
            };
            let hours = AttributeValue::Number(at_most);
            attributes.insert(AttributeName::new(SESSION_HOURS), hours);
        }
    }
    realised
}

/// Each condition a job must meet.
fn conditions(federation: &Federation) -> BTreeSet<String> {
    // Every field by name, so that a new condition cannot be forgotten.
    let Federation { forge, issuer, project, git_ref, protected, networks, session_hours: _ } =
        federation;
    let forge = match forge {
        Forge::Gitlab => "gitlab",
        Forge::Github => "github",
    };
    let mut all = BTreeSet::from([
        format!("forge {forge}"),
        format!("issuer {issuer}"),
        format!("project {project}"),
    ]);
    all.extend(git_ref.as_ref().map(|git_ref| match git_ref {
        GitRef::Branch(branch) => format!("branch {branch}"),
        GitRef::Tag(tag) => format!("tag {tag}"),
        GitRef::Environment(environment) => format!("environment {environment}"),
    }));
    if *protected {
        all.insert("protected".to_owned());
    }
    if !networks.is_empty() {
        let networks: Vec<&str> = networks.iter().map(String::as_str).collect();
        all.insert(format!("from {}", networks.join(" or ")));
    }
    all
}
