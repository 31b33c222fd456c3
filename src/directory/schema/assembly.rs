//! Links people with groups while entries go by.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::directory::budget::{Budget, Exhausted};
use crate::directory::config::DirectoryConfig;
use crate::directory::distinguished_name::normalise;
use crate::directory::entry::Entry;
use crate::model::{
    Directory, DirectoryName, Joined, Missing, Person, PersonKind, Private, Reading, ShownTime,
    StableId, Unclear, Via,
};

use super::links::{Group, Keys, Links, Looked};
use super::{Notes, Schema, values};

/// From so many people on, an attribute that nobody shows is taken for hidden.
const MANY: usize = 10;
/// What a person needs besides texts and groups: the value, in a list that grows, and what its
/// allocations cost.
const PERSON: usize = 2 * size_of::<Person>() + 100;

/// A directory being read: first every group, then [`Assembly::groups_done`], then every person.
pub(in crate::directory) struct Assembly {
    name: DirectoryName,
    schema: Schema,
    budget: Budget,
    notes: Notes,
    /// What groups say, until all of them are known.
    groups: Vec<Group>,
    keys: Keys,
    links: Links,
    people: Vec<Person>,
    unclear: Vec<Unclear>,
    /// What all groups say of their members, in one number.
    fingerprint: u64,
    /// Members that no search brought, looked at one by one.
    looked: HashMap<String, Looked>,
    /// Classes whose entries may lack members, by the server's own schema.
    may_lack_members: Vec<&'static str>,
    group_entries: usize,
    person_entries: usize,
    /// What nobody shows although many should.
    hidden: Vec<&'static str>,
    time: Option<ShownTime>,
    /// Every entry by its normalised name, if somebody wants them.
    kept: Option<BTreeMap<String, Entry>>,
}

impl Assembly {
    /// Nothing read yet.
    pub(in crate::directory) fn new(config: &DirectoryConfig, budget: Budget) -> Self {
        let schema = Schema::new(&config.schema);
        Self {
            name: config.name.clone(),
            notes: Notes::new(schema.groups.naming),
            schema,
            budget,
            groups: Vec::new(),
            keys: Keys::default(),
            links: Links::default(),
            people: Vec::new(),
            unclear: Vec::new(),
            fingerprint: 0,
            looked: HashMap::new(),
            may_lack_members: Vec::new(),
            group_entries: 0,
            person_entries: 0,
            hidden: Vec::new(),
            time: None,
            kept: None,
        }
    }

