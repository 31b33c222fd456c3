//! Projects and service accounts.

use std::collections::BTreeMap;

use super::value::{ProjectTerms, ServiceTerms, Setting, SettingChange, Weight};
use super::{by_key, change};
use crate::inventory::{Project, ServiceAccount};
use crate::model::{ProjectName, ServiceAccountName};
use crate::rights::Proof;
use crate::rights::explain::proof;

pub(super) fn projects(
    base: &BTreeMap<ProjectName, Project>,
    head: &BTreeMap<ProjectName, Project>,
    into: &mut Vec<SettingChange>,
) {
    let terms = |project: &Project| {
        let Project { name: _, directory, description, source: _ } = project;
        ProjectTerms { directory: directory.clone(), description: description.clone() }
    };
    for (name, was, is) in by_key(base, head) {
        let (before, after) = (was.map(terms), is.map(terms));
        if before == after {
            continue;
        }
        let directory =
            |terms: &Option<ProjectTerms>| terms.as_ref().and_then(|terms| terms.directory.clone());
        let weight = if directory(&before) == directory(&after) {
            Weight::Harmless
        } else {
            Weight::Notable
        };
        let what = Setting::Project { project: name.clone(), before, after };
        into.push(change(weight, what, was.map(|one| &one.source), is.map(|one| &one.source)));
    }
}

pub(super) fn service_accounts(
    base: &BTreeMap<ServiceAccountName, ServiceAccount>,
    head: &BTreeMap<ServiceAccountName, ServiceAccount>,
    into: &mut Vec<SettingChange>,
) {
    let terms = |service: &ServiceAccount| {
        // What it may do where, until when and why is what is given and taken.
        let ServiceAccount {
            name: _,
            project,
            owners,
            role: _,
            accounts: _,
            reason: _,
            until: _,
            identity,
            source: _,
        } = service;
        ServiceTerms { project: project.clone(), owners: owners.clone(), proof: proof(identity) }
    };
    for (name, was, is) in by_key(base, head) {
        let (before, after) = (was.map(terms), is.map(terms));
        if before == after {
            continue;
        }
        let weight = weight(before.as_ref(), after.as_ref());
        let what = Setting::ServiceAccount { service: name.clone(), before, after };
        into.push(change(weight, what, was.map(|one| &one.source), is.map(|one| &one.source)));
    }
}

/// Dangerous is what puts a key, or the role itself, into other hands.
fn weight(before: Option<&ServiceTerms>, after: Option<&ServiceTerms>) -> Weight {
    let sink = |terms: Option<&ServiceTerms>| match terms.map(|terms| &terms.proof) {
        Some(Proof::Key { sink, .. }) => Some(sink.clone()),
        Some(Proof::ByHand | Proof::Jobs(_)) | None => None,
    };
    let jobs = |terms: Option<&ServiceTerms>| match terms.map(|terms| &terms.proof) {
        Some(Proof::Jobs(federation)) => Some(federation.clone()),
        Some(Proof::ByHand | Proof::Key { .. }) | None => None,
    };
    let (Some(_), Some(_)) = (before, after) else { return Weight::Notable };
    let goes_elsewhere = sink(after).is_some() && sink(before) != sink(after);
    let other_jobs = jobs(after).is_some() && jobs(before) != jobs(after);
    if goes_elsewhere || other_jobs { Weight::Dangerous } else { Weight::Notable }
}
