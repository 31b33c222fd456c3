//! The only file that names the clouds, one line each.

use std::path::Path;
use std::sync::Arc;

use super::Vendor;
#[cfg(feature = "aws")]
use super::aws::identity_center::{IdentityCenter, Patience};
#[cfg(feature = "aws")]
use super::aws::{AwsBase, AwsVendor, Settings};
use super::memory::{JournalError, MemoryVendor};
use crate::model::VendorFacts;

/// What is wrong with a cloud before any account of it is connected to.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The embedded cloud's state file.
    #[error(transparent)]
    Memory(#[from] JournalError),
}

/// The facts of every cloud. Needs neither network nor state.
pub fn facts() -> Vec<VendorFacts> {
    let facts = std::iter::once(MemoryVendor::facts());
    #[cfg(feature = "aws")]
    let facts = facts.chain(AwsVendor::facts()).chain([IdentityCenter::facts()]);
    facts.collect()
}

/// Those that are reached over the network.
#[cfg(feature = "aws")]
fn distant(run: &str) -> Vec<Arc<dyn Vendor>> {
    let base = AwsBase::new(Settings::default(), run);
    vec![
        Arc::new(AwsVendor::iam(&base)),
        Arc::new(AwsVendor::saml(&base)),
        Arc::new(IdentityCenter::new(&base, Patience::default())),
    ]
}

/// Those that are reached over the network: none in this build.
#[cfg(not(feature = "aws"))]
fn distant(_run: &str) -> Vec<Arc<dyn Vendor>> {
    Vec::new()
}

/// Every cloud. `state_folder` is where those that live on this machine keep their state; it need
/// not exist. `run` is the id of the run, by which a vendor's own log can be matched with ours.
///
/// # Errors
/// State that cannot be read.
pub fn vendors(state_folder: &Path, run: &str) -> Result<Vec<Arc<dyn Vendor>>, RegistryError> {
    let memory: Arc<dyn Vendor> = Arc::new(MemoryVendor::open(&state_folder.join("memory.jsonl"))?);
    Ok(std::iter::once(memory).chain(distant(run)).collect())
}
