//! What hangs on something that IAM refuses to delete for that reason: its own words name nothing.

use super::client::Client;
use super::error::read;
use crate::cloud::{CloudError, ErrorKind};
use crate::model::HolderKind;

/// What a list gave, or why it could not be had.
type Found = Result<Vec<String>, CloudError>;

impl Client {
    /// The refusal with what is in the way, as far as it can be seen: some calls more, and only for
    /// a refusal. Of a list the first page is enough, and what may not be listed is not named.
    pub(super) async fn with_blockers(
        &self,
        error: CloudError,
        kind: HolderKind,
        name: &str,
    ) -> CloudError {
        if error.kind != ErrorKind::HasDependents {
            return error;
        }
        let found = match kind {
            HolderKind::User => vec![
                ("group", self.groups_with(name).await),
                ("policy", self.managed_of_user(name).await),
                ("inline policy", self.inline_of_user(name).await),
                ("access key", self.access_keys(name).await),
                ("password of", self.login_profile(name).await),
                ("second factor", self.mfa_devices(name).await),
                ("SSH key", self.ssh_keys(name).await),
                ("certificate", self.signing_certificates(name).await),
                ("service credential", self.service_credentials(name).await),
            ],
            HolderKind::Group => vec![
                ("member", self.members_of(name).await),
                ("policy", self.managed_of_group(name).await),
                ("inline policy", self.inline_of_group(name).await),
            ],
            HolderKind::Role => vec![
                ("instance profile", self.profiles_with(name).await),
                ("policy", self.managed_of_role(name).await),
                ("inline policy", self.inline_of_role(name).await),
            ],
        };
        let blockers: Vec<String> = found
            .into_iter()
            .flat_map(|(what, found)| {
                let names = found.unwrap_or_default().into_iter();
                names.map(move |name| format!("{what} `{name}`"))
            })
            .collect();
        error.blocked_by(&blockers)
    }

    async fn groups_with(&self, name: &str) -> Found {
        let call = self.hub_iam().list_groups_for_user().user_name(name).send();
        let reply = read("ListGroupsForUser", name, call).await?;
        Ok(reply.groups.into_iter().map(|group| group.group_name).collect())
    }

    async fn members_of(&self, name: &str) -> Found {
        let reply = read("GetGroup", name, self.hub_iam().get_group().group_name(name).send());
        Ok(reply.await?.users.into_iter().map(|user| user.user_name).collect())
    }

    async fn profiles_with(&self, name: &str) -> Found {
        let call = self.iam().list_instance_profiles_for_role().role_name(name).send();
        let reply = read("ListInstanceProfilesForRole", name, call).await?;
        let profiles = reply.instance_profiles.into_iter();
        Ok(profiles.map(|profile| profile.instance_profile_name).collect())
    }

    async fn managed_of_user(&self, name: &str) -> Found {
        let call = self.hub_iam().list_attached_user_policies().user_name(name).send();
        let reply = read("ListAttachedUserPolicies", name, call).await?;
        let policies = reply.attached_policies.unwrap_or_default().into_iter();
        Ok(policies.filter_map(|policy| policy.policy_name).collect())
    }

    async fn managed_of_group(&self, name: &str) -> Found {
        let call = self.hub_iam().list_attached_group_policies().group_name(name).send();
        let reply = read("ListAttachedGroupPolicies", name, call).await?;
        let policies = reply.attached_policies.unwrap_or_default().into_iter();
        Ok(policies.filter_map(|policy| policy.policy_name).collect())
    }

    async fn managed_of_role(&self, name: &str) -> Found {
        let call = self.iam().list_attached_role_policies().role_name(name).send();
        let reply = read("ListAttachedRolePolicies", name, call).await?;
        let policies = reply.attached_policies.unwrap_or_default().into_iter();
        Ok(policies.filter_map(|policy| policy.policy_name).collect())
    }

    async fn inline_of_user(&self, name: &str) -> Found {
        let call = self.hub_iam().list_user_policies().user_name(name).send();
        Ok(read("ListUserPolicies", name, call).await?.policy_names)
    }

    async fn inline_of_group(&self, name: &str) -> Found {
        let call = self.hub_iam().list_group_policies().group_name(name).send();
        Ok(read("ListGroupPolicies", name, call).await?.policy_names)
    }

    async fn inline_of_role(&self, name: &str) -> Found {
        let call = self.iam().list_role_policies().role_name(name).send();
        Ok(read("ListRolePolicies", name, call).await?.policy_names)
    }
}
