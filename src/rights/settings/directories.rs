//! Where people come from.

use std::collections::BTreeMap;

use super::value::{DirectorySetting, Setting, SettingChange, Weight};
use super::{by_key, change};
use crate::directory::{
    Bind, Bounds, DirectoryConfig, GONE_WORDS, LdapConfig, Origin, SchemaConfig, SchemaKind,
};
use crate::model::DirectoryName;

type Directories = BTreeMap<DirectoryName, DirectoryConfig>;

/// Whoever chooses where people are read chooses who is an administrator, so all of it that is not
/// about speed is dangerous.
pub(super) fn compare(base: &Directories, head: &Directories, into: &mut Vec<SettingChange>) {
    for (directory, before, after) in by_key(base, head) {
        let (was, now) = (before.map(|one| &one.source), after.map(|one| &one.source));
        let mut push = |setting, before: Option<String>, after: Option<String>| {
            let directory = directory.clone();
            let what = Setting::Directory { directory, setting, before, after };
            into.push(change(weight(setting), what, was, now));
        };
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => (settings(before), settings(after)),
            (before, after) => {
                push(DirectorySetting::Origin, before.map(origin), after.map(origin));
                continue;
            }
        };
        for (setting, was, is) in by_key(&before, &after) {
            // Of what has no such setting there is nothing to be fast or slow.
            if weight(*setting) == Weight::Dangerous || (was.is_some() && is.is_some()) {
                push(*setting, was.cloned(), is.cloned());
            }
        }
    }
}

fn weight(setting: DirectorySetting) -> Weight {
    match setting {
        DirectorySetting::Origin
        | DirectorySetting::Schema
        | DirectorySetting::Base
        | DirectorySetting::PeopleBase
        | DirectorySetting::GroupsBase
        | DirectorySetting::StableId
        | DirectorySetting::Reissued
        | DirectorySetting::PeopleFilter
        | DirectorySetting::GroupsFilter
        | DirectorySetting::GoneWords
        | DirectorySetting::LockedWhen
        | DirectorySetting::NamePrefix
        | DirectorySetting::LoginMap
        | DirectorySetting::GroupMap
        | DirectorySetting::Trust
        | DirectorySetting::Bind
        | DirectorySetting::StartTls => Weight::Dangerous,
        DirectorySetting::PageSize
        | DirectorySetting::ConnectSeconds
        | DirectorySetting::ReadSeconds
        | DirectorySetting::Attempts
        | DirectorySetting::TotalSeconds
        | DirectorySetting::MostMegabytes => Weight::Notable,
    }
}

fn origin(config: &DirectoryConfig) -> String {
    match &config.origin {
        Origin::Ldif(path) => path.display().to_string(),
        Origin::Ldap(server) => server.urls.join(", "),
        Origin::Retired => "retired".to_owned(),
    }
}

/// Every setting as people write it; what is left to a default has none.
fn settings(config: &DirectoryConfig) -> BTreeMap<DirectorySetting, String> {
    // Every field by name, so that a new one cannot be forgotten.
    let DirectoryConfig {
        name: _,
        origin: from,
        schema,
        name_prefix,
        reissued,
        login_map,
        group_map,
        bounds,
        source: _,
    } = config;
    let SchemaConfig {
        kind,
        base,
        people_base,
        groups_base,
        stable_id,
        gone_words,
        locked_when,
        people_filter,
        groups_filter,
    } = schema;
    let kind = match kind {
        SchemaKind::Userdir => "userdir",
        SchemaKind::Rfc2307 => "rfc2307",
        SchemaKind::Rfc2307bis => "rfc2307bis",
        SchemaKind::ActiveDirectory => "active_directory",
    };
    let is_usual = gone_words.iter().eq(GONE_WORDS.iter());
    let locked = locked_when.iter().map(|(name, values)| format!("{name}: {}", values.join(", ")));
    let locked = locked.collect::<Vec<_>>().join("; ");
    let written = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut settings: BTreeMap<DirectorySetting, String> = [
        (DirectorySetting::Origin, Some(origin(config))),
        (DirectorySetting::Schema, Some(kind.to_owned())),
        (DirectorySetting::Base, Some(base.clone())),
        (DirectorySetting::PeopleBase, people_base.clone()),
        (DirectorySetting::GroupsBase, groups_base.clone()),
        (DirectorySetting::StableId, stable_id.clone()),
        (DirectorySetting::PeopleFilter, people_filter.as_ref().map(ToString::to_string)),
        (DirectorySetting::GroupsFilter, groups_filter.as_ref().map(ToString::to_string)),
        (DirectorySetting::GoneWords, Some(gone_words.join(", ")).filter(|_| !is_usual)),
        (DirectorySetting::LockedWhen, written(&locked)),
        (DirectorySetting::NamePrefix, written(name_prefix)),
        (DirectorySetting::Reissued, written(&pairs(reissued))),
        (DirectorySetting::LoginMap, written(&pairs(login_map))),
        (DirectorySetting::GroupMap, written(&pairs(group_map))),
        (DirectorySetting::TotalSeconds, Some(bounds.time.as_secs().to_string())),
        (DirectorySetting::MostMegabytes, Some((bounds.memory / Bounds::MEGABYTE).to_string())),
    ]
    .into_iter()
    .filter_map(|(setting, value)| Some((setting, value?)))
    .collect();
    match from {
        Origin::Ldif(_) | Origin::Retired => {}
        Origin::Ldap(server) => settings.extend(of_server(server)),
    }
    settings
}

fn pairs<K: std::fmt::Display, V: std::fmt::Display>(map: &BTreeMap<K, V>) -> String {
    map.iter().map(|(from, to)| format!("{from}: {to}")).collect::<Vec<_>>().join(", ")
}

fn of_server(server: &LdapConfig) -> impl Iterator<Item = (DirectorySetting, String)> {
    let LdapConfig {
        urls: _,
        start_tls,
        trust,
        bind,
        page_size,
        connect_timeout,
        read_timeout,
        attempts,
    } = server;
    let bind = match bind {
        Bind::Anonymous => "nobody".to_owned(),
        Bind::External => "the operating system's user".to_owned(),
        Bind::Simple { dn, secret } => format!("{dn}, password: the operator's {secret}"),
    };
    [
        (DirectorySetting::StartTls, Some(start_tls.to_string())),
        (DirectorySetting::Trust, trust.as_ref().map(ToString::to_string)),
        (DirectorySetting::Bind, Some(bind)),
        (DirectorySetting::PageSize, Some(page_size.to_string())),
        (DirectorySetting::ConnectSeconds, Some(connect_timeout.as_secs().to_string())),
        (DirectorySetting::ReadSeconds, Some(read_timeout.as_secs().to_string())),
        (DirectorySetting::Attempts, Some(attempts.to_string())),
    ]
    .into_iter()
    .filter_map(|(setting, value)| Some((setting, value?)))
}
