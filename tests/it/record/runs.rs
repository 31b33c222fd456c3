//! Making records for the other tests, and runs that go well or into a wall.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reconcile::event::{Event, Outcome};
use reconcile::guard::{self, Context};
use reconcile::model::{ChangeId, GroupSpec, Place, Private, Reason, Subject, UserSpec};
use reconcile::plan::{Change, Life, Plan, Step};
use reconcile::policies::Policies;
use reconcile::record::{
    EndFacts, Error, Head, InputVersion, Records, RunFacts, RunId, RunWriter, State,
};

pub fn records(state: &Path) -> Records {
    // A second per question, so that lines have different times in a known order.
    let now = AtomicI64::new(1_795_305_600);
    let clock =
        move || Timestamp::from_second(now.fetch_add(1, Ordering::Relaxed)).expect("within range");
    Records::open(state, Arc::new(clock))
}

pub fn facts() -> RunFacts {
    RunFacts {
        arguments: ["reconcile", "--org", "spi"].map(str::to_owned).to_vec(),
        version: "0.1.0".into(),
        user: "anna".into(),
        host: "tower".into(),
        process: 4711,
        inventory: InputVersion::Commit { commit: "c0ffee".into(), dirty: false },
        inputs: BTreeMap::from([("inventory/spi.yaml".into(), "ab".repeat(32))]),
        organisations: vec!["spi".into()],
        narrowing: Vec::new(),
        saved_plan: None,
        clock_doubts: Vec::new(),
    }
}

pub fn start(state: &Path) -> RunWriter {
    records(state).start(RunId::random(), facts()).expect("a run starts")
}

pub fn events(change: u32) -> [Event; 3] {
    let change = ChangeId(change);
    [
        Event::Started { change },
        Event::Called {
            change,
            call: "apply",
            attempt: 1,
            took: Duration::from_millis(12),
            request_id: Some("r-1".into()),
            error: None,
        },
        Event::Ended { change, outcome: Outcome::Applied },
    ]
}

pub fn whole_run(state: &Path) -> Head {
    let mut run = start(state);
    for event in events(0) {
        run.event(&event).expect("an event is written");
    }
    run.end(EndFacts { exit_code: 0 }).expect("a run ends")
}

/// A plan with a personal value in it.
pub fn plan() -> Plan {
    let place = Arc::new(Place { organisation: "spi".into(), account: "hub".into() });
    let subject = Subject::Service("ci".into());
    let user = UserSpec {
        name: "anna".into(),
        display_name: Some(Private::new("Anna Blume".into())),
        email: Some(Private::new("anna@example.org".into())),
        access: reconcile::model::Access::Enabled,
    };
    let reasons: Arc<[Reason]> = Arc::new([Reason::NotInInventory { subject: subject.clone() }]);
    let steps = [
        Step::User(Life::Create { subject: subject.clone(), spec: Box::new(user) }),
        Step::Group(Life::Create { subject, spec: GroupSpec { name: "admin".into() } }),
    ];
    let mut plan = Plan::empty(jiff::civil::date(2026, 11, 22));
    plan.changes = (0..)
        .zip(steps)
        .map(|(id, step)| {
            Change::new(ChangeId(id), Arc::clone(&place), step, Vec::new(), Arc::clone(&reasons))
        })
        .collect();
    plan
}

pub fn write_plan(run: &mut RunWriter) {
    let policies = Policies::default();
    let review = guard::review(plan(), &Context::new(&policies));
    run.plan(&review.approved, &review.violations).expect("a plan is written");
}

pub fn assert_sound(state: &Path) -> Vec<State> {
    let found = records(state).verify(None).expect("the records can be read");
    assert_eq!(found.damage, [], "a false alarm");
    found.runs.iter().map(|run| run.state).collect()
}

#[test]
fn a_run_is_read_back_as_it_was_written() {
    let state = tempfile::tempdir().unwrap();
    let mut run = start(state.path());
    write_plan(&mut run);
    for event in events(1) {
        run.event(&event).unwrap();
    }
    assert_eq!(assert_sound(state.path()), [State::Running]);
    let head = run.end(EndFacts { exit_code: 5 }).unwrap();

    let records = records(state.path());
    let found = records.verify(Some(&head)).unwrap();
    assert_eq!((found.damage, found.head), (Vec::new(), head));
    let run = &found.runs[0];
    assert_eq!((run.number, run.state, run.exit_code), (1, State::Ended, Some(5)));
    assert_eq!(run.start.as_ref().unwrap().facts, facts());
    assert_eq!(run.counts.applied, 1);
    // The first line, the plan, its two changes, three events, the end.
    assert_eq!(records.entries(run).unwrap().len(), 8);
}

#[test]
fn no_personal_value_and_no_secret_is_recorded() {
    let state = tempfile::tempdir().unwrap();
    let mut facts = facts();
    facts.arguments.push("--password=hunter2".into());
    let mut run = records(state.path()).start(RunId::random(), facts).unwrap();
    write_plan(&mut run);
    run.end(EndFacts { exit_code: 0 }).unwrap();
    for file in fs::read_dir(state.path().join("records")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for secret in ["Blume", "example.org", "hunter2"] {
            assert!(!text.contains(secret), "{secret} is in the record");
        }
    }
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let state = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..4).for_each(|_| drop(whole_run(state.path()))));
        }
    });
    assert_eq!(assert_sound(state.path()), [State::Ended; 32]);
}

#[test]
fn only_the_owner_may_read_the_records() {
    let state = tempfile::tempdir().unwrap();
    whole_run(state.path());
    let folder = state.path().join("records");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error_before_the_first_change() {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join("records"), "in the way").unwrap();
    let error = records(state.path()).start(RunId::random(), facts()).unwrap_err();
    assert!(matches!(error, Error::Folder { .. }), "{error}");
}

#[test]
fn nothing_is_appended_to_a_damaged_index() {
    let state = tempfile::tempdir().unwrap();
    whole_run(state.path());
    let index = state.path().join("records/index.jsonl");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replacen("started", "startet", 1)).unwrap();
    let error = records(state.path()).start(RunId::random(), facts()).unwrap_err();
    assert!(matches!(error, Error::Damaged { line: 1, .. }), "{error}");
}

#[test]
fn a_symlink_in_place_of_the_index_is_refused() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = state.path().join("elsewhere");
    fs::write(&elsewhere, "").unwrap();
    fs::create_dir(state.path().join("records")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, state.path().join("records/index.jsonl")).unwrap();
    let error = records(state.path()).start(RunId::random(), facts()).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
    assert_eq!(fs::read(&elsewhere).unwrap(), b"");
}
