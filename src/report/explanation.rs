//! What `reconcile explain` answers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::table::{CAUTION, FAINT, HEADING, columns, styled};
use super::words::printable;
use crate::model::{Federation, Forge, GitRef, PersonKind, Place, Subject};
use crate::rights::{
    AccountExplained, Blocked, EndedGrant, Explained, GrantLine, GroupExplained, GroupRight,
    HubUser, Joining, NotComplete, PersonExplained, Proof, Right, ServiceExplained, Way, Who, Why,
};

/// The version of the JSON form. A change that could break a reader changes the number.
pub const EXPLANATION_FORMAT: &str = "reconcile-explain/1";

/// The answer as a document.
#[derive(Serialize, JsonSchema)]
pub struct ExplanationReport<'a> {
    /// Always `reconcile-explain/1`.
    pub format: &'static str,
    /// The day it is true for.
    pub today: String,
    /// What could not be read; while there is some, what is not there may be there all the same.
    pub not_complete: &'a [NotComplete],
    /// The answer.
    pub explained: &'a Explained,
}

/// Writes the answer for scripts.
pub fn explanation_json(out: &mut dyn Write, report: &ExplanationReport<'_>) -> io::Result<()> {
    crate::visible::write_json(out, report)
}

/// The JSON Schema of what [`explanation_json`] writes.
pub fn explanation_schema() -> Schema {
    schema_for!(ExplanationReport<'_>)
}

/// Writes the answer for people: who or what it is and where they stand, then the details.
pub fn explanation_text(out: &mut dyn Write, report: &ExplanationReport<'_>) -> io::Result<()> {
    match report.explained {
        Explained::Person(person) => about_person(out, person),
        Explained::Group(group) => about_group(out, group),
        Explained::Service(service) => about_service(out, service),
        Explained::Account(account) => about_account(out, account),
    }?;
    not_complete(out, report.not_complete)
}

pub(super) fn not_complete(out: &mut dyn Write, missing: &[NotComplete]) -> io::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    styled(out, CAUTION, "Not read completely: what is not shown may be there all the same")?;
    for one in missing {
        let text = format!("directory {}: {}", one.directory, one.missing);
        writeln!(out, "  ? {}", printable(&text))?;
    }
    Ok(())
}

fn about_person(out: &mut dyn Write, person: &PersonExplained) -> io::Result<()> {
    let PersonExplained { directory, login, stable_id, .. } = person;
    let kind = match person.kind {
        PersonKind::Person => "",
        PersonKind::Guest => ", a guest",
        PersonKind::RoleAccount => ", a role account",
    };
    let may = match (&person.rights[..], person.may_have_access) {
        (_, false) if person.kind == PersonKind::RoleAccount => {
            "has no access: a role account never gets a user".to_owned()
        }
        (_, false) => match &person.unclear {
            Some(why) => format!("keeps what they have and gets nothing: {why}"),
            None => format!("has no access: {}", person.standing),
        },
        ([], true) if person.withheld.is_empty() => {
            "is present and has no access: no group they are in holds a role".to_owned()
        }
        ([], true) => "is present and has no access, see below".to_owned(),
        (rights, true) => {
            format!("is present and may act in {}", number(places(rights), "account"))
        }
    };
    heading(out, &format!("{directory}:{login} (person:{directory}:{stable_id}{kind}) {may}."))?;
    let not_active = person.status != "active" && person.may_have_access;
    let status = not_active.then(|| format!("the status is {}", person.status));
    let cautions = person.cautions.iter().filter(|_| person.may_have_access);
    let cautions = cautions.map(|caution| format!("{caution}, so no privileged role is to be had"));
    let expires = person.expires.filter(|_| person.may_have_access);
    let expires = expires.map(|day| format!("the account ends on {day}"));
    for line in status.into_iter().chain(cautions).chain(expires) {
        writeln!(out, "  {}", printable(&line))?;
    }
    rights(out, &person.rights)?;
    let withheld: Vec<Vec<String>> = person
        .withheld
        .iter()
        .map(|one| {
            vec![
                one.place.to_string(),
                one.role.to_string(),
                through(&one.way),
                why(&one.why),
                lines(&one.way.grants),
            ]
        })
        .collect();
    section(out, "Not theirs, although a group of theirs holds it", &withheld)?;
    let idle: Vec<Vec<String>> = person
        .idle_groups
        .iter()
        .map(|one| {
            let held: Vec<String> = one.ended.iter().map(held_until).collect();
            vec![one.group.to_string(), joined(&one.joining), held.join("; ")]
        })
        .collect();
    section(out, "In these groups too, which hold no role", &idle)?;
    users(out, &person.users)
}

