//! A real 389 Directory Server for one test: own data, no passwords, killed on drop.
//!
//! Run from the templates that Debian's package ships, without the tools that set up an instance:
//! those want a system's folders and take ten seconds.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::process::{Process, free_port, wait_until};
use super::slapd::{BASE, command};

const TEMPLATE: &str = "/usr/share/dirsrv/data/template-dse.ldif";

/// A running server, on which everybody may do everything.
pub struct Dirsrv {
    _process: Process,
    folder: TempDir,
    port: u16,
}

impl Dirsrv {
    /// Loads entries below the base and starts the server; returns when it answers.
    ///
    /// # Panics
    /// If it is not installed or does not start, saying what to do.
    pub fn start(ldif: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in
            ["conf/schema", "lock", "tmp", "cert", "ldif", "bak", "run", "inst", "log", "db"]
        {
            std::fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        let own = "dn: cn=schema\nobjectClass: top\nobjectClass: ldapSubentry\n\
                   objectClass: subschema\ncn: schema\n";
        std::fs::write(folder.path().join("conf/schema/99user.ldif"), own).expect("a schema");
        // Debian's own lies where only the server's user may look.
        std::fs::write(folder.path().join("conf/slapd-collations.conf"), "").expect("a file");
        // Another process may take a port between choosing it and using it.
        for attempt in 0..5 {
            let port = free_port();
            let configuration = configure(folder.path(), port);
            std::fs::write(folder.path().join("conf/dse.ldif"), configuration).expect("dse.ldif");
            if attempt == 0 {
                load(folder.path(), ldif);
            }
            let child = program(folder.path(), &["-d", "0", "-i"])
                .arg(folder.path().join("run/pid"))
                .spawn()
                .expect("ns-slapd can be run");
            let mut process = Process::new(child);
            let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
            if wait_until(|| process.has_ended() || answers()) && !process.has_ended() {
                return Self { _process: process, folder, port };
            }
        }
        let said = std::fs::read_to_string(folder.path().join("log/errors")).unwrap_or_default();
        panic!("ns-slapd does not start: {said}");
    }

    /// `ldap://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// Makes changes.
    #[track_caller]
    pub fn modify(&self, changes: &str) {
        let file = self.folder.path().join("changes.ldif");
        std::fs::write(&file, changes).expect("a file");
        let output = Command::new("ldapmodify")
            .args(["-x", "-H", &self.url(), "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .output()
            .expect("ldapmodify can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command("ns-slapd");
    let (action, rest) = match arguments.split_first() {
        Some((action, rest)) if !action.starts_with('-') => (Some(action), rest),
        _ => (None, arguments),
    };
    command.args(action).arg("-D").arg(folder.join("conf")).args(rest);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn load(folder: &Path, ldif: &str) {
    let everybody = "(targetattr = \"*\")(version 3.0; acl \"all\"; allow (all) userdn = \
                     \"ldap:///anyone\";)";
    let base = format!(
        "dn: {BASE}\nobjectClass: top\nobjectClass: domain\ndc: example\naci: {everybody}\n\n"
    );
    let file = folder.join("data.ldif");
    std::fs::write(&file, base + ldif).expect("data.ldif");
    let done = program(folder, &["ldif2db", "-n", "userroot", "-i"]).arg(&file).status();
    assert!(done.expect("ns-slapd can be run").success(), "ns-slapd refused the data");
}

/// The template with its places filled in, and one database.
fn configure(folder: &Path, port: u16) -> String {
    let template = std::fs::read_to_string(TEMPLATE).unwrap_or_else(|error| {
        panic!("{TEMPLATE}: {error}: run tests/run, which installs what the tests need")
    });
    let user = Command::new("id").arg("-un").output().expect("id can be run").stdout;
    let user = String::from_utf8_lossy(&user).trim().to_owned();
    let kept = template.lines().filter(|line| !line.contains("%ds_passwd%"));
    let mut text = kept.collect::<Vec<_>>().join("\n");
    for name in ["lock", "tmp", "cert", "ldif", "bak", "run", "inst", "log", "db"] {
        let place = folder.join(name).display().to_string();
        text = text.replace(&format!("%{name}_dir%"), &place);
    }
    for (name, value) in [
        ("schema_dir", folder.join("conf/schema").display().to_string()),
        ("db_home_dir", folder.join("db").display().to_string()),
        ("config_dir", folder.join("conf").display().to_string()),
        ("fqdn", "localhost".to_owned()),
        ("ds_port", format!("{port}\nnsslapd-listenhost: 127.0.0.1")),
        ("ds_user", user),
        ("rootdn", "cn=Directory Manager".to_owned()),
        ("ldapi_enabled", "off".to_owned()),
        ("ldapi_autobind", "off".to_owned()),
        ("ldapi", folder.join("ldapi").display().to_string()),
        ("ds_suffix", BASE.to_owned()),
        ("db_lib", "bdb".to_owned()),
    ] {
        text = text.replace(&format!("%{name}%"), &value);
    }
    // More than one empty line is an entry without a name.
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    let folder = folder.display();
    format!(
        "{}\n\ndn: cn=userroot,cn=ldbm database,cn=plugins,cn=config\nobjectClass: top\n\
         objectClass: extensibleObject\nobjectClass: nsBackendInstance\ncn: userroot\n\
         nsslapd-suffix: {BASE}\nnsslapd-directory: {folder}/db/userroot\n\n\
         dn: cn=\"{BASE}\",cn=mapping tree,cn=config\nobjectClass: top\n\
         objectClass: extensibleObject\nobjectClass: nsMappingTree\ncn: {BASE}\n\
         nsslapd-state: backend\nnsslapd-backend: userroot\n",
        text.trim_end()
    )
}
