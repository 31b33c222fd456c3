//! What is attached to users, groups and roles, compared with what should be.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::drafts::Drafts;
use super::hub::Hub;
use super::roles::Roles;
use crate::desired::DesiredRole;
use crate::diagnostic::Finding;
use crate::model::{
    Attachment, ChangeId, HolderKind, Kind, ObservedAccount, Place, Quota, Reason, Subject,
    VendorId,
};
use crate::plan::{Effect, Reference, Step, Target};

/// What is attached, by holder.
pub(super) struct Attached<'a>(BTreeMap<HolderKind, ByHolder<'a>>);

type ByHolder<'a> = HashMap<&'a VendorId, Vec<&'a Attachment>>;

/// Whose attachments are meant: what kind of object, which, and whom it stands for.
pub(super) type Holder<'a> = (HolderKind, Target, &'a Subject);

impl<'a> Attached<'a> {
    /// What is attached to holders of some kinds.
    pub(super) fn of(seen: &'a ObservedAccount, kinds: &[HolderKind]) -> Self {
        let mut all: BTreeMap<HolderKind, ByHolder<'a>> = BTreeMap::new();
        for held in seen.attachments.iter().filter(|held| kinds.contains(&held.holder_kind)) {
            let by_holder = all.entry(held.holder_kind).or_default();
            by_holder.entry(&held.holder).or_default().push(&held.attachment);
        }
        for attachments in all.values_mut().flat_map(HashMap::values_mut) {
            attachments.sort_unstable();
            attachments.dedup();
        }
        Self(all)
    }

    /// What is attached to one holder, sorted.
    pub(super) fn to(&self, kind: HolderKind, holder: &VendorId) -> &[&'a Attachment] {
        self.0.get(&kind).and_then(|all| all.get(holder)).map_or(&[], Vec::as_slice)
    }

    fn to_target(&self, holder: &Holder<'_>) -> &[&'a Attachment] {
        match &holder.1.id {
            Reference::Known(id) => self.to(holder.0, id),
            Reference::Made { .. } => &[],
        }
    }

    /// Takes everything off a user or group of the hub; `deletion` comes after it. What only forbids
    /// goes with its holder, and not before.
    pub(super) fn detach(
        &self,
        hub: &Hub<'_>,
        holder: &Holder<'_>,
        reason: &Reason,
        deletion: Option<ChangeId>,
        drafts: &mut Drafts,
    ) {
        for attachment in self.to_target(holder) {
            // Also from who leaves: they may come back, and would be free of it.
            if deletion.is_none() && (hub.facts.only_forbids)(attachment) {
                drafts.find(only_forbids(&hub.place, holder, attachment));
                continue;
            }
            let rests_on = [Kind::User, Kind::Group, Kind::Attachment];
            if let Some(unread) = hub.lacks(&rests_on) {
                drafts.withhold(&hub.place, Kind::Attachment, &unread);
                continue;
            }
            let id = push_detach(&hub.place, holder, attachment, reason.clone(), drafts);
            if let Some(deletion) = deletion {
                drafts.need(deletion, id);
            }
        }
    }
}

/// Somebody took rights away, which a program does not give back.
fn only_forbids(place: &Place, holder: &Holder<'_>, attachment: &Attachment) -> Finding {
    let message = format!(
        "{} {} was attached to `{}` by hand and only forbids: it is left",
        attachment.kind, attachment.name, holder.1.name
    );
    Finding::warning("only-forbids", message)
        .in_place(place)
        .hint("find out why (a key that leaked?), then take it off by hand")
}

/// One thing less.
pub(super) fn push_detach(
    place: &Arc<Place>,
    holder: &Holder<'_>,
    attachment: &Attachment,
    reason: Reason,
    drafts: &mut Drafts,
) -> ChangeId {
    let (holder_kind, target, subject) = holder;
    let step = Step::Detach {
        holder_kind: *holder_kind,
        holder: target.clone(),
        subject: (*subject).clone(),
        attachment: Box::new(attachment.clone()),
    };
    drafts.push(place, step, Vec::new(), [reason].into())
}

/// Makes what is attached to a role what should be attached to it.
///
/// Where the account was not completely read nothing is taken off, nor put in place of something
/// wider. What replaces something comes first, where there is room for both.
pub(super) fn role(
    roles: &Roles<'_>,
    holder: &Holder<'_>,
    needs: Option<ChangeId>,
    seen: &[&Attachment],
    role: &DesiredRole,
    drafts: &mut Drafts,
) {
    let (place, facts) = (&roles.place, roles.hub.facts);
    let unread = roles.lacks(&[Kind::Role, Kind::Attachment]);
    let unread = unread.or_else(|| roles.unknown_holders());
    let unread = unread.as_ref();
    let DesiredRole { attachments: wanted, reasons, .. } = role;
    let same_place =
        |one: &Attachment, other: &Attachment| one.kind == other.kind && one.name == other.name;
    let mut detached = Vec::new();
    for attachment in seen.iter().filter(|one| !wanted.iter().any(|other| same_place(one, other))) {
        match unread {
            Some(unread) => drafts.withhold(place, Kind::Attachment, unread),
            None if (facts.only_forbids)(attachment) => {
                drafts.find(only_forbids(place, holder, attachment));
            }
            None => {
                detached.push(push_detach(place, holder, attachment, Reason::ByHand, drafts));
            }
        }
    }
    let mut attached = Vec::new();
    for attachment in wanted {
        if seen.contains(&attachment) {
            continue;
        }
        let before = seen.iter().find(|one| same_place(one, attachment));
        let step = Step::Attach {
            holder_kind: holder.0,
            holder: holder.1.clone(),
            subject: holder.2.clone(),
            before: before.map(|before| Box::new((**before).clone())),
            attachment: Box::new(attachment.clone()),
        };
        let step_loses = step.effect() == Effect::Removal;
        if let (true, Some(unread)) = (step_loses, unread) {
            drafts.withhold(place, Kind::Attachment, unread);
            continue;
        }
        let id = drafts.push(place, step, needs.into_iter().collect(), Arc::clone(reasons));
        attached.push((id, before.is_none() && attachment.content.is_none()));
    }
    let more = attached.iter().filter(|(_, more)| *more).count();
    if detached.is_empty() || attached.is_empty() {
        return;
    }
    if has_room(roles, seen, more) {
        for removal in detached {
            for (by, _) in &attached {
                drafts.replace(removal, *by);
            }
        }
    } else {
        let message = format!(
            "there is no room on role `{}` for {more} more: what is replaced is taken off first",
            holder.1.name
        );
        drafts.find(Finding::warning("replaced-without-overlap", message).in_place(place).hint(
            "for a moment its holders have less; ask the vendor for a higher quota to avoid that",
        ));
    }
}

/// Whether a role can have so many more policies beside those it has.
fn has_room(roles: &Roles<'_>, seen: &[&Attachment], more: usize) -> bool {
    let Some(allowed) = roles.seen.quotas.get(&Quota::AttachmentsPerRole) else { return true };
    let is = seen.iter().filter(|one| one.content.is_none()).count();
    (is + more) as u64 <= *allowed
}

/// Which one it is, for people: where there is one of a kind, which has the kind's name, its content
/// tells.
pub(super) fn named(attachment: &Attachment) -> &str {
    let is_only_one = attachment.name.as_str() == attachment.kind.as_str();
    match attachment.content.as_deref().filter(|_| is_only_one) {
        Some(content) => content,
        None => attachment.name.as_str(),
    }
}
