//! Who gets which name, and in which order, when names are passed on within one plan.

use std::collections::{HashMap, HashSet};

use crate::model::{ChangeId, ObjectName};

/// How the names of those begin whose names are passed round.
const IN_BETWEEN: &str = "reconcile-moving-";

/// Whether a name is one that an object has only while names are passed round.
pub fn is_in_between(name: &ObjectName) -> bool {
    name.as_str().starts_with(IN_BETWEEN)
}

/// Somebody who wants a name they do not have yet.
#[derive(Clone, Copy, Debug)]
struct Claim<'a> {
    /// The wanted name, folded as the vendor compares names.
    name: &'a str,
    /// The existing object that is to get it; `None` for one to be created.
    holder: Option<usize>,
}

/// One step of handing out names. To be carried out in the order given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    /// Give the claim its name, after an earlier move (by position in the list), if any.
    Take {
        /// Which claim.
        claim: usize,
        /// The move that frees the name.
        after: Option<usize>,
        /// The existing object whose deletion frees the name.
        after_deletion: Option<usize>,
    },
    /// Names are passed round in a circle: the claim's existing object first gets a temporary
    /// name.
    Vacate {
        /// Which claim.
        claim: usize,
    },
}

/// Who has a name now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Occupant {
    /// The existing object.
    existing: usize,
    /// It will be deleted by the same plan.
    leaves: bool,
}

/// An object that is to get a name.
#[derive(Debug)]
pub(super) struct Want {
    /// Its position among the desired objects.
    pub(super) index: usize,
    /// The name, folded as the vendor compares names.
    pub(super) name: String,
    /// The existing object, for one that is to be renamed.
    pub(super) holder: Option<usize>,
}

/// What is to be done so that a desired object gets its name.
#[derive(Debug)]
pub(super) enum Act {
    /// Make it.
    Create,
    /// Rename the existing object, which has the name `from` by then if it went through a
    /// temporary one, to a temporary name or else the desired one.
    Rename {
        /// The temporary name it has by then.
        from: Option<ObjectName>,
        /// The temporary name it is to get.
        temporary: Option<ObjectName>,
    },
}

/// Has every wanted object made or renamed, in an order in which no name is ever held twice.
///
/// `existing` are the folded names of the existing objects, `deletions` those that will go. `act`
/// makes the change for a desired object, with the changes it needs. Gives those that cannot have
/// their name, with the existing object that keeps it.
pub(super) fn hand_out(
    wants: &[Want],
    existing: &[String],
    deletions: &HashMap<usize, ChangeId>,
    mut act: impl FnMut(usize, Act, Vec<ChangeId>) -> ChangeId,
) -> Vec<(usize, usize)> {
    let occupants: HashMap<&str, Occupant> = existing
        .iter()
        .enumerate()
        .map(|(existing, name)| {
            let leaves = deletions.contains_key(&existing);
            (name.as_str(), Occupant { existing, leaves })
        })
        .collect();
    let claims: Vec<Claim<'_>> =
        wants.iter().map(|want| Claim { name: &want.name, holder: want.holder }).collect();
    let (moves, refused) = settle(&claims, &occupants);
    let mut done: Vec<ChangeId> = Vec::with_capacity(moves.len());
    let mut vacated: HashMap<usize, (ChangeId, ObjectName)> = HashMap::new();
    for one in moves {
        done.push(match one {
            Move::Vacate { claim } => {
                let index = wants[claim].index;
                let name = ObjectName::new(temporary(index, &claims, &occupants));
                let step = Act::Rename { from: None, temporary: Some(name.clone()) };
                let id = act(index, step, Vec::new());
                vacated.insert(claim, (id, name));
                id
            }
            Move::Take { claim, after, after_deletion } => {
                let mut needs: Vec<ChangeId> = after.map(|at| done[at]).into_iter().collect();
                needs.extend(after_deletion.and_then(|at| deletions.get(&at)));
                let from = vacated.remove(&claim).map(|(id, name)| {
                    needs.push(id);
                    name
                });
                let step = match wants[claim].holder {
                    Some(_) => Act::Rename { from, temporary: None },
                    None => Act::Create,
                };
                act(wants[claim].index, step, needs)
            }
        });
    }
    refused.into_iter().map(|(claim, existing)| (wants[claim].index, existing)).collect()
}

