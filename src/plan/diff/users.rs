//! Users of one hub that should be: created, renamed, restored.

use std::collections::HashSet;

use super::departures::{Gone, Verdict};
use super::drafts::Drafts;
use super::finding;
use super::hub::{Hub, Reach};
use super::likely;
use super::mails::{self, Mail, Mails};
use super::names::{self, Act, Want};
use crate::diagnostic::Finding;
use crate::model::{Access, ChangeId, Kind, ObjectName, Reason, UserSpec};
use crate::plan::{Life, Output, Reference, Step, Target};

/// Everything that changes among users that should be.
pub(super) fn changes(hub: &mut Hub<'_>, gone: &Gone, drafts: &mut Drafts) {
    for index in 0..hub.wanted.users.len() {
        if let Some(position) = hub.users.of_desired[index] {
            let needs = restore(hub, index, position, drafts);
            hub.user_targets[index] = Some(Reach { target: hub.user_target(position), needs });
        }
    }
    let mails = Mails::of(hub);
    let renamed = names(hub, gone, &mails, drafts);
    profiles(hub, gone, &mails, &renamed, drafts);
}

/// Brings back a user that was suspended by us. One that somebody else disabled, before or after it
/// was suspended, stays disabled: there may be an incident behind it that the directory knows
/// nothing of.
fn restore(hub: &Hub<'_>, index: usize, position: usize, drafts: &mut Drafts) -> Option<ChangeId> {
    let user = &hub.seen.users[position];
    let subject = &hub.wanted.users[index].subject;
    if user.spec.access.without_suspension() == Access::Disabled {
        let message =
            format!("user `{}` ({subject}) was disabled by somebody else", user.spec.name);
        drafts.find(
            Finding::warning("disabled-by-hand", message)
                .in_place(&hub.place)
                .hint("enable it by hand if that is right; it is left as it is"),
        );
    }
    if let Some(since) = hub.seen.stale_suspensions.get(&user.id) {
        // Otherwise whoever disables it by hand next would be taken for this program.
        let step = Step::User(Life::Restore {
            id: user.id.clone(),
            subject: subject.clone(),
            before: Box::new(user.spec.clone()),
        });
        let reason = Reason::EnabledByHand { since: *since };
        return Some(drafts.push(&hub.place, step, Vec::new(), [reason].into()));
    }
    let Access::Suspended { since, .. } = user.spec.access else { return None };
    if hub.wanted.held.people.contains_key(subject) {
        withhold(hub, index, drafts);
        return None;
    }
    let step = Step::User(Life::Restore {
        id: user.id.clone(),
        subject: subject.clone(),
        before: Box::new(user.spec.clone()),
    });
    let reasons = std::iter::once(Reason::Returned { since })
        .chain(hub.wanted.users[index].reasons.iter().cloned())
        .collect();
    Some(drafts.push(&hub.place, step, Vec::new(), reasons))
}

