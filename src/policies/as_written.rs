//! The files below `policies/` as people write them. Also the source of their JSON Schema.

use schemars::JsonSchema;
use serde::Deserialize;

use super::attribute::AttributeAsWritten;
use crate::yaml::{Field, List, Named};

/// One file of the policies. Every file may hold any of these; all files together are the
/// policies.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "reconcile policies")]
pub struct PoliciesFile {
    /// Roles by name.
    #[serde(default)]
    pub roles: Field<Named<Role>>,
    /// How much one run may remove.
    #[serde(default)]
    pub limits: Field<LimitsSection>,
    /// Users at vendors no run may take anything from.
    #[serde(default)]
    pub protected: Field<List<Protected>>,
    /// Which folder of the inventory may define what. Without any, every file may define
    /// everything.
    #[serde(default)]
    pub rights: Field<List<Right>>,
    /// Days between suspending and deleting a user. 30 unless written.
    #[serde(default)]
    pub grace_days: Field<u32>,
    /// Privileged roles need a registered key, where the directory knows of keys. On unless
    /// written.
    #[serde(default)]
    pub privileged_needs_key: Field<bool>,
    /// Privileged roles are for the plainly active only: not for somebody whose state in the
    /// directory is unknown, cannot be understood, or says that they are leaving. On unless written.
    #[serde(default)]
    pub privileged_needs_active: Field<bool>,
    /// How long a saved plan may be applied, in hours. 24 unless written.
    #[serde(default)]
    pub plan_valid_hours: Field<u32>,
    /// Names of places for new keys of service accounts.
    #[serde(default)]
    pub sinks: Field<Named<Sink>>,
}

/// A place for new keys, by its name: where it is, and whose keys it takes, is in the operator's file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sink {
    /// For people: who fetches keys there, and how.
    pub description: Field<String>,
    /// What could be written here before the operator's file.
    #[serde(default)]
    #[schemars(skip)]
    pub file: Field<FileSink>,
    /// What could be written here before the operator's file.
    #[serde(default)]
    #[schemars(skip)]
    pub command: Field<List<String>>,
    /// What could be written here before the operator's file.
    #[serde(default)]
    #[schemars(skip)]
    pub secret_store: Field<SecretStore>,
}

/// A file, as it could be written before the operator's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSink {
    /// Its path.
    #[serde(default)]
    pub path: Field<String>,
}

/// A secret store, as it could be written before the operator's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretStore {
    /// Where it is.
    #[serde(default)]
    pub url: Field<String>,
    /// Where the engine is mounted.
    #[serde(default)]
    pub mount: Field<String>,
    /// Where the secret is below the mount.
    #[serde(default)]
    pub path: Field<String>,
    /// File that holds the token.
    #[serde(default)]
    pub token_file: Field<String>,
    /// Environment variable that holds the token.
    #[serde(default)]
    pub token_environment: Field<String>,
    /// Certificates to trust.
    #[serde(default)]
    pub ca_file: Field<String>,
}

/// What a role means.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// For people.
    pub description: Field<String>,
    /// Whoever holds it could do serious harm. Off unless written.
    #[serde(default)]
    pub privileged: Field<bool>,
    /// What it means at each vendor, by the vendor's name, in the vendor's words.
    pub means: Field<Named<Named<AttributeAsWritten>>>,
}

/// How much one run, and all runs of 24 hours together, may remove.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsSection {
    /// For every organisation.
    #[serde(default)]
    pub default: Field<Limits>,
    /// For single organisations, by name. What is not written there is as in the default.
    #[serde(default)]
    pub per_organisation: Field<Named<Limits>>,
}

/// Limits for each kind of object.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Users.
    #[serde(default)]
    pub users: Field<Limit>,
    /// Groups.
    #[serde(default)]
    pub groups: Field<Limit>,
    /// Users in groups.
    #[serde(default)]
    pub memberships: Field<Limit>,
    /// Roles.
    #[serde(default)]
    pub roles: Field<Limit>,
    /// Roles attached to groups.
    #[serde(default)]
    pub bindings: Field<Limit>,
    /// What else is attached to users, groups and roles: policies, boundaries.
    #[serde(default)]
    pub attachments: Field<Limit>,
    /// What mirrors are made of, each kind of thing for itself: servers, record sets, ….
    #[serde(default)]
    pub mirrors: Field<Limit>,
    /// Access that people lose by changes of roles, role bindings and groups: one person in one
    /// account is one access. Its floor is 5 unless written.
    #[serde(default)]
    pub access: Field<Limit>,
    /// How far the number of people in a directory may fall between two complete reads.
    #[serde(default)]
    pub directory: Field<Limit>,
}

/// At most `count`, and at most `percent` of what there is, but always `floor`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// At most so many. 20 unless written.
    #[serde(default)]
    pub count: Field<u32>,
    /// At most so many of each hundred. 10 unless written.
    #[serde(default)]
    #[schemars(range(max = 100))]
    pub percent: Field<u32>,
    /// Always so many, so that a small set is not stuck. 2 unless written.
    #[serde(default)]
    pub floor: Field<u32>,
}

/// A user at vendors no run may take anything from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protected {
    /// The user's name at the vendor.
    pub user: Field<String>,
    /// Only in this account. In all unless written.
    #[serde(default)]
    pub account: Field<String>,
    /// The way in when everything else fails. Off unless written.
    #[serde(default)]
    pub break_glass: Field<bool>,
    /// Why, in your words.
    pub reason: Field<String>,
}

/// What the files of a folder may define.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// Folder or file below the root: `inventory/debian`.
    pub path: Field<String>,
    /// Which items may be defined there.
    pub define: Field<List<ItemKind>>,
    /// Roles that may be given (`*` stands for any text). None unless written.
    #[serde(default)]
    pub roles: Field<List<String>>,
    /// Accounts on which they may be given (`*` stands for any text).
    #[serde(default)]
    pub accounts: Field<List<String>>,
    /// Projects on whose accounts they may be given.
    #[serde(default)]
    pub projects: Field<List<String>>,
}

/// Kinds of items of the inventory.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Organisations with their accounts.
    Organisations,
    /// Projects.
    Projects,
    /// Directories.
    Directories,
    /// Grants.
    Grants,
    /// Service accounts.
    ServiceAccounts,
}
