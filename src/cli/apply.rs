//! `reconcile apply FILE`: exactly a saved plan, or nothing.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use jiff::ToSpan as _;

use super::input::{Input, Scope};
use super::perform::{self, Look, Shown};
use super::run::{Format, baseline};
use super::{ExitCode, Failure, Globals};
use crate::plan::{PlanDigest, PlanFile, lint};
use crate::report::{self, Detail};
use crate::run::digests;

/// Options of `reconcile apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A plan saved by `reconcile plan --out`
    plan: PathBuf,

    /// How the outcome is shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Let the held removals of the plan go; the digest must be the plan's
    #[arg(long, value_name = "DIGEST", value_parser = |text: &str| PlanDigest::parse(text))]
    approve_removals: Option<PlanDigest>,

    /// Write metrics for Prometheus' textfile collector to this file
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,

    #[command(flatten)]
    scope: Scope,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let file = report::load(&args.plan).map_err(|error| Failure::new(ExitCode::BadInput, error))?;
    if let Some(flaw) = lint(&file.plan).first() {
        return Err(moved(&[format!("the saved plan is not sound: {flaw}")]));
    }
    let input = Input::read(globals, &args.scope, file.plan.today)?;
    fresh(&file, &input, globals)?;
    let shown = Shown { format: args.format, detail: Detail::Everything, quiet: false };
    perform::on_runtime(async {
        let locks = input.lock(globals)?;
        let baseline = baseline(globals)?;
        let look = Look::at(globals, &input, &baseline, args.approve_removals.clone()).await;
        compare(&file, &input, &look)?;
        let metrics = args.metrics.as_deref();
        let code = perform::perform(globals, &input, look, baseline, shown, metrics, out).await;
        drop(locks);
        code
    })
}

/// A plan is for its day and a little longer: grace periods and ends of grants move on.
fn fresh(file: &PlanFile, input: &Input, globals: &Globals) -> Result<(), Failure> {
    let hours = input.loaded.policies.plan_valid_hours;
    let end = file.made_at.checked_add(i64::from(hours).hours());
    match end {
        Ok(end) if globals.now() <= end => Ok(()),
        Ok(_) | Err(_) => Err(moved(&[format!(
            "the plan was made at {:.0}, more than {hours} hours ago",
            file.made_at
        )])),
    }
}

/// Refuses, naming everything that is not as it was when the plan was made.
fn compare(file: &PlanFile, input: &Input, look: &Look) -> Result<(), Failure> {
    let mut inputs = input.digests();
    inputs.extend(digests::directories(&look.gathered));
    let mut differences = differences(&file.inputs, &inputs);
    differences.extend(
        self::differences(&file.observed, &digests::accounts(&look.gathered))
            .into_iter()
            .map(|difference| format!("account {difference}")),
    );
    if differences.is_empty() && look.prepared.review.approved.plan().digest() != file.digest {
        differences.push(
            "what follows from the same inputs (another version of the program, another \
             --only, --org or --account, or a plan edited by hand)"
                .to_owned(),
        );
    }
    if differences.is_empty() { Ok(()) } else { Err(moved(&differences)) }
}

fn differences(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let gone = then.keys().filter(|name| !now.contains_key(*name));
    let gone = gone.map(|name| format!("{name} is gone"));
    let others = now.iter().filter_map(|(name, digest)| match then.get(name) {
        None => Some(format!("{name} is new")),
        Some(before) if before != digest => Some(format!("{name} has changed")),
        Some(_) => None,
    });
    gone.chain(others).collect()
}

fn moved(differences: &[String]) -> Failure {
    let text = format!("the plan no longer fits: {}", differences.join("; "));
    Failure::new(ExitCode::PlanMoved, text)
        .hint("make a new plan and look at it; nothing was changed")
}
