//! The operator's file as people write it. Also the source of its JSON Schema: the documentation of
//! each field is what an editor shows.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::{Field, List, Named};

/// What only the operator decides: secrets, whom to trust, and which servers may be asked. It is kept
/// outside the repository, and nobody but its owner can read it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "reconcile operator's file")]
pub struct OperatorFile {
    /// Secrets, by the names that the inventory knows them by.
    #[serde(default)]
    pub secrets: Field<Named<Secret>>,
    /// Whom to trust besides what the system trusts, by the names that the inventory knows them by.
    #[serde(default)]
    pub trust: Field<Named<Trust>>,
    /// Servers that may be asked without any secret: as nobody, or as who the program runs as.
    #[serde(default)]
    pub servers: Field<List<String>>,
    /// Where new keys of service accounts go, by the names that the policies know them by.
    #[serde(default)]
    pub sinks: Field<Named<Sink>>,
    /// How the run record is signed.
    #[serde(default)]
    pub record: Field<Record>,
}

/// The key that signs the run record, and what remembers it elsewhere.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The private key, as `reconcile record keygen` makes it. Only its owner can read it. Absolute, or
    /// from the folder of this file on; never in the repository.
    #[serde(default)]
    pub sign_with: Field<String>,
    /// Public keys whose signatures count besides: `ed25519:…`, as `reconcile record keygen` prints them.
    /// Of a key that is being replaced, until the new one has signed.
    #[serde(default)]
    pub trusted: Field<List<String>>,
    /// A file to which each signed head is appended, and which shows that the record was emptied or put
    /// back to an older state. Not in the state folder, best where one can only append; one for each
    /// state folder.
    #[serde(default)]
    pub witness: Field<String>,
}

/// Where a secret is, and the servers it may be sent to: exactly one of `file`, `environment` and
/// `command`. The secret itself is never written here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// A file whose first line it is. Only its owner can read it. Absolute, or from the folder of this
    /// file on; never in the repository.
    #[serde(default)]
    pub file: Field<String>,
    /// An environment variable.
    #[serde(default)]
    pub environment: Field<String>,
    /// A command whose first line of output it is, word by word; no shell. It runs in the folder of
    /// this file.
    #[serde(default)]
    pub command: Field<List<String>>,
    /// The servers it may be sent to, as scheme, host and port: `ldaps://ldap.example.org`. Nothing
    /// stands for several.
    pub servers: Field<List<String>>,
}

/// Certificates to trust instead of the system's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// PEM file with CA certificates. Absolute, or from the folder of this file on; never in the
    /// repository.
    pub file: Field<String>,
    /// The servers whose certificates they vouch for. These are trusted with nothing else.
    pub servers: Field<List<String>>,
}

/// Where new keys go: exactly one of `file`, `command` and `secret_store`; and whose keys: at least one
/// of `services` and `organisations`. `{service}` and `{account}` stand for the service account and the
/// account in which its user lives.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sink {
    /// A file that only its owner can read, replaced as a whole: the key's id in its first line, its
    /// secret in the second; one that holds anything else is not replaced. Absolute, or from the folder
    /// of this file on; its folder must be there, and is never in the repository.
    #[serde(default)]
    pub file: Field<String>,
    /// A command, word by word; no shell. It gets the same two lines on its standard input, runs in the
    /// folder of this file, and must end well within a minute.
    #[serde(default)]
    pub command: Field<List<String>>,
    /// A secret store.
    #[serde(default)]
    pub secret_store: Field<SecretStore>,
    /// The service accounts whose keys it takes.
    #[serde(default)]
    pub services: Field<List<String>>,
    /// The organisations whose service accounts' keys it takes.
    #[serde(default)]
    pub organisations: Field<List<String>>,
}

/// Vault or `OpenBao`: a key-value engine of version 2. The secret has the fields `id` and `secret`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretStore {
    /// `https://host:port`; `http://` to loopback addresses only.
    pub url: Field<String>,
    /// Where the engine is mounted. `secret` unless written.
    #[serde(default)]
    pub mount: Field<String>,
    /// Where the secret is below the mount: `ci/{service}`.
    pub path: Field<String>,
    /// The token that lets us in: one of the secrets of this file, which names the store among its
    /// servers.
    pub secret: Field<String>,
    /// Certificates to trust instead of the system's: one of the trust anchors of this file, which names
    /// the store among its servers.
    #[serde(default)]
    pub trust: Field<String>,
}
