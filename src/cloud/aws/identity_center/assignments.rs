//! Which group has which permission set in which account, and what users have of their own.

use aws_sdk_ssoadmin::types::{
    AccountAssignmentForPrincipal, AccountAssignmentOperationStatus, ListAccountAssignmentsFilter,
    PrincipalType, TargetType,
};

use super::client::Client;
use super::error::{changed_since, incomplete, must_be_ours};
use super::hub::Page;
use super::provisioning::Progress;
use super::roles::must_be_set;
use crate::cloud::aws::error::{read, write};
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{Binding, Credential, Missing, Ownership, Subject, VendorId};

/// The kind of credential an assignment to a user directly is shown as: what a user can do besides
/// what the groups give. Its id is the account and the ARN of the permission set.
pub const DIRECT: &str = "direct-assignment";

/// Who is assigned what where.
#[derive(Clone, Copy, Debug)]
struct Assignment<'a> {
    account: &'a str,
    set: &'a VendorId,
    principal: &'a VendorId,
    is_group: bool,
}

/// An assignment to a group itself, with the account it is in.
pub(super) fn assigned_to_group(
    found: &AccountAssignmentForPrincipal,
    group: &VendorId,
) -> Option<(String, Binding)> {
    let (account, role) = assigned(found, group)?;
    Some((account, Binding { role, group: group.clone() }))
}

/// Account and permission set of an assignment, if it is to this principal itself: of users, those
/// by way of their groups are listed as well.
fn assigned(
    found: &AccountAssignmentForPrincipal,
    principal: &VendorId,
) -> Option<(String, VendorId)> {
    (found.principal_id()? == principal.as_str())
        .then_some((found.account_id()?.to_owned(), VendorId::new(found.permission_set_arn()?)))
}

/// An assignment that does not say who has what where makes the list incomplete.
fn complain_of_halves(
    what: &str,
    found: &[AccountAssignmentForPrincipal],
    missing: &mut Vec<Missing>,
) {
    let is_half = |one: &AccountAssignmentForPrincipal| {
        one.principal_id.is_none() || one.account_id.is_none() || one.permission_set_arn.is_none()
    };
    if found.iter().any(is_half) {
        missing.push(Missing::new(what, "one of them does not say who has what where"));
    }
}

impl Client {
    /// What a group has, in all accounts.
    pub(super) async fn assignments_of(
        &self,
        group: &VendorId,
        missing: &mut Vec<Missing>,
    ) -> Vec<AccountAssignmentForPrincipal> {
        let what = format!("assignments of group {group}");
        let page = |token| self.assignments_page(group, PrincipalType::Group, None, token);
        let found = self.hub.pages(&what, missing, page).await;
        complain_of_halves(&what, &found, missing);
        found
    }

    async fn assignments_page(
        &self,
        principal: &VendorId,
        kind: PrincipalType,
        filter: Option<ListAccountAssignmentsFilter>,
        token: Option<String>,
    ) -> Result<Page<AccountAssignmentForPrincipal>, CloudError> {
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.list_account_assignments_for_principal();
        let call = call.instance_arn(instance).principal_id(principal.as_str());
        let call = call.principal_type(kind).set_filter(filter).set_next_token(token);
        let call = call.set_max_results(self.hub.page_size).send();
        let reply = read("ListAccountAssignmentsForPrincipal", principal.as_str(), call).await?;
        Ok(Page::new(reply.account_assignments, reply.next_token))
    }

    /// Something a user who is in no group, or a group, has in an account, if there is anything.
    pub(super) async fn an_assignment(
        &self,
        principal: &VendorId,
        kind: PrincipalType,
    ) -> Result<Option<String>, CloudError> {
        let page = self.assignments_page(principal, kind, None, None).await?;
        let items = page.items.ok_or_else(|| {
            incomplete("ListAccountAssignmentsForPrincipal", principal.as_str(), "list")
        })?;
        if items.is_empty() && page.next.is_none() {
            return Ok(None);
        }
        let Some((account, set)) = items.first().and_then(|one| assigned(one, principal)) else {
            return Ok(Some("an assignment".to_owned()));
        };
        let name = self.describe(&set).await.ok().and_then(|found| found.name);
        let name = name.unwrap_or_else(|| set.to_string());
        Ok(Some(format!("permission set `{name}` in account {account}")))
    }

