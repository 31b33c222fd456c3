//! Users that are ours and no longer wanted: suspend, wait, delete.

use std::collections::HashMap;

use jiff::ToSpan;

use super::drafts::Drafts;
use super::hub::Hub;
use super::matching::Match;
use crate::desired::Standing;
use crate::model::{Access, ChangeId, Kind, Observed, Reason, Subject, UserSpec, VendorId};
use crate::plan::{Life, Step};

/// What is to happen to a user that is ours and not wanted.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Nothing: it is not proven that the person may not have access.
    Stays {
        /// Which read is to blame.
        because: String,
        /// It is only that a group lacks its directory entry: memberships of other groups are
        /// known.
        frozen: bool,
    },
    /// It loses what it has; then it is suspended, or deleted once the grace period is over.
    Goes {
        /// Why.
        reason: Reason,
        /// The user is to be suspended.
        suspend: bool,
        /// The user is to be deleted.
        delete: bool,
    },
}

/// What follows for the rest of the hub from users that go.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// The deletions, by observed position.
    pub(super) deletions: HashMap<usize, ChangeId>,
}

/// The ids of users that go: those whose credentials must be known.
pub(super) fn departing(hub: &Hub<'_>) -> Vec<VendorId> {
    hub.verdicts
        .iter()
        .filter(|(_, verdict)| matches!(verdict, Verdict::Goes { .. }))
        .map(|(position, _)| hub.seen.users[*position].id.clone())
        .collect()
}

/// Decides on every user that is ours and not wanted.
pub(super) fn verdicts(hub: &Hub<'_>) -> HashMap<usize, Verdict> {
    // Of several rules that keep somebody out, always the same one is named.
    let mut excluded: HashMap<&Subject, &Reason> = HashMap::new();
    for ((_, person), reason) in &hub.wanted.excluded {
        let named = excluded.entry(person).or_insert(reason);
        *named = (*named).min(reason);
    }
    let extraneous =
        |(position, matched): (usize, &Match)| (*matched == Match::Extraneous).then_some(position);
    hub.users
        .of_observed
        .iter()
        .enumerate()
        .filter_map(extraneous)
        .filter_map(|position| {
            let user = &hub.seen.users[position];
            let subject = user.ownership.subject()?;
            Some((position, verdict(hub, position, user, subject, &excluded)))
        })
        .collect()
}

fn verdict(
    hub: &Hub<'_>,
    position: usize,
    user: &Observed<UserSpec>,
    subject: &Subject,
    excluded: &HashMap<&Subject, &Reason>,
) -> Verdict {
    if let Some(because) = hub.blame(subject) {
        return Verdict::Stays { because, frozen: false };
    }
    let reason = match (subject, hub.desired.standings.get(subject)) {
        // Users of another way of access, which the inventory has given up.
        // Their users are in another hub now, or will be.
        _ if let Some(verdict) = hub.successors.verdict(subject) => match verdict {
            Ok(reason) => reason,
            Err(because) => return Verdict::Stays { because, frozen: false },
        },
        _ if !hub.facts.has_users => Reason::NotInInventory { subject: subject.clone() },
        (Subject::Person { .. }, Some(Standing::Absent(reason))) => reason.clone(),
        (Subject::Person { .. }, Some(Standing::Present)) => {
            if let Some(because) = hub.pairs.kept_in(hub.wanted, position) {
                return Verdict::Stays { because, frozen: true };
            }
            // Also of whom a rule keeps out of another group: the grant that would tell why they
            // stay may be the misspelt one.
            if let Some(because) = hub.doubtful_grants() {
                return Verdict::Stays { because, frozen: true };
            }
            let nowhere = || Reason::NoGrantedGroup { subject: subject.clone() };
            excluded.get(subject).map_or_else(nowhere, |reason| (*reason).clone())
        }
        (Subject::Person { .. }, Some(Standing::Unclear(why))) => {
            return Verdict::Stays { because: unclear(subject, why), frozen: false };
        }
        (Subject::Person { directory, .. }, None) => {
            if hub.may_be_unclear(directory, &user.spec.name) {
                let why = "the directory has that log-in name, but not whose it is";
                return Verdict::Stays { because: unclear(subject, why), frozen: false };
            }
            Reason::NotInDirectory { subject: subject.clone() }
        }
        (
            Subject::Group(_)
            | Subject::Role(_)
            | Subject::Service(_)
            | Subject::ServiceGroup(_)
            | Subject::Held { .. }
            | Subject::IdentityProvider(_)
            | Subject::Part { .. },
            _,
        ) => match hub.doubtful_grants() {
            Some(because) => return Verdict::Stays { because, frozen: true },
            None => Reason::NotInInventory { subject: subject.clone() },
        },
    };
    let (suspend, delete) = takes(hub, user.spec.access);
    Verdict::Goes { reason, suspend, delete: delete && !hub.users.copied[position] }
}

