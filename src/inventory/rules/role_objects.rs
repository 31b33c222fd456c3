//! The rule about the names of role objects, which a vendor makes of those of a role and its
//! holder.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::Checked;
use crate::diagnostic::{Finding, Findings};
use crate::inventory::{ServiceAccount, ServiceIdentity};
use crate::model::{
    AccountName, Federation, RoleInputs, RoleName, Source, Subject, Trust, VendorFacts,
};

/// A role object: one for all groups it is bound to, or one for a single holder.
#[derive(Clone)]
struct RoleObject<'a> {
    role: &'a RoleName,
    by: Option<(Subject, Option<&'a Federation>)>,
    source: &'a Source,
}

impl RoleObject<'_> {
    fn shown(&self) -> String {
        match &self.by {
            None => format!("role `{}`", self.role),
            Some((by, _)) => format!("role `{}` of {by}", self.role),
        }
    }

    fn trust(&self) -> Trust<'_> {
        match &self.by {
            None => Trust::Bound,
            Some((by, None)) => Trust::Holder(by),
            Some((by, Some(federation))) => Trust::Forge(by, federation),
        }
    }
}

/// Two role objects of one account would have the same name: the vendor would refuse the second,
/// or take it for the first.
pub(super) fn role_objects_with_one_name(checked: &Checked<'_>) -> Findings {
    let mut taken: BTreeMap<(&AccountName, String), RoleObject<'_>> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    let mut findings = Findings::default();
    for (account, object) in objects(checked) {
        let Some(facts) = checked.vendor_of(account) else { continue };
        let Some((home, name)) = name_of(checked, facts, account, &object) else { continue };
        let key = (home, facts.role_names.fold(&name));
        let first = taken.entry(key).or_insert_with(|| object.clone());
        // One finding for each pair, however many accounts they share.
        if (first.role, &first.by) == (object.role, &object.by)
            || !reported.insert((first.source, object.source))
        {
            continue;
        }
        let (one, other) = (object.shown(), first.shown());
        let message = format!("{one} would be `{name}` in `{home}`, and so would {other}");
        let hint = format!(
            "give a role or the service account another name; the other one is in {}",
            first.source
        );
        findings.push(Finding::error("name-collision", message).at(object.source).hint(hint));
    }
    findings
}

/// Every role object that something asks for today, with the account that asks.
fn objects<'a>(checked: &Checked<'a>) -> Vec<(&'a AccountName, RoleObject<'a>)> {
    let holds = |until: Option<Date>| until.is_none_or(|until| checked.today < until);
    let mut found = Vec::new();
    for grant in checked.inventory.grants.iter().filter(|one| holds(one.until)) {
        for account in &grant.accounts {
            let Some(facts) = checked.vendor_of(account) else { continue };
            let by = (!facts.has_users).then(|| (Subject::Group(grant.group.clone()), None));
            found.push((account, RoleObject { role: &grant.role, by, source: &grant.source }));
        }
    }
    for service in checked.inventory.service_accounts.values().filter(|one| holds(one.until)) {
        for account in &service.accounts {
            let Some(facts) = checked.vendor_of(account) else { continue };
            found.extend(of_service(service, facts).map(|object| (account, object)));
        }
    }
    found
}

fn of_service<'a>(service: &'a ServiceAccount, facts: &VendorFacts) -> Option<RoleObject<'a>> {
    let by = match &service.identity {
        // Another rule says so.
        ServiceIdentity::Forge(federation) if (facts.federates)(federation).is_err() => {
            return None;
        }
        ServiceIdentity::Forge(federation) => {
            Some((Subject::Service(service.name.clone()), Some(federation)))
        }
        ServiceIdentity::User | ServiceIdentity::Key(_) if facts.has_users => None,
        ServiceIdentity::User | ServiceIdentity::Key(_) => return None,
    };
    Some(RoleObject { role: &service.role, by, source: &service.source })
}

/// Where it is, and what the vendor calls it there.
fn name_of<'a>(
    checked: &Checked<'a>,
    facts: &VendorFacts,
    account: &'a AccountName,
    object: &RoleObject<'_>,
) -> Option<(&'a AccountName, String)> {
    let role = checked.policies.roles.get(object.role)?;
    let accounts = &checked.inventory.accounts;
    let here = &accounts.get(account)?.account;
    let realised = (facts.realise)(&RoleInputs {
        role: object.role,
        description: &role.description,
        attributes: role.means.get(&facts.family)?,
        account: here,
        hub: accounts.get(&here.hub).map_or(here, |entry| &entry.account),
        trust: object.trust(),
    });
    let home = if facts.shared_roles { &here.hub } else { account };
    Some((home, realised.spec.name.to_string()))
}
