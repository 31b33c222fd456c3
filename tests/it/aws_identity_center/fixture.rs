//! Identity Center as the conformance suite and the other tests want it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iam::config::{Credentials, SharedCredentialsProvider};
use reconcile::cloud::aws::identity_center::{IdentityCenter, Patience};
use reconcile::cloud::aws::{AwsBase, Settings};
use reconcile::cloud::conformance::{Calls, Fixture, ListTrouble, Trouble};
use reconcile::cloud::{Connection, Vendor};
use reconcile::model::{
    Account, Attachment, AttributeValue, Credential, HolderKind, Kind, Place, RoleSpec, Site,
    Source, VendorId,
};
use serde_json::json;

use crate::peers::identity_center::{Fault, IdentityCenterPeer};

pub const HUB: &str = "111111111111";
pub const TARGET: &str = "222222222222";

pub struct CenterFixture {
    pub peer: IdentityCenterPeer,
    pub vendor: IdentityCenter,
    direct: AtomicUsize,
}

/// Fast, and without second attempts, so that what goes wrong shows.
pub fn patience() -> Patience {
    Patience {
        requests_per_second: 100_000,
        attempts: 1,
        first_wait: Duration::from_millis(1),
        first_poll: Duration::from_millis(1),
        longest_poll: Duration::from_millis(5),
        // A machine under load takes its time; what never ends is waited for a shorter time
        // (`impatient`).
        polling: Duration::from_secs(20),
        queueing: Duration::from_secs(20),
        ..Patience::default()
    }
}

/// The same, for what never ends.
pub fn impatient() -> Patience {
    let longest_poll = Duration::from_millis(50);
    Patience { polling: Duration::from_secs(2), longest_poll, ..patience() }
}

pub fn vendor(url: &str, patience: Patience) -> IdentityCenter {
    let credentials = Credentials::new("AKIARUNNER", "not-in-any-message", None, None, "test");
    let settings = Settings {
        endpoint: Some(url.to_owned()),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        call_time_limit: Duration::from_secs(1),
        ..Settings::default()
    };
    IdentityCenter::new(&AwsBase::new(settings, "run"), patience)
}

impl CenterFixture {
    pub fn new() -> Self {
        Self::with(patience())
    }

    pub fn with(patience: Patience) -> Self {
        let peer = IdentityCenterPeer::start(HUB);
        let vendor = vendor(&peer.url(), patience);
        Self { peer, vendor, direct: AtomicUsize::new(0) }
    }

    /// Connected to the hub, and to another account of it.
    pub async fn connect(&self) -> (Connection, Connection) {
        let (hub, target) = (account("hub", HUB), account("target", TARGET));
        (self.at(&hub, &hub).await, self.at(&hub, &target).await)
    }

    pub async fn at(&self, hub: &Account, account: &Account) -> Connection {
        let site = Site { account, hub, accounts: vec![hub, account] };
        self.vendor.connect(&site).await.expect("nothing is asked yet")
    }
}

pub fn account(name: &str, id: &str) -> Account {
    Account {
        place: Place { organisation: "spi".into(), account: name.into() },
        vendor: "aws-identity-center".into(),
        partition: None,
        id: id.to_owned(),
        hub: "hub".into(),
        project: None,
        settings: BTreeMap::new(),
        source: Source::new("inventory/spi.yaml", 1, 1),
    }
}

pub fn role(name: &str, hours: i64) -> RoleSpec {
    RoleSpec {
        name: name.into(),
        description: format!("{name}, {hours} hours"),
        attributes: [
            ("session_hours".into(), AttributeValue::Number(hours)),
            ("provisioned".into(), AttributeValue::Flag(true)),
        ]
        .into(),
    }
}

#[async_trait]
impl Fixture for CenterFixture {
    fn vendor(&self) -> &dyn Vendor {
        &self.vendor
    }

    fn hub(&self) -> Account {
        account("hub", HUB)
    }

    // Roles are the hub's, so what the suite does with a role it does there.
    fn target(&self) -> Account {
        account("hub", HUB)
    }

    fn role(&self, name: &str, other: bool) -> RoleSpec {
        role(name, if other { 4 } else { 1 })
    }

    fn attachment(&self, other: bool) -> Option<Attachment> {
        let action = if other { "s3:GetObject" } else { "s3:ListBucket" };
        let document = json!({
            "Statement": [{"Action": action, "Effect": "Allow", "Resource": "*"}],
            "Version": "2012-10-17",
        });
        let content = Some(document.to_string());
        Some(Attachment { kind: "inline-policy".into(), name: "reconcile".into(), content })
    }

