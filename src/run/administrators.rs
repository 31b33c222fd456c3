//! Who administers what, as it is before the run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::ToSpan;
use jiff::civil::Date;

use super::gather::Gathered;
use super::holdings::stand_in;
use super::known::Known;
use crate::desired::Standing;
use crate::diagnostic::Finding;
use crate::guard::{AdministratorGroup, AdministratorSet, Holdings};
use crate::inventory::{AccountEntry, Administrators, Inventory};
use crate::model::{
    Access, Attachment, HolderKind, Login, Observed, ObservedAccount, Place, Reading, RoleName,
    RoleSpec, StableId, Subject, VendorId,
};
use crate::plan::allows_as_much;
use crate::policies::Policies;

/// The administrators of every account that was read and names some, or named some when it was
/// last looked at; and what is odd about those who must stay.
///
/// What the inventory said before counts until a run has gone by in which no administrator was to
/// lose anything: nobody can drop the line together with those whom it protects.
pub(super) fn sets(
    inventory: &Inventory,
    policies: &Policies,
    gathered: &Gathered,
    holdings: &Holdings,
    known: &Known,
    today: Date,
) -> (Vec<AdministratorSet>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut sets = Vec::new();
    let mut people: HashMap<Place, BTreeMap<VendorId, Subject>> = HashMap::new();
    // Giving an account up is a choice, and bounded by the limits.
    for entry in inventory.accounts.values().filter(|entry| !entry.retired) {
        let place = &entry.account.place;
        let now = entry.administrators.as_ref();
        let before = known.administrators(&gathered.facts, entry);
        let before = before.filter(|before| now.is_none_or(|now| !says_the_same(now, before)));
        for administrators in now.into_iter().chain(before.as_ref()) {
            let hub = hub_of(entry);
            let (Some(held), true) =
                (holdings.accounts.get(place), gathered.observations.accounts.contains_key(&hub))
            else {
                continue;
            };
            let people = people.entry(hub.clone()).or_insert_with(|| subjects(gathered, &hub));
            let account = Looked { gathered, policies, known, hub: &hub, today };
            let is_now = now.is_some_and(|now| std::ptr::eq(now, administrators));
            let named = now.map_or(&[][..], |now| &now.required);
            let (required, left, odd) = account.required(inventory, administrators, is_now, named);
            findings.extend(odd);
            let privileged = account.privileged(&held.home);
            sets.push(AdministratorSet {
                groups: groups(
                    administrators,
                    &privileged,
                    &held.roles,
                    &account.named(administrators),
                    |group| members(holdings, &hub, group, people),
                ),
                required,
                left,
                as_wide: account.as_wide(&held.home, &privileged),
                back: account.back(&held.home, &privileged),
                account: place.clone(),
                home: held.home.clone(),
                hub,
                group: administrators.group.clone(),
                minimum: administrators.minimum,
            });
        }
    }
    findings.sort();
    findings.dedup();
    (sets, findings)
}

fn says_the_same(one: &Administrators, other: &Administrators) -> bool {
    (&one.group, one.minimum, &one.required) == (&other.group, other.minimum, &other.required)
}

/// The account in which an account's users live.
pub(super) fn hub_of(entry: &AccountEntry) -> Place {
    Place {
        organisation: entry.account.place.organisation.clone(),
        account: entry.account.hub.clone(),
    }
}

/// Whom the users of a hub stand for who can log in.
fn subjects(gathered: &Gathered, hub: &Place) -> BTreeMap<VendorId, Subject> {
    let seen = gathered.observations.accounts.get(hub).map(Reading::got);
    seen.into_iter()
        .flat_map(|seen| &seen.users)
        .filter(|user| user.spec.access == Access::Enabled)
        .filter_map(|user| Some((user.id.clone(), user.ownership.subject()?.clone())))
        .collect()
}

fn members(
    holdings: &Holdings,
    hub: &Place,
    group: &VendorId,
    people: &BTreeMap<VendorId, Subject>,
) -> BTreeMap<VendorId, Subject> {
    let Some(of_hub) = holdings.hubs.get(hub) else { return BTreeMap::new() };
    let positions = of_hub.groups.get(group).into_iter().flatten();
    positions
        .filter_map(|position| of_hub.users.get(*position as usize))
        .filter_map(|user| {
            // Where a vendor has no users, what stands for one is its subject.
            let subject = people.get(user).cloned().or_else(|| user.as_str().parse().ok());
            Some((user.clone(), subject?))
        })
        .collect()
}

