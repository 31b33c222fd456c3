//! What this run has seen of an account: names by id.
//!
//! IAM's actions want names, and names change hands: so whatever is known here is checked against
//! the id wherever something is read, and only used unread for what adds and connects.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Ownership, VendorId};

/// One object as last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Whose it is.
    pub ownership: Ownership,
}

/// Objects of one kind, by id.
#[derive(Default)]
pub struct Known(Mutex<HashMap<VendorId, Seen>>);

impl Known {
    fn all(&self) -> MutexGuard<'_, HashMap<VendorId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object as last seen.
    pub fn get(&self, id: &VendorId) -> Option<Seen> {
        self.all().get(id).cloned()
    }

    /// It was seen.
    pub fn put(&self, id: VendorId, seen: Seen) {
        self.all().insert(id, seen);
    }

    /// It is gone, or something else has its name.
    pub fn drop(&self, id: &VendorId) {
        self.all().remove(id);
    }

    /// All of them were seen: what is not among them is gone.
    pub fn replace(&self, all: impl IntoIterator<Item = (VendorId, Seen)>) {
        *self.all() = all.into_iter().collect();
    }
}
