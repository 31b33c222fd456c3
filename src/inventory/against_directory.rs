//! What only a directory can tell about the inventory: groups that are gone or empty, names that
//! collide or that a vendor forbids, required administrators nobody knows.
//!
//! Architecture invariant: only a completely read directory proves that somebody or something is
//! not there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::{Administrators, Grant, Inventory, naming};
use crate::diagnostic::{Finding, nearest};
use crate::directory::DirectoryConfig;
use crate::model::{
    AccountName, Directory, DirectoryName, GroupRef, PersonKind, Place, Reading, Source, Standing,
    VendorFacts,
};

/// Every finding that takes a directory, sorted by place.
pub fn findings(
    inventory: &Inventory,
    directories: &BTreeMap<DirectoryName, Reading<Directory>>,
    vendors: &[VendorFacts],
    today: Date,
) -> Vec<Finding> {
    let checked = Checked { inventory, directories, vendors, today };
    let mut findings = checked.groups();
    findings.extend(checked.required_administrators());
    findings.extend(checked.names());
    findings.sort();
    findings.dedup();
    findings
}

struct Checked<'a> {
    inventory: &'a Inventory,
    directories: &'a BTreeMap<DirectoryName, Reading<Directory>>,
    vendors: &'a [VendorFacts],
    today: Date,
}

/// How many people of each group have access today.
type Present = Vec<u32>;

impl<'a> Checked<'a> {
    fn live_grants(&self) -> impl Iterator<Item = &'a Grant> {
        let today = self.today;
        self.inventory
            .grants
            .iter()
            .filter(move |grant| grant.until.is_none_or(|until| until > today))
    }

    fn administrators(&self) -> BTreeSet<&'a Administrators> {
        let organisations =
            self.inventory.organisations.values().filter_map(|entry| entry.administrators.as_ref());
        let accounts =
            self.inventory.accounts.values().filter_map(|entry| entry.administrators.as_ref());
        organisations.chain(accounts).collect()
    }

    /// Groups that are gone (an error) or in which nobody is (a warning).
    fn groups(&self) -> Vec<Finding> {
        let mut named: Vec<(&GroupRef, &Source)> =
            self.live_grants().map(|grant| (&grant.group, &grant.source)).collect();
        named.extend(self.inventory.service_accounts.values().map(|s| (&s.owners, &s.source)));
        named.extend(self.administrators().into_iter().map(|entry| (&entry.group, &entry.source)));
        let mut present: BTreeMap<&DirectoryName, Present> = BTreeMap::new();
        let mut findings = Vec::new();
        // The nearest name is looked for once for each group, however many grants name it.
        let mut gone: HashMap<&GroupRef, Option<&str>> = HashMap::new();
        for (group, source) in named {
            let Some(Reading::Complete(directory)) = self.directories.get(&group.directory) else {
                continue;
            };
            if self.inventory.is_retired(&group.directory) {
                continue;
            }
            let Some(index) = directory.group(&group.group) else {
                let suggestion = *gone.entry(group).or_insert_with(|| {
                    nearest(
                        group.group.as_str(),
                        directory.groups.iter().map(|known| known.name.as_str()),
                    )
                });
                let finding = Finding::error(
                    "unknown-in-directory",
                    format!("directory `{}` has no group `{}`", group.directory, group.group),
                )
                .at(source);
                findings.push(match suggestion {
                    Some(name) => {
                        finding.hint(format!("did you mean `{}:{name}`?", group.directory))
                    }
                    None => finding.hint("it was renamed or removed in the directory"),
                });
                continue;
            };
            let counts = present
                .entry(&group.directory)
                .or_insert_with(|| count_present(directory, self.today));
            if counts[index.0 as usize] == 0 {
                findings.push(
                    Finding::warning(
                        "empty-group",
                        format!("nobody in `{group}` has access today"),
                    )
                    .at(source)
                    .hint("this has no effect until somebody joins"),
                );
            }
        }
        findings
    }

    /// Required administrators the directory does not know, or who have no access.
    fn required_administrators(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for entry in self.administrators() {
            let Some(Reading::Complete(directory)) = self.directories.get(&entry.group.directory)
            else {
                continue;
            };
            for login in &entry.required {
                let person = directory.people.iter().find(|person| person.login == *login);
                let problem = match person {
                    None => Some("is not in the directory".to_owned()),
                    Some(person) => match person.standing(self.today) {
                        Standing::Present => None,
                        gone => Some(format!("is {gone}")),
                    },
                };
                let Some(problem) = problem else { continue };
                let known = directory.people.iter().map(|person| person.login.as_str());
                let finding = Finding::error(
                    "required-administrator",
                    format!("required administrator `{login}` {problem}"),
                )
                .at(&entry.source);
                let suggestion = person.is_none().then(|| nearest(login.as_str(), known)).flatten();
                findings.push(match suggestion {
                    Some(name) => finding.hint(format!("did you mean `{name}`?")),
                    None => finding.hint("name somebody else, or correct the directory"),
                });
            }
        }
        findings
    }

    /// Names of users and groups at each hub: forbidden ones and those that collide.
    fn names(&self) -> Vec<Finding> {
        let mut hubs: BTreeMap<&AccountName, BTreeSet<&GroupRef>> = BTreeMap::new();
        for grant in self.live_grants() {
            for account in &grant.accounts {
                if let Some(entry) = self.inventory.accounts.get(account) {
                    hubs.entry(&entry.account.hub).or_default().insert(&grant.group);
                }
            }
        }
        for service in self.inventory.service_accounts.values() {
            for account in &service.accounts {
                if let Some(entry) = self.inventory.accounts.get(account) {
                    hubs.entry(&entry.account.hub).or_default();
                }
            }
        }
        hubs.iter().flat_map(|(hub, groups)| self.names_at(hub, groups)).collect()
    }

    fn names_at(&self, hub: &AccountName, groups: &BTreeSet<&'a GroupRef>) -> Vec<Finding> {
        let Some(account) = self.inventory.accounts.get(hub).map(|entry| &entry.account) else {
            return Vec::new();
        };
        let Some(facts) = self.vendors.iter().find(|facts| facts.name == account.vendor) else {
            return Vec::new();
        };
        let mut users = Names::new("user", facts, &account.place);
        let mut group_names = Names::new("group", facts, &account.place);
        for service in self.inventory.service_accounts.values() {
            let is_here = service.accounts.iter().any(|name| {
                self.inventory.accounts.get(name).is_some_and(|entry| entry.account.hub == *hub)
            });
            if is_here {
                let who = format!("service account {}", service.name);
                users.add(
                    naming::service_user_name(&service.name).as_str(),
                    who.clone(),
                    &service.source,
                );
                group_names.add(
                    naming::service_group_name(&service.name).as_str(),
                    format!("the group of {who}"),
                    &service.source,
                );
            }
        }
        for (name, reading) in self.directories {
            let Some(config) = self.inventory.directories.get(name) else { continue };
            let here = groups.iter().filter(|group| group.directory == *name);
            let mut granted = vec![false; reading.got().groups.len()];
            for group in here {
                let shown = format!("group {group}");
                group_names.add(
                    naming::group_name(config, &group.group).as_str(),
                    shown,
                    &config.source,
                );
                if let Some(index) = reading.got().group(&group.group) {
                    granted[index.0 as usize] = true;
                }
            }
            self.people_at(config, reading.got(), &granted, &mut users);
        }
        users.findings.extend(group_names.findings);
        users.findings
    }

    fn people_at(
        &self,
        config: &DirectoryConfig,
        directory: &Directory,
        granted: &[bool],
        users: &mut Names<'_>,
    ) {
        for person in &directory.people {
            let gets_user = person.kind != PersonKind::RoleAccount
                && person.groups.iter().any(|joined| granted[joined.group.0 as usize])
                && person.standing(self.today) == Standing::Present;
            if gets_user {
                let name = naming::user_name(config, &person.login);
                let who = format!("{} of directory {}", person.login, config.name);
                users.add(name.as_str(), who, &config.source);
            }
        }
    }
}