/// One account whose administrators are looked for.
struct Looked<'a> {
    gathered: &'a Gathered,
    policies: &'a Policies,
    known: &'a Known,
    hub: &'a Place,
    today: Date,
}

impl<'a> Looked<'a> {
    fn seen(&self, place: &Place) -> Option<&'a ObservedAccount> {
        self.gathered.observations.accounts.get(place).map(Reading::got)
    }

    /// The privileged roles among the role objects of a place.
    fn privileged(&self, home: &Place) -> BTreeSet<&'a VendorId> {
        let roles = self.seen(home).into_iter().flat_map(|seen| &seen.roles);
        roles
            .filter(|role| match role.ownership.subject() {
                Some(Subject::Role(name) | Subject::Held { role: name, .. }) => {
                    self.is_privileged(name)
                }
                Some(_) | None => false,
            })
            .map(|role| &role.id)
            .collect()
    }

    fn is_privileged(&self, role: &RoleName) -> bool {
        let now = self.policies.roles.get(role).is_some_and(|role| role.privileged);
        now || self.known.was_privileged(role)
    }

    /// What stands for the named group in the hub. Of several with the same mark all.
    fn named(&self, administrators: &Administrators) -> BTreeSet<VendorId> {
        let subject = Subject::Group(administrators.group.clone());
        let groups = self.seen(self.hub).into_iter().flat_map(|seen| &seen.groups);
        groups
            .filter(|group| group.ownership.subject() == Some(&subject))
            .map(|group| group.id.clone())
            .chain([stand_in(&subject)])
            .collect()
    }

    /// The people who must stay, by what is stable about them, and what is odd about that.
    ///
    /// A log-in name says who is meant only once: whom it meant when it was first seen, or whom the
    /// user of that name stands for, is who must stay, under whatever name.
    fn required(
        &self,
        inventory: &Inventory,
        administrators: &Administrators,
        is_now: bool,
        named: &[Login],
    ) -> (BTreeSet<Subject>, BTreeSet<Subject>, Vec<Finding>) {
        let directory = &administrators.group.directory;
        let person = |stable_id: &StableId| Subject::Person {
            directory: directory.clone(),
            stable_id: stable_id.clone(),
        };
        let read = self.gathered.directories.get(directory).map(Reading::got);
        let prefix =
            inventory.directories.get(directory).map_or("", |config| config.name_prefix.as_str());
        let mut required = BTreeSet::new();
        let mut findings = Vec::new();
        let mut all_left = BTreeSet::new();
        for login in &administrators.required {
            let in_directory = read
                .into_iter()
                .flat_map(|read| &read.people)
                .find(|one| one.login == *login)
                .map(|one| person(&one.stable_id));
            let remembered = self.known.required(directory, login).map(person);
            let marked = self.marked(&format!("{prefix}{login}"), directory);
            let meant = remembered.or(marked);
            if let (Some(meant), Some(now)) = (&meant, &in_directory)
                && meant != now
            {
                let message = format!(
                    "required administrator `{login}` is {now} in directory {directory} now, and \
                     was {meant}: neither loses anything"
                );
                findings.push(Finding::error("required-is-another", message).at(&administrators.source).hint(
                    "write the log-in name that the one who is meant has now; or, if the newcomer \
                     is meant, take the line out for one run",
                ));
            }
            let both = meant.into_iter().chain(in_directory);
            for person in both {
                let Some(since) = self.left(&person) else {
                    required.insert(person);
                    continue;
                };
                // Nobody asks any more for somebody who left for good.
                if !is_now && !named.contains(login) {
                    continue;
                }
                let message = format!(
                    "required administrator `{login}` ({person}) left, and was gone on {since}; \
                     nothing is taken from them"
                );
                findings.push(
                    Finding::error("required-left", message).at(&administrators.source).hint(
                        "name somebody else under `required`; or approve the plan that takes it",
                    ),
                );
                all_left.insert(person.clone());
                required.insert(person);
            }
        }
        (required, all_left, findings)
    }

    /// Since when somebody is gone, if that is longer than the grace.
    fn left(&self, person: &Subject) -> Option<Date> {
        let Subject::Person { directory, stable_id } = person else { return None };
        let since = self.known.gone_since(directory, stable_id)?;
        let grace = i64::from(self.policies.grace_days);
        let over = since.checked_add(grace.days()).is_ok_and(|end| self.today >= end);
        (over && is_gone(self.gathered, person)).then_some(since)
    }

    /// For each privileged role the others that allow provably as much.
    fn as_wide(
        &self,
        home: &Place,
        privileged: &BTreeSet<&VendorId>,
    ) -> BTreeMap<VendorId, BTreeSet<VendorId>> {
        let Some(seen) = self.seen(home) else { return BTreeMap::new() };
        let roles: Vec<_> = seen
            .roles
            .iter()
            .filter(|role| privileged.contains(&role.id))
            .map(|role| {
                let held = seen
                    .attachments
                    .iter()
                    .filter(|one| one.holder_kind == HolderKind::Role && one.holder == role.id);
                (role, held.map(|one| &one.attachment).collect::<Vec<_>>())
            })
            .collect();
        let wide = |(one, has): &(&Observed<RoleSpec>, Vec<&Attachment>)| {
            let others = roles.iter().filter(|(other, _)| other.id != one.id);
            let wide = others
                .filter(|(other, also)| allows_as_much((&one.spec, has), (&other.spec, also)));
            (one.id.clone(), wide.map(|(other, _)| other.id.clone()).collect())
        };
        roles.iter().map(wide).collect()
    }

    /// Privileged roles that mean by the policies what they are known to have meant before.
    fn back(&self, home: &Place, privileged: &BTreeSet<&VendorId>) -> BTreeSet<VendorId> {
        let roles = self.seen(home).into_iter().flat_map(|seen| &seen.roles);
        let roles = roles.filter(|role| privileged.contains(&role.id));
        roles
            .filter(|role| match role.ownership.subject() {
                Some(Subject::Role(name) | Subject::Held { role: name, .. }) => {
                    let now = self.policies.roles.get(name);
                    now.is_some_and(|now| self.known.has_meant(now))
                }
                Some(_) | None => false,
            })
            .map(|role| role.id.clone())
            .collect()
    }

    /// The person of a directory for whom the user of that name stands.
    fn marked(&self, name: &str, of: &crate::model::DirectoryName) -> Option<Subject> {
        let users = self.seen(self.hub).into_iter().flat_map(|seen| &seen.users);
        users.filter(|user| user.spec.name.as_str() == name).find_map(|user| {
            let subject = user.ownership.subject()?;
            matches!(subject, Subject::Person { directory, .. } if directory == of)
                .then(|| subject.clone())
        })
    }
}

