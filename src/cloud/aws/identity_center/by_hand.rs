//! What goes by us: permission sets of ours that somebody gave by hand, those of others that users of
//! ours have directly, and what groups that are not ours give to our users.
//!
//! # Which lists, and why
//! Whom a permission set is assigned to can only be asked per account
//! (`ListAccountAssignments`), and in which accounts it is at all with one list more
//! (`ListAccountsForProvisionedPermissionSet`). So that costs as many calls as our permission sets,
//! and as the accounts each of them is in. It cannot stand for the assignments of our groups, which
//! are listed per group: a group of ours may have been given somebody else's permission set, which
//! no list of our sets shows.
//!
//! Permission sets of others are looked at in the same way, for what they give to users of ours: that
//! costs as many calls as they are given in accounts, and no more with every user, whom
//! `ListAccountAssignmentsForPrincipal` would have to be asked for one by one. There may be many, so
//! there is an end to it (`Patience::foreign_lists`), and what lies beyond is told. What a group that is not ours may do is asked for those in which users
//! of ours are, one call each.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aws_sdk_ssoadmin::types::{AccountAssignment, PrincipalType};
use tokio::time::Instant;

use super::client::Client;
use super::hub::Page;
use super::observe::gather;
use crate::cloud::CloudError;
use crate::cloud::aws::error::read;
use crate::model::{Assigned, ForeignAssigned, HolderKind, Missing, ObservedAccount, VendorId};

impl Client {
    /// Who has a permission set of ours besides our groups, in whichever account.
    pub(super) async fn list_by_hand(
        &self,
        got: &ObservedAccount,
        missing: &mut Vec<Missing>,
    ) -> Vec<Assigned> {
        let sets = got.roles.iter().filter(|set| set.ownership.subject().is_some());
        let pairs = self.all_accounts_of_each(sets.map(|set| &set.id), missing).await;
        let lists = pairs.into_iter().map(|(set, account)| async move {
            let mut missing = Vec::new();
            (self.assigned_in(&set, &account, &mut missing).await, missing)
        });
        let mut assigned = gather(lists, missing).await;
        let ours = got.groups.iter().filter(|group| group.ownership.subject().is_some());
        let ours: HashSet<&VendorId> = ours.map(|group| &group.id).collect();
        assigned.retain(|one| one.holder_kind == HolderKind::User || !ours.contains(&one.holder));
        assigned.sort();
        assigned.dedup();
        assigned
    }

    /// What permission sets that are not ours give directly to users of ours, in whichever account.
    pub(super) async fn list_foreign_assigned(&self, got: &ObservedAccount) -> ForeignAssigned {
        let mut found = ForeignAssigned::default();
        let users = got.users.iter().filter(|user| user.ownership.subject().is_some());
        let users: HashSet<&VendorId> = users.map(|user| &user.id).collect();
        if users.is_empty() {
            return found;
        }
        let until = Instant::now() + self.hub.patience.foreign_time;
        let sets = got.roles.iter().filter(|set| set.ownership.subject().is_none());
        let sets = sets.map(|set| &set.id);
        let mut pairs = self.all_accounts_of_each(sets, &mut found.unread).await;
        let most = pairs.len().min(self.hub.patience.foreign_lists);
        let mut beyond: Vec<VendorId> = pairs.drain(most..).map(|(set, _)| set).collect();
        let lists = pairs.into_iter().map(|(set, account)| async move {
            if Instant::now() >= until {
                return (vec![Err(set)], Vec::new());
            }
            let mut missing = Vec::new();
            let all = self.assigned_in(&set, &account, &mut missing).await;
            (all.into_iter().map(Ok).collect(), missing)
        });
        for one in gather(lists, &mut found.unread).await {
            match one {
                Ok(one) if users.contains(&one.holder) => found.assigned.push(one),
                Ok(_) => {}
                Err(set) => beyond.push(set),
            }
        }
        for set in beyond {
            *found.beyond.entry(set).or_default() += 1;
        }
        found.assigned.sort();
        found.assigned.dedup();
        found
    }

    /// Permission sets with every account each of them is in.
    async fn all_accounts_of_each(
        &self,
        sets: impl Iterator<Item = &VendorId>,
        missing: &mut Vec<Missing>,
    ) -> Vec<(VendorId, String)> {
        let sets: Vec<VendorId> = sets.cloned().collect();
        let accounts = sets.into_iter().map(|set| async move {
            let mut missing = Vec::new();
            let accounts = self.all_accounts_of(&set, &mut missing).await;
            let pairs = accounts.into_iter().map(|account| (set.clone(), account));
            (pairs.collect(), missing)
        });
        gather(accounts, missing).await
    }

