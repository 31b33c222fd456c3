//! What was taken away within a day: ten small runs are no way round a limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Kind, OrganisationName};

/// How much was taken away, by organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recent {
    organisations: BTreeMap<OrganisationName, Amounts>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Amounts {
    objects: BTreeMap<Kind, u64>,
    access: u64,
}

impl Recent {
    /// How many objects of a kind.
    pub fn objects(&self, organisation: &OrganisationName, kind: Kind) -> u64 {
        let amounts = self.organisations.get(organisation);
        amounts.and_then(|amounts| amounts.objects.get(&kind)).copied().unwrap_or(0)
    }

    /// How much access.
    pub fn access(&self, organisation: &OrganisationName) -> u64 {
        self.organisations.get(organisation).map_or(0, |amounts| amounts.access)
    }

    /// So many objects more.
    pub fn add_objects(&mut self, organisation: &OrganisationName, kind: Kind, count: u64) {
        let amounts = self.organisations.entry(organisation.clone()).or_default();
        let all = amounts.objects.entry(kind).or_default();
        *all = all.saturating_add(count);
    }

    /// So much access more.
    pub fn add_access(&mut self, organisation: &OrganisationName, count: u64) {
        let amounts = self.organisations.entry(organisation.clone()).or_default();
        amounts.access = amounts.access.saturating_add(count);
    }

    /// What another account of the same time tells besides.
    pub fn add(&mut self, other: &Self) {
        for (organisation, amounts) in &other.organisations {
            for (kind, count) in &amounts.objects {
                self.add_objects(organisation, *kind, *count);
            }
            self.add_access(organisation, amounts.access);
        }
    }

    /// Whether nothing was.
    pub fn is_nothing(&self) -> bool {
        let nothing = |amounts: &Amounts| {
            amounts.access == 0 && amounts.objects.values().all(|count| *count == 0)
        };
        self.organisations.values().all(nothing)
    }
}
