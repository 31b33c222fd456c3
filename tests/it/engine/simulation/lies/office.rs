//! Runs as production makes them: gathered, prepared, reviewed, carried out, remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reconcile::apply::{Options, Outcomes};
use reconcile::cloud::Vendor;
use reconcile::directory::Access;
use reconcile::guard::Recent;
use reconcile::operator::Operator;
use reconcile::plan::{Narrowing, PlanDigest};
use reconcile::record::{EndFacts, InputVersion, Records, RunFacts, RunId};
use reconcile::run::{
    Baseline, Gathered, Known, Past, Prepared, Sources, carry_out, gather, gather_forgotten,
    prepare, taken,
};
use reconcile::sink::NoSinks;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::super::super::run::{self, Cloud};
use super::super::super::world::Given;

/// Where the program is installed, with all it remembers.
pub struct Office {
    pub cloud: Cloud,
    vendors: [Arc<dyn Vendor>; 1],
    folder: TempDir,
    operator: Operator,
    baseline: Baseline,
    known: Known,
    /// What runs took away, where it is not kept in a record.
    taken: Vec<(Timestamp, Recent)>,
    /// What is remembered goes through the state folder, and what was done through the record. That
    /// takes time (everything is synchronised), so that few lives have it.
    on_disk: bool,
    last_run: Option<Timestamp>,
}

/// What a run did.
pub struct Ran {
    pub prepared: Prepared,
    pub outcomes: Outcomes,
}

impl Office {
    pub fn new(on_disk: bool) -> Self {
        let cloud = Cloud::new();
        let vendor: Arc<dyn Vendor> = Arc::new(cloud.vendor.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let baseline = Baseline::read(folder.path()).expect("none yet");
        Self {
            cloud,
            vendors: [vendor],
            folder,
            operator: Operator::default(),
            baseline,
            known: Known::default(),
            taken: Vec::new(),
            on_disk,
            last_run: None,
        }
    }

    /// The folder in which the people of the directories are.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    fn records(&self, now: Timestamp) -> Records {
        Records::open(self.folder.path(), Arc::new(move || now))
    }

    fn past(&self, now: Timestamp) -> Past {
        if self.on_disk {
            return Past::read(self.folder.path(), &self.records(now), now);
        }
        let since = now - SignedDuration::from_hours(24);
        let mut recent = Recent::default();
        for (_, taken) in self.taken.iter().filter(|(time, _)| *time >= since) {
            recent.add(taken);
        }
        Past { known: self.known.clone(), recent: self.last_run.map(|_| recent) }
    }

    fn sources<'a>(&'a self, given: &'a Given) -> Sources<'a> {
        Sources {
            inventory: &given.inventory,
            policies: &given.policies,
            topology: reconcile::mirrors::Topology::none(),
            vendors: &self.vendors,
            organisations: BTreeSet::new(),
            access: Access {
                root: self.folder.path(),
                operator: &self.operator,
                environment: &|_| None,
            },
            today: given.today,
        }
    }

    async fn look(
        &self,
        given: &Given,
        now: Timestamp,
        approved: Option<PlanDigest>,
    ) -> (Gathered, Prepared) {
        let sources = self.sources(given);
        let past = self.past(now);
        let mut gathered = gather(&sources).await;
        gather_forgotten(&sources, &past.known, &mut gathered).await;
        let gathered = gathered.at(now, self.last_run);
        let everything = Narrowing::default();
        let prepared =
            prepare(&sources, &gathered, &self.baseline, &past, Vec::new(), &everything, approved);
        (gathered, prepared)
    }

    /// A run; `approve` says whether somebody approves what it asks for, having looked at it.
    pub async fn run(&mut self, given: &Given, now: Timestamp, approve: bool, seed: u64) -> Ran {
        let (mut gathered, mut prepared) = self.look(given, now, None).await;
        if approve && !prepared.review.approvable.is_empty() {
            let digest = prepared.review.approved.plan().digest();
            (gathered, prepared) = self.look(given, now, Some(digest)).await;
        }
        let options = Options { seed, ..Options::default() };
        let outcomes = if self.on_disk {
            self.with_a_record(&gathered, &prepared, options, now).await
        } else {
            run::carry_out(&prepared.review, &gathered.connections, options).await
        };
        self.taken.push((now, taken(&prepared, &outcomes)));
        self.remember(given, &gathered, &prepared, &outcomes);
        self.last_run = Some(now);
        Ran { prepared, outcomes }
    }

    async fn with_a_record(
        &self,
        gathered: &Gathered,
        prepared: &Prepared,
        options: Options,
        now: Timestamp,
    ) -> Outcomes {
        let writer = self.records(now).start(RunId::random(), facts()).expect("a record");
        let mut watch = |_: &reconcile::event::Event| Ok(());
        let interrupt = CancellationToken::new();
        let connections = &gathered.connections;
        let carried = carry_out(
            &prepared.review,
            connections,
            &NoSinks,
            options,
            writer,
            &mut watch,
            &interrupt,
        );
        let mut carried = carried.await.expect("a record that can be written");
        carried.writer.taken(taken(prepared, &carried.outcomes));
        carried.writer.end(EndFacts { exit_code: 0 }).expect("a record that can be ended");
        carried.outcomes
    }

    fn remember(
        &mut self,
        given: &Given,
        gathered: &Gathered,
        prepared: &Prepared,
        outcomes: &Outcomes,
    ) {
        let counts = outcomes.counts();
        let finished = outcomes.stopped.is_none() && counts.failed + counts.skipped == 0;
        let violations = &prepared.review.violations;
        self.baseline.update(gathered, &given.policies, violations, finished, given.today);
        let mut known = if self.on_disk { Known::read(self.root()) } else { self.known.clone() };
        let sources = self.sources(given);
        known.update(&sources, gathered, violations);
        if self.on_disk {
            known.write(self.root(), &sources).expect("a writable folder");
            self.baseline.write(self.root(), gathered).expect("a writable folder");
            self.baseline = Baseline::read(self.root()).expect("what was written");
        }
        self.known = known;
    }
}

fn facts() -> RunFacts {
    RunFacts {
        arguments: vec!["reconcile".into()],
        version: "0.1.0".into(),
        user: "anna".into(),
        host: "tower".into(),
        process: 4711,
        inventory: InputVersion::Commit { commit: "c0ffee".into(), dirty: false },
        inputs: BTreeMap::new(),
        organisations: vec!["spi".into()],
        narrowing: Vec::new(),
        saved_plan: None,
        clock_doubts: Vec::new(),
    }
}
