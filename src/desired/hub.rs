//! Users, groups and memberships of one hub.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    DesiredGroup, DesiredHub, DesiredMembership, DesiredUser, Entitlement, Held, Holder, Inputs,
    Standing,
};
use crate::inventory::{ServiceIdentity, naming};
use crate::model::{
    Access, Account, Caution, Directory, DirectoryName, GroupIndex, GroupRef, GroupSpec, NameRules,
    ObjectName, Person, PersonKind, Reading, Reason, RoleName, Subject, UserSpec, VendorFacts, Via,
};
use crate::policies::Policies;

/// What should be in a hub, from the entitlements of all its accounts that hold today.
pub(super) fn resolve(
    inputs: &Inputs<'_>,
    account: &Account,
    entitlements: &[Entitlement<'_>],
    standings: &HashMap<Subject, Standing>,
) -> DesiredHub {
    let mut hub = DesiredHub {
        account: account.clone(),
        users: Vec::new(),
        groups: groups(inputs, entitlements),
        memberships: Vec::new(),
        excluded: HashMap::new(),
        held: Held::default(),
        former_names: HashMap::new(),
    };
    let Some(facts) = inputs.facts(&account.vendor) else { return hub };
    let mut found = Found::default();
    let mut first = 0;
    // Groups are sorted by subject, so those of one directory are neighbours.
    while first < hub.groups.len() {
        let Subject::Group(GroupRef { directory, .. }) = &hub.groups[first].subject else {
            first += 1;
            continue;
        };
        let directory = directory.clone();
        let same = |group: &DesiredGroup| {
            super::group_ref(&group.subject).is_some_and(|group| group.directory == directory)
        };
        let last = first + hub.groups[first..].iter().take_while(|group| same(group)).count();
        let granted = granted(inputs, &directory, &hub.groups[first..last], first, entitlements);
        let read = inputs.directories.get(&directory).map(Reading::got);
        let lists_nobody =
            |index: &&GroupIndex| read.is_some_and(|read| !read.group_at(**index).meant.is_empty());
        let meant = granted.keys().filter(lists_nobody).copied().collect();
        let wanted = Wanted { inputs, facts, directory: &directory, granted, meant };
        wanted.people(&mut found, standings);
        first = last;
    }
    services(&hub.groups, entitlements, &mut found);
    hub.excluded = found.excluded;
    hub.held = found.held;
    (hub.users, hub.memberships) = sorted(found.users, found.memberships);
    block_names(&mut hub, facts);
    hub
}

/// People and memberships as they are found, memberships by the user's position.
#[derive(Default)]
struct Found {
    users: Vec<DesiredUser>,
    memberships: Vec<DesiredMembership>,
    excluded: HashMap<(Subject, Subject), Reason>,
    held: Held,
}

/// The groups that hold a role somewhere below the hub, sorted by subject.
fn groups(inputs: &Inputs<'_>, entitlements: &[Entitlement<'_>]) -> Vec<DesiredGroup> {
    let mut reasons: BTreeMap<Subject, Vec<Reason>> = BTreeMap::new();
    for one in entitlements {
        reasons.entry(one.holder.group()).or_default().push(one.holder.reason());
    }
    reasons
        .into_iter()
        .map(|(subject, mut why)| {
            why.sort();
            why.dedup();
            let (name, frozen, doubtful) = match &subject {
                Subject::Group(group) => {
                    let known = inputs.directories.get(&group.directory);
                    let found = known.and_then(|reading| {
                        let read = reading.got();
                        Some(read.group_at(read.group(&group.group)?))
                    });
                    let gone =
                        known.is_some_and(|reading| reading.is_complete() && found.is_none());
                    let doubtful = found.and_then(|group| group.doubtful.clone());
                    (inputs.group_name(group), gone, doubtful)
                }
                Subject::ServiceGroup(service) => {
                    (naming::service_group_name(service), false, None)
                }
                Subject::Person { .. }
                | Subject::Role(_)
                | Subject::Service(_)
                | Subject::Held { .. }
                | Subject::IdentityProvider(_)
                | Subject::Part { .. } => {
                    unreachable!("Holder::group makes only groups")
                }
            };
            DesiredGroup {
                subject,
                spec: GroupSpec { name },
                reasons: why.into(),
                blocked: false,
                frozen,
                doubtful,
            }
        })
        .collect()
}

