//! The lines of a difference, in the order in which a reviewer must see them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::explanation::{lines, number, subject, through, who};
use super::settings;
use super::table::columns;
use super::words::{attribute_changes, cut_at, text_change};
use crate::model::{Place, RoleName, Subject};
use crate::rights::{
    AccountChange, AccountTerms, Difference, GroupRight, HubUser, Right, RoleChange, RoleTerms,
    Setting, SettingChange, UntilChange, Weight,
};

/// How many people are named in one line.
const NAMED: usize = 12;

/// A longer cell of what must be seen is cut, so that no line can push another one out.
const LONGEST_CELL: usize = 300;

/// Some lines under a title.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) rows: Rows,
    /// What is never left out: where it does not fit, ever shorter forms of it.
    pub(super) must_be_seen: Option<Shorter>,
}

/// What stands for lines that do not fit: counts by place, and counts that always fit.
pub(super) struct Shorter {
    pub(super) counts: Rows,
    pub(super) sum: Rows,
}

/// Rows with their sign.
#[derive(Default)]
pub(super) struct Rows(Vec<(char, Vec<String>)>);

impl Rows {
    fn push(&mut self, sign: char, cells: Vec<String>) {
        self.0.push((sign, cells));
    }

    fn cut(mut self) -> Self {
        for cell in self.0.iter_mut().flat_map(|(_, cells)| cells) {
            *cell = cut_at(cell, LONGEST_CELL).into_owned();
        }
        self
    }

    pub(super) fn lines(self) -> Vec<(char, String)> {
        let (signs, cells): (Vec<char>, Vec<Vec<String>>) = self.0.into_iter().unzip();
        signs.into_iter().zip(columns(&cells)).collect()
    }
}

/// Everything: what must be seen first, then administrators who go, then the rest.
pub(super) fn sections(difference: &Difference) -> Vec<Section> {
    let mut sections = vec![directories(difference), weaker(difference), powerful(difference)];
    let plain = |title: &str, rows| Section { title: title.to_owned(), rows, must_be_seen: None };
    sections.extend([
        plain("Privileged rights taken", administrators_who_go(difference)),
        plain("Users whose last access goes", users(difference, &difference.last_access, '-')),
        plain(
            "Users who get access for the first time",
            users(difference, &difference.first_access, '+'),
        ),
    ]);
    sections.extend(rights(difference));
    sections.extend([
        plain("What groups get and lose", groups(difference)),
        plain("Ends of grants", ends(difference)),
        plain("Roles that come, go or mean something else", {
            let others = |one: &&RoleChange| one.weight != Weight::Dangerous;
            roles(difference.roles.iter().filter(others))
        }),
        plain("Accounts", {
            let others = |one: &&AccountChange| one.weight != Weight::Dangerous;
            accounts(difference.accounts.iter().filter(others))
        }),
        plain("Other settings", {
            let others = |one: &&SettingChange| one.weight != Weight::Dangerous;
            settings_rows(difference.settings.iter().filter(others))
        }),
    ]);
    sections.retain(|section| !section.rows.0.is_empty());
    sections
}

pub(super) fn is_directory(change: &SettingChange) -> bool {
    matches!(change.what, Setting::Directory { .. })
}

fn settings_rows<'a>(changes: impl Iterator<Item = &'a SettingChange>) -> Rows {
    Rows(changes.map(settings::row).collect())
}

fn counted<'a>(kinds: impl Iterator<Item = &'a str>) -> Rows {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    let row = |(kind, count)| ('!', vec![format!("{count} times: {kind}")]);
    Rows(counts.into_iter().map(row).collect())
}

fn directories(difference: &Difference) -> Section {
    let changes = || {
        let changes = difference.settings.iter().filter(|one| is_directory(one));
        changes.filter(|one| one.weight == Weight::Dangerous)
    };
    let kinds = || counted(changes().map(|one| settings::kind(&one.what)));
    Section {
        title: "Where people come from".to_owned(),
        rows: settings_rows(changes()).cut(),
        must_be_seen: Some(Shorter { counts: kinds(), sum: kinds() }),
    }
}

