//! What is attached to users, groups and roles, compared with what should be.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::drafts::Drafts;
use super::hub::Hub;
use super::roles::Roles;
use crate::desired::DesiredRole;
use crate::diagnostic::Finding;
use crate::model::{
    Attachment, ChangeId, HolderKind, ObjectKind, ObservedAccount, Place, Reason, Subject, VendorId,
};
use crate::plan::{Reference, Step, Target};

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
            if let Some(unread) = &hub.unread {
                drafts.withhold(&hub.place, ObjectKind::Attachment, unread);
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
/// Where the account was not completely read nothing is taken off: what was not listed cannot be
/// compared, so then nothing is attached either.
pub(super) fn role(
    roles: &Roles<'_>,
    holder: &Holder<'_>,
    needs: Option<ChangeId>,
    seen: &[&Attachment],
    role: &DesiredRole,
    drafts: &mut Drafts,
) {
    let (place, unread, facts) = (&roles.place, roles.unread.as_ref(), roles.hub.facts);
    let DesiredRole { attachments: wanted, reasons, .. } = role;
    let same_place =
        |one: &Attachment, other: &Attachment| one.kind == other.kind && one.name == other.name;
    for attachment in seen.iter().filter(|one| !wanted.iter().any(|other| same_place(one, other))) {
        match unread {
            Some(unread) => drafts.withhold(place, ObjectKind::Attachment, unread),
            None if (facts.only_forbids)(attachment) => {
                drafts.find(only_forbids(place, holder, attachment));
            }
            None => {
                push_detach(place, holder, attachment, Reason::ByHand, drafts);
            }
        }
    }
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
        drafts.push(place, step, needs.into_iter().collect(), Arc::clone(reasons));
    }
}