/// A group of a directory that holds a role.
struct Granted {
    /// Position among the hub's groups.
    position: u32,
    subject: Subject,
    group: GroupRef,
    /// The privileged role it holds, if any.
    privileged: Option<RoleName>,
    /// Why the group is there: what comes after a member's own reason.
    grants: Arc<[Reason]>,
    /// Reasons of memberships, shared by all who came the same way.
    by_via: FxHashMap<Via, Arc<[Reason]>>,
}

fn granted(
    inputs: &Inputs<'_>,
    directory: &DirectoryName,
    groups: &[DesiredGroup],
    first: usize,
    entitlements: &[Entitlement<'_>],
) -> FxHashMap<GroupIndex, Granted> {
    let Some(reading) = inputs.directories.get(directory) else { return FxHashMap::default() };
    let mut privileged: HashMap<&GroupRef, &RoleName> = HashMap::new();
    for one in entitlements {
        if let Holder::Group(grant) = one.holder
            && inputs.policies.roles.get(one.role).is_some_and(|role| role.privileged)
        {
            let role = privileged.entry(&grant.group).or_insert(one.role);
            *role = (*role).min(one.role);
        }
    }
    groups
        .iter()
        .zip(first..)
        .filter_map(|(group, position)| {
            let reference = super::group_ref(&group.subject)?;
            let index = reading.got().group(&reference.group)?;
            let granted = Granted {
                position: u32::try_from(position).expect("fewer than 2^32 groups"),
                subject: group.subject.clone(),
                group: reference.clone(),
                privileged: privileged.get(reference).map(|role| (*role).clone()),
                grants: Arc::clone(&group.reasons),
                by_via: FxHashMap::default(),
            };
            Some((index, granted))
        })
        .collect()
}

/// One directory's view of a hub.
struct Wanted<'a> {
    inputs: &'a Inputs<'a>,
    facts: &'a VendorFacts,
    directory: &'a DirectoryName,
    granted: FxHashMap<GroupIndex, Granted>,
    /// Those of them that list nobody where somebody can be meant.
    meant: Vec<GroupIndex>,
}

