//! `reconcile apply FILE`: exactly a saved plan, or nothing.

use std::io::Write;
use std::path::PathBuf;

use jiff::ToSpan as _;

use super::approval::{self, Approval};
use super::consent::Consent;
use super::input::Input;
use super::perform::{self, Look, Shown};
use super::run::{Format, approved, baseline};
use super::{ExitCode, Failure, Globals};
use crate::plan::{PlanFile, lint};
use crate::report::{self, Detail};
use crate::run::digests;

/// Options of `reconcile apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A plan saved by `reconcile plan --out`
    plan: PathBuf,

    /// How the plan and its outcome are shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Do not ask before something is changed; without a terminal nobody is asked anyway
    #[arg(long, short)]
    yes: bool,

    /// Carry out what is held, too; the digest must be that of the plan
    #[arg(long, alias = "approve-removals", value_name = "DIGEST")]
    approve: Option<Approval>,

    /// Write numbers about the run to this file, for Prometheus' textfile collector
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let ended = change(args, globals, out);
    perform::note_failure(args.metrics.as_deref(), globals, &ended);
    ended
}

fn change(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let file = report::load(&args.plan).map_err(|error| Failure::new(ExitCode::BadInput, error))?;
    if let Some(flaw) = lint(&file.plan).first() {
        return Err(moved(&[format!("the saved plan is not sound: {flaw}")]));
    }
    let input = Input::read_for(globals, file.narrowing.clone(), file.plan.today)?;
    fresh(&file, &input, globals)?;
    let shown = Shown { format: args.format, detail: Detail::Everything, quiet: false };
    perform::on_runtime(async {
        let interrupt = perform::interruption();
        let locks = input.lock(globals)?;
        let baseline = baseline(globals)?;
        let approved = approved(args.approve.as_ref(), globals)?;
        let look = Look::at(globals, &input, &baseline, approved);
        let look = perform::unless_interrupted(&interrupt, look).await?;
        compare(&file, &input, &look)?;
        once(&file, globals)?;
        let saved_plan = Some(approval::saved(&file));
        let consent = Consent::of(args.yes);
        let run = perform::Run {
            globals,
            input: &input,
            shown,
            interrupt,
            consent,
            saved_plan,
            anew: None,
        };
        let code = run.perform(look, baseline, args.metrics.as_deref(), out).await;
        drop(locks);
        code
    })
}

/// A plan is for its day and a little longer: grace periods and ends of grants move on.
fn fresh(file: &PlanFile, input: &Input, globals: &Globals) -> Result<(), Failure> {
    let hours = input.loaded.policies.plan_valid_hours;
    let now = globals.now();
    let PlanFile { made_at, plan, .. } = file;
    let made = made_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let end = made_at.checked_add(i64::from(hours).hours());
    let why = if !end.is_ok_and(|end| now <= end) {
        format!("the plan was made at {made}, more than {hours} hours ago")
    } else if *made_at > now {
        format!("the plan was made at {made}, which is yet to come")
    } else if Globals::day(*made_at) != plan.today {
        format!("the plan was made at {made}, and for another day, {}", plan.today)
    } else {
        return Ok(());
    };
    Err(moved(&[why]))
}

/// A saved plan is for one run, even if everything has come to be as it was before.
fn once(file: &PlanFile, globals: &Globals) -> Result<(), Failure> {
    if file.plan.changes.is_empty() {
        return Ok(());
    }
    match approval::carried_out_by(globals, file)? {
        Some(run) => Err(moved(&[format!("run {run} has carried it out, and it is for one run")])),
        None => Ok(()),
    }
}

/// Refuses, naming everything that is not as it was when the plan was made.
fn compare(file: &PlanFile, input: &Input, look: &Look) -> Result<(), Failure> {
    let mut inputs = input.digests();
    inputs.extend(digests::directories(&look.gathered));
    let mut differences = file.moved(&inputs, &digests::accounts(&look.gathered));
    if differences.is_empty() && look.prepared.review.approved.plan().digest() != file.digest {
        let version = env!("CARGO_PKG_VERSION");
        differences.push(if file.version == version {
            "the inputs are the same and another plan follows from them; the file was edited"
                .to_owned()
        } else {
            format!("version {} of the program made it, this is {version}", file.version)
        });
    }
    if differences.is_empty() { Ok(()) } else { Err(moved(&differences)) }
}

fn moved(differences: &[String]) -> Failure {
    let text = format!("the plan no longer fits: {}", differences.join("; "));
    Failure::new(ExitCode::PlanMoved, text)
        .hint("make a new plan and look at it; nothing was changed")
}
