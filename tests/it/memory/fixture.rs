//! The embedded cloud as the conformance suite wants it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use reconcile::cloud::Vendor;
use reconcile::cloud::conformance::{Calls, Fixture, ListTrouble, Trouble};
use reconcile::cloud::memory::service::state::Mutation;
use reconcile::cloud::memory::{Fault, MemoryVendor, MemoryWorld, Operation};
use reconcile::model::{
    Account, AttributeValue, Credential, Kind, Place, RoleSpec, Source, VendorId,
};

pub const HUB: &str = "111111111111";
pub const TARGET: &str = "222222222222";

pub struct MemoryFixture {
    pub vendor: MemoryVendor,
    pub world: MemoryWorld,
}

impl MemoryFixture {
    pub fn new(vendor: MemoryVendor) -> Self {
        let world = vendor.world();
        Self { vendor, world }
    }
}

pub fn account(name: &str, id: &str) -> Account {
    Account {
        place: Place { organisation: "spi".into(), account: name.into() },
        vendor: "memory".into(),
        partition: None,
        id: id.to_owned(),
        hub: "hub".into(),
        project: None,
        settings: BTreeMap::new(),
        source: Source::new("inventory/spi.yaml", 1, 1),
    }
}

#[async_trait]
impl Fixture for MemoryFixture {
    fn vendor(&self) -> &dyn Vendor {
        &self.vendor
    }

    fn hub(&self) -> Account {
        account("hub", HUB)
    }

    fn target(&self) -> Account {
        account("target", TARGET)
    }

    fn role(&self, name: &str, other: bool) -> RoleSpec {
        let permissions = if other { ["read", "write"].as_slice() } else { &["read"] };
        let permissions: BTreeSet<_> = permissions.iter().copied().map(str::to_owned).collect();
        let mut attributes =
            BTreeMap::from([("permissions".into(), AttributeValue::Set(permissions))]);
        if other {
            attributes.insert("session_hours".into(), AttributeValue::Number(4));
        }
        RoleSpec { name: name.into(), description: format!("{name}, {other}"), attributes }
    }

    async fn foreign_user(&self, name: &str) -> VendorId {
        self.world.add_user(HUB, name, None).unwrap()
    }

    async fn foreign_group(&self, name: &str) -> VendorId {
        self.world.add_group(HUB, name, None).unwrap()
    }

    async fn foreign_role(&self, name: &str) -> VendorId {
        self.world.add_role(TARGET, name, None).unwrap()
    }

    async fn join_by_hand(&self, user: &VendorId, group: &VendorId) {
        let (account, user, group) = (HUB.to_owned(), user.to_string(), group.to_string());
        self.world.mutate(|_| Mutation::AddMember { account, user, group }).unwrap();
    }

    async fn give_credential(&self, user: &VendorId) -> Option<Credential> {
        Some(self.world.add_credential(HUB, user, "access-key").unwrap())
    }

    async fn disable_by_hand(&self, user: &VendorId) -> bool {
        self.world.edit_user(HUB, user, |user| user.enabled = false).unwrap();
        true
    }

    async fn rename_by_hand(&self, user: &VendorId, name: &str) -> bool {
        self.world.edit_user(HUB, user, |user| name.clone_into(&mut user.name)).unwrap();
        true
    }

    async fn page_size(&self, items: usize) -> bool {
        self.world.behave(|behaviour| behaviour.page_size = items);
        true
    }

    async fn lag(&self, calls: u64) -> bool {
        self.world.behave(|behaviour| behaviour.lag = calls);
        true
    }

    async fn next_write_fails(&self, trouble: Trouble) -> bool {
        let fault = match trouble {
            Trouble::Throttle => Fault::Throttle { after: Some(Duration::from_secs(2)) },
            Trouble::Unavailable => Fault::Unavailable,
            Trouble::LostReply => Fault::LostReply,
            Trouble::Stall => Fault::Stall,
            Trouble::StallAfter => Fault::StallAfter,
            Trouble::Denied => Fault::Denied,
            Trouble::Expired => Fault::Expired,
            Trouble::Quota => Fault::Quota,
            Trouble::Conflict => Fault::Conflict,
        };
        self.world.faults(|faults| faults.next_write(fault));
        true
    }

    async fn next_list_fails(&self, kind: Kind, trouble: ListTrouble) -> bool {
        let operation = match kind {
            Kind::User => Operation::ListUsers,
            Kind::Group => Operation::ListGroups,
            Kind::Membership => Operation::ListMemberships,
            Kind::Role => Operation::ListRoles,
            Kind::Binding => Operation::ListBindings,
            Kind::Attachment | Kind::Credential | Kind::Resource(_) => return false,
        };
        let fault = match trouble {
            ListTrouble::Truncated => Fault::TruncatedPage,
            ListTrouble::Empty => Fault::EmptyPage,
            ListTrouble::Unavailable => Fault::Unavailable,
            ListTrouble::Denied => Fault::Denied,
            ListTrouble::Stall => Fault::Stall,
        };
        self.world.fail_next_of(operation, fault);
        true
    }

    async fn calls(&self) -> Option<Calls> {
        let writes = u64::try_from(self.world.writes()).unwrap();
        Some(Calls { all: self.world.calls(), writes })
    }
}
