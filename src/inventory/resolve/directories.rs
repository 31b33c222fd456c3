//! Where people and groups come from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{World, moved, text};
use crate::diagnostic::{Finding, Findings};
use crate::directory::{
    Bind, Bounds, DirectoryConfig, LdapConfig, Origin, SchemaConfig, SchemaKind,
};
use crate::inventory::as_written::{self, InventoryFile};
use crate::inventory::known::ReadFile;
use crate::model::{DirectoryName, TrustName};
use crate::operator::{Scheme, Server};
use crate::yaml::{Field, InFile, Position, Written};

const DEFAULT_PAGE_SIZE: u32 = 500;
const DEFAULT_CONNECT_SECONDS: u32 = 10;
const DEFAULT_READ_SECONDS: u32 = 60;
const DEFAULT_ATTEMPTS: u32 = 3;
/// An hour; what takes longer is read in parts or from a file.
const MOST_TOTAL_SECONDS: u32 = 3600;
/// Room for some ten million people.
const MOST_MEGABYTES: u32 = 8192;

/// Adds the directories of one file.
pub(super) fn resolve(
    file: &ReadFile<InventoryFile>,
    world: World<'_>,
    findings: &mut Findings,
    into: &mut BTreeMap<DirectoryName, DirectoryConfig>,
) {
    let at = InFile(&file.path);
    for (name, written) in file.content.directories.given().iter().flat_map(|s| &s.value.0) {
        let is_definition = world.known.directories.is_definition(&name.value, &at.source(name.at));
        let Some(written) = written.given().filter(|_| is_definition) else { continue };
        if let Some(config) = one_directory(name, &written.value, at, findings) {
            into.insert(config.name.clone(), config);
        }
    }
}

