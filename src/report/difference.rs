//! What `reconcile diff` answers.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::comment::{Comment, entities};
use super::explanation::{lines, not_complete, number, subject, through, who};
use super::table::{CAUTION, HEADING, columns, style_of, styled};
use super::words::{attribute_changes, printable};
use crate::access::{
    AccountChange, AccountTerms, Difference, GroupRight, HubUser, NotComplete, Right, RoleChange,
};
use crate::model::{Place, Subject};

/// The version of the JSON form. A change that could break a reader changes the number.
pub const DIFFERENCE_FORMAT: &str = "reconcile-diff/1";

/// The first line of the comment, by which a script finds the one to replace.
pub const DIFFERENCE_MARKER: &str = "<!-- reconcile diff -->";

/// How many people are named in one line.
const NAMED: usize = 12;

/// The answer as a document.
#[derive(Serialize, JsonSchema)]
pub struct DifferenceReport<'a> {
    /// Always `reconcile-diff/1`.
    pub format: &'static str,
    /// What it was before.
    pub base: String,
    /// What it is after.
    pub head: String,
    /// The day both are seen on.
    pub today: String,
    /// What could not be read; while there is some, the answer lacks something.
    pub not_complete: &'a [NotComplete],
    /// What else there is to know about the answer.
    pub notes: &'a [String],
    /// The answer.
    pub difference: &'a Difference,
}

/// Writes the answer for scripts.
pub fn difference_json(out: &mut dyn Write, report: &DifferenceReport<'_>) -> io::Result<()> {
    crate::visible::write_json(out, report)
}

/// The JSON Schema of what [`difference_json`] writes.
pub fn difference_schema() -> Schema {
    schema_for!(DifferenceReport<'_>)
}

/// Writes the answer for people: what it comes to, then by account.
pub fn difference_text(out: &mut dyn Write, report: &DifferenceReport<'_>) -> io::Result<()> {
    let sides = format!("{} → {}", report.base, report.head);
    writeln!(out, "{HEADING}{}{HEADING:#}", printable(&sides))?;
    writeln!(out, "{}", summary(report))?;
    for Section { title, rows } in sections(report.difference) {
        writeln!(out, "\n{HEADING}{}{HEADING:#}", printable(&title))?;
        for (sign, line) in rows.lines() {
            let style = style_of(sign);
            writeln!(out, "  {style}{sign} {line}{style:#}")?;
        }
    }
    if !report.notes.is_empty() {
        writeln!(out)?;
        styled(out, CAUTION, "To know")?;
        for note in report.notes {
            writeln!(out, "  {}", printable(note))?;
        }
    }
    not_complete(out, report.not_complete)
}

/// Writes the answer as a comment on a merge request, with [`DIFFERENCE_MARKER`] as its first
/// line, the sum next and the details folded, cut at [`LONGEST_COMMENT`](super::LONGEST_COMMENT).
pub fn difference_markdown(out: &mut dyn Write, report: &DifferenceReport<'_>) -> io::Result<()> {
    let heading = format!("{DIFFERENCE_MARKER}\n### reconcile: {}\n\n", summary(report));
    let mut comment = Comment::new(heading);
    let sides = format!("{} → {}, on {}", report.base, report.head, report.today);
    comment.block("text", None, &mut std::iter::once(format!("= {}", printable(&sides))));
    let mut missing = report.not_complete.iter().map(|one| {
        let text = format!("? directory {}: {}", one.directory, one.missing);
        printable(&text).into_owned()
    });
    comment.block("text", Some("Not read completely, so something may lack here"), &mut missing);
    let mut notes = report.notes.iter().map(|note| format!("* {}", printable(note)));
    comment.block("text", Some("To know"), &mut notes);
    for Section { title, rows } in sections(report.difference) {
        let mut lines = rows.lines().into_iter().map(|(sign, line)| format!("{sign} {line}"));
        comment.block("diff", Some(&entities(&printable(&title))), &mut lines);
    }
    comment.finish(out)
}

/// What it comes to, in one line that holds nothing from outside.
fn summary(report: &DifferenceReport<'_>) -> String {
    let difference = report.difference;
    let incomplete = if report.not_complete.is_empty() { "" } else { ", as far as could be read" };
    if difference.is_empty() {
        return format!("nobody gets or loses anything{incomplete}");
    }
    let grants = difference.groups_added.len() + difference.groups_removed.len();
    let optional = [
        (difference.roles.len(), "role means something else", "roles mean something else"),
        (difference.accounts.len(), "account changes", "accounts change"),
        (difference.until.len(), "other end of a grant", "other ends of grants"),
        (grants, "change for a group", "changes for groups"),
    ];
    let optional = optional
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!(", {count} {}", if count == 1 { one } else { many }));
    format!(
        "{} given, {} taken; {} created, {} suspended{}{incomplete}",
        number(difference.added.len(), "right"),
        difference.removed.len(),
        number(difference.first_access.len(), "user"),
        difference.last_access.iter().filter(|user| !stays(difference, user)).count(),
        optional.collect::<String>(),
    )
}

