//! The command line: the only module that prints, reads the environment or knows clap.
//!
//! One file per subcommand, each with `Args` (clap) and `run`, which writes the result to `out`
//! and returns the exit code. stdout is the result, stderr everything else.

mod adopt;
mod apply;
mod approval;
pub mod check;
mod consent;
mod diff;
mod exit;
mod explain;
mod export_ldif;
#[cfg(test)]
mod fuzz;
mod globals;
pub mod init;
mod input;
mod mapping;
mod output;
mod pages;
mod people;
mod perform;
mod permissions;
mod plan;
mod progress;
pub mod record;
mod run;
pub mod schema;
mod status;

use std::io::Write as _;
use std::path::PathBuf;

use crate::visible::Visible;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use exit::ExitCode;
pub use globals::{Failure, Globals};

/// Keeps cloud accounts in step with an LDAP directory.
///
/// Reads who is in which group (LDAP) and which group holds which role where (inventory/),
/// compares with what each cloud says, shows a plan and carries it out within limits.
/// Without a subcommand it does all of that; with --dry-run everything but the last step.
#[derive(Debug, Parser)]
#[command(name = "reconcile", version, about)]
#[command(after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    run: run::Args,

    #[command(flatten)]
    global: Global,
}

#[derive(Debug, clap::Args)]
struct Global {
    /// Folder with inventory/, policies/ and mirrors/
    #[arg(long, global = true, value_name = "FOLDER", env = "RECONCILE_ROOT", default_value = ".")]
    root: PathBuf,

    /// Folder for locks, run records and the built-in cloud [default: .reconcile below the root]
    #[arg(long, global = true, value_name = "FOLDER", env = "RECONCILE_STATE")]
    state: Option<PathBuf>,

    /// File with secrets, trust and servers, outside the repository [default:
    /// ~/.config/reconcile/operator.yaml, else /etc/reconcile/operator.yaml]
    #[arg(long, global = true, value_name = "FILE", env = "RECONCILE_SECRETS")]
    secrets: Option<PathBuf>,

    /// Say on stderr what is read; -vv also every search and every call of a change; -vvv more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look for mistakes in the inventory and the policies, without a network
    Check(check::Args),
    /// Say who may do what where, through which group, granted by which line
    Explain(explain::Args),
    /// Show what a change of the inventory and the policies gives and takes
    Diff(diff::Args),
    /// Write a minimal organisation to start from; overwrites nothing
    Init(init::Args),
    /// Print a JSON Schema, for completion in editors and for scripts
    Schema(schema::Args),
    /// Show what a run would change, and save it for `reconcile apply`
    Plan(plan::Args),
    /// List everything managed that waits, leaves, failed or ends soon
    Status(status::Args),
    /// Carry out a saved plan, if nothing has moved since
    Apply(apply::Args),
    /// Take a user, group or role that exists under management, after showing what follows
    Adopt(adopt::Args),
    /// Print what the log-in service must say of people where they have no users
    Mapping(mapping::Args),
    /// Print what the program itself must be allowed to do at a vendor, and no more
    Permissions(permissions::Args),
    /// Write a directory as an LDIF file that says that it is whole, without passwords
    ExportLdif(export_ldif::Args),
    /// List, show and verify the records of past runs
    Record(record::Args),
    /// Print a completion script for a shell
    Completions(pages::Completions),
    /// Print the manual page
    Manual,
}

/// Parses the command line, runs it and says how it ended.
pub fn main() -> std::process::ExitCode {
    let matches = Cli::command().get_matches();
    let cli = match with_subcommand(&matches).and_then(|()| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let color = match cli.global.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    color.write_global();
    output::log_to_stderr(cli.global.verbose);
    let code = match execute(cli) {
        Ok(code) => code,
        Err(failure) if is_closed_pipe(&failure) => ExitCode::Success,
        Err(failure) => {
            // Nothing is left to tell should stderr be closed too.
            let _ = failure.write(&mut Visible::text(anstream::stderr()));
            failure.code
        }
    };
    code.into()
}

/// Refuses options of a run next to a subcommand: `reconcile --dry-run apply` must not change
/// anything.
fn with_subcommand(matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some(subcommand) = matches.subcommand_name() else { return Ok(()) };
    let mut command = Cli::command();
    let of_run: Vec<String> = command
        .get_arguments()
        .filter(|argument| !argument.is_global_set())
        .filter(|argument| {
            let id = argument.get_id().as_str();
            matches.try_contains_id(id).is_ok()
                && matches.value_source(id) == Some(ValueSource::CommandLine)
        })
        .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
        .collect();
    if of_run.is_empty() {
        return Ok(());
    }
    let text = format!("{} must stand after `{subcommand}`, or not at all", of_run.join(" "));
    Err(command.error(clap::error::ErrorKind::ArgumentConflict, text))
}

/// `reconcile … | head` is not an error: whoever reads has seen enough.
fn is_closed_pipe(failure: &Failure) -> bool {
    failure
        .error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn execute(cli: Cli) -> Result<ExitCode, Failure> {
    let globals = Globals {
        state: cli.global.state.unwrap_or_else(|| cli.global.root.join(".reconcile")),
        root: cli.global.root,
        secrets: cli.global.secrets,
        believed: std::sync::OnceLock::new(),
        arguments: std::env::args_os()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
    };
    let mut out = std::io::BufWriter::new(Visible::text(anstream::stdout()));
    let code = match cli.command {
        None => run::run(&cli.run, &globals, &mut out),
        Some(Command::Check(args)) => check::run(&args, &globals, &mut out),
        Some(Command::Explain(args)) => explain::run(&args, &globals, &mut out),
        Some(Command::Diff(args)) => diff::run(&args, &globals, &mut out),
        Some(Command::Init(args)) => init::run(&args, &globals.root, &mut out),
        Some(Command::Schema(args)) => schema::run(&args, &mut out).map_err(Failure::from),
        Some(Command::Plan(args)) => plan::run(&args, &globals, &mut out),
        Some(Command::Status(args)) => status::run(&args, &globals, &mut out),
        Some(Command::Apply(args)) => apply::run(&args, &globals, &mut out),
        Some(Command::Mapping(args)) => mapping::run(&args, &globals, &mut out),
        Some(Command::Permissions(args)) => permissions::run(&args, &globals, &mut out),
        Some(Command::Adopt(args)) => adopt::run(&args, &globals, &mut out),
        Some(Command::ExportLdif(args)) => export_ldif::run(&args, &globals, &mut out),
        Some(Command::Record(args)) => {
            let trust = if args.needs_trust() {
                globals.trust_state()?;
                globals.trust()?
            } else {
                crate::record::Trust::default()
            };
            record::run(&args, &globals.state, trust, &mut out).map_err(Failure::from)
        }
        Some(Command::Completions(args)) => Ok(pages::completions(&args, &mut out)),
        Some(Command::Manual) => pages::manual(&mut out),
    }?;
    match out.flush() {
        // Whoever reads has seen enough; how it ended is still worth telling.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(code),
        flushed => flushed.map(|()| code).map_err(Failure::from),
    }
}
