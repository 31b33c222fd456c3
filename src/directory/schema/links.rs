//! How groups are found from people: a graph of group entries, and who is listed where.
//!
//! Several entries may share a group's name (in two organisational units). Each is a place of its
//! own in the graph, so that somebody who is in all of them can be told from somebody who is in
//! one; for everybody else they are one group, as for the operating system.

mod near;

use std::collections::{BTreeSet, HashMap};

use crate::model::{
    DirectoryGroup, GroupIndex, Joined, Login, Mismatch, Person, StableId, Twins, TwoLists,
    Unmatched, Via,
};

use crate::directory::distinguished_name::first_component;

use super::Notes;
use super::closure::Closure;
use super::facts::{GroupFacts, PersonFacts};
use near::Near;

/// Groups, and what is known of their members so far.
#[derive(Default)]
pub(super) struct Links {
    groups: Vec<DirectoryGroup>,
    /// The entries, sorted by the name of their group.
    entries: Vec<Listing>,
    /// For each group its first entry; the others follow it.
    first: Vec<u32>,
    by_folded_name: HashMap<String, Vec<u32>>,
    by_number: HashMap<String, Vec<u32>>,
    /// Entries that show no members, by their key.
    by_key: HashMap<String, u32>,
    /// Members by their normalised distinguished names.
    by_dn: Members,
    /// Members by their log-in names.
    by_login: Members,
    closure: Option<Closure>,
    near: Near,
}

/// One entry of a group.
#[derive(Default)]
struct Listing {
    dn: String,
    /// The group it is an entry of.
    group: u32,
    /// How many members it lists, groups left out.
    listed: u32,
    /// It lists members both ways.
    both_ways: bool,
    hidden: Option<String>,
    /// People who are in one of its two lists only: how many, and one of them.
    differ: Option<(u32, Login)>,
}

/// Who lists a member, and whether it is somebody.
#[derive(Default)]
struct Listed {
    by: Vec<u32>,
    found: bool,
}

/// The keys of members, each kept once however many groups list it and however often.
#[derive(Default)]
struct Members {
    ids: HashMap<String, u32>,
    /// For the number of a member who lists it, once groups are linked.
    listed: Vec<Listed>,
}

/// What a known key of a member costs besides its bytes, the list of its groups and what is
/// remembered to find out who comes near to it included.
const MEMBER: usize = 200;
/// What a group costs besides what it says.
const GROUP: usize = 700;
/// What remembering somebody who comes near to a member costs besides the texts.
pub(super) const NEAR: usize = 150;

