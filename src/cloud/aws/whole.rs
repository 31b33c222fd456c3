//! Refuses replies that are not whole.
//!
//! The SDK takes XML that was cut in the middle, or whose result element is missing or empty, for
//! a success: half a list of users looks complete, and `IsTruncated` is false because it is not
//! there (seen with `aws-sdk-iam` 1.133; `the_sdk_takes_cut_lists_for_whole` in the tests keeps
//! watch). Nothing may be concluded from such a reply, so it is turned into an error before
//! anybody sees it. A write whose reply is refused here may have happened.

use aws_sdk_iam::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is wrong with a reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply is not whole: {0}")]
pub struct NotWhole(&'static str);

/// Looks at every successful reply of a service that answers in XML (IAM, STS).
#[derive(Debug)]
pub struct WholeReplies;

impl Intercept for WholeReplies {
    fn name(&self) -> &'static str {
        "WholeReplies"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if !response.status().is_success() {
            return Ok(());
        }
        let body = response.body().bytes().ok_or(NotWhole("it was not read to its end"))?;
        check(body).map_err(Into::into)
    }
}

/// What must be in the replies to actions that list something: the list, for the SDK takes one that
/// is not there for one without members. Whether there is more, which IAM always says, is known to
/// be left out by others that speak its language; it must be there where a bulk of things is listed.
const LISTS: [(&str, &[&str]); 22] = [
    // Its lists are looked at where they are read, since not every account has all of them.
    ("GetAccountAuthorizationDetails", &["<IsTruncated>"]),
    ("GetGroup", &["<Group>"]),
    ("ListAccessKeys", &["<AccessKeyMetadata"]),
    ("ListAttachedGroupPolicies", &["<AttachedPolicies"]),
    ("ListAttachedRolePolicies", &["<AttachedPolicies"]),
    ("ListAttachedUserPolicies", &["<AttachedPolicies"]),
    ("ListGroupPolicies", &["<PolicyNames"]),
    ("ListGroups", &["<Groups"]),
    ("ListGroupsForUser", &["<Groups"]),
    ("ListInstanceProfilesForRole", &["<InstanceProfiles"]),
    ("ListMFADeviceTags", &["<Tags"]),
    ("ListMFADevices", &["<MFADevices"]),
    ("ListPolicyVersions", &["<Versions"]),
    ("ListRolePolicies", &["<PolicyNames"]),
    ("ListRoles", &["<Roles", "<IsTruncated>"]),
    ("ListSSHPublicKeys", &["<SSHPublicKeys"]),
    ("ListServiceSpecificCredentials", &["<ServiceSpecificCredentials"]),
    ("ListSigningCertificates", &["<Certificates"]),
    ("ListUserPolicies", &["<PolicyNames"]),
    ("ListUserTags", &["<Tags"]),
    ("ListUsers", &["<Users", "<IsTruncated>"]),
    ("ListVirtualMFADevices", &["<VirtualMFADevices"]),
];

/// Whether a body is the whole reply to an action.
///
/// # Errors
/// What is missing.
pub fn check(body: &[u8]) -> Result<(), NotWhole> {
    let text = std::str::from_utf8(body).map_err(|_| NotWhole("it is not text"))?.trim();
    let root = root(text).ok_or(NotWhole("it has no root element"))?;
    if !text.ends_with(&format!("</{root}>")) {
        return Err(NotWhole("its root element does not end"));
    }
    let Some(action) = root.strip_suffix("Response") else {
        return Err(NotWhole("it answers nothing"));
    };
    let answers = action.starts_with("Get")
        || action.starts_with("List")
        || action.starts_with("Create")
        || action == "AssumeRole";
    if answers && !text.contains(&format!("<{action}Result>")) {
        return Err(NotWhole("it has no result"));
    }
    let needed = LISTS.iter().find(|(list, _)| *list == action);
    let needed = needed.map_or::<&[&str], _>(&[], |(_, needed)| needed);
    if needed.iter().any(|needed| !text.contains(needed)) {
        return Err(NotWhole("it lists nothing, not even that there is nothing"));
    }
    Ok(())
}

/// The name of the root element.
fn root(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let start = rest.find('<')?;
        rest = &rest[start + 1..];
        if !rest.starts_with(['?', '!']) {
            let end =
                rest.find(|character: char| character.is_whitespace() || ">/".contains(character))?;
            return Some(&rest[..end]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"<?xml version="1.0"?>
<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <ListUsersResult><Users><member><UserName>amara</UserName></member></Users>
  <IsTruncated>false</IsTruncated></ListUsersResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</ListUsersResponse>
"#;

    #[test]
    fn a_whole_reply_is_taken_and_no_beginning_of_it_is() {
        assert_eq!(check(WHOLE.as_bytes()), Ok(()));
        let end = WHOLE.trim_end().len();
        for cut in 0..end {
            assert!(check(&WHOLE.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_reply_without_result_or_without_a_word_on_more_is_not_whole() {
        for (body, why) in [
            ("", "it has no root element"),
            ("<ListUsersResponse></ListUsersResponse>", "it has no result"),
            ("<ListUsersResponse><ListUsersResult/></ListUsersResponse>", "it has no result"),
            (
                "<ListUsersResponse><ListUsersResult></ListUsersResult></ListUsersResponse>",
                "it lists nothing, not even that there is nothing",
            ),
            ("<html><body>gateway</body></html>", "it answers nothing"),
            ("<CreateUserResponse/>", "its root element does not end"),
        ] {
            assert_eq!(check(body.as_bytes()), Err(NotWhole(why)), "{body}");
        }
        assert_eq!(check(b"<DeleteUserResponse><ResponseMetadata/></DeleteUserResponse>"), Ok(()));
    }
}
