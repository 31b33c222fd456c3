//! Organisations and their accounts.

use std::collections::BTreeMap;

use super::{World, groups, text};
use crate::diagnostic::{Finding, Findings};
use crate::inventory::as_written::{self, InventoryFile};
use crate::inventory::known::ReadFile;
use crate::inventory::{AccountEntry, Administrators, Inventory, Organisation};
use crate::model::{Account, AccountName, OrganisationName, Place, VendorFacts, VendorName};
use crate::policies::attribute;
use crate::yaml::{Field, InFile, List, Position, Written};

/// Adds the organisations and accounts of one file.
pub(super) fn resolve(
    file: &ReadFile<InventoryFile>,
    world: World<'_>,
    findings: &mut Findings,
    inventory: &mut Inventory,
) {
    let at = InFile(&file.path);
    for (name, organisation) in file.content.organisations.given().iter().flat_map(|s| &s.value.0) {
        let source = at.source(name.at);
        let Some(written) = organisation
            .given()
            .filter(|_| world.known.organisations.is_definition(&name.value, &source))
        else {
            continue;
        };
        let name = OrganisationName::from(name.value.as_str());
        let administrators =
            groups::administrators(&written.value.administrators, at, world, findings);
        for (account, entry) in written.value.accounts.given().iter().flat_map(|s| &s.value.0) {
            let is_definition =
                world.known.accounts.is_definition(&account.value, &at.source(account.at));
            if let Some(entry) = entry.given().filter(|_| is_definition) {
                let entry = one_account(
                    &name,
                    account,
                    &entry.value,
                    administrators.as_ref(),
                    at,
                    world,
                    findings,
                );
                inventory
                    .accounts
                    .extend(entry.map(|entry| (entry.account.place.account.clone(), entry)));
            }
        }
        inventory.organisations.insert(name.clone(), Organisation { name, administrators, source });
    }
}

fn one_account(
    organisation: &OrganisationName,
    name: &Written<String>,
    written: &as_written::Account,
    inherited: Option<&Administrators>,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> Option<AccountEntry> {
    let administrators = groups::administrators(&written.administrators, at, world, findings)
        .or_else(|| inherited.cloned());
    let project = written.project.given().and_then(|project| {
        world.known.projects.look_up("project", project, at, findings)?;
        Some(project.value.as_str().into())
    });
    let vendor = at.required(&written.vendor, "vendor", name.at, findings);
    let id = at.required(&written.id, "id", name.at, findings);
    let vendor = vendor.and_then(|vendor| {
        let facts = world.vendor(&vendor.value);
        if facts.is_none() {
            findings.unknown("vendor", &vendor.value, world.families(), &at.source(vendor.at));
        }
        facts
    })?;
    let vendor = access(&written.access, vendor, at, world, findings);
    let settings = written
        .settings
        .given()
        .map(|settings| {
            let table = attribute::Table {
                what: "setting",
                vendor: vendor.family.as_str(),
                facts: vendor.account_settings,
                files: world.files,
            };
            attribute::resolve(&settings.value, name.at, &table, at, findings)
        })
        .unwrap_or_default();
    let partition = partition(&written.partition, vendor, at, findings);
    let id = id?;
    if !(vendor.is_account_id)(&id.value) {
        findings.push(
            Finding::error(
                "account-id",
                format!("`{}` is not an account id of {}", id.value, vendor.name),
            )
            .at(&at.source(id.at))
            .hint(format!("expected {}", vendor.account_id_shape)),
        );
        return None;
    }
    let account = AccountName::from(name.value.as_str());
    Some(AccountEntry {
        account: Account {
            place: Place { organisation: organisation.clone(), account: account.clone() },
            vendor: vendor.name.clone(),
            partition,
            id: id.value.clone(),
            hub: account,
            project,
            settings,
            source: at.source(name.at),
        },
        administrators,
        retired: written.retired.given().is_some_and(|flag| flag.value),
        sponsor: Some(text(&written.sponsor)).filter(|sponsor| !sponsor.is_empty()),
        contacts: texts(&written.contacts),
        constraints: texts(&written.constraints),
    })
}

/// The way of access that is asked for, or the vendor's first.
fn access<'a>(
    field: &Field<String>,
    vendor: &'a VendorFacts,
    at: InFile<'_>,
    world: World<'a>,
    findings: &mut Findings,
) -> &'a VendorFacts {
    let Some(written) = field.given() else { return vendor };
    let chosen = world.vendors.iter().find(|facts| {
        facts.family == vendor.family && facts.access == Some(written.value.as_str())
    });
    chosen.unwrap_or_else(|| {
        let known = world.accesses(vendor.family.as_str());
        findings.unknown("way of access", &written.value, known, &at.source(written.at));
        vendor
    })
}

