//! Nothing is begun that a vendor would refuse because a quota of the account is used up.
//!
//! A run that stops in the middle because the eleventh group of somebody is one too many leaves
//! people with half of their rights; told beforehand, with numbers, somebody can act.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{Context, Rule, Violation, violation};
use crate::model::{
    ChangeId, HolderKind, ObjectName, OrganisationName, Place, Quota, Subject, VendorId,
};
use crate::plan::{self, Change, Life, Phase, Plan, Reference, Step};

/// What an account allows, and how much of it is used before the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How much is allowed. What is not here is not bounded, or the vendor does not tell.
    pub quotas: BTreeMap<Quota, u64>,
    /// How much is used of what is counted per account.
    pub in_account: BTreeMap<Quota, u64>,
    /// How much is used of what is counted per object; 0 where there is no entry.
    pub per_object: BTreeMap<Quota, HashMap<VendorId, u64>>,
}

/// How much a change uses of a quota: positive or negative.
struct Cost<'a> {
    quota: Quota,
    /// Whose, where it is counted per object.
    of: Option<(&'a Reference, &'a ObjectName)>,
    amount: i64,
}

/// One violation for every account and quota that would be exceeded. It holds those changes, in
/// the order of the plan, for which nothing is left once everything before them has happened.
pub(super) fn violations(
    plan: &Plan,
    context: &Context<'_>,
    held: &BTreeMap<ChangeId, Arc<str>>,
) -> Vec<Violation> {
    if context.usage.values().all(|usage| usage.quotas.is_empty()) {
        return Vec::new();
    }
    let mut books = Books { context, booked: HashMap::new() };
    let running = || plan.changes.iter().filter(|change| !held.contains_key(&change.id));
    // Removals come first in every account, except of what something replaces.
    let phases = plan::phases(&plan.changes);
    let first = |change: &&Change| phases[change.id.index()] != Some(Phase::Replaced);
    for change in running().filter(first) {
        for cost in costs(&change.step).filter(|cost| cost.amount < 0) {
            books.book(change, &cost);
        }
    }
    let mut exceeded: BTreeMap<(&OrganisationName, Place, Quota), Exceeded> = BTreeMap::new();
    for change in running() {
        for cost in costs(&change.step).filter(|cost| cost.amount > 0) {
            let Some((place, allowed)) = books.allowed(change, &cost) else { continue };
            let would_be = books.used(change, &cost).saturating_add(cost.amount);
            if would_be <= i64::try_from(allowed).unwrap_or(i64::MAX) {
                books.book(change, &cost);
                continue;
            }
            let key = (&change.place.organisation, place, cost.quota);
            let found = exceeded.entry(key).or_insert_with(|| Exceeded::new(allowed));
            found.holds.push(change.id);
            if let Some((_, name)) = cost.of {
                found.objects.insert(name.to_string());
            }
        }
    }
    exceeded
        .into_iter()
        .map(|((organisation, place, quota), found)| {
            let message = found.message(&place, quota);
            violation(Rule::Quota, organisation, message, found.holds)
        })
        .collect()
}

struct Exceeded {
    allowed: u64,
    holds: Vec<ChangeId>,
    objects: BTreeSet<String>,
}

impl Exceeded {
    fn new(allowed: u64) -> Self {
        Self { allowed, holds: Vec::new(), objects: BTreeSet::new() }
    }

    fn message(&self, place: &Place, quota: Quota) -> String {
        const SHOWN: usize = 5;
        let mut names: Vec<String> =
            self.objects.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        if self.objects.len() > SHOWN {
            names.push(format!("{} more", self.objects.len() - SHOWN));
        }
        let whose =
            if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) };
        let changes = match self.holds.len() {
            1 => "1 change".to_owned(),
            count => format!("{count} changes"),
        };
        format!(
            "{changes} would exceed a quota in {place}: {}{whose}: at most {} are allowed",
            words(quota),
            self.allowed,
        )
    }
}

fn words(quota: Quota) -> &'static str {
    match quota {
        Quota::Users => "users in the account",
        Quota::Groups => "groups in the account",
        Quota::Roles => "roles in the account",
        Quota::GroupsPerUser => "groups per user",
        Quota::AttachmentsPerGroup => "policies attached to a group",
        Quota::AttachmentsPerRole => "policies attached to a role",
        Quota::ContentPerRole => "characters of policies within a role",
        Quota::RolesPerGroup => "roles per group",
    }
}

/// What has been used so far, in the accounts and by the plan.
struct Books<'a> {
    context: &'a Context<'a>,
    booked: HashMap<(&'a Place, Quota, Option<&'a Reference>), i64>,
}

impl<'a> Books<'a> {
    /// The account whose quota it is: what is counted for users and groups is counted where they
    /// live.
    fn place(&self, change: &'a Change, cost: &Cost<'_>) -> Place {
        let place = (*change.place).clone();
        match cost.quota {
            Quota::RolesPerGroup => match self.context.hubs.get(&place.account) {
                Some(hub) => Place { account: hub.clone(), ..place },
                None => place,
            },
            _ => place,
        }
    }

