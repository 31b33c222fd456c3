//! What a person can do about each kind of error.

use crate::cloud::ErrorKind;
use crate::model::Reason;
use crate::plan::{Change, Step};

/// What to do about a change, where more is known of it than of the error alone.
pub(super) fn of_change(kind: ErrorKind, change: &Change) -> Option<String> {
    let Step::Attach { attachment, .. } = &change.step else { return None };
    // What has a content of its own is made by the step; anything else must be there already.
    if attachment.content.is_some() || !matches!(kind, ErrorKind::NotFound | ErrorKind::Invalid) {
        return None;
    }
    let defined = change.reasons.iter().find_map(|reason| match reason {
        Reason::Definition { source } => Some(format!(" ({source})")),
        _ => None,
    });
    Some(format!(
        "{} is named in the policies{}: correct its name there, or make it at the vendor",
        attachment.name,
        defined.unwrap_or_default()
    ))
}

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
            "somebody put something on it since the plan was made (a member, an attachment, an instance \
             profile): take it off at the vendor, or run again, and the next plan shows it"
        }
        ErrorKind::QuotaExceeded => "ask the vendor for a higher quota, or use less of it",
        ErrorKind::Denied => "give the program's own principal the right to do this",
        ErrorKind::Unauthenticated => "renew the credentials of this account and run again",
        ErrorKind::Invalid => {
            "correct the name in the inventory, or the role's definition in the policies"
        }
        ErrorKind::Foreign => "adopt it, or give it or ours another name",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Attachment, ChangeId, HolderKind, Place, Source, Subject};
    use crate::plan::{Reference, Target};

    fn attach(content: Option<&str>) -> Change {
        let source = Source::new("policies/roles.yaml", 4, 3);
        Change {
            id: ChangeId(0),
            place: Arc::new(Place { organisation: "spi".into(), account: "hub".into() }),
            step: Step::Attach {
                holder: Target { id: Reference::Known("r-1".into()), name: "operator".into() },
                holder_kind: HolderKind::Role,
                subject: Subject::Role("operator".into()),
                before: None,
                attachment: Box::new(Attachment {
                    kind: "managed-policy".into(),
                    name: "arn:aws:iam::aws:policy/ReadOnlyAcess".into(),
                    content: content.map(Into::into),
                }),
            },
            needs: Vec::new(),
            verified: false,
            reasons: [Reason::Definition { source }].into(),
        }
    }

    #[test]
    fn a_policy_that_does_not_exist_is_looked_for_where_it_is_written() {
        assert_eq!(
            of_change(ErrorKind::NotFound, &attach(None)).as_deref(),
            Some(
                "arn:aws:iam::aws:policy/ReadOnlyAcess is named in the policies \
                 (policies/roles.yaml:4): correct its name there, or make it at the vendor"
            )
        );
        assert_eq!(of_change(ErrorKind::NotFound, &attach(Some("{}"))), None);
        assert_eq!(of_change(ErrorKind::Denied, &attach(None)), None);
    }
}