/// A temporary name that nobody has and nobody is about to get.
fn temporary(index: usize, claims: &[Claim<'_>], occupants: &HashMap<&str, Occupant>) -> String {
    let mut name = format!("{IN_BETWEEN}{index}");
    while occupants.contains_key(name.as_str()) || claims.iter().any(|one| one.name == name) {
        name.push('-');
    }
    name
}

/// Orders the claims. The second list holds the claims whose name stays taken, with the existing
/// object that keeps it (directly or because its own claim is refused).
///
/// Names that two claims want are the caller's to sort out before.
fn settle(
    claims: &[Claim<'_>],
    occupants: &HashMap<&str, Occupant>,
) -> (Vec<Move>, Vec<(usize, usize)>) {
    let by_holder: HashMap<usize, usize> = claims
        .iter()
        .enumerate()
        .filter_map(|(claim, one)| one.holder.map(|holder| (holder, claim)))
        .collect();
    let mut settled =
        Settled { moves: Vec::new(), taken: vec![None; claims.len()], refused: Vec::new() };
    for start in 0..claims.len() {
        settled.chain(start, claims, occupants, &by_holder);
    }
    (settled.moves, settled.refused)
}

struct Settled {
    moves: Vec<Move>,
    /// For each claim the move that gives it its name, or the object in its way.
    taken: Vec<Option<Result<usize, usize>>>,
    refused: Vec<(usize, usize)>,
}

impl Settled {
    /// Follows from a claim to the one whose object has the wanted name, and so on to the end of
    /// the chain, then settles backwards.
    fn chain(
        &mut self,
        start: usize,
        claims: &[Claim<'_>],
        occupants: &HashMap<&str, Occupant>,
        by_holder: &HashMap<usize, usize>,
    ) {
        let mut path: Vec<usize> = Vec::new();
        let mut on_path: HashSet<usize> = HashSet::new();
        let mut next = Some(start);
        // What frees the name of the last claim of the path.
        let mut freed: Result<(Option<usize>, Option<usize>), usize> = Ok((None, None));
        while let Some(claim) = next.take() {
            if let Some(settled) = self.taken[claim] {
                freed = settled.map(|by| (Some(by), None));
                break;
            }
            if !on_path.insert(claim) {
                self.moves.push(Move::Vacate { claim });
                freed = Ok((Some(self.moves.len() - 1), None));
                break;
            }
            path.push(claim);
            match occupants.get(claims[claim].name) {
                Some(occupant) if Some(occupant.existing) != claims[claim].holder => {
                    if occupant.leaves {
                        freed = Ok((None, Some(occupant.existing)));
                    } else if let Some(other) = by_holder.get(&occupant.existing) {
                        next = Some(*other);
                    } else {
                        freed = Err(occupant.existing);
                    }
                }
                _ => freed = Ok((None, None)),
            }
        }
        for claim in path.into_iter().rev() {
            match freed {
                Ok((after, after_deletion)) => {
                    self.moves.push(Move::Take { claim, after, after_deletion });
                    let this = self.moves.len() - 1;
                    self.taken[claim] = Some(Ok(this));
                    freed = Ok((Some(this), None));
                }
                Err(existing) => {
                    self.refused.push((claim, existing));
                    self.taken[claim] = Some(Err(existing));
                    freed = Err(claims[claim].holder.unwrap_or(existing));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, holder: Option<usize>) -> Claim<'_> {
        Claim { name, holder }
    }

    fn stays(existing: usize) -> Occupant {
        Occupant { existing, leaves: false }
    }

    /// Carries the moves out on a table of names and checks that no name is ever held twice.
    fn carry_out(
        claims: &[Claim<'_>],
        before: &[(&str, usize)],
        leaving: &[usize],
        moves: &[Move],
    ) -> HashMap<String, usize> {
        let mut names: HashMap<String, usize> =
            before.iter().map(|(name, existing)| ((*name).to_owned(), *existing)).collect();
        names.retain(|_, existing| !leaving.contains(existing));
        for one in moves {
            let (claim, name) = match one {
                Move::Take { claim, .. } => (*claim, claims[*claim].name.to_owned()),
                Move::Vacate { claim } => (*claim, format!("temporary {claim}")),
            };
            let holder = claims[claim].holder.unwrap_or(1000 + claim);
            names.retain(|_, existing| *existing != holder);
            assert_eq!(names.insert(name, holder), None, "name held twice");
        }
        names
    }

    #[test]
    fn a_free_name_is_taken_at_once() {
        let (moves, refused) = settle(&[claim("a", None)], &HashMap::new());
        assert_eq!(moves, [Move::Take { claim: 0, after: None, after_deletion: None }]);
        assert_eq!(refused, []);
    }

    #[test]
    fn a_chain_is_settled_from_its_end() {
        let claims = [claim("b", Some(1)), claim("c", Some(2))];
        let occupants = HashMap::from([("a", stays(1)), ("b", stays(2))]);
        let (moves, refused) = settle(&claims, &occupants);
        assert_eq!(refused, []);
        let names = carry_out(&claims, &[("a", 1), ("b", 2)], &[], &moves);
        assert_eq!(names, HashMap::from([("b".to_owned(), 1), ("c".to_owned(), 2)]));
    }

    #[test]
    fn a_circle_goes_through_a_temporary_name() {
        let claims = [claim("b", Some(1)), claim("c", Some(2)), claim("a", Some(3))];
        let before = [("a", 1), ("b", 2), ("c", 3)];
        let occupants = HashMap::from([("a", stays(1)), ("b", stays(2)), ("c", stays(3))]);
        let (moves, refused) = settle(&claims, &occupants);
        assert_eq!(refused, []);
        assert_eq!(moves.len(), 4);
        let names = carry_out(&claims, &before, &[], &moves);
        let wanted = [("b", 1), ("c", 2), ("a", 3)].map(|(name, one)| (name.to_owned(), one));
        assert_eq!(names, HashMap::from(wanted));
    }

    #[test]
    fn a_taken_name_refuses_the_whole_chain() {
        let claims = [claim("b", Some(1)), claim("c", Some(2)), claim("a", None)];
        let occupants = HashMap::from([("a", stays(1)), ("b", stays(2)), ("c", stays(9))]);
        let (moves, refused) = settle(&claims, &occupants);
        assert_eq!(moves, []);
        let mut refused: Vec<usize> = refused.into_iter().map(|(claim, _)| claim).collect();
        refused.sort_unstable();
        assert_eq!(refused, [0, 1, 2]);
    }

    #[test]
    fn a_name_is_free_once_its_holder_is_deleted() {
        let claims = [claim("a", None)];
        let occupants = HashMap::from([("a", Occupant { existing: 7, leaves: true })]);
        let (moves, refused) = settle(&claims, &occupants);
        assert_eq!(moves, [Move::Take { claim: 0, after: None, after_deletion: Some(7) }]);
        assert_eq!(refused, []);
    }

    #[test]
    fn changing_only_the_case_of_a_name_is_not_in_its_own_way() {
        let claims = [claim("alice", Some(1))];
        let occupants = HashMap::from([("alice", stays(1))]);
        let (moves, refused) = settle(&claims, &occupants);
        assert_eq!(moves, [Move::Take { claim: 0, after: None, after_deletion: None }]);
        assert_eq!(refused, []);
    }
}
