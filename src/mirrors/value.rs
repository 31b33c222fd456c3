//! Mirrors after validation: every name resolved, every default filled in.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::HostName;
use crate::model::{AccountName, GroupRef, MirrorName, Source};

/// What people wrote about mirrors, valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Mirrors by name.
    pub mirrors: BTreeMap<MirrorName, Mirror>,
}

impl Topology {
    /// No mirrors.
    pub fn none() -> &'static Self {
        static NONE: Topology = Topology { mirrors: BTreeMap::new() };
        &NONE
    }
}

/// An archive, served from an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// Its name.
    pub name: MirrorName,
    /// The account in which everything is; always one of the inventory.
    pub account: AccountName,
    /// How it is served.
    pub form: Form,
    /// What is served.
    pub archive: Archive,
    /// Where its servers are; never empty.
    pub regions: BTreeMap<RegionName, Region>,
    /// The name by which the public reaches it; always below the parent zone, and no other
    /// mirror's.
    pub public_name: HostName,
    /// The zone above it.
    pub parent_zone: ParentZone,
    /// Who issues its certificate.
    pub certificate: Authority,
    /// What its servers run.
    pub image: Release,
    /// The disk of each server, in GB.
    pub disk_gb: u32,
    /// Who runs it.
    pub operators: GroupRef,
    /// What it may cost in a month.
    pub ceiling: Ceiling,
    /// It is to be taken down.
    pub retired: bool,
    /// Where it is written.
    pub source: Source,
}

/// How a mirror is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// By one front end that is everywhere, with servers behind it in a few regions.
    Cdn,
    /// By a front end in each region, the nearest of which answers.
    Regional,
}

/// What is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Where it comes from.
    pub upstream: Upstream,
    /// Its suites; never empty.
    pub suites: BTreeSet<String>,
    /// The path of the file with the keys that sign it: one of those that were read.
    pub keyring: String,
    /// How many hours what is served may be behind; at least 1.
    pub fresh_hours: u32,
}

/// A server that is asked with rsync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its host name.
    pub host: HostName,
    /// The module of it that is the archive.
    pub module: String,
}

/// Servers in one part of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// How many; at least 1.
    pub servers: u32,
    /// How large each is.
    pub size: Size,
    /// Where it is written.
    pub source: Source,
}

/// How large a server is, in no vendor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// The smallest that does the job.
    Small,
    /// For many users without a front end that keeps copies.
    Medium,
    /// For whole countries.
    Large,
}

/// The zone above a public name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentZone {
    /// Its domain.
    pub name: HostName,
    /// How the public name gets into it.
    pub by: Delegation,
}

/// How a public name gets into the zone above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delegation {
    /// The name is a zone of its own at the vendor, to which the parent zone points.
    Delegation,
    /// It is a record of the parent zone, which this program writes.
    Record,
    /// It is a record of the parent zone, which others write: they are told what it must say.
    HandOff,
}

/// Who issues certificates.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The vendor, who renews it as well.
    #[default]
    Vendor,
    /// An authority that speaks ACME.
    Acme,
}

/// What a mirror may cost in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// How much, in whole units of the currency; at least 1.
    pub amount: u32,
    /// Of what.
    pub currency: Currency,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is; what shape it must have is checked where it is read.
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

texts! {
    /// A part of the world, by a name that is no vendor's: `europe`.
    RegionName;
    /// A release of a distribution as that calls it: `debian-13`.
    Release;
    /// A currency by its three letters (ISO 4217): `EUR`.
    Currency;
}
