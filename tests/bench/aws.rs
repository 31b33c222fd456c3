//! A thousand people in three accounts at a simulated AWS: how long each kind of run takes, what
//! it costs in calls, processor time and memory.
//!
//! `RECONCILE_PEERS=… cargo bench --bench aws` (see `tests/run` for the folder) runs the built
//! program four times: from nothing, with nothing to do, after 5 % of the people changed, after
//! 2 % left. Every stage runs on a server of its own kind of state; calls are counted on the wire,
//! which also writes down what was sent: the first stage is sent once more to a fresh server by
//! sixteen plain clients, whose time is the measure of ours. `PEOPLE` changes the number.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../it/peers/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the benchmark needs a part of the harness")]
mod peers;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use peers::http::Request;
use peers::moto::Moto;
use peers::wire::{Call, Wire};

const GROUPS: usize = 100;
const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];
const CLIENTS: usize = 16;
const ROUNDS: usize = 7;

fn main() -> ExitCode {
    let people = std::env::var("PEOPLE").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let moto = Moto::start();
    let wire = Wire::start(moto.address());
    let hub = moto.account(ACCOUNTS[0]);
    hub.user("runner", "/", &[]);
    let key = hub.access_key("runner");
    wire.know(&key.0, ACCOUNTS[0]);
    let mut site = Site::new(people, &key);

    println!("| run | wall | processor | peak memory | calls | of them writes |");
    println!("|---|---|---|---|---|---|");
    let created = site.stage("create", &wire);
    site.stage("nothing to do", &wire);
    for person in site.people.iter_mut().step_by(20) {
        person.groups[0] = (person.groups[0] + 1) % GROUPS;
    }
    site.write_people();
    site.stage("5 % changes", &wire);
    for person in site.people.iter_mut().step_by(50) {
        person.active = false;
    }
    site.write_people();
    site.stage("2 % removals", &wire);

    for line in site.counts.borrow().iter() {
        println!();
        println!("{line}");
    }

    compare(people, &created)
}

/// The same calls, by sixteen plain clients and by the program, rounds of both in turn. Both go
/// through the wire, which opens a connection to the server for each call: it needs a good deal
/// longer for a call on a connection that is kept open, which is no merit of whoever opens many.
/// The server does one thing at a time, so both wait for it nearly all of the time;
/// how fast the machine is from one round to the next differs more than they do. The fastest round
/// of each is the one that was disturbed least.
fn compare(people: usize, calls: &[Call]) -> ExitCode {
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(replay(calls));
        let moto = Moto::start();
        let hub = moto.account(ACCOUNTS[0]);
        hub.user("runner", "/", &[]);
        let key = hub.access_key("runner");
        let site = Site::new(people, &key);
        let wire = Wire::start(moto.address());
        wire.know(&key.0, ACCOUNTS[0]);
        ours.push(site.run(&wire.url()).wall);
    }
    theirs.sort();
    ours.sort();
    let seconds = |times: &[Duration], at: usize| times[at].as_secs_f64();
    let (theirs, middle_theirs) = (seconds(&theirs, 0), seconds(&theirs, ROUNDS / 2));
    let (ours, middle_ours) = (seconds(&ours, 0), seconds(&ours, ROUNDS / 2));
    let ratio = ours / theirs;
    println!();
    println!(
        "create, the fastest of {ROUNDS} rounds: reconcile {ours:.2} s; {CLIENTS} \
         plain clients sending the same {} calls {theirs:.2} s; ratio {ratio:.2} (of the middle \
         rounds {:.2})",
        calls.len(),
        middle_ours / middle_theirs,
    );
    if ratio <= 1.05 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Person {
    groups: [usize; 2],
    active: bool,
}

struct Site {
    folder: tempfile::TempDir,
    key: (String, String),
    people: Vec<Person>,
    counts: std::cell::RefCell<Vec<String>>,
}

