//! Where the secrets of new keys go: a file, a command, a secret store.
//!
//! A sink takes a key whole or not at all, and says which. Nothing here prints, logs or keeps a
//! secret, and no error has a part of one: not the output of a command, not the answer of a store.

mod command;
mod error;
mod file;
mod store;

use std::path::{Path, PathBuf};

use async_trait::async_trait;

pub use error::SinkError;

use crate::model::{AccountName, IssuedKey, OrganisationName, ServiceAccountName, SinkName};
use crate::operator::{Environment, Operator, SinkKind};

/// Whose key it is.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The service account.
    pub service: &'a ServiceAccountName,
    /// Whose account that is.
    pub organisation: &'a OrganisationName,
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

/// The sinks of the operator's file. With none of them every key is refused.
pub struct ConfiguredSinks<'a> {
    operator: &'a Operator,
    environment: &'a Environment<'a>,
}

impl<'a> ConfiguredSinks<'a> {
    /// The sinks that the operator defines.
    pub fn new(operator: &'a Operator, environment: &'a Environment<'a>) -> Self {
        Self { operator, environment }
    }

    fn kind(&self, sink: &SinkName, to: &Recipient<'_>) -> Result<&SinkKind, SinkError> {
        Ok(self.operator.sink(sink, to.service, to.organisation)?)
    }
}

#[async_trait]
impl Sinks for ConfiguredSinks<'_> {
    async fn check(&self, sink: &SinkName, to: &Recipient<'_>) -> Result<(), SinkError> {
        match self.kind(sink, to)? {
            SinkKind::File(path) => file::check(&filled_path(path, to)),
            // Whether there is such a program shows when it is run.
            SinkKind::Command(_) => Ok(()),
            SinkKind::SecretStore(store) => store::check(store, self.environment).await.map(drop),
        }
    }

    async fn deliver(
        &self,
        sink: &SinkName,
        to: &Recipient<'_>,
        key: &IssuedKey,
    ) -> Result<(), SinkError> {
        match self.kind(sink, to)? {
            SinkKind::File(path) => file::replace(&filled_path(path, to), key),
            SinkKind::Command(command) => {
                command::run(command, |word| filled(word, to), key, command::TIME).await
            }
            SinkKind::SecretStore(store) => {
                let token = store::check(store, self.environment).await?;
                store::write(store, &filled(&store.path, to), &token, key).await
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

fn filled_path(path: &Path, to: &Recipient<'_>) -> PathBuf {
    // Whatever of it is not UTF-8 has no placeholders.
    path.to_str().map_or_else(|| path.to_path_buf(), |text| filled(text, to).into())
}
