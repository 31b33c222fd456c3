//! What git tracks below a folder.

use std::path::Path;

use super::GitError;
use super::call::{Call, program};

/// The first path that the index or the commit of `HEAD` has at `path` or below it; `path` begins at
/// `top`, which holds `.git`. One call, two where there is no commit yet.
///
/// Here git looks for the repository itself: it alone knows whose repositories it may trust, and what
/// it would check out there is what is asked for.
///
/// # Errors
/// git cannot list it.
pub fn first_tracked(top: &Path, path: &Path) -> Result<Option<String>, GitError> {
    const OPERATION: &str = "ls-files";
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let listed = |with: &[&str]| {
        let call = Call::new(OPERATION, program(top));
        call.args([OPERATION, "-z"]).args(with).args(["--"]).args([path]).output(64 << 20)
    };
    let mut output = listed(&["--with-tree=HEAD"])?;
    if !output.success {
        // Without a commit only the index can have something.
        output = listed(&[])?;
    }
    if !output.success {
        return Err(GitError::Failed { operation: OPERATION, said: output.said() });
    }
    let first = output.stdout.split(|byte| *byte == 0).find(|name| !name.is_empty());
    Ok(first.map(|name| String::from_utf8_lossy(name).into_owned()))
}
