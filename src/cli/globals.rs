//! What every subcommand needs to know about the world outside.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::SecretString;

use super::ExitCode;
use super::record::RecordError;
use crate::diagnostic::{self, text::NoLines};
use crate::directory;
use crate::lock::Holder;
use crate::operator::{self, Operator, Unusable};
use crate::record::{self, Clock, redact_arguments};
use crate::report::printable;
use crate::state::{self, Untrusted};

/// The world outside, as the command line found it.
pub struct Globals {
    /// Root of the organisation's repository: the folder with `inventory/`, `policies/` and
    /// `mirrors/`.
    pub root: PathBuf,
    /// Where locks, the run record and the embedded cloud are kept.
    pub state: PathBuf,
    /// The operator's file, where one was named.
    pub secrets: Option<PathBuf>,
    /// The command line, the program's name first.
    pub arguments: Vec<String>,
    /// What the operator's file said when it was read: once, so that all of a run goes by the same
    /// one, whatever becomes of the file.
    pub believed: OnceLock<Operator>,
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

    /// What the operator allows: the file that was named, or the first there is in the usual places.
    /// Where there is none, nothing is allowed.
    ///
    /// # Errors
    /// It cannot be used. What is wrong in it has been written to stderr.
    pub fn operator(&self) -> Result<Operator, Failure> {
        if let Some(operator) = self.believed.get() {
            return Ok(operator.clone());
        }
        let loaded = match &self.secrets {
            Some(path) => operator::load(path, &self.root),
            None => operator::find(&usual_places(), &self.root),
        };
        let operator = loaded.map_err(|unusable| {
            let hint = match &unusable {
                Unusable::Missing(_) => "name the one you mean with --secrets".to_owned(),
                Unusable::Refused { hint, .. } => hint.clone(),
                Unusable::Mistakes { findings, .. } => {
                    let mut stderr = anstream::stderr();
                    // What cannot be told there is told nowhere.
                    let _ = diagnostic::text::write(findings, &NoLines, &mut stderr);
                    "put them right; `reconcile schema operator` says what can be in it".to_owned()
                }
            };
            Failure::new(ExitCode::BadInput, unusable).hint(hint)
        })?;
        Ok(self.believed.get_or_init(|| operator).clone())
    }

    /// Makes sure that nothing in the state folder comes from the repository. To be asked before
    /// anything in it is read.
    ///
    /// # Errors
    /// Something does, or could.
    pub fn trust_state(&self) -> Result<(), Failure> {
        let untrusted = match state::check(&self.root, &self.state) {
            Ok(()) => return Ok(()),
            Err(untrusted) => untrusted,
        };
        let outside = "name a folder outside the repository with --state";
        let hint = match &untrusted {
            Untrusted::Tracked { state, .. } => format!(
                "see who put it there; then `git rm -r --cached {0}`, commit, and remove {0}; or {outside}",
                state.display()
            ),
            Untrusted::Link { link, .. } => {
                format!("see who put it there, and remove {}; or {outside}", link.display())
            }
            Untrusted::NobodyToAsk { .. } => format!("install git, or {outside}"),
            Untrusted::NotAFolder(_) | Untrusted::Around(_) | Untrusted::Unknown { .. } => {
                outside.to_owned()
            }
        };
        // Names in a repository are somebody else's text.
        Err(Failure::new(ExitCode::BadInput, printable(&untrusted.to_string()).into_owned())
            .hint(printable(&hint)))
    }

    /// What reading a directory may reach.
    pub fn access<'a>(&'a self, operator: &'a Operator) -> directory::Access<'a> {
        directory::Access { root: &self.root, operator, environment: &Self::environment }
    }

    /// Whose signatures of the record count, as the operator's file says.
    ///
    /// # Errors
    /// The key cannot be used.
    pub(super) fn trust(&self) -> Result<record::Trust, Failure> {
        let operator::Record { sign_with, trusted, witness } = self.operator()?.record;
        let sign_with = sign_with
            .map(|path| record::SigningKey::read(&path))
            .transpose()
            .map_err(|error| Failure::new(ExitCode::BadInput, error).hint("nothing was changed"))?;
        if let Some(path) = witness.as_ref().filter(|path| is_below(path, &self.state)) {
            let text = format!("the witness {} is inside the state folder", path.display());
            return Err(Failure::new(ExitCode::BadInput, text).hint(
                "keep it in another place, best one that can only be appended to: it is to show \
                 that the record was emptied or put back",
            ));
        }
        Ok(record::Trust { sign_with, trusted, witness })
    }

    /// The record of the state folder.
    ///
    /// # Errors
    /// As for [`Globals::trust`].
    pub(super) fn records(&self) -> Result<record::Records, Failure> {
        Ok(record::Records::open(&self.state, self.clock()).trusting(self.trust()?))
    }

    /// A path below the root, unless it is absolute.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }
}

/// Whether a path leads into a folder, as far as the file system can tell.
fn is_below(path: &Path, folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let parent = path.parent().unwrap_or(path);
    matches!((real(parent), real(folder)), (Ok(path), Ok(folder)) if path.starts_with(&folder))
}

/// Where the operator's file is looked for. As the XDG base directory specification has it, a
/// relative path in its variable does not count.
fn usual_places() -> Vec<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute())
    };
    let own = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    own.into_iter()
        .chain([PathBuf::from("/etc")])
        .map(|folder| folder.join("reconcile/operator.yaml"))
        .collect()
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
        writeln!(out, "error: {}", in_lines(&self.error.to_string()))?;
        let mut source = self.error.source();
        while let Some(cause) = source {
            writeln!(out, "  because: {}", in_lines(&cause.to_string()))?;
            source = cause.source();
        }
        if let Some(hint) = &self.hint {
            writeln!(out, "  hint: {}", in_lines(hint))?;
        }
        Ok(())
    }
}

/// What a message holds may come from outside. It may have several lines, none of which looks like
/// the first of another.
fn in_lines(message: &str) -> String {
    let mut lines = String::new();
    for (number, line) in message.lines().enumerate() {
        if number > 0 {
            lines.push_str(if line.starts_with("    ") { "\n" } else { "\n    " });
        }
        lines.push_str(&crate::visible::escaped(line));
    }
    lines
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
            RecordError::Key(error) => Self::new(ExitCode::Unexpected, error),
            RecordError::Record(error) => record_failure(error),
        }
    }
}

/// A record that cannot be read or written, or not be believed.
pub(super) fn record_failure(error: record::Error) -> Failure {
    let code = match error {
        record::Error::Damaged { .. } | record::Error::Untrusted { .. } => ExitCode::RecordDamaged,
        record::Error::NoKey => ExitCode::BadInput,
        _ => ExitCode::Unexpected,
    };
    let hint = match error {
        record::Error::Damaged { .. } => Some(
            "`reconcile record verify` says all that is wrong; move the folder of records aside \
             to begin a new one",
        ),
        record::Error::Untrusted { .. } => Some(
            "`reconcile record verify` says all that is wrong; once you know why, `reconcile \
             record sign` goes on from what is there",
        ),
        record::Error::NoKey => Some(
            "name one that `reconcile record keygen` made, as `sign_with` in the section `record` \
             of the operator's file",
        ),
        record::Error::UnderWay { .. } => Some("wait for it to end"),
        _ => None,
    };
    let failure = Failure::new(code, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
