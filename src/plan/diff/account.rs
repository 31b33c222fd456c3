//! Roles and role bindings of one account.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::drafts::Drafts;
use super::hub::{Hub, Reach};
use super::matching::{self, Match, Matching};
use super::{DiffInputs, copied_mark, finding, shared};
use crate::desired::{DesiredAccount, DesiredRole};
use crate::diagnostic::Finding;
use crate::model::{
    Binding, ChangeId, ObjectKind, ObjectName, Observed, ObservedAccount, Place, Reason, RoleName,
    RoleSpec, Subject, VendorId,
};
use crate::plan::{Output, Reference, Step, Target};

/// Everything that changes in an account besides users and groups.
pub(super) fn changes(
    inputs: &DiffInputs<'_>,
    place: &Place,
    wanted: &DesiredAccount,
    hub: &Hub<'_>,
    drafts: &mut Drafts,
) {
    let Some(reading) = inputs.observed.accounts.get(place) else { return };
    let seen = reading.got();
    let names: Vec<(Subject, &DesiredRole)> =
        wanted.roles.iter().map(|(name, role)| (Subject::Role(name.clone()), role)).collect();
    let roles = matching::match_up(
        names.iter().map(|(subject, role)| (subject, &role.spec.name)),
        &seen.roles,
        |role: &RoleSpec| &role.name,
    );
    let mut account = AccountDiff {
        place: shared(place),
        wanted,
        seen,
        hub,
        unread: super::unread(place, reading),
        role_at: seen.roles.iter().enumerate().map(|(at, role)| (&role.id, at)).collect(),
        subjects: names.into_iter().map(|(subject, _)| subject).collect(),
        roles,
        deletions: HashMap::new(),
        targets: BTreeMap::new(),
    };
    account.copied_marks(drafts);
    account.role_deletions(drafts);
    account.role_definitions(inputs, drafts);
    account.bindings(drafts);
}

struct AccountDiff<'a> {
    place: Arc<Place>,
    wanted: &'a DesiredAccount,
    seen: &'a ObservedAccount,
    hub: &'a Hub<'a>,
    unread: Option<String>,
    role_at: HashMap<&'a VendorId, usize>,
    /// Subjects of the desired roles, in their order.
    subjects: Vec<Subject>,
    roles: Matching,
    /// Deletions of roles, by observed position.
    deletions: HashMap<usize, ChangeId>,
    /// How to refer to each desired role that exists or will.
    targets: BTreeMap<&'a RoleName, Reach>,
}

impl<'a> AccountDiff<'a> {
    fn copied_marks(&self, drafts: &mut Drafts) {
        for (position, role) in self.seen.roles.iter().enumerate() {
            if let (true, Some(subject)) =
                (self.roles.is_doubtful(position), role.ownership.subject())
            {
                drafts.find(copied_mark(&self.place, "role", &role.spec.name, subject));
            }
        }
    }

    fn role_deletions(&mut self, drafts: &mut Drafts) {
        let bound_elsewhere: HashSet<&VendorId> = self
            .seen
            .bindings
            .iter()
            .filter(|binding| !self.hub.minds_group(&binding.group))
            .map(|binding| &binding.role)
            .collect();
        for (position, role) in self.sorted_roles() {
            let Some(subject) = role.ownership.subject() else { continue };
            if bound_elsewhere.contains(&role.id) {
                let message = format!(
                    "our role `{}` is attached to a group that is not ours",
                    role.spec.name
                );
                drafts.find(
                    Finding::warning("role-of-foreign-group", message)
                        .in_place(&self.place)
                        .hint("detach it by hand, or mark the group; it is left as it is"),
                );
            }
            if self.roles.of_observed[position] != Match::Extraneous || self.roles.copied[position]
            {
                continue;
            }
            if let Some(unread) = self.unread.as_ref().or(self.hub.unread.as_ref()) {
                drafts.withhold(&self.place, ObjectKind::Role, unread);
            } else if !bound_elsewhere.contains(&role.id) {
                let step = Step::DeleteRole {
                    id: role.id.clone(),
                    subject: subject.clone(),
                    before: Box::new(role.spec.clone()),
                };
                let reason = Reason::NotInInventory { subject: subject.clone() };
                let id = drafts.push(&self.place, step, Vec::new(), [reason].into());
                self.deletions.insert(position, id);
            }
        }
    }

    fn sorted_roles(&self) -> Vec<(usize, &'a Observed<RoleSpec>)> {
        let mut roles: Vec<_> = self.seen.roles.iter().enumerate().collect();
        roles.sort_unstable_by_key(|(_, role)| (&role.spec.name, &role.id));
        roles
    }

    fn role_definitions(&mut self, inputs: &DiffInputs<'_>, drafts: &mut Drafts) {
        let vendor = &self.wanted.account.vendor;
        let Some(facts) = inputs.vendors.iter().find(|facts| facts.name == *vendor) else { return };
        let rules = &facts.role_names;
        let occupants: HashMap<String, usize> = self
            .seen
            .roles
            .iter()
            .enumerate()
            .map(|(position, role)| (rules.fold(role.spec.name.as_str()), position))
            .collect();
        for (index, (name, role)) in self.wanted.roles.iter().enumerate() {
            let occupant = occupants.get(&rules.fold(role.spec.name.as_str())).copied();
            let reach = match self.roles.of_desired[index] {
                Some(position) => {
                    let other = occupant.filter(|occupant| *occupant != position);
                    self.update(index, position, other, role, drafts)
                }
                None if role.blocked => continue,
                // One that was not listed may be there under another name.
                None if self.unread.is_some() && !self.seen.listed.contains(&ObjectKind::Role) => {
                    if let Some(unread) = &self.unread {
                        drafts.withhold(&self.place, ObjectKind::Role, unread);
                    }
                    continue;
                }
                None => {
                    let Some(reach) = self.create(index, occupant, role, drafts) else { continue };
                    reach
                }
            };
            self.targets.insert(name, reach);
        }
    }

