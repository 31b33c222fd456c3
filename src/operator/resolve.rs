//! From what is written to values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::as_written::{self, OperatorFile};
use super::{
    Ask, Command, Operator, Record, Secret, SecretFrom, SecretStore, Server, Sink, SinkKind, Trust,
};
use crate::diagnostic::{Finding, Findings};
use crate::model::{InvalidKey, SecretName, TrustName, is_name};
use crate::place;
use crate::yaml::{Field, InFile, List, Named, Position, Written};

/// What is around the file.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// What findings call the file.
    pub(super) file: &'a Arc<str>,
    /// Where relative paths begin.
    pub(super) folder: &'a Path,
    /// What merge requests can change.
    pub(super) repository: &'a Path,
}

/// Makes the value of a file.
pub(super) fn resolve(
    written: &OperatorFile,
    around: Around<'_>,
    findings: &mut Findings,
) -> Operator {
    let mut reader = Reader { around, at: InFile(around.file), findings };
    let mut operator = Operator {
        secrets: reader.named(&written.secrets, |reader, name, secret| {
            Some((SecretName::from(name.value.as_str()), reader.secret(secret, name.at)?))
        }),
        trust: reader.named(&written.trust, |reader, name, trust| {
            Some((TrustName::from(name.value.as_str()), reader.trust(trust, name.at)?))
        }),
        servers: written.servers.given().map_or_else(BTreeSet::new, |list| reader.servers(list)),
        ..Operator::default()
    };
    let known = operator.clone();
    operator.sinks = reader.named(&written.sinks, |reader, name, sink| {
        Some((name.value.as_str().into(), reader.sink(sink, name.at, &known)?))
    });
    if let Some(record) = written.record.given() {
        operator.record = reader.record(&record.value);
    }
    operator
}

struct Reader<'a, 'f> {
    around: Around<'a>,
    at: InFile<'a>,
    findings: &'f mut Findings,
}

impl Reader<'_, '_> {
    fn wrong(&mut self, at: Position, code: &str, message: impl Into<String>, hint: &str) {
        let finding = Finding::error(code, message).at(&self.at.source(at)).hint(hint);
        self.findings.push(finding);
    }

    fn named<T, K: Ord, V>(
        &mut self,
        section: &Field<Named<T>>,
        mut read: impl FnMut(&mut Self, &Written<String>, &T) -> Option<(K, V)>,
    ) -> BTreeMap<K, V> {
        let mut all = BTreeMap::new();
        for (name, entry) in section.given().iter().flat_map(|section| &section.value.0) {
            self.name(name);
            if let Some((name, value)) =
                entry.given().and_then(|entry| read(self, name, &entry.value))
            {
                all.insert(name, value);
            }
        }
        all
    }

    fn name(&mut self, name: &Written<String>) {
        if !is_name(&name.value) {
            let hint = "a name has 1 to 64 lower-case letters, digits, `-`, `_` and `.`";
            // Nothing that is written here is repeated: it may be a secret in the wrong place.
            self.wrong(name.at, "bad-name", "this is not a name", hint);
        }
    }

    fn secret(&mut self, written: &as_written::Secret, item: Position) -> Option<Secret> {
        let from = match (&written.file, &written.environment, &written.command) {
            (Field::Given(file), Field::Absent, Field::Absent) => {
                self.path(file).map(SecretFrom::File)
            }
            (Field::Absent, Field::Given(name), Field::Absent) => self.variable(name),
            (Field::Absent, Field::Absent, Field::Given(words)) => {
                self.command(words).map(SecretFrom::Command)
            }
            (Field::Broken, _, _) | (_, Field::Broken, _) | (_, _, Field::Broken) => None,
            _ => {
                let hint = "write one of `file:`, `environment:` and `command:`; never the secret";
                self.wrong(item, "secret", "this does not say where the secret is", hint);
                None
            }
        };
        let servers = self.required_servers(&written.servers, item);
        Some(Secret { from: from?, servers: servers? })
    }

    fn variable(&mut self, name: &Written<String>) -> Option<SecretFrom> {
        let text = name.value.as_str();
        if text.is_empty() || text.contains(['=', '\0']) {
            let hint = "write its name alone: VAULT_TOKEN";
            // Not the text: it may be the secret.
            self.wrong(name.at, "secret", "this is not the name of a variable", hint);
            return None;
        }
        Some(SecretFrom::Environment(text.to_owned()))
    }

