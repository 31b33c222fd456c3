//! Nobody locks the administrators out: required ones stay, and enough of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{AdministratorSet, Context, Rule, Violation, violation};
use crate::model::{ChangeId, OrganisationName, Place, Subject, VendorId};
use crate::plan::{Change, Life, Plan, Reference, Step, Target};

/// Holds every change by which a required administrator would lose their access.
pub(super) fn required(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut found = Found::default();
    for set in &context.administrators {
        let losses = Losses::of(plan, set);
        let mut holds: BTreeSet<ChangeId> = BTreeSet::new();
        let mut names = Vec::new();
        for (user, subject) in present(set) {
            if !set.required.contains(subject) {
                continue;
            }
            let lost: Vec<ChangeId> = losses.of_user(user).collect();
            if !lost.is_empty() {
                names.push(subject.to_string());
                holds.extend(lost);
            }
        }
        if !holds.is_empty() {
            let before = format!("{} must stay an administrator of ", names.join(", "));
            found.add(set, before, String::new(), holds);
        }
    }
    found.violations(Rule::RequiredAdministrator)
}

/// Holds every change by which administrators would lose their access, where too few would be
/// left. Administrators to be added by the same plan do not count: the addition may fail.
pub(super) fn minimum(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut found = Found::default();
    for set in &context.administrators {
        let losses = Losses::of(plan, set);
        let staying =
            present(set).keys().filter(|user| losses.of_user(user).next().is_none()).count();
        let minimum = set.minimum as usize;
        let holds: BTreeSet<ChangeId> =
            present(set).keys().flat_map(|user| losses.of_user(user)).collect();
        if staying < minimum && !holds.is_empty() {
            let before = format!("{staying} of {} administrators of ", present(set).len());
            let after = format!(
                " ({}) would stay, at least {minimum} must; new ones count from the next run on",
                set.group
            );
            found.add(set, before, after, holds);
        }
    }
    found.violations(Rule::MinimumAdministrators)
}

/// Violations that differ only in the account are told as one.
#[derive(Default)]
struct Found<'a> {
    accounts: BTreeMap<Told<'a>, Vec<&'a Place>>,
}

/// What is said before and after the accounts, and what is held.
type Told<'a> = (&'a OrganisationName, String, String, BTreeSet<ChangeId>);

impl<'a> Found<'a> {
    fn add(
        &mut self,
        set: &'a AdministratorSet,
        before: String,
        after: String,
        holds: BTreeSet<ChangeId>,
    ) {
        let told = (&set.account.organisation, before, after, holds);
        self.accounts.entry(told).or_default().push(&set.account);
    }

    fn violations(self, rule: Rule) -> Vec<Violation> {
        let tell = |((organisation, before, after, holds), accounts): (Told<'_>, Vec<&Place>)| {
            let names: Vec<String> = accounts.iter().map(ToString::to_string).collect();
            let message = format!("{before}{}{after}", names.join(", "));
            violation(rule, organisation, message, holds.into_iter().collect())
        };
        self.accounts.into_iter().map(tell).collect()
    }
}

/// Everybody who administers the account now.
fn present(set: &AdministratorSet) -> BTreeMap<&VendorId, &Subject> {
    set.groups.values().flat_map(|group| &group.members).collect()
}

/// The changes of a plan by which administrators of one account lose their access, by user.
struct Losses<'a> {
    users: BTreeMap<&'a VendorId, Vec<ChangeId>>,
}

impl<'a> Losses<'a> {
    fn of(plan: &'a Plan, set: &'a AdministratorSet) -> Self {
        let mut losses = Self { users: BTreeMap::new() };
        // By group and role: which changes take it.
        let mut taken: BTreeMap<&VendorId, BTreeMap<&VendorId, Vec<ChangeId>>> = BTreeMap::new();
        for change in plan.removals() {
            if let Some(role) = change.step.lessened_role()
                && *change.place == set.home
            {
                for (group, held) in &set.groups {
                    if let Some(role) = held.roles.get(role) {
                        let roles = taken.entry(group).or_default();
                        roles.entry(role).or_default().push(change.id);
                    }
                }
            }
            match loss(change, set) {
                Loss::Nobody => {}
                Loss::User(user) => losses.users.entry(user).or_default().push(change.id),
                Loss::Group(group) => losses.everybody_in(set, group, &[change.id]),
                Loss::Role(group, role) => {
                    let roles = taken.entry(group).or_default();
                    roles.entry(role).or_default().push(change.id);
                }
            }
        }
        for (group, roles) in taken {
            if set.groups.get(group).is_some_and(|group| roles.len() >= group.roles.len()) {
                let by: Vec<ChangeId> = roles.into_values().flatten().collect();
                losses.everybody_in(set, group, &by);
            }
        }
        losses
    }

    fn everybody_in(&mut self, set: &'a AdministratorSet, group: &VendorId, by: &[ChangeId]) {
        for user in set.groups.get(group).into_iter().flat_map(|group| group.members.keys()) {
            self.users.entry(user).or_default().extend(by);
        }
    }

    fn of_user(&self, user: &VendorId) -> impl Iterator<Item = ChangeId> {
        self.users.get(user).into_iter().flatten().copied()
    }
}

enum Loss<'a> {
    Nobody,
    User(&'a VendorId),
    /// Everybody who is an administrator through that group.
    Group(&'a VendorId),
    /// That group loses one of the roles that make its members administrators, and which.
    Role(&'a VendorId, &'a VendorId),
}

fn loss<'a>(change: &'a Change, set: &AdministratorSet) -> Loss<'a> {
    let administering = |target: &'a Target| match &target.id {
        Reference::Known(id) => set.groups.get_key_value(id).map(|(_, group)| (id, group)),
        Reference::Made { .. } => None,
    };
    let in_hub = *change.place == set.hub;
    match &change.step {
        Step::User(Life::Retire { id, .. }) | Step::User(Life::Delete { id, .. }) if in_hub => {
            Loss::User(id)
        }
        // With a key that stays, nobody loses access.
        Step::RevokeCredential { credential, replaced_by: None, .. } if in_hub => {
            Loss::User(&credential.user)
        }
        Step::RemoveMember { group, user, .. } if in_hub && administering(group).is_some() => {
            match &user.id {
                Reference::Known(id) => Loss::User(id),
                Reference::Made { .. } => Loss::Nobody,
            }
        }
        Step::Group(Life::Delete { id, .. }) if in_hub && set.groups.contains_key(id) => {
            Loss::Group(id)
        }
        Step::UnbindRole { group, role, .. } if *change.place == set.account => {
            match (administering(group), &role.id) {
                (Some((id, group)), Reference::Known(role)) if group.roles.contains(role) => {
                    Loss::Role(id, role)
                }
                (Some(_) | None, _) => Loss::Nobody,
            }
        }
        _ => Loss::Nobody,
    }
}
