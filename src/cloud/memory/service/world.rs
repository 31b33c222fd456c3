//! The running service: its store, its lagging replica, its faults and its log of calls.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::fault::{Fault, Faults};
use super::life::{Moment, Times};
use super::state::{Mutation, State};
use super::store::Store;

/// How the service behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// How many items a page holds; at least one.
    pub page_size: usize,
    /// How many groups a user may be in; `None` = any number.
    pub groups_per_user: Option<usize>,
    /// How many users an account may have; `None` = any number.
    pub users_per_account: Option<usize>,
    /// How many keys a user may have; `None` = any number.
    pub keys_per_user: Option<usize>,
    /// For how many calls after a write reads still show what was before it.
    pub lag: u64,
    /// How long each call takes.
    pub latency: Duration,
    /// How long the service takes for what it does after its answer.
    pub times: Times,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            page_size: 100,
            groups_per_user: None,
            users_per_account: None,
            keys_per_user: Some(2),
            lag: 0,
            latency: Duration::ZERO,
            times: Times::default(),
        }
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident $write:literal;)*) => {
        /// The operations of the service.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in error texts and logs.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Whether it changes anything.
            pub fn is_write(self) -> bool {
                match self {
                    $(Self::$name => $write,)*
                }
            }
        }
    };
}

operations! {
    /// A page of users.
    ListUsers false;
    /// A page of groups.
    ListGroups false;
    /// A page of roles.
    ListRoles false;
    /// A page of users in groups.
    ListMemberships false;
    /// A page of roles attached to groups.
    ListBindings false;
    /// A page of one user's credentials.
    ListCredentials false;
    /// Who the caller is.
    GetCallerIdentity false;
    /// One user.
    GetUser false;
    /// One group.
    GetGroup false;
    /// One role.
    GetRole false;
    /// Whether a user is in a group.
    GetMembership false;
    /// Whether a group has a role.
    GetBinding false;
    /// A page of the resources of one kind.
    ListResources false;
    /// One resource.
    GetResource false;
    /// A new user.
    CreateUser true;
    /// A user becomes different.
    UpdateUser true;
    /// A user goes.
    DeleteUser true;
    /// A user gets a new key.
    CreateCredential true;
    /// A credential goes.
    DeleteCredential true;
    /// A new group.
    CreateGroup true;
    /// A group gets another name.
    UpdateGroup true;
    /// A group goes.
    DeleteGroup true;
    /// A user joins a group.
    AddMember true;
    /// A user leaves a group.
    RemoveMember true;
    /// A new role.
    CreateRole true;
    /// A role becomes different.
    UpdateRole true;
    /// A role goes.
    DeleteRole true;
    /// A group gets a role.
    CreateBinding true;
    /// A group loses a role.
    DeleteBinding true;
    /// A new resource.
    CreateResource true;
    /// A resource becomes different.
    UpdateResource true;
    /// A resource goes.
    DeleteResource true;
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One call that reached the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Counted from 1.
    pub number: u64,
    /// In which account.
    pub account: String,
    /// What was asked.
    pub operation: Operation,
    /// Id or name of what it was about, never a personal value; empty for whole accounts.
    pub object: String,
    /// What went wrong on demand.
    pub fault: Option<Fault>,
    /// Whether it changed anything.
    pub wrote: bool,
}

/// The running service.
#[derive(Default)]
pub struct World {
    /// What exists.
    pub store: Store,
    /// How the service behaves.
    pub behaviour: Behaviour,
    /// What the service takes the time to be; `None` = the system's time.
    pub clock: Option<Timestamp>,
    /// What goes wrong.
    pub faults: Faults,
    /// The calls so far.
    pub log: Vec<Call>,
    /// How many calls there were since the world came to be.
    pub calls: u64,
    /// How many are under way.
    pub under_way: usize,
    /// How many were ever under way at once.
    pub most_at_once: usize,
    /// The caller's process is dead: no call of it gets anywhere.
    pub crashed: bool,
    /// What was written by calls, while somebody wants to know.
    pub tape: Option<Vec<Mutation>>,
    /// Told of a crash.
    pub on_crash: Option<Box<dyn FnMut() + Send>>,
    replica: Option<Replica>,
}

