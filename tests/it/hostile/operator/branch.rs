//! A merge request that makes its own check run, read or send something. A socket that listens proves
//! that nobody came, a file that is not there that nothing ran.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;

use crate::cli::site::{Ran, Site, ran};

/// What the operator of these tests allows: nothing that a branch here asks for.
const OPERATOR: &str = "\
secrets:
  ldap: {environment: CI_DEPLOY_TOKEN, servers: [ldaps://ldap.example.org]}
trust:
  own: {file: ca.pem, servers: ['ldap://127.0.0.1:1']}
servers: [ldaps://open.example.org]
sinks:
  deploy: {file: '/nowhere/{service}', services: [mirror-push]}
";

/// Every command that reads the inventory, with what it may end with.
const COMMANDS: [&[&str]; 7] = [
    &["check"],
    &["explain", "eilidh"],
    &["diff", "--base", "HEAD"],
    &["--dry-run"],
    &["plan"],
    &["permissions", "memory"],
    &[],
];

/// A site in git, and traps around it.
struct Attacked {
    site: Site,
    listener: TcpListener,
    socket: UnixListener,
}

impl Attacked {
    fn new() -> Self {
        let site = Site::new();
        git(&site, "init -q . && git add . && git -c user.name=x -c user.email=x@x commit -qm x");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let socket = UnixListener::bind(site.path("socket")).unwrap();
        socket.set_nonblocking(true).unwrap();
        let attacked = Self { site, listener, socket };
        attacked.site.operator(OPERATOR);
        attacked
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    fn canary(&self) -> PathBuf {
        self.site.path("canary")
    }

    /// People come from a server of the branch's.
    fn server(&self, ldap: &str) {
        self.site.edit(
            "inventory/directories.yaml",
            "    ldif: inventory/people/freedesktop.ldif\n",
            &format!("    ldap: {ldap}\n"),
        );
    }

    fn every_command(&self) -> Vec<(&'static [&'static str], Ran)> {
        COMMANDS
            .into_iter()
            .map(|arguments| {
                let mut command = self.site.command(arguments);
                let ran = ran(command.env("CI_DEPLOY_TOKEN", "planted").arg("-v"));
                assert!(ran.code.is_some_and(|code| code != 1), "{arguments:?}: {ran:?}");
                assert!(!ran.text().contains("planted"), "{arguments:?}: {ran:?}");
                (arguments, ran)
            })
            .collect()
    }

    fn nothing_happened(&self) {
        let nobody = |error: std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
        assert!(self.listener.accept().is_err_and(nobody), "somebody came to the port");
        assert!(self.socket.accept().is_err_and(nobody), "somebody came to the socket");
        assert!(!self.canary().exists(), "something ran");
    }

    /// Nothing happens, and those that go on to servers and accounts say why.
    #[track_caller]
    fn is_refused(&self, why: &str) {
        for (arguments, ran) in self.every_command() {
            let asks = matches!(arguments, [] | ["--dry-run" | "plan" | "check", ..]);
            if asks {
                assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.text());
                assert!(ran.text().contains(why), "{arguments:?}: {}", ran.text());
            } else {
                assert!(matches!(ran.code, Some(0 | 2 | 4)), "{arguments:?}: {}", ran.text());
            }
        }
        self.nothing_happened();
    }
}

pub(super) fn git(site: &Site, line: &str) {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("git {line}")]).current_dir(site.root());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    assert!(command.status().unwrap().success());
}

#[test]
fn a_command_for_a_password_is_not_run() {
    let attacked = Attacked::new();
    let (port, canary) = (attacked.port(), attacked.canary().display().to_string());
    attacked.server(&format!(
        "{{url: 'ldap://127.0.0.1:{port}', start_tls: false, bind: {{dn: cn=x, password_command: [touch, '{canary}']}}}}"
    ));
    attacked.is_refused("`password_command` is the operator's to say");
}

#[test]
fn a_variable_is_not_sent_to_the_branchs_server() {
    let attacked = Attacked::new();
    attacked.server(&format!(
        "{{url: 'ldap://127.0.0.1:{}', start_tls: false, bind: {{dn: cn=x, password_environment: CI_DEPLOY_TOKEN}}}}",
        attacked.port()
    ));
    attacked.is_refused("`password_environment` is the operator's to say");
}

