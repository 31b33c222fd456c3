//! Users, groups and who is in which.

use aws_sdk_iam::types::Tag;
use jiff::civil::Date;

use super::client::{Client, changed_since, gone, invalid, made};
use super::config::SUSPENDED_TAG;
use super::convert;
use super::error::{done, read, write};
use super::identity;
use super::known::Seen;
use super::pages::Pages;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{
    Access, GroupSpec, HolderKind, Membership, Observed, Subject, UserSpec, VendorId,
};
use crate::plan::Target;

impl Client {
    pub(super) fn remember_user(&self, user: &Observed<UserSpec>, arn: String) {
        let name = user.spec.name.to_string();
        let seen = Seen { name, arn, ownership: user.ownership.clone() };
        self.hub.users.put(user.id.clone(), seen);
    }

    pub(super) fn remember_group(&self, group: &Observed<GroupSpec>, arn: String) {
        let name = group.spec.name.to_string();
        let seen = Seen { name, arn, ownership: group.ownership.clone() };
        self.hub.groups.put(group.id.clone(), seen);
    }

    /// A user by its name, with its ARN.
    pub(super) async fn user_named(
        &self,
        name: &str,
    ) -> Result<(Observed<UserSpec>, String), CloudError> {
        let reply = read("GetUser", name, self.hub_iam().get_user().user_name(name).send()).await?;
        let user = reply.user.ok_or_else(|| invalid("GetUser", name, "the reply has no user"))?;
        let tags = user.tags.as_deref().unwrap_or_default();
        let found =
            convert::user(&user.user_id, &user.user_name, &user.path, tags, &self.organisation);
        Ok((found, user.arn))
    }