/// Hands out names: creations and renamings. Which desired users get another name.
fn names(hub: &mut Hub<'_>, gone: &Gone, mails: &Mails, drafts: &mut Drafts) -> HashSet<usize> {
    let rules = &hub.facts.user_names;
    let wants: Vec<Want> = hub
        .wanted
        .users
        .iter()
        .enumerate()
        .filter(|(index, user)| {
            let as_it_is = hub.users.of_desired[*index].map(|at| &hub.seen.users[at].spec.name);
            !user.blocked && as_it_is != Some(&user.spec.name)
        })
        .filter(|(index, user)| match hub.unlisted(Kind::User) {
            _ if hub.users.of_desired[*index].is_some() => true,
            Some(unread) => {
                drafts.withhold(&hub.place, Kind::User, &unread);
                false
            }
            None if hub.wanted.held.people.contains_key(&user.subject) => {
                withhold(hub, *index, drafts);
                false
            }
            None if let Some(likely) = hub.likely.get(index) => {
                likely::said(hub, *index, *likely, drafts);
                false
            }
            None => match mails.look(hub, gone, *index) {
                Mail::Free | Mail::After(_) => true,
                Mail::Contested(other) => {
                    mails::contested(hub, *index, other, drafts);
                    false
                }
                Mail::Taken(holder) => {
                    mails::taken(hub, *index, holder, drafts);
                    false
                }
            },
        })
        .map(|(index, user)| Want {
            index,
            name: rules.fold(user.spec.name.as_str()),
            holder: hub.users.of_desired[index],
        })
        .collect();
    if wants.is_empty() {
        return HashSet::new();
    }
    let existing: Vec<String> =
        hub.seen.users.iter().map(|user| rules.fold(user.spec.name.as_str())).collect();
    let refused = names::hand_out(&wants, &existing, &gone.deletions, |index, act, mut needs| {
        let mail = mails.look(hub, gone, index);
        if let Mail::After(deletion) = mail {
            needs.push(deletion);
        }
        match act {
            Act::Create => create(hub, index, needs, drafts),
            Act::Rename { from, temporary } => {
                let to = temporary.unwrap_or_else(|| hub.wanted.users[index].spec.name.clone());
                let change = Renaming { from, to, wanted: reachable(hub, index, &mail, drafts) };
                rename(hub, index, change, needs, drafts)
            }
        }
    });
    let mut renamed: HashSet<usize> = wants.iter().map(|want| want.index).collect();
    for (index, existing) in refused {
        taken(hub, index, existing, drafts);
        renamed.remove(&index);
    }
    renamed
}

/// Counts a user that is not made or not restored, because its person gets nothing new.
fn withhold(hub: &Hub<'_>, index: usize, drafts: &mut Drafts) {
    let reason = hub.wanted.held.people.get(&hub.wanted.users[index].subject);
    let because = reason.map(ToString::to_string).unwrap_or_default();
    drafts.withhold(&hub.place, Kind::User, &because);
}

fn create(hub: &mut Hub<'_>, index: usize, needs: Vec<ChangeId>, drafts: &mut Drafts) -> ChangeId {
    let user = &hub.wanted.users[index];
    let step = Step::User(Life::Create {
        subject: user.subject.clone(),
        spec: Box::new(user.spec.clone()),
    });
    let id = drafts.push(&hub.place, step, needs, user.reasons.clone());
    hub.user_targets[index] = Some(Reach {
        target: Target {
            id: Reference::Made { by: id, output: Output::Id },
            name: user.spec.name.clone(),
        },
        needs: Some(id),
    });
    id
}

/// What a desired user, which is there, can be like: as it should be, but for an address that
/// somebody else keeps.
fn reachable(hub: &Hub<'_>, index: usize, mail: &Mail, drafts: &mut Drafts) -> UserSpec {
    let mut spec = hub.wanted.users[index].spec.clone();
    let position = hub.users.of_desired[index].expect("only users that are there");
    match mail {
        Mail::Free | Mail::After(_) => return spec,
        Mail::Taken(holder) => mails::taken(hub, index, *holder, drafts),
        Mail::Contested(other) => mails::contested(hub, index, *other, drafts),
    }
    spec.email.clone_from(&hub.seen.users[position].spec.email);
    spec
}

/// A renaming: `from` where the user has a temporary name by then, and what it should be like.
struct Renaming {
    from: Option<ObjectName>,
    to: ObjectName,
    wanted: UserSpec,
}

/// Renames the observed user of a desired one, and puts its profile right with the same write.
fn rename(
    hub: &Hub<'_>,
    index: usize,
    Renaming { from, to, wanted }: Renaming,
    mut needs: Vec<ChangeId>,
    drafts: &mut Drafts,
) -> ChangeId {
    let position = hub.users.of_desired[index].expect("only observed users are renamed");
    let subject = hub.wanted.users[index].subject.clone();
    let observed = &hub.seen.users[position];
    let access = access_by_then(hub, index, &mut needs);
    let mut before = UserSpec { access, ..observed.spec.clone() };
    if let Some(from) = from {
        before = UserSpec { name: from, access, ..wanted.clone() };
    }
    let after = UserSpec { name: to, access, ..wanted };
    let step = Step::User(Life::Update {
        id: observed.id.clone(),
        subject: subject.clone(),
        before: Box::new(before),
        after: Box::new(after),
    });
    drafts.push(&hub.place, step, needs, [Reason::Renamed { subject }].into())
}

