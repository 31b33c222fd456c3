//! One HTTP request and its answer, under TLS wherever the network is not this machine's own.
//!
//! No redirects, no cookies, no proxies, no retries: whoever asks decides what to do about an
//! answer. Errors name the host and what failed, never a header or a body: they may be secret.

#[cfg(test)]
mod fuzz;
mod tls;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub use hyper::Method;

/// No answer that is of use to this program is longer.
const LONGEST_ANSWER: usize = 1 << 20;

/// What is asked.
pub struct Request<'a> {
    /// How.
    pub method: Method,
    /// `https://host[:port]/path`; `http://` to loopback addresses only.
    pub url: &'a str,
    /// Besides the host and the length.
    pub headers: &'a [(&'static str, &'a str)],
    /// What is sent along.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What came along.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not a URL this can be asked at.
    #[error("this is not an address of a server: {0}")]
    Url(&'static str),
    /// Certificates to trust cannot be used.
    #[error("the certificates to trust cannot be used: {0}")]
    Trust(String),
    /// No connection.
    #[error("cannot connect to {host}: {source}")]
    Connect {
        /// The host and port.
        host: String,
        /// What the operating system or TLS says.
        source: std::io::Error,
    },
    /// No whole answer.
    #[error("no whole answer from {host}")]
    Broke {
        /// The host and port.
        host: String,
    },
    /// No answer in time.
    #[error("no answer from {host} within {} s", limit.as_secs_f64())]
    TooLong {
        /// The host and port.
        host: String,
        /// How long it had.
        limit: Duration,
    },
}

/// Asks servers, one connection for each request.
#[derive(Clone)]
pub struct Client {
    tls: Arc<rustls::ClientConfig>,
    limit: Duration,
}

impl Client {
    /// Trusts the CA certificates of the PEM file only, or the system's; every request may take as
    /// long as `limit`.
    pub fn new(ca_file: Option<&Path>, limit: Duration) -> Result<Self, HttpError> {
        Ok(Self { tls: Arc::new(tls::configuration(ca_file)?), limit })
    }

    /// Asks, and gives the answer whatever its status.
    pub async fn send(&self, request: Request<'_>) -> Result<Response, HttpError> {
        let target = Target::parse(request.url)?;
        let host = target.shown();
        let limit = self.limit;
        tokio::time::timeout(limit, self.exchange(target, request))
            .await
            .map_err(|_| HttpError::TooLong { host, limit })?
    }

    async fn exchange(&self, target: Target, request: Request<'_>) -> Result<Response, HttpError> {
        let host = target.shown();
        let failed = |source| HttpError::Connect { host: host.clone(), source };
        let stream =
            TcpStream::connect((target.host.as_str(), target.port)).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let request = built(&target, request)?;
        if !target.tls {
            return converse(stream, request, &host).await;
        }
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| HttpError::Url("its host has no name a certificate could have"))?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        converse(connector.connect(name, stream).await.map_err(failed)?, request, &host).await
    }
}

fn built(target: &Target, request: Request<'_>) -> Result<hyper::Request<Full<Bytes>>, HttpError> {
    let mut built = hyper::Request::builder()
        .method(request.method)
        .uri(target.path.as_str())
        .header(HOST, target.authority.as_str());
    for (name, value) in request.headers {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| HttpError::Url("a header cannot hold its value"))?;
        value.set_sensitive(true);
        built = built.header(*name, value);
    }
    let body = Full::new(Bytes::from(request.body));
    built.body(body).map_err(|_| HttpError::Url("its path cannot be sent"))
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: hyper::Request<Full<Bytes>>,
    host: &str,
) -> Result<Response, HttpError> {
    let broke = || HttpError::Broke { host: host.to_owned() };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| broke())?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|_| broke())?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LONGEST_ANSWER);
        let body = body.collect().await.map_err(|_| broke())?.to_bytes().to_vec();
        Ok(Response { status, body })
    };
    tokio::pin!(asked, connection);
    // The connection moves the bytes; it may end before the answer has been taken out.
    tokio::select! {
        answer = &mut asked => answer,
        _ = &mut connection => asked.await,
    }
}

/// Where a request goes.
struct Target {
    tls: bool,
    host: String,
    port: u16,
    /// Host and port as they were written.
    authority: String,
    /// With the query.
    path: String,
}

impl Target {
    fn parse(url: &str) -> Result<Self, HttpError> {
        let uri: hyper::Uri = url.parse().map_err(|_| HttpError::Url("not a URL"))?;
        let authority = uri.authority().ok_or(HttpError::Url("no host"))?;
        if authority.as_str().contains('@') {
            return Err(HttpError::Url("no names and passwords here"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_loopback(&host) => false,
            Some("http") => return Err(HttpError::Url("http is for loopback addresses only")),
            _ => return Err(HttpError::Url("neither https nor http")),
        };
        Ok(Self {
            tls,
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            host,
        })
    }

    fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_leaves_this_machine() {
        for (url, shown) in [
            ("https://vault.example.org/v1/x?y", Some("vault.example.org:443")),
            ("https://192.0.2.1:8200/", Some("192.0.2.1:8200")),
            ("http://127.0.0.1:8200/v1", Some("127.0.0.1:8200")),
            ("http://[::1]:8200/v1", Some("::1:8200")),
            ("http://vault.example.org/", None),
            ("ftp://vault.example.org/", None),
            ("https://me:secret@vault.example.org/", None),
            ("vault.example.org", None),
            ("", None),
        ] {
            let target = Target::parse(url).ok().map(|target| target.shown());
            assert_eq!(target.as_deref(), shown, "{url}");
        }
    }
}
