//! What exists in the embedded cloud, and the mutations that made it.
//!
//! Architecture invariant: the state is the fold of its mutations. [`State::apply`] cannot fail
//! and reads nothing but its arguments; whether a mutation is allowed is decided before.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::life::NewLife;
use super::resource::{Resource, key};
use crate::model::ResourceKind;

/// Everything in all accounts of one world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// How many mutations made it; the source of ids and revisions, so neither is ever used twice.
    pub number: u64,
    /// By account id. An account nobody ever wrote to is not here, and is empty.
    pub accounts: BTreeMap<String, AccountState>,
}

/// Everything in one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountState {
    /// The id of the user or role that calls the service.
    pub own_principal: Option<String>,
    /// Users.
    pub users: Table<User>,
    /// Groups.
    pub groups: Table<Group>,
    /// Roles.
    pub roles: Table<Role>,
    /// Users in groups: (user, group).
    pub memberships: BTreeSet<(String, String)>,
    /// Roles attached to groups: (group, role). The group may live in another account.
    pub bindings: BTreeSet<(String, String)>,
    /// What users log in with: (user, credential id) to its kind.
    #[serde(with = "credential_list")]
    pub credentials: BTreeMap<(String, String), String>,
    /// What mirrors are made of.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub resources: Table<Resource>,
}

/// Labels on an object.
pub type Tags = BTreeMap<String, String>;

/// A user as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Made by the service.
    pub id: String,
    /// Unique in its account, whatever its case.
    pub name: String,
    /// Full name.
    pub display_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Whether it can be used.
    pub enabled: bool,
    /// Labels.
    pub tags: Tags,
    /// Changes with every write.
    pub revision: u64,
}

/// A group as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Made by the service.
    pub id: String,
    /// Unique in its account, whatever its case.
    pub name: String,
    /// Labels.
    pub tags: Tags,
    /// Changes with every write.
    pub revision: u64,
}

/// A role as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Made by the service.
    pub id: String,
    /// Unique in its account, whatever its case.
    pub name: String,
    /// For people.
    pub description: String,
    /// What its holders may do.
    pub permissions: BTreeSet<String>,
    /// Longest session.
    pub session_hours: Option<i64>,
    /// Which jobs of a forge may take it on: all conditions must hold. Empty = none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub trusts: BTreeSet<String>,
    /// Labels.
    pub tags: Tags,
    /// Changes with every write.
    pub revision: u64,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "each says what it does, its fields are those of the state")]
pub enum Mutation {
    PutUser {
        account: String,
        user: User,
    },
    RemoveUser {
        account: String,
        id: String,
    },
    PutGroup {
        account: String,
        group: Group,
    },
    RemoveGroup {
        account: String,
        id: String,
    },
    PutRole {
        account: String,
        role: Role,
    },
    RemoveRole {
        account: String,
        id: String,
    },
    AddMember {
        account: String,
        user: String,
        group: String,
    },
    RemoveMember {
        account: String,
        user: String,
        group: String,
    },
    AddBinding {
        account: String,
        group: String,
        role: String,
    },
    RemoveBinding {
        account: String,
        group: String,
        role: String,
    },
    PutCredential {
        account: String,
        user: String,
        id: String,
        kind: String,
    },
    RemoveCredential {
        account: String,
        user: String,
        id: String,
    },
    SetOwnPrincipal {
        account: String,
        id: Option<String>,
    },
    PutResource {
        account: String,
        resource: Box<Resource>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lives: Vec<NewLife>,
    },
    RemoveResource {
        account: String,
        id: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lives: Vec<NewLife>,
    },
}

impl State {
    /// The account as it is; empty if nobody ever wrote to it.
    pub fn account(&self, id: &str) -> &AccountState {
        static EMPTY: AccountState = AccountState {
            own_principal: None,
            users: Table::new(),
            groups: Table::new(),
            roles: Table::new(),
            memberships: BTreeSet::new(),
            bindings: BTreeSet::new(),
            credentials: BTreeMap::new(),
            resources: Table::new(),
        };
        self.accounts.get(id).unwrap_or(&EMPTY)
    }

    /// A group by its id, in whichever account it lives.
    pub fn group_anywhere(&self, id: &str) -> Option<&Group> {
        self.accounts.values().find_map(|account| account.groups.get(id))
    }

    /// The names of the roles a group has anywhere.
    pub fn roles_of(&self, group: &str) -> impl Iterator<Item = String> {
        self.accounts.values().flat_map(move |account| {
            starts_with(&account.bindings, group).map(|role| account.roles.name_of(role))
        })
    }

