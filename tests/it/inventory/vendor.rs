//! A vendor for these tests.

use reconcile::model::{
    AttributeFacts, AttributeShape, NameRules, ObjectName, RealisedRole, RoleInputs, Subject,
    Trust, VendorFacts, any_forge, any_value, no_forge, no_settings, nothing_forbids,
};

/// Rules like those of most vendors.
pub const NAMES: NameRules = NameRules {
    case_insensitive: true,
    max_length: 64,
    allows: |character| character.is_ascii_alphanumeric() || "+=,.@_-".contains(character),
    allowed: "letters, digits and +=,.@_-",
};

/// `memory`, and a second vendor that has partitions and for which most roles say nothing.
pub fn vendors() -> Vec<VendorFacts> {
    let memory = VendorFacts {
        name: "memory".into(),
        family: "memory".into(),
        access: None,
        account_id_shape: "12 digits",
        is_account_id: |id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()),
        partitions: &[],
        user_names: NAMES,
        group_names: NAMES,
        role_names: NAMES,
        profile: true,
        unique_mails: false,
        role_attributes: &[
            AttributeFacts {
                name: "permissions",
                shape: AttributeShape::Set,
                required: true,
                check: any_value,
                help: "What holders of the role may do",
            },
            AttributeFacts {
                name: "session_hours",
                shape: AttributeShape::Number,
                required: false,
                check: any_value,
                help: "How many hours a session lasts",
            },
        ],
        account_settings: &[],
        has_users: true,
        renames_roles: true,
        shared_roles: false,
        unsettled: no_settings,
        federates: any_forge,
        only_forbids: nothing_forbids,
        parts: &[],
        key_kind: Some("access-key"),
        realise,
    };
    let other = VendorFacts {
        name: "other".into(),
        family: "other".into(),
        partitions: &["world", "island"],
        unsettled: no_settings,
        federates: no_forge,
        only_forbids: nothing_forbids,
        parts: &[],
        key_kind: None,
        ..memory.clone()
    };
    let vouched = VendorFacts {
        name: "other-vouched".into(),
        access: Some("vouched"),
        has_users: false,
        ..other.clone()
    };
    vec![memory, VendorFacts { access: Some("users"), ..other }, vouched]
}

/// A role for jobs of a forge has a name of its own.
fn realise(inputs: &RoleInputs<'_>) -> RealisedRole {
    let mut realised = RealisedRole::plain(inputs);
    if let Trust::Forge(Subject::Service(service), _) = inputs.trust {
        realised.spec.name = ObjectName::new(format!("{}-{service}", inputs.role));
    }
    realised
}