    /// Keeps every entry as well, for [`Assembly::finish_with_entries`].
    pub(in crate::directory) fn keeping_entries(mut self) -> Self {
        self.kept = Some(BTreeMap::new());
        for search in [&mut self.schema.groups, &mut self.schema.people] {
            // By which they are found in a file: the class, and what filters ask for.
            let asked: Vec<String> =
                search.filter.attributes().into_iter().map(str::to_owned).collect();
            for name in asked {
                if !search.attributes.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                    search.attributes.push(name);
                }
            }
        }
        self
    }

    /// The schema, for its searches.
    pub(in crate::directory) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What is left of the bounds of this reading.
    pub(in crate::directory) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Something that could not be read.
    pub(in crate::directory) fn missing(&mut self, missing: Missing) {
        self.notes.missing(missing);
    }

    /// What ended a search before its end, or concerns all of it.
    pub(in crate::directory) fn failed(&mut self, missing: Missing) {
        self.notes.failed(missing);
    }

    /// What the server shows of the time.
    pub(in crate::directory) fn shown(&mut self, time: ShownTime) {
        self.time = Some(time);
    }

    /// An entry of the search for groups.
    pub(in crate::directory) fn group(&mut self, mut entry: Entry) -> Result<(), Exhausted> {
        self.budget.in_time()?;
        self.group_entries += 1;
        self.note_ranges(&mut entry);
        self.fingerprint = self.fingerprint.wrapping_add(fingerprint(&entry));
        if let Some(facts) = (self.schema.group)(&entry, &mut self.notes) {
            let (group, cost) = Group::new(facts, &mut self.keys);
            self.budget.keep(cost)?;
            self.groups.push(group);
        }
        self.keep(entry)
    }

    /// Whether the groups, read once more, have other members than before: people may have been
    /// renamed or moved in between.
    pub(in crate::directory) fn is_torn(&self, fingerprint: u64) -> bool {
        self.fingerprint != fingerprint
    }

    /// A class of group that shows no member, although the standard makes one mandatory.
    pub(in crate::directory) fn lacks_members(&self) -> bool {
        self.groups.iter().any(|group| group.facts.lacks_members.is_some())
    }

    /// The server's own schema lets groups of these classes be empty.
    pub(in crate::directory) fn may_lack_members(&mut self, classes: Vec<&'static str>) {
        self.may_lack_members = classes;
    }

    /// Whether nothing is missing so far.
    pub(in crate::directory) fn is_complete(&self) -> bool {
        self.notes.is_complete()
    }

    /// Whether some member of a group is nobody.
    pub(in crate::directory) fn has_unmatched(&self) -> bool {
        self.links.has_unmatched()
    }

    /// Members that no search brought although they are where people are.
    pub(in crate::directory) fn not_found(&self) -> Vec<String> {
        self.links.not_found(&self.schema.people_base)
    }

    /// What looking at such a member brought.
    pub(in crate::directory) fn looked(&mut self, dn: String, looked: Looked) {
        self.looked.insert(dn, looked);
    }

    /// Every group has been seen.
    pub(in crate::directory) fn groups_done(&mut self) {
        let (mut groups, keys) = (std::mem::take(&mut self.groups), std::mem::take(&mut self.keys));
        for Group { facts, .. } in &mut groups {
            let lacks = facts.lacks_members.filter(|class| !self.may_lack_members.contains(class));
            if let Some(class) = lacks {
                let why =
                    || format!("it is a {class}, which has a member at least, and shows none");
                facts.hidden.get_or_insert_with(why);
            }
        }
        self.links = Links::new(groups, keys, &mut self.notes);
        self.notes.naming(self.schema.people.naming);
    }

    /// An entry of the search for people.
    pub(in crate::directory) fn person(&mut self, mut entry: Entry) -> Result<(), Exhausted> {
        self.budget.in_time()?;
        self.person_entries += 1;
        self.note_ranges(&mut entry);
        match (self.schema.person)(&entry, &self.schema.rules, &mut self.notes) {
            Ok(facts) => {
                let most = self.budget.room() / size_of::<Joined>();
                let linked = self.links.link(facts, most, &mut self.notes);
                let (person, kept) = linked.ok_or_else(|| self.budget.too_much())?;
                self.budget.keep(kept + cost(&person))?;
                self.people.push(person);
            }
            Err(Unclear { entry, stable_id: None, login: None, why }) => {
                self.notes.left_out_by_name("the person", &entry, &why);
            }
            Err(unclear) => {
                self.budget.keep(PERSON)?;
                self.unclear.push(unclear);
            }
        }
        self.keep(entry)
    }

    fn keep(&mut self, entry: Entry) -> Result<(), Exhausted> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        let name = normalise(&entry.dn);
        self.budget.keep(entry.cost() + 2 * name.len())?;
        match kept.entry(name) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(entry);
            }
            // A group that is a person as well.
            std::collections::btree_map::Entry::Occupied(mut place) => {
                for attribute in entry.attributes() {
                    if place.get().values(&attribute.description).is_empty() {
                        place.get_mut().add(&attribute.description, attribute.values.clone());
                    }
                }
            }
        }
        Ok(())
    }

    /// The directory and the entries it was made of, as far as the schema looks at them: by
    /// distinguished name, values in an order of their own where their order says nothing.
    /// Passwords are left out; what says that somebody is locked out stays.
    pub(in crate::directory) fn finish_with_entries(mut self) -> (Reading<Directory>, Vec<Entry>) {
        let kept = self.kept.take().unwrap_or_default();
        let wanted = || self.schema.groups.attributes.iter().chain(&self.schema.people.attributes);
        let entries = kept.into_values().map(|entry| {
            let mut bare = Entry::new(entry.dn.as_str());
            for attribute in entry.attributes() {
                let name = wanted().find(|name| name.eq_ignore_ascii_case(&attribute.description));
                let Some(name) = name else { continue };
                let mut values = attribute.values.clone();
                if name == "userPassword" {
                    if values::is_password_locked(&entry) {
                        bare.add(name, [b"{CRYPT}!".to_vec()]);
                    }
                    continue;
                }
                if SETS.contains(&name.as_str()) {
                    values.sort_unstable();
                    values.dedup();
                }
                bare.add(name, values);
            }
            bare
        });
        let entries = entries.collect();
        (self.finish(), entries)
    }

    /// The directory, complete if nothing was noted as missing.
    pub(in crate::directory) fn finish(mut self) -> Reading<Directory> {
        if self.notes.is_complete() {
            self.expect_some("groups", self.group_entries);
            self.expect_some("people", self.person_entries);
        }
        self.expect_shown();
        let groups = self.links.finish(&self.schema.people_base, &self.looked);
        let mut people = self.people;
        people.sort_unstable_by(|one, other| {
            (&one.stable_id, &one.login).cmp(&(&other.stable_id, &other.login))
        });
        let mut unclear = self.unclear;
        unclear.extend(take_ambiguous(&mut people, &unclear));
        unclear.sort();
        expect_known(&unclear, people.len(), &mut self.notes);
        for one in &unclear {
            let message = format!("{}; nothing is given and nothing taken", one.why);
            self.notes.warn_of(&one.entry, message);
        }
        warn_of_shared_logins(&people, &mut self.notes);
        people.shrink_to_fit();
        let (warnings, missing) = self.notes.into_parts();
        Reading::from_parts(
            Directory {
                name: self.name,
                people,
                groups,
                unclear,
                warnings,
                hidden: self.hidden,
                time: self.time,
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
        let naming = self.notes.naming_of();
        for range in entry.take_ranges() {
            self.notes.missing(Missing::new(
                format!("`{}` of {}", range.name, entry.known_as(naming)),
                format!("only the first {} values are there", range.next),
            ));
        }
    }
}

/// The attributes of which the order of values says nothing.
const SETS: [&str; 7] = [
    "objectClass",
    "member",
    "uniqueMember",
    "memberUid",
    "memberOf",
    "supplementaryGid",
    "subGroup",
];

/// What an entry adds to the fingerprint of all groups: another number where something of it is
/// another, in whatever order it came.
pub(in crate::directory) fn fingerprint(entry: &Entry) -> u64 {
    let mut sum = 0_u64;
    for attribute in entry.attributes() {
        for value in &attribute.values {
            let mut hasher = DefaultHasher::new();
            (&entry.dn, &attribute.description, value).hash(&mut hasher);
            sum = sum.wrapping_add(hasher.finish());
        }
    }
    sum
}

/// The bytes a person needs.
fn cost(person: &Person) -> usize {
    let private =
        |value: &Option<Private<String>>| value.as_ref().map_or(0, |one| one.reveal().len());
    PERSON
        + person.stable_id.as_str().len()
        + person.login.as_str().len()
        + private(&person.display_name)
        + private(&person.email)
        + person.other_ids.iter().map(|id| 40 + id.reveal().len()).sum::<usize>()
        + person.groups.len() * size_of::<Joined>()
}

/// Where most people cannot be told apart, it is not they who are odd.
fn expect_known(unclear: &[Unclear], known: usize, notes: &mut Notes) {
    let count = unclear.len();
    let most = known == 0 || (count >= MANY && count > known);
    if let Some(first) = unclear.first().filter(|_| most) {
        let Unclear { entry, why, .. } = first;
        let why = format!("of {} entries, among them {entry}: {why}", count + known);
        notes.missing(Missing::new(format!("{count} people"), why));
    }
}

/// Two entries with one stable id: which of them is meant cannot be told, so neither is believed.
fn take_ambiguous(people: &mut Vec<Person>, unclear: &[Unclear]) -> Vec<Unclear> {
    let mut ids: HashSet<StableId> =
        unclear.iter().filter_map(|one| one.stable_id.clone()).collect();
    let mut ambiguous: Vec<Unclear> = Vec::new();
    for same in people.chunk_by(|one, other| one.stable_id == other.stable_id) {
        if let [first, second, ..] = same {
            let why = format!(
                "its stable id {} is shared ({} and {})",
                first.stable_id, first.login, second.login
            );
            ids.insert(first.stable_id.clone());
            ambiguous.extend(same.iter().map(|person| Unclear {
                entry: person.login.to_string(),
                stable_id: Some(person.stable_id.clone()),
                login: Some(person.login.clone()),
                why: why.clone(),
            }));
        }
    }
    if !ids.is_empty() {
        people.retain(|person| !ids.contains(&person.stable_id));
    }
    ambiguous
}

/// The same log-in name under two stable ids is odd, but both people are told apart.
fn warn_of_shared_logins(people: &[Person], notes: &mut Notes) {
    let mut logins: Vec<&str> = people.iter().map(|person| person.login.as_str()).collect();
    logins.sort_unstable();
    for same in logins.chunk_by(|one, other| one == other) {
        if same.len() > 1 {
            notes.warn_of(same[0], format!("{} people have this log-in name", same.len()));
        }
    }
}
