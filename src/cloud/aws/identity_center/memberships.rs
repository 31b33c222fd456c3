//! Who is in which group.

use aws_sdk_identitystore::types::{GroupMembership, MemberId};

use super::client::Client;
use super::error::{incomplete, must_be_ours, write_unique};
use super::hub::Page;
use super::identity::must_be_id;
use crate::cloud::aws::error::{done, read, write};
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{Membership, Missing, Subject, VendorId};

impl Client {
    /// The members of a group, ours or not.
    pub(super) async fn members(
        &self,
        group: &VendorId,
        missing: &mut Vec<Missing>,
    ) -> Vec<Membership> {
        let what = format!("members of group {group}");
        let page = |token: Option<String>| async move {
            let store = self.store_id().await?;
            let call = self.hub.store().await.list_group_memberships().identity_store_id(store);
            let call = call.group_id(group.as_str()).set_next_token(token);
            let call = call.set_max_results(self.hub.page_size).send();
            let reply = read("ListGroupMemberships", group.as_str(), call).await?;
            Ok(Page::new(Some(reply.group_memberships), reply.next_token))
        };
        let found = self.hub.pages(&what, missing, page).await;
        let members = found.iter().map(|one| (one, member(one))).filter_map(|(one, user)| {
            if user.is_none() {
                missing.push(Missing::new(&what, format!("{} has no user", one.membership_id)));
            }
            user
        });
        members.map(|user| Membership { group: group.clone(), user }).collect()
    }

    /// A member of a group, if it has one, by name.
    pub(super) async fn a_member(&self, group: &VendorId) -> Result<Option<String>, CloudError> {
        let operation = "ListGroupMemberships";
        let store = self.store_id().await?;
        let call = self.hub.store().await.list_group_memberships().identity_store_id(store);
        let call = call.group_id(group.as_str()).max_results(1).send();
        let reply = read(operation, group.as_str(), call).await?;
        if reply.group_memberships.is_empty() && reply.next_token.is_none() {
            return Ok(None);
        }
        let Some(id) = reply.group_memberships.first().and_then(member) else {
            return Ok(Some("a member".to_owned()));
        };
        let name = self.user(&id).await.map(|found| found.seen.spec.name.to_string());
        Ok(Some(format!("member `{}`", name.unwrap_or(id.to_string()))))
    }

    /// A group that a user is in, if there is one, by name.
    pub(super) async fn a_group_of(&self, user: &VendorId) -> Result<Option<String>, CloudError> {
        let operation = "ListGroupMembershipsForMember";
        let store = self.store_id().await?;
        let call = self.hub.store().await.list_group_memberships_for_member();
        let call = call.identity_store_id(store).member_id(MemberId::UserId(user.to_string()));
        let reply = read(operation, user.as_str(), call.max_results(1).send()).await?;
        if reply.group_memberships.is_empty() && reply.next_token.is_none() {
            return Ok(None);
        }
        let Some(id) = reply.group_memberships.first().and_then(|one| one.group_id()) else {
            return Ok(Some("a group".to_owned()));
        };
        let name = self.group(&VendorId::new(id)).await;
        let name = name.map(|found| found.seen.spec.name.to_string());
        Ok(Some(format!("group `{}`", name.unwrap_or(id.to_owned()))))
    }

    /// The id of a membership, which is what it is deleted by.
    pub(super) async fn membership(
        &self,
        Membership { group, user }: &Membership,
    ) -> Result<String, CloudError> {
        let operation = "GetGroupMembershipId";
        must_be_id(operation, group)?;
        must_be_id(operation, user)?;
        let store = self.store_id().await?;
        let call = self.hub.store().await.get_group_membership_id().identity_store_id(store);
        let call = call.group_id(group.as_str()).member_id(MemberId::UserId(user.to_string()));
        let id = read(operation, user.as_str(), call.send()).await?.membership_id;
        if id.is_empty() { Err(incomplete(operation, user.as_str(), "id")) } else { Ok(id) }
    }

    /// Both must be ours: nobody else's user gets anything from us.
    pub(super) async fn add_member(
        &self,
        group: &VendorId,
        user: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = "CreateGroupMembership";
        if !self.hub.is_known_as_ours(group) {
            self.our_group(operation, group, None).await?;
        }
        if !self.hub.is_known_as_ours(user) {
            self.our_user(operation, user, None).await?;
        }
        let store = self.store_id().await?;
        let call = self.hub.store().await.create_group_membership().identity_store_id(store);
        let call = call.group_id(group.as_str()).member_id(MemberId::UserId(user.to_string()));
        write_unique(operation, user.as_str(), call.send()).await.map(|reply| done(&reply))
    }

    /// A membership is its group's: the group must be ours; except that a user of ours may leave
    /// any group.
    pub(super) async fn remove_member(
        &self,
        group: &VendorId,
        user: &VendorId,
        subject: Option<&Subject>,
    ) -> Result<Applied, CloudError> {
        let operation = "DeleteGroupMembership";
        match (self.our_group(operation, group, None).await, subject) {
            (Err(error), Some(subject)) if error.kind == ErrorKind::Foreign => {
                let found = self.user(user).await?;
                let ownership = &found.seen.ownership;
                must_be_ours(operation, user.as_str(), ownership, Some(subject))?;
            }
            (result, _) => {
                result?;
            }
        }
        let membership = Membership { group: group.clone(), user: user.clone() };
        let id = self.membership(&membership).await?;
        let store = self.store_id().await?;
        let call = self.hub.store().await.delete_group_membership().identity_store_id(store);
        let call = call.membership_id(id).send();
        write(operation, user.as_str(), call).await.map(|reply| done(&reply))
    }
}

/// The user of a membership; the only kind of member there is so far.
fn member(membership: &GroupMembership) -> Option<VendorId> {
    match membership.member_id() {
        Some(MemberId::UserId(user)) if !user.is_empty() => Some(VendorId::new(user.as_str())),
        _ => None,
    }
}
