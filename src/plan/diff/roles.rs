//! Role objects of one account: created, changed, deleted, with what is attached to them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::attachments::{self, Attached};
use super::drafts::Drafts;
use super::hub::{Hub, Reach};
use super::matching::{self, Match, Matching};
use super::{DiffInputs, PEOPLE, ROLES, by_hand, copied_mark, finding, shared, unowned};
use crate::desired::{DesiredAccount, DesiredRole};
use crate::diagnostic::Finding;
use crate::model::{
    Attachment, AttributeValue, Binding, ChangeId, Doubt, HolderKind, Kind, Observed,
    ObservedAccount, Ownership, Place, Reading, Reason, RoleSpec, Subject, VendorFacts, VendorId,
};
use crate::plan::{Effect, Life, Output, Reference, Step, Target};

/// The role objects of one account, matched up.
pub(super) struct Roles<'a> {
    pub(super) place: Arc<Place>,
    pub(super) wanted: &'a DesiredAccount,
    pub(super) seen: &'a ObservedAccount,
    pub(super) hub: &'a Hub<'a>,
    /// How far everything here was read.
    reading: &'a Reading<ObservedAccount>,
    /// Users of ours are left in a former hub, which existing roles still trust.
    moved: bool,
    pub(super) role_at: HashMap<&'a VendorId, usize>,
    /// Subjects of the desired roles, in their order.
    pub(super) subjects: Vec<&'a Subject>,
    pub(super) matching: Matching,
    /// Deletions of roles, by observed position.
    pub(super) deletions: HashMap<usize, ChangeId>,
    /// How to refer to each desired role that exists or will.
    pub(super) targets: BTreeMap<&'a Subject, Reach>,
    attached: Attached<'a>,
    /// What the vendor says it does not know, or of which that cannot be told.
    doubtful: BTreeMap<&'a Attachment, &'a Doubt>,
}

impl<'a> Roles<'a> {
    /// Matches the roles of an account and adds every change of theirs; `None` when the account
    /// was not to be read. `bindings` are those of all accounts in which they may be bound.
    pub(super) fn changes(
        inputs: &DiffInputs<'a>,
        place: &Place,
        hub: &'a Hub<'a>,
        bindings: &[&'a Binding],
        moved: bool,
        drafts: &mut Drafts,
    ) -> Option<Self> {
        let wanted = inputs.desired.accounts.get(place)?;
        let (mut roles, facts) = Self::matched(inputs, place, wanted, hub, moved)?;
        roles.copied_marks(drafts);
        let by_hand =
            if *place == wanted.hub { by_hand::kept(inputs, hub) } else { HashSet::new() };
        roles.role_deletions(bindings, &by_hand, drafts);
        roles.definitions(facts, drafts);
        roles.replace(drafts);
        Some(roles)
    }

    fn matched(
        inputs: &DiffInputs<'a>,
        place: &Place,
        wanted: &'a DesiredAccount,
        hub: &'a Hub<'a>,
        moved: bool,
    ) -> Option<(Self, &'a VendorFacts)> {
        let reading = inputs.observed.accounts.get(place)?;
        let facts = inputs.vendors.iter().find(|facts| facts.name == wanted.account.vendor)?;
        let seen = reading.got();
        let matching = matching::match_up(
            wanted.roles.iter().map(|(subject, role)| (subject, &role.spec.name)),
            &seen.roles,
            |role: &RoleSpec| &role.name,
        );
        let roles = Self {
            place: shared(place),
            wanted,
            seen,
            hub,
            reading,
            moved,
            role_at: seen.roles.iter().enumerate().map(|(at, role)| (&role.id, at)).collect(),
            subjects: wanted.roles.keys().collect(),
            matching,
            deletions: HashMap::new(),
            targets: BTreeMap::new(),
            attached: Attached::of(seen, &[HolderKind::Role]),
            doubtful: inputs.observed.doubtful.get(place).into_iter().flatten().collect(),
        };
        Some((roles, facts))
    }

    /// What replaces comes first, also where each group has role objects of its own: the one it has
    /// goes once the other is there, and not at all where that cannot be.
    fn replace(&self, drafts: &mut Drafts) {
        let holder = |subject: &'a Subject| match subject {
            Subject::Held { by, .. } => Some(&**by),
            _ => None,
        };
        for (position, deletion) in &self.deletions {
            let Some(subject) = self.seen.roles[*position].ownership.subject() else { continue };
            let Subject::Held { by, role } = subject else { continue };
            if self.wanted.ended.contains_key(&((**by).clone(), role.clone())) {
                continue;
            }
            let others = self.wanted.roles.iter().filter(|(other, _)| holder(other) == Some(by));
            for (other, wanted) in others {
                match self.targets.get(other) {
                    Some(reach) => {
                        for by in reach.needs.into_iter().chain(drafts.attached_to(reach)) {
                            drafts.replace(*deletion, by);
                        }
                    }
                    None if wanted.blocked => {}
                    None => drafts.give_up(*deletion),
                }
            }
        }
    }

