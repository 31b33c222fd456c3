//! Lives of mirrors, beside people: the topology is edited, somebody meddles at the vendor, calls
//! fail, the program is killed, time goes by. A [`judge`] looks after every single write.
//!
//! `RECONCILE_SEED=4711` lives that one again, and a failure says which one it was;
//! `RECONCILE_SEEDS` lives so many.

mod hand;
mod judge;
pub mod written;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reconcile::apply::{Options, Outcomes, execute};
use reconcile::cloud::Vendor;
use reconcile::cloud::memory::service::fault::Faults;
use reconcile::cloud::memory::service::life::Times;
use reconcile::cloud::memory::{Fault, MemoryVendor, MemoryWorld};
use reconcile::directory::Access;
use reconcile::event::{Event, Outcome};
use reconcile::inventory::{Loaded, SourceTree, load};
use reconcile::operator::Operator;
use reconcile::plan::{Narrowing, Plan, Step, lint};
use reconcile::run::{Baseline, Past, Sources, gather, prepare};
use reconcile::sink::NoSinks;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::super::engine::run::{on_a_fast_clock, story};
use hand::Hands;
use judge::{By, Judge};
use written::{ACCOUNTS, INVENTORY, PEOPLE, Person, Written, policies};

/// In a normal run, and where `CI` is set: a life takes 0.07 seconds of a processor, so that
/// these are 17 seconds and 70. (10,000 would be six minutes on two processors; `RECONCILE_SEEDS`
/// lives them.)
const SEEDS: (u64, u64) = (240, 1_000);
const SHARDS: u64 = 8;
/// So many runs with half a day between them at most, until all is as it should be: the longest
/// chain of parts has five links, each may have to be begun, to settle, to drain for a day and to
/// go, and two generations may do so one after the other.
const RUNS: usize = 40;

macro_rules! shards {
    ($($name:ident $number:literal)*) => {$(
        #[test]
        fn $name() {
            shard($number);
        }
    )*};
}

shards! {
    random_0 0 random_1 1 random_2 2 random_3 3 random_4 4 random_5 5 random_6 6 random_7 7
}

fn shard(number: u64) {
    let from_environment =
        |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let usual = if std::env::var_os("CI").is_some() { SEEDS.1 } else { SEEDS.0 };
    let seeds = match from_environment("RECONCILE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_environment("RECONCILE_SEEDS").unwrap_or(usual),
    };
    for seed in seeds.filter(|seed| seed % SHARDS == number) {
        if simulate(seed, false).is_err() {
            let story = simulate(seed, true).expect_err("the same seed is the same life");
            panic!("RECONCILE_SEED={seed}\n{story}");
        }
    }
}

fn simulate(seed: u64, told: bool) -> Result<(), String> {
    let mut life = Life::new(seed, told);
    let result = on_a_fast_clock(life.live());
    result.map_err(|wrong| format!("{}\n\n{wrong}\n\n{:#?}", life.story.join("\n"), life.written))
}

struct Life {
    rng: Rng,
    vendor: [Arc<dyn Vendor>; 1],
    world: MemoryWorld,
    folder: tempfile::TempDir,
    operator: Operator,
    baseline: Baseline,
    written: Written,
    loaded: Option<(String, Loaded)>,
    hands: Hands,
    judge: Judge,
    told: bool,
    story: Vec<String>,
}

/// What a run got to before it ended, one way or another.
#[derive(Default)]
struct Progress {
    plan: Option<Plan>,
    incomplete: BTreeSet<String>,
    outcomes: Option<Outcomes>,
}

/// How the vendor behaves during a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Weather {
    faults: f64,
    kill: Option<(u64, Fault)>,
}

const FAIR: Weather = Weather { faults: 0.0, kill: None };

