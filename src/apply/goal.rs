//! How to tell by looking whether a step has happened: what to look at and what to expect there.

use crate::model::{
    Access, Attachment, Binding, GroupSpec, HeldAttachment, HolderKind, Membership, ObjectKey,
    Observed, Ownership, RoleSpec, Snapshot, Subject, UserSpec, VendorId,
};
use crate::plan::Step;

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
        Step::CreateUser { subject, user } => {
            (ObjectKey::UserNamed(user.name.clone()), Expected::User(subject, user))
        }
        Step::UpdateUser { id, subject, after, .. } => {
            (ObjectKey::User(id.clone()), Expected::User(subject, after))
        }
        Step::RevokeCredential { credential, .. } => {
            (ObjectKey::Credential((**credential).clone()), Expected::Absent)
        }
        Step::SuspendUser { id, subject, .. } => {
            (ObjectKey::User(id.clone()), Expected::Suspended(subject))
        }
        Step::RestoreUser { id, subject, before } => {
            let access = before.access.without_suspension();
            (ObjectKey::User(id.clone()), Expected::Restored(subject, access))
        }
        Step::DeleteUser { id, .. } => (ObjectKey::User(id.clone()), Expected::Absent),
        Step::CreateGroup { subject, group } => {
            (ObjectKey::GroupNamed(group.name.clone()), Expected::Group(subject, group))
        }
        Step::UpdateGroup { id, subject, after, .. } => {
            (ObjectKey::Group(id.clone()), Expected::Group(subject, after))
        }
        Step::DeleteGroup { id, .. } => (ObjectKey::Group(id.clone()), Expected::Absent),
        Step::AddMember { .. } => (membership(), Expected::Present),
        Step::RemoveMember { .. } => (membership(), Expected::Absent),
        Step::CreateRole { subject, role } => {
            (ObjectKey::RoleNamed(role.name.clone()), Expected::Role(subject, role))
        }
        Step::UpdateRole { id, subject, after, .. } => {
            (ObjectKey::Role(id.clone()), Expected::Role(subject, after))
        }
        Step::DeleteRole { id, .. } => (ObjectKey::Role(id.clone()), Expected::Absent),
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
        Step::CreateUser { .. }
        | Step::CreateGroup { .. }
        | Step::CreateRole { .. }
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
        Step::SuspendUser { subject, .. } => Expected::AnyUser(subject),
        Step::UpdateUser { subject, before, .. }
        | Step::RestoreUser { subject, before, .. }
        | Step::DeleteUser { subject, before, .. } => Expected::User(subject, before),
        Step::UpdateGroup { subject, before, .. } | Step::DeleteGroup { subject, before, .. } => {
            Expected::Group(subject, before)
        }
        Step::UpdateRole { subject, before, .. } | Step::DeleteRole { subject, before, .. } => {
            Expected::Role(subject, before)
        }
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
        (Expected::Unmarked, Some(Snapshot::User(user))) => user.ownership == Ownership::Unmarked,
        (Expected::Unmarked, Some(Snapshot::Group(group))) => {
            group.ownership == Ownership::Unmarked
        }
        (Expected::Unmarked, Some(Snapshot::Role(role))) => role.ownership == Ownership::Unmarked,
        (Expected::Present, Some(_)) | (Expected::Absent | Expected::Suspended(_), None) => true,
        (
            Expected::User(..)
            | Expected::AnyUser(_)
            | Expected::Suspended(_)
            | Expected::Restored(..)
            | Expected::Group(..)
            | Expected::Role(..)
            | Expected::AnyGroup(_)
            | Expected::AnyRole(_)
            | Expected::Unmarked
            | Expected::Unknowable
            | Expected::Absent,
            Some(_),
        )
        | (
            Expected::User(..)
            | Expected::AnyUser(_)
            | Expected::Restored(..)
            | Expected::Group(..)
            | Expected::Role(..)
            | Expected::AnyGroup(_)
            | Expected::AnyRole(_)
            | Expected::Unmarked
            | Expected::Unknowable
            | Expected::Present,
            None,
        ) => false,
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
        Step::DeleteUser { before, .. } if !matches!(before.access, Access::Suspended { .. }) => {
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
        Snapshot::Exists => None,
    }
}

