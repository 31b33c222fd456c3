//! Keys of service accounts, from the inventory to the sink and to their end.

mod carried_out;
mod commands;
mod days;
mod guarded;
mod jobs;
mod simulation;
mod sinks;
mod store;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reconcile::apply::{Options, Outcomes};
use reconcile::cloud::memory::config::KEY_TAG;
use reconcile::inventory::ServiceIdentity;
use reconcile::model::{Handovers, IssuedKey, KeyRotation, SinkName, VendorId};
use reconcile::plan::{Plan, Step};
use reconcile::sink::{Recipient, SinkError, Sinks};
use tokio::sync::Notify;

use crate::engine::run::Cloud;
use crate::engine::world::{Model, ServiceModel};

const ACCOUNT: &str = "100000000001";

/// A sink that remembers what it took, and does not always take something.
#[derive(Default)]
struct Memory {
    taken: Mutex<Vec<VendorId>>,
    mood: Mutex<Mood>,
    /// Told when the process is killed.
    kill: Arc<Notify>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Takes,
    /// Says so when it is asked.
    Closed,
    /// Says so only when there is a key.
    Refuses,
    /// The process is killed before anything was taken.
    KilledBefore,
    /// The process is killed when it was taken.
    KilledAfter,
}

impl Memory {
    fn taken(&self) -> Vec<VendorId> {
        self.taken.lock().unwrap().clone()
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

#[async_trait]
impl Sinks for Memory {
    async fn check(&self, _: &SinkName, _: &Recipient<'_>) -> Result<(), SinkError> {
        let mood = *self.mood.lock().unwrap();
        if mood == Mood::Closed { Err(SinkError::Unknown) } else { Ok(()) }
    }

    async fn deliver(
        &self,
        sink: &SinkName,
        to: &Recipient<'_>,
        key: &IssuedKey,
    ) -> Result<(), SinkError> {
        assert_eq!((sink.as_str(), to.service.as_str()), ("store", "ci"));
        let mood = *self.mood.lock().unwrap();
        if !matches!(mood, Mood::Refuses | Mood::KilledBefore) {
            self.taken.lock().unwrap().push(key.id.clone());
        }
        match mood {
            Mood::Takes | Mood::Closed => Ok(()),
            Mood::Refuses => Err(SinkError::Refused { status: 403 }),
            Mood::KilledBefore | Mood::KilledAfter => {
                self.kill.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// An organisation with one service account that has a key.
struct Robot {
    cloud: Cloud,
    model: Model,
    sink: Memory,
}

impl Robot {
    fn new() -> Self {
        let mut model = Model::simple();
        let service = ServiceModel {
            role: "operator".to_owned(),
            accounts: ["hub".to_owned()].into(),
            until: None,
            identity: ServiceIdentity::Key(KeyRotation {
                after_days: 90,
                overlap_days: 7,
                sink: "store".into(),
            }),
        };
        model.services.insert("ci".to_owned(), service);
        Self { cloud: Cloud::new(), model, sink: Memory::default() }
    }

    async fn run(&self) -> (Plan, Outcomes) {
        let ran = self.cloud.run_into(&self.model.given(), Options::default(), &self.sink).await;
        (ran.plan, ran.outcomes)
    }

    /// A run in which everything happens; what it did about keys, in words.
    async fn well(&self) -> Vec<String> {
        let (plan, outcomes) = self.run().await;
        assert_eq!(outcomes.counts().failed + outcomes.counts().skipped, 0, "{outcomes:?}");
        about_keys(&plan)
    }

    fn days_pass(&mut self, days: i64) {
        self.model.days_pass(days);
    }

    fn user(&self) -> Option<VendorId> {
        let state = self.cloud.dump();
        state.account(ACCOUNT).users.named("ci").map(|user| user.id.as_str().into())
    }

    /// The keys there are, sorted.
    fn keys(&self) -> Vec<VendorId> {
        let state = self.cloud.dump();
        let Some(user) = self.user() else { return Vec::new() };
        state.account(ACCOUNT).credentials_of(user.as_str()).map(|(id, _)| id.into()).collect()
    }

    /// What is noted on the user.
    fn noted(&self) -> Handovers {
        let state = self.cloud.dump();
        let user = state.account(ACCOUNT).users.named("ci");
        let tag = user.and_then(|user| user.tags.get(KEY_TAG));
        tag.map(|text| Handovers::parse(text)).unwrap_or_default()
    }

    /// The keys there are that were handed over, newest first.
    fn handed_over(&self) -> Vec<VendorId> {
        let noted = self.noted();
        let mut keys: Vec<_> =
            self.keys().into_iter().filter_map(|key| Some((noted.of(&key)?, key))).collect();
        keys.sort();
        keys.into_iter().rev().map(|(_, key)| key).collect()
    }
}

/// The steps about keys, in words.
fn about_keys(plan: &Plan) -> Vec<String> {
    let words = |step: &Step| match step {
        Step::IssueCredential { .. } => Some("issue".to_owned()),
        Step::RevokeCredential { credential, replaced_by, .. } => {
            let by = replaced_by.as_ref().map_or("nothing".to_owned(), ToString::to_string);
            Some(format!("revoke {} for {by}", credential.id))
        }
        _ => None,
    };
    plan.changes.iter().filter_map(|change| words(&change.step)).collect()
}