/// What is to blame where the directory does not tell enough of somebody.
fn unclear(subject: &Subject, why: &str) -> String {
    format!("{subject} ({why})")
}

/// Whether a user that goes is to be suspended, and whether it is to be deleted, today.
fn takes(hub: &Hub<'_>, access: Access) -> (bool, bool) {
    match access {
        Access::Enabled | Access::Disabled => (true, false),
        Access::Suspended { since, .. } => {
            let days = i64::from(hub.grace_days);
            let over = since.checked_add(days.days()).is_ok_and(|end| hub.today >= end);
            (false, over)
        }
    }
}

/// Revocations, suspensions and deletions. Memberships follow in `members`.
pub(super) fn changes(hub: &Hub<'_>, drafts: &mut Drafts) -> Gone {
    let mut gone = Gone::default();
    let mut positions: Vec<usize> = hub.verdicts.keys().copied().collect();
    positions.sort_unstable_by_key(|at| (&hub.seen.users[*at].spec.name, &hub.seen.users[*at].id));
    for position in positions {
        let user = &hub.seen.users[position];
        let Some(subject) = user.ownership.subject() else { continue };
        match &hub.verdicts[&position] {
            Verdict::Stays { because, .. } => {
                let (suspend, delete) = takes(hub, user.spec.access);
                if suspend || delete {
                    drafts.withhold(&hub.place, Kind::User, because);
                }
            }
            Verdict::Goes { reason, suspend, delete } => {
                let credentials = hub.credentials_of(&user.id);
                let (mut suspend, mut delete) = (*suspend, *delete);
                // What is known of them goes in any case. But one that is not listed would outlive
                // the suspension, after which nobody looks for it.
                if !credentials.is_some_and(|credentials| credentials.all) && (suspend || delete) {
                    let because = format!("credentials in {}", hub.place);
                    drafts.withhold(&hub.place, Kind::User, &because);
                    (suspend, delete) = (false, false);
                }
                let known = credentials.map_or(&[][..], |credentials| &credentials.known);
                let going = Going { user, subject, reason, suspend, delete };
                if let Some(deletion) = going.changes(hub, known, drafts) {
                    gone.deletions.insert(position, deletion);
                }
            }
        }
    }
    gone
}

/// One user that goes.
struct Going<'a> {
    user: &'a Observed<UserSpec>,
    subject: &'a Subject,
    reason: &'a Reason,
    suspend: bool,
    delete: bool,
}

impl Going<'_> {
    fn changes(
        &self,
        hub: &Hub<'_>,
        credentials: &[&crate::model::Credential],
        drafts: &mut Drafts,
    ) -> Option<ChangeId> {
        let before = || Box::new(self.user.spec.clone());
        let mut needs = Vec::with_capacity(credentials.len());
        for credential in credentials {
            let step = Step::RevokeCredential {
                user: self.user.spec.name.clone(),
                subject: self.subject.clone(),
                credential: Box::new((*credential).clone()),
                replaced_by: None,
            };
            let reasons = [self.reason.clone()].into();
            needs.push(drafts.push(&hub.place, step, Vec::new(), reasons));
        }
        if self.suspend {
            let step = Step::User(Life::Retire {
                id: self.user.id.clone(),
                subject: self.subject.clone(),
                before: before(),
                on: hub.today,
            });
            drafts.push(&hub.place, step, Vec::new(), [self.reason.clone()].into());
        }
        let Access::Suspended { since, .. } = self.user.spec.access else { return None };
        if !self.delete {
            return None;
        }
        let step = Step::User(Life::Delete {
            id: self.user.id.clone(),
            subject: self.subject.clone(),
            before: before(),
        });
        let over = Reason::GraceOver { since, days: hub.grace_days };
        Some(drafts.push(&hub.place, step, needs, [over, self.reason.clone()].into()))
    }
}
