//! Groups of one hub: created, renamed, deleted.

use super::drafts::Drafts;
use super::hub::{Hub, Reach};
use super::matching::Match;
use super::names::{self, Act, Want};
use super::{PEOPLE, finding};
use crate::model::{ChangeId, GroupSpec, Kind, ObjectName, Reason};
use crate::plan::{Life, Output, Reference, Step, Target};

/// Everything that changes among groups.
pub(super) fn changes(hub: &mut Hub<'_>, drafts: &mut Drafts) {
    deletions(hub, drafts);
    for (index, at) in hub.groups.of_desired.iter().enumerate() {
        if let Some(position) = at {
            hub.group_targets[index] =
                Some(Reach { target: hub.group_target(*position), needs: None });
        }
    }
    names(hub, drafts);
}

fn deletions(hub: &mut Hub<'_>, drafts: &mut Drafts) {
    let mut extraneous: Vec<usize> = (0..hub.seen.groups.len())
        .filter(|position| hub.groups.of_observed[*position] == Match::Extraneous)
        .collect();
    extraneous
        .sort_unstable_by_key(|at| (&hub.seen.groups[*at].spec.name, &hub.seen.groups[*at].id));
    for position in extraneous {
        let group = &hub.seen.groups[position];
        let Some(subject) = group.ownership.subject() else { continue };
        if hub.groups.copied[position] || hub.bound_elsewhere.contains_key(&group.id) {
            continue;
        }
        // Somebody may still need it who has no user in the new hub yet.
        if hub.is_used(&group.id) {
            continue;
        }
        let unread = hub.lacks(PEOPLE).or_else(|| hub.unread_accounts.clone());
        let doubtful = || hub.unnamed(subject).or_else(|| hub.doubtful_grants());
        if let Some(because) = unread.or_else(doubtful) {
            drafts.withhold(&hub.place, Kind::Group, &because);
            continue;
        }
        let step = Step::Group(Life::Delete {
            id: group.id.clone(),
            subject: subject.clone(),
            before: group.spec.clone(),
        });
        let reason = Reason::NotInInventory { subject: subject.clone() };
        let id = drafts.push(&hub.place, step, Vec::new(), [reason].into());
        hub.group_deletions.insert(position, id);
    }
}

/// Hands out names: creations and renamings.
fn names(hub: &mut Hub<'_>, drafts: &mut Drafts) {
    let rules = &hub.facts.group_names;
    let wants: Vec<Want> = hub
        .wanted
        .groups
        .iter()
        .enumerate()
        .filter(|(index, group)| {
            let as_it_is = hub.groups.of_desired[*index].map(|at| &hub.seen.groups[at].spec.name);
            let unknown = group.frozen && as_it_is.is_none();
            !group.blocked && !unknown && as_it_is != Some(&group.spec.name)
        })
        .filter(|(index, _)| match hub.unlisted(Kind::Group) {
            Some(unread) if hub.groups.of_desired[*index].is_none() => {
                drafts.withhold(&hub.place, Kind::Group, &unread);
                false
            }
            Some(_) | None => true,
        })
        .map(|(index, group)| Want {
            index,
            name: rules.fold(group.spec.name.as_str()),
            holder: hub.groups.of_desired[index],
        })
        .collect();
    let existing: Vec<String> =
        hub.seen.groups.iter().map(|group| rules.fold(group.spec.name.as_str())).collect();
    let deletions = hub.group_deletions.clone();
    let refused = names::hand_out(&wants, &existing, &deletions, |index, act, needs| match act {
        Act::Create => create(hub, index, needs, drafts),
        Act::Rename { from, temporary } => {
            let to = temporary.unwrap_or_else(|| hub.wanted.groups[index].spec.name.clone());
            rename(hub, index, from, to, needs, drafts)
        }
    });
    for (index, existing) in refused {
        taken(hub, index, existing, drafts);
    }
}

fn create(hub: &mut Hub<'_>, index: usize, needs: Vec<ChangeId>, drafts: &mut Drafts) -> ChangeId {
    let group = &hub.wanted.groups[index];
    let step =
        Step::Group(Life::Create { subject: group.subject.clone(), spec: group.spec.clone() });
    let id = drafts.push(&hub.place, step, needs, group.reasons.clone());
    hub.group_targets[index] = Some(Reach {
        target: Target {
            id: Reference::Made { by: id, output: Output::Id },
            name: group.spec.name.clone(),
        },
        needs: Some(id),
    });
    id
}

/// Renames the observed group of a desired one; `from` where it has a temporary name by then.
fn rename(
    hub: &Hub<'_>,
    index: usize,
    from: Option<ObjectName>,
    to: ObjectName,
    needs: Vec<ChangeId>,
    drafts: &mut Drafts,
) -> ChangeId {
    let group = &hub.wanted.groups[index];
    let position = hub.groups.of_desired[index].expect("only observed groups are renamed");
    let observed = &hub.seen.groups[position];
    let before = GroupSpec { name: from.unwrap_or_else(|| observed.spec.name.clone()) };
    let what = format!("name {} → {to}", before.name);
    let step = Step::Group(Life::Update {
        id: observed.id.clone(),
        subject: group.subject.clone(),
        before,
        after: GroupSpec { name: to },
    });
    drafts.push(&hub.place, step, needs, [Reason::Differs { what }].into())
}

fn taken(hub: &Hub<'_>, index: usize, existing: usize, drafts: &mut Drafts) {
    let wanted = &hub.wanted.groups[index];
    let other = &hub.seen.groups[existing];
    let (code, whose) = match other.ownership.subject() {
        Some(subject) => ("name-taken", format!("stands for {subject}")),
        None => ("foreign-group", super::unowned(&other.ownership)),
    };
    drafts.find(finding(
        &hub.place,
        code,
        format!(
            "{} cannot have the name `{}`: group `{}` {whose}",
            wanted.subject, wanted.spec.name, other.spec.name
        ),
        "`reconcile adopt` it, rename it, or set `name_prefix` on the directory; nothing was changed on it",
    ));
}
