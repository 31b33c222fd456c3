//! The vendor's side of the embedded cloud: what would run in somebody else's data centre.
//!
//! Architecture invariant: nothing in this folder knows the program's own words (`model`, `plan`)
//! or traits; the program's side is a client of [`api`](super::api) like of any other vendor's.

mod call;
pub mod fault;
#[cfg(test)]
mod fuzz;
pub mod journal;
pub(super) mod rules;
pub mod state;
pub mod store;
pub mod world;
