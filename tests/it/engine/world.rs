//! Small invented organisations: what people wrote and what directories say, as one value that is
//! easy to change, with the engine's inputs made from it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::{Date, date};
use reconcile::directory::{Bounds, DirectoryConfig, Origin, SchemaConfig, SchemaKind};
use reconcile::inventory::{
    AccountEntry, Grant, Inventory, Organisation, ServiceAccount, ServiceIdentity,
};
use reconcile::model::{
    Account, AccountName, AccountStatus, AttributeValue, Directory, DirectoryGroup, DirectoryName,
    GroupIndex, GroupRef, Joined, Kind, Person, PersonKind, Place, Private, Reading, Source, Via,
};
use reconcile::policies::{Limit, Limits, Policies, Role};

/// Everything that is written down somewhere.
#[derive(Clone, Debug)]
pub struct Model {
    pub today: Date,
    pub grace_days: u32,
    pub key_needed: bool,
    pub accounts: BTreeMap<String, AccountModel>,
    pub directories: BTreeMap<String, DirectoryModel>,
    pub roles: BTreeMap<String, RoleModel>,
    pub grants: Vec<GrantModel>,
    pub services: BTreeMap<String, ServiceModel>,
    /// The next stable id.
    pub next_id: u32,
}

#[derive(Clone, Debug)]
pub struct AccountModel {
    pub organisation: String,
    pub id: String,
    pub hub: String,
}

#[derive(Clone, Debug, Default)]
pub struct DirectoryModel {
    pub prefix: String,
    pub groups: BTreeSet<String>,
    /// By stable id.
    pub people: BTreeMap<String, PersonModel>,
}

#[derive(Clone, Debug)]
pub struct PersonModel {
    pub login: String,
    pub kind: PersonKind,
    pub status: AccountStatus,
    pub expires: Option<Date>,
    pub locked: bool,
    pub has_key: Option<bool>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub groups: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub struct RoleModel {
    pub description: String,
    pub permissions: BTreeSet<String>,
    pub hours: Option<i64>,
    pub privileged: bool,
}

#[derive(Clone, Debug)]
pub struct GrantModel {
    pub directory: String,
    pub group: String,
    pub role: String,
    pub accounts: BTreeSet<String>,
    pub until: Option<Date>,
}

#[derive(Clone, Debug)]
pub struct ServiceModel {
    pub role: String,
    pub accounts: BTreeSet<String>,
    pub until: Option<Date>,
    pub identity: ServiceIdentity,
}

/// The engine's inputs.
#[derive(Clone)]
pub struct Given {
    pub inventory: Inventory,
    pub policies: Policies,
    pub directories: BTreeMap<DirectoryName, Reading<Directory>>,
    pub today: Date,
}

impl Model {
    /// No organisation, no directory, nobody.
    pub fn empty() -> Self {
        Self {
            today: date(2026, 11, 1),
            grace_days: 30,
            key_needed: true,
            accounts: BTreeMap::new(),
            directories: BTreeMap::new(),
            roles: BTreeMap::new(),
            grants: Vec::new(),
            services: BTreeMap::new(),
            next_id: 1000,
        }
    }

    /// One organisation with one account, one directory with one group, which is granted one
    /// role; and nobody in it.
    pub fn simple() -> Self {
        let mut model = Self::empty();
        model.account("spi", "hub", "100000000001", "hub");
        model.directory("debian", &["admin"]);
        model.role("operator", &["read"], false);
        model.grant("debian:admin", "operator", &["hub"]);
        model
    }

    pub fn account(&mut self, organisation: &str, name: &str, id: &str, hub: &str) {
        let account = AccountModel {
            organisation: organisation.to_owned(),
            id: id.to_owned(),
            hub: hub.to_owned(),
        };
        self.accounts.insert(name.to_owned(), account);
    }

    pub fn directory(&mut self, name: &str, groups: &[&str]) {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        self.directories.insert(name.to_owned(), DirectoryModel { groups, ..Default::default() });
    }

    pub fn role(&mut self, name: &str, permissions: &[&str], privileged: bool) {
        let role = RoleModel {
            description: format!("what {name} means"),
            permissions: permissions.iter().map(|one| (*one).to_owned()).collect(),
            hours: None,
            privileged,
        };
        self.roles.insert(name.to_owned(), role);
    }

    pub fn grant(&mut self, group: &str, role: &str, accounts: &[&str]) {
        let (directory, group) = group.split_once(':').expect("DIRECTORY:GROUP");
        self.grants.push(GrantModel {
            directory: directory.to_owned(),
            group: group.to_owned(),
            role: role.to_owned(),
            accounts: accounts.iter().map(|one| (*one).to_owned()).collect(),
            until: None,
        });
    }

    /// Somebody new; their stable id.
    pub fn person(&mut self, directory: &str, login: &str, groups: &[&str]) -> String {
        let id = self.next_id.to_string();
        self.next_id += 1;
        let person = PersonModel {
            login: login.to_owned(),
            kind: PersonKind::Person,
            status: AccountStatus::Active,
            expires: None,
            locked: false,
            has_key: Some(true),
            name: Some(format!("Name of {login}")),
            email: Some(format!("{login}@example.org")),
            groups: groups.iter().map(|one| (*one).to_owned()).collect(),
        };
        self.of(directory).people.insert(id.clone(), person);
        id
    }

    pub fn of(&mut self, directory: &str) -> &mut DirectoryModel {
        self.directories.get_mut(directory).expect("a directory of the model")
    }

    pub fn who(&mut self, directory: &str, id: &str) -> &mut PersonModel {
        self.of(directory).people.get_mut(id).expect("a person of the model")
    }

