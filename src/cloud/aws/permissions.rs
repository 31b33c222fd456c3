//! What the program itself must be allowed to do in an account, as a policy for IAM: every action
//! it calls and no other, on what is the organisation's wherever IAM lets one say so.

use serde_json::{Value, json};

use super::config::{MANAGED_POLICY_SIZE, ORGANISATION_TAG};
use super::document::VERSION;
use super::identity::{organisation_tag, path_of};
use super::session::partition;
use crate::cloud::Purpose;
use crate::model::Site;

/// Reading in bulk: IAM knows no resources for these.
const READ: &[&str] = &[
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountSummary",
    "iam:GetOpenIDConnectProvider",
    "iam:GetPolicy",
    "iam:GetRole",
    "iam:GetSAMLProvider",
    "iam:ListOpenIDConnectProviders",
    "iam:ListRoles",
    "iam:ListSAMLProviders",
];

/// The credentials of those who leave, of the organisation's users only.
const READ_CREDENTIALS: &[&str] = &[
    "iam:GetLoginProfile",
    "iam:ListAccessKeys",
    "iam:ListMFADevices",
    "iam:ListSSHPublicKeys",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSigningCertificates",
    "iam:ListUserTags",
];

/// Looking at single things while changing them.
const LOOK: &[&str] = &[
    "iam:GetGroup",
    "iam:GetGroupPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRolePolicy",
    "iam:GetUser",
    "iam:GetUserPolicy",
    "iam:ListAttachedGroupPolicies",
    "iam:ListAttachedRolePolicies",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupPolicies",
    "iam:ListGroups",
    "iam:ListGroupsForUser",
    "iam:ListInstanceProfilesForRole",
    "iam:ListPolicyVersions",
    "iam:ListRolePolicies",
    "iam:ListUserPolicies",
    "iam:ListUsers",
];

/// Changing the organisation's users.
const USERS: &[&str] = &[
    "iam:CreateAccessKey",
    "iam:CreateUser",
    "iam:DeactivateMFADevice",
    "iam:DeleteAccessKey",
    "iam:DeleteLoginProfile",
    "iam:DeleteSSHPublicKey",
    "iam:DeleteServiceSpecificCredential",
    "iam:DeleteSigningCertificate",
    "iam:DeleteUser",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
    "iam:TagUser",
    "iam:UntagUser",
    "iam:UpdateUser",
];

/// Changing the organisation's groups.
const GROUPS: &[&str] = &[
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:CreateGroup",
    "iam:DeleteGroup",
    "iam:DeleteGroupPolicy",
    "iam:DetachGroupPolicy",
    "iam:PutGroupPolicy",
    "iam:UpdateGroup",
];

/// The managed policies that are documents of groups.
const DOCUMENTS: &[&str] =
    &["iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"];

/// Changing the organisation's roles.
const ROLES: &[&str] = &[
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
];

/// Putting the mark on what has none yet, and lies on any path.
const ADOPT: &[&str] = &["iam:TagRole", "iam:TagUser", "iam:UpdateGroup", "iam:UpdateUser"];

/// Changing identity providers.
const PROVIDERS: &[&str] = &[
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:CreateSAMLProvider",
    "iam:DeleteOpenIDConnectProvider",
    "iam:DeleteSAMLProvider",
    "iam:RemoveClientIDFromOpenIDConnectProvider",
    "iam:TagOpenIDConnectProvider",
    "iam:TagSAMLProvider",
    "iam:UpdateSAMLProvider",
];

/// Policies with all of these statements, and with leave to take on these roles: as many as it
/// takes for each to be small enough for a managed policy. None for nothing.
pub fn documents(mut statements: Vec<Value>, enters: &[String]) -> Vec<Value> {
    if !enters.is_empty() {
        statements.push(permit("OtherAccounts", &["sts:AssumeRole"], enters));
    }
    let mut documents: Vec<Vec<Value>> = Vec::new();
    for statement in statements {
        let mut rest = Some(statement);
        while let Some(statement) = rest.take() {
            let last = documents.last().map_or(&[][..], Vec::as_slice);
            let is_fresh = last.is_empty();
            let (fits, more) = match part(statement, MOST.saturating_sub(size(&policy(last)))) {
                // It fits nowhere: IAM will say so.
                (None, whole) if is_fresh => (whole, None),
                parts => parts,
            };
            match (fits, documents.last_mut()) {
                (Some(fits), Some(last)) => last.push(fits),
                (Some(first), None) => documents.push(vec![first]),
                (None, _) => {}
            }
            if more.is_some() {
                documents.push(Vec::new());
            }
            rest = more;
        }
    }
    documents.retain(|statements| !statements.is_empty());
    documents.iter().map(|statements| policy(statements)).collect()
}

