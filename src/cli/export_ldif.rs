//! `reconcile export-ldif`: a directory as a file that says that it is whole.

use std::io::Write;
use std::path::PathBuf;

use super::input::{Input, Scope};
use super::{ExitCode, Failure, Globals, perform};
use crate::directory;
use crate::file;
use crate::model::DirectoryName;

/// Options of `reconcile export-ldif`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory, by its name in the inventory
    directory: String,

    /// Write to this file, readable by its owner only, instead of to stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let input = Input::read(globals, &Scope::default(), globals.today())?;
    let name = DirectoryName::from(args.directory.as_str());
    let Some(config) = input.loaded.inventory.directories.get(&name) else {
        let known = input.loaded.inventory.directories.keys().map(DirectoryName::as_str);
        let failure =
            Failure::new(ExitCode::BadInput, format!("there is no directory `{}`", args.directory));
        return Err(match crate::diagnostic::nearest(&args.directory, known) {
            Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
            None => failure,
        });
    };
    let access = globals.access(&input.operator);
    let exported = perform::on_runtime(async { Ok(directory::export(config, access).await) })?;
    let text = exported.map_err(|missing| {
        let missing: Vec<String> = missing.iter().map(|one| format!("  {one}")).collect();
        let what = format!("directory {name} was not read completely\n{}", missing.join("\n"));
        Failure::new(ExitCode::IncompleteSource, what).hint("nothing was written")
    })?;
    match &args.out {
        None => out.write_all(text.as_bytes())?,
        Some(path) => {
            file::replace(path, text.as_bytes()).map_err(|error| {
                let what = format!("cannot write {}: {error}", path.display());
                Failure::new(ExitCode::Unexpected, what)
            })?;
            writeln!(out, "wrote {}", path.display())?;
        }
    }
    Ok(ExitCode::Success)
}
