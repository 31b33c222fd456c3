//! The files below `mirrors/` as people write them. Also the source of their JSON Schema.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Authority, Delegation, Form, Size};
use crate::yaml::{Field, List, Named};

/// One file of the mirrors. Every file may hold any number; all files together are the topology.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "reconcile mirrors")]
pub struct MirrorsFile {
    /// Mirrors by name.
    #[serde(default)]
    pub mirrors: Field<Named<Mirror>>,
}

/// An archive, served from an account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// The account of the inventory in which everything is. Its organisation is the mirror's, its
    /// vendor too.
    pub account: Field<String>,
    /// How it is served.
    pub form: Field<Form>,
    /// What is served.
    pub archive: Field<Archive>,
    /// Where its servers are, by a name that is no vendor's, such as `europe`: the vendor's facts say
    /// which of its regions is meant.
    pub regions: Field<Named<Region>>,
    /// Its public host name, below the parent zone. `${vendor}` stands for the vendor of the account.
    pub name: Field<String>,
    /// The zone above the public name, which may be somebody else's.
    pub parent_zone: Field<ParentZone>,
    /// Where the certificate of the public name comes from.
    #[serde(default)]
    pub certificate: Field<Certificate>,
    /// The release its servers run, as its distribution calls it: `debian-13`.
    pub image: Field<String>,
    /// The disk of each server, in GB. The whole archive must fit twice while it changes.
    pub disk_gb: Field<u32>,
    /// Who runs it: `directory:group`, or just `group` where there is one directory.
    pub operators: Field<String>,
    /// What it may cost in a month.
    pub ceiling: Field<Ceiling>,
    /// It is taken down in order, its public name first. A mirror that is only taken out of the file
    /// stays as it is, and every run says so.
    #[serde(default)]
    pub retired: Field<bool>,
}

/// What is served.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Where it comes from.
    pub upstream: Field<Upstream>,
    /// Its suites: `trixie`, `trixie-updates`, `bookworm/updates`.
    pub suites: Field<List<String>>,
    /// The keys that sign it: a file below `mirrors/` that ends in `.asc`, `.gpg` or `.pgp`.
    pub keyring: Field<String>,
    /// How many hours what is served may be behind.
    pub fresh_hours: Field<u32>,
}

/// A server that is asked with rsync.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its host name.
    pub host: Field<String>,
    /// The module of it that is the archive.
    pub module: Field<String>,
}

/// Servers in one part of the world.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// How many.
    pub servers: Field<u32>,
    /// How large each is.
    pub size: Field<Size>,
}

/// The zone above the public name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParentZone {
    /// Its domain.
    pub name: Field<String>,
    /// How the public name gets into it.
    pub by: Field<Delegation>,
}

/// Where a certificate comes from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Who issues it. The vendor unless written.
    #[serde(default)]
    pub by: Field<Authority>,
}

/// What a mirror may cost in a month.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// How much, in whole units of the currency.
    pub amount: Field<u32>,
    /// Its three letters: `EUR`.
    pub currency: Field<String>,
}