    // Nothing can be attached to users and groups.
    async fn attach_by_hand(&self, kind: HolderKind, to: &VendorId) -> Option<Attachment> {
        let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
        if kind != HolderKind::Role {
            return None;
        }
        self.peer.state().attach(to.as_str(), arn);
        Some(Attachment { kind: "managed-policy".into(), name: arn.into(), content: None })
    }

    async fn foreign_user(&self, name: &str) -> VendorId {
        self.peer.state().add_user(name, &json!({})).into()
    }

    async fn foreign_group(&self, name: &str) -> VendorId {
        self.peer.state().add_group(name, &json!({})).into()
    }

    async fn foreign_role(&self, name: &str) -> VendorId {
        self.peer.state().add_set(name).into()
    }

    async fn join_by_hand(&self, user: &VendorId, group: &VendorId) {
        self.peer.state().join(group.as_str(), user.as_str());
    }

    // What somebody assigns to a user directly.
    async fn give_credential(&self, user: &VendorId) -> Option<Credential> {
        let mut state = self.peer.state();
        let number = self.direct.fetch_add(1, Ordering::SeqCst);
        let set = state.add_set(&format!("direct{number}"));
        state.assign(TARGET, &set, "USER", user.as_str());
        Some(Credential {
            user: user.clone(),
            kind: "direct-assignment".into(),
            id: format!("{TARGET}/{set}").into(),
            handed_over: None,
        })
    }

    async fn disable_by_hand(&self, user: &VendorId) -> bool {
        self.peer.state().edit_user(user.as_str(), &json!({"UserStatus": "DISABLED"}));
        true
    }

    async fn rename_by_hand(&self, user: &VendorId, name: &str) -> bool {
        self.peer.state().edit_user(user.as_str(), &json!({"UserName": name}));
        true
    }

    async fn page_size(&self, items: usize) -> bool {
        self.peer.state().behaviour.page_size = items;
        true
    }

    async fn lag(&self, _calls: u64) -> bool {
        false
    }

    async fn next_write_fails(&self, trouble: Trouble) -> bool {
        let refused = |status, code| Fault::Refused(status, code, Vec::new());
        self.peer.next_write(match trouble {
            Trouble::Throttle => {
                Fault::Refused(400, "ThrottlingException", vec![("Retry-After", "2")])
            }
            Trouble::Unavailable => refused(503, "ServiceUnavailableException"),
            Trouble::LostReply => Fault::ReplyLost,
            Trouble::Stall => Fault::Stall,
            Trouble::StallAfter => Fault::StallAfter,
            Trouble::Denied => refused(400, "AccessDeniedException"),
            Trouble::Expired => refused(400, "ExpiredTokenException"),
            Trouble::Quota => refused(402, "ServiceQuotaExceededException"),
            Trouble::Conflict => refused(409, "ConflictException"),
        });
        true
    }

    async fn next_list_fails(&self, kind: Kind, trouble: ListTrouble) -> bool {
        let action = match kind {
            Kind::User => "ListUsers",
            Kind::Group => "ListGroups",
            Kind::Membership => "ListGroupMemberships",
            Kind::Role => "ListPermissionSets",
            Kind::Binding => "ListAccountAssignmentsForPrincipal",
            Kind::Attachment => "ListManagedPoliciesInPermissionSet",
            Kind::Credential | Kind::Resource(_) => return false,
        };
        let fault = match trouble {
            // Neither service says how many there are, so half a list in good order is a list.
            ListTrouble::Truncated => return false,
            ListTrouble::Empty => Fault::Empty,
            ListTrouble::Unavailable => {
                Fault::Refused(503, "ServiceUnavailableException", Vec::new())
            }
            ListTrouble::Denied => Fault::Refused(400, "AccessDeniedException", Vec::new()),
            // Every one costs the time limit, and all lists are read alike.
            ListTrouble::Stall if !matches!(kind, Kind::User | Kind::Role) => {
                return false;
            }
            ListTrouble::Stall => Fault::Stall,
        };
        self.peer.next_of(action, fault);
        true
    }

    async fn calls(&self) -> Option<Calls> {
        let state = self.peer.state();
        Some(Calls { all: state.calls.len() as u64, writes: state.writes })
    }
}
