//! Taking an object that exists without our mark under management, by somebody's explicit choice.
//!
//! # Expected flow
//! [`adoption`] finds the object in what was read, works out whom it would stand for, and makes
//! two plans: one with a single change, which puts the mark on it; and what a run would do about
//! the object afterwards, which is shown before anybody decides. Only the first is ever carried
//! out here.
//!
//! # Guarantees
//! Nothing that carries a whole mark, or anybody else's, is adopted; one of ours that was damaged
//! may be completed. Nothing is adopted for a
//! subject that has an object already, nor for one that nobody asks for: the next run would take
//! it away again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::baseline::Baseline;
use super::credentials::credentials;
use super::gather::{Gathered, Sources};
use super::past::Past;
use super::prepare::{Prepared, context};
use crate::desired::Desired;
use crate::guard;
use crate::model::{
    Account, AccountName, ChangeId, HolderKind, Missing, NameRules, ObjectName, Observed,
    ObservedAccount, Ownership, Place, Reason, Subject, VendorId,
};
use crate::plan::{Change, DiffInputs, Plan, Step, diff, keep};

/// What somebody wants to adopt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The account it is in.
    pub account: AccountName,
    /// What kind of object.
    pub kind: HolderKind,
    /// Its name, as its vendor compares names.
    pub name: String,
    /// Whom it is to stand for; found by its name unless given.
    pub subject: Option<Subject>,
}

/// An adoption, ready to be looked at.
pub struct Adoption {
    /// The plan that puts the mark on the object.
    pub prepared: Prepared,
    /// What a run would do about the object afterwards.
    pub follows: Prepared,
    /// Whom it is to stand for.
    pub subject: Subject,
}

/// Why something cannot be adopted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account is not in the inventory, or not in what was read.
    #[error("account {0} was not read")]
    NoAccount(AccountName),
    /// It cannot be told what is there.
    #[error("{account} was not completely read: {}", .missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unread {
        /// Which account.
        account: Place,
        /// What is missing.
        missing: Vec<Missing>,
    },
    /// There is no such object.
    #[error("there is no {kind} `{name}` in {account}")]
    NotThere {
        /// What was looked for.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Where.
        account: Place,
        /// A name that is there and much like it.
        nearest: Option<String>,
    },
    /// It is managed already.
    #[error("it is managed already: it stands for {0}")]
    Ours(Subject),
    /// It carries another mark.
    #[error("it carries another mark: {0}")]
    Theirs(String),
    /// Nobody asks for an object of that name.
    #[error("nothing in the inventory asks for {kind} `{name}` in {account}")]
    NotWanted {
        /// What kind of object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Where.
        account: Place,
    },
    /// Nobody asks for that subject.
    #[error("nothing in the inventory asks for {subject} in {account}")]
    SubjectNotWanted {
        /// The subject.
        subject: Subject,
        /// Where.
        account: Place,
    },
    /// What is left of its mark says otherwise.
    #[error("it was to stand for {other}, not for {subject}")]
    Other {
        /// What its mark says.
        other: Subject,
        /// What it should stand for now.
        subject: Subject,
    },
    /// Another object stands for the subject.
    #[error("`{other}` stands for {subject} already")]
    Taken {
        /// The subject.
        subject: Subject,
        /// The object's name.
        other: ObjectName,
    },
}

/// Reads what only an adoption must know: the credentials of a user, so that it can be shown which
/// of them would go.
///
/// # Errors
/// That they could not all be read.
pub async fn look_closer(
    sources: &Sources<'_>,
    gathered: &mut Gathered,
    choice: &Choice,
) -> Result<(), Refusal> {
    let account = sources.inventory.accounts.get(&choice.account).map(|entry| &entry.account);
    let (Some(account), HolderKind::User) = (account, choice.kind) else { return Ok(()) };
    let place = &account.place;
    let facts = gathered.facts.iter().find(|facts| facts.name == account.vendor);
    let reading = gathered.observations.accounts.get(place);
    let connection = gathered.connections.get(place);
    let (Some(facts), Some(reading), Some(connection)) = (facts, reading, connection) else {
        return Ok(());
    };
    let fold = |name: &str| facts.user_names.fold(name);
    let mut users = reading.got().users.iter();
    let Some(user) = users.find(|user| fold(user.spec.name.as_str()) == fold(&choice.name)) else {
        return Ok(());
    };
    let readings = credentials(&*connection.observe, std::slice::from_ref(&user.id)).await;
    let missing: Vec<Missing> =
        readings.values().flat_map(|reading| reading.missing().to_vec()).collect();
    if !missing.is_empty() {
        return Err(Refusal::Unread { account: place.clone(), missing });
    }
    gathered.observations.credentials.entry(place.clone()).or_default().extend(readings);
    Ok(())
}

