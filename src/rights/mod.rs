//! Who may do what where, through which group, granted by which line; and who may not, and why.
//!
//! What [`crate::desired`] resolved, seen from a person, a group, a service account or an account
//! ([`explain`]), and what a change of the inventory gives and takes ([`compare`]).
//!
//! Architecture invariant: pure, and nothing here decides anything. A right is there exactly when
//! the resolution has the membership and the binding it is made of; or, for jobs of a forge, the
//! role object they take on.

mod compare;
mod explain;
mod find;
mod settings;
mod value;
mod weight;

use std::collections::{BTreeMap, HashMap};

use crate::desired::{Desired, DesiredAccount, DesiredHub, DesiredRole, Inputs, Standing};
use crate::inventory::{Grant, Inventory, ServiceIdentity};
use crate::model::{
    Directory, DirectoryName, Federation, GroupName, GroupRef, Missing, Person, Place, Reading,
    RoleName, Subject, Via,
};

pub use compare::compare;
pub use explain::explain;
pub use find::{Found, Unknown, find};
pub use settings::{
    Amount, DirectorySetting, FolderRight, Limited, ProjectTerms, Protection, ServiceTerms,
    Setting, SettingChange, Weight,
};
pub use value::{
    AccountChange, AccountExplained, AccountTerms, Attributes, Blocked, Difference, EndedGrant,
    Explained, GrantLine, GroupExplained, GroupRight, HubUser, IdleGroup, Joining, Member,
    NotComplete, PersonExplained, Proof, Right, RoleChange, RoleInAccount, RoleTerms,
    ServiceExplained, UntilChange, Way, Who, Why, Withheld,
};

/// A resolution and what it was made from, with indexes.
pub struct View<'a> {
    inputs: Inputs<'a>,
    desired: &'a Desired,
    /// Groups by the role they hold and where.
    by_role: HashMap<(&'a Place, &'a RoleName), Vec<&'a Subject>>,
    /// Roles of a group below a hub, by place.
    by_group: HashMap<(&'a Place, &'a Subject), Vec<(&'a Place, &'a RoleName)>>,
    grants: HashMap<(&'a GroupRef, &'a RoleName), Vec<&'a Grant>>,
    /// User and group of every membership of a hub, by position, sorted: what somebody is in.
    by_user: HashMap<&'a Place, Vec<(u32, u32)>>,
    /// Roles that jobs of a forge take on.
    jobs: BTreeMap<Taken<'a>, Jobs<'a>>,
}

/// Where which role is taken on by which service account: one of these.
type Taken<'a> = (&'a Place, &'a RoleName, &'a Subject);

/// Jobs of a forge that take on a role object of their own.
#[derive(Clone, Copy)]
struct Jobs<'a> {
    federation: &'a Federation,
    role: &'a DesiredRole,
}

impl<'a> View<'a> {
    /// Looks at a resolution; linear in grants and bindings.
    pub fn new(inputs: Inputs<'a>, desired: &'a Desired) -> Self {
        let mut view = Self {
            inputs,
            desired,
            by_role: HashMap::new(),
            by_group: HashMap::new(),
            grants: HashMap::new(),
            by_user: HashMap::new(),
            jobs: jobs(inputs.inventory, desired),
        };
        for (place, account) in &desired.accounts {
            for (group, role) in account.bindings.keys() {
                view.by_role.entry((place, role)).or_default().push(group);
                view.by_group.entry((&account.hub, group)).or_default().push((place, role));
            }
        }
        for (place, hub) in &desired.hubs {
            let mut all: Vec<(u32, u32)> =
                hub.memberships.iter().map(|one| (one.user, one.group)).collect();
            all.sort_unstable();
            view.by_user.insert(place, all);
        }
        for grant in &inputs.inventory.grants {
            view.grants.entry((&grant.group, &grant.role)).or_default().push(grant);
        }
        view
    }

    /// What directories did not tell: while there is some, nobody can say who has no access.
    pub fn not_complete(&self) -> Vec<NotComplete> {
        let unclear = self.inputs.directories.iter().flat_map(|(directory, reading)| {
            reading.got().unclear.iter().map(|one| NotComplete {
                directory: directory.clone(),
                missing: Missing::new(format!("who {} is", one.entry), one.why.clone()),
                people: reading.got().people.len(),
            })
        });
        let missing = self.desired.incomplete.iter().flat_map(|(directory, missing)| {
            missing.iter().map(|missing| NotComplete {
                directory: directory.clone(),
                missing: missing.clone(),
                people: self.directory(directory).map_or(0, |read| read.people.len()),
            })
        });
        missing.chain(unclear).collect()
    }

    /// Every right anybody has, in no particular order: for those who compare with all of it.
    pub fn rights(&self) -> impl Iterator<Item = (Subject, &'a Place, &'a RoleName)> {
        let jobs = self.jobs.keys().map(|(place, role, who)| ((*who).clone(), *place, *role));
        let members = self.desired.hubs.iter().flat_map(move |(hub_place, hub)| {
            hub.memberships.iter().flat_map(move |membership| {
                let group = &hub.groups[membership.group as usize].subject;
                let user = &hub.users[membership.user as usize].subject;
                let roles = self.roles_of(hub_place, group);
                roles.iter().map(move |(place, role)| (user.clone(), *place, *role))
            })
        });
        members.chain(jobs)
    }

