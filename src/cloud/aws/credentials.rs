//! Everything a user can log in with. IAM lists credentials user by user, so this is asked only
//! for those who leave, and for service accounts.

use super::client::Client;
use super::error::{done, read, write};
use super::pages::Pages;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{Credential, CredentialKind, Missing, ObjectName, Reading, Subject, VendorId};

/// A key for the API.
pub const ACCESS_KEY: &str = "access-key";
/// A password for the console.
pub const LOGIN_PROFILE: &str = "login-profile";
/// A second factor that is a program: deactivated and deleted.
pub const VIRTUAL_MFA: &str = "virtual-mfa";
/// A second factor one can hold in one's hand: deactivated.
pub const MFA: &str = "mfa";
/// A key for `CodeCommit`.
pub const SSH_KEY: &str = "ssh-key";
/// A certificate for signing requests.
pub const SIGNING_CERTIFICATE: &str = "signing-certificate";
/// A name and password for one service.
pub const SERVICE_CREDENTIAL: &str = "service-credential";

impl Client {
    pub(super) async fn credentials_of(&self, users: &[VendorId]) -> Reading<Vec<Credential>> {
        let mut missing = Vec::new();
        let mut got = Vec::new();
        let mut ours = Vec::new();
        for id in users {
            match self.known_user(id).await {
                Ok(user) => {
                    let first = got.len();
                    self.all_of(id, &user.name, &mut got, &mut missing).await;
                    // Of a user that is not ours nothing is noted.
                    if let Some(subject) = user.ownership.subject() {
                        ours.push((id.clone(), subject.clone()));
                        self.note_handed_over(&user.name, &mut got[first..], &mut missing).await;
                    }
                }
                Err(error) => {
                    missing.push(Missing::new(format!("credentials of {id}"), error.to_string()));
                }
            }
        }
        self.add_left_over(&ours, &mut got, &mut missing).await;
        got.sort();
        Reading::from_parts(got, missing)
    }

    /// Says of a user's access keys whether they were handed over.
    async fn note_handed_over(
        &self,
        name: &str,
        all: &mut [Credential],
        missing: &mut Vec<Missing>,
    ) {
        let is_key = |one: &&mut Credential| one.kind.as_str() == ACCESS_KEY;
        let keys: Vec<&mut Credential> = all.iter_mut().filter(is_key).collect();
        if keys.is_empty() {
            return;
        }
        match self.handovers(name).await {
            Ok(noted) => keys.into_iter().for_each(|key| key.handed_over = noted.of(&key.id)),
            Err(error) => {
                let what = format!("which keys of {name} were handed over");
                missing.push(Missing::new(what, error.to_string()));
            }
        }
    }

    async fn all_of(
        &self,
        id: &VendorId,
        name: &str,
        got: &mut Vec<Credential>,
        missing: &mut Vec<Missing>,
    ) {
        let kinds: [(&str, Found); 6] = [
            (ACCESS_KEY, self.access_keys(name).await),
            (LOGIN_PROFILE, self.login_profile(name).await),
            (MFA, self.mfa_devices(name).await),
            (SSH_KEY, self.ssh_keys(name).await),
            (SIGNING_CERTIFICATE, self.signing_certificates(name).await),
            (SERVICE_CREDENTIAL, self.service_credentials(name).await),
        ];
        for (kind, found) in kinds {
            match found {
                Ok(ids) => got.extend(ids.into_iter().map(|one| credential(id, kind, one))),
                Err(error) => {
                    let what = format!("credentials ({kind}) of {name}");
                    missing.push(Missing::new(what, error.to_string()));
                }
            }
        }
    }

    pub(super) async fn access_keys(&self, name: &str) -> Found {
        let mut all = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListAccessKeys", name);
        while pages.more() {
            let call = self.hub_iam().list_access_keys().user_name(name);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, name, call.send()).await?;
            all.extend(reply.access_key_metadata.into_iter().filter_map(|key| key.access_key_id));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }

