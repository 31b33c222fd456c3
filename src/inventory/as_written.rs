//! The files below `inventory/` as people write them. Also the source of their JSON Schema: the
//! documentation of each field is what an editor shows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::selector::Selector;
use super::servers::Servers;
use crate::policies::attribute::AttributeAsWritten;
use crate::yaml::{Field, List, Named};

/// One file of the inventory. Every file may hold any of these; all files together are the
/// inventory.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "reconcile inventory")]
pub struct InventoryFile {
    /// Organisations with their accounts, by name.
    #[serde(default)]
    pub organisations: Field<Named<Organisation>>,
    /// Projects by name.
    #[serde(default)]
    pub projects: Field<Named<Project>>,
    /// Where people and groups come from, by name.
    #[serde(default)]
    pub directories: Field<Named<Directory>>,
    /// Which group gets which role on which accounts.
    #[serde(default)]
    pub grants: Field<List<Grant>>,
    /// Identities of machines, by name.
    #[serde(default)]
    pub service_accounts: Field<Named<ServiceAccount>>,
}

/// Who owns accounts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Who administers its accounts, unless an account says otherwise.
    #[serde(default)]
    pub administrators: Field<Administrators>,
    /// Its accounts at all vendors, by a name that is unique over the whole inventory.
    #[serde(default)]
    pub accounts: Field<Named<Account>>,
}

/// Who administers an account. A run never takes away so much that they are locked out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Administrators {
    /// The group whose members are administrators: `directory:group`, or just `group` where there
    /// is one directory.
    pub group: Field<String>,
    /// How many of them must remain after any run. 2 unless written; 3 is better.
    #[serde(default)]
    pub minimum: Field<u32>,
    /// Log-in names of people who must remain whatever the directory says.
    #[serde(default)]
    pub required: Field<List<String>>,
}

/// An account, subscription or project at a vendor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Who runs it.
    pub vendor: Field<String>,
    /// The way of access, where the vendor has several: for `aws` one of `iam`,
    /// `identity-center` and `saml`. The vendor's first unless written.
    #[serde(default)]
    pub access: Field<String>,
    /// How to reach the account, in the vendor's words.
    #[serde(default)]
    pub settings: Field<Named<AttributeAsWritten>>,
    /// The vendor's partition, where it has several.
    #[serde(default)]
    pub partition: Field<String>,
    /// The vendor's id of the account.
    pub id: Field<String>,
    /// Users and groups of the organisation live in this account. One account of each
    /// organisation, vendor and partition is the hub; where there is only one, it is.
    #[serde(default)]
    pub hub: Field<bool>,
    /// The project the account belongs to.
    #[serde(default)]
    pub project: Field<String>,
    /// Who pays.
    #[serde(default)]
    pub sponsor: Field<String>,
    /// Whom to ask.
    #[serde(default)]
    pub contacts: Field<List<String>>,
    /// What the sponsor asks in return or forbids.
    #[serde(default)]
    pub constraints: Field<List<String>>,
    /// Who administers it, if others than the organisation's administrators.
    #[serde(default)]
    pub administrators: Field<Administrators>,
    /// The account is given up: everything of ours in it ends, within the limits, and grants have
    /// no effect there. Off unless written.
    #[serde(default)]
    pub retired: Field<bool>,
}

/// A project.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The directory of its people.
    #[serde(default)]
    pub directory: Field<String>,
    /// What it is.
    #[serde(default)]
    pub description: Field<String>,
}

