//! Lists of the identity store that are no lists.
//!
//! The SDK takes a reply without its list for an empty list where the API says that the list is
//! always there (seen with `aws-sdk-identitystore` 1.122). Since absence must be proven, such a
//! reply is turned into an error before anybody sees it.

use aws_sdk_identitystore::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_identitystore::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_identitystore::error::BoxError;
use aws_sdk_identitystore::operation::list_group_memberships::ListGroupMembershipsOutput;
use aws_sdk_identitystore::operation::list_group_memberships_for_member::ListGroupMembershipsForMemberOutput;
use aws_sdk_identitystore::operation::list_groups::ListGroupsOutput;
use aws_sdk_identitystore::operation::list_users::ListUsersOutput;
use serde_json::Value;

/// Refuses replies to `ListUsers`, `ListGroups` and `ListGroupMemberships…` without their list.
#[derive(Debug)]
pub struct WholeReplies;

#[derive(Debug, thiserror::Error)]
#[error("the reply has no list of {0}")]
struct NoList(&'static str);

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
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        let list = if output.downcast_ref::<ListUsersOutput>().is_some() {
            "Users"
        } else if output.downcast_ref::<ListGroupsOutput>().is_some() {
            "Groups"
        } else if output.downcast_ref::<ListGroupMembershipsOutput>().is_some()
            || output.downcast_ref::<ListGroupMembershipsForMemberOutput>().is_some()
        {
            "GroupMemberships"
        } else {
            return Ok(());
        };
        let body = context.response().body().bytes().unwrap_or_default();
        if has_list(body, list) { Ok(()) } else { Err(NoList(list).into()) }
    }
}

/// Whether a body is a whole reply with that list in it.
pub(super) fn has_list(body: &[u8], list: &str) -> bool {
    serde_json::from_slice::<Value>(body)
        .is_ok_and(|reply| reply.get(list).is_some_and(Value::is_array))
}