    /// The roles of an account as it was before its hub was moved: they are those of the account as
    /// it is now, and only of use for telling what its former groups have.
    pub(super) fn of_former(
        inputs: &DiffInputs<'a>,
        place: &Place,
        hub: &'a Hub<'a>,
    ) -> Option<Self> {
        let wanted = inputs.desired.accounts.get(place)?;
        Some(Self::matched(inputs, place, wanted, hub, false)?.0)
    }

    /// Why nothing may be removed here that rests on the lists of some kinds, if so.
    pub(super) fn lacks(&self, rests_on: &[Kind]) -> Option<String> {
        super::unread(&self.place, self.reading, rests_on)
    }

    /// Why nobody can tell who would lose something by a role that goes or means less, if so.
    pub(super) fn unknown_holders(&self) -> Option<String> {
        // Somewhere a group may have a shared role.
        let elsewhere = || self.hub.unread_accounts.clone().filter(|_| self.hub.facts.shared_roles);
        self.lacks(ROLES).or_else(|| self.hub.lacks(PEOPLE)).or_else(elsewhere)
    }

    /// Why a role object may not be made here, if so: one that was not listed may be there.
    fn unlisted(&self, subject: &Subject) -> Option<String> {
        let is_provider = matches!(subject, Subject::IdentityProvider(_));
        if is_provider && self.seen.unlisted_providers {
            return self.lacks(&[Kind::Role]).or_else(|| Some(format!("account {}", self.place)));
        }
        self.lacks(&[Kind::Role])
    }

    fn copied_marks(&self, drafts: &mut Drafts) {
        for (position, role) in self.seen.roles.iter().enumerate() {
            if let (true, Some(subject)) =
                (self.matching.is_doubtful(position), role.ownership.subject())
            {
                drafts.find(copied_mark(&self.place, "role", &role.spec.name, subject));
            }
        }
    }

