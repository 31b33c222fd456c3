//! Keys of service accounts: issuing one, and noting on its user that it was handed over.

use jiff::civil::Date;

use super::api::UserInput;
use super::client::{Client, done};
use super::config::KEY_TAG;
use super::service::state::Tags;
use super::service::world::Operation;
use crate::cloud::{Applied, CloudError};
use crate::model::{CredentialKind, Handovers, IssuedKey, Subject, VendorId};

/// Which keys of a user were handed over.
pub(super) fn handovers(tags: &Tags) -> Handovers {
    tags.get(KEY_TAG).map(|text| Handovers::parse(text)).unwrap_or_default()
}

impl Client {
    pub(super) async fn issue(
        &self,
        subject: &Subject,
        user: &VendorId,
        kind: &CredentialKind,
    ) -> Result<Applied, CloudError> {
        let operation = Operation::CreateCredential;
        self.our_user(operation, user, subject).await?;
        let call = self.service.create_credential(user.as_str(), kind.as_str());
        let reply = self.call(operation, user.as_str(), call).await?;
        let (id, secret) = reply.body;
        let secret = Some(IssuedKey { id: id.into(), secret });
        Ok(Applied { request_id: Some(reply.request_id), secret, ..Applied::default() })
    }

    pub(super) async fn note(
        &self,
        subject: &Subject,
        user: &VendorId,
        key: &VendorId,
        on: Date,
    ) -> Result<Applied, CloudError> {
        let operation = Operation::UpdateUser;
        let (found, _) = self.our_user(operation, user, subject).await?;
        let noted = handovers(&found.tags);
        if noted.of(key) == Some(on) {
            return Ok(Applied::default());
        }
        let mut tags = found.tags;
        tags.insert(KEY_TAG.to_owned(), noted.with(key, on).to_string());
        let input = UserInput {
            name: found.name,
            display_name: found.display_name,
            email: found.email,
            enabled: found.enabled,
            tags,
        };
        let call = self.service.update_user(&found.id, found.revision, input);
        self.call(operation, &found.id, call).await.map(done)
    }
}
