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
mod notes;
mod rfc2307;
mod rfc2307bis;
mod userdir;
mod values;

use super::config::{SchemaConfig, SchemaKind};
use super::entry::Entry;
use super::filter::Filter;

pub(super) use assembly::Assembly;
use facts::{GroupFacts, PersonFacts};
use notes::Notes;

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
}

/// How the entries of a directory are understood.
pub(super) struct Schema {
    /// How to find groups.
    pub(super) groups: Search,
    /// How to find people.
    pub(super) people: Search,
    /// The attribute that stays when a person is renamed.
    stable_id: String,
    group: fn(&Entry, &mut Notes) -> Option<GroupFacts>,
    person: fn(&Entry, &str, &mut Notes) -> Option<PersonFacts>,
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
        for name in values::LASTING.into_iter().chain([stable_id.as_str()]) {
            if !attributes.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                attributes.push(name.to_owned());
            }
        }
        Self {
            groups: Search {
                what: "groups",
                base: base(config, config.groups_base.as_deref(), defaults.groups_base),
                filter: (defaults.group_filter)(),
                attributes: owned(defaults.group_attributes),
                naming: defaults.group_attributes[0],
            },
            people: Search {
                what: "people",
                base: base(config, config.people_base.as_deref(), defaults.people_base),
                filter: (defaults.person_filter)(),
                attributes,
                naming: defaults.person_naming,
            },
            stable_id,
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
    person: fn(&Entry, &str, &mut Notes) -> Option<PersonFacts>,
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
