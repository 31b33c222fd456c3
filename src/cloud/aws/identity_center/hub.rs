//! The one instance behind all accounts of a hub: its clients, its ceilings, and what this run
//! knows of it.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_ssoadmin::config::retry::RetryConfig;
use tokio::sync::OnceCell;

use super::ceiling::Ceilings;
use super::coalesced::Coalesced;
use super::config::{INSTANCE, Patience};
use super::error::incomplete;
use super::whole::WholeReplies;
use crate::cloud::aws::error::read;
use crate::cloud::aws::session::{Session, setting};
use crate::cloud::{CloudError, ErrorKind, Retry};
use crate::model::{Account, Binding, Missing, OrganisationName, Ownership, VendorId};

/// The instance of a hub, as one organisation sees it.
pub struct Hub {
    /// Whose marks count as ours.
    pub organisation: OrganisationName,
    /// How patient we are.
    pub patience: Patience,
    /// What the services bear.
    pub ceilings: Arc<Ceilings>,
    /// How many objects a page has; `None` for as many as AWS gives.
    pub page_size: Option<i32>,
    pub(super) account: String,
    wanted_instance: Option<String>,
    store: aws_sdk_identitystore::Client,
    center: aws_sdk_ssoadmin::Client,
    /// Signed in to the hub's own account.
    pub session: Session,
    instance: OnceCell<Instance>,
    ours: Mutex<HashSet<VendorId>>,
    set_names: Mutex<HashMap<VendorId, String>>,
    provisioning: Mutex<HashMap<VendorId, Arc<Coalesced<()>>>>,
    pub(super) assignments: Coalesced<Arc<Assignments>>,
}

/// The assignments of all groups of ours, in all accounts, with what could not be read.
pub struct Assignments {
    /// By account id.
    pub by_account: HashMap<String, Vec<Binding>>,
    /// What failed.
    pub missing: Vec<Missing>,
}

/// An instance of Identity Center.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its ARN.
    pub arn: String,
    /// Its identity store.
    pub store: String,
    /// The account it belongs to: the management account of the AWS organisation.
    pub owner: Option<String>,
}

impl Hub {
    /// Prepares the clients; asks nothing yet.
    pub fn new(
        session: Session,
        account: &Account,
        patience: Patience,
        ceilings: Arc<Ceilings>,
    ) -> Self {
        // Attempts are counted here: those the SDK makes on its own would not wait for a turn.
        let config = session.config();
        let store = aws_sdk_identitystore::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .interceptor(WholeReplies)
            .interceptor(session.hears())
            .build();
        let center = aws_sdk_ssoadmin::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .interceptor(session.hears())
            .build();
        Self {
            organisation: account.place.organisation.clone(),
            patience,
            ceilings,
            page_size: session.settings().page_size,
            account: account.id.clone(),
            wanted_instance: setting(account, INSTANCE).map(str::to_owned),
            store: aws_sdk_identitystore::Client::from_conf(store),
            center: aws_sdk_ssoadmin::Client::from_conf(center),
            session,
            instance: OnceCell::new(),
            ours: Mutex::default(),
            set_names: Mutex::default(),
            provisioning: Mutex::default(),
            assignments: Coalesced::default(),
        }
    }

    /// The identity store's client, for one call: waits for its turn.
    pub async fn store(&self) -> &aws_sdk_identitystore::Client {
        self.ceilings.store.turn().await;
        &self.store
    }

    /// Identity Center's client, for one call: waits for its turn.
    pub async fn center(&self) -> &aws_sdk_ssoadmin::Client {
        self.ceilings.center.turn().await;
        &self.center
    }

    /// The instance; found once.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where there is none, or several and the settings do not say which.
    pub async fn instance(&self) -> Result<&Instance, CloudError> {
        self.instance
            .get_or_try_init(|| async {
                match &self.wanted_instance {
                    Some(arn) => self.describe_instance(arn).await,
                    None => self.only_instance().await,
                }
            })
            .await
    }

    async fn describe_instance(&self, arn: &str) -> Result<Instance, CloudError> {
        let call = self.center().await.describe_instance().instance_arn(arn).send();
        let reply = read("DescribeInstance", arn, call).await?;
        let store = reply.identity_store_id;
        let store = store.ok_or_else(|| incomplete("DescribeInstance", arn, "identity store"))?;
        Ok(Instance { arn: arn.to_owned(), store, owner: reply.owner_account_id })
    }

