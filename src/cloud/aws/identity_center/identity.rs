//! Users and groups.

use aws_sdk_identitystore::types::{
    AlternateIdentifier, AttributeOperation, Email, Name, UniqueAttribute,
};
use aws_sdk_ssoadmin::types::PrincipalType;
use aws_smithy_types::Document;
use jiff::civil::Date;

use super::client::{Client, made};
use super::convert::{self, Crowd, Names, Person};
use super::error::{changed_since, incomplete, must_be_ours, unbuilt, write_unique};
use super::mark;
use crate::cloud::aws::error::{done, read, write};
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{
    Access, GroupSpec, ObjectName, Ownership, Private, Subject, UserSpec, VendorId,
};

impl Client {
    /// The identity store's id.
    pub(super) async fn store_id(&self) -> Result<&str, CloudError> {
        Ok(&self.hub.instance().await?.store)
    }

    pub(super) async fn user(&self, id: &VendorId) -> Result<Person, CloudError> {
        let (operation, store) = ("DescribeUser", self.store_id().await?);
        must_be_id(operation, id)?;
        let call = self.hub.store().await.describe_user();
        let call = call.identity_store_id(store).user_id(id.as_str()).send();
        let reply = read(operation, id.as_str(), call).await?;
        let person = convert::described_user(&reply, &self.hub.organisation);
        person.ok_or_else(|| incomplete(operation, id.as_str(), "id or name"))
    }

    pub(super) async fn user_named(&self, name: &ObjectName) -> Result<Person, CloudError> {
        let (operation, name) = ("GetUserId", name.as_str());
        let store = self.store_id().await?;
        let by = by_name(operation, "userName", name)?;
        let call = self.hub.store().await.get_user_id();
        let call = call.identity_store_id(store).alternate_identifier(by).send();
        let id = read(operation, name, call).await?.user_id;
        self.user(&VendorId::new(id)).await
    }

    pub(super) async fn group(&self, id: &VendorId) -> Result<Crowd, CloudError> {
        let (operation, store) = ("DescribeGroup", self.store_id().await?);
        must_be_id(operation, id)?;
        let call = self.hub.store().await.describe_group();
        let call = call.identity_store_id(store).group_id(id.as_str()).send();
        let reply = read(operation, id.as_str(), call).await?;
        let crowd = convert::described_group(&reply, &self.hub.organisation);
        crowd.ok_or_else(|| incomplete(operation, id.as_str(), "id or name"))
    }

    pub(super) async fn group_named(&self, name: &ObjectName) -> Result<Crowd, CloudError> {
        let (operation, name) = ("GetGroupId", name.as_str());
        let store = self.store_id().await?;
        let by = by_name(operation, "displayName", name)?;
        let call = self.hub.store().await.get_group_id();
        let call = call.identity_store_id(store).alternate_identifier(by).send();
        let id = read(operation, name, call).await?.group_id;
        self.group(&VendorId::new(id)).await
    }

    /// A user of ours, looked at afresh.
    pub(super) async fn our_user(
        &self,
        operation: &'static str,
        id: &VendorId,
        subject: Option<&Subject>,
    ) -> Result<Person, CloudError> {
        let found = self.user(id).await?;
        self.hub.saw(id, &found.seen.ownership);
        must_be_ours(operation, id.as_str(), &found.seen.ownership, subject)?;
        Ok(found)
    }

    /// A group of ours, looked at afresh.
    pub(super) async fn our_group(
        &self,
        operation: &'static str,
        id: &VendorId,
        subject: Option<&Subject>,
    ) -> Result<Crowd, CloudError> {
        let found = self.group(id).await?;
        self.hub.saw(id, &found.seen.ownership);
        must_be_ours(operation, id.as_str(), &found.seen.ownership, subject)?;
        Ok(found)
    }

