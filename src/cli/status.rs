//! `reconcile status`: everything managed that is not plainly well.

use std::io::Write;

use jiff::civil::Date;

use super::input::{Input, Scope};
use super::perform::{self, Look};
use super::run::baseline;
use super::{ExitCode, Failure, Globals};
use crate::report::{self, STATUS_FORMAT, StatusReport};
use crate::status::Status;

/// Options of `reconcile status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How to show the answer
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,

    #[command(flatten)]
    scope: Scope,

    /// Answer as if it were this day (YYYY-MM-DD)
    #[arg(long, value_name = "DAY")]
    today: Option<Date>,
}

/// How to show how things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For scripts; `reconcile schema status` describes it
    Json,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let input = Input::read(globals, &args.scope, args.today.unwrap_or_else(|| globals.today()))?;
    perform::on_runtime(async {
        let baseline = baseline(globals)?;
        let look = Look::at(globals, &input, &baseline, None).await;
        let grace_days = input.loaded.policies.grace_days;
        let observed = &look.gathered.observations;
        let status = Status::of(observed, &look.prepared.review, &input.narrowing, grace_days);
        match args.format {
            Format::Text => report::status_text(out, &status)?,
            Format::Json => {
                let report = StatusReport { format: STATUS_FORMAT, status: &status };
                report::status_json(out, &report)?;
            }
        }
        Ok(exit_code(&status))
    })
}

fn exit_code(status: &Status) -> ExitCode {
    if !status.incomplete.is_empty() {
        ExitCode::IncompleteSource
    } else if status.waits() {
        ExitCode::Waiting
    } else {
        ExitCode::Success
    }
}