    /// A user by its id; `None` if there is none of that id, whatever has its name.
    pub(super) async fn find_user(
        &self,
        id: &VendorId,
    ) -> Result<Option<(Observed<UserSpec>, String)>, CloudError> {
        if let Some(seen) = self.hub.users.get(id) {
            match self.user_named(&seen.name).await {
                Ok((user, arn)) if user.id == *id => {
                    self.remember_user(&user, arn.clone());
                    return Ok(Some((user, arn)));
                }
                Ok(_) => {}
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            // It is gone, or somebody renamed it.
            self.hub.users.drop(id);
        }
        match self.known_user(id).await {
            Ok(seen) => {
                let (user, arn) = self.user_named(&seen.name).await?;
                Ok((user.id == *id).then_some((user, arn)))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A user of ours as it is now.
    pub(super) async fn our_user(
        &self,
        operation: &'static str,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<UserSpec, CloudError> {
        let (user, _) = self.find_user(id).await?.ok_or_else(|| gone(operation, id))?;
        self.must_be_ours(operation, id.as_str(), &user.ownership, Some(subject))?;
        Ok(user.spec)
    }

    pub(super) async fn create_user(
        &self,
        subject: &Subject,
        spec: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let name = spec.name.as_str();
        let mark = self.mark(subject);
        let tags = identity::tags(&mark)
            .map_err(|error| invalid("PrepareTags", name, error.to_string()))?;
        let call = self
            .hub_iam()
            .create_user()
            .user_name(name)
            .path(identity::path_of(&self.organisation))
            .set_tags(Some(tags.clone()))
            .send();
        let reply = write("CreateUser", name, call).await?;
        let Some(user) = &reply.user else { return Ok(done(&reply)) };
        let found = convert::user(&user.user_id, name, &user.path, &tags, &self.organisation);
        self.remember_user(&found, user.arn.clone());
        Ok(made(&user.user_id, &reply))
    }

    pub(super) async fn update_user(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &UserSpec,
        after: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "UpdateUser";
        let now = self.our_user(operation, id, subject).await?;
        if now.name == after.name {
            return Ok(Applied::default());
        }
        if now.name != before.name {
            return Err(changed_since(operation, id.as_str()));
        }
        let call = self
            .hub_iam()
            .update_user()
            .user_name(now.name.as_str())
            .new_user_name(after.name.as_str())
            .send();
        let reply = write(operation, now.name.as_str(), call).await?;
        self.rename_user(id, after.name.as_str());
        Ok(done(&reply))
    }

    fn rename_user(&self, id: &VendorId, name: &str) {
        if let Some(seen) = self.hub.users.get(id) {
            self.hub.users.put(id.clone(), Seen { name: name.to_owned(), ..seen });
        }
    }

    pub(super) async fn suspend(
        &self,
        id: &VendorId,
        subject: &Subject,
        on: Date,
    ) -> Result<Applied, CloudError> {
        let operation = "TagUser";
        let now = self.our_user(operation, id, subject).await?;
        if now.access == Access::Enabled.suspended(on) {
            return Ok(Applied::default());
        }
        let tag = Tag::builder().key(SUSPENDED_TAG).value(on.to_string()).build();
        let tag = tag.map_err(|error| invalid(operation, id.as_str(), error.to_string()))?;
        let name = now.name.as_str();
        let call = self.hub_iam().tag_user().user_name(name).tags(tag).send();
        write(operation, name, call).await.map(|reply| done(&reply))
    }

    pub(super) async fn restore(
        &self,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<Applied, CloudError> {
        let operation = "UntagUser";
        let now = self.our_user(operation, id, subject).await?;
        if now.access == Access::Enabled {
            return Ok(Applied::default());
        }
        let name = now.name.as_str();
        let call = self.hub_iam().untag_user().user_name(name).tag_keys(SUSPENDED_TAG).send();
        write(operation, name, call).await.map(|reply| done(&reply))
    }

    pub(super) async fn delete_user(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &UserSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "DeleteUser";
        let now = self.our_user(operation, id, subject).await?;
        if now != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let name = now.name.as_str();
        let call = self.hub_iam().delete_user().user_name(name).send();
        match write(operation, name, call).await {
            Ok(reply) => Ok(done(&reply)),
            Err(error) => Err(self.with_blockers(error, HolderKind::User, name).await),
        }
    }

    /// A group by its name.
    pub(super) async fn group_named(&self, name: &str) -> Result<Observed<GroupSpec>, CloudError> {
        let call = self.hub_iam().get_group().group_name(name).max_items(1).send();
        let reply = read("GetGroup", name, call).await?;
        let group =
            reply.group.ok_or_else(|| invalid("GetGroup", name, "the reply has no group"))?;
        let found =
            convert::group(&group.group_id, &group.group_name, &group.path, &self.organisation);
        self.remember_group(&found, group.arn);
        Ok(found)
    }

    /// A group by its id; `None` if there is none of that id.
    pub(super) async fn find_group(
        &self,
        id: &VendorId,
    ) -> Result<Option<Observed<GroupSpec>>, CloudError> {
        if let Some(seen) = self.hub.groups.get(id) {
            match self.group_named(&seen.name).await {
                Ok(group) if group.id == *id => return Ok(Some(group)),
                Ok(_) => {}
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            self.hub.groups.drop(id);
        }
        match self.known_group(id).await {
            Ok(seen) => {
                let group = self.group_named(&seen.name).await?;
                Ok((group.id == *id).then_some(group))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn our_group(
        &self,
        operation: &'static str,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<GroupSpec, CloudError> {
        let group = self.find_group(id).await?.ok_or_else(|| gone(operation, id))?;
        self.must_be_ours(operation, id.as_str(), &group.ownership, Some(subject))?;
        Ok(group.spec)
    }

    pub(super) async fn create_group(
        &self,
        subject: &Subject,
        spec: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let name = spec.name.as_str();
        let path = identity::group_path(&self.organisation, subject);
        let call = self.hub_iam().create_group().group_name(name).path(&path).send();
        let reply = write("CreateGroup", name, call).await?;
        let Some(group) = &reply.group else { return Ok(done(&reply)) };
        let found = convert::group(&group.group_id, name, &path, &self.organisation);
        self.remember_group(&found, group.arn.clone());
        self.hub.is_new(&found.id);
        Ok(made(&group.group_id, &reply))
    }

    pub(super) async fn update_group(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &GroupSpec,
        after: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "UpdateGroup";
        let now = self.our_group(operation, id, subject).await?;
        let GroupSpec { name } = after;
        if now.name == *name {
            return Ok(Applied::default());
        }
        if now != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let call = self
            .hub_iam()
            .update_group()
            .group_name(now.name.as_str())
            .new_group_name(name.as_str())
            .send();
        let reply = write(operation, now.name.as_str(), call).await?;
        if let Some(seen) = self.hub.groups.get(id) {
            self.hub.groups.put(id.clone(), Seen { name: name.to_string(), ..seen });
        }
        Ok(done(&reply))
    }

    /// Refused by IAM while anybody is in it or anything is attached to it.
    pub(super) async fn delete_group(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &GroupSpec,
    ) -> Result<Applied, CloudError> {
        let operation = "DeleteGroup";
        let now = self.our_group(operation, id, subject).await?;
        if now != *before {
            return Err(changed_since(operation, id.as_str()));
        }
        let name = now.name.as_str();
        let call = self.hub_iam().delete_group().group_name(name).send();
        match write(operation, name, call).await {
            Ok(reply) => Ok(done(&reply)),
            Err(error) => Err(self.with_blockers(error, HolderKind::Group, name).await),
        }
    }

    /// Both must be ours, as this run has seen or made them: nobody else's user gets anything
    /// from us. One call, because there may be thousands.
    pub(super) async fn add_member(
        &self,
        group: &VendorId,
        user: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = "AddUserToGroup";
        let to = self.known_group(group).await?;
        self.must_be_ours(operation, &to.name, &to.ownership, None)?;
        let who = self.known_user(user).await?;
        self.must_be_ours(operation, &who.name, &who.ownership, None)?;
        let call =
            self.hub_iam().add_user_to_group().group_name(&to.name).user_name(&who.name).send();
        write(operation, &who.name, call).await.map(|reply| done(&reply))
    }

    /// A membership is its group's: the group must be ours; except that a user of ours may leave
    /// any group.
    pub(super) async fn remove_member(
        &self,
        group: &VendorId,
        user: &VendorId,
        group_target: &Target,
        user_target: &Target,
        subject: Option<&Subject>,
    ) -> Result<Applied, CloudError> {
        let operation = "RemoveUserFromGroup";
        let from = self.known_group(group).await?;
        let who = self.known_user(user).await?;
        match self.must_be_ours(operation, group_target.name.as_str(), &from.ownership, None) {
            Err(_) if subject.is_some() => {
                let name = user_target.name.as_str();
                self.must_be_ours(operation, name, &who.ownership, subject)?;
            }
            result => result?,
        }
        let call = self
            .hub_iam()
            .remove_user_from_group()
            .group_name(&from.name)
            .user_name(&who.name)
            .send();
        write(operation, &who.name, call).await.map(|reply| done(&reply))
    }

    /// Whether a user is in a group: a user is in at most ten or so, a group may have thousands.
    pub(super) async fn is_member(&self, membership: &Membership) -> Result<bool, CloudError> {
        let who = self.known_user(&membership.user).await?;
        let mut pages = Pages::new(&self.hub.session, "ListGroupsForUser", &who.name);
        while pages.more() {
            let call = self
                .hub_iam()
                .list_groups_for_user()
                .user_name(&who.name)
                .max_items(pages.size())
                .set_marker(pages.marker());
            let reply = read(pages.operation, &who.name, call.send()).await?;
            if reply.groups.iter().any(|group| group.group_id == membership.group.as_str()) {
                return Ok(true);
            }
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(false)
    }
}
