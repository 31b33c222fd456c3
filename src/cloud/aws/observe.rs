//! An account as the rest of the program sees it, from the bulk reading.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_iam::types::SummaryKeyType;

use super::attachments::ASSUME_ROLE;
use super::client::Client;
use super::config::{GROUP_POLICIES_SIZE, MANAGED_POLICY_SIZE};
use super::document;
use super::hub;
use super::known::Seen;
use super::raw::{Part, Raw, RoleExtra};
use super::realise::{INLINE, MANAGED, TRUST};
use super::{convert, providers};
use crate::cloud::error::some;
use crate::model::{
    Attachment, AttributeValue, Binding, HeldAttachment, HolderKind, Kind, Membership, Missing,
    Observed, ObservedAccount, OrganisationName, Quota, Reading, RoleSpec, VendorId,
};

impl Client {
    /// Everything in the account.
    ///
    /// A hub is read once for all its accounts: its groups' documents say which roles they may
    /// assume where.
    pub(super) async fn observe_account(&self) -> Reading<ObservedAccount> {
        let mut missing = Vec::new();
        let mut unlisted = BTreeSet::new();
        let mut got = ObservedAccount::default();
        let is_hub = self.session.is_none();
        // Before anything else waits, so that the hub is read once for all its accounts.
        let first = if is_hub { Some(self.read_hub().await) } else { None };
        match self.session().own_principal().await {
            Ok(own) => got.own_principal = Some(own),
            Err(error) => {
                missing.push(Missing::new("the program's own principal", error.to_string()));
                // Any of them may be the program itself.
                unlisted.extend([Kind::User, Kind::Role]);
                // Without credentials nothing else comes of it but the same error again and again.
                let read_nothing = first.as_ref().is_none_or(|hub| hub.roles.is_empty());
                if read_nothing {
                    return Reading::from_parts(got, missing);
                }
            }
        }
        let hub = match first {
            Some(hub) => hub,
            None => self.read_hub().await,
        };
        let own: Arc<Raw> = match &self.session {
            None => Arc::clone(&hub),
            Some(session) => Arc::new(Raw::read(session, Part::Others).await),
        };
        missing.extend(own.missing.iter().cloned());
        unlisted.extend(&own.unlisted);
        if !is_hub && !hub.missing.is_empty() {
            let why = hub.missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            missing.push(Missing::new("which groups have a role here", format!("the hub: {why}")));
            unlisted.extend(hub.unlisted.get(&Kind::Binding));
        }
        if is_hub {
            self.people(&own, &mut got);
        } else {
            self.left_behind(&own, &mut got);
        }
        for (kind, lost) in [
            (Kind::Role, self.roles_of(&own, &mut got).await),
            (Kind::Binding, self.bindings_of(&mut got).await),
        ] {
            unlisted.extend((!lost.is_empty()).then_some(kind));
            missing.extend(lost);
        }
        if is_hub {
            // By now the documents are known that the bulk reading did not show.
            self.group_attachments(&own, &mut got).await;
        }
        got.quotas = quotas(&own, longest_role(&self.partition, &self.organisation));
        let providers = own.summary.get(&SummaryKeyType::Providers).copied();
        if providers.is_none_or(|count| count > 0) {
            let found = providers::observe(self.session(), &self.organisation, providers).await;
            got.unlisted_providers = !found.missing.is_empty();
            trusted_by_others(&found.all, &mut got);
            got.roles.extend(found.all);
            got.expiries = found.expiries;
            missing.extend(found.missing);
        }
        got.prove(unlisted, &mut missing);
        Reading::from_parts(got, missing)
    }

    async fn read_hub(&self) -> Arc<Raw> {
        let mut seen = self.seen.lock().await;
        self.hub.read(self.session.is_none(), &mut seen).await
    }

    /// Users and groups of ours where none should be: the account was the hub once.
    fn left_behind(&self, raw: &Raw, got: &mut ObservedAccount) {
        let organisation = &self.organisation;
        let users = raw.users.iter().filter_map(|user| convert::user_detail(user, organisation));
        got.users.extend(users.filter(|user| user.ownership.subject().is_some()));
        let groups = raw.groups.iter();
        let groups = groups.filter_map(|group| convert::group_detail(group, organisation));
        got.groups.extend(groups.filter(|group| group.ownership.subject().is_some()));
    }

