//! Permission sets.

use std::collections::BTreeMap;

use aws_sdk_ssoadmin::types::{PermissionSet, Tag};

use super::client::{Client, made};
use super::error::{changed_since, conflict_is, incomplete, must_be_ours, unbuilt};
use super::hub::Page;
use super::identity::already_adopted;
use super::mark;
use super::observe::gather;
use super::realise::{self, PROVISIONED, SESSION_HOURS};
use crate::cloud::aws::error::{done, read, write};
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{
    AttributeName, AttributeValue, Missing, ObjectName, Observed, Ownership, RoleSpec, Subject,
    VendorId,
};

/// Ids have a pattern, and the service calls one that does not fit invalid, like much else; but
/// that nothing has it is certain without asking.
pub(super) fn must_be_set(operation: &'static str, id: &VendorId) -> Result<(), CloudError> {
    if id.as_str().starts_with("arn:") && id.as_str().contains(":sso:::permissionSet/") {
        return Ok(());
    }
    let message = "that is no ARN of a permission set";
    Err(CloudError::new(ErrorKind::NotFound, operation, id.as_str(), message))
}

impl Client {
    /// A permission set as the service describes it.
    pub(super) async fn describe(&self, id: &VendorId) -> Result<PermissionSet, CloudError> {
        let operation = "DescribePermissionSet";
        must_be_set(operation, id)?;
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.describe_permission_set().instance_arn(instance);
        let call = call.permission_set_arn(id.as_str()).send();
        let found = read(operation, id.as_str(), call).await?.permission_set;
        let found = found.filter(|found| found.name.is_some());
        let found = found.ok_or_else(|| incomplete(operation, id.as_str(), "permission set"))?;
        self.hub.saw_set_name(id, found.name().unwrap_or_default());
        Ok(found)
    }

    /// Whose a permission set is, from its tags.
    async fn owner(&self, id: &VendorId) -> Result<Ownership, CloudError> {
        let operation = "ListTagsForResource";
        must_be_set(operation, id)?;
        let instance = &self.hub.instance().await?.arn;
        let mut tags: Vec<Tag> = Vec::new();
        let mut token = None;
        // As many as 50 tags; a list that is longer goes round in circles.
        for _page in 0..50 {
            let call = self.hub.center().await.list_tags_for_resource().instance_arn(instance);
            let call = call.resource_arn(id.as_str()).set_next_token(token).send();
            let reply = read(operation, id.as_str(), call).await?;
            let page = Page::new(reply.tags, reply.next_token);
            let items = page.items.ok_or_else(|| incomplete(operation, id.as_str(), "list"))?;
            tags.extend(items);
            token = page.next;
            if token.is_none() {
                let tags = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
                return Ok(mark::ownership(&mark::of_tags(tags), false, &self.hub.organisation));
            }
        }
        Err(incomplete(operation, id.as_str(), "end"))
    }

    /// A permission set as we see it: whether it is provisioned is looked at for those of ours.
    pub(super) async fn role(&self, id: &VendorId) -> Result<Observed<RoleSpec>, CloudError> {
        let set = self.describe(id).await?;
        let ownership = self.owner(id).await?;
        let provisioned = match ownership {
            Ownership::Ours(_) => Some(self.is_provisioned(id).await?),
            Ownership::Damaged { .. } | Ownership::Theirs(_) | Ownership::Unmarked => None,
        };
        Ok(Observed { id: id.clone(), ownership, spec: spec(&set, provisioned) })
    }

    /// A permission set by its name: the service knows only ARNs, so those whose name was not seen
    /// before are described one by one.
    pub(super) async fn role_named(
        &self,
        name: &ObjectName,
    ) -> Result<Option<Observed<RoleSpec>>, CloudError> {
        let mut missing = Vec::new();
        for id in self.set_ids(&mut missing).await {
            let known = match self.hub.set_name(&id) {
                Some(known) => known,
                None => self.describe(&id).await?.name.unwrap_or_default(),
            };
            if known == name.as_str() {
                return self.role(&id).await.map(Some);
            }
        }
        match missing.pop() {
            None => Ok(None),
            Some(missing) => {
                let (operation, name) = ("ListPermissionSets", name.as_str());
                let message = missing.to_string();
                Err(CloudError::new(ErrorKind::Unavailable, operation, name, message))
            }
        }
    }

    async fn set_ids(&self, missing: &mut Vec<Missing>) -> Vec<VendorId> {
        let page = |token: Option<String>| async move {
            let instance = &self.hub.instance().await?.arn;
            let call = self.hub.center().await.list_permission_sets().instance_arn(instance);
            let call = call.set_next_token(token).set_max_results(self.hub.page_size).send();
            let reply = read("ListPermissionSets", instance, call).await?;
            Ok(Page::new(reply.permission_sets, reply.next_token))
        };
        let ids = self.hub.pages("permission sets", missing, page).await;
        ids.into_iter().map(VendorId::new).collect()
    }

    /// All permission sets, ours and foreign.
    pub(super) async fn list_sets(&self, missing: &mut Vec<Missing>) -> Vec<Observed<RoleSpec>> {
        let ids = self.set_ids(missing).await;
        let looks = ids.into_iter().map(|id| async move {
            match self.hub.patiently(|| self.role(&id)).await {
                Ok(role) => (vec![role], Vec::new()),
                Err(error) => {
                    let what = format!("permission set {id}");
                    (Vec::new(), vec![Missing::new(what, error.to_string())])
                }
            }
        });
        gather(looks, missing).await
    }

