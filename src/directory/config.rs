//! What the inventory says about a directory: plain values, no I/O.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;

use super::filter::Filter;
use crate::model::{DirectoryName, GroupName, Login, SecretName, Source, StableId, TrustName};

/// One directory of the inventory, validated, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryConfig {
    /// Its name.
    pub name: DirectoryName,
    /// Where people and groups come from.
    pub origin: Origin,
    /// How entries are to be understood.
    pub schema: SchemaConfig,
    /// Put before the log-in names and group names of this directory to make object names, so
    /// that two directories can share an account.
    pub name_prefix: String,
    /// Ids that were given to somebody else, with the day from which on they stand for the newcomer.
    pub reissued: BTreeMap<StableId, Date>,
    /// What to make object names of instead of these log-in names, which a vendor does not accept.
    pub login_map: BTreeMap<Login, String>,
    /// The same for names of groups.
    pub group_map: BTreeMap<GroupName, String>,
    /// How much its reading may take as a whole.
    pub bounds: Bounds,
    /// Where it is written.
    pub source: Source,
}

/// How much reading a directory may take as a whole, however it is served.
///
/// The defaults fit a hundred thousand people with room to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// From the first step to the last, asking for a password and all attempts included.
    pub time: Duration,
    /// Bytes of what is kept, about.
    pub memory: usize,
}

impl Bounds {
    /// Bytes, as administrators count.
    pub const MEGABYTE: usize = 1_000_000;
}

impl Default for Bounds {
    fn default() -> Self {
        Self { time: Duration::from_mins(10), memory: 512 * Self::MEGABYTE }
    }
}

/// Where people and groups come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An LDIF file, relative to the root of the organisation's repository.
    Ldif(PathBuf),
    /// An LDAP server.
    Ldap(Box<LdapConfig>),
    /// The directory is gone for good: it is read as complete and empty, everybody in it departed.
    Retired,
}

/// Which schema, and what may differ from its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaConfig {
    /// Which schema.
    pub kind: SchemaKind,
    /// Base of everything: `dc=debian,dc=org`. Other bases default to places below it.
    pub base: String,
    /// Where people are; `None` = the schema's default below `base`.
    pub people_base: Option<String>,
    /// Where groups are; `None` = the schema's default below `base`.
    pub groups_base: Option<String>,
    /// The attribute that stays the same when a person is renamed; `None` = `uidNumber`, in
    /// Active Directory `objectGUID`. What belongs to an entry without it stays as it is.
    pub stable_id: Option<String>,
    /// First words of `accountStatus` that mean that somebody left; in lower case.
    pub gone_words: Vec<String>,
    /// Attributes and values that mean that somebody is locked. `*` stands for any value.
    pub locked_when: BTreeMap<String, Vec<String>>,
    /// People are only those whom this lets pass as well.
    pub people_filter: Option<Filter>,
    /// Groups are only those that this lets pass as well.
    pub groups_filter: Option<Filter>,
}

/// First words of `accountStatus` that mean that somebody left, unless the inventory names others.
/// The first two are those of userdir-ldap and always count.
pub const GONE_WORDS: [&str; 17] = [
    "inactive",
    "memorial",
    "closed",
    "deceased",
    "deleted",
    "disabled",
    "emeritus",
    "expelled",
    "expired",
    "gone",
    "left",
    "locked",
    "removed",
    "resigned",
    "retired",
    "suspended",
    "terminated",
];

impl SchemaConfig {
    /// A schema with nothing but its defaults.
    pub fn new(kind: SchemaKind, base: impl Into<String>) -> Self {
        Self {
            kind,
            base: base.into(),
            people_base: None,
            groups_base: None,
            stable_id: None,
            gone_words: GONE_WORDS.map(str::to_owned).into(),
            locked_when: BTreeMap::new(),
            people_filter: None,
            groups_filter: None,
        }
    }
}

/// The schemas that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaKind {
    /// Debian's `userdir-ldap`: membership is an attribute of the person.
    Userdir,
    /// posixGroup with `memberUid`.
    Rfc2307,
    /// `groupOfNames`-like groups with `member`, or `memberOf` on people.
    Rfc2307bis,
    /// Active Directory: ranged attributes, nested groups, `objectGUID`.
    ActiveDirectory,
}

/// How to reach an LDAP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapConfig {
    /// Servers that hold the same, never empty, tried in turn until one can be read: each is
    /// `ldaps://host[:port]`, `ldap://host[:port]` or `ldapi://%2Fpath%2Fto%2Fsocket`, nothing
    /// behind it.
    pub urls: Vec<String>,
    /// Upgrade an `ldap://` connection with `StartTLS`. On by default; off is refused for anything
    /// but a loopback address.
    pub start_tls: bool,
    /// The operator's certificates to trust instead of the system's.
    pub trust: Option<TrustName>,
    /// Who we are.
    pub bind: Bind,
    /// Entries per page; 0 = all at once, for servers that cannot page.
    pub page_size: u32,
    /// For connecting, TLS included.
    pub connect_timeout: Duration,
    /// For each page or other answer.
    pub read_timeout: Duration,
    /// How often reading is tried, each time from the start, when a connection breaks or stalls;
    /// 0 counts as 1.
    pub attempts: u32,
}

/// How to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// Not at all.
    Anonymous,
    /// DN and password.
    Simple {
        /// The DN.
        dn: String,
        /// The operator's secret that is its password.
        secret: SecretName,
    },
    /// SASL EXTERNAL: the operating system's word for a local socket.
    External,
}
