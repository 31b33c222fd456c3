//! Our client of one account: which step is which call.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::error::{done, read, write};
use super::hub::Hub;
use super::known::{Known, Seen};
use super::pages::Pages;
use super::providers;
use super::session::Session;
use crate::cloud::{Applied, Apply, CloudError, ErrorKind, Observe};
use crate::model::{
    Attachment, Credential, Doubt, HeldAttachment, HolderKind, Mark, ObjectKey, ObservedAccount,
    OrganisationName, Ownership, Reading, Snapshot, Subject, VendorId,
};
use crate::plan::{Change, Life, Output, Step, Target};

/// One account, as the organisation that owns it sees it.
pub struct Client {
    /// Signed in to the account; `None` where it is the hub.
    pub(super) session: Option<Session>,
    pub(super) hub: Arc<Hub>,
    pub(super) organisation: OrganisationName,
    pub(super) partition: String,
    /// Its account id.
    pub(super) account: String,
    /// The ids of every account with this hub.
    pub(super) accounts: BTreeSet<String>,
    /// Roles by id.
    pub(super) roles: Known,
    /// The number of the hub's reading that was seen last.
    pub(super) seen: tokio::sync::Mutex<u64>,
}

#[async_trait]
impl Observe for Client {
    async fn observe(&self) -> Reading<ObservedAccount> {
        self.observe_account().await
    }

    async fn credentials(&self, users: &[VendorId]) -> Reading<Vec<Credential>> {
        self.credentials_of(users).await
    }

    async fn doubtful_attachments(&self, attachments: &[Attachment]) -> Vec<(Attachment, Doubt)> {
        self.doubtful_policies(attachments).await
    }
}

