//! A directory that is not believed neither takes anything nor gives anything.
//!
//! A server that hides entries or attributes (a changed access rule, a half-loaded replica, the
//! wrong server behind the right name) answers with success: on the wire it looks like everybody
//! having left, or like everybody who left being back. So what rests on the word of a directory is
//! held, whatever the verb, when that word contradicts what the directory said at its last
//! complete reading, or what its schema expects; even where each account alone would be within its
//! own limits. An administrator who knows better approves the plan.

use std::collections::BTreeMap;

use super::{Cause, Context, Doubt, Rule, Violation, violation};
use crate::model::{ChangeId, DirectoryName, OrganisationName, Subject};
use crate::plan::{Effect, Plan};
use crate::policies::Limit;

/// One violation for every doubt and organisation in which something rests on the directory.
pub(super) fn directories(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut resting: BTreeMap<&DirectoryName, ByOrganisation<'_>> = BTreeMap::new();
    context
        .doubts
        .iter()
        .flat_map(|doubt| {
            let changes = resting
                .entry(&doubt.directory)
                .or_insert_with(|| resting_on(plan, &doubt.directory))
                .clone();
            changes.into_iter().filter_map(|(organisation, mut holds)| {
                let limit = context.policies.limits_of(organisation).directory;
                if !doubt.cause.is_about_presence(limit) {
                    holds.retain(|id| plan.changes[id.index()].step.effect() == Effect::Removal);
                }
                (doubt.cause.exceeds(limit) && !holds.is_empty()).then(|| Violation {
                    directory: Some(doubt.directory.clone()),
                    ..violation(doubt.cause.rule(), organisation, told(doubt, limit), holds)
                })
            })
        })
        .collect()
}

/// One violation for every person who has an id that stood for somebody else.
pub(super) fn another_person(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    if context.strangers.is_empty() {
        return Vec::new();
    }
    let mut concerned: BTreeMap<(&OrganisationName, &Subject), Vec<ChangeId>> = BTreeMap::new();
    for change in &plan.changes {
        if let Some((subject, _)) =
            change.step.subject().and_then(|subject| context.strangers.get_key_value(subject))
        {
            let organisation = &change.place.organisation;
            concerned.entry((organisation, subject)).or_default().push(change.id);
        }
    }
    concerned
        .into_iter()
        .map(|((organisation, subject), holds)| {
            let message = format!(
                "{subject} has another {} than was last known: the same person \
                 under a new name (approve the plan), or an id that was given to somebody else \
                 (write it under `reissued` at the directory, with today's day)",
                list(&context.strangers[subject]),
            );
            Violation {
                directory: directory_of(subject).cloned(),
                ..violation(Rule::AnotherPerson, organisation, message, holds)
            }
        })
        .collect()
}

/// Somebody who is not listed any more, and somebody new of whom too much is the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Renumbered {
    /// Whom the user stands for.
    pub was: Subject,
    /// Who is listed instead.
    pub is: Subject,
    /// What is the same.
    pub same: Vec<&'static str>,
}

/// One violation for every person who most likely is there under another id: what is taken from the
/// one and given to the other waits until somebody says who it is.
pub(super) fn renumbered(plan: &Plan, context: &Context<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for Renumbered { was, is, same } in &context.renumbered {
        let mut concerned: BTreeMap<&OrganisationName, Vec<ChangeId>> = BTreeMap::new();
        for change in &plan.changes {
            if change.step.subject().is_some_and(|subject| subject == was || subject == is) {
                concerned.entry(&change.place.organisation).or_default().push(change.id);
            }
        }
        let Some(directory) = directory_of(was) else { continue };
        found.extend(concerned.into_iter().map(|(organisation, holds)| {
            let message = format!(
                "{was} is not listed any more, and {is} has the same {}: one person under another \
                 id (`reconcile adopt --all {directory}` puts the new mark on), or somebody else \
                 (approve the plan)",
                list(same),
            );
            Violation {
                directory: Some(directory.clone()),
                ..violation(Rule::AnotherPerson, organisation, message, holds)
            }
        }));
    }
    found
}