    /// What a user has without any group, in all accounts, as credentials.
    pub(super) async fn direct_assignments(
        &self,
        user: &VendorId,
        missing: &mut Vec<Missing>,
    ) -> Vec<Credential> {
        let what = format!("assignments of user {user}");
        let page = |token: Option<String>| async move {
            match self.assignments_page(user, PrincipalType::User, None, token).await {
                // Who is not there has nothing.
                Err(error) if error.kind == ErrorKind::NotFound => {
                    Ok(Page::new(Some(Vec::new()), None))
                }
                result => result,
            }
        };
        let found = self.hub.pages(&what, missing, page).await;
        complain_of_halves(&what, &found, missing);
        let direct = found.iter().filter_map(|one| assigned(one, user));
        direct
            .map(|(account, set)| Credential {
                user: user.clone(),
                kind: DIRECT.into(),
                id: format!("{account}/{set}").into(),
                handed_over: None,
            })
            .collect()
    }

    pub(super) async fn is_bound(
        &self,
        Binding { role, group }: &Binding,
    ) -> Result<bool, CloudError> {
        must_be_set("ListAccountAssignments", role)?;
        let (account, is_group) = (self.account.as_str(), true);
        self.is_assigned(Assignment { account, set: role, principal: group, is_group }).await
    }

    pub(super) async fn is_assigned_directly(
        &self,
        credential: &Credential,
    ) -> Result<bool, CloudError> {
        let Some((account, set)) = credential.id.as_str().split_once('/') else {
            return Ok(false);
        };
        let (set, principal) = (&VendorId::new(set), &credential.user);
        must_be_set("ListAccountAssignments", set)?;
        self.is_assigned(Assignment { account, set, principal, is_group: false }).await
    }

    /// Whether there is an assignment, from the list of its account and permission set.
    async fn is_assigned(&self, wanted: Assignment<'_>) -> Result<bool, CloudError> {
        let (operation, object) = ("ListAccountAssignments", wanted.principal.as_str());
        let instance = &self.hub.instance().await?.arn;
        let mut token = None;
        // A list that goes on for ever ends with the executor's patience.
        loop {
            let call = self.hub.center().await.list_account_assignments().instance_arn(instance);
            let call = call.account_id(wanted.account).permission_set_arn(wanted.set.as_str());
            let call = call.set_next_token(token).set_max_results(self.hub.page_size).send();
            let reply = read(operation, object, call).await?;
            let page = Page::new(reply.account_assignments, reply.next_token);
            let items = page.items.ok_or_else(|| incomplete(operation, object, "list"))?;
            if items.iter().any(|one| one.principal_id() == Some(object)) {
                return Ok(true);
            }
            token = page.next;
            if token.is_none() {
                return Ok(false);
            }
        }
    }

    /// Both must be ours: nobody else's group gets anything from us.
    pub(super) async fn bind(
        &self,
        role: &VendorId,
        group: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = "CreateAccountAssignment";
        if !self.hub.is_known_as_ours(role) {
            self.our_set(operation, role, None).await?;
        }
        if !self.hub.is_known_as_ours(group) {
            self.our_group(operation, group, None).await?;
        }
        let account = self.account.as_str();
        self.assign(Assignment { account, set: role, principal: group, is_group: true }).await
    }

