//! Identity providers: what vouches for holders of roles who are no users of the account. Kept
//! like roles, under names no role can have: `oidc-provider/gitlab.com`,
//! `saml-provider/reconcile-spi`, the last part of their ARNs, which are their ids.
//!
//! Facts (IAM API Reference): lists have no pages; `GetOpenIDConnectProvider` and
//! `GetSAMLProvider` give the tags, too; an OIDC provider is one per issuer and account, whoever
//! made it; neither has a description; its name can never be changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::config::FAMILY;
use super::error::{done, read, write};
use super::identity::{self, Marked};
use super::metadata;
use super::session::Session;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{
    AttributeName, AttributeValue, Mark, Missing, ObjectName, Observed, OrganisationName, RoleSpec,
    Subject, VendorId,
};
use crate::plan::Output;

/// Attribute: `oidc` or `saml`.
pub const KIND: &str = "kind";
/// Attribute of an OIDC provider: whom the issuer's words may be addressed to.
pub const AUDIENCES: &str = "audiences";
/// Attribute of a SAML provider: the description of the log-in service.
pub const METADATA: &str = "metadata";

const OIDC: &str = "oidc-provider/";
const SAML: &str = "saml-provider/";

/// Whether a name or id is that of a provider rather than of a role.
pub fn is_provider(name_or_id: &str) -> bool {
    let name = name_of(name_or_id);
    name.starts_with(OIDC) || name.starts_with(SAML)
}

/// The name of the OIDC provider of an issuer.
pub fn oidc_name(issuer: &str) -> ObjectName {
    format!("{OIDC}{}", issuer.trim_start_matches("https://").trim_end_matches('/')).into()
}

/// The name of an organisation's SAML provider.
pub fn saml_name(organisation: &OrganisationName) -> ObjectName {
    format!("{SAML}reconcile-{organisation}").into()
}

/// The ARN of a provider.
pub fn arn(partition: &str, account: &str, name: &ObjectName) -> String {
    format!("arn:{partition}:iam::{account}:{name}")
}

/// What an OIDC provider is to be like.
pub fn oidc_spec(issuer: &str, audiences: BTreeSet<String>) -> RoleSpec {
    let attributes = [
        (KIND.into(), AttributeValue::Text("oidc".to_owned())),
        (AUDIENCES.into(), AttributeValue::Set(audiences)),
    ];
    RoleSpec {
        name: oidc_name(issuer),
        description: String::new(),
        attributes: attributes.into_iter().collect(),
    }
}

/// What a SAML provider is to be like.
pub fn saml_spec(organisation: &OrganisationName, metadata: &str) -> RoleSpec {
    let attributes = [
        (KIND.into(), AttributeValue::Text("saml".to_owned())),
        (METADATA.into(), AttributeValue::Text(metadata.trim().to_owned())),
    ];
    RoleSpec {
        name: saml_name(organisation),
        description: String::new(),
        attributes: attributes.into_iter().collect(),
    }
}

/// Everything of this kind in an account.
#[derive(Debug, Default)]
pub struct Providers {
    /// The providers.
    pub all: Vec<Observed<RoleSpec>>,
    /// Until when what they vouch with can be checked.
    pub expiries: BTreeMap<String, Date>,
    /// What could not be read.
    pub missing: Vec<Missing>,
}

