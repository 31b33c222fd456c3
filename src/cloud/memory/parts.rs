//! What mirrors are made of: reading it, and carrying out what is to become of it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::api::{ResourceInput, Shown, Which};
use super::client::{Client, changed_since, done};
use super::config::RETIRED_TAG;
use super::identity::ownership;
use super::service::life::Progress;
use super::service::resource::{Resource, Setting};
use super::service::state::Tags;
use super::service::world::Operation;
use crate::cloud::{Applied, CloudError, ErrorKind};
use crate::model::{
    Expiry, Kind, Observed, OrganisationName, Output, Outputs, Reading, ResourceKind, ResourceSpec,
    SeenResource, State, Subject, Value, VendorId,
};
use crate::plan::Life;

/// The flag of a front end that says whether it serves.
const ENABLED: &str = "enabled";

impl Client {
    /// Everything of every kind, in bulk.
    pub(super) async fn all_parts(&self) -> BTreeMap<ResourceKind, Reading<Vec<SeenResource>>> {
        let mut readings = BTreeMap::new();
        for kind in ResourceKind::ALL {
            let mut missing = Vec::new();
            let what = Kind::Resource(kind).plural();
            let found = self
                .pages(Operation::ListResources, "", what, &mut missing, |token| {
                    self.service.list_resources(kind, token)
                })
                .await;
            let seen = found.iter().map(|shown| seen(shown, &self.organisation)).collect();
            readings.insert(kind, Reading::from_parts(seen, missing));
        }
        readings
    }

    /// One part as it is now.
    pub(super) async fn part(
        &self,
        kind: ResourceKind,
        which: Which<'_>,
    ) -> Result<SeenResource, CloudError> {
        self.shown(kind, which).await.map(|shown| seen(&shown, &self.organisation))
    }

    /// Carries out what is to become of a part.
    pub(super) async fn apply_part(
        &self,
        life: &Life<Box<ResourceSpec>>,
    ) -> Result<Applied, CloudError> {
        match life {
            Life::Create { subject, spec } => self.create_part(subject, spec).await,
            Life::Update { id, subject, before, after } => {
                let found = self.our_part(before.kind, id, subject).await?;
                let is = spec(&found.resource);
                if is == **after {
                    return Ok(Applied { begun: begun(&found), ..Applied::default() });
                }
                if is != **before {
                    return Err(changed_since(Operation::UpdateResource, id.as_str()));
                }
                let tags = found.resource.tags.clone();
                self.put_part(&found, input(after, tags)?).await
            }
            Life::Retire { id, subject, before, on } => {
                self.mark_part(before, id, subject, Some(*on)).await
            }
            Life::Restore { id, subject, before } => {
                self.mark_part(before, id, subject, None).await
            }
            Life::Delete { id, subject, before } => self.delete_part(id, subject, before).await,
        }
    }

    async fn shown(&self, kind: ResourceKind, which: Which<'_>) -> Result<Shown, CloudError> {
        let (Which::Id(object) | Which::Name(object)) = which;
        let call = self.service.get_resource(kind, which);
        Ok(self.call(Operation::GetResource, object, call).await?.body)
    }

    async fn our_part(
        &self,
        kind: ResourceKind,
        id: &VendorId,
        subject: &Subject,
    ) -> Result<Shown, CloudError> {
        let found = self.shown(kind, Which::Id(id.as_str())).await?;
        let ownership = ownership(&found.resource.tags, &self.organisation);
        let operation = Operation::UpdateResource;
        self.must_be_ours(operation, id.as_str(), &ownership, Some(subject))?;
        Ok(found)
    }

    async fn create_part(
        &self,
        subject: &Subject,
        wanted: &ResourceSpec,
    ) -> Result<Applied, CloudError> {
        let input = input(wanted, self.mark(subject))?;
        let call = self.service.create_resource(input);
        let reply = self.call(Operation::CreateResource, wanted.name.as_str(), call).await?;
        Ok(Applied {
            outputs: outputs(&reply.body),
            begun: begun(&reply.body),
            request_id: Some(reply.request_id),
            secret: None,
        })
    }

    async fn put_part(&self, found: &Shown, input: ResourceInput) -> Result<Applied, CloudError> {
        let (id, revision) = (found.resource.id.as_str(), found.resource.revision);
        let call = self.service.update_resource(id, revision, input);
        let reply = self.call(Operation::UpdateResource, id, call).await?;
        Ok(Applied {
            begun: begun(&reply.body),
            request_id: Some(reply.request_id),
            ..Applied::default()
        })
    }

