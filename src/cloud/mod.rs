//! The interface every cloud implements, and its contract in prose.
//!
//! Reading and writing are different traits, so that what computes a plan cannot change anything:
//! a [`Connection`] hands out [`Observe`] alone until a plan has been approved.
//!
//! # Contract
//!
//! **Observation** reads an account in bulk (cost grows with pages, not with users × groups),
//! including foreign objects, and says honestly whether it saw everything: any page that failed,
//! came back truncated or went missing makes the reading `Partial`. It never fails as a whole; an
//! account that cannot be reached is `Partial` with nothing in it.
//!
//! **Ownership** is decided in one function per cloud (`identity::ownership`) from the mark on the
//! object itself, never from its name.
//!
//! **Application** carries out exactly one [`Step`](crate::plan::Step) with one write (plus the
//! reads a vendor's conditional writes need). It makes no choices. It refuses to touch what does not carry the
//! organisation's mark ([`ErrorKind::Foreign`]). It does not retry: whether and how to is
//! decided by the executor from [`CloudError::retry`].
//!
//! **Issuing a key** is the one step that must not be sent again after a lost reply: its secret
//! was in that reply. The secret is handed to the executor in [`Applied::secret`] and is nowhere
//! else; [`Apply::note_handover`] then writes onto the user that somebody has it.
//!
//! **Looking** ([`Apply::look`]) reads one object afresh. The executor uses it to resolve a lost
//! reply, to verify each step of a deprovision and to re-read the victim of an irreversible step.

#[cfg(feature = "aws")]
pub mod aws;
pub mod clock;
pub mod conformance;
mod error;
pub mod memory;
pub mod registry;

use std::collections::BTreeMap;

use async_trait::async_trait;

pub use error::{CloudError, ErrorKind, Retry};

use crate::model::{
    Account, Attachment, AttributeName, AttributeValue, Credential, Doubt, IssuedKey, ObjectKey,
    ObjectName, ObservedAccount, Reading, ResourceKind, SeenResource, Site, Snapshot, Subject,
    VendorFacts, VendorId,
};
use crate::operator::{Permit, Server};
use crate::plan::{Change, Outputs};

/// A vendor: facts known without asking it, and connections to its accounts.
#[async_trait]
pub trait Vendor: Send + Sync {
    /// What is true of the vendor as a whole.
    fn facts(&self) -> &VendorFacts;

    /// Connects to one account. May do nothing yet; what fails later is told by each call.
    ///
    /// # Errors
    /// Configuration or credentials that cannot work.
    async fn connect(&self, site: &Site<'_>) -> Result<Connection, CloudError>;

    /// What the vendor's own clock says now, by the latest of its answers. `None` where it has told
    /// nothing, or has no clock but this machine's.
    fn clock(&self) -> Option<jiff::Timestamp> {
        None
    }

    /// The role by which the program enters an account when it runs in the one with the id `from`;
    /// `None` where it enters none.
    fn way_in(&self, _account: &Account, _from: &str) -> Option<String> {
        None
    }

    /// What the program must be allowed to do, as documents the vendor understands, each as small
    /// as the vendor wants it: no more than it needs. Empty where nothing need be allowed.
    fn permissions(&self, _needed: &Needed<'_>) -> Vec<serde_json::Value> {
        Vec::new()
    }

    /// What the log-in service of an organisation must say of people, where they have no users:
    /// for each group that holds a role object of that name.
    fn log_in_mapping(
        &self,
        _site: &Site<'_>,
        _held: &[(&Subject, &ObjectName)],
    ) -> Option<serde_json::Value> {
        None
    }

    /// The server from which settings of an account must be fetched before anything can be planned,
    /// where there is one.
    fn fetches_from(&self, _account: &Account) -> Option<Server> {
        None
    }

    /// Settings of an account, fetched with the operator's leave from where they are.
    ///
    /// # Errors
    /// What could not be fetched; nothing may be concluded from its absence.
    async fn fetch(
        &self,
        _account: &Account,
        _permit: &Permit,
    ) -> Result<BTreeMap<AttributeName, AttributeValue>, CloudError> {
        Ok(BTreeMap::new())
    }
}

/// What the program needs in one account.
#[derive(Clone, Copy, Debug)]
pub struct Needed<'a> {
    /// The account it works in; `None` for one in which it only runs.
    pub within: Option<&'a Site<'a>>,
    /// What it does there.
    pub purpose: Purpose,
    /// The roles by which it enters other accounts from there ([`Vendor::way_in`]).
    pub enters: &'a [String],
}