/// Works out an adoption.
///
/// # Errors
/// Why the object cannot be adopted.
pub fn adoption(
    sources: &Sources<'_>,
    gathered: &Gathered,
    baseline: &Baseline,
    choice: &Choice,
) -> Result<Adoption, Refusal> {
    let account = sources
        .inventory
        .accounts
        .get(&choice.account)
        .map(|entry| &entry.account)
        .ok_or_else(|| Refusal::NoAccount(choice.account.clone()))?;
    let reading = gathered
        .observations
        .accounts
        .get(&account.place)
        .ok_or_else(|| Refusal::NoAccount(choice.account.clone()))?;
    if !reading.is_complete() {
        let missing = reading.missing().to_vec();
        return Err(Refusal::Unread { account: account.place.clone(), missing });
    }
    let (id, name, subject) = found(gathered, account, reading.got(), choice)?;
    let step = Step::Adopt {
        holder_kind: choice.kind,
        id: id.clone(),
        name,
        subject: subject.clone(),
        from: None,
    };
    let mut plan = Plan::empty(sources.today);
    plan.changes.push(Change::new(
        ChangeId(0),
        Arc::new(account.place.clone()),
        step,
        Vec::new(),
        [Reason::Adopted].into(),
    ));
    let (context, _) = context(sources, gathered, baseline, &Past::default(), None);
    let marks = [(account.place.clone(), vec![(choice.kind, id, subject.clone())])].into();
    let follows = follows(sources, gathered, &marks);
    Ok(Adoption {
        prepared: Prepared::alone(guard::review(plan, &context)),
        follows: Prepared::alone(guard::review(follows, &context)),
        subject,
    })
}

/// The object, and whom it is to stand for.
fn found(
    gathered: &Gathered,
    account: &Account,
    seen: &ObservedAccount,
    choice: &Choice,
) -> Result<(VendorId, ObjectName, Subject), Refusal> {
    let facts = gathered.facts.iter().find(|facts| facts.name == account.vendor);
    let facts = facts.ok_or_else(|| Refusal::NoAccount(choice.account.clone()))?;
    let desired = &gathered.desired;
    match choice.kind {
        HolderKind::User => {
            one(&seen.users, |user| &user.name, &facts.user_names, desired, account, choice)
        }
        HolderKind::Group => {
            one(&seen.groups, |group| &group.name, &facts.group_names, desired, account, choice)
        }
        HolderKind::Role => {
            one(&seen.roles, |role| &role.name, &facts.role_names, desired, account, choice)
        }
    }
}