/// Settings, roles and accounts that protect less or mean more.
fn weaker(difference: &Difference) -> Section {
    let changes = || {
        let changes = difference.settings.iter().filter(|one| !is_directory(one));
        changes.filter(|one| one.weight == Weight::Dangerous)
    };
    let meanings = || difference.roles.iter().filter(|one| one.weight == Weight::Dangerous);
    let places = || difference.accounts.iter().filter(|one| one.weight == Weight::Dangerous);
    let mut rows = settings_rows(changes());
    rows.0.extend(roles(meanings()).0.into_iter().map(|(_, cells)| ('!', cells)));
    rows.0.extend(accounts(places()).0.into_iter().map(|(_, cells)| ('!', cells)));
    let kinds = || {
        let kinds = changes().map(|one| settings::kind(&one.what));
        let kinds = kinds.chain(meanings().map(|_| "a role means more"));
        counted(kinds.chain(places().map(|_| "an account is another one, or keeps fewer people")))
    };
    Section {
        title: "What protects less or means more".to_owned(),
        rows: rows.cut(),
        must_be_seen: Some(Shorter { counts: kinds(), sum: kinds() }),
    }
}

/// Privileged roles that are given: grants first, then each person.
fn powerful(difference: &Difference) -> Section {
    let grants: Vec<&GroupRight> =
        difference.groups_added.iter().filter(|one| one.privileged).collect();
    let longer: Vec<&UntilChange> =
        difference.until.iter().filter(|one| one.privileged && one.is_longer()).collect();
    let rights: Vec<&Right> = difference.added.iter().filter(|one| one.privileged).collect();
    let mut rows = Rows::default();
    rows.0.extend(grants.iter().map(|right| ('+', group_row(right))));
    rows.0.extend(longer.iter().map(|change| ('~', end_row(change))));
    for right in &rights {
        let [person, role, ways, grants] = right_row(right);
        rows.push('+', vec![right.place.to_string(), person, role, ways, grants]);
    }
    let mut by_place: BTreeMap<(&Place, &RoleName), (usize, usize)> = BTreeMap::new();
    for one in &grants {
        by_place.entry((&one.place, &one.role)).or_default().0 += 1;
    }
    for one in &rights {
        by_place.entry((&one.place, &one.role)).or_default().1 += 1;
    }
    let mut counts = Rows::default();
    for ((place, role), (groups, people)) in &by_place {
        let (groups, people) = (number(*groups, "group"), number(*people, "person or service"));
        counts.push('+', vec![place.to_string(), role.to_string(), groups, people]);
    }
    let people: BTreeSet<_> = rights.iter().map(|one| &one.who.subject).collect();
    let sum = format!(
        "privileged roles: {} and {} given to {} in {}; {} longer",
        number(grants.len(), "grant"),
        number(rights.len(), "right"),
        number(people.len(), "person or service"),
        number(by_place.keys().map(|(place, _)| place).collect::<BTreeSet<_>>().len(), "account"),
        number(longer.len(), "grant"),
    );
    Section {
        title: "Privileged rights given".to_owned(),
        rows: rows.cut(),
        must_be_seen: Some(Shorter { counts: counts.cut(), sum: Rows(vec![('+', vec![sum])]) }),
    }
}

fn administrators_who_go(difference: &Difference) -> Rows {
    let mut rows = Rows::default();
    for right in difference.groups_removed.iter().filter(|one| one.privileged) {
        rows.push('-', group_row(right));
    }
    for right in difference.removed.iter().filter(|one| one.privileged) {
        let [person, role, ways, grants] = right_row(right);
        rows.push('-', vec![right.place.to_string(), person, role, ways, grants]);
    }
    rows
}

