//! From an address to a connection, encrypted where it has to be.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::answer::Operation;
use super::failure::Failure;
use super::request;
use super::wire::{Broken, Stream, Wire};
use crate::file::{self, Readers};
use crate::operator::{Host, Scheme, Server};

/// Connects; under TLS if there is a configuration for it.
pub(super) async fn connect(
    server: &Server,
    tls: Option<Arc<ClientConfig>>,
) -> Result<Wire, Failure> {
    let connected: Box<dyn Stream> = match server {
        Server::Network { host, port, .. } => Box::new(tcp(host, *port).await?),
        Server::Socket(path) => Box::new(UnixStream::connect(path).await.map_err(failed)?),
    };
    Ok(Wire::new(match (server, tls) {
        (Server::Network { scheme: Scheme::Ldaps, host, .. }, Some(tls)) => {
            encrypt(connected, host, tls).await?
        }
        (Server::Network { host, .. }, Some(tls)) => {
            encrypt(upgrade(connected).await?, host, tls).await?
        }
        _ => connected,
    }))
}

fn failed(source: std::io::Error) -> Failure {
    Failure::Connect { source }
}

async fn tcp(host: &Host, port: u16) -> Result<TcpStream, Failure> {
    let connecting = match host {
        Host::Name(name) => TcpStream::connect((name.as_str(), port)).await,
        Host::Address(address) => TcpStream::connect((*address, port)).await,
    };
    let stream = connecting.map_err(failed)?;
    // A request is one small write, and nothing follows it that could be sent along.
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

/// Asks the server to go on under TLS.
async fn upgrade(stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Failure> {
    let broke = |source: Broken| Failure::Broke { entries: 0, source };
    let mut wire = Wire::new(stream);
    let id = wire.send(&request::start_tls(), &[]).await.map_err(broke)?;
    match wire.answer(id).await.map_err(broke)? {
        Operation::Extended(outcome) if outcome.code == 0 => wire.into_stream().map_err(broke),
        Operation::Extended(outcome) => Err(Failure::StartTls { outcome }),
        _ => Err(broke(Broken::Malformed)),
    }
}

async fn encrypt(
    stream: Box<dyn Stream>,
    host: &Host,
    tls: Arc<ClientConfig>,
) -> Result<Box<dyn Stream>, Failure> {
    let name = ServerName::try_from(host.to_string())
        .map_err(|_| Failure::ServerName { host: host.to_string() })?;
    Ok(Box::new(TlsConnector::from(tls).connect(name, stream).await.map_err(failed)?))
}

/// TLS that trusts the CA certificates of the file only, or the system's.
pub(super) fn configuration(ca_file: Option<&Path>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = ca_file {
        let failed = |why: String| Failure::CaFile { why: format!("{}: {why}", file.display()) };
        let bytes = file::read(file, file::CERTIFICATES, Readers::Anybody)
            .map_err(|refusal| Failure::CaFile { why: refusal.of_named(file, "them") })?;
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            roots.add(certificate).map_err(|error| failed(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(failed("it holds no certificate in PEM form".to_owned()));
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
