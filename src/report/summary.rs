//! What a difference comes to, in one line that holds nothing from outside.

use std::collections::BTreeSet;

use super::explanation::number;
use super::sections::{is_directory, stays};
use crate::rights::{Difference, DirectorySetting, NotComplete, Setting, SettingChange, Weight};

/// What to look at first, worst first; empty where nothing is dangerous and everybody is known.
pub(super) fn first_of_all(difference: &Difference, missing: &[NotComplete]) -> Vec<String> {
    let mut texts = where_from(difference);
    let unknown: BTreeSet<_> =
        missing.iter().filter(|one| one.people == 0).map(|one| &one.directory).collect();
    if !unknown.is_empty() {
        let directories = match unknown.len() {
            1 => "1 directory".to_owned(),
            directories => format!("{directories} directories"),
        };
        texts.push(format!("people of {directories} are not known here"));
    }
    texts.extend(weaker(difference));
    texts.extend(powerful(difference));
    texts
}

fn where_from(difference: &Difference) -> Vec<String> {
    let settings: BTreeSet<DirectorySetting> = difference
        .settings
        .iter()
        .filter(|one| one.weight == Weight::Dangerous)
        .filter_map(|one| match one.what {
            Setting::Directory { setting, .. } => Some(setting),
            _ => None,
        })
        .collect();
    let mut texts = Vec::new();
    let names = [
        DirectorySetting::NamePrefix,
        DirectorySetting::LoginMap,
        DirectorySetting::GroupMap,
        DirectorySetting::StableId,
        DirectorySetting::Reissued,
    ];
    if settings.iter().any(|setting| !names.contains(setting)) {
        texts.push("people come from another place".to_owned());
    }
    if settings.contains(&DirectorySetting::NamePrefix) {
        texts.push("everybody of a directory gets another name".to_owned());
    }
    if settings.contains(&DirectorySetting::LoginMap)
        || settings.contains(&DirectorySetting::GroupMap)
    {
        texts.push("somebody of a directory gets another name".to_owned());
    }
    if settings.contains(&DirectorySetting::StableId) {
        texts.push("everybody of a directory counts as somebody new".to_owned());
    }
    if settings.contains(&DirectorySetting::Reissued) {
        texts.push("an id of a directory is another person's".to_owned());
    }
    texts
}

fn weaker(difference: &Difference) -> Vec<String> {
    let settings = |of: &dyn Fn(&Setting) -> bool| {
        let dangerous = |one: &&SettingChange| one.weight == Weight::Dangerous && of(&one.what);
        difference.settings.iter().filter(dangerous).count()
    };
    let roles = difference.roles.iter().filter(|one| one.weight == Weight::Dangerous).count();
    let accounts = difference.accounts.iter().filter(|one| one.weight == Weight::Dangerous).count();
    [
        (
            settings(&|what| matches!(what, Setting::Protected { .. })),
            "protection removed",
            "protections removed",
        ),
        (settings(&|what| matches!(what, Setting::Limit { .. })), "limit opened", "limits opened"),
        (
            settings(&|what| matches!(what, Setting::GraceDays { .. })),
            "shorter time until users are deleted",
            "",
        ),
        (
            settings(&|what| matches!(what, Setting::PrivilegedNeedsKey { .. })),
            "rule gone: privileged roles need no key",
            "",
        ),
        (
            settings(&|what| matches!(what, Setting::PrivilegedNeedsActive { .. })),
            "rule gone: privileged roles are not for the plainly active only",
            "",
        ),
        (
            settings(&|what| matches!(what, Setting::PlanValidHours { .. })),
            "longer time for saved plans",
            "",
        ),
        (
            settings(&|what| matches!(what, Setting::FoldersRestricted { .. })),
            "rule gone: every folder may define everything",
            "",
        ),
        (
            settings(&|what| matches!(what, Setting::Folder { .. })),
            "folder may grant more",
            "folders may grant more",
        ),
        (
            settings(&|what| matches!(what, Setting::Sink { .. })),
            "new place for keys",
            "new places for keys",
        ),
        (
            settings(&|what| matches!(what, Setting::ServiceAccount { .. })),
            "service account in other hands",
            "service accounts in other hands",
        ),
        (roles, "role means more", "roles mean more"),
        (
            accounts,
            "account is another one or keeps fewer administrators",
            "accounts are others or keep fewer administrators",
        ),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
    .collect()
}

fn powerful(difference: &Difference) -> Vec<String> {
    let rights =
        |rights: &[crate::rights::Right]| rights.iter().filter(|one| one.privileged).count();
    let grants = difference.groups_added.iter().filter(|one| one.privileged).count();
    let longer = difference.until.iter().filter(|one| one.privileged && one.is_longer()).count();
    let (given, taken) = (rights(&difference.added), rights(&difference.removed));
    let mut texts = Vec::new();
    if grants + given > 0 {
        let (given, grants) = (number(given, "privileged right"), number(grants, "grant"));
        texts.push(format!("{given} given, {grants} of privileged roles"));
    }
    if longer > 0 {
        texts.push(format!("{} of privileged roles for longer", number(longer, "grant")));
    }
    if taken > 0 {
        texts.push(format!("{} taken", number(taken, "privileged right")));
    }
    texts
}

/// What people and groups get and lose, and how much else there is.
pub(super) fn in_all(difference: &Difference, missing: &[NotComplete]) -> String {
    let incomplete = if missing.is_empty() { "" } else { ", as far as could be read" };
    if difference.is_empty() {
        // Of people who are not known nothing is said.
        let nobody = if missing.iter().any(|one| one.people == 0) {
            "no grant is given or taken"
        } else {
            "nobody gets or loses anything"
        };
        return format!("{nobody}{incomplete}");
    }
    let grants = difference.groups_added.len() + difference.groups_removed.len();
    let settings = difference.settings.len();
    let of_directories = difference.settings.iter().filter(|one| is_directory(one)).count();
    let optional = [
        (difference.roles.len(), "role means something else", "roles mean something else"),
        (difference.accounts.len(), "account changes", "accounts change"),
        (difference.until.len(), "other end of a grant", "other ends of grants"),
        (grants, "change for a group", "changes for groups"),
        (of_directories, "setting of a directory", "settings of directories"),
        (settings - of_directories, "other setting", "other settings"),
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