#[async_trait]
impl Apply for Client {
    async fn apply(&self, change: &Change, references: &[VendorId]) -> Result<Applied, CloudError> {
        let at = |position: usize| {
            references.get(position).ok_or_else(|| {
                let message = format!("needs more references than {}", references.len());
                invalid("Prepare", change.step.verb(), message)
            })
        };
        match &change.step {
            Step::User(Life::Create { subject, spec: user }) => {
                self.create_user(subject, user).await
            }
            Step::User(Life::Update { id, subject, before, after }) => {
                self.update_user(id, subject, before, after).await
            }
            Step::RevokeCredential { user, subject, credential, .. } => {
                self.revoke(user, subject, credential).await
            }
            Step::User(Life::Retire { id, subject, on, .. }) => {
                self.suspend(id, subject, *on).await
            }
            Step::User(Life::Restore { id, subject, .. }) => self.restore(id, subject).await,
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
            Step::AddMember { .. } => self.add_member(at(0)?, at(1)?).await,
            Step::RemoveMember { group, user, subject } => {
                self.remove_member(at(0)?, at(1)?, group, user, subject.as_ref()).await
            }
            Step::Role(Life::Create { subject, spec: role })
                if providers::is_provider(role.name.as_str()) =>
            {
                let mark = self.mark(subject);
                providers::create(self.session(), &self.partition, &self.account, &mark, role).await
            }
            Step::Role(Life::Update { id, subject, before, after })
                if providers::is_provider(id.as_str()) =>
            {
                let session = self.session();
                providers::update(session, &self.organisation, id, subject, before, after).await
            }
            Step::Role(Life::Delete { id, subject, before })
                if providers::is_provider(id.as_str()) =>
            {
                providers::delete(self.session(), &self.organisation, id, subject, before).await
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
            Step::BindRole { .. } => self.bind(at(0)?, at(1)?).await,
            Step::UnbindRole { by_hand: Some(_), .. } => {
                let message = "no single user can have a role here".to_owned();
                Err(invalid("Prepare", change.step.verb(), message))
            }
            Step::UnbindRole { by_hand: None, .. } => self.unbind(at(0)?, at(1)?).await,
            Step::Attach { holder_kind, holder, subject, attachment, .. } => {
                let holder = Holder { kind: *holder_kind, id: at(0)?, target: holder, subject };
                self.attach(&holder, attachment).await
            }
            Step::Detach { holder_kind, holder, subject, attachment } => {
                let holder = Holder { kind: *holder_kind, id: at(0)?, target: holder, subject };
                self.detach(&holder, attachment).await
            }
            Step::Group(Life::Retire { .. } | Life::Restore { .. })
            | Step::Role(Life::Retire { .. } | Life::Restore { .. })
            | Step::Part { .. } => {
                Err(invalid("Prepare", change.step.verb(), "this cloud has nothing of that kind"))
            }
            Step::Adopt { holder_kind, id, name, subject, from } => {
                self.adopt(*holder_kind, (id, name), from.as_ref(), subject).await
            }
            Step::IssueCredential { subject, kind, .. } => self.issue(at(0)?, subject, kind).await,
        }
    }

    async fn note_handover(
        &self,
        change: &Change,
        references: &[VendorId],
        key: &VendorId,
    ) -> Result<Applied, CloudError> {
        match (&change.step, references.first()) {
            (Step::IssueCredential { subject, on, .. }, Some(user)) => {
                self.note(user, subject, key, *on).await
            }
            _ => Err(invalid("Prepare", change.step.verb(), "there is no key to note")),
        }
    }

    async fn look(&self, key: &ObjectKey) -> Result<Option<Snapshot>, CloudError> {
        let exists = |is_there: bool| is_there.then_some(Snapshot::Exists);
        let found = match key {
            ObjectKey::User(id) => {
                self.find_user(id).await.map(|found| found.map(|(user, _)| Snapshot::User(user)))
            }
            ObjectKey::UserNamed(name) => {
                self.user_named(name.as_str()).await.map(|(user, _)| Some(Snapshot::User(user)))
            }
            ObjectKey::Group(id) => {
                self.find_group(id).await.map(|found| found.map(Snapshot::Group))
            }
            ObjectKey::GroupNamed(name) => {
                self.group_named(name.as_str()).await.map(|group| Some(Snapshot::Group(group)))
            }
            ObjectKey::Role(id) if providers::is_provider(id.as_str()) => {
                self.provider(id.as_str()).await
            }
            ObjectKey::RoleNamed(name) if providers::is_provider(name.as_str()) => {
                self.provider(&providers::arn(&self.partition, &self.account, name)).await
            }
            ObjectKey::Role(id) => self.find_role(id).await.map(|found| found.map(Snapshot::Role)),
            ObjectKey::RoleNamed(name) => {
                self.role_named(name.as_str()).await.map(|role| Some(Snapshot::Role(role)))
            }
            ObjectKey::Part(..) | ObjectKey::PartNamed(..) => Ok(None),
            ObjectKey::Membership(one) => self.is_member(one).await.map(exists),
            ObjectKey::Binding(one) => self.is_bound(one).await.map(exists),
            ObjectKey::Credential(one) => self.has_credential(one).await.map(exists),
            ObjectKey::Attachment(one) => self.is_attached(one).await.map(exists),
        };
        match found {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            other => other,
        }
    }
}

/// Whose attachments a step is about.
pub(super) struct Holder<'a> {
    pub(super) kind: HolderKind,
    pub(super) id: &'a VendorId,
    pub(super) target: &'a Target,
    pub(super) subject: &'a Subject,
}

impl Client {
    /// Signed in to the account.
    pub(super) fn session(&self) -> &Session {
        self.session.as_ref().unwrap_or(&self.hub.session)
    }

    /// For writes and for looks that the executor repeats itself.
    pub(super) fn iam(&self) -> &aws_sdk_iam::Client {
        &self.session().writes
    }

    /// The same in the hub, where users and groups are.
    pub(super) fn hub_iam(&self) -> &aws_sdk_iam::Client {
        &self.hub.session.writes
    }

    pub(super) fn mark(&self, subject: &Subject) -> Mark {
        Mark { organisation: self.organisation.clone(), subject: subject.clone() }
    }

    async fn provider(&self, arn: &str) -> Result<Option<Snapshot>, CloudError> {
        let (found, _) = providers::get(self.iam(), &self.organisation, arn).await?;
        Ok(Some(Snapshot::Role(found)))
    }

