//! Our client of one account: time limits, paging, ownership, and which step is which call.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;

use super::api::{Code, Failure, Page, Reply, Service, Which};
use super::service::world::Operation;
use super::{convert, error, keys};
use crate::cloud::{Applied, Apply, CloudError, ErrorKind, Observe};
use crate::model::{
    Binding, Credential, Kind, Membership, Missing, ObjectKey, ObservedAccount, OrganisationName,
    Ownership, Reading, ResourceKind, SeenResource, Snapshot, Subject, VendorId,
};
use crate::plan::{Change, Life, Output, Outputs, Step};

/// One account, as the organisation that owns it sees it.
pub(super) struct Client {
    pub(super) service: Service,
    pub(super) organisation: OrganisationName,
    pub(super) call_time_limit: Duration,
}

#[async_trait]
impl Observe for Client {
    async fn observe(&self) -> Reading<ObservedAccount> {
        let mut missing = Vec::new();
        let mut unlisted = BTreeSet::new();
        let mut got = ObservedAccount::default();
        let organisation = &self.organisation;
        match self.call(Operation::GetCallerIdentity, "", self.service.get_caller_identity()).await
        {
            Ok(reply) => got.own_principal = reply.body.map(VendorId::new),
            Err(error) => {
                missing.push(Missing::new("the program's own principal", error.to_string()));
                // Any of them may be the program itself.
                unlisted.insert(Kind::User);
            }
        }
        let mut failed = missing.len();
        let users = self
            .pages(Operation::ListUsers, "", "users", &mut missing, |token| {
                self.service.list_users(token)
            })
            .await;
        let mut listed = |kind, missing: &[Missing]| {
            if missing.len() > failed {
                unlisted.insert(kind);
            }
            failed = missing.len();
        };
        listed(Kind::User, &missing);
        let groups = self
            .pages(Operation::ListGroups, "", "groups", &mut missing, |token| {
                self.service.list_groups(token)
            })
            .await;
        listed(Kind::Group, &missing);
        let roles = self
            .pages(Operation::ListRoles, "", "roles", &mut missing, |token| {
                self.service.list_roles(token)
            })
            .await;
        listed(Kind::Role, &missing);
        let memberships = self
            .pages(Operation::ListMemberships, "", "memberships", &mut missing, |token| {
                self.service.list_memberships(token)
            })
            .await;
        listed(Kind::Membership, &missing);
        let bindings = self
            .pages(Operation::ListBindings, "", "role bindings", &mut missing, |token| {
                self.service.list_bindings(token)
            })
            .await;
        listed(Kind::Binding, &missing);
        let ours = users
            .iter()
            .filter(|user| convert::user(user, organisation).ownership.subject().is_some());
        let stale = ours
            .filter_map(|user| Some((user.id.as_str().into(), convert::stale_suspension(user)?)));
        got.stale_suspensions = stale.collect();
        got.users = users.iter().map(|user| convert::user(user, organisation)).collect();
        got.groups = groups.iter().map(|group| convert::group(group, organisation)).collect();
        got.roles = roles.iter().map(|role| convert::role(role, organisation)).collect();
        got.memberships = memberships
            .into_iter()
            .map(|(user, group)| Membership { group: group.into(), user: user.into() })
            .collect();
        got.memberships.sort();
        got.bindings = bindings
            .into_iter()
            .map(|(group, role)| Binding { role: role.into(), group: group.into() })
            .collect();
        got.bindings.sort();
        got.prove(unlisted, &mut missing);
        Reading::from_parts(got, missing)
    }

    async fn parts(&self) -> BTreeMap<ResourceKind, Reading<Vec<SeenResource>>> {
        self.all_parts().await
    }

    async fn credentials(&self, users: &[VendorId]) -> Reading<Vec<Credential>> {
        let mut missing = Vec::new();
        let mut got = Vec::new();
        for user in users {
            let what = format!("credentials of {user}");
            let operation = Operation::ListCredentials;
            let found = self
                .pages(operation, user.as_str(), &what, &mut missing, |token| {
                    self.service.list_credentials(user.as_str(), token)
                })
                .await;
            if found.is_empty() {
                continue;
            }
            let noted = match self.user(Which::Id(user.as_str())).await {
                Ok(reply) => keys::handovers(&reply.body.tags),
                Err(error) => {
                    missing.push(Missing::new(what, error.to_string()));
                    continue;
                }
            };
            got.extend(found.into_iter().map(|(id, kind)| {
                let id = VendorId::from(id);
                let handed_over = noted.of(&id);
                Credential { user: user.clone(), kind: kind.into(), id, handed_over }
            }));
        }
        got.sort();
        Reading::from_parts(got, missing)
    }
}

