//! What the service's failures mean to us.

use super::api::{Code, Failure};
use super::service::world::Operation;
use crate::cloud::{CloudError, ErrorKind};

/// A call that failed, in the words of every cloud.
///
/// A reply that never came says nothing about a write, so it is `LostReply`; a read may simply be
/// repeated, so there it is `Unavailable`.
pub fn to_cloud_error(operation: Operation, object: &str, failure: Failure) -> CloudError {
    let Failure { code, message, request_id, retry_after } = failure;
    let kind = match code {
        Code::Throttling => ErrorKind::Throttled { after: retry_after },
        Code::ServiceUnavailable | Code::InternalFailure => ErrorKind::Unavailable,
        Code::ConnectionReset => no_reply(operation),
        Code::NoSuchEntity => ErrorKind::NotFound,
        Code::EntityAlreadyExists => ErrorKind::AlreadyExists,
        Code::ConcurrentModification => ErrorKind::Conflict,
        Code::DeleteConflict => ErrorKind::HasDependents,
        Code::LimitExceeded => ErrorKind::QuotaExceeded,
        Code::AccessDenied => ErrorKind::Denied,
        Code::ExpiredToken => ErrorKind::Unauthenticated,
        Code::InvalidInput => ErrorKind::Invalid,
    };
    CloudError { request_id, ..CloudError::new(kind, operation.name(), object, message) }
}

/// A call that had no reply in time.
pub fn timed_out(operation: Operation, object: &str, limit: std::time::Duration) -> CloudError {
    let message = format!("no reply within {} s", limit.as_secs_f32());
    CloudError::new(no_reply(operation), operation.name(), object, message)
}

fn no_reply(operation: Operation) -> ErrorKind {
    if operation.is_write() { ErrorKind::LostReply } else { ErrorKind::Unavailable }
}