struct Figures {
    wall: Duration,
    processor: Duration,
    peak_kib: u64,
}

impl Site {
    fn new(people: usize, key: &(String, String)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["inventory", "policies", "mirrors"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let people = (0..people)
            .map(|number| Person { groups: [number % GROUPS, number * 7 % GROUPS], active: true })
            .collect();
        let site = Self { folder, key: key.clone(), people, counts: std::cell::RefCell::default() };
        site.write("inventory/all.yaml", &inventory());
        site.write("policies/all.yaml", &policies());
        site.write_people();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn write_people(&self) {
        self.write("inventory/people.ldif", &ldif(&self.people));
    }

    /// One run through the wire; prints its line of the table and gives what was sent.
    fn stage(&self, name: &str, wire: &Wire) -> Vec<Call> {
        wire.clear();
        let figures = self.run(&wire.url());
        let calls = wire.calls();
        let writes = calls.iter().filter(|call| call.is_write).count();
        println!(
            "| {name} | {:.1} s | {:.2} s | {} MiB | {} | {writes} |",
            figures.wall.as_secs_f64(),
            figures.processor.as_secs_f64(),
            figures.peak_kib / 1024,
            calls.len(),
        );
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for call in &calls {
            *counts.entry(&call.action).or_default() += 1;
        }
        self.counts.borrow_mut().push(format!("{name}: {counts:?}"));
        calls
    }

    fn run(&self, endpoint: &str) -> Figures {
        let said = self.path("said");
        let output = fs::File::create(&said).expect("a file");
        let begin = Instant::now();
        // The server is on another machine in earnest: its processor time is not to be taken away.
        let mut child = Command::new("nice")
            .args(["-n", "19", env!("CARGO_BIN_EXE_reconcile")])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_ACCESS_KEY_ID", &self.key.0)
            .env("AWS_SECRET_ACCESS_KEY", &self.key.1)
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(self.folder.path())
            .args(["--quiet", "--summary"])
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("the same file"))
            .stderr(output)
            .spawn()
            .expect("the program starts");
        let (processor, peak_kib) = watch(&mut child);
        let wall = begin.elapsed();
        let status = child.wait().expect("it ended");
        assert!(status.success(), "{status}: {}", fs::read_to_string(said).unwrap_or_default());
        Figures { wall, processor, peak_kib }
    }
}

/// Looks at a child until it ends: its processor time and its peak memory in KiB.
fn watch(child: &mut Child) -> (Duration, u64) {
    let folder = Path::new("/proc").join(child.id().to_string());
    let (mut processor, mut peak) = (Duration::ZERO, 0);
    loop {
        if let Ok(stat) = fs::read_to_string(folder.join("stat")) {
            // After the name in parentheses: state, then eleven fields, then the two times in
            // hundredths of a second (Linux always tells user space so).
            let after = stat.rsplit(')').next().unwrap_or_default();
            let mut times = after.split_whitespace().skip(11);
            let mut next = || times.next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
            processor = Duration::from_millis((next() + next()) * 10);
        }
        if let Ok(status) = fs::read_to_string(folder.join("status")) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let now = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            peak = peak.max(now.unwrap_or(0));
            if status.contains("State:\tZ") {
                return (processor, peak);
            }
        } else {
            return (processor, peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends what was sent before to a fresh server: what may go at once, at once.
fn replay(calls: &[Call]) -> Duration {
    let moto = Moto::start();
    let hub = moto.account(ACCOUNTS[0]);
    hub.user("runner", "/", &[]);
    let key = hub.access_key("runner").0;
    let wire = Wire::start(moto.address());
    let begin = Instant::now();
    let phase = |call: &Call| match call.action.as_str() {
        _ if !call.is_write => 0,
        "CreateUser" | "CreateGroup" | "CreateRole" => 1,
        "AddUserToGroup" => 2,
        _ => 3,
    };
    for number in 0..4 {
        let queue: Mutex<Vec<&Call>> =
            Mutex::new(calls.iter().filter(|call| phase(call) == number).rev().collect());
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().expect("not poisoned").pop();
                        let Some(call) = next else { return };
                        send(wire.address(), call, &key);
                    }
                });
            }
        });
    }
    begin.elapsed()
}

