//! The handle by which tests reach behind the service's back: to seed what is there, to change
//! things by hand, to make calls fail, to count them and to compare whole states.

mod resources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::api::lock;
use super::convert::mark_tags;
use super::service::fault::{Fault, Faults};
use super::service::journal::JournalError;
use super::service::life::Moment;
use super::service::state::{Group, Mutation, Role, State, Tags, User};
use super::service::world::{Behaviour, Call, Operation, World};
use crate::model::{Credential, Mark, VendorId};

/// A world of accounts. Cheap to clone; all clones are the same world.
///
/// What is done here is done at once, without a call, and is visible at once.
#[derive(Clone)]
pub struct MemoryWorld {
    world: Arc<Mutex<World>>,
}

impl MemoryWorld {
    pub(super) fn new(world: Arc<Mutex<World>>) -> Self {
        Self { world }
    }

    /// How the service behaves from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.world).behaviour);
    }

    /// What goes wrong from now on.
    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut lock(&self.world).faults);
    }

    /// The next call goes wrong.
    pub fn fail_next(&self, fault: Fault) {
        self.faults(|faults| faults.next(None, fault));
    }

    /// The next call of one operation goes wrong.
    pub fn fail_next_of(&self, operation: Operation, fault: Fault) {
        self.faults(|faults| faults.next(Some(operation), fault));
    }

    /// Called when [`Fault::CrashBefore`] or [`Fault::CrashAfter`] strikes, while the service is
    /// locked: it may notify somebody and must not come back here. From then on no call gets
    /// anywhere, as if the calling process were dead, until [`MemoryWorld::restart`].
    pub fn on_crash(&self, hook: impl FnMut() + Send + 'static) {
        lock(&self.world).on_crash = Some(Box::new(hook));
    }

    /// Whether the calling process is dead.
    pub fn has_crashed(&self) -> bool {
        lock(&self.world).crashed
    }

    /// The calling process lives again.
    pub fn restart(&self) {
        lock(&self.world).crashed = false;
    }

    /// Everything written so far becomes visible to reads.
    pub fn settle(&self) {
        lock(&self.world).flush();
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        lock(&self.world).calls
    }

    /// The calls since the log was last cleared.
    pub fn log(&self) -> Vec<Call> {
        lock(&self.world).log.clone()
    }

    /// Forgets the calls so far; their number goes on.
    pub fn clear_log(&self) {
        lock(&self.world).log.clear();
    }

    /// How often each operation was called since the log was last cleared.
    pub fn counts(&self) -> BTreeMap<Operation, u64> {
        lock(&self.world).counts()
    }

    /// How many calls since the log was last cleared changed anything.
    pub fn writes(&self) -> usize {
        lock(&self.world).log.iter().filter(|call| call.wrote).count()
    }

    /// How many calls were ever under way at once.
    pub fn most_at_once(&self) -> usize {
        lock(&self.world).most_at_once
    }

    /// From now on every write of a call is kept, so that each can be looked at afterwards.
    pub fn record(&self) {
        lock(&self.world).tape = Some(Vec::new());
    }

    /// What calls wrote since [`MemoryWorld::record`], in order; nothing is kept from now on.
    pub fn recorded(&self) -> Vec<Mutation> {
        lock(&self.world).tape.take().unwrap_or_default()
    }

    /// When something is looked at now, and how long the service takes for what.
    pub fn moment(&self) -> Moment {
        lock(&self.world).moment()
    }

    /// Everything there is, for comparison.
    ///
    /// # Errors
    /// A state file that cannot be read.
    pub fn dump(&self) -> Result<State, JournalError> {
        lock(&self.world).store.read().cloned()
    }

    /// Everything there is by name, one line each, for comparing worlds that came about in
    /// different ways: without ids, times, revisions and the number of writes.
    ///
    /// # Errors
    /// A state file that cannot be read.
    pub fn describe(&self) -> Result<BTreeSet<String>, JournalError> {
        let state = self.dump()?;
        let mut lines = BTreeSet::new();
        for (number, account) in &state.accounts {
            let user = |id: &str| account.users.get(id).map_or("(gone)", |user| &user.name);
            let role = |id: &str| account.roles.get(id).map_or("(gone)", |role| &role.name);
            let group = |id: &str| state.group_anywhere(id).map_or("(gone)", |group| &group.name);
            for User { id: _, name, display_name, email, enabled, tags, revision: _ } in
                account.users.after(None)
            {
                lines.insert(format!(
                    "{number} user {name} enabled={enabled} {display_name:?} {email:?} {tags:?}"
                ));
            }
            for Group { id: _, name, tags, revision: _ } in account.groups.after(None) {
                lines.insert(format!("{number} group {name} {tags:?}"));
            }
            for role in account.roles.after(None) {
                let Role { id: _, name, description, permissions, session_hours, .. } = role;
                let Role { trusts, tags, .. } = role;
                lines.insert(format!(
                    "{number} role {name} {description:?} {permissions:?} {session_hours:?} \
                     {trusts:?} {tags:?}"
                ));
            }
            for (of, in_group) in &account.memberships {
                lines.insert(format!("{number} member {} {}", group(in_group), user(of)));
            }
            for (to, of) in &account.bindings {
                lines.insert(format!("{number} binding {} {}", role(of), group(to)));
            }
            for ((of, id), kind) in &account.credentials {
                lines.insert(format!("{number} credential {} {kind} {id}", user(of)));
            }
        }
        resources::describe(&state, &mut lines);
        Ok(lines)
    }

    /// A user nobody of ours made; `mark` for one that carries a mark all the same.
    pub fn add_user(
        &self,
        account: &str,
        name: &str,
        mark: Option<&Mark>,
    ) -> Result<VendorId, JournalError> {
        self.make("u", |id, revision| Mutation::PutUser {
            account: account.to_owned(),
            user: User {
                id,
                name: name.to_owned(),
                display_name: None,
                email: None,
                enabled: true,
                tags: tags(mark),
                revision,
            },
        })
    }

    /// A group nobody of ours made; `mark` for one that carries a mark all the same.
    pub fn add_group(
        &self,
        account: &str,
        name: &str,
        mark: Option<&Mark>,
    ) -> Result<VendorId, JournalError> {
        self.make("g", |id, revision| Mutation::PutGroup {
            account: account.to_owned(),
            group: Group { id, name: name.to_owned(), tags: tags(mark), revision },
        })
    }

    /// A role nobody of ours made; `mark` for one that carries a mark all the same.
    pub fn add_role(
        &self,
        account: &str,
        name: &str,
        mark: Option<&Mark>,
    ) -> Result<VendorId, JournalError> {
        self.make("r", |id, revision| Mutation::PutRole {
            account: account.to_owned(),
            role: Role {
                id,
                name: name.to_owned(),
                description: String::new(),
                permissions: BTreeSet::from(["everything".to_owned()]),
                session_hours: None,
                trusts: BTreeSet::new(),
                tags: tags(mark),
                revision,
            },
        })
    }

    /// A credential somebody made for a user.
    pub fn add_credential(
        &self,
        account: &str,
        user: &VendorId,
        kind: &str,
    ) -> Result<Credential, JournalError> {
        let id = self.make("c", |id, _| Mutation::PutCredential {
            account: account.to_owned(),
            user: user.to_string(),
            id,
            kind: kind.to_owned(),
        })?;
        Ok(Credential { user: user.clone(), kind: kind.into(), id, handed_over: None })
    }

    /// Changes a user by hand; does nothing if there is none.
    pub fn edit_user(
        &self,
        account: &str,
        id: &VendorId,
        change: impl FnOnce(&mut User),
    ) -> Result<(), JournalError> {
        let found =
            lock(&self.world).store.read()?.account(account).users.get(id.as_str()).cloned();
        let Some(mut user) = found else { return Ok(()) };
        change(&mut user);
        self.mutate(|state| Mutation::PutUser {
            account: account.to_owned(),
            user: User { revision: state.number + 1, ..user },
        })
    }

    /// Changes a group by hand; does nothing if there is none.
    pub fn edit_group(
        &self,
        account: &str,
        id: &VendorId,
        change: impl FnOnce(&mut Group),
    ) -> Result<(), JournalError> {
        let found =
            lock(&self.world).store.read()?.account(account).groups.get(id.as_str()).cloned();
        let Some(mut group) = found else { return Ok(()) };
        change(&mut group);
        self.mutate(|state| Mutation::PutGroup {
            account: account.to_owned(),
            group: Group { revision: state.number + 1, ..group },
        })
    }

    /// Changes a role by hand; does nothing if there is none.
    pub fn edit_role(
        &self,
        account: &str,
        id: &VendorId,
        change: impl FnOnce(&mut Role),
    ) -> Result<(), JournalError> {
        let found =
            lock(&self.world).store.read()?.account(account).roles.get(id.as_str()).cloned();
        let Some(mut role) = found else { return Ok(()) };
        change(&mut role);
        self.mutate(|state| Mutation::PutRole {
            account: account.to_owned(),
            role: Role { revision: state.number + 1, ..role },
        })
    }

    /// Any other change by hand. Nothing checks that it makes sense.
    pub fn mutate(&self, mutation: impl FnOnce(&State) -> Mutation) -> Result<(), JournalError> {
        lock(&self.world).seed(mutation)
    }

    fn make(
        &self,
        prefix: &str,
        mutation: impl FnOnce(String, u64) -> Mutation,
    ) -> Result<VendorId, JournalError> {
        let mut made = None;
        lock(&self.world).seed::<JournalError>(|state| {
            let revision = state.number + 1;
            let id = format!("{prefix}-{revision:08x}");
            made = Some(VendorId::new(id.as_str()));
            mutation(id, revision)
        })?;
        Ok(made.expect("a successful write has called the closure"))
    }
}

fn tags(mark: Option<&Mark>) -> Tags {
    mark.map(mark_tags).unwrap_or_default()
}
