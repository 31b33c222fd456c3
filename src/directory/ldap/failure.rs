//! What can go wrong with a server, and what the administrator can do about it.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::answer::Outcome;
use super::wire::Broken;
use crate::directory::budget::Exhausted;
use crate::masks;
use crate::operator::Denied;

/// Of each cause this much is shown: some of it is what a server says, in its certificate too.
const SHOWN: usize = 500;

/// Why a read from a server is not complete.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The URL is not one this program speaks.
    #[error("`{url}` is not ldaps://host[:port], ldap://host[:port] or ldapi://%2Fpath")]
    Url { url: String },
    /// The operator did not say that it may be asked, or not with that.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The connection would not be encrypted.
    #[error("refused to talk to {host} without TLS")]
    Plaintext { host: String },
    /// The certificates to trust cannot be had.
    #[error("cannot read the CA certificates: {why}")]
    CaFile { why: String },
    /// The system has no certificates to trust.
    #[error("the system has no CA certificates")]
    NoSystemCa,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls { source: rustls::Error },
    /// The password cannot be had.
    #[error("no password for the bind: {why}")]
    Password { why: String },
    /// No connection.
    #[error("cannot connect")]
    Connect { source: io::Error },
    /// No connection in time.
    #[error("no connection within {}", seconds(*limit))]
    ConnectStalled { limit: Duration },
    /// The host cannot stand in a certificate.
    #[error("`{host}` is not a name a certificate can be for")]
    ServerName { host: String },
    /// The server does not go on under TLS.
    #[error("`StartTLS` was refused: {outcome}")]
    StartTls { outcome: Outcome },
    /// The server refused the bind.
    #[error("the bind was refused: {outcome}")]
    Bind { outcome: Outcome },
    /// No answer in time.
    #[error("no complete answer within {} (after {entries} entries)", seconds(*limit))]
    Stalled { limit: Duration, entries: u64 },
    /// The connection broke.
    #[error("the connection broke after {entries} entries")]
    Broke { entries: u64, source: Broken },
    /// A search ended with another code than success.
    #[error("{outcome} after {entries} entries")]
    Code { entries: u64, outcome: Outcome },
    /// The server pointed elsewhere.
    #[error("a referral to {to} after {entries} entries; referrals are not followed")]
    Referral { entries: u64, to: String },
    /// The base is there, but not for us.
    #[error("the base entry is not visible")]
    BaseHidden,
    /// There is more of it, or it takes longer, than the directory may have as a whole.
    #[error("{spent} (after {entries} entries)")]
    Exhausted { entries: u64, spent: Exhausted },
    /// Pages do not add up.
    #[error("paging went wrong after {entries} entries: {why}")]
    Paging { entries: u64, why: &'static str },
}

impl Failure {
    /// Whether a new attempt from the start may do better.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Connect { source } => !is_certificate(source) && !is_setup(source),
            Self::ConnectStalled { .. } | Self::Stalled { .. } => true,
            Self::Broke { source, .. } => match source {
                Broken::Transport(_) | Broken::Closed | Broken::Dismissed(_) => true,
                Broken::Malformed | Broken::TooLong { .. } => false,
            },
            // busy, unavailable
            Self::StartTls { outcome } | Self::Bind { outcome } | Self::Code { outcome, .. } => {
                matches!(outcome.code, 51 | 52)
            }
            Self::Url { .. }
            | Self::Denied(_)
            | Self::Plaintext { .. }
            | Self::CaFile { .. }
            | Self::NoSystemCa
            | Self::Tls { .. }
            | Self::Password { .. }
            | Self::ServerName { .. }
            | Self::Referral { .. }
            | Self::BaseHidden
            | Self::Exhausted { .. }
            | Self::Paging { .. } => false,
        }
    }

    /// The failure with its causes and what to do.
    pub(super) fn told(&self) -> String {
        let mut told = masks::shown(&self.to_string(), SHOWN);
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = masks::shown(&error.to_string(), SHOWN);
            if !told.contains(&text) {
                told.push_str(": ");
                told.push_str(&text);
            }
            cause = error.source();
        }
        if let Some(hint) = self.hint() {
            told.push_str("; ");
            told.push_str(hint);
        }
        told
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Url { .. } | Self::ServerName { .. } => "correct `url`",
            Self::Plaintext { .. } => {
                "use ldaps:// or `start_tls: true`; without TLS only a loopback address is spoken to"
            }
            Self::CaFile { .. } => "check `trust` in the operator's file",
            Self::NoSystemCa => "install ca-certificates, or name a `trust` of the operator's file",
            Self::Connect { source } if is_certificate(source) => {
                "check the server's certificate (issuer, name, dates), and `trust` if it is signed by your own CA"
            }
            Self::Connect { .. } | Self::ConnectStalled { .. } => {
                "check `url`, `start_tls` and whether the server runs"
            }
            Self::StartTls { .. } => "use ldaps:// if the server cannot upgrade a connection",
            Self::Bind { outcome } => match outcome.code {
                49 => "check the bind DN and the password",
                8 | 13 => "the server wants TLS before a bind: use ldaps:// or `start_tls: true`",
                48 | 53 | 7 => "the server does not allow this way to bind: check `bind`",
                _ => "check `bind`",
            },
            Self::Code { outcome, .. } => match outcome.code {
                3 => "raise the server's time limit for this bind",
                4 => {
                    "raise the server's size limit for this bind; paging does not lift it \
                     (OpenLDAP: `limits … size.prtotal=unlimited size=unlimited`)"
                }
                11 => "raise the server's administrative limits for this bind",
                12 => "the server cannot page: set `page_size: 0`",
                32 => "check the base: it does not exist or may not be seen",
                50 => "this bind may not search there",
                _ => return None,
            },
            Self::Referral { .. } => {
                "name the server that holds the entries, or a base without referrals"
            }
            Self::BaseHidden => "check the base and what this bind may read",
            Self::Paging { .. } => "set `page_size: 0` for a server that cannot page",
            Self::Broke { source: Broken::TooLong { .. }, .. } => {
                "raise `most_megabytes` of this directory if an answer is as large as that; it may \
                 be a quarter of it"
            }
            Self::Stalled { .. } => {
                "raise `read_seconds` or lower `page_size` if the server is slow"
            }
            Self::Tls { .. }
            | Self::Denied(_)
            | Self::Password { .. }
            | Self::Broke { .. }
            | Self::Exhausted { .. } => return None,
        })
    }
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

/// Whether the connection failed over the server's certificate.
fn is_certificate(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(
        tls,
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
    )
}

/// Whether the connection failed over something that the next attempt would find unchanged.
fn is_setup(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput)
}
