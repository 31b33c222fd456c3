//! What mirrors are made of, as stored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::life::Life;
use super::state::{Row, Tags};
use crate::model::ResourceKind;

/// A resource as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Made by the service.
    pub id: String,
    /// What kind of thing.
    pub kind: ResourceKind,
    /// Unique per kind in its account, whatever its case.
    pub name: String,
    /// What it is like, in the words of its kind.
    pub settings: BTreeMap<String, Setting>,
    /// Labels.
    pub tags: Tags,
    /// Changes with every write.
    pub revision: u64,
    /// When it was made.
    pub made: Timestamp,
    /// When it was last written to.
    pub changed: Timestamp,
    /// Of a certificate: how far it has got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<Life>,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// One text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Texts whose order does not matter.
    Set(BTreeSet<String>),
}

impl From<&str> for Setting {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Setting {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Setting {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<const N: usize> From<[&str; N]> for Setting {
    fn from(texts: [&str; N]) -> Self {
        Self::Set(texts.into_iter().map(str::to_owned).collect())
    }
}

impl Resource {
    /// A setting that is one text; empty if it is not there.
    pub fn text(&self, word: &str) -> &str {
        text_of(&self.settings, word)
    }

    /// A setting that is a set of texts; nothing if it is not there.
    pub fn set(&self, word: &str) -> impl Iterator<Item = &str> {
        set_of(&self.settings, word)
    }

    /// Whether a flag is there and says yes.
    pub fn flag(&self, word: &str) -> bool {
        matches!(self.settings.get(word), Some(Setting::Flag(true)))
    }

    /// Where it can be reached, if it is something that can be.
    pub fn address(&self) -> Option<String> {
        match self.kind {
            ResourceKind::Server => {
                // Addresses set aside for tests of networks (RFC 2544), which nobody routes.
                let [.., high, low, last] = number_of(&self.id).to_be_bytes();
                Some(format!("198.{}.{low}.{last}", 18 + (high & 1)))
            }
            ResourceKind::FrontEnd => Some(format!("{}.front.{DOMAIN}", self.id)),
            ResourceKind::Zone | ResourceKind::RecordSet | ResourceKind::Certificate => None,
        }
    }

    /// The record by which the names of a certificate are proven.
    pub fn proof(&self) -> Option<Proof> {
        let first = self.set("domains").next()?;
        let domain = first.strip_prefix("*.").unwrap_or(first);
        (self.kind == ResourceKind::Certificate).then(|| Proof {
            name: format!("_{}.{domain}", self.id),
            value: format!("{}.proof.{DOMAIN}", self.id),
        })
    }
}

/// The domain of the service itself.
pub const DOMAIN: &str = "memory.example";

/// A record by which names are proven: a `CNAME`, or a `TXT` where that says the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// Its name.
    pub name: String,
    /// What it must say.
    pub value: String,
}

/// A setting that is one text; empty if it is not there.
pub fn text_of<'a>(settings: &'a BTreeMap<String, Setting>, word: &str) -> &'a str {
    match settings.get(word) {
        Some(Setting::Text(text)) => text,
        _ => "",
    }
}

/// A setting that is a set of texts; nothing if it is not there.
pub fn set_of<'a>(
    settings: &'a BTreeMap<String, Setting>,
    word: &str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let set = match settings.get(word) {
        Some(Setting::Set(set)) => Some(set),
        _ => None,
    };
    set.into_iter().flatten().map(String::as_str)
}

/// The letters before the number in ids of a kind.
pub fn prefix(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Zone => "z",
        ResourceKind::RecordSet => "rs",
        ResourceKind::Certificate => "ct",
        ResourceKind::Server => "s",
        ResourceKind::FrontEnd => "f",
    }
}

/// What one of a kind is called.
pub fn said(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Zone => "zone",
        ResourceKind::RecordSet => "record set",
        ResourceKind::Certificate => "certificate",
        ResourceKind::Server => "server",
        ResourceKind::FrontEnd => "front end",
    }
}

fn number_of(id: &str) -> u64 {
    let digits = id.rsplit('-').next().unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

/// Under what a resource is found by its name: its kind and its name in lower case.
pub fn key(kind: ResourceKind, name: &str) -> String {
    // No name of a kind has a line break, so no two kinds and names meet.
    format!("{}\n{}", said(kind), name.to_lowercase())
}

impl Row for Resource {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn key(&self) -> String {
        key(self.kind, &self.name)
    }
}