    /// There is at most one.
    pub(super) async fn login_profile(&self, name: &str) -> Found {
        let call = self.hub_iam().get_login_profile().user_name(name).send();
        match read("GetLoginProfile", name, call).await {
            Ok(_) => Ok(vec![name.to_owned()]),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn mfa_devices(&self, name: &str) -> Found {
        let mut all = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListMFADevices", name);
        while pages.more() {
            let call = self.hub_iam().list_mfa_devices().user_name(name);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, name, call.send()).await?;
            all.extend(reply.mfa_devices.into_iter().map(|device| device.serial_number));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }

    pub(super) async fn ssh_keys(&self, name: &str) -> Found {
        let mut all = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListSSHPublicKeys", name);
        while pages.more() {
            let call = self.hub_iam().list_ssh_public_keys().user_name(name);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, name, call.send()).await?;
            let keys = reply.ssh_public_keys.unwrap_or_default();
            all.extend(keys.into_iter().map(|key| key.ssh_public_key_id));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }

    pub(super) async fn signing_certificates(&self, name: &str) -> Found {
        let mut all = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListSigningCertificates", name);
        while pages.more() {
            let call = self.hub_iam().list_signing_certificates().user_name(name);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, name, call.send()).await?;
            all.extend(reply.certificates.into_iter().map(|one| one.certificate_id));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }

    pub(super) async fn service_credentials(&self, name: &str) -> Found {
        let mut all = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListServiceSpecificCredentials", name);
        while pages.more() {
            let call = self.hub_iam().list_service_specific_credentials().user_name(name);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, name, call.send()).await?;
            let found = reply.service_specific_credentials.unwrap_or_default();
            all.extend(found.into_iter().map(|one| one.service_specific_credential_id));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }

    /// Whether a user still has a credential.
    pub(super) async fn has_credential(&self, credential: &Credential) -> Result<bool, CloudError> {
        let name = self.known_user(&credential.user).await?.name;
        let all = match credential.kind.as_str() {
            ACCESS_KEY => self.access_keys(&name).await?,
            LOGIN_PROFILE => return Ok(!self.login_profile(&name).await?.is_empty()),
            MFA => self.mfa_devices(&name).await?,
            VIRTUAL_MFA => {
                let left_over = self.left_over().await?.into_iter().map(|(id, _)| id);
                self.mfa_devices(&name).await?.into_iter().chain(left_over).collect()
            }
            SSH_KEY => self.ssh_keys(&name).await?,
            SIGNING_CERTIFICATE => self.signing_certificates(&name).await?,
            SERVICE_CREDENTIAL => self.service_credentials(&name).await?,
            _ => Vec::new(),
        };
        Ok(all.iter().any(|id| id == credential.id.as_str()))
    }

    /// Destroys a credential of a user of ours.
    pub(super) async fn revoke(
        &self,
        user: &ObjectName,
        subject: &Subject,
        credential: &Credential,
    ) -> Result<Applied, CloudError> {
        let seen = self.known_user(&credential.user).await?;
        let operation = "RevokeCredential";
        self.must_be_ours(operation, user.as_str(), &seen.ownership, Some(subject))?;
        let (client, name, id) = (self.hub_iam(), seen.name.as_str(), credential.id.as_str());
        match credential.kind.as_str() {
            ACCESS_KEY => {
                let call = client.delete_access_key().user_name(name).access_key_id(id).send();
                write("DeleteAccessKey", id, call).await.map(|reply| done(&reply))
            }
            LOGIN_PROFILE => {
                let call = client.delete_login_profile().user_name(name).send();
                write("DeleteLoginProfile", name, call).await.map(|reply| done(&reply))
            }
            MFA => {
                let call = client.deactivate_mfa_device().user_name(name).serial_number(id).send();
                write("DeactivateMFADevice", id, call).await.map(|reply| done(&reply))
            }
            VIRTUAL_MFA => self.revoke_virtual_mfa(name, subject, id).await,
            SSH_KEY => {
                let call =
                    client.delete_ssh_public_key().user_name(name).ssh_public_key_id(id).send();
                write("DeleteSSHPublicKey", id, call).await.map(|reply| done(&reply))
            }
            SIGNING_CERTIFICATE => {
                let call =
                    client.delete_signing_certificate().user_name(name).certificate_id(id).send();
                write("DeleteSigningCertificate", id, call).await.map(|reply| done(&reply))
            }
            SERVICE_CREDENTIAL => {
                let call = client
                    .delete_service_specific_credential()
                    .user_name(name)
                    .service_specific_credential_id(id)
                    .send();
                write("DeleteServiceSpecificCredential", id, call).await.map(|reply| done(&reply))
            }
            other => {
                let message = format!("credentials of kind {other} are not known here");
                Err(CloudError::new(ErrorKind::Invalid, operation, id, message))
            }
        }
    }
}

type Found = Result<Vec<String>, CloudError>;

fn credential(user: &VendorId, kind: &str, id: String) -> Credential {
    // The ARNs of virtual devices name them so; others have the serial number of a thing.
    let kind = if kind == MFA && id.contains(":mfa/") { VIRTUAL_MFA } else { kind };
    Credential {
        user: user.clone(),
        kind: CredentialKind::new(kind),
        id: VendorId::new(id),
        handed_over: None,
    }
}
