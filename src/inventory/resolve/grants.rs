//! Grants and service accounts: who gets what where.

use std::collections::{BTreeMap, BTreeSet};

use super::{World, day, groups, identities};
use crate::diagnostic::{Finding, Findings};
use crate::inventory::as_written::InventoryFile;
use crate::inventory::known::ReadFile;
use crate::inventory::selector::Selector;
use crate::inventory::{AccountEntry, Grant, ServiceAccount};
use crate::model::{AccountName, ProjectName, RoleName, ServiceAccountName};
use crate::pattern;
use crate::yaml::{Field, InFile, List, Position};

/// Accounts, for looking them up by name, pattern and project.
pub(super) struct Places {
    names: BTreeSet<AccountName>,
    by_project: BTreeMap<ProjectName, Vec<AccountName>>,
}

impl Places {
    pub(super) fn new(accounts: &BTreeMap<AccountName, AccountEntry>) -> Self {
        let mut by_project: BTreeMap<ProjectName, Vec<AccountName>> = BTreeMap::new();
        for (name, entry) in accounts {
            if let Some(project) = &entry.account.project {
                by_project.entry(project.clone()).or_default().push(name.clone());
            }
        }
        Self { names: accounts.keys().cloned().collect(), by_project }
    }
}

/// The grants of one file.
pub(super) fn resolve(
    file: &ReadFile<InventoryFile>,
    world: World<'_>,
    places: &Places,
    findings: &mut Findings,
) -> Vec<Grant> {
    let at = InFile(&file.path);
    let mut grants = Vec::new();
    for written in file.content.grants.given().iter().flat_map(|list| &list.value.0) {
        let (grant, item) = (&written.value, written.at);
        let group = groups::required(&grant.group, "group", item, at, world, findings);
        let role = role(&grant.role, item, at, world, findings);
        let accounts = accounts(&grant.accounts, item, at, world, places, findings);
        let reason = at.words(&grant.reason, "reason", item, findings);
        let until = day(&grant.until, at, findings);
        let is_broken = matches!(grant.until, Field::Broken)
            || (grant.until.given().is_some() && until.is_none());
        if let (Some(group), Some(role), Some(accounts), Some(reason), false) =
            (group, role, accounts, reason, is_broken)
        {
            grants.push(Grant { group, role, accounts, reason, until, source: at.source(item) });
        }
    }
    grants
}

/// Adds the service accounts of one file.
pub(super) fn resolve_service_accounts(
    file: &ReadFile<InventoryFile>,
    world: World<'_>,
    places: &Places,
    findings: &mut Findings,
    into: &mut BTreeMap<ServiceAccountName, ServiceAccount>,
) {
    let at = InFile(&file.path);
    for (name, written) in file.content.service_accounts.given().iter().flat_map(|s| &s.value.0) {
        let source = at.source(name.at);
        let Some(written) = written
            .given()
            .filter(|_| world.known.service_accounts.is_definition(&name.value, &source))
        else {
            continue;
        };
        let (service, item) = (&written.value, name.at);
        let project = service.project.given().and_then(|project| {
            world.known.projects.look_up("project", project, at, findings)?;
            Some(project.value.as_str().into())
        });
        let owners = groups::required(&service.owners, "owners", item, at, world, findings);
        let role = role(&service.role, item, at, world, findings);
        let accounts = accounts(&service.accounts, item, at, world, places, findings);
        let reason = at.words(&service.reason, "reason", item, findings);
        let until = day(&service.until, at, findings);
        let is_broken = matches!(service.until, Field::Broken)
            || (service.until.given().is_some() && until.is_none());
        let identity = identities::identity(service, item, at, world, findings);
        if let (Some(owners), Some(role), Some(accounts), Some(reason), Some(identity), false) =
            (owners, role, accounts, reason, identity, is_broken)
        {
            let name = ServiceAccountName::from(name.value.as_str());
            let service = ServiceAccount {
                name: name.clone(),
                project,
                owners,
                role,
                accounts,
                reason,
                until,
                identity,
                source,
            };
            into.insert(name, service);
        }
    }
}

fn role(
    field: &Field<String>,
    item: Position,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> Option<RoleName> {
    let written = at.required(field, "role", item, findings)?;
    world.known.roles.look_up("role", written, at, findings)?;
    Some(written.value.as_str().into())
}

/// One line below `accounts:`, borrowed.
enum Line<'a> {
    Name(&'a str),
    Pattern(&'a str),
    Project(&'a str),
}

impl<'a> From<&'a Selector> for Line<'a> {
    fn from(selector: &'a Selector) -> Self {
        match selector {
            Selector::Name(name) if pattern::is_pattern(name) => Self::Pattern(name),
            Selector::Name(name) => Self::Name(name),
            Selector::Project(name) => Self::Project(name),
        }
    }
}

/// The accounts that are meant: sorted, each once. `None` when there is none.
fn accounts(
    field: &Field<List<Selector>>,
    item: Position,
    at: InFile<'_>,
    world: World<'_>,
    places: &Places,
    findings: &mut Findings,
) -> Option<Vec<AccountName>> {
    let list = at.required(field, "accounts", item, findings)?;
    if list.value.0.is_empty() {
        findings.push(
            Finding::error("no-accounts", "no account is named here").at(&at.source(list.at)),
        );
    }
    let mut all = BTreeSet::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for selector in &list.value.0 {
        let source = at.source(selector.at);
        match Line::from(&selector.value) {
            Line::Pattern(name) => {
                let before = all.len();
                all.extend(
                    places
                        .names
                        .iter()
                        .filter(|account| pattern::matches(name, account.as_str()))
                        .cloned(),
                );
                let matched = all.len() > before
                    || world.known.accounts.iter().any(|account| pattern::matches(name, account));
                if !matched {
                    findings.push(
                        Finding::error("matches-nothing", format!("no account matches `{name}`"))
                            .at(&source),
                    );
                }
            }
            Line::Name(name) => {
                if !seen.insert(name) {
                    findings.push(
                        Finding::error("duplicate-value", format!("`{name}` is here twice"))
                            .at(&source),
                    );
                } else if let Some(account) = places.names.get(name) {
                    all.insert(account.clone());
                } else if !world.known.accounts.contains(name) {
                    findings.unknown("account", name, world.known.accounts.iter(), &source);
                }
            }
            Line::Project(name) => match places.by_project.get(name) {
                Some(accounts) => all.extend(accounts.iter().cloned()),
                None if world.known.projects.contains(name) => findings.push(
                    Finding::error("matches-nothing", format!("project `{name}` has no account"))
                        .at(&source),
                ),
                None => {
                    findings.unknown("project", name, world.known.projects.iter(), &source);
                }
            },
        }
    }
    (!all.is_empty()).then(|| all.into_iter().collect())
}
