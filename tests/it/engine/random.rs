//! Random organisations and what happens to them.

use std::collections::BTreeSet;

use fastrand::Rng;
use jiff::ToSpan;
use reconcile::inventory::ServiceIdentity;
use reconcile::model::{AccountStatus, PersonKind};

use super::world::{Model, PersonModel, ServiceModel};

const LOGINS: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "Frank", "ALICE", "grace"];
const GROUPS: [&str; 3] = ["admin", "dba", "web"];
const ROLES: [&str; 3] = ["operator", "owner", "reader"];
const PERMISSIONS: [&str; 4] = ["read", "write", "delete", "bill"];

impl Model {
    /// An organisation, two at most, with few people.
    pub fn random(rng: &mut Rng) -> Self {
        let mut model = Self::empty();
        model.grace_days = *rng.choice([1, 2, 30].iter()).unwrap_or(&30);
        model.key_needed = rng.u8(..4) > 0;
        model.account("spi", "spi-hub", "100000000001", "spi-hub");
        for number in 0..rng.u8(..3) {
            let hub = if rng.u8(..5) == 0 { "spi-two" } else { "spi-hub" };
            let name = if hub == "spi-two" { "spi-two".into() } else { format!("spi-{number}") };
            model.account("spi", &name, &format!("10000000001{number}"), hub);
        }
        if rng.u8(..3) == 0 {
            // Sometimes in the very account another organisation has its hub in.
            let id = if rng.bool() { "100000000001" } else { "200000000001" };
            model.account("ffd", "ffd-hub", id, "ffd-hub");
        }
        for name in if rng.u8(..3) == 0 { &["arch", "debian"][..] } else { &["debian"] } {
            model.directory(name, &[]);
            let directory = model.of(name);
            directory.groups =
                GROUPS.into_iter().filter(|_| rng.u8(..4) > 0).map(str::to_owned).collect();
            if *name == "arch" && rng.u8(..4) > 0 {
                "arch-".clone_into(&mut directory.prefix);
            }
            for _ in 0..rng.u8(..5) {
                model.somebody_new(rng, name);
            }
        }
        for role in ROLES {
            model.role(role, &[], role == "owner");
            model.redefine(rng, role);
        }
        for _ in 0..=rng.u8(..4) {
            model.random_grant(rng);
        }
        if rng.u8(..4) == 0 {
            model.random_service(rng);
        }
        model
    }

    /// A few things happen.
    pub fn evolve(&mut self, rng: &mut Rng) {
        for _ in 0..=rng.u8(..3) {
            self.happen(rng);
        }
    }

    fn happen(&mut self, rng: &mut Rng) {
        let directory = self.random_directory(rng);
        match rng.u8(..24) {
            0 | 1 => self.somebody_new(rng, &directory),
            2..=4 => self.regroup(rng, &directory),
            5..=8 => {
                let status = match rng.u8(..6) {
                    0 | 1 => AccountStatus::Gone("inactive".into()),
                    2 => AccountStatus::Gone("memorial".into()),
                    3 => {
                        let days = i64::from(rng.u8(150..220));
                        AccountStatus::Retiring(self.today.saturating_sub(days.days()))
                    }
                    4 => AccountStatus::Unknown("sabbatical".to_owned()),
                    _ => AccountStatus::Active,
                };
                self.change_person(rng, &directory, |_, person| person.status = status);
            }
            9 => self.change_person(rng, &directory, |_, person| {
                person.status = AccountStatus::Active;
                person.locked = false;
                person.expires = None;
            }),
            10 => self.remove_person(rng, &directory),
            11 => {
                let login = self.free_login(rng, &directory);
                self.change_person(rng, &directory, |_, person| person.login = login);
            }
            12 | 13 => self.pass_names_round(rng, &directory),
            14 => self.name_of_the_departed(rng, &directory),
            15 => self.change_person(rng, &directory, |rng, person| {
                person.has_key =
                    *rng.choice([None, Some(true), Some(false)].iter()).unwrap_or(&None);
                person.name = rng.bool().then(|| format!("Name {}", rng.u8(..9)));
                person.email = rng.bool().then(|| format!("{}@example.net", rng.u8(..9)));
            }),
            16 => {
                let expires = self.today.saturating_add(i64::from(rng.u8(..4)).days());
                self.change_person(rng, &directory, |rng, person| {
                    person.locked = rng.bool();
                    person.expires = rng.bool().then_some(expires);
                });
            }
            17 | 18 => self.random_grant(rng),
            19 => {
                if !self.grants.is_empty() {
                    self.grants.remove(rng.usize(..self.grants.len()));
                }
            }
            20 => {
                let until = self.today.saturating_add((i64::from(rng.u8(..4)) - 1).days());
                if let Some(at) = rng.choice(0..self.grants.len()) {
                    self.grants[at].until = Some(until);
                }
            }
            21 => {
                let role = ROLES[rng.usize(..ROLES.len())];
                self.redefine(rng, role);
            }
            22 => {
                // A group comes to be, or goes.
                let group = GROUPS[rng.usize(..GROUPS.len())].to_owned();
                let groups = &mut self.of(&directory).groups;
                if !groups.remove(&group) {
                    groups.insert(group);
                }
            }
            _ => {
                if rng.bool() {
                    self.services.clear();
                } else {
                    self.random_service(rng);
                }
            }
        }
        self.days_pass(i64::from(*rng.choice([0, 0, 1, 3, 31].iter()).unwrap_or(&0)));
    }

