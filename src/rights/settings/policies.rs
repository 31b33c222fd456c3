//! What holds a run back, and which folder may define what.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{Amount, FolderRight, Limited, Protection, Setting, SettingChange, Weight};
use super::{by_key, change};
use crate::inventory::Inventory;
use crate::model::{AccountName, ObjectName, OrganisationName, SinkName, Source};
use crate::pattern;
use crate::policies::{ItemKind, Limit, LimitOf, Limits, Policies, Protected, Right, Sink};

/// Users no run touches. Several entries for one user protect as the strongest of them does.
pub(super) fn protected(base: &[Protected], head: &[Protected], into: &mut Vec<SettingChange>) {
    let (before, after) = (by_user(base), by_user(head));
    for ((user, account), was, is) in by_key(&before, &after) {
        let terms = |one: Option<&(Protection, &Source)>| one.map(|(terms, _)| terms.clone());
        let (before, after) = (terms(was), terms(is));
        if before == after {
            continue;
        }
        let way_in = |one: &Option<Protection>| one.as_ref().is_some_and(|one| one.break_glass);
        let weight = match (&before, &after) {
            (Some(_), None) => Weight::Dangerous,
            _ if way_in(&before) && !way_in(&after) => Weight::Dangerous,
            // Who is protected keeps what they have, though they leave.
            (None, Some(_)) => Weight::Notable,
            _ if way_in(&before) != way_in(&after) => Weight::Notable,
            _ => Weight::Harmless,
        };
        let what =
            Setting::Protected { user: user.clone(), account: account.clone(), before, after };
        into.push(change(weight, what, was.map(|one| one.1), is.map(|one| one.1)));
    }
}

type ByUser<'a> = BTreeMap<(ObjectName, Option<AccountName>), (Protection, &'a Source)>;

fn by_user(all: &[Protected]) -> ByUser<'_> {
    let mut users = ByUser::new();
    for Protected { user, account, break_glass, reason, source } in all {
        let entry = users
            .entry((user.clone(), account.clone()))
            .or_insert_with(|| (Protection { break_glass: false, reason: reason.clone() }, source));
        entry.0.break_glass |= *break_glass;
    }
    users
}

/// Every limit of every organisation; organisations with the same change share a line.
pub(super) fn limits(
    (known, was): (&Inventory, &Policies),
    (inventory, is): (&Inventory, &Policies),
    into: &mut Vec<SettingChange>,
) {
    let names: BTreeSet<&OrganisationName> =
        known.organisations.keys().chain(inventory.organisations.keys()).collect();
    for limited in LimitOf::all() {
        let mut lines: BTreeMap<(Amount, Amount), Line<'_>> = BTreeMap::new();
        for name in names.iter().copied().map(Some).chain([None]) {
            let of = |policies: &Policies| amount(limits_of(policies, name), limited);
            let (before, after) = (of(was), of(is));
            if before == after {
                continue;
            }
            let line = lines.entry((before, after)).or_default();
            line.was = line.was.or(was.sources.limit(name, limited));
            line.now = line.now.or(is.sources.limit(name, limited));
            match name {
                Some(name) => line.organisations.push(name.clone()),
                None => line.all_others = true,
            }
        }
        for ((before, after), line) in lines {
            let Line { organisations, all_others, was, now } = line;
            let opens = after.count > before.count
                || after.percent > before.percent
                || after.floor > before.floor;
            let weight = if opens { Weight::Dangerous } else { Weight::Harmless };
            let of = match limited {
                LimitOf::Kind(kind) => Limited::Kind(kind),
                LimitOf::Access => Limited::Access,
                LimitOf::Directory => Limited::Directory,
            };
            let what = Setting::Limit { organisations, all_others, of, before, after };
            into.push(change(weight, what, was, now));
        }
    }
}

#[derive(Default)]
struct Line<'a> {
    organisations: Vec<OrganisationName>,
    all_others: bool,
    was: Option<&'a Source>,
    now: Option<&'a Source>,
}

fn limits_of<'a>(policies: &'a Policies, name: Option<&OrganisationName>) -> &'a Limits {
    name.map_or(&policies.limits, |name| policies.limits_of(name))
}

fn amount(limits: &Limits, of: LimitOf) -> Amount {
    let Limits { kinds, access, directory } = limits;
    let Limit { count, percent, floor } = match of {
        LimitOf::Kind(kind) => kinds.get(&kind).copied().unwrap_or_default(),
        LimitOf::Access => *access,
        LimitOf::Directory => *directory,
    };
    Amount { count, percent, floor }
}

