//! Saved plans on disk: readable by their owner only, never half written.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::plan::{PlanFile, PlanFileError};

/// Why a plan could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// The file could not be written.
    #[error("cannot save the plan to {}", path.display())]
    Save {
        /// Which file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The file could not be read.
    #[error("cannot read the plan {}", path.display())]
    Load {
        /// Which file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The file is not a plan that can be used.
    #[error("{} cannot be applied", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: PlanFileError,
    },
}

/// Saves a plan, replacing an older one as a whole. Mode 0600, since it holds private values.
pub fn save(path: &Path, file: &PlanFile) -> Result<(), SavedPlanError> {
    write_whole(path, file).map_err(|source| SavedPlanError::Save { path: path.into(), source })
}

/// Loads a plan and checks that it is whole.
pub fn load(path: &Path) -> Result<PlanFile, SavedPlanError> {
    let text =
        std::fs::read(path).map_err(|source| SavedPlanError::Load { path: path.into(), source })?;
    PlanFile::parse(&text).map_err(|source| SavedPlanError::Content { path: path.into(), source })
}

fn write_whole(path: &Path, file: &PlanFile) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A temporary file is made with mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    let mut buffered = io::BufWriter::new(temporary.as_file_mut());
    serde_json::to_writer(&mut buffered, file)?;
    buffered.write_all(b"\n")?;
    buffered.flush()?;
    drop(buffered);
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    std::fs::File::open(folder)?.sync_all()
}