/// Reads all providers: two lists, and a call for each provider. `count` is how many the account
/// says it has.
pub async fn observe(
    session: &Session,
    organisation: &OrganisationName,
    count: Option<i32>,
) -> Providers {
    let mut found = Providers::default();
    let mut arns = Vec::new();
    let list = session.reads.list_open_id_connect_providers().send();
    match read("ListOpenIDConnectProviders", "identity providers", list).await {
        Ok(reply) => match reply.open_id_connect_provider_list {
            Some(list) => arns.extend(list.into_iter().filter_map(|entry| entry.arn)),
            None => found.missing.push(no_list("OIDC providers")),
        },
        Err(error) => found.missing.push(Missing::new("OIDC providers", error.to_string())),
    }
    let list = session.reads.list_saml_providers().send();
    match read("ListSAMLProviders", "identity providers", list).await {
        Ok(reply) => match reply.saml_provider_list {
            Some(list) => arns.extend(list.into_iter().filter_map(|entry| entry.arn)),
            None => found.missing.push(no_list("SAML providers")),
        },
        Err(error) => found.missing.push(Missing::new("SAML providers", error.to_string())),
    }
    let said = count.and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
    if found.missing.is_empty() && arns.len() < said {
        let why = format!("{} were listed, the account says it has {said}", arns.len());
        found.missing.push(Missing::new("identity providers", why));
    }
    for arn in arns {
        match get(&session.reads, organisation, &arn).await {
            Ok((provider, end)) => {
                if provider.ownership.subject().is_some() {
                    found.expiries.extend(expiries(&provider.spec, end));
                }
                found.all.push(provider);
            }
            // It went away between the list and the look.
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => found.missing.push(Missing::new(arn, error.to_string())),
        }
    }
    found
}

/// What of a SAML provider ends when: what AWS says of it, and what its metadata say.
fn expiries(spec: &RoleSpec, end: Option<Date>) -> Vec<(String, Date)> {
    let Ok(text) = metadata(spec) else { return Vec::new() };
    let read = metadata::parse(text).ok();
    let name = &spec.name;
    let until = [end, read.as_ref().and_then(|read| read.valid_until)].into_iter().flatten().min();
    let certificate =
        read.map(|read| (format!("the certificate of {name}"), read.certificates_end));
    until
        .map(|end| (format!("the metadata of {name}"), end))
        .into_iter()
        .chain(certificate)
        .collect()
}

fn no_list(what: &str) -> Missing {
    Missing::new(what, "the reply has no list")
}

/// One provider by its ARN, with the day its metadata end, where AWS tells.
///
/// # Errors
/// Any, [`ErrorKind::NotFound`] among them.
pub async fn get(
    client: &aws_sdk_iam::Client,
    organisation: &OrganisationName,
    arn: &str,
) -> Result<(Observed<RoleSpec>, Option<Date>), CloudError> {
    let name = ObjectName::new(name_of(arn));
    let mut attributes: BTreeMap<AttributeName, AttributeValue> = BTreeMap::new();
    let (tags, end) = if name.as_str().starts_with(OIDC) {
        let call = client.get_open_id_connect_provider().open_id_connect_provider_arn(arn).send();
        let reply = read("GetOpenIDConnectProvider", arn, call).await?;
        let audiences = reply.client_id_list.unwrap_or_default().into_iter().collect();
        attributes.insert(KIND.into(), AttributeValue::Text("oidc".to_owned()));
        attributes.insert(AUDIENCES.into(), AttributeValue::Set(audiences));
        (reply.tags.unwrap_or_default(), None)
    } else {
        let call = client.get_saml_provider().saml_provider_arn(arn).send();
        let reply = read("GetSAMLProvider", arn, call).await?;
        let metadata = reply.saml_metadata_document.unwrap_or_default();
        attributes.insert(KIND.into(), AttributeValue::Text("saml".to_owned()));
        attributes.insert(METADATA.into(), AttributeValue::Text(metadata.trim().to_owned()));
        let end = reply.valid_until.and_then(|time| Timestamp::from_second(time.secs()).ok());
        let end = end.map(|time| time.to_zoned(TimeZone::UTC).date());
        (reply.tags.unwrap_or_default(), end)
    };
    let provider = Observed {
        id: VendorId::new(arn),
        ownership: identity::ownership(Marked::Tagged, "/", &tags, organisation),
        spec: RoleSpec { name, description: String::new(), attributes },
    };
    Ok((provider, end))
}