impl Members {
    /// The numbers of the members a group lists, each once; and the bytes that the new ones need.
    fn numbers(&mut self, members: Vec<String>) -> (Vec<u32>, usize) {
        let mut cost = 0;
        let mut numbers = Vec::with_capacity(members.len());
        for member in members {
            let next = narrow(self.ids.len());
            if let Some(known) = self.ids.get(&member) {
                numbers.push(*known);
            } else {
                cost += MEMBER + member.len();
                self.ids.insert(member, next);
                numbers.push(next);
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers.shrink_to_fit();
        (numbers, cost)
    }

    /// The entries that list a member, which is somebody from now on.
    fn found(&mut self, member: &str) -> &[u32] {
        match self.ids.get(member) {
            Some(number) => {
                let listed = &mut self.listed[*number as usize];
                listed.found = true;
                &listed.by
            }
            None => &[],
        }
    }

    /// Members that are nobody so far.
    fn nobody(&self) -> impl Iterator<Item = (&String, &Listed)> {
        let all = self.ids.iter().map(|(key, number)| (key, &self.listed[*number as usize]));
        all.filter(|(_, listed)| !listed.found && !listed.by.is_empty())
    }
}

/// All members while groups go by.
#[derive(Default)]
pub(super) struct Keys {
    dns: Members,
    logins: Members,
}

/// What a group says, its members by number.
pub(super) struct Group {
    pub(super) facts: GroupFacts,
    members: Vec<u32>,
    logins: Vec<u32>,
}

impl Group {
    /// With the bytes it needs, now and when groups are linked.
    pub(super) fn new(mut facts: GroupFacts, known: &mut Keys) -> (Self, usize) {
        let (members, new) = known.dns.numbers(std::mem::take(&mut facts.members));
        let (logins, more) = known.logins.numbers(std::mem::take(&mut facts.logins));
        let texts = 4 * facts.name.len()
            + 3 * facts.dn.len()
            + 3 * facts.key.as_ref().map_or(0, String::len)
            + 2 * facts.number.as_ref().map_or(0, String::len);
        let leads_to: usize = facts.leads_to.iter().map(|name| 50 + name.len()).sum();
        // Here, in the list of each member and as a step, each with room to grow.
        let listed = (members.len() + logins.len()) * 5 * size_of::<u32>();
        let cost = GROUP + texts + leads_to + new + more + listed;
        (Self { facts, members, logins }, cost)
    }
}

/// What became of looking at a member that no search brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::directory) enum Looked {
    /// It is not there, as far as this bind is told.
    NotThere,
    /// It is there, and no person by the schema and the filter.
    NoPerson,
    /// It is there, but not for this bind.
    Refused,
}

impl Links {
    /// From what all entries say.
    pub(super) fn new(mut all: Vec<Group>, known: Keys, notes: &mut Notes) -> Self {
        all.sort_by(|Group { facts: one, .. }, Group { facts: other, .. }| {
            (&one.name, &one.dn).cmp(&(&other.name, &other.dn))
        });
        let mut links = Self { by_dn: known.dns, by_login: known.logins, ..Self::default() };
        for Group { facts, members, logins } in &all {
            if links.groups.last().is_none_or(|last| last.name.as_str() != facts.name) {
                let group = narrow(links.groups.len());
                links.groups.push(DirectoryGroup::named(facts.name.as_str()));
                links.first.push(narrow(links.entries.len()));
                let folded = facts.name.to_lowercase();
                links.by_folded_name.entry(folded).or_default().push(group);
            }
            let group = narrow(links.groups.len().saturating_sub(1));
            links.entries.push(Listing {
                dn: facts.dn.clone(),
                group,
                hidden: facts.hidden.clone(),
                both_ways: !members.is_empty() && !logins.is_empty(),
                ..Listing::default()
            });
        }
        for (entry, group) in all.iter().enumerate() {
            if let Some(number) = &group.facts.number {
                links.add_number(number, narrow(entry), notes);
            }
        }
        links.twins();
        links.closure = Some(Closure::new(links.steps(all, notes)));
        links
    }

    /// Groups whose name several entries have.
    fn twins(&mut self) {
        for group in 0..self.groups.len() {
            let entries = self.entries_of(narrow(group));
            if entries.len() > 1 {
                let names = entries.clone().map(|entry| self.entries[entry as usize].dn.clone());
                let entries = names.collect();
                let twins = Twins { entries, partly: BTreeSet::new() };
                self.groups[group].twins = Some(Box::new(twins));
            }
        }
    }

    /// The entries of a group.
    fn entries_of(&self, group: u32) -> std::ops::Range<u32> {
        let next = self.first.get(group as usize + 1);
        self.first[group as usize]..next.copied().unwrap_or_else(|| narrow(self.entries.len()))
    }

