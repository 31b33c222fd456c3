//! What a role means and what a run may do.

mod value;

pub use value::{ItemKind, Limit, Limits, Policies, Protected, Right, Role};