/// Where people and groups come from: exactly one of `ldif`, `ldap` and `retired: true`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// An LDIF file, relative to the root of the repository.
    #[serde(default)]
    pub ldif: Field<String>,
    /// An LDAP server.
    #[serde(default)]
    pub ldap: Field<Ldap>,
    /// The directory is gone for good: everybody in it counts as departed.
    #[serde(default)]
    pub retired: Field<bool>,
    /// How its entries are to be understood.
    #[serde(default)]
    pub schema: Field<Schema>,
    /// Base of everything: `dc=example,dc=org`.
    #[serde(default)]
    pub base: Field<String>,
    /// Where people are, if not in the schema's usual place below the base.
    #[serde(default)]
    pub people_base: Field<String>,
    /// Where groups are, if not in the schema's usual place below the base.
    #[serde(default)]
    pub groups_base: Field<String>,
    /// The attribute that stays the same when a person is renamed; `uidNumber` unless written.
    #[serde(default)]
    pub stable_id: Field<String>,
    /// A filter that people must pass besides the schema's: `(!(employeeType=bot))`.
    #[serde(default)]
    pub people_filter: Field<String>,
    /// A filter that groups must pass besides the schema's.
    #[serde(default)]
    pub groups_filter: Field<String>,
    /// First words of `accountStatus` that mean that somebody left. `inactive` and `memorial`
    /// always do; unless written closed, deceased, deleted, disabled, emeritus, expelled, expired,
    /// gone, left, locked, removed, resigned, retired, suspended and terminated as well. Words that
    /// are not known give nothing new, and nothing privileged.
    #[serde(default)]
    pub gone_words: Field<List<String>>,
    /// Attributes and the values of them that mean that somebody is locked, besides those that are
    /// known: `employeeType: [former]`. `*` stands for any value.
    #[serde(default)]
    pub locked_when: Field<Named<List<String>>>,
    /// Ids that were given to somebody else, with the day from which on they stand for the newcomer:
    /// `"1002": 2026-11-28`. What the former one had is taken away like that of anybody who leaves;
    /// the newcomer gets users of their own. The line stays as long as the newcomer does.
    #[serde(default)]
    pub reissued: Field<Named<String>>,
    /// What users at vendors are called instead of a log-in name that a vendor does not accept:
    /// `max.müstermann: max.muestermann`.
    #[serde(default)]
    pub login_map: Field<Named<String>>,
    /// The same for groups: `Cloud Admins: cloud-admins`.
    #[serde(default)]
    pub group_map: Field<Named<String>>,
    /// Put before the log-in names and group names of this directory at vendors, so that two
    /// directories can share an account.
    #[serde(default)]
    pub name_prefix: Field<String>,
    /// Seconds that reading it may take in all, every attempt included. 600 unless written.
    #[serde(default)]
    pub total_seconds: Field<u32>,
    /// Megabytes that may be kept of it while it is read. 512 unless written.
    #[serde(default)]
    pub most_megabytes: Field<u32>,
}

/// The schemas that are understood.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schema {
    /// Debian's userdir-ldap: membership is an attribute of the person.
    Userdir,
    /// posixGroup with `memberUid`.
    Rfc2307,
    /// groupOfNames with `member`, or `memberOf` on people.
    Rfc2307bis,
    /// Active Directory.
    ActiveDirectory,
}

/// How to reach an LDAP server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// `ldaps://host`, `ldap://host` (with `StartTLS`) or `ldapi://%2Fpath%2Fto%2Fsocket`; or a list
    /// of servers that hold the same, which are tried in turn.
    pub url: Field<Servers>,
    /// Upgrade an `ldap://` connection with `StartTLS`. On unless written; off only on loopback.
    #[serde(default)]
    pub start_tls: Field<bool>,
    /// Certificates to trust instead of the system's: a `trust` of the operator's file that is for this
    /// server.
    #[serde(default)]
    pub trust: Field<String>,
    /// What this was called when it could be written here.
    #[serde(default)]
    #[schemars(skip)]
    pub ca_file: Field<String>,
    /// Who we are. Anonymous unless written.
    #[serde(default)]
    pub bind: Field<Bind>,
    /// Entries per page. 500 unless written; 0 for a server that cannot page.
    #[serde(default)]
    pub page_size: Field<u32>,
    /// Seconds for connecting, TLS included. 10 unless written.
    #[serde(default)]
    pub connect_seconds: Field<u32>,
    /// Seconds for each page or other answer. 60 unless written.
    #[serde(default)]
    pub read_seconds: Field<u32>,
    /// How often a broken connection is tried again from the start. 3 unless written.
    #[serde(default)]
    pub attempts: Field<u32>,
}

