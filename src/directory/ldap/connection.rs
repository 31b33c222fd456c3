//! A bound connection.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::answer::Operation;
use super::failure::Failure;
use super::wire::{Broken, Wire};
use super::{request, transport};
use crate::directory::Access;
use crate::directory::budget::Budget;
use crate::directory::config::{Bind, LdapConfig};
use crate::operator::{Ask, Permit, Scheme, Server};

/// A connection after the bind.
pub(super) struct Connection {
    /// Where requests go in and answers come out.
    pub(super) wire: Wire,
    /// Entries per page; 0 for no paging.
    pub(super) page_size: i32,
    /// For each page or other answer.
    pub(super) read_timeout: Duration,
    /// What is left for all of them.
    pub(super) budget: Budget,
}

impl Connection {
    /// Connects and binds, with the operator's leave. The password is fetched first, so that it is not asked for in vain
    /// while a server waits, and is sent over TLS, a local socket or the loopback only.
    pub(super) async fn open(
        server: &LdapConfig,
        url: &str,
        access: Access<'_>,
        budget: Budget,
    ) -> Result<Self, Failure> {
        let named = Server::parse(url)
            .ok()
            .filter(Server::speaks_ldap)
            .ok_or_else(|| Failure::Url { url: url.to_owned() })?;
        let secret = match &server.bind {
            Bind::Simple { secret, .. } => Some(secret),
            Bind::Anonymous | Bind::External => None,
        };
        let trust = server.trust.as_ref();
        let permit = access.operator.permit(&Ask { server: &named, secret, trust })?;
        let tls = if is_encrypted(&permit, server.start_tls)? {
            Some(Arc::new(transport::configuration(permit.trust())?))
        } else {
            None
        };
        let password = match permit.secret() {
            Some(from) => Some(
                from.fetch(access.environment).await.map_err(|why| Failure::Password { why })?,
            ),
            None => None,
        };
        let limit = server.connect_timeout;
        let wire = tokio::time::timeout(limit, transport::connect(permit.server(), tls))
            .await
            .map_err(|_| Failure::ConnectStalled { limit })??;
        let mut connection = Self {
            wire,
            page_size: i32::try_from(server.page_size).unwrap_or(i32::MAX),
            read_timeout: server.read_timeout,
            budget,
        };
        connection.bind(&server.bind, password.as_ref()).await?;
        // A quarter: what is made of a message is kept beside it.
        connection.wire.take_up_to(connection.budget.memory() / 4);
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

/// Whether there is TLS, from the first byte or after an upgrade. Without it nothing leaves this
/// machine, and no server is asked for which the operator said whom to trust.
fn is_encrypted(permit: &Permit, start_tls: bool) -> Result<bool, Failure> {
    match permit.server() {
        Server::Socket(_) => Ok(false),
        Server::Network { scheme: Scheme::Ldaps, .. } => Ok(true),
        Server::Network { .. } if start_tls => Ok(true),
        server if server.is_this_machine() && permit.trust().is_none() => Ok(false),
        Server::Network { host, .. } => Err(Failure::Plaintext { host: host.to_string() }),
    }
}
