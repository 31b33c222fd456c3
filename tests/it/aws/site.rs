//! An organisation with a real directory server and three accounts at AWS, and the binary to run
//! on it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::cli::site::{Ran, ran};
use crate::peers::moto::Account;
use crate::peers::moto::Moto;
use crate::peers::operator;
use crate::peers::slapd::{self, Slapd};
use crate::peers::wire::Wire;

pub const HUB: &str = "111111111111";
pub const MIRRORS: &str = "222222222222";
pub const BUILDS: &str = "333333333333";
/// An account that only some tests' inventories name.
pub const LATER: &str = "444444444444";

/// Two groups and five people, and one who left: amara, boris and chiyo administer, diego and emeka build.
const PEOPLE: &str = "
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=users,dc=example,dc=org
objectClass: organizationalUnit
ou: users

dn: gid=Debian,ou=users,dc=example,dc=org
objectClass: debianGroup
gid: Debian
gidNumber: 800
";

pub const INVENTORY: &str = r#"
organisations:
  spi:
    accounts:
      spi-hub: {vendor: aws, id: "111111111111", hub: true}
      debian-mirrors: {vendor: aws, id: "222222222222", settings: {external_id: spi-and-aws}}
      debian-builds: {vendor: aws, id: "333333333333"}
directories:
  debian:
    ldap: {url: "URL", start_tls: false}
    schema: userdir
    base: dc=example,dc=org
grants:
  - {group: admin, role: administrator, accounts: ["*"], reason: They run it}
  - {group: build, role: operator, accounts: [debian-builds], reason: They build}
"#;

const POLICIES: &str = r#"
roles:
  administrator:
    description: May do everything
    privileged: true
    means:
      aws: {managed_policies: [AdministratorAccess], session_hours: 1}
  operator:
    description: Runs instances
    means:
      aws:
        managed_policies: [AmazonEC2FullAccess]
        inline_policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}'
        session_hours: 8
privileged_needs_key: false
grace_days: 10
limits: {default: {access: {floor: 99}, users: {floor: 3}, memberships: {floor: 9}, groups: {floor: 3}, roles: {floor: 3}, bindings: {floor: 9}, attachments: {floor: 20}}}
"#;

pub struct AwsSite {
    pub moto: Moto,
    pub wire: Wire,
    pub slapd: Slapd,
    folder: TempDir,
    key: (String, String),
    /// Where the binary finds AWS.
    pub endpoint: String,
}

impl AwsSite {
    /// Before the first run.
    pub fn new() -> Self {
        Self::with(INVENTORY, POLICIES)
    }

    pub fn with(inventory: &str, policies: &str) -> Self {
        let moto = Moto::start_with_managed_policies();
        let people: String = [
            person("amara", 1001, &["admin"]),
            person("boris", 1002, &["admin"]),
            person("chiyo", 1003, &["admin"]),
            person("diego", 1004, &["build"]),
            person("emeka", 1005, &["build"]),
            // Left long ago: that states are shown at all can be told from somebody.
            person("gilda", 1009, &[]) + "accountStatus: inactive 2025-01-01\n",
        ]
        .concat();
        let groups: String = ["admin", "build", "audit"].map(group).concat();
        let ldif = format!("{}{groups}{people}", PEOPLE.trim_start());
        let slapd = Slapd::start(&slapd::Setup { ldif: &ldif, ..slapd::Setup::default() });
        let wire = Wire::start(moto.address());
        let hub = moto.account(HUB);
        hub.user("runner", "/", &[]);
        let key = hub.access_key("runner");
        wire.know(&key.0, HUB);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let endpoint = wire.url();
        let site = Self { moto, wire, slapd, folder, key, endpoint };
        for name in ["inventory", "policies", "mirrors"] {
            fs::create_dir_all(site.root().join(name)).expect("a folder");
        }
        fs::create_dir(site.path("home")).expect("a home");
        site.write("inventory/all.yaml", &inventory.replace("URL", &site.slapd.url()));
        site.write("policies/all.yaml", policies);
        site.operator(&[], "");
        site
    }

    /// After the first run.
    pub fn applied() -> Self {
        let site = Self::new();
        site.run(&[]).ends_with(0);
        site.wire.clear();
        site
    }

    /// Writes the operator's file: the directory may be asked, and so may other servers.
    pub fn operator(&self, servers: &[&str], more: &str) {
        let own = self.slapd.url();
        let servers = [&[own.as_str()], servers].concat().join(", ");
        operator::write(&self.path("home"), &format!("servers: [{servers}]\n{more}"));
    }

