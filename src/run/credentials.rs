//! The second, narrow reading: credentials of those who go, and of service accounts with keys.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::gather::{ACCOUNT_TIME, within};
use crate::cloud::Observe;
use crate::model::{Credential, Missing, Reading, VendorId};

/// Reads the credentials of some users, and says of each whether they are all of its own.
///
/// All are asked for at once. Only if that was not complete each user is asked for again by
/// itself: one whose list may not be read must not keep in all others who go.
pub async fn credentials(
    observe: &dyn Observe,
    users: &[VendorId],
) -> BTreeMap<VendorId, Reading<Vec<Credential>>> {
    let end = Instant::now() + ACCOUNT_TIME;
    let together = read(observe, users, end).await;
    if together.is_complete() || users.len() < 2 {
        return users.iter().map(|user| (user.clone(), of_user(&together, user))).collect();
    }
    let mut readings = BTreeMap::new();
    for user in users {
        let reading = read(observe, std::slice::from_ref(user), end).await;
        readings.insert(user.clone(), of_user(&reading, user));
    }
    readings
}

async fn read(observe: &dyn Observe, users: &[VendorId], end: Instant) -> Reading<Vec<Credential>> {
    let left = end.saturating_duration_since(Instant::now());
    within(left, observe.credentials(users)).await.unwrap_or_else(|why| {
        let what = match users {
            [user] => format!("credentials of {user}"),
            _ => format!("credentials of {} users", users.len()),
        };
        Reading::partial(Vec::new(), Missing::new(what, why))
    })
}

fn of_user(reading: &Reading<Vec<Credential>>, user: &VendorId) -> Reading<Vec<Credential>> {
    let own = |all: Vec<Credential>| all.into_iter().filter(|one| one.user == *user).collect();
    reading.clone().map(own)
}
