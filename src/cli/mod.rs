//! The command line: the only module that prints, reads the environment or knows clap.
//!
//! One file per subcommand, each with `Args` (clap) and `run(args, globals, out)`, which writes the
//! result to `out` and returns the exit code. Everything that is not the result (progress, notes)
//! goes to stderr through `globals`.

pub mod check;
mod exit;
pub mod init;
pub mod schema;

pub use exit::ExitCode;
