//! Who is in which group of one hub.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::departures::{Gone, Verdict};
use super::drafts::Drafts;
use super::hub::Hub;
use super::matching::{Match, Matching};
use super::{PEOPLE, foreign};
use crate::desired::DesiredHub;
use crate::model::{
    ChangeId, GroupRef, Kind, ObjectName, ObservedAccount, Ownership, Reason, Subject, VendorId,
};
use crate::plan::{Reference, Step, Target};

/// Observed memberships, sorted out by what has to be thought about.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// Both ends wanted: positions of the desired group and user, sorted.
    wanted: Vec<(u32, u32)>,
    /// Anything else that touches an object of ours: positions of the observed group and of the
    /// user, if it was listed.
    others: Vec<Other>,
    /// Unwanted users of ours in groups whose members are unknown: observed user → desired group.
    frozen: HashMap<usize, usize>,
    /// Wanted users in groups that are not ours: positions of the observed group and user.
    foreign: Vec<(usize, usize)>,
    /// How many memberships our groups have.
    pub(super) owned: usize,
}

#[derive(Clone, Copy, Debug)]
struct Other {
    group: usize,
    user: Option<usize>,
    /// Position among the observed memberships.
    membership: usize,
}

impl Pairs {
    pub(super) fn sort_out(
        seen: &ObservedAccount,
        desired: &DesiredHub,
        users: &Matching,
        groups: &Matching,
        user_at: &FxHashMap<&VendorId, usize>,
        group_at: &FxHashMap<&VendorId, usize>,
    ) -> Self {
        let mut pairs = Self::default();
        pairs.wanted.reserve(seen.memberships.len());
        let mut last_group: Option<(&VendorId, usize)> = None;
        let narrow = |position| u32::try_from(position).expect("fewer than 2^32 objects");
        for (membership, one) in seen.memberships.iter().enumerate() {
            // Vendors list members group by group, so the last group is usually this one, too.
            let group = match last_group {
                Some((id, group)) if *id == one.group => Some(group),
                _ => group_at.get(&one.group).copied(),
            };
            let Some(group) = group else { continue };
            last_group = Some((&one.group, group));
            let user = user_at.get(&one.user).copied();
            let matched_group = groups.of_observed[group];
            let matched_user = user.map(|user| users.of_observed[user]);
            if matched_group != Match::Foreign {
                pairs.owned += 1;
            }
            if foreign::is_one(matched_group, matched_user) {
                pairs.foreign.extend(user.map(|user| (group, user)));
            }
            match (matched_group, matched_user) {
                (Match::Wanted(group), Some(Match::Wanted(user))) => {
                    pairs.wanted.push((narrow(group), narrow(user)));
                }
                // Foreign groups, and those with a copied mark, of which nobody can tell what is
                // meant, are left alone, except by our users when they go. Users with a copied
                // mark stay where they are, except in a group that goes.
                (
                    Match::Foreign | Match::Surplus,
                    None | Some(Match::Foreign | Match::Surplus | Match::Wanted(_)),
                )
                | (Match::Wanted(_), Some(Match::Surplus)) => {}
                (
                    Match::Foreign | Match::Surplus | Match::Wanted(_) | Match::Extraneous,
                    None | Some(_),
                ) => {
                    if let (Match::Wanted(index), Some(user)) = (matched_group, user)
                        && desired.groups[index].keeps_members().is_some()
                    {
                        let first = pairs.frozen.entry(user).or_insert(index);
                        *first = index.min(*first);
                    }
                    pairs.others.push(Other { group, user, membership });
                }
            }
        }
        pairs.wanted.sort_unstable();
        pairs.wanted.dedup();
        pairs
    }

    /// Wanted users in groups that are not ours: positions of the observed group and user.
    pub(super) fn in_foreign_groups(&self) -> impl Iterator<Item = (usize, usize)> {
        self.foreign.iter().copied()
    }

    /// What is to blame if an observed user is in a group from which nobody may be removed.
    pub(super) fn kept_in(&self, wanted: &DesiredHub, user: usize) -> Option<String> {
        wanted.groups[*self.frozen.get(&user)?].keeps_members()
    }
}

/// Memberships that begin and end.
pub(super) fn changes(hub: &Hub<'_>, gone: &Gone, drafts: &mut Drafts) {
    removals(hub, drafts);
    others(hub, gone, drafts);
    additions(hub, drafts);
}

