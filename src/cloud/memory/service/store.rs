//! The state with the file behind it, if there is one.

use std::path::Path;

use super::journal::{Journal, JournalError};
use super::state::{Mutation, State};

/// State in memory, or in memory and in a file that other processes may share.
#[derive(Debug, Default)]
pub struct Store {
    state: State,
    journal: Option<Journal>,
}

impl Store {
    /// A state file, existing or not; nothing is created before the first write.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let mut store = Self { state: State::default(), journal: Some(Journal::new(path)) };
        store.read()?;
        Ok(store)
    }

    /// The state as it is now.
    pub fn read(&mut self) -> Result<&State, JournalError> {
        if let Some(journal) = &mut self.journal {
            let _lock = journal.lock_shared()?;
            journal.catch_up(&mut self.state)?;
        }
        Ok(&self.state)
    }

    /// Decides on the newest state what to do, and does it before anybody else can write.
    pub fn write<T, E: From<JournalError>>(
        &mut self,
        decide: impl FnOnce(&State) -> Result<(T, Option<Mutation>), E>,
    ) -> Result<(T, Option<Mutation>), E> {
        let Some(journal) = &mut self.journal else {
            let (value, mutation) = decide(&self.state)?;
            if let Some(mutation) = &mutation {
                self.state.apply(mutation);
            }
            return Ok((value, mutation));
        };
        let _lock = journal.lock_exclusive()?;
        journal.catch_up(&mut self.state)?;
        let (value, mutation) = decide(&self.state)?;
        if let Some(mutation) = &mutation {
            journal.upgrade(&self.state)?;
            journal.append(self.state.number + 1, mutation)?;
            self.state.apply(mutation);
            // The write is done; a disk too full for compacting is no reason to deny it.
            if let Err(error) = journal.compact_if_worthwhile(&self.state) {
                tracing::warn!(%error, "cannot compact the embedded cloud's state file");
            }
        }
        Ok((value, mutation))
    }
}
