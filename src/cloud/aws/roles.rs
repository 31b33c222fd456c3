//! Roles.

use super::client::{Client, changed_since, gone, invalid, made};
use super::convert;
use super::document;
use super::error::{done, of_trust, read, write};
use super::identity;
use super::known::Seen;
use super::realise::{BOUNDARY, SESSION_HOURS, TRUST};
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{
    AttributeName, AttributeValue, HolderKind, Observed, RoleSpec, Subject, VendorId,
};

impl Client {
    pub(super) fn remember_role(&self, role: &Observed<RoleSpec>, arn: String) {
        let name = role.spec.name.to_string();
        let seen = Seen { name, arn, ownership: role.ownership.clone() };
        self.roles.put(role.id.clone(), seen);
    }

    /// A role by its name.
    pub(super) async fn role_named(&self, name: &str) -> Result<Observed<RoleSpec>, CloudError> {
        let reply = read("GetRole", name, self.iam().get_role().role_name(name).send()).await?;
        let role = reply.role.ok_or_else(|| invalid("GetRole", name, "the reply has no role"))?;
        let found = convert::role(&role, &self.organisation);
        self.remember_role(&found, role.arn);
        Ok(found)
    }

    /// A role by its id; `None` if there is none of that id. The ARN of a role that is gone is
    /// nothing's id.
    pub(super) async fn find_role(
        &self,
        id: &VendorId,
    ) -> Result<Option<Observed<RoleSpec>>, CloudError> {
        if let Some(seen) = self.roles.get(id) {
            match self.role_named(&seen.name).await {
                Ok(role) if role.id == *id => return Ok(Some(role)),
                Ok(_) => {}
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            // The name of a role never changes.
            self.roles.drop(id);
            return Ok(None);
        }
        match self.known_role(id).await {
            Ok(seen) => {
                let role = self.role_named(&seen.name).await?;
                Ok((role.id == *id).then_some(role))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn our_role(
        &self,
        operation: &'static str,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<RoleSpec, CloudError> {
        let role = self.find_role(id).await?.ok_or_else(|| gone(operation, id))?;
        self.must_be_ours(operation, id.as_str(), &role.ownership, Some(subject))?;
        Ok(role.spec)
    }

    pub(super) async fn create_role(
        &self,
        subject: &Subject,
        spec: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let name = spec.name.as_str();
        let tags = identity::tags(&self.mark(subject))
            .map_err(|error| invalid("PrepareTags", name, error.to_string()))?;
        let call = self
            .iam()
            .create_role()
            .role_name(name)
            .path(identity::path_of(&self.organisation))
            .set_description(Some(spec.description.clone()).filter(|text| !text.is_empty()))
            .assume_role_policy_document(text(spec, TRUST).unwrap_or_default())
            .max_session_duration(session_seconds(spec)?)
            .set_permissions_boundary(text(spec, BOUNDARY).map(str::to_owned))
            .set_tags(Some(tags.clone()))
            .send();
        let reply = write("CreateRole", name, call).await.map_err(of_trust)?;
        let Some(role) = &reply.role else { return Ok(done(&reply)) };
        let ownership = crate::model::Ownership::Ours(subject.clone());
        let found = Observed { id: role.role_id.as_str().into(), ownership, spec: spec.clone() };
        self.remember_role(&found, role.arn.clone());
        Ok(made(&role.role_id, &reply))
    }

    /// Sends what differs: usually one of description with session length, trust and boundary.
    pub(super) async fn update_role(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &RoleSpec,
        after: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "UpdateRole";
        let now = self.our_role(operation, id, subject).await?;
        if now == *after {
            return Ok(Applied::default());
        }
        if now != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let name = now.name.as_str();
        if now.name != after.name {
            return Err(invalid(operation, name, "the name of a role cannot be changed"));
        }
        let mut applied = Applied::default();
        let session = AttributeName::new(SESSION_HOURS);
        if now.description != after.description
            || now.attributes.get(&session) != after.attributes.get(&session)
        {
            let call = self
                .iam()
                .update_role()
                .role_name(name)
                .description(&after.description)
                .max_session_duration(session_seconds(after)?)
                .send();
            applied = done(&write(operation, name, call).await?);
        }
        if text(&now, TRUST) != text(after, TRUST) {
            let call = self
                .iam()
                .update_assume_role_policy()
                .role_name(name)
                .policy_document(text(after, TRUST).unwrap_or_default())
                .send();
            let reply = write("UpdateAssumeRolePolicy", name, call).await.map_err(of_trust)?;
            applied = done(&reply);
        }
        match (text(&now, BOUNDARY), text(after, BOUNDARY)) {
            (old, Some(new)) if old != Some(new) => {
                let call = self.iam().put_role_permissions_boundary();
                let call = call.role_name(name).permissions_boundary(new).send();
                applied = done(&write("PutRolePermissionsBoundary", name, call).await?);
            }
            (Some(_), None) => {
                let call = self.iam().delete_role_permissions_boundary().role_name(name).send();
                applied = done(&write("DeleteRolePermissionsBoundary", name, call).await?);
            }
            _ => {}
        }
        Ok(applied)
    }

    /// Refused while a group of the hub may assume it, and by IAM while anything is attached.
    pub(super) async fn delete_role(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "DeleteRole";
        let now = self.our_role(operation, id, subject).await?;
        if now != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let arn = self.known_role(id).await?.arn;
        let bound = self.hub.roles().await?.into_iter().filter(|(_, bound)| *bound == arn);
        let name = |id: VendorId| self.hub.groups.get(&id).map_or(id.to_string(), |seen| seen.name);
        let groups: Vec<String> =
            bound.map(|(group, _)| format!("group `{}`", name(group))).collect();
        if !groups.is_empty() {
            let message = "groups of the hub may still assume it";
            let error = CloudError::new(ErrorKind::HasDependents, operation, id.as_str(), message);
            return Err(error.blocked_by(&groups));
        }
        let name = now.name.as_str();
        let call = self.iam().delete_role().role_name(name).send();
        match write(operation, name, call).await {
            Ok(reply) => Ok(done(&reply)),
            Err(error) => Err(self.with_blockers(error, HolderKind::Role, name).await),
        }
    }
}

fn text<'a>(spec: &'a RoleSpec, key: &str) -> Option<&'a str> {
    match spec.attributes.get(&AttributeName::new(key)) {
        Some(AttributeValue::Text(text)) => Some(text),
        _ => None,
    }
}

fn session_seconds(spec: &RoleSpec) -> Result<i32, CloudError> {
    let hours = match spec.attributes.get(&AttributeName::new(SESSION_HOURS)) {
        Some(AttributeValue::Number(hours)) => i32::try_from(*hours).ok(),
        _ => None,
    };
    let seconds = hours.and_then(|hours| hours.checked_mul(3600));
    let name = spec.name.as_str();
    seconds.ok_or_else(|| invalid("PrepareRole", name, "the length of a session is no number"))
}

/// Whether two documents mean the same.
pub(super) fn same_document(one: &str, other: &str) -> bool {
    document::normal(one) == document::normal(other)
}
