//! What is attached to permission sets: managed policies, an inline policy, a boundary.

use aws_sdk_ssoadmin::error::BuildError;
use aws_sdk_ssoadmin::types::{CustomerManagedPolicyReference, PermissionsBoundary};

use super::client::Client;
use super::error::unbuilt;
use super::hub::Page;
use super::observe::gather;
use super::realise::{
    BOUNDARY_KIND, BOUNDARY_NAME, INLINE_KIND, INLINE_NAME, MANAGED_KIND, Policy,
};
use crate::cloud::aws::attachments::policy_doubt;
use crate::cloud::aws::document;
use crate::cloud::aws::error::{done, read, write};
use crate::cloud::{Applied, CloudError, ErrorKind, Retry};
use crate::model::{
    Attachment, Doubt, HeldAttachment, HolderKind, Missing, Observed, RoleSpec, Subject, VendorId,
};

impl Client {
    /// What is attached to permission sets of ours.
    pub(super) async fn list_attachments(
        &self,
        sets: &[Observed<RoleSpec>],
        missing: &mut Vec<Missing>,
    ) -> Vec<HeldAttachment> {
        let ours = sets.iter().filter(|set| set.ownership.subject().is_some());
        let ours: Vec<VendorId> = ours.map(|set| set.id.clone()).collect();
        let lists = ours.into_iter().map(|set| async move {
            let mut missing = Vec::new();
            let attached = self.attached_to(&set, &mut missing).await;
            let held = attached.into_iter().map(|attachment| HeldAttachment {
                holder_kind: HolderKind::Role,
                holder: set.clone(),
                attachment,
            });
            (held.collect(), missing)
        });
        let mut held = gather(lists, missing).await;
        held.sort();
        held
    }

    async fn attached_to(&self, set: &VendorId, missing: &mut Vec<Missing>) -> Vec<Attachment> {
        let partition = partition(set);
        let what = format!("managed policies of {set}");
        let page = |token| self.managed_page(set, token);
        let managed = self.hub.pages(&what, missing, page).await;
        let mut attached: Vec<Attachment> = managed.into_iter().map(Policy::attachment).collect();
        let what = format!("policies of the accounts that {set} refers to");
        let page = |token| self.referred_page(set, token);
        let referred = self.hub.pages(&what, missing, page).await;
        attached.extend(referred.iter().map(|one| of_reference(partition, one).attachment()));
        let one_by_one = [
            self.hub.patiently(|| self.inline(set)).await,
            self.hub.patiently(|| self.boundary(set)).await,
        ];
        for found in one_by_one {
            match found {
                Ok(found) => attached.extend(found),
                Err(error) => {
                    missing.push(Missing::new(format!("policies of {set}"), error.to_string()));
                }
            }
        }
        attached
    }

    async fn managed_page(
        &self,
        set: &VendorId,
        token: Option<String>,
    ) -> Result<Page<Policy>, CloudError> {
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.list_managed_policies_in_permission_set();
        let call = call.instance_arn(instance).permission_set_arn(set.as_str());
        let call = call.set_next_token(token).set_max_results(self.hub.page_size).send();
        let reply = read("ListManagedPoliciesInPermissionSet", set.as_str(), call).await?;
        let policies = reply.attached_managed_policies.map(|policies| {
            policies.into_iter().filter_map(|policy| policy.arn).map(Policy::Aws).collect()
        });
        Ok(Page::new(policies, reply.next_token))
    }

    async fn referred_page(
        &self,
        set: &VendorId,
        token: Option<String>,
    ) -> Result<Page<CustomerManagedPolicyReference>, CloudError> {
        let operation = "ListCustomerManagedPolicyReferencesInPermissionSet";
        let instance = &self.hub.instance().await?.arn;
        let center = self.hub.center().await;
        let call = center.list_customer_managed_policy_references_in_permission_set();
        let call = call.instance_arn(instance).permission_set_arn(set.as_str());
        let call = call.set_next_token(token).set_max_results(self.hub.page_size).send();
        let reply = read(operation, set.as_str(), call).await?;
        Ok(Page::new(reply.customer_managed_policy_references, reply.next_token))
    }

