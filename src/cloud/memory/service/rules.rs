//! What the service refuses, and how it cuts lists into pages.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::super::api::{Code, Failure, Page, RoleInput, UserInput};
use super::super::config::NAMES;
use super::resource::Resource;
use super::state::{Role, Row, Table, User};
use crate::model::ResourceKind;

/// A page of a table; the token is the id of the last row of the page before.
pub(in super::super) fn table_page<T: Row + Clone>(
    table: &Table<T>,
    after: Option<&str>,
    size: usize,
) -> Page<T> {
    let mut rest = table.after(after);
    let items: Vec<T> = rest.by_ref().take(size).cloned().collect();
    let next = match (rest.next(), items.last()) {
        (Some(_), Some(last)) => Some(last.id().to_owned()),
        _ => None,
    };
    Page { items, next, total: table.len() }
}

/// A page of pairs; the token is the last pair of the page before.
pub(in super::super) fn pair_page(
    pairs: &BTreeSet<(String, String)>,
    after: Option<&str>,
    size: usize,
) -> Result<Page<(String, String)>, Failure> {
    let start = match after {
        None => Bound::Unbounded,
        Some(token) => {
            let (first, second) = token
                .split_once('\n')
                .ok_or_else(|| refusal(Code::InvalidInput, "this is not a token of this list"))?;
            Bound::Excluded((first.to_owned(), second.to_owned()))
        }
    };
    let mut rest = pairs.range((start, Bound::Unbounded));
    let items: Vec<_> = rest.by_ref().take(size).cloned().collect();
    let next = match (rest.next(), items.last()) {
        (Some(_), Some((first, second))) => Some(format!("{first}\n{second}")),
        _ => None,
    };
    Ok(Page { items, next, total: pairs.len() })
}

/// A page of the resources of one kind; the token is the id of the last one of the page before.
pub(in super::super) fn kind_page(
    table: &Table<Resource>,
    kind: ResourceKind,
    after: Option<&str>,
    size: usize,
) -> Page<Resource> {
    let of_kind = |row: &&Resource| row.kind == kind;
    let mut rest = table.after(after).filter(of_kind);
    let items: Vec<Resource> = rest.by_ref().take(size).cloned().collect();
    let next = match (rest.next(), items.last()) {
        (Some(_), Some(last)) => Some(last.id.clone()),
        _ => None,
    };
    Page { items, next, total: table.after(None).filter(of_kind).count() }
}

pub(in super::super) fn to_user(id: String, revision: u64, input: UserInput) -> User {
    let UserInput { name, display_name, email, enabled, tags } = input;
    User { id, name, display_name, email, enabled, tags, revision }
}

pub(in super::super) fn to_role(id: String, revision: u64, input: RoleInput) -> Role {
    let RoleInput { name, description, permissions, session_hours, trusts, tags } = input;
    Role { id, name, description, permissions, session_hours, trusts, tags, revision }
}

pub(in super::super) fn check_role(
    roles: &Table<Role>,
    input: &RoleInput,
    own: Option<&str>,
) -> Result<(), Failure> {
    check_name(roles, &input.name, own)?;
    match input.session_hours {
        Some(hours) if hours < 1 => {
            Err(refusal(Code::InvalidInput, "a session lasts at least one hour"))
        }
        _ => Ok(()),
    }
}

pub(in super::super) fn check_name<T: Row>(
    table: &Table<T>,
    name: &str,
    own: Option<&str>,
) -> Result<(), Failure> {
    if let Err(problem) = NAMES.check(name) {
        return Err(refusal(Code::InvalidInput, &format!("the name {problem}")));
    }
    match table.named(name) {
        Some(row) if own != Some(row.id()) => {
            Err(refusal(Code::EntityAlreadyExists, "the name is taken"))
        }
        _ => Ok(()),
    }
}

pub(in super::super) fn within(
    quota: Option<usize>,
    have: usize,
    what: &str,
) -> Result<(), Failure> {
    match quota {
        Some(quota) if have >= quota => {
            Err(refusal(Code::LimitExceeded, &format!("at most {quota} {what}")))
        }
        _ => Ok(()),
    }
}

pub(in super::super) fn is_current(revision: u64, expected: u64) -> Result<(), Failure> {
    if revision == expected {
        return Ok(());
    }
    Err(refusal(Code::ConcurrentModification, "the object was changed meanwhile"))
}

pub(in super::super) fn no_such(kind: &str, object: &str) -> Failure {
    refusal(Code::NoSuchEntity, &format!("there is no {kind} {object}"))
}

/// So many things that are in the way are named.
const NAMED: usize = 5;

/// Refuses a deletion as long as there are such things, and names them.
pub(in super::super) fn none_of(
    message: &str,
    names: impl Iterator<Item = String>,
) -> Result<(), Failure> {
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return Ok(());
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(refusal(Code::DeleteConflict, &format!("{message}: {}{rest}", names.join(", "))))
}

pub(in super::super) fn reset() -> Failure {
    refusal(Code::ConnectionReset, "the connection was reset")
}

pub(in super::super) fn refusal(code: Code, message: &str) -> Failure {
    Failure { code, message: message.to_owned(), request_id: None, retry_after: None }
}
