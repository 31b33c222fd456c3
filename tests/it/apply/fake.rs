//! An account in memory that fails on cue, and plans to carry out in it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::date;
use reconcile::apply::{Options, Outcomes, execute};
use reconcile::cloud::{Applied, Apply, CloudError, Connection, ErrorKind, Observe};
use reconcile::event::{Event, EventsError};
use reconcile::guard::{ApprovedPlan, Context, review};
use reconcile::model::{
    Access, ChangeId, Credential, GroupRef, GroupSpec, Membership, ObjectKey, Observed,
    ObservedAccount, Ownership, Place, Reading, Snapshot, Subject, UserSpec, VendorId,
};
use reconcile::plan::{Change, Life, Output, Outputs, Plan, Reference, Step, Target};
use reconcile::policies::{Limit, Limits, Policies};
use reconcile::sink::NoSinks;
use tokio_util::sync::CancellationToken;

/// What one call does instead of what it should.
#[derive(Clone, Copy, Debug)]
pub enum Trick {
    /// It fails without doing anything.
    Fail(ErrorKind),
    /// It is done, but the reply is lost.
    LoseReply,
    /// It is done, but the reply says nothing of the new id.
    ForgetId,
    /// It is accepted, but not done.
    Pretend,
    /// It never answers.
    Hang,
    /// The code is broken.
    Panic,
}

#[derive(Default)]
pub struct State {
    pub users: BTreeMap<VendorId, Observed<UserSpec>>,
    pub groups: BTreeMap<VendorId, Observed<GroupSpec>>,
    pub members: BTreeSet<Membership>,
    pub credentials: BTreeSet<VendorId>,
    pub tricks: HashMap<ChangeId, VecDeque<Trick>>,
    pub look_tricks: VecDeque<ErrorKind>,
    /// Every call, in order, as `apply #1` or `look`.
    pub calls: Vec<String>,
    pub under_way: usize,
    pub most_under_way: usize,
    pub latency: Duration,
    /// Names are not compared, since comparing them takes the time of all of them.
    pub quick: bool,
    /// At most one call in this time, the rest is throttled.
    pub rate: Option<Duration>,
    pub last_call: Option<tokio::time::Instant>,
}

/// The account.
#[derive(Clone, Default)]
pub struct Fake(pub Arc<Mutex<State>>);

impl Fake {
    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub fn trick(&self, change: u32, trick: Trick) -> &Self {
        self.with(|state| state.tricks.entry(ChangeId(change)).or_default().push_back(trick));
        self
    }

    pub fn calls(&self) -> Vec<String> {
        self.with(|state| state.calls.clone())
    }

    /// How often a change was sent.
    pub fn sent(&self, change: u32) -> usize {
        let call = format!("apply {}", ChangeId(change));
        self.calls().iter().filter(|made| **made == call).count()
    }

    pub fn user(&self, name: &str, access: Access) -> &Self {
        self.with(|state| {
            state.users.insert(name.into(), ours(name, person(name), user(name, access)))
        });
        self
    }

    async fn begin(&self, call: String) -> Result<(), CloudError> {
        let (latency, throttled) = self.with(|state| {
            state.calls.push(call);
            state.under_way += 1;
            state.most_under_way = state.most_under_way.max(state.under_way);
            let now = tokio::time::Instant::now();
            let throttled = state
                .rate
                .zip(state.last_call)
                .is_some_and(|(rate, last)| now.duration_since(last) < rate);
            if !throttled {
                state.last_call = Some(now);
            }
            (state.latency, throttled)
        });
        if latency > Duration::ZERO {
            tokio::time::sleep(latency).await;
        }
        self.with(|state| state.under_way -= 1);
        if throttled { Err(error(ErrorKind::Throttled { after: None })) } else { Ok(()) }
    }
}

#[async_trait]
impl Apply for Fake {
    async fn apply(&self, change: &Change, references: &[VendorId]) -> Result<Applied, CloudError> {
        self.begin(format!("apply {}", change.id)).await?;
        let trick =
            self.with(|state| state.tricks.get_mut(&change.id).and_then(VecDeque::pop_front));
        match trick {
            None => self.with(|state| write(state, &change.step, references)),
            Some(Trick::Fail(kind)) => Err(error(kind)),
            Some(Trick::LoseReply) => {
                self.with(|state| write(state, &change.step, references))?;
                Err(error(ErrorKind::LostReply))
            }
            Some(Trick::ForgetId) => {
                self.with(|state| write(state, &change.step, references))?;
                Ok(Applied::default())
            }
            Some(Trick::Pretend) => Ok(Applied::default()),
            Some(Trick::Hang) => std::future::pending().await,
            Some(Trick::Panic) => panic!("broken on purpose"),
        }
    }