#[test]
fn the_first_line_of_a_file_is_not_sent_to_the_branchs_server() {
    let attacked = Attacked::new();
    fs::write(attacked.site.path("netrc"), "planted\n").unwrap();
    attacked.server(&format!(
        "{{url: 'ldap://127.0.0.1:{}', start_tls: false, bind: {{dn: cn=x, password_file: ../netrc}}}}",
        attacked.port()
    ));
    attacked.is_refused("`password_file` is the operator's to say");
}

#[test]
fn a_file_of_certificates_without_end_or_without_beginning_is_not_read() {
    for file in ["/dev/zero", "inventory/pipe"] {
        let attacked = Attacked::new();
        let pipe = attacked.site.root().join("inventory/pipe");
        assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        let port = attacked.port();
        attacked.server(&format!("{{url: 'ldaps://127.0.0.1:{port}', ca_file: {file}}}"));
        attacked.is_refused("`ca_file` is the operator's to say");
    }
}

#[test]
fn a_secret_is_not_sent_to_another_server_than_it_is_for() {
    let port = Attacked::new().port();
    for url in [
        format!("ldap://127.0.0.1:{port}"),
        "ldap://ldap.example.org".to_owned(),
        "ldaps://ldap.example.org:3269".to_owned(),
        "ldaps://ldap.example.org.evil.example".to_owned(),
        "ldaps://open.example.org".to_owned(),
    ] {
        let attacked = Attacked::new();
        let url = url.replace(&port.to_string(), &attacked.port().to_string());
        let tls = !url.contains("127.0.0.1");
        attacked.server(&format!(
            "{{url: '{url}', start_tls: {tls}, bind: {{dn: cn=x, secret: ldap}}}}"
        ));
        attacked.is_refused("the secret `ldap` is for ldaps://ldap.example.org, and not for");
    }
}

#[test]
fn a_secret_that_the_operator_does_not_define_is_told_with_the_line_to_write() {
    let attacked = Attacked::new();
    let url = format!("ldap://127.0.0.1:{}", attacked.port());
    attacked
        .server(&format!("{{url: '{url}', start_tls: false, bind: {{dn: cn=x, secret: ldpa}}}}"));
    let told = attacked.site.run(&["check"]).ends_with(2).text();
    let line = format!("secrets: {{ldpa: {{file: FILE, servers: [{url}]}}}}");
    for words in
        ["inventory/directories.yaml:16", "no secret `ldpa`", "did you mean `ldap`?", &line]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    attacked.nothing_happened();
}

#[test]
fn a_server_that_the_operator_did_not_name_is_not_even_connected_to() {
    let attacked = Attacked::new();
    let port = attacked.port();
    attacked.server(&format!("{{url: 'ldap://127.0.0.1:{port}', start_tls: false}}"));
    attacked.is_refused("may not be asked without a secret");
}

#[test]
fn a_branchs_socket_does_not_hear_who_we_are() {
    let attacked = Attacked::new();
    let path = attacked.site.path("socket").display().to_string().replace('/', "%2F");
    attacked.server(&format!("{{url: 'ldapi://{path}', bind: {{external: true}}}}"));
    attacked.is_refused("may not be asked without a secret");
}

#[test]
fn whom_to_trust_is_neither_chosen_nor_left_out_by_a_branch() {
    for (trust, why) in [
        ("trust: own", "`own` vouches for ldap://127.0.0.1:1, and not for"),
        ("trust: other", "defines no trust `other`"),
    ] {
        let attacked = Attacked::new();
        attacked.server(&format!("{{url: 'ldaps://open.example.org', {trust}}}"));
        attacked.is_refused(why);
    }
    let attacked = Attacked::new();
    attacked.site.operator(
        &format!("servers: ['ldap://127.0.0.1:1']\n{OPERATOR}")
            .replace("servers: [ldaps://open.example.org]\n", ""),
    );
    attacked.server("{url: 'ldap://127.0.0.1:1', start_tls: false}");
    attacked.is_refused("is to be trusted with `own` only");
}