    pub fn days_pass(&mut self, days: i64) {
        self.today = self.today.checked_add(days.days()).expect("a day of the calendar");
    }

    /// The engine's inputs, every directory completely read.
    pub fn given(&self) -> Given {
        let mut inventory = Inventory::default();
        let policies = self.policies();
        for (number, (name, account)) in (1..).zip(&self.accounts) {
            let source = Source::new("inventory/accounts.yaml", number, 1);
            let organisation = account.organisation.as_str();
            inventory.organisations.entry(organisation.into()).or_insert_with(|| Organisation {
                name: organisation.into(),
                administrators: None,
                source: source.clone(),
            });
            inventory.accounts.insert(name.as_str().into(), entry(name, account, source));
        }
        let mut directories = BTreeMap::new();
        for (name, directory) in &self.directories {
            let config = directory_config(name, directory);
            inventory.directories.insert(config.name.clone(), config);
            directories.insert(name.as_str().into(), Reading::Complete(directory.read(name)));
        }
        for (number, grant) in (1..).zip(&self.grants) {
            inventory.grants.push(Grant {
                group: group_ref(&grant.directory, &grant.group),
                role: grant.role.as_str().into(),
                accounts: names(&grant.accounts),
                reason: "because".to_owned(),
                until: grant.until,
                source: Source::new("inventory/grants.yaml", number, 1),
            });
        }
        for (number, (name, service)) in (1..).zip(&self.services) {
            let service = ServiceAccount {
                name: name.as_str().into(),
                project: None,
                owners: group_ref("debian", "admin"),
                role: service.role.as_str().into(),
                accounts: names(&service.accounts),
                reason: "because".to_owned(),
                until: service.until,
                identity: service.identity.clone(),
                source: Source::new("inventory/services.yaml", number, 1),
            };
            inventory.service_accounts.insert(service.name.clone(), service);
        }
        Given { inventory, policies, directories, today: self.today }
    }

    fn policies(&self) -> Policies {
        let generous = Limit { count: u32::MAX, percent: 100, floor: 1_000_000 };
        let kinds = Kind::PEOPLE.into_iter().map(|kind| (kind, generous)).collect();
        let roles = (1..).zip(&self.roles).map(|(number, (name, role))| {
            let means = role.means();
            let role = Role {
                name: name.as_str().into(),
                description: role.description.clone(),
                privileged: role.privileged,
                means: BTreeMap::from([("memory".into(), means)]),
                source: Source::new("policies/roles.yaml", number, 1),
            };
            (role.name.clone(), role)
        });
        Policies {
            roles: roles.collect(),
            limits: Limits { kinds, access: generous, directory: generous },
            grace_days: self.grace_days,
            privileged_needs_key: self.key_needed,
            ..Policies::default()
        }
    }
}

impl RoleModel {
    fn means(&self) -> BTreeMap<reconcile::model::AttributeName, AttributeValue> {
        let mut means =
            BTreeMap::from([("permissions".into(), AttributeValue::Set(self.permissions.clone()))]);
        if let Some(hours) = self.hours {
            means.insert("session_hours".into(), AttributeValue::Number(hours));
        }
        means
    }
}

impl DirectoryModel {
    /// What reading it completely gives.
    pub fn read(&self, name: &str) -> Directory {
        let groups: Vec<DirectoryGroup> =
            self.groups.iter().map(|name| DirectoryGroup::named(name.as_str())).collect();
        let index = |name: &String| {
            let at = self.groups.iter().position(|group| group == name)?;
            let group = GroupIndex(u32::try_from(at).expect("few groups"));
            Some(Joined { group, via: Via::Direct })
        };
        let people = self.people.iter().map(|(id, person)| Person {
            stable_id: id.as_str().into(),
            login: person.login.as_str().into(),
            kind: person.kind,
            status: person.status.clone(),
            expires: person.expires,
            locked: person.locked.then(|| "password is locked".to_owned()),
            has_key: person.has_key,
            display_name: person.name.clone().map(Private::new),
            email: person.email.clone().map(Private::new),
            groups: person.groups.iter().filter_map(index).collect(),
            ..Person::new("", "")
        });
        Directory { people: people.collect(), groups, ..Directory::empty(name.into()) }
    }
}

fn entry(name: &str, account: &AccountModel, source: Source) -> AccountEntry {
    AccountEntry {
        account: Account {
            place: Place {
                organisation: account.organisation.as_str().into(),
                account: name.into(),
            },
            vendor: "memory".into(),
            partition: None,
            id: account.id.clone(),
            hub: account.hub.as_str().into(),
            project: None,
            settings: BTreeMap::new(),
            source,
        },
        administrators: None,
        retired: false,
        sponsor: None,
        contacts: Vec::new(),
        constraints: Vec::new(),
    }
}

fn directory_config(name: &str, directory: &DirectoryModel) -> DirectoryConfig {
    DirectoryConfig {
        name: name.into(),
        origin: Origin::Ldif("people.ldif".into()),
        schema: SchemaConfig::new(SchemaKind::Userdir, "dc=example,dc=org"),
        name_prefix: directory.prefix.clone(),
        reissued: BTreeMap::new(),
        login_map: BTreeMap::new(),
        group_map: BTreeMap::new(),
        bounds: Bounds::default(),
        source: Source::new("inventory/directories.yaml", 1, 1),
    }
}

fn group_ref(directory: &str, group: &str) -> GroupRef {
    GroupRef { directory: directory.into(), group: group.into() }
}

fn names(accounts: &BTreeSet<String>) -> Vec<AccountName> {
    accounts.iter().map(|name| name.as_str().into()).collect()
}