    /// `CreateUser` sends nobody a mail and sets no password: until an administrator or the user
    /// does so in the portal, the user cannot log in.
    pub(super) async fn create_user(
        &self,
        subject: &Subject,
        spec: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let (operation, login) = ("CreateUser", spec.name.as_str());
        let suspended = match spec.access {
            Access::Suspended { since, .. } => Some(since),
            Access::Enabled | Access::Disabled => None,
        };
        let Names { display, given, family } = convert::names(spec);
        let email =
            spec.email.as_ref().map(Private::reveal).map(|email| {
                vec![Email::builder().value(email).r#type("work").primary(true).build()]
            });
        let store = self.store_id().await?;
        let call = self
            .hub
            .store()
            .await
            .create_user()
            .identity_store_id(store)
            .user_name(login)
            .display_name(display)
            .name(Name::builder().given_name(given).family_name(family).build())
            .set_emails(email)
            .user_type(mark::user_type(&self.hub.organisation, subject, suspended))
            .send();
        let reply = write_unique(operation, login, call).await?;
        let id = VendorId::new(reply.user_id.as_str());
        self.hub.made(&id);
        Ok(made(&id, done(&reply)))
    }

    pub(super) async fn update_user(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &UserSpec,
        after: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "UpdateUser";
        let found = self.our_user(operation, id, Some(subject)).await?;
        let now = &found.seen.spec;
        let wanted = UserSpec { access: now.access, ..after.clone() };
        if *now == wanted {
            return Ok(Applied::default());
        }
        if *now != (UserSpec { access: now.access, ..before.clone() }) {
            return Err(changed_since(operation, id.as_str()));
        }
        let operations = convert::user_operations(now, &wanted);
        self.put_user(&found, operations.map_err(unbuilt(operation, id.as_str()))?).await
    }

    /// Writes or removes the day of the suspension, which is part of the mark.
    pub(super) async fn set_suspended(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: Access,
        on: Option<Date>,
    ) -> Result<Applied, CloudError> {
        let operation = "UpdateUser";
        let found = self.our_user(operation, id, Some(subject)).await?;
        let now = found.seen.spec.access;
        if now == on.map_or(before.without_suspension(), |since| now.suspended(since)) {
            return Ok(Applied::default());
        }
        if now != before {
            return Err(changed_since(operation, id.as_str()));
        }
        self.put_mark(&found, subject, on).await
    }

    async fn put_mark(
        &self,
        found: &Person,
        subject: &Subject,
        suspended: Option<Date>,
    ) -> Result<Applied, CloudError> {
        let mark = mark::user_type(&self.hub.organisation, subject, suspended);
        let one = convert::set("userType", Some(Document::from(mark)));
        self.put_user(found, vec![one.map_err(unbuilt("UpdateUser", found.id.as_str()))?]).await
    }

    /// Changes a user as it was found; refused if it has changed since.
    async fn put_user(
        &self,
        found: &Person,
        operations: Vec<AttributeOperation>,
    ) -> Result<Applied, CloudError> {
        let (operation, id) = ("UpdateUser", found.id.as_str());
        let store = self.store_id().await?;
        let call = self.hub.store().await.update_user().identity_store_id(store).user_id(id);
        let call = call.set_operations(Some(operations)).set_revision(found.revision.clone());
        write_unique(operation, id, call.send()).await.map(|reply| done(&reply))
    }

    /// A user who is still in a group or has something of its own is not deleted, although the
    /// identity store would do it.
    pub(super) async fn delete_user(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "DeleteUser";
        let found = self.our_user(operation, id, Some(subject)).await?;
        if found.seen.spec != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let mut blocker = self.a_group_of(id).await?;
        if blocker.is_none() {
            blocker = self.an_assignment(id, PrincipalType::User).await?;
        }
        if let Some(blocker) = blocker {
            return Err(has_dependents(operation, id, &[blocker]));
        }
        let store = self.store_id().await?;
        let call = self.hub.store().await.delete_user().identity_store_id(store);
        let call = call.user_id(id.as_str()).set_revision(found.revision).send();
        let reply = write(operation, id.as_str(), call).await?;
        self.hub.lost(id);
        Ok(done(&reply))
    }

    pub(super) async fn create_group(
        &self,
        subject: &Subject,
        spec: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let (operation, name) = ("CreateGroup", spec.name.as_str());
        let store = self.store_id().await?;
        let about = format!("Kept in step with {subject} by reconcile.");
        let call = self
            .hub
            .store()
            .await
            .create_group()
            .identity_store_id(store)
            .display_name(name)
            .description(mark::description(&about, &self.hub.organisation, subject))
            .send();
        let reply = write_unique(operation, name, call).await?;
        let id = VendorId::new(reply.group_id.as_str());
        self.hub.made(&id);
        Ok(made(&id, done(&reply)))
    }

    pub(super) async fn update_group(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &GroupSpec,
        after: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "UpdateGroup";
        let found = self.our_group(operation, id, Some(subject)).await?;
        if found.seen.spec == *after {
            return Ok(Applied::default());
        }
        if found.seen.spec != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        self.put_group(&found, "displayName", after.name.as_str()).await
    }

    async fn put_group(
        &self,
        found: &Crowd,
        path: &str,
        value: &str,
    ) -> Result<Applied, CloudError> {
        let (operation, id) = ("UpdateGroup", found.id.as_str());
        let one = convert::set(path, Some(Document::from(value)));
        let store = self.store_id().await?;
        let call = self.hub.store().await.update_group().identity_store_id(store).group_id(id);
        let call = call.operations(one.map_err(unbuilt(operation, id))?);
        let call = call.set_revision(found.revision.clone()).send();
        write_unique(operation, id, call).await.map(|reply| done(&reply))
    }

    /// A group that still has members or is assigned anything is not deleted, although the
    /// identity store would do it.
    pub(super) async fn delete_group(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "DeleteGroup";
        let found = self.our_group(operation, id, Some(subject)).await?;
        if found.seen.spec != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let mut blocker = self.a_member(id).await?;
        if blocker.is_none() {
            blocker = self.an_assignment(id, PrincipalType::Group).await?;
        }
        if let Some(blocker) = blocker {
            return Err(has_dependents(operation, id, &[blocker]));
        }
        let store = self.store_id().await?;
        let call = self.hub.store().await.delete_group().identity_store_id(store);
        let call = call.group_id(id.as_str()).set_revision(found.revision).send();
        let reply = write(operation, id.as_str(), call).await?;
        self.hub.lost(id);
        Ok(done(&reply))
    }

    /// Writes the mark on a user without one, with a damaged one, or with the one that it takes the
    /// place of. What somebody else keeps in `UserType` would be lost, so then it is refused.
    pub(super) async fn adopt_user(
        &self,
        id: &VendorId,
        from: Option<&Subject>,
        subject: &Subject,
    ) -> Result<Applied, CloudError> {
        let found = self.user(id).await?;
        let ownership = &found.seen.ownership;
        let passes = from.is_some() && ownership.subject() == from;
        if !passes && let Some(applied) = already_adopted(id, ownership, subject)? {
            return Ok(applied);
        }
        let is_free = found.user_type.as_ref().is_none_or(String::is_empty);
        if !is_free && !passes && !matches!(ownership, Ownership::Damaged { .. }) {
            let message = "somebody else uses its user type; empty it first";
            return Err(CloudError::new(ErrorKind::Invalid, "UpdateUser", id.as_str(), message));
        }
        // The day is a part of the mark, and may have survived what damaged it.
        let suspended = match found.seen.spec.access {
            Access::Suspended { since, .. } => Some(since),
            Access::Enabled | Access::Disabled => None,
        };
        let applied = self.put_mark(&found, subject, suspended).await?;
        self.hub.made(id);
        Ok(applied)
    }

    /// Writes the mark after the description of a group without one, or with a damaged one.
    pub(super) async fn adopt_group(
        &self,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<Applied, CloudError> {
        let found = self.group(id).await?;
        if let Some(applied) = already_adopted(id, &found.seen.ownership, subject)? {
            return Ok(applied);
        }
        let rest = mark::without_mark(&found.description);
        let text = mark::description(&rest, &self.hub.organisation, subject);
        let applied = self.put_group(&found, "description", &text).await?;
        self.hub.made(id);
        Ok(applied)
    }
}

/// An object that is to be adopted: nothing to do if it has been; refused if it is not free.
pub(super) fn already_adopted(
    id: &VendorId,
    ownership: &Ownership,
    subject: &Subject,
) -> Result<Option<Applied>, CloudError> {
    match ownership {
        other if other.may_become(subject) => Ok(None),
        other => {
            must_be_ours("Adopt", id.as_str(), other, Some(subject))?;
            Ok(Some(Applied::default()))
        }
    }
}

fn has_dependents(operation: &'static str, id: &VendorId, blockers: &[String]) -> CloudError {
    let message = "something still hangs on it";
    CloudError::new(ErrorKind::HasDependents, operation, id.as_str(), message).blocked_by(blockers)
}

/// Ids have a pattern, and the services call one that does not fit invalid, like much else; but
/// that nobody has it is certain without asking.
pub(super) fn must_be_id(operation: &'static str, id: &VendorId) -> Result<(), CloudError> {
    // `([0-9a-f]{10}-|)` and a UUID (Identity Store API reference, `ResourceId`).
    let groups: Vec<&str> = id.as_str().split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let uuid = matches!(lengths[..], [8, 4, 4, 4, 12] | [10, 8, 4, 4, 4, 12]);
    if uuid && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Ok(());
    }
    let message = "that is no id of the identity store";
    Err(CloudError::new(ErrorKind::NotFound, operation, id.as_str(), message))
}

fn by_name(
    operation: &'static str,
    path: &str,
    name: &str,
) -> Result<AlternateIdentifier, CloudError> {
    let attribute = UniqueAttribute::builder()
        .attribute_path(path)
        .attribute_value(Document::from(name))
        .build()
        .map_err(unbuilt(operation, name))?;
    Ok(AlternateIdentifier::UniqueAttribute(attribute))
}
