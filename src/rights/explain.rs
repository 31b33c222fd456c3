//! Everything there is to say about one person, group, service account or account.

use std::collections::BTreeSet;

use super::value::{
    AccountExplained, AccountTerms, EndedGrant, Explained, GroupExplained, GroupRight, HubUser,
    IdleGroup, Joining, Member, PersonExplained, Proof, Right, RoleInAccount, ServiceExplained,
    Who, Why, Withheld,
};
use super::{Found, View, joining, members};
use crate::desired::{DesiredHub, Standing};
use crate::digest::sha256;
use crate::inventory::{AccountEntry, Administrators, ServiceIdentity};
use crate::model::{
    Account, AccountStatus, AttributeValue, DirectoryName, GroupIndex, GroupRef, KeyRotation,
    Person, PersonKind, Place, Reason, RoleName, Source, Standing as PersonStanding, Subject,
};

/// Of a longer setting of an account only the digest is told.
const LONGEST_SETTING: usize = 200;

/// Explains what was found; `None` when it is of another resolution.
pub fn explain(view: &View<'_>, found: &Found) -> Option<Explained> {
    match found {
        Found::Person { directory, stable_id, .. } => {
            let subject =
                Subject::Person { directory: directory.clone(), stable_id: stable_id.clone() };
            let person = view.person(&subject)?;
            Some(Explained::Person(view.explain_person(directory, person, &subject)))
        }
        Found::Group(group) => Some(Explained::Group(view.explain_group(group))),
        Found::Service(name) => view.explain_service(name.as_str()).map(Explained::Service),
        Found::Account(name) => {
            let entry = view.inputs.inventory.accounts.get(name)?;
            Some(Explained::Account(view.explain_account(entry)))
        }
    }
}

impl<'a> View<'a> {
    fn explain_person(
        &self,
        directory: &DirectoryName,
        person: &Person,
        subject: &Subject,
    ) -> PersonExplained {
        let standing = person.standing(self.inputs.today);
        let mut withheld = Vec::new();
        let mut idle_groups = Vec::new();
        for (group, joining) in self.groups_of(directory, person) {
            let wrapped = Subject::Group(group.clone());
            let held = self.held_by(&wrapped);
            if held.is_empty() {
                let ended = self.ended(|one| one.group == wrapped);
                idle_groups.push(IdleGroup { group, joining, ended });
                continue;
            }
            for (hub, place, role) in held {
                if let Some(why) = self.without(hub, person, subject, &wrapped) {
                    let way = self.way(place, role, subject, &wrapped);
                    let (place, role) = (place.clone(), role.clone());
                    withheld.push(Withheld { place, role, way, why });
                }
            }
        }
        withheld.sort();
        PersonExplained {
            directory: directory.clone(),
            login: person.login.clone(),
            stable_id: person.stable_id.clone(),
            kind: person.kind,
            may_have_access: standing == PersonStanding::Present
                && person.unclear.is_none()
                && person.kind != PersonKind::RoleAccount,
            standing: standing.to_string(),
            unclear: person.unclear.clone(),
            status: status(&person.status),
            cautions: person.cautions().map(|caution| caution.to_string()).collect(),
            expires: person.expires,
            has_key: person.has_key,
            users: self.users_of(subject),
            rights: self.rights_of(subject),
            withheld,
            idle_groups,
        }
    }

    fn explain_group(&self, group: &GroupRef) -> GroupExplained {
        let wrapped = Subject::Group(group.clone());
        let mut rights: Vec<GroupRight> = self
            .held_by(&wrapped)
            .into_iter()
            .map(|(_, place, role)| self.group_right(place, role, &wrapped))
            .collect();
        rights.sort();
        let inventory = self.inputs.inventory;
        let administers = inventory
            .accounts
            .values()
            .filter(|entry| entry.administrators.as_ref().is_some_and(|one| one.group == *group))
            .map(|entry| entry.account.place.clone());
        let answers_for = inventory.service_accounts.values().filter(|one| one.owners == *group);
        GroupExplained {
            group: group.clone(),
            in_directory: self.in_directory(group),
            rights,
            ended: self.ended(|one| one.group == wrapped),
            administers: administers.collect(),
            answers_for: answers_for.map(|one| one.name.to_string()).collect(),
            members: self.everybody_in(group),
        }
    }

