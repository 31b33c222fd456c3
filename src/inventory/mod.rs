//! What people wrote about organisations, accounts and grants.
//!
//! The way from files to values: [`read_folder`] or [`read_revision`] gives a [`SourceTree`],
//! [`load`] parses every file (`as_written`), looks up every name (`resolve`), and applies every
//! rule of the table in `rules`. Findings are collected all the way and never stop the rest.
//! What takes a directory to find out is in [`against_directory`], what takes the operator's file in
//! [`against_operator`].

pub mod against_directory;
pub mod against_operator;
pub mod as_written;
pub(crate) mod known;
mod load;
pub mod naming;
pub(crate) mod resolve;
mod revision;
mod rules;
mod selector;
mod servers;
mod source_tree;
mod value;

pub use load::{Loaded, load};
pub use revision::{FileThen, read_revision, read_revision_file};
pub use source_tree::{MAX_FILE_BYTES, MAX_TREE_BYTES, SourceTree, read_folder};
/// The JSON Schema of the files below `inventory/`.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(as_written::InventoryFile)
}

pub use value::{
    AccountEntry, Administrators, Grant, Inventory, Organisation, Project, ServiceAccount,
    ServiceIdentity,
};