/// What reads see while the service is eventually consistent.
struct Replica {
    state: State,
    /// Mutations on their way here, with the call at which they arrive.
    pending: VecDeque<(u64, Mutation)>,
}

impl World {
    /// A service that keeps everything in a store.
    pub fn new(store: Store) -> Self {
        Self { store, ..Self::default() }
    }

    /// The time, and how long the service takes for what.
    pub fn moment(&self) -> Moment {
        let now = self.clock.unwrap_or_else(Timestamp::now);
        Moment { now, times: self.behaviour.times }
    }

    /// Counts and logs a call and says what goes wrong with it.
    pub fn begin(
        &mut self,
        account: &str,
        operation: Operation,
        object: &str,
    ) -> (u64, Option<Fault>) {
        self.calls += 1;
        self.under_way += 1;
        self.most_at_once = self.most_at_once.max(self.under_way);
        let fault = self.faults.draw(self.calls, operation);
        self.log.push(Call {
            number: self.calls,
            account: account.to_owned(),
            operation,
            object: object.to_owned(),
            fault,
            wrote: false,
        });
        (self.calls, fault)
    }

    /// Runs what a call does against the state it may see (first) and the true one (second).
    pub fn perform<T, E: From<super::journal::JournalError>>(
        &mut self,
        number: u64,
        operation: Operation,
        work: impl FnOnce(&State, &State) -> Result<(T, Option<Mutation>), E>,
    ) -> Result<T, E> {
        self.advance_replica()?;
        let seen = self.replica.as_ref().map(|replica| &replica.state);
        if !operation.is_write() {
            let state = self.store.read()?;
            return work(seen.unwrap_or(state), state).map(|(value, _)| value);
        }
        let (value, mutation) = self.store.write(|state| work(seen.unwrap_or(state), state))?;
        if let Some(mutation) = mutation {
            if let Some(call) = self.log.iter_mut().rfind(|call| call.number == number) {
                call.wrote = true;
            }
            if let Some(tape) = &mut self.tape {
                tape.push(mutation.clone());
            }
            if let Some(replica) = &mut self.replica {
                replica.pending.push_back((self.calls + self.behaviour.lag + 1, mutation));
            }
        }
        Ok(value)
    }

    /// Changes the state from outside, at once visible to all.
    pub fn seed<E: From<super::journal::JournalError>>(
        &mut self,
        mutation: impl FnOnce(&State) -> Mutation,
    ) -> Result<(), E> {
        self.flush();
        let ((), mutation) = self.store.write::<_, E>(|state| Ok(((), Some(mutation(state)))))?;
        if let (Some(replica), Some(mutation)) = (&mut self.replica, &mutation) {
            replica.state.apply(mutation);
        }
        Ok(())
    }

    /// Makes everything written so far visible.
    pub fn flush(&mut self) {
        if let Some(replica) = &mut self.replica {
            while let Some((_, mutation)) = replica.pending.pop_front() {
                replica.state.apply(&mutation);
            }
        }
    }

    /// How often each operation was called.
    pub fn counts(&self) -> BTreeMap<Operation, u64> {
        let mut counts = BTreeMap::new();
        for call in &self.log {
            *counts.entry(call.operation).or_default() += 1;
        }
        counts
    }

    /// The caller's process dies.
    pub fn crash(&mut self) {
        self.crashed = true;
        if let Some(hook) = &mut self.on_crash {
            hook();
        }
    }

    fn advance_replica(&mut self) -> Result<(), super::journal::JournalError> {
        let lagging = self.behaviour.lag > 0;
        match &mut self.replica {
            None if !lagging => {}
            None => {
                let state = self.store.read()?.clone();
                self.replica = Some(Replica { state, pending: VecDeque::new() });
            }
            Some(replica) => {
                while replica.pending.front().is_some_and(|(due, _)| *due <= self.calls) {
                    if let Some((_, mutation)) = replica.pending.pop_front() {
                        replica.state.apply(&mutation);
                    }
                }
                if !lagging && replica.pending.is_empty() {
                    self.replica = None;
                }
            }
        }
        Ok(())
    }
}
