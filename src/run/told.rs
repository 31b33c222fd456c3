//! Which oddities of directories a run has told already: a quiet run tells each once, when it
//! appears, and is silent about it afterwards.
//!
//! Only a cache: without it they are told once more. It lives in the state folder as `told.json` and
//! holds digests, no words.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Finding, Severity};
use crate::digest::sha256;
use crate::file;

/// The form of the file.
const FORMAT: &str = "reconcile-told/1";
const FILE: &str = "told.json";

/// Findings about what a directory says; those about access are errors, which are never silent.
const CODES: [&str; 5] =
    ["directory", "members-nobody-knows", "two-lists", "same-name", "mapped-nobody"];

/// What was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    format: String,
    findings: BTreeSet<String>,
}

impl Told {
    /// The one of a state folder; empty if there is none that can be read.
    pub fn read(state: &Path) -> Self {
        let read = file::read_own(&state.join(FILE)).ok();
        let told = read.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        told.filter(|told| told.format == FORMAT).unwrap_or_default()
    }

    /// Whether something among the findings was not told yet.
    pub fn lacks(&self, findings: &[Finding]) -> bool {
        digests(findings).any(|digest| !self.findings.contains(&digest))
    }

    /// Remembers what was told: exactly that by a run about everything; by a run about a part of it
    /// in addition.
    pub fn write(state: &Path, findings: &[Finding], about_all: bool) -> std::io::Result<()> {
        let before = Self::read(state);
        let mut now: BTreeSet<String> = digests(findings).collect();
        if !about_all {
            now.extend(before.findings.iter().cloned());
        }
        let now = Self { format: FORMAT.to_owned(), findings: now };
        if now == before {
            return Ok(());
        }
        let text = serde_json::to_string(&now)? + "\n";
        file::replace(&state.join(FILE), text.as_bytes())
    }
}

fn digests(findings: &[Finding]) -> impl Iterator<Item = String> {
    let told = findings
        .iter()
        .filter(|one| one.severity == Severity::Warning && CODES.contains(&one.code.as_str()));
    told.map(|one| sha256(format!("{}\n{}", one.code, one.message).as_bytes())[..16].to_owned())
}
