//! A key in a secret store that speaks the protocol of Vault's key-value engine, version
//! 2, as `OpenBao` does too: `POST /v1/MOUNT/data/PATH` with `{"data": {…}}` makes a new version of
//! the secret at once (`HashiCorp` Vault, API documentation, "KV secrets engine – version 2", "Create/Update
//! secret"; 200 or 204 means done).
//!
//! Why this one: it is the same at every vendor and at none, free programs serve it, and a service
//! account's consumer can be given the right to read exactly its own path.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::SinkError;
use crate::http::{Client, Method, Request};
use crate::model::IssuedKey;
use crate::operator::{Environment, SecretStore};

/// How long a store may take.
const TIME: Duration = Duration::from_secs(30);

/// The token, as proof that there is one.
pub(super) async fn check(
    store: &SecretStore,
    environment: &Environment<'_>,
) -> Result<SecretString, SinkError> {
    let token = store.token.fetch(environment).await.map_err(SinkError::Token)?;
    let token = token.expose_secret().trim().to_owned();
    // A header cannot hold anything else.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SinkError::Token("it is empty, or no token".to_owned()));
    }
    Ok(token.into())
}

/// Writes a new version of the secret at `path`: `id` and `secret`.
pub(super) async fn write(
    store: &SecretStore,
    path: &str,
    token: &SecretString,
    key: &IssuedKey,
) -> Result<(), SinkError> {
    let url = format!("{}/v1/{}/data/{path}", store.server, store.mount);
    let client = Client::new(store.trust.as_deref(), TIME)?;
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