    /// Refuses a permission set that is not ours, on a fresh look at its tags.
    pub(super) async fn our_set(
        &self,
        operation: &'static str,
        id: &VendorId,
        subject: Option<&Subject>,
    ) -> Result<(), CloudError> {
        let ownership = self.owner(id).await?;
        self.hub.saw(id, &ownership);
        must_be_ours(operation, id.as_str(), &ownership, subject)
    }

    async fn our_role(
        &self,
        operation: &'static str,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<(PermissionSet, RoleSpec), CloudError> {
        self.our_set(operation, id, Some(subject)).await?;
        let set = self.describe(id).await?;
        let spec = spec(&set, Some(true));
        Ok((set, spec))
    }

    pub(super) async fn create_role(
        &self,
        subject: &Subject,
        wanted: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let (operation, name) = ("CreatePermissionSet", wanted.name.as_str());
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.create_permission_set().instance_arn(instance);
        let call = call
            .name(name)
            .set_description(Some(wanted.description.clone()).filter(|text| !text.is_empty()))
            .session_duration(realise::duration(wanted)?)
            .set_tags(Some(self.set_tags(operation, subject)?))
            .send();
        let reply = write(operation, name, call).await;
        // The only conflict there is with something that does not exist yet.
        let reply = reply.map_err(conflict_is(ErrorKind::AlreadyExists))?;
        let applied = done(&reply);
        let Some(id) = reply.permission_set.and_then(|set| set.permission_set_arn) else {
            // The executor looks for what it was to be.
            return Ok(applied);
        };
        let id = VendorId::new(id);
        self.hub.made(&id);
        self.hub.saw_set_name(&id, name);
        Ok(made(&id, applied))
    }

    fn set_tags(&self, operation: &'static str, subject: &Subject) -> Result<Vec<Tag>, CloudError> {
        mark::tags(&self.hub.organisation, subject)
            .into_iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<_, _>>()
            .map_err(unbuilt(operation, "the mark"))
    }

    /// Writes what differs, and brings the set to the accounts that do not have it as it is.
    pub(super) async fn update_role(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &RoleSpec,
        after: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "UpdatePermissionSet";
        let (set, now) = self.our_role(operation, id, subject).await?;
        // Whether it is provisioned is not written but done.
        let (before, after) = (written(before), written(after));
        if now == after {
            return self.provision(id).await;
        }
        if now != before {
            return Err(changed_since(operation, id.as_str()));
        }
        if now.name != after.name {
            let message = "a permission set cannot be renamed";
            return Err(CloudError::new(ErrorKind::Invalid, operation, id.as_str(), message));
        }
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.update_permission_set().instance_arn(instance);
        // The relay state is nobody's here and stays as it is.
        let call = call
            .permission_set_arn(id.as_str())
            .set_description(Some(after.description.clone()).filter(|text| !text.is_empty()))
            .session_duration(realise::duration(&after)?)
            .set_relay_state(set.relay_state)
            .send();
        let applied = write(operation, id.as_str(), call).await.map(|reply| done(&reply))?;
        self.provision(id).await?;
        Ok(applied)
    }

    /// One that is still assigned is refused by the service, as a conflict.
    pub(super) async fn delete_role(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "DeletePermissionSet";
        let (_, now) = self.our_role(operation, id, subject).await?;
        if now != written(before) {
            return Err(changed_since(operation, id.as_str()));
        }
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.delete_permission_set().instance_arn(instance);
        let call = call.permission_set_arn(id.as_str()).send();
        let reply = write(operation, id.as_str(), call).await;
        let reply = match reply.map_err(conflict_is(ErrorKind::HasDependents)) {
            Ok(reply) => reply,
            Err(error) if error.kind == ErrorKind::HasDependents => {
                let accounts = self.accounts_of(id, None).await.unwrap_or_default();
                let accounts: Vec<String> =
                    accounts.iter().map(|account| format!("account {account}")).collect();
                return Err(error.blocked_by(&accounts));
            }
            Err(error) => return Err(error),
        };
        self.hub.lost(id);
        Ok(done(&reply))
    }

    pub(super) async fn adopt_role(
        &self,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<Applied, CloudError> {
        let operation = "TagResource";
        if let Some(applied) = already_adopted(id, &self.owner(id).await?, subject)? {
            return Ok(applied);
        }
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.tag_resource().instance_arn(instance);
        let call = call.resource_arn(id.as_str());
        let call = call.set_tags(Some(self.set_tags(operation, subject)?)).send();
        let applied = write(operation, id.as_str(), call).await.map(|reply| done(&reply))?;
        self.hub.made(id);
        Ok(applied)
    }
}

/// A permission set as we see it.
fn spec(set: &PermissionSet, provisioned: Option<bool>) -> RoleSpec {
    let session = realise::session(set.session_duration());
    let mut attributes = BTreeMap::from([(AttributeName::new(SESSION_HOURS), session)]);
    if let Some(provisioned) = provisioned {
        attributes.insert(AttributeName::new(PROVISIONED), AttributeValue::Flag(provisioned));
    }
    RoleSpec {
        name: set.name().unwrap_or_default().into(),
        description: set.description().unwrap_or_default().to_owned(),
        attributes,
    }
}

/// The part of a role that is written on the set.
fn written(spec: &RoleSpec) -> RoleSpec {
    let mut spec = spec.clone();
    spec.attributes.insert(AttributeName::new(PROVISIONED), AttributeValue::Flag(true));
    spec
}
