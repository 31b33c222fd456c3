//! How to tell by looking whether a step has happened: what to look at and what to expect there.

mod part;
#[cfg(test)]
mod tests;

use crate::model::{
    Access, Attachment, Binding, GroupSpec, HeldAttachment, HolderKind, Membership, ObjectKey,
    Observed, Ownership, ResourceSpec, RoleSpec, Snapshot, Subject, UserSpec, VendorId,
};
use crate::plan::{Life, Step};

/// What one look is expected to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<'a> {
    /// A user of ours that stands for the subject and is exactly like this.
    User(&'a Subject, &'a UserSpec),
    /// A user of ours that stands for the subject, whatever it is like.
    AnyUser(&'a Subject),
    /// A user of ours that stands for the subject and is suspended; or no user at all, since
    /// nobody can use that either.
    Suspended(&'a Subject),
    /// A user of ours that stands for the subject and has the access it had before we suspended it.
    Restored(&'a Subject, Access),
    /// A group of ours that stands for the subject and is exactly like this.
    Group(&'a Subject, &'a GroupSpec),
    /// A role of ours that stands for the subject and is exactly like this.
    Role(&'a Subject, &'a RoleSpec),
    /// A group of ours that stands for the subject, whatever it is like.
    AnyGroup(&'a Subject),
    /// A role of ours that stands for the subject, whatever it is like.
    AnyRole(&'a Subject),
    /// A part of a mirror that stands for the subject and is exactly like this.
    Part(&'a Subject, &'a ResourceSpec),
    /// A part of a mirror that stands for the subject and is on its way out, or is not.
    PartRetired(&'a Subject, bool),
    /// An object without a mark.
    Unmarked,
    /// Nothing a look could show.
    Unknowable,
    /// Something is there.
    Present,
    /// Nothing is there.
    Absent,
}

/// Where to look after a step, and what is there when it has happened.
///
/// `references` are the values of [`Step::references`].
pub fn goal<'a>(step: &'a Step, references: &[VendorId]) -> (ObjectKey, Expected<'a>) {
    let pair = |at: usize| references.get(at).cloned().unwrap_or_else(|| VendorId::new(""));
    let membership = || ObjectKey::Membership(Membership { group: pair(0), user: pair(1) });
    let binding = || ObjectKey::Binding(Binding { role: pair(0), group: pair(1) });
    match step {
        Step::User(Life::Create { subject, spec: user }) => {
            (ObjectKey::UserNamed(user.name.clone()), Expected::User(subject, user))
        }
        Step::User(Life::Update { id, subject, after, .. }) => {
            (ObjectKey::User(id.clone()), Expected::User(subject, after))
        }
        Step::RevokeCredential { credential, .. } => {
            (ObjectKey::Credential((**credential).clone()), Expected::Absent)
        }
        Step::User(Life::Retire { id, subject, .. }) => {
            (ObjectKey::User(id.clone()), Expected::Suspended(subject))
        }
        Step::User(Life::Restore { id, subject, before }) => {
            let access = before.access.without_suspension();
            (ObjectKey::User(id.clone()), Expected::Restored(subject, access))
        }
        Step::User(Life::Delete { id, .. }) => (ObjectKey::User(id.clone()), Expected::Absent),
        Step::Group(Life::Create { subject, spec: group }) => {
            (ObjectKey::GroupNamed(group.name.clone()), Expected::Group(subject, group))
        }
        Step::Group(Life::Update { id, subject, after, .. }) => {
            (ObjectKey::Group(id.clone()), Expected::Group(subject, after))
        }
        Step::Group(Life::Delete { id, .. }) => (ObjectKey::Group(id.clone()), Expected::Absent),
        Step::AddMember { .. } => (membership(), Expected::Present),
        Step::RemoveMember { .. } => (membership(), Expected::Absent),
        Step::Role(Life::Create { subject, spec: role }) => {
            (ObjectKey::RoleNamed(role.name.clone()), Expected::Role(subject, role))
        }
        Step::Role(Life::Update { id, subject, after, .. }) => {
            (ObjectKey::Role(id.clone()), Expected::Role(subject, after))
        }
        Step::Role(Life::Delete { id, .. }) => (ObjectKey::Role(id.clone()), Expected::Absent),
        Step::BindRole { .. } => (binding(), Expected::Present),
        Step::UnbindRole { .. } => (binding(), Expected::Absent),
        Step::Attach { holder_kind, attachment, .. } => {
            (attached(*holder_kind, pair(0), attachment), Expected::Present)
        }
        Step::Detach { holder_kind, attachment, .. } => {
            // Whatever it says by now.
            let attachment = Attachment { content: None, ..(**attachment).clone() };
            (attached(*holder_kind, pair(0), &attachment), Expected::Absent)
        }
        Step::Adopt { holder_kind, id, subject, .. } => match holder_kind {
            HolderKind::User => (ObjectKey::User(id.clone()), Expected::AnyUser(subject)),
            HolderKind::Group => (ObjectKey::Group(id.clone()), Expected::AnyGroup(subject)),
            HolderKind::Role => (ObjectKey::Role(id.clone()), Expected::AnyRole(subject)),
        },
        Step::Part { life, .. } => part::goal(life),
        // Groups and roles are not retired, they are deleted.
        Step::Group(Life::Retire { id, .. } | Life::Restore { id, .. }) => {
            (ObjectKey::Group(id.clone()), Expected::Unknowable)
        }
        Step::Role(Life::Retire { id, .. } | Life::Restore { id, .. }) => {
            (ObjectKey::Role(id.clone()), Expected::Unknowable)
        }
        // `issue` never asks: the secret is in a reply and in nothing one could look at.
        Step::IssueCredential { .. } => (ObjectKey::User(pair(0)), Expected::Unknowable),
    }
}

fn attached(holder_kind: HolderKind, holder: VendorId, attachment: &Attachment) -> ObjectKey {
    ObjectKey::Attachment(HeldAttachment { holder_kind, holder, attachment: attachment.clone() })
}

/// What the same look shows as long as the step has not happened and nobody interfered.
///
/// Suspending is lenient: whatever else changed about a user who is to lose access must not keep
/// them in. Deleting is strict: the victim must still be suspended, too.
pub fn before(step: &Step) -> Expected<'_> {
    match step {
        Step::Part { life, .. } => part::before(life),
        Step::User(Life::Create { .. })
        | Step::Group(Life::Create { .. })
        | Step::Role(Life::Create { .. })
        | Step::AddMember { .. }
        | Step::BindRole { .. }
        // One that says something else does not count as there, see [`goal`].
        | Step::Attach { .. } => Expected::Absent,
        Step::RevokeCredential { .. }
        | Step::RemoveMember { .. }
        | Step::UnbindRole { .. }
        | Step::Detach { .. } => Expected::Present,
        Step::Adopt { from: Some(from), .. } => Expected::AnyUser(from),
        Step::Adopt { from: None, .. } => Expected::Unmarked,
        Step::IssueCredential { .. } => Expected::Unknowable,
        Step::User(Life::Retire { subject, .. }) => Expected::AnyUser(subject),
        Step::User(
            Life::Update { subject, before, .. }
            | Life::Restore { subject, before, .. }
            | Life::Delete { subject, before, .. },
        ) => Expected::User(subject, before),
        Step::Group(life) => Expected::Group(life.subject(), life.spec()),
        Step::Role(life) => Expected::Role(life.subject(), life.spec()),
    }
}

/// Whether a look shows what is expected.
pub fn is_true(expected: &Expected<'_>, found: Option<&Snapshot>) -> bool {
    match (expected, found) {
        (Expected::User(subject, spec), Some(Snapshot::User(user))) => {
            is_of(user, subject) && user.spec == **spec
        }
        (Expected::AnyUser(subject), Some(Snapshot::User(user))) => is_of(user, subject),
        (Expected::Suspended(subject), Some(Snapshot::User(user))) => {
            is_of(user, subject) && matches!(user.spec.access, Access::Suspended { .. })
        }
        (Expected::Restored(subject, access), Some(Snapshot::User(user))) => {
            is_of(user, subject) && user.spec.access == *access
        }
        (Expected::Group(subject, spec), Some(Snapshot::Group(group))) => {
            is_of(group, subject) && group.spec == **spec
        }
        (Expected::Role(subject, spec), Some(Snapshot::Role(role))) => {
            is_of(role, subject) && role.spec == **spec
        }
        (Expected::AnyGroup(subject), Some(Snapshot::Group(group))) => is_of(group, subject),
        (Expected::AnyRole(subject), Some(Snapshot::Role(role))) => is_of(role, subject),
        (Expected::Part(subject, spec), Some(Snapshot::Part(found))) => {
            part::is_like(found, subject, spec)
        }
        (Expected::PartRetired(subject, retired), Some(Snapshot::Part(found))) => {
            part::is_retired(found, subject, *retired)
        }
        (Expected::Unmarked, Some(Snapshot::User(user))) => user.ownership == Ownership::Unmarked,
        (Expected::Unmarked, Some(Snapshot::Group(group))) => {
            group.ownership == Ownership::Unmarked
        }
        (Expected::Unmarked, Some(Snapshot::Role(role))) => role.ownership == Ownership::Unmarked,
        (Expected::Present, Some(_)) | (Expected::Absent | Expected::Suspended(_), None) => true,
        (_, Some(_) | None) => false,
    }
}

/// What one look says about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has happened. The object's id, where there is one.
    Happened(Option<VendorId>),
    /// It has not happened; all is as it was.
    NotYet,
    /// What it is about is not there.
    Missing,
    /// An object that is not ours, or stands for somebody else, is in its place. Whose it is.
    Foreign(String),
    /// Somebody else changed the object. What is different.
    Changed(String),
}

/// What one look says about a step.
pub fn judge(step: &Step, references: &[VendorId], found: Option<&Snapshot>) -> Verdict {
    let (_, goal) = goal(step, references);
    let before = before(step);
    if is_true(&goal, found) {
        return Verdict::Happened(found.and_then(id_of));
    }
    match found {
        None if before == Expected::Absent => Verdict::NotYet,
        None => Verdict::Missing,
        Some(snapshot) => {
            // For a step that creates, what is found is compared with what it was to become.
            let reference = if before == Expected::Absent { goal } else { before };
            match foreign(&reference, snapshot) {
                Some(whose) => Verdict::Foreign(whose),
                None if is_true(&before, found) => must_be_suspended(step),
                None => Verdict::Changed(difference(&reference, snapshot)),
            }
        }
    }
}

/// A user may be deleted only while suspended, whatever the plan says.
fn must_be_suspended(step: &Step) -> Verdict {
    match step {
        Step::User(Life::Delete { before, .. })
            if !matches!(before.access, Access::Suspended { .. }) =>
        {
            Verdict::Changed("it is not suspended".to_owned())
        }
        _ => Verdict::NotYet,
    }
}

fn is_of<T>(object: &Observed<T>, subject: &Subject) -> bool {
    object.ownership.subject() == Some(subject)
}

fn id_of(snapshot: &Snapshot) -> Option<VendorId> {
    match snapshot {
        Snapshot::User(user) => Some(user.id.clone()),
        Snapshot::Group(group) => Some(group.id.clone()),
        Snapshot::Role(role) => Some(role.id.clone()),
        Snapshot::Part(part) => Some(part.observed.id.clone()),
        Snapshot::Exists => None,
    }
}

/// Whose the object is, if not ours or not the expected subject's.
fn foreign(expected: &Expected<'_>, snapshot: &Snapshot) -> Option<String> {
    let ownership = match snapshot {
        Snapshot::User(user) => &user.ownership,
        Snapshot::Group(group) => &group.ownership,
        Snapshot::Role(role) => &role.ownership,
        Snapshot::Part(part) => &part.observed.ownership,
        Snapshot::Exists => return None,
    };
    let subject = match expected {
        Expected::User(subject, _)
        | Expected::AnyUser(subject)
        | Expected::Suspended(subject)
        | Expected::Restored(subject, _)
        | Expected::Group(subject, _)
        | Expected::Role(subject, _)
        | Expected::Part(subject, _)
        | Expected::PartRetired(subject, _)
        | Expected::AnyGroup(subject)
        | Expected::AnyRole(subject) => *subject,
        Expected::Unmarked => {
            return match ownership {
                // Of half a mark the client knows whether it may be completed.
                Ownership::Unmarked | Ownership::Damaged { .. } => None,
                Ownership::Ours(found) => Some(format!("it stands for {found} already")),
                Ownership::Theirs(whose) => Some(format!("it carries another mark ({whose})")),
            };
        }
        Expected::Present | Expected::Absent | Expected::Unknowable => return None,
    };
    match ownership {
        Ownership::Ours(found) if found == subject => None,
        Ownership::Ours(found) => Some(format!("it stands for {found}, not for {subject}")),
        Ownership::Damaged { why, .. } => Some(format!("its mark is damaged ({why})")),
        Ownership::Theirs(whose) => Some(format!("it carries another mark ({whose})")),
        Ownership::Unmarked => Some("it carries no mark".to_owned()),
    }
}

/// What is different, in words, without personal values.
fn difference(expected: &Expected<'_>, snapshot: &Snapshot) -> String {
    let mut different: Vec<String> = Vec::new();
    match (expected, snapshot) {
        (Expected::User(_, was), Snapshot::User(is)) => {
            if was.name != is.spec.name {
                different.push(format!("its name is {}", is.spec.name));
            }
            if was.display_name != is.spec.display_name {
                different.push("its full name differs".to_owned());
            }
            if was.email != is.spec.email {
                different.push("its mail address differs".to_owned());
            }
            if was.access != is.spec.access {
                different.push(match is.spec.access {
                    Access::Enabled => "it is enabled".to_owned(),
                    Access::Suspended { since, .. } => format!("it is suspended since {since}"),
                    Access::Disabled => "somebody disabled it".to_owned(),
                });
            }
        }
        (Expected::Group(_, was), Snapshot::Group(is)) if was.name != is.spec.name => {
            different.push(format!("its name is {}", is.spec.name));
        }
        (Expected::Role(_, was), Snapshot::Role(is)) => {
            if was.name != is.spec.name {
                different.push(format!("its name is {}", is.spec.name));
            }
            if was.description != is.spec.description {
                different.push("its description differs".to_owned());
            }
            let keys = was.attributes.keys().chain(is.spec.attributes.keys());
            let keys: std::collections::BTreeSet<_> = keys
                .filter(|key| was.attributes.get(*key) != is.spec.attributes.get(*key))
                .collect();
            different.extend(keys.into_iter().map(|key| format!("its {key} differs")));
        }
        (Expected::Part(_, was), Snapshot::Part(is)) => {
            different.extend(part::difference(was, &is.observed.spec));
        }
        (Expected::Unknowable, _) => {
            different.push("whether it happened cannot be seen".to_owned());
        }
        _ => {}
    }
    if different.is_empty() { "it is not as it was".to_owned() } else { different.join(", ") }
}
