//! `reconcile schema`: JSON Schemas, for completion and checks in editors.

use std::io::{self, Write};

use super::ExitCode;
use crate::{inventory, policies};

/// Print the JSON Schema of the files people write.
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
    };
    format!("{:#}\n", schema.to_value())
}