    /// Users, groups, who is in which, and what is attached to users.
    fn people(&self, raw: &Raw, got: &mut ObservedAccount) {
        let organisation = &self.organisation;
        let mut by_name: HashMap<&str, VendorId> = HashMap::new();
        for detail in &raw.groups {
            let Some(group) = convert::group_detail(detail, organisation) else { continue };
            by_name.insert(detail.group_name.as_deref().unwrap_or_default(), group.id.clone());
            got.groups.push(group);
        }
        for detail in &raw.users {
            let Some(user) = convert::user_detail(detail, organisation) else { continue };
            let groups = detail.group_list.iter().flatten();
            got.memberships.extend(groups.map(|name| Membership {
                // A group that was made after its page was read: seen, not known.
                group: by_name.get(name.as_str()).cloned().unwrap_or_else(|| name.as_str().into()),
                user: user.id.clone(),
            }));
            got.attachments.extend(convert::attachments(
                HolderKind::User,
                &user.id,
                detail.user_policy_list.as_deref().unwrap_or_default(),
                detail.attached_managed_policies.as_deref().unwrap_or_default(),
            ));
            let boundary = detail.permissions_boundary.as_ref();
            got.attachments.extend(boundary.and_then(|one| convert::boundary(&user.id, one)));
            got.users.push(user);
        }
        got.memberships.sort();
        got.memberships.dedup();
    }

    /// What is attached to groups besides the documents of ours, and what these documents say that
    /// they should not.
    async fn group_attachments(&self, raw: &Raw, got: &mut ObservedAccount) {
        for detail in &raw.groups {
            let Some(group) = convert::group_detail(detail, &self.organisation) else { continue };
            let inline = detail.group_policy_list.as_deref().unwrap_or_default();
            let managed = detail.attached_managed_policies.as_deref().unwrap_or_default();
            let all = convert::attachments(HolderKind::Group, &group.id, inline, managed);
            if group.ownership.subject().is_none() {
                got.attachments.extend(all);
                continue;
            }
            let is_document = |one: &Attachment| match one.kind.as_str() {
                INLINE => one.name.as_str() == hub::inline_name(),
                MANAGED => hub::document_number(one.name.as_str(), &group.id).is_some(),
                _ => false,
            };
            got.attachments.extend(all.into_iter().filter(|one| !is_document(&one.attachment)));
            let held = |attachment| HeldAttachment {
                holder_kind: HolderKind::Group,
                holder: group.id.clone(),
                attachment,
            };
            let left_over = hub::unattached(raw, &self.organisation, &group.id);
            got.attachments.extend(left_over.map(|arn| {
                held(Attachment { kind: MANAGED.into(), name: arn.into(), content: None })
            }));
            let documents = self.hub.documents(&group.id);
            let documents = documents.lock().await;
            for document in documents.iter().flat_map(BTreeMap::values) {
                let strange = document.roles.iter().filter(|arn| !self.is_our_account(arn));
                got.attachments.extend(strange.map(|arn| {
                    let name = arn.as_str().into();
                    held(Attachment { kind: ASSUME_ROLE.into(), name, content: None })
                }));
                got.attachments.extend(document.other.clone().map(|other| {
                    let name = hub::inline_name().into();
                    held(Attachment { kind: INLINE.into(), name, content: Some(other) })
                }));
            }
        }
    }

    /// Whether an ARN is of a role in an account with this hub.
    fn is_our_account(&self, arn: &str) -> bool {
        document::role_arn(arn).is_some_and(|(account, _)| self.accounts.contains(account))
            && arn.split(':').nth(1) == Some(self.partition.as_str())
    }

    /// Roles, with what is attached to ours.
    async fn roles_of(&self, raw: &Raw, got: &mut ObservedAccount) -> Vec<Missing> {
        let mut missing = Vec::new();
        let mut known: Vec<(VendorId, Seen)> = Vec::new();
        for detail in &raw.roles {
            let name = detail.role_name.as_deref().unwrap_or_default();
            let extra = raw
                .role_extras
                .get(name)
                .cloned()
                .unwrap_or(RoleExtra { description: String::new(), session_seconds: 3600 });
            let Some(mut role) = convert::role_detail(detail, &extra, &self.organisation) else {
                continue;
            };
            if role.ownership.subject().is_some() && !raw.role_extras.contains_key(name) {
                // Ours by its tags, below another path: adopted.
                match self.role_named(name).await {
                    Ok(found) => role = found,
                    Err(error) => {
                        missing.push(Missing::new(format!("role {name}"), error.to_string()));
                    }
                }
            }
            known.push((
                role.id.clone(),
                Seen {
                    name: name.to_owned(),
                    arn: detail.arn.clone().unwrap_or_default(),
                    ownership: role.ownership.clone(),
                },
            ));
            got.attachments.extend(convert::attachments(
                HolderKind::Role,
                &role.id,
                detail.role_policy_list.as_deref().unwrap_or_default(),
                detail.attached_managed_policies.as_deref().unwrap_or_default(),
            ));
            let profiles = detail.instance_profile_list.iter().flatten();
            let names: Vec<String> =
                profiles.map(|profile| format!("`{}`", profile.instance_profile_name)).collect();
            if !names.is_empty() {
                let why = format!("instance profile {} has it", some(&names));
                got.leaned_on.insert(role.id.clone(), why);
            }
            got.roles.push(role);
        }
        self.roles.replace(known);
        missing
    }