    async fn look(&self, key: &ObjectKey) -> Result<Option<Snapshot>, CloudError> {
        self.begin("look".to_owned()).await?;
        self.with(|state| {
            if let Some(kind) = state.look_tricks.pop_front() {
                return Err(error(kind));
            }
            Ok(match key {
                ObjectKey::User(id) => state.users.get(id).cloned().map(Snapshot::User),
                ObjectKey::UserNamed(name) => state
                    .users
                    .values()
                    .find(|user| user.spec.name == *name)
                    .cloned()
                    .map(Snapshot::User),
                ObjectKey::Group(id) => state.groups.get(id).cloned().map(Snapshot::Group),
                ObjectKey::GroupNamed(name) => state
                    .groups
                    .values()
                    .find(|group| group.spec.name == *name)
                    .cloned()
                    .map(Snapshot::Group),
                ObjectKey::Membership(membership) => {
                    state.members.contains(membership).then_some(Snapshot::Exists)
                }
                ObjectKey::Credential(credential) => {
                    state.credentials.contains(&credential.id).then_some(Snapshot::Exists)
                }
                other => panic!("not part of these tests: {other:?}"),
            })
        })
    }
}

/// Does what a vendor does with a step.
fn write(state: &mut State, step: &Step, references: &[VendorId]) -> Result<Applied, CloudError> {
    let mut outputs = Outputs::new();
    match step {
        Step::User(Life::Create { subject, spec: user }) => {
            if !state.quick && state.users.values().any(|there| there.spec.name == user.name) {
                return Err(error(ErrorKind::AlreadyExists));
            }
            let id = VendorId::new(user.name.as_str());
            state.users.insert(id.clone(), ours(id.as_str(), subject.clone(), (**user).clone()));
            outputs.insert(Output::Id, id);
        }
        Step::Group(Life::Create { subject, spec: group }) => {
            if state.groups.values().any(|there| there.spec.name == group.name) {
                return Err(error(ErrorKind::AlreadyExists));
            }
            let id = VendorId::new(group.name.as_str());
            state.groups.insert(id.clone(), ours(id.as_str(), subject.clone(), group.clone()));
            outputs.insert(Output::Id, id);
        }
        Step::Group(Life::Update { id, after, .. }) => {
            state.groups.get_mut(id).ok_or_else(|| error(ErrorKind::NotFound))?.spec =
                after.clone();
        }
        Step::User(Life::Retire { id, on, .. }) => {
            let user = state.users.get_mut(id).ok_or_else(|| error(ErrorKind::NotFound))?;
            user.spec.access = user.spec.access.suspended(*on);
        }
        Step::User(Life::Delete { id, .. }) => {
            state.users.remove(id).ok_or_else(|| error(ErrorKind::NotFound))?;
        }
        Step::RevokeCredential { credential, .. } => {
            if !state.credentials.remove(&credential.id) {
                return Err(error(ErrorKind::NotFound));
            }
        }
        Step::AddMember { .. } => {
            let membership =
                Membership { group: references[0].clone(), user: references[1].clone() };
            if !state.members.insert(membership) {
                return Err(error(ErrorKind::AlreadyExists));
            }
        }
        Step::RemoveMember { .. } => {
            let membership =
                Membership { group: references[0].clone(), user: references[1].clone() };
            if !state.members.remove(&membership) {
                return Err(error(ErrorKind::NotFound));
            }
        }
        other => panic!("not part of these tests: {other:?}"),
    }
    Ok(Applied { outputs, request_id: Some("request-1".to_owned()), ..Applied::default() })
}

struct Blind;

#[async_trait]
impl Observe for Blind {
    async fn observe(&self) -> Reading<ObservedAccount> {
        panic!("the executor never observes");
    }

    async fn credentials(&self, _: &[VendorId]) -> Reading<Vec<Credential>> {
        panic!("the executor never observes");
    }
}

pub fn error(kind: ErrorKind) -> CloudError {
    CloudError::new(kind, "Operation", "object", "as the script says")
}

pub fn place(account: &str) -> Place {
    Place { organisation: "spi".into(), account: account.into() }
}

