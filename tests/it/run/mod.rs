//! Reading everything, whatever a vendor does.

mod saml;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use reconcile::cloud::memory::MemoryVendor;
use reconcile::cloud::{CloudError, Connection, ErrorKind, Observe, Vendor};
use reconcile::directory::Access;
use reconcile::inventory;
use reconcile::model::{
    Credential, Missing, ObservedAccount, Reading, Site, VendorFacts, VendorId,
};
use reconcile::operator::Operator;
use reconcile::run::{Gathered, Sources, gather};

/// What the vendor does with `debian-builds`; all other accounts are those of a new cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    RefusesToConnect,
    StallsConnecting,
    StallsReading,
    PanicsConnecting,
    PanicsReading,
}

struct Moody {
    memory: MemoryVendor,
    facts: VendorFacts,
    mood: Mood,
}

#[async_trait]
impl Vendor for Moody {
    fn facts(&self) -> &VendorFacts {
        &self.facts
    }

    async fn connect(&self, site: &Site<'_>) -> Result<Connection, CloudError> {
        let connection = self.memory.connect(site).await?;
        if site.account.place.account.as_str() != "debian-builds" {
            return Ok(connection);
        }
        match self.mood {
            Mood::RefusesToConnect => {
                Err(CloudError::new(ErrorKind::Denied, "Connect", "account", "not you"))
            }
            Mood::StallsConnecting => std::future::pending().await,
            Mood::PanicsConnecting => panic!("while connecting"),
            mood => Ok(Connection { observe: Arc::new(Reader(mood)), ..connection }),
        }
    }
}

struct Reader(Mood);

#[async_trait]
impl Observe for Reader {
    async fn observe(&self) -> Reading<ObservedAccount> {
        match self.0 {
            Mood::PanicsReading => panic!("while reading"),
            _ => std::future::pending().await,
        }
    }

    async fn credentials(&self, _: &[VendorId]) -> Reading<Vec<Credential>> {
        std::future::pending().await
    }
}

async fn gathered(mood: Mood) -> Gathered {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tree = inventory::read_folder(root);
    let facts = MemoryVendor::facts();
    let today = jiff::civil::date(2026, 11, 22);
    let loaded = inventory::load(&tree, std::slice::from_ref(&facts), today);
    let vendor: Arc<dyn Vendor> =
        Arc::new(Moody { memory: MemoryVendor::in_memory(), facts, mood });
    gather(&Sources {
        inventory: &loaded.inventory,
        policies: &loaded.policies,
        topology: reconcile::mirrors::Topology::none(),
        vendors: &[vendor],
        organisations: BTreeSet::new(),
        access: Access { root, operator: &Operator::default(), environment: &|_| None },
        today,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn one_account_in_trouble_does_not_stop_the_others() {
    for (mood, says) in [
        (Mood::RefusesToConnect, "not you"),
        (Mood::StallsConnecting, "not connected: no answer within 15 minutes"),
        (Mood::StallsReading, "not read: no answer within 15 minutes"),
        (Mood::PanicsConnecting, "not connected: a bug"),
        (Mood::PanicsReading, "not read: a bug"),
    ] {
        let gathered = gathered(mood).await;
        let mut partial = Vec::new();
        for (place, reading) in &gathered.observations.accounts {
            if !reading.is_complete() {
                partial.extend(reading.missing().iter().map(Missing::to_string));
                assert_eq!(place.account.as_str(), "debian-builds");
            }
        }
        assert_eq!(partial.len(), 1, "{mood:?}");
        assert!(partial[0].contains(says), "{mood:?}: {}", partial[0]);
        assert_eq!(gathered.observations.accounts.len(), 8, "all accounts were tried");
    }
}
