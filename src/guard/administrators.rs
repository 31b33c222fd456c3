//! Nobody locks the administrators out: required ones stay, and enough of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{AdministratorSet, Context, Rule, Violation, violation};
use crate::model::{ChangeId, OrganisationName, Place, Subject, VendorId};
use crate::plan::{Change, Life, Plan, Reference, Step, Target};

/// Holds every change by which a required administrator would lose their access. Who left longer ago
/// than the grace, or keeps a privileged role of which nobody can tell whether it allows as much,
/// goes with an approval.
pub(super) fn required(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut found = Found::default();
    for set in &context.administrators {
        let losses = Losses::of(plan, set);
        for may_go in [false, true] {
            let mut holds: BTreeSet<ChangeId> = BTreeSet::new();
            let mut names = Vec::new();
            for (user, subject) in present(set) {
                let may = set.left.contains(subject) || !losses.is_for_good(user);
                if !set.required.contains(subject) || may != may_go {
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
                let after = if may_go { "; approve the plan to let go of that" } else { "" };
                found.add(set, before, after.to_owned(), holds, may_go);
            }
        }
    }
    found.violations(Rule::RequiredAdministrator)
}

/// Holds every change by which administrators would lose their access, where too few would be
/// left. Administrators to be added by the same plan do not count: the addition may fail. Where
/// enough keep a privileged role, and nobody can tell whether it allows as much, an approval lets go.
pub(super) fn minimum(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut found = Found::default();
    for set in &context.administrators {
        let losses = Losses::of(plan, set);
        let minimum = set.minimum as usize;
        let present = present(set);
        let staying = present.keys().filter(|user| losses.of_user(user).next().is_none()).count();
        let with_some = present.keys().filter(|user| !losses.is_for_good(user)).count();
        let holds: BTreeSet<ChangeId> =
            present.keys().flat_map(|user| losses.of_user(user)).collect();
        if staying < minimum && !holds.is_empty() {
            let may_go = with_some >= minimum;
            let before = format!("{staying} of {} administrators of ", present.len());
            let way_out = if may_go {
                "nobody can tell that what they keep allows as much, approve the plan if it does"
            } else {
                "new ones count from the next run on"
            };
            let after = format!(" ({}) would stay, at least {minimum} must; {way_out}", set.group);
            found.add(set, before, after, holds, may_go);
        }
    }
    found.violations(Rule::MinimumAdministrators)
}

/// Violations that differ only in the account are told as one.
#[derive(Default)]
struct Found<'a> {
    accounts: BTreeMap<Told<'a>, Vec<&'a Place>>,
}

/// What is said before and after the accounts, what is held, and whether an approval lets it go.
type Told<'a> = (&'a OrganisationName, String, String, BTreeSet<ChangeId>, bool);

impl<'a> Found<'a> {
    fn add(
        &mut self,
        set: &'a AdministratorSet,
        before: String,
        after: String,
        holds: BTreeSet<ChangeId>,
        may_go: bool,
    ) {
        let told = (&set.account.organisation, before, after, holds, may_go);
        self.accounts.entry(told).or_default().push(&set.account);
    }

    fn violations(self, rule: Rule) -> Vec<Violation> {
        let tell = |(told, accounts): (Told<'_>, Vec<&Place>)| {
            let (organisation, before, after, holds, may_go) = told;
            let names: Vec<String> = accounts.iter().map(ToString::to_string).collect();
            let message = format!("{before}{}{after}", names.join(", "));
            let held = violation(rule, organisation, message, holds.into_iter().collect());
            Violation { overridable: may_go, ..held }
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
    /// Those of them who keep no privileged role.
    for_good: BTreeSet<&'a VendorId>,
}

/// What takes one role from a group.
#[derive(Default)]
struct Taken {
    by: Vec<ChangeId>,
    /// It is not taken, and comes to mean what it meant before.
    back: bool,
}

impl<'a> Losses<'a> {
    fn of(plan: &'a Plan, set: &'a AdministratorSet) -> Self {
        let mut losses = Self { users: BTreeMap::new(), for_good: BTreeSet::new() };
        // By group and role: which changes take it.
        let mut taken: BTreeMap<&VendorId, BTreeMap<&VendorId, Taken>> = BTreeMap::new();
        for change in plan.removals() {
            if let Some(role) = change.step.lessened_role()
                && *change.place == set.home
            {
                for (group, held) in &set.groups {
                    if let Some(role) = held.roles.get(role) {
                        let taken = taken.entry(group).or_default().entry(role).or_default();
                        let is_first = taken.by.is_empty();
                        taken.by.push(change.id);
                        let narrows = !matches!(change.step, Step::Role(Life::Delete { .. }));
                        taken.back = narrows && set.back.contains(role) && (is_first || taken.back);
                    }
                }
            }
            match loss(change, set) {
                Loss::Nobody => {}
                Loss::User(user) => losses.add(user, &[change.id], true),
                Loss::Group(group) => losses.everybody_in(set, group, &[change.id], true),
                Loss::Role(group, role) => {
                    let taken = taken.entry(group).or_default().entry(role).or_default();
                    taken.by.push(change.id);
                    taken.back = false;
                }
            }
        }
        for (group, roles) in taken {
            losses.of_roles(set, group, &roles);
        }
        losses
    }

    /// What a group keeps must allow as much as what it loses. A role that nobody can compare is
    /// one that people have to look at.
    fn of_roles(
        &mut self,
        set: &'a AdministratorSet,
        group: &VendorId,
        taken: &BTreeMap<&VendorId, Taken>,
    ) {
        let Some(administering) = set.groups.get(group) else { return };
        let kept: BTreeSet<&VendorId> =
            administering.roles.iter().filter(|role| !taken.contains_key(role)).collect();
        let is_made_up_for = |lost: &VendorId| {
            set.as_wide.get(lost).is_some_and(|wide| wide.iter().any(|role| kept.contains(role)))
        };
        let lost = taken.iter().filter(|(role, _)| !is_made_up_for(role));
        let by: Vec<ChangeId> = lost.flat_map(|(_, taken)| taken.by.iter().copied()).collect();
        if !by.is_empty() {
            let for_good = kept.is_empty() && !taken.values().any(|taken| taken.back);
            self.everybody_in(set, group, &by, for_good);
        }
    }

    fn everybody_in(
        &mut self,
        set: &'a AdministratorSet,
        group: &VendorId,
        by: &[ChangeId],
        for_good: bool,
    ) {
        for user in set.groups.get(group).into_iter().flat_map(|group| group.members.keys()) {
            self.add(user, by, for_good);
        }
    }

    fn add(&mut self, user: &'a VendorId, by: &[ChangeId], for_good: bool) {
        self.users.entry(user).or_default().extend(by);
        if for_good {
            self.for_good.insert(user);
        }
    }

    /// Whether somebody would keep no privileged role.
    fn is_for_good(&self, user: &VendorId) -> bool {
        self.for_good.contains(user)
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
        Step::User(Life::Retire { id, .. } | Life::Delete { id, .. }) if in_hub => Loss::User(id),
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
