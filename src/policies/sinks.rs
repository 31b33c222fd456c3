//! The names under which new keys of service accounts go somewhere. Where that is, the operator's file
//! says; what could be written here before is refused with the lines to write there.

use std::collections::BTreeMap;

use super::Sink;
use super::as_written::{self, PoliciesFile};
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
        let moved = moved(&name.value, &written.value);
        for (key, position, lines) in &moved {
            let here = format!("`{}: {{description: WHO FETCHES IT}}`", name.value);
            findings.push(
                Finding::error(
                    "moved-to-operator",
                    format!("`{key}` is the operator's to say, outside the repository"),
                )
                .at(&at.source(*position))
                .hint(format!("write `{lines}` into the operator's file, and {here} here")),
            );
        }
        // Whoever has to move it anyway is not told twice.
        let description = if moved.is_empty() {
            at.words(&written.value.description, "description", name.at, findings)
        } else {
            None
        };
        let description = description.unwrap_or_default();
        into.insert(name.value.as_str().into(), Sink { description, source });
    }
}

/// The old keys of a sink, where each is, and the lines to write instead.
fn moved(name: &str, sink: &as_written::Sink) -> Vec<(&'static str, Position, String)> {
    let mut moved = Vec::new();
    let sink_line =
        |what: String| format!("sinks: {{{name}: {{{what}, services: [SERVICE ACCOUNT]}}}}");
    if let Field::Given(file) = &sink.file {
        let path = text(&file.value.path, "/FOLDER/{service}");
        let path = if path.starts_with('/') { path } else { format!("/FOLDER/{path}") };
        moved.push(("file", file.at, sink_line(format!("file: \"{path}\""))));
    }
    if let Field::Given(words) = &sink.command {
        moved.push(("command", words.at, sink_line("command: [WORD, …]".to_owned())));
    }
    if let Field::Given(store) = &sink.secret_store {
        let Written { value, at } = store;
        // Not what is not a server's address: it may hold a password.
        let url = value.url.given().map(|url| url.value.as_str());
        let url = url.filter(|url| !url.contains('@')).unwrap_or("https://HOST");
        let from = match (&value.token_file, &value.token_environment) {
            (_, Field::Given(name)) => format!("environment: {}", name.value),
            _ => "file: FILE".to_owned(),
        };
        let mount = match &value.mount {
            Field::Given(mount) => format!(", mount: \"{}\"", mount.value),
            Field::Absent | Field::Broken => String::new(),
        };
        let path = text(&value.path, "ci/{service}");
        let trust = match &value.ca_file {
            Field::Given(_) => format!(", trust: {name}"),
            Field::Absent | Field::Broken => String::new(),
        };
        let anchor = match &value.ca_file {
            Field::Given(file) => {
                let file = file.value.rsplit('/').next().unwrap_or_default();
                format!(
                    "; trust: {{{name}: {{file: /etc/reconcile/{file}, servers: [\"{url}\"]}}}}"
                )
            }
            Field::Absent | Field::Broken => String::new(),
        };
        let store = format!(
            "secret_store: {{url: \"{url}\"{mount}, path: \"{path}\", secret: {name}{trust}}}"
        );
        let secret = format!("secrets: {{{name}: {{{from}, servers: [\"{url}\"]}}}}");
        moved.push(("secret_store", *at, format!("{}; {secret}{anchor}", sink_line(store))));
    }
    moved
}

fn text(field: &Field<String>, otherwise: &str) -> String {
    field.given().map_or_else(|| otherwise.to_owned(), |text| text.value.clone())
}