    fn explain_service(&self, name: &str) -> Option<ServiceExplained> {
        let service = self.inputs.inventory.service_accounts.get(name)?;
        let subject = Subject::Service(service.name.clone());
        let group = Subject::ServiceGroup(service.name.clone());
        Some(ServiceExplained {
            name: service.name.to_string(),
            reason: service.reason.clone(),
            source: service.source.clone(),
            until: service.until,
            owners: service.owners.clone(),
            answerable: self.present_in(&service.owners),
            proof: proof(&service.identity),
            users: self.users_of(&subject),
            rights: self.rights_of(&subject),
            ended: self.ended(|one| one.group == group),
        })
    }

    fn explain_account(&self, entry: &AccountEntry) -> AccountExplained {
        let place = &entry.account.place;
        let account = self.account(place);
        let roles: BTreeSet<&RoleName> = account
            .into_iter()
            .flat_map(|account| account.bindings.keys())
            .map(|(_, role)| role)
            .chain(self.jobs.keys().filter(|(at, ..)| *at == place).map(|(_, role, _)| *role))
            .collect();
        let administrators = entry.administrators.as_ref();
        AccountExplained {
            place: place.clone(),
            terms: terms(entry),
            source: entry.account.source.clone(),
            sponsor: entry.sponsor.clone(),
            contacts: entry.contacts.clone(),
            constraints: entry.constraints.clone(),
            administrators: administrators
                .map(|administrators| self.with_access(&administrators.group))
                .unwrap_or_default(),
            roles: roles.into_iter().map(|role| self.role_in(place, role)).collect(),
            ended: self.ended(|one| one.place == *place),
        }
    }

    fn role_in(&self, place: &Place, role: &RoleName) -> RoleInAccount {
        let policy = self.inputs.policies.roles.get(role);
        let holders = self.holders(place, role);
        let mut people: Vec<&Subject> = holders
            .iter()
            .filter_map(|group| self.hub_of(place).map(|hub| members(hub, group)))
            .flatten()
            .chain(
                self.jobs
                    .keys()
                    .filter(|(at, taken, _)| (*at, *taken) == (place, role))
                    .map(|(.., who)| *who),
            )
            .collect();
        people.sort();
        people.dedup();
        let mut people: Vec<Right> =
            people.into_iter().filter_map(|subject| self.right(place, role, subject)).collect();
        people.sort();
        let mut groups: Vec<GroupRight> =
            holders.iter().map(|group| self.group_right(place, role, group)).collect();
        groups.sort();
        RoleInAccount {
            role: role.clone(),
            description: policy.map(|role| role.description.clone()).unwrap_or_default(),
            privileged: policy.is_some_and(|role| role.privileged),
            groups,
            people,
        }
    }

    /// The right of a group.
    pub(super) fn group_right(
        &self,
        place: &Place,
        role: &RoleName,
        group: &Subject,
    ) -> GroupRight {
        let hub = self.hub_of(place);
        GroupRight {
            place: place.clone(),
            role: role.clone(),
            group: group.clone(),
            people: hub.map_or(0, |hub| members(hub, group).len()),
            grants: self.grant_lines(place, role, group),
            people_known: !self.is_incomplete(group),
            privileged: self.is_privileged(role),
        }
    }

    /// Everything somebody may do.
    fn rights_of(&self, subject: &Subject) -> Vec<Right> {
        let mut held: Vec<(&Place, &RoleName)> = Vec::new();
        for (place, hub) in &self.desired.hubs {
            let found = hub.users.binary_search_by(|user| user.subject.cmp(subject));
            let Some(user) = super::position(found) else { continue };
            let groups = hub.memberships.iter().filter(|one| one.user == user);
            for membership in groups {
                let group = &hub.groups[membership.group as usize].subject;
                held.extend_from_slice(self.roles_of(place, group));
            }
        }
        held.extend(
            self.jobs
                .keys()
                .filter(|(.., who)| *who == subject)
                .map(|(place, role, _)| (*place, *role)),
        );
        held.sort();
        held.dedup();
        held.into_iter().filter_map(|(place, role)| self.right(place, role, subject)).collect()
    }

    pub(super) fn hub_user(&self, place: &Place, hub: &DesiredHub, at: usize) -> HubUser {
        let user = &hub.users[at];
        HubUser {
            hub: place.clone(),
            who: self.who(&user.subject),
            name: user.spec.name.clone(),
            blocked: user.blocked,
        }
    }

