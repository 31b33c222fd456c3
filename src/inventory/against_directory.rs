//! What only a directory can tell about the inventory: groups that are gone or empty, names that
//! collide or that a vendor forbids, required administrators nobody knows.
//!
//! Architecture invariant: only a completely read directory proves that somebody or something is
//! not there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use super::{Administrators, Grant, Inventory, naming};
use crate::diagnostic::{Finding, nearest};
use crate::directory::DirectoryConfig;
use crate::model::{
    AccountName, Directory, DirectoryGroup, DirectoryName, GroupName, GroupRef, Login, PersonKind,
    Place, Reading, RoleName, Source, Standing, Unmatched, VendorFacts,
};

/// Every finding that takes a directory, sorted by place.
pub fn findings(
    inventory: &Inventory,
    directories: &BTreeMap<DirectoryName, Reading<Directory>>,
    vendors: &[VendorFacts],
    privileged: &[&RoleName],
    today: Date,
) -> Vec<Finding> {
    let privileged = privileged.iter().copied().collect();
    let checked = Checked { inventory, directories, vendors, privileged, today };
    let mut findings = checked.groups();
    findings.extend(checked.maps());
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
    /// Roles with which one could do serious harm.
    privileged: BTreeSet<&'a RoleName>,
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
        let mut told: BTreeSet<&GroupRef> = BTreeSet::new();
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
            if told.insert(group) {
                findings.extend(self.members(group, directory.group_at(index)));
            }
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

    /// What is odd about who is in a group that the inventory names. Not about a line of it: the
    /// directory is to be put right.
    fn members(&self, group: &GroupRef, read: &DirectoryGroup) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(unmatched) = &read.unmatched {
            let Unmatched { count, listed, example, cause } = &**unmatched;
            let message = format!(
                "{count} of the {listed} members that `{group}` lists are nobody, `{example}` for \
                 example: {cause}"
            );
            findings.push(Finding::warning("members-nobody-knows", message).hint(
                "put the group right in the directory, or `people_base` and `people_filter` here",
            ));
        }
        if let Some(why) = &read.doubtful {
            let message =
                format!("nobody is removed from `{group}`, members of it are hidden: {why}");
            findings.push(
                Finding::error("hidden-members", message)
                    .hint("let this bind read them, or put the group right in the directory"),
            );
        }
        if let Some(lists) = &read.two_lists {
            let message = format!(
                "`member` and `memberUid` of `{group}` differ by {} ({} for example); all of them \
                 count",
                if lists.count == 1 {
                    "1 person".to_owned()
                } else {
                    format!("{} people", lists.count)
                },
                lists.example
            );
            findings.push(
                Finding::warning("two-lists", message).hint("keep one of the two in the directory"),
            );
        }
        if let Some(twins) = &read.twins {
            let message = format!(
                "{} groups have the name `{group}`: {}",
                twins.entries.len(),
                twins.entries.join("; ")
            );
            let hint = "rename one of them, or keep it out with `groups_base` or `groups_filter`";
            findings.push(if self.is_privileged(group) {
                let message = format!(
                    "{message}; it holds a privileged role, so whoever is not in all of them \
                     becomes no member"
                );
                Finding::error("same-name", message).hint(hint)
            } else {
                Finding::warning("same-name", format!("{message}; they count as one")).hint(hint)
            });
        }
        findings
    }

    fn is_privileged(&self, group: &GroupRef) -> bool {
        self.live_grants()
            .filter(|grant| grant.group == *group)
            .any(|grant| self.privileged.contains(&grant.role))
    }

    /// Names that are mapped and that nobody has.
    fn maps(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, config) in &self.inventory.directories {
            let Some(Reading::Complete(read)) = self.directories.get(name) else { continue };
            let logins: HashSet<&str> = read.people.iter().map(|one| one.login.as_str()).collect();
            let stale_login = |login: &&str| {
                !logins.contains(login)
                    && !read
                        .unclear
                        .iter()
                        .any(|one| one.login.as_ref().is_some_and(|known| known.as_str() == *login))
            };
            let stale = config.login_map.keys().map(Login::as_str).filter(stale_login);
            let stale =
                stale.map(|login| format!("nobody in directory `{name}` is called `{login}`"));
            let stale_group = |group: &&GroupName| read.group(group).is_none();
            let groups = config.group_map.keys().filter(stale_group);
            let groups = groups.map(|group| format!("directory `{name}` has no group `{group}`"));
            findings.extend(stale.chain(groups).map(|message| {
                Finding::warning("mapped-nobody", message)
                    .at(&config.source)
                    .hint("take it out of `login_map` or `group_map`")
            }));
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
                .hint(format!(
                    "they get nothing there until it is changed in the directory, or mapped with \
                     `{}` of its entry in the inventory",
                    if self.kind == "user" { "login_map" } else { "group_map" }
                )),
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
