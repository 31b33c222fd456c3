//! Which folder may define what.

use std::collections::BTreeMap;

use super::as_written::{self, PoliciesFile};
use super::{ItemKind, Right};
use crate::diagnostic::{Finding, Findings};
use crate::inventory::known::ReadFile;
use crate::inventory::resolve::World;
use crate::inventory::{AccountEntry, Inventory};
use crate::model::{AccountName, RoleName, Source};
use crate::pattern;
use crate::yaml::{Field, InFile, List, Written};

/// Adds the rights of one file.
pub(super) fn resolve(
    file: &ReadFile<PoliciesFile>,
    world: World<'_>,
    findings: &mut Findings,
    into: &mut Vec<Right>,
) {
    let at = InFile(&file.path);
    for written in file.content.rights.given().iter().flat_map(|list| &list.value.0) {
        let (right, item) = (&written.value, written.at);
        let path = at
            .required(&right.path, "path", item, findings)
            .and_then(|path| below_inventory(path, at, findings));
        let define = at.required(&right.define, "define", item, findings);
        let projects = right.projects.given().into_iter().flat_map(|list| &list.value.0);
        let projects = projects
            .filter_map(|project| {
                world.known.projects.look_up("project", project, at, findings)?;
                Some(project.value.as_str().into())
            })
            .collect();
        for role in names(&right.roles, pattern::is_pattern) {
            world.known.roles.look_up("role", role, at, findings);
        }
        for account in names(&right.accounts, pattern::is_pattern) {
            world.known.accounts.look_up("account", account, at, findings);
        }
        // A right with a mistake in it still is one: leaving it out could make the list empty,
        // and an empty list restricts nothing.
        into.push(Right {
            path: path.unwrap_or_default(),
            define: define
                .into_iter()
                .flat_map(|list| &list.value.0)
                .map(|kind| item_kind(kind.value))
                .collect(),
            roles: texts(&right.roles),
            accounts: texts(&right.accounts),
            projects,
            source: at.source(item),
        });
    }
}

fn names(
    field: &Field<List<String>>,
    except: impl Fn(&str) -> bool,
) -> impl Iterator<Item = &Written<String>> {
    let list = field.given().into_iter().flat_map(|list| &list.value.0);
    list.filter(move |written| !except(&written.value))
}

fn texts(field: &Field<List<String>>) -> Vec<String> {
    names(field, |_| false).map(|written| written.value.clone()).collect()
}

fn item_kind(written: as_written::ItemKind) -> ItemKind {
    match written {
        as_written::ItemKind::Organisations => ItemKind::Organisations,
        as_written::ItemKind::Projects => ItemKind::Projects,
        as_written::ItemKind::Directories => ItemKind::Directories,
        as_written::ItemKind::Grants => ItemKind::Grants,
        as_written::ItemKind::ServiceAccounts => ItemKind::ServiceAccounts,
    }
}

fn below_inventory(
    path: &Written<String>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<String> {
    let text = path.value.trim_end_matches('/');
    let is_plain =
        text.split('/').all(|part| !matches!(part, "" | "." | "..")) && !pattern::is_pattern(text);
    if !is_plain || text.split('/').next() != Some("inventory") {
        findings.push(
            Finding::error("right-path", format!("`{}` is no path below inventory/", path.value))
                .at(&at.source(path.at))
                .hint("write a folder or a file, for example inventory/debian"),
        );
        return None;
    }
    Some(text.to_owned())
}

/// What a file defines: an item that may need a right.
struct Item<'a> {
    kind: ItemKind,
    what: String,
    source: &'a Source,
    /// For grants and service accounts.
    given: Option<(&'a RoleName, &'a [AccountName])>,
}

