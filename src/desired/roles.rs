//! Roles and role bindings of one account.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DesiredAccount, DesiredRole, Entitlement, Inputs};
use crate::model::{Account, ObjectName, Place, Reason, RoleSpec};

/// What should be in an account, from its entitlements.
pub(super) fn resolve(
    inputs: &Inputs<'_>,
    account: &Account,
    entitlements: &[Entitlement<'_>],
) -> DesiredAccount {
    let hub =
        Place { organisation: account.place.organisation.clone(), account: account.hub.clone() };
    let mut wanted = DesiredAccount {
        account: account.clone(),
        hub,
        roles: BTreeMap::new(),
        bindings: BTreeMap::new(),
        ended: BTreeMap::new(),
    };
    let mut reasons: BTreeMap<_, Vec<Reason>> = BTreeMap::new();
    for one in entitlements {
        let key = (one.holder.group(), one.role.clone());
        if one.holder.holds(inputs.today) {
            reasons.entry(key).or_default().push(one.holder.reason());
        } else if let Some(until) = one.holder.until() {
            let source = one.holder.source().clone();
            wanted.ended.insert(key, Reason::GrantEnded { until, source });
        }
    }
    for ((subject, role_name), mut why) in reasons {
        let Some(role) = role(inputs, account, &role_name) else { continue };
        why.sort();
        why.dedup();
        wanted.roles.entry(role_name.clone()).or_insert(role);
        wanted.bindings.insert((subject, role_name), why.into());
    }
    wanted
}

/// What a role means in an account; `None` where it has no meaning (validation has said so).
fn role(
    inputs: &Inputs<'_>,
    account: &Account,
    name: &crate::model::RoleName,
) -> Option<DesiredRole> {
    let role = inputs.policies.roles.get(name)?;
    let attributes = role.means.get(&account.vendor)?.clone();
    let facts = inputs.facts(&account.vendor)?;
    let reasons: Arc<[Reason]> = Arc::new([Reason::Definition { source: role.source.clone() }]);
    Some(DesiredRole {
        blocked: facts.role_names.check(name.as_str()).is_err(),
        spec: RoleSpec {
            name: ObjectName::new(name.as_str()),
            description: role.description.clone(),
            attributes,
        },
        reasons,
    })
}