/// So many characters a document may have, and a comma for each statement.
const MOST: u64 = MANAGED_POLICY_SIZE - 32;

fn policy(statements: &[Value]) -> Value {
    json!({ "Version": VERSION, "Statement": statements })
}

/// How many characters IAM counts: all but white space, of which there is none.
fn size(value: &Value) -> u64 {
    value.to_string().len() as u64
}

/// As much of a statement as fits, by its resources, and the rest.
fn part(mut statement: Value, room: u64) -> (Option<Value>, Option<Value>) {
    if size(&statement) <= room {
        return (Some(statement), None);
    }
    let resources = statement["Resource"].as_array().cloned().unwrap_or_default();
    statement["Resource"] = json!([]);
    let mut left = room.saturating_sub(size(&statement));
    let fits = |one: &&Value| {
        let length = size(one) + 1;
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    };
    let count = resources.iter().take_while(fits).count();
    let with = |some: &[Value]| {
        let mut statement = statement.clone();
        statement["Resource"] = some.into();
        statement
    };
    let (now, later) = resources.split_at(count);
    ((!now.is_empty()).then(|| with(now)), Some(with(later)))
}

/// What the program does within one account.
pub fn within(site: &Site<'_>, purpose: Purpose, has_users: bool) -> Vec<Value> {
    let account = site.account;
    let partition = partition(account);
    let organisation = &account.place.organisation;
    let path = path_of(organisation);
    let own = |kind: &str| format!("arn:{partition}:iam::{}:{kind}{path}*", account.id);
    let any = |kind: &str| format!("arn:{partition}:iam::{}:{kind}/*", account.id);
    let is_hub = account.is_hub();
    let mut statements = vec![permit("Read", READ, &["*".to_owned()])];
    if is_hub && has_users {
        statements.push(permit("ReadCredentials", READ_CREDENTIALS, &[own("user")]));
        let list = &["iam:ListVirtualMFADevices"];
        statements.push(permit("ListSecondFactors", list, &["*".to_owned()]));
        let tags = &["iam:ListMFADeviceTags"];
        statements.push(permit("ReadSecondFactors", tags, &[any("mfa")]));
    }
    if purpose != Purpose::Read {
        statements.push(permit("Look", LOOK, &["*".to_owned()]));
        if is_hub && has_users {
            statements.push(permit("Users", USERS, &[own("user")]));
            let devices = &["iam:DeleteVirtualMFADevice", "iam:TagMFADevice"];
            statements.push(permit("SecondFactors", devices, &[any("mfa")]));
            statements.push(permit("Groups", GROUPS, &[own("group")]));
            // Who leaves, leaves every group, whosever it is.
            let leave = &["iam:RemoveUserFromGroup"];
            statements.push(permit("Leave", leave, &[any("group")]));
            statements.push(permit("Documents", DOCUMENTS, &[own("policy")]));
        }
        statements.push(permit("Roles", ROLES, &[own("role")]));
        // The path of a role cannot be changed: an adopted one is known by its tag alone.
        let adopted: Vec<&str> =
            ROLES.iter().copied().filter(|action| *action != "iam:CreateRole").collect();
        let mut adopted = permit("AdoptedRoles", &adopted, &[any("role")]);
        let tag = format!("aws:ResourceTag/{ORGANISATION_TAG}");
        adopted["Condition"] = json!({ "StringEquals": { tag: organisation_tag(organisation) } });
        statements.push(adopted);
        if purpose == Purpose::Adopt {
            let all = [any("user"), any("group"), any("role")];
            statements.push(permit("Adopt", ADOPT, &all));
        }
        let providers = [any("oidc-provider"), any("saml-provider")];
        statements.push(permit("IdentityProviders", PROVIDERS, &providers));
    }
    statements
}

fn permit(name: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({ "Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources })
}