fn count_present(directory: &Directory, today: Date) -> Present {
    let mut counts = vec![0; directory.groups.len()];
    for person in &directory.people {
        if person.kind != PersonKind::RoleAccount && person.standing(today) == Standing::Present {
            for joined in &person.groups {
                counts[joined.group.0 as usize] += 1;
            }
        }
    }
    counts
}

/// The names of one kind at one hub.
struct Names<'a> {
    kind: &'static str,
    facts: &'a VendorFacts,
    place: &'a Place,
    taken: HashMap<String, String>,
    findings: Vec<Finding>,
}

impl<'a> Names<'a> {
    fn new(kind: &'static str, facts: &'a VendorFacts, place: &'a Place) -> Self {
        Self { kind, facts, place, taken: HashMap::new(), findings: Vec::new() }
    }

    /// Adds the name somebody gets; a finding if it is forbidden or somebody else has it.
    fn add(&mut self, name: &str, who: String, source: &Source) {
        let rules = match self.kind {
            "user" => &self.facts.user_names,
            _ => &self.facts.group_names,
        };
        if let Err(problem) = rules.check(name) {
            self.findings.push(
                Finding::error(
                    "forbidden-name",
                    format!(
                        "{} does not accept the {} name `{name}` of {who}: it {problem}",
                        self.facts.name, self.kind
                    ),
                )
                .at(source)
                .in_place(self.place)
                .hint("they get nothing there until the name is changed in the directory"),
            );
        }
        match self.taken.get(&rules.fold(name)) {
            None => {
                self.taken.insert(rules.fold(name), who);
            }
            Some(first) => self.findings.push(
                Finding::error(
                    "name-collision",
                    format!(
                        "{who} would have the same {} name at {} as {first}",
                        self.kind, self.facts.name
                    ),
                )
                .at(source)
                .in_place(self.place)
                .hint("give a directory a `name_prefix`, or change one of the names"),
            ),
        }
    }
}
