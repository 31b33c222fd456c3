//! Lives of small organisations whose directory answers with success and not with the truth, and
//! whose inventory and policies somebody edits without care. Every run goes the way of production,
//! and after every run nobody may have gained or lost anything on a reading not believed, or beyond
//! a limit, whatever the verb; a [`judge`] who knows nothing of the program's rules looks.

mod judge;
mod office;
mod readings;
mod world;

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reconcile::cloud::memory::Fault;
use reconcile::cloud::memory::service::fault::Faults;
use reconcile::diagnostic::Finding;
use reconcile::model::VendorId;

use super::super::oracle;
use super::super::run::{on_a_fast_clock, story};
use judge::{Judge, Scene};
use office::{Office, Ran};
use readings::Answer;
use world::{DIRECTORY, Edit, World};

/// One life in so many has its memory on a disk.
const ON_DISK: u64 = 257;

/// Lives one life.
pub fn simulate(seed: u64, told: bool) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed);
    let mut life = Life {
        office: Office::new(seed.is_multiple_of(ON_DISK)),
        right: World::random(&mut rng),
        rng,
        edits: Vec::new(),
        judge: Judge::default(),
        lied: None,
        now: midday(jiff::civil::date(2026, 11, 1)),
        told,
        story: Vec::new(),
    };
    let result = on_a_fast_clock(life.live());
    result.map_err(|wrong| format!("{}\n\n{wrong}\n\n{:#?}", life.story.join("\n"), life.right))
}

fn midday(day: Date) -> Timestamp {
    let noon = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("a day of the calendar");
    noon.timestamp()
}

struct Life {
    rng: Rng,
    office: Office,
    right: World,
    edits: Vec<Edit>,
    judge: Judge,
    /// The last answer that was not true.
    lied: Option<Answer>,
    now: Timestamp,
    told: bool,
    story: Vec<String>,
}

impl Life {
    async fn live(&mut self) -> Result<(), String> {
        self.run(false).await?;
        self.add_keys();
        for _ in 0..self.rng.u8(2..5) {
            self.step();
            let lies = self.rng.u8(..3) > 0;
            self.run(lies).await?;
        }
        self.settle().await
    }

    /// Time passes; something happens; somebody edits.
    fn step(&mut self) {
        let hours = *self.rng.choice([1, 6, 20, 25, 100].iter()).unwrap_or(&1);
        self.pass(hours);
        for _ in 0..self.rng.u8(..3) {
            self.right.happen(&mut self.rng);
        }
        if self.rng.u8(..4) == 0 {
            self.edits.clear();
        }
        for _ in 0..self.rng.u8(..3) {
            let Some(edit) = self.right.careless(&mut self.rng) else { continue };
            self.tell(|| format!("{edit:?}"));
            self.edits.push(edit);
        }
    }

    fn pass(&mut self, hours: i64) {
        self.now += SignedDuration::from_hours(hours);
        let today = self.now.to_zoned(TimeZone::UTC).date();
        self.right.model.today = today;
    }

    fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.told {
            self.story.push(line());
        }
    }

    /// Some people have keys.
    fn add_keys(&mut self) {
        let state = self.office.cloud.dump();
        let hub = &self.right.model.accounts["hub"].id;
        for user in state.account(hub).users.after(None) {
            if self.rng.bool() {
                let id = VendorId::new(user.id.as_str());
                self.office.cloud.world.add_credential(hub, &id, "access-key").expect("memory");
            }
        }
    }

    fn answer(&mut self, lies: bool) -> Answer {
        let mut answer = Answer::true_one(&self.right.model.directories[DIRECTORY]);
        if lies {
            // What was not believed once is told again.
            if let Some(again) = self.lied.take().filter(|_| self.rng.u8(..3) == 0) {
                answer = again;
            } else {
                let lie = answer.lie(&mut self.rng);
                self.tell(|| lie);
            }
            self.lied = Some(answer.clone());
        }
        self.tell(|| answer.to_string());
        let path = self.office.root().join(format!("{DIRECTORY}.ldif"));
        std::fs::write(path, answer.ldif()).expect("a writable folder");
        answer
    }

    /// A run that nobody approved.
    async fn run(&mut self, lies: bool) -> Result<(), String> {
        let answer = self.answer(lies);
        let written = self.right.edited(&self.edits);
        let before = self.office.cloud.dump();
        let seed = self.rng.u64(..);
        self.weather();
        let ran = self.office.run(&written.given(), self.now, false, seed).await;
        self.office.cloud.world.faults(Faults::clear);
        self.tell_run(&ran);
        let after = self.office.cloud.dump();
        let (right, now) = (&self.right, self.now);
        let scene = Scene {
            now,
            right,
            written: &written,
            answer: &answer,
            before: &before,
            after: &after,
        };
        let wrong = self.judge.verdict(&scene);
        if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:#?}")) }
    }

    /// In some runs the vendor fails as well, at any call: what was read of it is not all there is,
    /// and what was begun is not ended.
    fn weather(&mut self) {
        let probability = [0.0, 0.0, 0.02, 0.2][self.rng.usize(..4)];
        let seed = self.rng.u64(..);
        let kinds: Vec<Fault> = Fault::ALL
            .into_iter()
            .filter(|fault| !matches!(fault, Fault::CrashBefore | Fault::CrashAfter))
            .collect();
        self.tell(|| format!("faults: {probability}"));
        self.office.cloud.world.faults(|faults| faults.seeded(seed, probability, &kinds));
    }

    fn tell_run(&mut self, ran: &Ran) {
        let now = self.now;
        self.tell(|| {
            let review = &ran.prepared.review;
            let violations: Vec<String> = review
                .violations
                .iter()
                .map(|one| format!("{:?}: {} {:?}", one.rule, one.message, one.holds))
                .collect();
            format!(
                "run at {now}\n{}\n{}\n{:?}",
                story(review.approved.plan()),
                violations.join("\n"),
                ran.outcomes.by_change
            )
        });
    }

    /// Everything is put right, and an administrator approves what the program asks for: then all
    /// is as it should be, and nothing is left to do.
    async fn settle(&mut self) -> Result<(), String> {
        self.edits.clear();
        self.right.put_right();
        let right = self.right.clone();
        let settled = self.towards(&right).await;
        let findings = settled.ok_or("it does not settle")?;
        let wrong = oracle::wrong(&self.right.model, &self.office.cloud.dump(), &findings);
        if wrong.is_empty() { Ok(()) } else { Err(format!("settled, and {wrong:#?}")) }
    }

    /// Runs with approvals, until there is nothing to do; what is then still found.
    async fn towards(&mut self, world: &World) -> Option<Vec<Finding>> {
        let mut world = world.clone();
        for _ in 0..7 {
            self.pass(25);
            world.model.today = self.right.model.today;
            self.answer(false);
            let given = world.given();
            let seed = self.rng.u64(..);
            let ran = self.office.run(&given, self.now, true, seed).await;
            self.tell_run(&ran);
            let plan = ran.prepared.review.approved.plan();
            if plan.changes.is_empty() {
                return Some(plan.findings.clone());
            }
        }
        None
    }
}
