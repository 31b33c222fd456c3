//! Credentials, and clients that use them: one base for all accounts, one session for each.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_credential_types::provider::{error::CredentialsError, future};
use aws_sdk_iam::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_iam::config::timeout::TimeoutConfig;
use aws_sdk_iam::config::{
    Credentials, IdentityCache, ProvideCredentials, Region, SharedCredentialsProvider,
};
use tokio::sync::OnceCell;

use super::config::{ASSUME_ROLE, DEFAULT_ROLE, EXTERNAL_ID, REGION, Settings};
use super::error::read;
use super::heard::Hears;
use super::whole::WholeReplies;
use crate::cloud::clock::HeardClock;
use crate::cloud::{CloudError, ErrorKind};
use crate::masks;
use crate::model::{Account, AttributeName, AttributeValue, VendorId};

/// What the accounts share: base credentials and connections.
pub struct Base {
    settings: Settings,
    run: String,
    config: OnceCell<SdkConfig>,
    caller: OnceCell<Caller>,
    /// AWS's clock.
    pub(super) clock: Arc<HeardClock>,
}

/// Whose the base credentials are.
#[derive(Clone, Debug)]
struct Caller {
    account: String,
    principal: String,
}

impl Base {
    /// Nothing is read or asked before the first use. `run` is the id of the run, for the name of
    /// the sessions, by which AWS's own log can be matched with our record.
    pub fn new(settings: Settings, run: &str) -> Self {
        let run = run.to_owned();
        Self {
            settings,
            run,
            config: OnceCell::new(),
            caller: OnceCell::new(),
            clock: Arc::default(),
        }
    }

    /// How we talk to AWS.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    async fn config(&self) -> &SdkConfig {
        self.config
            .get_or_init(|| async {
                let timeouts = TimeoutConfig::builder()
                    .connect_timeout(self.settings.call_time_limit)
                    .operation_attempt_timeout(self.settings.call_time_limit)
                    .build();
                // Pinned, so that an update of the SDK does not change how it behaves.
                let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
                    .retry_config(RetryConfig::standard().with_max_attempts(3))
                    .timeout_config(timeouts);
                if let Ok(name) = AppName::new("reconcile") {
                    loader = loader.app_name(name);
                }
                if let Some(endpoint) = &self.settings.endpoint {
                    loader = loader.endpoint_url(endpoint);
                }
                if let Some(credentials) = &self.settings.credentials {
                    loader = loader.credentials_provider(credentials.clone());
                }
                let config = loader.load().await;
                let Some(source) = config.credentials_provider() else { return config };
                let source = SharedCredentialsProvider::new(Remembered(source));
                config.into_builder().credentials_provider(source).build()
            })
            .await
    }

    /// Whose the base credentials are; asked once.
    async fn caller(&self, region: &Region) -> Result<&Caller, CloudError> {
        self.caller
            .get_or_try_init(|| async {
                let config = self.config().await.to_builder().region(region.clone()).build();
                let call = aws_sdk_sts::Client::new(&config).get_caller_identity().send();
                let reply = read("GetCallerIdentity", "own credentials", call).await?;
                let (Some(account), Some(principal)) = (reply.account, reply.user_id) else {
                    return Err(CloudError::new(
                        ErrorKind::Unavailable,
                        "GetCallerIdentity",
                        "own credentials",
                        "the reply names nobody",
                    ));
                };
                Ok(Caller { account, principal })
            })
            .await
    }
}

/// The usual region of a partition's IAM and STS (AWS General Reference, IAM endpoints).
fn usual_region(partition: &str) -> &'static str {
    match partition {
        "aws-us-gov" => "us-gov-west-1",
        "aws-cn" => "cn-north-1",
        _ => "us-east-1",
    }
}

/// The partition of an account.
pub fn partition(account: &Account) -> &str {
    account.partition.as_deref().unwrap_or("aws")
}

/// A setting of an account, if it is written.
pub fn setting<'a>(account: &'a Account, name: &str) -> Option<&'a str> {
    match account.settings.get(&AttributeName::new(name)) {
        Some(AttributeValue::Text(text)) => Some(text.as_str()),
        _ => None,
    }
}

