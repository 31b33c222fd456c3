//! What a saved plan was made from, in digests: so that `reconcile apply` can name what moved.

use std::collections::BTreeMap;

use super::gather::Gathered;
use crate::digest::sha256;
use crate::model::{
    Credential, Directory, Missing, ObservedAccount, Place, Reading, ResourceKind, SeenResource,
    VendorId,
};

/// The digest of every directory that was asked, by `directory NAME`.
pub fn directories(gathered: &Gathered) -> BTreeMap<String, String> {
    gathered
        .directories
        .iter()
        .map(|(name, reading)| (format!("directory {name}"), directory(reading)))
        .collect()
}

/// The digest of every account that was read, by `organisation/account`. Does not depend on the
/// order in which a vendor lists.
pub fn accounts(gathered: &Gathered) -> BTreeMap<String, String> {
    let observations = &gathered.observations;
    let parts = observations.parts.iter().map(|(place, readings)| {
        let of_kind = |(kind, reading): (&ResourceKind, &Reading<Vec<SeenResource>>)| {
            let mut seen = reading.got().clone();
            seen.sort_by(|a, b| a.observed.id.cmp(&b.observed.id));
            (*kind, seen, reading.missing().to_vec())
        };
        let readings: Vec<_> = readings.iter().map(of_kind).collect();
        (format!("mirrors in {place}"), digest(&readings))
    });
    observations
        .accounts
        .iter()
        .map(|(place, reading)| {
            let credentials: Option<Vec<_>> = observations.credentials.get(place).map(|readings| {
                let of_user = |(user, reading): (&VendorId, &Reading<Vec<Credential>>)| {
                    let mut credentials = reading.got().clone();
                    credentials.sort();
                    (user.clone(), credentials, reading.missing().to_vec())
                };
                readings.iter().map(of_user).collect()
            });
            (place.to_string(), account(place, reading, &credentials))
        })
        .chain(parts)
        .collect()
}

/// Warnings are left out: nothing is planned on their account.
fn directory(reading: &Reading<Directory>) -> String {
    let Directory { name, people, groups, unclear, warnings: _, hidden: _, time: _ } =
        reading.got();
    digest(&(name, people, groups, unclear, reading.missing()))
}

fn account<T: serde::Serialize>(
    place: &Place,
    reading: &Reading<ObservedAccount>,
    credentials: &T,
) -> String {
    let ObservedAccount {
        own_principal,
        users,
        groups,
        roles,
        memberships,
        bindings,
        attachments,
        quotas,
        expiries,
        assigned,
        assigned_in,
        foreign_assigned,
        foreign_rights,
        leaned_on,
        stale_suspensions,
        listed,
        unlisted_providers,
    } = reading.got();
    let mut users: Vec<_> = users.iter().collect();
    users.sort_unstable_by_key(|user| &user.id);
    let mut groups: Vec<_> = groups.iter().collect();
    groups.sort_unstable_by_key(|group| &group.id);
    let mut roles: Vec<_> = roles.iter().collect();
    roles.sort_unstable_by_key(|role| &role.id);
    let mut memberships: Vec<_> = memberships.iter().collect();
    memberships.sort_unstable();
    let mut bindings: Vec<_> = bindings.iter().collect();
    bindings.sort_unstable();
    let mut attachments: Vec<_> = attachments.iter().collect();
    attachments.sort_unstable();
    let missing: &[Missing] = reading.missing();
    digest(&(
        (place, own_principal, missing, listed, unlisted_providers),
        (users, groups, roles),
        (memberships, bindings, credentials),
        (attachments, quotas, expiries, leaned_on, stale_suspensions),
        (assigned, assigned_in, foreign_assigned, foreign_rights),
    ))
}

fn digest(value: &impl serde::Serialize) -> String {
    sha256(&serde_json::to_vec(value).expect("plain values are always valid JSON"))
}