struct Section {
    title: String,
    rows: Rows,
}

/// Rows with their sign.
#[derive(Default)]
struct Rows(Vec<(char, Vec<String>)>);

impl Rows {
    fn push(&mut self, sign: char, cells: Vec<String>) {
        self.0.push((sign, cells));
    }

    fn lines(self) -> Vec<(char, String)> {
        let (signs, cells): (Vec<char>, Vec<Vec<String>>) = self.0.into_iter().unzip();
        signs.into_iter().zip(columns(&cells)).collect()
    }
}

fn sections(difference: &Difference) -> Vec<Section> {
    let mut sections = vec![
        ("Users whose last access goes", users(difference, &difference.last_access, '-')),
        (
            "Users who get access for the first time",
            users(difference, &difference.first_access, '+'),
        ),
    ]
    .into_iter()
    .map(|(title, rows)| Section { title: title.to_owned(), rows })
    .collect::<Vec<_>>();
    sections.extend(rights(difference));
    let more = [
        ("What groups get and lose", groups(difference)),
        ("Ends of grants", until(difference)),
        ("Roles that mean something else", roles(&difference.roles)),
        ("Accounts", accounts(&difference.accounts)),
        ("Directories", directories(difference)),
    ];
    sections.extend(more.map(|(title, rows)| Section { title: title.to_owned(), rows }));
    sections.retain(|section| !section.rows.0.is_empty());
    sections
}

/// Whether a user nobody is entitled to any more is left alone: what the inventory does not have
/// is not looked at.
fn stays(difference: &Difference, user: &HubUser) -> bool {
    let directory_goes = match &user.who.subject {
        Subject::Person { directory, .. } => difference.directories_removed.contains(directory),
        Subject::Group(_)
        | Subject::Role(_)
        | Subject::Service(_)
        | Subject::ServiceGroup(_)
        | Subject::Held { .. }
        | Subject::IdentityProvider(_) => false,
    };
    directory_goes || leaves(difference, &user.hub)
}

fn leaves(difference: &Difference, place: &Place) -> bool {
    difference.accounts.iter().any(|change| change.place == *place && change.after.is_none())
}

fn users(difference: &Difference, users: &[HubUser], sign: char) -> Rows {
    let mut rows = Rows::default();
    for user in users {
        let verb = match sign {
            '+' => "created in",
            _ if stays(difference, user) => "no longer looked after in",
            _ => "suspended in",
        };
        let place = format!("{verb} {} as {}", user.hub, user.name);
        rows.push(sign, vec![who(&user.who), place]);
    }
    rows
}

/// One section per account.
fn rights(difference: &Difference) -> Vec<Section> {
    let mut places: BTreeMap<&Place, (Rows, usize, usize)> = BTreeMap::new();
    let row = |right: &Right| {
        let ways: Vec<String> = right.ways.iter().map(through).collect();
        let grants: Vec<String> = right.ways.iter().map(|way| lines(&way.grants)).collect();
        vec![who(&right.who), right.role.to_string(), ways.join(", "), grants.join(", ")]
    };
    for right in &difference.removed {
        let (rows, _, removed) = places.entry(&right.place).or_default();
        rows.push('-', row(right));
        *removed += 1;
    }
    for right in &difference.added {
        let (rows, added, _) = places.entry(&right.place).or_default();
        rows.push('+', row(right));
        *added += 1;
    }
    let section = |(place, (rows, added, removed))| {
        let note = if leaves(difference, place) {
            " (leaves the inventory: what is there stays as it is)"
        } else {
            ""
        };
        Section { title: format!("{place}: {added} given, {removed} taken{note}"), rows }
    };
    places.into_iter().map(section).collect()
}

