//! What a change does to settings: everything that decides who is who, where people come from, and
//! what holds a run back. None of it gives or takes anything by itself, and all of it may.

mod directories;
mod inventory;
mod policies;
mod value;

use super::View;
use crate::inventory::Inventory;
use crate::model::Source;
use crate::policies::Policies;

pub use value::{
    Amount, DirectorySetting, FolderRight, Limited, ProjectTerms, Protection, ServiceTerms,
    Setting, SettingChange, Weight,
};

/// Every setting that differs, the dangerous ones first.
///
/// Structs of both sides are taken apart by name, so that a new setting cannot be forgotten.
pub(super) fn compare(base: &View<'_>, head: &View<'_>) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    of_inventory(base.inputs.inventory, head.inputs.inventory, &mut changes);
    let (was, is) = (base.inputs.policies, head.inputs.policies);
    of_policies((base.inputs.inventory, was), (head.inputs.inventory, is), &mut changes);
    changes.sort();
    changes
}

fn of_inventory(base: &Inventory, head: &Inventory, into: &mut Vec<SettingChange>) {
    // Accounts and who administers them are compared with what people get. Organisations are their
    // names and the administrators their accounts have; grants are what is given and taken.
    let Inventory {
        organisations: _,
        projects,
        directories,
        accounts: _,
        grants: _,
        service_accounts,
    } = head;
    directories::compare(&base.directories, directories, into);
    inventory::projects(&base.projects, projects, into);
    inventory::service_accounts(&base.service_accounts, service_accounts, into);
}

fn of_policies(
    base: (&Inventory, &Policies),
    head: (&Inventory, &Policies),
    into: &mut Vec<SettingChange>,
) {
    let (was, is) = (base.1, head.1);
    // What roles mean is compared with who holds them; sources are shown with what they are of.
    let Policies {
        roles: _,
        limits: _,
        organisation_limits: _,
        protected,
        rights,
        grace_days: _,
        privileged_needs_key: _,
        privileged_needs_active: _,
        plan_valid_hours: _,
        sinks,
        sources: _,
    } = is;
    policies::protected(&was.protected, protected, into);
    policies::limits(base, head, into);
    policies::numbers(was, is, into);
    policies::rights(&was.rights, rights, into);
    policies::sinks(&was.sinks, sinks, into);
}

/// What one side has and the other has not, or has in another way, by key.
fn by_key<'a, K: Ord, V: PartialEq>(
    base: impl IntoIterator<Item = (K, &'a V)>,
    head: impl IntoIterator<Item = (K, &'a V)>,
) -> Vec<(K, Option<&'a V>, Option<&'a V>)> {
    let mut both: std::collections::BTreeMap<K, (Option<&V>, Option<&V>)> =
        base.into_iter().map(|(key, value)| (key, (Some(value), None))).collect();
    for (key, value) in head {
        both.entry(key).or_default().1 = Some(value);
    }
    both.into_iter()
        .filter(|(_, (before, after))| before != after)
        .map(|(key, (before, after))| (key, before, after))
        .collect()
}

fn change(
    weight: Weight,
    what: Setting,
    was: Option<&Source>,
    now: Option<&Source>,
) -> SettingChange {
    SettingChange { weight, what, was: was.cloned(), now: now.cloned() }
}
