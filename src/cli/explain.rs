//! `reconcile explain`: who may do what where, through which group, granted by which line.

use std::collections::BTreeMap;
use std::io::Write;

use jiff::civil::Date;

use super::input::{Input, Scope};
use super::perform::on_runtime;
use super::{ExitCode, Failure, Globals};
use crate::cloud::registry;
use crate::desired::{self, Inputs};
use crate::directory::{self, Access, DirectoryConfig};
use crate::model::{Directory, DirectoryName, Reading};
use crate::report::{self, EXPLANATION_FORMAT, ExplanationReport, printable};
use crate::rights::{self, Found, Unknown, View};

/// Options of `reconcile explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// LOGIN, GROUP, ACCOUNT or service account; where that is not clear with its directory
    /// (debian:amara), its kind (person:, group:, service:, account:) or both
    #[arg(value_name = "NAME")]
    name: String,

    /// How to show the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Answer as if it were this day (YYYY-MM-DD)
    #[arg(long, value_name = "DAY")]
    today: Option<Date>,
}

/// How to show an explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For scripts; see `reconcile schema explain`
    Json,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let today = args.today.unwrap_or_else(|| globals.today());
    let input = Input::read_to_answer(globals, &Scope::default(), today)?;
    let inventory = &input.loaded.inventory;
    let access = globals.access(&input.operator);
    let directories = read_directories(access, inventory.directories.values())?;
    let inputs = Inputs {
        inventory,
        policies: &input.loaded.policies,
        directories: &directories,
        vendors: &registry::facts(),
        today,
    };
    let desired = desired::resolve(&inputs);
    let view = View::new(inputs, &desired);
    let not_complete = view.not_complete();
    let found = rights::find(&view, &args.name)
        .map_err(|unknown| failure(&unknown, not_complete.is_empty()))?;
    let explained = rights::explain(&view, &found).ok_or_else(|| {
        Failure::new(ExitCode::Unexpected, format!("{found} was found but cannot be explained"))
    })?;
    let report = ExplanationReport {
        format: EXPLANATION_FORMAT,
        today: today.to_string(),
        not_complete: &not_complete,
        explained: &explained,
    };
    match args.format {
        Format::Text => report::explanation_text(out, &report)?,
        Format::Json => report::explanation_json(out, &report)?,
    }
    Ok(if not_complete.is_empty() { ExitCode::Success } else { ExitCode::IncompleteSource })
}

/// Reads directories one after the other.
pub(super) fn read_directories<'a>(
    access: Access<'_>,
    configs: impl Iterator<Item = &'a DirectoryConfig>,
) -> Result<BTreeMap<DirectoryName, Reading<Directory>>, Failure> {
    on_runtime(async {
        let mut directories = BTreeMap::new();
        for config in configs {
            directories.insert(config.name.clone(), directory::read(config, access).await);
        }
        Ok(directories)
    })
}

/// Says what the name may mean. What was not read may have it.
fn failure(unknown: &Unknown, complete: bool) -> Failure {
    let error = printable(&unknown.to_string()).into_owned();
    match unknown {
        Unknown::Ambiguous { candidates, .. } => {
            let names: Vec<String> = candidates.iter().map(candidate).collect();
            Failure::new(ExitCode::BadInput, error)
                .hint(format!("say which one:\n    {}", names.join("\n    ")))
        }
        Unknown::Nothing { nearest, .. } => {
            let (code, more) = if complete {
                (ExitCode::BadInput, "")
            } else {
                (ExitCode::IncompleteSource, "; but not all directories could be read completely")
            };
            let failure = Failure::new(code, format!("{error}{more}"));
            match nearest {
                Some(nearest) => failure.hint(format!("did you mean `{}`?", printable(nearest))),
                None => failure,
            }
        }
    }
}

fn candidate(found: &Found) -> String {
    printable(&found.to_string()).into_owned()
}
