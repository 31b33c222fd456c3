//! A key handed to a command on its standard input: the id in the first line, the secret in the
//! second. No shell, so nothing of it is ever part of a command line. What the command writes goes
//! nowhere: it may well be the secret.

use std::process::Stdio;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::io::AsyncWriteExt as _;

use super::SinkError;
use crate::model::IssuedKey;
use crate::operator::Command;

/// How long a command may take: it may have to ask another machine, not a person.
pub(super) const TIME: Duration = Duration::from_mins(1);

/// Runs the command, its words filled in. Only if it ends well it has taken the key.
pub(super) async fn run(
    command: &Command,
    word: impl Fn(&str) -> String,
    key: &IssuedKey,
    limit: Duration,
) -> Result<(), SinkError> {
    let program = command.program();
    let failed =
        |doing| move |source| SinkError::Io { doing, what: format!("`{program}`"), source };
    let mut child = command
        .prepared(word)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed("run"))?;
    let input = child.stdin.take();
    let ended = tokio::time::timeout(limit, async {
        let mut unread = None;
        if let Some(mut input) = input {
            let text = zeroized(format!("{}\n{}\n", key.id, key.secret.expose_secret()));
            let bytes = text.expose_secret().as_bytes();
            unread = input.write_all(bytes).await.and(input.flush().await).err();
            // Dropped here: the command sees the end of its input.
        }
        let status = child.wait().await.map_err(failed("wait for"))?;
        match unread {
            _ if !status.success() => {
                Err(SinkError::Failed { program: program.to_owned(), status })
            }
            // It ended well without reading what it is for.
            Some(source) => Err(failed("write to")(source)),
            None => Ok(()),
        }
    });
    let too_long = |_| SinkError::TooLong { what: program.to_owned(), limit };
    ended.await.map_err(too_long)?
}

/// Wiped from memory once it was used.
fn zeroized(text: String) -> secrecy::SecretString {
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_does_not_end_or_does_not_read_is_ended() {
        // More than a pipe holds.
        let secret = "x".repeat(1 << 20);
        let key = IssuedKey { id: "KEY1".into(), secret: secret.into() };
        let run = |words: &[&str], limit| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            let command = Command { words, folder: "/".into() };
            let key = &key;
            async move { run(&command, str::to_owned, key, limit).await }
        };
        let ended = run(&["sleep", "600"], Duration::from_millis(50)).await;
        assert!(matches!(ended, Err(SinkError::TooLong { .. })), "{ended:?}");
        let ended = run(&["true"], TIME).await;
        assert!(matches!(ended, Err(SinkError::Io { doing: "write to", .. })), "{ended:?}");
        assert!(run(&["sh", "-c", "test $(wc -c) = 1048582"], TIME).await.is_ok());
    }
}