/// What the program is to be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Look, as a dry run does.
    Read,
    /// Look and change.
    Apply,
    /// Look, change, and put our mark on what exists.
    Adopt,
}

/// Reading an account.
#[async_trait]
pub trait Observe: Send + Sync {
    /// Everything in the account, in bulk.
    async fn observe(&self) -> Reading<ObservedAccount>;

    /// The credentials of some users: a second, narrower reading, because vendors do not list
    /// credentials in bulk. Asked only for users that are being deprovisioned, and for service
    /// accounts whose keys this program issues; of those it says which keys were handed over
    /// ([`Handovers`](crate::model::Handovers), written on the user).
    async fn credentials(&self, users: &[VendorId]) -> Reading<Vec<Credential>>;

    /// What mirrors are made of, by kind: a list that could not be read says nothing about the
    /// others. A kind that is not here does not exist at the vendor. Asked only where mirrors may be.
    async fn parts(&self) -> BTreeMap<ResourceKind, Reading<Vec<SeenResource>>> {
        BTreeMap::new()
    }

    /// Of attachments that are objects of their own, those that the vendor says it does not know, or
    /// of which that cannot be told. Asked only for those that are new to an account, so that nothing
    /// gives way to something that cannot be. What cannot be told counts as known, and is said: what
    /// it replaces stays until it is there.
    async fn doubtful_attachments(&self, attachments: &[Attachment]) -> Vec<(Attachment, Doubt)> {
        let _ = attachments;
        Vec::new()
    }
}

/// Changing an account.
#[async_trait]
pub trait Apply: Send + Sync {
    /// Carries out one change.
    ///
    /// `references` are the ids of [`Step::references`](crate::plan::Step::references), in the
    /// same order, with every value known.
    ///
    /// # Errors
    /// Any [`CloudError`]; see there for what may be retried.
    async fn apply(&self, change: &Change, references: &[VendorId]) -> Result<Applied, CloudError>;

    /// Writes onto the user of an [`IssueCredential`](crate::plan::Step::IssueCredential) that its
    /// new key was handed over that day, before those handed over earlier; safe to repeat. The
    /// change and its references are those [`Apply::apply`] got.
    ///
    /// # Errors
    /// Any [`CloudError`]; always [`ErrorKind::Invalid`] where no keys are issued
    /// ([`VendorFacts::key_kind`]).
    async fn note_handover(
        &self,
        change: &Change,
        references: &[VendorId],
        key: &VendorId,
    ) -> Result<Applied, CloudError> {
        let _ = (references, key);
        let message = "this cloud issues no keys";
        Err(CloudError::new(ErrorKind::Invalid, "Prepare", change.step.object().as_str(), message))
    }

    /// One object as it is now; `None` if it is (proven) not there.
    ///
    /// # Errors
    /// Any [`CloudError`] except [`ErrorKind::NotFound`].
    async fn look(&self, key: &ObjectKey) -> Result<Option<Snapshot>, CloudError>;
}

/// What a successful call gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Values made up by the vendor.
    pub outputs: Outputs,
    /// What the vendor is still at, where it accepted the call and has not finished: nothing waits
    /// for it within a run.
    pub begun: Option<String>,
    /// The vendor's id of the request, for its support and for the record.
    pub request_id: Option<String>,
    /// The new key with its secret, of a step that issues one. Nothing keeps it but this value.
    pub secret: Option<IssuedKey>,
}

/// One account, connected.
pub struct Connection {
    /// For reading.
    pub observe: std::sync::Arc<dyn Observe>,
    /// For changing.
    pub apply: std::sync::Arc<dyn Apply>,
    /// How many changes may be under way in the account at once.
    pub concurrency: usize,
}
