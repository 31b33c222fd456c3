//! What the operator's file says about the inventory: names that it does not define, or not for that
//! server, service account or organisation.
//!
//! This is for people, who want to know it early and all at once. What keeps a server from being asked
//! is the [`Permit`](crate::operator::Permit) it takes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Inventory, ServiceAccount, ServiceIdentity};
use crate::diagnostic::{Finding, Severity};
use crate::directory::{Bind, LdapConfig, Origin};
use crate::model::{AccountName, AttributeValue, OrganisationName, SinkName, Source};
use crate::operator::{Ask, Denied, Operator, Server};

/// Everything that the operator does not allow, sorted by place.
pub fn findings(inventory: &Inventory, operator: &Operator) -> Vec<Finding> {
    let mut findings = directories(inventory, operator);
    findings.extend(addresses(inventory, operator));
    findings.extend(sinks(inventory, operator));
    findings.extend(keys_with_one_place(inventory, operator));
    findings.sort();
    findings.dedup();
    findings
}

/// The same where an inventory is only checked: without an operator's file, as in the check of a
/// merge request, one warning that nothing of this was looked at.
pub fn offline_findings(inventory: &Inventory, operator: &Operator) -> Vec<Finding> {
    let findings = findings(inventory, operator);
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if operator.is_there() || errors == 0 {
        return findings;
    }
    let names = if errors == 1 { "1 name".to_owned() } else { format!("{errors} names") };
    vec![
        Finding::warning(
            "operator-not-checked",
            format!("{names} of secrets, servers or sinks could not be checked here"),
        )
        .hint("they are defined in the operator's file, and there is none; name it with --secrets"),
    ]
}

fn error(denied: Denied, source: &Source) -> Finding {
    Finding::error(denied.code, denied.message).at(source).hint(denied.hint)
}

/// What a directory asks for.
fn permitted(server: &LdapConfig, operator: &Operator) -> Result<(), Denied> {
    let secret = match &server.bind {
        Bind::Simple { secret, .. } => Some(secret),
        Bind::Anonymous | Bind::External => None,
    };
    for url in &server.urls {
        // What is no address was told where it was read.
        let Ok(named) = Server::parse(url) else { continue };
        let ask = Ask { server: &named, secret, trust: server.trust.as_ref() };
        operator.permit(&ask)?;
    }
    Ok(())
}

fn directories(inventory: &Inventory, operator: &Operator) -> Vec<Finding> {
    let denied = inventory.directories.values().filter_map(|config| {
        let Origin::Ldap(server) = &config.origin else { return None };
        Some(error(permitted(server, operator).err()?, &config.source))
    });
    denied.collect()
}

/// Settings of accounts that are fetched from somewhere.
fn addresses(inventory: &Inventory, operator: &Operator) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in inventory.accounts.values() {
        for value in entry.account.settings.values() {
            let AttributeValue::Text(text) = value else { continue };
            if !text.starts_with("https://") {
                continue;
            }
            let Ok((server, _)) = Server::parse_with_path(text) else { continue };
            if let Err(denied) = operator.permit_fetching(&server) {
                findings.push(error(denied, &entry.account.source));
            }
        }
    }
    findings
}

/// Service accounts with keys of ours, and the hubs in which their users are.
fn with_keys(
    inventory: &Inventory,
) -> impl Iterator<Item = (&ServiceAccount, &SinkName, BTreeSet<Hub<'_>>)> {
    inventory.service_accounts.values().filter_map(|service| {
        let ServiceIdentity::Key(rotation) = &service.identity else { return None };
        let hubs = service.accounts.iter().filter_map(|account| {
            let account = &inventory.accounts.get(account)?.account;
            Some((&account.hub, &account.place.organisation))
        });
        Some((service, &rotation.sink, hubs.collect()))
    })
}

/// A hub and whose it is.
type Hub<'a> = (&'a AccountName, &'a OrganisationName);

fn sinks(inventory: &Inventory, operator: &Operator) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (service, sink, hubs) in with_keys(inventory) {
        for (_, organisation) in hubs {
            if let Err(denied) = operator.sink(sink, &service.name, organisation) {
                findings.push(error(denied, &service.source));
            }
        }
    }
    findings
}

/// Two keys would go to the same place, so that one of them would be lost.
fn keys_with_one_place(inventory: &Inventory, operator: &Operator) -> Vec<Finding> {
    let mut first: BTreeMap<Vec<String>, (&ServiceAccount, &AccountName)> = BTreeMap::new();
    let mut findings = Vec::new();
    for (service, name, hubs) in with_keys(inventory) {
        let Some(sink) = operator.sinks.get(name) else { continue };
        for (hub, _) in hubs {
            let place = sink.kind.place(&service.name, hub);
            let (other, in_hub) = *first.entry(place).or_insert((service, hub));
            if (&other.name, in_hub) != (&service.name, hub) {
                findings.push(one_place(service, hub, other, in_hub, name));
                break;
            }
        }
    }
    findings
}

fn one_place(
    service: &ServiceAccount,
    hub: &AccountName,
    other: &ServiceAccount,
    in_hub: &AccountName,
    sink: &SinkName,
) -> Finding {
    let placeholder = if other.name == service.name { "{account}" } else { "{service}" };
    Finding::error(
        "one-place-for-two-keys",
        format!(
            "the key of `{}` (hub `{hub}`) would overwrite that of `{}` (hub `{in_hub}`)",
            service.name, other.name
        ),
    )
    .at(&service.source)
    .hint(format!(
        "write {placeholder} into the sink `{sink}` of the operator's file, or take another sink"
    ))
}
