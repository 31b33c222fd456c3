//! Scenarios: a folder each in `tests/scenarios`, with what happens (`story.txt`) and what the
//! program makes of it (`expected.txt`).
//!
//! Every story begins with the organisation below, matched. `RECONCILE_BLESS=1` writes the
//! expectations anew. The lines of a story:
//!
//! ```text
//! # for the reader
//! today 2026-12-05             the day of what follows
//! person LOGIN ID GROUPS WORDS somebody, new or changed; words: inactive, nokey, expires=DATE
//! forget ID                    the directory no longer lists them
//! group NAME / no-group NAME   the directory gets or loses a group
//! inventory OLD => NEW         the inventory is edited (`\n` is a new line)
//! policies OLD => NEW          the policies are edited
//! hand WORDS                   somebody does something at the vendor, see `Hand`
//! fault OPERATION              the next such call gives half a page
//! broken-directory             the directory cannot be read to its end
//! before NUMBER                how many people there were at the last complete reading
//! run                          an ordinary run, of which nothing is shown
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use reconcile::apply::{Options, Outcomes};
use reconcile::cloud::Vendor;
use reconcile::cloud::memory::service::state::Mutation;
use reconcile::cloud::memory::{Fault, MemoryVendor, MemoryWorld, Operation};
use reconcile::directory::Access;
use reconcile::event::Outcome;
use reconcile::guard::Recent;
use reconcile::inventory::{Loaded, SourceTree, against_directory, load};
use reconcile::model::{Mark, Subject, VendorId};
use reconcile::operator::Operator;
use reconcile::plan::{Narrowing, lint};
use reconcile::report::{self, Detail};
use reconcile::run::{
    Baseline, Gathered, Known, Past, Prepared, Sources, gather, gather_forgotten, prepare, taken,
};

use super::run::{carry_out, on_a_fast_clock};

const HUB: &str = "100000000001";

