//! The rules that span several items: one named function each, in one table, all applied, all
//! reported.

mod role_objects;
mod services;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;

use super::{Administrators, Inventory, ServiceIdentity, naming};
use crate::diagnostic::{Finding, Findings};
use crate::model::{Account, AccountName, GroupRef, NameRules, RoleName, Source, VendorFacts};
use crate::policies::{Policies, rights};

/// What the rules look at.
#[derive(Clone, Copy)]
pub(super) struct Checked<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) policies: &'a Policies,
    pub(super) vendors: &'a [VendorFacts],
    pub(super) today: Date,
}

/// The table.
const RULES: [fn(&Checked<'_>) -> Findings; 13] = [
    duplicate_grants,
    grants_that_have_ended,
    accounts_without_administrators,
    administrators_without_a_role,
    account_ids_used_twice,
    settings_an_account_lacks,
    roles_without_meaning_at_a_vendor,
    role_names_a_vendor_forbids,
    role_objects::role_objects_with_one_name,
    service_account_names_a_vendor_forbids,
    services::identities_a_vendor_lacks,
    protected_twice,
    items_without_a_right,
];

/// Applies every rule.
pub(super) fn apply(checked: &Checked<'_>, findings: &mut Findings) {
    for rule in RULES {
        findings.absorb(rule(checked));
    }
}

impl<'a> Checked<'a> {
    fn vendor_of(&self, account: &AccountName) -> Option<&'a VendorFacts> {
        let vendor = &self.inventory.accounts.get(account)?.account.vendor;
        self.vendors.iter().find(|facts| facts.name == *vendor)
    }

    /// Who gives which role where: grants and service accounts alike.
    fn given(&self) -> impl Iterator<Item = (&'a RoleName, &'a [AccountName], &'a Source)> {
        let grants = self.inventory.grants.iter();
        let services = self.inventory.service_accounts.values();
        grants.map(|grant| (&grant.role, grant.accounts.as_slice(), &grant.source)).chain(
            services.map(|service| (&service.role, service.accounts.as_slice(), &service.source)),
        )
    }
}

/// The same group gets the same role on the same account by two grants.
fn duplicate_grants(checked: &Checked<'_>) -> Findings {
    let mut first: HashMap<(&str, &str, &str, &str), &Source> = HashMap::new();
    let mut findings = Findings::default();
    for grant in &checked.inventory.grants {
        let mut reported: Option<&Source> = None;
        for account in &grant.accounts {
            let key = (
                grant.group.directory.as_str(),
                grant.group.group.as_str(),
                grant.role.as_str(),
                account.as_str(),
            );
            let before = *first.entry(key).or_insert(&grant.source);
            // One finding for each pair of grants, however many accounts they share.
            if *before != grant.source && reported != Some(before) {
                reported = Some(before);
                findings.push(
                    Finding::error(
                        "duplicate-grant",
                        format!(
                            "`{}` has role `{}` on `{account}` already",
                            grant.group, grant.role
                        ),
                    )
                    .at(&grant.source)
                    .hint(format!("by the grant in {before}")),
                );
            }
        }
    }
    findings
}

/// `until` is today or in the past.
fn grants_that_have_ended(checked: &Checked<'_>) -> Findings {
    let grants = checked.inventory.grants.iter().map(|grant| (grant.until, &grant.source));
    let services = checked.inventory.service_accounts.values();
    grants
        .chain(services.map(|service| (service.until, &service.source)))
        .filter_map(|(until, source)| {
            Some((until.filter(|until| *until <= checked.today)?, source))
        })
        .map(|(until, source)| {
            Finding::warning("dead-until", format!("this ended on {until} and has no effect"))
                .at(source)
                .hint("remove it, or write a later day")
        })
        .collect()
}

/// Nobody is named who must not be locked out.
fn accounts_without_administrators(checked: &Checked<'_>) -> Findings {
    let accounts = checked.inventory.accounts.values();
    accounts
        .filter(|entry| entry.administrators.is_none())
        .map(|entry| {
            Finding::warning(
                "no-administrators",
                format!("nobody is named who administers `{}`", entry.account.place.account),
            )
            .at(&entry.account.source)
            .hint("write `administrators:` with a group, at the account or at its organisation")
        })
        .collect()
}

/// The administrators' group is granted nothing on any account it administers.
fn administrators_without_a_role(checked: &Checked<'_>) -> Findings {
    let live = checked.inventory.grants.iter();
    let live = live.filter(|grant| grant.until.is_none_or(|until| until > checked.today));
    let given: HashSet<(&AccountName, &GroupRef)> = live
        .flat_map(|grant| grant.accounts.iter().map(move |account| (account, &grant.group)))
        .collect();
    let mut has_role: BTreeMap<&Administrators, bool> = BTreeMap::new();
    for entry in checked.inventory.accounts.values() {
        if let Some(administrators) = &entry.administrators {
            let account = &entry.account.place.account;
            *has_role.entry(administrators).or_default() |=
                given.contains(&(account, &administrators.group));
        }
    }
    has_role
        .into_iter()
        .filter(|(_, has_role)| !has_role)
        .map(|(administrators, _)| {
            let group = &administrators.group;
            Finding::warning(
                "administrators-without-role",
                format!("`{group}` is granted nothing on the accounts it administers"),
            )
            .at(&administrators.source)
            .hint(format!("add a grant for `{group}`"))
        })
        .collect()
}

