//! Second factors that are programs.
//!
//! IAM deletes such a device only after it was deactivated, and then nothing says any more whose it
//! was. So the mark of its user is put on it first: what an interrupted run left behind is found
//! by it, and it alone (a name proves nothing).

use aws_sdk_iam::types::{AssignmentStatusType, Tag};

use super::client::{Client, invalid};
use super::credentials::VIRTUAL_MFA;
use super::error::{done, read, write};
use super::identity::{self, Marked};
use super::pages::Pages;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{Credential, CredentialKind, Missing, Subject, VendorId};

impl Client {
    /// Marked, deactivated, deleted; an interrupted run may have come as far as any of these.
    pub(super) async fn revoke_virtual_mfa(
        &self,
        name: &str,
        subject: &Subject,
        id: &str,
    ) -> Result<Applied, CloudError> {
        let client = self.hub_iam();
        let tags = identity::tags(&self.mark(subject))
            .map_err(|error| invalid("PrepareTags", id, error.to_string()))?;
        let call = client.tag_mfa_device().serial_number(id).set_tags(Some(tags)).send();
        match write("TagMFADevice", id, call).await {
            // Without the right to mark it a leaver still loses it: that matters more.
            Err(error) if ![ErrorKind::NotFound, ErrorKind::Denied].contains(&error.kind) => {
                return Err(error);
            }
            _ => {}
        }
        let call = client.deactivate_mfa_device().user_name(name).serial_number(id).send();
        match write("DeactivateMFADevice", id, call).await {
            Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let call = client.delete_virtual_mfa_device().serial_number(id).send();
        write("DeleteVirtualMFADevice", id, call).await.map(|reply| done(&reply))
    }

    /// Adds what was deactivated for one of these users and not deleted.
    pub(super) async fn add_left_over(
        &self,
        users: &[(VendorId, Subject)],
        got: &mut Vec<Credential>,
        missing: &mut Vec<Missing>,
    ) {
        if users.is_empty() {
            return;
        }
        match self.left_over().await {
            Ok(all) => got.extend(all.into_iter().filter_map(|(id, of)| {
                let (user, _) = users.iter().find(|(_, subject)| *subject == of)?;
                Some(Credential {
                    user: user.clone(),
                    kind: CredentialKind::new(VIRTUAL_MFA),
                    id: VendorId::new(id),
                    handed_over: None,
                })
            })),
            Err(error) => {
                missing.push(Missing::new("devices of no user", error.to_string()));
            }
        }
    }

    /// The devices with a mark of ours that are nobody's, and whose they were. None if that may
    /// not be read: nobody can log in with them, so nobody is kept in for their sake.
    pub(super) async fn left_over(&self) -> Result<Vec<(String, Subject)>, CloudError> {
        match self.marked_and_unassigned().await {
            Err(error) if error.kind == ErrorKind::Denied => Ok(Vec::new()),
            result => result,
        }
    }

    async fn marked_and_unassigned(&self) -> Result<Vec<(String, Subject)>, CloudError> {
        let mut found = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListVirtualMFADevices", "unassigned");
        while pages.more() {
            let call = self
                .hub_iam()
                .list_virtual_mfa_devices()
                .assignment_status(AssignmentStatusType::Unassigned)
                .max_items(pages.size())
                .set_marker(pages.marker());
            let reply = read(pages.operation, pages.object, call.send()).await?;
            for device in reply.virtual_mfa_devices {
                let tags = match self.tags_of_device(&device.serial_number).await {
                    Ok(tags) => tags,
                    Err(error) if error.kind == ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                let whose = identity::ownership(Marked::Tagged, "/", &tags, &self.organisation);
                if let Some(subject) = whose.subject() {
                    found.push((device.serial_number, subject.clone()));
                }
            }
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(found)
    }

    async fn tags_of_device(&self, id: &str) -> Result<Vec<Tag>, CloudError> {
        let mut tags = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListMFADeviceTags", id);
        while pages.more() {
            let call = self.hub_iam().list_mfa_device_tags().serial_number(id);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, id, call.send()).await?;
            tags.extend(reply.tags);
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(tags)
    }
}
