//! Links people with groups while entries go by.

use std::collections::HashMap;

use crate::directory::config::DirectoryConfig;
use crate::directory::entry::Entry;
use crate::model::{
    Directory, DirectoryGroup, DirectoryName, GroupName, Missing, Person, PersonKind, Reading,
    StableId, Via,
};

use super::closure::Closure;
use super::facts::{GroupFacts, PersonFacts};
use super::{Notes, Schema};

/// From so many people on, an attribute that nobody shows is taken for hidden.
const MANY: usize = 10;

/// A directory being read: first every group, then [`Assembly::groups_done`], then every person.
pub(in crate::directory) struct Assembly {
    name: DirectoryName,
    schema: Schema,
    notes: Notes,
    /// What groups say, until all of them are known.
    facts: Vec<GroupFacts>,
    links: Links,
    people: Vec<Person>,
    group_entries: usize,
    person_entries: usize,
    /// What nobody shows although many should.
    hidden: Vec<&'static str>,
}

/// How groups are found from people.
#[derive(Default)]
struct Links {
    groups: Vec<DirectoryGroup>,
    by_folded_name: HashMap<String, Vec<u32>>,
    by_number: HashMap<String, Vec<u32>>,
    /// Groups that show no members, by their key.
    by_key: HashMap<String, u32>,
    /// For the key of a member the groups that list it.
    by_member: HashMap<String, Vec<u32>>,
    closure: Option<Closure>,
}

impl Assembly {
    /// Nothing read yet.
    pub(in crate::directory) fn new(config: &DirectoryConfig) -> Self {
        Self {
            name: config.name.clone(),
            schema: Schema::new(&config.schema),
            notes: Notes::default(),
            facts: Vec::new(),
            links: Links::default(),
            people: Vec::new(),
            group_entries: 0,
            person_entries: 0,
            hidden: Vec::new(),
        }
    }

    /// The schema, for its searches.
    pub(in crate::directory) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Something that could not be read.
    pub(in crate::directory) fn missing(&mut self, missing: Missing) {
        self.notes.missing(missing);
    }

    /// An entry of the search for groups.
    pub(in crate::directory) fn group(&mut self, mut entry: Entry) {
        self.group_entries += 1;
        self.note_ranges(&mut entry);
        if let Some(facts) = (self.schema.group)(&entry, &mut self.notes) {
            self.facts.push(facts);
        }
    }

    /// Every group has been seen.
    pub(in crate::directory) fn groups_done(&mut self) {
        let facts = std::mem::take(&mut self.facts);
        self.links = Links::new(merge(facts, &mut self.notes), &mut self.notes);
    }

    /// An entry of the search for people.
    pub(in crate::directory) fn person(&mut self, mut entry: Entry) {
        self.person_entries += 1;
        self.note_ranges(&mut entry);
        if let Some(facts) = (self.schema.person)(&entry, &self.schema.stable_id, &mut self.notes) {
            let PersonFacts { mut person, key, named, member_of, primary } = facts;
            let mut direct = Vec::new();
            for name in &named {
                direct.extend(self.links.named(name, person.login.as_str(), &mut self.notes));
            }
            direct.extend(key.and_then(|key| self.links.by_member.get(&key)).into_iter().flatten());
            direct.extend(member_of.iter().filter_map(|key| self.links.by_key.get(key)));
            let primary = primary.and_then(|number| self.links.by_number.get(&number));
            if let Some(closure) = &mut self.links.closure {
                person.groups = closure.of(&direct, primary.map_or(&[], Vec::as_slice));
            }
            self.people.push(person);
        }
    }

    /// The directory, complete if nothing was noted as missing.
    pub(in crate::directory) fn finish(mut self) -> Reading<Directory> {
        if self.notes.is_complete() {
            self.expect_some("groups", self.group_entries);
            self.expect_some("people", self.person_entries);
        }
        self.expect_shown();
        let mut people = self.people;
        people.sort_unstable_by(|one, other| {
            (&one.stable_id, &one.login).cmp(&(&other.stable_id, &other.login))
        });
        drop_ambiguous(&mut people, &mut self.notes);
        warn_of_shared_logins(&people, &mut self.notes);
        people.shrink_to_fit();
        let (warnings, missing) = self.notes.into_parts();
        Reading::from_parts(
            Directory {
                name: self.name,
                people,
                groups: self.links.groups,
                warnings,
                hidden: self.hidden,
            },
            missing,
        )
    }

    /// An attribute that nobody of many people shows is more often one that may not be read than
    /// one that nobody has; and what is hidden would be taken from everybody.
    fn expect_shown(&mut self) {
        let people = || self.people.iter().filter(|one| one.kind == PersonKind::Person);
        if people().count() < MANY {
            return;
        }
        let mut hidden = Vec::new();
        if people().all(|person| person.has_key == Some(false)) {
            hidden.push("anybody's registered key");
        }
        // A primary group is another attribute, which may be shown all the same.
        let joined = |person: &Person| person.groups.iter().any(|one| one.via == Via::Direct);
        if !people().any(joined) {
            hidden.push("anybody's groups");
        }
        for &what in &hidden {
            let why = "no entry shows one; check what this bind may read";
            self.notes.missing(Missing::new(what, why));
        }
        self.hidden = hidden;
    }

    /// Success without a single entry is more often a wrong base or a missing right than an
    /// organisation of nobody.
    fn expect_some(&mut self, what: &'static str, entries: usize) {
        let search = if what == "groups" { &self.schema.groups } else { &self.schema.people };
        if entries == 0 {
            let missing = Missing::new(
                format!("{what} below `{}`", search.base),
                format!(
                    "no entries match {}: wrong base or schema, or not allowed to see them; \
                     check `{what}_base` and what this bind may read",
                    search.filter
                ),
            );
            self.notes.missing(missing);
        }
    }

