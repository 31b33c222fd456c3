//! From an address to a connection, encrypted where it has to be.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::answer::Operation;
use super::failure::Failure;
use super::request;
use super::url::{Address, Endpoint};
use super::wire::{Broken, Stream, Wire};

/// Connects; under TLS if there is a configuration for it.
pub(super) async fn connect(
    endpoint: &Endpoint,
    tls: Option<Arc<ClientConfig>>,
) -> Result<Wire, Failure> {
    let connected: Box<dyn Stream> = match endpoint {
        Endpoint::Tls(address) | Endpoint::Plain(address) => Box::new(tcp(address).await?),
        Endpoint::Local(path) => Box::new(UnixStream::connect(path).await.map_err(failed)?),
    };
    Ok(Wire::new(match (endpoint, tls) {
        (Endpoint::Tls(address), Some(tls)) => encrypt(connected, address, tls).await?,
        (Endpoint::Plain(address), Some(tls)) => {
            encrypt(upgrade(connected).await?, address, tls).await?
        }
        _ => connected,
    }))
}

fn failed(source: std::io::Error) -> Failure {
    Failure::Connect { source }
}

async fn tcp(address: &Address) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(failed)?;
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
    address: &Address,
    tls: Arc<ClientConfig>,
) -> Result<Box<dyn Stream>, Failure> {
    let name = ServerName::try_from(address.host.clone())
        .map_err(|_| Failure::ServerName { host: address.host.clone() })?;
    Ok(Box::new(TlsConnector::from(tls).connect(name, stream).await.map_err(failed)?))
}

/// TLS that trusts the CA certificates of the file only, or the system's.
pub(super) fn configuration(ca_file: Option<&Path>, root: &Path) -> Result<ClientConfig, Failure> {
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
