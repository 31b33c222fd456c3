//! `reconcile plan`: a dry run whose plan can be kept.

use std::io::Write;
use std::path::PathBuf;

use super::input::{Input, Scope};
use super::perform::{self, Look, Shown};
use super::run::{Format, baseline};
use super::{ExitCode, Failure, Globals};
use crate::plan::PlanFile;
use crate::report::{self, Detail};
use crate::run::digests;

/// Options of `reconcile plan`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Save the plan in this file, for `reconcile apply`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How the plan is shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Show numbers instead of every change
    #[arg(long)]
    summary: bool,

    #[command(flatten)]
    scope: Scope,

    /// End with code 10 when there are changes to make
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    // Asked once, so that the plan's day is the day it was made, also at midnight.
    let now = globals.now();
    let input = Input::read(globals, &args.scope, Globals::day(now))?;
    let detail = if args.summary { Detail::Summary } else { Detail::Everything };
    let shown = Shown { format: args.format, detail, quiet: false };
    perform::on_runtime(async {
        let baseline = baseline(globals)?;
        let look = Look::at(globals, &input, &baseline, None).await;
        if let Some(path) = &args.out {
            let mut inputs = input.digests();
            inputs.extend(digests::directories(&look.gathered));
            let plan = look.prepared.review.approved.plan().clone();
            let accounts = digests::accounts(&look.gathered);
            let file = PlanFile::new(plan, input.narrowing.clone(), now, inputs, accounts);
            report::save(path, &file).map_err(|error| Failure::new(ExitCode::Unexpected, error))?;
        }
        shown.plan(out, &look.prepared)?;
        if let (Some(path), Format::Text) = (&args.out, args.format) {
            let path = path.display();
            writeln!(out, "Saved; `reconcile apply {path}` carries out exactly this plan.")?;
        }
        Ok(look.detailed(look.exit_code(), args.detailed_exitcode))
    })
}
