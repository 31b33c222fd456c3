//! Changes of settings in words a reviewer understands at three in the morning.

use std::collections::BTreeSet;

use super::explanation::{number, proof};
use crate::model::{AccountName, DirectoryName, ObjectName, OrganisationName};
use crate::pattern;
use crate::rights::{
    Amount, DirectorySetting, FolderRight, Limited, ProjectTerms, Proof, Protection, ServiceTerms,
    Setting, SettingChange, Weight,
};

/// One change in the columns of a report, with its sign.
pub(super) fn row(change: &SettingChange) -> (char, Vec<String>) {
    let SettingChange { weight, what, was, now } = change;
    let sign = match weight {
        Weight::Dangerous => '!',
        Weight::Notable | Weight::Harmless => '~',
    };
    let place = match (now, was) {
        (Some(now), _) => format!("({now})"),
        (None, Some(was)) => format!("(was {was})"),
        (None, None) => String::new(),
    };
    (sign, vec![words(what), place])
}

/// What the change is one of, for counting.
pub(super) fn kind(what: &Setting) -> &'static str {
    match what {
        Setting::Directory { setting, before, after, .. } => match (setting, before, after) {
            (DirectorySetting::Origin, None, _) => "a directory is new",
            (DirectorySetting::Origin, _, None) => "a directory is gone",
            (DirectorySetting::LoginMap | DirectorySetting::GroupMap, ..) => {
                "somebody of a directory gets another name"
            }
            (DirectorySetting::NamePrefix, ..) => "everybody of a directory gets another name",
            (DirectorySetting::Reissued, ..) => "an id of a directory is another person's",
            (DirectorySetting::StableId, ..) => "people of a directory are told apart otherwise",
            _ => "people of a directory come from another place, or are read in another way",
        },
        Setting::Protected { before: Some(Protection { break_glass: true, .. }), .. } => {
            "the way in when everything fails loses its protection"
        }
        Setting::Protected { .. } => "a user is protected in another way",
        Setting::Limit { .. } => "a limit of removals is another one",
        Setting::GraceDays { .. } => "suspended users are deleted after another time",
        Setting::PrivilegedNeedsKey { .. } => "privileged roles and keys",
        Setting::PrivilegedNeedsActive { .. } => "privileged roles and states",
        Setting::PlanValidHours { .. } => "saved plans hold for another time",
        Setting::FoldersRestricted { .. } => "whether folders are restricted at all",
        Setting::Folder { .. } => "a folder may define something else",
        Setting::Sink { .. } => "keys may go to another place",
        Setting::Project { .. } => "a project is another one",
        Setting::ServiceAccount { .. } => "a service account is in other hands",
    }
}