/// Every item of the inventory that no right covers.
pub(crate) fn violations(inventory: &Inventory, rights: &[Right]) -> Findings {
    if rights.is_empty() {
        return Findings::default();
    }
    let mut by_file: BTreeMap<&str, Vec<&Right>> = BTreeMap::new();
    let mut findings = Findings::default();
    for item in items(inventory) {
        let file: &str = &item.source.file;
        let here = by_file
            .entry(file)
            .or_insert_with(|| rights.iter().filter(|right| contains(&right.path, file)).collect());
        findings.extend(missing_right(&item, here, &inventory.accounts));
    }
    findings
}

fn items(inventory: &Inventory) -> impl Iterator<Item = Item<'_>> {
    let plain = |kind, what, source| Item { kind, what, source, given: None };
    let organisations = inventory.organisations.values().map(move |organisation| {
        let what = format!("organisation `{}`", organisation.name);
        plain(ItemKind::Organisations, what, &organisation.source)
    });
    let projects = inventory.projects.values().map(move |project| {
        plain(ItemKind::Projects, format!("project `{}`", project.name), &project.source)
    });
    let directories = inventory.directories.values().map(move |directory| {
        plain(ItemKind::Directories, format!("directory `{}`", directory.name), &directory.source)
    });
    let grants = inventory.grants.iter().map(|grant| Item {
        kind: ItemKind::Grants,
        what: format!("a grant to `{}`", grant.group),
        source: &grant.source,
        given: Some((&grant.role, &grant.accounts)),
    });
    let services = inventory.service_accounts.values().map(|service| Item {
        kind: ItemKind::ServiceAccounts,
        what: format!("service account `{}`", service.name),
        source: &service.source,
        given: Some((&service.role, &service.accounts)),
    });
    organisations.chain(projects).chain(directories).chain(grants).chain(services)
}

/// Whether a file is the one of a right, or in its folder: compared by whole names, so that
/// `inventory/debian` has no say in `inventory/debian-ports`.
fn contains(right: &str, file: &str) -> bool {
    !right.is_empty()
        && file.strip_prefix(right).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn missing_right(
    item: &Item<'_>,
    rights: &[&Right],
    accounts: &BTreeMap<AccountName, AccountEntry>,
) -> Option<Finding> {
    let defining: Vec<&&Right> =
        rights.iter().filter(|right| right.define.contains(&item.kind)).collect();
    let folder = item.source.file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let word = match item.kind {
        ItemKind::Organisations => "organisations",
        ItemKind::Projects => "projects",
        ItemKind::Directories => "directories",
        ItemKind::Grants => "grants",
        ItemKind::ServiceAccounts => "service_accounts",
    };
    if defining.is_empty() {
        return Some(
            Finding::error("no-right", format!("{} may not be defined in {folder}/", item.what))
                .at(item.source)
                .hint(format!(
                    "it would need a right with `path: {folder}` and `define: [{word}]`, or move it"
                )),
        );
    }
    let (role, places) = item.given?;
    let covers = |right: &Right, account: &AccountName| {
        right.roles.iter().any(|known| pattern::matches(known, role.as_str()))
            && (right.accounts.iter().any(|known| pattern::matches(known, account.as_str()))
                || accounts
                    .get(account)
                    .and_then(|entry| entry.account.project.as_ref())
                    .is_some_and(|project| right.projects.contains(project)))
    };
    if defining.iter().any(|right| places.iter().all(|account| covers(right, account))) {
        return None;
    }
    // Name an account that no right covers, or the first when each is covered by another right.
    let account = places
        .iter()
        .find(|account| !defining.iter().any(|right| covers(right, account)))
        .or(places.first())?;
    let owner = accounts.get(account).and_then(|entry| entry.account.project.as_ref());
    let place = match owner {
        Some(project) => format!("`projects: [{project}]` or `accounts: [{account}]`"),
        None => format!("`accounts: [{account}]`"),
    };
    Some(
        Finding::error(
            "no-right",
            format!("{} with role `{role}` on account `{account}` may not be defined in {folder}/", item.what),
        )
        .at(item.source)
        .hint(format!(
            "it would need a right with `path: {folder}`, `define: [{word}]`, `roles: [{role}]` and {place}"
        )),
    )
}