    /// Which entries follow from which; fills the members on the way.
    fn steps(&mut self, all: Vec<Group>, notes: &mut Notes) -> Vec<Vec<u32>> {
        // For the number of a member the entry of a group that it is, if it is one.
        let mut inner: Vec<Option<u32>> = vec![None; self.by_dn.ids.len()];
        for (entry, Group { facts, .. }) in all.iter().enumerate() {
            if let Some(key) = &facts.key {
                if let Some(number) = self.by_dn.ids.get(key) {
                    inner[*number as usize] = Some(narrow(entry));
                }
                if !facts.shows_members {
                    self.by_key.insert(key.clone(), narrow(entry));
                }
            }
        }
        for (member, number) in &self.by_dn.ids {
            if inner[*number as usize].is_none() {
                self.near.expect_dn(member);
            }
        }
        for member in self.by_login.ids.keys() {
            self.near.expect_login(member);
        }
        self.by_dn.listed.resize_with(inner.len(), Listed::default);
        self.by_login.listed.resize_with(self.by_login.ids.len(), Listed::default);
        let mut steps = vec![Vec::new(); self.entries.len()];
        for (entry, Group { facts, members, logins }) in all.into_iter().enumerate() {
            let entry = narrow(entry);
            for name in &facts.leads_to {
                steps[entry as usize].extend(self.named(name, &facts.name, notes));
            }
            for member in members {
                if let Some(inner) = inner[member as usize] {
                    steps[inner as usize].push(entry);
                } else {
                    self.by_dn.listed[member as usize].by.push(entry);
                    self.entries[entry as usize].listed += 1;
                }
            }
            for login in logins {
                self.by_login.listed[login as usize].by.push(entry);
                self.entries[entry as usize].listed += 1;
            }
        }
        steps
    }

    fn add_number(&mut self, number: &str, entry: u32, notes: &mut Notes) {
        let same = self.by_number.entry(number.to_owned()).or_default();
        same.push(entry);
        let group = |entry: u32| &self.groups[self.entries[entry as usize].group as usize];
        let (first, last) = (group(same[0]), group(entry));
        if first.name != last.name {
            notes.warn_of(
                last.name.as_str(),
                format!("it has the number {number} of group {} as well", first.name),
            );
        }
    }

    /// The entries of the group meant by a name whose case does not matter: the one spelt so, else
    /// the only one that differs in case alone.
    fn named(&self, name: &str, by: &str, notes: &mut Notes) -> std::ops::Range<u32> {
        if let Some(exact) = self.exact(name) {
            return self.entries_of(exact);
        }
        let similar = self.by_folded_name.get(&name.to_lowercase());
        match similar.map(Vec::as_slice) {
            Some([only]) => self.entries_of(*only),
            Some(_) => {
                notes.warn_of(
                    by,
                    format!("it names group `{name}`, which several groups differ from in case only; does not count"),
                );
                0..0
            }
            None if name.eq_ignore_ascii_case("guest") => 0..0,
            None => {
                notes.warn_of(by, format!("it names group `{name}`, which does not exist"));
                0..0
            }
        }
    }

    fn exact(&self, name: &str) -> Option<u32> {
        let at = self.groups.binary_search_by(|group| group.name.as_str().cmp(name)).ok()?;
        u32::try_from(at).ok()
    }

    /// Finds the groups of somebody, at most so many. The bytes that are kept of them here.
    pub(super) fn link(
        &mut self,
        facts: PersonFacts,
        most: usize,
        notes: &mut Notes,
    ) -> Option<(Person, usize)> {
        let mut person = facts.person;
        let mut direct: Vec<u32> = Vec::new();
        for name in &facts.named {
            direct.extend(self.named(name, person.login.as_str(), notes));
        }
        let key = facts.key.as_deref();
        let by_dn = key.map(|key| self.by_dn.found(key).to_vec()).unwrap_or_default();
        let login = facts.by_login.then_some(person.login.as_str());
        let by_login = login.map(|login| self.by_login.found(login).to_vec()).unwrap_or_default();
        let mut cost = 0;
        if let Some(key) = key.filter(|_| by_dn.is_empty()) {
            cost += self.near.somebody_at(key);
        }
        let number = facts.number.as_deref();
        cost += self.near.somebody_called(&person.login, &facts.other_logins, number);
        self.compare_lists(&by_dn, &by_login, &person.login);
        direct.extend(by_dn);
        direct.extend(by_login);
        direct.extend(facts.member_of.iter().filter_map(|key| self.by_key.get(key)));
        let primary = facts.primary.and_then(|number| self.by_number.get(&number));
        if let Some(closure) = &mut self.closure {
            person.groups = closure.of(&direct, primary.map_or(&[], Vec::as_slice), most)?;
        }
        cost += self.join(&mut person.groups, &person.stable_id);
        Some((person, cost))
    }

