//! What is never sent to AWS, whatever there is to do.

use std::collections::BTreeSet;

use super::site::AwsSite;

/// Every write that gives one user something to log in with, or a right of their own. IAM API
/// reference, actions about users.
const NEVER: [&str; 13] = [
    "AttachUserPolicy",
    "ChangePassword",
    "CreateAccessKey",
    "CreateAccountAlias",
    "CreateLoginProfile",
    "CreateServiceSpecificCredential",
    "CreateVirtualMFADevice",
    "EnableMFADevice",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "UpdateLoginProfile",
    "UploadSSHPublicKey",
    "UploadSigningCertificate",
];

#[test]
fn no_person_gets_a_password_a_credential_or_a_right_of_their_own() {
    let site = AwsSite::new();
    let mut seen = BTreeSet::new();
    let mut run = |what: &str| {
        site.run(&[]).ends_with(0);
        for call in site.wire.writes() {
            assert!(!NEVER.contains(&call.action.as_str()), "{what}: {}", call.action);
            assert!(!call.request.contains("Password="), "{what}: {}", call.action);
            seen.insert(call.action);
        }
        site.wire.clear();
    };
    run("everybody is new");
    site.joins("farid", 1006, &["build", "admin"]);
    run("somebody joins");
    site.is_active("diego", false);
    run("somebody leaves");
    site.is_active("diego", true);
    run("somebody comes back");
    // The other end: there was something to do each time.
    for expected in ["CreateUser", "AddUserToGroup", "AttachRolePolicy", "RemoveUserFromGroup"] {
        assert!(seen.contains(expected), "{expected}: {seen:?}");
    }
}