    /// The resources of all accounts, with their accounts.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Resource)> {
        let accounts = self.accounts.iter();
        accounts.flat_map(|(id, account)| {
            account.resources.after(None).map(|resource| (id.as_str(), resource))
        })
    }

    /// Carries out a mutation.
    pub fn apply(&mut self, mutation: &Mutation) {
        self.number += 1;
        match mutation {
            Mutation::PutUser { account, user } => self.of(account).users.put(user.clone()),
            Mutation::RemoveUser { account, id } => self.of(account).users.remove(id),
            Mutation::PutGroup { account, group } => self.of(account).groups.put(group.clone()),
            Mutation::RemoveGroup { account, id } => self.of(account).groups.remove(id),
            Mutation::PutRole { account, role } => self.of(account).roles.put(role.clone()),
            Mutation::RemoveRole { account, id } => self.of(account).roles.remove(id),
            Mutation::AddMember { account, user, group } => {
                self.of(account).memberships.insert((user.clone(), group.clone()));
            }
            Mutation::RemoveMember { account, user, group } => {
                self.of(account).memberships.remove(&(user.clone(), group.clone()));
            }
            Mutation::AddBinding { account, group, role } => {
                self.of(account).bindings.insert((group.clone(), role.clone()));
            }
            Mutation::RemoveBinding { account, group, role } => {
                self.of(account).bindings.remove(&(group.clone(), role.clone()));
            }
            Mutation::PutCredential { account, user, id, kind } => {
                self.of(account).credentials.insert((user.clone(), id.clone()), kind.clone());
            }
            Mutation::RemoveCredential { account, user, id } => {
                self.of(account).credentials.remove(&(user.clone(), id.clone()));
            }
            Mutation::SetOwnPrincipal { account, id } => {
                self.of(account).own_principal.clone_from(id);
            }
            Mutation::PutResource { account, resource, lives } => {
                self.of(account).resources.put(Resource::clone(resource));
                self.live(lives);
            }
            Mutation::RemoveResource { account, id, lives } => {
                self.of(account).resources.remove(id);
                self.live(lives);
            }
        }
    }

    fn live(&mut self, lives: &[NewLife]) {
        for NewLife { account, id, life } in lives {
            if let Some(certificate) = self.of(account).resources.rows.get_mut(id) {
                certificate.life = Some(life.clone());
            }
        }
    }

    fn of(&mut self, account: &str) -> &mut AccountState {
        self.accounts.entry(account.to_owned()).or_default()
    }
}

impl AccountState {
    /// The groups a user is in.
    pub fn groups_of(&self, user: &str) -> impl Iterator<Item = &str> {
        starts_with(&self.memberships, user)
    }

    /// The members of a group.
    pub fn members_of(&self, group: &str) -> impl Iterator<Item = &str> {
        let of_group = self.memberships.iter().filter(move |(_, of)| of == group);
        of_group.map(|(user, _)| user.as_str())
    }

    /// A resource by its id, if it is of that kind.
    pub fn resource(&self, kind: ResourceKind, id: &str) -> Option<&Resource> {
        self.resources.get(id).filter(|resource| resource.kind == kind)
    }

    /// The ids and kinds of a user's credentials.
    pub fn credentials_of(&self, user: &str) -> impl Iterator<Item = (&str, &str)> {
        self.credentials
            .range((Bound::Included((user.to_owned(), String::new())), Bound::Unbounded))
            .take_while(move |((of, _), _)| of == user)
            .map(|((_, id), kind)| (id.as_str(), kind.as_str()))
    }
}

/// The second halves of all pairs with that first half.
fn starts_with<'a>(
    pairs: &'a BTreeSet<(String, String)>,
    first: &str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let first = first.to_owned();
    pairs
        .range((Bound::Included((first.clone(), String::new())), Bound::Unbounded))
        .take_while(move |(of, _)| *of == first)
        .map(|(_, second)| second.as_str())
}

/// Something with an id and a name.
pub trait Row {
    /// Its id.
    fn id(&self) -> &str;
    /// Its name.
    fn name(&self) -> &str;
    /// Under what it is found by its name; unique in its account.
    fn key(&self) -> String {
        self.name().to_lowercase()
    }
}

macro_rules! rows {
    ($($row:ty),*) => {$(
        impl Row for $row {
            fn id(&self) -> &str {
                &self.id
            }
            fn name(&self) -> &str {
                &self.name
            }
        }
    )*};
}
rows!(User, Group, Role);

/// Rows by id, and their ids by [`Row::key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<T>", into = "Vec<T>", bound(serialize = "T: Row + Clone + Serialize"))]
#[serde(bound(deserialize = "T: Row + Deserialize<'de>"))]
pub struct Table<T> {
    rows: BTreeMap<String, T>,
    names: BTreeMap<String, String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Table<T> {
    const fn new() -> Self {
        Self { rows: BTreeMap::new(), names: BTreeMap::new() }
    }

    /// A row by its id.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(id)
    }

    /// A row by its name, whatever its case.
    pub fn named(&self, name: &str) -> Option<&T> {
        self.rows.get(self.names.get(&name.to_lowercase())?)
    }

    /// The rows with ids behind `after`, by id.
    pub fn after(&self, after: Option<&str>) -> impl Iterator<Item = &T> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range::<str, _>((start, Bound::Unbounded)).map(|(_, row)| row)
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<T: Row> Table<T> {
    /// The name of a row, its id if it is not there.
    pub fn name_of(&self, id: &str) -> String {
        self.rows.get(id).map_or(id, Row::name).to_owned()
    }

    fn put(&mut self, row: T) {
        self.remove(row.id());
        self.names.insert(row.key(), row.id().to_owned());
        self.rows.insert(row.id().to_owned(), row);
    }

    fn remove(&mut self, id: &str) {
        if let Some(row) = self.rows.remove(id) {
            self.names.remove(&row.key());
        }
    }
}

impl Table<Resource> {
    /// The resource of a kind with that name, whatever its case.
    pub fn of_kind(&self, kind: ResourceKind, name: &str) -> Option<&Resource> {
        self.rows.get(self.names.get(&key(kind, name))?)
    }
}

impl<T: Row> From<Vec<T>> for Table<T> {
    fn from(rows: Vec<T>) -> Self {
        let mut table = Self::new();
        for row in rows {
            table.put(row);
        }
        table
    }
}

impl<T> From<Table<T>> for Vec<T> {
    fn from(table: Table<T>) -> Self {
        table.rows.into_values().collect()
    }
}

/// JSON has no maps with pairs as keys.
mod credential_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    type Credentials = BTreeMap<(String, String), String>;

    pub fn serialize<S: Serializer>(map: &Credentials, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter().map(|((user, id), kind)| (user, id, kind)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Credentials, D::Error> {
        let list = Vec::<(String, String, String)>::deserialize(source)?;
        Ok(list.into_iter().map(|(user, id, kind)| ((user, id), kind)).collect())
    }
}
