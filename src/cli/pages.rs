//! `reconcile completions` and `reconcile manual`.

use std::io::Write;

use clap::CommandFactory as _;

use super::{Cli, ExitCode, Failure};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// Which shell
    shell: clap_complete::Shell,
}

pub(super) fn completions(args: &Completions, out: &mut dyn Write) -> ExitCode {
    clap_complete::generate(args.shell, &mut Cli::command(), "reconcile", &mut Writer(out));
    ExitCode::Success
}

pub(super) fn manual(out: &mut dyn Write) -> Result<ExitCode, Failure> {
    clap_mangen::Man::new(Cli::command()).render(&mut Writer(out))?;
    Ok(ExitCode::Success)
}

/// A sized writer over a borrowed one.
struct Writer<'a>(&'a mut dyn Write);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
