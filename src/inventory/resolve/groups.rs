//! `directory:group`.

use std::collections::BTreeSet;

use super::World;
use crate::diagnostic::{Finding, Findings};
use crate::inventory::Administrators;
use crate::inventory::as_written;
use crate::model::{GroupRef, Login};
use crate::yaml::{Field, InFile, Position, Written};

/// How many administrators must remain unless something else is written.
const DEFAULT_MINIMUM: u32 = 2;

/// A required group.
pub(crate) fn required(
    field: &Field<String>,
    key: &str,
    item: Position,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> Option<GroupRef> {
    group(at.required(field, key, item, findings)?, at, world, findings)
}

fn group(
    written: &Written<String>,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> Option<GroupRef> {
    let source = at.source(written.at);
    let directories = &world.known.directories;
    let (directory, group) = match written.value.split_once(':') {
        Some((directory, group)) => (directory, group),
        None if directories.len() == 1 => (directories.iter().next()?, written.value.as_str()),
        None => {
            let candidates: Vec<String> =
                directories.iter().map(|name| format!("`{name}:{}`", written.value)).collect();
            let hint = match candidates.as_slice() {
                [] => "no directory is defined".to_owned(),
                _ => format!("write {}", candidates.join(" or ")),
            };
            findings.push(
                Finding::error(
                    "group-without-directory",
                    format!("`{}` does not say of which directory", written.value),
                )
                .at(&source)
                .hint(hint),
            );
            return None;
        }
    };
    if directory.is_empty() || !is_name(group) {
        findings.push(
            Finding::error("bad-group", format!("`{}` is not a group", written.value))
                .at(&source)
                .hint(
                    "write `directory:group` as the directory spells the group, one group in one \
                     place, without blanks around it",
                ),
        );
        return None;
    }
    if !directories.contains(directory) {
        findings.unknown("directory", directory, directories.iter(), &source);
        return None;
    }
    Some(GroupRef { directory: directory.into(), group: group.into() })
}

/// Whether a text can be the name of a group or person of a directory. Blanks inside and letters of
/// any language are common; a list of names, or a name with what it is on, is a mistake.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.contains([':', '@', ','])
        && !text.chars().any(|one| one.is_control() || (one.is_whitespace() && one != ' '))
}

/// Who administers an account or organisation.
pub(super) fn administrators(
    field: &Field<as_written::Administrators>,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> Option<Administrators> {
    let written = field.given()?;
    let minimum = written.value.minimum.given();
    if let Some(minimum) = minimum {
        let source = at.source(minimum.at);
        match minimum.value {
            0 => findings.push(
                Finding::error("no-administrator", "at least 1 administrator must remain")
                    .at(&source)
                    .hint("2 is the default, 3 is better"),
            ),
            1 => findings.push(
                Finding::warning("one-administrator", "a single person would hold the keys")
                    .at(&source)
                    .hint("let at least 2 administrators remain, 3 is better"),
            ),
            _ => {}
        }
    }
    let required = logins(&written.value.required, at, findings);
    let group = required_group(&written.value, written.at, at, world, findings)?;
    Some(Administrators {
        group,
        minimum: minimum.map_or(DEFAULT_MINIMUM, |minimum| minimum.value.max(1)),
        required,
        source: at.source(written.at),
    })
}

fn required_group(
    written: &as_written::Administrators,
    item: Position,
    at: InFile<'_>,
    world: World<'_>,
    findings: &mut Findings,
) -> Option<GroupRef> {
    required(&written.group, "group", item, at, world, findings)
}

fn logins(
    field: &Field<crate::yaml::List<String>>,
    at: InFile<'_>,
    findings: &mut Findings,
) -> Vec<Login> {
    let mut seen = BTreeSet::new();
    let mut logins = Vec::new();
    for login in field.given().iter().flat_map(|list| &list.value.0) {
        let text = login.value.as_str();
        let source = at.source(login.at);
        if !is_name(text) {
            findings.push(
                Finding::error("bad-login", format!("`{text}` is not a log-in name"))
                    .at(&source)
                    .hint("write the log-in name as the directory spells it"),
            );
        } else if !seen.insert(text) {
            findings.push(
                Finding::error("duplicate-value", format!("`{text}` is here twice")).at(&source),
            );
        } else {
            logins.push(text.into());
        }
    }
    logins.sort();
    logins
}
