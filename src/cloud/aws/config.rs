//! What is true of AWS as a whole, and how we talk to it.

use std::time::Duration;

use aws_sdk_iam::config::SharedCredentialsProvider;

use super::credentials::ACCESS_KEY;
use super::{grammar, metadata, realise};
use crate::model::{
    Account, AttributeFacts, AttributeShape, AttributeValue, Lacking, NameRules, RealisedRole,
    RoleInputs, VendorFacts, VendorName,
};

/// Its name in the inventory.
pub const FAMILY: &str = "aws";

/// The label with the organisation's name.
pub const ORGANISATION_TAG: &str = "reconcile:organisation";
/// The label with whom or what an object stands for.
pub const SUBJECT_TAG: &str = "reconcile:subject";
/// The label with the day a user was suspended.
pub const SUSPENDED_TAG: &str = "reconcile:suspended";
/// The tag with the keys that were handed over.
pub const KEY_TAG: &str = "reconcile:key";

/// Setting of an account: the role we act as in it, `name` or `path/name`.
pub const ASSUME_ROLE: &str = "assume_role";
/// Setting of an account: the external id its role asks for.
pub const EXTERNAL_ID: &str = "external_id";
/// Setting of an account: the region whose STS and IAM are asked.
pub const REGION: &str = "region";
/// Setting of an account: the description (XML) of the log-in service its people come from.
pub const SAML_METADATA: &str = "saml_metadata";

/// The role assumed where nothing else is written.
pub const DEFAULT_ROLE: &str = "reconcile";

/// Longest inline policies of a group together, in characters without white space, where the
/// account does not say (IAM User Guide, "IAM and AWS STS quotas").
pub const GROUP_POLICIES_SIZE: u64 = 5_120;
/// Longest managed policy, in characters without white space.
pub const MANAGED_POLICY_SIZE: u64 = 6_144;

/// How we talk to AWS.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where all services are, instead of AWS itself: for tests.
    pub endpoint: Option<String>,
    /// Credentials instead of those of the standard chain: for tests.
    pub credentials: Option<SharedCredentialsProvider>,
    /// How long we wait for the reply to one call.
    pub call_time_limit: Duration,
    /// How many changes may be under way in one account.
    pub concurrency: usize,
    /// How many objects a page has; `None` for as many as AWS gives.
    pub page_size: Option<i32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: None,
            credentials: None,
            call_time_limit: Duration::from_secs(30),
            concurrency: 16,
            page_size: None,
        }
    }
}

const fn names(max_length: usize) -> NameRules {
    NameRules {
        case_insensitive: true,
        max_length,
        allows: |character| character.is_ascii_alphanumeric() || "+=,.@_-".contains(character),
        allowed: "letters, digits and +=,.@_-",
    }
}

/// Rules for the names of users (IAM User Guide, "IAM and AWS STS quotas": names, and lengths).
pub const USER_NAMES: NameRules = names(64);
/// Rules for the names of groups.
pub const GROUP_NAMES: NameRules = names(128);
/// Rules for the names of roles.
pub const ROLE_NAMES: NameRules = names(64);

/// What a role may say, for every way of access.
pub const ROLE_ATTRIBUTES: &[AttributeFacts] = &[
    AttributeFacts {
        name: realise::MANAGED_POLICIES,
        shape: AttributeShape::Set,
        required: false,
        check: grammar::check_policies,
        help: "Managed policies: names of AWS's own (`ReadOnlyAccess`) or ARNs, `{account}` in \
               them standing for the account",
    },
    AttributeFacts {
        name: realise::INLINE_POLICY,
        shape: AttributeShape::Text,
        required: false,
        check: grammar::check_document,
        help: "A policy of the role's own, as JSON",
    },
    AttributeFacts {
        name: realise::BOUNDARY,
        shape: AttributeShape::Text,
        required: false,
        check: grammar::check_policy,
        help: "The managed policy that bounds it, as name or ARN",
    },
    AttributeFacts {
        name: realise::SESSION_HOURS,
        shape: AttributeShape::Number,
        required: false,
        check: check_hours,
        help: "How many hours a session lasts at most, 1 to 12; 1 if not written",
    },
];

const ACCOUNT_SETTINGS: [AttributeFacts; 3] = [
    AttributeFacts {
        name: ASSUME_ROLE,
        shape: AttributeShape::Text,
        required: false,
        check: check_role_name,
        help: "The role to act as in the account, `name` or `path/name`; `reconcile` if not \
               written, and none in the account the program's own credentials are of",
    },
    AttributeFacts {
        name: EXTERNAL_ID,
        shape: AttributeShape::Text,
        required: false,
        check: some_text,
        help: "The external id that role asks for",
    },
    AttributeFacts {
        name: REGION,
        shape: AttributeShape::Text,
        required: false,
        check: check_region,
        help: "The region whose endpoints are asked, where not the partition's usual one",
    },
];

