//! Which groups follow from which.

use crate::model::{GroupIndex, Joined, Via};

/// "A member of this group is in those groups as well", for every group.
pub(super) struct Closure {
    leads_to: Vec<Vec<u32>>,
    /// For each group the last walk that came by: no walk has to clear what another marked.
    visited: Vec<u32>,
    walk: u32,
}

impl Closure {
    /// From the direct steps, by index of group.
    pub(super) fn new(mut leads_to: Vec<Vec<u32>>) -> Self {
        for steps in &mut leads_to {
            steps.sort_unstable();
            steps.dedup();
        }
        let visited = vec![0; leads_to.len()];
        Self { leads_to, visited, walk: 0 }
    }

    /// Every group somebody is in, sorted, each once: nearest way first, among equally near ones
    /// the one through the smallest index.
    ///
    /// Breadth first with a list, so neither cycles nor depth matter; costs what it returns plus
    /// the steps between. `None` if there are more groups than `most`.
    pub(super) fn of(
        &mut self,
        direct: &[u32],
        primary: &[u32],
        most: usize,
    ) -> Option<Vec<Joined>> {
        self.next_walk();
        let mut joined = Vec::new();
        let mut frontier = Vec::new();
        for (groups, via) in [(direct, Via::Direct), (primary, Via::Primary)] {
            for &group in groups {
                self.visit(group, via, &mut joined, &mut frontier);
            }
        }
        if joined.len() > most {
            return None;
        }
        while !frontier.is_empty() {
            frontier.sort_unstable();
            let mut next = Vec::new();
            for group in frontier {
                let steps = std::mem::take(&mut self.leads_to[group as usize]);
                for &step in &steps {
                    self.visit(step, Via::Through(GroupIndex(group)), &mut joined, &mut next);
                }
                self.leads_to[group as usize] = steps;
                if joined.len() > most {
                    return None;
                }
            }
            frontier = next;
        }
        joined.sort_unstable();
        joined.shrink_to_fit();
        Some(joined)
    }

    fn visit(&mut self, group: u32, via: Via, joined: &mut Vec<Joined>, next: &mut Vec<u32>) {
        let visited = &mut self.visited[group as usize];
        if *visited != self.walk {
            *visited = self.walk;
            joined.push(Joined { group: GroupIndex(group), via });
            next.push(group);
        }
    }

    fn next_walk(&mut self) {
        self.walk = self.walk.wrapping_add(1);
        if self.walk == 0 {
            self.visited.fill(0);
            self.walk = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    fn all(closure: &mut Closure, direct: &[u32], primary: &[u32]) -> Vec<Joined> {
        closure.of(direct, primary, usize::MAX).expect("no limit")
    }

    fn groups(joined: &[Joined]) -> Vec<u32> {
        joined.iter().map(|one| one.group.0).collect()
    }

    #[test]
    fn the_nearest_way_is_kept_and_a_cycle_ends() {
        let mut closure = Closure::new(vec![vec![1], vec![2], vec![0, 1]]);
        let joined = all(&mut closure, &[0], &[]);
        assert_eq!(
            joined.iter().map(|one| one.via).collect::<Vec<_>>(),
            [Via::Direct, Via::Through(GroupIndex(0)), Via::Through(GroupIndex(1))]
        );
        assert_eq!(
            groups(&all(&mut closure, &[2], &[2])),
            [0, 1, 2],
            "and walks do not disturb another"
        );
    }

    #[test]
    fn direct_comes_before_primary_and_primary_before_through() {
        let mut closure = Closure::new(vec![vec![1, 2], vec![], vec![]]);
        let joined = all(&mut closure, &[0], &[0, 1]);
        assert_eq!(
            joined.iter().map(|one| one.via).collect::<Vec<_>>(),
            [Via::Direct, Via::Primary, Via::Through(GroupIndex(0))]
        );
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_groups_is_walked_without_recursion() {
        let depth = 100_000;
        let chain = (0..depth).map(|at| if at + 1 < depth { vec![at + 1] } else { vec![0] });
        assert_eq!(all(&mut Closure::new(chain.collect()), &[0], &[]).len(), depth as usize);
    }

    #[test]
    fn a_walk_that_leads_to_too_many_groups_ends() {
        let mut closure = Closure::new(vec![vec![1], vec![2], vec![3], vec![]]);
        assert_eq!(closure.of(&[0], &[], 3), None);
        assert_eq!(closure.of(&[0, 1, 2, 3], &[], 3), None);
        assert_eq!(all(&mut closure, &[0], &[]).len(), 4, "and the next one goes all the way");
    }

    #[test]
    fn the_counter_of_walks_may_wrap() {
        let mut closure = Closure::new(vec![vec![]]);
        closure.walk = u32::MAX;
        closure.visited[0] = u32::MAX;
        assert_eq!(groups(&all(&mut closure, &[0], &[])), [0]);
    }

    /// Adds what follows until nothing follows any more.
    fn naive(leads_to: &[Vec<u32>], direct: &[u32]) -> Vec<u32> {
        let mut all: BTreeSet<u32> = direct.iter().copied().collect();
        loop {
            let more: BTreeSet<u32> =
                all.iter().flat_map(|group| &leads_to[*group as usize]).copied().collect();
            let before = all.len();
            all.extend(more);
            if all.len() == before {
                return all.into_iter().collect();
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_closure(
            leads_to in proptest::collection::vec(proptest::collection::vec(0_u32..12, 0..5), 12),
            direct in proptest::collection::vec(0_u32..12, 0..4),
        ) {
            let joined = all(&mut Closure::new(leads_to.clone()), &direct, &[]);
            prop_assert_eq!(groups(&joined), naive(&leads_to, &direct));
            for one in joined {
                match one.via {
                    Via::Direct => prop_assert!(direct.contains(&one.group.0)),
                    Via::Through(by) => {
                        prop_assert!(leads_to[by.0 as usize].contains(&one.group.0));
                    }
                    Via::Primary => prop_assert!(false, "nobody has a primary group here"),
                }
            }
        }
    }
}
