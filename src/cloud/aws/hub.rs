//! What the accounts of one hub share: its users and groups, and the documents by which groups
//! may assume roles.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_iam::types::SummaryKeyType;

use super::config::{GROUP_POLICIES_SIZE, MANAGED_POLICY_SIZE};
use super::document::{self, AssumeDocument};
use super::known::{Known, Seen};
use super::pages::Pages;
use super::raw::{Part, Raw};
use super::session::Session;
use super::{convert, error, identity};
use crate::cloud::{CloudError, ErrorKind};
use crate::model::{ObjectName, OrganisationName, VendorId};

/// The inline document of a group, and what the names of all documents begin with.
pub const DOCUMENT: &str = "reconcile-assume-";

/// The documents of one group, by number: 1 is inline, the others are managed policies.
pub type Documents = BTreeMap<u32, AssumeDocument>;

/// A hub, as the organisation that owns it sees it.
pub struct Hub {
    /// Signed in to the hub.
    pub session: Session,
    /// Whose it is.
    pub organisation: OrganisationName,
    /// Its partition.
    pub partition: String,
    /// Its account id.
    pub account: String,
    /// Users by id.
    pub users: Known,
    /// Groups by id.
    pub groups: Known,
    documents: Mutex<HashMap<VendorId, Arc<tokio::sync::Mutex<Option<Documents>>>>>,
    reading: tokio::sync::Mutex<(u64, Option<Arc<Raw>>)>,
    group_policies_size: Mutex<u64>,
}

impl Hub {
    /// A hub of which nothing is known yet.
    pub fn new(
        session: Session,
        organisation: OrganisationName,
        partition: String,
        account: String,
    ) -> Self {
        Self {
            session,
            organisation,
            partition,
            account,
            users: Known::default(),
            groups: Known::default(),
            documents: Mutex::default(),
            reading: tokio::sync::Mutex::new((0, None)),
            group_policies_size: Mutex::new(GROUP_POLICIES_SIZE),
        }
    }

    /// The hub as read; read anew for the hub itself and for who has seen the last reading already,
    /// so that the other accounts of a run share that of the hub, which is asked for first. `seen`
    /// is the number of the reading the caller saw last.
    pub async fn read(&self, anew: bool, seen: &mut u64) -> Arc<Raw> {
        let mut reading = self.reading.lock().await;
        if anew || reading.0 <= *seen || reading.1.is_none() {
            let raw = Arc::new(Raw::read(&self.session, Part::All).await);
            self.learn(&raw);
            *reading = (reading.0 + 1, Some(raw));
        }
        *seen = reading.0;
        reading.1.clone().unwrap_or_default()
    }

