//! What only the operator decides, in a file outside the repository: secrets and where they come from,
//! commands, whom to trust, where new keys go, and which servers may be asked at all.
//!
//! Whoever can open a merge request can write anything into `inventory/`, `policies/` and `mirrors/`.
//! So nothing there makes the program run a command, read a file outside its folders, or send anything
//! to a server: it can only *name* what is defined here, and every definition says for which servers,
//! service accounts and organisations it is good.
//!
//! # Guarantees
//! - A [`Permit`] is made by [`Operator::permit`] alone, and without one nobody connects to a directory
//!   or fetches anything an inventory points to. Where there is no file, nothing is permitted.
//! - Servers are compared as values ([`Server`]), and what was compared is what is connected to.
//! - The file is refused unless it is a regular one that only its owner (who runs this, or root) can
//!   use, and nobody else could have put another in its place; or if any part of the way to it leads
//!   through the repository. The same way is asked of every path in it.

pub mod as_written;
#[cfg(test)]
mod fuzz;
mod load;
mod permit;
mod resolve;
mod secret;
mod server;
mod value;

pub use load::{MAX_BYTES, Unusable, find, load, parse};
pub use permit::{Ask, Denied, Permit};
pub use secret::Environment;
pub use server::{Host, NoServer, Scheme, Server};
pub use value::{
    Command, Operator, Origin, Record, Secret, SecretFrom, SecretStore, Sink, SinkKind, Trust,
};

/// The JSON Schema of the operator's file.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(as_written::OperatorFile)
}
