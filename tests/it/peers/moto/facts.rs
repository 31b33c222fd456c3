//! What moto 5.2.5 gets wrong, as far as tests of the program meet it. Found by asking it.
//!
//! # IAM
//! - An operation it does not have answers HTTP 500 with HTML. Missing: everything about
//!   service-specific credentials, `PutUserPermissionsBoundary` and `DeleteUserPermissionsBoundary`,
//!   `SimulatePrincipalPolicy`, tags of MFA devices, SAML providers and server certificates,
//!   `AddClientIDToOpenIDConnectProvider` and its opposite, `GetMFADevice`, `ResyncMFADevice`.
//! - `CreateUser` takes tags, and drops a permissions boundary without a word.
//! - `UpdateUser` loses the tags when the name or path changes, and overwrites a user who already
//!   has the new name. Memberships, policies and keys stay.
//! - `UpdateGroup` ignores a new path that comes without a new name.
//! - Names differ by case: `ann` and `Ann` may both exist. Real names are unique regardless of it.
//! - `MaxItems` is ignored by `ListUsers`, `ListGroups`, `GetGroup`, `ListGroupsForUser` and
//!   `GetAccountAuthorizationDetails`; it works for `ListRoles`, `ListPolicies` and
//!   `ListAttachedRolePolicies`.
//! - `DeleteConflict` comes only from inline and attached policies, for users and roles. A user is
//!   deleted in spite of groups (the membership stays behind), access keys, a password, MFA devices
//!   (a virtual one stays behind) and SSH keys; a group in spite of members and policies; a policy in
//!   spite of attachments; a virtual MFA device in spite of being enabled (the user keeps it).
//! - Counts: attached policies of a deleted group still count in `AttachmentCount`.
//! - `GetAccountAuthorizationDetails` has tags, groups, inline and attached policies of users, and
//!   filters by kind. `Description` of policies is there. It knows no boundary of a user, because
//!   there is none. `GetAccountSummary` counts correctly, with AWS's quotas.
//! - Quotas are enforced for access keys (2), signing certificates (2) and policy versions (5), and not
//!   for groups per user, attached policies or the size of inline documents.
//! - `CreateRole` takes tags, boundary, description and `MaxSessionDuration`; `UpdateRole` changes the
//!   last two. `ListRoles` shows neither tags nor boundary, as AWS does.
//! - Trust policies are not checked: no principal need exist, no statement need be there.
//!   `CreatePolicy` refuses what is malformed.
//! - Ids of users and groups are random letters, not `AIDA…` and `AGPA…`. Role ids are `AROA…`.
//! - `ListVirtualMFADevices` gives the seed of every device.
//! - `CreateSAMLProvider` overwrites, drops tags, and makes up `ValidUntil`; metadata is not parsed.
//! - `CreateOpenIDConnectProvider` works, with tags, thumbprints and `EntityAlreadyExists`.
//! - AWS's own policies exist only in [`Moto::start_with_managed_policies`].
//!
//! [`Moto::start_with_managed_policies`]: super::Moto::start_with_managed_policies
//!
//! # STS and authorisation
//! - `AssumeRole` needs no such role, checks no external id and no duration; the account is the one
//!   in the ARN. Sessions do not expire.
//! - With authorisation on, refusals are 403 with the code inside `Errors`, where neither AWS nor its
//!   SDKs put it, and in XML for services that speak JSON too: the SDK sees no code.
//! - Only the names of actions are checked: the resource is `*` for every call except those with a
//!   `RoleName` and `AssumeRole`. A statement with any other `Resource` therefore allows nothing, and a
//!   statement without one (`NotResource`) allows everything.
//! - Conditions other than `StringEquals` count as fulfilled; boundaries, session policies and service
//!   control policies are not looked at.
//! - The trust policy is checked for roles of the caller's own account only, and there the caller's
//!   own ARN must be in it: the account (`…:root`) is not enough.
//!
//! # Identity store and Identity Center
//! - `UpdateUser` and `UpdateGroup` are missing. `CreateUser` requires `Name` and `DisplayName` (the
//!   real store does as well). `ListUsers` and `ListGroups` page.
//! - `CreateGroupMembership` twice gives two memberships instead of `ConflictException`; a deleted user
//!   stays a member. A store nobody made is empty instead of missing.
//! - Every account has one instance, `ACTIVE`, made when it is first asked for.
//! - `CreatePermissionSet` twice gives two of the same name; without a duration the answer has the
//!   number 3600 where AWS has `PT1H`. Tags, permissions boundaries and the status of provisioning
//!   (`DescribePermissionSetProvisioningStatus` and its list) are missing.
//! - Assignments are `SUCCEEDED` at once, also twice the same and for nobody. They do not provision:
//!   `ListAccountsForProvisionedPermissionSet` and `ListPermissionSetsProvisionedToAccount` stay empty
//!   until `ProvisionPermissionSet`. No role appears in the account. A permission set is deleted in
//!   spite of assignments.
//!
//! # Organizations
//! - Accounts are created at once, with random numbers. `ListAccounts` pages.
//!   `ListDelegatedAdministrators` does not know `sso.amazonaws.com`.
