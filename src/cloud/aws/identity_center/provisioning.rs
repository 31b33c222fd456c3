//! What takes its time at the vendor: assignments, and bringing a changed permission set to the
//! accounts it is assigned in.

use std::future::Future;

use aws_sdk_ssoadmin::types::{
    PermissionSetProvisioningStatus, ProvisionTargetType, ProvisioningStatus, StatusValues,
};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::client::Client;
use super::error::{failed, incomplete};
use crate::cloud::aws::error::{read, write};
use crate::cloud::{Applied, CloudError, ErrorKind, Retry};
use crate::model::VendorId;

/// How far something is.
pub struct Progress {
    /// By which it is asked for.
    pub request: Option<String>,
    /// Whether it has ended, and how.
    pub status: Option<StatusValues>,
    /// Why it failed.
    pub failure: Option<String>,
}

impl Client {
    /// Waits until one more assignment may be under way. Nothing was sent if that takes too long.
    pub(super) async fn assignment_permit(
        &self,
        operation: &'static str,
        object: &str,
    ) -> Result<SemaphorePermit<'_>, CloudError> {
        let permit = self.hub.ceilings.assignment(self.hub.patience.queueing).await;
        permit.ok_or_else(|| {
            let message = "too many assignments are under way";
            CloudError::new(ErrorKind::Throttled { after: None }, operation, object, message)
        })
    }

    /// Looks after what was begun until it has ended. One that has not when our patience is at an
    /// end is like a lost reply: it may still happen.
    pub(super) async fn follow<F>(
        &self,
        operation: &'static str,
        object: &str,
        begun: Option<Progress>,
        look: impl Fn(String) -> F,
    ) -> Result<Applied, CloudError>
    where
        F: Future<Output = Result<Option<Progress>, CloudError>>,
    {
        let unclear = |message: String, request_id: Option<String>| {
            let error = CloudError::new(ErrorKind::LostReply, operation, object, message);
            CloudError { request_id, ..error }
        };
        let Some(mut progress) = begun else {
            return Err(unclear("the reply does not say how far it is".to_owned(), None));
        };
        let request = progress.request.clone();
        let patience = &self.hub.patience;
        let end = Instant::now() + patience.polling;
        let mut wait = patience.first_poll;
        loop {
            match progress.status {
                Some(StatusValues::Succeeded) => {
                    return Ok(Applied { request_id: request, ..Applied::default() });
                }
                Some(StatusValues::Failed) => {
                    return Err(failed(operation, object, request, progress.failure.as_deref()));
                }
                _ => {}
            }
            let Some(asked) = request.clone() else {
                let message = "it was begun, but the reply has no id to ask by".to_owned();
                return Err(unclear(message, None));
            };
            if Instant::now() + wait > end {
                let seconds = patience.polling.as_secs();
                let message = format!("begun, and still not done after {seconds} s");
                return Err(unclear(message, request));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 3 / 2).min(patience.longest_poll);
            match look(asked).await {
                Ok(Some(now)) => progress = now,
                // Not visible yet, or too many questions: it is asked again.
                Ok(None) => {}
                Err(error) if matches!(error.retry(), Retry::Again { .. } | Retry::Look) => {}
                Err(error) => {
                    let message = format!("begun, but how far it is cannot be seen: {error}");
                    return Err(unclear(message, request));
                }
            }
        }
    }

    /// Whether every account a permission set is provisioned to has its latest version.
    pub(super) async fn is_provisioned(&self, set: &VendorId) -> Result<bool, CloudError> {
        let outdated = ProvisioningStatus::LatestPermissionSetNotProvisioned;
        Ok(self.accounts_of(set, Some(outdated)).await?.is_empty())
    }

    /// The accounts a permission set is in, of the first page.
    pub(super) async fn accounts_of(
        &self,
        set: &VendorId,
        status: Option<ProvisioningStatus>,
    ) -> Result<Vec<String>, CloudError> {
        let operation = "ListAccountsForProvisionedPermissionSet";
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.list_accounts_for_provisioned_permission_set();
        let call = call.instance_arn(instance).permission_set_arn(set.as_str());
        let call = call.set_provisioning_status(status).send();
        let reply = read(operation, set.as_str(), call).await?;
        let accounts = reply.account_ids;
        let mut accounts = accounts.ok_or_else(|| incomplete(operation, set.as_str(), "list"))?;
        let has_more = reply.next_token.is_some_and(|token| !token.is_empty());
        if accounts.is_empty() && has_more {
            accounts.push("of a later page".to_owned());
        }
        Ok(accounts)
    }

    /// Brings a permission set, as it is now, to all accounts it is assigned in.
    ///
    /// A changed permission set does not reach its accounts by itself (`CreateAccountAssignment`
    /// in the API reference: "you must call `ProvisionPermissionSet` to make these updates"). Many
    /// changes to one set at a time share a provisioning that begins after them. Whoever is
    /// stopped before it leaves accounts behind, which the next observation sees.
    pub(super) async fn provision(&self, set: &VendorId) -> Result<Applied, CloudError> {
        let shared = self.hub.provisioning(set);
        let work = Box::pin(async {
            // To accounts that already have the latest version nothing need be brought.
            if self.is_provisioned(set).await? {
                return Ok(());
            }
            self.provision_anew(set).await.map(|_| ())
        });
        shared.get(work).await?;
        Ok(Applied::default())
    }

    async fn provision_anew(&self, set: &VendorId) -> Result<Applied, CloudError> {
        let (operation, object) = ("ProvisionPermissionSet", set.as_str());
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.provision_permission_set().instance_arn(instance);
        let call = call.permission_set_arn(object);
        let call = call.target_type(ProvisionTargetType::AllProvisionedAccounts).send();
        let reply = write(operation, object, call).await?;
        let begun = Progress::of_provisioning(reply.permission_set_provisioning_status());
        self.follow(operation, object, begun, |request| async move {
            let operation = "DescribePermissionSetProvisioningStatus";
            let center = self.hub.center().await;
            let call = center.describe_permission_set_provisioning_status();
            let call = call.instance_arn(instance);
            let call = call.provision_permission_set_request_id(&request).send();
            let reply = read(operation, &request, call).await?;
            Ok(Progress::of_provisioning(reply.permission_set_provisioning_status()))
        })
        .await
    }
}

impl Progress {
    fn of_provisioning(status: Option<&PermissionSetProvisioningStatus>) -> Option<Self> {
        let status = status?;
        Some(Self {
            request: status.request_id().map(str::to_owned),
            status: status.status().cloned(),
            failure: status.failure_reason().map(str::to_owned),
        })
    }
}