fn texts(field: &Field<List<String>>) -> Vec<String> {
    let lines = field.given().into_iter().flat_map(|list| &list.value.0);
    lines.map(|line| line.value.trim().to_owned()).collect()
}

fn partition(
    field: &Field<String>,
    vendor: &VendorFacts,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<String> {
    let known = vendor.partitions;
    if let Some(written) = field.given()
        && !known.contains(&written.value.as_str())
    {
        findings.unknown(
            "partition",
            &written.value,
            known.iter().copied(),
            &at.source(written.at),
        );
    }
    let written = field.given().map(|written| written.value.as_str());
    written.or(known.first().copied()).map(str::to_owned)
}

type HubKey = (OrganisationName, VendorName, Option<String>);

/// Finds the hub of every account. Each organisation, vendor and partition has exactly one.
pub(super) fn choose_hubs(
    files: &[ReadFile<InventoryFile>],
    findings: &mut Findings,
    inventory: &mut Inventory,
) {
    let marked = marked_hubs(files);
    let mut groups: BTreeMap<HubKey, Vec<AccountName>> = BTreeMap::new();
    for (name, AccountEntry { account, .. }) in &inventory.accounts {
        let key =
            (account.place.organisation.clone(), account.vendor.clone(), account.partition.clone());
        groups.entry(key).or_default().push(name.clone());
    }
    for ((organisation, vendor, _), accounts) in groups {
        let hubs: Vec<&AccountName> =
            accounts.iter().filter(|name| marked.contains_key(name.as_str())).collect();
        let hub = match (hubs.as_slice(), accounts.as_slice()) {
            ([hub], _) => (*hub).clone(),
            ([], [only]) => only.clone(),
            ([], _) => {
                let source = &inventory.accounts[&accounts[0]].account.source;
                let names: Vec<&str> = accounts.iter().map(AccountName::as_str).collect();
                findings.push(
                    Finding::error(
                        "no-hub",
                        format!("none of the accounts of {organisation} at {vendor} is the hub"),
                    )
                    .at(source)
                    .hint(format!("write `hub: true` at one of {}", names.join(", "))),
                );
                accounts[0].clone()
            }
            ([first, others @ ..], _) => {
                for other in others {
                    let source = &inventory.accounts[*other].account.source;
                    findings.push(
                        Finding::error(
                            "second-hub",
                            format!("{organisation} has a second hub at {vendor}"),
                        )
                        .at(source)
                        .hint(format!(
                            "the first is {first}, in {}",
                            inventory.accounts[*first].account.source
                        )),
                    );
                }
                (*first).clone()
            }
        };
        let is_retired = |name: &AccountName| inventory.accounts[name].retired;
        if let Some(used) = accounts.iter().find(|name| !is_retired(name))
            && is_retired(&hub)
        {
            findings.push(
                Finding::error(
                    "retired-hub",
                    format!("{hub} is retired, and {used} needs it: users and groups live there"),
                )
                .at(&inventory.accounts[&hub].account.source)
                .hint("retire the other accounts first, or make another one the hub"),
            );
        }
        for name in &accounts {
            if let Some(entry) = inventory.accounts.get_mut(name) {
                entry.account.hub = hub.clone();
            }
        }
    }
}

/// Accounts with `hub: true`.
fn marked_hubs(files: &[ReadFile<InventoryFile>]) -> BTreeMap<&str, Position> {
    let organisations =
        files.iter().filter_map(|file| file.content.organisations.given()).flat_map(|s| &s.value.0);
    organisations
        .filter_map(|(_, organisation)| organisation.given())
        .filter_map(|organisation| organisation.value.accounts.given())
        .flat_map(|accounts| &accounts.value.0)
        .filter_map(|(name, account)| {
            let hub = account.given()?.value.hub.given().filter(|hub| hub.value)?;
            Some((name.value.as_str(), hub.at))
        })
        .collect()
}