fn one<T>(
    objects: &[Observed<T>],
    name_of: impl Fn(&T) -> &ObjectName,
    rules: &NameRules,
    desired: &Desired,
    account: &Account,
    choice: &Choice,
) -> Result<(VendorId, ObjectName, Subject), Refusal> {
    let place = || account.place.clone();
    let (kind, name) = (word(choice.kind), choice.name.clone());
    let folded = rules.fold(&choice.name);
    let found = objects.iter().find(|one| rules.fold(name_of(&one.spec).as_str()) == folded);
    let Some(object) = found else {
        let known = objects.iter().map(|one| name_of(&one.spec).as_str());
        let nearest = crate::diagnostic::nearest(&choice.name, known).map(str::to_owned);
        return Err(Refusal::NotThere { kind, name, account: place(), nearest });
    };
    match &object.ownership {
        Ownership::Ours(subject) => return Err(Refusal::Ours(subject.clone())),
        Ownership::Theirs(whose) => return Err(Refusal::Theirs(whose.clone())),
        Ownership::Damaged { .. } | Ownership::Unmarked => {}
    }
    let wanted = wanted(desired, &account.place, choice.kind);
    let subject = match &choice.subject {
        Some(subject) if wanted.iter().any(|(one, _)| *one == subject) => subject.clone(),
        Some(subject) => {
            return Err(Refusal::SubjectNotWanted { subject: subject.clone(), account: place() });
        }
        None => wanted
            .iter()
            .find(|(_, name)| rules.fold(name.as_str()) == folded)
            .map(|(subject, _)| (*subject).clone())
            .ok_or_else(|| Refusal::NotWanted { kind, name, account: place() })?,
    };
    if let (false, Ownership::Damaged { subject: Some(other), .. }) =
        (object.ownership.may_become(&subject), &object.ownership)
    {
        return Err(Refusal::Other { other: other.clone(), subject });
    }
    if let Some(other) = objects.iter().find(|one| one.ownership.subject() == Some(&subject)) {
        return Err(Refusal::Taken { subject, other: name_of(&other.spec).clone() });
    }
    Ok((object.id.clone(), name_of(&object.spec).clone(), subject))
}

/// What should be in an account of a kind, with its names.
fn wanted<'a>(
    desired: &'a Desired,
    place: &Place,
    kind: HolderKind,
) -> Vec<(&'a Subject, &'a ObjectName)> {
    let hub = desired.hubs.get(place);
    match kind {
        HolderKind::User => hub
            .into_iter()
            .flat_map(|hub| hub.users.iter().map(|user| (&user.subject, &user.spec.name)))
            .collect(),
        HolderKind::Group => hub
            .into_iter()
            .flat_map(|hub| hub.groups.iter().map(|group| (&group.subject, &group.spec.name)))
            .collect(),
        HolderKind::Role => desired
            .accounts
            .get(place)
            .into_iter()
            .flat_map(|one| one.roles.iter().map(|(subject, role)| (subject, &role.spec.name)))
            .collect(),
    }
}

/// Marks to be put on objects, by where those are.
pub(super) type Marked = BTreeMap<Place, Vec<(HolderKind, VendorId, Subject)>>;

/// What a run would do that it would not do without the marks.
pub(super) fn follows(sources: &Sources<'_>, gathered: &Gathered, marks: &Marked) -> Plan {
    let mut after = gathered.observations.clone();
    for (place, marks) in marks {
        let Some(reading) = after.accounts.remove(place) else { continue };
        let reading = reading.map(|mut seen| {
            for (kind, id, subject) in marks {
                match kind {
                    HolderKind::User => mark(&mut seen.users, id, subject),
                    HolderKind::Group => mark(&mut seen.groups, id, subject),
                    HolderKind::Role => mark(&mut seen.roles, id, subject),
                }
            }
            seen
        });
        after.accounts.insert(place.clone(), reading);
    }
    let plan = |observed| {
        diff(&DiffInputs {
            desired: &gathered.desired,
            observed,
            vendors: &gathered.facts,
            grace_days: sources.policies.grace_days,
            today: sources.today,
        })
    };
    let before = plan(&gathered.observations);
    let before: HashSet<(&Place, &Step)> =
        before.changes.iter().map(|change| (&*change.place, &change.step)).collect();
    let mut after = plan(&after);
    let mut wanted: BTreeSet<ChangeId> = BTreeSet::new();
    // Backwards, so that what a wanted change needs is wanted, too.
    for change in after.changes.iter().rev() {
        if wanted.contains(&change.id) || !before.contains(&(&*change.place, &change.step)) {
            wanted.insert(change.id);
            wanted.extend(&change.needs);
        }
    }
    after.findings.clear();
    after.incomplete.clear();
    after.withheld.clear();
    keep(after, |change| wanted.contains(&change.id))
}

fn mark<T>(objects: &mut [Observed<T>], id: &VendorId, subject: &Subject) {
    for object in objects.iter_mut().filter(|object| object.id == *id) {
        object.ownership = Ownership::Ours(subject.clone());
    }
}

fn word(kind: HolderKind) -> &'static str {
    match kind {
        HolderKind::User => "user",
        HolderKind::Group => "group",
        HolderKind::Role => "role",
    }
}
