//! What must be true of a cloud after a run that went well, worked out from the rules alone.
//!
//! Shares no code with the planner, and is as naive as can be: it goes from every person to every
//! group to every grant, and compares with what is stored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use reconcile::cloud::memory::service::state::{AccountState, Row, State, Tags};
use reconcile::diagnostic::Finding;
use reconcile::model::{AccountStatus, PersonKind};

use super::world::{Model, PersonModel, ServiceModel};

const ORGANISATION: &str = "reconcile:organisation";
const SUBJECT: &str = "reconcile:subject";
const SUSPENDED: &str = "reconcile:suspended";

/// What is not as it must be.
pub fn wrong(model: &Model, state: &State, findings: &[Finding]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, account) in &model.accounts {
        if account.hub != *name {
            continue;
        }
        let hub = Hub::new(model, &account.organisation, name, state, findings);
        hub.users(&mut wrong);
        hub.groups(&mut wrong);
        hub.members(&mut wrong);
        for (below, other) in &model.accounts {
            if other.hub == *name {
                hub.roles(below, &mut wrong);
            }
        }
    }
    wrong
}

/// Whether somebody may have access.
pub fn may_have_access(person: &PersonModel, today: Date) -> bool {
    let left = match &person.status {
        AccountStatus::Active | AccountStatus::Unknown(_) => false,
        AccountStatus::Gone(_) => true,
        AccountStatus::Retiring(since) => days_between(*since, today) >= 186,
    };
    let expired = person.expires.is_some_and(|expires| expires <= today);
    !left && !expired && !person.locked && person.kind != PersonKind::RoleAccount
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// Objects of one organisation in one account, by the subject of their mark.
type Owned<'a, T> = BTreeMap<String, Vec<&'a T>>;

struct Hub<'a> {
    model: &'a Model,
    organisation: &'a str,
    name: &'a str,
    state: &'a State,
    account: &'a AccountState,
    findings: &'a [Finding],
    /// Subjects of groups that hold a role, with their names.
    wanted_groups: BTreeMap<String, String>,
    /// Those the directory does not know.
    frozen: BTreeSet<String>,
    /// Subjects of people and services, with name, full name and mail address.
    wanted_users: BTreeMap<String, (String, Option<String>, Option<String>)>,
    /// (group, user)
    wanted_members: BTreeSet<(String, String)>,
    /// People who would be wanted if their group were known.
    kept: BTreeSet<String>,
    /// People whose state nobody knows: they keep what they have and get nothing new.
    held: BTreeSet<String>,
    /// The inventory names a group that its directory does not know: nobody loses anything for
    /// want of a grant.
    doubtful: bool,
}

impl<'a> Hub<'a> {
    fn new(
        model: &'a Model,
        organisation: &'a str,
        name: &'a str,
        state: &'a State,
        findings: &'a [Finding],
    ) -> Self {
        let mut hub = Self {
            model,
            organisation,
            name,
            state,
            account: state.account(&model.accounts[name].id),
            findings,
            wanted_groups: BTreeMap::new(),
            frozen: BTreeSet::new(),
            wanted_users: BTreeMap::new(),
            wanted_members: BTreeSet::new(),
            kept: BTreeSet::new(),
            held: BTreeSet::new(),
            doubtful: is_doubtful(model, organisation),
        };
        hub.want_groups();
        hub.want_people();
        hub.want_services();
        hub
    }

    /// Accounts whose users and groups live here.
    fn is_below(&self, account: &str) -> bool {
        self.model.accounts.get(account).is_some_and(|one| one.hub == self.name)
    }

    fn want_groups(&mut self) {
        for grant in &self.model.grants {
            let holds = grant.until.is_none_or(|until| self.model.today < until);
            if holds && grant.accounts.iter().any(|account| self.is_below(account)) {
                let directory = &self.model.directories[&grant.directory];
                let subject = format!("group:{}:{}", grant.directory, grant.group);
                if !directory.groups.contains(&grant.group) {
                    self.frozen.insert(subject.clone());
                }
                self.wanted_groups.insert(subject, format!("{}{}", directory.prefix, grant.group));
            }
        }
    }

    /// Whether a group holds a privileged role in any account below.
    fn is_privileged(&self, directory: &str, group: &str) -> bool {
        self.model.grants.iter().any(|grant| {
            grant.directory == directory
                && grant.group == group
                && grant.until.is_none_or(|until| self.model.today < until)
                && grant.accounts.iter().any(|account| self.is_below(account))
                && self.model.roles[&grant.role].privileged
        })
    }