/// Desired memberships that do not exist.
fn additions(hub: &Hub<'_>, drafts: &mut Drafts) {
    let mut existing = hub.pairs.wanted.iter().peekable();
    for membership in &hub.wanted.memberships {
        let key = (membership.group, membership.user);
        while existing.next_if(|one| **one < key).is_some() {}
        if existing.next_if(|one| **one == key).is_some() {
            continue;
        }
        let group = &hub.group_targets[membership.group as usize];
        let user = &hub.user_targets[membership.user as usize];
        let (Some(group), Some(user)) = (group, user) else { continue };
        let wanted = (
            &hub.wanted.groups[membership.group as usize].subject,
            &hub.wanted.users[membership.user as usize].subject,
        );
        if let Some(reason) = hub.wanted.held.membership(wanted.0, wanted.1) {
            drafts.withhold(&hub.place, Kind::Membership, &reason.to_string());
            continue;
        }
        let needs = [group.needs, user.needs].into_iter().flatten().collect();
        let step = Step::AddMember {
            group: group.target.clone(),
            user: user.target.clone(),
            subject: hub.wanted.users[membership.user as usize].subject.clone(),
        };
        drafts.push(&hub.place, step, needs, Arc::clone(&membership.reasons));
    }
}

/// Existing memberships between wanted groups and wanted users that are not wanted.
fn removals(hub: &Hub<'_>, drafts: &mut Drafts) {
    let mut wanted = hub.wanted.memberships.iter().peekable();
    for &(group_index, user_index) in &hub.pairs.wanted {
        let key = (group_index, user_index);
        let found = loop {
            match wanted.peek().map(|one| (one.group, one.user).cmp(&key)) {
                Some(Ordering::Less) => wanted.next(),
                other => break other == Some(Ordering::Equal),
            };
        };
        if found {
            continue;
        }
        let group = &hub.wanted.groups[group_index as usize];
        let user = &hub.wanted.users[user_index as usize];
        let because = hub
            .blame(&group.subject)
            .or_else(|| hub.blame(&user.subject))
            .or_else(|| group.keeps_members());
        if let Some(because) = because {
            drafts.withhold(&hub.place, Kind::Membership, &because);
            continue;
        }
        let (Some(group_at), Some(user_at)) = (
            hub.groups.of_desired[group_index as usize],
            hub.users.of_desired[user_index as usize],
        ) else {
            continue;
        };
        let key = (group.subject.clone(), user.subject.clone());
        let reason = match (hub.wanted.excluded.get(&key), &group.subject) {
            (Some(reason), _) => reason.clone(),
            (None, Subject::Group(group)) => Reason::NotMember { group: group.clone() },
            (None, _) => Reason::NotInInventory { subject: group.subject.clone() },
        };
        let step = Step::RemoveMember {
            group: hub.group_target(group_at),
            user: hub.user_target(user_at),
            subject: Some(user.subject.clone()),
        };
        push_removal(hub, step, reason, drafts);
    }
}

/// Somebody leaves a group. Of those who stay, nobody is looked for again.
fn push_removal(hub: &Hub<'_>, step: Step, reason: Reason, drafts: &mut Drafts) -> ChangeId {
    let everyday = matches!(reason, Reason::NotMember { .. });
    let id = drafts.push(&hub.place, step, Vec::new(), [reason].into());
    if everyday {
        drafts.need_not_verify(id);
    }
    id
}

/// Memberships in which somebody departs, a group goes, or somebody foreign was put by hand.
fn others(hub: &Hub<'_>, gone: &Gone, drafts: &mut Drafts) {
    let mut others: Vec<&Other> = hub.pairs.others.iter().collect();
    others.sort_unstable_by_key(|other| {
        let membership = &hub.seen.memberships[other.membership];
        let user = other.user.map(|at| &hub.seen.users[at].spec.name);
        (&hub.seen.groups[other.group].spec.name, user, &membership.group, &membership.user)
    });
    others.dedup_by_key(|other| &hub.seen.memberships[other.membership]);
    for other in others {
        let group = &hub.seen.groups[other.group];
        let user = other.user.map(|at| &hub.seen.users[at]);
        let subject = user.and_then(|user| user.ownership.subject());
        let deletion = hub.group_deletions.get(&other.group);
        let verdict = other.user.and_then(|at| hub.verdicts.get(&at));
        let reason = match (verdict, deletion) {
            // Also of one whose credentials could not be read: suspension waits for them, but
            // what they still open should be as little as possible.
            (Some(Verdict::Goes { reason, .. }), _) => Ok(reason.clone()),
            (Some(Verdict::Stays { because, frozen }), None) => {
                let known = frozen.then(|| known_group(hub, other.group)).flatten();
                known.map(|group| not_in(hub, group, subject)).ok_or_else(|| because.clone())
            }
            (_, Some(_)) => group
                .ownership
                .subject()
                .map(|subject| Reason::PartOf { subject: subject.clone() })
                .ok_or_else(String::new),
            (None, None) => by_hand(hub, other, subject),
        };
        match reason {
            Ok(reason) => {
                let step = Step::RemoveMember {
                    group: hub.group_target(other.group),
                    user: member(hub, other),
                    subject: subject.cloned(),
                };
                let id = push_removal(hub, step, reason, drafts);
                let user_deletion = other.user.and_then(|at| gone.deletions.get(&at));
                for deletion in [deletion, user_deletion].into_iter().flatten() {
                    drafts.need(*deletion, id);
                }
            }
            Err(because) if because.is_empty() => {}
            Err(because) => drafts.withhold(&hub.place, Kind::Membership, &because),
        }
    }
}

