//! What tests do behind the service's back to its clock, and to what mirrors are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{MemoryWorld, tags};
use crate::cloud::memory::api::{ResourceInput, Service, lock, made, put, remove};
use crate::cloud::memory::service::journal::JournalError;
use crate::cloud::memory::service::life::{Progress, progress};
use crate::cloud::memory::service::resource::{Resource, Setting};
use crate::cloud::memory::service::state::State;
use crate::model::{Kind, Mark, ResourceKind, VendorId};

impl MemoryWorld {
    /// The service itself, as a client of an account calls it.
    pub fn service(&self, account: &str) -> Service {
        Service::new(Arc::clone(&self.world), account.to_owned())
    }

    /// What the service takes the time to be, from now until it is set again.
    pub fn set_clock(&self, now: Timestamp) {
        lock(&self.world).clock = Some(now);
    }

    /// Lets time go by at the service. A clock that was never set stops at the system's time first.
    pub fn advance(&self, span: Duration) {
        let mut world = lock(&self.world);
        let now = world.moment().now;
        world.clock = Some(now.checked_add(span).unwrap_or(Timestamp::MAX));
    }

    /// What the service takes the time to be.
    pub fn now(&self) -> Timestamp {
        lock(&self.world).moment().now
    }

    /// Whether the service has finished a resource; not, if there is none of that id.
    ///
    /// # Errors
    /// A state file that cannot be read.
    pub fn is_settled(&self, account: &str, id: &str) -> Result<bool, JournalError> {
        let mut world = lock(&self.world);
        let moment = world.moment();
        let found = world.store.read()?.account(account).resources.get(id);
        Ok(found.is_some_and(|one| progress(one, &moment).0 == Progress::Settled))
    }

    /// A resource nobody of ours made; `mark` for one that carries a mark all the same. Nothing
    /// checks that it makes sense.
    pub fn add_resource(
        &self,
        account: &str,
        kind: ResourceKind,
        name: &str,
        settings: BTreeMap<String, Setting>,
        mark: Option<&Mark>,
    ) -> Result<VendorId, JournalError> {
        let input = ResourceInput { kind, name: name.to_owned(), settings, tags: tags(mark) };
        let mut id = None;
        let moment = lock(&self.world).moment();
        self.mutate(|state| {
            let resource = made(state, input, &moment);
            id = Some(VendorId::new(resource.id.as_str()));
            put(state, account, resource, &moment)
        })?;
        Ok(id.expect("a successful write has called the closure"))
    }

    /// Changes a resource by hand; does nothing if there is none.
    pub fn edit_resource(
        &self,
        account: &str,
        id: &VendorId,
        change: impl FnOnce(&mut Resource),
    ) -> Result<(), JournalError> {
        let (found, moment) = {
            let mut world = lock(&self.world);
            let moment = world.moment();
            (world.store.read()?.account(account).resources.get(id.as_str()).cloned(), moment)
        };
        let Some(mut resource) = found else { return Ok(()) };
        change(&mut resource);
        self.mutate(|state| {
            let (revision, changed) = (state.number + 1, moment.now);
            put(state, account, Resource { revision, changed, ..resource }, &moment)
        })
    }

    /// Takes a resource away by hand, whoever leans on it.
    pub fn remove_resource(&self, account: &str, id: &VendorId) -> Result<(), JournalError> {
        let moment = lock(&self.world).moment();
        self.mutate(|state| remove(state, account, id.as_str(), &moment))
    }
}

/// One line for each resource: by name, without ids, times and how far the service has got.
pub(super) fn describe(state: &State, lines: &mut BTreeSet<String>) {
    let names: BTreeMap<String, String> =
        state.resources().flat_map(|(_, one)| made_up(one)).collect();
    let said = |text: &String| names.get(text).unwrap_or(text).clone();
    for (account, resource) in state.resources() {
        let settings: BTreeMap<&str, Setting> = resource
            .settings
            .iter()
            .map(|(word, setting)| {
                let setting = match setting {
                    Setting::Text(text) => Setting::Text(said(text)),
                    Setting::Set(set) => Setting::Set(set.iter().map(said).collect()),
                    Setting::Number(_) | Setting::Flag(_) => setting.clone(),
                };
                (word.as_str(), setting)
            })
            .collect();
        let kind = Kind::Resource(resource.kind);
        let (name, tags) = (&resource.name, &resource.tags);
        lines.insert(format!("{account} {kind} {name} {settings:?} {tags:?}"));
    }
}

/// What the service made up for a resource, with what says the same in every world.
fn made_up(resource: &Resource) -> Vec<(String, String)> {
    let name = &resource.name;
    let mut all = vec![(resource.id.clone(), name.clone())];
    all.extend(resource.address().map(|address| (address, format!("address of {name}"))));
    if let Some(proof) = resource.proof() {
        all.push((proof.name, format!("name of the proof of {name}")));
        all.push((proof.value, format!("value of the proof of {name}")));
    }
    all
}
