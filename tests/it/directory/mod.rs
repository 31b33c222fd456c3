//! Tests of reading directories, against real servers and scripted ones.

mod generic;
mod logs;
mod partial;
pub mod scripted;
mod time;
mod transport;
mod userdir;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reconcile::directory::{
    Access, Bind, Bounds, DirectoryConfig, LdapConfig, Origin, SchemaConfig, SchemaKind, read,
};
use reconcile::model::{Directory, GroupName, Person, Reading, Source, TrustName};
use reconcile::operator::{Operator, Secret, SecretFrom, Server, Trust};

use crate::peers::slapd::{BASE, READER, READER_PASSWORD, Slapd};

/// A server without TLS, anonymous, with short limits; tests change what they are about.
pub fn server(url: String) -> LdapConfig {
    LdapConfig {
        urls: vec![url],
        start_tls: false,
        trust: None,
        bind: Bind::Anonymous,
        page_size: 4,
        connect_timeout: Duration::from_secs(10),
        read_timeout: Duration::from_secs(20),
        attempts: 1,
    }
}

/// The reader's bind; its password is in a variable named as the secret, in capitals.
pub fn reader(variable: &str) -> Bind {
    Bind::Simple { dn: READER.into(), secret: variable.to_lowercase().into() }
}

/// Allows what a configuration asks for: each secret in a variable, the trust in a file of that path.
pub fn operator_for(config: &DirectoryConfig) -> Operator {
    let Origin::Ldap(config) = &config.origin else { return Operator::default() };
    let servers: BTreeSet<Server> =
        config.urls.iter().filter_map(|url| Server::parse(url).ok()).collect();
    let mut operator = Operator { servers: servers.clone(), ..Operator::default() };
    if let Bind::Simple { secret, .. } = &config.bind {
        let from = SecretFrom::Environment(secret.as_str().to_uppercase());
        operator.secrets.insert(secret.clone(), Secret { from, servers: servers.clone() });
    }
    if let Some(trust) = &config.trust {
        let file = PathBuf::from(trust.as_str());
        operator.trust.insert(trust.clone(), Trust { file, servers });
    }
    operator
}

/// A file with certificates, as `operator_for` names it.
fn trust(file: &Path) -> TrustName {
    file.display().to_string().into()
}

pub fn config(origin: Origin, kind: SchemaKind) -> DirectoryConfig {
    DirectoryConfig {
        name: "debian".into(),
        origin,
        schema: SchemaConfig::new(kind, BASE),
        name_prefix: String::new(),
        reissued: BTreeMap::new(),
        login_map: BTreeMap::new(),
        group_map: BTreeMap::new(),
        bounds: Bounds::default(),
        source: Source::new("inventory/directories.yaml", 1, 1),
    }
}

pub fn userdir(server: LdapConfig) -> DirectoryConfig {
    config(Origin::Ldap(Box::new(server)), SchemaKind::Userdir)
}

/// Reads with two passwords in the environment: `RIGHT` and `WRONG`.
pub async fn read_it(config: &DirectoryConfig) -> Reading<Directory> {
    read_as(config, &operator_for(config)).await
}

pub async fn read_as(config: &DirectoryConfig, operator: &Operator) -> Reading<Directory> {
    let environment = |name: &str| match name {
        "RIGHT" => Some(READER_PASSWORD.into()),
        "WRONG" => Some("guessed, and never to be shown".into()),
        _ => None,
    };
    read(config, Access { root: Path::new("/"), operator, environment: &environment }).await
}

pub async fn read_userdir(slapd: &Slapd) -> Reading<Directory> {
    read_it(&userdir(server(slapd.url()))).await
}

/// Writes an LDIF file, with the mark that it is whole, and reads it.
async fn read_ldif(text: &str, kind: SchemaKind) -> Reading<Directory> {
    read_ldif_as_it_is(&format!("{text}\n# end\n"), kind).await
}

/// Writes an LDIF file and reads it.
pub async fn read_ldif_as_it_is(text: &str, kind: SchemaKind) -> Reading<Directory> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("people.ldif");
    std::fs::write(&file, text).expect("a file");
    let file = relative(file.to_str().expect("a plain name"));
    read_it(&config(Origin::Ldif(file), kind)).await
}

pub fn person<'a>(directory: &'a Directory, login: &str) -> &'a Person {
    directory
        .people
        .iter()
        .find(|person| person.login.as_str() == login)
        .unwrap_or_else(|| panic!("{login} is not there"))
}

/// The groups of a person, by name.
pub fn groups<'a>(directory: &'a Directory, login: &str) -> Vec<&'a str> {
    person(directory, login)
        .groups
        .iter()
        .map(|joined| directory.group_at(joined.group).name.as_str())
        .collect()
}

/// Everything that is missing, on lines.
pub fn missing(reading: &Reading<Directory>) -> String {
    reading.missing().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Asserts that a reading is partial and says these words.
#[track_caller]
pub fn assert_partial(reading: &Reading<Directory>, words: &[&str]) {
    assert!(!reading.is_complete(), "must be partial");
    let said = missing(reading);
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert!(!said.contains("never to be shown"), "the password shows: {said}");
}

#[track_caller]
pub fn assert_complete(reading: &Reading<Directory>) {
    assert!(reading.is_complete(), "{}", missing(reading));
}

pub fn relative(path: &str) -> PathBuf {
    PathBuf::from(path.trim_start_matches('/'))
}

#[tokio::test]
async fn a_retired_directory_is_complete_and_empty() {
    let reading = read_it(&config(Origin::Retired, SchemaKind::Userdir)).await;
    assert_eq!(reading, Reading::Complete(Directory::empty("debian".into())));
}

#[tokio::test]
async fn an_ldif_file_that_cannot_be_read_is_partial() {
    for path in ["/nowhere/people.ldif", "/dev/zero", "/"] {
        let origin = Origin::Ldif(relative(path));
        let shown = path.trim_start_matches('/');
        assert_partial(&read_it(&config(origin, SchemaKind::Userdir)).await, &[shown]);
    }
    assert_partial(&read_ldif("", SchemaKind::Userdir).await, &["no entries match"]);
}

#[tokio::test]
async fn a_bad_record_names_its_line_and_the_others_count() {
    let text =
        crate::peers::slapd::USERDIR.replace("supplementaryGid: web@host1", "changetype: add");
    let reading = read_ldif(&text, SchemaKind::Userdir).await;
    assert_partial(&reading, &["people.ldif:", "`changetype`"]);
    assert!(!reading.got().people.iter().any(|person| person.login.as_str() == "ada"));
    assert!(reading.got().group(&GroupName::new("adm")).is_some());
    assert_eq!(person(reading.got(), "bert").stable_id.as_str(), "1002");
}

/// A reading without the ids that a server makes up, which no export of somebody else has.
pub fn without_own_ids(reading: Reading<Directory>) -> Reading<Directory> {
    reading.map(|mut directory| {
        for person in &mut directory.people {
            person.other_ids = Box::default();
        }
        // Nor does a file show a time.
        directory.time = None;
        directory
    })
}
