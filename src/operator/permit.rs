//! What may be asked, with what, and trusting whom.

use std::path::{Path, PathBuf};

use super::{Operator, SecretFrom, Server, SinkKind};
use crate::diagnostic::nearest;
use crate::model::{OrganisationName, SecretName, ServiceAccountName, SinkName, TrustName};

/// What an inventory wants: a server, and by their names what to send it and whom to trust.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Which server.
    pub server: &'a Server,
    /// What it is sent, so that it lets us in. `None`: it is asked as nobody, or as who we are to the
    /// operating system.
    pub secret: Option<&'a SecretName>,
    /// Who vouches for it; `None`: whom the system trusts.
    pub trust: Option<&'a TrustName>,
}

/// Leave to ask a server. Only [`Operator::permit`] gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    server: Server,
    secret: Option<SecretFrom>,
    trust: Option<PathBuf>,
}

impl Permit {
    /// The server, and no other.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Where the secret is that may be sent there.
    pub fn secret(&self) -> Option<&SecretFrom> {
        self.secret.as_ref()
    }

    /// The PEM file with the CA certificates to trust; `None` for the system's.
    pub fn trust(&self) -> Option<&Path> {
        self.trust.as_deref()
    }
}

/// Why something is not permitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {hint}")]
pub struct Denied {
    /// A stable word for it.
    pub code: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The lines to write, if it is meant to be.
    pub hint: String,
}

impl Operator {
    /// Whether there is an operator's file.
    pub fn is_there(&self) -> bool {
        self.origin.is_some()
    }

    /// Leave to ask a server.
    ///
    /// # Errors
    /// The operator did not say so.
    pub fn permit(&self, ask: &Ask<'_>) -> Result<Permit, Denied> {
        Ok(Permit {
            server: ask.server.clone(),
            secret: self.secret_for(ask)?,
            trust: self.trust_for(ask)?,
        })
    }

    fn secret_for(&self, ask: &Ask<'_>) -> Result<Option<SecretFrom>, Denied> {
        let server = ask.server;
        let Some(name) = ask.secret else {
            if self.servers.contains(server) {
                return Ok(None);
            }
            return Err(self.denied(
                "server-not-named",
                format!("{server} may not be asked without a secret"),
                &format!("servers: [{}]", quoted(server)),
                None,
            ));
        };
        let line = format!("secrets: {{{name}: {{file: FILE, servers: [{}]}}}}", quoted(server));
        match self.secrets.get(name) {
            Some(secret) if secret.servers.contains(server) => Ok(Some(secret.from.clone())),
            Some(secret) => Err(self.denied(
                "secret-not-for-server",
                format!(
                    "the secret `{name}` is for {}, and not for {server}",
                    listed(&secret.servers)
                ),
                &format!("{} among the `servers` of the secret `{name}`", quoted(server)),
                None,
            )),
            None => {
                let known = self.secrets.keys().map(SecretName::as_str);
                let near = nearest(name.as_str(), known);
                Err(self.denied("unknown-secret", unknown("secret", name.as_str()), &line, near))
            }
        }
    }

    fn trust_for(&self, ask: &Ask<'_>) -> Result<Option<PathBuf>, Denied> {
        let server = ask.server;
        let Some(name) = ask.trust else {
            // Who vouches for it is the operator's choice, not that of whoever leaves out a line.
            let bound = self.trust.iter().find(|(_, trust)| trust.servers.contains(server));
            return match bound {
                None => Ok(None),
                Some((name, _)) => Err(Denied {
                    code: "trust-needed",
                    message: format!("{server} is to be trusted with `{name}` only"),
                    hint: format!("write `trust: {name}` beside its address"),
                }),
            };
        };
        let line = format!("trust: {{{name}: {{file: FILE, servers: [{}]}}}}", quoted(server));
        match self.trust.get(name) {
            Some(trust) if trust.servers.contains(server) => Ok(Some(trust.file.clone())),
            Some(trust) => Err(self.denied(
                "trust-not-for-server",
                format!("`{name}` vouches for {}, and not for {server}", listed(&trust.servers)),
                &format!("{} among the `servers` of the trust `{name}`", quoted(server)),
                None,
            )),
            None => {
                let known = self.trust.keys().map(TrustName::as_str);
                let near = nearest(name.as_str(), known);
                Err(self.denied("unknown-trust", unknown("trust", name.as_str()), &line, near))
            }
        }
    }

    /// Leave to fetch something from an address, without a secret. Who vouches for the server is what
    /// the operator says of it.
    ///
    /// # Errors
    /// The operator did not say so.
    pub fn permit_fetching(&self, server: &Server) -> Result<Permit, Denied> {
        let trust = self.trust.iter().find(|(_, trust)| trust.servers.contains(server));
        self.permit(&Ask { server, secret: None, trust: trust.map(|(name, _)| name) })
    }

    /// The sink of a name, if it takes a key of a service account of an organisation.
    ///
    /// # Errors
    /// The operator did not say so.
    pub fn sink(
        &self,
        name: &SinkName,
        service: &ServiceAccountName,
        organisation: &OrganisationName,
    ) -> Result<&SinkKind, Denied> {
        match self.sinks.get(name) {
            Some(sink) if sink.takes(service, organisation) => Ok(&sink.kind),
            Some(_) => Err(self.denied(
                "sink-not-for-service",
                format!(
                    "the sink `{name}` takes no keys of `{service}` in organisation `{organisation}`"
                ),
                &format!("`services: [{service}]` into the sink `{name}`"),
                None,
            )),
            None => {
                let near = nearest(name.as_str(), self.sinks.keys().map(SinkName::as_str));
                let line = format!(
                    "sinks: {{{name}: {{file: \"/FOLDER/{{service}}\", services: [{service}]}}}}"
                );
                Err(self.denied("sink-not-defined", unknown("sink", name.as_str()), &line, near))
            }
        }
    }

    fn denied(
        &self,
        code: &'static str,
        message: String,
        line: &str,
        near: Option<&str>,
    ) -> Denied {
        let file = match &self.origin {
            Some(origin) => origin.path.display().to_string(),
            None => "an operator's file (--secrets FILE, or ~/.config/reconcile/operator.yaml, \
                     chmod 600)"
                .to_owned(),
        };
        let hint = match near {
            Some(near) => format!("did you mean `{near}`? If not, the operator writes"),
            None => "if it is meant to be, the operator writes".to_owned(),
        };
        Denied { code, message, hint: format!("{hint} {line} into {file}") }
    }
}

fn unknown(what: &str, name: &str) -> String {
    format!("the operator's file defines no {what} `{name}`")
}

fn listed<'a>(servers: impl IntoIterator<Item = &'a Server>) -> String {
    let servers: Vec<String> = servers.into_iter().map(ToString::to_string).collect();
    servers.join(", ")
}

/// As it can stand in a list of YAML.
fn quoted(server: &Server) -> String {
    let text = server.to_string();
    if text.contains(['[', '%']) { format!("\"{text}\"") } else { text }
}
