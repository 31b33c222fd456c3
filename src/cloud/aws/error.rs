//! What AWS's failures mean to us.
//!
//! Written for any of its services: their SDK crates share the types of errors. Sources: "Common
//! error types" and the errors of each action in the IAM and STS API references.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;

use crate::cloud::{Applied, CloudError, ErrorKind};

/// Whether a call changes anything: an unclear end means something else then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing, so it may simply be repeated.
    Read,
    /// It may have happened although no reply says so.
    Write,
}

/// One reading call, its failure in our words.
pub async fn read<T, E: ProvideErrorMetadata + Error + Send + Sync + 'static>(
    operation: &'static str,
    object: &str,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, CloudError> {
    let reply = call.await;
    tracing::trace!(operation, object, succeeded = reply.is_ok(), "read");
    reply.map_err(|error| to_cloud_error(Effect::Read, operation, object, &error))
}

/// One writing call, its failure in our words.
pub async fn write<T, E: ProvideErrorMetadata + Error + Send + Sync + 'static>(
    operation: &'static str,
    object: &str,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, CloudError> {
    let reply = call.await;
    tracing::trace!(operation, object, succeeded = reply.is_ok(), "written");
    reply.map_err(|error| to_cloud_error(Effect::Write, operation, object, &error))
}

/// What a writing call gave that made nothing up.
pub fn done<T: RequestId>(reply: &T) -> Applied {
    let request_id = reply.request_id().map(str::to_owned);
    Applied { request_id, ..Applied::default() }
}

/// A call that failed, in the words of every cloud.
pub fn to_cloud_error<E: ProvideErrorMetadata + Error + Send + Sync + 'static>(
    effect: Effect,
    operation: &'static str,
    object: &str,
    error: &SdkError<E, HttpResponse>,
) -> CloudError {
    let unclear = match effect {
        Effect::Read => ErrorKind::Unavailable,
        Effect::Write => ErrorKind::LostReply,
    };
    let (kind, message) = match error {
        SdkError::ServiceError(failure) => {
            let (code, raw) = (failure.err().code(), failure.raw());
            let status = raw.status().as_u16();
            let after = raw.headers().get("retry-after").and_then(|text| text.parse().ok());
            let kind = kind(effect, code, status, after.map(Duration::from_secs));
            let message = match (code, failure.err().message()) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (Some(code), None) => code.to_owned(),
                (None, _) => format!(
                    "the answer is none of AWS's (HTTP status {status}): is there a proxy in \
                     between, or another address configured?"
                ),
            };
            let renew = "; renew the program's own credentials, and look at the machine's clock";
            let renew = if kind == ErrorKind::Unauthenticated { renew } else { "" };
            (kind, format!("{message}{renew}"))
        }
        SdkError::TimeoutError(_) => (unclear, "no reply in time".to_owned()),
        SdkError::ResponseError(_) => (unclear, "the reply cannot be read".to_owned()),
        SdkError::ConstructionFailure(_) => (ErrorKind::Invalid, chain(error)),
        SdkError::DispatchFailure(failure) => match refused_credentials(error) {
            Some(found) => found,
            // Nothing reached the service.
            None if failure.is_user() => (ErrorKind::Invalid, chain(error)),
            None => (unclear, format!("no reply: {}", chain(error))),
        },
        _ => (unclear, chain(error)),
    };
    let request_id = error.raw_response().and_then(|raw| raw.request_id()).map(str::to_owned);
    CloudError { request_id, ..CloudError::new(kind, operation, object, message) }
}

/// What a code means.
///
/// `Throttling` comes with status 400 from IAM and STS. A 500 says nothing about whether a write
/// happened; a 503 is given by the front of the service, before anything was done.
fn kind(effect: Effect, code: Option<&str>, status: u16, after: Option<Duration>) -> ErrorKind {
    match code.map(|code| code.strip_suffix("Exception").unwrap_or(code)) {
        Some("NoSuchEntity" | "ResourceNotFound" | "NotFound") => ErrorKind::NotFound,
        Some("EntityAlreadyExists") => ErrorKind::AlreadyExists,
        Some("DeleteConflict") => ErrorKind::HasDependents,
        Some("LimitExceeded" | "ServiceQuotaExceeded") => ErrorKind::QuotaExceeded,
        Some(
            "Throttling"
            | "Throttled"
            | "ThrottledException"
            | "TooManyRequests"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "RequestThrottled"
            | "BandwidthLimitExceeded",
        ) => ErrorKind::Throttled { after },
        // The second: a name that was deleted a moment ago and made again.
        Some("ConcurrentModification" | "EntityTemporarilyUnmodifiable" | "Conflict") => {
            ErrorKind::Conflict
        }
        Some("AccessDenied" | "UnauthorizedOperation" | "NotAuthorized" | "OptInRequired") => {
            ErrorKind::Denied
        }
        Some(
            "ExpiredToken"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClient"
            | "MissingAuthenticationToken"
            | "IncompleteSignature"
            | "RequestExpired"
            | "InvalidAccessKeyId"
            | "ExpiredTokenException",
        ) => ErrorKind::Unauthenticated,
        Some("ServiceUnavailable") => ErrorKind::Unavailable,
        _ if status == 503 => ErrorKind::Unavailable,
        _ if status == 429 => ErrorKind::Throttled { after },
        _ if status >= 500 => match effect {
            Effect::Read => ErrorKind::Unavailable,
            Effect::Write => ErrorKind::LostReply,
        },
        // An answer that cannot be understood: what was asked may have happened.
        None if status < 400 => match effect {
            Effect::Read => ErrorKind::Unavailable,
            Effect::Write => ErrorKind::LostReply,
        },
        // No code AWS documents: something between us and AWS.
        None if status == 403 => ErrorKind::Denied,
        None if status == 401 => ErrorKind::Unauthenticated,
        _ => ErrorKind::Invalid,
    }
}

