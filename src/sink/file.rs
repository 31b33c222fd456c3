//! A key in a file: the id in its first line, the secret in its second.
//!
//! Which file that is may depend on a name that a branch chooses. So only what looks like such a file is
//! replaced, and anything else that is there stays.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::SinkError;
use crate::file::{self, Readers, Refusal};
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
        Ok(_) if !holds_a_key(path)? => refused(
            "is there and holds no key that was put there for a service account; \
             move it away if a key is to be there"
                .to_owned(),
        ),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(io("look at", path, source)),
    }
}

/// Longest file with a key.
const LONGEST: u64 = 4 << 10;

/// Whether a file has the two lines of [`replace`] and nothing else.
fn holds_a_key(path: &Path) -> Result<bool, SinkError> {
    match file::read(path, LONGEST, Readers::Owner) {
        Ok(bytes) => Ok(is_a_key(&bytes)),
        Err(Refusal::Io(source)) => Err(io("look at", path, source)),
        Err(Refusal::TooLarge(_)) => Ok(false),
        Err(refusal) => {
            Err(SinkError::Unsafe { path: path.display().to_string(), why: format!(": {refusal}") })
        }
    }
}

/// A file of two lines may as well hold a user and their password.
fn is_a_key(bytes: &[u8]) -> bool {
    let Some(text) = bytes.strip_suffix(b"\n") else { return false };
    let mut lines = text.split(|byte| *byte == b'\n');
    let (Some(id), Some(secret), None) = (lines.next(), lines.next(), lines.next()) else {
        return false;
    };
    is_an_id(id) && !secret.is_empty() && secret.iter().all(u8::is_ascii_graphic)
}

/// Ids of keys are at least 16 capital letters and digits (AWS: `AccessKeyId` of `CreateAccessKey`, IAM
/// API Reference; it has no small ones), or what the embedded cloud makes them: `k-0000002a`.
fn is_an_id(id: &[u8]) -> bool {
    if let Some(number) = id.strip_prefix(b"k-") {
        return number.len() >= 8 && number.iter().all(u8::is_ascii_hexdigit);
    }
    id.len() >= 16 && id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
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