    /// Refuses what is not this organisation's, or does not stand for whom the plan says.
    pub(super) fn must_be_ours(
        &self,
        operation: &'static str,
        object: &str,
        ownership: &Ownership,
        subject: Option<&Subject>,
    ) -> Result<(), CloudError> {
        let message = match (ownership, subject) {
            (Ownership::Ours(found), Some(planned)) if found != planned => {
                format!("it stands for {found}, not for {planned}")
            }
            (Ownership::Ours(_), _) => return Ok(()),
            (Ownership::Theirs(mark), _) => format!(
                "it carries a mark that is not of organisation {}: {mark}",
                self.organisation
            ),
            (Ownership::Damaged { why, .. }, _) => format!("its mark is damaged: {why}"),
            (Ownership::Unmarked, _) => {
                format!("it carries no mark of organisation {}", self.organisation)
            }
        };
        Err(CloudError::new(ErrorKind::Foreign, operation, object, message))
    }

    /// The name and owner of a user, as last seen by this run, or as listed now.
    pub(super) async fn known_user(&self, id: &VendorId) -> Result<Seen, CloudError> {
        if let Some(seen) = self.hub.users.get(id) {
            return Ok(seen);
        }
        self.list_users().await?;
        self.hub.users.get(id).ok_or_else(|| gone("ListUsers", id))
    }

    /// The name and owner of a group.
    pub(super) async fn known_group(&self, id: &VendorId) -> Result<Seen, CloudError> {
        if let Some(seen) = self.hub.groups.get(id) {
            return Ok(seen);
        }
        self.list_groups().await?;
        self.hub.groups.get(id).ok_or_else(|| gone("ListGroups", id))
    }

    /// The name and owner of a role of this account.
    pub(super) async fn known_role(&self, id: &VendorId) -> Result<Seen, CloudError> {
        if let Some(seen) = self.roles.get(id) {
            return Ok(seen);
        }
        self.list_roles().await?;
        self.roles.get(id).ok_or_else(|| gone("ListRoles", id))
    }

    /// A holder of attachments must be ours, as far as this run knows; gives its name.
    pub(super) async fn our_holder(
        &self,
        operation: &'static str,
        holder: &Holder<'_>,
    ) -> Result<String, CloudError> {
        let seen = match holder.kind {
            HolderKind::User => self.known_user(holder.id).await?,
            HolderKind::Group => self.known_group(holder.id).await?,
            HolderKind::Role => self.known_role(holder.id).await?,
        };
        let object = holder.target.name.as_str();
        self.must_be_ours(operation, object, &seen.ownership, Some(holder.subject))?;
        Ok(seen.name)
    }

    /// Whether something is attached, saying what it is asked about.
    async fn is_attached(&self, held: &HeldAttachment) -> Result<bool, CloudError> {
        self.has_attachment(held).await
    }

    /// Puts our mark on what has none, or only a part of it: tags before the path, so that a user
    /// between the two is nobody's, and says whose it was to be.
    async fn adopt(
        &self,
        kind: HolderKind,
        (id, name): (&VendorId, &crate::model::ObjectName),
        from: Option<&Subject>,
        subject: &Subject,
    ) -> Result<Applied, CloudError> {
        let mark = self.mark(subject);
        let tags = || {
            super::identity::tags(&mark)
                .map_err(|error| invalid("PrepareTags", name.as_str(), error.to_string()))
        };
        match kind {
            HolderKind::User => {
                let (found, _) = self.find_user(id).await?.ok_or_else(|| gone("GetUser", id))?;
                if !found.ownership.may_pass(from, subject)
                    && !self.may_be_adopted("TagUser", name.as_str(), &found.ownership, subject)?
                {
                    return Ok(Applied::default());
                }
                let user = found.spec.name.as_str();
                let call = self.hub_iam().tag_user().user_name(user).set_tags(Some(tags()?)).send();
                write("TagUser", user, call).await?;
                let path = super::identity::path_of(&self.organisation);
                let call = self.hub_iam().update_user().user_name(user).new_path(path).send();
                let reply = write("UpdateUser", user, call).await?;
                self.hub.users.drop(id);
                Ok(done(&reply))
            }
            HolderKind::Group => {
                let found = self.find_group(id).await?.ok_or_else(|| gone("GetGroup", id))?;
                if !self.may_be_adopted("UpdateGroup", name.as_str(), &found.ownership, subject)? {
                    return Ok(Applied::default());
                }
                let group = found.spec.name.as_str();
                let path = super::identity::group_path(&self.organisation, subject);
                let call = self.hub_iam().update_group().group_name(group).new_path(path).send();
                let reply = write("UpdateGroup", group, call).await?;
                self.hub.groups.drop(id);
                Ok(done(&reply))
            }
            HolderKind::Role if providers::is_provider(id.as_str()) => {
                providers::adopt(self.session(), id, &mark).await
            }
            HolderKind::Role => {
                let found = self.find_role(id).await?.ok_or_else(|| gone("GetRole", id))?;
                if !self.may_be_adopted("TagRole", name.as_str(), &found.ownership, subject)? {
                    return Ok(Applied::default());
                }
                let role = found.spec.name.as_str();
                let call = self.iam().tag_role().role_name(role).set_tags(Some(tags()?)).send();
                let reply = write("TagRole", role, call).await?;
                self.roles.drop(id);
                Ok(done(&reply))
            }
        }
    }