/// Whose the object is, if not ours or not the expected subject's.
fn foreign(expected: &Expected<'_>, snapshot: &Snapshot) -> Option<String> {
    let ownership = match snapshot {
        Snapshot::User(user) => &user.ownership,
        Snapshot::Group(group) => &group.ownership,
        Snapshot::Role(role) => &role.ownership,
        Snapshot::Exists => return None,
    };
    let subject = match expected {
        Expected::User(subject, _)
        | Expected::AnyUser(subject)
        | Expected::Suspended(subject)
        | Expected::Restored(subject, _)
        | Expected::Group(subject, _)
        | Expected::Role(subject, _)
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
        (Expected::Unknowable, _) => {
            different.push("whether it happened cannot be seen".to_owned());
        }
        _ => {}
    }
    if different.is_empty() { "it is not as it was".to_owned() } else { different.join(", ") }
}

#[cfg(test)]
#[expect(
    clippy::unnecessary_box_returns,
    clippy::unnecessary_wraps,
    reason = "made in the form in which steps and looks hold them"
)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::model::{Credential, Private};
    use crate::plan::{Reference, Target};

    const SINCE: Access = Access::Suspended { since: date(2026, 1, 1), was_disabled: false };

    fn somebody() -> Subject {
        Subject::Service("ci".into())
    }

    fn user(access: Access) -> Box<UserSpec> {
        Box::new(UserSpec { name: "ci".into(), display_name: None, email: None, access })
    }

    fn group(name: &str) -> GroupSpec {
        GroupSpec { name: name.into() }
    }

    fn role(description: &str) -> Box<RoleSpec> {
        Box::new(RoleSpec {
            name: "role".into(),
            description: description.into(),
            attributes: [].into(),
        })
    }

    fn found<T>(ownership: Ownership, spec: T) -> Observed<T> {
        Observed { id: "id".into(), ownership, spec }
    }

    fn found_user(access: Access) -> Option<Snapshot> {
        Some(Snapshot::User(found(Ownership::Ours(somebody()), *user(access))))
    }

    fn found_group(name: &str) -> Option<Snapshot> {
        Some(Snapshot::Group(found(Ownership::Ours(somebody()), group(name))))
    }

    fn found_role(description: &str) -> Option<Snapshot> {
        Some(Snapshot::Role(found(Ownership::Ours(somebody()), *role(description))))
    }

    fn target(name: &str) -> Target {
        Target { id: Reference::Known(name.into()), name: name.into() }
    }

    fn join() -> Step {
        Step::AddMember { group: target("g"), user: target("u"), subject: somebody() }
    }

    fn unbind() -> Step {
        Step::UnbindRole { role: target("r"), group: target("g"), by_hand: None }
    }

    /// Every step, with what a look shows before it and after it.
    fn every_step() -> Vec<(Step, Option<Snapshot>, Option<Snapshot>)> {
        let (id, subject, on) = (|| VendorId::new("id"), somebody, date(2026, 2, 2));
        let exists = || Some(Snapshot::Exists);
        let steps = vec![
            (
                Step::CreateUser { subject: subject(), user: user(Access::Enabled) },
                None,
                found_user(Access::Enabled),
            ),
            (
                Step::UpdateUser {
                    id: id(),
                    subject: subject(),
                    before: user(Access::Disabled),
                    after: user(Access::Enabled),
                },
                found_user(Access::Disabled),
                found_user(Access::Enabled),
            ),
            (
                Step::RevokeCredential {
                    user: "ci".into(),
                    subject: subject(),
                    credential: Box::new(Credential {
                        user: id(),
                        kind: "key".into(),
                        id: "key".into(),
                        handed_over: None,
                    }),
                    replaced_by: None,
                },
                exists(),
                None,
            ),
            (
                Step::SuspendUser {
                    id: id(),
                    subject: subject(),
                    before: user(Access::Enabled),
                    on,
                },
                found_user(Access::Enabled),
                found_user(SINCE),
            ),
            (
                Step::RestoreUser { id: id(), subject: subject(), before: user(SINCE) },
                found_user(SINCE),
                found_user(Access::Enabled),
            ),
            (
                Step::DeleteUser { id: id(), subject: subject(), before: user(SINCE) },
                found_user(SINCE),
                None,
            ),
            (Step::CreateGroup { subject: subject(), group: group("a") }, None, found_group("a")),
            (
                Step::UpdateGroup {
                    id: id(),
                    subject: subject(),
                    before: group("a"),
                    after: group("b"),
                },
                found_group("a"),
                found_group("b"),
            ),
            (
                Step::DeleteGroup { id: id(), subject: subject(), before: group("a") },
                found_group("a"),
                None,
            ),
            (join(), None, exists()),
            (
                Step::RemoveMember { group: target("g"), user: target("u"), subject: None },
                exists(),
                None,
            ),
            (Step::CreateRole { subject: subject(), role: role("a") }, None, found_role("a")),
            (
                Step::UpdateRole {
                    id: id(),
                    subject: subject(),
                    before: role("a"),
                    after: role("b"),
                },
                found_role("a"),
                found_role("b"),
            ),
            (
                Step::DeleteRole { id: id(), subject: subject(), before: role("a") },
                found_role("a"),
                None,
            ),
            (Step::BindRole { role: target("r"), group: target("g") }, None, exists()),
            (unbind(), exists(), None),
        ];
        let kinds: std::collections::HashSet<_> =
            steps.iter().map(|(step, ..)| std::mem::discriminant(step)).collect();
        assert_eq!(kinds.len(), 16, "one of each");
        steps
    }

    #[test]
    fn before_and_after_every_step_are_told_apart() {
        for (step, before, after) in every_step() {
            let references = ["x".into(), "y".into()];
            assert_eq!(judge(&step, &references, before.as_ref()), Verdict::NotYet, "{step:?}");
            assert!(
                matches!(judge(&step, &references, after.as_ref()), Verdict::Happened(_)),
                "{step:?}"
            );
        }
    }

    #[test]
    fn an_object_of_somebody_else_is_never_ours_to_touch() {
        let others = [
            Ownership::Unmarked,
            Ownership::Theirs("mark".into()),
            Ownership::Ours(Subject::Service("other".into())),
        ];
        for (step, before, after) in every_step() {
            for ownership in &others {
                for mut snapshot in [before.clone(), after.clone()].into_iter().flatten() {
                    match &mut snapshot {
                        Snapshot::User(user) => user.ownership = ownership.clone(),
                        Snapshot::Group(group) => group.ownership = ownership.clone(),
                        Snapshot::Role(role) => role.ownership = ownership.clone(),
                        Snapshot::Exists => continue,
                    }
                    let verdict = judge(&step, &[], Some(&snapshot));
                    assert!(matches!(verdict, Verdict::Foreign(_)), "{step:?}: {verdict:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_irreversible_is_done_to_what_is_different() {
        let step = Step::DeleteUser { id: "id".into(), subject: somebody(), before: user(SINCE) };
        let later = Access::Enabled.suspended(date(2026, 5, 5));
        for access in [Access::Enabled, Access::Disabled, later] {
            let verdict = judge(&step, &[], found_user(access).as_ref());
            assert!(matches!(verdict, Verdict::Changed(_)), "{verdict:?}");
        }
    }

    #[test]
    fn a_user_who_changed_otherwise_is_suspended_all_the_same() {
        let step = Step::SuspendUser {
            id: "id".into(),
            subject: somebody(),
            before: user(Access::Enabled),
            on: date(2026, 2, 2),
        };
        let mut changed = user(Access::Disabled);
        changed.name = "renamed".into();
        let found = Snapshot::User(found(Ownership::Ours(somebody()), *changed));
        assert_eq!(judge(&step, &[], Some(&found)), Verdict::NotYet);
    }

    #[test]
    fn a_difference_names_no_personal_value() {
        let mut is = *user(Access::Enabled);
        is.email = Some(Private::new("planted@example.org".into()));
        is.display_name = Some(Private::new("Planted".into()));
        let step = Step::CreateUser { subject: somebody(), user: user(Access::Enabled) };
        let found = Snapshot::User(found(Ownership::Ours(somebody()), is));
        let verdict = judge(&step, &[], Some(&found));
        assert_eq!(
            verdict,
            Verdict::Changed("its full name differs, its mail address differs".into())
        );
    }

    #[test]
    fn what_is_updated_and_gone_is_missing() {
        for (step, ..) in every_step() {
            let verdict = judge(&step, &[], None);
            let updates = matches!(
                step,
                Step::UpdateUser { .. }
                    | Step::RestoreUser { .. }
                    | Step::UpdateGroup { .. }
                    | Step::UpdateRole { .. }
            );
            assert_eq!(verdict == Verdict::Missing, updates, "{step:?}");
        }
    }
}
