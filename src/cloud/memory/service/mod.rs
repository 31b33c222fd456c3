//! The vendor's side of the embedded cloud: what would run in somebody else's data centre.
//!
//! Architecture invariant: nothing in this folder knows the program's own words (`model`, `plan`)
//! or traits; the program's side is a client of [`api`](super::api) like of any other vendor's. The
//! names of what mirrors are made of are nobody's words, so they are written down once.

mod call;
pub mod fault;
#[cfg(test)]
mod fuzz;
pub mod journal;
pub mod life;
pub mod resource;
pub(super) mod resource_rules;
pub(super) mod rules;
pub mod state;
pub mod store;
pub mod world;