fn words(what: &Setting) -> String {
    match what {
        Setting::Directory { directory, setting, before, after } => {
            of_directory(directory, *setting, before.as_deref(), after.as_deref())
        }
        Setting::Protected { user, account, before, after } => {
            of_protected(user, account.as_ref(), before.as_ref(), after.as_ref())
        }
        Setting::Limit { organisations, all_others, of, before, after } => {
            of_limit(organisations, *all_others, *of, *before, *after)
        }
        Setting::GraceDays { before, after: 0 } => format!(
            "suspended users are deleted at once instead of after {}: nobody can come back",
            number(*before as usize, "day")
        ),
        Setting::GraceDays { before, after } => format!(
            "suspended users are deleted after {} instead of {before}",
            number(*after as usize, "day")
        ),
        Setting::PrivilegedNeedsKey { after: true, .. } => {
            "privileged roles need a registered key".to_owned()
        }
        Setting::PrivilegedNeedsKey { after: false, .. } => {
            "privileged roles no longer need a registered key".to_owned()
        }
        Setting::PrivilegedNeedsActive { after: true, .. } => {
            "privileged roles are for the plainly active only".to_owned()
        }
        Setting::PrivilegedNeedsActive { after: false, .. } => {
            "privileged roles are also for those whose state nobody knows, or who are leaving"
                .to_owned()
        }
        Setting::PlanValidHours { before, after } => {
            format!("a saved plan may be applied for {after} instead of {before} hours")
        }
        Setting::FoldersRestricted { after: true, .. } => {
            "what a folder may define is restricted; before, every folder could define everything"
                .to_owned()
        }
        Setting::FoldersRestricted { after: false, .. } => {
            "no folder is restricted any more: each may define everything and grant every role on \
             every account"
                .to_owned()
        }
        Setting::Folder { path, before, after } => of_folder(path, before, after),
        Setting::Sink { sink, before, after } => match (before, after) {
            (None, Some(after)) => format!(
                "sink {sink} is new ({after}): keys may go wherever the operator's file says it is"
            ),
            (_, None) => format!("sink {sink} is gone"),
            (Some(_), Some(_)) => format!("sink {sink} is described in other words"),
        },
        Setting::Project { project, before, after } => {
            let name = |terms: &Option<ProjectTerms>| {
                let directory = terms.as_ref().and_then(|terms| terms.directory.clone());
                directory.map(|name| name.to_string())
            };
            match (before, after) {
                (None, _) => format!("project {project} is new"),
                (_, None) => format!("project {project} is gone"),
                (Some(_), Some(_)) if name(before) == name(after) => {
                    format!("project {project} is described in other words")
                }
                (Some(_), Some(_)) => format!(
                    "project {project} is about people of another directory: {}",
                    arrow(name(before).as_deref(), name(after).as_deref())
                ),
            }
        }
        Setting::ServiceAccount { service, before, after } => match (before, after) {
            (Some(before), Some(after)) => {
                format!("service account {service}: {}", of_service(before, after))
            }
            (None, Some(after)) => format!(
                "service account {service} is new: {}; {} answers for it",
                proof(&after.proof),
                after.owners
            ),
            (_, None) => format!("service account {service} is gone"),
        },
    }
}

fn arrow(before: Option<&str>, after: Option<&str>) -> String {
    format!("{} → {}", before.unwrap_or("nothing"), after.unwrap_or("nothing"))
}

fn of_directory(
    name: &DirectoryName,
    setting: DirectorySetting,
    before: Option<&str>,
    after: Option<&str>,
) -> String {
    let quoted = |side: Option<&str>| side.map_or("nothing".to_owned(), |text| format!("'{text}'"));
    let change = format!("{} → {}", quoted(before), quoted(after));
    let place = |text: &str| if text.contains("://") { "server" } else { "file" };
    match setting {
        DirectorySetting::Origin => match (before, after) {
            (None, Some(after)) => format!(
                "directory {name} is new: its people come from {after}, which was not asked"
            ),
            (Some(_), Some("retired")) => {
                format!("directory {name} is retired: everybody in it counts as departed")
            }
            (Some("retired"), Some(after)) => format!(
                "directory {name} is no longer retired: its people come from {after}, which was \
                 not asked"
            ),
            (Some(before), Some(after)) => format!(
                "people of directory {name} come from another {}: {before} → {after}",
                place(after)
            ),
            (_, None) => format!(
                "directory {name} is no longer in the inventory: users of its people stay as they \
                 are, also of those who leave; mark it as retired to have them removed"
            ),
        },
        DirectorySetting::Schema => {
            format!("people of directory {name} are understood in another way: schema {change}")
        }
        DirectorySetting::Base => {
            format!("people of directory {name} come from another part of it: base {change}")
        }
        DirectorySetting::PeopleBase => {
            format!("people of directory {name} come from another part of it: {change}")
        }
        DirectorySetting::GroupsBase => {
            format!("groups of directory {name} come from another part of it: {change}")
        }
        DirectorySetting::StableId => format!(
            "people of directory {name} are told apart by another attribute: {change}; everybody \
             counts as somebody new"
        ),
        DirectorySetting::Reissued => format!(
            "ids of directory {name} stand for somebody else: {change}; those whose they were lose \
             what they have"
        ),
        DirectorySetting::PeopleFilter => {
            format!("other entries of directory {name} are people: {change}")
        }
        DirectorySetting::GroupsFilter => {
            format!("other entries of directory {name} are groups: {change}")
        }
        DirectorySetting::GoneWords => {
            format!("other words of directory {name} mean that somebody left: {change}")
        }
        DirectorySetting::LockedWhen => {
            format!("other attributes of directory {name} lock somebody: {change}")
        }
        DirectorySetting::LoginMap => {
            format!("users of directory {name} are called something else: {change}")
        }
        DirectorySetting::GroupMap => {
            format!("groups of directory {name} are called something else: {change}")
        }
        DirectorySetting::NamePrefix => {
            let side = |side: Option<&str>| side.unwrap_or_default().to_owned();
            let (before, after) = (side(before), side(after));
            format!(
                "everybody in directory {name} gets another name: prefix '{before}' → '{after}'"
            )
        }
        DirectorySetting::Trust => {
            format!("directory {name} is believed on the word of other certificates: {change}")
        }
        DirectorySetting::Bind => format!("directory {name} is read as somebody else: {change}"),
        DirectorySetting::StartTls => {
            format!("whether the connection to directory {name} is made secure: {change}")
        }
        DirectorySetting::PageSize => format!("entries per page of directory {name}: {change}"),
        DirectorySetting::ConnectSeconds => {
            format!("seconds for connecting to directory {name}: {change}")
        }
        DirectorySetting::ReadSeconds => {
            format!("seconds for an answer of directory {name}: {change}")
        }
        DirectorySetting::Attempts => format!("attempts at reading directory {name}: {change}"),
        DirectorySetting::TotalSeconds => {
            format!("seconds that reading directory {name} may take in all: {change}")
        }
        DirectorySetting::MostMegabytes => {
            format!("megabytes that may be kept of directory {name}: {change}")
        }
    }
}

