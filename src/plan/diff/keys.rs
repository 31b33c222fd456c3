//! Keys of service accounts: the first, the next, and the end of those that were replaced or lost.
//! The whole way of a key is told in [`KeyRotation`]'s module.

use jiff::ToSpan;
use jiff::civil::Date;

use super::PEOPLE;
use super::drafts::Drafts;
use super::hub::Hub;
use super::matching::Match;
use crate::diagnostic::Finding;
use crate::model::{
    Access, ChangeId, Credential, CredentialKind, KeyRotation, Kind, Observed, Reason, Subject,
    UserSpec, VendorId,
};
use crate::plan::Step;

/// The ids of service accounts' users whose keys this program issues: their keys must be known.
pub(super) fn watched(hub: &Hub<'_>) -> Vec<VendorId> {
    if hub.facts.key_kind.is_none() {
        return Vec::new();
    }
    let keyed = hub.wanted.users.iter().zip(&hub.users.of_desired);
    keyed
        .filter(|(user, _)| user.key.is_some())
        .filter_map(|(_, position)| Some(hub.seen.users[(*position)?].id.clone()))
        .collect()
}

/// Revocations and issues. Users come before: what they are to be like is known by now.
pub(super) fn changes(hub: &Hub<'_>, drafts: &mut Drafts) {
    let Some(kind) = hub.facts.key_kind else { return };
    let kind = CredentialKind::new(kind);
    for (index, wanted) in hub.wanted.users.iter().enumerate() {
        let Some(rotation) = &wanted.key else { continue };
        let user = hub.users.of_desired[index].map(|position| &hub.seen.users[position]);
        if is_doubtful(hub, &wanted.subject) {
            continue;
        }
        let keyed = Keyed { hub, index, user, rotation, kind: &kind };
        if keyed.revocations_and_issue(drafts).is_none() {
            let because =
                hub.lacks(PEOPLE).unwrap_or_else(|| format!("credentials in {}", hub.place));
            drafts.withhold(&hub.place, Kind::User, &because);
        }
    }
}

/// Whether another user carries the same mark: a finding says so, and nobody can tell which of
/// them the key is for.
fn is_doubtful(hub: &Hub<'_>, subject: &Subject) -> bool {
    let users = hub.seen.users.iter().zip(&hub.users.of_observed);
    users
        .filter(|(_, matched)| **matched == Match::Surplus)
        .any(|(user, _)| user.ownership.subject() == Some(subject))
}

/// One service account with a key of ours.
struct Keyed<'a> {
    hub: &'a Hub<'a>,
    /// Position among the desired users.
    index: usize,
    user: Option<&'a Observed<UserSpec>>,
    rotation: &'a KeyRotation,
    kind: &'a CredentialKind,
}

