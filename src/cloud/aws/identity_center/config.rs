//! What is true of Identity Center, and how we talk to it.

use std::time::Duration;

use super::ceiling::REQUESTS_PER_SECOND;
use super::realise;
use crate::cloud::aws::config::{
    ASSUME_ROLE, EXTERNAL_ID, FAMILY, REGION, ROLE_ATTRIBUTES, check_region, check_role_name,
    is_account_id, region_elsewhere,
};
use crate::model::{
    AttributeFacts, AttributeShape, AttributeValue, NameRules, VendorFacts, VendorName, no_forge,
    nothing_forbids,
};

/// Its name among the ways of access.
pub const NAME: &str = "aws-identity-center";

/// Setting of a hub: the instance, where there is more than one.
pub const INSTANCE: &str = "instance";

/// How patient the client is with what takes its time at the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Requests a second to each of the two services.
    pub requests_per_second: u32,
    /// How often one request of an observation is sent at most.
    pub attempts: u32,
    /// The wait before the second attempt; doubled before each further one.
    pub first_wait: Duration,
    /// The wait before the first look at what has become of an assignment; half as long again
    /// before each further one.
    pub first_poll: Duration,
    /// No wait between two looks is longer.
    pub longest_poll: Duration,
    /// How long is looked at all: with the wait for a turn below the executor's limit for one call
    /// (two minutes), so that it hears from us how it ended.
    pub polling: Duration,
    /// How long is waited until one more assignment may be under way.
    pub queueing: Duration,
    /// How many lists at most are asked for to see whom permission sets of others are given to, each
    /// of one set in one account.
    pub foreign_lists: usize,
    /// How long at most they are asked for: below the limit for the reading of an account (15
    /// minutes), which is lost as a whole when it takes longer.
    pub foreign_time: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            requests_per_second: REQUESTS_PER_SECOND,
            attempts: 4,
            first_wait: Duration::from_millis(500),
            first_poll: Duration::from_millis(500),
            longest_poll: Duration::from_secs(5),
            polling: Duration::from_secs(75),
            queueing: Duration::from_secs(25),
            foreign_lists: 2_000,
            foreign_time: Duration::from_mins(5),
        }
    }
}

/// Rules for user names: `UserName` of `CreateUser` (letters, marks, symbols, numbers and
/// punctuation, up to 128; Identity Store API reference). Two that differ in case only are taken
/// for the same, as SCIM prescribes for user names.
const USER_NAMES: NameRules = NameRules {
    case_insensitive: true,
    max_length: 128,
    allows: |character| !character.is_whitespace() && !character.is_control(),
    allowed: "everything but spaces and control characters",
};

/// Rules for group names: `DisplayName` of `CreateGroup`, which allows spaces, too.
const GROUP_NAMES: NameRules = NameRules {
    case_insensitive: true,
    max_length: 1_024,
    allows: |character| !character.is_control(),
    allowed: "everything but control characters",
};

/// Rules for the names of permission sets: `Name` of `CreatePermissionSet`, `[\w+=,.@-]+`, up to
/// 32. The documentation does not say that case is ignored.
const SET_NAMES: NameRules = NameRules {
    case_insensitive: false,
    max_length: 32,
    allows: |character| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character),
    allowed: "letters, digits and _+=,.@-",
};

const ACCOUNT_SETTINGS: &[AttributeFacts] = &[
    AttributeFacts {
        name: ASSUME_ROLE,
        shape: AttributeShape::Text,
        required: false,
        check: check_role_name,
        help: "Of the hub: the role to act as in it, `name` or `path/name`; `reconcile` if not \
               written, and none in the account the program's own credentials are of",
    },
    AttributeFacts {
        name: EXTERNAL_ID,
        shape: AttributeShape::Text,
        required: false,
        check: some_text,
        help: "Of the hub: the external id that role asks for",
    },
    AttributeFacts {
        name: REGION,
        shape: AttributeShape::Text,
        required: false,
        check: check_region,
        help: "Of the hub: the region the instance is in, where not the partition's usual one",
    },
    AttributeFacts {
        name: INSTANCE,
        shape: AttributeShape::Text,
        required: false,
        check: an_instance,
        help: "Of the hub: the ARN of the instance, where there is more than one",
    },
];

fn some_text(value: &AttributeValue) -> Result<(), String> {
    match value {
        AttributeValue::Text(text) if !text.trim().is_empty() => Ok(()),
        _ => Err("some text".to_owned()),
    }
}

fn an_instance(value: &AttributeValue) -> Result<(), String> {
    match value {
        AttributeValue::Text(text)
            if text.starts_with("arn:") && text.contains(":sso:::instance/") =>
        {
            Ok(())
        }
        _ => Err("an ARN such as arn:aws:sso:::instance/ssoins-1234567890abcdef".to_owned()),
    }
}

/// The facts of access mode `identity-center`: users, groups and permission sets in the hub's
/// instance, assigned to accounts.
pub fn facts() -> VendorFacts {
    VendorFacts {
        name: VendorName::new(NAME),
        family: VendorName::new(FAMILY),
        access: Some("identity-center"),
        account_id_shape: "12 digits",
        is_account_id,
        partitions: &["aws", "aws-us-gov", "aws-cn"],
        user_names: USER_NAMES,
        group_names: GROUP_NAMES,
        role_names: SET_NAMES,
        profile: true,
        unique_mails: true,
        role_attributes: ROLE_ATTRIBUTES,
        account_settings: ACCOUNT_SETTINGS,
        has_users: true,
        shared_roles: true,
        renames_roles: false,
        only_forbids: nothing_forbids,
        parts: &[],
        key_kind: None,
        unsettled: region_elsewhere,
        federates: no_forge,
        realise: realise::permission_set,
    }
}
