//! What people wrote about organisations, accounts and grants.

mod value;

pub use value::{
    AccountEntry, Administrators, Grant, Inventory, Organisation, Project, ServiceAccount,
};
