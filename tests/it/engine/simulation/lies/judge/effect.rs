//! Who can do what where, as it is in the cloud, and what of it went.

use std::collections::{BTreeMap, BTreeSet};

use reconcile::cloud::memory::service::state::{State, Tags};

const SUBJECT: &str = "reconcile:subject";

type Pairs = BTreeSet<(String, String)>;

/// What of ours is in the cloud. The first of a pair is an account, or else a user or group.
#[derive(Debug, Default)]
pub struct View {
    /// Users by hub, suspended or not.
    pub users: Pairs,
    pub enabled: BTreeSet<String>,
    /// What users are called.
    pub names: BTreeMap<String, String>,
    /// (user, group) of users who can log in.
    pub members: Pairs,
    /// How many memberships there are.
    pub all_members: u64,
    pub groups: Pairs,
    pub roles: Pairs,
    /// (group, account/role)
    pub bindings: Pairs,
    /// By account and role: what it lets do.
    pub meanings: BTreeMap<(String, String), BTreeSet<String>>,
}

impl View {
    pub fn of(state: &State) -> Self {
        let mut view = Self::default();
        for (account, content) in &state.accounts {
            let mut users = BTreeMap::new();
            for user in content.users.after(None) {
                let Some(subject) = subject(&user.tags) else { continue };
                view.users.insert((account.clone(), subject.clone()));
                users.insert(user.id.clone(), subject.clone());
                view.names.insert(subject.clone(), user.name.clone());
                if user.enabled {
                    view.enabled.insert(subject.clone());
                }
            }
            for group in content.groups.after(None) {
                let Some(subject) = subject(&group.tags) else { continue };
                view.groups.insert((account.clone(), subject.clone()));
            }
            for (user, group) in &content.memberships {
                let group = content.groups.get(group).and_then(|group| subject(&group.tags));
                if let (Some(user), Some(group)) = (users.get(user), group) {
                    view.all_members += 1;
                    if view.enabled.contains(user) {
                        view.members.insert((user.clone(), group.clone()));
                    }
                }
            }
            for role in content.roles.after(None) {
                let Some(subject) = subject(&role.tags) else { continue };
                view.roles.insert((account.clone(), subject.clone()));
                let key = (account.clone(), subject.clone());
                view.meanings.insert(key, role.permissions.clone());
            }
            for (group, role) in &content.bindings {
                let group = state.group_anywhere(group).and_then(|group| subject(&group.tags));
                let role = content.roles.get(role).and_then(|role| subject(&role.tags));
                if let (Some(group), Some(role)) = (group, role) {
                    view.bindings.insert((group.clone(), format!("{account}/{role}")));
                }
            }
        }
        view
    }

    /// How much there is of what [`Lost::counts`] counts.
    pub fn existing(&self) -> [u64; 6] {
        // Of what there is, a share may go: there is also what was narrowed to nothing, since what a
        // role lets do is not something that a vendor tells of every role.
        let mut accesses = Pairs::new();
        for (who, group) in &self.members {
            let places = self.bindings.iter().filter(|(of, _)| of == group).map(|(_, place)| place);
            let accounts = places.filter_map(|place| place.split_once('/'));
            accesses.extend(accounts.map(|(account, _)| (who.clone(), account.to_owned())));
        }
        let all = [&self.users, &self.groups, &self.roles, &self.bindings];
        let [users, groups, roles, bindings] = all.map(|all| all.len() as u64);
        [users, self.all_members, groups, roles, bindings, accesses.len() as u64]
    }

    /// Who can do what where, if these were the members: (who, account, what).
    fn rights(&self, members: &Pairs) -> BTreeSet<(String, String, String)> {
        let mut rights = BTreeSet::new();
        for (who, group) in members {
            for (_, place) in self.bindings.iter().filter(|(of, _)| of == group) {
                let (account, role) = place.split_once('/').expect("written above");
                let may = &self.meanings[&(account.to_owned(), role.to_owned())];
                rights.extend(may.iter().map(|may| (who.clone(), account.to_owned(), may.clone())));
            }
        }
        rights
    }

    pub fn who_can(&self, account: &str, what: &str) -> BTreeSet<String> {
        let rights = self.rights(&self.members).into_iter();
        rights.filter(|(_, at, may)| at == account && may == what).map(|(who, ..)| who).collect()
    }
}

fn subject(tags: &Tags) -> Option<&String> {
    tags.get(SUBJECT)
}

/// What somebody lost, each thing by the nearest cause: as a user, as a member, or else.
#[derive(Debug, Default)]
pub struct Lost {
    pub users: BTreeSet<String>,
    pub members: Pairs,
    groups: u64,
    roles: u64,
    bindings: u64,
    /// (who, account), of those who are users and members as before.
    accesses: Pairs,
}

impl Lost {
    pub fn between(before: &View, after: &View) -> Self {
        let users: BTreeSet<String> = before.enabled.difference(&after.enabled).cloned().collect();
        let members = before.members.difference(&after.members);
        let members = members.filter(|(user, _)| !users.contains(user)).cloned().collect();
        let still: Pairs = before.members.intersection(&after.members).cloned().collect();
        let rights = after.rights(&after.members);
        let accesses = before.rights(&still).difference(&rights).cloned().collect::<Vec<_>>();
        // A role that means less is a role that goes, as far as limits are concerned.
        let lessened = before.meanings.iter().filter(|(role, is)| {
            let now = after.meanings.get(*role);
            now.is_none_or(|now| !is.is_subset(now))
        });
        let gone = |before: &Pairs, after: &Pairs| before.difference(after).count() as u64;
        Self {
            users,
            members,
            groups: gone(&before.groups, &after.groups),
            roles: lessened.count() as u64,
            bindings: gone(&before.bindings, &after.bindings),
            accesses: accesses.into_iter().map(|(who, account, _)| (who, account)).collect(),
        }
    }

    /// In the order of [`View::existing`].
    pub fn counts(&self) -> [(&'static str, u64); 6] {
        [
            ("users", self.users.len() as u64),
            ("memberships", self.members.len() as u64),
            ("groups", self.groups),
            ("roles", self.roles),
            ("bindings", self.bindings),
            ("accesses", self.accesses.len() as u64),
        ]
    }
}
