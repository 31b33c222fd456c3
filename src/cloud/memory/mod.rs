//! The embedded cloud: a vendor that lives in this process or in a file.
//!
//! The default of the example organisation, and what simulation tests run against. Two halves
//! that know each other only through [`api`]: the vendor's [`service`], with everything real
//! vendors do to their clients, and our client of it, built like that of every other cloud.
//!
//! An organisation's hub account holds its users and groups; every account holds roles and their
//! bindings, which name groups of the hub by id. Accounts need not be set up: one that nobody
//! wrote to is empty.

mod adopt;
pub mod api;
mod client;
pub mod config;
pub mod convert;
pub mod error;
pub mod identity;
mod keys;
mod parts;
mod roles;
pub mod service;
pub mod world;

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

pub use config::Settings;
pub use service::fault::Fault;
pub use service::journal::JournalError;
pub use service::world::{Behaviour, Call, Operation};
pub use world::MemoryWorld;

use super::{CloudError, Connection, ErrorKind, Vendor};
use crate::model::{Site, VendorFacts};
use service::store::Store;
use service::world::World;

/// The embedded cloud as a vendor. All clones are the same cloud.
#[derive(Clone)]
pub struct MemoryVendor {
    facts: VendorFacts,
    settings: Settings,
    world: Arc<Mutex<World>>,
}

impl MemoryVendor {
    /// A cloud that is gone with the last handle to it.
    pub fn in_memory() -> Self {
        Self::of(Store::default())
    }

    /// A cloud in a state file. Neither file nor folder need exist, or come to be before the
    /// first write.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged or was written by a newer program.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Store::open(path).map(Self::of)
    }

    /// Talks to the service in another way.
    #[must_use]
    pub fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The handle by which tests reach behind the service's back.
    pub fn world(&self) -> MemoryWorld {
        MemoryWorld::new(Arc::clone(&self.world))
    }

    /// The facts, known without a cloud.
    pub fn facts() -> VendorFacts {
        config::facts()
    }

    fn of(store: Store) -> Self {
        Self {
            facts: config::facts(),
            settings: Settings::default(),
            world: Arc::new(Mutex::new(World::new(store))),
        }
    }
}

#[async_trait]
impl Vendor for MemoryVendor {
    fn facts(&self) -> &VendorFacts {
        &self.facts
    }

    async fn connect(&self, site: &Site<'_>) -> Result<Connection, CloudError> {
        let account = site.account;
        if !(self.facts.is_account_id)(&account.id) {
            let message = format!("an account id has {}", self.facts.account_id_shape);
            let id = account.id.as_str();
            return Err(CloudError::new(ErrorKind::Invalid, "Connect", id, message));
        }
        let client = Arc::new(client::Client {
            service: api::Service::new(Arc::clone(&self.world), account.id.clone()),
            organisation: account.place.organisation.clone(),
            call_time_limit: self.settings.call_time_limit,
        });
        Ok(Connection {
            observe: Arc::clone(&client) as _,
            apply: client,
            concurrency: self.settings.concurrency.max(1),
        })
    }
}
