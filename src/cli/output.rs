//! What a run says: results on stdout, messages on stderr.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

use super::{ExitCode, Failure};

/// Standard output of a run that changes things. It goes on when nobody reads any more
/// (`reconcile | head`) or nothing more can be written, as if all was well; the first error is
/// kept for the end.
pub(super) struct Steadfast<'a> {
    out: &'a mut dyn Write,
    error: Option<io::Error>,
}

impl<'a> Steadfast<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, error: None }
    }

    /// Everything was written, or nobody wanted to read it.
    ///
    /// # Errors
    /// Something could not be written for any other reason.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        // Never fails itself.
        let _ = self.flush();
        match self.error {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(ExitCode::Unexpected, error).hint(
                    "the result could not be written; the run itself came to its end, \
                     `reconcile record show last` shows it",
                ))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn attempt(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.error.is_none() {
            self.error = write(self.out).err();
        }
    }
}

impl Write for Steadfast<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|out| out.write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt(|out| out.flush());
        Ok(())
    }
}

/// Warnings always; which accounts and directories are read with `-v`; every search of a directory
/// and every call of a change with `-vv`.
///
/// Other crates' messages stay out, also at the highest level: LDAP and TLS libraries log what
/// they send, which may be a password.
pub(super) fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::new(format!("off,reconcile={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Each message is written at once.
        .with_writer(|| crate::visible::Line(io::stderr()))
        .with_ansi(false)
        .with_target(false)
        // It would complain on stderr that stderr is closed, and panic for that.
        .log_internal_errors(false)
        .init();
}