    /// `by_hand` are roles that somebody has whom no binding shows.
    fn role_deletions(
        &mut self,
        bindings: &[&Binding],
        by_hand: &HashSet<&VendorId>,
        drafts: &mut Drafts,
    ) {
        let bound_elsewhere: HashSet<&VendorId> = bindings
            .iter()
            .filter(|binding| !self.hub.minds_group(&binding.group))
            .map(|binding| &binding.role)
            .collect();
        // What groups of a former hub have goes with them, and nobody has to be told.
        let foreign: HashSet<&VendorId> = bindings
            .iter()
            .filter(|binding| !self.hub.minds_group(&binding.group))
            .filter(|binding| !self.hub.former_groups.contains(&binding.group))
            .map(|binding| &binding.role)
            .collect();
        let mut providers = Vec::new();
        let mut others: Vec<ChangeId> = Vec::new();
        for (position, role) in self.sorted() {
            let Some(subject) = role.ownership.subject() else { continue };
            if foreign.contains(&role.id) {
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
            if self.matching.of_observed[position] != Match::Extraneous
                || self.matching.copied[position]
            {
                continue;
            }
            let unread = self.unknown_holders();
            let doubtful = || self.unknown_holder(subject).or_else(|| self.doubtful_grant(subject));
            if let Some(because) = unread.or_else(doubtful) {
                drafts.withhold(&self.place, Kind::Role, &because);
            } else if let Some(why) = self.seen.leaned_on.get(&role.id) {
                let message = format!(
                    "nothing asks for {} `{}` any more, and it is kept: {why}",
                    what(subject),
                    role.spec.name
                );
                drafts.find(finding(
                    &self.place,
                    "leaned-on",
                    message,
                    "once nothing leans on it, the next run deletes it",
                ));
            } else if !bound_elsewhere.contains(&role.id) && !by_hand.contains(&role.id) {
                if matches!(subject, Subject::IdentityProvider(_)) {
                    providers.push((position, role, subject));
                    continue;
                }
                let id = self.delete(role, subject, drafts);
                self.deletions.insert(position, id);
                others.push(id);
            }
        }
        // Roles that trust it go first, and stand before it in the plan.
        for (position, provider, subject) in providers {
            let id = self.delete(provider, subject, drafts);
            self.deletions.insert(position, id);
            for other in &others {
                drafts.need(id, *other);
            }
        }
    }

    /// Why nothing may be concluded from the inventory not asking for a role, if so: it is held by
    /// a group of a directory that the inventory does not name.
    fn unknown_holder(&self, subject: &Subject) -> Option<String> {
        match subject {
            Subject::Held { by, .. } => self.hub.unnamed(by),
            _ => None,
        }
    }

    /// Why nothing may be concluded from no grant asking for a role, if so. What has ended has.
    fn doubtful_grant(&self, subject: &Subject) -> Option<String> {
        let ended = match subject {
            Subject::Held { role, by } => {
                self.wanted.ended.contains_key(&((**by).clone(), role.clone()))
            }
            _ => false,
        };
        self.hub.doubtful_grants().filter(|_| !ended)
    }

    fn delete(
        &self,
        role: &Observed<RoleSpec>,
        subject: &Subject,
        drafts: &mut Drafts,
    ) -> ChangeId {
        let step = Step::Role(Life::Delete {
            id: role.id.clone(),
            subject: subject.clone(),
            before: Box::new(role.spec.clone()),
        });
        let id = drafts.push(&self.place, step, Vec::new(), [self.why_gone(subject)].into());
        let holder = (HolderKind::Role, target(role), subject);
        for attachment in self.attached.to(HolderKind::Role, &role.id) {
            let reason = Reason::PartOf { subject: subject.clone() };
            let detached =
                attachments::push_detach(&self.place, &holder, attachment, reason, drafts);
            drafts.need(id, detached);
        }
        id
    }

    fn why_gone(&self, subject: &Subject) -> Reason {
        if let Subject::Held { role, by } = subject {
            if let Some(ended) = self.wanted.ended.get(&((**by).clone(), role.clone())) {
                return ended.clone();
            }
            if let Subject::Group(_) = **by {
                return Reason::NotGranted { subject: (**by).clone(), role: role.clone() };
            }
        }
        Reason::NotInInventory { subject: subject.clone() }
    }

    fn sorted(&self) -> Vec<(usize, &'a Observed<RoleSpec>)> {
        let mut roles: Vec<_> = self.seen.roles.iter().enumerate().collect();
        roles.sort_unstable_by_key(|(_, role)| (&role.spec.name, &role.id));
        roles
    }

    fn definitions(&mut self, facts: &VendorFacts, drafts: &mut Drafts) {
        let rules = &facts.role_names;
        let occupants: HashMap<String, usize> = self
            .seen
            .roles
            .iter()
            .enumerate()
            .map(|(position, role)| (rules.fold(role.spec.name.as_str()), position))
            .collect();
        let wanted = self.wanted;
        // Identity providers first: what trusts them needs them.
        let (providers, others): (Vec<_>, Vec<_>) = wanted
            .roles
            .iter()
            .enumerate()
            .partition(|(_, (subject, _))| matches!(subject, Subject::IdentityProvider(_)));
        for (index, (subject, role)) in providers.into_iter().chain(others) {
            let occupant = occupants.get(&rules.fold(role.spec.name.as_str())).copied();
            if self.has_unknown(subject, role, drafts) {
                if let Some(position) = self.matching.of_desired[index] {
                    let target = target(&self.seen.roles[position]);
                    self.targets.insert(subject, Reach { target, needs: None });
                }
                continue;
            }
            let Some(needs) = self.provider(role) else { continue };
            let reach = match self.matching.of_desired[index] {
                Some(position) => {
                    let other = occupant.filter(|occupant| *occupant != position);
                    self.update(subject, position, other, role, needs, drafts)
                }
                None if role.blocked => continue,
                // One that was not listed may be there under another name.
                None if let Some(unread) = self.unlisted(subject) => {
                    drafts.withhold(&self.place, Kind::Role, &unread);
                    continue;
                }
                None => {
                    let reach = self.create(subject, occupant, role, needs, drafts);
                    let Some(reach) = reach else { continue };
                    reach
                }
            };
            self.attach(subject, index, role, &reach, drafts);
            self.targets.insert(subject, reach);
        }
    }

    /// Whether something should be attached to a role that the vendor does not know: then nothing
    /// of the role is changed, and none is made.
    fn has_unknown(&self, subject: &Subject, role: &DesiredRole, drafts: &mut Drafts) -> bool {
        for (untold, why) in role.attachments.iter().filter_map(|one| self.untold(one)) {
            self.said_untold(subject, untold, why, drafts);
        }
        let is_unknown = |one: &&Attachment| self.doubtful.get(one) == Some(&&Doubt::Unknown);
        let Some(unknown) = role.attachments.iter().find(is_unknown) else { return false };
        let message = format!(
            "{subject} should have {} {}, which there is not: nothing of the role is changed",
            unknown.kind,
            attachments::named(unknown)
        );
        drafts.find(finding(
            &self.place,
            "unknown-policy",
            message,
            "correct its name in the policies, or make it first",
        ));
        true
    }

    /// Why it cannot be told whether there is something, if so.
    fn untold<'b>(&self, attachment: &'b Attachment) -> Option<(&'b Attachment, &'a str)> {
        match self.doubtful.get(attachment)? {
            Doubt::Untold(why) => Some((attachment, why)),
            Doubt::Unknown => None,
        }
    }

