//! A vendor for these tests.

use reconcile::model::{AttributeShape, NameRules, RoleAttribute, VendorFacts};

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
        account_id_shape: "12 digits",
        is_account_id: |id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()),
        partitions: &[],
        user_names: NAMES,
        group_names: NAMES,
        role_names: NAMES,
        profile: true,
        role_attributes: &[
            RoleAttribute {
                name: "permissions",
                shape: AttributeShape::Set,
                required: true,
                help: "What holders of the role may do",
            },
            RoleAttribute {
                name: "session_hours",
                shape: AttributeShape::Number,
                required: false,
                help: "How many hours a session lasts",
            },
        ],
    };
    let other =
        VendorFacts { name: "other".into(), partitions: &["world", "island"], ..memory.clone() };
    vec![memory, other]
}