/// Makes a provider, with our mark on it.
///
/// # Errors
/// Any [`CloudError`].
pub async fn create(
    session: &Session,
    partition: &str,
    account: &str,
    mark: &Mark,
    spec: &RoleSpec,
) -> Result<Applied, CloudError> {
    let object = spec.name.as_str();
    let tags = identity::tags(mark).map_err(|error| invalid("PrepareTags", object, &error))?;
    if let Some(host) = object.strip_prefix(OIDC) {
        // Thumbprints are no longer needed: AWS trusts the issuers' certificates by their
        // authorities, and finds the thumbprint itself where it must.
        let call = session
            .writes
            .create_open_id_connect_provider()
            .url(format!("https://{host}"))
            .set_client_id_list(Some(audiences(spec)))
            .set_tags(Some(tags))
            .send();
        let reply = write("CreateOpenIDConnectProvider", object, call).await?;
        let arn = reply.open_id_connect_provider_arn.clone();
        return Ok(made(arn.unwrap_or_else(|| arn_of(partition, account, object)), &reply));
    }
    let call = session
        .writes
        .create_saml_provider()
        .name(object.trim_start_matches(SAML))
        .saml_metadata_document(metadata(spec)?)
        .set_tags(Some(tags))
        .send();
    let reply = write("CreateSAMLProvider", object, call).await?;
    let arn = reply.saml_provider_arn.clone();
    Ok(made(arn.unwrap_or_else(|| arn_of(partition, account, object)), &reply))
}

fn arn_of(partition: &str, account: &str, name: &str) -> String {
    arn(partition, account, &name.into())
}

fn made<T: aws_sdk_iam::operation::RequestId>(arn: String, reply: &T) -> Applied {
    let outputs = [(Output::Id, VendorId::new(arn))].into();
    Applied { outputs, ..done(reply) }
}

/// Makes a provider of ours what it is to be.
///
/// # Errors
/// [`ErrorKind::Foreign`], [`ErrorKind::Conflict`] if it is not as it was, and any other.
pub async fn update(
    session: &Session,
    organisation: &OrganisationName,
    id: &VendorId,
    subject: &Subject,
    before: &RoleSpec,
    after: &RoleSpec,
) -> Result<Applied, CloudError> {
    let now = ours(session, organisation, "UpdateIdentityProvider", id, subject).await?;
    if now == *after {
        return Ok(Applied::default());
    }
    if now != *before {
        let message = "it is no longer as it was when the change was planned";
        let operation = "UpdateIdentityProvider";
        return Err(CloudError::new(ErrorKind::Conflict, operation, id.as_str(), message));
    }
    if name_of(id.as_str()).starts_with(SAML) {
        let call = session
            .writes
            .update_saml_provider()
            .saml_provider_arn(id.as_str())
            .saml_metadata_document(metadata(after)?)
            .send();
        return write("UpdateSAMLProvider", id.as_str(), call).await.map(|reply| done(&reply));
    }
    let (old, new): (BTreeSet<String>, BTreeSet<String>) =
        (audiences(&now).into_iter().collect(), audiences(after).into_iter().collect());
    let mut applied = Applied::default();
    for audience in new.difference(&old) {
        let call = session
            .writes
            .add_client_id_to_open_id_connect_provider()
            .open_id_connect_provider_arn(id.as_str())
            .client_id(audience)
            .send();
        applied = done(&write("AddClientIDToOpenIDConnectProvider", id.as_str(), call).await?);
    }
    for audience in old.difference(&new) {
        let call = session
            .writes
            .remove_client_id_from_open_id_connect_provider()
            .open_id_connect_provider_arn(id.as_str())
            .client_id(audience)
            .send();
        applied = done(&write("RemoveClientIDFromOpenIDConnectProvider", id.as_str(), call).await?);
    }
    Ok(applied)
}

/// Deletes a provider of ours.
///
/// # Errors
/// [`ErrorKind::Foreign`], [`ErrorKind::Conflict`] if it is not as it was, and any other.
pub async fn delete(
    session: &Session,
    organisation: &OrganisationName,
    id: &VendorId,
    subject: &Subject,
    before: &RoleSpec,
) -> Result<Applied, CloudError> {
    let operation = "DeleteIdentityProvider";
    if ours(session, organisation, operation, id, subject).await? != *before {
        let message = "it is no longer as it was when the change was planned";
        return Err(CloudError::new(ErrorKind::Conflict, operation, id.as_str(), message));
    }
    if name_of(id.as_str()).starts_with(SAML) {
        let call = session.writes.delete_saml_provider().saml_provider_arn(id.as_str()).send();
        return write("DeleteSAMLProvider", id.as_str(), call).await.map(|reply| done(&reply));
    }
    let call = session
        .writes
        .delete_open_id_connect_provider()
        .open_id_connect_provider_arn(id.as_str())
        .send();
    write("DeleteOpenIDConnectProvider", id.as_str(), call).await.map(|reply| done(&reply))
}

