//! What the attributes of entries mean.
//!
//! Each schema is a value: two searches (groups first, then people) and two pure functions from
//! an entry to facts. Linking people with groups is the same for all of them (`assembly`).
//!
//! Architecture invariant: nothing here does I/O or knows whether entries came from a server or
//! a file.

mod active_directory;
mod assembly;
mod closure;
mod facts;
#[cfg(test)]
mod fuzz;
mod links;
mod locks;
mod notes;
mod rfc2307;
mod rfc2307bis;
mod userdir;
mod values;

use std::collections::BTreeMap;

use super::config::{SchemaConfig, SchemaKind};
use super::distinguished_name::normalise;
use super::entry::Entry;
use super::filter::Filter;

pub(super) use assembly::{Assembly, fingerprint};
use facts::{GroupFacts, PersonFacts};
pub(super) use links::Looked;
use notes::Notes;

use crate::model::Unclear;

/// One search below a base, the whole subtree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// "people" or "groups".
    pub(super) what: &'static str,
    /// Where.
    pub(super) base: String,
    /// Which entries.
    pub(super) filter: Filter,
    /// Which attributes; nothing else is asked for.
    pub(super) attributes: Vec<String>,
    /// The attribute by which what is found is called where people read.
    pub(super) naming: &'static str,
    /// Only entries of the base's own domain are wanted: where else there is something
    /// (zones of the name service, the configuration of the forest) nobody looks.
    pub(super) domain_only: bool,
}

/// How the entries of a directory are understood.
pub(super) struct Schema {
    /// How to find groups.
    pub(super) groups: Search,
    /// How to find people.
    pub(super) people: Search,
    /// Where the search for people looks, as names are compared.
    people_base: String,
    rules: Rules,
    group: fn(&Entry, &mut Notes) -> Option<GroupFacts>,
    person: fn(&Entry, &Rules, &mut Notes) -> Result<PersonFacts, Unclear>,
}

/// What the inventory says about the reading of people.
pub(super) struct Rules {
    /// The attribute that stays when a person is renamed.
    stable_id: String,
    /// First words of `accountStatus` that mean that somebody left.
    gone_words: Vec<String>,
    /// Attributes and values that mean that somebody is locked.
    locked_when: BTreeMap<String, Vec<String>>,
}

impl Schema {
    /// The schema of a configuration, its defaults filled in.
    pub(super) fn new(config: &SchemaConfig) -> Self {
        let defaults = match config.kind {
            SchemaKind::Userdir => userdir::DEFAULTS,
            SchemaKind::Rfc2307 => rfc2307::DEFAULTS,
            SchemaKind::Rfc2307bis => rfc2307bis::DEFAULTS,
            SchemaKind::ActiveDirectory => active_directory::DEFAULTS,
        };
        let stable_id = config.stable_id.clone().unwrap_or_else(|| defaults.stable_id.to_owned());
        let mut attributes = owned(defaults.person_attributes);
        // Those that the server makes up are told only to those who ask for them by name.
        let more = values::LASTING.iter().chain(&locks::ATTRIBUTES).copied();
        let more = more.chain(config.locked_when.keys().map(String::as_str));
        for name in more.chain([stable_id.as_str()]) {
            if !attributes.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                attributes.push(name.to_owned());
            }
        }
        let people = base(config, config.people_base.as_deref(), defaults.people_base);
        Self {
            groups: Search {
                what: "groups",
                base: base(config, config.groups_base.as_deref(), defaults.groups_base),
                filter: (defaults.group_filter)().and(config.groups_filter.as_ref()),
                domain_only: config.kind == SchemaKind::ActiveDirectory,
                attributes: owned(defaults.group_attributes),
                naming: defaults.group_attributes[0],
            },
            people: Search {
                what: "people",
                base: people.clone(),
                filter: (defaults.person_filter)().and(config.people_filter.as_ref()),
                domain_only: config.kind == SchemaKind::ActiveDirectory,
                attributes,
                naming: defaults.person_naming,
            },
            people_base: normalise(&people),
            rules: Rules {
                stable_id,
                gone_words: config.gone_words.clone(),
                locked_when: config.locked_when.clone(),
            },
            group: defaults.group,
            person: defaults.person,
        }
    }
}

/// What a schema says unless the configuration says otherwise.
struct Defaults {
    /// Where groups are, below the base; empty for the base itself.
    groups_base: &'static str,
    /// Where people are, below the base.
    people_base: &'static str,
    stable_id: &'static str,
    group_filter: fn() -> Filter,
    person_filter: fn() -> Filter,
    /// The one that names a group first.
    group_attributes: &'static [&'static str],
    /// The attribute with the log-in name.
    person_naming: &'static str,
    /// Those of people, without the stable id.
    person_attributes: &'static [&'static str],
    group: fn(&Entry, &mut Notes) -> Option<GroupFacts>,
    person: fn(&Entry, &Rules, &mut Notes) -> Result<PersonFacts, Unclear>,
}

fn base(config: &SchemaConfig, given: Option<&str>, default: &str) -> String {
    match given {
        Some(given) => given.to_owned(),
        None if default.is_empty() => config.base.clone(),
        None if config.base.is_empty() => default.to_owned(),
        None => format!("{default},{}", config.base),
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
