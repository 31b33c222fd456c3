//! A bound connection.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use tokio::task::JoinHandle;

use super::failure::Failure;
use super::password;
use super::url::{Endpoint, endpoint, is_loopback};
use crate::directory::Access;
use crate::directory::config::{Bind, LdapConfig};

/// A connection after the bind, and the task that moves its bytes.
pub(super) struct Connection {
    /// Where requests go in.
    pub(super) ldap: Ldap,
    /// Entries per page; 0 for no paging.
    pub(super) page_size: i32,
    /// For each page or other answer.
    pub(super) read_timeout: Duration,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Connects and binds. The password is fetched first, so that it is not asked for in vain
    /// while a server waits, and is sent over TLS, a local socket or the loopback only.
    pub(super) async fn open(server: &LdapConfig, access: Access<'_>) -> Result<Self, Failure> {
        let endpoint = endpoint(&server.url)?;
        let mut settings = LdapConnSettings::new();
        let encrypted = match &endpoint {
            Endpoint::Tls => true,
            Endpoint::Local => false,
            Endpoint::Plain { host } if server.start_tls || is_loopback(host) => server.start_tls,
            Endpoint::Plain { host } => return Err(Failure::Plaintext { host: host.clone() }),
        };
        if encrypted {
            settings = settings
                .set_starttls(matches!(endpoint, Endpoint::Plain { .. }))
                .set_config(Arc::new(tls(server.ca_file.as_deref(), access.root)?));
        }
        let password = match &server.bind {
            Bind::Simple { password, .. } => Some(password::fetch(password, access).await?),
            Bind::Anonymous | Bind::External => None,
        };
        let connecting = LdapConnAsync::with_settings(settings, &server.url);
        let (connection, ldap) = tokio::time::timeout(server.connect_timeout, connecting)
            .await
            .map_err(|_| Failure::ConnectStalled { limit: server.connect_timeout })?
            .map_err(|source| Failure::Connect { source })?;
        // What goes wrong there is seen here as a stream that ends early.
        let driver = tokio::spawn(async move { drop(connection.drive().await) });
        let mut connection = Self {
            ldap,
            page_size: i32::try_from(server.page_size).unwrap_or(i32::MAX),
            read_timeout: server.read_timeout,
            driver,
        };
        connection.bind(&server.bind, password.as_ref()).await?;
        Ok(connection)
    }

    async fn bind(
        &mut self,
        bind: &Bind,
        password: Option<&secrecy::SecretString>,
    ) -> Result<(), Failure> {
        let limit = self.read_timeout;
        let answer = tokio::time::timeout(limit, async {
            match bind {
                Bind::Anonymous => Ok(None),
                Bind::Simple { dn, .. } => {
                    let password = password.map_or("", ExposeSecret::expose_secret);
                    self.ldap.simple_bind(dn, password).await.map(Some)
                }
                Bind::External => self.ldap.sasl_external_bind().await.map(Some),
            }
        });
        match answer.await {
            Err(_) => Err(Failure::Stalled { limit, entries: 0 }),
            Ok(Err(source)) => Err(Failure::Broke { entries: 0, source }),
            Ok(Ok(Some(result))) if result.rc != 0 => Err(Failure::Bind { result }),
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// Whether the connection is gone.
    pub(super) fn is_closed(&mut self) -> bool {
        self.driver.is_finished() || self.ldap.is_closed()
    }

    /// Says good-bye, if the server listens.
    pub(super) async fn close(mut self) {
        // Nothing depends on whether it arrives.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.ldap.unbind()).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The CA certificates to trust: those of the file only, or the system's.
fn tls(ca_file: Option<&Path>, root: &Path) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = ca_file {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| Failure::CaFile {
            file: file.to_path_buf(),
            source,
        };
        let certificates =
            CertificateDer::pem_file_iter(root.join(file)).map_err(|error| failed(error.into()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| failed(error.into()))?;
            roots.add(certificate).map_err(|error| failed(error.into()))?;
        }
        if roots.is_empty() {
            return Err(failed("it holds no certificate in PEM form".into()));
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(Failure::NoSystemCa);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| Failure::Tls { source })?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
