//! The rules about how service accounts prove who they are.

use std::collections::BTreeMap;

use super::Checked;
use crate::diagnostic::Finding;
use crate::inventory::{ServiceAccount, ServiceIdentity};
use crate::model::{AccountName, SinkName, Source};

/// A service account proves who it is in a way that a vendor does not know.
pub(super) fn identities_a_vendor_lacks(checked: &Checked<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in checked.inventory.service_accounts.values() {
        let lacking = service.accounts.iter().find_map(|account| {
            let facts = checked.vendor_of(account)?;
            let (lacks, hint) = match &service.identity {
                ServiceIdentity::Forge(federation) => (facts.federates)(federation).err()?,
                ServiceIdentity::User | ServiceIdentity::Key(_) if !facts.has_users => {
                    ("has no users", "write `forge:`; jobs of a forge need no user")
                }
                ServiceIdentity::Key(_) if facts.key_kind.is_none() => (
                    "issues no keys",
                    "write `forge:`, or neither and make its credentials by hand",
                ),
                ServiceIdentity::User | ServiceIdentity::Key(_) => return None,
            };
            Some((account, facts, lacks, hint))
        });
        if let Some((account, facts, lacks, hint)) = lacking {
            let way = facts.access.map(|way| format!(" with {way}")).unwrap_or_default();
            findings.push(
                Finding::error(
                    "identity-not-possible",
                    format!("{}{way} {lacks}, and runs `{account}`", facts.family),
                )
                .at(&service.source)
                .hint(hint),
            );
        }
    }
    findings
}

/// Two keys would go to the same place, so that one of them would be lost.
pub(super) fn keys_with_one_place(checked: &Checked<'_>) -> Vec<Finding> {
    let mut first: BTreeMap<(&SinkName, Vec<String>), (&ServiceAccount, &AccountName)> =
        BTreeMap::new();
    let mut findings = Vec::new();
    for service in checked.inventory.service_accounts.values() {
        let ServiceIdentity::Key(rotation) = &service.identity else { continue };
        let Some(sink) = checked.policies.sinks.get(&rotation.sink) else { continue };
        let mut hubs: Vec<&AccountName> = service
            .accounts
            .iter()
            .filter_map(|account| Some(&checked.inventory.accounts.get(account)?.account.hub))
            .collect();
        hubs.sort();
        hubs.dedup();
        for hub in hubs {
            let texts = sink.kind.texts().into_iter().map(|text| {
                text.replace("{service}", service.name.as_str()).replace("{account}", hub.as_str())
            });
            let place = (&rotation.sink, texts.collect());
            let (other, in_hub) = *first.entry(place).or_insert((service, hub));
            if (&other.name, in_hub) != (&service.name, hub) {
                findings.push(one_place(service, hub, other, in_hub, &sink.source));
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
    sink: &Source,
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
    .hint(format!("write {placeholder} into the sink in {sink}, or take another sink"))
}