    fn said_untold(&self, subject: &Subject, untold: &Attachment, why: &str, drafts: &mut Drafts) {
        let message = format!(
            "{subject} is to have {} {}, and whether there is one cannot be told: {why}",
            untold.kind,
            attachments::named(untold)
        );
        drafts.find(
            Finding::warning("unverified-policy", message)
                .in_place(&self.place)
                .hint("if there is none, that change fails, and what it replaces stays"),
        );
    }

    /// What must happen before the role can trust its identity provider; `None` if that cannot be.
    fn provider(&self, role: &DesiredRole) -> Option<Vec<ChangeId>> {
        match &role.provider {
            None => Some(Vec::new()),
            Some(provider) => {
                self.targets.get(provider).map(|reach| reach.needs.into_iter().collect())
            }
        }
    }

    fn attach(
        &self,
        subject: &Subject,
        index: usize,
        role: &DesiredRole,
        reach: &Reach,
        drafts: &mut Drafts,
    ) {
        if role.blocked {
            return;
        }
        let seen = self.matching.of_desired[index]
            .map(|position| self.attached.to(HolderKind::Role, &self.seen.roles[position].id))
            .unwrap_or_default();
        let holder = (HolderKind::Role, reach.target.clone(), subject);
        attachments::role(self, &holder, reach.needs, seen, role, drafts);
    }

    fn update(
        &self,
        subject: &Subject,
        position: usize,
        occupant: Option<usize>,
        role: &DesiredRole,
        needs: Vec<ChangeId>,
        drafts: &mut Drafts,
    ) -> Reach {
        let observed = &self.seen.roles[position];
        let mut after = role.spec.clone();
        if let Some(other) = occupant {
            self.taken(subject, other, role, drafts);
            after.name = observed.spec.name.clone();
        }
        if !self.hub.facts.renames_roles {
            after.name = observed.spec.name.clone();
        }
        let target = target(observed);
        let differences = differences(&observed.spec, &after);
        // Others lean on it, and it serves us as it is.
        let is_shared = matches!(subject, Subject::IdentityProvider(_))
            && self.seen.leaned_on.contains_key(&observed.id)
            && serves(&observed.spec, &after);
        if differences.is_empty() || role.blocked || self.moved || is_shared {
            return Reach { target, needs: None };
        }
        let step = Step::Role(Life::Update {
            id: observed.id.clone(),
            subject: subject.clone(),
            before: Box::new(observed.spec.clone()),
            after: Box::new(after),
        });
        let reasons = std::iter::once(Reason::Differs { what: differences.join(", ") })
            .chain(role.reasons.iter().cloned())
            .collect();
        if let (Effect::Removal, Some(unread)) = (step.effect(), self.unknown_holders()) {
            drafts.withhold(&self.place, Kind::Role, &unread);
            return Reach { target, needs: None };
        }
        let id = drafts.push(&self.place, step, needs, reasons);
        Reach { target, needs: Some(id) }
    }

