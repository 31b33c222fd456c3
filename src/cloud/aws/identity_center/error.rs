//! What is particular to the failures of Identity Center, on top of those of all of AWS.

use aws_sdk_identitystore::operation::create_group::CreateGroupError;
use aws_sdk_identitystore::operation::create_group_membership::CreateGroupMembershipError;
use aws_sdk_identitystore::operation::create_user::CreateUserError;
use aws_sdk_identitystore::operation::update_group::UpdateGroupError;
use aws_sdk_identitystore::operation::update_user::UpdateUserError;
use aws_sdk_identitystore::types::ConflictExceptionReason;
use aws_sdk_ssoadmin::config::http::HttpResponse;
use aws_sdk_ssoadmin::error::SdkError;

use crate::cloud::aws::error::{Effect, to_cloud_error};
use crate::cloud::{CloudError, ErrorKind};
use crate::model::{Ownership, Subject};

/// Errors of the identity store whose `ConflictException` says what the conflict is.
pub trait SaysWhy {
    /// The reason it gives.
    fn reason(&self) -> Option<&ConflictExceptionReason>;
}

macro_rules! says_why {
    ($($error:ident)*) => {$(
        impl SaysWhy for $error {
            fn reason(&self) -> Option<&ConflictExceptionReason> {
                match self {
                    Self::ConflictException(conflict) => conflict.reason(),
                    _ => None,
                }
            }
        }
    )*};
}

says_why! { CreateGroupError CreateGroupMembershipError CreateUserError UpdateGroupError UpdateUserError }

/// One writing call of the identity store: a conflict is somebody else's change, unless it says
/// that what must be unique is taken (a user name, but also a mail address).
pub async fn write_unique<T, E>(
    operation: &'static str,
    object: &str,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, CloudError>
where
    E: SaysWhy
        + aws_sdk_iam::error::ProvideErrorMetadata
        + std::error::Error
        + Send
        + Sync
        + 'static,
{
    call.await.map_err(|error| {
        let taken = error.as_service_error().and_then(SaysWhy::reason)
            == Some(&ConflictExceptionReason::UniquenessConstraintViolation);
        let error = to_cloud_error(Effect::Write, operation, object, &error);
        if taken { CloudError { kind: ErrorKind::AlreadyExists, ..error } } else { error }
    })
}

/// Identity Center calls every kind of conflict `ConflictException`; which one it is, the action
/// tells.
pub fn conflict_is(kind: ErrorKind) -> impl Fn(CloudError) -> CloudError {
    move |error| match error.kind {
        ErrorKind::Conflict => CloudError { kind, ..error },
        _ => error,
    }
}

/// What a failed assignment or provisioning means. The reason is a text that begins with the code
/// of an error where there is one; nothing else of it is looked at.
pub fn failed(
    operation: &'static str,
    object: &str,
    request: Option<String>,
    reason: Option<&str>,
) -> CloudError {
    let reason = reason.unwrap_or("no reason given");
    let code = reason.split([':', ' ']).next().unwrap_or_default();
    let kind = match code.strip_suffix("Exception").unwrap_or(code) {
        "Conflict" | "ConcurrentModification" => ErrorKind::Conflict,
        "Throttling" | "TooManyRequests" => ErrorKind::Throttled { after: None },
        "ServiceQuotaExceeded" | "LimitExceeded" => ErrorKind::QuotaExceeded,
        "AccessDenied" => ErrorKind::Denied,
        "ResourceNotFound" | "NoSuchEntity" => ErrorKind::NotFound,
        "InternalServer" | "ServiceFailure" => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    };
    let message = format!("it was begun, and failed: {reason}");
    CloudError { request_id: request, ..CloudError::new(kind, operation, object, message) }
}

/// A reply without what it must have.
pub fn incomplete(operation: &'static str, object: &str, what: &str) -> CloudError {
    let message = format!("the reply has no {what}");
    CloudError::new(ErrorKind::Unavailable, operation, object, message)
}

/// Something of the SDK that could not be built.
pub fn unbuilt(
    operation: &'static str,
    object: &str,
) -> impl Fn(aws_sdk_iam::error::BuildError) -> CloudError {
    move |error| CloudError::new(ErrorKind::Invalid, operation, object, error.to_string())
}

/// The planned state and the state found differ, and the latter is not the one wanted either.
pub fn changed_since(operation: &'static str, object: &str) -> CloudError {
    let message = "it is no longer as it was when the change was planned";
    CloudError::new(ErrorKind::Conflict, operation, object, message)
}

/// Refuses what is not this organisation's, or does not stand for whom the plan says.
///
/// # Errors
/// [`ErrorKind::Foreign`].
pub fn must_be_ours(
    operation: &'static str,
    object: &str,
    ownership: &Ownership,
    subject: Option<&Subject>,
) -> Result<(), CloudError> {
    let foreign =
        |message: String| Err(CloudError::new(ErrorKind::Foreign, operation, object, message));
    match (ownership, subject) {
        (Ownership::Ours(found), Some(planned)) if found != planned => {
            foreign(format!("it stands for {found}, not for {planned}"))
        }
        (Ownership::Ours(_), _) => Ok(()),
        (Ownership::Damaged { why, .. }, _) => foreign(format!("its mark is damaged: {why}")),
        (Ownership::Theirs(mark), _) => foreign(format!("it is somebody else's: {mark}")),
        (Ownership::Unmarked, _) => foreign("it carries no mark".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_what_its_code_says() {
        let of = |reason| failed("CreateAccountAssignment", "x", None, reason).kind;
        assert_eq!(of(Some("ConflictException: already in progress")), ErrorKind::Conflict);
        assert_eq!(of(Some("AccessDenied")), ErrorKind::Denied);
        assert_eq!(of(Some("ThrottlingException: no")), ErrorKind::Throttled { after: None });
        assert_eq!(of(Some("The role is in Conflict")), ErrorKind::Invalid);
        assert_eq!(of(None), ErrorKind::Invalid);
    }
}
