//! What a role means and what a run may do.

pub mod as_written;
pub(crate) mod attribute;
pub(crate) mod resolve;
pub(crate) mod rights;
mod sinks;
mod value;

pub use value::{
    ItemKind, Limit, LimitOf, Limits, Policies, PolicySources, Protected, Right, Role, Sink,
};

/// The JSON Schema of the files below `policies/`.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(as_written::PoliciesFile)
}
