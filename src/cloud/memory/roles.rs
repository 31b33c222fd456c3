//! Roles, and groups that have them.

use super::api::{Reply, Which};
use super::client::{Client, changed_since, done, made};
use super::convert;
use super::identity::ownership;
use super::service::state::Role;
use super::service::world::Operation;
use crate::cloud::{Applied, CloudError};
use crate::model::{RoleSpec, Subject, VendorId};

impl Client {
    pub(super) async fn role(&self, which: Which<'_>) -> Result<Reply<Role>, CloudError> {
        let (Which::Id(object) | Which::Name(object)) = which;
        self.call(Operation::GetRole, object, self.service.get_role(which)).await
    }

    async fn our_role(
        &self,
        operation: Operation,
        id: &VendorId,
        subject: Option<&Subject>,
    ) -> Result<Role, CloudError> {
        let found = self.role(Which::Id(id.as_str())).await?.body;
        let ownership = ownership(&found.tags, &self.organisation);
        self.must_be_ours(operation, id.as_str(), &ownership, subject)?;
        Ok(found)
    }

    pub(super) async fn create_role(
        &self,
        subject: &Subject,
        spec: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let input = convert::role_input(spec, self.mark(subject))?;
        let call = self.service.create_role(input);
        let reply = self.call(Operation::CreateRole, spec.name.as_str(), call).await?;
        Ok(made(&reply.body.id, reply.request_id))
    }

    pub(super) async fn update_role(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &RoleSpec,
        after: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let operation = Operation::UpdateRole;
        let found = self.our_role(operation, id, Some(subject)).await?;
        let now = convert::role(&found, &self.organisation).spec;
        if now == *after {
            return Ok(Applied::default());
        }
        if now != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let input = convert::role_input(after, found.tags)?;
        let call = self.service.update_role(id.as_str(), found.revision, input);
        self.call(operation, id.as_str(), call).await.map(done)
    }

    pub(super) async fn delete_role(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &RoleSpec,
    ) -> Result<Applied, CloudError> {
        let operation = Operation::DeleteRole;
        let found = self.our_role(operation, id, Some(subject)).await?;
        if convert::role(&found, &self.organisation).spec != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let call = self.service.delete_role(id.as_str(), found.revision);
        self.call(operation, id.as_str(), call).await.map(done)
    }

    /// Both must be ours: nobody else's group gets anything from us.
    pub(super) async fn bind(
        &self,
        role: &VendorId,
        group: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = Operation::CreateBinding;
        self.our_role(operation, role, None).await?;
        self.our_group(operation, group, None).await?;
        let call = self.service.create_binding(group.as_str(), role.as_str());
        self.call(operation, group.as_str(), call).await.map(done)
    }

    /// A binding is its group's: the group must be ours, or gone from a role of ours.
    pub(super) async fn unbind(
        &self,
        role: &VendorId,
        group: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = Operation::DeleteBinding;
        let ours = self.our_group(operation, group, None).await;
        if Self::is_gone(&ours) {
            self.our_role(operation, role, None).await?;
        } else {
            ours?;
        }
        let call = self.service.delete_binding(group.as_str(), role.as_str());
        self.call(operation, group.as_str(), call).await.map(done)
    }
}