    fn directory(&self, name: &DirectoryName) -> Option<&'a Directory> {
        self.inputs.directories.get(name).map(Reading::got)
    }

    fn is_privileged(&self, role: &RoleName) -> bool {
        self.inputs.policies.roles.get(role).is_some_and(|role| role.privileged)
    }

    /// Whether something may lack of the directory a person or group is of.
    fn is_incomplete(&self, subject: &Subject) -> bool {
        let directory = match subject {
            Subject::Person { directory, .. } => directory,
            Subject::Group(group) => &group.directory,
            Subject::Role(_)
            | Subject::Service(_)
            | Subject::ServiceGroup(_)
            | Subject::Held { .. }
            | Subject::IdentityProvider(_)
            | Subject::Part { .. } => return false,
        };
        self.desired.incomplete.contains_key(directory) || self.desired.unread.contains(directory)
    }

    fn person(&self, subject: &Subject) -> Option<&'a Person> {
        let Subject::Person { directory, stable_id } = subject else { return None };
        let people = &self.directory(directory)?.people;
        let at = people.binary_search_by(|person| person.stable_id.cmp(stable_id)).ok()?;
        people.get(at)
    }

    fn who(&self, subject: &Subject) -> Who {
        let login = self.person(subject).map(|person| person.login.clone());
        Who { login, subject: subject.clone() }
    }

    fn standing(&self, subject: &Subject) -> Option<&'a Standing> {
        self.desired.standings.get(subject)
    }

    fn hub_of(&self, place: &Place) -> Option<&'a DesiredHub> {
        self.desired.hubs.get(&self.desired.accounts.get(place)?.hub)
    }

    fn account(&self, place: &Place) -> Option<&'a DesiredAccount> {
        self.desired.accounts.get(place)
    }

    fn roles_of(&self, hub: &'a Place, group: &'a Subject) -> &[(&'a Place, &'a RoleName)] {
        self.by_group.get(&(hub, group)).map_or(&[], Vec::as_slice)
    }

    fn holders<'s>(&'s self, place: &'s Place, role: &'s RoleName) -> &'s [&'a Subject] {
        self.by_role.get(&(place, role)).map_or(&[], Vec::as_slice)
    }

    /// The right, if it is there.
    fn right(&self, place: &Place, role: &RoleName, subject: &Subject) -> Option<Right> {
        if let Some(jobs) = self.jobs.get(&(place, role, subject)) {
            let blocked = jobs.role.blocked.then(|| Blocked::Role(jobs.role.spec.name.clone()));
            let way = Way {
                group: subject.clone(),
                joining: Joining::Jobs(Box::new(jobs.federation.clone())),
                grants: self.grant_lines(place, role, subject),
                blocked,
            };
            let (place, role) = (place.clone(), role.clone());
            let privileged = self.is_privileged(&role);
            return Some(Right {
                place,
                role,
                who: self.who(subject),
                ways: vec![way],
                privileged,
            });
        }
        let hub = self.hub_of(place)?;
        let user = position(hub.users.binary_search_by(|user| user.subject.cmp(subject)))?;
        let mut ways: Vec<Way> = self
            .groups_with(place, role, hub, user)
            .map(|group| self.way(place, role, subject, group))
            .collect();
        ways.sort();
        if ways.is_empty() {
            return None;
        }
        let (place, role) = (place.clone(), role.clone());
        let privileged = self.is_privileged(&role);
        Some(Right { place, role, who: self.who(subject), ways, privileged })
    }

    fn holds(&self, place: &Place, role: &RoleName, subject: &Subject) -> bool {
        if self.jobs.contains_key(&(place, role, subject)) {
            return true;
        }
        let Some(hub) = self.hub_of(place) else { return false };
        let user = hub.users.binary_search_by(|user| user.subject.cmp(subject));
        position(user).is_some_and(|user| self.groups_with(place, role, hub, user).next().is_some())
    }

    /// The groups a user is in that hold a role in an account. By what the user is in, not by who
    /// holds the role: a role may be held by thousands of groups.
    fn groups_with<'s>(
        &'s self,
        place: &'s Place,
        role: &'s RoleName,
        hub: &'a DesiredHub,
        user: u32,
    ) -> impl Iterator<Item = &'a Subject> + 's {
        let home = &hub.account.place;
        let all = self.by_user.get(home).map_or(&[][..], Vec::as_slice);
        let first = all.partition_point(|one| one.0 < user);
        all[first..]
            .iter()
            .take_while(move |one| one.0 == user)
            .map(|one| &hub.groups[one.1 as usize].subject)
            .filter(move |group| {
                let held = self.by_group.get(&(home, *group));
                held.is_some_and(|held| held.contains(&(place, role)))
            })
    }

    fn way(&self, place: &Place, role: &RoleName, subject: &Subject, group: &Subject) -> Way {
        Way {
            group: group.clone(),
            joining: self.joining(subject, group),
            grants: self.grant_lines(place, role, group),
            blocked: self.blocked(place, role, subject, group),
        }
    }

    /// How somebody came to be in a group they are in.
    fn joining(&self, subject: &Subject, group: &Subject) -> Joining {
        let Subject::Group(group) = group else { return Joining::Itself };
        let via = self.directory(&group.directory).zip(self.person(subject)).and_then(
            |(directory, person)| {
                let index = directory.group(&group.group)?;
                let joined = person.groups.iter().find(|joined| joined.group == index)?;
                Some(joining(directory, joined.via))
            },
        );
        via.unwrap_or(Joining::Direct)
    }

    /// The lines that give a group a role in an account today.
    fn grant_lines(&self, place: &Place, role: &RoleName, group: &Subject) -> Vec<GrantLine> {
        match group {
            Subject::Group(group) => self
                .grants
                .get(&(group, role))
                .into_iter()
                .flatten()
                .filter(|grant| grant.accounts.contains(&place.account))
                .filter(|grant| grant.until.is_none_or(|until| self.inputs.today < until))
                .map(|grant| GrantLine {
                    source: grant.source.clone(),
                    reason: grant.reason.clone(),
                    until: grant.until,
                })
                .collect(),
            Subject::ServiceGroup(name) | Subject::Service(name) => self
                .inputs
                .inventory
                .service_accounts
                .get(name)
                .into_iter()
                .map(|service| GrantLine {
                    source: service.source.clone(),
                    reason: service.reason.clone(),
                    until: service.until,
                })
                .collect(),
            Subject::Person { .. }
            | Subject::Role(_)
            | Subject::Held { .. }
            | Subject::IdentityProvider(_)
            | Subject::Part { .. } => Vec::new(),
        }
    }

    /// The first day without a right: the last of its lines; `None` = no end.
    fn until(&self, place: &Place, role: &RoleName, group: &Subject) -> Option<jiff::civil::Date> {
        let lines = self.grant_lines(place, role, group);
        lines.iter().map(|line| line.until).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// A name the vendor does not accept, on the way from a person to a role.
    fn blocked(
        &self,
        place: &Place,
        role: &RoleName,
        subject: &Subject,
        group: &Subject,
    ) -> Option<Blocked> {
        let hub = self.hub_of(place)?;
        let user = hub.users.binary_search_by(|user| user.subject.cmp(subject)).ok();
        if let Some(user) = user.map(|at| &hub.users[at]).filter(|user| user.blocked) {
            return Some(Blocked::User(user.spec.name.clone()));
        }
        let group = hub.groups.binary_search_by(|one| one.subject.cmp(group)).ok();
        if let Some(group) = group.map(|at| &hub.groups[at]).filter(|group| group.blocked) {
            return Some(Blocked::Group(group.spec.name.clone()));
        }
        let account = self.account(place)?;
        let subject = Subject::Role(role.clone());
        let role = account
            .roles
            .get(&subject)
            .or_else(|| self.account(&account.hub)?.roles.get(&subject))?;
        role.blocked.then(|| Blocked::Role(role.spec.name.clone()))
    }
}

