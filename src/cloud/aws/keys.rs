//! Access keys of service accounts: issuing one, and the note on its user that it was handed over.

use aws_sdk_iam::types::Tag;
use jiff::civil::Date;

use super::client::{Client, invalid};
use super::config::{KEY_TAG, ORGANISATION_TAG};
use super::credentials::ACCESS_KEY;
use super::error::{done, read, write};
use super::pages::Pages;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{CredentialKind, Handovers, IssuedKey, Subject, VendorId};

impl Client {
    /// A new access key of a user of ours. Its secret is in this reply and can never be had again
    /// (IAM API Reference, `CreateAccessKey`). A user has two at most (IAM quotas).
    pub(super) async fn issue(
        &self,
        id: &VendorId,
        subject: &Subject,
        kind: &CredentialKind,
    ) -> Result<Applied, CloudError> {
        let operation = "CreateAccessKey";
        if kind.as_str() != ACCESS_KEY {
            return Err(invalid(operation, id.as_str(), format!("issues no {kind}")));
        }
        let now = self.our_user(operation, id, subject).await?;
        let name = now.name.as_str();
        let call = self.hub_iam().create_access_key().user_name(name).send();
        let reply = write(operation, name, call).await?;
        let mut applied = done(&reply);
        applied.secret = reply.access_key.map(|key| {
            let secret = key.secret_access_key.into();
            // A sink that it is handed to may say it back.
            crate::masks::remember(&secret);
            IssuedKey { id: VendorId::new(key.access_key_id), secret }
        });
        Ok(applied)
    }

    /// Notes that a key was handed over, before those noted already.
    pub(super) async fn note(
        &self,
        id: &VendorId,
        subject: &Subject,
        key: &VendorId,
        on: Date,
    ) -> Result<Applied, CloudError> {
        let operation = "TagUser";
        let now = self.our_user(operation, id, subject).await?;
        let name = now.name.as_str();
        let noted = self.handovers(name).await?;
        if noted.of(key) == Some(on) {
            return Ok(Applied::default());
        }
        let tag = Tag::builder().key(KEY_TAG).value(noted.with(key, on).to_string()).build();
        let tag = tag.map_err(|error| invalid(operation, name, error.to_string()))?;
        let call = self.hub_iam().tag_user().user_name(name).tags(tag).send();
        write(operation, name, call).await.map(|reply| done(&reply))
    }

    /// Which keys of a user were handed over. Read to the end, and believed only if our own mark
    /// is there as well: what is not noted is revoked.
    pub(super) async fn handovers(&self, name: &str) -> Result<Handovers, CloudError> {
        let mut noted = Handovers::default();
        let mut is_marked = false;
        let mut pages = Pages::new(&self.hub.session, "ListUserTags", name);
        while pages.more() {
            let call = self
                .hub_iam()
                .list_user_tags()
                .user_name(name)
                .max_items(pages.size())
                .set_marker(pages.marker());
            let reply = read(pages.operation, name, call.send()).await?;
            is_marked |= reply.tags.iter().any(|tag| tag.key == ORGANISATION_TAG);
            if let Some(tag) = reply.tags.iter().find(|tag| tag.key == KEY_TAG) {
                noted = Handovers::parse(&tag.value);
            }
            pages.took(reply.is_truncated, reply.marker)?;
        }
        if is_marked {
            Ok(noted)
        } else {
            let message = "the reply lacks the tags that make the user ours";
            Err(CloudError::new(ErrorKind::Unavailable, "ListUserTags", name, message))
        }
    }
}
