//! Secrets and personal values planted everywhere they can enter, and looked for in everything
//! that comes out, at the highest log level.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::site::{PEOPLE, Ran, Site, files, ran};
use crate::peers::slapd::{READER, Setup, Slapd};

/// May be nowhere at all.
const SECRETS: [&str; 6] = [
    "planted-bind",
    "planted-hash",
    "planted-wrong",
    "planted-yaml",
    "planted-environment",
    "planted-argument",
];
/// May be in the cloud and in a saved plan, which are made of them.
const PERSONAL: [&str; 3] = ["planted-mail", "Planted Surname", "Planted Name"];

fn people(site: &Site) -> String {
    let mut text = String::new();
    for line in site.read(PEOPLE).lines().filter(|line| *line != "version: 1") {
        let line = match line.split_once(": ") {
            Some(("mail", _)) => "mail: planted-mail@example.org",
            Some(("sn", _)) => "sn: Planted Surname\nuserPassword: {crypt}$6$planted-hash",
            Some(("cn", _)) => "cn: Planted Name",
            _ => line,
        };
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The server's schema knows role accounts that are nothing else.
fn server(people: &str) -> Slapd {
    let entries: Vec<&str> =
        people.split("\n\n").filter(|entry| !entry.contains("debianRoleAccount")).collect();
    let people = entries.join("\n\n");
    let reader = format!(
        "\n\ndn: {READER}\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: planted-bind\n"
    );
    Slapd::start(&Setup { ldif: &format!("{people}{reader}"), ..Setup::default() })
}

/// What came out of one command, by where it came out.
struct Seen(Vec<(String, String)>);

impl Seen {
    fn add(&mut self, what: &str, run: &Ran) {
        self.0.push((format!("{what}: stdout"), run.out.clone()));
        self.0.push((format!("{what}: stderr"), run.err.clone()));
    }

    fn add_files(&mut self, folder: &Path) {
        for (path, content) in files(folder) {
            let text = String::from_utf8_lossy(&content).into_owned();
            self.0.push((path.display().to_string(), text));
        }
    }

    /// Where a value shows that must not.
    fn leaks(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        for (place, text) in &self.0 {
            let made_of_them = place.ends_with("/memory.jsonl") || place.ends_with("/plan.json");
            let personal = PERSONAL.iter().filter(|_| !made_of_them);
            for value in SECRETS.iter().chain(personal) {
                if text.contains(value) {
                    leaks.push(format!("{value} in {place}"));
                }
            }
        }
        leaks
    }
}

/// The directory on the server, with a password that the operator's file has somewhere.
fn bound(site: &Site, url: &str, password: &str) {
    let directories = site.read("inventory/directories.yaml");
    let (_, others) = directories.split_once("  freedesktop:").unwrap();
    let debian = format!(
        "directories:\n  debian:\n    ldap:\n      url: {url}\n      start_tls: false\n      \
         attempts: 1\n      bind: {{dn: \"{READER}\", secret: ldap}}\n    schema: userdir\n    \
         base: dc=example,dc=org\n  freedesktop:{others}"
    );
    site.write("inventory/directories.yaml", &debian);
    site.operator(&format!("secrets:\n  ldap: {{{password}, servers: ['{url}']}}\n"));
}

/// A command with secrets in its environment.
fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut command = site.command(arguments);
    command
        .env("LDAP_PASSWORD", "planted-bind")
        .env("WRONG_PASSWORD", "planted-wrong")
        .env("AWS_SECRET_ACCESS_KEY", "planted-environment")
        .arg("-vvv");
    command
}

fn every_command(site: &Site, seen: &mut Seen, codes: &[i32]) {
    for line in [
        "--dry-run",
        "--dry-run --format json",
        "--dry-run --format markdown",
        "plan --out ../plan.json",
        "apply ../plan.json --metrics ../metrics.prom",
        "--metrics ../metrics.prom",
        "--format json",
        "check --format json",
        "record list",
        "record show last",
        "record show last --format json",
        "record verify",
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let run = ran(&mut command(site, &arguments));
        assert!(run.code.is_some_and(|code| codes.contains(&code)), "{line}: {run:?}");
        seen.add(line, &run);
    }
}

#[test]
fn nothing_planted_comes_out() {
    let site = Site::new();
    let people = people(&site);
    site.write(PEOPLE, &people);
    let mut slapd = server(&people);
    let secret = site.path("ldap-password");
    fs::write(&secret, "planted-bind\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let mut seen = Seen(Vec::new());

    // A password from a file; everything is made.
    bound(&site, &slapd.url(), &format!("file: {}", secret.display()));
    every_command(&site, &mut seen, &[0]);
    // From the environment and from a command; somebody leaves, so that there is something to do.
    let cat = format!("command: [cat, '{}']", secret.display());
    for password in ["environment: LDAP_PASSWORD", &cat] {
        bound(&site, &slapd.url(), password);
        seen.add(password, &ran(&mut command(&site, &[])).ends_with(0));
    }
    // A wrong password, a file others may read, a command that fails and says it.
    bound(&site, &slapd.url(), "environment: WRONG_PASSWORD");
    every_command(&site, &mut seen, &[0, 4]);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let loud = format!("command: [sh, -c, 'cat {} >&2; exit 1']", secret.display());
    for password in [&format!("file: {}", secret.display()), &loud, "environment: NOT_SET"] {
        bound(&site, &slapd.url(), password);
        seen.add(password, &ran(&mut command(&site, &[])).ends_with(4));
    }
    // A server that is down.
    slapd.kill();
    bound(&site, &slapd.url(), "environment: LDAP_PASSWORD");
    seen.add("down", &ran(&mut command(&site, &[])).ends_with(4));
    seen.add_files(&site.state());
    for name in ["metrics.prom", "plan.json"] {
        let path = site.path(name);
        seen.0.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
    }
    assert_eq!(seen.leaks(), [""; 0]);
    // The other end: what is looked for was really there.
    assert!(
        fs::read_to_string(site.state().join("memory.jsonl")).unwrap().contains("planted-mail")
    );
}

#[test]
fn secrets_written_where_they_do_not_belong() {
    let mut seen = Seen(Vec::new());
    for (file, from, to) in [
        ("inventory/directories.yaml", "    schema: userdir", "    password: planted-yaml"),
        (
            "inventory/directories.yaml",
            "    ldif: inventory/people/debian.ldif",
            "    ldap: {url: 'ldaps://me:planted-yaml@ldap.example.org'}",
        ),
        (
            "inventory/directories.yaml",
            "    ldif: inventory/people/debian.ldif",
            "    ldap: {url: 'ldaps://x', bind: {dn: cn=x, password: planted-yaml}}",
        ),
        (
            "inventory/organisations.yaml",
            "        hub: true           #",
            "        secret: planted-yaml #",
        ),
    ] {
        let site = Site::new();
        site.edit(file, from, to);
        for arguments in
            [&["--dry-run"][..], &[], &["check"], &["plan"], &["check", "--format", "json"]]
        {
            seen.add(to, &ran(&mut command(&site, arguments)).ends_with(2));
        }
    }
    assert_eq!(seen.leaks(), [""; 0]);
}

#[test]
fn secrets_on_the_command_line_do_not_stay() {
    let site = Site::new();
    let mut seen = Seen(Vec::new());
    for arguments in [
        &["--password=planted-argument"][..],
        &["--token", "planted-argument"],
        &["--bind-password=planted-argument", "--dry-run"],
    ] {
        seen.add("refused", &ran(&mut command(&site, arguments)).ends_with(2));
    }
    // Accepted as the name of a file that cannot be written; the record keeps the command line.
    ran(&mut command(&site, &["--metrics", "https://me:planted-argument@x/y"])).ends_with(1);
    let shown = ran(&mut command(&site, &["record", "show", "last"])).ends_with(0);
    assert!(shown.out.contains("https://me:(not shown)@x/y"), "{}", shown.out);
    seen.add("record", &shown);
    seen.add_files(&site.state());
    assert_eq!(seen.leaks(), [""; 0]);
}

#[test]
fn the_search_finds_what_is_planted() {
    let mut seen = Seen(Vec::new());
    let leaky = format!("…{}…", SECRETS[1]);
    seen.add("x", &Ran { code: Some(0), out: leaky.clone(), err: PERSONAL[0].to_owned() });
    seen.0.push(("/state/memory.jsonl".to_owned(), format!("{leaky}{}", PERSONAL[0])));
    assert_eq!(
        seen.leaks(),
        [
            "planted-hash in x: stdout",
            "planted-mail in x: stderr",
            "planted-hash in /state/memory.jsonl"
        ]
    );
}
