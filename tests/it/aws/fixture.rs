//! AWS as the conformance suite wants it: two accounts of a moto that others share.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iam::config::{Credentials, SharedCredentialsProvider};
use reconcile::cloud::Vendor;
use reconcile::cloud::aws::{AwsBase, AwsVendor, Settings};
use reconcile::cloud::conformance::{Calls, Fixture, ListTrouble, Trouble};
use reconcile::model::{
    Account, Attachment, Credential, HolderKind, Kind, Place as Spot, RoleInputs, RoleSpec, Source,
    Trust, VendorId,
};

use super::paging::pager::Pager;
use crate::peers::moto::{self, Moto, allow, trust};
use crate::peers::wire::{Fault, Place, Wire};

/// Credentials that moto knows to be of an account.
pub fn settings(moto: &Moto, wire: &Wire, hub: &str) -> Settings {
    let account = moto.account(hub);
    account.user("runner", "/", &[]);
    let (id, secret) = account.access_key("runner");
    wire.know(&id, hub);
    let credentials = Credentials::new(id, secret, None, None, "test");
    Settings {
        endpoint: Some(wire.url()),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        call_time_limit: Duration::from_millis(1500),
        ..Settings::default()
    }
}

/// The same for a server that was reset: with the user made anew only where it is not there.
pub fn settings_again(moto: &Moto, wire: &Wire, hub: &str) -> Settings {
    let account = moto.account(hub);
    if account.try_iam("GetUser", &[("UserName", "runner")]).is_ok() {
        for key in account.iam("ListAccessKeys", &[("UserName", "runner")]).all("AccessKeyId") {
            account.iam("DeleteAccessKey", &[("UserName", "runner"), ("AccessKeyId", &key)]);
        }
        let (id, secret) = account.access_key("runner");
        wire.know(&id, hub);
        let credentials = Credentials::new(id, secret, None, None, "test");
        return Settings {
            endpoint: Some(wire.url()),
            credentials: Some(SharedCredentialsProvider::new(credentials)),
            call_time_limit: Duration::from_millis(300),
            ..Settings::default()
        };
    }
    Settings { call_time_limit: Duration::from_millis(300), ..settings(moto, wire, hub) }
}

pub struct AwsFixture {
    vendor: AwsVendor,
    wire: Wire,
    pager: Pager,
    hub: moto::Account,
    target: moto::Account,
}

/// Every case has accounts of its own.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl AwsFixture {
    pub fn new(moto: &Moto) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (hub, target) = (format!("1{number:011}"), format!("2{number:011}"));
        let pager = Pager::start(moto.address());
        let wire = Wire::start(pager.address());
        let base = AwsBase::new(settings(moto, &wire, &hub), "conformance");
        Self {
            vendor: AwsVendor::iam(&base),
            wire,
            pager,
            hub: moto.account(&hub),
            target: moto.account(&target),
        }
    }
}

fn account(name: &str, id: &str) -> Account {
    Account {
        place: Spot { organisation: "spi".into(), account: name.into() },
        vendor: "aws".into(),
        partition: Some("aws".to_owned()),
        id: id.to_owned(),
        hub: "hub".into(),
        project: None,
        settings: std::collections::BTreeMap::new(),
        source: Source::new("inventory/spi.yaml", 1, 1),
    }
}

#[async_trait]
impl Fixture for AwsFixture {
    fn vendor(&self) -> &dyn Vendor {
        &self.vendor
    }

    fn hub(&self) -> Account {
        account("hub", self.hub.id())
    }

    fn target(&self) -> Account {
        account("target", self.target.id())
    }

    /// Differs in what one call changes.
    fn role(&self, name: &str, other: bool) -> RoleSpec {
        let hours = if other { 4 } else { 2 };
        let attributes =
            [("session_hours".into(), reconcile::model::AttributeValue::Number(hours))].into();
        let mut spec = (self.vendor.facts().realise)(&RoleInputs {
            role: &"role".into(),
            description: &format!("{name}, {other}"),
            attributes: &attributes,
            account: &self.target(),
            hub: &self.hub(),
            trust: Trust::Bound,
        })
        .spec;
        spec.name = name.into();
        spec
    }

    async fn foreign_user(&self, name: &str) -> VendorId {
        self.hub.user(name, "/", &[]);
        VendorId::new(self.hub.iam("GetUser", &[("UserName", name)]).text("UserId"))
    }

    async fn foreign_group(&self, name: &str) -> VendorId {
        self.hub.group(name, "/");
        VendorId::new(self.hub.iam("GetGroup", &[("GroupName", name)]).text("GroupId"))
    }

    async fn foreign_role(&self, name: &str) -> VendorId {
        self.target.role(name, "/", &trust("arn:aws:iam::999999999999:root"), &[]);
        VendorId::new(self.target.iam("GetRole", &[("RoleName", name)]).text("RoleId"))
    }

    async fn join_by_hand(&self, user: &VendorId, group: &VendorId) {
        let user = name_of(&self.hub, "ListUsers", "Users", "User", user);
        let group = name_of(&self.hub, "ListGroups", "Groups", "Group", group);
        self.hub.member(&user, &group);
    }