    fn update(
        &self,
        index: usize,
        position: usize,
        occupant: Option<usize>,
        role: &DesiredRole,
        drafts: &mut Drafts,
    ) -> Reach {
        let observed = &self.seen.roles[position];
        let mut after = role.spec.clone();
        if let Some(other) = occupant {
            self.taken(index, other, role, drafts);
            after.name = observed.spec.name.clone();
        }
        let target =
            Target { id: Reference::Known(observed.id.clone()), name: observed.spec.name.clone() };
        let differences = differences(&observed.spec, &after);
        if differences.is_empty() || role.blocked {
            return Reach { target, needs: None };
        }
        let step = Step::UpdateRole {
            id: observed.id.clone(),
            subject: self.subjects[index].clone(),
            before: Box::new(observed.spec.clone()),
            after: Box::new(after),
        };
        let reasons = std::iter::once(Reason::Differs { what: differences.join(", ") })
            .chain(role.reasons.iter().cloned())
            .collect();
        let id = drafts.push(&self.place, step, Vec::new(), reasons);
        Reach { target, needs: Some(id) }
    }

    fn create(
        &self,
        index: usize,
        occupant: Option<usize>,
        role: &DesiredRole,
        drafts: &mut Drafts,
    ) -> Option<Reach> {
        let mut needs = Vec::new();
        if let Some(position) = occupant {
            let Some(deletion) = self.deletions.get(&position) else {
                self.taken(index, position, role, drafts);
                return None;
            };
            needs.push(*deletion);
        }
        let step = Step::CreateRole {
            subject: self.subjects[index].clone(),
            role: Box::new(role.spec.clone()),
        };
        let id = drafts.push(&self.place, step, needs, Arc::clone(&role.reasons));
        let target = Target {
            id: Reference::Made { by: id, output: Output::Id },
            name: role.spec.name.clone(),
        };
        Some(Reach { target, needs: Some(id) })
    }

    fn taken(&self, index: usize, position: usize, role: &DesiredRole, drafts: &mut Drafts) {
        let other = &self.seen.roles[position];
        let (code, whose) = match other.ownership.subject() {
            Some(subject) => ("name-taken", format!("stands for {subject}")),
            None => ("foreign-role", "does not carry our mark".to_owned()),
        };
        drafts.find(finding(
            &self.place,
            code,
            format!(
                "{} cannot have the name `{}`: role `{}` {whose}",
                self.subjects[index], role.spec.name, other.spec.name
            ),
            "rename that role, or the role in the policies; nothing was changed on it",
        ));
    }

    fn bindings(&self, drafts: &mut Drafts) {
        let mut existing: HashSet<(Subject, &RoleName)> = HashSet::new();
        let mut bindings: Vec<&Binding> = self.seen.bindings.iter().collect();
        bindings.sort_unstable_by_key(|binding| {
            let group = self.hub.group_at.get(&binding.group);
            let role = self.role_at.get(&binding.role);
            (
                group.map(|at| &self.hub.seen.groups[*at].spec.name),
                role.map(|at| &self.seen.roles[*at].spec.name),
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
            let role_at = self.role_at.get(&binding.role).copied();
            let matched = role_at.map(|at| self.roles.of_observed[at]);
            // A group that goes loses whatever it has.
            if matched == Some(Match::Surplus) && !self.hub.group_deletions.contains_key(&group_at)
            {
                continue;
            }
            if let Some(Match::Wanted(index)) = matched
                && let Subject::Role(name) = &self.subjects[index]
                && let Some((name, _)) = self.wanted.roles.get_key_value(name)
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
        let role = role_at.map(|at| &self.seen.roles[at]);
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
            (None, None) => Reason::ByHand,
        };
        let name = role
            .map_or_else(|| ObjectName::new(binding.role.as_str()), |role| role.spec.name.clone());
        let step = Step::UnbindRole {
            role: Target { id: Reference::Known(binding.role.clone()), name },
            group: self.hub.group_target(group_at),
        };
        let id = drafts.push(&self.place, step, Vec::new(), [reason].into());
        let role_deletion = role_at.and_then(|at| self.deletions.get(&at));
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
            let Some(role) = self.targets.get(name) else { continue };
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

/// What is different between two roles, for people.
///
/// Destructures every field so that a new one cannot be forgotten.
fn differences(observed: &RoleSpec, wanted: &RoleSpec) -> Vec<String> {
    let RoleSpec { name, description, attributes } = wanted;
    let mut differences = Vec::new();
    if observed.name != *name {
        differences.push(format!("name {} → {name}", observed.name));
    }
    if observed.description != *description {
        differences.push("description".to_owned());
    }
    for key in observed.attributes.keys().chain(attributes.keys()) {
        let (before, after) = (observed.attributes.get(key), attributes.get(key));
        if before != after {
            let show = |value: Option<&crate::model::AttributeValue>| {
                value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
            };
            let text = format!("{key} {} → {}", show(before), show(after));
            if !differences.contains(&text) {
                differences.push(text);
            }
        }
    }
    differences
}
