//! Which group may assume which role: entries of the documents of the hub's groups.
//!
//! IAM keeps no versions of inline policies one could compare with, so only one writer at a time
//! changes the documents of a group, starting from what it last wrote or read.

use super::client::Client;
use super::document::AssumeDocument;
use super::error::{done, read, write};
use super::hub::{self, Documents};
use super::identity;
use super::known::Seen;
use super::pages::Pages;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{Binding, VendorId};

impl Client {
    /// Both must be ours: nobody else's group gets anything from us.
    pub(super) async fn bind(
        &self,
        role: &VendorId,
        group: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = "PutGroupPolicy";
        let found = self.known_role(role).await?;
        self.must_be_ours(operation, &found.name, &found.ownership, None)?;
        let to = self.known_group(group).await?;
        self.must_be_ours(operation, &to.name, &to.ownership, None)?;
        let lock = self.hub.documents(group);
        let mut documents = lock.lock().await;
        let mut now = self.now(&mut documents, group, &to.name).await?;
        if now.values().any(|document| document.roles.contains(&found.arn)) {
            *documents = Some(now);
            return Ok(Applied::default());
        }
        let number = self.hub.room(&now, &found.arn);
        if number > 1 && !now.contains_key(&number) {
            self.clear_away(&self.hub.policy_arn(group, number)).await?;
        }
        now.entry(number).or_default().roles.insert(found.arn);
        self.put(&mut documents, now, number, group, &to).await
    }

    /// A binding is its group's: the group must be ours, or gone from a role of ours.
    pub(super) async fn unbind(
        &self,
        role: &VendorId,
        group: &VendorId,
    ) -> Result<Applied, CloudError> {
        let to = self.known_group(group).await?;
        self.must_be_ours("PutGroupPolicy", &to.name, &to.ownership, None)?;
        let arn = self.role_arn(role).await?;
        self.remove_from_documents(group, &to, |document| document.roles.remove(&arn)).await
    }

    /// Whether a group may assume a role, read afresh.
    pub(super) async fn is_bound(&self, binding: &Binding) -> Result<bool, CloudError> {
        let to = self.known_group(&binding.group).await?;
        let arn = self.role_arn(&binding.role).await?;
        let documents = self.hub.fetch_documents(&binding.group, &to.name).await?;
        Ok(documents.values().any(|document| document.roles.contains(&arn)))
    }

    /// The ARN of a role: what its id stands for, or the id itself where there is no such role.
    async fn role_arn(&self, role: &VendorId) -> Result<String, CloudError> {
        if role.as_str().starts_with("arn:") {
            return Ok(role.to_string());
        }
        self.known_role(role).await.map(|seen| seen.arn)
    }

    /// Takes something out of whichever document has it, and writes that one.
    pub(super) async fn remove_from_documents(
        &self,
        group: &VendorId,
        seen: &Seen,
        mut remove: impl FnMut(&mut AssumeDocument) -> bool,
    ) -> Result<Applied, CloudError> {
        let lock = self.hub.documents(group);
        let mut documents = lock.lock().await;
        let mut now = self.now(&mut documents, group, &seen.name).await?;
        let Some(number) =
            now.iter_mut().find_map(|(number, document)| remove(document).then_some(*number))
        else {
            *documents = Some(now);
            return Ok(Applied::default());
        };
        self.put(&mut documents, now, number, group, seen).await
    }

    /// The documents as last written or read. While they are in hand nothing is remembered: what
    /// fails half way is read afresh.
    async fn now(
        &self,
        documents: &mut Option<Documents>,
        group: &VendorId,
        name: &str,
    ) -> Result<Documents, CloudError> {
        match documents.take() {
            Some(known) => Ok(known),
            None => self.hub.fetch_documents(group, name).await,
        }
    }

    /// Writes one document, and remembers all of them.
    async fn put(
        &self,
        documents: &mut Option<Documents>,
        mut now: Documents,
        number: u32,
        group: &VendorId,
        seen: &Seen,
    ) -> Result<Applied, CloudError> {
        let document = now.get(&number).cloned().unwrap_or_default();
        let applied = if number == 1 {
            self.put_inline(&document, &seen.name).await?
        } else {
            self.put_managed(&document, number, group, &seen.name).await?
        };
        if document.is_empty() {
            now.remove(&number);
        }
        *documents = Some(now);
        Ok(applied)
    }

    async fn put_inline(
        &self,
        document: &AssumeDocument,
        group: &str,
    ) -> Result<Applied, CloudError> {
        let client = self.hub_iam();
        if document.is_empty() {
            let call = client.delete_group_policy().group_name(group);
            let call = call.policy_name(hub::inline_name()).send();
            return match write("DeleteGroupPolicy", group, call).await {
                Ok(reply) => Ok(done(&reply)),
                Err(error) if error.kind == ErrorKind::NotFound => Ok(Applied::default()),
                Err(error) => Err(error),
            };
        }
        let call = client
            .put_group_policy()
            .group_name(group)
            .policy_name(hub::inline_name())
            .policy_document(AssumeDocument::render(&document.roles))
            .send();
        write("PutGroupPolicy", group, call).await.map(|reply| done(&reply))
    }