    fn users_of(&self, subject: &Subject) -> Vec<HubUser> {
        let hubs = self.desired.hubs.iter();
        hubs.filter_map(|(place, hub)| {
            let at = hub.users.binary_search_by(|user| user.subject.cmp(subject)).ok()?;
            Some(self.hub_user(place, hub, at))
        })
        .collect()
    }

    /// What a group holds today, with the hub through which.
    fn held_by(&self, group: &Subject) -> Vec<(&'a Place, &'a Place, &'a RoleName)> {
        let mut held = Vec::new();
        for hub in self.desired.hubs.keys() {
            if let Some(roles) = self.by_group.get(&(hub, group)) {
                held.extend(roles.iter().map(|(place, role)| (hub, *place, *role)));
            }
        }
        held
    }

    /// Why somebody in a group has not what it holds; `None` when they have.
    fn without(
        &self,
        hub: &Place,
        person: &Person,
        subject: &Subject,
        group: &Subject,
    ) -> Option<Why> {
        if person.kind == PersonKind::RoleAccount {
            return Some(Why::RoleAccount);
        }
        match self.standing(subject) {
            Some(Standing::Absent(_)) => {
                return Some(Why::Gone(person.standing(self.inputs.today).to_string()));
            }
            Some(Standing::Unclear(why)) => return Some(Why::Unclear(why.clone())),
            Some(Standing::Present) | None => {}
        }
        let hub = self.desired.hubs.get(hub)?;
        match hub.excluded.get(&(group.clone(), subject.clone()))? {
            Reason::NoKey { role, .. } => Some(Why::NoKey { privileged: role.clone() }),
            other => Some(Why::Other(other.to_string())),
        }
    }

    fn groups_of(
        &self,
        directory: &DirectoryName,
        person: &Person,
    ) -> impl Iterator<Item = (GroupRef, Joining)> {
        let read = self.directory(directory);
        let joined = person.groups.iter().filter_map(move |joined| Some((read?, joined)));
        joined.map(move |(read, joined)| {
            let group = read.group_at(joined.group).name.clone();
            (GroupRef { directory: directory.clone(), group }, joining(read, joined.via))
        })
    }

    fn in_directory(&self, group: &GroupRef) -> Option<bool> {
        let reading = self.inputs.directories.get(&group.directory)?;
        match reading.got().group(&group.group) {
            Some(_) => Some(true),
            None => reading.is_complete().then_some(false),
        }
    }

    fn index(&self, group: &GroupRef) -> Option<(&'a crate::model::Directory, GroupIndex)> {
        let directory = self.directory(&group.directory)?;
        Some((directory, directory.group(&group.group)?))
    }

