//! What is true of the embedded cloud as a whole, and how we talk to it.

use std::time::Duration;

use crate::model::{
    AttributeFacts, AttributeShape, NameRules, RealisedRole, VendorFacts, VendorName, any_value,
};

/// Its name in the inventory.
pub const NAME: &str = "memory";

/// The label with the organisation's name.
pub const ORGANISATION_TAG: &str = "reconcile:organisation";
/// The label with whom or what an object stands for.
pub const SUBJECT_TAG: &str = "reconcile:subject";
/// The label with the day a user was suspended.
pub const SUSPENDED_TAG: &str = "reconcile:suspended";

/// The attribute of a role that lists what its holders may do.
pub const PERMISSIONS: &str = "permissions";
/// The attribute of a role that bounds its sessions.
pub const SESSION_HOURS: &str = "session_hours";

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
        federates: false,
        realise: RealisedRole::plain,
    }
}
