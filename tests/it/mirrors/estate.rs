//! An organisation with one account and one mirror.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use reconcile::apply::{Options, Outcomes, execute};
use reconcile::cloud::Vendor;
use reconcile::cloud::memory::service::resource::Resource;
use reconcile::cloud::memory::{Fault, MemoryVendor, MemoryWorld, Operation};
use reconcile::directory::Access;
use reconcile::event::{Event, Outcome};
use reconcile::inventory::{Loaded, SourceTree, load};
use reconcile::model::ResourceKind;
use reconcile::operator::Operator;
use reconcile::plan::{Narrowing, lint};
use reconcile::report::{self, Detail};
use reconcile::run::{Baseline, Gathered, Past, Prepared, Sources, gather, prepare};
use reconcile::sink::NoSinks;
use tokio_util::sync::CancellationToken;

pub const ACCOUNT: &str = "100000000001";
/// The names under which the mirror is served in these stories.
pub const NAMES: [&str; 2] =
    ["debian.memory.mirror.example.org", "packages.memory.mirror.example.org"];

const INVENTORY: &str = "\
organisations:
  debian:
    accounts:
      mirrors: {vendor: memory, id: \"100000000001\", hub: true}
directories:
  debian: {ldif: people.ldif, schema: userdir, base: \"dc=example,dc=org\"}
";

const POLICIES: &str = "\
limits:
  default:
    mirrors: {count: 20, percent: 50, floor: 4}
";

pub const MIRRORS: &str = "\
mirrors:
  debian:
    account: mirrors
    form: cdn
    archive:
      upstream: {host: rsync.debian.example, module: debian}
      suites: [trixie]
      keyring: mirrors/debian.asc
      fresh_hours: 12
    regions:
      europe: {servers: 2, size: small}
    name: debian.${vendor}.mirror.example.org
    parent_zone: {name: mirror.example.org, by: delegation}
    image: debian-13
    disk_gb: 4000
    operators: debian:mirrors
    ceiling: {amount: 300, currency: EUR}
";

const PEOPLE: &str = "\
version: 1

dn: gid=mirrors,ou=users,dc=example,dc=org
objectClass: debianGroup
gid: mirrors
gidNumber: 800

dn: uid=amara,ou=users,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: debianAccount
objectClass: shadowAccount
uid: amara
uidNumber: 2001
gidNumber: 100
cn: amara
sn: Example
mail: amara@example.org
keyFingerPrint: 1D9E5EB12F9FDBE59D2C7A67EEDBFB816F86CA2F

# end
";

/// The embedded cloud, and what is written about it.
pub struct Estate {
    vendor: Arc<dyn Vendor>,
    pub world: MemoryWorld,
    folder: tempfile::TempDir,
    operator: Operator,
    pub mirrors: String,
    was_served: bool,
    pub told: String,
}

impl Estate {
    pub fn new() -> Self {
        let memory = MemoryVendor::in_memory();
        let world = memory.world();
        world.set_clock("2026-11-01T12:00:00Z".parse().expect("a time"));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("people.ldif"), PEOPLE).expect("a file");
        Self {
            vendor: Arc::new(memory),
            world,
            folder,
            operator: Operator::default(),
            mirrors: MIRRORS.to_owned(),
            was_served: false,
            told: String::new(),
        }
    }

    /// One line of a story.
    pub async fn happens(&mut self, word: &str, rest: &str) {
        match word {
            "wait" => self.world.advance(span(rest)),
            "mirrors" => self.edit(rest),
            "no-mirrors" => self.mirrors = "mirrors:\n".to_owned() + &other_mirror(),
            "hand" => self.by_hand(rest),
            "fault" => self.world.fail_next_of(operation(rest), Fault::TruncatedPage),
            "run" => self.run().await,
            "runs" => self.runs().await,
            _ => panic!("unknown: {word} {rest}"),
        }
        if !matches!(word, "run" | "runs") {
            let _ = writeln!(self.told, "> {word} {rest}\n");
        }
    }

    fn edit(&mut self, change: &str) {
        let (old, new) = change.split_once(" =>").expect("OLD => NEW");
        let new = new.strip_prefix(' ').unwrap_or(new);
        let (old, new) = (old.replace("\\n", "\n"), new.replace("\\n", "\n"));
        assert!(self.mirrors.contains(&old), "{old} is not in\n{}", self.mirrors);
        self.mirrors = self.mirrors.replacen(&old, &new, 1);
    }

    fn by_hand(&self, words: &str) {
        let words: Vec<&str> = words.split(' ').collect();
        match words.as_slice() {
            ["remove", kind, name] => {
                let id = self.find(kind_of(kind), name).expect("a resource");
                self.world.remove_resource(ACCOUNT, &id.as_str().into()).expect("memory");
            }
            ["unmark", kind, name] => {
                let id = self.find(kind_of(kind), name).expect("a resource");
                let unmark = |one: &mut Resource| one.tags.clear();
                self.world.edit_resource(ACCOUNT, &id.as_str().into(), unmark).expect("memory");
            }
            ["zone", name] => {
                let settings = [("domain".to_owned(), "foreign.example".into())].into();
                let kind = ResourceKind::Zone;
                self.world.add_resource(ACCOUNT, kind, name, settings, None).expect("memory");
            }
            _ => panic!("unknown: {words:?}"),
        }
    }

    fn find(&self, kind: ResourceKind, name: &str) -> Option<String> {
        let state = self.world.dump().expect("memory");
        let found = state.account(ACCOUNT).resources.of_kind(kind, name)?;
        Some(found.id.clone())
    }

    pub fn load(&self) -> Loaded {
        let files = [
            ("inventory/all.yaml", INVENTORY),
            ("policies/all.yaml", POLICIES),
            ("mirrors/all.yaml", self.mirrors.as_str()),
            ("mirrors/debian.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
        ];
        let loaded = load(&SourceTree::from_files(files), &[MemoryVendor::facts()], self.today());
        assert!(!loaded.has_errors(), "{:#?}", loaded.findings);
        loaded
    }

    fn today(&self) -> jiff::civil::Date {
        self.world.now().to_zoned(TimeZone::UTC).date()
    }

    pub async fn plan(&self, loaded: &Loaded) -> (Gathered, Prepared) {
        let sources = Sources {
            inventory: &loaded.inventory,
            policies: &loaded.policies,
            topology: &loaded.topology,
            vendors: std::slice::from_ref(&self.vendor),
            organisations: BTreeSet::new(),
            access: Access {
                root: self.folder.path(),
                operator: &self.operator,
                environment: &|_| None,
            },
            today: self.today(),
        };
        let gathered = gather(&sources).await;
        let baseline = Baseline::read(self.folder.path()).expect("a baseline");
        let everything = Narrowing::default();
        let past = Past::default();
        let findings = Vec::new();
        let prepared = prepare(&sources, &gathered, &baseline, &past, findings, &everything, None);
        assert_eq!(lint(prepared.review.approved.plan()), []);
        (gathered, prepared)
    }

    pub async fn carry_out(&self, gathered: &Gathered, prepared: &Prepared) -> Outcomes {
        let mut events = |_: &Event| Ok(());
        let interrupt = CancellationToken::new();
        execute(
            &prepared.review.approved,
            &gathered.connections,
            &NoSinks,
            Options::default(),
            &mut events,
            &interrupt,
        )
        .await
    }

    /// A run: its plan, the same once more, and what became of it.
    async fn run(&mut self) {
        let loaded = self.load();
        let (gathered, prepared) = self.plan(&loaded).await;
        let shown = show(&prepared);
        let outcomes = self.carry_out(&gathered, &prepared).await;
        let _ = writeln!(self.told, "> run at {}\n\n{shown}", self.world.now());
        for (number, outcome) in outcomes.by_change.iter().enumerate() {
            let what = match outcome {
                Outcome::Applied => "applied".to_owned(),
                Outcome::AlreadyTrue => "already true".to_owned(),
                Outcome::Begun { what } => format!("begun: {what}"),
                Outcome::Held { .. } => "held".to_owned(),
                Outcome::Skipped { why } => format!("skipped: {why}"),
                Outcome::Failed { why, .. } => format!("failed: {why}"),
            };
            let _ = writeln!(self.told, "  #{} {what}", number + 1);
        }
        self.told.push('\n');
    }

    /// Runs with an hour between them until nothing waits and nothing is left to do.
    async fn runs(&mut self) {
        let mut number = 0;
        while self.one_run().await {
            number += 1;
            assert!(number < 200, "this has no end:\n{}", self.told);
            self.world.advance(Duration::from_hours(1));
            self.must_be_served("runs");
        }
        let writes = self.world.writes();
        assert!(!self.one_run().await);
        assert_eq!(self.world.writes(), writes, "a run with nothing to do writes nothing");
        let _ = writeln!(self.told, "> runs until {}\n", self.world.now());
        for line in self.world.describe().expect("memory") {
            let _ = writeln!(self.told, "  {line}");
        }
        self.told.push('\n');
    }

    /// Whether there was something to do, or something waits.
    pub async fn one_run(&self) -> bool {
        let loaded = self.load();
        let (gathered, prepared) = self.plan(&loaded).await;
        let outcomes = self.carry_out(&gathered, &prepared).await;
        for (at, outcome) in outcomes.by_change.iter().enumerate() {
            let fine = matches!(outcome, Outcome::Applied | Outcome::Begun { .. });
            let change = &prepared.review.approved.plan().changes[at];
            assert!(fine, "{}: {outcome:?}", change.step.object());
        }
        let plan = prepared.review.approved.plan();
        !plan.changes.is_empty() || !plan.waiting.is_empty()
    }

    /// Once the public name is served, it is served for as long as it is wanted.
    pub fn must_be_served(&mut self, after: &str) {
        let is_served = self.is_served();
        let wanted = !self.mirrors.contains("retired: true");
        self.was_served &= wanted;
        assert!(
            is_served || !self.was_served || !wanted,
            "not served after {after}:\n{}\n{:#?}",
            self.told,
            self.world.describe()
        );
        self.was_served |= is_served;
    }

    /// Whether the mirror is served under some name.
    pub fn is_served(&self) -> bool {
        NAMES.iter().any(|name| self.is_served_as(name))
    }

    /// Whether some record of a public name leads to a front end that serves it.
    fn is_served_as(&self, public_name: &str) -> bool {
        let state = self.world.dump().expect("memory");
        let account = state.account(ACCOUNT);
        let all: Vec<_> = account.resources.after(None).collect();
        let of = |kind| all.iter().filter(move |one| one.kind == kind);
        let running: BTreeSet<String> = of(ResourceKind::Server)
            .filter(|one| self.is_settled(&one.id))
            .filter_map(|one| one.address())
            .collect();
        let serving: BTreeSet<String> = of(ResourceKind::FrontEnd)
            .filter(|one| one.flag("enabled") && one.set("domains").any(|name| name == public_name))
            .filter(|one| one.set("origins").any(|origin| running.contains(origin)))
            .filter(|one| self.is_settled(one.text("certificate")))
            .filter_map(|one| one.address())
            .collect();
        of(ResourceKind::RecordSet)
            .filter(|one| one.text("domain") == public_name)
            .any(|one| one.set("values").any(|value| serving.contains(value)))
    }

    fn is_settled(&self, id: &str) -> bool {
        self.world.is_settled(ACCOUNT, id).expect("memory")
    }
}

/// Another mirror, so that there are mirrors at all.
fn other_mirror() -> String {
    let (_, mirror) = MIRRORS.split_once("  debian:\n").expect("a mirror");
    let mirror = mirror.replace("debian.${vendor}", "other.${vendor}");
    format!("  other:\n{mirror}    retired: true\n")
}

fn show(prepared: &Prepared) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    report::plan(&mut out, &prepared.review, Detail::Everything).expect("memory");
    String::from_utf8(out.into_inner()).expect("UTF-8")
}

fn span(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u64 = number.parse().expect("a number");
    match unit {
        "m" => Duration::from_mins(number),
        "h" => Duration::from_hours(number),
        "d" => Duration::from_hours(24 * number),
        _ => panic!("unknown: {text}"),
    }
}

fn kind_of(text: &str) -> ResourceKind {
    ResourceKind::ALL
        .into_iter()
        .find(|kind| reconcile::model::Kind::Resource(*kind).name() == text)
        .expect("a kind")
}

fn operation(text: &str) -> Operation {
    let all = Operation::ALL.iter();
    all.copied().find(|one| one.name() == text).expect("an operation")
}