    fn allowed(&self, change: &'a Change, cost: &Cost<'_>) -> Option<(Place, u64)> {
        let place = self.place(change, cost);
        let allowed = *self.context.usage.get(&place)?.quotas.get(&cost.quota)?;
        Some((place, allowed))
    }

    fn key(
        &self,
        change: &'a Change,
        cost: &Cost<'a>,
    ) -> (&'a Place, Quota, Option<&'a Reference>) {
        let place = self.place(change, cost);
        let place = self.context.usage.get_key_value(&place).map_or(&*change.place, |(at, _)| at);
        (place, cost.quota, cost.of.map(|(reference, _)| reference))
    }

    fn book(&mut self, change: &'a Change, cost: &Cost<'a>) {
        let key = self.key(change, cost);
        *self.booked.entry(key).or_default() += cost.amount;
    }

    fn used(&self, change: &'a Change, cost: &Cost<'a>) -> i64 {
        let before =
            self.context.usage.get(&self.place(change, cost)).map_or(0, |usage| match cost.of {
                None => usage.in_account.get(&cost.quota).copied().unwrap_or(0),
                Some((Reference::Made { .. }, _)) => 0,
                Some((Reference::Known(id), _)) => usage
                    .per_object
                    .get(&cost.quota)
                    .and_then(|objects| objects.get(id))
                    .copied()
                    .unwrap_or(0),
            });
        let booked = self.booked.get(&self.key(change, cost)).copied().unwrap_or(0);
        i64::try_from(before).unwrap_or(i64::MAX).saturating_add(booked)
    }
}

fn costs(step: &Step) -> impl Iterator<Item = Cost<'_>> {
    let account = |quota, amount| Some(Cost { quota, of: None, amount });
    let length = |content: &Option<String>| {
        content.as_ref().map_or(0, |text| i64::try_from(text.len()).unwrap_or(i64::MAX))
    };
    let cost = match step {
        Step::User(Life::Create { .. }) => account(Quota::Users, 1),
        Step::User(Life::Delete { .. }) => account(Quota::Users, -1),
        Step::Group(Life::Create { .. }) => account(Quota::Groups, 1),
        Step::Group(Life::Delete { .. }) => account(Quota::Groups, -1),
        Step::Role(Life::Create { subject, .. }) if is_role(subject) => account(Quota::Roles, 1),
        Step::Role(Life::Delete { subject, .. }) if is_role(subject) => account(Quota::Roles, -1),
        Step::AddMember { user, .. } => {
            Some(Cost { quota: Quota::GroupsPerUser, of: Some((&user.id, &user.name)), amount: 1 })
        }
        Step::RemoveMember { user, .. } => {
            Some(Cost { quota: Quota::GroupsPerUser, of: Some((&user.id, &user.name)), amount: -1 })
        }
        Step::BindRole { group, .. } => Some(Cost {
            quota: Quota::RolesPerGroup,
            of: Some((&group.id, &group.name)),
            amount: 1,
        }),
        Step::UnbindRole { group, .. } => Some(Cost {
            quota: Quota::RolesPerGroup,
            of: Some((&group.id, &group.name)),
            amount: -1,
        }),
        Step::Attach { holder_kind, holder, before, attachment, .. } => {
            let before = before.as_ref();
            let (quota, amount) = match (holder_kind, &attachment.content) {
                (HolderKind::User, _) | (HolderKind::Group, Some(_)) => return None.into_iter(),
                (HolderKind::Group, None) => (Quota::AttachmentsPerGroup, 1),
                (HolderKind::Role, None) => (Quota::AttachmentsPerRole, 1),
                (HolderKind::Role, Some(_)) => (
                    Quota::ContentPerRole,
                    length(&attachment.content) - before.map_or(0, |was| length(&was.content)),
                ),
            };
            let amount = if before.is_some() && attachment.content.is_none() { 0 } else { amount };
            Some(Cost { quota, of: Some((&holder.id, &holder.name)), amount })
        }
        Step::Detach { holder_kind, holder, attachment, .. } => {
            let (quota, amount) = match (holder_kind, &attachment.content) {
                (HolderKind::User, _) | (HolderKind::Group, Some(_)) => return None.into_iter(),
                (HolderKind::Group, None) => (Quota::AttachmentsPerGroup, -1),
                (HolderKind::Role, None) => (Quota::AttachmentsPerRole, -1),
                (HolderKind::Role, Some(_)) => {
                    (Quota::ContentPerRole, -length(&attachment.content))
                }
            };
            Some(Cost { quota, of: Some((&holder.id, &holder.name)), amount })
        }
        _ => None,
    };
    cost.into_iter()
}

/// Identity providers are kept like roles and count elsewhere.
fn is_role(subject: &Subject) -> bool {
    !matches!(subject, Subject::IdentityProvider(_))
}