/// Whether a directory that was read to its end says that somebody is gone.
pub(super) fn is_gone(gathered: &Gathered, person: &Subject) -> bool {
    let Subject::Person { directory, .. } = person else { return false };
    let complete = gathered.directories.get(directory).is_some_and(Reading::is_complete);
    let standing = gathered.desired.standings.get(person);
    complete && matches!(standing, None | Some(Standing::Absent(_)))
}

/// Of the groups whose members hold a privileged role in an account now, the named one, once so
/// many of its members as must stay do; until then all of ours. Where nobody holds a privileged
/// role, the members of the named group count through whatever they have there.
///
/// So neither naming another group nor taking a role's privilege away ends the protection of those
/// who administer the account today.
fn groups(
    administrators: &Administrators,
    privileged: &BTreeSet<&VendorId>,
    held: &BTreeMap<VendorId, BTreeSet<VendorId>>,
    named: &BTreeSet<VendorId>,
    mut members: impl FnMut(&VendorId) -> BTreeMap<VendorId, Subject>,
) -> BTreeMap<VendorId, AdministratorGroup> {
    let mut all: BTreeMap<VendorId, AdministratorGroup> = BTreeMap::new();
    for (role, groups) in held.iter().filter(|(role, _)| privileged.contains(role)) {
        for group in groups {
            all.entry(group.clone()).or_default().roles.insert(role.clone());
        }
    }
    for (group, administering) in &mut all {
        administering.members = members(group);
    }
    let of_named = || all.iter().filter(|(group, _)| named.contains(*group));
    let enough: BTreeSet<&VendorId> =
        of_named().flat_map(|(_, group)| group.members.keys()).collect();
    if !enough.is_empty() && enough.len() >= administrators.minimum as usize {
        all.retain(|group, _| named.contains(group));
    } else if all.is_empty() {
        for group in named {
            let roles = held.iter().filter(|(_, groups)| groups.contains(group));
            let roles = roles.map(|(role, _)| role.clone()).collect();
            all.insert(group.clone(), AdministratorGroup { roles, members: members(group) });
        }
    }
    all
}
