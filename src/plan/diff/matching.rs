//! Which observed object is which desired one: by the mark, never by the name.
//!
//! Copied marks are somebody's accident: nobody can tell which of the objects is meant. If one is
//! wanted, the others are left alone. If none is, all of them lose what can be given back, and
//! nothing irreversible happens to any.

use rustc_hash::FxHashMap;

use crate::model::{ObjectName, Observed, Subject};

/// How observed objects of one kind correspond to desired ones.
#[derive(Debug, Default)]
pub(super) struct Matching {
    /// For each desired object its observed one.
    pub(super) of_desired: Vec<Option<usize>>,
    /// For each observed object what it is.
    pub(super) of_observed: Vec<Match>,
    /// For each observed object of ours that is not wanted whether another carries its mark too.
    pub(super) copied: Vec<bool>,
}

impl Matching {
    /// Whether people have to say what an observed object is, because its mark was copied.
    pub(super) fn is_doubtful(&self, position: usize) -> bool {
        self.copied[position] || self.of_observed[position] == Match::Surplus
    }
}

/// What an observed object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// Ours and wanted: the desired object's position.
    Wanted(usize),
    /// Ours and not wanted.
    Extraneous,
    /// Carries the same mark as another one that was taken for the desired object.
    Surplus,
    /// Not ours.
    Foreign,
}

/// Matches by subject. Of several observed objects with the mark of a desired one that with the
/// desired name is taken, else the first by name and id; the others are surplus.
pub(super) fn match_up<'a, T: 'a>(
    desired: impl ExactSizeIterator<Item = (&'a Subject, &'a ObjectName)>,
    observed: &'a [Observed<T>],
    name: impl Fn(&T) -> &ObjectName,
) -> Matching {
    let mut matching = Matching {
        of_desired: vec![None; desired.len()],
        of_observed: vec![Match::Foreign; observed.len()],
        copied: vec![false; observed.len()],
    };
    let desired: FxHashMap<&Subject, (usize, &ObjectName)> = desired
        .enumerate()
        .map(|(position, (subject, name))| (subject, (position, name)))
        .collect();
    let mut first_of: FxHashMap<&Subject, usize> = FxHashMap::default();
    first_of.reserve(observed.len());
    for (position, object) in observed.iter().enumerate() {
        let Some(subject) = object.ownership.subject() else { continue };
        let wanted = desired.get(subject).copied();
        let as_matched = |matching: &mut Matching, position: usize| match wanted {
            Some((index, _)) => {
                matching.of_desired[index] = Some(position);
                matching.of_observed[position] = Match::Wanted(index);
            }
            None => matching.of_observed[position] = Match::Extraneous,
        };
        match first_of.get(subject).copied() {
            None => {
                first_of.insert(subject, position);
                as_matched(&mut matching, position);
            }
            Some(other) if wanted.is_none() => {
                as_matched(&mut matching, position);
                matching.copied[position] = true;
                matching.copied[other] = true;
            }
            Some(other) => {
                let rank = |position: usize| {
                    let object = &observed[position];
                    let named = wanted.is_some_and(|(_, wanted)| wanted == name(&object.spec));
                    (!named, name(&object.spec), &object.id)
                };
                if rank(position) < rank(other) {
                    matching.of_observed[other] = Match::Surplus;
                    first_of.insert(subject, position);
                    as_matched(&mut matching, position);
                } else {
                    matching.of_observed[position] = Match::Surplus;
                }
            }
        }
    }
    matching
}
