//! Reading a large directory, next to `ldapsearch` with the same filter, attributes and pages.
//!
//! `cargo bench --bench directory` loads generated people into a real slapd, lets both read in
//! turns, each in a process of its own, and prints medians, their ratio and our peak memory.
//! `PEOPLE` changes the number of people, `ROUNDS` the number of turns. Ends with an error over
//! the limits: 1.5 times `ldapsearch`, 300 MiB.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../it/peers/certificates.rs"]
#[expect(dead_code, reason = "the benchmark needs one kind of certificate")]
mod certificates;
#[path = "../it/peers/process.rs"]
mod process;
#[path = "../it/peers/slapd.rs"]
#[expect(dead_code, reason = "the benchmark needs a part of the harness")]
mod slapd;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use reconcile::directory::{
    Access, Bind, Bounds, DirectoryConfig, LdapConfig, Origin, SchemaConfig, SchemaKind, read,
};
use reconcile::model::Source;
use reconcile::operator::{Operator, Server};
use slapd::{BASE, Setup, Slapd};

const PAGE: u32 = 1000;
const GROUPS: usize = 200;
/// What the userdir schema asks for.
const FILTER: &str =
    "(|(objectClass=debianAccount)(objectClass=debianDeveloper)(objectClass=debianRoleAccount))";
const ATTRIBUTES: [&str; 14] = [
    "objectClass",
    "uid",
    "uidNumber",
    "gidNumber",
    "supplementaryGid",
    "accountStatus",
    "shadowExpire",
    "userPassword",
    "keyFingerPrint",
    "displayName",
    "cn",
    "mn",
    "sn",
    "mail",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[..] {
        [_, mode, url] if mode == "--read" => read_once(url),
        _ => compare(),
    }
}

/// The child: reads once and prints the number of people and its peak memory in KiB.
fn read_once(url: &str) -> ExitCode {
    let config = DirectoryConfig {
        name: "bench".into(),
        origin: Origin::Ldap(Box::new(LdapConfig {
            urls: vec![url.to_owned()],
            start_tls: false,
            trust: None,
            bind: Bind::Anonymous,
            page_size: PAGE,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_mins(1),
            attempts: 1,
        })),
        schema: SchemaConfig::new(SchemaKind::Userdir, BASE),
        name_prefix: String::new(),
        reissued: BTreeMap::new(),
        login_map: BTreeMap::new(),
        group_map: BTreeMap::new(),
        bounds: Bounds::default(),
        source: Source::new("bench", 0, 0),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = Server::parse(url).expect("a server");
    let operator = Operator { servers: [server].into(), ..Operator::default() };
    let access = Access { root: Path::new("/"), operator: &operator, environment: &|_| None };
    let reading = runtime.block_on(read(&config, access));
    assert!(reading.is_complete(), "{:?}", reading.missing());
    println!("{} {}", reading.got().people.len(), peak_memory());
    ExitCode::SUCCESS
}

/// `VmHWM` of this process, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

fn compare() -> ExitCode {
    let people = number("PEOPLE", 100_000);
    let rounds = number("ROUNDS", 7);
    let slapd = Slapd::start(&Setup { ldif: &generate(people), ..Setup::default() });
    let (mut theirs, mut ours, mut peak) = (Vec::new(), Vec::new(), 0);
    // The first turn warms the server's cache and does not count.
    for round in 0..=rounds {
        let (their, our) = (ldapsearch(&slapd), ourselves(&slapd, people));
        peak = peak.max(our.1);
        if round > 0 {
            println!("round {round}: ldapsearch {their:.3?}, reconcile {:.3?}", our.0);
            theirs.push(their);
            ours.push(our.0);
        }
    }
    let (their, our) = (median(theirs), median(ours));
    let ratio = our.as_secs_f64() / their.as_secs_f64();
    let memory = peak / 1024;
    println!(
        "{people} people: ldapsearch {their:.3?}, reconcile {our:.3?}, ratio {ratio:.2}, \
         peak memory {memory} MiB"
    );
    if ratio <= 1.5 && memory < 300 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn ldapsearch(slapd: &Slapd) -> Duration {
    let begin = Instant::now();
    let status = Command::new("ldapsearch")
        .args(["-x", "-LLL", "-H", &slapd.url(), "-E", &format!("pr={PAGE}/noprompt")])
        .args(["-b", &format!("ou=users,{BASE}"), FILTER])
        .args(ATTRIBUTES)
        .stdout(Stdio::null())
        .status()
        .expect("ldapsearch is not installed: run tests/run");
    assert!(status.success(), "ldapsearch failed");
    begin.elapsed()
}

fn ourselves(slapd: &Slapd, people: usize) -> (Duration, u64) {
    let begin = Instant::now();
    let output = Command::new(std::env::current_exe().expect("the path of this program"))
        .args(["--read", &slapd.url()])
        .stderr(Stdio::inherit())
        .output()
        .expect("this program can be run");
    let took = begin.elapsed();
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    assert_eq!(numbers.next(), u64::try_from(people).ok(), "everybody was read");
    (took, numbers.next().expect("the peak"))
}

fn generate(people: usize) -> String {
    let users = format!("ou=users,{BASE}");
    let mut text = format!(
        "dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n\
         dn: {users}\nobjectClass: organizationalUnit\nou: users\n\n"
    );
    for group in 0..GROUPS {
        // Writing to a string cannot fail; so below.
        let _ = write!(
            text,
            "dn: gid=group{group},{users}\nobjectClass: debianGroup\ngid: group{group}\n\
             gidNumber: {group}\nsubGroup: group{}\n\n",
            group / 2
        );
    }
    for person in 0..people {
        let uid = format!("person{person:06}");
        let _ = write!(
            text,
            "dn: uid={uid},{users}\nobjectClass: inetOrgPerson\nobjectClass: debianAccount\n\
             objectClass: shadowAccount\nobjectClass: debianDeveloper\nuid: {uid}\n\
             uidNumber: {}\ngidNumber: {}\ncn: Given{person}\nsn: Family{person}\n\
             mail: {uid}@example.org\nkeyFingerPrint: {person:040X}\nshadowExpire: 30000\n",
            person + 1000,
            person % GROUPS,
        );
        for step in [7, 31, 101] {
            let _ = writeln!(text, "supplementaryGid: group{}", person * step % GROUPS);
        }
        text.push('\n');
    }
    text
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