const INVENTORY: &str = "\
organisations:
  spi:
    administrators: {group: debian:admin, minimum: 2, required: [amara]}
    accounts:
      hub: {vendor: memory, id: \"100000000001\", hub: true}
      mirrors: {vendor: memory, id: \"100000000002\"}
directories:
  debian: {ldif: people.ldif, schema: userdir, base: \"dc=example,dc=org\"}
grants:
  - {group: debian:admin, role: owner, accounts: [hub], reason: They run it}
  - {group: debian:web, role: operator, accounts: [mirrors], reason: They serve packages}
";

const POLICIES: &str = "\
roles:
  owner:
    description: May do everything
    privileged: true
    means: {memory: {permissions: [\"*\"]}}
  operator:
    description: Runs things
    means: {memory: {permissions: [\"run\"], session_hours: 8}}
limits:
  default:
    users: {count: 2, percent: 100, floor: 2}
    directory: {percent: 30}
protected:
  - {user: rescue, reason: The way in}
";

const PEOPLE: [(&str, u32, &str); 6] = [
    ("amara", 2001, "admin"),
    ("bela", 2002, "admin"),
    ("carol", 2003, "admin,web"),
    ("dora", 2004, "web"),
    ("emil", 2005, "web"),
    ("frida", 2006, "web"),
];

/// Each scenario is a test of its own, named after its folder.
macro_rules! scenarios {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                ends_as_expected(stringify!($name));
            }
        )*
    };
}

scenarios! {
    account_dropped
    account_retired
    administrators_line_dropped
    another_administrators_group
    copied_mark
    copied_mark_of_a_leaver
    directory_shrank
    disabled_again_by_hand
    disabled_by_hand
    drift_of_a_profile
    drift_of_a_role
    drift_of_bindings
    drift_of_members
    enabled_by_hand
    foreign_group
    foreign_membership
    foreign_role
    foreign_user
    forgotten
    grant_expired
    grant_removed
    group_emptied
    group_gone
    group_misspelt
    guest_expired
    hub_moved
    joiner
    leaver_day_0
    leaver_deleted
    leaver_in_grace
    limit_reached
    limit_tripped
    mark_damaged
    mark_lost
    minimum_administrators
    mover
    name_reused_after_grace
    name_reused_in_grace
    new_account
    no_key
    own_principal
    partial_account
    partial_credentials
    partial_directory
    partial_users
    privilege_dropped
    protected_user
    renamed
    renamed_in_a_circle
    required_administrator
    required_administrator_left
    required_administrator_left_and_not_named
    required_log_in_of_another
    returned_in_grace
    role_meaning_changed
    role_narrowed
    role_narrowed_while_members_are_unread
    role_replaced
    role_replaced_by_a_foreign_one
    role_widened
    second_organisation
    service_account
    twice_in_a_day
    twice_in_two_days
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

#[test]
fn every_folder_is_a_scenario() {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("the scenarios")
        .map(|entry| entry.expect("a folder"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().replace('-', "_"))
        .collect();
    names.sort();
    assert_eq!(names, NAMES);
}

fn ends_as_expected(name: &str) {
    let path = folder().join(name.replace('_', "-"));
    let steps = std::fs::read_to_string(path.join("story.txt")).expect("a story");
    let found = tell(&steps);
    let expected = path.join("expected.txt");
    if std::env::var_os("RECONCILE_BLESS").is_some() {
        std::fs::write(&expected, &found).expect("a writable checkout");
    }
    let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
    assert_eq!(found, wanted, "\n--- expected\n{wanted}\n--- found\n{found}");
}

/// What the program makes of a story.
fn tell(steps: &str) -> String {
    on_a_fast_clock(async {
        let mut scene = Scene::new();
        scene.ordinary_run().await;
        for line in steps.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            scene.step(line).await;
        }
        scene.ends().await
    })
}

struct Scene {
    folder: tempfile::TempDir,
    today: Date,
    inventory: String,
    policies: String,
    groups: BTreeSet<String>,
    /// By `uidNumber`.
    people: BTreeMap<u32, (String, Vec<String>)>,
    broken_directory: bool,
    vendor: Arc<dyn Vendor>,
    world: MemoryWorld,
    faults: Vec<Operation>,
    operator: Operator,
    /// What was taken away since `today`.
    recent: Recent,
}

impl Scene {
    fn new() -> Self {
        let vendor = MemoryVendor::in_memory();
        let world = vendor.world();
        let people = PEOPLE.into_iter().map(|(login, id, groups)| {
            (id, (login.to_owned(), groups.split(',').map(str::to_owned).collect()))
        });
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            today: "2026-11-01".parse().expect("a day"),
            inventory: INVENTORY.to_owned(),
            policies: POLICIES.to_owned(),
            groups: ["admin", "web", "guest"].map(str::to_owned).into(),
            people: people.collect(),
            broken_directory: false,
            vendor: Arc::new(vendor),
            world,
            faults: Vec::new(),
            operator: Operator::default(),
            recent: Recent::default(),
        }
    }

    async fn step(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "today" => {
                self.today = rest.parse().expect("a day");
                self.recent = Recent::default();
            }
            "person" => {
                let mut words = rest.split(' ').map(str::to_owned);
                let login = words.next().expect("a login");
                let id = words.next().and_then(|id| id.parse().ok()).expect("a number");
                let groups = words.next().expect("groups");
                let groups = groups.split(',').filter(|one| *one != "-").map(str::to_owned);
                self.people.insert(id, (login, groups.chain(words).collect()));
            }
            "forget" => {
                self.people.remove(&rest.parse().expect("a number")).expect("somebody");
            }
            "group" => assert!(self.groups.insert(rest.to_owned()), "{line}"),
            "no-group" => assert!(self.groups.remove(rest), "{line}"),
            "inventory" => edit(&mut self.inventory, rest),
            "policies" => edit(&mut self.policies, rest),
            "hand" => self.by_hand(rest),
            "fault" => {
                let all = Operation::ALL.iter().copied();
                let named = all.into_iter().find(|one| one.name() == rest);
                self.faults.push(named.expect("an operation"));
            }
            "broken-directory" => self.broken_directory = true,
            "before" => {
                let people: u32 = rest.parse().expect("a number of people");
                let present: Vec<String> =
                    (2001..2001 + people).map(|id| format!("\"{id}\"")).collect();
                let present = format!("[{}]", present.join(","));
                let text = format!(
                    "{{\"format\":\"reconcile-directories/1\",\"directories\":\
                     {{\"debian\":{{\"present\":{present},\"on\":\"2026-10-31\"}}}}}}"
                );
                std::fs::write(self.folder.path().join("directories.json"), text).expect("a file");
            }
            "run" => self.ordinary_run().await,
            _ => panic!("unknown step: {line}"),
        }
    }

    /// What people do at the vendor: `disable USER`, `enable USER`,
    /// `credential USER`, `user NAME [MARK]`,
    /// `group NAME [MARK]`, `role NAME [MARK]`, `join USER GROUP`, `leave USER GROUP`,
    /// `profile USER`, `redefine ROLE`, `bind GROUP ROLE`, `acts-as USER`, `unmark user USER`,
    /// `unmark role ROLE`, `damage user USER` (its mark no longer says whom it stands for). A mark is
    /// ORGANISATION/SUBJECT. Roles are those of the hub.
    fn by_hand(&self, words: &str) {
        let words: Vec<&str> = words.split(' ').collect();
        let state = self.world.dump().expect("memory");
        let account = state.account(HUB);
        let user = |name: &str| account.users.named(name).expect("a user").id.clone();
        let group = |name: &str| account.groups.named(name).expect("a group").id.clone();
        let role = |name: &str| account.roles.named(name).expect("a role").id.clone();
        let mark =
            words.get(2).and_then(|mark| mark.split_once('/')).map(|(whose, subject)| Mark {
                organisation: whose.into(),
                subject: subject.parse::<Subject>().expect("a subject"),
            });
        let hub = || HUB.to_owned();
        let edit = |name: &str, change: fn(&mut reconcile::cloud::memory::service::state::User)| {
            self.world.edit_user(HUB, &VendorId::new(user(name)), change)
        };
        let done = match words[..] {
            ["disable", name] => edit(name, |user| user.enabled = false),
            ["enable", name] => edit(name, |user| user.enabled = true),
            ["profile", name] => {
                edit(name, |user| user.display_name = Some("Somebody Else".to_owned()))
            }
            ["credential", name] => {
                let id = VendorId::new(user(name));
                self.world.add_credential(HUB, &id, "access-key").map(drop)
            }
            ["user", name, ..] => self.world.add_user(HUB, name, mark.as_ref()).map(drop),
            ["group", name, ..] => self.world.add_group(HUB, name, mark.as_ref()).map(drop),
            ["role", name, ..] => self.world.add_role(HUB, name, mark.as_ref()).map(drop),
            ["join", who, what] => self.world.mutate(|_| Mutation::AddMember {
                account: hub(),
                user: user(who),
                group: group(what),
            }),
            ["leave", who, what] => self.world.mutate(|_| Mutation::RemoveMember {
                account: hub(),
                user: user(who),
                group: group(what),
            }),
            ["redefine", name] => self.world.edit_role(HUB, &VendorId::new(role(name)), |role| {
                role.permissions.insert("more".to_owned());
            }),
            ["bind", who, what] => self.world.mutate(|_| Mutation::AddBinding {
                account: hub(),
                group: group(who),
                role: role(what),
            }),
            ["unbind", who, what] => self.world.mutate(|_| Mutation::RemoveBinding {
                account: hub(),
                group: group(who),
                role: role(what),
            }),
            ["unmark", "role", name] => {
                let id = VendorId::new(role(name));
                self.world.edit_role(HUB, &id, |role| role.tags.clear())
            }
            ["unmark", "user", name] => edit(name, |user| user.tags.clear()),
            ["damage", "user", name] => edit(name, |user| {
                user.tags.insert("reconcile:subject".to_owned(), "person:debian".to_owned());
            }),
            ["acts-as", name] => self
                .world
                .mutate(|_| Mutation::SetOwnPrincipal { account: hub(), id: Some(user(name)) }),
            _ => panic!("unknown: {words:?}"),
        };
        done.expect("memory");
    }

    fn load(&self) -> Loaded {
        std::fs::write(self.folder.path().join("people.ldif"), self.ldif()).expect("a file");
        let files = [
            ("inventory/all.yaml", self.inventory.as_str()),
            ("policies/all.yaml", self.policies.as_str()),
        ];
        let loaded = load(&SourceTree::from_files(files), &[MemoryVendor::facts()], self.today);
        assert!(!loaded.has_errors(), "{:#?}", loaded.findings);
        loaded
    }

    fn ldif(&self) -> String {
        let mut text = String::from("version: 1\n");
        let base = "ou=users,dc=example,dc=org";
        for (number, group) in (800..).zip(&self.groups) {
            let _ = write!(
                text,
                "\ndn: gid={group},{base}\nobjectClass: debianGroup\ngid: {group}\n\
                 gidNumber: {number}\n"
            );
        }
        for (id, (login, words)) in &self.people {
            let _ = write!(
                text,
                "\ndn: uid={login},{base}\nobjectClass: inetOrgPerson\n\
                 objectClass: debianAccount\nobjectClass: shadowAccount\nuid: {login}\n\
                 uidNumber: {id}\ngidNumber: 100\ncn: {login}\nsn: Example\n\
                 mail: {login}@example.org\n"
            );
            let mut key = true;
            for word in words {
                let _ = match word.split_once('=') {
                    Some(("expires", day)) => {
                        let epoch: Date = "1970-01-01".parse().expect("a day");
                        let day: Date = day.parse().expect("a day");
                        writeln!(text, "shadowExpire: {}", (day - epoch).get_days())
                    }
                    _ if word == "inactive" => writeln!(text, "accountStatus: inactive"),
                    _ if word == "nokey" => {
                        key = false;
                        Ok(())
                    }
                    _ => writeln!(text, "supplementaryGid: {word}"),
                };
            }
            if key {
                text.push_str("keyFingerPrint: 1D9E5EB12F9FDBE59D2C7A67EEDBFB816F86CA2F\n");
            }
        }
        if self.broken_directory {
            text.push_str("\nthis is where the disk was full\n");
        }
        text.push_str("\n# end\n");
        text
    }

    fn sources<'a>(&'a self, loaded: &'a Loaded) -> Sources<'a> {
        Sources {
            inventory: &loaded.inventory,
            policies: &loaded.policies,
            topology: reconcile::mirrors::Topology::none(),
            vendors: std::slice::from_ref(&self.vendor),
            organisations: BTreeSet::new(),
            access: Access {
                root: self.folder.path(),
                operator: &self.operator,
                environment: &|_| None,
            },
            today: self.today,
        }
    }

    async fn gather(&self, loaded: &Loaded) -> (Gathered, Prepared) {
        // Once for each account, whichever is read first.
        self.world.faults(|faults| {
            faults.clear();
            for operation in self.faults.iter().chain(&self.faults) {
                faults.next(Some(*operation), Fault::EmptyPage);
            }
        });
        let sources = self.sources(loaded);
        let past =
            Past { known: Known::read(self.folder.path()), recent: Some(self.recent.clone()) };
        let mut gathered = gather(&sources).await;
        gather_forgotten(&sources, &past.known, &mut gathered).await;
        let baseline = Baseline::read(self.folder.path()).expect("a baseline");
        let everything = Narrowing::default();
        let findings = against_directory::findings(
            &loaded.inventory,
            &gathered.directories,
            &gathered.facts,
            &loaded.policies.privileged_roles(),
            self.today,
        );
        let prepared = prepare(&sources, &gathered, &baseline, &past, findings, &everything, None);
        (gathered, prepared)
    }

    async fn ordinary_run(&mut self) {
        let loaded = self.load();
        let (gathered, prepared) = self.gather(&loaded).await;
        let outcomes = carry_out(&prepared.review, &gathered.connections, Options::default()).await;
        self.recent.add(&taken(&prepared, &outcomes));
        let mut known = Known::read(self.folder.path());
        let sources = self.sources(&loaded);
        known.update(&sources, &gathered, &prepared.review.violations);
        known.write(self.folder.path(), &sources).expect("a writable folder");
    }

    /// The plan ten times, what became of it, and what is left to do.
    async fn ends(mut self) -> String {
        let loaded = self.load();
        let (gathered, prepared) = self.gather(&loaded).await;
        let shown = show(&prepared);
        assert_eq!(lint(prepared.review.approved.plan()), []);
        for _ in 0..9 {
            let (_, again) = self.gather(&loaded).await;
            assert_eq!(show(&again), shown, "the same plan every time");
        }
        self.world.faults(reconcile::cloud::memory::service::fault::Faults::clear);
        let outcomes = carry_out(&prepared.review, &gathered.connections, Options::default()).await;
        self.faults.clear();
        let (_, left) = self.gather(&loaded).await;
        let mut text = format!("{shown}\nWhat became of it:\n{}", in_words(&outcomes));
        let held = prepared.review.approved.held().len();
        let plan = left.review.approved.plan();
        if held == 0 && prepared.review.approved.plan().incomplete.is_empty() {
            assert!(plan.changes.is_empty(), "still something to do:\n{}", show(&left));
            text.push_str("\nAfterwards there is nothing to do.\n");
        } else {
            let _ = writeln!(text, "\nAfterwards {} changes are left.", plan.changes.len());
        }
        text
    }
}

fn edit(text: &mut String, change: &str) {
    let (old, new) = change.split_once(" => ").expect("OLD => NEW");
    let (old, new) = (old.replace("\\n", "\n"), new.replace("\\n", "\n"));
    assert_eq!(text.matches(&old).count(), 1, "{old}");
    *text = text.replace(&old, &new);
}

fn show(prepared: &Prepared) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    report::plan(&mut out, &prepared.review, Detail::Everything).expect("memory");
    String::from_utf8(out.into_inner()).expect("UTF-8")
}

fn in_words(outcomes: &Outcomes) -> String {
    let line = |(number, outcome): (usize, &Outcome)| {
        let what = match outcome {
            Outcome::Applied => "applied".to_owned(),
            Outcome::AlreadyTrue => "already true".to_owned(),
            Outcome::Begun { what } => format!("begun: {what}"),
            Outcome::Held { .. } => "held".to_owned(),
            Outcome::Skipped { why } => format!("skipped: {why}"),
            Outcome::Failed { why, .. } => format!("failed: {why}"),
        };
        format!("  #{} {what}\n", number + 1)
    };
    outcomes.by_change.iter().enumerate().map(line).collect()
}