    /// Everybody a directory has in a group, sorted by log-in name.
    fn everybody_in(&self, group: &GroupRef) -> Vec<Member> {
        let Some((directory, index)) = self.index(group) else { return Vec::new() };
        let wrapped = Subject::Group(group.clone());
        let hubs: Vec<&Place> = self.held_by(&wrapped).into_iter().map(|(hub, ..)| hub).collect();
        let in_group = |person: &'a Person| {
            let joined = person.groups.iter().find(|joined| joined.group == index)?;
            Some((person, joining(directory, joined.via)))
        };
        let mut members: Vec<Member> = directory
            .people
            .iter()
            .filter_map(in_group)
            .map(|(person, joining)| {
                let subject = Subject::Person {
                    directory: group.directory.clone(),
                    stable_id: person.stable_id.clone(),
                };
                let without = match hubs.as_slice() {
                    // Where the group holds nothing, only who is gone is worth a word.
                    [] => self.gone(person, &subject),
                    hubs => {
                        hubs.iter().find_map(|hub| self.without(hub, person, &subject, &wrapped))
                    }
                };
                Member { who: self.who(&subject), joining, without }
            })
            .collect();
        members.sort();
        members
    }

    fn gone(&self, person: &Person, subject: &Subject) -> Option<Why> {
        if person.kind == PersonKind::RoleAccount {
            return Some(Why::RoleAccount);
        }
        match self.standing(subject)? {
            Standing::Present => None,
            Standing::Unclear(why) => Some(Why::Unclear(why.clone())),
            Standing::Absent(_) => Some(Why::Gone(person.standing(self.inputs.today).to_string())),
        }
    }

    /// The people of a group whom nothing keeps from what it holds.
    fn with_access(&self, group: &GroupRef) -> Vec<Who> {
        let members = self.everybody_in(group).into_iter();
        members.filter(|member| member.without.is_none()).map(|member| member.who).collect()
    }

    /// The people of a group who may have access today.
    fn present_in(&self, group: &GroupRef) -> Vec<Who> {
        let members = self.everybody_in(group).into_iter();
        let is_present = |member: &Member| match &member.without {
            None | Some(Why::NoKey { .. } | Why::Other(_)) => true,
            Some(Why::Gone(_) | Why::RoleAccount | Why::Unclear(_)) => false,
        };
        members.filter(is_present).map(|member| member.who).collect()
    }

    /// Lines of the inventory that have ended and of which nothing else gives the same.
    fn ended(&self, wanted: impl Fn(&EndedGrant) -> bool) -> Vec<EndedGrant> {
        let mut ended = Vec::new();
        let over =
            |until: Option<jiff::civil::Date>| until.filter(|until| self.inputs.today >= *until);
        let mut add = |account: &crate::model::AccountName,
                       role: &RoleName,
                       group: Subject,
                       until,
                       source: &Source| {
            let Some(entry) = self.inputs.inventory.accounts.get(account) else { return };
            let place = entry.account.place.clone();
            let holds = self
                .account(&place)
                .is_some_and(|one| one.bindings.contains_key(&(group.clone(), role.clone())));
            let one =
                EndedGrant { place, role: role.clone(), group, until, source: source.clone() };
            if !holds && wanted(&one) {
                ended.push(one);
            }
        };
        for grant in &self.inputs.inventory.grants {
            if let Some(until) = over(grant.until) {
                for account in &grant.accounts {
                    let group = Subject::Group(grant.group.clone());
                    add(account, &grant.role, group, until, &grant.source);
                }
            }
        }
        for service in self.inputs.inventory.service_accounts.values() {
            if let Some(until) = over(service.until) {
                for account in &service.accounts {
                    let group = Subject::ServiceGroup(service.name.clone());
                    add(account, &service.role, group, until, &service.source);
                }
            }
        }
        ended.sort();
        ended
    }
}

fn status(status: &AccountStatus) -> String {
    match status {
        AccountStatus::Active => "active".to_owned(),
        AccountStatus::Retiring(since) => format!("retiring since {since}"),
        AccountStatus::Unknown(text) => text.clone(),
        AccountStatus::Gone(word) => word.clone(),
    }
}

/// How a service account proves who it is.
pub(super) fn proof(identity: &ServiceIdentity) -> Proof {
    match identity {
        ServiceIdentity::User => Proof::ByHand,
        ServiceIdentity::Key(KeyRotation { after_days, overlap_days, sink }) => {
            Proof::Key { after_days: *after_days, overlap_days: *overlap_days, sink: sink.clone() }
        }
        ServiceIdentity::Forge(federation) => Proof::Jobs(Box::new(federation.clone())),
    }
}

/// What an account is, as far as a change of it matters to people.
pub(super) fn terms(entry: &AccountEntry) -> AccountTerms {
    // Every field by name, so that a new one cannot be forgotten.
    let AccountEntry { account, administrators, retired, sponsor: _, contacts: _, constraints: _ } =
        entry;
    let Account { place, vendor, partition, id, hub, project, settings, source } = account;
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) if text.len() > LONGEST_SETTING => {
            let digest = sha256(text.as_bytes());
            format!("{} bytes, SHA-256 {}", text.len(), &digest[..16])
        }
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Number(_) | AttributeValue::Flag(_) | AttributeValue::Set(_) => {
            value.to_string()
        }
    };
    let mut terms = AccountTerms {
        vendor: vendor.clone(),
        id: id.clone(),
        hub: Place { organisation: place.organisation.clone(), account: hub.clone() },
        administrators: None,
        minimum: 0,
        required: Vec::new(),
        project: project.clone(),
        partition: partition.clone(),
        settings: settings.iter().map(|(name, text)| (name.clone(), value(text))).collect(),
        source: source.clone(),
        retired: *retired,
    };
    if let Some(Administrators { group, minimum, required, source: _ }) = administrators {
        terms.administrators = Some(group.clone());
        terms.minimum = *minimum;
        terms.required.clone_from(required);
    }
    terms
}
