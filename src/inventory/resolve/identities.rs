//! How service accounts prove who they are: as jobs of a forge, with a key of ours, or with what
//! people make.

use std::collections::BTreeSet;

use super::World;
use crate::diagnostic::{Finding, Findings};
use crate::inventory::ServiceIdentity;
use crate::inventory::as_written;
use crate::model::{Federation, Forge, GitRef, KeyRotation};
use crate::pattern;
use crate::yaml::{Field, InFile, List, Position, Written};

const DEFAULT_ROTATE_DAYS: u32 = 90;
const DEFAULT_OVERLAP_DAYS: u32 = 7;
/// What every vendor allows.
const SESSION_HOURS: std::ops::RangeInclusive<u32> = 1..=12;

/// The identity of one service account; `None` where something is wrong with it.
pub(super) fn identity(
    service: &as_written::ServiceAccount,
    item: Position,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> Option<ServiceIdentity> {
    match (&service.forge, &service.key) {
        (Field::Broken, _) | (_, Field::Broken) => None,
        (Field::Absent, Field::Absent) => Some(ServiceIdentity::User),
        (Field::Given(forge), Field::Absent) => {
            federation(&forge.value, forge.at, at, findings).map(ServiceIdentity::Forge)
        }
        (Field::Absent, Field::Given(key)) => {
            rotation(&key.value, key.at, at, world, findings).map(ServiceIdentity::Key)
        }
        (Field::Given(_), Field::Given(_)) => {
            findings.push(
                Finding::error("two-identities", "a service account proves who it is in one way")
                    .at(&at.source(item))
                    .hint("write `forge:` or `key:`; jobs of a forge need no key"),
            );
            None
        }
    }
}

fn rotation(
    key: &as_written::Key,
    item: Position,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> Option<KeyRotation> {
    let sink = at.required(&key.sink, "sink", item, findings)?;
    let is_known = world.known.sinks.look_up("sink", sink, at, findings).is_some();
    if let Some(written) = key.rotate_days.given().filter(|days| days.value == 0) {
        findings.push(Finding::error("zero", "this cannot be 0").at(&at.source(written.at)));
        return None;
    }
    let days = |field: &Field<u32>, default| field.given().map_or(default, |days| days.value);
    let after_days = days(&key.rotate_days, DEFAULT_ROTATE_DAYS);
    let overlap_days = days(&key.overlap_days, DEFAULT_OVERLAP_DAYS.min(after_days - 1));
    if overlap_days >= after_days {
        let place = key.overlap_days.given().map_or(item, |days| days.at);
        findings.push(
            Finding::error(
                "overlap",
                format!("an overlap of {overlap_days} days does not end before the next key, after {after_days}"),
            )
            .at(&at.source(place))
            .hint("there are never more than two keys: write fewer days, or more `rotate_days`"),
        );
        return None;
    }
    let is_broken =
        matches!(key.rotate_days, Field::Broken) || matches!(key.overlap_days, Field::Broken);
    (is_known && !is_broken).then(|| KeyRotation {
        after_days,
        overlap_days,
        sink: sink.value.as_str().into(),
    })
}

fn federation(
    written: &as_written::Forge,
    item: Position,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<Federation> {
    let forge = at.required(&written.kind, "kind", item, findings).map(|kind| match kind.value {
        as_written::ForgeKind::Gitlab => Forge::Gitlab,
        as_written::ForgeKind::Github => Forge::Github,
    });
    let issuer = issuer(&written.issuer, forge, at, findings);
    let project = at
        .required(&written.project, "project", item, findings)
        .and_then(|written| project(written, forge, at, findings));
    let git_ref = git_ref(written, item, at, findings);
    let networks = networks(&written.networks, at, findings);
    let session_hours = hours(&written.session_hours, at, findings);
    let protected = match &written.protected {
        Field::Absent => Some(false),
        Field::Broken => None,
        Field::Given(flag) => Some(flag.value),
    };
    let (forge, git_ref, protected) = (forge?, git_ref?, protected?);
    if protected && forge == Forge::Github && !matches!(git_ref, Some(GitRef::Environment(_))) {
        let place = written.protected.given().map_or(item, |flag| flag.at);
        findings.push(
            Finding::error("protected", "GitHub does not say of a branch or tag that it is protected")
                .at(&at.source(place))
                .hint("write `environment:` and let only protected branches deploy to it, or leave `protected` out"),
        );
        return None;
    }
    any_branch(git_ref.as_ref(), protected, written, item, at, findings);
    Some(Federation {
        forge,
        issuer: issuer?,
        project: project?,
        git_ref,
        protected,
        networks: networks?,
        session_hours: session_hours?,
    })
}

/// Whoever may push any branch may do what the service account may.
fn any_branch(
    git_ref: Option<&GitRef>,
    protected: bool,
    written: &as_written::Forge,
    item: Position,
    at: InFile<'_>,
    findings: &mut Findings,
) {
    let (what, place) = match git_ref {
        None => ("branch and tag", item),
        Some(GitRef::Branch(name)) if is_any(name) => {
            ("branch", written.branch.given().map_or(item, |branch| branch.at))
        }
        Some(GitRef::Tag(name)) if is_any(name) => {
            ("tag", written.tag.given().map_or(item, |tag| tag.at))
        }
        Some(_) => return,
    };
    if !protected {
        findings.push(
            Finding::warning("any-ref", format!("jobs of every {what} of the project are let in"))
                .at(&at.source(place))
                .hint("name a branch, tag or environment, or write `protected: true` where the forge says so"),
        );
    }
}

fn is_any(name: &str) -> bool {
    name.bytes().all(|byte| byte == b'*')
}

/// `https://host[:port][/path]`, without a slash at the end: compared with what stands in a token
/// letter by letter.
fn issuer(
    field: &Field<String>,
    forge: Option<Forge>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<String> {
    let written = match field {
        Field::Broken => return None,
        Field::Absent => {
            return Some(match forge? {
                Forge::Gitlab => "https://gitlab.com".to_owned(),
                Forge::Github => "https://token.actions.githubusercontent.com".to_owned(),
            });
        }
        Field::Given(written) => written,
    };
    let text = written.value.as_str();
    let why = match text.strip_prefix("https://") {
        None => "does not begin with https://",
        Some(rest) if rest.ends_with('/') => "ends in a slash",
        Some(rest) if !is_host_and_path(rest) => "is more, or less, than a host and a path",
        Some(_) => return Some(text.to_owned()),
    };
    findings.push(
        Finding::error("issuer", format!("the issuer `{text}` {why}"))
            .at(&at.source(written.at))
            .hint("write it as the forge writes it into its tokens, for example https://gitlab.example.org"),
    );
    None
}

fn is_host_and_path(text: &str) -> bool {
    let mut parts = text.split('/');
    let host = parts.next().unwrap_or_default();
    let (host, port) = host.split_once(':').unwrap_or((host, "443"));
    let is_host = !host.is_empty()
        && !host.starts_with(['.', '-'])
        && !host.ends_with('.')
        && !host.contains("..")
        && host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
        });
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0) && parts.all(is_part)
}

/// A part of a path: nothing that could be read as something else.
fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part != "."
        && part != ".."
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The project, whole: with a wildcard in it any project whose name fits would be let in, and
/// everybody can make one.
fn project(
    written: &Written<String>,
    forge: Option<Forge>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<String> {
    let text = written.value.as_str();
    let parts: Vec<&str> = text.split('/').collect();
    let is_github = forge == Some(Forge::Github);
    let (fits, shape) = if is_github {
        (parts.len() == 2, "owner/repository or owner@ID/repository@ID")
    } else {
        (parts.len() >= 2, "group/project")
    };
    let is_part = |part: &&str| is_part(if is_github { without_id(part) } else { part });
    let (code, message) = if pattern::is_pattern(text) || text.contains('?') {
        ("any-project", format!("`{text}` would let in projects of others"))
    } else if !fits || !parts.iter().all(is_part) {
        ("forge-project", format!("`{text}` is not a project of that forge"))
    } else {
        return Some(text.to_owned());
    };
    findings.push(
        Finding::error(code, message)
            .at(&at.source(written.at))
            .hint(format!("write it as {shape}")),
    );
    None
}

/// A name at GitHub without its id. GitHub writes `owner@1/repository@2` into the tokens of
/// repositories made or renamed since 2026-07-15, and of those that ask for it: names are given to
/// others one day, ids never (GitHub Docs, "`OpenID` Connect", immutable subject claims).
fn without_id(part: &str) -> &str {
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    part.split_once('@').filter(|(_, id)| is_id(id)).map_or(part, |(name, _)| name)
}

/// The one of `branch`, `tag` and `environment` that is written; `Some(None)` for none.
#[expect(clippy::option_option, reason = "none is written, or what is written is wrong")]
fn git_ref(
    written: &as_written::Forge,
    item: Position,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<Option<GitRef>> {
    let fields = [&written.branch, &written.tag, &written.environment];
    if fields.iter().any(|field| matches!(field, Field::Broken)) {
        return None;
    }
    let given: Vec<&Written<String>> = fields.iter().filter_map(|field| field.given()).collect();
    if given.len() > 1 {
        findings.push(
            Finding::error("two-refs", "a job is of one branch, tag or environment")
                .at(&at.source(item))
                .hint("write one of `branch`, `tag` and `environment`; another service account may have another"),
        );
        return None;
    }
    let Some(one) = given.first() else { return Some(None) };
    let text = one.value.as_str();
    let is_environment = written.environment.given().is_some();
    // What is in a token is put together with colons: with one in it a name could pretend to be
    // something else.
    let odd =
        |letter: char| letter.is_control() || letter.is_whitespace() || ":?\\".contains(letter);
    if text.is_empty() || text.contains(odd) || (is_environment && text.contains('*')) {
        findings.push(
            Finding::error("git-ref", format!("`{text}` cannot be the name of one"))
                .at(&at.source(one.at))
                .hint("`*` stands for any text in the name of a branch or tag"),
        );
        return None;
    }
    let text = text.to_owned();
    Some(Some(if is_environment {
        GitRef::Environment(text)
    } else if written.tag.given().is_some() {
        GitRef::Tag(text)
    } else {
        GitRef::Branch(text)
    }))
}

/// Networks as `ADDRESS/LENGTH`, in their usual form.
fn networks(
    field: &Field<List<String>>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Option<BTreeSet<String>> {
    if matches!(field, Field::Broken) {
        return None;
    }
    let mut all = BTreeSet::new();
    let mut is_good = true;
    for written in field.given().into_iter().flat_map(|list| &list.value.0) {
        let why = match network(&written.value) {
            Ok(network) if all.contains(&network) => "is here twice",
            Ok(network) => {
                all.insert(network);
                continue;
            }
            Err(why) => why,
        };
        is_good = false;
        findings.push(
            Finding::error("network", format!("`{}` {why}", written.value))
                .at(&at.source(written.at))
                .hint("write a network such as 192.0.2.0/24 or 2001:db8::/32"),
        );
    }
    is_good.then_some(all)
}

fn network(text: &str) -> Result<String, &'static str> {
    let (address, length) = text.split_once('/').ok_or("has no length")?;
    let address: std::net::IpAddr = address.parse().map_err(|_| "is not a network")?;
    let length: u32 = length.parse().map_err(|_| "is not a network")?;
    let (bits, value) = match address {
        std::net::IpAddr::V4(address) => (32, u128::from(u32::from(address)) << 96),
        std::net::IpAddr::V6(address) => (128, u128::from(address)),
    };
    if length > bits {
        return Err("is longer than an address");
    }
    if length == 0 {
        return Err("is every address there is");
    }
    if value.checked_shl(length).unwrap_or(0) != 0 {
        return Err("has more bits than its length says");
    }
    Ok(format!("{address}/{length}"))
}

#[expect(clippy::option_option, reason = "none is written, or what is written is wrong")]
fn hours(field: &Field<u32>, at: InFile<'_>, findings: &mut Findings) -> Option<Option<i64>> {
    match field {
        Field::Absent => Some(None),
        Field::Broken => None,
        Field::Given(written) if SESSION_HOURS.contains(&written.value) => {
            Some(Some(i64::from(written.value)))
        }
        Field::Given(written) => {
            findings.push(
                Finding::error("session-hours", format!("{} hours cannot be had", written.value))
                    .at(&at.source(written.at))
                    .hint("write a number from 1 to 12"),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_one_form() {
        for (text, form) in [
            ("192.0.2.0/24", Some("192.0.2.0/24")),
            ("192.0.2.7/32", Some("192.0.2.7/32")),
            ("128.0.0.0/1", Some("128.0.0.0/1")),
            ("2001:DB8:0::/32", Some("2001:db8::/32")),
            ("2001:db8::1/128", Some("2001:db8::1/128")),
            ("192.0.2.1/24", None),
            ("192.0.2.0/33", None),
            ("192.0.2.0", None),
            ("0.0.0.0/0", None),
            ("::/0", None),
            ("2001:db8::1/127", None),
            ("192.0.2.0/-1", None),
            ("192.0.2/24", None),
            ("example.org/24", None),
        ] {
            assert_eq!(network(text).ok().as_deref(), form, "{text}");
        }
    }
}
