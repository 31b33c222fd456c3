//! The pages of a list of IAM, asked for one after the other until one says it is the last.

use std::collections::BTreeSet;

use super::session::Session;
use crate::cloud::{CloudError, ErrorKind};

/// The most that IAM gives on a page. It "might return fewer than the `MaxItems` number of results,
/// even when there are more results available" (IAM API Reference, `MaxItems` of every list).
const MOST: i32 = 1000;

/// How far a list was read.
///
/// Architecture invariant: every list of IAM that has pages is read through this. What a page says
/// about more is believed only if it makes sense, since nobody may be taken for absent on account
/// of a page that was never read.
pub struct Pages<'a> {
    /// The action that gives the list.
    pub operation: &'static str,
    /// What the list is of.
    pub object: &'a str,
    size: i32,
    /// Where the next page begins; `None` for the first.
    marker: Option<String>,
    /// Where the pages so far began.
    begun: BTreeSet<String>,
    ended: bool,
}

impl<'a> Pages<'a> {
    /// Before the first page.
    pub fn new(session: &Session, operation: &'static str, object: &'a str) -> Self {
        let size = session.settings().page_size.unwrap_or(MOST);
        Self { operation, object, size, marker: None, begun: BTreeSet::new(), ended: false }
    }

    /// Whether there is another page to ask for.
    pub fn more(&self) -> bool {
        !self.ended
    }

    /// How many members the next page may have.
    pub fn size(&self) -> i32 {
        self.size
    }

    /// Where the next page begins.
    pub fn marker(&self) -> Option<String> {
        self.marker.clone()
    }

    /// Which page is next: 1 is the first.
    pub fn number(&self) -> usize {
        self.begun.len() + 1
    }

    /// Takes what a page says about the next.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if it cannot be told whether there is more.
    pub fn took(&mut self, is_truncated: bool, marker: Option<String>) -> Result<(), CloudError> {
        let why = match (is_truncated, marker) {
            (false, None) => {
                self.ended = true;
                return Ok(());
            }
            (true, Some(marker)) if self.begun.insert(marker.clone()) => {
                self.marker = Some(marker);
                return Ok(());
            }
            // IAM never gives a marker on the last page.
            (false, Some(_)) => "a page says it is the last, and where the next begins",
            (true, None) => "a page does not say where the next begins",
            (true, Some(_)) => "a page leads to one that was read already",
        };
        Err(CloudError::new(ErrorKind::Unavailable, self.operation, self.object, why))
    }
}
