//! What people do to a cloud by hand, at random.

use fastrand::Rng;
use jiff::ToSpan;
use reconcile::cloud::memory::MemoryWorld;
use reconcile::cloud::memory::service::state::{AccountState, Group, Mutation, Role, State, User};
use reconcile::model::{Mark, OrganisationName, Subject, VendorId};

use super::world::Model;

const ORGANISATION: &str = "reconcile:organisation";
const SUBJECT: &str = "reconcile:subject";
const SUSPENDED: &str = "reconcile:suspended";

/// A few things are done by hand.
pub fn meddle(rng: &mut Rng, world: &MemoryWorld, model: &Model) {
    for _ in 0..rng.u8(..5) {
        let state = world.dump().expect("a state in memory");
        let ids: Vec<&String> = model.accounts.values().map(|account| &account.id).collect();
        let Some(id) = rng.choice(ids) else { return };
        let account = state.account(id).clone();
        Hand { rng, world, model, id, account }.does_something(&state);
    }
}

struct Hand<'a> {
    rng: &'a mut Rng,
    world: &'a MemoryWorld,
    model: &'a Model,
    id: &'a str,
    account: AccountState,
}

impl Hand<'_> {
    fn does_something(&mut self, state: &State) {
        match self.rng.u8(..20) {
            0 => self.edit_user(|rng, user| {
                user.display_name = rng.bool().then(|| "Somebody Else".to_owned());
                user.email = None;
            }),
            1 => self.rename_user(),
            2 => self.edit_user(|_, user| {
                user.enabled = false;
                user.tags.remove(SUSPENDED);
            }),
            3 => self.edit_user(|_, user| user.enabled = true),
            4 | 5 => {
                let days = i64::from(self.rng.u8(..40));
                let since = self.model.today.saturating_sub(days.days());
                self.edit_user(|_, user| {
                    user.enabled = false;
                    user.tags.insert(SUSPENDED.to_owned(), since.to_string());
                });
            }
            6 => self.edit_role(|rng, role| {
                role.permissions.insert("everything".to_owned());
                role.session_hours = rng.bool().then_some(99);
            }),
            7 => self.edit_role(|_, role| "changed".clone_into(&mut role.description)),
            8 => self.rename_group_or_role(),
            9 | 10 => self.add_membership(),
            11 => self.remove_membership(),
            12 => self.add_binding(state),
            13 => self.remove_binding(),
            14 => {
                if let Some(user) = self.some_user() {
                    let user = VendorId::new(user.id.as_str());
                    self.world.add_credential(self.id, &user, "access-key").expect("memory");
                }
            }
            15 | 16 => self.look_alike(),
            17 => self.copy_mark(),
            18 => self.delete_user(),
            _ => self.edit_user(|_, user| {
                user.tags.insert("colour".to_owned(), "blue".to_owned());
            }),
        }
    }

    fn mutate(&self, mutation: Mutation) {
        self.world.mutate(|_| mutation).expect("memory");
    }

    fn some_user(&mut self) -> Option<User> {
        self.rng.choice(self.account.users.after(None).collect::<Vec<_>>()).cloned()
    }

    fn some_group(&mut self) -> Option<Group> {
        self.rng.choice(self.account.groups.after(None).collect::<Vec<_>>()).cloned()
    }

    fn some_role(&mut self) -> Option<Role> {
        self.rng.choice(self.account.roles.after(None).collect::<Vec<_>>()).cloned()
    }

    fn edit_user(&mut self, change: impl FnOnce(&mut Rng, &mut User)) {
        let Some(user) = self.some_user() else { return };
        let rng = &mut *self.rng;
        let id = VendorId::new(user.id.as_str());
        self.world.edit_user(self.id, &id, |user| change(rng, user)).expect("memory");
    }

    fn edit_role(&mut self, change: impl FnOnce(&mut Rng, &mut Role)) {
        let Some(role) = self.some_role() else { return };
        let rng = &mut *self.rng;
        let id = VendorId::new(role.id.as_str());
        self.world.edit_role(self.id, &id, |role| change(rng, role)).expect("memory");
    }

    fn rename_user(&mut self) {
        let name = self.some_name();
        if self.account.users.named(&name).is_none() {
            self.edit_user(|_, user| user.name = name);
        }
    }

    fn rename_group_or_role(&mut self) {
        let name = self.some_name();
        if self.rng.bool() {
            if self.account.roles.named(&name).is_none() {
                self.edit_role(|_, role| role.name = name);
            }
        } else if let Some(group) = self.some_group()
            && self.account.groups.named(&name).is_none()
        {
            let id = VendorId::new(group.id.as_str());
            self.world.edit_group(self.id, &id, |group| group.name = name).expect("memory");
        }
    }

    /// A name somebody may want.
    fn some_name(&mut self) -> String {
        let names = [
            "alice",
            "bob",
            "carol",
            "frank",
            "admin",
            "web",
            "dba",
            "owner",
            "reader",
            "other",
            "reconcile-moving-0",
        ];
        (*self.rng.choice(names.iter()).unwrap_or(&"other")).to_owned()
    }

    fn add_membership(&mut self) {
        let (Some(user), Some(group)) = (self.some_user(), self.some_group()) else { return };
        let account = self.id.to_owned();
        self.mutate(Mutation::AddMember { account, user: user.id, group: group.id });
    }

    fn remove_membership(&mut self) {
        if let Some((user, group)) = self.rng.choice(self.account.memberships.iter()).cloned() {
            self.mutate(Mutation::RemoveMember { account: self.id.to_owned(), user, group });
        }
    }

    fn add_binding(&mut self, state: &State) {
        let Some(role) = self.some_role() else { return };
        let groups: Vec<&Group> =
            state.accounts.values().flat_map(|account| account.groups.after(None)).collect();
        let Some(group) = self.rng.choice(groups) else { return };
        let (account, group) = (self.id.to_owned(), group.id.clone());
        self.mutate(Mutation::AddBinding { account, group, role: role.id });
    }

    fn remove_binding(&mut self) {
        if let Some((group, role)) = self.rng.choice(self.account.bindings.iter()).cloned() {
            self.mutate(Mutation::RemoveBinding { account: self.id.to_owned(), group, role });
        }
    }

    /// Something that looks like ours and is not; sometimes with another organisation's mark.
    fn look_alike(&mut self) {
        let name = self.some_name();
        let mark = self.rng.bool().then(|| Mark {
            organisation: OrganisationName::new("somebody-else"),
            subject: "person:debian:1000".parse::<Subject>().expect("a subject"),
        });
        let (world, id) = (self.world, self.id);
        match self.rng.u8(..3) {
            0 if self.account.users.named(&name).is_none() => {
                world.add_user(id, &name, mark.as_ref()).expect("memory");
            }
            1 if self.account.groups.named(&name).is_none() => {
                world.add_group(id, &name, mark.as_ref()).expect("memory");
            }
            2 if self.account.roles.named(&name).is_none() => {
                world.add_role(id, &name, mark.as_ref()).expect("memory");
            }
            _ => {}
        }
    }

    /// Somebody copies an object with its labels.
    fn copy_mark(&mut self) {
        let name = format!("copy-{}", self.rng.u8(..20));
        let mark = |tags: &std::collections::BTreeMap<String, String>| {
            let organisation = tags.get(ORGANISATION)?.as_str().into();
            Some(Mark { organisation, subject: tags.get(SUBJECT)?.parse().ok()? })
        };
        let (world, id) = (self.world, self.id);
        match self.rng.u8(..3) {
            0 => {
                if let Some(mark) = self.some_user().and_then(|user| mark(&user.tags))
                    && self.account.users.named(&name).is_none()
                {
                    world.add_user(id, &name, Some(&mark)).expect("memory");
                }
            }
            1 => {
                if let Some(mark) = self.some_group().and_then(|group| mark(&group.tags))
                    && self.account.groups.named(&name).is_none()
                {
                    world.add_group(id, &name, Some(&mark)).expect("memory");
                }
            }
            _ => {
                if let Some(mark) = self.some_role().and_then(|role| mark(&role.tags))
                    && self.account.roles.named(&name).is_none()
                {
                    world.add_role(id, &name, Some(&mark)).expect("memory");
                }
            }
        }
    }

    fn delete_user(&mut self) {
        let Some(user) = self.some_user() else { return };
        let account = || self.id.to_owned();
        for group in self.account.groups_of(&user.id) {
            let (user, group) = (user.id.clone(), group.to_owned());
            self.mutate(Mutation::RemoveMember { account: account(), user, group });
        }
        for (credential, _) in self.account.credentials_of(&user.id) {
            let (user, id) = (user.id.clone(), credential.to_owned());
            self.mutate(Mutation::RemoveCredential { account: account(), user, id });
        }
        self.mutate(Mutation::RemoveUser { account: account(), id: user.id.clone() });
    }
}