#[async_trait]
impl Apply for Client {
    async fn apply(&self, change: &Change, references: &[VendorId]) -> Result<Applied, CloudError> {
        let pair = || match references {
            [first, second] => Ok((first, second)),
            _ => Err(CloudError::new(
                ErrorKind::Invalid,
                "Prepare",
                change.step.verb(),
                format!("needs 2 references, got {}", references.len()),
            )),
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
                self.suspend_user(id, subject, before, *on).await
            }
            Step::User(Life::Restore { id, subject, before }) => {
                self.restore_user(id, subject, before).await
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
            Step::UnbindRole { by_hand: Some(_), .. } => {
                Err(Self::has_no("roles of single users", change))
            }
            Step::UnbindRole { by_hand: None, .. } => {
                let (role, group) = pair()?;
                self.unbind(role, group).await
            }
            Step::Attach { .. } | Step::Detach { .. } => Err(Self::has_no("attachments", change)),
            Step::Part { life, .. } => self.apply_part(life).await,
            Step::Group(Life::Retire { .. } | Life::Restore { .. })
            | Step::Role(Life::Retire { .. } | Life::Restore { .. }) => {
                Err(Self::has_no("groups and roles that are suspended", change))
            }
            Step::Adopt { holder_kind, id, subject, from, .. } => {
                self.adopt(*holder_kind, id, from.as_ref(), subject).await
            }
            Step::IssueCredential { subject, kind, .. } => {
                self.issue(subject, Self::only(change, references)?, kind).await
            }
        }
    }

    async fn note_handover(
        &self,
        change: &Change,
        references: &[VendorId],
        key: &VendorId,
    ) -> Result<Applied, CloudError> {
        let Step::IssueCredential { subject, on, .. } = &change.step else {
            return Err(Self::has_no("keys to note for such a step", change));
        };
        self.note(subject, Self::only(change, references)?, key, *on).await
    }

    async fn look(&self, key: &ObjectKey) -> Result<Option<Snapshot>, CloudError> {
        let organisation = &self.organisation;
        let exists = |exists: bool| exists.then_some(Snapshot::Exists);
        let found = match key {
            ObjectKey::User(id) => self
                .user(Which::Id(id.as_str()))
                .await
                .map(|reply| Some(Snapshot::User(convert::user(&reply.body, organisation)))),
            ObjectKey::UserNamed(name) => self
                .user(Which::Name(name.as_str()))
                .await
                .map(|reply| Some(Snapshot::User(convert::user(&reply.body, organisation)))),
            ObjectKey::Group(id) => self
                .group(Which::Id(id.as_str()))
                .await
                .map(|reply| Some(Snapshot::Group(convert::group(&reply.body, organisation)))),
            ObjectKey::GroupNamed(name) => self
                .group(Which::Name(name.as_str()))
                .await
                .map(|reply| Some(Snapshot::Group(convert::group(&reply.body, organisation)))),
            ObjectKey::Role(id) => self
                .role(Which::Id(id.as_str()))
                .await
                .map(|reply| Some(Snapshot::Role(convert::role(&reply.body, organisation)))),
            ObjectKey::RoleNamed(name) => self
                .role(Which::Name(name.as_str()))
                .await
                .map(|reply| Some(Snapshot::Role(convert::role(&reply.body, organisation)))),
            ObjectKey::Part(kind, id) => {
                let part = self.part(*kind, Which::Id(id.as_str())).await;
                part.map(|part| Some(Snapshot::Part(Box::new(part))))
            }
            ObjectKey::PartNamed(kind, name) => {
                let part = self.part(*kind, Which::Name(name.as_str())).await;
                part.map(|part| Some(Snapshot::Part(Box::new(part))))
            }
            ObjectKey::Membership(Membership { group, user }) => {
                let call = self.service.get_membership(user.as_str(), group.as_str());
                let reply = self.call(Operation::GetMembership, user.as_str(), call).await;
                reply.map(|reply| exists(reply.body))
            }
            ObjectKey::Binding(Binding { role, group }) => {
                let call = self.service.get_binding(group.as_str(), role.as_str());
                let reply = self.call(Operation::GetBinding, group.as_str(), call).await;
                reply.map(|reply| exists(reply.body))
            }
            ObjectKey::Credential(credential) => self.has_credential(credential).await.map(exists),
            ObjectKey::Attachment(_) => Ok(None),
        };
        match found {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            other => other,
        }
    }
}

