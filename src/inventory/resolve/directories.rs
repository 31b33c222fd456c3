//! Where people and groups come from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;

use super::{World, moved, text};
use crate::diagnostic::{Finding, Findings};
use crate::directory::{
    Bind, Bounds, DirectoryConfig, Filter, LdapConfig, Origin, SchemaConfig, SchemaKind,
};
use crate::inventory::as_written::{self, InventoryFile};
use crate::inventory::known::ReadFile;
use crate::model::{DirectoryName, StableId, TrustName};
use crate::operator::{Scheme, Server};
use crate::yaml::{Field, InFile, List, Named, Position, Written};

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
    let schema = schema(written, kind, base, at, findings);
    let login_map = mapped(&written.login_map, at, findings);
    let group_map = mapped(&written.group_map, at, findings);
    Some(DirectoryConfig {
        name: name.value.as_str().into(),
        origin: origin?,
        schema: schema?,
        name_prefix: text(&written.name_prefix),
        reissued: reissued(&written.reissued, at, findings),
        login_map: login_map.into_iter().map(|(from, to)| (from.into(), to)).collect(),
        group_map: group_map.into_iter().map(|(from, to)| (from.into(), to)).collect(),
        bounds: bounds?,
        source: at.source(name.at),
    })
}

fn schema(
    written: &as_written::Directory,
    kind: Option<SchemaKind>,
    base: Option<String>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<SchemaConfig> {
    let people_filter = filter(&written.people_filter, at, findings);
    let groups_filter = filter(&written.groups_filter, at, findings);
    let locked_when = locked_when(&written.locked_when, at, findings);
    let defaults = SchemaConfig::new(kind?, base?);
    let gone_words = written
        .gone_words
        .given()
        .map(|words| words.value.0.iter().map(|word| word.value.trim().to_lowercase()).collect());
    Some(SchemaConfig {
        people_base: filled(&written.people_base),
        groups_base: filled(&written.groups_base),
        stable_id: filled(&written.stable_id),
        gone_words: gone_words.unwrap_or(defaults.gone_words),
        locked_when,
        people_filter: people_filter?,
        groups_filter: groups_filter?,
        ..defaults
    })
}

/// A filter, if there is one. Without one that was meant, others than those meant would be read:
/// then there is no directory.
#[expect(clippy::option_option, reason = "no filter is not the same as no good one")]
fn filter(
    field: &Field<String>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<Option<Filter>> {
    let written = match field {
        Field::Absent => return Some(None),
        Field::Broken => return None,
        Field::Given(written) => written,
    };
    match Filter::parse(&written.value) {
        Ok(filter) => Some(Some(filter)),
        Err(error) => {
            findings.push(
                Finding::error("bad-filter", format!("this is not an LDAP filter: {error}"))
                    .at(&at.source(written.at))
                    .hint("write it as for ldapsearch: (&(objectClass=person)(!(uid=test*)))"),
            );
            None
        }
    }
}

fn locked_when(
    field: &Field<Named<List<String>>>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> BTreeMap<String, Vec<String>> {
    let mut locked_when = BTreeMap::new();
    for (name, values) in field.given().iter().flat_map(|given| &given.value.0) {
        let Some(values) = values.given() else { continue };
        let is_name = name.value.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.value.bytes().all(|one| one.is_ascii_alphanumeric() || b"-.;".contains(&one));
        let words: Vec<String> =
            values.value.0.iter().map(|value| value.value.trim().to_owned()).collect();
        let problem = match words.as_slice() {
            _ if !is_name => "this is not the name of an attribute",
            [] => "no value is named that means that somebody is locked",
            _ => {
                locked_when.insert(name.value.clone(), words);
                continue;
            }
        };
        findings.push(
            Finding::error("locked-when", problem)
                .at(&at.source(name.at))
                .hint("write `attribute: [value]`, or `attribute: [\"*\"]` for any value"),
        );
    }
    locked_when
}

/// Names and what they become at vendors. Whether a vendor accepts those, and whether two meet, is
/// told with the names themselves.
fn mapped(
    field: &Field<Named<String>>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Vec<(String, String)> {
    let mut mapped = Vec::new();
    for (from, to) in field.given().iter().flat_map(|given| &given.value.0) {
        let Some(to) = to.given() else { continue };
        let text = to.value.trim();
        if text.is_empty() {
            findings.push(
                Finding::error("empty", format!("`{}` would have no name", from.value))
                    .at(&at.source(to.at)),
            );
            continue;
        }
        mapped.push((from.value.clone(), text.to_owned()));
    }
    mapped
}

fn reissued(
    field: &Field<Named<String>>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> BTreeMap<StableId, Date> {
    let mut days = BTreeMap::new();
    for (id, day) in field.given().iter().flat_map(|given| &given.value.0) {
        let Some(written) = day.given() else { continue };
        match written.value.trim().parse() {
            Ok(day) => {
                days.insert(id.value.as_str().into(), day);
            }
            Err(_) => findings.push(
                Finding::error("bad-date", format!("`{}` is not a day", written.value))
                    .at(&at.source(written.at))
                    .hint("write the day from which on the id stands for the newcomer: 2026-11-28"),
            ),
        }
    }
    days
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
    let page_size = match &written.page_size {
        Field::Absent => Some(DEFAULT_PAGE_SIZE),
        Field::Broken => None,
        Field::Given(written) => Some(written.value),
    };
    let connect = number(&written.connect_seconds, DEFAULT_CONNECT_SECONDS, at, findings);
    let read = number(&written.read_seconds, DEFAULT_READ_SECONDS, at, findings);
    let attempts = number(&written.attempts, DEFAULT_ATTEMPTS, at, findings);
    let servers = at.required(&written.url, "url", item, findings)?;
    if servers.value.0.is_empty() {
        let finding = Finding::error("no-server", "no server is named here");
        findings.push(finding.at(&at.source(servers.at)));
        return None;
    }
    let good = |url: &String, findings: &mut Findings| {
        check_url(&Written { value: url.clone(), at: servers.at }, start_tls, at, findings)
    };
    // All of them are looked at, also after a bad one.
    let bad = servers.value.0.iter().filter(|url| good(url, findings).is_none()).count();
    if bad > 0 {
        return None;
    }
    Some(LdapConfig {
        urls: servers.value.0.clone(),
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