impl Wanted<'_> {
    fn people(mut self, found: &mut Found, standings: &HashMap<Subject, Standing>) {
        let Some(reading) = self.inputs.directories.get(self.directory) else { return };
        let directory = reading.got();
        for person in &directory.people {
            match person.kind {
                PersonKind::Person | PersonKind::Guest => {}
                PersonKind::RoleAccount => continue,
            }
            let subject = Subject::Person {
                directory: self.directory.clone(),
                stable_id: person.stable_id.clone(),
            };
            if standings.get(&subject) == Some(&Standing::Present) {
                self.person(directory, person, subject, found);
            }
        }
    }

    fn person(
        &mut self,
        directory: &Directory,
        person: &Person,
        subject: Subject,
        found: &mut Found,
    ) {
        let unprivileged = not_plainly_active(self.inputs.policies, person);
        let nothing_new = person.cautions().find(Caution::forbids_new).map(|caution| {
            Reason::NothingNew { subject: subject.clone(), why: caution.to_string() }
        });
        let user = u32::try_from(found.users.len()).expect("fewer than 2^32 users");
        let mut why: Option<Arc<[Reason]>> = None;
        let mut held: Vec<Reason> = Vec::new();
        let mut memberships = 0;
        for joined in &person.groups {
            let Some(granted) = self.granted.get_mut(&joined.group) else { continue };
            let key = || (granted.subject.clone(), subject.clone());
            if let (Some(caution), Some(role)) = (&unprivileged, &granted.privileged) {
                let reason = kept_from(caution, granted.group.clone(), role.clone());
                found.excluded.insert(key(), reason);
                continue;
            }
            if let (Some(twins), Some(_)) =
                (&directory.group_at(joined.group).twins, &granted.privileged)
                && twins.partly.contains(&person.stable_id)
            {
                let (group, entries) = (granted.group.clone(), twins.entries.clone());
                let reason = Reason::OneOfSeveral { group, entries };
                found.held.memberships.insert(key(), reason.clone());
                held.push(reason);
            }
            memberships += 1;
            let reasons = Arc::clone(granted.by_via.entry(joined.via).or_insert_with(|| {
                member_reasons(directory, granted.group.clone(), joined.via, &granted.grants)
            }));
            why.get_or_insert_with(|| Arc::clone(&reasons));
            found.memberships.push(DesiredMembership { group: granted.position, user, reasons });
        }
        for (granted, reason) in self.perhaps(directory, person) {
            let key = (granted.subject.clone(), subject.clone());
            if let (Some(caution), Some(role)) = (&unprivileged, &granted.privileged) {
                let reason = kept_from(caution, granted.group.clone(), role.clone());
                found.excluded.insert(key, reason);
                continue;
            }
            found.held.memberships.insert(key, reason.clone());
            held.push(reason.clone());
            memberships += 1;
            let reasons: Arc<[Reason]> = Arc::new([reason]);
            why.get_or_insert_with(|| Arc::clone(&reasons));
            found.memberships.push(DesiredMembership { group: granted.position, user, reasons });
        }
        let nothing = held.pop().filter(|_| held.len() + 1 == memberships);
        if let Some(reason) = nothing_new.or(nothing).filter(|_| why.is_some()) {
            found.held.people.insert(subject.clone(), reason);
        }
        if let Some(reasons) = why {
            let spec = self.spec(person);
            found.users.push(DesiredUser { subject, spec, reasons, blocked: false, key: None });
        }
    }

    /// The groups that list nobody where this person alone can be meant. They stay in those they are
    /// in, and get into no other.
    fn perhaps(
        &self,
        directory: &Directory,
        person: &Person,
    ) -> impl Iterator<Item = (&Granted, Reason)> {
        let lists = |group: GroupIndex| directory.group_at(group).meant.contains(&person.login);
        let is_in = |group: GroupIndex| person.groups.iter().any(|joined| joined.group == group);
        let mut perhaps: Vec<&Granted> = self
            .meant
            .iter()
            .filter(|index| lists(**index) && !is_in(**index))
            .filter_map(|index| self.granted.get(index))
            .collect();
        perhaps.sort_by_key(|granted| granted.position);
        perhaps
            .into_iter()
            .map(|granted| (granted, Reason::PerhapsMeant { group: granted.group.clone() }))
    }

    fn spec(&self, person: &Person) -> UserSpec {
        let profile = self.facts.profile;
        UserSpec {
            name: self.inputs.user_name(self.directory, &person.login),
            display_name: person.display_name.clone().filter(|_| profile),
            email: person.email.clone().filter(|_| profile),
            access: Access::Enabled,
        }
    }
}

/// The one answer to who may not have what is privileged, although they may have access: whoever
/// is not plainly active, as far as the policies ask for it.
fn not_plainly_active(policies: &Policies, person: &Person) -> Option<Caution> {
    person.cautions().find(|caution| match caution {
        Caution::NoKey => policies.privileged_needs_key,
        Caution::Status(_) | Caution::Unreadable(_) | Caution::Retiring(_) => {
            policies.privileged_needs_active
        }
    })
}

/// Why somebody is kept out of a group that holds a privileged role.
fn kept_from(caution: &Caution, group: GroupRef, role: RoleName) -> Reason {
    match caution {
        Caution::Status(status) => Reason::UnknownStatus { group, role, status: status.clone() },
        Caution::Unreadable(what) => Reason::UnreadableState { group, role, what: what.clone() },
        Caution::Retiring(since) => Reason::Retiring { group, role, since: *since },
        Caution::NoKey => Reason::NoKey { group, role },
    }
}

