//! A key in a secret store that speaks the protocol of Vault's key-value engine, version
//! 2, as `OpenBao` does too: `POST /v1/MOUNT/data/PATH` with `{"data": {…}}` makes a new version of
//! the secret at once (`HashiCorp` Vault, API documentation, "KV secrets engine – version 2", "Create/Update
//! secret"; 200 or 204 means done).
//!
//! Why this one: it is the same at every vendor and at none, free programs serve it, and a service
//! account's consumer can be given the right to read exactly its own path.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Environment, SinkError};
use crate::http::{Client, Method, Request};
use crate::model::IssuedKey;
use crate::policies::{SecretStore, TokenFrom};

/// How long a store may take.
const TIME: Duration = Duration::from_secs(30);

/// The token, as proof that there is one.
pub(super) fn check(
    store: &SecretStore,
    root: &Path,
    environment: &Environment<'_>,
) -> Result<SecretString, SinkError> {
    let token = match &store.token {
        TokenFrom::Environment(name) => environment(name)
            .ok_or_else(|| SinkError::Token(format!("the variable {name} is not set")))?,
        TokenFrom::File(file) => from_file(&root.join(file))?,
    };
    let token = token.expose_secret().trim().to_owned();
    // A header cannot hold anything else.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SinkError::Token("it is empty, or no token".to_owned()));
    }
    Ok(token.into())
}

fn from_file(path: &Path) -> Result<SecretString, SinkError> {
    let shown = path.display();
    let failed = |error: std::io::Error| SinkError::Token(format!("cannot read {shown}: {error}"));
    let file = fs::File::open(path).map_err(failed)?;
    // The opened file is asked, so that nobody can swap it between the question and the reading.
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        let mode = mode & 0o777;
        let why = format!("{shown} may be read by others (mode {mode:03o}); chmod 600 it");
        return Err(SinkError::Token(why));
    }
    std::io::read_to_string(file).map(Into::into).map_err(failed)
}

/// Writes a new version of the secret at `path`: `id` and `secret`.
pub(super) async fn write(
    store: &SecretStore,
    path: &str,
    root: &Path,
    token: &SecretString,
    key: &IssuedKey,
) -> Result<(), SinkError> {
    let url = format!("{}/v1/{}/data/{path}", store.url, store.mount);
    let ca_file = store.ca_file.as_ref().map(|file| root.join(file));
    let client = Client::new(ca_file.as_deref(), TIME)?;
    let data = serde_json::json!({
        "data": { "id": key.id.as_str(), "secret": key.secret.expose_secret() }
    });
    let request = Request {
        method: Method::POST,
        url: &url,
        headers: &[
            ("x-vault-token", token.expose_secret()),
            ("x-vault-request", "true"),
            ("content-type", "application/json"),
        ],
        body: data.to_string().into_bytes(),
    };
    match client.send(request).await?.status {
        200..=299 => Ok(()),
        status => Err(SinkError::Refused { status }),
    }
}