    /// Whether there is anything to do; refused unless it is unmarked, or has this very mark or a
    /// part of it.
    fn may_be_adopted(
        &self,
        operation: &'static str,
        object: &str,
        ownership: &Ownership,
        subject: &Subject,
    ) -> Result<bool, CloudError> {
        match ownership {
            other if other.may_become(subject) => Ok(true),
            Ownership::Ours(found) if found == subject => Ok(false),
            _ => {
                self.must_be_ours(operation, object, ownership, Some(subject))?;
                Ok(false)
            }
        }
    }

    /// Lists all users and remembers them.
    async fn list_users(&self) -> Result<(), CloudError> {
        let mut pages = Pages::new(&self.hub.session, "ListUsers", "users");
        while pages.more() {
            let call = self.hub_iam().list_users();
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, pages.object, call.send()).await?;
            for user in reply.users {
                // A list does not show tags.
                if self.hub.users.get(&VendorId::new(user.user_id.as_str())).is_none()
                    && let Some((found, arn)) = unless_gone(self.user_named(&user.user_name).await)?
                {
                    self.remember_user(&found, arn);
                }
            }
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(())
    }

    async fn list_groups(&self) -> Result<(), CloudError> {
        let mut pages = Pages::new(&self.hub.session, "ListGroups", "groups");
        while pages.more() {
            let call = self.hub_iam().list_groups();
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, pages.object, call.send()).await?;
            for group in reply.groups {
                let found = super::convert::group(
                    &group.group_id,
                    &group.group_name,
                    &group.path,
                    &self.organisation,
                );
                self.remember_group(&found, group.arn);
            }
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(())
    }

    async fn list_roles(&self) -> Result<(), CloudError> {
        let mut pages = Pages::new(self.session(), "ListRoles", "roles");
        while pages.more() {
            let call = self.iam().list_roles();
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, pages.object, call.send()).await?;
            for role in reply.roles {
                if self.roles.get(&VendorId::new(role.role_id.as_str())).is_none()
                    && let Some(found) = unless_gone(self.role_named(&role.role_name).await)?
                {
                    self.remember_role(&found, role.arn);
                }
            }
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(())
    }
}

/// What went away between the list and the look says nothing about the others on the list.
fn unless_gone<T>(found: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match found {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// What a creation made.
pub(super) fn made<T: aws_sdk_iam::operation::RequestId>(id: &str, reply: &T) -> Applied {
    Applied { outputs: [(Output::Id, VendorId::new(id))].into(), ..done(reply) }
}

/// An object of that id is not there.
pub(super) fn gone(operation: &'static str, id: &VendorId) -> CloudError {
    CloudError::new(ErrorKind::NotFound, operation, id.as_str(), "there is no object of that id")
}

/// It is not as the plan found it.
pub(super) fn changed_since(operation: &'static str, object: &str) -> CloudError {
    let message = "it is no longer as it was when the change was planned";
    CloudError::new(ErrorKind::Conflict, operation, object, message)
}

pub(super) fn invalid(
    operation: &'static str,
    object: &str,
    message: impl Into<String>,
) -> CloudError {
    CloudError::new(ErrorKind::Invalid, operation, object, message)
}