/// Whether a user nobody is entitled to any more is left alone: what the inventory does not have
/// is not looked at.
pub(super) fn stays(difference: &Difference, user: &HubUser) -> bool {
    let directory_goes = match &user.who.subject {
        Subject::Person { directory, .. } => difference.directories_removed.contains(directory),
        Subject::Group(_)
        | Subject::Role(_)
        | Subject::Service(_)
        | Subject::ServiceGroup(_)
        | Subject::Held { .. }
        | Subject::IdentityProvider(_)
        | Subject::Part { .. } => false,
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

fn right_row(right: &Right) -> [String; 4] {
    let ways: Vec<String> = right.ways.iter().map(through).collect();
    let grants: Vec<String> = right.ways.iter().map(|way| lines(&way.grants)).collect();
    [who(&right.who), right.role.to_string(), ways.join(", "), grants.join(", ")]
}

/// One section per account, of what is not privileged.
fn rights(difference: &Difference) -> Vec<Section> {
    let mut places: BTreeMap<&Place, (Rows, usize, usize)> = BTreeMap::new();
    for right in difference.removed.iter().filter(|one| !one.privileged) {
        let (rows, _, removed) = places.entry(&right.place).or_default();
        rows.push('-', right_row(right).into());
        *removed += 1;
    }
    for right in difference.added.iter().filter(|one| !one.privileged) {
        let (rows, added, _) = places.entry(&right.place).or_default();
        rows.push('+', right_row(right).into());
        *added += 1;
    }
    let section = |(place, (rows, added, removed))| {
        let note = if leaves(difference, place) {
            " (leaves the inventory: what is there stays as it is)"
        } else {
            ""
        };
        let title = format!("{place}: {added} given, {removed} taken, not privileged{note}");
        Section { title, rows, must_be_seen: None }
    };
    places.into_iter().map(section).collect()
}

fn groups(difference: &Difference) -> Rows {
    let mut rows = Rows::default();
    let plain = |one: &&GroupRight| !one.privileged;
    let removed = difference.groups_removed.iter().filter(plain);
    rows.0.extend(removed.map(|right| ('-', group_row(right))));
    let added = difference.groups_added.iter().filter(plain);
    rows.0.extend(added.map(|right| ('+', group_row(right))));
    rows
}

fn group_row(right: &GroupRight) -> Vec<String> {
    let people = match (right.people, right.people_known) {
        (0, false) => "who is in it is not known here".to_owned(),
        (people, false) => format!("at least {people} in it"),
        (0, true) => "nobody in it today".to_owned(),
        (1, true) => "1 in it".to_owned(),
        (people, true) => format!("{people} in it"),
    };
    let role = right.role.to_string();
    vec![right.place.to_string(), subject(&right.group), role, people, lines(&right.grants)]
}

fn ends(difference: &Difference) -> Rows {
    let mut rows = Rows::default();
    let shown = |one: &&UntilChange| !(one.privileged && one.is_longer());
    rows.0.extend(difference.until.iter().filter(shown).map(|change| ('~', end_row(change))));
    rows
}

fn end_row(change: &UntilChange) -> Vec<String> {
    let day = |day: Option<Date>| day.map_or("no end".to_owned(), |day| day.to_string());
    let days = format!("{} → {}", day(change.before), day(change.after));
    vec![change.place.to_string(), subject(&change.group), change.role.to_string(), days]
}

fn roles<'a>(changes: impl Iterator<Item = &'a RoleChange>) -> Rows {
    let mut rows = Rows::default();
    for change in changes {
        let RoleChange { weight: _, role, vendor, before, after, places, people } = change;
        let nothing = BTreeMap::default();
        let attributes = |side: &'a Option<RoleTerms>| side.as_ref().map(|one| &one.attributes);
        let (was, is) = (attributes(before), attributes(after));
        let mut texts = attribute_changes(was.unwrap_or(&nothing), is.unwrap_or(&nothing));
        let privileged = |side: &Option<RoleTerms>| side.as_ref().is_some_and(|one| one.privileged);
        let (sign, prefix) = match (before, after) {
            (None, _) => ('+', "new: "),
            (_, None) => ('-', "gone: "),
            (Some(before), Some(after)) => {
                if before.description != after.description {
                    let text = text_change(&before.description, &after.description);
                    texts.push(format!("description {text}"));
                }
                ('~', "")
            }
        };
        match (privileged(before), privileged(after)) {
            (true, false) => texts.push("no longer privileged".to_owned()),
            (false, true) => texts.push("now privileged".to_owned()),
            (true, true) | (false, false) => {}
        }
        let named: Vec<String> = people.iter().take(NAMED).map(who).collect();
        let more = people.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let affected = match (people.len(), places.len()) {
            (0, 0) => "nobody holds it on both sides".to_owned(),
            (0, places) => {
                format!("in {}, has no effect on anybody today", number(places, "account"))
            }
            (_, places) => {
                format!("in {}, for {}{more}", number(places, "account"), named.join(", "))
            }
        };
        let written = after.as_ref().or(before.as_ref()).map(|terms| terms.source.to_string());
        let text = format!("{prefix}{}", texts.join(", "));
        let place = format!("({})", written.unwrap_or_default());
        rows.push(sign, vec![format!("role {role} at {vendor}"), text, place, affected]);
    }
    rows
}

fn accounts<'a>(changes: impl Iterator<Item = &'a AccountChange>) -> Rows {
    let mut rows = Rows::default();
    for AccountChange { weight: _, place, before, after } in changes {
        let name = format!("account {place}");
        match (before, after) {
            (None, Some(after)) => {
                let text = format!("new: {} {}, {}", after.vendor, after.id, administrators(after));
                rows.push('+', vec![name, text, format!("({})", after.source)]);
            }
            (Some(before), None) => {
                let text = "no longer in the inventory: what is there stays as it is, also of \
                            those who leave; `retired: true` ends it";
                rows.push('-', vec![name, text.to_owned(), format!("(was {})", before.source)]);
            }
            (Some(before), Some(after)) => {
                let text = terms(before, after).join(", ");
                rows.push('~', vec![name, text, format!("({})", after.source)]);
            }
            (None, None) => {}
        }
    }
    rows
}