    fn trust(&mut self, written: &as_written::Trust, item: Position) -> Option<Trust> {
        let file = self
            .at
            .required(&written.file, "file", item, self.findings)
            .cloned()
            .and_then(|file| self.path(&file));
        let servers = self.required_servers(&written.servers, item);
        Some(Trust { file: file?, servers: servers? })
    }

    fn required_servers(
        &mut self,
        field: &Field<List<String>>,
        item: Position,
    ) -> Option<BTreeSet<Server>> {
        let list = self.at.required(field, "servers", item, self.findings)?;
        let servers = self.servers(list);
        if list.value.0.is_empty() {
            let hint = "write the servers it is for: `servers: [ldaps://ldap.example.org]`";
            self.wrong(list.at, "servers", "this is for no server", hint);
        }
        Some(servers)
    }

    fn servers(&mut self, list: &Written<List<String>>) -> BTreeSet<Server> {
        let mut servers = BTreeSet::new();
        for one in &list.value.0 {
            match Server::parse(&one.value) {
                Ok(server) => {
                    servers.insert(server);
                }
                Err(why) => {
                    let hint = "write scheme, host and perhaps port, and nothing else: \
                                ldaps://ldap.example.org";
                    self.wrong(one.at, "server", format!("this is no server: {why}"), hint);
                }
            }
        }
        servers
    }

    /// A path that no merge request can lead elsewhere.
    fn path(&mut self, written: &Written<String>) -> Option<PathBuf> {
        let text = written.value.as_str();
        if text.is_empty() || text.contains(char::is_control) {
            let hint = "write it absolute, or from the folder of this file on";
            self.wrong(written.at, "path", "this is not a path", hint);
            return None;
        }
        let path = self.around.folder.join(text);
        // The part before placeholders: what is put there has no slashes and no leading dots.
        let fixed: PathBuf =
            path.components().take_while(|part| !is_template(part.as_os_str())).collect();
        self.is_outside(&fixed, written.at).then_some(path)
    }

    fn is_outside(&mut self, path: &Path, at: Position) -> bool {
        // What cannot be looked at will not be read either.
        let inside = place::follow(path).is_ok_and(|way| way.touches(self.around.repository));
        if inside {
            let repository = self.around.repository.display();
            let message =
                format!("the way there leads through {repository}, which merge requests change");
            self.wrong(at, "in-repository", message, "keep it outside the repository");
        }
        !inside
    }

    fn command(&mut self, words: &Written<List<String>>) -> Option<Command> {
        let list = &words.value.0;
        let is_program =
            |word: &Written<String>| !word.value.is_empty() && !word.value.contains('{');
        let is_plain = |word: &Written<String>| !word.value.contains('\0');
        if !list.first().is_some_and(is_program) || !list.iter().all(is_plain) {
            let hint = "write the program and its arguments, word by word; no shell";
            self.wrong(words.at, "command", "this is not a command", hint);
            return None;
        }
        let folder = self.around.folder;
        let mut outside = true;
        for word in list.iter().filter(|word| word.value.contains('/')) {
            outside &= self.is_outside(&folder.join(&word.value), word.at);
        }
        let words = list.iter().map(|word| word.value.clone()).collect();
        outside.then(|| Command { words, folder: folder.to_path_buf() })
    }

    fn sink(
        &mut self,
        written: &as_written::Sink,
        item: Position,
        known: &Operator,
    ) -> Option<Sink> {
        let kind = match (&written.file, &written.command, &written.secret_store) {
            (Field::Given(file), Field::Absent, Field::Absent) => {
                let good = self.placeholders(file);
                self.path(file).filter(|_| good).map(SinkKind::File)
            }
            (Field::Absent, Field::Given(words), Field::Absent) => {
                let good = words.value.0.iter().all(|word| self.placeholders(word));
                self.command(words).filter(|_| good).map(SinkKind::Command)
            }
            (Field::Absent, Field::Absent, Field::Given(store)) => {
                self.secret_store(&store.value, store.at, known).map(SinkKind::SecretStore)
            }
            (Field::Broken, _, _) | (_, Field::Broken, _) | (_, _, Field::Broken) => None,
            _ => {
                let hint = "write one of `file:`, `command:` and `secret_store:`";
                self.wrong(item, "sink", "this does not say where a key goes", hint);
                None
            }
        };
        let services = self.names(&written.services);
        let organisations = self.names(&written.organisations);
        if services.is_empty() && organisations.is_empty() {
            let hint = "write `services: [NAME]` or `organisations: [NAME]`";
            self.wrong(item, "sink", "this does not say whose keys it takes", hint);
        }
        Some(Sink {
            kind: kind?,
            services: services.iter().map(|name| name.as_str().into()).collect(),
            organisations: organisations.iter().map(|name| name.as_str().into()).collect(),
        })
    }

