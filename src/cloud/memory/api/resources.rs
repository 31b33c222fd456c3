//! Operations on what mirrors are made of.
//!
//! A write is answered as soon as it is accepted; how far the service has got with it is seen by
//! looking. Updates give the whole of what a resource is to be like.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Failure, Page, Reply, Service, Which, lock};
use crate::cloud::memory::service::life::{Life, Moment, NewLife, Progress, lives, progress};
use crate::cloud::memory::service::resource::{Proof, Resource, Setting, prefix, said};
use crate::cloud::memory::service::resource_rules::{
    Wish, check_others, check_references, check_unused, check_wish,
};
use crate::cloud::memory::service::rules::{is_current, kind_page, no_such};
use crate::cloud::memory::service::state::{Mutation, State, Tags};
use crate::cloud::memory::service::world::Operation;
use crate::model::ResourceKind;

/// What a resource is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceInput {
    /// What kind of thing; stays as it is.
    pub kind: ResourceKind,
    /// Unique per kind in its account, whatever its case.
    pub name: String,
    /// What it is like, in the words of its kind.
    pub settings: BTreeMap<String, Setting>,
    /// Labels.
    pub tags: Tags,
}

/// A resource as the service shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What was written.
    pub resource: Resource,
    /// Where it can be reached: a server's address, a front end's name.
    pub address: Option<String>,
    /// Of a certificate: the record by which its names are proven.
    pub proof: Option<Proof>,
    /// How far the service has got with it.
    pub progress: Progress,
    /// Of a certificate that was issued: its end.
    pub end: Option<Timestamp>,
    /// Of a certificate: whether the service renews it, as things are now.
    pub renews: bool,
}

fn shown(resource: &Resource, moment: &Moment) -> Shown {
    let (progress, end) = progress(resource, moment);
    let (address, proof) = (resource.address(), resource.proof());
    let renews = resource.life.as_ref().is_some_and(Life::renews);
    Shown { resource: resource.clone(), address, proof, progress, end, renews }
}

/// A resource becomes what is given, with what that does to certificates.
pub(in crate::cloud::memory) fn put(
    state: &State,
    account: &str,
    resource: Resource,
    moment: &Moment,
) -> Mutation {
    let lives: Vec<NewLife> = lives(state, (account, &resource.id), Some(&resource), moment);
    Mutation::PutResource { account: account.to_owned(), resource: Box::new(resource), lives }
}

/// A resource goes, with what that does to certificates.
pub(in crate::cloud::memory) fn remove(
    state: &State,
    account: &str,
    id: &str,
    moment: &Moment,
) -> Mutation {
    let lives = lives(state, (account, id), None, moment);
    Mutation::RemoveResource { account: account.to_owned(), id: id.to_owned(), lives }
}

/// A resource made now.
pub(in crate::cloud::memory) fn made(
    state: &State,
    input: ResourceInput,
    Moment { now, .. }: &Moment,
) -> Resource {
    let ResourceInput { kind, name, settings, tags } = input;
    let revision = state.number + 1;
    let id = format!("{}-{revision:08x}", prefix(kind));
    let life = (kind == ResourceKind::Certificate).then(|| Life::begin(*now));
    Resource { id, kind, name, settings, tags, revision, made: *now, changed: *now, life }
}

impl Service {
    /// A page of the resources of one kind.
    pub async fn list_resources(
        &self,
        kind: ResourceKind,
        token: Option<String>,
    ) -> Result<Reply<Page<Shown>>, Failure> {
        let moment = self.moment();
        let object = said(kind);
        self.list(Operation::ListResources, object, token, |state, after, size| {
            let page = kind_page(&state.account(&self.account).resources, kind, after, size);
            let items = page.items.iter().map(|resource| shown(resource, &moment)).collect();
            Ok(Page { items, next: page.next, total: page.total })
        })
        .await
    }

    /// One resource.
    pub async fn get_resource(
        &self,
        kind: ResourceKind,
        which: Which<'_>,
    ) -> Result<Reply<Shown>, Failure> {
        let moment = self.moment();
        self.read(Operation::GetResource, which.text(), |state| {
            let account = state.account(&self.account);
            let found = match which {
                Which::Id(id) => account.resource(kind, id),
                Which::Name(name) => account.resources.of_kind(kind, name),
            };
            let found = found.map(|resource| shown(resource, &moment));
            found.ok_or_else(|| no_such(said(kind), which.text()))
        })
        .await
    }

    /// A new resource. What takes long is begun.
    pub async fn create_resource(&self, input: ResourceInput) -> Result<Reply<Shown>, Failure> {
        let moment = self.moment();
        let name = input.name.clone();
        self.write(Operation::CreateResource, &name, |seen, state| {
            self.check(seen, state, &input, None, &moment)?;
            let resource = made(state, input, &moment);
            let reply = shown(&resource, &moment);
            Ok((reply, Some(put(state, &self.account, resource, &moment))))
        })
        .await
    }

    /// A resource becomes as given. What takes long is begun.
    pub async fn update_resource(
        &self,
        id: &str,
        revision: u64,
        input: ResourceInput,
    ) -> Result<Reply<Shown>, Failure> {
        let moment = self.moment();
        self.write(Operation::UpdateResource, id, |seen, state| {
            let before = state.account(&self.account).resources.get(id);
            let before = before.ok_or_else(|| no_such("resource", id))?;
            is_current(before.revision, revision)?;
            self.check(seen, state, &input, Some(before), &moment)?;
            let ResourceInput { kind: _, name, settings, tags } = input;
            let (revision, changed) = (state.number + 1, moment.now);
            let resource = Resource { name, settings, tags, revision, changed, ..before.clone() };
            let reply = shown(&resource, &moment);
            Ok((reply, Some(put(state, &self.account, resource, &moment))))
        })
        .await
    }

    /// A resource goes; refused while others lean on it, and for a front end that still serves.
    pub async fn delete_resource(&self, id: &str, revision: u64) -> Result<Reply<()>, Failure> {
        let moment = self.moment();
        self.write(Operation::DeleteResource, id, |_, state| {
            let resource = state.account(&self.account).resources.get(id);
            let resource = resource.ok_or_else(|| no_such("resource", id))?;
            is_current(resource.revision, revision)?;
            check_unused(state, &self.account, resource, &moment)?;
            Ok(((), Some(remove(state, &self.account, id, &moment))))
        })
        .await
    }

    fn moment(&self) -> Moment {
        lock(&self.world).moment()
    }

    fn check(
        &self,
        seen: &State,
        state: &State,
        input: &ResourceInput,
        before: Option<&Resource>,
        moment: &Moment,
    ) -> Result<(), Failure> {
        let wish = Wish { account: &self.account, input, before };
        check_wish(&wish)?;
        for state in [seen, state] {
            check_references(state, &wish)?;
        }
        check_others(state, &wish, moment)
    }
}