    fn create(
        &self,
        subject: &Subject,
        occupant: Option<usize>,
        role: &DesiredRole,
        mut needs: Vec<ChangeId>,
        drafts: &mut Drafts,
    ) -> Option<Reach> {
        if let Some(position) = occupant {
            let Some(deletion) = self.deletions.get(&position) else {
                let other = &self.seen.roles[position];
                // There can be only one; whosever it is, it vouches for ours as well.
                if matches!(subject, Subject::IdentityProvider(_))
                    && serves(&other.spec, &role.spec)
                {
                    self.used_as_it_is(other, drafts);
                    return Some(Reach { target: target(other), needs: None });
                }
                self.taken(subject, position, role, drafts);
                return None;
            };
            needs.push(*deletion);
        }
        let step = Step::Role(Life::Create {
            subject: subject.clone(),
            spec: Box::new(role.spec.clone()),
        });
        let id = drafts.push(&self.place, step, needs, Arc::clone(&role.reasons));
        let target = Target {
            id: Reference::Made { by: id, output: Output::Id },
            name: role.spec.name.clone(),
        };
        Some(Reach { target, needs: Some(id) })
    }

    /// Somebody else's provider is nobody's business; one that was ours nobody keeps in step.
    fn used_as_it_is(&self, provider: &Observed<RoleSpec>, drafts: &mut Drafts) {
        let is_damaged = matches!(provider.ownership, Ownership::Damaged { .. });
        // That name is made from the organisation's: whatever has it was ours, or is to look like it.
        let ours = format!("-{}", self.place.organisation);
        let has_our_name = provider.spec.name.as_str().ends_with(&ours);
        if !is_damaged && !has_our_name {
            return;
        }
        let name = &provider.spec.name;
        let message = format!(
            "identity provider `{name}` {}: it is used as it is, and nothing on it is changed",
            unowned(&provider.ownership)
        );
        drafts.find(
            Finding::warning("damaged-mark", message)
                .in_place(&self.place)
                .hint("`reconcile adopt` it, and it is kept as it should be"),
        );
    }

    fn taken(&self, subject: &Subject, position: usize, role: &DesiredRole, drafts: &mut Drafts) {
        let other = &self.seen.roles[position];
        let (code, whose) = match other.ownership.subject() {
            Some(subject) => ("name-taken", format!("stands for {subject}")),
            None => ("foreign-role", unowned(&other.ownership)),
        };
        let what = what(subject);
        drafts.find(finding(
            &self.place,
            code,
            format!(
                "{subject} cannot have the name `{}`: {what} `{}` {whose}",
                role.spec.name, other.spec.name
            ),
            "`reconcile adopt` it, rename it, or the role in the policies; nothing was changed on it",
        ));
    }
}

/// Whether an identity provider has all that another should have, and perhaps more.
fn serves(is: &RoleSpec, wanted: &RoleSpec) -> bool {
    wanted.attributes.iter().all(|(key, wanted)| match (is.attributes.get(key), wanted) {
        (Some(AttributeValue::Set(is)), AttributeValue::Set(wanted)) => wanted.is_subset(is),
        (is, wanted) => is == Some(wanted),
    })
}

fn what(subject: &Subject) -> &'static str {
    match subject {
        Subject::IdentityProvider(_) => "identity provider",
        _ => "role",
    }
}

fn target(role: &Observed<RoleSpec>) -> Target {
    Target { id: Reference::Known(role.id.clone()), name: role.spec.name.clone() }
}

/// A longer value is no reason, but a document.
const LONG: usize = 60;

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
            let show = |value: Option<&AttributeValue>| {
                value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
            };
            let (before, after) = (show(before), show(after));
            // Of documents the change itself shows where they part.
            let text = if before.len().max(after.len()) > LONG {
                key.to_string()
            } else {
                format!("{key} {before} → {after}")
            };
            if !differences.contains(&text) {
                differences.push(text);
            }
        }
    }
    differences
}