/// Two names for one account. Two organisations may share one: neither sees what is the other's.
fn account_ids_used_twice(checked: &Checked<'_>) -> Findings {
    let mut first: HashMap<_, &AccountName> = HashMap::new();
    let mut findings = Findings::default();
    let mut accounts: Vec<&Account> =
        checked.inventory.accounts.values().map(|entry| &entry.account).collect();
    accounts.sort_by_key(|account| &account.source);
    for account in accounts {
        let family = checked.vendor_of(&account.place.account).map(|facts| &facts.family);
        let (partition, id) = (account.partition.as_deref(), account.id.as_str());
        let key = (&account.place.organisation, family, partition, id);
        let before = *first.entry(key).or_insert(&account.place.account);
        if *before != account.place.account {
            findings.push(
                Finding::error(
                    "duplicate-account-id",
                    format!("`{}` has the id {} of `{before}`", account.place.account, account.id),
                )
                .at(&account.source)
                .hint(format!(
                    "`{before}` is in {}",
                    checked.inventory.accounts[before].account.source
                )),
            );
        }
    }
    findings
}

/// A way of access does not know what it needs.
fn settings_an_account_lacks(checked: &Checked<'_>) -> Findings {
    let accounts = &checked.inventory.accounts;
    let lacking = accounts.iter().filter_map(|(name, entry)| {
        let account = &entry.account;
        let facts = checked.vendor_of(name)?;
        let hub = accounts.get(&account.hub).map_or(account, |hub| &hub.account);
        let (lacks, hint) = (facts.unsettled)(account, hub)?;
        let way = facts.access.map(|way| format!(" with {way}")).unwrap_or_default();
        let message = format!("{}{way} {lacks}, and runs `{name}`", facts.family);
        Some(Finding::error("setting-missing", message).at(&account.source).hint(hint))
    });
    lacking.collect()
}

/// A role is given on an account of a vendor for which the role says nothing.
fn roles_without_meaning_at_a_vendor(checked: &Checked<'_>) -> Findings {
    let mut findings = Findings::default();
    for (role, accounts, source) in checked.given() {
        let Some(role) = checked.policies.roles.get(role) else { continue };
        let missing = accounts.iter().find_map(|account| {
            let vendor = &checked.vendor_of(account)?.family;
            (!role.means.contains_key(vendor)).then_some((account, vendor))
        });
        if let Some((account, vendor)) = missing {
            findings.push(
                Finding::error(
                    "role-without-meaning",
                    format!(
                        "role `{}` says nothing for {vendor}, which runs `{account}`",
                        role.name
                    ),
                )
                .at(source)
                .hint(format!("write `{vendor}:` below `means:` in {}", role.source)),
            );
        }
    }
    findings
}

/// A role has a name that a vendor does not accept.
fn role_names_a_vendor_forbids(checked: &Checked<'_>) -> Findings {
    let mut findings = Findings::default();
    for role in checked.policies.roles.values() {
        for facts in checked.vendors.iter().filter(|facts| role.means.contains_key(&facts.family)) {
            findings.extend(forbidden(
                "role",
                role.name.as_str(),
                &facts.role_names,
                facts,
                &role.source,
            ));
        }
    }
    findings
}

/// A service account has a name that a vendor does not accept.
fn service_account_names_a_vendor_forbids(checked: &Checked<'_>) -> Findings {
    let mut findings = Findings::default();
    let services = checked.inventory.service_accounts.values();
    // Jobs of a forge have neither user nor group.
    let named = services.filter(|one| !matches!(one.identity, ServiceIdentity::Forge(_)));
    for service in named {
        let mut vendors: Vec<&VendorFacts> =
            service.accounts.iter().filter_map(|account| checked.vendor_of(account)).collect();
        vendors.dedup_by_key(|facts| &facts.name);
        for facts in vendors {
            let user = naming::service_user_name(&service.name);
            let group = naming::service_group_name(&service.name);
            findings.extend(
                forbidden(
                    "service account",
                    user.as_str(),
                    &facts.user_names,
                    facts,
                    &service.source,
                )
                .or_else(|| {
                    forbidden("group", group.as_str(), &facts.group_names, facts, &service.source)
                }),
            );
        }
    }
    findings
}

fn forbidden(
    what: &str,
    name: &str,
    rules: &NameRules,
    facts: &VendorFacts,
    source: &Source,
) -> Option<Finding> {
    let problem = rules.check(name).err()?;
    Some(
        Finding::error(
            "forbidden-name",
            format!("{} does not accept {what} `{name}`: it {problem}", facts.name),
        )
        .at(source),
    )
}

/// One user is protected by two entries.
fn protected_twice(checked: &Checked<'_>) -> Findings {
    let mut first: HashMap<(&str, Option<&AccountName>), &Source> = HashMap::new();
    let mut findings = Findings::default();
    for entry in &checked.policies.protected {
        let key = (entry.user.as_str(), entry.account.as_ref());
        let before = *first.entry(key).or_insert(&entry.source);
        if *before != entry.source {
            findings.push(
                Finding::error(
                    "duplicate-protected",
                    format!("`{}` is protected already", entry.user),
                )
                .at(&entry.source)
                .hint(format!("in {before}")),
            );
        }
    }
    findings
}

/// A file defines what its folder has no right to.
fn items_without_a_right(checked: &Checked<'_>) -> Findings {
    rights::violations(checked.inventory, &checked.policies.rights)
}
