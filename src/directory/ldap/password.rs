//! The password of a simple bind: from a file, a variable or a command, never from the inventory.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;

use super::failure::Failure;
use crate::directory::Access;
use crate::directory::config::PasswordFrom;

/// How long a command may take: it may have to ask another machine, not a person.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// More than any password; what is longer is not one.
const LONGEST: u64 = 64 << 10;

/// Fetches the password. Never empty: servers take an empty one as no bind at all and succeed.
pub(super) async fn fetch(
    from: &PasswordFrom,
    access: Access<'_>,
) -> Result<SecretString, Failure> {
    let secret = match from {
        PasswordFrom::File(file) => from_file(&access.root.join(file)),
        PasswordFrom::Environment(name) => (access.environment)(name)
            .ok_or_else(|| format!("the environment variable {name} is not set")),
        PasswordFrom::Command(words) => from_command(words, access.root, COMMAND_LIMIT).await,
    };
    match secret {
        Ok(secret) if secret.expose_secret().is_empty() => {
            Err(Failure::Password { why: format!("{} is empty", place(from)) })
        }
        Ok(secret) => Ok(secret),
        Err(why) => Err(Failure::Password { why }),
    }
}

fn place(from: &PasswordFrom) -> String {
    match from {
        PasswordFrom::File(file) => format!("the first line of {}", file.display()),
        PasswordFrom::Environment(name) => format!("the environment variable {name}"),
        PasswordFrom::Command(words) => {
            format!("the first line `{}` writes", words.first().map_or("", String::as_str))
        }
    }
}

fn from_file(path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("cannot read {shown}: {error}");
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(format!("{shown} is not a regular file"));
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    // The opened file is asked, so that nobody can swap it between the question and the reading.
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "{shown} may be read by others (mode {:03o}); chmod 600 it, and change the password",
            mode & 0o777
        ));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(failed)?;
    first_line(bytes).ok_or_else(|| format!("{shown} does not hold text"))
}

async fn from_command(
    words: &[String],
    root: &Path,
    limit: Duration,
) -> Result<SecretString, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command is empty".into());
    };
    let path = if program.contains('/') { root.join(program) } else { program.into() };
    let mut child = tokio::process::Command::new(path)
        .args(arguments)
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot run `{program}`: {error}"))?;
    let finished = tokio::time::timeout(limit, async {
        let mut bytes = Vec::new();
        if let Some(output) = child.stdout.take() {
            output.take(LONGEST).read_to_end(&mut bytes).await?;
        }
        Ok::<_, std::io::Error>((child.wait().await?, bytes))
    })
    .await;
    match finished {
        Ok(Ok((status, bytes))) if status.success() => {
            first_line(bytes).ok_or_else(|| format!("`{program}` does not write text"))
        }
        Ok(Ok((status, _))) => Err(format!("`{program}` failed ({status})")),
        Ok(Err(error)) => Err(format!("cannot read from `{program}`: {error}")),
        Err(_) => Err(format!("`{program}` did not end within {} s", limit.as_secs_f64())),
    }
}

fn first_line(bytes: Vec<u8>) -> Option<SecretString> {
    let mut text = String::from_utf8(bytes).ok()?;
    if let Some(end) = text.find(['\n', '\r']) {
        text.truncate(end);
    }
    Some(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(root: &Path) -> Access<'_> {
        Access { root, environment: &|name| (name == "SET").then(|| "from-variable".into()) }
    }

    async fn of(from: PasswordFrom, root: &Path) -> Result<String, String> {
        match fetch(&from, access(root)).await {
            Ok(secret) => Ok(secret.expose_secret().to_owned()),
            Err(failure) => Err(failure.told()),
        }
    }

    fn words(words: &[&str]) -> PasswordFrom {
        PasswordFrom::Command(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[tokio::test]
    async fn a_file_others_may_read_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        let root = tempfile::tempdir()?;
        let path = root.path().join("secret");
        std::fs::write(&path, "first\r\nsecond\n")?;
        for (mode, allowed) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
            let password = of(PasswordFrom::File("secret".into()), root.path()).await;
            if allowed {
                assert_eq!(password.as_deref(), Ok("first"));
            } else {
                assert!(password.is_err_and(|why| why.contains("chmod 600")), "{mode:o}");
            }
        }
        assert!(of(PasswordFrom::File("none".into()), root.path()).await.is_err());
        Ok(())
    }

    #[tokio::test]
    async fn a_variable_or_a_command() {
        let root = Path::new("/");
        let variable = |name: &str| PasswordFrom::Environment(name.into());
        assert_eq!(of(variable("SET"), root).await.as_deref(), Ok("from-variable"));
        assert!(of(variable("UNSET"), root).await.is_err_and(|why| why.contains("UNSET")));
        assert_eq!(of(words(&["printf", "a b\\nc"]), root).await.as_deref(), Ok("a b"));
        for failing in [&["false"][..], &["true"], &["no-such-program-here"], &[]] {
            assert!(of(words(failing), root).await.is_err(), "{failing:?}");
        }
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_ended() {
        let words = ["sleep".to_owned(), "600".to_owned()];
        let password = from_command(&words, Path::new("/"), Duration::from_millis(50)).await;
        assert!(password.is_err_and(|why| why.contains("did not end")));
    }
}