fn about_group(out: &mut dyn Write, group: &GroupExplained) -> io::Result<()> {
    let known = match group.in_directory {
        Some(true) => "",
        Some(false) => " is not in its directory, so who is in it stays as it is; it",
        None => " was not found as far as the directory could be read; it",
    };
    let with = group.members.iter().filter(|member| member.without.is_none()).count();
    let holds = match &group.rights[..] {
        [] => "holds no role anywhere".to_owned(),
        rights => {
            let places = rights.iter().map(|one| &one.place);
            let places = places.collect::<std::collections::BTreeSet<_>>().len();
            format!("holds roles in {}", number(places, "account"))
        }
    };
    let members = format!("{with} of {}", number(group.members.len(), "member"));
    heading(out, &format!("{}{known} {holds}; {members} may have access.", group.group))?;
    let rows: Vec<Vec<String>> = group
        .rights
        .iter()
        .map(|one| vec![one.place.to_string(), one.role.to_string(), lines(&one.grants)])
        .collect();
    section(out, "Holds", &rows)?;
    ended(out, &group.ended)?;
    let administers = group.administers.iter().map(|place| format!("administers {place}"));
    let answers = group.answers_for.iter().map(|name| format!("answers for service:{name}"));
    let also: Vec<Vec<String>> = administers.chain(answers).map(|text| vec![text]).collect();
    section(out, "Also", &also)?;
    let members: Vec<Vec<String>> = group
        .members
        .iter()
        .map(|member| {
            let without = member.without.as_ref().map(|one| format!("no access: {}", why(one)));
            vec![who(&member.who), joined(&member.joining), without.unwrap_or_default()]
        })
        .collect();
    section(out, "Members", &members)
}

fn about_service(out: &mut dyn Write, service: &ServiceExplained) -> io::Result<()> {
    let may = match &service.rights[..] {
        [] => "has no access".to_owned(),
        rights => format!("may act in {}", number(places(rights), "account")),
    };
    heading(out, &format!("service:{} {may}.", service.name))?;
    let until = service.until.map(|day| format!(", until {day}")).unwrap_or_default();
    let text = format!("{} ({}{until})", service.reason, service.source);
    writeln!(out, "  {}", printable(&text))?;
    writeln!(out, "  {}", printable(&proof(&service.proof)))?;
    rights(out, &service.rights)?;
    ended(out, &service.ended)?;
    let answerable: Vec<Vec<String>> =
        service.answerable.iter().map(|one| vec![who(one)]).collect();
    let title = format!("{} answers for it", service.owners);
    if answerable.is_empty() {
        section(out, &title, &[vec!["nobody in it may have access today".to_owned()]])?;
    }
    section(out, &title, &answerable)?;
    users(out, &service.users)
}

pub(super) fn proof(proof: &Proof) -> String {
    match proof {
        Proof::ByHand => "people make its credentials".to_owned(),
        Proof::Key { after_days, overlap_days, sink } => format!(
            "has a key, replaced every {after_days} days; the old one holds {overlap_days} days \
             longer; it goes to {sink}"
        ),
        Proof::Jobs(federation) => format!("has no key: it is {}", jobs(federation)),
    }
}

