//! What every subcommand needs to know about the world outside.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::SecretString;

use super::ExitCode;
use super::record::RecordError;
use crate::lock::Holder;
use crate::record::{self, Clock, redact_arguments};

/// The world outside, as the command line found it.
pub struct Globals {
    /// Root of the organisation's repository: the folder with `inventory/`, `policies/` and
    /// `mirrors/`.
    pub root: PathBuf,
    /// Where locks, the run record and the embedded cloud are kept.
    pub state: PathBuf,
    /// The command line, the program's name first.
    pub arguments: Vec<String>,
}

impl Globals {
    /// The present time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The present day, in UTC like every date of the program.
    pub fn today(&self) -> Date {
        Self::day(self.now())
    }

    /// The day of a time, in UTC.
    pub fn day(time: Timestamp) -> Date {
        time.to_zoned(TimeZone::UTC).date()
    }

    /// A clock for those who must not read one.
    pub fn clock(&self) -> Clock {
        Arc::new(Timestamp::now)
    }

    /// Who is running the program.
    pub fn holder(&self) -> Holder {
        Holder {
            user: user(),
            host: host(),
            process: std::process::id(),
            since: self.now(),
            arguments: redact_arguments(&self.arguments),
        }
    }

    /// Looks up an environment variable that holds a secret.
    pub fn environment(name: &str) -> Option<SecretString> {
        std::env::var(name).ok().map(SecretString::from)
    }

    /// A path below the root, unless it is absolute.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }
}

fn user() -> String {
    std::env::var("SUDO_USER")
        .or_else(|_| std::env::var("USER"))
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()))
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Why a subcommand ends without a result.
#[derive(Debug)]
pub struct Failure {
    /// With which code the program ends.
    pub code: ExitCode,
    /// What went wrong.
    pub error: Box<dyn std::error::Error + Send + Sync>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a code.
    pub fn new(code: ExitCode, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { code, error: error.into(), hint: None }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error, all its causes and the hint, for stderr.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "error: {}", self.error)?;
        let mut source = self.error.source();
        while let Some(cause) = source {
            writeln!(out, "  because: {cause}")?;
            source = cause.source();
        }
        if let Some(hint) = &self.hint {
            writeln!(out, "  hint: {hint}")?;
        }
        Ok(())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(ExitCode::Unexpected, error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Output(error) => error.into(),
            RecordError::Record(error @ record::Error::Damaged { .. }) => {
                Self::new(ExitCode::RecordDamaged, error)
            }
            RecordError::Record(error) => Self::new(ExitCode::Unexpected, error),
        }
    }
}
