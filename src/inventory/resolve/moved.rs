//! What could be written into the inventory before the operator's file: refused, with the lines to
//! write instead.

use super::super::as_written::{Bind, Ldap};
use crate::diagnostic::{Finding, Findings};
use crate::yaml::{Field, InFile, Position};

/// A finding for each old key of a directory's server.
pub(super) fn ldap(directory: &str, written: &Ldap, at: InFile<'_>, findings: &mut Findings) {
    let urls = written.url.given().map(|urls| urls.value.0.join("\", \"")).unwrap_or_default();
    let url = if urls.is_empty() { "ldaps://HOST" } else { urls.as_str() };
    let mut refuse = |key: &str, position: Position, section: &str, from: &str, here: &str| {
        let line = format!("{section}: {{{directory}: {{{from}, servers: [\"{url}\"]}}}}");
        findings.push(
            Finding::error(
                "moved-to-operator",
                format!("`{key}` is the operator's to say, outside the repository"),
            )
            .at(&at.source(position))
            .hint(format!(
                "write `{line}` into the operator's file, and `{here}` in the place of `{key}` here"
            )),
        );
    };
    if let Some(file) = written.ca_file.given() {
        let here = format!("trust: {directory}");
        refuse("ca_file", file.at, "trust", &outside(&file.value), &here);
    }
    let Some(bind) = written.bind.given().map(|bind| &bind.value) else { return };
    let here = format!("secret: {directory}");
    if let Some(file) = bind.password_file.given() {
        refuse("password_file", file.at, "secrets", &outside(&file.value), &here);
    }
    if let Some(name) = bind.password_environment.given() {
        let from = format!("environment: {}", name.value);
        refuse("password_environment", name.at, "secrets", &from, &here);
    }
    if let Some(words) = bind.password_command.given() {
        refuse("password_command", words.at, "secrets", "command: [WORD, …]", &here);
    }
}

/// Whether a bind has an old key.
pub(super) fn is_in(bind: &Bind) -> bool {
    let is_there = |field: &Field<String>| !matches!(field, Field::Absent);
    is_there(&bind.password_file)
        || is_there(&bind.password_environment)
        || !matches!(bind.password_command, Field::Absent)
}

/// A file of the same name, in a place that is not the repository.
fn outside(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    if file.starts_with('/') {
        format!("file: {file}")
    } else {
        format!("file: /etc/reconcile/{name}")
    }
}
