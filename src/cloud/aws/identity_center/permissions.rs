//! What the role of the program must be allowed in the hub.

use serde_json::{Value, json};

use crate::cloud::Purpose;

/// What an observation and a look call.
const READS: &[&str] = &[
    "iam:GetPolicy",
    "identitystore:DescribeGroup",
    "identitystore:DescribeUser",
    "identitystore:GetGroupId",
    "identitystore:GetGroupMembershipId",
    "identitystore:GetUserId",
    "identitystore:ListGroupMemberships",
    "identitystore:ListGroupMembershipsForMember",
    "identitystore:ListGroups",
    "identitystore:ListUsers",
    "sso:DescribeInstance",
    "sso:DescribePermissionSet",
    "sso:GetInlinePolicyForPermissionSet",
    "sso:GetPermissionsBoundaryForPermissionSet",
    "sso:ListAccountAssignments",
    "sso:ListAccountAssignmentsForPrincipal",
    "sso:ListAccountsForProvisionedPermissionSet",
    "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
    "sso:ListInstances",
    "sso:ListManagedPoliciesInPermissionSet",
    "sso:ListPermissionSets",
    "sso:ListTagsForResource",
];

/// What the steps call besides.
const WRITES: &[&str] = &[
    "identitystore:CreateGroup",
    "identitystore:CreateGroupMembership",
    "identitystore:CreateUser",
    "identitystore:DeleteGroup",
    "identitystore:DeleteGroupMembership",
    "identitystore:DeleteUser",
    "identitystore:UpdateGroup",
    "identitystore:UpdateUser",
    "sso:AttachCustomerManagedPolicyReferenceToPermissionSet",
    "sso:AttachManagedPolicyToPermissionSet",
    "sso:CreateAccountAssignment",
    "sso:CreatePermissionSet",
    "sso:DeleteAccountAssignment",
    "sso:DeleteInlinePolicyFromPermissionSet",
    "sso:DeletePermissionSet",
    "sso:DeletePermissionsBoundaryFromPermissionSet",
    "sso:DescribeAccountAssignmentCreationStatus",
    "sso:DescribeAccountAssignmentDeletionStatus",
    "sso:DescribePermissionSetProvisioningStatus",
    "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet",
    "sso:DetachManagedPolicyFromPermissionSet",
    "sso:ProvisionPermissionSet",
    "sso:PutInlinePolicyToPermissionSet",
    "sso:PutPermissionsBoundaryToPermissionSet",
    "sso:TagResource",
    "sso:UpdatePermissionSet",
];

/// Statements that allow what the program calls and nothing else.
///
/// On all resources: neither users nor groups can be told apart by a policy, and what of them is
/// whose stands in their mark, which this program goes by.
pub fn within(purpose: Purpose) -> Vec<Value> {
    let mut statements =
        vec![json!({"Sid": "Look", "Effect": "Allow", "Action": READS, "Resource": "*"})];
    if purpose != Purpose::Read {
        statements
            .push(json!({"Sid": "Change", "Effect": "Allow", "Action": WRITES, "Resource": "*"}));
    }
    statements
}