/// Puts our mark on a provider that has none.
///
/// # Errors
/// [`ErrorKind::Foreign`] if it has one, and any other.
pub async fn adopt(session: &Session, id: &VendorId, mark: &Mark) -> Result<Applied, CloudError> {
    let (found, _) = get(&session.writes, &mark.organisation, id.as_str()).await?;
    match found.ownership {
        other if other.may_become(&mark.subject) => {}
        crate::model::Ownership::Ours(subject) if subject == mark.subject => {
            return Ok(Applied::default());
        }
        other => return Err(foreign("TagIdentityProvider", id, &other)),
    }
    let tags = identity::tags(mark).map_err(|error| invalid("PrepareTags", id.as_str(), &error))?;
    if name_of(id.as_str()).starts_with(SAML) {
        let call = session.writes.tag_saml_provider().saml_provider_arn(id.as_str());
        let call = call.set_tags(Some(tags)).send();
        return write("TagSAMLProvider", id.as_str(), call).await.map(|reply| done(&reply));
    }
    let call = session.writes.tag_open_id_connect_provider();
    let call = call.open_id_connect_provider_arn(id.as_str()).set_tags(Some(tags)).send();
    write("TagOpenIDConnectProvider", id.as_str(), call).await.map(|reply| done(&reply))
}

/// A provider of ours as it is now.
async fn ours(
    session: &Session,
    organisation: &OrganisationName,
    operation: &'static str,
    id: &VendorId,
    subject: &Subject,
) -> Result<RoleSpec, CloudError> {
    let (found, _) = get(&session.writes, organisation, id.as_str()).await?;
    if found.ownership.subject() == Some(subject) {
        Ok(found.spec)
    } else {
        Err(foreign(operation, id, &found.ownership))
    }
}

fn foreign(
    operation: &'static str,
    id: &VendorId,
    ownership: &crate::model::Ownership,
) -> CloudError {
    let message = match ownership {
        crate::model::Ownership::Ours(found) => format!("it stands for {found}"),
        crate::model::Ownership::Damaged { why, .. } => format!("its mark is damaged: {why}"),
        crate::model::Ownership::Theirs(mark) => format!("it carries another mark: {mark}"),
        crate::model::Ownership::Unmarked => "it carries no mark".to_owned(),
    };
    CloudError::new(ErrorKind::Foreign, operation, id.as_str(), message)
}

fn invalid(operation: &'static str, object: &str, why: &dyn std::fmt::Display) -> CloudError {
    CloudError::new(ErrorKind::Invalid, operation, object, format!("{FAMILY}: {why}"))
}

fn audiences(spec: &RoleSpec) -> Vec<String> {
    match spec.attributes.get(AUDIENCES) {
        Some(AttributeValue::Set(set)) => set.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

fn metadata(spec: &RoleSpec) -> Result<&str, CloudError> {
    match spec.attributes.get(METADATA) {
        Some(AttributeValue::Text(text)) => Ok(text),
        _ => Err(invalid("PrepareMetadata", spec.name.as_str(), &"there are no metadata")),
    }
}

/// The name in an ARN; a name is its own.
fn name_of(name_or_arn: &str) -> &str {
    if name_or_arn.starts_with("arn:") {
        name_or_arn.splitn(6, ':').nth(5).unwrap_or(name_or_arn)
    } else {
        name_or_arn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_of_providers_are_no_roles() {
        let id = arn("aws", "111111111111", &oidc_name("https://gitlab.com/"));
        assert_eq!(id, "arn:aws:iam::111111111111:oidc-provider/gitlab.com");
        assert!(is_provider(&id) && is_provider("saml-provider/reconcile-spi"));
        assert!(!is_provider("gitlab.com") && !is_provider("AROAEXAMPLE"));
        assert_eq!(name_of(&id), "oidc-provider/gitlab.com");
    }
}
