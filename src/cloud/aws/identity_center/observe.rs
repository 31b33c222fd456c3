//! Reading a hub with everything in it, or the assignments of another account.
//!
//! # Which lists, and why
//! Users and groups are one list each; members are one list per group, foreign groups included,
//! because who leaves must leave those, too. Assignments can be listed per account and permission
//! set (`ListAccountAssignments`: as many calls as accounts × sets provisioned there) or per
//! principal (`ListAccountAssignmentsForPrincipal`: as many as groups of ours, for all accounts
//! together). The latter is fewer wherever an organisation has more accounts than groups per set,
//! grows with neither accounts nor sets, and is fetched once for all connections that ask at the
//! same time. What goes by us has lists of its own ([`super::by_hand`]).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use super::assignments::assigned_to_group;
use super::client::Client;
use super::convert::{self, Crowd, Person};
use super::hub::{Assignments, Page};
use crate::cloud::aws::error::read;
use crate::model::{Binding, Kind, Membership, Missing, ObservedAccount, VendorId};

/// How many lists are read at once; the ceiling bounds how fast.
const AT_ONCE: usize = 8;

impl Client {
    pub(super) async fn observe_hub(&self, got: &mut ObservedAccount, missing: &mut Vec<Missing>) {
        let mut failed = missing.len();
        let mut unlisted = BTreeSet::new();
        let mut listed = |kind, missing: &[Missing]| {
            if missing.len() > failed {
                unlisted.insert(kind);
            }
            failed = missing.len();
        };
        for Person { seen, .. } in self.list_users(missing).await {
            self.hub.saw(&seen.id, &seen.ownership);
            got.users.push(seen);
        }
        listed(Kind::User, missing);
        for Crowd { seen, .. } in self.list_groups(missing).await {
            self.hub.saw(&seen.id, &seen.ownership);
            got.groups.push(seen);
        }
        listed(Kind::Group, missing);
        let groups = got.groups.iter().map(|group| group.id.clone()).collect();
        got.memberships = self.list_memberships(groups, missing).await;
        listed(Kind::Membership, missing);
        for set in self.list_sets(missing).await {
            self.hub.saw(&set.id, &set.ownership);
            got.roles.push(set);
        }
        listed(Kind::Role, missing);
        got.attachments = self.list_attachments(&got.roles, missing).await;
        listed(Kind::Attachment, missing);
        let groups = got.groups.iter().filter(|group| group.ownership.subject().is_some());
        let groups = groups.map(|group| group.id.clone()).collect();
        let assignments = self.list_assignments(groups).await;
        self.take_bindings(&assignments, got, missing);
        listed(Kind::Binding, missing);
        let assigned = assignments.by_account.iter();
        got.assigned_in =
            assigned.map(|(account, all)| (account.clone(), all.len() as u64)).collect();
        // Nothing of what is listed rests on these.
        got.own_principal = self.own_user(got, missing).await;
        got.assigned = self.list_by_hand(got, missing).await;
        got.foreign_assigned = self.list_foreign_assigned(got).await;
        got.foreign_rights = self.list_foreign_rights(got).await;
        // A permission set that is assigned cannot be deleted: one that is not listed was left out.
        if let Some(lost) = unlisted_sets(&assignments, got) {
            unlisted.insert(Kind::Role);
            missing.push(lost);
        }
        got.prove(unlisted, missing);
    }

    /// The user who signed in by way of Identity Center to run the program, if one did: the session
    /// is named after them.
    async fn own_user(
        &self,
        got: &ObservedAccount,
        missing: &mut Vec<Missing>,
    ) -> Option<VendorId> {
        match self.hub.patiently(|| self.hub.session.own_session()).await {
            Ok(session) => {
                let session = session?.to_lowercase();
                let is_it = |name: &str| name.to_lowercase() == session;
                let own = got.users.iter().find(|user| is_it(user.spec.name.as_str()));
                own.map(|user| user.id.clone())
            }
            Err(error) => {
                missing.push(Missing::new("the program's own principal", error.to_string()));
                None
            }
        }
    }

    /// Of other accounts only what is assigned there: all else is in the hub.
    pub(super) async fn observe_target(
        &self,
        got: &mut ObservedAccount,
        missing: &mut Vec<Missing>,
    ) {
        let work = Box::pin(async {
            let mut missing = Vec::new();
            let groups = self.list_groups(&mut missing).await.into_iter();
            let groups = groups.filter(|group| group.seen.ownership.subject().is_some());
            let groups = groups.map(|group| group.id).collect();
            let mut assignments = self.list_assignments(groups).await;
            assignments.missing.splice(0..0, missing);
            Ok::<_, Infallible>(Arc::new(assignments))
        });
        let Ok(assignments) = self.hub.assignments.get(work).await;
        self.take_bindings(&assignments, got, missing);
        got.listed.extend(Kind::PEOPLE);
        if !missing.is_empty() {
            got.listed.remove(&Kind::Binding);
        }
    }

