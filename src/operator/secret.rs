//! Fetching a secret from where the operator keeps it.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::AsyncReadExt as _;

use super::{Command, SecretFrom};
use crate::file::{self, Readers};
use crate::masks;

/// How long a command may take: it may have to ask another machine, not a person.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// Looks up an environment variable. Only the command line reads the environment, so it hands
/// this in.
pub type Environment<'a> = dyn Fn(&str) -> Option<SecretString> + Send + Sync + 'a;

impl SecretFrom {
    /// Fetches the secret. Never empty: servers take an empty password as no bind at all and succeed.
    ///
    /// # Errors
    /// Why there is none, without any part of it.
    pub async fn fetch(&self, environment: &Environment<'_>) -> Result<SecretString, String> {
        let secret = match self {
            Self::File(path) => from_file(path)?,
            // What is not there is not named: it may be the secret itself, in the wrong place.
            Self::Environment(name) => environment(name).ok_or_else(|| {
                "the environment variable that the operator's file names for it is not set"
                    .to_owned()
            })?,
            Self::Command(command) => from_command(command, COMMAND_LIMIT).await?,
        };
        if secret.expose_secret().is_empty() {
            return Err(format!("{} is empty", self.place()));
        }
        // Whoever it is sent to may say it back.
        masks::remember(&secret);
        Ok(secret)
    }

    fn place(&self) -> String {
        match self {
            Self::File(file) => format!("the first line of {}", file.display()),
            Self::Environment(name) => format!("the environment variable {name}"),
            Self::Command(command) => format!("the first line `{}` writes", command.program()),
        }
    }
}

impl Command {
    /// The program, as it is written.
    pub fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The command, ready to run, with some of its words replaced.
    pub fn prepared(&self, word: impl Fn(&str) -> String) -> tokio::process::Command {
        let program = self.program();
        let path = if program.contains('/') { self.folder.join(program) } else { program.into() };
        let mut command = tokio::process::Command::new(path);
        command
            .args(self.words.iter().skip(1).map(|one| word(one)))
            .current_dir(&self.folder)
            .kill_on_drop(true);
        command
    }
}

fn from_file(path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let bytes = file::read(path, file::SECRET, Readers::Owner)
        .map_err(|refusal| refusal.of_named(path, "it"))?;
    first_line(bytes).ok_or_else(|| format!("{shown} does not hold text"))
}

async fn from_command(command: &Command, limit: Duration) -> Result<SecretString, String> {
    let program = command.program();
    let mut child = command
        .prepared(str::to_owned)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                "the program that the operator's file names for it is not there".to_owned()
            }
            _ => format!("the program that the operator's file names for it cannot run: {error}"),
        })?;
    let finished = tokio::time::timeout(limit, async {
        let mut bytes = Vec::new();
        if let Some(output) = child.stdout.take() {
            output.take(file::SECRET).read_to_end(&mut bytes).await?;
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
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    async fn of(from: SecretFrom) -> Result<String, String> {
        let secret = from.fetch(&|name| (name == "SET").then(|| "from-variable".into())).await?;
        Ok(secret.expose_secret().to_owned())
    }

    fn command(words: &[&str]) -> Command {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Command { words, folder: "/".into() }
    }

    #[tokio::test]
    async fn a_file_others_may_read_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        let root = tempfile::tempdir()?;
        let path = root.path().join("secret");
        std::fs::write(&path, "first\r\nsecond\n")?;
        for (mode, allowed) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode))?;
            let password = of(SecretFrom::File(path.clone())).await;
            if allowed {
                assert_eq!(password.as_deref(), Ok("first"));
            } else {
                assert!(password.is_err_and(|why| why.contains("chmod 600")), "{mode:o}");
            }
        }
        assert!(of(SecretFrom::File("/none".into())).await.is_err());
        Ok(())
    }

    #[tokio::test]
    async fn a_variable_or_a_command() {
        let variable = |name: &str| SecretFrom::Environment(name.into());
        assert_eq!(of(variable("SET")).await.as_deref(), Ok("from-variable"));
        assert!(of(variable("UNSET")).await.is_err_and(|why| why.contains("is not set")));
        let words = |words: &[&str]| SecretFrom::Command(command(words));
        assert_eq!(of(words(&["printf", "a b\\nc"])).await.as_deref(), Ok("a b"));
        for failing in [&["false"][..], &["true"], &["no-such-program-here"], &[]] {
            assert!(of(words(failing)).await.is_err(), "{failing:?}");
        }
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_ended() {
        let password = from_command(&command(&["sleep", "600"]), Duration::from_millis(50)).await;
        assert!(password.is_err_and(|why| why.contains("did not end")));
    }
}
