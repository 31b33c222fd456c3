//! The closed vocabulary of what can go wrong at a vendor.

use std::time::Duration;

use crate::masks;

/// As much of a message is kept.
const SHOWN: usize = 2000;

/// What went wrong, independent of the vendor's words.
///
/// Architecture invariant: nothing branches on message texts; each cloud maps its vendor's codes
/// to these kinds in its `error` module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Too many requests; the vendor may have said when to come back.
    Throttled {
        /// The vendor's `Retry-After`.
        after: Option<Duration>,
    },
    /// The service failed and did nothing.
    Unavailable,
    /// No (whole) reply: the write may or may not have happened.
    LostReply,
    /// The object is not there (or not visible yet).
    NotFound,
    /// An object of that name is there already.
    AlreadyExists,
    /// Somebody else changed the object at the same time.
    Conflict,
    /// Something still hangs on the object that is to be deleted.
    HasDependents,
    /// A quota of the account is used up.
    QuotaExceeded,
    /// Our credentials do not allow it.
    Denied,
    /// Our credentials have expired or are wrong.
    Unauthenticated,
    /// The vendor refuses what we sent.
    Invalid,
    /// The object does not carry our mark.
    Foreign,
}

/// Whether repeating helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Repeating the same call is safe and may help, after the given time at the earliest.
    Again {
        /// The vendor's word on when.
        after: Option<Duration>,
    },
    /// The call may have taken effect: look before doing anything.
    Look,
    /// Repeating does not help.
    Never,
}

/// So many things of a list are named.
const NAMED: usize = 5;

/// The first names of a list, and how many more there are.
pub(crate) fn some(names: &[String]) -> String {
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// An error of one call.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {object}: {message}")]
pub struct CloudError {
    /// What kind of error.
    pub kind: ErrorKind,
    /// The vendor's name of the operation.
    pub operation: &'static str,
    /// What it was about.
    pub object: String,
    /// What the vendor said, without secrets or personal values.
    pub message: String,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
    /// The error below, if there is one.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl CloudError {
    /// An error without a cause below it. The message may hold what a server said: it is cut, and
    /// shown without our secrets.
    pub fn new(
        kind: ErrorKind,
        operation: &'static str,
        object: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            operation,
            object: object.into(),
            message: masks::shown(&message.into(), SHOWN),
            request_id: None,
            source: None,
        }
    }

    /// With what is in the way, as far as that is known.
    #[must_use]
    pub fn blocked_by(self, blockers: &[String]) -> Self {
        if blockers.is_empty() {
            return self;
        }
        let message = format!("{}: {}", self.message.trim_end_matches('.'), some(blockers));
        Self { message: masks::shown(&message, SHOWN), ..self }
    }

    /// Whether repeating helps.
    ///
    /// `NotFound`, `AlreadyExists` and `Conflict` are `Look`: after a lost reply or with an
    /// eventually consistent vendor they may mean that all is well.
    pub fn retry(&self) -> Retry {
        match self.kind {
            ErrorKind::Throttled { after } => Retry::Again { after },
            ErrorKind::Unavailable => Retry::Again { after: None },
            ErrorKind::LostReply
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::HasDependents => Retry::Look,
            ErrorKind::QuotaExceeded
            | ErrorKind::Denied
            | ErrorKind::Unauthenticated
            | ErrorKind::Invalid
            | ErrorKind::Foreign => Retry::Never,
        }
    }
}
