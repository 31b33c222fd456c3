//! A real `OpenLDAP` server for one test: own schema, own certificates, own data, killed on drop.

use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::certificates::{self, Shown};
use super::process::{Process, free_port, wait_until};

/// The base of every directory here.
pub const BASE: &str = "dc=example,dc=org";
/// Its administrator, whom no limit and no access rule touches.
pub const ADMIN: &str = "cn=admin,dc=example,dc=org";
/// The administrator's password.
pub const ADMIN_PASSWORD: &str = "administrator of the test";
/// People and groups with every trap of the userdir schema; `cn=reader` has the password
/// [`READER_PASSWORD`].
pub const USERDIR: &str = include_str!("../../peers/userdir.ldif");
/// An ordinary account that may bind.
pub const READER: &str = "cn=reader,dc=example,dc=org";
/// Its password.
pub const READER_PASSWORD: &str = "correct horse";

/// What a server is started with.
#[derive(Clone, Debug, Default)]
pub struct Setup<'a> {
    /// Loaded before it starts.
    pub ldif: &'a str,
    /// Lines of `slapd.conf` for the database: access rules, limits.
    pub database: &'a str,
    /// Lines of `slapd.conf` before it.
    pub global: &'a str,
    /// Which certificate it shows.
    pub certificate: Shown,
}

/// A running server.
pub struct Slapd {
    process: Process,
    folder: TempDir,
    plain: u16,
    tls: u16,
}

impl Slapd {
    /// Loads the data and starts the server; returns when it answers.
    ///
    /// # Panics
    /// If `slapd` is not installed or does not start, saying what to do.
    pub fn start(setup: &Setup<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        certificates::write(folder.path(), setup.certificate);
        std::fs::create_dir(folder.path().join("data")).expect("a folder for the database");
        let configuration = folder.path().join("slapd.conf");
        std::fs::write(&configuration, configure(folder.path(), setup)).expect("slapd.conf");
        let data = folder.path().join("data.ldif");
        std::fs::write(&data, setup.ldif).expect("data.ldif");
        load(&configuration, &data);
        // Another process may take a port between choosing it and using it.
        for _ in 0..5 {
            let (plain, tls) = (free_port(), free_port());
            let mut process = spawn(folder.path(), &configuration, plain, tls);
            if answers(&mut process, plain, tls, &folder.path().join("ldapi")) {
                return Self { process, folder, plain, tls };
            }
        }
        let said = std::fs::read_to_string(folder.path().join("slapd.log")).unwrap_or_default();
        panic!("slapd does not start: {said}");
    }

    /// `ldap://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address())
    }

    /// `ldaps://127.0.0.1:…`
    pub fn tls_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls)
    }

    /// `ldapi://…`
    pub fn local_url(&self) -> String {
        local_url(self.folder.path())
    }

    /// Where it listens without TLS.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.plain))
    }

    /// The authority that signed its certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// An authority that did not.
    pub fn other_ca_file(&self) -> PathBuf {
        self.folder.path().join("other-ca.pem")
    }

    /// Ends the server at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.end();
    }
}

/// Waits until it takes connections everywhere; `false` if it ended instead.
fn answers(process: &mut Process, plain: u16, tls: u16, socket: &Path) -> bool {
    let open = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_ok();
    let ready = || open(plain) && open(tls) && UnixStream::connect(socket).is_ok();
    wait_until(|| process.has_ended() || ready()) && !process.has_ended()
}

fn spawn(folder: &Path, configuration: &Path, plain: u16, tls: u16) -> Process {
    let urls = format!("ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls} {}", local_url(folder));
    let log = File::create(folder.join("slapd.log")).expect("slapd.log");
    // A level of debugging, even none, keeps it in the foreground.
    let child = command("slapd")
        .args(["-d", "0", "-h", &urls, "-f"])
        .arg(configuration)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("slapd.log"))
        .stderr(log)
        .spawn()
        .expect("slapd can be run");
    Process::new(child)
}

/// Loads an LDIF file into the database of a configuration while no server runs on it.
pub fn load(configuration: &Path, data: &Path) {
    let output = command("slapadd")
        .args(["-q", "-f"])
        .arg(configuration)
        .arg("-l")
        .arg(data)
        .output()
        .expect("slapadd can be run");
    assert!(
        output.status.success(),
        "slapadd refused the data: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A program of Debian's `slapd` package, which lies where a user's path does not lead.
pub fn command(program: &str) -> Command {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(OsString::from(":/usr/sbin:/usr/local/sbin"));
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    match found {
        Some(file) => Command::new(file),
        None => panic!(
            "`{program}` is not installed: run tests/run, which installs what the tests need"
        ),
    }
}

fn configure(folder: &Path, setup: &Setup<'_>) -> String {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/userdir.schema");
    let (folder, schema) = (folder.display(), schema.display());
    format!(
        "\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
include {schema}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
authz-regexp \"gidNumber=.*,cn=peercred,cn=external,cn=auth\" \"{READER}\"
sizelimit unlimited
{global}
database mdb
suffix {BASE}
rootdn {ADMIN}
rootpw \"{ADMIN_PASSWORD}\"
directory {folder}/data
maxsize 4294967296
index objectClass eq
{database}
",
        global = setup.global,
        database = setup.database,
    )
}

fn local_url(folder: &Path) -> String {
    format!("ldapi://{}", folder.join("ldapi").display().to_string().replace('/', "%2F"))
}
