//! What is attached to users, groups and roles: inline and managed policies, boundaries.

use super::client::{Client, Holder, invalid};
use super::convert::USER_BOUNDARY;
use super::document::{self, AssumeDocument};
use super::error::{done, read, write};
use super::hub;
use super::pages::Pages;
use super::realise::{INLINE, MANAGED};
use super::roles::same_document;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{Attachment, Doubt, HeldAttachment, HolderKind};

/// Kind of attachment of a group: a role of an account that is none of the hub's, which a
/// document of ours lets its members assume. Named by the role's ARN.
pub const ASSUME_ROLE: &str = "assume-role";

impl Client {
    pub(super) async fn attach(
        &self,
        holder: &Holder<'_>,
        attachment: &Attachment,
    ) -> Result<Applied, CloudError> {
        let name = self.our_holder("Attach", holder).await?;
        let (name, what) = (name.as_str(), attachment.name.as_str());
        let content = attachment.content.clone().unwrap_or_default();
        match (holder.kind, attachment.kind.as_str()) {
            (HolderKind::Role, INLINE) => {
                let call = self.iam().put_role_policy().role_name(name).policy_name(what);
                let call = call.policy_document(content).send();
                write("PutRolePolicy", name, call).await.map(|reply| done(&reply))
            }
            (HolderKind::Role, MANAGED) => {
                let call = self.iam().attach_role_policy().role_name(name).policy_arn(what).send();
                write("AttachRolePolicy", name, call).await.map(|reply| done(&reply))
            }
            (kind, word) => {
                Err(invalid("Attach", name, format!("nothing attaches {word} to a {kind:?}")))
            }
        }
    }

    pub(super) async fn detach(
        &self,
        holder: &Holder<'_>,
        attachment: &Attachment,
    ) -> Result<Applied, CloudError> {
        let name = self.our_holder("Detach", holder).await?;
        let (name, what) = (name.as_str(), attachment.name.as_str());
        let (hub, own) = (self.hub_iam(), self.iam());
        match (holder.kind, attachment.kind.as_str()) {
            (HolderKind::User, INLINE) => {
                let call = hub.delete_user_policy().user_name(name).policy_name(what).send();
                write("DeleteUserPolicy", name, call).await.map(|reply| done(&reply))
            }
            (HolderKind::User, MANAGED) => {
                let call = hub.detach_user_policy().user_name(name).policy_arn(what).send();
                write("DetachUserPolicy", name, call).await.map(|reply| done(&reply))
            }
            (HolderKind::User, USER_BOUNDARY) => {
                let call = hub.delete_user_permissions_boundary().user_name(name).send();
                write("DeleteUserPermissionsBoundary", name, call).await.map(|reply| done(&reply))
            }
            (HolderKind::Group, INLINE) if what == hub::inline_name() => {
                let seen = self.known_group(holder.id).await?;
                self.remove_from_documents(holder.id, &seen, |one| one.other.take().is_some()).await
            }
            (HolderKind::Group, ASSUME_ROLE) => {
                let seen = self.known_group(holder.id).await?;
                self.remove_from_documents(holder.id, &seen, |one| one.roles.remove(what)).await
            }
            (HolderKind::Group, INLINE) => {
                let call = hub.delete_group_policy().group_name(name).policy_name(what).send();
                write("DeleteGroupPolicy", name, call).await.map(|reply| done(&reply))
            }
            (HolderKind::Group, MANAGED) if hub::document_number(what, holder.id).is_some() => {
                self.delete_unattached(what, holder.id).await
            }
            (HolderKind::Group, MANAGED) => {
                let call = hub.detach_group_policy().group_name(name).policy_arn(what).send();
                write("DetachGroupPolicy", name, call).await.map(|reply| done(&reply))
            }
            (HolderKind::Role, INLINE) => {
                let call = own.delete_role_policy().role_name(name).policy_name(what).send();
                write("DeleteRolePolicy", name, call).await.map(|reply| done(&reply))
            }
            (HolderKind::Role, MANAGED) => {
                let call = own.detach_role_policy().role_name(name).policy_arn(what).send();
                write("DetachRolePolicy", name, call).await.map(|reply| done(&reply))
            }
            (kind, word) => {
                Err(invalid("Detach", name, format!("nothing detaches {word} from a {kind:?}")))
            }
        }
    }

    /// The managed policies that there are not. One call for each.
    pub(super) async fn doubtful_policies(
        &self,
        attachments: &[Attachment],
    ) -> Vec<(Attachment, Doubt)> {
        let mut doubtful = Vec::new();
        for attachment in attachments.iter().filter(|one| one.kind.as_str() == MANAGED) {
            let doubt = policy_doubt(self.iam(), attachment.name.as_str()).await;
            doubtful.extend(doubt.map(|doubt| (attachment.clone(), doubt)));
        }
        doubtful
    }