    async fn inline(&self, set: &VendorId) -> Result<Option<Attachment>, CloudError> {
        let operation = "GetInlinePolicyForPermissionSet";
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.get_inline_policy_for_permission_set();
        let call = call.instance_arn(instance).permission_set_arn(set.as_str()).send();
        let text = read(operation, set.as_str(), call).await?.inline_policy;
        // None is told as an empty text.
        let text = text.filter(|text| !text.is_empty());
        Ok(text.map(|text| Attachment {
            kind: INLINE_KIND.into(),
            name: INLINE_NAME.into(),
            content: Some(document::normal(&text)),
        }))
    }

    async fn boundary(&self, set: &VendorId) -> Result<Option<Attachment>, CloudError> {
        let operation = "GetPermissionsBoundaryForPermissionSet";
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.get_permissions_boundary_for_permission_set();
        let call = call.instance_arn(instance).permission_set_arn(set.as_str()).send();
        let found = match read(operation, set.as_str(), call).await {
            Ok(reply) => reply.permissions_boundary,
            // None is told as an error.
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let policy = found.and_then(|found| match found {
            PermissionsBoundary { managed_policy_arn: Some(arn), .. } => Some(Policy::Aws(arn)),
            PermissionsBoundary { customer_managed_policy_reference: Some(one), .. } => {
                Some(of_reference(partition(set), &one))
            }
            _ => None,
        });
        Ok(policy.map(|policy| Attachment {
            kind: BOUNDARY_KIND.into(),
            name: BOUNDARY_NAME.into(),
            content: Some(policy.to_string()),
        }))
    }

    /// Whether something is attached, with the content asked for if there is one.
    pub(super) async fn is_attached(&self, held: &HeldAttachment) -> Result<bool, CloudError> {
        if held.holder_kind != HolderKind::Role {
            return Ok(false);
        }
        super::roles::must_be_set("ListManagedPoliciesInPermissionSet", &held.holder)?;
        let mut missing = Vec::new();
        let attached = self.attached_to(&held.holder, &mut missing).await;
        let wanted = &held.attachment;
        let there = attached.iter().any(|one| {
            one.kind == wanted.kind
                && one.name == wanted.name
                && (wanted.content.is_none() || one.content == wanted.content)
        });
        match missing.pop() {
            Some(missing) if !there => {
                let (operation, object) = ("ListPolicies", held.holder.as_str());
                let message = missing.to_string();
                Err(CloudError::new(ErrorKind::Unavailable, operation, object, message))
            }
            _ => Ok(there),
        }
    }

    /// The managed policies that there are not, attached or as a boundary. One call for each, as far
    /// as the hub's credentials reach: AWS's own are the same everywhere, others each account has of
    /// its own.
    pub(super) async fn doubtful_policies(
        &self,
        attachments: &[Attachment],
    ) -> Vec<(Attachment, Doubt)> {
        let mut doubtful = Vec::new();
        for attachment in attachments {
            let Some(policy) = managed(attachment) else { continue };
            let doubt = self.policy_doubt(&policy).await;
            doubtful.extend(doubt.map(|doubt| (attachment.clone(), doubt)));
        }
        doubtful
    }

    async fn policy_doubt(&self, policy: &Policy) -> Option<Doubt> {
        let hub = &self.hub.account;
        let arn = match policy {
            Policy::Aws(arn) => return policy_doubt(&self.hub.session.reads, arn).await,
            Policy::Own { .. } => policy.to_string().replace("{account}", hub),
        };
        match policy_doubt(&self.hub.session.reads, &arn).await? {
            Doubt::Unknown => Some(Doubt::Untold(format!(
                "each account has its own; {hub} has none of that name, and others are not looked at"
            ))),
            untold @ Doubt::Untold(_) => Some(untold),
        }
    }

    /// Attaches or replaces, and brings it to the accounts.
    pub(super) async fn attach(
        &self,
        set: &VendorId,
        subject: &Subject,
        attachment: &Attachment,
    ) -> Result<Applied, CloudError> {
        self.our_set("Attach", set, Some(subject)).await?;
        let applied = match self.put(set, attachment).await {
            // There already, maybe by us and not yet brought to the accounts.
            Err(error)
                if error.kind == ErrorKind::Conflict && self.has(set, attachment).await? =>
            {
                Applied::default()
            }
            result => result?,
        };
        match self.provision(set).await {
            Err(error) if error.retry() == Retry::Never && is_of_accounts(attachment) => {
                // An account has no policy of that name. As long as the set refers to it nothing can
                // be brought there, and a later run would take off what it replaces.
                if let Err(second) = self.remove(set, attachment).await {
                    tracing::warn!("{set} still refers to {}: {second}", attachment.name);
                }
                Err(error)
            }
            result => result.map(|_| applied),
        }
    }

    /// Detaches, and brings that to the accounts.
    pub(super) async fn detach(
        &self,
        set: &VendorId,
        subject: &Subject,
        attachment: &Attachment,
    ) -> Result<Applied, CloudError> {
        self.our_set("Detach", set, Some(subject)).await?;
        let applied = match self.remove(set, attachment).await {
            // Gone already, maybe by us and not yet brought to the accounts.
            Err(error) if error.kind == ErrorKind::NotFound => Applied::default(),
            result => result?,
        };
        self.provision(set).await?;
        Ok(applied)
    }

    async fn has(&self, set: &VendorId, attachment: &Attachment) -> Result<bool, CloudError> {
        let (holder_kind, holder) = (HolderKind::Role, set.clone());
        self.is_attached(&HeldAttachment { holder_kind, holder, attachment: attachment.clone() })
            .await
    }

    async fn put(&self, set: &VendorId, attachment: &Attachment) -> Result<Applied, CloudError> {
        let (object, instance) = (set.as_str(), &self.hub.instance().await?.arn);
        let center = self.hub.center().await;
        let content = attachment.content.as_deref().unwrap_or_default();
        match attachment.kind.as_str() {
            MANAGED_KIND => match Policy::parse(attachment.name.as_str()) {
                Policy::Aws(arn) => {
                    let call = center.attach_managed_policy_to_permission_set();
                    let call = call.instance_arn(instance).permission_set_arn(object);
                    let call = call.managed_policy_arn(arn).send();
                    write("AttachManagedPolicyToPermissionSet", object, call)
                        .await
                        .map(|reply| done(&reply))
                }
                own @ Policy::Own { .. } => {
                    let operation = "AttachCustomerManagedPolicyReferenceToPermissionSet";
                    let one = to_reference(&own).map_err(unbuilt(operation, object))?;
                    let call = center.attach_customer_managed_policy_reference_to_permission_set();
                    let call = call.instance_arn(instance).permission_set_arn(object);
                    let call = call.customer_managed_policy_reference(one).send();
                    write(operation, object, call).await.map(|reply| done(&reply))
                }
            },
            INLINE_KIND => {
                let call = center.put_inline_policy_to_permission_set().instance_arn(instance);
                let call = call.permission_set_arn(object).inline_policy(content).send();
                write("PutInlinePolicyToPermissionSet", object, call)
                    .await
                    .map(|reply| done(&reply))
            }
            BOUNDARY_KIND => {
                let operation = "PutPermissionsBoundaryToPermissionSet";
                let boundary = match Policy::parse(content) {
                    Policy::Aws(arn) => PermissionsBoundary::builder().managed_policy_arn(arn),
                    own @ Policy::Own { .. } => PermissionsBoundary::builder()
                        .customer_managed_policy_reference(
                            to_reference(&own).map_err(unbuilt(operation, object))?,
                        ),
                };
                let call = center.put_permissions_boundary_to_permission_set();
                let call = call.instance_arn(instance).permission_set_arn(object);
                let call = call.permissions_boundary(boundary.build()).send();
                write(operation, object, call).await.map(|reply| done(&reply))
            }
            _ => Err(unknown(set, attachment)),
        }
    }

    async fn remove(&self, set: &VendorId, attachment: &Attachment) -> Result<Applied, CloudError> {
        let (object, instance) = (set.as_str(), &self.hub.instance().await?.arn);
        let center = self.hub.center().await;
        match attachment.kind.as_str() {
            MANAGED_KIND => match Policy::parse(attachment.name.as_str()) {
                Policy::Aws(arn) => {
                    let call = center.detach_managed_policy_from_permission_set();
                    let call = call.instance_arn(instance).permission_set_arn(object);
                    let call = call.managed_policy_arn(arn).send();
                    write("DetachManagedPolicyFromPermissionSet", object, call)
                        .await
                        .map(|reply| done(&reply))
                }
                own @ Policy::Own { .. } => {
                    let operation = "DetachCustomerManagedPolicyReferenceFromPermissionSet";
                    let one = to_reference(&own).map_err(unbuilt(operation, object))?;
                    let call =
                        center.detach_customer_managed_policy_reference_from_permission_set();
                    let call = call.instance_arn(instance).permission_set_arn(object);
                    let call = call.customer_managed_policy_reference(one).send();
                    write(operation, object, call).await.map(|reply| done(&reply))
                }
            },
            INLINE_KIND => {
                let call = center.delete_inline_policy_from_permission_set();
                let call = call.instance_arn(instance).permission_set_arn(object).send();
                write("DeleteInlinePolicyFromPermissionSet", object, call)
                    .await
                    .map(|reply| done(&reply))
            }
            BOUNDARY_KIND => {
                let call = center.delete_permissions_boundary_from_permission_set();
                let call = call.instance_arn(instance).permission_set_arn(object).send();
                write("DeletePermissionsBoundaryFromPermissionSet", object, call)
                    .await
                    .map(|reply| done(&reply))
            }
            _ => Err(unknown(set, attachment)),
        }
    }
}

/// The policy that is an object of its own, of an attachment that is one.
fn managed(attachment: &Attachment) -> Option<Policy> {
    match attachment.kind.as_str() {
        MANAGED_KIND => Some(Policy::parse(attachment.name.as_str())),
        BOUNDARY_KIND => attachment.content.as_deref().map(Policy::parse),
        _ => None,
    }
}

/// Whether each account must have a policy of its own for it.
fn is_of_accounts(attachment: &Attachment) -> bool {
    attachment.kind.as_str() == MANAGED_KIND
        && matches!(Policy::parse(attachment.name.as_str()), Policy::Own { .. })
}

fn unknown(set: &VendorId, attachment: &Attachment) -> CloudError {
    let message = format!("a permission set has nothing of kind {}", attachment.kind);
    CloudError::new(ErrorKind::Invalid, "Prepare", set.as_str(), message)
}

/// The partition a permission set is in.
fn partition(set: &VendorId) -> &str {
    set.as_str().split(':').nth(1).unwrap_or("aws")
}

fn of_reference(partition: &str, one: &CustomerManagedPolicyReference) -> Policy {
    Policy::Own {
        partition: partition.to_owned(),
        path: one.path().unwrap_or("/").to_owned(),
        name: one.name.clone(),
    }
}

fn to_reference(policy: &Policy) -> Result<CustomerManagedPolicyReference, BuildError> {
    let (path, name) = match policy {
        Policy::Own { path, name, .. } => (path.as_str(), name.as_str()),
        Policy::Aws(arn) => ("/", arn.as_str()),
    };
    CustomerManagedPolicyReference::builder().path(path).name(name).build()
}
