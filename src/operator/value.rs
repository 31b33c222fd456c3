//! The operator's file after validation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Server;
use crate::model::{
    AccountName, OrganisationName, PublicKey, SecretName, ServiceAccountName, SinkName, TrustName,
};

/// What the operator allows. With nothing in it, nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// Where it was read; `None` where there is no such file.
    pub origin: Option<Origin>,
    /// Secrets by name.
    pub secrets: BTreeMap<SecretName, Secret>,
    /// Whom to trust, by name.
    pub trust: BTreeMap<TrustName, Trust>,
    /// Servers that may be asked without a secret.
    pub servers: BTreeSet<Server>,
    /// Sinks by name.
    pub sinks: BTreeMap<SinkName, Sink>,
    /// How the run record is signed.
    pub record: Record,
}

/// How the run record is signed. By default not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The file of the private key.
    pub sign_with: Option<PathBuf>,
    /// Other keys whose signatures count.
    pub trusted: BTreeSet<PublicKey>,
    /// The file to which each signed head is appended.
    pub witness: Option<PathBuf>,
}

/// Which file said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its path, as it was given.
    pub path: PathBuf,
    /// The SHA-256 of its content, in hexadecimal.
    pub digest: String,
}

/// A secret and where it may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Where it is.
    pub from: SecretFrom,
    /// The servers it may be sent to.
    pub servers: BTreeSet<Server>,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// First line of a file; refused if others may use it.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// First line of a command's output.
    Command(Command),
}

/// A command: its words, not a shell line, and the folder it runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments; never empty.
    pub words: Vec<String>,
    /// Where it runs; a program with a `/` in it is looked for from there on.
    pub folder: PathBuf,
}

/// Certificates, and the servers they vouch for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// PEM file with CA certificates.
    pub file: PathBuf,
    /// The servers.
    pub servers: BTreeSet<Server>,
}

/// Where keys go, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// What takes them.
    pub kind: SinkKind,
    /// The service accounts whose keys it takes.
    pub services: BTreeSet<ServiceAccountName>,
    /// The organisations whose keys it takes.
    pub organisations: BTreeSet<OrganisationName>,
}

/// What takes a key. Texts may hold `{service}` and `{account}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// A file.
    File(PathBuf),
    /// A command.
    Command(Command),
    /// A secret store.
    SecretStore(SecretStore),
}

/// A secret store with the protocol of a key-value engine of version 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretStore {
    /// Where it is.
    pub server: Server,
    /// Where the engine is mounted.
    pub mount: String,
    /// Where the secret is, below the mount.
    pub path: String,
    /// The token that lets us in.
    pub token: SecretFrom,
    /// PEM file with the CA certificates to trust instead of the system's.
    pub trust: Option<PathBuf>,
}

impl Sink {
    /// Whether it takes a key of a service account, whose user lives in an account of the
    /// organisation.
    pub fn takes(&self, service: &ServiceAccountName, organisation: &OrganisationName) -> bool {
        self.services.contains(service) || self.organisations.contains(organisation)
    }
}

impl SinkKind {
    /// Where the key of a service account in a hub ends up: two keys of the same place are one too
    /// many. Of whichever name the sinks are.
    pub fn place(&self, service: &ServiceAccountName, hub: &AccountName) -> Vec<String> {
        let filled = |text: &str| {
            text.replace("{service}", service.as_str()).replace("{account}", hub.as_str())
        };
        match self {
            Self::File(path) => vec!["file".to_owned(), filled(&path.display().to_string())],
            Self::Command(command) => {
                let folder = command.folder.display().to_string();
                let words = command.words.iter().map(|word| filled(word));
                ["command".to_owned(), folder].into_iter().chain(words).collect()
            }
            Self::SecretStore(SecretStore { server, mount, path, .. }) => {
                vec!["store".to_owned(), server.to_string(), filled(mount), filled(path)]
            }
        }
    }
}