    /// Somebody who is in one of two lists of an entry, and not in the other.
    fn compare_lists(&mut self, by_dn: &[u32], by_login: &[u32], login: &Login) {
        let one_only = |one: &[u32], other: &[u32]| -> Vec<u32> {
            one.iter().filter(|entry| !other.contains(entry)).copied().collect()
        };
        for entry in one_only(by_dn, by_login).into_iter().chain(one_only(by_login, by_dn)) {
            let listing = &mut self.entries[entry as usize];
            if listing.both_ways {
                let (count, example) = listing.differ.get_or_insert_with(|| (0, login.clone()));
                *count += 1;
                if login < example {
                    *example = login.clone();
                }
            }
        }
    }

    /// From entries of groups to groups, each once by its nearest way. The bytes that are kept.
    fn join(&mut self, joined: &mut Vec<Joined>, who: &StableId) -> usize {
        if self.entries.len() == self.groups.len() {
            return 0;
        }
        let mut cost = 0;
        let mut counts: HashMap<u32, u32> = HashMap::new();
        let group_of = |entry: GroupIndex| GroupIndex(self.entries[entry.0 as usize].group);
        for one in joined.iter_mut() {
            one.group = group_of(one.group);
            if let Via::Through(by) = &mut one.via {
                *by = group_of(*by);
            }
            *counts.entry(one.group.0).or_default() += 1;
        }
        joined.sort_unstable();
        joined.dedup_by_key(|one| one.group);
        for (group, count) in counts {
            let all = narrow(self.entries_of(group).len());
            if let Some(twins) = self.groups[group as usize].twins.as_mut().filter(|_| count < all)
            {
                twins.partly.insert(who.clone());
                cost += NEAR;
            }
        }
        cost
    }

    /// Members by distinguished names that no search brought although they are where people are,
    /// each once, sorted.
    pub(super) fn not_found(&self, people_base: &str) -> Vec<String> {
        let lost = self
            .by_dn
            .nobody()
            .filter(|(dn, _)| matches!(self.near.why_not(dn, people_base), Mismatch::NotFound));
        let mut lost: Vec<String> = lost.map(|(dn, _)| dn.clone()).collect();
        lost.sort_unstable();
        lost
    }

    /// Whether some member is nobody.
    pub(super) fn has_unmatched(&self) -> bool {
        self.by_dn.nobody().chain(self.by_login.nobody()).next().is_some()
    }

    /// Who alone can be meant by members that are nobody, with every group they would be in.
    fn meant(&mut self) -> Vec<(u32, Login)> {
        let mut meant = Vec::new();
        for (listed, by) in self.by_login.nobody() {
            let Some(login) = self.near.meant(listed) else { continue };
            let joined = match &mut self.closure {
                Some(closure) => closure.of(&by.by, &[], usize::MAX).unwrap_or_default(),
                None => Vec::new(),
            };
            let entries = joined.iter().map(|one| one.group.0);
            let groups = entries.map(|entry| self.entries[entry as usize].group);
            meant.extend(groups.map(|group| (group, login.clone())));
        }
        meant
    }

