//! Everything of an account as IAM shows it, read in bulk, with what is missing of it.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_iam::types::{
    EntityType, GroupDetail, ManagedPolicyDetail, RoleDetail, SummaryKeyType, UserDetail,
};

use super::error::read;
use super::identity::ROOT;
use super::pages::Pages;
use super::session::Session;
use crate::cloud::CloudError;
use crate::model::{Kind, Missing};

/// What every summary has, also of an account with nothing in it: 0.
const COUNTS: [SummaryKeyType; 3] =
    [SummaryKeyType::Users, SummaryKeyType::Groups, SummaryKeyType::Roles];

/// An account as read.
#[derive(Debug, Default)]
pub struct Raw {
    /// Users with groups, policies and tags.
    pub users: Vec<UserDetail>,
    /// Groups with policies.
    pub groups: Vec<GroupDetail>,
    /// Roles with policies and tags.
    pub roles: Vec<RoleDetail>,
    /// The account's own managed policies.
    pub policies: Vec<ManagedPolicyDetail>,
    /// What the bulk reading lacks, of roles below `/reconcile/`, by name.
    pub role_extras: HashMap<String, RoleExtra>,
    /// The account in numbers: quotas and counts.
    pub summary: HashMap<SummaryKeyType, i32>,
    /// What is missing.
    pub missing: Vec<Missing>,
    /// The kinds whose lists are not complete.
    pub unlisted: BTreeSet<Kind>,
}

/// What `GetAccountAuthorizationDetails` does not tell of a role.
#[derive(Clone, Debug, Default)]
pub struct RoleExtra {
    /// For people.
    pub description: String,
    /// Longest session in seconds.
    pub session_seconds: i32,
}

/// What of an account is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything: of a hub.
    All,
    /// Users, groups and roles: of any other account. Users and groups of ours should not be
    /// there; if the account was the hub once, they are.
    Others,
}

impl Raw {
    /// Reads an account. Costs its pages and one call for the summary.
    pub async fn read(session: &Session, part: Part) -> Self {
        let mut raw = Self::default();
        raw.read_summary(session).await;
        raw.read_details(session, part).await;
        if !raw.missing.is_empty() {
            // One list shows all kinds, and the summary is the second witness of each.
            raw.unlisted.extend(Kind::PEOPLE);
        }
        // What is missing of these is looked at role by role.
        raw.read_extras(session).await;
        raw.count();
        raw
    }

    async fn read_summary(&mut self, session: &Session) {
        let call = session.reads.get_account_summary().send();
        match read("GetAccountSummary", "account", call).await {
            Ok(reply) => match reply.summary_map {
                Some(map) if COUNTS.iter().all(|key| map.contains_key(key)) => self.summary = map,
                Some(_) => self.missing.push(Missing::new("the summary", "it lacks the counts")),
                None => self.missing.push(Missing::new("the summary", "the reply has none")),
            },
            Err(error) => self.missing.push(Missing::new("the summary", error.to_string())),
        }
    }

    async fn read_details(&mut self, session: &Session, part: Part) {
        let what = "users, groups and roles";
        let filter = match part {
            Part::All => {
                vec![
                    EntityType::User,
                    EntityType::Group,
                    EntityType::Role,
                    EntityType::LocalManagedPolicy,
                ]
            }
            Part::Others => vec![EntityType::User, EntityType::Group, EntityType::Role],
        };
        let mut pages = Pages::new(session, "GetAccountAuthorizationDetails", "account");
        while pages.more() {
            let call = session
                .reads
                .get_account_authorization_details()
                .set_filter(Some(filter.clone()))
                .max_items(pages.size())
                .set_marker(pages.marker())
                .send();
            let reply = match read(pages.operation, pages.object, call).await {
                Ok(reply) => reply,
                Err(error) => return self.lost(what, &pages, &error),
            };
            let whole = reply.role_detail_list.is_some()
                && reply.user_detail_list.is_some()
                && reply.group_detail_list.is_some()
                // Without them the documents of groups would look as if they named no roles.
                && (part == Part::Others || reply.policies.is_some());
            if !whole {
                let why = format!("page {} lacks a list", pages.number());
                self.missing.push(Missing::new(what, why));
            }
            self.users.extend(reply.user_detail_list.unwrap_or_default());
            self.groups.extend(reply.group_detail_list.unwrap_or_default());
            self.roles.extend(reply.role_detail_list.unwrap_or_default());
            self.policies.extend(reply.policies.unwrap_or_default());
            if let Err(error) = pages.took(reply.is_truncated, reply.marker) {
                return self.lost(what, &pages, &error);
            }
        }
    }

    /// Descriptions and longest sessions: only `ListRoles` tells them in bulk.
    async fn read_extras(&mut self, session: &Session) {
        let what = "descriptions of roles";
        let mut pages = Pages::new(session, "ListRoles", "account");
        while pages.more() {
            let call = session
                .reads
                .list_roles()
                .path_prefix(ROOT)
                .max_items(pages.size())
                .set_marker(pages.marker())
                .send();
            let reply = match read(pages.operation, pages.object, call).await {
                Ok(reply) => reply,
                Err(error) => return self.lost(what, &pages, &error),
            };
            for role in reply.roles {
                let extra = RoleExtra {
                    description: role.description.unwrap_or_default(),
                    session_seconds: role.max_session_duration.unwrap_or(3600),
                };
                self.role_extras.insert(role.role_name, extra);
            }
            if let Err(error) = pages.took(reply.is_truncated, reply.marker) {
                return self.lost(what, &pages, &error);
            }
        }
    }

    fn lost(&mut self, what: &str, pages: &Pages<'_>, error: &CloudError) {
        self.missing.push(Missing::new(what, format!("page {}: {error}", pages.number())));
    }

    /// A list that is shorter than the account's own count was cut somewhere. (A longer one is
    /// not: the summary lags behind, and leaves out what does not count against quotas.)
    fn count(&mut self) {
        let counts = [
            // Who is in which group is a part of users, which roles a group has one of groups.
            (SummaryKeyType::Users, self.users.len(), [Kind::User, Kind::Membership]),
            (SummaryKeyType::Groups, self.groups.len(), [Kind::Group, Kind::Binding]),
            (SummaryKeyType::Roles, self.roles.len(), [Kind::Role; 2]),
        ];
        for (key, listed, kinds) in counts {
            let said = self.summary.get(&key).copied().unwrap_or(0);
            if usize::try_from(said).is_ok_and(|said| listed < said) {
                let why = format!("{listed} were listed, the account says it has {said}");
                self.missing.push(Missing::new(kinds[0].plural(), why));
                self.unlisted.extend(kinds);
                self.unlisted.insert(Kind::Attachment);
            }
        }
    }
}
