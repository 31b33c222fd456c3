//! An organisation with a bit of everything to do at once, and the binary to run on it.
//!
//! The directory is a file, and IAM is brought back to where it was before, instead of being made
//! anew: a round takes a fraction of a second.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::world::{BUILDS, HUB, Someone, ldif};
use crate::cli::site::{Ran, ran};
use crate::peers::moto::{Moto, allow, trust};
use crate::peers::wire::{Fault, Place, Wire};

pub const MIRRORS: &str = "222222222222";

const GROUPS: &[&str] = &["admin", "build", "audit", "old", "fresh", "grows", "shrinks"];

const BEFORE: &[Someone] = &[
    ("amara", 1001, &["admin"], true),
    ("boris", 1002, &["build"], true),
    ("chiyo", 1003, &["audit"], true),
    ("diego", 1004, &["build", "old"], true),
    ("emeka", 1005, &["build"], true),
    ("gina", 1007, &["build"], true),
    ("hedy", 1008, &["grows", "shrinks"], true),
];

/// boris moves, diego leaves, emeka's grace is over, chiyo returns within hers, farid joins, gina
/// has another name.
const AFTER: &[Someone] = &[
    ("amara", 1001, &["admin"], true),
    ("boris", 1002, &["admin"], true),
    ("chiyo", 1003, &["audit"], true),
    ("diego", 1004, &["build", "old"], false),
    ("emeka", 1005, &["build"], false),
    ("farid", 1006, &["audit", "build", "fresh"], true),
    ("georgina", 1007, &["build"], true),
    ("hedy", 1008, &["grows", "shrinks"], true),
];

const HEAD: &str = r#"
directories:
  debian: {ldif: inventory/people.ldif, schema: userdir, base: "dc=example,dc=org"}
organisations:
  spi:
    accounts:
      hub: {vendor: aws, id: "111111111111", hub: true}
      builds: {vendor: aws, id: "333333333333"}
"#;

/// Who holds what in `builds`; more than two roles of a group need a second document.
const GRANTS_BEFORE: &[(&str, &[&str])] = &[
    ("admin", &["operator", "lister"]),
    ("build", &["operator"]),
    ("audit", &["lister"]),
    ("old", &["keeper"]),
    ("grows", &["r1", "r2"]),
    ("shrinks", &["r1", "r2", "r3"]),
];

/// A group gets a role, another loses one, one is new, one goes altogether with its role.
const GRANTS_AFTER: &[(&str, &[&str])] = &[
    ("admin", &["operator"]),
    ("build", &["operator"]),
    ("audit", &["lister", "watcher"]),
    ("fresh", &["lister"]),
    ("grows", &["r1", "r2", "r3"]),
    ("shrinks", &["r1", "r2"]),
];

const POLICIES: &str = r#"
roles:
  operator:
    description: Runs instances
    means:
      aws:
        session_hours: 2
        managed_policies: ["arn:aws:iam::{account}:policy/one"]
        inline_policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'
  lister: {description: Lists, means: {aws: {}}}
  keeper: {description: Keeps, means: {aws: {managed_policies: ["arn:aws:iam::{account}:policy/one"]}}}
  watcher: {description: Watches, means: {aws: {}}}
  publisher: {description: Publishes, means: {aws: {session_hours: 1}}}
  r1: {description: First, means: {aws: {}}}
  r2: {description: Second, means: {aws: {}}}
  r3: {description: Third, means: {aws: {}}}
privileged_needs_key: false
limits: {default: {access: {floor: 999}, users: {floor: 999}, memberships: {floor: 999}, groups: {floor: 999}, roles: {floor: 999}, bindings: {floor: 999}, attachments: {floor: 999}}}
"#;

fn inventory(grants: &[(&str, &[&str])], tail: &str) -> String {
    let lines = grants.iter().flat_map(|(group, roles)| {
        roles.iter().map(move |role| {
            format!("  - {{group: {group}, role: {role}, accounts: [builds], reason: r}}\n")
        })
    });
    format!("{HEAD}{}grants:\n{}", tail, lines.collect::<String>())
}

/// Jobs of a forge that vouches for them.
fn service(name: &str, forge: &str) -> String {
    format!(
        "service_accounts:\n  {name}: {{owners: admin, role: publisher, accounts: [builds], reason: r, forge: {{{forge}}}}}\n"
    )
}

pub struct Rich {
    pub moto: Moto,
    pub wire: Wire,
    folder: TempDir,
    key: (String, String),
}

impl Rich {
    /// With everything to do.
    pub fn new() -> Self {
        let moto = Moto::start_with_small_groups(240);
        let wire = Wire::start(moto.address());
        let hub = moto.account(HUB);
        hub.user("runner", "/", &[]);
        let key = hub.access_key("runner");
        wire.know(&key.0, HUB);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let site = Self { moto, wire, folder, key };
        for name in ["site/inventory", "site/policies", "site/mirrors", "home"] {
            std::fs::create_dir_all(site.path(name)).expect("a folder");
        }
        site.moto.account(BUILDS).policy("one", "/", &allow("s3:Get*"));
        site.moto.account(BUILDS).policy("two", "/", &allow("s3:List*"));
        site.before();
        site.run(&[]).ends_with(0);
        site.by_hand();
        site.after();
        site.wire.clear();
        site.moto.keep();
        site
    }

    fn before(&self) {
        self.write("inventory/people.ldif", &ldif(GROUPS, BEFORE));
        let salsa = service(
            "salsa",
            "kind: gitlab, issuer: \"https://salsa.example.org\", project: team/site, branch: main",
        );
        self.write("inventory/all.yaml", &inventory(GRANTS_BEFORE, &salsa));
        self.write("policies/all.yaml", POLICIES);
    }

