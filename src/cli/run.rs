//! `reconcile` and `reconcile --dry-run`.

use std::io::Write;
use std::path::PathBuf;

use jiff::civil::Date;

use super::approval::Approval;
use super::consent::Consent;
use super::input::{Input, Scope};
use super::perform::{self, Look, Shown};
use super::{ExitCode, Failure, Globals};
use crate::plan::PlanDigest;
use crate::report::Detail;
use crate::run::Baseline;

/// Options of a run.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask before something is changed; without a terminal nobody is asked anyway
    #[arg(long, short)]
    yes: bool,

    /// How the plan is shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Show numbers instead of every change
    #[arg(long)]
    summary: bool,

    /// Say nothing when there is nothing to do and nothing is wrong
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    scope: Scope,

    /// Carry out what is held, too, if the plan is the one with this digest (a dry run
    /// shows it) and no run has done so before; DIGEST:RUN for once more after that run
    #[arg(long, alias = "approve-removals", value_name = "DIGEST")]
    approve: Option<Approval>,

    /// With --dry-run: end with code 10 when there are changes to make
    #[arg(long, requires = "dry_run")]
    detailed_exitcode: bool,

    /// Write numbers about the run to this file, for Prometheus' textfile collector
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,

    /// With --dry-run: plan as if it were this day (YYYY-MM-DD)
    #[arg(long, value_name = "DAY", requires = "dry_run")]
    today: Option<Date>,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For scripts; `reconcile schema report` describes it
    Json,
    /// For a comment on a merge request
    Markdown,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let ended = if args.dry_run { look(args, globals, out) } else { change(args, globals, out) };
    perform::note_failure(args.metrics.as_deref(), globals, &ended);
    ended
}

fn look(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let input = Input::read(globals, &args.scope, args.today.unwrap_or_else(|| globals.today()))?;
    let shown = args.shown();
    perform::on_runtime(async {
        let baseline = baseline(globals)?;
        let approved = approved(args.approve.as_ref(), globals)?;
        let look = Look::at(globals, &input, &baseline, approved).await;
        let code = look.exit_code();
        if !look.is_silent(shown.quiet) {
            shown.plan(out, &look.prepared)?;
        }
        perform::write_metrics(args.metrics.as_deref(), globals, &look, None, code)?;
        Ok(look.detailed(code, args.detailed_exitcode))
    })
}

fn change(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let input = Input::read(globals, &args.scope, globals.today())?;
    perform::on_runtime(async {
        let interrupt = perform::interruption();
        let locks = input.lock(globals)?;
        let baseline = baseline(globals)?;
        let approved = approved(args.approve.as_ref(), globals)?;
        let look = Look::at(globals, &input, &baseline, approved);
        let look = perform::unless_interrupted(&interrupt, look).await?;
        let shown = args.shown();
        let run = perform::Run {
            globals,
            input: &input,
            shown,
            interrupt,
            consent: Consent::of(args.yes),
            saved_plan: None,
            anew: None,
        };
        let code = run.perform(look, baseline, args.metrics.as_deref(), out).await;
        drop(locks);
        code
    })
}

impl Args {
    fn shown(&self) -> Shown {
        Shown {
            format: self.format,
            detail: if self.summary { Detail::Summary } else { Detail::Everything },
            quiet: self.quiet,
        }
    }
}

pub(super) fn baseline(globals: &Globals) -> Result<Baseline, Failure> {
    Baseline::read(&globals.state).map_err(|error| Failure::new(ExitCode::Unexpected, error))
}

/// What is approved for this run: asked under the lock, so that no two runs use the same approval.
pub(super) fn approved(
    approval: Option<&Approval>,
    globals: &Globals,
) -> Result<Option<PlanDigest>, Failure> {
    approval.map_or(Ok(None), |approval| approval.unused(globals))
}