    /// Writes the day of retirement on a part, or takes it off.
    async fn mark_part(
        &self,
        before: &ResourceSpec,
        id: &VendorId,
        subject: &Subject,
        on: Option<Date>,
    ) -> Result<Applied, CloudError> {
        let found = self.our_part(before.kind, id, subject).await?;
        let mut tags = found.resource.tags.clone();
        match on {
            Some(on) => tags.insert(RETIRED_TAG.to_owned(), on.to_string()),
            None => tags.remove(RETIRED_TAG),
        };
        if tags == found.resource.tags {
            return Ok(Applied::default());
        }
        let is = spec(&found.resource);
        self.put_part(&found, input(&is, tags)?).await
    }

    /// A front end must stop serving before it can go: that takes as long as the service takes, and
    /// the next run goes on from there.
    async fn delete_part(
        &self,
        id: &VendorId,
        subject: &Subject,
        before: &ResourceSpec,
    ) -> Result<Applied, CloudError> {
        let found = self.our_part(before.kind, id, subject).await?;
        let is = spec(&found.resource);
        if is != *before {
            return Err(changed_since(Operation::DeleteResource, id.as_str()));
        }
        if found.resource.flag(ENABLED) {
            let mut input = input(&is, found.resource.tags.clone())?;
            input.settings.insert(ENABLED.to_owned(), Setting::Flag(false));
            let applied = self.put_part(&found, input).await?;
            return Ok(Applied {
                begun: Some(applied.begun.unwrap_or_else(|| "stops serving".to_owned())),
                ..applied
            });
        }
        let call = self.service.delete_resource(id.as_str(), found.resource.revision);
        self.call(Operation::DeleteResource, id.as_str(), call).await.map(done)
    }
}

/// A resource as we see it.
fn seen(shown: &Shown, organisation: &OrganisationName) -> SeenResource {
    let resource = &shown.resource;
    SeenResource {
        observed: Observed {
            id: resource.id.as_str().into(),
            ownership: ownership(&resource.tags, organisation),
            spec: spec(resource),
        },
        outputs: outputs(shown),
        state: state(shown),
        expiry: shown.end.map(|at| Expiry { at, renews: shown.renews }),
    }
}

/// A day of retirement that cannot be read is none: what is in use stays.
fn state(shown: &Shown) -> State {
    let retired = shown.resource.tags.get(RETIRED_TAG).and_then(|day| day.parse().ok());
    match (&shown.progress, retired) {
        (Progress::Failed { why }, _) => State::Failed { why: why.clone() },
        (Progress::Settling { what, since }, _) => {
            State::Settling { what: (*what).to_owned(), since: *since }
        }
        (Progress::Settled, Some(since)) => State::Retired { since },
        (Progress::Settled, None) => State::Settled,
    }
}

fn begun(shown: &Shown) -> Option<String> {
    match &shown.progress {
        Progress::Settling { what, .. } => Some((*what).to_owned()),
        Progress::Settled | Progress::Failed { .. } => None,
    }
}

fn outputs(shown: &Shown) -> Outputs {
    let mut outputs = Outputs::from([(Output::Id, shown.resource.id.as_str().into())]);
    outputs.extend(shown.address.as_deref().map(|address| (Output::Address, address.into())));
    if let Some(proof) = &shown.proof {
        outputs.insert(Output::ProofName, proof.name.as_str().into());
        outputs.insert(Output::ProofValue, proof.value.as_str().into());
    }
    outputs
}

fn spec(resource: &Resource) -> ResourceSpec {
    let value = |setting: &Setting| match setting {
        Setting::Text(text) => Value::Text(text.clone()),
        Setting::Number(number) => Value::Number(*number),
        Setting::Flag(flag) => Value::Flag(*flag),
        Setting::Set(set) => Value::Set(set.clone()),
    };
    let settings = resource.settings.iter().map(|(name, of)| (name.as_str().into(), value(of)));
    ResourceSpec {
        kind: resource.kind,
        name: resource.name.as_str().into(),
        settings: settings.collect(),
    }
}

/// A resource as the service is to have it.
fn input(spec: &ResourceSpec, tags: Tags) -> Result<ResourceInput, CloudError> {
    let mut settings = BTreeMap::new();
    for (name, value) in &spec.settings {
        let setting = match value {
            Value::Text(text) => Setting::Text(text.clone()),
            Value::Number(number) => Setting::Number(*number),
            Value::Flag(flag) => Setting::Flag(*flag),
            Value::Set(set) => Setting::Set(set.clone()),
            // The executor has put every value in its place.
            Value::Made(_) | Value::AllMade(_) => {
                let message = format!("{name} is not known yet");
                let object = spec.name.as_str();
                return Err(CloudError::new(ErrorKind::Invalid, "Prepare", object, message));
            }
        };
        settings.insert(name.to_string(), setting);
    }
    Ok(ResourceInput { kind: spec.kind, name: spec.name.to_string(), settings, tags })
}