    /// An attribute of which only a part came makes the reading partial.
    fn note_ranges(&mut self, entry: &mut Entry) {
        for range in entry.take_ranges() {
            self.notes.missing(Missing::new(
                format!("`{}` of {}", range.name, entry.dn),
                format!("only the first {} values are there", range.next),
            ));
        }
    }
}

/// Sorts groups by name and puts those of one name together: the union is what the operating
/// system makes of them.
fn merge(mut facts: Vec<GroupFacts>, notes: &mut Notes) -> Vec<GroupFacts> {
    facts.sort_by(|one, other| (&one.name, &one.key).cmp(&(&other.name, &other.key)));
    for pair in facts.windows(2) {
        if pair[0].name == pair[1].name {
            notes.warn(&pair[0].name, "several groups have this name; they count as one");
        }
    }
    facts
}

impl Links {
    /// From groups sorted by name, several of one name next to each other.
    fn new(facts: Vec<GroupFacts>, notes: &mut Notes) -> Self {
        let mut links = Self::default();
        for group in &facts {
            if links.groups.last().is_none_or(|last| last.name.as_str() != group.name) {
                links.groups.push(DirectoryGroup { name: GroupName::new(group.name.as_str()) });
                let index = links.last();
                let folded = group.name.to_ascii_lowercase();
                links.by_folded_name.entry(folded).or_default().push(index);
            }
            let index = links.last();
            if let Some(number) = &group.number {
                links.add_number(number, index, notes);
            }
        }
        links.closure = Some(Closure::new(links.steps(facts, notes)));
        links
    }

    /// Which groups follow from which; fills the members on the way.
    fn steps(&mut self, facts: Vec<GroupFacts>, notes: &mut Notes) -> Vec<Vec<u32>> {
        let mut by_any_key: HashMap<String, u32> = HashMap::new();
        for group in &facts {
            if let (Some(key), Some(index)) = (&group.key, self.exact(&group.name)) {
                by_any_key.insert(key.clone(), index);
                if !group.shows_members {
                    self.by_key.insert(key.clone(), index);
                }
            }
        }
        let mut steps = vec![Vec::new(); self.groups.len()];
        for group in facts {
            let Some(index) = self.exact(&group.name) else { continue };
            for name in &group.leads_to {
                steps[index as usize].extend(self.named(name, &group.name, notes));
            }
            for member in group.members {
                match by_any_key.get(&member) {
                    Some(&inner) => steps[inner as usize].push(index),
                    None => self.by_member.entry(member).or_default().push(index),
                }
            }
        }
        steps
    }

    fn add_number(&mut self, number: &str, index: u32, notes: &mut Notes) {
        let same = self.by_number.entry(number.to_owned()).or_default();
        if !same.contains(&index) {
            same.push(index);
        }
        if let [first, .., last] = same[..] {
            let (first, last) = (&self.groups[first as usize], &self.groups[last as usize]);
            notes.warn(
                last.name.as_str(),
                format!("it has the number {number} of group {} as well", first.name),
            );
        }
    }

    /// The group meant by a name whose case does not matter: the one spelt so, else the only one
    /// that differs in case alone.
    fn named(&self, name: &str, by: &str, notes: &mut Notes) -> Option<u32> {
        if let Some(exact) = self.exact(name) {
            return Some(exact);
        }
        let similar = self.by_folded_name.get(&name.to_ascii_lowercase());
        match similar.map(Vec::as_slice) {
            Some([only]) => Some(*only),
            Some(_) => {
                notes.warn(
                    by,
                    format!("it names group `{name}`, which several groups differ from in case only; does not count"),
                );
                None
            }
            None if name.eq_ignore_ascii_case("guest") => None,
            None => {
                notes.warn(by, format!("it names group `{name}`, which does not exist"));
                None
            }
        }
    }

    fn exact(&self, name: &str) -> Option<u32> {
        let at = self.groups.binary_search_by(|group| group.name.as_str().cmp(name)).ok()?;
        u32::try_from(at).ok()
    }

    fn last(&self) -> u32 {
        u32::try_from(self.groups.len().saturating_sub(1))
            .expect("more than four thousand million groups do not fit into memory")
    }
}

/// Two entries with one stable id: which of them is meant cannot be told, so neither is believed
/// and the reading is partial.
fn drop_ambiguous(people: &mut Vec<Person>, notes: &mut Notes) {
    let mut ambiguous: Vec<StableId> = Vec::new();
    for same in people.chunk_by(|one, other| one.stable_id == other.stable_id) {
        if let [first, second, ..] = same {
            ambiguous.push(first.stable_id.clone());
            for person in same {
                notes.left_out(
                    "the person",
                    person.login.as_str(),
                    &format!(
                        "its stable id {} is shared ({} and {})",
                        first.stable_id, first.login, second.login
                    ),
                );
            }
        }
    }
    if !ambiguous.is_empty() {
        people.retain(|person| ambiguous.binary_search(&person.stable_id).is_err());
    }
}

/// The same log-in name under two stable ids is odd, but both people are told apart.
fn warn_of_shared_logins(people: &[Person], notes: &mut Notes) {
    let mut logins: Vec<&str> = people.iter().map(|person| person.login.as_str()).collect();
    logins.sort_unstable();
    for same in logins.chunk_by(|one, other| one == other) {
        if same.len() > 1 {
            notes.warn(same[0], format!("{} people have this log-in name", same.len()));
        }
    }
}