    fn random_directory(&self, rng: &mut Rng) -> String {
        rng.choice(self.directories.keys()).expect("a directory").clone()
    }

    fn somebody_new(&mut self, rng: &mut Rng, directory: &str) {
        let login = self.free_login(rng, directory);
        let id = self.person(directory, &login, &[]);
        let kinds = [PersonKind::Person, PersonKind::Person, PersonKind::Guest];
        let person = self.who(directory, &id);
        person.kind = *rng.choice(kinds.iter()).unwrap_or(&PersonKind::Person);
        if rng.u8(..8) == 0 {
            person.kind = PersonKind::RoleAccount;
        }
        person.has_key = *rng.choice([None, Some(true), Some(false)].iter()).unwrap_or(&None);
        person.groups = some_groups(rng);
    }

    fn free_login(&self, rng: &mut Rng, directory: &str) -> String {
        let people = &self.directories[directory].people;
        let taken: BTreeSet<&str> = people.values().map(|one| one.login.as_str()).collect();
        let free = LOGINS.into_iter().filter(|login| !taken.contains(login));
        let free: Vec<&str> = free.collect();
        match rng.choice(&free) {
            Some(login) => (*login).to_owned(),
            None => format!("user{}", self.next_id),
        }
    }

    fn regroup(&mut self, rng: &mut Rng, directory: &str) {
        self.change_person(rng, directory, |rng, person| person.groups = some_groups(rng));
    }

    fn change_person(
        &mut self,
        rng: &mut Rng,
        directory: &str,
        change: impl FnOnce(&mut Rng, &mut PersonModel),
    ) {
        if let Some(person) = rng.choice(self.of(directory).people.values_mut()) {
            change(rng, person);
        }
    }

    fn remove_person(&mut self, rng: &mut Rng, directory: &str) {
        let people = &mut self.of(directory).people;
        if let Some(id) = rng.choice(people.keys()).cloned() {
            people.remove(&id);
        }
    }

    /// Everybody, or some, get the name of the next: a circle or a chain.
    fn pass_names_round(&mut self, rng: &mut Rng, directory: &str) {
        let open = rng.bool().then(|| self.free_login(rng, directory));
        let many = rng.usize(2..5);
        let mut people: Vec<&mut PersonModel> =
            self.of(directory).people.values_mut().take(many).collect();
        let mut logins: Vec<String> = people.iter().map(|one| one.login.clone()).collect();
        if logins.is_empty() {
            return;
        }
        logins.rotate_left(1);
        if let (Some(open), Some(last)) = (open, logins.last_mut()) {
            *last = open;
        }
        for (person, login) in people.iter_mut().zip(logins) {
            person.login = login;
        }
    }

    /// Somebody left, is forgotten by the directory, and somebody new has their name.
    fn name_of_the_departed(&mut self, rng: &mut Rng, directory: &str) {
        let people = &mut self.of(directory).people;
        let Some(id) = rng.choice(people.keys()).cloned() else { return };
        let Some(gone) = people.remove(&id) else { return };
        let new = self.person(directory, &gone.login, &[]);
        self.who(directory, &new).groups = gone.groups;
    }

    fn random_grant(&mut self, rng: &mut Rng) {
        let directory = self.random_directory(rng);
        let group = GROUPS[rng.usize(..GROUPS.len())];
        let role = ROLES[rng.usize(..ROLES.len())];
        let accounts: Vec<String> = self.accounts.keys().filter(|_| rng.bool()).cloned().collect();
        let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
        if !accounts.is_empty() {
            self.grant(&format!("{directory}:{group}"), role, &accounts);
        }
    }

    fn random_service(&mut self, rng: &mut Rng) {
        let name = *rng.choice(["ci", "alice", "admin"].iter()).unwrap_or(&"ci");
        let accounts: BTreeSet<String> = self.accounts.keys().take(1).cloned().collect();
        let role = ROLES[rng.usize(..ROLES.len())].to_owned();
        self.services.insert(
            name.to_owned(),
            ServiceModel { role, accounts, until: None, identity: ServiceIdentity::User },
        );
    }

    fn redefine(&mut self, rng: &mut Rng, role: &str) {
        let role = self.roles.get_mut(role).expect("a role of the model");
        role.permissions =
            PERMISSIONS.into_iter().filter(|_| rng.bool()).map(str::to_owned).collect();
        role.hours = rng.bool().then(|| rng.i64(1..12));
    }
}

fn some_groups(rng: &mut Rng) -> BTreeSet<String> {
    GROUPS.into_iter().filter(|_| rng.bool()).map(str::to_owned).collect()
}