    fn after(&self) {
        self.write("inventory/people.ldif", &ldif(GROUPS, AFTER));
        let actions = service("actions", "kind: github, project: spi@12/site@34, tag: \"v*\"");
        let mirrors = "      mirrors: {vendor: aws, id: \"222222222222\"}\n";
        let grants = inventory(GRANTS_AFTER, &format!("{mirrors}{actions}"));
        let new = "  - {group: audit, role: watcher, accounts: [mirrors], reason: r}\n";
        self.write("inventory/all.yaml", &format!("{grants}{new}"));
        let policies = POLICIES
            .replace("session_hours: 2", "session_hours: 4")
            .replace("Runs instances", "Runs all instances")
            .replacen("policy/one", "policy/two", 1)
            .replace("ec2:*", "ec2:Describe*");
        self.write("policies/all.yaml", &policies);
    }

    /// What people did since: credentials, drift, what is none of ours; and what time did.
    fn by_hand(&self) {
        let hub = self.moto.account(HUB);
        hub.everything("diego");
        for (user, day, group) in
            [("emeka", "2026-01-01", "build"), ("chiyo", "2026-01-01", "audit")]
        {
            let tag = [("Tags.member.1.Key", "reconcile:suspended"), ("Tags.member.1.Value", day)];
            hub.iam("TagUser", &[&[("UserName", user)][..], &tag].concat());
            hub.iam("RemoveUserFromGroup", &[("UserName", user), ("GroupName", group)]);
        }
        hub.user("stranger", "/", &[]);
        hub.member("stranger", "admin");
        hub.inline("User", "stranger", "own", &allow("s3:*"));
        hub.group("clique", "/");
        hub.member("stranger", "clique");
        hub.member("boris", "clique");
        let policy = hub.policy("by-hand", "/", &allow("s3:*"));
        hub.attach("Group", "build", &policy);
        hub.attach("User", "amara", &policy);
        hub.iam("RemoveUserFromGroup", &[("UserName", "hedy"), ("GroupName", "grows")]);
        let builds = self.moto.account(BUILDS);
        builds.role("theirs", "/", &trust("arn:aws:iam::999999999999:root"), &[]);
        let anybody = trust("arn:aws:iam::999999999999:root").to_string();
        let parameters = [("RoleName", "r1"), ("PolicyDocument", anybody.as_str())];
        builds.iam("UpdateAssumeRolePolicy", &parameters);
        builds.inline("Role", "r2", "by-hand", &allow("s3:*"));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path("site").join(name), text).expect("a file");
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
            .env("AWS_ENDPOINT_URL", self.wire.url())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(self.path("site"))
            .stdin(Stdio::null())
            .args(arguments)
            .arg("--state")
            .arg(self.path("state"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Runs, and kills it when exactly so many writes are done; `false` if there are not so many.
    pub fn is_killed_after(&self, writes: usize, arguments: &[&str]) -> bool {
        self.wire.clear();
        self.wire.inject(Place::write(writes), Fault::StallAfterwards);
        self.wire.inject(Place::write(writes + 1).and_later(), Fault::Stall);
        let mut child = self.command(arguments);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        // It ends, or stalls; a stalled one gives up by itself after a while.
        let killed = loop {
            if self.is_stalled() {
                break true;
            }
            if child.try_wait().expect("our child").is_some() {
                break false;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        child.kill().expect("our child");
        child.wait().expect("our child");
        self.wire.clear();
        killed
    }

    /// Whether the last write that may be done is done, and those before it are not under way.
    fn is_stalled(&self) -> bool {
        let writes = self.wire.writes();
        writes.iter().any(|call| call.fault == Some(Fault::StallAfterwards))
            && writes.iter().all(|call| call.status.is_some() || call.fault.is_some())
    }

    /// All of IAM that matters, as one text: the same for the same content, without ids and times.
    pub fn state(&self) -> String {
        let volatile =
            ["UserId", "GroupId", "RoleId", "PolicyId", "CreateDate", "UpdateDate", "RoleLastUsed"];
        let mut text = String::new();
        for id in [HUB, BUILDS, MIRRORS] {
            let account = self.moto.account(id);
            let bulk = account.iam("GetAccountAuthorizationDetails", &[]);
            text += &bulk.lines("GetAccountAuthorizationDetailsResult", &volatile);
            for (action, element) in
                [("ListVirtualMFADevices", "SerialNumber"), ("ListOpenIDConnectProviders", "Arn")]
            {
                let _ = writeln!(text, "{action}: {:?}", account.iam(action, &[]).all(element));
            }
        }
        let of = [("UserName", "diego")];
        for (action, element) in [
            ("ListAccessKeys", "AccessKeyId"),
            ("ListMFADevices", "SerialNumber"),
            ("ListSSHPublicKeys", "SSHPublicKeyId"),
            ("ListSigningCertificates", "CertificateId"),
            ("ListServiceSpecificCredentials", "ServiceSpecificCredentialId"),
        ] {
            let found = self.moto.account(HUB).iam(action, &of).all(element);
            let _ = writeln!(text, "{action}: {found:?}");
        }
        let logs_in = self.moto.account(HUB).try_iam("GetLoginProfile", &of).is_ok();
        let _ = writeln!(text, "diego has a password: {logs_in}");
        // The day of a suspension is that of the run, and a test may run over midnight.
        let is_day = |line: &&str| line.trim_start().starts_with("Value: 20");
        text.lines().filter(|line| !is_day(line)).collect::<Vec<_>>().join("\n")
    }
}