    /// Remembers names, owners and documents.
    fn learn(&self, raw: &Raw) {
        let organisation = &self.organisation;
        self.users.replace(raw.users.iter().filter_map(|user| {
            let observed = convert::user_detail(user, organisation)?;
            Some((
                observed.id,
                Seen {
                    name: observed.spec.name.to_string(),
                    arn: user.arn.clone().unwrap_or_default(),
                    ownership: observed.ownership,
                },
            ))
        }));
        self.groups.replace(raw.groups.iter().filter_map(|group| {
            let observed = convert::group_detail(group, organisation)?;
            Some((
                observed.id,
                Seen {
                    name: observed.spec.name.to_string(),
                    arn: group.arn.clone().unwrap_or_default(),
                    ownership: observed.ownership,
                },
            ))
        }));
        let size = raw.summary.get(&SummaryKeyType::GroupPolicySizeQuota).copied();
        if let Some(size) = size.and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0)
        {
            *self.group_policies_size.lock().unwrap_or_else(PoisonError::into_inner) = size;
        }
        let mut documents = HashMap::new();
        for (id, found) in documents_of(raw, organisation) {
            documents.insert(id, Arc::new(tokio::sync::Mutex::new(found)));
        }
        *self.all() = documents;
    }

    fn all(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<VendorId, Arc<tokio::sync::Mutex<Option<Documents>>>>>
    {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The documents of a group; whoever holds the lock may change them. `None` in it: not known.
    pub fn documents(&self, group: &VendorId) -> Arc<tokio::sync::Mutex<Option<Documents>>> {
        Arc::clone(self.all().entry(group.clone()).or_default())
    }

    /// A group that was just made has no documents.
    pub fn is_new(&self, group: &VendorId) {
        let documents = Arc::new(tokio::sync::Mutex::new(Some(Documents::new())));
        self.all().insert(group.clone(), documents);
    }

    /// Every group's roles as last read or written: group and ARN. Those of a group whose last
    /// write did not end clearly, or whose documents were not read with it, are read afresh.
    ///
    /// # Errors
    /// Of reading afresh.
    pub async fn roles(&self) -> Result<Vec<(VendorId, String)>, CloudError> {
        let all: Vec<_> =
            self.all().iter().map(|(id, documents)| (id.clone(), Arc::clone(documents))).collect();
        let mut roles = Vec::new();
        for (group, documents) in all {
            let mut documents = documents.lock().await;
            if documents.is_none()
                && let Some(seen) = self.groups.get(&group)
            {
                *documents = Some(self.fetch_documents(&group, &seen.name).await?);
            }
            for document in documents.iter().flat_map(BTreeMap::values) {
                roles.extend(document.roles.iter().map(|arn| (group.clone(), arn.clone())));
            }
        }
        Ok(roles)
    }

    /// Where a role fits into a group's documents: the number of the document, and whether there
    /// is room at all is for AWS to say.
    pub fn room(&self, documents: &Documents, arn: &str) -> u32 {
        let inline = *self.group_policies_size.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |number: u32| {
            // What somebody wrote into it by hand would be lost with the next writing; it is taken
            // out by a change of its own.
            if documents.get(&number).is_some_and(|one| one.other.is_some()) {
                return false;
            }
            let mut roles: BTreeSet<String> =
                documents.get(&number).map(|one| one.roles.clone()).unwrap_or_default();
            roles.insert(arn.to_owned());
            let limit = if number == 1 { inline } else { MANAGED_POLICY_SIZE };
            document::size(&AssumeDocument::render(&roles)) <= limit
        };
        // Eleven: the inline one, and as many policies as a group may have attached.
        (1..=11).find(|number| fits(*number)).unwrap_or(11)
    }

    /// The ARN of the managed policy that is a group's document of that number.
    pub fn policy_arn(&self, group: &VendorId, number: u32) -> String {
        let path = identity::path_of(&self.organisation);
        let name = policy_name(group, number);
        format!("arn:{}:iam::{}:policy{path}{name}", self.partition, self.account)
    }

    /// Reads the documents of one group afresh.
    pub async fn fetch_documents(
        &self,
        group: &VendorId,
        name: &str,
    ) -> Result<Documents, CloudError> {
        let client = &self.session.writes;
        let mut documents = Documents::new();
        let call = client.get_group_policy().group_name(name).policy_name(inline_name());
        match error::read("GetGroupPolicy", name, call.send()).await {
            Ok(reply) => {
                documents.insert(1, AssumeDocument::parse(&reply.policy_document));
            }
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let attached = match self.attached_to_group(name).await {
            Ok(attached) => attached,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(documents),
            Err(error) => return Err(error),
        };
        for number in 2..=11 {
            let arn = self.policy_arn(group, number);
            if attached.contains(&arn) {
                documents.insert(number, self.fetch_managed(&arn).await?);
            }
        }
        Ok(documents)
    }

    /// The ARNs of the managed policies of a group.
    ///
    /// # Errors
    /// Any [`CloudError`].
    pub async fn attached_to_group(&self, name: &str) -> Result<Vec<String>, CloudError> {
        let mut all = Vec::new();
        let mut pages = Pages::new(&self.session, "ListAttachedGroupPolicies", name);
        while pages.more() {
            let call = self.session.writes.list_attached_group_policies().group_name(name);
            let call = call.max_items(pages.size()).set_marker(pages.marker());
            let reply = error::read(pages.operation, name, call.send()).await?;
            let policies = reply.attached_policies.unwrap_or_default();
            all.extend(policies.into_iter().filter_map(|policy| policy.policy_arn));
            pages.took(reply.is_truncated, reply.marker)?;
        }
        Ok(all)
    }

    async fn fetch_managed(&self, arn: &str) -> Result<AssumeDocument, CloudError> {
        let client = &self.session.writes;
        let call = client.get_policy().policy_arn(arn).send();
        let reply = error::read("GetPolicy", arn, call).await?;
        let version = reply.policy.and_then(|policy| policy.default_version_id).unwrap_or_default();
        let call = client.get_policy_version().policy_arn(arn).version_id(version).send();
        let reply = error::read("GetPolicyVersion", arn, call).await?;
        let text = reply.policy_version.and_then(|version| version.document).unwrap_or_default();
        Ok(AssumeDocument::parse(&text))
    }
}

/// The name of the inline document.
pub fn inline_name() -> String {
    format!("{DOCUMENT}1")
}

/// The name of the managed policy that is a group's document of that number: with the group's id,
/// which stays when the group is renamed.
pub fn policy_name(group: &VendorId, number: u32) -> ObjectName {
    format!("{DOCUMENT}{number}-{group}").into()
}

/// Which document of a group a managed policy is, if it is one.
pub fn document_number(arn: &str, group: &VendorId) -> Option<u32> {
    let name = arn.rsplit('/').next()?;
    let number = name.strip_prefix(DOCUMENT)?.split('-').next()?.parse().ok()?;
    (policy_name(group, number).as_str() == name).then_some(number)
}

/// The managed documents of a group that are attached to nothing: a run ended between attaching
/// or detaching one and the call beside it. They say nothing any more, and count as attachments
/// that nothing asks for.
pub fn unattached<'a>(
    raw: &'a Raw,
    organisation: &OrganisationName,
    group: &VendorId,
) -> impl Iterator<Item = &'a str> {
    let path = identity::path_of(organisation);
    raw.policies.iter().filter_map(move |policy| {
        let arn = policy.arn.as_deref()?;
        document_number(arn, group)?;
        let is_ours = policy.path.as_deref() == Some(path.as_str());
        (is_ours && policy.attachment_count == Some(0)).then_some(arn)
    })
}