    /// The id of the key the program signs with.
    pub fn key_id(&self) -> &str {
        &self.key.0
    }

    pub fn account(&self, id: &str) -> Account {
        self.moto.account(id)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn root(&self) -> PathBuf {
        self.path("site")
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.root().join(name), text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root().join(name)).expect("a file")
    }

    /// Changes a part of the inventory that must be there.
    #[track_caller]
    pub fn edit(&self, from: &str, to: &str) {
        let text = self.read("inventory/all.yaml");
        assert!(text.contains(from), "{from} is not in the inventory");
        self.write("inventory/all.yaml", &text.replace(from, to));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("USER", "tester")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_ACCESS_KEY_ID", &self.key.0)
            .env("AWS_SECRET_ACCESS_KEY", &self.key.1)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(self.root())
            .stdin(Stdio::null())
            .args(arguments)
            .arg("--state")
            .arg(self.path("state"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Runs until nothing is left to do, which must be after one run, and a second that writes
    /// nothing.
    #[track_caller]
    pub fn converge(&self) -> Ran {
        let first = self.run(&[]).ends_with(0);
        self.wire.clear();
        let second = self.run(&[]).ends_with(0);
        assert_eq!(second.changes(), [""; 0], "{}", first.out);
        let writes = self.wire.writes();
        assert!(writes.is_empty(), "a second run writes nothing: {writes:?}");
        first
    }

    /// Changes the directory, in the words of `ldapmodify`.
    pub fn ldap(&self, changes: &str) {
        let mut child = Command::new("ldapmodify")
            .args(["-x", "-H", &self.slapd.url(), "-D", slapd::ADMIN, "-w", slapd::ADMIN_PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ldapmodify is installed by tests/run");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(changes.as_bytes()).expect("ldapmodify reads");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Somebody new.
    pub fn joins(&self, login: &str, number: u32, groups: &[&str]) {
        let entry = person(login, number, groups);
        self.ldap(&entry.trim_start().replacen('\n', "\nchangetype: add\n", 1));
    }

    /// Sets the groups of somebody.
    pub fn moves(&self, login: &str, groups: &[&str]) {
        let groups = memberships(groups);
        self.ldap(&format!(
            "dn: uid={login},ou=users,dc=example,dc=org\nchangetype: modify\n\
             replace: supplementaryGid\n{groups}"
        ));
    }

    /// Somebody leaves, or returns.
    pub fn is_active(&self, login: &str, active: bool) {
        let status = if active { "" } else { "accountStatus: inactive 2026-01-01\n" };
        self.ldap(&format!(
            "dn: uid={login},ou=users,dc=example,dc=org\nchangetype: modify\n\
             replace: accountStatus\n{status}"
        ));
    }

    /// Somebody gets another log-in name.
    pub fn renames(&self, login: &str, to: &str) {
        self.ldap(&format!(
            "dn: uid={login},ou=users,dc=example,dc=org\nchangetype: modrdn\nnewrdn: uid={to}\n\
             deleteoldrdn: 1\n"
        ));
    }
}

/// What a run says it does, without the reasons.
pub fn changes(ran: &Ran) -> Vec<String> {
    ran.changes()
        .iter()
        .map(|line| line.split("  ").filter(|part| !part.trim().is_empty()).take(3))
        .map(|parts| parts.map(str::trim).collect::<Vec<_>>().join(" "))
        .collect()
}

/// Whether a run says it does something.
pub fn has(ran: &Ran, what: &str) -> bool {
    changes(ran).iter().any(|line| line.starts_with(what))
}

fn group(name: &str) -> String {
    format!("\ndn: gid={name},ou=users,dc=example,dc=org\nobjectClass: debianGroup\ngid: {name}\n")
}

fn person(login: &str, number: u32, groups: &[&str]) -> String {
    let groups = memberships(groups);
    format!(
        "\ndn: uid={login},ou=users,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
         objectClass: debianAccount\nobjectClass: shadowAccount\nobjectClass: debianDeveloper\n\
         uid: {login}\nuidNumber: {number}\ngidNumber: 800\ncn: {login}\nsn: {login}\nkeyFingerPrint: {number:040X}\n{groups}"
    )
}

fn memberships(groups: &[&str]) -> String {
    let mut text = String::new();
    for group in groups {
        text.push_str("supplementaryGid: ");
        text.push_str(group);
        text.push('\n');
    }
    text
}