    fn take_bindings(
        &self,
        assignments: &Assignments,
        got: &mut ObservedAccount,
        missing: &mut Vec<Missing>,
    ) {
        got.bindings = assignments.by_account.get(&self.account).cloned().unwrap_or_default();
        got.bindings.sort();
        missing.extend(assignments.missing.iter().cloned());
    }

    async fn list_users(&self, missing: &mut Vec<Missing>) -> Vec<Person> {
        let what = "users of the identity store";
        let page = |token: Option<String>| async move {
            let store = self.store_id().await?;
            let call = self.hub.store().await.list_users().identity_store_id(store);
            let call = call.set_next_token(token).set_max_results(self.hub.page_size).send();
            let reply = read("ListUsers", store, call).await?;
            Ok(Page::new(Some(reply.users), reply.next_token))
        };
        let found = self.hub.pages(what, missing, page).await;
        let people = found.iter().map(|one| convert::listed_user(one, &self.hub.organisation));
        whole(what, people, missing)
    }

    async fn list_groups(&self, missing: &mut Vec<Missing>) -> Vec<Crowd> {
        let what = "groups of the identity store";
        let page = |token: Option<String>| async move {
            let store = self.store_id().await?;
            let call = self.hub.store().await.list_groups().identity_store_id(store);
            let call = call.set_next_token(token).set_max_results(self.hub.page_size).send();
            let reply = read("ListGroups", store, call).await?;
            Ok(Page::new(Some(reply.groups), reply.next_token))
        };
        let found = self.hub.pages(what, missing, page).await;
        let crowds = found.iter().map(|one| convert::listed_group(one, &self.hub.organisation));
        whole(what, crowds, missing)
    }

    async fn list_memberships(
        &self,
        groups: Vec<VendorId>,
        missing: &mut Vec<Missing>,
    ) -> Vec<Membership> {
        let lists = groups.into_iter().map(|group| async move {
            let mut missing = Vec::new();
            (self.members(&group, &mut missing).await, missing)
        });
        let mut memberships = gather(lists, missing).await;
        memberships.sort();
        memberships
    }

    async fn list_assignments(&self, groups: Vec<VendorId>) -> Assignments {
        let lists = groups.into_iter().map(|group| async move {
            let mut missing = Vec::new();
            let found = self.assignments_of(&group, &mut missing).await;
            let found: Vec<_> =
                found.iter().filter_map(|one| assigned_to_group(one, &group)).collect();
            (found, missing)
        });
        let mut missing = Vec::new();
        let mut by_account: HashMap<String, Vec<Binding>> = HashMap::new();
        for (account, binding) in gather(lists, &mut missing).await {
            by_account.entry(account).or_default().push(binding);
        }
        Assignments { by_account, missing }
    }
}

/// What is missing of permission sets, because groups of ours have some that were not listed, in
/// whichever account.
fn unlisted_sets(assignments: &Assignments, got: &ObservedAccount) -> Option<Missing> {
    let listed: HashSet<&VendorId> = got.roles.iter().map(|set| &set.id).collect();
    let assigned = assignments.by_account.values().flatten().map(|one| &one.role);
    let lost: BTreeSet<&VendorId> = assigned.filter(|set| !listed.contains(*set)).collect();
    let why = format!("{} are assigned to groups, and were not listed", lost.len());
    (!lost.is_empty()).then(|| Missing::new("permission sets", why))
}

/// The results of many lists, with what failed in the order of the lists.
pub(super) async fn gather<T>(
    lists: impl Iterator<Item = impl Future<Output = (Vec<T>, Vec<Missing>)>>,
    missing: &mut Vec<Missing>,
) -> Vec<T> {
    let mut lists = stream::iter(lists).buffered(AT_ONCE);
    let mut all = Vec::new();
    while let Some((found, failed)) = lists.next().await {
        all.extend(found);
        missing.extend(failed);
    }
    all
}

/// What could be read of a list; an item that could not is missing.
fn whole<T>(
    what: &str,
    items: impl Iterator<Item = Option<T>>,
    missing: &mut Vec<Missing>,
) -> Vec<T> {
    let mut found = Vec::new();
    for item in items {
        match item {
            Some(item) => found.push(item),
            None => missing.push(Missing::new(what, "one of them has no id or no name")),
        }
    }
    found
}