fn member_reasons(
    directory: &Directory,
    group: GroupRef,
    via: Via,
    grants: &[Reason],
) -> Arc<[Reason]> {
    let through = match via {
        Via::Direct | Via::Primary => None,
        Via::Through(index) => Some(directory.group_at(index).name.clone()),
    };
    let primary = via == Via::Primary;
    // What people wrote about a grant is shown with the group; here its place is enough.
    let without_note = |reason: &Reason| match reason {
        Reason::Grant { group, role, source, .. } => Reason::Grant {
            group: group.clone(),
            role: role.clone(),
            source: source.clone(),
            note: String::new(),
        },
        other => other.clone(),
    };
    std::iter::once(Reason::Member { group, through, primary })
        .chain(grants.iter().map(without_note))
        .collect()
}

/// Service accounts: a user and a group each, the user being the only member.
fn services(groups: &[DesiredGroup], entitlements: &[Entitlement<'_>], found: &mut Found) {
    let names: BTreeMap<_, _> = entitlements
        .iter()
        .filter_map(|one| match one.holder {
            Holder::Service(service) => Some((&service.name, service)),
            Holder::Group(_) => None,
        })
        .collect();
    for (name, service) in names {
        let group = Subject::ServiceGroup(name.clone());
        let Ok(position) = groups.binary_search_by(|one| one.subject.cmp(&group)) else { continue };
        let user = u32::try_from(found.users.len()).expect("fewer than 2^32 users");
        let reasons = Arc::clone(&groups[position].reasons);
        found.users.push(DesiredUser {
            subject: Subject::Service(name.clone()),
            spec: UserSpec {
                name: naming::service_user_name(name),
                display_name: None,
                email: None,
                access: Access::Enabled,
            },
            reasons: Arc::clone(&reasons),
            blocked: false,
            key: match &service.identity {
                ServiceIdentity::Key(rotation) => Some(rotation.clone()),
                ServiceIdentity::User | ServiceIdentity::Forge(_) => None,
            },
        });
        let group = u32::try_from(position).expect("fewer than 2^32 groups");
        found.memberships.push(DesiredMembership { group, user, reasons });
    }
}

/// Sorts users by subject and memberships by (group, user), keeping them pointing at each other.
fn sorted(
    users: Vec<DesiredUser>,
    mut memberships: Vec<DesiredMembership>,
) -> (Vec<DesiredUser>, Vec<DesiredMembership>) {
    let mut order: Vec<u32> = (0..).take(users.len()).collect();
    order.sort_by(|a, b| users[*a as usize].subject.cmp(&users[*b as usize].subject));
    let mut new_position = vec![0_u32; users.len()];
    for (position, old) in (0..).zip(&order) {
        new_position[*old as usize] = position;
    }
    for membership in &mut memberships {
        membership.user = new_position[membership.user as usize];
    }
    memberships.sort_unstable_by_key(|membership| (membership.group, membership.user));
    let mut users: Vec<Option<DesiredUser>> = users.into_iter().map(Some).collect();
    let users = order
        .into_iter()
        .map(|old| users[old as usize].take().expect("each position occurs once"))
        .collect();
    (users, memberships)
}

/// Marks users and groups whose names the vendor forbids, or that two want at once.
fn block_names(hub: &mut DesiredHub, facts: &VendorFacts) {
    let users = colliding(&facts.user_names, hub.users.iter().map(|user| &user.spec.name));
    for (user, blocked) in hub.users.iter_mut().zip(users) {
        user.blocked = blocked;
    }
    let groups = colliding(&facts.group_names, hub.groups.iter().map(|group| &group.spec.name));
    for (group, blocked) in hub.groups.iter_mut().zip(groups) {
        group.blocked = blocked;
    }
}

/// Which names the vendor forbids, or occur twice.
pub(super) fn colliding<'a>(
    rules: &NameRules,
    names: impl Iterator<Item = &'a ObjectName> + Clone,
) -> Vec<bool> {
    let mut count: HashMap<String, u32> = HashMap::new();
    for name in names.clone() {
        *count.entry(rules.fold(name.as_str())).or_default() += 1;
    }
    names
        .map(|name| count[&rules.fold(name.as_str())] > 1 || rules.check(name.as_str()).is_err())
        .collect()
}