fn of_protected(
    user: &ObjectName,
    account: Option<&AccountName>,
    before: Option<&Protection>,
    after: Option<&Protection>,
) -> String {
    let place = account.map_or("in all accounts".to_owned(), |name| format!("in {name}"));
    let way_in = |side: Option<&Protection>| side.is_some_and(|one| one.break_glass);
    let reason = |one: &Protection| one.reason.clone();
    match (before, after) {
        (Some(_), None) if way_in(before) => {
            format!("the way in when everything fails ({user} {place}) is no longer protected")
        }
        (Some(_), None) => format!("user {user} {place} is no longer protected"),
        (None, Some(after)) if way_in(Some(after)) => format!(
            "user {user} {place} is protected as a way in when everything fails: {}",
            reason(after)
        ),
        (None, Some(after)) => format!(
            "user {user} {place} is protected: no run takes anything from it, also when its person \
             leaves: {}",
            reason(after)
        ),
        _ if way_in(before) && !way_in(after) => {
            format!("user {user} {place} no longer counts as the way in when everything fails")
        }
        _ if way_in(after) && !way_in(before) => {
            format!("user {user} {place} now counts as a way in when everything fails")
        }
        _ => format!("user {user} {place} is protected for another reason"),
    }
}

fn of_limit(
    organisations: &[OrganisationName],
    all_others: bool,
    of: Limited,
    before: Amount,
    after: Amount,
) -> String {
    let mut whose: Vec<&str> = organisations.iter().map(AsRef::as_ref).collect();
    if all_others {
        whose.push("every organisation without limits of its own");
    }
    let whose = whose.join(", ");
    // Every field by name, so that a new one cannot be forgotten.
    let Amount { count, percent, floor } = before;
    let mut parts = Vec::new();
    if count != after.count {
        parts.push(format!("up to {} instead of {count}", after.count));
    }
    if percent != after.percent {
        parts.push(format!("up to {} % instead of {percent} %", after.percent));
    }
    if floor != after.floor {
        parts.push(format!("always {} instead of {floor}", after.floor));
    }
    let parts = parts.join(", ");
    match of {
        Limited::Kind(kind) => {
            format!("limits: {parts} {} of {whose} may be removed in one run", kind.plural())
        }
        Limited::Access => format!(
            "limits: {parts} accesses (one person in one account) of {whose} may be taken in one run"
        ),
        Limited::Directory => format!(
            "limits: {parts} people of a directory may be missing before {whose} no longer \
             believes it"
        ),
    }
}

