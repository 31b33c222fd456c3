//! How groups are found from people, once all groups are known.

use std::collections::HashMap;

use crate::model::{DirectoryGroup, GroupName};

use super::Notes;
use super::closure::Closure;
use super::facts::GroupFacts;

/// The keys of members, each kept once however many groups list it and however often.
#[derive(Default)]
pub(super) struct Members {
    ids: HashMap<String, u32>,
}

/// What a known key of a member costs besides its bytes, its list of groups included.
const MEMBER: usize = 120;
/// What a group costs besides what it says.
const GROUP: usize = 500;

impl Members {
    /// The numbers of the members a group lists, each once; and the bytes that the new ones need.
    fn numbers(&mut self, members: Vec<String>) -> (Vec<u32>, usize) {
        let mut cost = 0;
        let mut numbers = Vec::with_capacity(members.len());
        for member in members {
            let next = number(self.ids.len());
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
}

/// A group, its members by number.
pub(super) struct Group {
    facts: GroupFacts,
    members: Vec<u32>,
}

impl Group {
    /// With the bytes it needs, now and when groups are linked.
    pub(super) fn new(mut facts: GroupFacts, known: &mut Members) -> (Self, usize) {
        let (members, new) = known.numbers(std::mem::take(&mut facts.members));
        let texts = 4 * facts.name.len()
            + 3 * facts.key.as_ref().map_or(0, String::len)
            + 2 * facts.number.as_ref().map_or(0, String::len);
        let leads_to: usize = facts.leads_to.iter().map(|name| 50 + name.len()).sum();
        // Here, in the list of each member and as a step, each with room to grow.
        let cost = GROUP + texts + leads_to + new + members.len() * 5 * size_of::<u32>();
        (Self { facts, members }, cost)
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).expect("more than four thousand million do not fit into memory")
}

/// How groups are found from people.
#[derive(Default)]
pub(super) struct Links {
    /// The groups, sorted by name, each once.
    pub(super) groups: Vec<DirectoryGroup>,
    by_folded_name: HashMap<String, Vec<u32>>,
    by_number: HashMap<String, Vec<u32>>,
    /// Groups that show no members, by their key.
    by_key: HashMap<String, u32>,
    members: Members,
    /// For the number of a member the groups that list it.
    by_member: Vec<Vec<u32>>,
    /// What follows from being in a group; `None` as long as groups are not known.
    pub(super) closure: Option<Closure>,
}

/// Sorts groups by name and puts those of one name together: the union is what the operating
/// system makes of them.
fn sort(groups: &mut [Group], notes: &mut Notes) {
    groups.sort_by(|Group { facts: one, .. }, Group { facts: other, .. }| {
        (&one.name, &one.key).cmp(&(&other.name, &other.key))
    });
    for pair in groups.windows(2) {
        if pair[0].facts.name == pair[1].facts.name {
            let said = "several groups have this name; they count as one";
            notes.warn_of(&pair[0].facts.name, said);
        }
    }
}

impl Links {
    /// From all groups.
    pub(super) fn new(mut all: Vec<Group>, members: Members, notes: &mut Notes) -> Self {
        sort(&mut all, notes);
        let mut links = Self { members, ..Self::default() };
        for Group { facts, .. } in &all {
            if links.groups.last().is_none_or(|last| last.name.as_str() != facts.name) {
                links.groups.push(DirectoryGroup { name: GroupName::new(facts.name.as_str()) });
                let index = links.last();
                let folded = facts.name.to_ascii_lowercase();
                links.by_folded_name.entry(folded).or_default().push(index);
            }
            let index = links.last();
            if let Some(number) = &facts.number {
                links.add_number(number, index, notes);
            }
        }
        links.closure = Some(Closure::new(links.steps(all, notes)));
        links
    }

    /// The groups that list the member of this key.
    pub(super) fn listing(&self, key: &str) -> &[u32] {
        let number = self.members.ids.get(key);
        number.map_or(&[], |number| self.by_member[*number as usize].as_slice())
    }

    /// The group of this key, if it shows no members.
    pub(super) fn silent(&self, key: &str) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    /// The groups of this number.
    pub(super) fn numbered(&self, number: &str) -> &[u32] {
        self.by_number.get(number).map_or(&[], Vec::as_slice)
    }

    /// Which groups follow from which; fills the members on the way.
    fn steps(&mut self, all: Vec<Group>, notes: &mut Notes) -> Vec<Vec<u32>> {
        // For the number of a member the group that it is, if it is one.
        let mut inner: Vec<Option<u32>> = vec![None; self.members.ids.len()];
        for Group { facts, .. } in &all {
            if let (Some(key), Some(index)) = (&facts.key, self.exact(&facts.name)) {
                if let Some(number) = self.members.ids.get(key) {
                    inner[*number as usize] = Some(index);
                }
                if !facts.shows_members {
                    self.by_key.insert(key.clone(), index);
                }
            }
        }
        self.by_member = vec![Vec::new(); inner.len()];
        let mut steps = vec![Vec::new(); self.groups.len()];
        for Group { facts, members } in all {
            let Some(index) = self.exact(&facts.name) else { continue };
            for name in &facts.leads_to {
                steps[index as usize].extend(self.named(name, &facts.name, notes));
            }
            for member in members {
                match inner[member as usize] {
                    Some(inner) => steps[inner as usize].push(index),
                    None => self.by_member[member as usize].push(index),
                }
            }
        }
        steps
    }

    fn add_number(&mut self, number: &str, index: u32, notes: &mut Notes) {
        let same = self.by_number.entry(number.to_owned()).or_default();
        // Groups come in the order of their index: looking through all of them takes its time.
        if same.last() != Some(&index) {
            same.push(index);
        }
        if let [first, .., last] = same[..] {
            let (first, last) = (&self.groups[first as usize], &self.groups[last as usize]);
            notes.warn_of(
                last.name.as_str(),
                format!("it has the number {number} of group {} as well", first.name),
            );
        }
    }

    /// The group meant by a name whose case does not matter: the one spelt so, else the only one
    /// that differs in case alone.
    pub(super) fn named(&self, name: &str, by: &str, notes: &mut Notes) -> Option<u32> {
        if let Some(exact) = self.exact(name) {
            return Some(exact);
        }
        let similar = self.by_folded_name.get(&name.to_ascii_lowercase());
        match similar.map(Vec::as_slice) {
            Some([only]) => Some(*only),
            Some(_) => {
                notes.warn_of(
                    by,
                    format!("it names group `{name}`, which several groups differ from in case only; does not count"),
                );
                None
            }
            None if name.eq_ignore_ascii_case("guest") => None,
            None => {
                notes.warn_of(by, format!("it names group `{name}`, which does not exist"));
                None
            }
        }
    }

    fn exact(&self, name: &str) -> Option<u32> {
        let at = self.groups.binary_search_by(|group| group.name.as_str().cmp(name)).ok()?;
        u32::try_from(at).ok()
    }

    fn last(&self) -> u32 {
        number(self.groups.len().saturating_sub(1))
    }
}