fn terms(before: &AccountTerms, after: &AccountTerms) -> Vec<String> {
    // Every field by name, so that a new one cannot be forgotten.
    let AccountTerms {
        vendor,
        id,
        hub,
        administrators: group,
        minimum,
        required,
        project,
        partition,
        settings,
        source: _,
        retired,
    } = before;
    let side = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
    let mut changes = Vec::new();
    match (*retired, after.retired) {
        (false, true) => changes.push("given up: everything of ours in it ends".to_owned()),
        (true, false) => changes.push("no longer given up".to_owned()),
        (false, false) | (true, true) => {}
    }
    if (vendor, id) != (&after.vendor, &after.id) {
        changes.push(format!("{vendor} {id} → {} {}", after.vendor, after.id));
    }
    if *partition != after.partition {
        let (was, is) = (side(partition.clone()), side(after.partition.clone()));
        changes.push(format!("partition {was} → {is}"));
    }
    if *hub != after.hub {
        changes.push(format!("users live in {hub} → {}", after.hub));
    }
    if *project != after.project {
        let name =
            |name: &Option<crate::model::ProjectName>| side(name.as_ref().map(ToString::to_string));
        let (was, is) = (name(project), name(&after.project));
        changes.push(format!("belongs to project {was} → {is}, whose folders may grant on it"));
    }
    let names: BTreeSet<_> = settings.keys().chain(after.settings.keys()).collect();
    for name in names {
        let (was, is) = (settings.get(name), after.settings.get(name));
        if was != is {
            let (was, is) = (side(was.cloned()), side(is.cloned()));
            changes.push(format!("{name} {was} → {is}"));
        }
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
