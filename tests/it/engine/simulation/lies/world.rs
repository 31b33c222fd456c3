//! What is true and what is written: small organisations, what happens to them, and what somebody
//! writes without care.

use std::collections::BTreeSet;

use fastrand::Rng;
use jiff::ToSpan as _;
use jiff::civil::Date;
use reconcile::directory::Origin;
use reconcile::inventory::Administrators;
use reconcile::model::{AccountStatus, GroupRef, Kind, Source};
use reconcile::policies::{Limit, Limits};

use super::super::super::world::{Given, Model, PersonModel};

pub const DIRECTORY: &str = "debian";
pub const GROUPS: [&str; 3] = ["admin", "dba", "web"];
const LOGINS: [&str; 10] =
    ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
/// What only who holds the privileged role can do.
pub const PRIVILEGED: &str = "administer";

/// An organisation.
#[derive(Clone, Debug)]
pub struct World {
    pub model: Model,
    pub administrators: Option<Line>,
    pub limits: Bounds,
}

/// Who administers the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub group: String,
    pub minimum: u32,
    /// Log-in name and id of those who must stay.
    pub required: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub kinds: Limit,
    pub access: Limit,
    pub directory: Limit,
}

/// What somebody writes without care.
#[derive(Clone, Debug)]
pub enum Edit {
    Narrow(String, String),
    Widen(String),
    Rename(String),
    DropGrant(usize),
    NarrowGrant(usize, String),
    MisspellGroup(usize),
    DropAccount(String),
    DropAdministrators,
    OtherAdministrators,
    DropPrivilege,
}

impl World {
    pub fn random(rng: &mut Rng) -> Self {
        let mut model = Model::empty();
        model.grace_days = 3;
        model.key_needed = rng.u8(..4) > 0;
        model.account("spi", "hub", "100000000001", "hub");
        for number in 0..rng.u8(1..3) {
            model.account("spi", &format!("spi-{number}"), &format!("10000000001{number}"), "hub");
        }
        model.directory(DIRECTORY, &GROUPS);
        model.role("owner", &[PRIVILEGED, "read"], true);
        model.role("operator", &["read", "write"], false);
        model.role("reader", &["read"], false);
        let everywhere: Vec<String> = model.accounts.keys().cloned().collect();
        let everywhere: Vec<&str> = everywhere.iter().map(String::as_str).collect();
        model.grant("debian:admin", "owner", &everywhere);
        for (group, role) in [("web", "operator"), ("dba", "reader"), ("admin", "reader")] {
            let some: Vec<&str> = everywhere.iter().copied().filter(|_| rng.bool()).collect();
            if !some.is_empty() {
                model.grant(&format!("debian:{group}"), role, &some);
            }
        }
        for login in LOGINS.into_iter().take(rng.usize(3..8)) {
            let id = model.person(DIRECTORY, login, &[]);
            let groups = some_groups(rng);
            let status = random_status(rng, model.today);
            let person = model.who(DIRECTORY, &id);
            person.groups = groups;
            person.status = status;
            person.locked = rng.u8(..10) == 0;
            person.has_key = Some(rng.u8(..8) > 0);
        }
        let mut world = Self { model, administrators: None, limits: Bounds::random(rng) };
        world.name_administrators(rng);
        world
    }

    fn name_administrators(&mut self, rng: &mut Rng) {
        let people = &self.model.directories[DIRECTORY].people;
        let admins: Vec<(String, String)> = people
            .iter()
            .filter(|(_, person)| person.groups.contains("admin"))
            .map(|(id, person)| (person.login.clone(), id.clone()))
            .collect();
        let required = if rng.bool() { admins.into_iter().take(1).collect() } else { Vec::new() };
        if rng.u8(..4) > 0 {
            let line = Line { group: "admin".into(), minimum: rng.u32(1..3), required };
            self.administrators = Some(line);
        }
    }

    /// The engine's inputs.
    pub fn given(&self) -> Given {
        let mut given = self.model.given();
        let Bounds { kinds, access, directory } = self.limits;
        given.policies.limits = Limits {
            kinds: Kind::PEOPLE.into_iter().map(|kind| (kind, kinds)).collect(),
            access,
            directory,
        };
        for config in given.inventory.directories.values_mut() {
            config.origin = Origin::Ldif(format!("{}.ldif", config.name).into());
        }
        let administrators = self.administrators.as_ref().map(|line| Administrators {
            group: GroupRef { directory: DIRECTORY.into(), group: line.group.as_str().into() },
            minimum: line.minimum,
            required: line.required.iter().map(|(login, _)| login.as_str().into()).collect(),
            source: Source::new("inventory/organisations.yaml", 1, 1),
        });
        for entry in given.inventory.accounts.values_mut() {
            entry.administrators.clone_from(&administrators);
        }
        given
    }

    /// Something truly happens.
    pub fn happen(&mut self, rng: &mut Rng) {
        let today = self.model.today;
        let people = &mut self.model.of(DIRECTORY).people;
        let Some(id) = rng.choice(people.keys()).cloned() else { return };
        let person = people.get_mut(&id).expect("just chosen");
        match rng.u8(..12) {
            0 | 1 => {
                if let Some(login) = self.free_login() {
                    let id = self.model.person(DIRECTORY, login, &[]);
                    self.model.who(DIRECTORY, &id).groups = some_groups(rng);
                }
            }
            2 | 3 => person.groups = some_groups(rng),
            4..=6 => person.status = random_status(rng, today),
            7 => person.locked = !person.locked,
            8 => person.expires = rng.bool().then(|| today.saturating_add(1.days())),
            9 => person.has_key = Some(rng.bool()),
            10 => {
                people.remove(&id);
            }
            _ => {
                if let Some(login) = self.free_login() {
                    login.clone_into(&mut self.model.who(DIRECTORY, &id).login);
                }
            }
        }
    }