    fn want_people(&mut self) {
        for (directory, content) in &self.model.directories {
            for (id, person) in &content.people {
                if !may_have_access(person, self.model.today) {
                    continue;
                }
                let subject = format!("person:{directory}:{id}");
                for group in &person.groups {
                    let group_subject = format!("group:{directory}:{group}");
                    let no_key = self.model.key_needed && person.has_key == Some(false);
                    let plainly_active = person.status == AccountStatus::Active && !no_key;
                    if !self.wanted_groups.contains_key(&group_subject)
                        || !plainly_active && self.is_privileged(directory, group)
                    {
                        continue;
                    }
                    if self.frozen.contains(&group_subject) {
                        continue;
                    }
                    self.wanted_members.insert((group_subject, subject.clone()));
                    let name = format!("{}{}", content.prefix, person.login);
                    let user = (name, person.name.clone(), person.email.clone());
                    self.wanted_users.insert(subject.clone(), user);
                }
                if matches!(person.status, AccountStatus::Unknown(_)) {
                    self.held.insert(subject.clone());
                }
                // Who is in a group the directory lost keeps what they have.
                self.kept.insert(subject);
            }
        }
    }

    fn want_services(&mut self) {
        for (name, service) in &self.model.services {
            let holds = service.until.is_none_or(|until| self.model.today < until);
            if holds && service.accounts.iter().any(|account| self.is_below(account)) {
                let (group, user) = (format!("service-group:{name}"), format!("service:{name}"));
                self.wanted_groups.insert(group.clone(), format!("service-{name}"));
                self.wanted_users.insert(user.clone(), (name.clone(), None, None));
                self.wanted_members.insert((group, user));
            }
        }
    }

