//! AWS by way of IAM Identity Center: users, groups and permission sets live in the identity
//! store of one instance, and groups are assigned permission sets in accounts.
//!
//! The hub is the account the instance belongs to, or its delegated administrator; only it is
//! signed in to. The other accounts are numbers that assignments name.
//!
//! # What is what
//! - A role is a permission set: one for all accounts, provisioned to each account in which it is
//!   assigned. What is attached to it are policies and its boundary.
//! - A binding is the assignment of a permission set to a group in an account.
//! - Assignments and provisioning take their time at the vendor: a call is answered at once and
//!   looked after until it has succeeded or failed.
//! - Suspending takes nothing away by itself: the plan has taken the user out of all groups, and
//!   what somebody assigned to the user directly is shown as a credential, which the plan revokes.
//!   No API disables a user.

mod assignments;
mod attachments;
mod by_hand;
mod ceiling;
mod client;
mod coalesced;
mod config;
mod convert;
mod error;
#[cfg(test)]
mod fuzz;
mod hub;
mod identity;
mod mark;
mod memberships;
mod observe;
mod permissions;
mod provisioning;
mod realise;
mod roles;
mod whole;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

pub use config::Patience;

use super::AwsBase;
use super::session::{Base, Session};
use crate::cloud::{CloudError, Connection, ErrorKind, Needed, Vendor};
use crate::model::{Account, OrganisationName, Site, VendorFacts};
use ceiling::Ceilings;
use hub::Hub;

/// How many changes may be under way in a hub: enough to use up its ceiling.
const HUB_CONCURRENCY: usize = 8;

/// How many changes may be under way in another account. Identity Center changes one permission
/// set of an account at a time, and few assignments at all, so more would only wait.
const TARGET_CONCURRENCY: usize = 2;

/// Identity Center as a vendor.
pub struct IdentityCenter {
    facts: VendorFacts,
    base: Arc<Base>,
    patience: Patience,
    hubs: Mutex<HashMap<(OrganisationName, String), Arc<Hub>>>,
    ceilings: Mutex<HashMap<String, Arc<Ceilings>>>,
}

impl IdentityCenter {
    /// The facts, known without asking.
    pub fn facts() -> VendorFacts {
        config::facts()
    }

    /// With credentials and connections of the other ways of access to AWS.
    pub fn new(base: &Arc<AwsBase>, patience: Patience) -> Self {
        Self {
            facts: config::facts(),
            base: Arc::clone(&base.0),
            patience,
            hubs: Mutex::default(),
            ceilings: Mutex::default(),
        }
    }

    /// The hub's one instance, shared by all connections that go by it.
    async fn hub(&self, account: &Account) -> Arc<Hub> {
        let key = (account.place.organisation.clone(), account.id.clone());
        let known = |hubs: &Mutex<HashMap<_, Arc<Hub>>>| {
            hubs.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
        };
        if let Some(hub) = known(&self.hubs) {
            return hub;
        }
        let session = Session::new(&self.base, account).await;
        let ceilings = Arc::clone(
            self.ceilings
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(account.id.clone())
                .or_insert_with(|| Arc::new(Ceilings::new(self.patience.requests_per_second))),
        );
        let hub = Arc::new(Hub::new(session, account, self.patience.clone(), ceilings));
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have been faster.
        Arc::clone(hubs.entry(key.clone()).or_insert(hub))
    }
}

#[async_trait]
impl Vendor for IdentityCenter {
    fn facts(&self) -> &VendorFacts {
        &self.facts
    }

    async fn connect(&self, site: &Site<'_>) -> Result<Connection, CloudError> {
        for account in [site.account, site.hub] {
            if !(self.facts.is_account_id)(&account.id) {
                let message = format!("an account id has {}", self.facts.account_id_shape);
                let id = account.id.as_str();
                return Err(CloudError::new(ErrorKind::Invalid, "Connect", id, message));
            }
        }
        let is_hub = site.account.place == site.hub.place;
        let client = Arc::new(client::Client {
            hub: self.hub(site.hub).await,
            account: site.account.id.clone(),
            is_hub,
        });
        Ok(Connection {
            observe: Arc::clone(&client) as _,
            apply: client,
            concurrency: if is_hub { HUB_CONCURRENCY } else { TARGET_CONCURRENCY },
        })
    }

    fn clock(&self) -> Option<jiff::Timestamp> {
        self.base.clock.now()
    }

    /// Of the hub; the other accounts are not signed in to.
    fn permissions(&self, needed: &Needed<'_>) -> Vec<serde_json::Value> {
        let hub = needed.within.filter(|site| site.account.place == site.hub.place);
        let within = hub.map(|_| permissions::within(needed.purpose));
        super::permissions::documents(within.unwrap_or_default(), needed.enters)
    }

    fn way_in(&self, account: &Account, from: &str) -> Option<String> {
        let is_entered = account.is_hub() && super::session::is_entered(account, from);
        is_entered.then(|| super::session::role_arn(account))
    }
}