/// Who we are: `external: true`, or a `dn` and the `secret` that is its password. The password and
/// where it is are never written here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    /// SASL EXTERNAL: the operating system's word for a local socket.
    #[serde(default)]
    pub external: Field<bool>,
    /// The DN for a simple bind.
    #[serde(default)]
    pub dn: Field<String>,
    /// Its password: a secret of the operator's file that may be sent to this server.
    #[serde(default)]
    pub secret: Field<String>,
    /// What could be written here before the operator's file.
    #[serde(default)]
    #[schemars(skip)]
    pub password_file: Field<String>,
    /// What could be written here before the operator's file.
    #[serde(default)]
    #[schemars(skip)]
    pub password_environment: Field<String>,
    /// What could be written here before the operator's file.
    #[serde(default)]
    #[schemars(skip)]
    pub password_command: Field<List<String>>,
}

/// A group gets a role on accounts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who: `directory:group`, or just `group` where there is one directory.
    pub group: Field<String>,
    /// What: a role of the policies.
    pub role: Field<String>,
    /// Where: names of accounts, patterns with `*`, or `project: name` for all accounts of a
    /// project.
    pub accounts: Field<List<Selector>>,
    /// Why, in your words. Shown wherever the grant has an effect.
    pub reason: Field<String>,
    /// The first day without it, as `YYYY-MM-DD`.
    #[serde(default)]
    pub until: Field<String>,
}

/// A machine's identity.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// The project it works for.
    #[serde(default)]
    pub project: Field<String>,
    /// The group that answers for it.
    pub owners: Field<String>,
    /// The role it has.
    pub role: Field<String>,
    /// Where it has it, as for grants.
    pub accounts: Field<List<Selector>>,
    /// Why, in your words.
    pub reason: Field<String>,
    /// The first day without it, as `YYYY-MM-DD`.
    #[serde(default)]
    pub until: Field<String>,
    /// It is jobs of a forge's CI, which the vendor recognises by the forge's word. Nothing secret
    /// is stored anywhere.
    #[serde(default)]
    pub forge: Field<Forge>,
    /// It has a key, which this program issues and replaces, for what cannot be a job of a forge.
    /// With neither `forge` nor `key` people make its credentials.
    #[serde(default)]
    pub key: Field<Key>,
}

/// Which jobs of which forge. At most one of `branch`, `tag` and `environment`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forge {
    /// What kind of forge.
    pub kind: Field<ForgeKind>,
    /// Who issues its tokens, as it stands in them: `https://gitlab.example.org`. Unless written
    /// gitlab.com or github.com.
    #[serde(default)]
    pub issuer: Field<String>,
    /// The project as it stands in the forge's tokens: `group/project`, `owner/repository`, and for
    /// repositories made or renamed since 2026-07-15 `owner@ID/repository@ID`.
    pub project: Field<String>,
    /// Only jobs of this branch (`*` stands for any text).
    #[serde(default)]
    pub branch: Field<String>,
    /// Only jobs of this tag (`*` stands for any text).
    #[serde(default)]
    pub tag: Field<String>,
    /// Only jobs that deploy to this environment.
    #[serde(default)]
    pub environment: Field<String>,
    /// Only jobs of protected branches, tags or environments. GitHub says so of environments only.
    /// GitLab says it to AWS where the project's `ci_id_token_sub_claim_components` are
    /// `project_path`, `ref_type`, `ref` and `ref_protected`; other projects are not let in.
    #[serde(default)]
    pub protected: Field<bool>,
    /// Only from these networks, where the vendor can tell: `192.0.2.0/24`.
    #[serde(default)]
    pub networks: Field<List<String>>,
    /// How many hours a session lasts at most. As the role says unless written.
    #[serde(default)]
    #[schemars(range(min = 1, max = 12))]
    pub session_hours: Field<u32>,
}

/// Kinds of forges.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForgeKind {
    /// GitLab: gitlab.com or another one.
    Gitlab,
    /// GitHub Actions.
    Github,
}

/// When a key is replaced and where it goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// A new key comes when the last one is so many days old. 90 unless written.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rotate_days: Field<u32>,
    /// The old key goes so many days after the new one came. 7 unless written; fewer than
    /// `rotate_days`.
    #[serde(default)]
    pub overlap_days: Field<u32>,
    /// Where its secret goes: a sink of the policies.
    pub sink: Field<String>,
}
