//! One run of the engine against an embedded cloud.

use std::collections::BTreeMap;

use reconcile::apply::{Options, Outcomes, execute};
use reconcile::cloud::memory::service::state::State;
use reconcile::cloud::memory::{MemoryVendor, MemoryWorld};
use reconcile::cloud::{Connection, Vendor as _};
use reconcile::desired::{Desired, Inputs, resolve};
use reconcile::event::Event;
use reconcile::guard::{Context, Review, review};
use reconcile::model::{Place, Site, VendorFacts};
use reconcile::plan::{DiffInputs, Observations, Plan, credentials_needed, diff};
use reconcile::run::credentials;
use reconcile::sink::{NoSinks, Sinks};
use tokio_util::sync::CancellationToken;

use super::world::{Given, Model};

/// An embedded cloud with all its accounts.
pub struct Cloud {
    pub vendor: MemoryVendor,
    pub world: MemoryWorld,
    facts: [VendorFacts; 1],
}

impl Cloud {
    pub fn new() -> Self {
        let vendor = MemoryVendor::in_memory();
        let world = vendor.world();
        Self { vendor, world, facts: [MemoryVendor::facts()] }
    }

    pub fn dump(&self) -> State {
        self.world.dump().expect("a state in memory can be read")
    }

    pub async fn connect(&self, given: &Given) -> BTreeMap<Place, Connection> {
        let mut connections = BTreeMap::new();
        for entry in given.inventory.accounts.values() {
            let connection =
                self.vendor.connect(&Site::alone(&entry.account)).await.expect("an account id");
            connections.insert(entry.account.place.clone(), connection);
        }
        connections
    }

    /// Who should have what.
    pub fn desired(&self, given: &Given) -> Desired {
        resolve(&Inputs {
            inventory: &given.inventory,
            policies: &given.policies,
            directories: &given.directories,
            vendors: &self.facts,
            today: given.today,
        })
    }

    /// Reads everything a plan needs.
    pub async fn observe(
        &self,
        given: &Given,
        desired: &Desired,
        connections: &BTreeMap<Place, Connection>,
    ) -> Observations {
        let mut observed = Observations::default();
        for (place, connection) in connections {
            observed.accounts.insert(place.clone(), connection.observe.observe().await);
        }
        for (place, users) in credentials_needed(&self.inputs(given, desired, &observed)) {
            let credentials = credentials(&*connections[&place].observe, &users).await;
            observed.credentials.insert(place, credentials);
        }
        observed
    }

    pub fn plan(&self, given: &Given, observed: &Observations) -> Plan {
        self.plan_for(given, &self.desired(given), observed)
    }

    pub fn plan_for(&self, given: &Given, desired: &Desired, observed: &Observations) -> Plan {
        diff(&self.inputs(given, desired, observed))
    }

    fn inputs<'a>(
        &'a self,
        given: &Given,
        desired: &'a Desired,
        observed: &'a Observations,
    ) -> DiffInputs<'a> {
        DiffInputs {
            desired,
            observed,
            vendors: &self.facts,
            grace_days: given.policies.grace_days,
            today: given.today,
        }
    }

    /// What would be done.
    pub async fn dry_run(&self, model: &Model) -> Plan {
        let given = model.given();
        let connections = self.connect(&given).await;
        let desired = self.desired(&given);
        let observed = self.observe(&given, &desired, &connections).await;
        self.plan_for(&given, &desired, &observed)
    }

    /// Plans, reviews and carries out.
    pub async fn run(&self, given: &Given, options: Options) -> Ran {
        self.run_into(given, options, &NoSinks).await
    }

    /// The same, with somewhere for new keys to go.
    pub async fn run_into(&self, given: &Given, options: Options, sinks: &dyn Sinks) -> Ran {
        let connections = self.connect(given).await;
        let desired = self.desired(given);
        let observed = self.observe(given, &desired, &connections).await;
        let plan = self.plan_for(given, &desired, &observed);
        let review = review(plan, &Context::new(&given.policies));
        let outcomes = carry_out_into(&review, &connections, options, sinks).await;
        Ran { plan: review.approved.plan().clone(), outcomes }
    }
}

/// What a run did.
pub struct Ran {
    pub plan: Plan,
    pub outcomes: Outcomes,
}

pub async fn carry_out(
    review: &Review,
    connections: &BTreeMap<Place, Connection>,
    options: Options,
) -> Outcomes {
    carry_out_into(review, connections, options, &NoSinks).await
}

async fn carry_out_into(
    review: &Review,
    connections: &BTreeMap<Place, Connection>,
    options: Options,
    sinks: &dyn Sinks,
) -> Outcomes {
    let mut events = |_: &Event| Ok(());
    let interrupt = CancellationToken::new();
    execute(&review.approved, connections, sinks, options, &mut events, &interrupt).await
}

/// Runs something on a clock that costs no time.
pub fn on_a_fast_clock<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(work)
}

/// A plan as people read it in a failing test.
pub fn story(plan: &Plan) -> String {
    let mut lines: Vec<String> = plan
        .changes
        .iter()
        .map(|change| {
            let needs: Vec<String> = change.needs.iter().map(ToString::to_string).collect();
            let reasons: Vec<String> = change.reasons.iter().map(ToString::to_string).collect();
            format!(
                "{} {}: {} {} {:?} [needs {}] ({})",
                change.id,
                change.place,
                change.step.verb(),
                change.step.object(),
                change.step.subject().map(ToString::to_string),
                needs.join(" "),
                reasons.join("; ")
            )
        })
        .collect();
    lines.extend(plan.findings.iter().map(|one| format!("{}: {}", one.code, one.message)));
    lines.extend(plan.withheld.iter().map(|one| format!("{one:?}")));
    lines.extend(plan.incomplete.iter().map(|one| format!("{one:?}")));
    lines.join("\n")
}
