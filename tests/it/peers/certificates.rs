//! A certificate authority of one test.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

/// Which certificate a server shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Valid, for 127.0.0.1, `::1` and localhost.
    #[default]
    Valid,
    /// Its time is over.
    Expired,
    /// For another name.
    OtherName,
}

/// Writes `ca.pem`, `server.pem` and `server.key` into the folder.
pub fn write(folder: &Path, shown: Shown) {
    let names = match shown {
        Shown::OtherName => vec!["ldap.example.org".to_owned()],
        Shown::Valid | Shown::Expired => {
            ["127.0.0.1", "::1", "localhost"].map(str::to_owned).into()
        }
    };
    let issuer = issuer("Test authority");
    let key = KeyPair::generate().expect("a key");
    let mut server = CertificateParams::new(names).expect("names");
    server.distinguished_name.push(DnType::CommonName, "slapd");
    if shown == Shown::Expired {
        server.not_before = date_time_ymd(2020, 1, 1);
        server.not_after = date_time_ymd(2021, 1, 1);
    }
    let certificate = server.signed_by(&key, &issuer).expect("a certificate");
    save(&folder.join("ca.pem"), &issuer.pem());
    save(&folder.join("server.pem"), &certificate.pem());
    save(&folder.join("server.key"), &key.serialize_pem());
    save(&folder.join("other-ca.pem"), &self::issuer("Another authority").pem());
}

/// A TLS server that shows what [`write`] wrote.
pub fn server(folder: &Path) -> Arc<rustls::ServerConfig> {
    let chain = CertificateDer::pem_file_iter(folder.join("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain.map(|one| one.expect("a certificate")).collect(), key)
        .expect("they fit");
    Arc::new(config)
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an issuer")
}

fn save(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file of the test can be written");
}

/// A certificate nobody else has signed, as PEM.
pub fn self_signed(name: &str) -> String {
    issuer(name).pem()
}

/// A certificate that can be used until the first day of a year, in base64, as SAML metadata have it.
pub fn until_year(year: i32) -> String {
    let mut parameters =
        CertificateParams::new(vec!["idp.example.org".to_owned()]).expect("a name");
    parameters.not_after = date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let pem = parameters.self_signed(&key).expect("a certificate").pem();
    pem.lines().filter(|line| !line.starts_with("--")).collect()
}