    /// Every account a permission set is in.
    async fn all_accounts_of(&self, set: &VendorId, missing: &mut Vec<Missing>) -> Vec<String> {
        let what = format!("accounts that have {set}");
        let page = |token: Option<String>| async move {
            let instance = &self.hub.instance().await?.arn;
            let call = self.hub.center().await.list_accounts_for_provisioned_permission_set();
            let call = call.instance_arn(instance).permission_set_arn(set.as_str());
            let call = call.set_next_token(token).set_max_results(self.hub.page_size).send();
            let operation = "ListAccountsForProvisionedPermissionSet";
            let reply = read(operation, set.as_str(), call).await?;
            Ok(Page::new(reply.account_ids, reply.next_token))
        };
        self.hub.pages(&what, missing, page).await
    }

    /// Who has a permission set in an account.
    async fn assigned_in(
        &self,
        set: &VendorId,
        account: &str,
        missing: &mut Vec<Missing>,
    ) -> Vec<Assigned> {
        let what = format!("assignments of {set} in account {account}");
        let page = |token| self.assigned_page(set, account, token);
        let found = self.hub.pages(&what, missing, page).await;
        let mut all = Vec::new();
        for one in &found {
            match (holder_kind(one), one.principal_id()) {
                (Some(holder_kind), Some(holder)) => all.push(Assigned {
                    account: account.to_owned(),
                    role: set.clone(),
                    holder_kind,
                    holder: VendorId::new(holder),
                }),
                _ => missing.push(Missing::new(&what, "one of them does not say who has it")),
            }
        }
        all
    }

    async fn assigned_page(
        &self,
        set: &VendorId,
        account: &str,
        token: Option<String>,
    ) -> Result<Page<AccountAssignment>, CloudError> {
        let instance = &self.hub.instance().await?.arn;
        let call = self.hub.center().await.list_account_assignments().instance_arn(instance);
        let call = call.account_id(account).permission_set_arn(set.as_str());
        let call = call.set_next_token(token).set_max_results(self.hub.page_size).send();
        let reply = read("ListAccountAssignments", set.as_str(), call).await?;
        Ok(Page::new(reply.account_assignments, reply.next_token))
    }

    /// What groups that are not ours may do, as far as users of ours are in them. Nothing rests on
    /// it but what is told, so what cannot be read is told with it.
    pub(super) async fn list_foreign_rights(
        &self,
        got: &ObservedAccount,
    ) -> BTreeMap<VendorId, Option<BTreeSet<String>>> {
        let users = got.users.iter().filter(|user| user.ownership.subject().is_some());
        let users: HashSet<&VendorId> = users.map(|user| &user.id).collect();
        let groups = got.groups.iter().filter(|group| group.ownership.subject().is_none());
        let groups: HashSet<&VendorId> = groups.map(|group| &group.id).collect();
        let joined = got.memberships.iter();
        let joined = joined.filter(|one| users.contains(&one.user) && groups.contains(&one.group));
        let joined: BTreeSet<VendorId> = joined.map(|one| one.group.clone()).collect();
        let looks = joined.into_iter().map(|group| async move {
            let rights = self.rights_of(&group).await;
            (vec![(group, rights)], Vec::new())
        });
        gather(looks, &mut Vec::new()).await.into_iter().collect()
    }

    async fn rights_of(&self, group: &VendorId) -> Option<BTreeSet<String>> {
        let mut missing = Vec::new();
        let found = self.assignments_of(group, &mut missing).await;
        let rights = found.iter().filter_map(|one| {
            let (set, account) = (VendorId::new(one.permission_set_arn()?), one.account_id()?);
            let name = self.hub.set_name(&set).unwrap_or_else(|| set.to_string());
            Some(format!("permission set `{name}` in account {account}"))
        });
        missing.is_empty().then(|| rights.collect())
    }
}

fn holder_kind(one: &AccountAssignment) -> Option<HolderKind> {
    match one.principal_type()? {
        PrincipalType::Group => Some(HolderKind::Group),
        PrincipalType::User => Some(HolderKind::User),
        _ => None,
    }
}