    async fn only_instance(&self) -> Result<Instance, CloudError> {
        let operation = "ListInstances";
        let call = self.center().await.list_instances().send();
        let reply = read(operation, &self.account, call).await?;
        let refuse = |message: String| {
            Err(CloudError::new(ErrorKind::Invalid, operation, &self.account, message))
        };
        match reply.instances() {
            _ if reply.instances.is_none() => Err(incomplete(operation, &self.account, "list")),
            [] => refuse(
                "there is no instance of IAM Identity Center that this account can use in this \
                 region; enable it, or write the region it is in (`region`)"
                    .to_owned(),
            ),
            [one] if reply.next_token().is_none() => {
                let (Some(arn), Some(store)) = (one.instance_arn(), one.identity_store_id()) else {
                    return Err(incomplete(operation, &self.account, "ARN or identity store"));
                };
                let owner = one.owner_account_id().map(str::to_owned);
                Ok(Instance { arn: arn.to_owned(), store: store.to_owned(), owner })
            }
            several => {
                let arns = several.iter().filter_map(|one| one.instance_arn());
                let arns = arns.collect::<Vec<_>>().join(", ");
                refuse(format!("there are several instances ({arns}); write which (`instance`)"))
            }
        }
    }

    /// Whether an account is the management account, in which a delegated administrator may not
    /// assign anything.
    pub async fn is_beyond_delegation(&self, account: &str) -> bool {
        let instance = self.instance().await.ok();
        let owner = instance.and_then(|instance| instance.owner.as_deref());
        owner == Some(account) && self.account != account
    }

    /// Remembers whose an object was when it was last seen.
    pub fn saw(&self, id: &VendorId, ownership: &Ownership) {
        let mut ours = lock(&self.ours);
        if matches!(ownership, Ownership::Ours(_)) {
            ours.insert(id.clone());
        } else {
            ours.remove(id);
        }
    }

    /// It was made by this run.
    pub fn made(&self, id: &VendorId) {
        lock(&self.ours).insert(id.clone());
    }

    /// It is gone.
    pub fn lost(&self, id: &VendorId) {
        lock(&self.ours).remove(id);
    }

    /// Whether this run has seen or made it as an object of ours. Enough for what adds or connects;
    /// what takes away is decided on a fresh look.
    pub fn is_known_as_ours(&self, id: &VendorId) -> bool {
        lock(&self.ours).contains(id)
    }

    /// The name of a permission set, which never changes, if it was seen.
    pub fn set_name(&self, id: &VendorId) -> Option<String> {
        lock(&self.set_names).get(id).cloned()
    }

    /// Remembers the name of a permission set.
    pub fn saw_set_name(&self, id: &VendorId, name: &str) {
        lock(&self.set_names).insert(id.clone(), name.to_owned());
    }

    /// The provisioning of one permission set.
    pub fn provisioning(&self, set: &VendorId) -> Arc<Coalesced<()>> {
        Arc::clone(lock(&self.provisioning).entry(set.clone()).or_default())
    }

    /// A read of an observation: sent again a bounded number of times where that may help.
    ///
    /// # Errors
    /// The last one.
    pub async fn patiently<T, F: Future<Output = Result<T, CloudError>>>(
        &self,
        call: impl Fn() -> F,
    ) -> Result<T, CloudError> {
        let mut wait = self.patience.first_wait;
        for _ in 1..self.patience.attempts {
            match call().await {
                Err(error) if let Retry::Again { after } = error.retry() => {
                    tokio::time::sleep(wait.max(after.unwrap_or_default())).await;
                    wait *= 2;
                }
                result => return result,
            }
        }
        call().await
    }

    /// All pages of a list. What goes wrong is added to `missing`; a list without a list, and a
    /// token that comes twice, too.
    pub async fn pages<T, F: Future<Output = Result<Page<T>, CloudError>>>(
        &self,
        what: &str,
        missing: &mut Vec<Missing>,
        list: impl Fn(Option<String>) -> F,
    ) -> Vec<T> {
        let mut items = Vec::new();
        let mut tokens: HashSet<String> = HashSet::new();
        let mut token: Option<String> = None;
        loop {
            let why = match self.patiently(|| list(token.clone())).await {
                Ok(Page { items: None, .. }) => "a page has no list".to_owned(),
                Ok(Page { items: Some(page), next }) => {
                    items.extend(page);
                    match next {
                        None => return items,
                        // One that does not move would have us here for ever.
                        Some(next) if tokens.insert(next.clone()) => {
                            token = Some(next);
                            continue;
                        }
                        Some(_) => "the list begins again before its end".to_owned(),
                    }
                }
                Err(error) => error.to_string(),
            };
            let why = format!("{why}, after {} pages with {} items", tokens.len(), items.len());
            missing.push(Missing::new(what, why));
            return items;
        }
    }
}

/// One page of a list.
pub struct Page<T> {
    /// `None` if the reply had no list at all.
    pub items: Option<Vec<T>>,
    /// Where the next page begins.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page as replies have it. Some services end a list with an empty token.
    pub fn new(items: Option<Vec<T>>, next: Option<String>) -> Self {
        Self { items, next: next.filter(|next| !next.is_empty()) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
