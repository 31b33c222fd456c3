//! Values of one file, for findings about them.

use std::sync::Arc;

use super::{Field, Position, Written};
use crate::diagnostic::{Finding, Findings};
use crate::model::Source;

/// Says of positions in which file they are.
#[derive(Clone, Copy, Debug)]
pub struct InFile<'a>(pub &'a Arc<str>);

impl InFile<'_> {
    /// A position as a source.
    pub fn source(self, at: Position) -> Source {
        Source::new(Arc::clone(self.0), at.line, at.column)
    }

    /// The value of a key that must be there; a finding when it is not.
    pub fn required<'f, T>(
        self,
        field: &'f Field<T>,
        key: &str,
        item: Position,
        findings: &mut Findings,
    ) -> Option<&'f Written<T>> {
        match field {
            Field::Given(written) => Some(written),
            Field::Broken => None,
            Field::Absent => {
                findings.push(
                    Finding::error("missing-key", format!("`{key}` is missing"))
                        .at(&self.source(item)),
                );
                None
            }
        }
    }

    /// A required text that says something.
    pub fn words(
        self,
        field: &Field<String>,
        key: &str,
        item: Position,
        findings: &mut Findings,
    ) -> Option<String> {
        let written = self.required(field, key, item, findings)?;
        if written.value.trim().is_empty() {
            findings.push(
                Finding::error("empty-text", format!("`{key}` says nothing"))
                    .at(&self.source(written.at)),
            );
            return None;
        }
        if !crate::visible::says_something(&written.value) {
            findings.push(
                Finding::error("empty-text", format!("`{key}` has no letters"))
                    .at(&self.source(written.at))
                    .hint("say it in words"),
            );
            return None;
        }
        Some(written.value.trim().to_owned())
    }
}
