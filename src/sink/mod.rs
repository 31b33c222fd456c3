//! Where the secrets of new keys go: a file, a command, a secret store.
//!
//! A sink takes a key whole or not at all, and says which. Nothing here prints, logs or keeps a
//! secret, and no error has a part of one: not the output of a command, not the answer of a store.

mod command;
mod error;
mod file;
mod store;

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use secrecy::SecretString;

pub use error::SinkError;

use crate::model::{AccountName, IssuedKey, ServiceAccountName, SinkName};
use crate::policies::{Sink, SinkKind};

/// Whose key it is.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The service account.
    pub service: &'a ServiceAccountName,
    /// The account in which its user lives.
    pub account: &'a AccountName,
}

/// Takes new keys.
#[async_trait]
pub trait Sinks: Send + Sync {
    /// Whether the sink could take a key, as far as one can tell without one. Asked before a key is
    /// issued.
    ///
    /// # Errors
    /// Why not.
    async fn check(&self, sink: &SinkName, to: &Recipient<'_>) -> Result<(), SinkError>;

    /// Hands a key over: afterwards whoever is meant to have it can get it.
    ///
    /// # Errors
    /// The key was not taken, or nobody knows.
    async fn deliver(
        &self,
        sink: &SinkName,
        to: &Recipient<'_>,
        key: &IssuedKey,
    ) -> Result<(), SinkError>;
}

/// Looks up a variable of the environment.
pub type Environment<'a> = dyn Fn(&str) -> Option<SecretString> + Send + Sync + 'a;

/// The sinks of the policies. With none of them every key is refused.
pub struct ConfiguredSinks<'a> {
    sinks: &'a BTreeMap<SinkName, Sink>,
    root: &'a Path,
    environment: &'a Environment<'a>,
}

impl<'a> ConfiguredSinks<'a> {
    /// Sinks whose relative paths begin at `root`.
    pub fn new(
        sinks: &'a BTreeMap<SinkName, Sink>,
        root: &'a Path,
        environment: &'a Environment<'a>,
    ) -> Self {
        Self { sinks, root, environment }
    }

    fn kind(&self, sink: &SinkName) -> Result<&SinkKind, SinkError> {
        self.sinks.get(sink).map(|sink| &sink.kind).ok_or(SinkError::Unknown)
    }
}

#[async_trait]
impl Sinks for ConfiguredSinks<'_> {
    async fn check(&self, sink: &SinkName, to: &Recipient<'_>) -> Result<(), SinkError> {
        match self.kind(sink)? {
            SinkKind::File(path) => file::check(&self.root.join(filled(path, to))),
            SinkKind::Command(words) => command::check(words),
            SinkKind::SecretStore(store) => {
                store::check(store, self.root, self.environment).map(drop)
            }
        }
    }

    async fn deliver(
        &self,
        sink: &SinkName,
        to: &Recipient<'_>,
        key: &IssuedKey,
    ) -> Result<(), SinkError> {
        match self.kind(sink)? {
            SinkKind::File(path) => file::replace(&self.root.join(filled(path, to)), key),
            SinkKind::Command(words) => {
                let words: Vec<String> = words.iter().map(|word| filled(word, to)).collect();
                command::run(&words, self.root, key, command::TIME).await
            }
            SinkKind::SecretStore(store) => {
                let token = store::check(store, self.root, self.environment)?;
                let path = filled(&store.path, to);
                store::write(store, &path, self.root, &token, key).await
            }
        }
    }
}

/// No sinks: for callers whose plans issue nothing.
pub struct NoSinks;

#[async_trait]
impl Sinks for NoSinks {
    async fn check(&self, _sink: &SinkName, _to: &Recipient<'_>) -> Result<(), SinkError> {
        Err(SinkError::Unknown)
    }

    async fn deliver(
        &self,
        _sink: &SinkName,
        _to: &Recipient<'_>,
        _key: &IssuedKey,
    ) -> Result<(), SinkError> {
        Err(SinkError::Unknown)
    }
}

/// A text with its placeholders filled in. Names of the inventory have neither slashes nor spaces,
/// and do not begin with a dot.
fn filled(text: &str, to: &Recipient<'_>) -> String {
    text.replace("{service}", to.service.as_str()).replace("{account}", to.account.as_str())
}
