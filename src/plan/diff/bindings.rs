//! Role bindings of one account.

use std::collections::HashSet;
use std::sync::Arc;

use super::drafts::Drafts;
use super::hub::Hub;
use super::matching::Match;
use super::roles::Roles;
use super::{DiffInputs, shared};
use crate::desired::DesiredAccount;
use crate::model::{
    Binding, ObjectKind, ObjectName, ObservedAccount, Place, Reason, RoleName, Subject,
};
use crate::plan::{Reference, Step, Target};

/// Every binding that begins or ends in an account. `roles` are the account's own, or the hub's
/// where roles are shared.
pub(super) fn changes(
    inputs: &DiffInputs<'_>,
    place: &Place,
    wanted: &DesiredAccount,
    hub: &Hub<'_>,
    roles: &Roles<'_>,
    drafts: &mut Drafts,
) {
    let Some(reading) = inputs.observed.accounts.get(place) else { return };
    let account = Bindings {
        place: shared(place),
        wanted,
        seen: reading.got(),
        hub,
        roles,
        unread: super::unread(place, reading),
    };
    account.bindings(drafts);
}

struct Bindings<'a> {
    place: Arc<Place>,
    wanted: &'a DesiredAccount,
    seen: &'a ObservedAccount,
    hub: &'a Hub<'a>,
    roles: &'a Roles<'a>,
    unread: Option<String>,
}

impl Bindings<'_> {
    fn bindings(&self, drafts: &mut Drafts) {
        let mut existing: HashSet<(Subject, &RoleName)> = HashSet::new();
        let mut bindings: Vec<&Binding> = self.seen.bindings.iter().collect();
        bindings.sort_unstable_by_key(|binding| {
            let group = self.hub.group_at.get(&binding.group);
            let role = self.roles.role_at.get(&binding.role);
            (
                group.map(|at| &self.hub.seen.groups[*at].spec.name),
                role.map(|at| &self.roles.seen.roles[*at].spec.name),
                &binding.group,
                &binding.role,
            )
        });
        bindings.dedup();
        for binding in bindings {
            let Some(&group_at) = self.hub.group_at.get(&binding.group) else { continue };
            match self.hub.groups.of_observed[group_at] {
                Match::Foreign | Match::Surplus => continue,
                Match::Wanted(_) | Match::Extraneous => {}
            }
            let Some(subject) = self.hub.seen.groups[group_at].ownership.subject() else {
                continue;
            };
            let role_at = self.roles.role_at.get(&binding.role).copied();
            let matched = role_at.map(|at| self.roles.matching.of_observed[at]);
            // A group that goes loses whatever it has.
            if matched == Some(Match::Surplus) && !self.hub.group_deletions.contains_key(&group_at)
            {
                continue;
            }
            if let Some(Match::Wanted(index)) = matched
                && let Subject::Role(name) = self.roles.subjects[index]
                && self.wanted.bindings.contains_key(&(subject.clone(), name.clone()))
            {
                existing.insert((subject.clone(), name));
                continue;
            }
            self.unbind(binding, group_at, role_at, subject, drafts);
        }
        self.bind(&existing, drafts);
    }

    fn unbind(
        &self,
        binding: &Binding,
        group_at: usize,
        role_at: Option<usize>,
        subject: &Subject,
        drafts: &mut Drafts,
    ) {
        let unread = self.unread.clone().or_else(|| self.hub.unread.clone());
        if let Some(because) = unread.or_else(|| self.hub.unnamed(subject)) {
            drafts.withhold(&self.place, ObjectKind::Binding, &because);
            return;
        }
        let role = role_at.map(|at| &self.roles.seen.roles[at]);
        let role_subject = role.and_then(|role| role.ownership.subject());
        let ended = match role_subject {
            Some(Subject::Role(name)) => self.wanted.ended.get(&(subject.clone(), name.clone())),
            _ => None,
        };
        let reason = match (ended, role_subject) {
            (Some(ended), _) => ended.clone(),
            (None, Some(Subject::Role(role))) => {
                Reason::NotGranted { subject: subject.clone(), role: role.clone() }
            }
            (None, Some(_)) => Reason::NotInInventory { subject: subject.clone() },
            (None, None) if role.is_none() => Reason::RoleGone,
            (None, None) => Reason::ByHand,
        };
        let name = role
            .map_or_else(|| ObjectName::new(binding.role.as_str()), |role| role.spec.name.clone());
        let step = Step::UnbindRole {
            role: Target { id: Reference::Known(binding.role.clone()), name },
            group: self.hub.group_target(group_at),
        };
        let id = drafts.push(&self.place, step, Vec::new(), [reason].into());
        let role_deletion = role_at.and_then(|at| self.roles.deletions.get(&at));
        let group_deletion = self.hub.group_deletions.get(&group_at);
        for deletion in [role_deletion, group_deletion].into_iter().flatten() {
            drafts.need(*deletion, id);
        }
    }

    fn bind(&self, existing: &HashSet<(Subject, &RoleName)>, drafts: &mut Drafts) {
        for ((subject, name), reasons) in &self.wanted.bindings {
            if existing.contains(&(subject.clone(), name)) {
                continue;
            }
            let role = Subject::Role(name.clone());
            let Some(role) = self.roles.targets.get(&role) else { continue };
            let group = self
                .hub
                .wanted
                .groups
                .binary_search_by(|group| group.subject.cmp(subject))
                .ok()
                .and_then(|index| self.hub.group_targets[index].as_ref());
            let Some(group) = group else { continue };
            let needs = [role.needs, group.needs].into_iter().flatten().collect();
            let step = Step::BindRole { role: role.target.clone(), group: group.target.clone() };
            drafts.push(&self.place, step, needs, Arc::clone(reasons));
        }
    }
}