fn groups(difference: &Difference) -> Rows {
    let mut rows = Rows::default();
    let mut push = |sign, right: &GroupRight| {
        let people = match right.people {
            0 => "nobody in it today".to_owned(),
            1 => "1 in it".to_owned(),
            people => format!("{people} in it"),
        };
        let grants = lines(&right.grants);
        let role = right.role.to_string();
        rows.push(sign, vec![right.place.to_string(), subject(&right.group), role, people, grants]);
    };
    difference.groups_removed.iter().for_each(|right| push('-', right));
    difference.groups_added.iter().for_each(|right| push('+', right));
    rows
}

fn until(difference: &Difference) -> Rows {
    let day = |day: Option<Date>| day.map_or("no end".to_owned(), |day| day.to_string());
    let mut rows = Rows::default();
    for change in &difference.until {
        let days = format!("{} → {}", day(change.before), day(change.after));
        let group = subject(&change.group);
        rows.push('~', vec![change.place.to_string(), group, change.role.to_string(), days]);
    }
    rows
}

fn roles(changes: &[RoleChange]) -> Rows {
    let mut rows = Rows::default();
    for change in changes {
        let RoleChange { role, vendor, before, after, places, people } = change;
        let mut texts = attribute_changes(&before.attributes, &after.attributes);
        if before.privileged != after.privileged {
            let now = if after.privileged { "now" } else { "no longer" };
            texts.push(format!("{now} privileged"));
        }
        let named: Vec<String> = people.iter().take(NAMED).map(who).collect();
        let more = people.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let affected = match people.len() {
            0 => "has no effect on anybody today".to_owned(),
            _ => format!("for {}{more}", named.join(", ")),
        };
        let places = number(places.len(), "account");
        let text = texts.join(", ");
        let where_from = format!("({})", after.source);
        let name = format!("{role} at {vendor}");
        rows.push('~', vec![name, text, where_from, format!("in {places}, {affected}")]);
    }
    rows
}

fn accounts(changes: &[AccountChange]) -> Rows {
    let mut rows = Rows::default();
    for AccountChange { place, before, after } in changes {
        let name = place.to_string();
        match (before, after) {
            (None, Some(after)) => {
                let text = format!("new: {} {}, {}", after.vendor, after.id, administrators(after));
                rows.push('+', vec![name, text]);
            }
            (Some(_), None) => {
                let text = "no longer in the inventory: what is there stays as it is";
                rows.push('-', vec![name, text.to_owned()]);
            }
            (Some(before), Some(after)) => {
                rows.push('~', vec![name, terms(before, after).join(", ")]);
            }
            (None, None) => {}
        }
    }
    rows
}

fn terms(before: &AccountTerms, after: &AccountTerms) -> Vec<String> {
    // Every field by name, so that a new one cannot be forgotten.
    let AccountTerms { vendor, id, hub, administrators: group, minimum, required } = before;
    let mut changes = Vec::new();
    if (vendor, id) != (&after.vendor, &after.id) {
        changes.push(format!("{vendor} {id} → {} {}", after.vendor, after.id));
    }
    if *hub != after.hub {
        changes.push(format!("users live in {hub} → {}", after.hub));
    }
    if (group, minimum, required) != (&after.administrators, &after.minimum, &after.required) {
        changes.push(format!("{} → {}", administrators(before), administrators(after)));
    }
    changes
}

fn administrators(terms: &AccountTerms) -> String {
    let Some(group) = &terms.administrators else { return "no administrators".to_owned() };
    let required: Vec<&str> = terms.required.iter().map(AsRef::as_ref).collect();
    let required = match required.as_slice() {
        [] => String::new(),
        names => format!(", among them {}", names.join(" and ")),
    };
    format!("administrators {group} (at least {}{required})", terms.minimum)
}

fn directories(difference: &Difference) -> Rows {
    let mut rows = Rows::default();
    for name in &difference.directories_removed {
        let text = "no longer in the inventory: users of its people stay as they are; mark it as \
                    retired to have them removed";
        rows.push('-', vec![name.to_string(), text.to_owned()]);
    }
    for name in &difference.directories_added {
        rows.push('+', vec![name.to_string(), "new".to_owned()]);
    }
    rows
}