/// Whether we act as a role in an account, with credentials of the account `from`.
pub fn is_entered(account: &Account, from: &str) -> bool {
    account.id != from || setting(account, ASSUME_ROLE).is_some()
}

/// The role as which we act in an account that we enter.
pub fn role_arn(account: &Account) -> String {
    let role = setting(account, ASSUME_ROLE).unwrap_or(DEFAULT_ROLE).trim_start_matches('/');
    format!("arn:{}:iam::{}:role/{role}", partition(account), account.id)
}

/// One account, signed in to. Its clients are cheap to clone.
pub struct Session {
    base: Arc<Base>,
    config: SdkConfig,
    region: Region,
    assumed: Arc<Assumed>,
    /// For reading: repeats what may be repeated, a bounded number of times.
    pub reads: aws_sdk_iam::Client,
    /// For writing, and for looks that the executor repeats itself: never repeats anything.
    pub writes: aws_sdk_iam::Client,
}

impl Session {
    /// Prepares to sign in to an account; does not yet.
    pub async fn new(base: &Arc<Base>, account: &Account) -> Self {
        let usual = usual_region(partition(account));
        let region = setting(account, REGION).unwrap_or(usual);
        let region = Region::new(region.to_owned());
        let assumed = Arc::new(Assumed {
            base: Arc::clone(base),
            account: account.id.clone(),
            partition: partition(account).to_owned(),
            region: region.clone(),
            role: setting(account, ASSUME_ROLE).map(str::to_owned),
            external_id: setting(account, EXTERNAL_ID).map(str::to_owned),
            principal: Mutex::new(None),
            unused: Mutex::new(None),
        });
        let config = base
            .config()
            .await
            .to_builder()
            .region(region.clone())
            .credentials_provider(SharedCredentialsProvider::new(SharedAssumed(Arc::clone(
                &assumed,
            ))))
            .identity_cache(IdentityCache::lazy().build())
            .build();
        // A bucket of retries of its own: an account that is throttled slows no other.
        let partition = RetryPartition::new(format!("iam-{}", account.id));
        let reads = aws_sdk_iam::config::Builder::from(&config)
            .retry_partition(partition.clone())
            .interceptor(WholeReplies)
            .interceptor(Hears(Arc::clone(&base.clock)))
            .build();
        let writes = aws_sdk_iam::config::Builder::from(&config)
            .retry_partition(partition)
            .retry_config(RetryConfig::disabled())
            .interceptor(WholeReplies)
            .interceptor(Hears(Arc::clone(&base.clock)))
            .build();
        Self {
            base: Arc::clone(base),
            region,
            assumed,
            reads: aws_sdk_iam::Client::from_conf(reads),
            writes: aws_sdk_iam::Client::from_conf(writes),
            config,
        }
    }

    /// The configuration with the account's credentials, for clients of other services.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// How we talk to AWS.
    pub fn settings(&self) -> &Settings {
        self.base.settings()
    }

    /// What hears AWS's clock.
    pub(super) fn hears(&self) -> Hears {
        Hears(Arc::clone(&self.base.clock))
    }

    /// The id of the user or role we act as in the account.
    ///
    /// AWS gives `AIDA…` for users, `AROA…:session` for sessions of roles, the account's own id
    /// for its root user.
    pub async fn own_principal(&self) -> Result<VendorId, CloudError> {
        let known =
            || self.assumed.principal.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known().is_none() {
            let credentials = self.assumed.sign_in().await?;
            self.assumed.keep(Some(credentials));
        }
        let principal = match known() {
            Some(principal) => principal,
            None => self.base.caller(&self.region).await?.principal.clone(),
        };
        let id = principal.split(':').next().unwrap_or_default();
        Ok(VendorId::new(id))
    }
}

impl Session {
    /// The name of the session the program's own credentials are of: for who signed in by way of
    /// Identity Center their user's. `None` for credentials of a user of IAM.
    pub async fn own_session(&self) -> Result<Option<String>, CloudError> {
        let caller = self.base.caller(&self.region).await?;
        Ok(caller.principal.split_once(':').map(|(_, session)| session.to_owned()))
    }
}

/// Signs in to an account: as a role in it, or with the base credentials as they are.
struct Assumed {
    base: Arc<Base>,
    account: String,
    partition: String,
    region: Region,
    role: Option<String>,
    external_id: Option<String>,
    principal: Mutex<Option<String>>,
    /// What signing in gave and no call has used yet.
    unused: Mutex<Option<Credentials>>,
}

