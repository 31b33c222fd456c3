//! Where new keys of service accounts go.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::as_written::{self, PoliciesFile};
use super::{SecretStore, Sink, SinkKind, TokenFrom};
use crate::diagnostic::{Finding, Findings};
use crate::inventory::known::ReadFile;
use crate::inventory::resolve::World;
use crate::model::SinkName;
use crate::yaml::{Field, InFile, Position, Written};

/// Adds the sinks of one file.
pub(super) fn resolve(
    file: &ReadFile<PoliciesFile>,
    world: World<'_>,
    findings: &mut Findings,
    into: &mut BTreeMap<SinkName, Sink>,
) {
    let at = InFile(&file.path);
    for (name, written) in file.content.sinks.given().iter().flat_map(|s| &s.value.0) {
        let source = at.source(name.at);
        let is_definition = world.known.sinks.is_definition(&name.value, &source);
        let Some(written) = written.given().filter(|_| is_definition) else { continue };
        if let Some(kind) = kind(&written.value, name.at, at, findings) {
            into.insert(name.value.as_str().into(), Sink { kind, source });
        }
    }
}

fn kind(
    sink: &as_written::Sink,
    item: Position,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<SinkKind> {
    match (&sink.file, &sink.command, &sink.secret_store) {
        (Field::Given(file), Field::Absent, Field::Absent) => {
            let path = at.required(&file.value.path, "path", file.at, findings)?;
            let is_good = |text: &str| {
                let parts = text.strip_prefix('/').unwrap_or(text).split('/');
                parts.into_iter().all(|part| !matches!(part, "" | "." | ".."))
            };
            text(
                path,
                is_good,
                "the path of a file, from the root of the repository on or from /",
                at,
                findings,
            )
            .map(SinkKind::File)
        }
        (Field::Absent, Field::Given(words), Field::Absent) => {
            let list = &words.value.0;
            let words: Vec<String> = list
                .iter()
                .filter_map(|word| text(word, |_| true, "a word", at, findings))
                .collect();
            match words.first() {
                Some(program) if !program.contains('{') && words.len() == list.len() => {
                    Some(SinkKind::Command(words))
                }
                _ => {
                    findings.push(
                        Finding::error("sink", "this is not a command")
                            .at(&at.source(item))
                            .hint("write the program and its arguments, word by word; no shell"),
                    );
                    None
                }
            }
        }
        (Field::Absent, Field::Absent, Field::Given(store)) => {
            secret_store(&store.value, store.at, at, findings).map(SinkKind::SecretStore)
        }
        (Field::Broken, _, _) | (_, Field::Broken, _) | (_, _, Field::Broken) => None,
        _ => {
            findings.push(
                Finding::error("sink", "this does not say where a key goes")
                    .at(&at.source(item))
                    .hint("write one of `file:`, `command:` and `secret_store:`"),
            );
            None
        }
    }
}

/// A text whose placeholders are known.
fn text(
    written: &Written<String>,
    is_good: impl Fn(&str) -> bool,
    expected: &str,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<String> {
    let text = written.value.as_str();
    let rest = text.replace("{service}", "service").replace("{account}", "account");
    let (code, message) = if rest.contains(['{', '}']) {
        ("placeholder", format!("`{text}` has a placeholder nobody knows"))
    } else if rest.is_empty() || rest.contains(char::is_control) || !is_good(&rest) {
        ("sink", format!("`{text}` is not {expected}"))
    } else {
        return Some(text.to_owned());
    };
    findings.push(
        Finding::error(code, message)
            .at(&at.source(written.at))
            .hint("{service} and {account} stand for the names of the inventory"),
    );
    None
}

fn secret_store(
    store: &as_written::SecretStore,
    item: Position,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<SecretStore> {
    let is_path = |text: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        text.split('/').all(|part| !matches!(part, "" | "." | "..") && part.bytes().all(good))
    };
    let url =
        at.required(&store.url, "url", item, findings).and_then(|url| address(url, at, findings));
    let mount = match store.mount.given() {
        None => Some("secret".to_owned()),
        Some(mount) => text(mount, is_path, "where an engine is mounted", at, findings),
    };
    let path = at
        .required(&store.path, "path", item, findings)
        .and_then(|path| text(path, is_path, "a path below the mount", at, findings));
    let token = token(store, item, at, findings);
    let ca_file = store.ca_file.given().map(|file| PathBuf::from(&file.value));
    Some(SecretStore { url: url?, mount: mount?, path: path?, token: token?, ca_file })
}

fn token(
    store: &as_written::SecretStore,
    item: Position,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<TokenFrom> {
    match (&store.token_file, &store.token_environment) {
        (Field::Given(file), Field::Absent) => Some(TokenFrom::File(PathBuf::from(&file.value))),
        (Field::Absent, Field::Given(name)) => Some(TokenFrom::Environment(name.value.clone())),
        (Field::Broken, _) | (_, Field::Broken) => None,
        _ => {
            findings.push(
                Finding::error("sink", "this does not say where the token is")
                    .at(&at.source(item))
                    .hint(
                        "write one of `token_file` and `token_environment`; never the token itself",
                    ),
            );
            None
        }
    }
}

/// `https://host[:port]`; without TLS only where nobody else can listen.
fn address(url: &Written<String>, at: InFile<'_>, findings: &mut Findings) -> Option<String> {
    let text = url.value.as_str();
    let is_host = |host: &str| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
    };
    let why = match text.split_once("://") {
        Some(("https", host)) if is_host(host) => return Some(text.to_owned()),
        Some(("http", host)) if is_host(host) && is_loopback(host) => return Some(text.to_owned()),
        Some(("http", _)) => "would send keys over the network without TLS",
        _ => "is not the address of a server",
    };
    findings.push(
        // Not the text: it may hold a password.
        Finding::error("sink", format!("this {why}"))
            .at(&at.source(url.at))
            .hint("write https://host or https://host:port, and nothing behind it"),
    );
    None
}

fn is_loopback(host: &str) -> bool {
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