/// The access a user has once it was restored, if it is to be; the restoration is needed first.
fn access_by_then(hub: &Hub<'_>, index: usize, needs: &mut Vec<ChangeId>) -> Access {
    let restored = hub.user_targets[index].as_ref().and_then(|reach| reach.needs);
    match (restored, hub.users.of_desired[index]) {
        (Some(restore), Some(position)) => {
            needs.push(restore);
            hub.seen.users[position].spec.access.without_suspension()
        }
        (None, Some(position)) => hub.seen.users[position].spec.access,
        (_, None) => Access::Enabled,
    }
}

/// Users that keep their name, wanted or not, but have another profile.
fn profiles(
    hub: &Hub<'_>,
    gone: &Gone,
    mails: &Mails,
    renamed: &HashSet<usize>,
    drafts: &mut Drafts,
) {
    if !hub.facts.profile {
        return;
    }
    for (index, wanted) in hub.wanted.users.iter().enumerate() {
        let Some(position) = hub.users.of_desired[index] else { continue };
        let observed = &hub.seen.users[position];
        let as_wanted = |spec: &UserSpec| {
            (&spec.display_name, &spec.email) == (&wanted.spec.display_name, &wanted.spec.email)
        };
        if renamed.contains(&index) || as_wanted(&observed.spec) {
            continue;
        }
        let mail = mails.look(hub, gone, index);
        let reachable = reachable(hub, index, &mail, drafts);
        let mut what = Vec::new();
        if observed.spec.display_name != reachable.display_name {
            what.push("full name");
        }
        if observed.spec.email != reachable.email {
            what.push("mail address");
        }
        if what.is_empty() {
            continue;
        }
        let mut needs = Vec::new();
        if let Mail::After(deletion) = mail {
            needs.push(deletion);
        }
        let access = access_by_then(hub, index, &mut needs);
        let name = &observed.spec.name;
        let step = Step::User(Life::Update {
            id: observed.id.clone(),
            subject: wanted.subject.clone(),
            before: Box::new(UserSpec { access, ..observed.spec.clone() }),
            after: Box::new(UserSpec { access, name: name.clone(), ..reachable }),
        });
        let reason = Reason::Differs { what: what.join(", ") };
        drafts.push(&hub.place, step, needs, [reason].into());
    }
}

fn taken(hub: &Hub<'_>, index: usize, existing: usize, drafts: &mut Drafts) {
    let wanted = &hub.wanted.users[index];
    let other = &hub.seen.users[existing];
    let (code, whose) = match (other.ownership.subject(), other.spec.access) {
        (None, _) => ("foreign-user", super::unowned(&other.ownership)),
        (Some(subject), Access::Suspended { since, .. })
            if matches!(hub.verdicts.get(&existing), Some(Verdict::Goes { .. })) =>
        {
            let end = hub.grace_end(since);
            ("name-taken", format!("still stands for {subject}, to be deleted from {end} on"))
        }
        (Some(subject), _) => ("name-taken", format!("stands for {subject}")),
    };
    let hint = if other.ownership.subject().is_none() {
        "`reconcile adopt` it, rename it or remove it by hand; nothing was changed on it"
    } else {
        "rename or remove that user by hand; nothing was changed on it"
    };
    drafts.find(finding(
        &hub.place,
        code,
        format!(
            "{} cannot have the name `{}`: user `{}` {whose}",
            wanted.subject, wanted.spec.name, other.spec.name
        ),
        hint,
    ));
}
