//! `reconcile init`: a minimal organisation to start from.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::schema::{self, Files};
use super::{ExitCode, Failure};

/// Write a minimal organisation to start from. Overwrites nothing.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {}

/// Why nothing was written, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is something already.
    #[error("{} is there already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The result cannot be written.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
}

/// Writes the files below the root.
pub(super) fn run(_args: &Args, root: &Path, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    write(root, out).map(|()| ExitCode::Success).map_err(|error| {
        let code = match error {
            InitError::Exists(_) => ExitCode::BadInput,
            InitError::Write { .. } | InitError::Output(_) => ExitCode::Unexpected,
        };
        Failure::new(code, error)
    })
}

const ORGANISATION: &str = include_str!("init/organisation.yaml");
const PEOPLE: &str = include_str!("init/people.ldif");
const POLICIES: &str = include_str!("init/policies.yaml");

/// Writes the files and says which.
///
/// # Errors
/// When one of the folders is there already, or something cannot be written.
pub fn write(root: &Path, out: &mut dyn Write) -> Result<(), InitError> {
    let files = [
        ("inventory/organisation.yaml", ORGANISATION.to_owned()),
        ("inventory/people.ldif", PEOPLE.to_owned()),
        ("policies/policies.yaml", POLICIES.to_owned()),
        (".schemas/inventory.json", schema::text(Files::Inventory)),
        (".schemas/policies.json", schema::text(Files::Policies)),
        (".schemas/mirrors.json", schema::text(Files::Mirrors)),
        (".schemas/operator.json", schema::text(Files::Operator)),
    ];
    let folders = ["inventory", "policies"].map(|folder| root.join(folder));
    for path in folders.into_iter().chain(files.iter().map(|(path, _)| root.join(path))) {
        if path.symlink_metadata().is_ok() {
            return Err(InitError::Exists(path));
        }
    }
    for (path, content) in files {
        write_new(&root.join(path), content.as_bytes())?;
        writeln!(out, "wrote {path}").map_err(InitError::Output)?;
    }
    writeln!(
        out,
        "\nChange them to fit, then run `reconcile check` and `reconcile --dry-run`.\n\
         Editors that know the line `# yaml-language-server: $schema=…` complete and check while \
         you type."
    )
    .map_err(InitError::Output)
}

/// Writes a file that must not be there.
fn write_new(path: &Path, content: &[u8]) -> Result<(), InitError> {
    let wrong = |source| InitError::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(wrong)?;
    }
    match fs::File::create_new(path) {
        Ok(mut file) => file.write_all(content).map_err(wrong),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(InitError::Exists(path.to_owned()))
        }
        Err(error) => Err(wrong(error)),
    }
}
