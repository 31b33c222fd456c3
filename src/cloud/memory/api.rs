//! The embedded cloud's service: its operations, as a vendor would document them.
//!
//! Every call carries an account id. Ids are made by the service and unique in the whole world;
//! names are unique per kind and account, whatever their case. Reads may lag behind writes. Writes
//! that change an existing object take the revision they are based on and fail with
//! [`Code::ConcurrentModification`] if there is a newer one. Lists come in pages; each page says
//! how many items there are in all, so that a page that went missing can be noticed.

mod resources;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use super::service::journal::JournalError;
use super::service::rules::{
    check_name, check_role, is_current, no_such, none_of, pair_page, refusal, table_page, to_role,
    to_user, within,
};
use super::service::state::{Group, Mutation, Role, Table, Tags, User};
use super::service::world::{Operation, World};

pub use resources::{ResourceInput, Shown};
pub(super) use resources::{made, put, remove};

/// A refusal or failure, as the service words it.
#[derive(Debug)]
pub struct Failure {
    /// Which.
    pub code: Code,
    /// For people.
    pub message: String,
    /// The request it answers; `None` where no answer came.
    pub request_id: Option<String>,
    /// When to come back.
    pub retry_after: Option<Duration>,
}

/// The codes of [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the vendor's words; `error` says what they mean to us")]
pub enum Code {
    AccessDenied,
    ConcurrentModification,
    ConnectionReset,
    DeleteConflict,
    EntityAlreadyExists,
    ExpiredToken,
    InternalFailure,
    InvalidInput,
    LimitExceeded,
    NoSuchEntity,
    ServiceUnavailable,
    Throttling,
}

/// A reply to a call that succeeded.
#[derive(Debug)]
pub struct Reply<T> {
    /// What was asked for.
    pub body: T,
    /// Names the request, for the vendor's support.
    pub request_id: String,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// Asks for the next page; `None` on the last.
    pub next: Option<String>,
    /// How many items the list has in all.
    pub total: usize,
}

/// What a user is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see `service::state::User`")]
pub struct UserInput {
    pub name: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub enabled: bool,
    pub tags: Tags,
}

/// What a role is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see `service::state::Role`")]
pub struct RoleInput {
    pub name: String,
    pub description: String,
    pub permissions: BTreeSet<String>,
    pub session_hours: Option<i64>,
    pub trusts: BTreeSet<String>,
    pub tags: Tags,
}

/// Who or what is meant.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// By id.
    Id(&'a str),
    /// By name, whatever its case.
    Name(&'a str),
}

impl Which<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name(text) => text,
        }
    }

    fn find<'a, T>(&self, table: &'a Table<T>) -> Option<&'a T> {
        match self {
            Self::Id(id) => table.get(id),
            Self::Name(name) => table.named(name),
        }
    }
}

/// The service, as one account sees it.
#[derive(Clone)]
pub struct Service {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) account: String,
}

