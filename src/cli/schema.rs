//! `reconcile schema`: JSON Schemas, for completion and checks in editors.

use std::io::{self, Write};

use super::ExitCode;
use crate::plan::PlanFile;
use crate::{diagnostic, inventory, mirrors, operator, policies, report};

/// Print the JSON Schema of what is read and written.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Of which files
    #[arg(value_enum)]
    pub of: Files,
}

/// Files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Files {
    /// Those below inventory/
    Inventory,
    /// Those below policies/
    Policies,
    /// Those below mirrors/
    Mirrors,
    /// The operator's file
    Operator,
    /// Saved plans
    Plan,
    /// What `--format json` writes
    Report,
    /// What `check --format json` writes
    Findings,
    /// What `explain --format json` writes
    Explain,
    /// What `diff --format json` writes
    Diff,
    /// What `status --format json` writes
    Status,
}

/// Writes the schema.
///
/// # Errors
/// When the result cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> io::Result<ExitCode> {
    out.write_all(text(args.of).as_bytes())?;
    Ok(ExitCode::Success)
}

/// The schema as it is written to a file.
pub fn text(of: Files) -> String {
    let schema = match of {
        Files::Inventory => inventory::schema(),
        Files::Policies => policies::schema(),
        Files::Mirrors => mirrors::schema(),
        Files::Operator => operator::schema(),
        Files::Plan => PlanFile::schema(),
        Files::Report => report::schema(),
        Files::Explain => report::explanation_schema(),
        Files::Diff => report::difference_schema(),
        Files::Status => report::status_schema(),
        Files::Findings => schemars::schema_for!(diagnostic::Report),
    };
    format!("{:#}\n", schema.to_value())
}
