//! From a path to what the operator allows.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::resolve::{Around, resolve};
use super::{Operator, Origin};
use crate::diagnostic::{Finding, Findings, Severity};
use crate::digest::sha256;
use crate::file::{self, Readers, Refusal};
use crate::place;
use crate::yaml;

/// Largest operator's file that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// Why an operator's file cannot be used. Nothing was read on account of it.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is not there.
    #[error("there is no operator's file at {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be read, or is not as private as it has to be.
    #[error("the operator's file {} cannot be used: {why}", path.display())]
    Refused {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What to do.
        hint: String,
        /// Only the operating system would not let us read it.
        is_permission: bool,
    },
    /// There are mistakes in it.
    #[error("the operator's file {} has errors", path.display())]
    Mistakes {
        /// Its path.
        path: PathBuf,
        /// All of them.
        findings: Vec<Finding>,
    },
}

/// Reads the first of the usual places that has a file; where none has, nothing is allowed.
///
/// A file that we may not read is somebody else's: it counts as none.
///
/// # Errors
/// There is one and it cannot be used.
pub fn find(places: &[PathBuf], root: &Path) -> Result<Operator, Unusable> {
    for path in places {
        match load(path, root) {
            Err(Unusable::Missing(_) | Unusable::Refused { is_permission: true, .. }) => {}
            other => return other,
        }
    }
    Ok(Operator::default())
}

/// Reads the operator's file for an organisation whose folders are below `root`.
///
/// # Errors
/// It cannot be used, with everything that is wrong with it.
pub fn load(path: &Path, root: &Path) -> Result<Operator, Unusable> {
    let repository = place::repository(root);
    let refused = |why: String, hint: String| Unusable::Refused {
        path: path.to_path_buf(),
        why,
        hint,
        is_permission: false,
    };
    let io = |error: io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Unusable::Missing(path.to_path_buf()),
        kind => Unusable::Refused {
            path: path.to_path_buf(),
            why: error.to_string(),
            hint: "run this as its owner, or name another file with --secrets".to_owned(),
            is_permission: kind == ErrorKind::PermissionDenied,
        },
    };
    let way = place::follow(path).map_err(io)?;
    std::fs::symlink_metadata(&way.end).map_err(io)?;
    if way.touches(&repository) {
        return Err(refused(
            format!(
                "the way to it leads through {}, which merge requests change",
                repository.display()
            ),
            "keep it outside the repository, for example as ~/.config/reconcile/operator.yaml"
                .to_owned(),
        ));
    }
    // The end of the way, which has no links. Opened once: whose it is and who may read it is asked of
    // what was opened, not of the path, and read from the same, so nothing can be put in its place in
    // between; and whether somebody could have put it there is asked of the way afterwards.
    let bytes =
        file::read(&way.end, MAX_BYTES, Readers::Owner).map_err(|refusal| match refusal {
            Refusal::Io(error) => io(error),
            Refusal::OpenToOthers(mode) => refused(
                format!("others than its owner may use it (mode {mode:03o})"),
                format!("chmod 600 {}", path.display()),
            ),
            Refusal::Strangers(owner) => refused(
                format!("it belongs to uid {owner}, not to you or to root"),
                format!("chown it, or write your own; whoever owns {} decides", path.display()),
            ),
            Refusal::NotRegular | Refusal::TooLarge(_) => refused(
                refusal.to_string(),
                "write a file of YAML; `reconcile schema operator` says what can be in it"
                    .to_owned(),
            ),
        })?;
    if let Some((place, why)) = way.open_to_others().map_err(io)? {
        let place = place.display();
        return Err(refused(
            format!("somebody else could put another in its place: {place} {why}"),
            format!("chmod go-w {place}, or keep the file below a folder that is yours alone"),
        ));
    }
    let folder = way.end.parent().unwrap_or(Path::new("/"));
    parse(path, folder, &repository, &bytes)
}

/// Reads the content of an operator's file. Its relative paths begin at `folder`; none may lead
/// through `repository`. `path` is what findings call it.
///
/// # Errors
/// Every mistake in it.
pub fn parse(
    path: &Path,
    folder: &Path,
    repository: &Path,
    bytes: &[u8],
) -> Result<Operator, Unusable> {
    let name: Arc<str> = path.display().to_string().into();
    let (node, mut list) = yaml::parse(&name, bytes);
    let partly_read = !list.is_empty();
    let written = node
        .filter(|node| node.value != yaml::Value::Nothing)
        .and_then(|node| yaml::read_in_confidence(&name, &node, &mut list));
    let mut findings = Findings::new(list, partly_read);
    let around = Around { file: &name, folder, repository };
    let mut operator = resolve(&written.unwrap_or_default(), around, &mut findings);
    operator.origin = Some(Origin { path: path.to_path_buf(), digest: sha256(bytes) });
    let findings = findings.into_sorted();
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(Unusable::Mistakes { path: path.to_path_buf(), findings });
    }
    Ok(operator)
}
