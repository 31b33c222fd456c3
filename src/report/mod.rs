//! Plans, reviews and outcomes for people and for scripts: pure functions that write to a writer.
//!
//! Architecture invariant: nothing here decides anything, and every match on a step or an outcome
//! is exhaustive. Text uses colour styles the caller strips where they are not wanted; no meaning
//! is in the colour alone.

mod comment;
mod counts;
mod difference;
mod document;
mod explanation;
mod json;
mod markdown;
pub mod metrics;
mod outcomes;
mod parts;
mod saved_plan;
mod sections;
mod settings;
mod status;
mod summary;
mod table;
mod text;
mod words;

pub use comment::LONGEST_COMMENT;
pub use counts::Counts;
pub use difference::{
    DIFFERENCE_FORMAT, DIFFERENCE_MARKER, DifferenceReport, difference_json, difference_markdown,
    difference_schema, difference_text,
};
pub use explanation::{
    EXPLANATION_FORMAT, ExplanationReport, explanation_json, explanation_schema, explanation_text,
};
pub use json::{FORMAT, Report, json, schema};
pub use markdown::markdown;
pub use outcomes::outcomes;
pub use saved_plan::{SavedPlanError, load, save};
pub use status::{STATUS_FORMAT, StatusReport, status_json, status_schema, status_text};
pub use text::{Detail, plan};
pub use words::printable;
