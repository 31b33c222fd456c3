//! Role bindings of one account.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::drafts::Drafts;
use super::hub::Hub;
use super::matching::Match;
use super::roles::Roles;
use super::{DiffInputs, PEOPLE, shared};
use crate::desired::DesiredAccount;
use crate::diagnostic::Finding;
use crate::model::{
    Binding, ChangeId, Kind, ObjectName, ObservedAccount, Place, Quota, Reason, RoleName, Subject,
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
        unread: super::unread(place, reading, &[Kind::Binding]),
    };
    account.bindings(drafts);
}

struct Bindings<'a> {
    place: Arc<Place>,
    wanted: &'a DesiredAccount,
    seen: &'a ObservedAccount,
    hub: &'a Hub<'a>,
    roles: &'a Roles<'a>,
    /// Why no binding may end here, if so.
    unread: Option<String>,
}

impl Bindings<'_> {
    fn bindings(&self, drafts: &mut Drafts) {
        let mut existing: HashSet<(Subject, &RoleName)> = HashSet::new();
        let mut ending: Vec<Ending<'_>> = Vec::new();
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
            // Where the hub was moved, a group keeps what it has as long as it is needed.
            if self.hub.successors.is_former() && !self.hub.group_deletions.contains_key(&group_at)
            {
                continue;
            }
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
            if let Some(name) = role_at.and_then(|at| self.lost_mark(at, subject)) {
                existing.insert((subject.clone(), name));
                continue;
            }
            ending.extend(self.unbind(binding, group_at, role_at, subject, drafts));
        }
        let beginning = self.bind(&existing, drafts);
        self.replace(&ending, &existing, &beginning, drafts);
    }

    /// The role that a group should have, if an observed one looks like it but for its mark, which
    /// was lost or damaged: a finding says so, and nobody loses a role because of that.
    fn lost_mark(&self, at: usize, group: &Subject) -> Option<&RoleName> {
        if self.roles.matching.of_observed[at] != Match::Foreign {
            return None;
        }
        let role = &self.roles.seen.roles[at];
        let wanted = self.wanted.bindings.keys().filter(|(holder, _)| holder == group);
        wanted.map(|(_, name)| name).find(|name| {
            let subject = Subject::Role((*name).clone());
            let spec = self.roles.wanted.roles.get(&subject).map(|role| &role.spec);
            role.ownership.may_become(&subject)
                && spec.is_some_and(|spec| spec.name == role.spec.name)
        })
    }

    /// Ends a binding; gives it back where something may replace it.
    fn unbind<'a>(
        &self,
        binding: &Binding,
        group_at: usize,
        role_at: Option<usize>,
        subject: &'a Subject,
        drafts: &mut Drafts,
    ) -> Option<Ending<'a>> {
        let role = role_at.map(|at| &self.roles.seen.roles[at]);
        let role_subject = role.and_then(|role| role.ownership.subject());
        let ended = match role_subject {
            Some(Subject::Role(name)) => self.wanted.ended.get(&(subject.clone(), name.clone())),
            _ => None,
        };
        let role_list = || self.roles.lacks(&[Kind::Role]);
        let unread = self.unread.clone().or_else(role_list).or_else(|| self.hub.lacks(PEOPLE));
        let doubtful = || self.hub.unnamed(subject).or_else(|| self.hub.doubtful_grants());
        // What somebody did by hand, and what has ended by itself, no grant was asked for.
        let wants_grant = ended.is_none() && matches!(role_subject, Some(Subject::Role(_)));
        if let Some(because) = unread.or_else(|| doubtful().filter(|_| wants_grant)) {
            drafts.withhold(&self.place, Kind::Binding, &because);
            return None;
        }
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
            by_hand: None,
        };
        let id = drafts.push(&self.place, step, Vec::new(), [reason].into());
        let role_deletion = role_at.and_then(|at| self.roles.deletions.get(&at));
        let group_deletion = self.hub.group_deletions.get(&group_at);
        for deletion in [role_deletion, group_deletion].into_iter().flatten() {
            drafts.need(*deletion, id);
        }
        wants_grant.then_some(Ending { group: subject, id, deletion: role_deletion.copied() })
    }

    /// The bindings that begin, by group.
    fn bind(
        &self,
        existing: &HashSet<(Subject, &RoleName)>,
        drafts: &mut Drafts,
    ) -> BTreeMap<&Subject, Vec<(&RoleName, ChangeId)>> {
        let mut beginning: BTreeMap<&Subject, Vec<(&RoleName, ChangeId)>> = BTreeMap::new();
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
                // Nothing is bound to a group that its directory does not know.
                .filter(|index| !self.hub.wanted.groups[*index].frozen)
                .and_then(|index| self.hub.group_targets[index].as_ref());
            let Some(group) = group else { continue };
            let needs = [role.needs, group.needs].into_iter().flatten().collect();
            let step = Step::BindRole { role: role.target.clone(), group: group.target.clone() };
            let id = drafts.push(&self.place, step, needs, Arc::clone(reasons));
            beginning.entry(subject).or_default().push((name, id));
        }
        beginning
    }

    /// What replaces comes first: a group that gets another role keeps the one it has until the
    /// other is there. Where the other cannot be, a finding says why, and nothing is taken.
    fn replace(
        &self,
        ending: &[Ending<'_>],
        existing: &HashSet<(Subject, &RoleName)>,
        beginning: &BTreeMap<&Subject, Vec<(&RoleName, ChangeId)>>,
        drafts: &mut Drafts,
    ) {
        if !self.hub.facts.has_users {
            return self.replace_by_roles(ending, drafts);
        }
        for one in ending {
            let begins = beginning.get(one.group).map_or(&[][..], Vec::as_slice);
            let wanted = self.wanted.bindings.keys().filter(|(group, _)| group == one.group);
            let missing = wanted.map(|(_, role)| role).find(|role| {
                !existing.contains(&(one.group.clone(), *role))
                    && !begins.iter().any(|(name, _)| name == role)
            });
            if let Some(missing) = missing.filter(|_| !self.is_frozen(one.group)) {
                self.kept(one.group, missing, drafts);
                drafts.give_up(one.id);
                if let Some(deletion) = one.deletion {
                    drafts.give_up(deletion);
                }
            } else if self.has_room(one.group, begins.len()) {
                for (_, by) in begins {
                    drafts.replace(one.id, *by);
                    if let Some(deletion) = one.deletion {
                        drafts.replace(deletion, *by);
                    }
                }
            } else {
                self.no_room(one.group, drafts);
            }
        }
    }

    /// Where groups are no longer bound to roles, because each has role objects of its own now,
    /// those are what replaces a binding.
    fn replace_by_roles(&self, ending: &[Ending<'_>], drafts: &mut Drafts) {
        for one in ending {
            let mut changes = vec![one.id];
            changes.extend(one.deletion);
            let wanted = self.wanted.bindings.keys().filter(|(group, _)| group == one.group);
            for (group, role) in wanted {
                let by = Box::new(group.clone());
                let own = Subject::Held { by, role: role.clone() };
                let Some(reach) = self.roles.targets.get(&own) else {
                    self.kept(one.group, role, drafts);
                    for change in &changes {
                        drafts.give_up(*change);
                    }
                    break;
                };
                for by in reach.needs.into_iter().chain(drafts.attached_to(reach)) {
                    for change in &changes {
                        drafts.replace(*change, by);
                    }
                }
            }
        }
    }

    fn is_frozen(&self, group: &Subject) -> bool {
        let groups = &self.hub.wanted.groups;
        groups.iter().any(|one| one.subject == *group && one.frozen)
    }

    /// Whether a group can have so many more roles beside those it has.
    fn has_room(&self, group: &Subject, more: usize) -> bool {
        let allowed = self.hub.seen.quotas.get(&Quota::RolesPerGroup);
        let Some(allowed) = allowed.filter(|_| more > 0) else { return true };
        let is = |id| {
            let at = self.hub.group_at.get(id);
            at.is_some_and(|at| self.hub.seen.groups[*at].ownership.subject() == Some(group))
        };
        let bound = self.seen.bindings.iter().filter(|binding| is(&binding.group)).count();
        (bound + more) as u64 <= *allowed
    }

    fn kept(&self, group: &Subject, missing: &RoleName, drafts: &mut Drafts) {
        let message = format!(
            "{group} keeps what it has here until it can have role {missing}, which replaces it"
        );
        drafts.find(
            Finding::warning("replacement-missing", message)
                .in_place(&self.place)
                .hint("another finding says what is in the way of that role"),
        );
    }

    fn no_room(&self, group: &Subject, drafts: &mut Drafts) {
        let message = format!(
            "there is no room for more roles of {group}: what is replaced is taken off first"
        );
        drafts.find(
            Finding::warning("replaced-without-overlap", message).in_place(&self.place).hint(
                "for a moment its members have less; give the group fewer roles to avoid that",
            ),
        );
    }
}

/// A binding that ends, and that another may replace.
struct Ending<'a> {
    group: &'a Subject,
    id: ChangeId,
    /// The deletion of its role, if that goes as well.
    deletion: Option<ChangeId>,
}