impl Life {
    fn new(seed: u64, told: bool) -> Self {
        let memory = MemoryVendor::in_memory();
        let world = memory.world();
        world.set_clock("2026-11-01T12:00:00Z".parse().expect("a time"));
        let folder = tempfile::tempdir().expect("a folder");
        let mut rng = Rng::with_seed(seed);
        Self {
            vendor: [Arc::new(memory)],
            world,
            operator: Operator::default(),
            baseline: Baseline::read(folder.path()).expect("none"),
            folder,
            written: Written::random(&mut rng),
            rng,
            loaded: None,
            hands: Hands::default(),
            judge: Judge::default(),
            told,
            story: Vec::new(),
        }
    }

    fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.told {
            self.story.push(line());
        }
    }

    async fn live(&mut self) -> Result<(), String> {
        if self.rng.u8(..6) == 0 {
            // Its mirrors wait for certificates until the end.
            self.world.behave(|behaviour| {
                behaviour.times.certificate_issues = Duration::from_hours(24 * 100);
            });
        }
        if self.rng.u8(..5) > 0 {
            for _ in 0..7 {
                self.wait(Duration::from_hours(13))?;
                self.run(FAIR).await?;
            }
        }
        for _ in 0..self.rng.u8(4..12) {
            self.step()?;
            let weather = self.weather();
            self.run(weather).await?;
        }
        self.settle().await
    }

    /// Something happens, and time goes by.
    fn step(&mut self) -> Result<(), String> {
        for _ in 0..self.rng.u8(..3) {
            let what = match self.rng.u8(..10) {
                0..=5 => self.written.edit(&mut self.rng),
                6..=7 => {
                    let what = self.hands.meddle(&mut self.rng, &self.world);
                    self.look(By::Hand)?;
                    what
                }
                _ => self.written.move_person(&mut self.rng),
            };
            self.tell(|| format!("> {what}"));
            self.judge.read(&self.written);
        }
        let minutes = *self.rng.choice(&[1, 3, 6, 60, 800, 1500, 3000, 4400]).expect("several");
        self.wait(Duration::from_mins(minutes))
    }

    fn wait(&mut self, span: Duration) -> Result<(), String> {
        self.world.advance(span);
        self.tell(|| format!("> {} minutes", span.as_secs() / 60));
        self.look(By::Itself)
    }

    fn look(&mut self, by: By) -> Result<(), String> {
        self.judge.read(&self.written);
        let state = self.world.dump().expect("memory");
        let wrong = self.judge.look(&state, &self.world.moment(), by);
        if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:#?}")) }
    }

    fn weather(&mut self) -> Weather {
        let faults = [0.0, 0.0, 0.02, 0.1, 0.3][self.rng.usize(..5)];
        let at = self.world.calls() + self.rng.u64(1..50);
        let fault = if self.rng.bool() { Fault::CrashBefore } else { Fault::CrashAfter };
        let kill = (self.rng.u8(..4) == 0).then_some((at, fault));
        Weather { faults, kill }
    }

    fn today(&self) -> Date {
        self.world.now().to_zoned(TimeZone::UTC).date()
    }

    /// What is written, read; most runs read what the run before them read. Nothing in it ends on
    /// some day.
    fn load(&mut self) -> Loaded {
        let topology = self.written.topology();
        let key = format!("{} {topology}", self.written.limit);
        match self.loaded.take() {
            Some((text, loaded)) if text == key => loaded,
            _ => {
                let policies = policies(self.written.limit);
                let files = [
                    ("inventory/all.yaml", INVENTORY),
                    ("policies/all.yaml", policies.as_str()),
                    ("mirrors/all.yaml", topology.as_str()),
                    ("mirrors/debian.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
                ];
                let loaded =
                    load(&SourceTree::from_files(files), &[MemoryVendor::facts()], self.today());
                assert!(!loaded.has_errors(), "{:#?}\n{topology}", loaded.findings);
                loaded
            }
        }
    }

    /// One run, killed or not, judged by each of its writes.
    async fn run(&mut self, weather: Weather) -> Result<Progress, String> {
        let loaded = self.load();
        std::fs::write(self.folder.path().join("people.ldif"), self.written.ldif())
            .expect("a file");
        let seed = self.rng.u64(..);
        self.world.faults(|faults| {
            faults.seeded(seed, weather.faults, &Fault::ALL);
            if let Some((at, fault)) = weather.kill {
                faults.at(at, fault);
            }
        });
        let before = self.world.dump().expect("memory");
        self.world.clear_log();
        self.world.record();
        let crashed = Arc::new(Notify::new());
        let notify = Arc::clone(&crashed);
        self.world.on_crash(move || notify.notify_one());
        let progress = Mutex::new(Progress::default());
        let killed = tokio::select! {
            biased;
            () = crashed.notified() => true,
            () = self.to_its_end(&loaded, seed, &progress) => false,
        };
        self.world.restart();
        self.world.faults(Faults::clear);
        let progress = progress.into_inner().expect("nobody panicked");
        self.tell_run(weather, killed, &progress);
        let key = format!("{} {}", self.written.limit, self.written.topology());
        self.loaded = Some((key, loaded));
        let (mut state, moment) = (before, self.world.moment());
        for mutation in self.world.recorded() {
            let wrong = self.judge.write(&state, &mutation, &moment);
            if !wrong.is_empty() {
                return Err(format!("{wrong:#?}\nafter {mutation:?}"));
            }
            state.apply(&mutation);
        }
        assert!(state == self.world.dump().expect("memory"), "every write is recorded");
        let mut wrong = of_plan(&progress);
        if weather == FAIR {
            wrong.extend(self.people());
        }
        if wrong.is_empty() { Ok(progress) } else { Err(format!("{wrong:#?}")) }
    }

    async fn to_its_end(&self, loaded: &Loaded, seed: u64, progress: &Mutex<Progress>) {
        let sources = Sources {
            inventory: &loaded.inventory,
            policies: &loaded.policies,
            topology: &loaded.topology,
            vendors: &self.vendor,
            organisations: BTreeSet::new(),
            access: Access {
                root: self.folder.path(),
                operator: &self.operator,
                environment: &|_| None,
            },
            today: self.today(),
        };
        let gathered = gather(&sources).await;
        let (everything, past) = (Narrowing::default(), Past::default());
        let (baseline, findings) = (&self.baseline, Vec::new());
        let prepared = prepare(&sources, &gathered, baseline, &past, findings, &everything, None);
        {
            let mut progress = progress.lock().expect("nobody panicked");
            let parts = gathered.observations.parts.iter();
            let unread = parts.filter(|(_, all)| all.values().any(|one| !one.is_complete()));
            progress.incomplete = unread.map(|(place, _)| place.to_string()).collect();
            progress.plan = Some(prepared.review.approved.plan().clone());
        }
        let (mut events, interrupt) = (|_: &Event| Ok(()), CancellationToken::new());
        let options = Options { seed, ..Options::default() };
        let (approved, connections) = (&prepared.review.approved, &gathered.connections);
        let outcomes =
            execute(approved, connections, &NoSinks, options, &mut events, &interrupt).await;
        progress.lock().expect("nobody panicked").outcomes = Some(outcomes);
    }

    /// Who is in the directory is in, and who left is out, whatever mirrors wait for.
    fn people(&self) -> Vec<String> {
        let state = self.world.dump().expect("memory");
        let account = state.account(ACCOUNTS[0].1);
        let is_in = |name: &str| {
            let user = account.users.named(name).filter(|user| user.enabled);
            user.is_some_and(|user| account.groups_of(&user.id).count() > 0)
        };
        let wrong = |(at, name): &(usize, &str)| {
            is_in(name) != (self.written.people[*at] == Person::Active)
        };
        let all = PEOPLE.into_iter().enumerate().filter(wrong);
        all.map(|(at, name)| format!("{name} is {:?}", self.written.people[at])).collect()
    }

    fn tell_run(&mut self, weather: Weather, killed: bool, progress: &Progress) {
        if !self.told {
            return;
        }
        self.story.push(format!("run at {}, {weather:?}, killed {killed}", self.world.now()));
        let Some(plan) = &progress.plan else { return };
        self.story.push(story(plan));
        for one in &plan.waiting {
            self.story.push(format!("  {} waits: {}", one.object, one.what));
        }
        if let Some(outcomes) = &progress.outcomes {
            self.story.push(format!("{:?}", outcomes.by_change));
        }
        for call in self.world.log().iter().filter(|call| call.wrote || call.fault.is_some()) {
            let (operation, object, fault) = (call.operation, &call.object, call.fault);
            self.story.push(format!("  {operation} {object} {fault:?} wrote {}", call.wrote));
        }
    }

    /// Everything is put right and nothing goes wrong any more: within so many runs all is as it
    /// should be, and another run writes nothing.
    async fn settle(&mut self) -> Result<(), String> {
        self.written.limit = 500;
        self.written.mirrors.values_mut().for_each(|mirror| mirror.written = true);
        self.world.behave(|behaviour| behaviour.times = Times::default());
        self.hands.put_right(&self.world);
        self.look(By::Hand)?;
        for _ in 0..RUNS {
            self.wait(Duration::from_hours(13))?;
            let progress = self.run(FAIR).await?;
            let (Some(plan), Some(outcomes)) = (progress.plan, progress.outcomes) else {
                return Err("a run without faults did not end".to_owned());
            };
            let bad = |one: &&Outcome| !matches!(one, Outcome::Applied | Outcome::Begun { .. });
            if let Some(bad) = outcomes.by_change.iter().find(bad) {
                return Err(format!("with nothing in the way: {bad:?}"));
            }
            if plan.changes.is_empty() && plan.waiting.is_empty() {
                self.run(FAIR).await?;
                if self.world.writes() > 0 {
                    return Err("a run with nothing to do wrote something".to_owned());
                }
                return self.is_as_written();
            }
        }
        Err("it does not settle".to_owned())
    }

    fn is_as_written(&self) -> Result<(), String> {
        let (state, moment) = (self.world.dump().expect("memory"), self.world.moment());
        for (name, mirror) in &self.written.mirrors {
            let all = state.account(mirror.account_id()).resources.after(None);
            let ours: Vec<_> =
                all.filter(|one| judge::part_of(one).is_some_and(|(of, _)| of == *name)).collect();
            if mirror.retired {
                if let Some(left) = ours.first() {
                    return Err(format!("{} is left", left.name));
                }
                continue;
            }
            let image = format!("debian-{}", mirror.image);
            let servers = ours.iter().filter(|one| one.text("image") == image).count();
            let fronts = if mirror.regional { mirror.regions.len() } else { 1 };
            let records = if mirror.regional { 2 * fronts } else { 1 };
            let many = 3 + mirror.servers() as usize + fronts + records;
            if servers != mirror.servers() as usize || ours.len() != many {
                return Err(format!("{name} has {} parts and not {many}", ours.len()));
            }
            let public_name = mirror.public_name(name);
            if !self.judge.is_served_now(&state, &moment, name, &public_name) {
                return Err(format!("{public_name} is not served"));
            }
        }
        Ok(())
    }
}

/// What no plan may be like, and what none may hold that rests on half a reading.
fn of_plan(progress: &Progress) -> Vec<String> {
    let Some(plan) = &progress.plan else { return Vec::new() };
    let mut wrong: Vec<String> = lint(plan).iter().map(ToString::to_string).collect();
    let parts = plan.changes.iter().filter(|change| matches!(change.step, Step::Part { .. }));
    let unproven = parts.filter(|change| progress.incomplete.contains(&change.place.to_string()));
    wrong
        .extend(unproven.map(|change| format!("{} rests on half a reading", change.step.object())));
    wrong
}
