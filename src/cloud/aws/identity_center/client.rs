//! One account by way of its hub's instance: which step is which call.

use std::sync::Arc;

use async_trait::async_trait;

use super::hub::Hub;
use crate::cloud::{Applied, Apply, CloudError, ErrorKind, Observe};
use crate::model::{
    Attachment, Credential, Doubt, HolderKind, Missing, ObjectKey, ObservedAccount, Reading,
    Snapshot, Subject, VendorId,
};
use crate::plan::{Change, Life, Output, Outputs, Step};

/// One account, as the organisation that owns it sees it.
pub struct Client {
    pub(super) hub: Arc<Hub>,
    /// The account's id, which assignments name.
    pub(super) account: String,
    pub(super) is_hub: bool,
}

#[async_trait]
impl Observe for Client {
    async fn observe(&self) -> Reading<ObservedAccount> {
        let mut missing = Vec::new();
        let mut got = ObservedAccount::default();
        if let Err(error) = self.hub.patiently(|| self.hub.instance()).await {
            missing.push(Missing::new("the instance of IAM Identity Center", error.to_string()));
            return Reading::from_parts(got, missing);
        }
        if self.is_hub {
            self.observe_hub(&mut got, &mut missing).await;
        } else {
            self.observe_target(&mut got, &mut missing).await;
        }
        Reading::from_parts(got, missing)
    }

    async fn credentials(&self, users: &[VendorId]) -> Reading<Vec<Credential>> {
        let mut missing = Vec::new();
        let mut got = Vec::new();
        for user in users {
            got.extend(self.direct_assignments(user, &mut missing).await);
        }
        got.sort();
        Reading::from_parts(got, missing)
    }

    async fn doubtful_attachments(&self, attachments: &[Attachment]) -> Vec<(Attachment, Doubt)> {
        self.doubtful_policies(attachments).await
    }
}

#[async_trait]
impl Apply for Client {
    async fn apply(&self, change: &Change, references: &[VendorId]) -> Result<Applied, CloudError> {
        let invalid = |message: String| {
            CloudError::new(ErrorKind::Invalid, "Prepare", change.step.verb(), message)
        };
        let pair = || match references {
            [first, second] => Ok((first, second)),
            _ => Err(invalid(format!("needs 2 references, got {}", references.len()))),
        };
        let role_of = |kind: HolderKind| match (kind, references) {
            (HolderKind::Role, [role]) => Ok(role),
            (HolderKind::Role, _) => {
                Err(invalid(format!("needs 1 reference, got {}", references.len())))
            }
            (HolderKind::User | HolderKind::Group, _) => {
                Err(invalid("nothing can be attached to users and groups here".to_owned()))
            }
        };
        match &change.step {
            Step::User(Life::Create { subject, spec: user }) => {
                self.create_user(subject, user).await
            }
            Step::User(Life::Update { id, subject, before, after }) => {
                self.update_user(id, subject, before, after).await
            }
            Step::RevokeCredential { subject, credential, .. } => {
                self.revoke(subject, credential).await
            }
            Step::User(Life::Retire { id, subject, before, on }) => {
                self.set_suspended(id, subject, before.access, Some(*on)).await
            }
            Step::User(Life::Restore { id, subject, before }) => {
                self.set_suspended(id, subject, before.access, None).await
            }
            Step::User(Life::Delete { id, subject, before }) => {
                self.delete_user(id, subject, before).await
            }
            Step::Group(Life::Create { subject, spec: group }) => {
                self.create_group(subject, group).await
            }
            Step::Group(Life::Update { id, subject, before, after }) => {
                self.update_group(id, subject, before, after).await
            }
            Step::Group(Life::Delete { id, subject, before }) => {
                self.delete_group(id, subject, before).await
            }
            Step::AddMember { .. } => {
                let (group, user) = pair()?;
                self.add_member(group, user).await
            }
            Step::RemoveMember { subject, .. } => {
                let (group, user) = pair()?;
                self.remove_member(group, user, subject.as_ref()).await
            }
            Step::Role(Life::Create { subject, spec: role }) => {
                self.create_role(subject, role).await
            }
            Step::Role(Life::Update { id, subject, before, after }) => {
                self.update_role(id, subject, before, after).await
            }
            Step::Role(Life::Delete { id, subject, before }) => {
                self.delete_role(id, subject, before).await
            }
            Step::BindRole { .. } => {
                let (role, group) = pair()?;
                self.bind(role, group).await
            }
            Step::UnbindRole { by_hand, .. } => {
                let (role, holder) = pair()?;
                match by_hand {
                    Some(subject) => self.take_back(role, subject, holder).await,
                    None => self.unbind(role, holder).await,
                }
            }
            Step::Attach { holder_kind, subject, attachment, .. } => {
                self.attach(role_of(*holder_kind)?, subject, attachment).await
            }
            Step::Detach { holder_kind, subject, attachment, .. } => {
                self.detach(role_of(*holder_kind)?, subject, attachment).await
            }
            Step::Group(Life::Retire { .. } | Life::Restore { .. })
            | Step::Role(Life::Retire { .. } | Life::Restore { .. })
            | Step::Part { .. } => Err(invalid("this cloud has nothing of that kind".to_owned())),
            Step::Adopt { holder_kind, id, subject, from, .. } => {
                self.adopt(*holder_kind, id, from.as_ref(), subject).await
            }
            Step::IssueCredential { .. } => {
                Err(invalid("users of Identity Center have no keys".to_owned()))
            }
        }
    }

    async fn look(&self, key: &ObjectKey) -> Result<Option<Snapshot>, CloudError> {
        let exists = |exists: bool| exists.then_some(Snapshot::Exists);
        let found = match key {
            ObjectKey::User(id) => self.user(id).await.map(|user| Some(Snapshot::User(user.seen))),
            ObjectKey::UserNamed(name) => {
                self.user_named(name).await.map(|user| Some(Snapshot::User(user.seen)))
            }
            ObjectKey::Group(id) => {
                self.group(id).await.map(|group| Some(Snapshot::Group(group.seen)))
            }
            ObjectKey::GroupNamed(name) => {
                self.group_named(name).await.map(|group| Some(Snapshot::Group(group.seen)))
            }
            ObjectKey::Role(id) => self.role(id).await.map(|role| Some(Snapshot::Role(role))),
            ObjectKey::RoleNamed(name) => {
                self.role_named(name).await.map(|role| role.map(Snapshot::Role))
            }
            ObjectKey::Part(..) | ObjectKey::PartNamed(..) => Ok(None),
            ObjectKey::Membership(membership) => {
                self.membership(membership).await.map(|_| exists(true))
            }
            ObjectKey::Binding(binding) => self.is_bound(binding).await.map(exists),
            ObjectKey::Credential(credential) => {
                self.is_assigned_directly(credential).await.map(exists)
            }
            ObjectKey::Attachment(held) => self.is_attached(held).await.map(exists),
        };
        match found {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            other => other,
        }
    }
}

impl Client {
    async fn adopt(
        &self,
        kind: HolderKind,
        id: &VendorId,
        from: Option<&Subject>,
        subject: &Subject,
    ) -> Result<Applied, CloudError> {
        match kind {
            HolderKind::User => self.adopt_user(id, from, subject).await,
            HolderKind::Group => self.adopt_group(id, subject).await,
            HolderKind::Role => self.adopt_role(id, subject).await,
        }
    }
}

/// What a call gave that made an object.
pub(super) fn made(id: &VendorId, applied: Applied) -> Applied {
    Applied { outputs: Outputs::from([(Output::Id, id.clone())]), ..applied }
}