type ByOrganisation<'a> = BTreeMap<&'a OrganisationName, Vec<ChangeId>>;

/// The changes whose object stands for a person or group of a directory.
fn resting_on<'a>(plan: &'a Plan, directory: &DirectoryName) -> ByOrganisation<'a> {
    let mut resting = ByOrganisation::new();
    for change in &plan.changes {
        if change.step.subject().and_then(directory_of) == Some(directory) {
            resting.entry(&change.place.organisation).or_default().push(change.id);
        }
    }
    resting
}

/// The directory on whose word an object stands for what it does.
fn directory_of(subject: &Subject) -> Option<&DirectoryName> {
    match subject {
        Subject::Person { directory, .. } => Some(directory),
        Subject::Group(group) => Some(&group.directory),
        Subject::Held { by, .. } => directory_of(by),
        Subject::Role(_)
        | Subject::Service(_)
        | Subject::ServiceGroup(_)
        | Subject::IdentityProvider(_)
        | Subject::Part { .. } => None,
    }
}

impl Cause {
    /// Whether it is more than the limit on directories lets pass. What is hidden from everybody
    /// is too much in any case.
    pub fn exceeds(&self, limit: Limit) -> bool {
        match *self {
            Self::Lacks { before, now, .. } => before.saturating_sub(now) > limit.allowed(before),
            Self::Hides { .. } => true,
            Self::Returned { before, returned } => returned > limit.allowed(before),
            Self::Others { before, others } => others > limit.allowed(before),
        }
    }

    /// Whether it holds what gives access as well. People who are all marked as gone are a reason
    /// to wait with taking; a directory in which they are not even listed is another one.
    fn is_about_presence(&self, limit: Limit) -> bool {
        match *self {
            Self::Lacks { before, listed, .. } => {
                before.saturating_sub(listed) > limit.allowed(before)
            }
            Self::Hides { .. } | Self::Returned { .. } | Self::Others { .. } => true,
        }
    }

    fn rule(&self) -> Rule {
        match self {
            Self::Lacks { .. } => Rule::DirectoryShrinkage,
            Self::Hides { .. } | Self::Returned { .. } | Self::Others { .. } => {
                Rule::DirectoryBelief
            }
        }
    }
}

fn told(doubt: &Doubt, limit: Limit) -> String {
    let directory = &doubt.directory;
    let at_most = |before| {
        format!(
            "at most {} are believed (limit: {}, {} %, at least {})",
            limit.allowed(before),
            limit.count,
            limit.percent,
            limit.floor,
        )
    };
    match doubt.cause {
        Cause::Lacks { before, now, listed } => format!(
            "directory {directory} lacks {} of the {before} people it had when it was last read, \
             {}{}",
            before.saturating_sub(now),
            at_most(before),
            if listed == 0 { other_ids(directory) } else { String::new() },
        ),
        Cause::Hides { what, showed: Some(showed) } => format!(
            "directory {directory} shows nobody's {what} any more, which {showed} of the same \
             people showed when it was last read: it is most likely hidden from this bind",
        ),
        Cause::Hides { what, showed: None } => format!(
            "directory {directory} does not show {what}, by which its schema decides: it is most \
             likely hidden from this bind",
        ),
        Cause::Returned { before, returned } => format!(
            "directory {directory} gives {returned} people back who had left, expired, were \
             locked or not plainly active when it was last read, {}",
            at_most(before),
        ),
        Cause::Others { before, others } => format!(
            "directory {directory} names other people under {others} of the {before} ids it had \
             when it was last read, as another directory would, {}{}",
            at_most(before),
            other_ids(directory),
        ),
    }
}

/// The way out where the same people have other ids.
fn other_ids(directory: &DirectoryName) -> String {
    format!(
        "; if they are the same people under other ids (another `stable_id`, another server), see \
         `reconcile adopt --all {directory}`"
    )
}

fn list(words: &[&'static str]) -> String {
    match words {
        [] => "identity".to_owned(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