    fn attachment(&self, other: bool) -> Option<Attachment> {
        let action = if other { "s3:Put*" } else { "s3:Get*" };
        let content = serde_json::to_string(&normal(&allow(action))).expect("JSON");
        Some(Attachment {
            kind: "inline-policy".into(),
            name: "reconcile".into(),
            content: Some(content),
        })
    }

    async fn attach_by_hand(&self, kind: HolderKind, to: &VendorId) -> Option<Attachment> {
        let (account, list, word) = match kind {
            HolderKind::User => (&self.hub, ("ListUsers", "Users"), "User"),
            HolderKind::Group => (&self.hub, ("ListGroups", "Groups"), "Group"),
            HolderKind::Role => (&self.target, ("ListRoles", "Roles"), "Role"),
        };
        let name = name_of(account, list.0, list.1, word, to);
        let arn = account.policy(&format!("by-hand-{word}"), "/", &allow("s3:*"));
        account.attach(word, &name, &arn);
        Some(Attachment { kind: "managed-policy".into(), name: arn.into(), content: None })
    }

    async fn give_credential(&self, user: &VendorId) -> Option<Credential> {
        let name = name_of(&self.hub, "ListUsers", "Users", "User", user);
        let (id, _) = self.hub.access_key(&name);
        Some(Credential {
            user: user.clone(),
            kind: "access-key".into(),
            id: id.into(),
            handed_over: None,
        })
    }

    /// IAM has no such state.
    async fn disable_by_hand(&self, _user: &VendorId) -> bool {
        false
    }

    async fn rename_by_hand(&self, user: &VendorId, name: &str) -> bool {
        let now = name_of(&self.hub, "ListUsers", "Users", "User", user);
        self.hub.iam("UpdateUser", &[("UserName", &now), ("NewUserName", name)]);
        true
    }

    async fn page_size(&self, items: usize) -> bool {
        self.pager.page_size(items);
        true
    }

    /// Of what the suite asks for then: users.
    async fn lag(&self, calls: u64) -> bool {
        let list = self.hub.iam("ListUsers", &[]).as_text().to_owned();
        for call in 1..=usize::try_from(calls).expect("few") {
            self.wire.inject(Place::action("ListUsers", call), Fault::Earlier(list.clone()));
            let refused = Fault::Refused(404, "NoSuchEntity".into());
            self.wire.inject(Place::action("GetUser", call), refused);
        }
        true
    }

    async fn next_write_fails(&self, trouble: Trouble) -> bool {
        let fault = match trouble {
            // Ours does not say when to come back.
            Trouble::Throttle => return false,
            Trouble::Unavailable => Fault::Failed(503),
            Trouble::LostReply => Fault::ReplyLost,
            Trouble::Stall => Fault::Stall,
            Trouble::StallAfter => Fault::StallAfterwards,
            Trouble::Denied => Fault::Refused(403, "AccessDenied".into()),
            Trouble::Expired => Fault::Refused(403, "ExpiredToken".into()),
            Trouble::Quota => Fault::Refused(409, "LimitExceeded".into()),
            Trouble::Conflict => Fault::Refused(409, "ConcurrentModification".into()),
        };
        self.wire.inject(Place::write(1), fault);
        true
    }

    /// One list has users, groups and memberships; one more, of the other account, its roles.
    async fn next_list_fails(&self, kind: Kind, trouble: ListTrouble) -> bool {
        let account = match kind {
            Kind::User => self.hub.id(),
            Kind::Role => self.target.id(),
            _ => return false,
        };
        // What is repeated takes long, and is tried once: with pages as large as they come.
        let repeated = [ListTrouble::Unavailable, ListTrouble::Stall].contains(&trouble);
        if repeated && self.pager.most() < 100 {
            return false;
        }
        let (fault, attempts) = match trouble {
            ListTrouble::Truncated => (Fault::CutHonestly, 1),
            ListTrouble::Empty => (Fault::EmptyResult, 1),
            ListTrouble::Unavailable => (Fault::Failed(503), 3),
            ListTrouble::Denied => (Fault::Refused(403, "AccessDenied".into()), 1),
            ListTrouble::Stall => (Fault::Stall, 3),
        };
        for attempt in 1..=attempts {
            let place = Place::action("GetAccountAuthorizationDetails", attempt);
            self.wire.inject(place.in_account(account), fault.clone());
        }
        true
    }

    async fn calls(&self) -> Option<Calls> {
        let (all, writes) = (self.wire.calls().len(), self.wire.writes().len());
        Some(Calls { all: all as u64, writes: writes as u64 })
    }
}

fn name_of(account: &moto::Account, list: &str, of: &str, word: &str, id: &VendorId) -> String {
    let reply = account.iam(list, &[]);
    let found = reply
        .members(of)
        .into_iter()
        .find(|member| member.text(&format!("{word}Id")) == id.as_str())
        .unwrap_or_else(|| panic!("no {word} {id}"));
    found.text(&format!("{word}Name"))
}

/// Keys in order, a single statement as a list: as the client reads documents.
fn normal(document: &serde_json::Value) -> serde_json::Value {
    let mut document = document.clone();
    let statement = document["Statement"].take();
    document["Statement"] =
        if statement.is_array() { statement } else { serde_json::json!([statement]) };
    document
}