/// "jobs of gitlab group/project (ISSUER), protected branch main".
fn jobs(federation: &Federation) -> String {
    // Every field by name, so that a new condition cannot be forgotten.
    let Federation { forge, issuer, project, git_ref, protected, networks, session_hours } =
        federation;
    let forge = match forge {
        Forge::Gitlab => "gitlab",
        Forge::Github => "github",
    };
    let protected = if *protected { "protected " } else { "" };
    let which = match git_ref {
        Some(GitRef::Branch(name)) => format!("{protected}branch {name}"),
        Some(GitRef::Tag(name)) => format!("{protected}tag {name}"),
        Some(GitRef::Environment(name)) => format!("{protected}environment {name}"),
        None if protected.is_empty() => "any branch or tag".to_owned(),
        None => "any protected branch or tag".to_owned(),
    };
    let mut text = format!("jobs of {forge} {project} ({issuer}), {which}");
    if !networks.is_empty() {
        let networks: Vec<&str> = networks.iter().map(String::as_str).collect();
        let _ = write!(text, ", from {}", networks.join(" or "));
    }
    if let Some(hours) = session_hours {
        let _ = write!(text, ", for {hours} h at most");
    }
    text
}

fn about_account(out: &mut dyn Write, account: &AccountExplained) -> io::Result<()> {
    let terms = &account.terms;
    let people: std::collections::BTreeSet<&Who> =
        account.roles.iter().flat_map(|role| &role.people).map(|right| &right.who).collect();
    let text = format!(
        "{} ({} account {}, {}) can be used by {}.",
        account.place,
        terms.vendor,
        terms.id,
        account.source,
        users_in_words(people.len()),
    );
    heading(out, &text)?;
    let one = |name: &str, text: Option<String>| text.map(|text| vec![name.to_owned(), text]);
    let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.join("; "));
    let hub = (terms.hub != account.place).then(|| terms.hub.to_string());
    let facts: Vec<Vec<String>> = [
        one("users live in", hub),
        one("sponsor", account.sponsor.clone()),
        one("contacts", list(&account.contacts)),
        one("constraints", list(&account.constraints)),
        one(
            "administrators",
            terms.administrators.as_ref().map(|group| {
                let names: Vec<String> = account.administrators.iter().map(who).collect();
                format!("{group}, at least {}: {}", terms.minimum, names.join(", "))
            }),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    for line in columns(&facts) {
        writeln!(out, "  {line}")?;
    }
    for role in &account.roles {
        let privileged = if role.privileged { ", privileged" } else { "" };
        let title = format!("{} ({}{privileged})", role.role, role.description);
        let groups = role.groups.iter().map(group_row);
        let people = role.people.iter().flat_map(|right| {
            right.ways.iter().map(move |way| vec![format!("  {}", who(&right.who)), through(way)])
        });
        section(out, &title, &groups.chain(people).collect::<Vec<_>>())?;
    }
    ended(out, &account.ended)
}

fn group_row(right: &GroupRight) -> Vec<String> {
    vec![subject(&right.group), lines(&right.grants)]
}

fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let text = printable(text);
    writeln!(out, "{HEADING}{text}{HEADING:#}")
}

fn section(out: &mut dyn Write, title: &str, rows: &[Vec<String>]) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    heading(out, title)?;
    for line in columns(rows) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// Roles by account; of several only one can be used at a time.
fn rights(out: &mut dyn Write, rights: &[Right]) -> io::Result<()> {
    let mut by_place: BTreeMap<&Place, Vec<&Right>> = BTreeMap::new();
    for right in rights {
        by_place.entry(&right.place).or_default().push(right);
    }
    for (place, rights) in by_place {
        let row = |right: &Right, way: &Way| {
            vec![right.role.to_string(), through(way), lines(&way.grants)]
        };
        let rows: Vec<Vec<String>> =
            rights.iter().flat_map(|right| right.ways.iter().map(|way| row(right, way))).collect();
        section(out, &place.to_string(), &rows)?;
        if rights.len() > 1 {
            let text = format!("{} roles; a session has one of them at a time", rights.len());
            writeln!(out, "  {FAINT}{text}{FAINT:#}")?;
        }
    }
    Ok(())
}