/// Why somebody who stays is not wanted in a group: a rule keeps them out, or they are not in it.
fn not_in(hub: &Hub<'_>, group: GroupRef, subject: Option<&Subject>) -> Reason {
    let key = |subject: &Subject| (Subject::Group(group.clone()), subject.clone());
    let rule = subject.and_then(|subject| hub.wanted.excluded.get(&key(subject)));
    rule.cloned().unwrap_or(Reason::NotMember { group })
}

/// A wanted group of a directory that knows it.
fn known_group(hub: &Hub<'_>, group: usize) -> Option<GroupRef> {
    let Match::Wanted(index) = hub.groups.of_observed[group] else { return None };
    let group = &hub.wanted.groups[index];
    match &group.subject {
        Subject::Group(reference)
            if group.keeps_members().is_none() && hub.blame(&group.subject).is_none() =>
        {
            Some(reference.clone())
        }
        _ => None,
    }
}

/// A membership of a group of ours whose user is foreign or not listed; or of a group that should
/// go and cannot, because not everything was read.
fn by_hand(hub: &Hub<'_>, other: &Other, subject: Option<&Subject>) -> Result<Reason, String> {
    if let Some(unread) = hub.lacks(PEOPLE) {
        return Err(unread);
    }
    if hub.groups.of_observed[other.group] == Match::Extraneous {
        return Err(hub.unread_accounts.clone().unwrap_or_default());
    }
    match subject {
        Some(_) => Err(String::new()),
        None => match hub.seen.groups[other.group].ownership.subject() {
            Some(_) if hub.kept(other.group).is_some() => {
                Err(hub.kept(other.group).unwrap_or_default())
            }
            // A finding says so: nobody loses a group because a mark was lost.
            Some(_) if may_be_meant(hub, other) => Err(String::new()),
            Some(group) => hub.blame(group).map_or(Ok(Reason::ByHand), Err),
            None => Err(String::new()),
        },
    }
}

/// Whether a member whose mark was lost or damaged looks like one who should be in the group: its
/// mark still says so, or else its name, its mail address or a name they had.
fn may_be_meant(hub: &Hub<'_>, other: &Other) -> bool {
    let Some(user) = other.user.map(|at| &hub.seen.users[at]) else { return false };
    let Match::Wanted(group) = hub.groups.of_observed[other.group] else { return false };
    let said = match &user.ownership {
        Ownership::Damaged { subject, .. } => subject.as_ref(),
        Ownership::Ours(_) | Ownership::Theirs(_) | Ownership::Unmarked => None,
    };
    let rules = &hub.facts.user_names;
    let name = rules.fold(user.spec.name.as_str());
    let members = hub.wanted.memberships.iter().filter(|one| one.group as usize == group);
    members.map(|one| one.user as usize).any(|index| {
        if hub.likely.get(&index).is_some_and(|likely| Some(likely.at) == other.user) {
            return true;
        }
        let wanted = &hub.wanted.users[index];
        let is_named = || rules.fold(wanted.spec.name.as_str()) == name;
        user.ownership.may_become(&wanted.subject) && (said.is_some() || is_named())
    })
}

/// What is to blame where a directory was read and does not know a group.
pub(super) fn lacking(group: &Subject) -> String {
    match group {
        Subject::Group(GroupRef { directory, group }) => {
            format!("directory {directory} (without group {group})")
        }
        other => other.to_string(),
    }
}

/// The member as the vendor names it; by its id where it was not listed.
fn member(hub: &Hub<'_>, other: &Other) -> Target {
    if let Some(position) = other.user {
        return hub.user_target(position);
    }
    let id = &hub.seen.memberships[other.membership].user;
    Target { id: Reference::Known(id.clone()), name: ObjectName::new(id.as_str()) }
}
