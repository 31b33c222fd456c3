//! A key in a file: the id in its first line, the secret in its second.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::SinkError;
use crate::model::IssuedKey;

/// Whether a file is there that may be replaced, or none and a folder for it: nothing that others
/// could read, or lead elsewhere.
pub(super) fn check(path: &Path) -> Result<(), SinkError> {
    let refused = |why: String| Err(SinkError::Unsafe { path: path.display().to_string(), why });
    let parent = folder(path);
    match fs::metadata(parent) {
        Ok(found) if !found.is_dir() => return refused("is not in a folder".to_owned()),
        // In a folder with the sticky bit others cannot replace the file, but they can be first.
        Ok(found) if found.permissions().mode() & 0o002 != 0 => {
            return refused("is in a folder that everybody may write to".to_owned());
        }
        Ok(_) => {}
        Err(source) => return Err(io("use the folder", parent, source)),
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => refused("is a symbolic link".to_owned()),
        Ok(found) if !found.is_file() => refused("is not a regular file".to_owned()),
        Ok(found) if found.permissions().mode() & 0o077 != 0 => refused(format!(
            "may be read by others (mode {:03o}); chmod 600 it",
            found.permissions().mode() & 0o777
        )),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(io("look at", path, source)),
    }
}

/// Puts the key in the place of what is there, at once and durably: whoever reads gets the old key
/// or the new one, whole.
pub(super) fn replace(path: &Path, key: &IssuedKey) -> Result<(), SinkError> {
    check(path)?;
    let parent = folder(path);
    let written = || {
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        writeln!(file, "{}\n{}", key.id, key.secret.expose_secret())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        fs::File::open(parent)?.sync_all()
    };
    written().map_err(|source| io("write", path, source))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn io(doing: &'static str, path: &Path, source: std::io::Error) -> SinkError {
    SinkError::Io { doing, what: path.display().to_string(), source }
}