impl Client {
    /// The one reference of a step that has one.
    fn only<'a>(change: &Change, references: &'a [VendorId]) -> Result<&'a VendorId, CloudError> {
        references.first().ok_or_else(|| Self::has_no("users without an id", change))
    }

    fn has_no(what: &str, change: &Change) -> CloudError {
        let message = format!("this cloud has no {what}");
        CloudError::new(ErrorKind::Invalid, "Prepare", change.step.verb(), message)
    }

    /// One call, within the time limit, its failure in our words.
    pub(super) async fn call<T>(
        &self,
        operation: Operation,
        object: &str,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, CloudError> {
        let answer = match tokio::time::timeout(self.call_time_limit, call).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(failure)) => Err(error::to_cloud_error(operation, object, failure)),
            Err(_elapsed) => Err(error::timed_out(operation, object, self.call_time_limit)),
        };
        let failed = answer.as_ref().err().map(ToString::to_string);
        tracing::trace!(operation = operation.name(), ?object, ?failed, "built-in cloud called");
        answer
    }

    /// All pages of a list. What goes wrong, or a list that is not as long as it says it is, is
    /// added to `missing`.
    pub(super) async fn pages<T, F: Future<Output = Result<Reply<Page<T>>, Failure>>>(
        &self,
        operation: Operation,
        object: &str,
        what: &str,
        missing: &mut Vec<Missing>,
        list: impl Fn(Option<String>) -> F,
    ) -> Vec<T> {
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        let mut pages = 0_usize;
        loop {
            let reply = match self.call(operation, object, list(token.clone())).await {
                Ok(reply) => reply.body,
                Err(error) => {
                    let why = format!("{error}, after {pages} pages with {} items", items.len());
                    missing.push(Missing::new(what, why));
                    return items;
                }
            };
            pages += 1;
            items.extend(reply.items);
            // A token that does not move would have us here for ever.
            if reply.next.is_some() && reply.next != token {
                token = reply.next;
                continue;
            }
            if items.len() != reply.total {
                let why = format!(
                    "the service says there are {}, its {pages} pages had {}",
                    reply.total,
                    items.len(),
                );
                missing.push(Missing::new(what, why));
            }
            return items;
        }
    }

    /// Refuses what is not this organisation's, or does not stand for whom the plan says.
    pub(super) fn must_be_ours(
        &self,
        operation: Operation,
        object: &str,
        ownership: &Ownership,
        subject: Option<&Subject>,
    ) -> Result<(), CloudError> {
        let foreign = |message: String| {
            Err(CloudError::new(ErrorKind::Foreign, operation.name(), object, message))
        };
        match (ownership, subject) {
            (Ownership::Ours(found), Some(planned)) if found != planned => {
                foreign(format!("it stands for {found}, not for {planned}"))
            }
            (Ownership::Ours(_), _) => Ok(()),
            (Ownership::Damaged { why, .. }, _) => foreign(format!("its mark is damaged: {why}")),
            (Ownership::Theirs(mark), _) => foreign(format!(
                "it carries a mark that is not of organisation {}: {mark}",
                self.organisation
            )),
            (Ownership::Unmarked, _) => {
                foreign(format!("it carries no mark of organisation {}", self.organisation))
            }
        }
    }

    async fn has_credential(&self, credential: &Credential) -> Result<bool, CloudError> {
        let user = credential.user.as_str();
        let mut token: Option<String> = None;
        let mut seen = 0;
        loop {
            let call = self.service.list_credentials(user, token.clone());
            let page = self.call(Operation::ListCredentials, user, call).await?.body;
            if page.items.iter().any(|(id, _)| id == credential.id.as_str()) {
                return Ok(true);
            }
            seen += page.items.len();
            if page.next.is_some() && page.next != token {
                token = page.next;
                continue;
            }
            if seen == page.total {
                return Ok(false);
            }
            // A list that is not as long as it says it is proves nothing.
            let message = format!("the list has {seen} of {} credentials", page.total);
            let operation = Operation::ListCredentials.name();
            return Err(CloudError::new(ErrorKind::Unavailable, operation, user, message));
        }
    }
}

/// The planned state and the state found differ, and the latter is not the one wanted either.
pub(super) fn changed_since(operation: Operation, object: &str) -> CloudError {
    let failure = Failure {
        code: Code::ConcurrentModification,
        message: "it is no longer as it was when the change was planned".to_owned(),
        request_id: None,
        retry_after: None,
    };
    error::to_cloud_error(operation, object, failure)
}

/// What a call gave that made nothing up.
pub(super) fn done<T>(reply: Reply<T>) -> Applied {
    Applied { request_id: Some(reply.request_id), ..Applied::default() }
}

/// What a call gave that made an object.
pub(super) fn made(id: &str, request_id: String) -> Applied {
    let outputs = Outputs::from([(Output::Id, VendorId::new(id))]);
    Applied { outputs, request_id: Some(request_id), ..Applied::default() }
}