pub fn person(name: &str) -> Subject {
    Subject::Person { directory: "debian".into(), stable_id: name.into() }
}

pub fn group_subject(name: &str) -> Subject {
    Subject::Group(GroupRef { directory: "debian".into(), group: name.into() })
}

pub fn user(name: &str, access: Access) -> UserSpec {
    UserSpec { name: name.into(), display_name: None, email: None, access }
}

pub fn suspended() -> Access {
    Access::Enabled.suspended(date(2026, 10, 1))
}

pub fn ours<T>(id: &str, subject: Subject, spec: T) -> Observed<T> {
    Observed { id: id.into(), ownership: Ownership::Ours(subject), spec }
}

pub fn create_user(name: &str) -> Step {
    Step::User(Life::Create { subject: person(name), spec: Box::new(user(name, Access::Enabled)) })
}

pub fn create_group(name: &str) -> Step {
    Step::Group(Life::Create {
        subject: group_subject(name),
        spec: GroupSpec { name: name.into() },
    })
}

pub fn suspend_user(name: &str) -> Step {
    Step::User(Life::Retire {
        id: name.into(),
        subject: person(name),
        before: Box::new(user(name, Access::Enabled)),
        on: date(2026, 11, 22),
    })
}

pub fn delete_user(name: &str) -> Step {
    Step::User(Life::Delete {
        id: name.into(),
        subject: person(name),
        before: Box::new(user(name, suspended())),
    })
}

pub fn known(name: &str) -> Target {
    Target { id: Reference::Known(name.into()), name: name.into() }
}

pub fn made(by: u32, name: &str) -> Target {
    Target { id: Reference::Made { by: ChangeId(by), output: Output::Id }, name: name.into() }
}

pub fn add_member(group: Target, user: Target) -> Step {
    let subject = person(user.name.as_str());
    Step::AddMember { group, user, subject }
}

pub fn remove_member(group: &str, user: &str) -> Step {
    Step::RemoveMember { group: known(group), user: known(user), subject: Some(person(user)) }
}

/// Changes of one or more accounts, numbered in the order given.
pub fn plan(changes: Vec<(&str, Step, Vec<u32>)>) -> Plan {
    let mut plan = Plan::empty(date(2026, 11, 22));
    plan.changes = (0..)
        .zip(changes)
        .map(|(id, (account, step, needs))| {
            Change::new(
                ChangeId(id),
                Arc::new(place(account)),
                step,
                needs.into_iter().map(ChangeId).collect(),
                Arc::new([]),
            )
        })
        .collect();
    plan
}

/// A plan in one account, without needs.
pub fn simple(steps: Vec<Step>) -> Plan {
    plan(steps.into_iter().map(|step| ("hub", step, Vec::new())).collect())
}

/// Approved with room for this many removals of each kind.
pub fn approve(plan: Plan, removals: u32) -> ApprovedPlan {
    let mut limits = Limits::default();
    for limit in limits.kinds.values_mut() {
        *limit = Limit { count: removals, percent: 100, floor: removals };
    }
    let policies = Policies { limits, ..Policies::default() };
    review(plan, &Context::new(&policies)).approved
}

pub fn connect<const N: usize>(accounts: [(&str, &Fake, usize); N]) -> BTreeMap<Place, Connection> {
    accounts
        .into_iter()
        .map(|(account, fake, concurrency)| {
            let connection =
                Connection { observe: Arc::new(Blind), apply: Arc::new(fake.clone()), concurrency };
            (place(account), connection)
        })
        .collect()
}

/// Carries out a plan in one account, everything approved, and returns the events with it.
pub async fn run(fake: &Fake, plan: Plan) -> (Outcomes, Vec<Event>) {
    run_in(&connect([("hub", fake, 4)]), plan).await
}

/// Carries out a plan, everything approved.
pub async fn run_in(
    connections: &BTreeMap<Place, Connection>,
    plan: Plan,
) -> (Outcomes, Vec<Event>) {
    let mut events = Vec::new();
    let mut reader = |event: &Event| -> Result<(), EventsError> {
        events.push(event.clone());
        Ok(())
    };
    let interrupt = CancellationToken::new();
    let approved = approve(plan, u32::MAX);
    let outcomes =
        execute(&approved, connections, &NoSinks, Options::default(), &mut reader, &interrupt)
            .await;
    (outcomes, events)
}
