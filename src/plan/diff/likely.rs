//! Users with a damaged mark that are somebody's all the same: whoever has one gets no second one
//! beside it, also under another name, until somebody has mended the mark.

use std::collections::HashMap;

use super::drafts::Drafts;
use super::finding;
use super::hub::Hub;
use super::matching::Matching;
use crate::desired::{DesiredHub, DesiredUser};
use crate::model::{NameRules, Observed, ObservedAccount, Ownership, Private, Subject, UserSpec};

/// The observed user that is likely a desired one's, and what says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Likely {
    /// Its position.
    pub(super) at: usize,
    why: &'static str,
}

/// For desired users that are not there, by position, the damaged one that is likely theirs. Where
/// one has the very name that is wanted, that is told with the name.
pub(super) fn of(
    wanted: &DesiredHub,
    seen: &ObservedAccount,
    users: &Matching,
    names: &NameRules,
) -> HashMap<usize, Likely> {
    let mut likely = HashMap::new();
    for (at, user) in seen.users.iter().enumerate() {
        let Ownership::Damaged { subject, .. } = &user.ownership else { continue };
        let name = names.fold(user.spec.name.as_str());
        for (index, one) in wanted.users.iter().enumerate() {
            let is_there = users.of_desired[index].is_some();
            if is_there || names.fold(one.spec.name.as_str()) == name {
                continue;
            }
            if let Some(why) = why(wanted, one, user, subject.as_ref()) {
                likely.entry(index).or_insert(Likely { at, why });
            }
        }
    }
    likely
}

/// What says that a damaged user is somebody's, if anything.
fn why(
    hub: &DesiredHub,
    wanted: &DesiredUser,
    user: &Observed<UserSpec>,
    subject: Option<&Subject>,
) -> Option<&'static str> {
    match subject {
        Some(subject) if *subject == wanted.subject => {
            return Some("and still says that it is theirs");
        }
        // It says whose it is: not theirs.
        Some(_) => return None,
        None => {}
    }
    if mail(&user.spec).is_some_and(|one| Some(one) == mail(&wanted.spec)) {
        return Some("and has their mail address");
    }
    let former = hub.former_names.get(&wanted.subject);
    let is_former = former.is_some_and(|names| names.contains(&user.spec.name));
    is_former.then_some("and has the name that they had")
}

fn mail(user: &UserSpec) -> Option<String> {
    user.email.as_ref().map(Private::reveal).map(|mail| mail.to_lowercase())
}

/// Says why nothing is made for somebody.
pub(super) fn said(hub: &Hub<'_>, index: usize, likely: Likely, drafts: &mut Drafts) {
    let (wanted, user) = (&hub.wanted.users[index], &hub.seen.users[likely.at]);
    let (subject, name) = (&wanted.subject, &user.spec.name);
    let message = format!(
        "{subject} (`{}`) gets no user: there is `{name}`, which {} {}",
        wanted.spec.name,
        super::unowned(&user.ownership),
        likely.why
    );
    let account = &hub.place.account;
    let hint = format!("`reconcile adopt {account} user {name} --as {subject}` mends it");
    drafts.find(finding(&hub.place, "damaged-mark", message, &hint));
}