fn one_directory(
    name: &Written<String>,
    written: &as_written::Directory,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<DirectoryConfig> {
    let origin = origin(name, written, at, findings);
    let retired = matches!(origin, Some(Origin::Retired));
    let kind = match (&written.schema, retired) {
        (Field::Absent, true) => Some(SchemaKind::Rfc2307),
        (field, _) => {
            at.required(field, "schema", name.at, findings).map(|kind| match kind.value {
                as_written::Schema::Userdir => SchemaKind::Userdir,
                as_written::Schema::Rfc2307 => SchemaKind::Rfc2307,
                as_written::Schema::Rfc2307bis => SchemaKind::Rfc2307bis,
                as_written::Schema::ActiveDirectory => SchemaKind::ActiveDirectory,
            })
        }
    };
    let base = match (&written.base, retired) {
        (Field::Absent, true) => Some(String::new()),
        (field, _) => at.words(field, "base", name.at, findings),
    };
    let bounds = bounds(written, at, findings);
    let schema = SchemaConfig {
        kind: kind?,
        base: base?,
        people_base: filled(&written.people_base),
        groups_base: filled(&written.groups_base),
        stable_id: filled(&written.stable_id),
    };
    Some(DirectoryConfig {
        name: name.value.as_str().into(),
        origin: origin?,
        schema,
        name_prefix: text(&written.name_prefix),
        bounds: bounds?,
        source: at.source(name.at),
    })
}

/// How much reading it may take as a whole.
fn bounds(
    written: &as_written::Directory,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<Bounds> {
    let Bounds { mut time, mut memory } = Bounds::default();
    if !matches!(written.total_seconds, Field::Absent) {
        time = Duration::from_secs(
            up_to(&written.total_seconds, MOST_TOTAL_SECONDS, at, findings)?.into(),
        );
    }
    if !matches!(written.most_megabytes, Field::Absent) {
        let megabytes = up_to(&written.most_megabytes, MOST_MEGABYTES, at, findings)?;
        memory = (megabytes as usize).saturating_mul(Bounds::MEGABYTE);
    }
    Some(Bounds { time, memory })
}

fn filled(field: &Field<String>) -> Option<String> {
    Some(text(field)).filter(|text| !text.is_empty())
}

fn origin(
    name: &Written<String>,
    written: &as_written::Directory,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<Origin> {
    let retired = written.retired.given().is_some_and(|retired| retired.value);
    match (&written.ldif, &written.ldap, retired) {
        (Field::Given(ldif), Field::Absent, false) => {
            below_root(ldif, at, findings).map(Origin::Ldif)
        }
        (Field::Absent, Field::Given(ldap), false) => {
            self::ldap(&name.value, &ldap.value, ldap.at, at, findings)
                .map(|config| Origin::Ldap(Box::new(config)))
        }
        (Field::Absent, Field::Absent, true) => Some(Origin::Retired),
        (Field::Broken, _, _) | (_, Field::Broken, _) => None,
        _ if matches!(written.retired, Field::Broken) => None,
        _ => {
            findings.push(
                Finding::error(
                    "directory-origin",
                    format!("directory `{}` needs exactly one origin", name.value),
                )
                .at(&at.source(name.at))
                .hint("write one of `ldif: file`, `ldap:` and `retired: true`"),
            );
            None
        }
    }
}

/// A path of a file in the repository.
fn below_root(
    written: &Written<String>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<PathBuf> {
    let text = written.value.as_str();
    let inside = !text.is_empty()
        && !text.starts_with('/')
        && text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !inside {
        findings.push(
            Finding::error("path-outside", format!("`{text}` is not a path below the root"))
                .at(&at.source(written.at))
                .hint("write it from the root of the repository on, for example inventory/people.ldif"),
        );
        return None;
    }
    Some(PathBuf::from(text))
}

fn ldap(
    name: &str,
    written: &as_written::Ldap,
    item: Position,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<LdapConfig> {
    moved::ldap(name, written, at, findings);
    let start_tls = written.start_tls.given().is_none_or(|start_tls| start_tls.value);
    let bind = match &written.bind {
        Field::Absent => Some(Bind::Anonymous),
        Field::Broken => None,
        Field::Given(bind) => self::bind(&bind.value, bind.at, at, findings),
    };
    let page_size = number(&written.page_size, DEFAULT_PAGE_SIZE, at, findings);
    let connect = number(&written.connect_seconds, DEFAULT_CONNECT_SECONDS, at, findings);
    let read = number(&written.read_seconds, DEFAULT_READ_SECONDS, at, findings);
    let attempts = number(&written.attempts, DEFAULT_ATTEMPTS, at, findings);
    let url = at.required(&written.url, "url", item, findings)?;
    check_url(url, start_tls, at, findings)?;
    Some(LdapConfig {
        url: url.value.clone(),
        start_tls,
        trust: filled(&written.trust).map(TrustName::from),
        bind: bind?,
        page_size: page_size?,
        connect_timeout: Duration::from_secs(connect?.into()),
        read_timeout: Duration::from_secs(read?.into()),
        attempts: attempts?,
    })
}

/// A number that is not 0 and not absurd: who writes the inventory shall not lift a bound for good.
fn up_to(field: &Field<u32>, most: u32, at: InFile<'_>, findings: &mut Findings) -> Option<u32> {
    let number = number(field, most, at, findings)?;
    if let (Field::Given(written), true) = (field, number > most) {
        findings.push(
            Finding::error("too-large", format!("{number} is no bound"))
                .at(&at.source(written.at))
                .hint(format!("write at most {most}")),
        );
        return None;
    }
    Some(number)
}

/// A number that is not 0.
fn number(
    field: &Field<u32>,
    default: u32,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<u32> {
    match field {
        Field::Absent => Some(default),
        Field::Broken => None,
        Field::Given(written) if written.value == 0 => {
            findings.push(Finding::error("zero", "this cannot be 0").at(&at.source(written.at)));
            None
        }
        Field::Given(written) => Some(written.value),
    }
}

fn check_url(
    url: &Written<String>,
    start_tls: bool,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<()> {
    let mut wrong = |code: &str, message: String, hint: &str| {
        findings.push(Finding::error(code, message).at(&at.source(url.at)).hint(hint));
        None
    };
    let forms = "write ldaps://host, ldap://host or ldapi://%2Fpath%2Fto%2Fsocket";
    match Server::parse(&url.value) {
        // Not the text: it may hold a password.
        Err(why) => wrong("bad-url", format!("this is no LDAP server: {why}"), forms),
        Ok(server) if !server.speaks_ldap() => {
            wrong("bad-url", format!("`{server}` is no LDAP server"), forms)
        }
        Ok(server @ Server::Network { scheme: Scheme::Ldap, .. })
            if !start_tls && !server.is_this_machine() =>
        {
            wrong(
                "without-tls",
                "people would be read over the network without TLS".to_owned(),
                "leave StartTLS on; it may be off for a loopback address only",
            )
        }
        Ok(_) => Some(()),
    }
}

fn bind(
    written: &as_written::Bind,
    item: Position,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<Bind> {
    let external = written.external.given().is_some_and(|external| external.value);
    match (filled(&written.dn), external, filled(&written.secret)) {
        (None, true, None) => Some(Bind::External),
        (Some(dn), false, Some(secret)) => Some(Bind::Simple { dn, secret: secret.into() }),
        // That was told already.
        _ if moved::is_in(written) => None,
        _ => {
            findings.push(
                Finding::error("bind", "this does not say who we are").at(&at.source(item)).hint(
                    "write `external: true`, or `dn` and the `secret` of the operator's file that is \
                     its password",
                ),
            );
            None
        }
    }
}