    fn owned<'b, T: Row>(
        &self,
        rows: impl Iterator<Item = &'b T>,
        tags: impl Fn(&T) -> &Tags,
    ) -> Owned<'b, T> {
        let mut owned: Owned<'b, T> = BTreeMap::new();
        for row in rows {
            let tags = tags(row);
            if tags.get(ORGANISATION).is_some_and(|found| found == self.organisation)
                && let Some(subject) = tags.get(SUBJECT)
            {
                owned.entry(subject.clone()).or_default().push(row);
            }
        }
        owned
    }

    fn owned_users(&self) -> Owned<'a, reconcile::cloud::memory::service::state::User> {
        self.owned(self.account.users.after(None), |user| &user.tags)
    }

    fn owned_groups(&self) -> Owned<'a, reconcile::cloud::memory::service::state::Group> {
        self.owned(self.account.groups.after(None), |group| &group.tags)
    }

    /// Whether a finding excuses it: one about the object, with one of these codes.
    fn excused(&self, codes: &[&str], about: &str) -> bool {
        let mentions = |message: &str| {
            message
                .split(|c: char| c.is_whitespace() || "(),`".contains(c))
                .any(|word| word == about)
        };
        self.findings.iter().any(|one| codes.contains(&one.code.as_str()) && mentions(&one.message))
    }

    fn name_collides(names: &BTreeMap<String, String>, name: &str) -> bool {
        let same = |other: &&String| other.to_lowercase() == name.to_lowercase();
        names.values().filter(same).count() > 1
    }

    fn users(&self, wrong: &mut Vec<String>) {
        let owned = self.owned_users();
        let names: BTreeMap<String, String> = self
            .wanted_users
            .iter()
            .map(|(subject, (name, _, _))| (subject.clone(), name.clone()))
            .collect();
        for (subject, (name, display_name, email)) in &self.wanted_users {
            if self.is_undecided(subject) {
                continue;
            }
            let blocked = Self::name_collides(&names, name)
                || self.excused(&["name-taken", "foreign-user"], subject);
            match owned.get(subject).map(Vec::as_slice) {
                None | Some([]) if blocked || self.held.contains(subject) => {}
                None | Some([]) => wrong.push(format!("{}: no user for {subject}", self.name)),
                Some([user]) => {
                    if user.name != *name && !blocked {
                        wrong.push(format!("{subject} is called {} and not {name}", user.name));
                    }
                    if (&user.display_name, &user.email) != (display_name, email) {
                        wrong.push(format!("{subject} has another profile"));
                    }
                    let by_hand = self.excused(&["disabled-by-hand"], subject);
                    if !user.enabled && !by_hand && !self.held.contains(subject) {
                        wrong.push(format!("{subject} should be enabled"));
                    }
                }
                Some(_) if self.excused(&["copied-mark"], subject) => {}
                Some(_) => wrong.push(format!("nothing tells of the two users of {subject}")),
            }
        }
        for (subject, users) in &owned {
            if !self.wanted_users.contains_key(subject) && !self.may_stay(subject) {
                for user in users {
                    self.unwanted_user(subject, user, users.len(), wrong);
                }
            }
        }
    }

    /// Whether something of a service account is left as it is: its owners are not known.
    fn is_undecided(&self, subject: &str) -> bool {
        let name = subject.strip_prefix("service:").or(subject.strip_prefix("service-group:"));
        let service = name.and_then(|name| self.model.services.get(name));
        owners_unknown(self.model) && service.is_some_and(|service| holds(self.model, service))
    }

    /// Whether a user may be kept, although nothing asks for it.
    fn may_stay(&self, subject: &str) -> bool {
        let present = self.kept.contains(subject) || subject.starts_with("service:");
        self.is_undecided(subject) || self.doubtful && present
    }

    fn unwanted_user(
        &self,
        subject: &str,
        user: &reconcile::cloud::memory::service::state::User,
        copies: usize,
        wrong: &mut Vec<String>,
    ) {
        let in_frozen = self.account.groups_of(&user.id).any(|group| {
            let group = self.account.groups.get(group);
            group.is_some_and(|group| {
                group.tags.get(ORGANISATION).is_some_and(|found| found == self.organisation)
                    && group.tags.get(SUBJECT).is_some_and(|found| self.frozen.contains(found))
            })
        });
        if in_frozen && self.kept.contains(subject) {
            return;
        }
        if user.enabled {
            wrong.push(format!("{}: unwanted {subject} can log in as {}", self.name, user.name));
        }
        if self.account.groups_of(&user.id).next().is_some() {
            wrong.push(format!("{}: unwanted {subject} is in groups", self.name));
        }
        if self.account.credentials_of(&user.id).next().is_some() {
            wrong.push(format!("{}: unwanted {subject} has credentials", self.name));
        }
        match user.tags.get(SUSPENDED).and_then(|day| day.parse::<Date>().ok()) {
            None => wrong.push(format!("nobody knows since when {subject} is suspended")),
            Some(since) => {
                let over = i64::from(days_between(since, self.model.today))
                    >= i64::from(self.model.grace_days);
                if over && copies == 1 {
                    wrong.push(format!("{subject} is suspended since {since} and still there"));
                }
            }
        }
    }

    fn groups(&self, wrong: &mut Vec<String>) {
        let owned = self.owned_groups();
        for (subject, name) in &self.wanted_groups {
            if self.is_undecided(subject) {
                continue;
            }
            let blocked = Self::name_collides(&self.wanted_groups, name)
                || self.frozen.contains(subject)
                || self.excused(&["name-taken", "foreign-group"], subject);
            match owned.get(subject).map(Vec::as_slice) {
                None | Some([]) if blocked => {}
                None | Some([]) => wrong.push(format!("{}: no group for {subject}", self.name)),
                Some([group]) if group.name == *name || blocked => {}
                Some([group]) => wrong.push(format!("{subject} is called {}", group.name)),
                Some(_) if self.excused(&["copied-mark"], subject) => {}
                Some(_) => wrong.push(format!("nothing tells of the two groups of {subject}")),
            }
        }
        for (subject, groups) in &owned {
            if let [group] = groups.as_slice()
                && !self.wanted_groups.contains_key(subject)
                && !self.excused(&["bound-elsewhere"], &group.name)
                && !self.doubtful
                && !self.is_undecided(subject)
            {
                wrong.push(format!("{}: unwanted group {subject}", self.name));
            }
        }
    }

    fn members(&self, wrong: &mut Vec<String>) {
        let users = self.owned_users();
        let groups = self.owned_groups();
        let single = |subject: &String| match users.get(subject).map(Vec::as_slice) {
            Some([user]) => Some(user.id.clone()),
            _ => None,
        };
        let doubtful: BTreeSet<&String> = users
            .iter()
            .filter(|(subject, copies)| copies.len() > 1 || self.is_undecided(subject))
            .flat_map(|(_, copies)| copies)
            .map(|user| &user.id)
            .collect();
        for (subject, copies) in &groups {
            let [group] = copies.as_slice() else { continue };
            if !self.wanted_groups.contains_key(subject)
                || self.frozen.contains(subject)
                || self.is_undecided(subject)
            {
                continue;
            }
            let wanted: BTreeSet<String> = self
                .wanted_members
                .iter()
                .filter(|(of, _)| of == subject)
                .filter_map(|(_, user)| single(user))
                .collect();
            // Whoever has the name of one of them and no mark may be that one, who lost it.
            let names = self.wanted_members.iter().filter(|(of, _)| of == subject);
            let names: BTreeSet<String> =
                names.map(|(_, user)| self.wanted_users[user].0.to_lowercase()).collect();
            let may_be_meant = |id: &String| {
                let user = self.account.users.get(id).filter(|user| is_unmarked(&user.tags));
                user.is_some_and(|user| names.contains(&user.name.to_lowercase()))
            };
            let found: BTreeSet<String> = self
                .account
                .memberships
                .iter()
                .filter(|(user, of)| *of == group.id && !doubtful.contains(user))
                .filter(|(user, _)| !may_be_meant(user))
                .map(|(user, _)| user.clone())
                .collect();
            let held: BTreeSet<String> = self.held.iter().filter_map(single).collect();
            if !found.is_subset(&wanted) || !wanted.difference(&held).all(|one| found.contains(one))
            {
                wrong.push(format!("{subject} has the members {found:?} and not {wanted:?}"));
            }
        }
    }

    fn roles(&self, account_name: &str, wrong: &mut Vec<String>) {
        let account = self.state.account(&self.model.accounts[account_name].id);
        let owned = self.owned(account.roles.after(None), |role| &role.tags);
        let wanted = self.wanted_bindings(account_name);
        let known = |group: &String| !self.frozen.contains(group);
        let wanted_roles: BTreeSet<&String> =
            wanted.iter().filter(|(group, _)| known(group)).map(|(_, role)| role).collect();
        let asked_for: BTreeSet<&String> = wanted.iter().map(|(_, role)| role).collect();
        let kept = self.findings.iter().any(|one| one.code == "replacement-missing");
        for name in &wanted_roles {
            let subject = format!("role:{name}");
            let blocked = self.excused(&["name-taken", "foreign-role"], &subject);
            let model = &self.model.roles[*name];
            match owned.get(&subject).map(Vec::as_slice) {
                None | Some([]) if blocked => {}
                None | Some([]) => wrong.push(format!("{account_name}: no {subject}")),
                Some([role]) => {
                    let is = (&role.description, &role.permissions, role.session_hours);
                    let should = (&model.description, &model.permissions, model.hours);
                    if is != should || role.name != **name && !blocked {
                        wrong.push(format!("{account_name}: {subject} differs"));
                    }
                }
                Some(_) => {}
            }
        }
        let groups = self.owned_groups();
        for (subject, roles) in &owned {
            let name = subject.strip_prefix("role:").unwrap_or(subject).to_owned();
            if let [role] = roles.as_slice()
                && !asked_for.contains(&name)
                && !self.doubtful
                && !kept
                && !self.excused(&["role-of-foreign-group"], &role.name)
            {
                wrong.push(format!("{account_name}: unwanted {subject}"));
            }
        }
        for (subject, copies) in &groups {
            if let [group] = copies.as_slice() {
                self.bindings(account_name, subject, &group.id, &owned, &wanted, wrong);
            }
        }
    }

    /// (group, role)
    fn wanted_bindings(&self, account: &str) -> BTreeSet<(String, String)> {
        let holds = |until: Option<Date>| until.is_none_or(|until| self.model.today < until);
        let grants = self
            .model
            .grants
            .iter()
            .filter(|grant| holds(grant.until) && grant.accounts.contains(account))
            .map(|grant| {
                (format!("group:{}:{}", grant.directory, grant.group), grant.role.clone())
            });
        let services = self
            .model
            .services
            .iter()
            .filter(|(_, service)| holds(service.until) && service.accounts.contains(account))
            .map(|(name, service)| (format!("service-group:{name}"), service.role.clone()));
        grants.chain(services).collect()
    }

    fn bindings(
        &self,
        account_name: &str,
        subject: &String,
        group: &str,
        owned: &Owned<'_, reconcile::cloud::memory::service::state::Role>,
        wanted: &BTreeSet<(String, String)>,
        wrong: &mut Vec<String>,
    ) {
        let account = self.state.account(&self.model.accounts[account_name].id);
        let single = |name: &String| match owned.get(&format!("role:{name}")).map(Vec::as_slice) {
            Some([role]) => Some(role.id.clone()),
            _ => None,
        };
        let doubtful: BTreeSet<&String> = owned
            .values()
            .filter(|copies| copies.len() > 1)
            .flatten()
            .map(|role| &role.id)
            .collect();
        let names = wanted.iter().filter(|(of, _)| of == subject).map(|(_, role)| role);
        let may_be_meant = |id: &String| {
            let role = account.roles.get(id).filter(|role| is_unmarked(&role.tags));
            role.is_some_and(|role| names.clone().any(|name| *name == role.name))
        };
        let wanted: BTreeSet<String> = names.clone().filter_map(single).collect();
        let found: BTreeSet<String> = account
            .bindings
            .iter()
            .filter(|(of, role)| of == group && !doubtful.contains(role) && !may_be_meant(role))
            .map(|(_, role)| role.clone())
            .collect();
        if self.is_undecided(subject) {
            return;
        }
        // Nothing is bound to a group nobody knows; and where a grant may be misspelt, or what
        // replaces something cannot be, nothing is taken.
        let given = self.frozen.contains(subject) || wanted.is_subset(&found);
        let may_keep = self.doubtful || self.excused(&["replacement-missing"], subject);
        let taken = may_keep || found.is_subset(&wanted);
        if !given || !taken {
            wrong.push(format!("{account_name}: {subject} has {found:?} and not {wanted:?}"));
        }
    }
}

