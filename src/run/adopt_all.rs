//! Everybody of a directory under other ids: another `stable_id`, another server, a directory that
//! was set up anew. The same people are behind it, and nothing but their ids says otherwise.
//!
//! # Expected flow
//! [`adoption_of_all`] finds the users whose people are not in the directory any more, and for each
//! whoever is called the same there now. The same mail address proves that it is the same person;
//! without that proof a user stays as it is and is told with the reason. One plan puts the new
//! marks on, all of them; what a run would do afterwards is shown before anybody decides.
//!
//! # Guarantees
//! Only marks change, and only from the mark that was seen. The rules about that directory's word
//! do not hold this plan: that its ids are others is what somebody says by asking for it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::adopt::{Marked, follows};
use super::baseline::{Baseline, People};
use super::gather::{Gathered, Sources};
use super::past::Past;
use super::prepare::{Prepared, context};
use crate::desired::DesiredHub;
use crate::guard;
use crate::model::{
    ChangeId, DirectoryName, HolderKind, Missing, NameRules, ObjectName, ObservedAccount, Person,
    Place, Reading, Reason, StableId, Subject, VendorId,
};
use crate::plan::{Change, Plan, Step};

/// Everybody's adoption, ready to be looked at.
pub struct AdoptionOfAll {
    /// The plan that puts the new marks on the users.
    pub prepared: Prepared,
    /// What a run would do afterwards that it would not do now.
    pub follows: Prepared,
    /// Users that stay as they are, because nobody can tell whose they are now.
    pub left: Vec<LeftAlone>,
}

/// A user of whom it cannot be told whose it is now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftAlone {
    /// Where.
    pub place: Place,
    /// Its name.
    pub user: ObjectName,
    /// Whom it stands for, who is not in the directory any more.
    pub subject: Subject,
    /// Why it cannot be told.
    pub why: String,
}

/// Why nobody of a directory can be adopted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusalOfAll {
    /// The inventory does not name it.
    #[error("there is no directory `{0}` in the inventory")]
    NoDirectory(DirectoryName),
    /// Who is not in the directory cannot be told.
    #[error("{what} was not completely read: {}", .missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unread {
        /// The directory, or an account.
        what: String,
        /// What is missing.
        missing: Vec<Missing>,
    },
}

/// Works out whose the users of a directory are now.
///
/// # Errors
/// Why nothing can be told of any of them.
pub fn adoption_of_all(
    sources: &Sources<'_>,
    gathered: &Gathered,
    baseline: &Baseline,
    directory: &DirectoryName,
) -> Result<AdoptionOfAll, RefusalOfAll> {
    let reading = gathered.directories.get(directory);
    let reading = reading.ok_or_else(|| RefusalOfAll::NoDirectory(directory.clone()))?;
    let read = complete(format!("directory {directory}"), reading)?;
    let all = Everybody {
        directory,
        now: read.people.iter().map(|person| (&person.stable_id, person)).collect(),
        before: baseline.people(directory),
    };
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for (place, hub) in &gathered.desired.hubs {
        let facts = gathered.facts.iter().find(|facts| facts.name == hub.account.vendor);
        let reading = gathered.observations.accounts.get(place);
        let (Some(facts), Some(reading)) = (facts, reading) else { continue };
        if facts.has_users {
            let seen = complete(format!("account {place}"), reading)?;
            let told = all.users(place, hub, seen, &facts.user_names);
            found.extend(told.0);
            left.extend(told.1);
        }
    }
    left.sort();
    let (mut context, _) = context(sources, gathered, baseline, &Past::default(), None);
    context.doubts.retain(|doubt| doubt.directory != *directory);
    context.strangers.retain(
        |subject, _| !matches!(subject, Subject::Person { directory: of, .. } if of == directory),
    );
    context.renumbered.clear();
    let mut marks: Marked = BTreeMap::new();
    for one in &found {
        let of_place = marks.entry(one.place.clone()).or_default();
        of_place.push((HolderKind::User, one.id.clone(), one.to.clone()));
    }
    let afterwards = follows(sources, gathered, &marks);
    Ok(AdoptionOfAll {
        prepared: Prepared::alone(guard::review(plan(sources, found), &context)),
        follows: Prepared::alone(guard::review(afterwards, &context)),
        left,
    })
}

