//! What the program itself must be allowed to do in an account, as a policy for IAM: every action
//! it calls and no other, on what is the organisation's wherever IAM lets one say so.

use serde_json::{Value, json};

use super::config::{ASSUME_ROLE, DEFAULT_ROLE, ORGANISATION_TAG};
use super::document::VERSION;
use super::identity::{organisation_tag, path_of};
use super::session::{partition, setting};
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

/// The policy of the program in one account.
pub fn document(site: &Site<'_>, purpose: Purpose, has_users: bool) -> Value {
    let account = site.account;
    let partition = partition(account);
    let organisation = &account.place.organisation;
    let path = path_of(organisation);
    let own = |kind: &str| format!("arn:{partition}:iam::{}:{kind}{path}*", account.id);
    let any = |kind: &str| format!("arn:{partition}:iam::{}:{kind}/*", account.id);
    let is_hub = account.is_hub();
    let mut statements = vec![permit("Read", READ, &["*".to_owned()])];
    if is_hub {
        let roles = site.accounts.iter().filter(|other| other.id != account.id);
        let roles: Vec<String> = roles
            .map(|other| {
                let role = setting(other, ASSUME_ROLE).unwrap_or(DEFAULT_ROLE);
                format!("arn:{partition}:iam::{}:role/{}", other.id, role.trim_start_matches('/'))
            })
            .collect();
        if !roles.is_empty() {
            statements.push(permit("OtherAccounts", &["sts:AssumeRole"], &roles));
        }
        if has_users {
            statements.push(permit("ReadCredentials", READ_CREDENTIALS, &[own("user")]));
            let list = &["iam:ListVirtualMFADevices"];
            statements.push(permit("ListSecondFactors", list, &["*".to_owned()]));
            let tags = &["iam:ListMFADeviceTags"];
            statements.push(permit("ReadSecondFactors", tags, &[any("mfa")]));
        }
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
    json!({ "Version": VERSION, "Statement": statements })
}

fn permit(name: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({ "Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources })
}