impl Assumed {
    async fn sign_in(&self) -> Result<Credentials, CloudError> {
        let caller = self.base.caller(&self.region).await?;
        let config = self.base.config().await;
        let role = match &self.role {
            Some(role) => role.as_str(),
            None if caller.account == self.account => return self.own(config, caller).await,
            None => DEFAULT_ROLE,
        };
        let role = role.trim_start_matches('/');
        let arn = format!("arn:{}:iam::{}:role/{role}", self.partition, self.account);
        let config = config.to_builder().region(self.region.clone()).build();
        let sts = aws_sdk_sts::config::Builder::from(&config)
            .retry_partition(RetryPartition::new(format!("sts-{}", self.account)))
            .interceptor(WholeReplies)
            .build();
        let call = aws_sdk_sts::Client::from_conf(sts)
            .assume_role()
            .role_arn(&arn)
            .role_session_name(session_name(&self.base.run))
            .set_external_id(self.external_id.clone())
            .send();
        let reply = read("AssumeRole", &arn, call).await?;
        let (Some(given), Some(user)) = (reply.credentials, reply.assumed_role_user) else {
            let message = "the reply has no credentials";
            return Err(CloudError::new(ErrorKind::Unavailable, "AssumeRole", arn, message));
        };
        self.remember(user.assumed_role_id);
        let expiry = SystemTime::try_from(given.expiration).ok();
        let (id, secret, token) =
            (given.access_key_id, given.secret_access_key, given.session_token);
        let given = Credentials::new(id, secret, Some(token), expiry, "reconcile");
        keep_secret(&given);
        Ok(given)
    }

    async fn own(&self, config: &SdkConfig, caller: &Caller) -> Result<Credentials, CloudError> {
        self.remember(caller.principal.clone());
        let none = |message: String| {
            CloudError::new(ErrorKind::Unauthenticated, "Credentials", &self.account, message)
        };
        let provider = config
            .credentials_provider()
            .ok_or_else(|| none("there is no source of credentials".to_owned()))?;
        provider.provide_credentials().await.map_err(|error| none(error.to_string()))
    }

    /// Puts credentials aside for the first call, and gives what was there.
    fn keep(&self, credentials: Option<Credentials>) -> Option<Credentials> {
        let mut unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *unused, credentials)
    }

    fn remember(&self, principal: String) {
        *self.principal.lock().unwrap_or_else(PoisonError::into_inner) = Some(principal);
    }
}

/// At most 64 of the characters AWS allows.
fn session_name(run: &str) -> String {
    let allowed =
        |character: &char| character.is_ascii_alphanumeric() || "+=,.@_-".contains(*character);
    format!("reconcile-{run}").chars().filter(allowed).take(64).collect()
}

/// Whoever they are used with may say them back: the session's token goes with every call, and so
/// does the id of the key, which is no secret but the first half of one.
fn keep_secret(credentials: &Credentials) {
    masks::remember(&credentials.access_key_id().to_owned().into());
    masks::remember(&credentials.secret_access_key().to_owned().into());
    if let Some(token) = credentials.session_token() {
        masks::remember(&token.to_owned().into());
    }
}

/// The program's own credentials, wherever they come from (environment, files, the machine): not
/// shown once they are known.
#[derive(Debug)]
struct Remembered(SharedCredentialsProvider);

impl ProvideCredentials for Remembered {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = self.0.provide_credentials().await?;
            keep_secret(&credentials);
            Ok(credentials)
        })
    }
}

struct SharedAssumed(Arc<Assumed>);

impl fmt::Debug for SharedAssumed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "credentials for account {}", self.0.account)
    }
}

impl ProvideCredentials for SharedAssumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            if let Some(credentials) = self.0.keep(None) {
                return Ok(credentials);
            }
            self.0.sign_in().await.map_err(CredentialsError::provider_error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_after_the_run_in_allowed_characters() {
        assert_eq!(session_name("2026-03-09T01:02:03Z/7"), "reconcile-2026-03-09T010203Z7");
        assert_eq!(session_name(&"x".repeat(99)).len(), 64);
    }
}