fn complete<T>(what: String, reading: &Reading<T>) -> Result<&T, RefusalOfAll> {
    match reading {
        Reading::Complete(read) => Ok(read),
        Reading::Partial { .. } => {
            Err(RefusalOfAll::Unread { what, missing: reading.missing().to_vec() })
        }
    }
}

/// A user that stands for somebody else by now, who is the same person.
struct Found {
    place: Place,
    id: VendorId,
    name: ObjectName,
    from: Subject,
    to: Subject,
}

/// A directory as it is, and what is remembered of it.
struct Everybody<'a> {
    directory: &'a DirectoryName,
    now: HashMap<&'a StableId, &'a Person>,
    before: Option<&'a People>,
}

impl Everybody<'_> {
    /// The users of a hub whose people are known by another id, and those of whom that cannot be
    /// told.
    fn users(
        &self,
        place: &Place,
        hub: &DesiredHub,
        seen: &ObservedAccount,
        names: &NameRules,
    ) -> (Vec<Found>, Vec<LeftAlone>) {
        let taken: HashSet<&Subject> =
            seen.users.iter().filter_map(|user| user.ownership.subject()).collect();
        let wanted: HashMap<String, &Subject> = hub
            .users
            .iter()
            .map(|user| (names.fold(user.spec.name.as_str()), &user.subject))
            .collect();
        let (mut found, mut left) = (Vec::new(), Vec::new());
        for user in &seen.users {
            let Some(from @ Subject::Person { directory, stable_id }) = user.ownership.subject()
            else {
                continue;
            };
            if directory != self.directory || self.now.contains_key(stable_id) {
                continue;
            }
            let to = wanted.get(&names.fold(user.spec.name.as_str())).copied();
            let email = user.spec.email.as_ref().map(|email| email.reveal().as_str());
            match self.same(stable_id, email, to, &taken) {
                Ok(to) => found.push(Found {
                    place: place.clone(),
                    id: user.id.clone(),
                    name: user.spec.name.clone(),
                    from: from.clone(),
                    to: to.clone(),
                }),
                Err(why) => left.push(LeftAlone {
                    place: place.clone(),
                    user: user.spec.name.clone(),
                    subject: from.clone(),
                    why,
                }),
            }
        }
        (found, left)
    }

    /// Who has the user's name now, if that is the same person.
    fn same<'b>(
        &self,
        was: &StableId,
        email: Option<&str>,
        to: Option<&'b Subject>,
        taken: &HashSet<&Subject>,
    ) -> Result<&'b Subject, String> {
        let Some(to @ Subject::Person { directory, stable_id }) = to else {
            return Err("nobody who should have a user has that name".to_owned());
        };
        if directory != self.directory {
            return Err(format!("{to}, who should have that name, is of another directory"));
        }
        if taken.contains(to) {
            return Err(format!("{to}, who should have that name, has a user already"));
        }
        let person = self.now.get(stable_id).copied();
        let remembered = self.before.and_then(|people| people.get(was));
        let by_memory = person.and_then(|person| remembered?.has_email_of(person));
        let by_vendor = person.and_then(|person| {
            let now = person.email.as_ref()?.reveal();
            Some(now.trim().eq_ignore_ascii_case(email?.trim()))
        });
        match (by_memory, by_vendor) {
            (Some(false), _) | (None, Some(false)) => {
                Err(format!("{to}, who should have that name, has another mail address"))
            }
            (Some(true), _) | (None, Some(true)) => Ok(to),
            (None, None) => Err(format!(
                "nothing is known of a mail address by which {to}, who should have that name, \
                 could be known"
            )),
        }
    }
}

fn plan(sources: &Sources<'_>, found: Vec<Found>) -> Plan {
    let mut plan = Plan::empty(sources.today);
    let changes = (0..).map(ChangeId).zip(found).map(|(id, one)| {
        Change::new(
            id,
            Arc::new(one.place),
            Step::Adopt {
                holder_kind: HolderKind::User,
                id: one.id,
                name: one.name,
                subject: one.to,
                from: Some(one.from),
            },
            Vec::new(),
            [Reason::Adopted].into(),
        )
    });
    plan.changes.extend(changes);
    plan
}