/// Locks a world. A panic elsewhere while it was locked says nothing about the state, which only
/// ever changes by whole mutations.
pub(super) fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// The service for one account.
    pub(super) fn new(world: Arc<Mutex<World>>, account: String) -> Self {
        Self { world, account }
    }

    /// A page of users.
    pub async fn list_users(&self, token: Option<String>) -> Result<Reply<Page<User>>, Failure> {
        self.list(Operation::ListUsers, "", token, |state, after, size| {
            Ok(table_page(&state.account(&self.account).users, after, size))
        })
        .await
    }

    /// A page of groups.
    pub async fn list_groups(&self, token: Option<String>) -> Result<Reply<Page<Group>>, Failure> {
        self.list(Operation::ListGroups, "", token, |state, after, size| {
            Ok(table_page(&state.account(&self.account).groups, after, size))
        })
        .await
    }

    /// A page of roles.
    pub async fn list_roles(&self, token: Option<String>) -> Result<Reply<Page<Role>>, Failure> {
        self.list(Operation::ListRoles, "", token, |state, after, size| {
            Ok(table_page(&state.account(&self.account).roles, after, size))
        })
        .await
    }

    /// A page of all memberships of the account: (user, group).
    pub async fn list_memberships(
        &self,
        token: Option<String>,
    ) -> Result<Reply<Page<(String, String)>>, Failure> {
        self.list(Operation::ListMemberships, "", token, |state, after, size| {
            pair_page(&state.account(&self.account).memberships, after, size)
        })
        .await
    }

    /// A page of all bindings of the account: (group, role).
    pub async fn list_bindings(
        &self,
        token: Option<String>,
    ) -> Result<Reply<Page<(String, String)>>, Failure> {
        self.list(Operation::ListBindings, "", token, |state, after, size| {
            pair_page(&state.account(&self.account).bindings, after, size)
        })
        .await
    }

    /// A page of the credentials of one user: (id, kind).
    pub async fn list_credentials(
        &self,
        user: &str,
        token: Option<String>,
    ) -> Result<Reply<Page<(String, String)>>, Failure> {
        self.list(Operation::ListCredentials, user, token, |state, after, size| {
            let account = state.account(&self.account);
            if account.users.get(user).is_none() {
                return Err(no_such("user", user));
            }
            let all = account
                .credentials_of(user)
                .map(|(id, kind)| (id.to_owned(), kind.to_owned()))
                .collect();
            pair_page(&all, after, size)
        })
        .await
    }

    /// The id of the user or role that calls, where it lives in this account.
    pub async fn get_caller_identity(&self) -> Result<Reply<Option<String>>, Failure> {
        self.read(Operation::GetCallerIdentity, "", |state| {
            Ok(state.account(&self.account).own_principal.clone())
        })
        .await
    }

    /// One user.
    pub async fn get_user(&self, which: Which<'_>) -> Result<Reply<User>, Failure> {
        self.read(Operation::GetUser, which.text(), |state| {
            let found = which.find(&state.account(&self.account).users).cloned();
            found.ok_or_else(|| no_such("user", which.text()))
        })
        .await
    }

    /// One group: by id in whichever account it lives, by name in this one.
    pub async fn get_group(&self, which: Which<'_>) -> Result<Reply<Group>, Failure> {
        self.read(Operation::GetGroup, which.text(), |state| {
            let found = match which {
                Which::Id(id) => state.group_anywhere(id),
                Which::Name(name) => state.account(&self.account).groups.named(name),
            };
            found.cloned().ok_or_else(|| no_such("group", which.text()))
        })
        .await
    }

    /// One role.
    pub async fn get_role(&self, which: Which<'_>) -> Result<Reply<Role>, Failure> {
        self.read(Operation::GetRole, which.text(), |state| {
            let found = which.find(&state.account(&self.account).roles).cloned();
            found.ok_or_else(|| no_such("role", which.text()))
        })
        .await
    }

    /// Whether a user is in a group.
    pub async fn get_membership(&self, user: &str, group: &str) -> Result<Reply<bool>, Failure> {
        self.read(Operation::GetMembership, user, |state| {
            let pair = (user.to_owned(), group.to_owned());
            Ok(state.account(&self.account).memberships.contains(&pair))
        })
        .await
    }

    /// Whether a group has a role in this account.
    pub async fn get_binding(&self, group: &str, role: &str) -> Result<Reply<bool>, Failure> {
        self.read(Operation::GetBinding, group, |state| {
            let pair = (group.to_owned(), role.to_owned());
            Ok(state.account(&self.account).bindings.contains(&pair))
        })
        .await
    }

    /// A new user, without credentials.
    pub async fn create_user(&self, input: UserInput) -> Result<Reply<User>, Failure> {
        let quota = lock(&self.world).behaviour.users_per_account;
        let name = input.name.clone();
        self.write(Operation::CreateUser, &name, |_, state| {
            let users = &state.account(&self.account).users;
            check_name(users, &input.name, None)?;
            within(quota, users.len(), "users in the account")?;
            let revision = state.number + 1;
            let user = to_user(format!("u-{revision:08x}"), revision, input);
            let account = self.account.clone();
            Ok((user.clone(), Some(Mutation::PutUser { account, user })))
        })
        .await
    }

    /// A user becomes as given.
    pub async fn update_user(
        &self,
        id: &str,
        revision: u64,
        input: UserInput,
    ) -> Result<Reply<()>, Failure> {
        self.write(Operation::UpdateUser, id, |_, state| {
            let users = &state.account(&self.account).users;
            let user = users.get(id).ok_or_else(|| no_such("user", id))?;
            is_current(user.revision, revision)?;
            check_name(users, &input.name, Some(id))?;
            let user = to_user(id.to_owned(), state.number + 1, input);
            Ok(((), Some(Mutation::PutUser { account: self.account.clone(), user })))
        })
        .await
    }

    /// A user goes; refused while it has memberships or credentials.
    pub async fn delete_user(&self, id: &str, revision: u64) -> Result<Reply<()>, Failure> {
        self.write(Operation::DeleteUser, id, |_, state| {
            let account = state.account(&self.account);
            let user = account.users.get(id).ok_or_else(|| no_such("user", id))?;
            is_current(user.revision, revision)?;
            let groups = account.groups_of(id).map(|group| account.groups.name_of(group));
            none_of("the user must leave all groups first", groups)?;
            let credentials = account.credentials_of(id).map(|(id, kind)| format!("{kind} {id}"));
            none_of("the user's credentials must be deleted first", credentials)?;
            Ok(((), Some(Mutation::RemoveUser { account: self.account.clone(), id: id.into() })))
        })
        .await
    }

    /// A user gets a new key. Its secret is in this reply and nowhere else; the service keeps
    /// only what it needs to recognise it, and here not even that.
    pub async fn create_credential(
        &self,
        user: &str,
        kind: &str,
    ) -> Result<Reply<(String, SecretString)>, Failure> {
        let quota = lock(&self.world).behaviour.keys_per_user;
        self.write(Operation::CreateCredential, user, |seen, state| {
            for state in [seen, state] {
                let users = &state.account(&self.account).users;
                users.get(user).ok_or_else(|| no_such("user", user))?;
            }
            let account = state.account(&self.account);
            let have = account.credentials_of(user).filter(|(_, have)| *have == kind).count();
            within(quota, have, "keys of the user")?;
            let id = format!("k-{:08x}", state.number + 1);
            let secret = format!("secret-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
            let account = self.account.clone();
            let (user, kind) = (user.to_owned(), kind.to_owned());
            let put = Mutation::PutCredential { account, user, id: id.clone(), kind };
            Ok(((id, secret.into()), Some(put)))
        })
        .await
    }

    /// A credential goes.
    pub async fn delete_credential(&self, user: &str, id: &str) -> Result<Reply<()>, Failure> {
        self.write(Operation::DeleteCredential, id, |_, state| {
            let account = state.account(&self.account);
            if !account.credentials_of(user).any(|(have, _)| have == id) {
                return Err(no_such("credential", id));
            }
            let account = self.account.clone();
            let (user, id) = (user.to_owned(), id.to_owned());
            Ok(((), Some(Mutation::RemoveCredential { account, user, id })))
        })
        .await
    }

    /// A new group, with nobody in it.
    pub async fn create_group(&self, name: &str, tags: Tags) -> Result<Reply<Group>, Failure> {
        self.write(Operation::CreateGroup, name, |_, state| {
            check_name(&state.account(&self.account).groups, name, None)?;
            let revision = state.number + 1;
            let id = format!("g-{revision:08x}");
            let group = Group { id, name: name.to_owned(), tags, revision };
            let account = self.account.clone();
            Ok((group.clone(), Some(Mutation::PutGroup { account, group })))
        })
        .await
    }

    /// A group gets another name.
    pub async fn update_group(
        &self,
        id: &str,
        revision: u64,
        name: &str,
        tags: Option<Tags>,
    ) -> Result<Reply<()>, Failure> {
        self.write(Operation::UpdateGroup, id, |_, state| {
            let groups = &state.account(&self.account).groups;
            let group = groups.get(id).ok_or_else(|| no_such("group", id))?;
            is_current(group.revision, revision)?;
            check_name(groups, name, Some(id))?;
            let group = Group {
                name: name.to_owned(),
                revision: state.number + 1,
                tags: tags.clone().unwrap_or_else(|| group.tags.clone()),
                ..group.clone()
            };
            Ok(((), Some(Mutation::PutGroup { account: self.account.clone(), group })))
        })
        .await
    }

    /// A group goes; refused while it has members, or roles in any account.
    pub async fn delete_group(&self, id: &str, revision: u64) -> Result<Reply<()>, Failure> {
        self.write(Operation::DeleteGroup, id, |_, state| {
            let account = state.account(&self.account);
            let group = account.groups.get(id).ok_or_else(|| no_such("group", id))?;
            is_current(group.revision, revision)?;
            let members = account.members_of(id).map(|user| account.users.name_of(user));
            none_of("the group's members must leave it first", members)?;
            none_of("the group's roles must be unbound first", state.roles_of(id))?;
            Ok(((), Some(Mutation::RemoveGroup { account: self.account.clone(), id: id.into() })))
        })
        .await
    }

    /// A user joins a group. Joining twice is no error.
    pub async fn add_member(&self, user: &str, group: &str) -> Result<Reply<()>, Failure> {
        let quota = lock(&self.world).behaviour.groups_per_user;
        self.write(Operation::AddMember, user, |seen, state| {
            let account = state.account(&self.account);
            for state in [seen, state] {
                let account = state.account(&self.account);
                account.users.get(user).ok_or_else(|| no_such("user", user))?;
                account.groups.get(group).ok_or_else(|| no_such("group", group))?;
            }
            if account.groups_of(user).any(|have| have == group) {
                return Ok(((), None));
            }
            if quota.is_some() {
                within(quota, account.groups_of(user).count(), "groups of the user")?;
            }
            let account = self.account.clone();
            let (user, group) = (user.to_owned(), group.to_owned());
            Ok(((), Some(Mutation::AddMember { account, user, group })))
        })
        .await
    }

    /// A user leaves a group.
    pub async fn remove_member(&self, user: &str, group: &str) -> Result<Reply<()>, Failure> {
        self.write(Operation::RemoveMember, user, |_, state| {
            if !state.account(&self.account).groups_of(user).any(|have| have == group) {
                return Err(no_such("membership", user));
            }
            let account = self.account.clone();
            let (user, group) = (user.to_owned(), group.to_owned());
            Ok(((), Some(Mutation::RemoveMember { account, user, group })))
        })
        .await
    }

    /// A new role, attached to nothing.
    pub async fn create_role(&self, input: RoleInput) -> Result<Reply<Role>, Failure> {
        let name = input.name.clone();
        self.write(Operation::CreateRole, &name, |_, state| {
            check_role(&state.account(&self.account).roles, &input, None)?;
            let revision = state.number + 1;
            let role = to_role(format!("r-{revision:08x}"), revision, input);
            let account = self.account.clone();
            Ok((role.clone(), Some(Mutation::PutRole { account, role })))
        })
        .await
    }

    /// A role becomes as given.
    pub async fn update_role(
        &self,
        id: &str,
        revision: u64,
        input: RoleInput,
    ) -> Result<Reply<()>, Failure> {
        self.write(Operation::UpdateRole, id, |_, state| {
            let roles = &state.account(&self.account).roles;
            let role = roles.get(id).ok_or_else(|| no_such("role", id))?;
            is_current(role.revision, revision)?;
            check_role(roles, &input, Some(id))?;
            let role = to_role(id.to_owned(), state.number + 1, input);
            Ok(((), Some(Mutation::PutRole { account: self.account.clone(), role })))
        })
        .await
    }

    /// A role goes; refused while a group has it.
    pub async fn delete_role(&self, id: &str, revision: u64) -> Result<Reply<()>, Failure> {
        self.write(Operation::DeleteRole, id, |_, state| {
            let account = state.account(&self.account);
            let role = account.roles.get(id).ok_or_else(|| no_such("role", id))?;
            is_current(role.revision, revision)?;
            let groups = account.bindings.iter().filter(|(_, role)| role == id);
            let groups = groups
                .map(|(id, _)| state.group_anywhere(id).map_or(id, |group| &group.name).clone());
            none_of("the role must be unbound from all groups first", groups)?;
            Ok(((), Some(Mutation::RemoveRole { account: self.account.clone(), id: id.into() })))
        })
        .await
    }

    /// A group gets a role in this account. The group may live in another.
    pub async fn create_binding(&self, group: &str, role: &str) -> Result<Reply<()>, Failure> {
        self.write(Operation::CreateBinding, group, |seen, state| {
            for state in [seen, state] {
                state.group_anywhere(group).ok_or_else(|| no_such("group", group))?;
                let roles = &state.account(&self.account).roles;
                roles.get(role).ok_or_else(|| no_such("role", role))?;
            }
            let pair = (group.to_owned(), role.to_owned());
            if state.account(&self.account).bindings.contains(&pair) {
                let message = "the group has the role already";
                return Err(refusal(Code::EntityAlreadyExists, message));
            }
            let (account, (group, role)) = (self.account.clone(), pair);
            Ok(((), Some(Mutation::AddBinding { account, group, role })))
        })
        .await
    }

    /// A group loses a role in this account.
    pub async fn delete_binding(&self, group: &str, role: &str) -> Result<Reply<()>, Failure> {
        self.write(Operation::DeleteBinding, group, |_, state| {
            let pair = (group.to_owned(), role.to_owned());
            if !state.account(&self.account).bindings.contains(&pair) {
                return Err(no_such("binding", group));
            }
            let (account, (group, role)) = (self.account.clone(), pair);
            Ok(((), Some(Mutation::RemoveBinding { account, group, role })))
        })
        .await
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let mut message = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            message = format!("{message}: {source}");
        }
        refusal(Code::InternalFailure, &message)
    }
}
