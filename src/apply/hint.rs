//! What a person can do about each kind of error.

use crate::cloud::ErrorKind;

/// What to do, where that is known.
pub(super) fn of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Throttled { .. } => {
            "run again later, or lower the number of changes made at once in this account"
        }
        ErrorKind::Unavailable => "run again later; the vendor's status page may say when",
        ErrorKind::LostReply => "run again: the next run looks before it does anything",
        ErrorKind::NotFound | ErrorKind::Conflict => {
            "run again: the next plan starts from what is there now"
        }
        ErrorKind::AlreadyExists => "the name is taken: adopt what has it, or choose another name",
        ErrorKind::HasDependents => {
            "something the plan does not know of still hangs on it; look at it at the vendor"
        }
        ErrorKind::QuotaExceeded => "ask the vendor for a higher quota, or use less of it",
        ErrorKind::Denied => "give the program's own principal the right to do this",
        ErrorKind::Unauthenticated => "renew the credentials of this account and run again",
        ErrorKind::Invalid => "correct the name or the role's definition in the inventory",
        ErrorKind::Foreign => "adopt it, or give it or ours another name",
    }
}