fn users(out: &mut dyn Write, users: &[HubUser]) -> io::Result<()> {
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| {
            let blocked = if user.blocked { "(the name cannot be used there)" } else { "" };
            vec![user.name.to_string(), format!("in {}", user.hub), blocked.to_owned()]
        })
        .collect();
    section(out, "Known there as", &rows)
}

fn ended(out: &mut dyn Write, ended: &[EndedGrant]) -> io::Result<()> {
    let rows: Vec<Vec<String>> =
        ended.iter().map(|one| vec![subject(&one.group), held_until(one)]).collect();
    section(out, "Ended", &rows)
}

fn held_until(one: &EndedGrant) -> String {
    format!("held {} in {} until {} ({})", one.role, one.place, one.until, one.source)
}

fn places(rights: &[Right]) -> usize {
    let places = rights.iter().map(|right| &right.place);
    places.collect::<std::collections::BTreeSet<_>>().len()
}

pub(super) fn number(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// `debian:amara`, `service:ci`: the form that can be typed.
pub(super) fn who(who: &Who) -> String {
    match (&who.subject, &who.login) {
        (Subject::Person { directory, .. }, Some(login)) => format!("{directory}:{login}"),
        (subject, _) => subject.to_string(),
    }
}

/// `debian:mirrors`, `service:ci`.
pub(super) fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Group(group) => group.to_string(),
        Subject::ServiceGroup(name) => format!("service:{name}"),
        Subject::Person { .. }
        | Subject::Role(_)
        | Subject::Service(_)
        | Subject::Held { .. }
        | Subject::IdentityProvider(_)
        | Subject::Part { .. } => subject.to_string(),
    }
}

/// "through debian:mirrors, by way of sysadmin".
pub(super) fn through(way: &Way) -> String {
    let group = subject(&way.group);
    let text = match &way.joining {
        Joining::Direct => format!("through {group}"),
        Joining::Primary => format!("through {group} (primary)"),
        Joining::Through(other) => format!("through {group} (by way of {other})"),
        Joining::Itself => "itself".to_owned(),
        Joining::Jobs(federation) => format!("as {}", jobs(federation)),
    };
    match &way.blocked {
        None => text,
        Some(Blocked::User(name)) => format!("{text}; the user name {name} cannot be used"),
        Some(Blocked::Group(name)) => format!("{text}; the group name {name} cannot be used"),
        Some(Blocked::Role(name)) => format!("{text}; the role name {name} cannot be used"),
    }
}

fn joined(joining: &Joining) -> String {
    match joining {
        Joining::Direct | Joining::Itself | Joining::Jobs(_) => String::new(),
        Joining::Primary => "primary".to_owned(),
        Joining::Through(other) => format!("by way of {other}"),
    }
}

/// The places of grants, with their ends.
pub(super) fn lines(grants: &[GrantLine]) -> String {
    let line = |grant: &GrantLine| {
        let until = grant.until.map(|day| format!(" until {day}")).unwrap_or_default();
        format!("{}{until}", grant.source)
    };
    grants.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn why(why: &Why) -> String {
    match why {
        Why::Gone(standing) | Why::Unclear(standing) => standing.clone(),
        Why::RoleAccount => "a role account".to_owned(),
        Why::NoKey { privileged } => format!("no key, and the group holds {privileged}"),
        Why::Other(text) => text.clone(),
    }
}

fn users_in_words(number: usize) -> String {
    match number {
        0 => "nobody".to_owned(),
        1 => "1 person or service account".to_owned(),
        _ => format!("{number} people and service accounts"),
    }
}
