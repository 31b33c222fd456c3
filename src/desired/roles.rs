//! Roles and role bindings of one account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::hub::colliding;
use super::{DesiredAccount, DesiredRole, Entitlement, Holder, Inputs};
use crate::inventory::ServiceIdentity;
use crate::model::{
    Account, Place, RealisedProvider, Reason, RoleInputs, RoleName, Subject, Trust, VendorFacts,
};

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
    let Some(facts) = inputs.facts(&account.vendor) else { return wanted };
    let mut held: BTreeMap<(&RoleName, Held<'_>), Vec<Reason>> = BTreeMap::new();
    // Role objects that somebody has whom a directory knows.
    let mut known: BTreeSet<Subject> = BTreeSet::new();
    let mut bindings: BTreeMap<(Subject, RoleName), Vec<Reason>> = BTreeMap::new();
    for one in entitlements {
        let key = (one.holder.group(), one.role.clone());
        if !one.holder.holds(inputs.today) {
            if let Some(until) = one.holder.until() {
                let source = one.holder.source().clone();
                wanted.ended.insert(key, Reason::GrantEnded { until, source });
            }
            continue;
        }
        let reason = one.holder.reason();
        let by = Held::of(one.holder, facts);
        match by {
            Held::Forge(..) => {}
            Held::Bound if !facts.has_users => continue,
            Held::Bound | Held::Group(_) => {
                bindings.entry(key).or_default().push(reason.clone());
            }
        }
        if !matches!(one.holder, Holder::Group(grant) if inputs.lacks(&grant.group)) {
            known.insert(by.subject(one.role));
        }
        held.entry((one.role, by)).or_default().push(reason);
    }
    for ((role, held), why) in held {
        role_object(inputs, facts, account, role, &held, why, &mut wanted);
    }
    // Nothing is made for a group that nobody knows.
    for (subject, role) in &mut wanted.roles {
        let is_provider = matches!(subject, Subject::IdentityProvider(_));
        role.blocked |= !is_provider && !known.contains(subject);
    }
    for ((subject, role), mut why) in bindings {
        let has_meaning = |subject: &Subject| match subject {
            Subject::Role(name) | Subject::Held { role: name, .. } => *name == role,
            _ => false,
        };
        // Validation has said so.
        if !wanted.roles.keys().any(has_meaning) {
            continue;
        }
        why.sort();
        why.dedup();
        wanted.bindings.insert((subject, role), why.into());
    }
    wanted
}

/// Marks role objects whose names two want at once; validation has said so.
pub(super) fn block_names(wanted: &mut DesiredAccount, facts: &VendorFacts) {
    let named = || {
        let is_provider = |subject: &Subject| matches!(subject, Subject::IdentityProvider(_));
        wanted.roles.iter().filter(move |(subject, _)| !is_provider(subject))
    };
    let blocked = colliding(&facts.role_names, named().map(|(_, role)| &role.spec.name));
    let blocked: Vec<Subject> = named()
        .zip(blocked)
        .filter(|(_, blocked)| *blocked)
        .map(|((subject, _), _)| subject.clone())
        .collect();
    for subject in &blocked {
        if let Some(role) = wanted.roles.get_mut(subject) {
            role.blocked = true;
        }
    }
}

/// Who has a role object.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Held<'a> {
    /// All groups it is bound to.
    Bound,
    /// One group, where the vendor has none.
    Group(Subject),
    /// One service account that is jobs of a forge.
    Forge(Subject, &'a crate::model::Federation),
}

impl<'a> Held<'a> {
    fn of(holder: Holder<'a>, facts: &VendorFacts) -> Self {
        match holder {
            Holder::Service(service) => match &service.identity {
                ServiceIdentity::Forge(federation) => {
                    Self::Forge(Subject::Service(service.name.clone()), federation)
                }
                ServiceIdentity::User | ServiceIdentity::Key(_) => Self::Bound,
            },
            Holder::Group(_) if facts.has_users => Self::Bound,
            Holder::Group(_) => Self::Group(holder.group()),
        }
    }

    fn subject(&self, role: &RoleName) -> Subject {
        match self {
            Self::Bound => Subject::Role(role.clone()),
            Self::Group(by) | Self::Forge(by, _) => {
                Subject::Held { role: role.clone(), by: Box::new(by.clone()) }
            }
        }
    }
}

/// Adds a role object, with the identity provider it trusts; nothing where the role has no
/// meaning (validation has said so).
fn role_object(
    inputs: &Inputs<'_>,
    facts: &VendorFacts,
    account: &Account,
    name: &RoleName,
    held: &Held<'_>,
    mut why: Vec<Reason>,
    wanted: &mut DesiredAccount,
) {
    let Some(role) = inputs.policies.roles.get(name) else { return };
    let Some(attributes) = role.means.get(&facts.family) else { return };
    let hub = inputs.inventory.accounts.get(&account.hub).map_or(account, |entry| &entry.account);
    let realised = (facts.realise)(&RoleInputs {
        role: name,
        description: &role.description,
        attributes,
        account,
        hub,
        trust: match held {
            Held::Bound => Trust::Bound,
            Held::Group(by) => Trust::Holder(by),
            Held::Forge(by, federation) => Trust::Forge(by, federation),
        },
    });
    why.push(Reason::Definition { source: role.source.clone() });
    why.sort();
    why.dedup();
    let definition = Reason::Definition { source: role.source.clone() };
    let reasons: Arc<[Reason]> = match held {
        Held::Bound => Arc::new([definition]),
        Held::Group(_) | Held::Forge(..) => why.into(),
    };
    let provider = realised.provider.map(|RealisedProvider { name, spec, unknown }| {
        let subject = Subject::IdentityProvider(name);
        wanted.roles.entry(subject.clone()).or_insert_with(|| DesiredRole {
            spec,
            attachments: BTreeSet::new(),
            provider: None,
            reasons: Arc::clone(&reasons),
            blocked: unknown,
        });
        subject
    });
    wanted.roles.entry(held.subject(name)).or_insert_with(|| DesiredRole {
        blocked: false,
        spec: realised.spec,
        attachments: realised.attachments,
        provider,
        reasons,
    });
}