/// Every role that jobs of a forge take on.
fn jobs<'a>(inventory: &'a Inventory, desired: &'a Desired) -> BTreeMap<Taken<'a>, Jobs<'a>> {
    let mut jobs = BTreeMap::new();
    for (place, account) in &desired.accounts {
        for (subject, wanted) in &account.roles {
            let Subject::Held { role, by } = subject else { continue };
            let Subject::Service(name) = &**by else { continue };
            let service = inventory.service_accounts.get(name);
            if let Some(ServiceIdentity::Forge(federation)) = service.map(|one| &one.identity) {
                jobs.insert((place, role, &**by), Jobs { federation, role: wanted });
            }
        }
    }
    jobs
}

/// The people and service accounts in a group of a hub, sorted.
fn members<'a>(hub: &'a DesiredHub, group: &Subject) -> Vec<&'a Subject> {
    let group = hub.groups.binary_search_by(|one| one.subject.cmp(group));
    let Some(group) = position(group) else { return Vec::new() };
    let first = hub.memberships.partition_point(|one| one.group < group);
    hub.memberships[first..]
        .iter()
        .take_while(|one| one.group == group)
        .map(|one| &hub.users[one.user as usize].subject)
        .collect()
}

fn joining(directory: &Directory, via: Via) -> Joining {
    match via {
        Via::Direct => Joining::Direct,
        Via::Primary => Joining::Primary,
        Via::Through(index) => Joining::Through(GroupName::clone(&directory.group_at(index).name)),
    }
}

fn position(found: Result<usize, usize>) -> Option<u32> {
    found.ok().and_then(|at| u32::try_from(at).ok())
}