/// The documents of every group of ours in a reading; `None` if one is attached that is not among
/// the policies that were read, as one that was made in between.
fn documents_of(raw: &Raw, organisation: &OrganisationName) -> Vec<(VendorId, Option<Documents>)> {
    let managed: HashMap<&str, &str> = raw
        .policies
        .iter()
        .filter_map(|policy| {
            let default = policy.default_version_id.as_deref()?;
            let versions = policy.policy_version_list.as_deref().unwrap_or_default();
            let version = versions.iter().find(|one| one.version_id.as_deref() == Some(default))?;
            Some((policy.arn.as_deref()?, version.document.as_deref()?))
        })
        .collect();
    raw.groups
        .iter()
        .filter_map(|group| {
            let observed = convert::group_detail(group, organisation)?;
            observed.ownership.subject()?;
            let mut documents = Documents::new();
            for policy in group.group_policy_list.as_deref().unwrap_or_default() {
                if policy.policy_name.as_deref() == Some(inline_name().as_str()) {
                    let text = policy.policy_document.as_deref().unwrap_or_default();
                    documents.insert(1, AssumeDocument::parse(text));
                }
            }
            for policy in group.attached_managed_policies.as_deref().unwrap_or_default() {
                let arn = policy.policy_arn.as_deref().unwrap_or_default();
                let Some(number) = document_number(arn, &observed.id) else { continue };
                let Some(text) = managed.get(arn) else { return Some((observed.id, None)) };
                documents.insert(number, AssumeDocument::parse(text));
            }
            Some((observed.id, Some(documents)))
        })
        .collect()
}