    /// Which of the hub's groups may assume which role of this account.
    async fn bindings_of(&self, got: &mut ObservedAccount) -> Vec<Missing> {
        let by_arn: HashMap<String, VendorId> = got
            .roles
            .iter()
            .filter_map(|role: &Observed<RoleSpec>| {
                Some((self.roles.get(&role.id)?.arn, role.id.clone()))
            })
            .collect();
        let roles = match self.hub.roles().await {
            Ok(roles) => roles,
            Err(error) => {
                return vec![Missing::new("roles of groups", error.to_string())];
            }
        };
        for (group, arn) in roles {
            let here = document::role_arn(&arn).is_some_and(|(id, _)| id == self.account);
            if here && self.is_our_account(&arn) {
                // Of a role that is gone the ARN is all there is.
                let role = by_arn.get(&arn).cloned().unwrap_or_else(|| arn.as_str().into());
                got.bindings.push(Binding { role, group });
            }
        }
        got.bindings.sort();
        Vec::new()
    }
}

/// Which providers are trusted by roles that are not ours: AWS deletes them all the same, and what
/// trusted them stops working (IAM API Reference, `DeleteOpenIDConnectProvider`).
fn trusted_by_others(providers: &[Observed<RoleSpec>], got: &mut ObservedAccount) {
    for provider in providers {
        let principal = format!("\"{}\"", provider.id);
        let trusting = got.roles.iter().find(|role| {
            let trust = role.spec.attributes.get(TRUST);
            role.ownership.subject().is_none()
                && matches!(trust, Some(AttributeValue::Text(text)) if text.contains(&principal))
        });
        if let Some(role) = trusting {
            let why = format!("role `{}`, which is not ours, trusts it", role.spec.name);
            got.leaned_on.insert(provider.id.clone(), why);
        }
    }
}

/// What the account allows, as it says itself; what the summary does not tell is IAM's default
/// (IAM User Guide, "IAM and AWS STS quotas"). Nothing where there is no summary.
fn quotas(raw: &Raw, longest_role: u64) -> BTreeMap<Quota, u64> {
    if raw.summary.is_empty() {
        return BTreeMap::new();
    }
    let told = |key: SummaryKeyType, usual: u64| {
        let number = raw.summary.get(&key).and_then(|number| u64::try_from(*number).ok());
        number.filter(|one| *one > 0).unwrap_or(usual)
    };
    let attached = told(SummaryKeyType::AttachedPoliciesPerGroupQuota, 10);
    let inline = told(SummaryKeyType::GroupPolicySizeQuota, GROUP_POLICIES_SIZE);
    let managed = told(SummaryKeyType::PolicySizeQuota, MANAGED_POLICY_SIZE);
    let fit = |size: u64| size.saturating_sub(FRAME) / longest_role;
    [
        (Quota::Users, told(SummaryKeyType::UsersQuota, 5_000)),
        (Quota::Groups, told(SummaryKeyType::GroupsQuota, 300)),
        (Quota::GroupsPerUser, told(SummaryKeyType::GroupsPerUserQuota, 10)),
        (Quota::AttachmentsPerGroup, attached),
        (Quota::AttachmentsPerRole, told("AttachedPoliciesPerRoleQuota".into(), 10)),
        (Quota::Roles, told("RolesQuota".into(), 1_000)),
        (Quota::ContentPerRole, told("RolePolicySizeQuota".into(), 10_240)),
        // One document within the group, the others attached to it.
        (Quota::RolesPerGroup, fit(inline) + attached * fit(managed)),
    ]
    .into()
}

/// What a document of a group has besides its roles, at most.
const FRAME: u64 = 120;

/// How many characters the longest possible role of ours takes in a document: its ARN with a name
/// of 64 characters, quotes and a comma.
fn longest_role(partition: &str, organisation: &OrganisationName) -> u64 {
    let path = super::identity::path_of(organisation);
    let arn = format!("arn:{partition}:iam::123456789012:role{path}");
    arn.len() as u64 + 64 + 3
}