    fn free_login(&self) -> Option<&'static str> {
        let people = &self.model.directories[DIRECTORY].people;
        LOGINS.into_iter().find(|login| people.values().all(|person| person.login != *login))
    }

    /// So that nothing stands in the way: enough administrators, among them those who must stay.
    /// And somebody is left: a directory with nobody in it is never complete.
    pub fn put_right(&mut self) {
        if self.model.directories[DIRECTORY].people.is_empty() {
            // A directory of nobody is not believed to be all there is.
            self.model.person(DIRECTORY, "nora", &[]);
        }
        let Some(line) = &self.administrators else { return };
        let line = line.clone();
        for (login, id) in line.required {
            let people = &mut self.model.of(DIRECTORY).people;
            people.retain(|other, person| *other == id || person.login != login);
            people.insert(id, administrator(&login));
        }
        for number in 0..=line.minimum {
            let login = format!("new{number}");
            if self.model.directories[DIRECTORY].people.values().all(|one| one.login != login) {
                self.model.person(DIRECTORY, &login, &["admin"]);
            }
        }
    }

    /// Something is written without care, unless it cannot be here.
    pub fn careless(&self, rng: &mut Rng) -> Option<Edit> {
        let some_role = |rng: &mut Rng| ["owner", "operator", "reader"][rng.usize(..3)].to_owned();
        let grant = |rng: &mut Rng| rng.usize(..self.model.grants.len());
        Some(match rng.u8(..12) {
            0 | 1 => {
                let role = some_role(rng);
                let permissions = &self.model.roles[&role].permissions;
                let lost = rng.choice(permissions.iter())?.clone();
                Edit::Narrow(role, lost)
            }
            2 => Edit::Widen(some_role(rng)),
            3 => Edit::Rename(some_role(rng)),
            4 | 5 => Edit::DropGrant(grant(rng)),
            6 => {
                let grant = grant(rng);
                let accounts = &self.model.grants[grant].accounts;
                Edit::NarrowGrant(grant, rng.choice(accounts.iter())?.clone())
            }
            7 => Edit::MisspellGroup(grant(rng)),
            8 => {
                let accounts = self.model.accounts.keys().filter(|name| *name != "hub");
                Edit::DropAccount(rng.choice(accounts.collect::<Vec<_>>())?.clone())
            }
            9 => Edit::DropAdministrators,
            10 => Edit::OtherAdministrators,
            _ => Edit::DropPrivilege,
        })
    }

    /// What is written after somebody was careless.
    pub fn edited(&self, edits: &[Edit]) -> Self {
        let mut world = self.clone();
        for edit in edits {
            world.edit(edit);
        }
        world.model.grants.retain(|grant| !grant.accounts.is_empty());
        world
    }

    fn edit(&mut self, edit: &Edit) {
        let model = &mut self.model;
        match edit {
            Edit::Narrow(role, lost) => {
                if let Some(role) = model.roles.get_mut(role) {
                    role.permissions.remove(lost);
                }
            }
            Edit::Widen(role) => {
                if let Some(role) = model.roles.get_mut(role) {
                    role.permissions.insert("everything".into());
                }
            }
            Edit::Rename(old) => {
                let Some(role) = model.roles.remove(old) else { return };
                let new = format!("{old}-renamed");
                for grant in model.grants.iter_mut().filter(|grant| grant.role == *old) {
                    grant.role.clone_from(&new);
                }
                model.roles.insert(new, role);
            }
            Edit::DropGrant(at) => model.grants[*at].accounts.clear(),
            Edit::NarrowGrant(at, account) => {
                model.grants[*at].accounts.remove(account);
            }
            Edit::MisspellGroup(at) => model.grants[*at].group.insert(1, 'x'),
            Edit::DropAccount(name) => {
                model.accounts.remove(name);
                for grant in &mut model.grants {
                    grant.accounts.remove(name);
                }
            }
            Edit::DropAdministrators => self.administrators = None,
            Edit::OtherAdministrators => {
                if let Some(line) = &mut self.administrators {
                    "web".clone_into(&mut line.group);
                }
            }
            Edit::DropPrivilege => {
                model.roles.values_mut().for_each(|role| role.privileged = false);
            }
        }
    }
}

impl Bounds {
    fn random(rng: &mut Rng) -> Self {
        let mut limit = |floors: std::ops::Range<u32>| Limit {
            count: rng.u32(1..4),
            percent: [25, 50, 100][rng.usize(..3)],
            floor: rng.u32(floors),
        };
        let directory = Limit { percent: 30, ..limit(0..2) };
        Self { kinds: limit(0..4), access: limit(0..4), directory }
    }
}

fn random_status(rng: &mut Rng, today: Date) -> AccountStatus {
    match rng.u8(..10) {
        0 | 1 => AccountStatus::Gone("inactive".into()),
        2 => AccountStatus::Retiring(today.saturating_sub(i64::from(rng.u8(150..190)).days())),
        3 => AccountStatus::Unknown("sabbatical".into()),
        _ => AccountStatus::Active,
    }
}

pub fn some_groups(rng: &mut Rng) -> BTreeSet<String> {
    GROUPS.into_iter().filter(|_| rng.bool()).map(str::to_owned).collect()
}

fn administrator(login: &str) -> PersonModel {
    let mut model = Model::simple();
    let id = model.person(DIRECTORY, login, &["admin"]);
    model.who(DIRECTORY, &id).clone()
}
