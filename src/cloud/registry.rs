//! The only file that names the clouds, one line each.

use std::path::Path;
use std::sync::Arc;

use super::Vendor;
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
    vec![MemoryVendor::facts()]
}

/// Every cloud. `state_folder` is where those that live on this machine keep their state; it need
/// not exist.
///
/// # Errors
/// State that cannot be read.
pub fn vendors(state_folder: &Path) -> Result<Vec<Arc<dyn Vendor>>, RegistryError> {
    Ok(vec![Arc::new(MemoryVendor::open(&state_folder.join("memory.jsonl"))?)])
}
