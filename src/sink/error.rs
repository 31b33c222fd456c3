//! Why a sink did not take a key. Never a secret, nor what a sink answered.

use std::time::Duration;

use crate::operator::Denied;

/// Why a sink did not take a key.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Nobody knows such a sink.
    #[error("there is no such sink")]
    Unknown,
    /// The operator did not say that it takes that key.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A file that would not keep a secret.
    #[error("{path} {why}")]
    Unsafe {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file or program could not be used.
    #[error("cannot {doing} {what}: {source}")]
    Io {
        /// "write", "run".
        doing: &'static str,
        /// The path or program.
        what: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A command ended badly.
    #[error("`{program}` failed ({status})")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// A command or store took too long.
    #[error("`{what}` did not end within {} s", limit.as_secs_f64())]
    TooLong {
        /// The program or the store's address.
        what: String,
        /// How long it had.
        limit: Duration,
    },
    /// No token for a store.
    #[error("no token: {0}")]
    Token(String),
    /// A store could not be reached, or did not answer.
    #[error(transparent)]
    Http(#[from] crate::http::HttpError),
    /// A store refused.
    #[error("the store answered {status}{}", hint_of(*status))]
    Refused {
        /// The HTTP status.
        status: u16,
    },
}

fn hint_of(status: u16) -> &'static str {
    match status {
        403 => " (the token is not valid, or may not write there)",
        404 => " (no store of version 2 is mounted there)",
        503 => " (it is sealed)",
        _ => "",
    }
}