    /// Whether something of that kind and name is attached; with content only if it says that.
    pub(super) async fn has_attachment(&self, held: &HeldAttachment) -> Result<bool, CloudError> {
        let Attachment { kind, name, content } = &held.attachment;
        match (held.holder_kind, kind.as_str()) {
            (HolderKind::Group, INLINE | ASSUME_ROLE)
                if kind.as_str() == ASSUME_ROLE || name.as_str() == hub::inline_name() =>
            {
                let seen = self.known_group(&held.holder).await?;
                let documents = self.hub.fetch_documents(&held.holder, &seen.name).await?;
                let found = |one: &AssumeDocument| match kind.as_str() {
                    ASSUME_ROLE => one.roles.contains(name.as_str()),
                    _ => match (content, &one.other) {
                        (None, other) => other.is_some(),
                        (Some(wanted), Some(other)) => wanted == other,
                        (Some(_), None) => false,
                    },
                };
                Ok(documents.values().any(found))
            }
            (_, INLINE) => {
                let found = self.inline_policy(held).await?;
                let wanted = content.as_deref();
                Ok(wanted.is_none_or(|wanted| same_document(wanted, &document::decode(&found))))
            }
            (HolderKind::Group, MANAGED)
                if hub::document_number(name.as_str(), &held.holder).is_some() =>
            {
                // A binding took it up again: it is a document, and no attachment any more.
                if self.is_in_use(name.as_str(), &held.holder).await {
                    return Ok(false);
                }
                // One that is attached to nothing is there to be detached as well.
                Ok(self.has_managed(held).await? || self.is_there(name.as_str()).await?)
            }
            (_, MANAGED) => self.has_managed(held).await,
            (HolderKind::User, USER_BOUNDARY) => {
                let user = self.known_user(&held.holder).await?.name;
                let call = self.hub_iam().get_user().user_name(&user).send();
                let reply = read("GetUser", &user, call).await?;
                let boundary = reply.user.and_then(|user| user.permissions_boundary);
                let arn = boundary.and_then(|boundary| boundary.permissions_boundary_arn);
                Ok(arn.as_deref() == Some(name.as_str()))
            }
            _ => Ok(false),
        }
    }

    async fn inline_policy(&self, held: &HeldAttachment) -> Result<String, CloudError> {
        let policy = held.attachment.name.as_str();
        match held.holder_kind {
            HolderKind::User => {
                let name = self.known_user(&held.holder).await?.name;
                let call = self.hub_iam().get_user_policy().user_name(&name).policy_name(policy);
                let reply = read("GetUserPolicy", &name, call.send()).await?;
                Ok(reply.policy_document)
            }
            HolderKind::Group => {
                let name = self.known_group(&held.holder).await?.name;
                let call = self.hub_iam().get_group_policy().group_name(&name).policy_name(policy);
                let reply = read("GetGroupPolicy", &name, call.send()).await?;
                Ok(reply.policy_document)
            }
            HolderKind::Role => {
                let name = self.known_role(&held.holder).await?.name;
                let call = self.iam().get_role_policy().role_name(&name).policy_name(policy);
                let reply = read("GetRolePolicy", &name, call.send()).await?;
                Ok(reply.policy_document)
            }
        }
    }

    async fn has_managed(&self, held: &HeldAttachment) -> Result<bool, CloudError> {
        let attached = match held.holder_kind {
            HolderKind::User => {
                self.attached_to_user(&self.known_user(&held.holder).await?.name).await?
            }
            HolderKind::Group => {
                let name = self.known_group(&held.holder).await?.name;
                self.hub.attached_to_group(&name).await?
            }
            HolderKind::Role => {
                self.attached_to_role(&self.known_role(&held.holder).await?.name).await?
            }
        };
        Ok(attached.iter().any(|arn| arn == held.attachment.name.as_str()))
    }

    async fn attached_to_user(&self, name: &str) -> Result<Vec<String>, CloudError> {
        let mut all = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListAttachedUserPolicies", name);
        while pages.more() {
            let call = self.hub_iam().list_attached_user_policies().user_name(name);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, name, call.send()).await?;
            let policies = reply.attached_policies.unwrap_or_default();
            all.extend(policies.into_iter().filter_map(|policy| policy.policy_arn));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }

    async fn attached_to_role(&self, name: &str) -> Result<Vec<String>, CloudError> {
        let mut all = Vec::new();
        let mut pages = Pages::new(self.session(), "ListAttachedRolePolicies", name);
        while pages.more() {
            let call = self.iam().list_attached_role_policies().role_name(name);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, name, call.send()).await?;
            let policies = reply.attached_policies.unwrap_or_default();
            all.extend(policies.into_iter().filter_map(|policy| policy.policy_arn));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }
}

/// Whether there is a managed policy, as far as that can be told.
pub async fn policy_doubt(iam: &aws_sdk_iam::Client, arn: &str) -> Option<Doubt> {
    let call = iam.get_policy().policy_arn(arn).send();
    match read("GetPolicy", arn, call).await {
        Ok(_) => None,
        Err(error) if error.kind == ErrorKind::NotFound => Some(Doubt::Unknown),
        Err(error) => Some(Doubt::Untold(error.to_string())),
    }
}
