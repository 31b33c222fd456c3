//! Nobody locks the administrators out: required ones stay, and enough of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{AdministratorSet, Context, Rule, Violation, violation};
use crate::model::{ChangeId, OrganisationName, Place, VendorId};
use crate::plan::{Change, Plan, Reference, Step, Target};

/// Holds every change by which a required administrator would lose their access.
pub(super) fn required(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut found = Found::default();
    for set in &context.administrators {
        let losses = Losses::of(plan, set);
        let mut holds: BTreeSet<ChangeId> = BTreeSet::new();
        let mut names = Vec::new();
        for (user, subject) in &set.present {
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
            set.present.keys().filter(|user| losses.of_user(user).next().is_none()).count();
        let minimum = set.minimum as usize;
        let holds: BTreeSet<ChangeId> =
            set.present.keys().flat_map(|user| losses.of_user(user)).collect();
        if staying < minimum && !holds.is_empty() {
            let before = format!("{staying} of {} administrators of ", set.present.len());
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

/// The changes of a plan by which administrators of one account lose their access.
struct Losses<'a> {
    /// By user.
    users: BTreeMap<&'a VendorId, Vec<ChangeId>>,
    /// For all of them: the group goes, or loses its last role in the account.
    everybody: Vec<ChangeId>,
}

impl<'a> Losses<'a> {
    fn of(plan: &'a Plan, set: &AdministratorSet) -> Self {
        let mut losses = Self { users: BTreeMap::new(), everybody: Vec::new() };
        let mut unbound = Vec::new();
        for change in plan.removals() {
            match loss(change, set) {
                Loss::Nobody => {}
                Loss::User(user) => losses.users.entry(user).or_default().push(change.id),
                Loss::Everybody => losses.everybody.push(change.id),
                Loss::Binding => unbound.push(change.id),
            }
        }
        if !unbound.is_empty() && unbound.len() >= set.bindings {
            losses.everybody.extend(unbound);
        }
        losses
    }

    fn of_user(&self, user: &VendorId) -> impl Iterator<Item = ChangeId> {
        let own = self.users.get(user).into_iter().flatten();
        own.chain(&self.everybody).copied()
    }
}

enum Loss<'a> {
    Nobody,
    User(&'a VendorId),
    Everybody,
    /// One of the group's roles in the account.
    Binding,
}

fn loss<'a>(change: &'a Change, set: &AdministratorSet) -> Loss<'a> {
    let is_group = |target: &Target| match (&target.id, &set.group_id) {
        (Reference::Known(id), Some(group)) => id == group,
        (Reference::Known(_) | Reference::Made { .. }, _) => false,
    };
    let in_hub = *change.place == set.hub;
    match &change.step {
        Step::SuspendUser { id, .. } | Step::DeleteUser { id, .. } if in_hub => Loss::User(id),
        Step::RevokeCredential { credential, .. } if in_hub => Loss::User(&credential.user),
        Step::RemoveMember { group, user, .. } if in_hub && is_group(group) => match &user.id {
            Reference::Known(id) => Loss::User(id),
            Reference::Made { .. } => Loss::Nobody,
        },
        Step::DeleteGroup { id, .. } if in_hub && set.group_id.as_ref() == Some(id) => {
            Loss::Everybody
        }
        Step::UnbindRole { group, .. } if *change.place == set.account && is_group(group) => {
            Loss::Binding
        }
        Step::SuspendUser { .. }
        | Step::DeleteUser { .. }
        | Step::RevokeCredential { .. }
        | Step::RemoveMember { .. }
        | Step::DeleteGroup { .. }
        | Step::UnbindRole { .. }
        | Step::CreateUser { .. }
        | Step::UpdateUser { .. }
        | Step::RestoreUser { .. }
        | Step::CreateGroup { .. }
        | Step::UpdateGroup { .. }
        | Step::AddMember { .. }
        | Step::CreateRole { .. }
        | Step::UpdateRole { .. }
        | Step::DeleteRole { .. }
        | Step::BindRole { .. } => Loss::Nobody,
    }
}