/// Why there are no credentials to sign with, if that is what went wrong: then nothing was sent.
fn refused_credentials(error: &(dyn Error + 'static)) -> Option<(ErrorKind, String)> {
    let mut cause = Some(error);
    let mut found = None;
    while let Some(error) = cause {
        if let Some(ours) = error.downcast_ref::<CloudError>() {
            return Some((ours.kind, ours.to_string()));
        }
        if let Some(credentials) = error.downcast_ref::<CredentialsError>() {
            let kind = match credentials {
                CredentialsError::ProviderTimedOut(_) => ErrorKind::Unavailable,
                _ => ErrorKind::Unauthenticated,
            };
            let why = match credentials {
                // The SDK tells of everything it tried, at length.
                CredentialsError::CredentialsNotLoaded(_) => {
                    "no credentials: none in the environment, in a profile, or of this machine; set \
                     AWS_PROFILE or whatever else AWS's own tools go by"
                        .to_owned()
                }
                other => format!("no credentials: {}", chain(other)),
            };
            found.get_or_insert((kind, why));
        }
        cause = error.source();
    }
    found
}

/// An error with those below it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        text = format!("{text}: {below}");
        cause = below.source();
    }
    // The SDK tells of each source of credentials on a line of its own.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A trust policy that names somebody who was made a moment ago is refused as malformed until all
/// of AWS knows them ("Changes that I make are not always immediately visible", IAM User Guide):
/// worth repeating, unlike any other malformed document.
pub fn of_trust(error: CloudError) -> CloudError {
    if error.kind == ErrorKind::Invalid && error.message.starts_with("MalformedPolicyDocument") {
        return CloudError { kind: ErrorKind::Conflict, ..error };
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_kinds() {
        let of = |code: &str, status| kind(Effect::Write, Some(code), status, None);
        for (code, status, expected) in [
            ("NoSuchEntity", 404, ErrorKind::NotFound),
            ("EntityAlreadyExists", 409, ErrorKind::AlreadyExists),
            ("DeleteConflict", 409, ErrorKind::HasDependents),
            ("LimitExceeded", 409, ErrorKind::QuotaExceeded),
            ("Throttling", 400, ErrorKind::Throttled { after: None }),
            ("ThrottlingException", 400, ErrorKind::Throttled { after: None }),
            ("TooManyRequestsException", 429, ErrorKind::Throttled { after: None }),
            ("ConcurrentModification", 409, ErrorKind::Conflict),
            ("EntityTemporarilyUnmodifiable", 409, ErrorKind::Conflict),
            ("AccessDenied", 403, ErrorKind::Denied),
            ("AccessDeniedException", 400, ErrorKind::Denied),
            ("ExpiredToken", 403, ErrorKind::Unauthenticated),
            ("ExpiredTokenException", 400, ErrorKind::Unauthenticated),
            ("UnrecognizedClientException", 400, ErrorKind::Unauthenticated),
            ("ValidationError", 400, ErrorKind::Invalid),
            ("MalformedPolicyDocument", 400, ErrorKind::Invalid),
            ("ServiceUnavailable", 503, ErrorKind::Unavailable),
            ("ServiceFailure", 500, ErrorKind::LostReply),
            ("InternalFailure", 500, ErrorKind::LostReply),
        ] {
            assert_eq!(of(code, status), expected, "{code}");
        }
        assert_eq!(kind(Effect::Read, Some("ServiceFailure"), 500, None), ErrorKind::Unavailable);
        assert_eq!(kind(Effect::Write, None, 502, None), ErrorKind::LostReply);
        assert_eq!(kind(Effect::Write, None, 418, None), ErrorKind::Invalid);
        assert_eq!(kind(Effect::Write, None, 200, None), ErrorKind::LostReply);
        assert_eq!(kind(Effect::Read, None, 200, None), ErrorKind::Unavailable);
        let after = Some(Duration::from_secs(2));
        assert_eq!(kind(Effect::Read, None, 429, after), ErrorKind::Throttled { after });
    }

    #[test]
    fn only_a_malformed_trust_policy_is_worth_repeating() {
        let of = |message: &str| {
            of_trust(CloudError::new(ErrorKind::Invalid, "CreateRole", "r", message)).kind
        };
        assert_eq!(of("MalformedPolicyDocument: Invalid principal"), ErrorKind::Conflict);
        assert_eq!(of("ValidationError: no"), ErrorKind::Invalid);
    }
}
