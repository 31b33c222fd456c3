//! A bound connection.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::answer::Operation;
use super::failure::Failure;
use super::url::{Endpoint, endpoint, is_loopback};
use super::wire::{Broken, Wire};
use super::{password, request, transport};
use crate::directory::Access;
use crate::directory::config::{Bind, LdapConfig};

/// A connection after the bind.
pub(super) struct Connection {
    /// Where requests go in and answers come out.
    pub(super) wire: Wire,
    /// Entries per page; 0 for no paging.
    pub(super) page_size: i32,
    /// For each page or other answer.
    pub(super) read_timeout: Duration,
}

impl Connection {
    /// Connects and binds. The password is fetched first, so that it is not asked for in vain
    /// while a server waits, and is sent over TLS, a local socket or the loopback only.
    pub(super) async fn open(server: &LdapConfig, access: Access<'_>) -> Result<Self, Failure> {
        let endpoint = endpoint(&server.url)?;
        let encrypted = match &endpoint {
            Endpoint::Tls(_) => true,
            Endpoint::Local(_) => false,
            Endpoint::Plain(address) if server.start_tls || is_loopback(&address.host) => {
                server.start_tls
            }
            Endpoint::Plain(address) => {
                return Err(Failure::Plaintext { host: address.host.clone() });
            }
        };
        let tls = if encrypted {
            Some(Arc::new(transport::configuration(server.ca_file.as_deref(), access.root)?))
        } else {
            None
        };
        let password = match &server.bind {
            Bind::Simple { password, .. } => Some(password::fetch(password, access).await?),
            Bind::Anonymous | Bind::External => None,
        };
        let limit = server.connect_timeout;
        let wire = tokio::time::timeout(limit, transport::connect(&endpoint, tls))
            .await
            .map_err(|_| Failure::ConnectStalled { limit })??;
        let mut connection = Self {
            wire,
            page_size: i32::try_from(server.page_size).unwrap_or(i32::MAX),
            read_timeout: server.read_timeout,
        };
        connection.bind(&server.bind, password.as_ref()).await?;
        Ok(connection)
    }

    async fn bind(&mut self, bind: &Bind, password: Option<&SecretString>) -> Result<(), Failure> {
        let operation = match bind {
            Bind::Anonymous => return Ok(()),
            Bind::Simple { dn, .. } => {
                request::simple_bind(dn, password.map_or("", ExposeSecret::expose_secret))
            }
            Bind::External => request::external_bind(),
        };
        let limit = self.read_timeout;
        let broke = |source: Broken| Failure::Broke { entries: 0, source };
        let answer = tokio::time::timeout(limit, async {
            let id = self.wire.send(&operation, &[]).await?;
            self.wire.answer(id).await
        });
        match answer.await.map_err(|_| Failure::Stalled { limit, entries: 0 })?.map_err(broke)? {
            Operation::Bind(outcome) if outcome.code == 0 => Ok(()),
            Operation::Bind(outcome) => Err(Failure::Bind { outcome }),
            _ => Err(broke(Broken::Malformed)),
        }
    }

    /// Whether the connection is gone.
    pub(super) fn is_closed(&self) -> bool {
        !self.wire.is_usable()
    }

    /// Says good-bye, if the server listens.
    pub(super) async fn close(mut self) {
        // Nothing depends on whether it arrives.
        let farewell = request::unbind();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.wire.send(&farewell, &[])).await;
    }
}