    fn record(&mut self, written: &as_written::Record) -> Record {
        let mut trusted = BTreeSet::new();
        for key in written.trusted.given().iter().flat_map(|list| &list.value.0) {
            if let Ok(key) = key.value.parse() {
                trusted.insert(key);
            } else {
                let hint = "write what `reconcile record keygen` printed: ed25519:…";
                self.wrong(key.at, "public-key", InvalidKey.to_string(), hint);
            }
        }
        Record {
            sign_with: written.sign_with.given().and_then(|path| self.path(path)),
            trusted,
            witness: written.witness.given().and_then(|path| self.path(path)),
        }
    }

    fn names(&mut self, field: &Field<List<String>>) -> Vec<String> {
        let list: Vec<_> = field.given().iter().flat_map(|list| &list.value.0).cloned().collect();
        for name in &list {
            self.name(name);
        }
        list.into_iter().map(|name| name.value).collect()
    }

    /// Whether every placeholder is known.
    fn placeholders(&mut self, written: &Written<String>) -> bool {
        let rest = written.value.replace("{service}", "").replace("{account}", "");
        let good = !rest.contains(['{', '}']);
        if !good {
            let hint = "{service} and {account} stand for the names of the inventory";
            self.wrong(written.at, "placeholder", "this has a placeholder nobody knows", hint);
        }
        good
    }

    fn secret_store(
        &mut self,
        written: &as_written::SecretStore,
        item: Position,
        known: &Operator,
    ) -> Option<SecretStore> {
        let url = self.at.required(&written.url, "url", item, self.findings).cloned();
        let server = url.as_ref().and_then(|url| match Server::parse(&url.value) {
            Ok(server) if !server.speaks_ldap() => Some(server),
            parsed => {
                let why = parsed.err().map_or_else(|| "a directory".to_owned(), |e| e.to_string());
                let hint = "write https://host or https://host:port, and nothing behind it";
                self.wrong(url.at, "server", format!("this is no secret store: {why}"), hint);
                None
            }
        });
        let mount = match written.mount.given() {
            None => Some("secret".to_owned()),
            Some(mount) => self.store_path(mount),
        };
        let path = self.at.required(&written.path, "path", item, self.findings).cloned();
        let path = path.and_then(|path| self.store_path(&path));
        let secret = self.at.required(&written.secret, "secret", item, self.findings).cloned();
        let (server, secret) = (server?, secret?);
        let name = SecretName::from(secret.value.as_str());
        let trust = written.trust.given().map(|trust| TrustName::from(trust.value.as_str()));
        let ask = Ask { server: &server, secret: Some(&name), trust: trust.as_ref() };
        let permit = known
            .permit(&ask)
            .map_err(|denied| {
                // Its words have names and servers of this file in them.
                let message = match denied.code {
                    "unknown-secret" => "there is no secret of that name in this file",
                    "secret-not-for-server" => "that secret is not for this store",
                    "unknown-trust" => "there is no trust of that name in this file",
                    "trust-not-for-server" => "that trust is not for this store",
                    _ => "this store is to be trusted with one of this file's `trust` only",
                };
                let hint = "name one of this file that has the store among its `servers`";
                self.wrong(secret.at, denied.code, message, hint);
            })
            .ok()?;
        let token = permit.secret()?.clone();
        let trust = permit.trust().map(Path::to_path_buf);
        Some(SecretStore { server, mount: mount?, path: path?, token, trust })
    }

    fn store_path(&mut self, written: &Written<String>) -> Option<String> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.{}".contains(&byte);
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(good);
        if !written.value.split('/').all(is_part) {
            let hint = "write it without a slash at either end";
            self.wrong(written.at, "path", "this is not a path of a secret store", hint);
            return None;
        }
        self.placeholders(written).then(|| written.value.clone())
    }
}

fn is_template(part: &std::ffi::OsStr) -> bool {
    part.as_encoded_bytes().contains(&b'{')
}