#[cfg(feature = "aws")]
#[test]
fn metadata_of_a_log_in_service_are_not_fetched_from_the_branchs_server() {
    let attacked = Attacked::new();
    attacked.site.edit(
        "inventory/organisations.yaml",
        "    accounts:\n      harbour-hub:",
        &format!(
            "    accounts:\n      evil: {{vendor: aws, access: saml, id: \"666666666666\", settings: {{saml_metadata: 'https://127.0.0.1:{}/x'}}}}\n      harbour-hub:",
            attacked.port()
        ),
    );
    attacked.is_refused("may not be asked without a secret");
}

#[cfg(feature = "aws")]
#[test]
fn the_name_of_a_region_leads_to_no_other_host() {
    for region in ["evil.example/", "x@evil.example", "us-east-1.evil.example#", "cn-north-1"] {
        let attacked = Attacked::new();
        attacked.site.edit(
            "inventory/organisations.yaml",
            "    accounts:\n      harbour-hub:",
            &format!(
                "    accounts:\n      evil: {{vendor: aws, id: \"666666666666\", settings: {{region: '{region}'}}}}\n      harbour-hub:"
            ),
        );
        attacked.is_refused("region");
    }
}

#[test]
fn a_sink_of_a_branch_overwrites_nothing_and_runs_nothing() {
    let sinks = [
        "file: {path: KEPT}".to_owned(),
        "command: [touch, CANARY]".to_owned(),
        "secret_store: {url: 'http://127.0.0.1:PORT', path: a, token_environment: CI_DEPLOY_TOKEN}"
            .to_owned(),
    ];
    for sink in sinks {
        let attacked = Attacked::new();
        let kept = attacked.site.path("kept");
        fs::write(&kept, "mine").unwrap();
        let sink = sink
            .replace("KEPT", &kept.display().to_string())
            .replace("CANARY", &attacked.canary().display().to_string())
            .replace("PORT", &attacked.port().to_string());
        attacked.site.write("policies/sinks.yaml", &format!("sinks:\n  mine: {{{sink}}}\n"));
        key(&attacked, "mirror-push", "mine");
        attacked.is_refused("is the operator's to say");
        assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
    }
}

#[test]
fn a_sink_takes_no_keys_of_others_than_it_is_for() {
    let attacked = Attacked::new();
    attacked.site.write("policies/sinks.yaml", "sinks:\n  deploy: {description: The hosts}\n");
    key(&attacked, "evil", "deploy");
    attacked.is_refused("the sink `deploy` takes no keys of `evil`");
}

/// A service account with a key that goes to a sink.
fn key(attacked: &Attacked, service: &str, sink: &str) {
    let name = "inventory/debian/service-accounts.yaml";
    let text = attacked.site.read(name).replace(
        "    reason: Pushes the archive to the mirrors four times a day\n",
        &format!("    reason: r\n    key: {{sink: {sink}}}\n"),
    );
    attacked.site.write(name, &text.replace("  mirror-push:", &format!("  {service}:")));
}

/// In a fork's check there is no operator's file: what can be checked is, and the rest is said.
#[test]
fn without_an_operators_file_check_works_and_nobody_is_asked() {
    let attacked = Attacked::new();
    fs::remove_file(attacked.site.path("home/.config/reconcile/operator.yaml")).unwrap();
    let url = format!("ldap://127.0.0.1:{}", attacked.port());
    attacked
        .server(&format!("{{url: '{url}', start_tls: false, bind: {{dn: cn=x, secret: ldap}}}}"));
    let check = attacked.site.run(&["check"]).ends_with(0);
    let told = "1 name of secrets, servers or sinks could not be checked here";
    assert!(check.out.contains(told), "{}", check.out);
    // The base names no server, so none is asked.
    let diff = attacked.site.run(&["diff", "--base", "HEAD"]).ends_with(0);
    assert!(diff.out.starts_with("Look first: people come from another place"), "{}", diff.out);
    let explain = attacked.site.run(&["explain", "eilidh"]).ends_with(4);
    assert!(explain.text().contains("defines no secret `ldap`"), "{}", explain.text());
    for arguments in [&["--dry-run"][..], &["plan"], &[]] {
        let run = attacked.site.run(arguments).ends_with(2);
        assert!(run.err.contains("chmod 600") && run.err.contains("servers: ["), "{}", run.err);
    }
    attacked.nothing_happened();
}