    /// A binding is its group's: the group must be ours, or gone from a permission set of ours.
    pub(super) async fn unbind(
        &self,
        role: &VendorId,
        group: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = "DeleteAccountAssignment";
        match self.our_group(operation, group, None).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.our_set(operation, role, None).await?;
            }
            result => {
                result?;
            }
        }
        let account = self.account.as_str();
        self.unassign(Assignment { account, set: role, principal: group, is_group: true }).await
    }

    /// Takes a permission set of ours from a single user who is not ours, to whom somebody gave it by
    /// hand: as an edited trust of a role is put right, it is the set's.
    pub(super) async fn take_back(
        &self,
        role: &VendorId,
        subject: &Subject,
        user: &VendorId,
    ) -> Result<Applied, CloudError> {
        let operation = "DeleteAccountAssignment";
        self.our_set(operation, role, Some(subject)).await?;
        let found = self.user(user).await?;
        if matches!(found.seen.ownership, Ownership::Ours(_) | Ownership::Damaged { .. }) {
            return Err(changed_since(operation, user.as_str()));
        }
        let account = self.account.as_str();
        self.unassign(Assignment { account, set: role, principal: user, is_group: false }).await
    }

    /// Takes away what a user of ours has without any group, in whichever account.
    pub(super) async fn revoke(
        &self,
        subject: &Subject,
        credential: &Credential,
    ) -> Result<Applied, CloudError> {
        let (operation, id) = ("DeleteAccountAssignment", credential.id.as_str());
        let found = self.user(&credential.user).await?;
        let user = credential.user.as_str();
        must_be_ours(operation, user, &found.seen.ownership, Some(subject))?;
        let Some((account, set)) = id.split_once('/') else {
            let message = "that is no assignment";
            return Err(CloudError::new(ErrorKind::NotFound, operation, id, message));
        };
        let (set, principal) = (&VendorId::new(set), &credential.user);
        self.unassign(Assignment { account, set, principal, is_group: false }).await
    }

    async fn assign(&self, wanted: Assignment<'_>) -> Result<Applied, CloudError> {
        let (operation, object) = ("CreateAccountAssignment", wanted.principal.as_str());
        let instance = &self.hub.instance().await?.arn;
        let _permit = self.assignment_permit(operation, object).await?;
        let call = self.hub.center().await.create_account_assignment().instance_arn(instance);
        let call = call.target_id(wanted.account).target_type(TargetType::AwsAccount);
        let call = call.permission_set_arn(wanted.set.as_str());
        let call = call.principal_type(wanted.kind()).principal_id(object).send();
        let reply = write(operation, object, call).await;
        let reply = self.explain_denial(wanted.account, reply).await?;
        let begun = Progress::of_assignment(reply.account_assignment_creation_status());
        self.follow(operation, object, begun, |request| async move {
            let (operation, center) =
                ("DescribeAccountAssignmentCreationStatus", self.hub.center().await);
            let call = center.describe_account_assignment_creation_status();
            let call = call.instance_arn(instance);
            let call = call.account_assignment_creation_request_id(&request).send();
            let reply = read(operation, &request, call).await?;
            Ok(Progress::of_assignment(reply.account_assignment_creation_status()))
        })
        .await
    }

    async fn unassign(&self, wanted: Assignment<'_>) -> Result<Applied, CloudError> {
        let (operation, object) = ("DeleteAccountAssignment", wanted.principal.as_str());
        let instance = &self.hub.instance().await?.arn;
        let _permit = self.assignment_permit(operation, object).await?;
        let call = self.hub.center().await.delete_account_assignment().instance_arn(instance);
        let call = call.target_id(wanted.account).target_type(TargetType::AwsAccount);
        let call = call.permission_set_arn(wanted.set.as_str());
        let call = call.principal_type(wanted.kind()).principal_id(object).send();
        let reply = write(operation, object, call).await;
        let reply = self.explain_denial(wanted.account, reply).await?;
        let begun = Progress::of_assignment(reply.account_assignment_deletion_status());
        self.follow(operation, object, begun, |request| async move {
            let (operation, center) =
                ("DescribeAccountAssignmentDeletionStatus", self.hub.center().await);
            let call = center.describe_account_assignment_deletion_status();
            let call = call.instance_arn(instance);
            let call = call.account_assignment_deletion_request_id(&request).send();
            let reply = read(operation, &request, call).await?;
            Ok(Progress::of_assignment(reply.account_assignment_deletion_status()))
        })
        .await
    }

    /// Says why, where the reason is known: "the management account cannot be assigned anything by
    /// a delegated administrator" (IAM Identity Center User Guide, "Delegated administration").
    async fn explain_denial<T>(
        &self,
        account: &str,
        result: Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        match result {
            Err(error)
                if error.kind == ErrorKind::Denied
                    && self.hub.is_beyond_delegation(account).await =>
            {
                let message = format!(
                    "{account} is the management account, in which a delegated administrator \
                     can assign nothing; make it the hub, or take it out of the inventory ({})",
                    error.message
                );
                Err(CloudError { message, ..error })
            }
            result => result,
        }
    }
}

impl Assignment<'_> {
    fn kind(self) -> PrincipalType {
        if self.is_group { PrincipalType::Group } else { PrincipalType::User }
    }
}

impl Progress {
    fn of_assignment(status: Option<&AccountAssignmentOperationStatus>) -> Option<Self> {
        let status = status?;
        Some(Self {
            request: status.request_id().map(str::to_owned),
            status: status.status().cloned(),
            failure: status.failure_reason().map(str::to_owned),
        })
    }
}
