//! Whom to trust.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::HttpError;
use crate::file::{self, Readers};

/// TLS that trusts the CA certificates of the file only, or the system's.
pub(super) fn configuration(ca_file: Option<&Path>) -> Result<ClientConfig, HttpError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = ca_file {
        let failed = |why: String| HttpError::Trust(format!("{}: {why}", file.display()));
        let bytes = file::read(file, file::CERTIFICATES, Readers::Anybody)
            .map_err(|refusal| HttpError::Trust(refusal.of_named(file, "`trust`")))?;
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            roots.add(certificate).map_err(|error| failed(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(failed("it holds no certificate in PEM form".to_owned()));
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Trust(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
