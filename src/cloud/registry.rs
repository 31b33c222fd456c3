//! The only file that names the clouds, one line each.

use std::path::Path;
use std::sync::Arc;

use super::Vendor;
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
    let mut facts = vec![MemoryVendor::facts()];
    #[cfg(feature = "aws")]
    facts.extend(AwsVendor::facts());
    facts
}

/// Every cloud. `state_folder` is where those that live on this machine keep their state; it need
/// not exist. `run` is the id of the run, by which a vendor's own log can be matched with ours.
///
/// # Errors
/// State that cannot be read.
pub fn vendors(state_folder: &Path, run: &str) -> Result<Vec<Arc<dyn Vendor>>, RegistryError> {
    let mut vendors: Vec<Arc<dyn Vendor>> =
        vec![Arc::new(MemoryVendor::open(&state_folder.join("memory.jsonl"))?)];
    #[cfg(feature = "aws")]
    {
        let base = AwsBase::new(Settings::default(), run);
        vendors.push(Arc::new(AwsVendor::iam(&base)));
        vendors.push(Arc::new(AwsVendor::saml(&base)));
    }
    Ok(vendors)
}