impl Keyed<'_> {
    /// `None` if something is to be done, and too little is known for doing it.
    fn revocations_and_issue(&self, drafts: &mut Drafts) -> Option<()> {
        let (handed_over, lost) = self.keys()?;
        let newest = handed_over.first().copied();
        let is_due = match newest {
            None => true,
            Some((_, since)) => self.is_over(since, self.rotation.after_days),
        };
        let is_replaced =
            newest.is_some_and(|(_, since)| self.is_over(since, self.rotation.overlap_days));
        let mut going: Vec<(&Credential, Reason)> =
            lost.into_iter().map(|key| (key, Reason::KeyNotHandedOver)).collect();
        if let Some((_, since)) = newest {
            // A new one makes room for itself, whatever the overlap.
            let days = self.rotation.overlap_days;
            let replaced = handed_over.iter().skip(1).filter(|_| is_due || is_replaced);
            going.extend(replaced.map(|(key, _)| (*key, Reason::KeyReplaced { since, days })));
            self.not_yet_come(since, drafts);
        }
        let issues = is_due && !self.is_disabled();
        if self.hub.lacks(PEOPLE).is_some() && (issues || !going.is_empty()) {
            return None;
        }
        let needs = self.revoke(&going, newest.map(|(key, _)| key), drafts);
        if issues {
            self.issue(newest.map(|(_, since)| since), needs, drafts);
        }
        Some(())
    }

    /// Its keys: those handed over with the day, newest first, and the others. `None` if they are
    /// not known.
    #[expect(clippy::type_complexity, reason = "two lists, told apart by what is known of them")]
    fn keys(&self) -> Option<(Vec<(&Credential, Date)>, Vec<&Credential>)> {
        let Some(user) = self.user else { return Some((Vec::new(), Vec::new())) };
        let credentials = self.hub.credentials_of(&user.id).filter(|one| one.all)?;
        let all = credentials.known.iter().copied().filter(|key| key.kind == *self.kind);
        let (handed_over, lost): (Vec<_>, Vec<_>) = all.partition(|key| key.handed_over.is_some());
        let mut handed_over: Vec<_> =
            handed_over.into_iter().filter_map(|key| Some((key, key.handed_over?))).collect();
        handed_over.sort_by(|(a, on_a), (b, on_b)| (on_b, &b.id).cmp(&(on_a, &a.id)));
        Some((handed_over, lost))
    }

    fn is_over(&self, since: Date, days: u32) -> bool {
        since.checked_add(i64::from(days).days()).is_ok_and(|end| self.hub.today >= end)
    }

    /// Somebody else disabled it: there may be an incident behind it. A finding says so.
    fn is_disabled(&self) -> bool {
        self.user.is_some_and(|user| user.spec.access.without_suspension() == Access::Disabled)
    }

    /// A day written with a wrong clock would keep a key for ever.
    fn not_yet_come(&self, since: Date, drafts: &mut Drafts) {
        if since > self.hub.today {
            let wanted = &self.hub.wanted.users[self.index];
            let message = format!(
                "the key of `{}` ({}) was handed over on {since}, a day that is yet to come",
                wanted.spec.name, wanted.subject
            );
            drafts.find(
                Finding::warning("key-of-a-day-to-come", message).in_place(&self.hub.place).hint(
                    "if the day is wrong, remove the note from the user: the key is replaced",
                ),
            );
        }
    }

    fn revoke(
        &self,
        going: &[(&Credential, Reason)],
        stays: Option<&Credential>,
        drafts: &mut Drafts,
    ) -> Vec<ChangeId> {
        let Some(user) = self.user else { return Vec::new() };
        let subject = &self.hub.wanted.users[self.index].subject;
        let revoke = |(key, reason): &(&Credential, Reason)| {
            let step = Step::RevokeCredential {
                user: user.spec.name.clone(),
                subject: subject.clone(),
                credential: Box::new((*key).clone()),
                replaced_by: stays.map(|key| key.id.clone()),
            };
            drafts.push(&self.hub.place, step, Vec::new(), [reason.clone()].into())
        };
        going.iter().map(revoke).collect()
    }

    fn issue(&self, since: Option<Date>, mut needs: Vec<ChangeId>, drafts: &mut Drafts) {
        // A user that cannot come to be gets no key; a finding says why.
        let Some(reach) = &self.hub.user_targets[self.index] else { return };
        let wanted = &self.hub.wanted.users[self.index];
        let why = match since {
            None => Reason::NoKeyHandedOver,
            Some(since) => Reason::KeyDue { since, days: self.rotation.after_days },
        };
        let step = Step::IssueCredential {
            user: reach.target.clone(),
            subject: wanted.subject.clone(),
            kind: self.kind.clone(),
            sink: self.rotation.sink.clone(),
            on: self.hub.today,
        };
        needs.extend(reach.needs);
        let reasons = std::iter::once(why).chain(wanted.reasons.iter().cloned()).collect();
        drafts.push(&self.hub.place, step, needs, reasons);
    }
}