fn of_folder(path: &str, before: &[FolderRight], after: &[FolderRight]) -> String {
    let mut parts = Vec::new();
    if let ([before], [after]) = (before, after) {
        parts.extend(gained(before, after).map(|text| format!("may now {text}")));
        parts.extend(gained(after, before).map(|text| format!("may no longer {text}")));
    } else {
        parts.extend(after.iter().map(|right| format!("may now {}", whole(right))));
        parts.extend(before.iter().map(|right| format!("may no longer {}", whole(right))));
    }
    format!("folder {path} {}", parts.join("; "))
}

/// What one right allows and another does not: added roles hold everywhere, added places for the
/// roles there were.
fn gained(before: &FolderRight, after: &FolderRight) -> Option<String> {
    // Every field by name, so that a new one cannot be forgotten.
    let FolderRight { define, roles, accounts, projects } = after;
    let knows = |known: &BTreeSet<String>, text: &String| {
        known.iter().any(|known| pattern::matches(known, text))
    };
    let mut parts = Vec::new();
    let kinds: Vec<&str> = define.difference(&before.define).map(String::as_str).collect();
    if !kinds.is_empty() {
        parts.push(format!("define {}", kinds.join(", ")));
    }
    let (old, new): (Vec<&String>, Vec<&String>) =
        roles.iter().partition(|role| knows(&before.roles, role));
    if !new.is_empty() {
        parts.push(format!("grant {} on {}", names(new, "role"), places(after)));
    }
    let everywhere = before.accounts.contains("*");
    let new_places = FolderRight {
        define: BTreeSet::new(),
        roles: BTreeSet::new(),
        accounts: accounts.iter().filter(|one| !knows(&before.accounts, one)).cloned().collect(),
        projects: projects
            .iter()
            .filter(|one| !everywhere && !before.projects.contains(*one))
            .cloned()
            .collect(),
    };
    let adds = !(new_places.accounts.is_empty() && new_places.projects.is_empty());
    if adds && !old.is_empty() {
        parts.push(format!("grant {} on {}", names(old, "role"), places(&new_places)));
    }
    (!parts.is_empty()).then(|| parts.join(" and "))
}

fn whole(right: &FolderRight) -> String {
    let define: Vec<&str> = right.define.iter().map(String::as_str).collect();
    let mut text = format!("define {}", define.join(", "));
    if !right.roles.is_empty() {
        text = format!("{text} and grant {} on {}", names(&right.roles, "role"), places(right));
    }
    text
}

fn names<'a>(all: impl IntoIterator<Item = &'a String>, what: &str) -> String {
    let name = |name: &String| if name == "*" { format!("every {what}") } else { name.clone() };
    all.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

fn places(right: &FolderRight) -> String {
    let accounts = (!right.accounts.is_empty()).then(|| names(&right.accounts, "account"));
    let projects = right.projects.iter().map(|name| format!("accounts of project {name}"));
    let all: Vec<String> = accounts.into_iter().chain(projects).collect();
    if all.is_empty() { "no account".to_owned() } else { all.join(", ") }
}

fn of_service(before: &ServiceTerms, after: &ServiceTerms) -> String {
    // Every field by name, so that a new one cannot be forgotten.
    let ServiceTerms { project, owners, proof: was } = before;
    let mut parts = Vec::new();
    if *was != after.proof {
        match (was, &after.proof) {
            (Proof::Key { sink: before, .. }, Proof::Key { sink, .. }) if before != sink => {
                parts.push(format!("its key goes to {sink} instead of {before}"));
            }
            (before, after) => parts.push(format!("{} → {}", proof(before), proof(after))),
        }
    }
    if *owners != after.owners {
        parts.push(format!("{} answers for it instead of {owners}", after.owners));
    }
    if *project != after.project {
        let side =
            |name: &Option<crate::model::ProjectName>| name.as_ref().map(ToString::to_string);
        parts.push(format!(
            "project {}",
            arrow(side(project).as_deref(), side(&after.project).as_deref())
        ));
    }
    parts.join("; ")
}