    /// A managed policy keeps five versions: the oldest goes before a sixth comes.
    async fn put_managed(
        &self,
        document: &AssumeDocument,
        number: u32,
        group: &VendorId,
        name: &str,
    ) -> Result<Applied, CloudError> {
        let client = self.hub_iam();
        let arn = self.hub.policy_arn(group, number);
        let versions = match self.versions(&arn).await {
            Ok(versions) => versions,
            Err(error) if error.kind == ErrorKind::NotFound => {
                return self.create_managed(document, number, group, name).await;
            }
            Err(error) => return Err(error),
        };
        if document.is_empty() {
            let call = client.detach_group_policy().group_name(name).policy_arn(&arn).send();
            match write("DetachGroupPolicy", name, call).await {
                Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            return self.delete_managed(&arn, versions).await;
        }
        if versions.len() >= 5
            && let Some((oldest, _)) = versions.iter().rfind(|(_, is_default)| !is_default)
        {
            self.delete_version(&arn, oldest).await?;
        }
        let call = client
            .create_policy_version()
            .policy_arn(&arn)
            .policy_document(AssumeDocument::render(&document.roles))
            .set_as_default(true)
            .send();
        let reply = write("CreatePolicyVersion", &arn, call).await?;
        // Attached already, unless an earlier run ended in between.
        let call = client.attach_group_policy().group_name(name).policy_arn(&arn).send();
        write("AttachGroupPolicy", name, call).await?;
        Ok(done(&reply))
    }

    /// Deletes a document that is attached to nothing: IAM refuses it otherwise.
    pub(super) async fn delete_unattached(
        &self,
        arn: &str,
        group: &VendorId,
    ) -> Result<Applied, CloudError> {
        let lock = self.hub.documents(group);
        let documents = lock.lock().await;
        if is_among(documents.as_ref(), arn, group) {
            return Ok(Applied::default());
        }
        self.clear_away(arn).await
    }

    /// Deletes what an earlier run left where a document is to be.
    async fn clear_away(&self, arn: &str) -> Result<Applied, CloudError> {
        match self.versions(arn).await {
            Ok(versions) => self.delete_managed(arn, versions).await,
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Applied::default()),
            Err(error) => Err(error),
        }
    }

    /// Whether a managed policy is one of a group's documents, as this run knows them.
    pub(super) async fn is_in_use(&self, arn: &str, group: &VendorId) -> bool {
        let lock = self.hub.documents(group);
        let documents = lock.lock().await;
        is_among(documents.as_ref(), arn, group)
    }

    async fn delete_managed(
        &self,
        arn: &str,
        versions: Vec<(String, bool)>,
    ) -> Result<Applied, CloudError> {
        for (version, is_default) in versions {
            if !is_default {
                self.delete_version(arn, &version).await?;
            }
        }
        let call = self.hub_iam().delete_policy().policy_arn(arn).send();
        write("DeletePolicy", arn, call).await.map(|reply| done(&reply))
    }

    /// Whether a document is there, attached or not.
    pub(super) async fn is_there(&self, arn: &str) -> Result<bool, CloudError> {
        match self.versions(arn).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn create_managed(
        &self,
        document: &AssumeDocument,
        number: u32,
        group: &VendorId,
        name: &str,
    ) -> Result<Applied, CloudError> {
        if document.is_empty() {
            return Ok(Applied::default());
        }
        let client = self.hub_iam();
        let arn = self.hub.policy_arn(group, number);
        let call = client
            .create_policy()
            .policy_name(hub::policy_name(group, number).as_str())
            .path(identity::path_of(&self.organisation))
            .policy_document(AssumeDocument::render(&document.roles))
            .send();
        write("CreatePolicy", &arn, call).await?;
        let call = client.attach_group_policy().group_name(name).policy_arn(&arn).send();
        write("AttachGroupPolicy", name, call).await.map(|reply| done(&reply))
    }

    /// The versions of a managed policy, newest first, and which of them is in force.
    async fn versions(&self, arn: &str) -> Result<Vec<(String, bool)>, CloudError> {
        let mut all = Vec::new();
        let mut pages = Pages::new(&self.hub.session, "ListPolicyVersions", arn);
        while pages.more() {
            let call = self.hub_iam().list_policy_versions().policy_arn(arn);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = read(pages.operation, arn, call.send()).await?;
            let versions = reply.versions.unwrap_or_default().into_iter();
            all.extend(versions.filter_map(|one| Some((one.version_id?, one.is_default_version))));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }

    async fn delete_version(&self, arn: &str, version: &str) -> Result<(), CloudError> {
        let call = self.hub_iam().delete_policy_version().policy_arn(arn).version_id(version);
        match write("DeletePolicyVersion", arn, call.send()).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn is_among(documents: Option<&Documents>, arn: &str, group: &VendorId) -> bool {
    let number = hub::document_number(arn, group);
    documents.zip(number).is_some_and(|(known, number)| known.contains_key(&number))
}