fn is_unmarked(tags: &Tags) -> bool {
    !tags.contains_key(ORGANISATION) && !tags.contains_key(SUBJECT)
}

/// Whether the inventory names a group of the organisation that its directory does not know.
fn is_doubtful(model: &Model, organisation: &str) -> bool {
    let here = |accounts: &BTreeSet<String>| {
        accounts.iter().any(|account| model.accounts[account].organisation == organisation)
    };
    let grant = model.grants.iter().any(|grant| {
        grant.until.is_none_or(|until| model.today < until)
            && here(&grant.accounts)
            && !model.directories[&grant.directory].groups.contains(&grant.group)
    });
    let service = model.services.values().any(|one| holds(model, one) && here(&one.accounts));
    grant || service && owners_unknown(model)
}

fn holds(model: &Model, service: &ServiceModel) -> bool {
    service.until.is_none_or(|until| model.today < until)
}

/// All service accounts have the same owners.
fn owners_unknown(model: &Model) -> bool {
    model.directories.get("debian").is_some_and(|one| !one.groups.contains("admin"))
}

/// What happened to what is not ours: nothing may, except that our users leave foreign groups on
/// their way out; once the run has `ended` they are out.
pub fn touched(model: &Model, before: &State, after: &State, ended: bool) -> Vec<String> {
    let organisations: BTreeSet<&str> =
        model.accounts.values().map(|account| account.organisation.as_str()).collect();
    let ours = |tags: &Tags| {
        tags.get(ORGANISATION).is_some_and(|found| organisations.contains(found.as_str()))
            && tags.contains_key(SUBJECT)
    };
    let mut touched = Vec::new();
    for (id, account) in &before.accounts {
        let now = after.account(id);
        for user in account.users.after(None).filter(|user| !ours(&user.tags)) {
            if now.users.get(&user.id) != Some(user) {
                touched.push(format!("foreign user {}", user.name));
            }
            let credentials = |state: &AccountState| -> Vec<(String, String)> {
                let all = state.credentials_of(&user.id);
                all.map(|(id, kind)| (id.to_owned(), kind.to_owned())).collect()
            };
            if credentials(account) != credentials(now) {
                touched.push(format!("credentials of foreign user {}", user.name));
            }
        }
        for group in account.groups.after(None).filter(|group| !ours(&group.tags)) {
            if now.groups.get(&group.id) != Some(group) {
                touched.push(format!("foreign group {}", group.name));
            }
            for pair in now.memberships.difference(&account.memberships) {
                if pair.1 == group.id {
                    touched.push(format!("{} joined foreign group {}", pair.0, group.name));
                }
            }
            for pair in account.memberships.difference(&now.memberships) {
                let user = account.users.get(&pair.0);
                let gone = !ended || now.users.get(&pair.0).is_none_or(|user| !user.enabled);
                if pair.1 == group.id && !(gone && user.is_some_and(|user| ours(&user.tags))) {
                    touched.push(format!("{} left foreign group {}", pair.0, group.name));
                }
            }
        }
        for role in account.roles.after(None).filter(|role| !ours(&role.tags)) {
            if now.roles.get(&role.id) != Some(role) {
                touched.push(format!("foreign role {}", role.name));
            }
        }
        for (group, role) in account.bindings.symmetric_difference(&now.bindings) {
            let group = before.group_anywhere(group).or_else(|| after.group_anywhere(group));
            if group.is_some_and(|group| !ours(&group.tags)) {
                touched.push(format!("binding of a foreign group to {role}"));
            }
        }
    }
    touched
}