/// Settings that are a number, or a yes or no.
pub(super) fn numbers(base: &Policies, head: &Policies, into: &mut Vec<SettingChange>) {
    let (was, now) = (&base.sources, &head.sources);
    let (before, after) = (base.grace_days, head.grace_days);
    if before != after {
        let weight = if after < before { Weight::Dangerous } else { Weight::Notable };
        let what = Setting::GraceDays { before, after };
        into.push(change(weight, what, was.grace_days.as_ref(), now.grace_days.as_ref()));
    }
    let (before, after) = (base.privileged_needs_key, head.privileged_needs_key);
    if before != after {
        let weight = if after { Weight::Harmless } else { Weight::Dangerous };
        let what = Setting::PrivilegedNeedsKey { before, after };
        let (was, now) = (&was.privileged_needs_key, &now.privileged_needs_key);
        into.push(change(weight, what, was.as_ref(), now.as_ref()));
    }
    let (before, after) = (base.privileged_needs_active, head.privileged_needs_active);
    if before != after {
        let weight = if after { Weight::Harmless } else { Weight::Dangerous };
        let what = Setting::PrivilegedNeedsActive { before, after };
        let (was, now) = (&was.privileged_needs_active, &now.privileged_needs_active);
        into.push(change(weight, what, was.as_ref(), now.as_ref()));
    }
    let (before, after) = (base.plan_valid_hours, head.plan_valid_hours);
    if before != after {
        let weight = if after > before { Weight::Dangerous } else { Weight::Harmless };
        let what = Setting::PlanValidHours { before, after };
        into.push(change(
            weight,
            what,
            was.plan_valid_hours.as_ref(),
            now.plan_valid_hours.as_ref(),
        ));
    }
}

/// What folders may define. A folder is restricted by the rights of the folders above it as well.
pub(super) fn rights(base: &[Right], head: &[Right], into: &mut Vec<SettingChange>) {
    if base.is_empty() != head.is_empty() {
        let (before, after) = (!base.is_empty(), !head.is_empty());
        let weight = if after { Weight::Harmless } else { Weight::Dangerous };
        let first = |rights: &[Right]| rights.first().map(|right| right.source.clone());
        let (was, now) = (first(base), first(head));
        let what = Setting::FoldersRestricted { before, after };
        into.push(SettingChange { weight, what, was, now });
    }
    let paths: BTreeSet<&str> = base.iter().chain(head).map(|right| right.path.as_str()).collect();
    for path in paths {
        let (before, after) = (of_path(base, path), of_path(head, path));
        let only = |some: &[(FolderRight, Source)], other: &[(FolderRight, Source)]| {
            let gone =
                |one: &&(FolderRight, Source)| other.iter().all(|(right, _)| *right != one.0);
            let mut rights: Vec<_> = some.iter().filter(gone).cloned().collect();
            rights.sort();
            rights
        };
        let (gone, new) = (only(&before, &after), only(&after, &before));
        if gone.is_empty() && new.is_empty() {
            continue;
        }
        let above: Vec<FolderRight> = base
            .iter()
            .filter(|right| is_above(&right.path, path))
            .map(|right| terms(right).0)
            .collect();
        let widens = !base.is_empty()
            && new.iter().any(|(right, _)| !above.iter().any(|old| old.covers(right)));
        let weight = if widens { Weight::Dangerous } else { Weight::Harmless };
        let first = |rights: &[(FolderRight, Source)]| rights.first().map(|one| one.1.clone());
        let (was, now) = (first(&gone), first(&new));
        let terms_of = |rights: Vec<(FolderRight, Source)>| {
            rights.into_iter().map(|(right, _)| right).collect()
        };
        let (path, before, after) = (path.to_owned(), terms_of(gone), terms_of(new));
        let what = Setting::Folder { path, before, after };
        into.push(SettingChange { weight, what, was, now });
    }
}

fn of_path(rights: &[Right], path: &str) -> Vec<(FolderRight, Source)> {
    rights.iter().filter(|right| right.path == path).map(terms).collect()
}

fn is_above(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn terms(right: &Right) -> (FolderRight, Source) {
    let Right { path: _, define, roles, accounts, projects, source } = right;
    let kind = |kind: &ItemKind| match kind {
        ItemKind::Organisations => "organisations",
        ItemKind::Projects => "projects",
        ItemKind::Directories => "directories",
        ItemKind::Grants => "grants",
        ItemKind::ServiceAccounts => "service_accounts",
    };
    let right = FolderRight {
        define: define.iter().map(|one| kind(one).to_owned()).collect(),
        roles: roles.iter().cloned().collect(),
        accounts: accounts.iter().cloned().collect(),
        projects: projects.iter().cloned().collect(),
    };
    (right, source.clone())
}

impl FolderRight {
    /// Whether it allows whatever another allows. What `*` of the other stands for, a pattern that
    /// matches its text matches as well.
    fn covers(&self, other: &Self) -> bool {
        let Self { define, roles, accounts, projects } = other;
        let matched = |known: &BTreeSet<String>, texts: &BTreeSet<String>| {
            texts.iter().all(|text| known.iter().any(|known| pattern::matches(known, text)))
        };
        let everywhere = self.accounts.contains("*");
        define.is_subset(&self.define)
            && matched(&self.roles, roles)
            && matched(&self.accounts, accounts)
            && (everywhere || projects.is_subset(&self.projects))
    }
}

/// The names of places for new keys; where they are the operator says.
pub(super) fn sinks(
    base: &BTreeMap<SinkName, Sink>,
    head: &BTreeMap<SinkName, Sink>,
    into: &mut Vec<SettingChange>,
) {
    for (name, was, is) in by_key(base, head) {
        let words = |sink: &Sink| {
            let Sink { description, source: _ } = sink;
            description.clone()
        };
        let (before, after) = (was.map(words), is.map(words));
        if before == after {
            continue;
        }
        let weight = match (&before, &after) {
            (None, _) => Weight::Dangerous,
            (_, None) => Weight::Notable,
            (Some(_), Some(_)) => Weight::Harmless,
        };
        let what = Setting::Sink { sink: name.clone(), before, after };
        into.push(change(weight, what, was.map(|one| &one.source), is.map(|one| &one.source)));
    }
}