const SAML_SETTINGS: &[AttributeFacts] = &{
    let [one, two, three] = ACCOUNT_SETTINGS;
    [
        one,
        two,
        three,
        AttributeFacts {
            name: SAML_METADATA,
            shape: AttributeShape::File,
            required: false,
            check: metadata::check,
            help: "The metadata of the organisation's log-in service: an XML file below inventory/, or \
                   an https address; written at the hub",
        },
    ]
};

/// Without the metadata nobody would be let in, and nothing would say so.
fn no_metadata(account: &Account, hub: &Account) -> Option<Lacking> {
    let written = |one: &Account| one.settings.contains_key(SAML_METADATA);
    region_elsewhere(account, hub).or((!written(account) && !written(hub)).then_some((
        "does not know the log-in service",
        "write `settings: {saml_metadata: inventory/idp.xml}` at the hub, or an https address",
    )))
}

/// The name of a region: it becomes part of the name of the host that is asked, so there is nothing in
/// it that could lead to another one (AWS General Reference, "AWS Regions": `us-east-1`,
/// `us-gov-west-1`, `ap-southeast-4`).
pub(super) fn check_region(value: &AttributeValue) -> Result<(), String> {
    let is_region = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        let [place, directions @ .., number] = parts.as_slice() else { return false };
        let lower = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
        (2..=4).contains(&place.len())
            && lower(place)
            && (1..=2).contains(&directions.len())
            && directions.iter().all(|part| (2..=12).contains(&part.len()) && lower(part))
            && (1..=2).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    match value {
        AttributeValue::Text(text) if is_region(text) => Ok(()),
        _ => Err("the name of a region, such as eu-central-1".to_owned()),
    }
}

/// A region of another partition is run by somebody else: our credentials are nothing to them.
pub(super) fn region_elsewhere(account: &Account, _hub: &Account) -> Option<Lacking> {
    let region = match account.settings.get(REGION) {
        Some(AttributeValue::Text(region)) => region.as_str(),
        _ => return None,
    };
    let of_region = match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let of_account = account.partition.as_deref().unwrap_or("aws");
    (of_region != of_account).then_some((
        "has that region in another partition",
        "write a region of the account's own partition, or none",
    ))
}

/// A role's name with its path: never an ARN, in which another account could stand.
pub(super) fn check_role_name(value: &AttributeValue) -> Result<(), String> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@_-/".contains(letter);
    match value {
        AttributeValue::Text(text) if !text.is_empty() && text.chars().all(allowed) => Ok(()),
        _ => Err("the name of a role in the account, `name` or `path/name`, and no ARN".to_owned()),
    }
}

fn check_hours(value: &AttributeValue) -> Result<(), String> {
    match value {
        AttributeValue::Number(1..=12) => Ok(()),
        _ => Err("a number of hours from 1 to 12".to_owned()),
    }
}

fn some_text(value: &AttributeValue) -> Result<(), String> {
    match value {
        AttributeValue::Text(text) if !text.trim().is_empty() => Ok(()),
        _ => Err("some text".to_owned()),
    }
}

/// Whether a text is an account id.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The facts of access mode `iam`: users and groups in IAM of the hub.
pub fn iam() -> VendorFacts {
    facts("aws", "iam", true, &ACCOUNT_SETTINGS, realise::iam)
}

/// The facts of access mode `saml`: people log in elsewhere, each group has roles of its own.
pub fn saml() -> VendorFacts {
    facts("aws-saml", "saml", false, SAML_SETTINGS, realise::saml)
}

fn facts(
    name: &str,
    access: &'static str,
    has_users: bool,
    account_settings: &'static [AttributeFacts],
    realise: fn(&RoleInputs<'_>) -> RealisedRole,
) -> VendorFacts {
    VendorFacts {
        name: VendorName::new(name),
        family: VendorName::new(FAMILY),
        access: Some(access),
        account_id_shape: "12 digits",
        is_account_id,
        partitions: &["aws", "aws-us-gov", "aws-cn"],
        user_names: USER_NAMES,
        group_names: GROUP_NAMES,
        role_names: ROLE_NAMES,
        profile: false,
        unique_mails: false,
        role_attributes: ROLE_ATTRIBUTES,
        account_settings,
        has_users,
        renames_roles: false,
        shared_roles: false,
        unsettled: if has_users { region_elsewhere } else { no_metadata },
        federates: realise::check_forge,
        // Without users nobody has keys.
        only_forbids: realise::only_forbids,
        parts: &[],
        key_kind: has_users.then_some(ACCESS_KEY),
        realise,
    }
}