    /// The groups, with what is odd about their members.
    pub(super) fn finish(
        mut self,
        people_base: &str,
        looked: &HashMap<String, Looked>,
    ) -> Vec<DirectoryGroup> {
        let meant = self.meant();
        let mut found: Vec<Found> = Vec::new();
        found.resize_with(self.groups.len(), Found::default);
        // Where most of those looked at are there and no people (computers, devices), the others
        // are taken for the same.
        let no_people = looked.values().filter(|one| **one == Looked::NoPerson).count();
        let usual = (2 * no_people > looked.len()).then_some(Looked::NoPerson);
        let by_dn = self.by_dn.nobody().map(|(dn, listed)| {
            let cause = self.near.why_not(dn, people_base);
            let looked = looked.get(dn).copied();
            (dn, listed, cause, looked.or(usual))
        });
        let by_login = self.by_login.nobody();
        let by_login =
            by_login.map(|(login, listed)| (login, listed, self.near.who_not(login), None));
        for (member, listed, cause, looked) in by_dn.chain(by_login) {
            for entry in &listed.by {
                found[self.entries[*entry as usize].group as usize].add(member, &cause, looked);
            }
        }
        for (group, login) in meant {
            self.groups[group as usize].meant.insert(login);
        }
        for entry in self.entries {
            found[entry.group as usize].listed += entry.listed;
            let group = &mut self.groups[entry.group as usize];
            if let Some(hidden) = entry.hidden {
                group.doubtful.get_or_insert(hidden);
            }
            if let Some((count, example)) = entry.differ {
                group.two_lists.get_or_insert(Box::new(TwoLists { count, example }));
            }
        }
        for (group, found) in self.groups.iter_mut().zip(found) {
            let doubtful = group.doubtful.take();
            group.doubtful = doubtful.or_else(|| found.hidden());
            group.unmatched = found.unmatched();
        }
        self.groups
    }
}

/// What is found out about the members of a group that are nobody.
#[derive(Default)]
struct Found {
    listed: u32,
    count: u32,
    /// The one whose cause tells most.
    example: Option<(Mismatch, String)>,
    lost: u32,
    /// Why some of them are somebody.
    proof: Option<String>,
}

impl Found {
    fn add(&mut self, member: &str, cause: &Mismatch, looked: Option<Looked>) {
        self.count += 1;
        let candidate = (cause.clone(), shown(member));
        if self.example.as_ref().is_none_or(|example| candidate < *example) {
            self.example = Some(candidate);
        }
        match (cause, looked) {
            (Mismatch::NotFound, Some(Looked::Refused)) => {
                self.prove(format!("{} is there, and no search brings it", shown(member)));
            }
            (Mismatch::NotFound, Some(Looked::NotThere) | None) => self.lost += 1,
            (Mismatch::Moved { .. } | Mismatch::OtherLogin { .. }, _) => {
                self.prove(format!("it lists {}: {cause}", shown(member)));
            }
            _ => {}
        }
    }

    fn prove(&mut self, why: String) {
        if self.proof.as_ref().is_none_or(|proof| why < *proof) {
            self.proof = Some(why);
        }
    }

    /// Why members of the group are taken for hidden, if so. A few names of people who were
    /// removed stay behind in many directories; where it is a third of the group, it is more often
    /// the reading that lacks them.
    fn hidden(&self) -> Option<String> {
        let many = self.lost > 0 && 3 * u64::from(self.lost) >= u64::from(self.listed);
        let lacking = many.then(|| {
            format!(
                "{} of its {} members are where people are, and no search finds them",
                self.lost, self.listed
            )
        });
        self.proof.clone().or(lacking)
    }

    fn unmatched(self) -> Option<Box<Unmatched>> {
        let (cause, example) = self.example?;
        let Self { count, listed, .. } = self;
        Some(Box::new(Unmatched { count, listed, example, cause }))
    }
}

/// A member as people may see it: what calls somebody by their full name is left out.
pub(super) fn shown(member: &str) -> String {
    let component = first_component(member);
    match component.split_once('=') {
        Some((kind, _)) if !matches!(kind, "uid" | "ou" | "dc" | "o") => {
            format!("{kind}=…{}", &member[component.len()..])
        }
        _ => member.to_owned(),
    }
}

fn narrow(position: usize) -> u32 {
    u32::try_from(position).expect("more than four thousand million groups do not fit into memory")
}
