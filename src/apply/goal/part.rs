//! The same for parts of mirrors.

use super::Expected;
use crate::model::{ObjectKey, ResourceSpec, SeenResource, State, Subject};
use crate::plan::Life;

/// Where to look after a step, and what is there when it has happened.
pub(super) fn goal(life: &Life<Box<ResourceSpec>>) -> (ObjectKey, Expected<'_>) {
    let kind = life.spec().kind;
    let key = match life.id() {
        Some(id) => ObjectKey::Part(kind, id.clone()),
        None => ObjectKey::PartNamed(kind, life.spec().name.clone()),
    };
    let expected = match life {
        Life::Create { subject, spec } => Expected::Part(subject, spec),
        Life::Update { subject, after, .. } => Expected::Part(subject, after),
        Life::Retire { subject, .. } => Expected::PartRetired(subject, true),
        Life::Restore { subject, .. } => Expected::PartRetired(subject, false),
        Life::Delete { .. } => Expected::Absent,
    };
    (key, expected)
}

/// What the same look shows as long as the step has not happened and nobody interfered.
pub(super) fn before(life: &Life<Box<ResourceSpec>>) -> Expected<'_> {
    match life {
        Life::Create { .. } => Expected::Absent,
        Life::Update { subject, before, .. } | Life::Delete { subject, before, .. } => {
            Expected::Part(subject, before)
        }
        Life::Retire { subject, .. } => Expected::PartRetired(subject, false),
        Life::Restore { subject, .. } => Expected::PartRetired(subject, true),
    }
}

/// Whether it is the part that stands for the subject, and is like that.
pub(super) fn is_like(found: &SeenResource, subject: &Subject, spec: &ResourceSpec) -> bool {
    is_of(found, subject) && found.observed.spec == *spec
}

/// Whether it is the part that stands for the subject, and is on its way out, or not.
pub(super) fn is_retired(found: &SeenResource, subject: &Subject, retired: bool) -> bool {
    is_of(found, subject) && matches!(found.state, State::Retired { .. }) == retired
}

fn is_of(found: &SeenResource, subject: &Subject) -> bool {
    found.observed.ownership.subject() == Some(subject)
}

/// What is different, in words.
pub(super) fn difference(was: &ResourceSpec, is: &ResourceSpec) -> Vec<String> {
    let mut different = Vec::new();
    if was.name != is.name {
        different.push(format!("its name is {}", is.name));
    }
    let keys = was.settings.keys().chain(is.settings.keys());
    let keys: std::collections::BTreeSet<_> =
        keys.filter(|key| was.settings.get(*key) != is.settings.get(*key)).collect();
    different.extend(keys.into_iter().map(|key| format!("its {key} differs")));
    different
}