/// Just as it was sent, in the hub with a key the server knows, as the program's own; elsewhere to
/// the account it was for.
fn send(address: SocketAddr, call: &Call, key: &str) {
    let mut headers: Vec<(&str, &str)> =
        call.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let authorisation = call.headers.0.iter().find(|(name, _)| name == "authorization");
    let authorisation = authorisation.map(|(_, value)| value.as_str()).unwrap_or_default();
    let scope = authorisation.split_once('/').map(|(_, scope)| scope).unwrap_or_default();
    let authorisation = format!("AWS4-HMAC-SHA256 Credential={key}/{scope}");
    if call.account == ACCOUNTS[0] {
        headers.retain(|(name, _)| *name != "authorization");
        headers.push(("authorization", &authorisation));
    } else {
        headers.push(("x-moto-account-id", &call.account));
    }
    let reply = Request::post("/", &headers, &call.request).send(address).expect("moto answers");
    assert_eq!(reply.status, 200, "{}: {}", call.action, reply.text());
}

fn inventory() -> String {
    let mut text = "\
organisations:
  spi:
    accounts:
"
    .to_owned();
    for (number, id) in ACCOUNTS.iter().enumerate() {
        let hub = if number == 0 { ", hub: true" } else { "" };
        // Writing to a text cannot fail; so below.
        let _ = writeln!(text, "      account-{number}: {{vendor: aws, id: \"{id}\"{hub}}}");
    }
    text.push_str(
        "directories:\n  people:\n    ldif: inventory/people.ldif\n    schema: userdir\n    \
         base: dc=example,dc=org\ngrants:\n",
    );
    for group in 0..GROUPS {
        let _ = writeln!(
            text,
            "  - {{group: group{group}, role: role{}, accounts: [account-{}], reason: Bench}}",
            group % 4,
            group % ACCOUNTS.len(),
        );
    }
    text
}

fn policies() -> String {
    let mut text = "privileged_needs_key: false\nroles:\n".to_owned();
    for role in 0..4 {
        let _ = writeln!(
            text,
            "  role{role}:\n    description: Number {role}\n    means:\n      aws:\n        \
             inline_policy: '{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\
             \"Action\":\"s3:Get*\",\"Resource\":\"*\"}}]}}'"
        );
    }
    text.push_str("limits:\n  default:\n    users: {count: 100, percent: 10}\n    memberships: {count: 1000, percent: 50}\n");
    text
}

fn ldif(people: &[Person]) -> String {
    let users = "ou=users,dc=example,dc=org";
    let mut text = "dn: dc=example,dc=org\nobjectClass: dcObject\ndc: example\n\n".to_owned();
    for group in 0..GROUPS {
        let _ = write!(
            text,
            "dn: gid=group{group},{users}\nobjectClass: debianGroup\ngid: group{group}\n\n"
        );
    }
    for (number, person) in people.iter().enumerate() {
        let uid = format!("person{number:04}");
        let _ = write!(
            text,
            "dn: uid={uid},{users}\nobjectClass: inetOrgPerson\nobjectClass: debianAccount\n\
             objectClass: debianDeveloper\nuid: {uid}\nuidNumber: {}\ncn: {uid}\nsn: {uid}\n\
             keyFingerPrint: {number:040X}\n",
            number + 1000
        );
        for group in person.groups {
            let _ = writeln!(text, "supplementaryGid: group{group}");
        }
        if !person.active {
            text.push_str("accountStatus: inactive 2026-01-01\n");
        }
        text.push('\n');
    }
    text + "# end\n"
}
