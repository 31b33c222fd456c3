//! Mail addresses, where a vendor gives each to one user only.
//!
//! Somebody who left keeps theirs until the user is deleted: a newcomer who has it by then (the same
//! person, made anew in the directory) would be refused by the vendor at every run of the grace. Of
//! two who are to get one address in the same run the vendor would take whoever comes first: neither
//! gets it until the directory says whose it is.

use std::collections::HashMap;

use super::departures::{Gone, Verdict};
use super::drafts::Drafts;
use super::finding;
use super::hub::Hub;
use super::matching::Match;
use crate::model::{Access, ChangeId, Private, UserSpec};

/// Who has which address, and who is to have it.
#[derive(Default)]
pub(super) struct Mails {
    holders: HashMap<String, usize>,
    /// Desired users by address.
    wanted: HashMap<String, Vec<usize>>,
}

/// Whether a desired user can have its address.
pub(super) enum Mail {
    /// Nobody else has it.
    Free,
    /// Once the user who has it is deleted by this plan.
    After(ChangeId),
    /// That observed user keeps it.
    Taken(usize),
    /// That desired user is to have it as well, and neither has.
    Contested(usize),
}

impl Mails {
    /// Those of a hub; none where a vendor does not care.
    pub(super) fn of(hub: &Hub<'_>) -> Self {
        if !hub.facts.unique_mails {
            return Self::default();
        }
        let all = hub.seen.users.iter().enumerate();
        let holders = all.filter_map(|(at, user)| Some((folded(&user.spec)?, at))).collect();
        let mut wanted: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, user) in hub.wanted.users.iter().enumerate() {
            if let Some(mail) = folded(&user.spec) {
                wanted.entry(mail).or_default().push(index);
            }
        }
        Self { holders, wanted }
    }

    /// Another desired user who is to have the same address, where neither has it.
    fn other(&self, hub: &Hub<'_>, index: usize) -> Option<usize> {
        let mail = folded(&hub.wanted.users[index].spec)?;
        let all = self.wanted.get(&mail)?;
        let has_it = |one: &usize| {
            let at = hub.users.of_desired[*one];
            at.is_some_and(|at| folded(&hub.seen.users[at].spec).as_ref() == Some(&mail))
        };
        if all.iter().any(has_it) {
            return None;
        }
        all.iter().copied().find(|one| *one != index)
    }

    /// Whether a desired user can have the address it should have.
    pub(super) fn look(&self, hub: &Hub<'_>, gone: &Gone, index: usize) -> Mail {
        let holder = folded(&hub.wanted.users[index].spec).and_then(|one| self.holders.get(&one));
        if let Some(other) = self.other(hub, index) {
            return Mail::Contested(other);
        }
        match holder {
            Some(at) if hub.users.of_desired[index] == Some(*at) => Mail::Free,
            // It is about to get another one; if that comes too late, the next run goes on.
            Some(at)
                if let Match::Wanted(other) = hub.users.of_observed[*at]
                    && folded(&hub.wanted.users[other].spec)
                        != folded(&hub.seen.users[*at].spec) =>
            {
                Mail::Free
            }
            Some(at) => gone.deletions.get(at).map_or(Mail::Taken(*at), |id| Mail::After(*id)),
            None => Mail::Free,
        }
    }
}

fn folded(user: &UserSpec) -> Option<String> {
    user.email.as_ref().map(Private::reveal).map(|mail| mail.to_lowercase())
}

/// Says who has the address of a desired user. The address itself is nobody else's business.
pub(super) fn taken(hub: &Hub<'_>, index: usize, holder: usize, drafts: &mut Drafts) {
    let other = &hub.seen.users[holder];
    let goes = matches!(hub.verdicts.get(&holder), Some(Verdict::Goes { .. }));
    let (whose, hint) = match (other.ownership.subject(), other.spec.access) {
        (Some(subject), Access::Suspended { since, .. }) if goes => (
            format!(
                "suspended, still stands for {subject}, to be deleted from {} on",
                hub.grace_end(since)
            ),
            "delete that user by hand, or give it another address there; or wait",
        ),
        (Some(subject), _) => (
            format!("stands for {subject}"),
            "the directory gives one address to both of them, or somebody changed it there: put it right",
        ),
        (None, _) => (
            super::unowned(&other.ownership),
            "`reconcile adopt` it, or give it another address there; nothing was changed on it",
        ),
    };
    let wanted = &hub.wanted.users[index];
    let message = format!(
        "{} (`{}`) cannot have its mail address: user `{}` has it ({whose})",
        wanted.subject, wanted.spec.name, other.spec.name
    );
    drafts.find(finding(&hub.place, "mail-taken", message, hint));
}

/// Says that two are to have one address, which is nobody else's business.
pub(super) fn contested(hub: &Hub<'_>, index: usize, other: usize, drafts: &mut Drafts) {
    let (wanted, other) = (&hub.wanted.users[index], &hub.wanted.users[other]);
    let message = format!(
        "{} (`{}`) cannot have its mail address: {} (`{}`) is to have it, too",
        wanted.subject, wanted.spec.name, other.subject, other.spec.name
    );
    let hint = "the directory gives one address to both of them, and neither gets it: put it right";
    drafts.find(finding(&hub.place, "mail-taken", message, hint));
}
