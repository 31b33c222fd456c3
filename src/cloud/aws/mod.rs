//! Amazon Web Services, access modes `iam` and `saml`.
//!
//! `iam`: people have users in the hub, without password or keys of our making; groups may assume
//! roles in the hub's accounts, which the documents of each group name one by one. `saml`: people
//! log in elsewhere; each group has roles of its own, which trust that service's word.
//! `identity-center` is in a module of its own.
//!
//! Reading costs a role assumption, the account's summary and the pages of two lists for each
//! account; changing costs a call for each change.

mod attachments;
mod bindings;
mod blockers;
mod client;
mod config;
mod convert;
mod credentials;
mod devices;
mod document;
mod error;
#[cfg(test)]
mod fuzz;
mod grammar;
mod heard;
mod hub;
mod identity;
pub mod identity_center;
mod keys;
mod known;
mod metadata;
mod observe;
mod pages;
mod permissions;
mod providers;
mod raw;
mod realise;
mod roles;
mod session;
mod users;
mod whole;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

pub use config::Settings;
pub use whole::{NotWhole, WholeReplies};

use super::{CloudError, Connection, ErrorKind, Needed, Vendor};
use crate::http;
use crate::model::{
    Account, AttributeName, AttributeValue, ObjectName, OrganisationName, Site, Subject,
    VendorFacts,
};
use crate::operator::{Permit, Server};
use client::Client;
use hub::Hub;
use known::Known;
use session::{Base, Session, partition};

/// Settings that were fetched.
type Fetched = BTreeMap<AttributeName, AttributeValue>;

/// The description of a log-in service, from a path of the server that may be asked.
async fn saml_metadata(permit: &Permit, path: &str) -> Result<String, String> {
    let client = http::Client::new(permit.trust(), Duration::from_secs(30))
        .map_err(|error| error.to_string())?;
    let url = format!("{}{path}", permit.server());
    let request =
        http::Request { method: http::Method::GET, url: &url, headers: &[], body: Vec::new() };
    let reply = client.send(request).await.map_err(|error| error.to_string())?;
    if reply.status != 200 {
        return Err(format!("{url}: HTTP status {}", reply.status));
    }
    let text = String::from_utf8(reply.body).map_err(|_| format!("{url}: not UTF-8 text"))?;
    metadata::parse(&text).map_err(|why| format!("{url}: {why}"))?;
    Ok(text)
}

/// AWS by one way of access.
pub struct AwsVendor {
    facts: VendorFacts,
    base: Arc<Base>,
    hubs: Mutex<HashMap<(OrganisationName, String, String), Arc<Hub>>>,
}

impl AwsVendor {
    /// Access mode `iam`.
    pub fn iam(base: &Arc<AwsBase>) -> Self {
        Self::of(config::iam(), base)
    }

    /// Access mode `saml`.
    pub fn saml(base: &Arc<AwsBase>) -> Self {
        Self::of(config::saml(), base)
    }

    /// The facts of all ways of access.
    pub fn facts() -> Vec<VendorFacts> {
        vec![config::iam(), config::saml()]
    }

    fn of(facts: VendorFacts, base: &Arc<AwsBase>) -> Self {
        Self { facts, base: Arc::clone(&base.0), hubs: Mutex::default() }
    }

    /// Where the log-in service describes itself, if at an address: the server, and the rest.
    fn log_in_service<'a>(&self, account: &'a Account) -> Option<(Server, &'a str)> {
        if self.facts.has_users {
            return None;
        }
        metadata::address(session::setting(account, config::SAML_METADATA)?)
    }

    /// What all accounts of a hub share.
    async fn hub(&self, site: &Site<'_>) -> Arc<Hub> {
        let organisation = site.hub.place.organisation.clone();
        let partition = partition(site.hub).to_owned();
        let key = (organisation.clone(), partition.clone(), site.hub.id.clone());
        let known = |hubs: &HashMap<_, Arc<Hub>>| hubs.get(&key).map(Arc::clone);
        if let Some(hub) = known(&self.hubs.lock().unwrap_or_else(PoisonError::into_inner)) {
            return hub;
        }
        let session = Session::new(&self.base, site.hub).await;
        let hub = Hub::new(session, organisation, partition, site.hub.id.clone());
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hubs.entry(key).or_insert_with(|| Arc::new(hub)))
    }
}

/// What all ways of access share: credentials and connections.
pub struct AwsBase(Arc<Base>);

impl AwsBase {
    /// Nothing is read or asked before the first use. `run` names the run in AWS's own log.
    pub fn new(settings: Settings, run: &str) -> Arc<Self> {
        Arc::new(Self(Arc::new(Base::new(settings, run))))
    }
}

#[async_trait]
impl Vendor for AwsVendor {
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
        let hub = self.hub(site).await;
        let is_hub = account.id == site.hub.id && partition(account) == partition(site.hub);
        let session = if is_hub { None } else { Some(Session::new(&self.base, account).await) };
        let concurrency = self.base.settings().concurrency.max(1);
        let client = Arc::new(Client {
            session,
            hub,
            organisation: account.place.organisation.clone(),
            partition: partition(account).to_owned(),
            account: account.id.clone(),
            accounts: site.accounts.iter().map(|account| account.id.clone()).collect(),
            roles: Known::default(),
            seen: tokio::sync::Mutex::new(0),
        });
        Ok(Connection { observe: Arc::clone(&client) as _, apply: client, concurrency })
    }

    fn clock(&self) -> Option<jiff::Timestamp> {
        self.base.clock.now()
    }

    fn fetches_from(&self, account: &Account) -> Option<Server> {
        self.log_in_service(account).map(|(server, _)| server)
    }

    async fn fetch(&self, account: &Account, permit: &Permit) -> Result<Fetched, CloudError> {
        let path = match self.log_in_service(account) {
            Some((server, path)) if server == *permit.server() => path,
            _ => return Ok(Fetched::new()),
        };
        let metadata = saml_metadata(permit, path).await.map_err(|why| {
            CloudError::new(ErrorKind::Unavailable, "FetchMetadata", account.id.as_str(), why)
        })?;
        Ok([(config::SAML_METADATA.into(), AttributeValue::Text(metadata))].into())
    }

    fn log_in_mapping(
        &self,
        site: &Site<'_>,
        held: &[(&Subject, &ObjectName)],
    ) -> Option<serde_json::Value> {
        (!self.facts.has_users).then(|| realise::mapping(site.account, held))
    }

    fn way_in(&self, account: &Account, from: &str) -> Option<String> {
        session::is_entered(account, from).then(|| session::role_arn(account))
    }

    fn permissions(&self, needed: &Needed<'_>) -> Vec<serde_json::Value> {
        let within = needed
            .within
            .map(|site| permissions::within(site, needed.purpose, self.facts.has_users));
        permissions::documents(within.unwrap_or_default(), needed.enters)
    }
}
